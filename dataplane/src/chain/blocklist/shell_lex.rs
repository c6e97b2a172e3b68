//! Splits shell text into simple commands the way a POSIX shell does, and keeps what the words mean.
//!
//! Lives on one shard. Quotes, escapes, ANSI-C strings, comments, here-documents, redirections and
//! brace lists are undone; the texts of substitutions are handed on as work of their own. One arena
//! holds all text, so that nothing is allocated once it has grown to the size of a usual command.

use std::ops::Range;

/// Deepest nesting of substitutions and wrapped shells. LIMIT: each level reads its text again.
pub(super) const DEPTH_MAX: u8 = 12;
/// Most bytes of what stands in `${…}`. LIMIT: each that is not closed is searched for its end.
const BRACED_MAX: usize = 1024;

/// Most variables remembered from one text. LIMIT: they are searched one by one.
const VARIABLES_MAX: usize = 32;
/// How much text analysis may add to what was given. LIMIT: nested work stays linear.
const ARENA_EXTRA_BYTES: usize = 64 << 10;
/// Stands for text that only running a substitution would tell.
pub(super) const UNKNOWN: u8 = 1;

/// A range of the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// One word after quotes and escapes are undone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Word {
    pub(super) text: Span,
    /// The text of the last substitution in it; empty if there is none.
    pub(super) substitution: Span,
    pub(super) quoted: bool,
    /// Quotes, escapes or empty expansions stood inside a plain word.
    pub(super) disguised: bool,
}

/// Where a redirection leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirect {
    Write,
    Append,
    Read,
    HereString,
}

/// Text that still has to be read as shell.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Unit {
    pub(super) text: Span,
    pub(super) depth: u8,
    pub(super) windows: bool,
}

/// What separates a command from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Sequence,
    Pipe,
}

/// The buffers of one analysis.
#[derive(Debug, Default)]
pub(super) struct Lexer {
    pub(super) arena: Vec<u8>,
    pub(super) words: Vec<Word>,
    pub(super) redirects: Vec<(Redirect, Word)>,
    pub(super) work: Vec<Unit>,
    pub(super) is_too_deep: bool,
    variables: Vec<(Span, Span)>,
    aliases: Vec<(Span, Span)>,
    heredocs: Vec<Span>,
    arena_bytes_max: usize,
    unit: Unit,
    at: usize,
    /// The here-documents that were read last, for whoever knows what reads them.
    pub(super) heredoc: Option<Span>,
}

/// What a byte is to the reader of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Means nothing to a shell inside a word.
    Plain,
    /// Ends a word, whatever stood in it.
    End,
    /// Must be looked at.
    Special,
}

/// The two sides of `NAME=value`.
fn assignment(word: Word, name_bytes: usize) -> (Span, Span) {
    let name = Span { start: word.text.start, end: word.text.start + narrow(name_bytes) };
    (name, Span { start: name.end + 1, end: word.text.end })
}

static CLASSES: [Class; 256] = {
    let mut table = [Class::Special; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'-' | b'_' | b'.' | b'/' | b':' | b'=' | b',' | b'@' | b'%' | b'+' => Class::Plain,
            b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b')' => Class::End,
            _ if byte.is_ascii_alphanumeric() => Class::Plain,
            _ => Class::Special,
        };
        byte += 1;
    }
    table
};

fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn widen(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

impl Lexer {
    /// Forgets the last analysis and takes the text as the first unit.
    pub(super) fn begin(&mut self, text: &[u8]) {
        let unit = self.take(text);
        let windows = looks_windows(text);
        self.push_unit(unit, 0, windows);
    }

    /// Forgets the last analysis and keeps the text, of which nothing is to be read as shell yet.
    pub(super) fn take(&mut self, text: &[u8]) -> Span {
        self.arena.clear();
        self.work.clear();
        self.variables.clear();
        self.aliases.clear();
        self.is_too_deep = false;
        self.arena_bytes_max = text.len().saturating_mul(4) + ARENA_EXTRA_BYTES;
        if text.len() > (u32::MAX as usize) / 8 {
            self.is_too_deep = true;
            return Span::default();
        }
        self.arena.extend_from_slice(text);
        Span { start: 0, end: narrow(text.len()) }
    }

    pub(super) fn bytes(&self, span: Span) -> &[u8] {
        self.arena.get(widen(span.start)..widen(span.end)).unwrap_or_default()
    }

    pub(super) fn word(&self, index: usize) -> &[u8] {
        self.words.get(index).map_or(&[], |word| self.bytes(word.text))
    }

    /// Queues text of the arena to be read as shell.
    pub(super) fn push_unit(&mut self, text: Span, depth: u8, windows: bool) {
        if depth > DEPTH_MAX {
            self.is_too_deep = true;
        } else if text.start < text.end {
            self.work.push(Unit { text, depth, windows });
        }
    }

    /// Appends the words from `from` on, joined by spaces, and tells where they stand.
    pub(super) fn join(&mut self, from: usize) -> Span {
        let start = self.arena.len();
        for index in from..self.words.len() {
            let Some(word) = self.words.get(index).copied() else { break };
            if self.arena.len() > start {
                self.arena.push(b' ');
            }
            self.copy(word.text);
        }
        Span { start: narrow(start), end: narrow(self.arena.len()) }
    }

    /// Appends what `printf` makes of a text, and tells where it stands.
    pub(super) fn unescape(&mut self, text: Span) -> Span {
        let start = self.arena.len();
        let mut at = widen(text.start);
        while at < widen(text.end) {
            let rest = self.arena.get(at..widen(text.end)).unwrap_or_default();
            let (byte, length) = match *rest {
                [b'\\', b'n', ..] => (b'\n', 2),
                [b'\\', b't', ..] => (b'\t', 2),
                [b'\\', b'x', high, low, ..] => (hex(high).zip(hex(low)).map_or(b'?', |(high, low)| high << 4 | low), 4),
                [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                    ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), 4)
                }
                [byte, ..] => (byte, 1),
                [] => break,
            };
            self.push(byte);
            at += length;
        }
        Span { start: narrow(start), end: narrow(self.arena.len()) }
    }

    /// Appends text that belongs to no command yet.
    pub(super) fn write(&mut self, text: &[u8]) {
        if self.has_room(text.len()) {
            self.arena.extend_from_slice(text);
        }
    }

    /// Where the next text that is appended will stand.
    pub(super) fn end(&self) -> u32 {
        narrow(self.arena.len())
    }

    /// Adds a word that stands for what is not known.
    pub(super) fn add_unknown(&mut self) {
        let start = self.end();
        self.write(b"$_");
        self.words.push(Word { text: Span { start, end: self.end() }, ..Word::default() });
    }

    /// Appends a command made of some of the words, with `fed` for each `named` in them, or behind them if there is none,
    /// and tells where it stands. `named` is `{}` where it is not given.
    pub(super) fn fill(&mut self, words: Range<usize>, named: Option<Span>, fed: Span) -> Span {
        let start = self.arena.len();
        let mut is_placed = false;
        for index in words {
            let Some(word) = self.words.get(index).copied() else { break };
            let is_whole = word.quoted || self.bytes(word.text) == named.map_or(b"{}".as_slice(), |named| self.bytes(named));
            if is_whole {
                self.push(b'\'');
            }
            let mut at = word.text;
            loop {
                let marker = named.map_or(b"{}".as_slice(), |named| self.bytes(named));
                let length = narrow(marker.len());
                let Some(found) = memchr::memmem::find(self.bytes(at), marker).filter(|_| length > 0) else { break };
                let found = at.start + narrow(found);
                self.copy(Span { start: at.start, end: found });
                self.copy(fed);
                at.start = found + length;
                is_placed = true;
            }
            self.copy(at);
            if is_whole {
                self.push(b'\'');
            }
            self.push(b' ');
        }
        if !is_placed {
            self.copy(fed);
        }
        Span { start: narrow(start), end: narrow(self.arena.len()) }
    }

    pub(super) fn copy(&mut self, span: Span) {
        let range = widen(span.start)..widen(span.end);
        if range.end <= self.arena.len() && range.start <= range.end && self.has_room(range.len()) {
            self.arena.extend_from_within(range);
        }
    }

    fn has_room(&mut self, more: usize) -> bool {
        let fits = self.arena.len() + more <= self.arena_bytes_max;
        self.is_too_deep |= !fits;
        fits
    }

    fn push(&mut self, byte: u8) {
        if self.has_room(1) {
            self.arena.push(byte);
        }
    }

    pub(super) fn open(&mut self, unit: Unit) {
        self.unit = unit;
        self.at = widen(unit.text.start);
        self.words.clear();
        self.redirects.clear();
        self.heredocs.clear();
        self.heredoc = None;
    }

    fn peek(&self, ahead: usize) -> u8 {
        let at = self.at + ahead;
        if at < widen(self.unit.text.end) { self.arena.get(at).copied().unwrap_or(0) } else { 0 }
    }

    fn is_at_end(&self) -> bool {
        self.at >= widen(self.unit.text.end) || self.is_too_deep
    }

    /// Reads up to the end of the next simple command; its words and redirections stand in `self`.
    /// `None` when the unit is used up and no words are left.
    pub(super) fn next_command(&mut self) -> Option<Next> {
        self.words.clear();
        self.redirects.clear();
        if !self.is_too_deep {
            self.read_plain_words();
        }
        loop {
            if self.is_at_end() {
                let any = !self.words.is_empty() || !self.redirects.is_empty();
                return any.then_some(Next::Sequence);
            }
            let next = match self.peek(0) {
                b' ' | b'\t' | b'\r' => {
                    self.at += 1;
                    self.read_plain_words();
                    continue;
                }
                b'\n' => {
                    self.at += 1;
                    Next::Sequence
                }
                b'#' if !self.unit.windows => {
                    while !self.is_at_end() && self.peek(0) != b'\n' {
                        self.at += 1;
                    }
                    continue;
                }
                b';' | b'(' | b')' => {
                    self.at += 1;
                    Next::Sequence
                }
                b'&' if self.peek(1) == b'>' => {
                    self.at += 1;
                    continue;
                }
                b'&' => {
                    self.at += if self.peek(1) == b'&' { 2 } else { 1 };
                    Next::Sequence
                }
                b'|' if self.peek(1) == b'|' => {
                    self.at += 2;
                    Next::Sequence
                }
                b'|' => {
                    self.at += if self.peek(1) == b'&' { 2 } else { 1 };
                    Next::Pipe
                }
                b'>' | b'<' => {
                    self.read_redirect();
                    continue;
                }
                _ => {
                    self.read_word();
                    continue;
                }
            };
            if self.words.is_empty() && self.redirects.is_empty() {
                self.skip_heredocs();
                continue;
            }
            return Some(next);
        }
    }

    /// To be called between commands: what follows a line that opened here-documents are their bodies.
    pub(super) fn skip_heredocs(&mut self) {
        let behind_newline = self.at.checked_sub(1).and_then(|at| self.arena.get(at)) == Some(&b'\n');
        if self.heredocs.is_empty() || !behind_newline {
            return;
        }
        let end = widen(self.unit.text.end);
        let start = self.at;
        while let Some(delimiter) = self.heredocs.pop() {
            while self.at < end {
                let rest = self.arena.get(self.at..end).unwrap_or_default();
                let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                let line = rest.get(..length).unwrap_or_default().trim_ascii();
                let is_last = line == self.bytes(delimiter);
                self.at += length + 1;
                if is_last {
                    break;
                }
            }
        }
        self.at = self.at.min(end);
        self.heredoc = Some(Span { start: narrow(start), end: narrow(self.at) });
    }

    fn read_redirect(&mut self) {
        let first = self.peek(0);
        self.at += 1;
        let kind = match (first, self.peek(0)) {
            (_, b'(') => {
                // Process substitution: a word like any other.
                self.at -= 1;
                self.read_word();
                return;
            }
            (b'>', b'>') => {
                self.at += 1;
                Redirect::Append
            }
            (b'>', b'|') => {
                self.at += 1;
                Redirect::Write
            }
            (b'>', _) => Redirect::Write,
            (_, b'<') if self.peek(1) == b'<' => {
                self.at += 2;
                Redirect::HereString
            }
            (_, b'<') => {
                self.at += if self.peek(1) == b'-' { 2 } else { 1 };
                self.skip_blanks();
                let before = self.words.len();
                self.read_word();
                if let Some(word) = self.words.get(before).copied() {
                    self.heredocs.push(word.text);
                }
                self.words.truncate(before);
                return;
            }
            (_, b'>') => {
                self.at += 1;
                Redirect::Write
            }
            _ => Redirect::Read,
        };
        if self.peek(0) == b'&' {
            self.at += 1;
            if self.peek(0).is_ascii_digit() || self.peek(0) == b'-' {
                self.at += 1;
                return;
            }
        }
        self.skip_blanks();
        let before = self.words.len();
        self.read_word();
        if let Some(word) = self.words.get(before).copied() {
            self.redirects.push((kind, word));
        }
        self.words.truncate(before);
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(0), b' ' | b'\t') {
            self.at += 1;
        }
    }

    /// Words that stand for themselves, with blanks between them, up to what must be looked at. They are not copied: they
    /// lie where they were read.
    fn read_plain_words(&mut self) {
        let unit = self.arena.get(..widen(self.unit.text.end)).unwrap_or_default();
        let mut start = self.at;
        while let Some(rest) = unit.get(start..)
            && let Some(length) = rest.iter().position(|byte| CLASSES[usize::from(*byte)] != Class::Plain)
            && let Some(byte) = rest.get(length)
            && CLASSES[usize::from(*byte)] == Class::End
        {
            let end = start + length;
            if start < end {
                self.words.push(Word { text: Span { start: narrow(start), end: narrow(end) }, ..Word::default() });
            }
            start = end;
            if !matches!(byte, b' ' | b'\t' | b'\r') {
                break;
            }
            start += 1;
        }
        self.at = start;
    }

    fn read_word(&mut self) {
        let begin = self.at;
        let mut word = Word { text: Span { start: narrow(self.arena.len()), end: 0 }, ..Word::default() };
        while !self.is_at_end() {
            let byte = self.peek(0);
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b')' => break,
                b'(' if self.at > begin => break,
                b'>' | b'<' if self.peek(1) != b'(' => {
                    let text = self.arena.get(widen(word.text.start)..).unwrap_or_default();
                    if !word.quoted && !text.is_empty() && text.iter().all(u8::is_ascii_digit) {
                        // A descriptor number in front of a redirection is no word.
                        return;
                    }
                    break;
                }
                b'>' | b'<' => {
                    self.at += 1;
                    self.substitution(&mut word, b'(');
                }
                b'\\' | b'^' if self.unit.windows => {
                    self.at += 1;
                    if byte == b'\\' {
                        self.push(b'\\');
                    }
                }
                b'\\' => {
                    self.at += 1;
                    let escaped = self.peek(0);
                    word.disguised |= escaped.is_ascii_alphanumeric();
                    if !self.is_at_end() {
                        self.at += 1;
                        if escaped != b'\n' {
                            self.push(escaped);
                        }
                    }
                }
                b'\'' if self.unit.windows => {
                    self.at += 1;
                    self.push(b'\'');
                }
                b'\'' => self.single_quoted(&mut word, begin),
                b'"' => self.double_quoted(&mut word, begin),
                b'`' => self.substitution(&mut word, b'`'),
                b'$' => {
                    if !self.dollar(&mut word, false) {
                        break;
                    }
                }
                _ => {
                    self.at += 1;
                    self.push(byte);
                }
            }
        }
        if self.at == begin {
            // Nothing was read: step over the byte so that the reader moves on.
            self.at += 1;
        }
        word.text.end = narrow(self.arena.len());
        if word.text.start < word.text.end || word.quoted {
            self.expand_braces(word);
        }
    }

    /// `{rm,-rf,/}` is three words.
    fn expand_braces(&mut self, word: Word) {
        let text = self.bytes(word.text);
        let inner = match text {
            [b'{', inner @ .., b'}'] if !word.quoted && memchr::memchr(b',', inner).is_some() => inner,
            _ => {
                self.words.push(word);
                return;
            }
        };
        if inner.iter().any(|byte| matches!(byte, b'{' | b'}' | b':' | b'"')) {
            self.words.push(word);
            return;
        }
        let mut start = word.text.start + 1;
        let last = word.text.end - 1;
        while start <= last {
            let rest = self.bytes(Span { start, end: last });
            let length = memchr::memchr(b',', rest).unwrap_or(rest.len());
            let end = start + narrow(length);
            self.words.push(Word { text: Span { start, end }, ..word });
            start = end + 1;
        }
    }

    fn single_quoted(&mut self, word: &mut Word, begin: usize) {
        word.quoted = true;
        let opened = self.at;
        self.at += 1;
        while !self.is_at_end() && self.peek(0) != b'\'' {
            let byte = self.peek(0);
            self.push(byte);
            self.at += 1;
        }
        self.at += 1;
        word.disguised |= self.stands_inside(opened, begin);
    }

    fn double_quoted(&mut self, word: &mut Word, begin: usize) {
        word.quoted = true;
        let opened = self.at;
        self.at += 1;
        while !self.is_at_end() {
            let byte = self.peek(0);
            match byte {
                b'"' => break,
                b'\\' if !self.unit.windows && matches!(self.peek(1), b'"' | b'\\' | b'$' | b'`' | b'\n') => {
                    let escaped = self.peek(1);
                    self.at += 2;
                    if escaped != b'\n' {
                        self.push(escaped);
                    }
                }
                b'`' => self.substitution(word, b'`'),
                b'$' => {
                    self.dollar(word, true);
                }
                _ => {
                    self.at += 1;
                    self.push(byte);
                }
            }
        }
        self.at += 1;
        word.disguised |= self.stands_inside(opened, begin);
    }

    /// Whether a quote that has just been closed had letters of the same word on both sides, or held nothing.
    fn stands_inside(&self, opened: usize, begin: usize) -> bool {
        let before = opened > begin && self.arena.get(opened - 1).is_some_and(u8::is_ascii_alphanumeric);
        let after = self.peek(0).is_ascii_alphanumeric();
        let is_short = self.at - opened <= 4;
        (before && after) || (is_short && (before || after))
    }

    /// Reads what follows a `$`. False if it ends an unquoted word (`$IFS`).
    fn dollar(&mut self, word: &mut Word, in_quotes: bool) -> bool {
        match self.peek(1) {
            b'(' => {
                self.at += 1;
                self.substitution(word, b'(');
            }
            b'{' => return self.braced_variable(word, in_quotes),
            b'\'' if !in_quotes => {
                self.at += 1;
                self.ansi_c(word);
            }
            b'"' if !in_quotes => self.at += 1,
            b'@' | b'*' => {
                self.at += 2;
                word.disguised = true;
            }
            first if first.is_ascii_alphabetic() || first == b'_' => {
                let start = self.at + 1;
                let mut end = start;
                while self.arena.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                    && end < widen(self.unit.text.end)
                {
                    end += 1;
                }
                self.at = end;
                return self.variable(word, Span { start: narrow(start), end: narrow(end) }, in_quotes);
            }
            position if position.is_ascii_digit() => {
                let start = narrow(self.at + 1);
                self.at += 2;
                return self.variable(word, Span { start, end: start + 1 }, in_quotes);
            }
            _ => {
                self.push(b'$');
                self.at += 1;
            }
        }
        true
    }

    fn braced_variable(&mut self, word: &mut Word, in_quotes: bool) -> bool {
        let start = self.at + 2;
        let limit = widen(self.unit.text.end);
        let mut end = start;
        while end < limit && self.arena.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            end += 1;
        }
        let rest = self.arena.get(end..limit.min(end + BRACED_MAX)).unwrap_or_default();
        let Some(length) = memchr::memchr2(b'}', b'\n', rest) else {
            self.push(b'$');
            self.at += 1;
            return true;
        };
        self.at = end + length + 1;
        let name = Span { start: narrow(start), end: narrow(end) };
        let default = match rest.get(..length) {
            Some([b':', b'-' | b'=', ..]) => Some(end + 2),
            Some([b'-' | b'=', ..]) => Some(end + 1),
            _ => None,
        };
        if let Some(from) = default
            && self.find_variable(name).is_none()
        {
            word.disguised = true;
            self.copy(Span { start: narrow(from), end: narrow(end + length) });
            return true;
        }
        self.variable(word, name, in_quotes)
    }

    fn variable(&mut self, word: &mut Word, name: Span, in_quotes: bool) -> bool {
        if self.bytes(name) == b"IFS" {
            // A separator; the caller ends the word unless quotes hold it together.
            word.disguised = true;
            if in_quotes {
                self.push(b' ');
            }
            return in_quotes;
        }
        if let Some(value) = self.find_variable(name) {
            word.disguised = true;
            self.copy(value);
        } else {
            self.push(b'$');
            self.copy(name);
        }
        true
    }

    fn find_variable(&self, name: Span) -> Option<Span> {
        self.latest(&self.variables, self.bytes(name))
    }

    /// What a variable is set to, where that is known.
    pub(super) fn value_of(&self, name: &[u8]) -> Option<&[u8]> {
        self.latest(&self.variables, name).map(|value| self.bytes(value))
    }

    /// What was remembered last under a name.
    fn latest(&self, kept: &[(Span, Span)], wanted: &[u8]) -> Option<Span> {
        kept.iter().rev().find(|(known, _)| self.bytes(*known) == wanted).map(|(_, value)| *value)
    }

    /// Remembers that the variable one word names is what another says, or empty.
    pub(super) fn bind(&mut self, name: usize, value: Option<usize>) {
        let empty = Word::default();
        let (Some(name), Some(value)) = (self.words.get(name), value.map_or(Some(&empty), |value| self.words.get(value))) else {
            return;
        };
        if self.variables.len() < VARIABLES_MAX {
            self.variables.push((name.text, value.text));
        }
    }

    /// Remembers what `$0`, `$1` … are: the words from this one on.
    pub(super) fn bind_positions(&mut self, from: usize) {
        for (index, digit) in (from..self.words.len()).zip(b'0'..=b'9') {
            let (start, Some(word)) = (self.end(), self.words.get(index).copied()) else { return };
            self.push(digit);
            if self.variables.len() < VARIABLES_MAX {
                self.variables.push((Span { start, end: self.end() }, word.text));
            }
        }
    }

    /// Remembers `alias NAME=value`.
    pub(super) fn keep_alias(&mut self, word: Word, name_bytes: usize) {
        if self.aliases.len() < VARIABLES_MAX {
            self.aliases.push(assignment(word, name_bytes));
        }
    }

    /// What a command of this name stands for; not one that stands for itself with other options.
    pub(super) fn alias(&self, name: Span) -> Option<Span> {
        let wanted = self.bytes(name);
        self.latest(&self.aliases, wanted).filter(|value| !self.bytes(*value).starts_with(wanted))
    }

    /// The body of a function of this name that the text at hand defines and that takes arguments.
    pub(super) fn function(&self, name: Span) -> Option<Span> {
        let (text, name) = (self.bytes(self.unit.text), self.bytes(name));
        // LIMIT: what is defined stands at the beginning.
        let text = text.get(..text.len().min(BRACED_MAX * 4)).unwrap_or_default();
        memchr::memmem::find(text, b"()")?;
        let defined = memchr::memmem::find_iter(text, name).find_map(|at| {
            let rest = text.get(at + name.len()..)?;
            let starts = at.checked_sub(1).and_then(|before| text.get(before)).is_none_or(|byte| b" \t\n;".contains(byte));
            let body = rest.trim_ascii_start().strip_prefix(b"()")?.trim_ascii_start().strip_prefix(b"{")?;
            (starts && !name.is_empty()).then_some(body)
        })?;
        let end = memchr::memmem::find(defined, b"\n}").or_else(|| memchr::memchr(b'}', defined))?;
        let body = defined.get(..end).filter(|body| memchr::memmem::find(body, b"$1").is_some())?;
        // What is behind the brace ends where the text does.
        let start = self.unit.text.start + narrow(text.len() - defined.len());
        Some(Span { start, end: start + narrow(body.len()) })
    }

    /// Remembers `NAME=value`.
    pub(super) fn assign(&mut self, word: Word, name_bytes: usize) {
        if self.variables.len() < VARIABLES_MAX && word.substitution == Span::default() {
            self.variables.push(assignment(word, name_bytes));
        }
    }

    fn ansi_c(&mut self, word: &mut Word) {
        word.quoted = true;
        self.at += 1;
        while !self.is_at_end() && self.peek(0) != b'\'' {
            if self.peek(0) != b'\\' {
                let byte = self.peek(0);
                self.push(byte);
                self.at += 1;
                continue;
            }
            word.disguised = true;
            self.at += 1;
            let escape = self.peek(0);
            self.at += 1;
            match escape {
                b'n' => self.push(b'\n'),
                b't' => self.push(b'\t'),
                b'x' | b'u' => {
                    let value = self.digits(16, if escape == b'x' { 2 } else { 4 });
                    self.push(value);
                }
                b'0'..=b'7' => {
                    self.at -= 1;
                    let value = self.digits(8, 3);
                    self.push(value);
                }
                other => self.push(other),
            }
        }
        self.at += 1;
    }

    fn digits(&mut self, radix: u32, count: usize) -> u8 {
        let mut value = 0_u32;
        for _ in 0..count {
            let Some(digit) = char::from(self.peek(0)).to_digit(radix) else { break };
            value = value * radix + digit;
            self.at += 1;
        }
        u8::try_from(value).unwrap_or(b'?')
    }

    /// Hands the text of `$(…)`, `<(…)` or `` `…` `` on; `self.at` stands on the opening byte.
    fn substitution(&mut self, word: &mut Word, open: u8) {
        let start = self.at + 1;
        let limit = widen(self.unit.text.end);
        let text = self.arena.get(start..limit).unwrap_or_default();
        let length = if open == b'`' { close_backtick(text) } else { close_paren(text) };
        self.at = start + length + 1;
        let span = Span { start: narrow(start), end: narrow(start + length) };
        word.substitution = span;
        if let Some((from, to)) = echoed(text.get(..length).unwrap_or_default()) {
            word.disguised = true;
            self.copy(Span { start: narrow(start + from), end: narrow(start + to) });
        } else {
            self.push(UNKNOWN);
        }
        self.push_unit(span, self.unit.depth + 1, self.unit.windows);
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn close_backtick(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'`' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// Where the parenthesis that is already open closes; quotes hide parentheses.
fn close_paren(text: &[u8]) -> usize {
    let mut depth = 1_usize;
    let mut at = 0;
    let mut quote = 0_u8;
    while let Some(&byte) = text.get(at) {
        match (quote, byte) {
            (b'\'', b'\'') | (b'"', b'"') => quote = 0,
            (b'\'', _) => {}
            (_, b'\\') => at += 1,
            (0, b'\'' | b'"') => quote = byte,
            (0, b'(') => depth += 1,
            (0, b')') => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// `echo word` and `printf word` tell their output without running.
fn echoed(text: &[u8]) -> Option<(usize, usize)> {
    let trimmed = text.trim_ascii_start();
    let skipped = text.len() - trimmed.len();
    let rest = trimmed.strip_prefix(b"echo ").or_else(|| trimmed.strip_prefix(b"printf "))?;
    let from = skipped + trimmed.len() - rest.len();
    let quoted = matches!(rest, [b'\'' | b'"', .., b'\'' | b'"'] if rest.len() > 2);
    let (from, to) = if quoted { (from + 1, text.len() - 1) } else { (from, text.len()) };
    let inner = text.get(from..to)?;
    let is_plain = !inner.is_empty()
        && inner.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b' '))
        && !inner.starts_with(b"-");
    is_plain.then_some((from, to))
}

/// Whether a text has `%NAME%`.
fn names_variable(text: &[u8]) -> bool {
    let mut parts = text.split(|byte| *byte == b'%').skip(1).peekable();
    std::iter::from_fn(|| parts.next().filter(|_| parts.peek().is_some())).any(|part| {
        !part.is_empty() && part.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'(' | b')'))
    })
}

/// Whether backslashes are path separators here rather than escapes.
pub(super) fn looks_windows(text: &[u8]) -> bool {
    let has_drive = memchr::memchr(b'\\', text).is_some()
        && (memchr::memmem::find(text, b":\\").is_some() || text.starts_with(b"\\\\") || names_variable(text));
    if has_drive {
        return true;
    }
    let word = text.trim_ascii_start();
    let end = word.iter().position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'.')).unwrap_or(word.len());
    let mut buffer = [0; 32];
    let Some(name) = word.get(..end).and_then(|name| {
        let slot = buffer.get_mut(..name.len())?;
        slot.copy_from_slice(name);
        slot.make_ascii_lowercase();
        Some(&*slot)
    }) else {
        return false;
    };
    let is_assigned = word.starts_with(b"$")
        && word
            .iter()
            .skip(1)
            .position(|byte| *byte == b' ')
            .is_some_and(|at| word.get(at + 1..).is_some_and(|rest| rest.starts_with(b" = ")));
    // `Get-ChildItem`, `Remove-AzDisk`: PowerShell's own names.
    let is_cmdlet = [b"iex".as_slice(), b"get-", b"set-", b"remove-", b"stop-", b"clear-", b"invoke-"];
    if is_cmdlet.iter().any(|verb| name.starts_with(verb))
        || is_assigned
        || word.starts_with(b"& (")
        || word.starts_with(b"[System.")
    {
        return true;
    }
    matches!(
        name.strip_suffix(b".exe").unwrap_or(name),
        b"del"
            | b"erase"
            | b"rd"
            | b"reg"
            | b"powershell"
            | b"pwsh"
            | b"cmd"
            | b"format"
            | b"diskpart"
            | b"vssadmin"
            | b"wbadmin"
            | b"bcdedit"
            | b"cipher"
            | b"icacls"
            | b"takeown"
            | b"remove-item"
            | b"wevtutil"
            | b"schtasks"
    )
}
