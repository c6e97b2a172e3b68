//! Reads `name = value` in whatever syntax it is written: source code, JSON, YAML, INI, env files, XML,
//! shell flags, HTTP headers, function arguments. A hand-written parser, because the same question asked
//! with regular expressions costs twenty times as much and this one runs at every `key` and `token` of a text.
//!
//! *Lives on* one shard, on the stack; it never allocates and never looks further than [`REACH`] bytes.

use std::ops::Range;

/// LIMIT: how far from a name its value may begin, and how long a name may be.
const NAME_MAX: usize = 80;
/// LIMIT: longest value looked at; keys of certificates are found by their header instead.
pub(super) const VALUE_MAX: usize = 1200;
/// LIMIT: white space between the parts of an assignment, enough for an aligned or indented file.
const GAP_MAX: usize = 64;

/// How a value is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    Quoted,
    Bare,
    /// Text of an XML element.
    Element,
}

/// What stands between name and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `=`, `:=`, `+=` …
    Equals,
    /// `:` and `=>`.
    Colon,
    /// `==`, `!=`, `===` …
    Compare,
    /// `,` or `(` after a quoted name, as in `env("NAME", "value")`.
    Argument,
    /// `>` of an XML start tag, or a `value=` attribute.
    Markup,
    /// Only white space: `--password x`, `machine a password x`.
    Space,
}

/// A name, what stands after it, and the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) name: Range<usize>,
    pub(super) operator: Operator,
    pub(super) value: Range<usize>,
    pub(super) quoting: Quoting,
    /// `Bearer`, `Basic` … when an HTTP scheme stands before the value.
    pub(super) scheme: bool,
}

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Assigned(Assignment),
    /// The text ends with the name: the value may be the next JSON value.
    AtEnd {
        name: Range<usize>,
    },
    Nothing {
        name: Range<usize>,
    },
}

/// What a byte may be part of; asked of every byte around a name.
struct Class;

impl Class {
    const NAME: u8 = 1;
    /// A type, such as `Option<&'a str>`.
    const TYPE: u8 = 2;
    /// What is called, with what leads to it.
    const CALLEE: u8 = 4;
}

static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        let is_word = byte.is_ascii_alphanumeric();
        let mut class = 0;
        if is_word || matches!(byte, b'_' | b'-' | b'.' | b'$') {
            class |= Class::NAME;
        }
        if is_word || matches!(byte, b'&' | b'<' | b'>' | b'?' | b'*' | b'_' | b'\'' | b'[' | b']' | b'.') {
            class |= Class::TYPE;
        }
        if is_word || matches!(byte, b'_' | b'.' | b':' | b' ' | b'$') {
            class |= Class::CALLEE;
        }
        classes[byte as usize] = class;
        byte += 1;
    }
    classes
};

fn is_part(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

/// How many bytes from the start are part of something.
fn length_of(text: &[u8], class: u8) -> usize {
    text.iter().position(|byte| !is_part(*byte, class)).unwrap_or(text.len())
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0)
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

struct Cursor<'t> {
    text: &'t [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn starts(&self, with: &[u8]) -> bool {
        self.text.get(self.at..).is_some_and(|rest| rest.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with)))
    }

    fn eat(&mut self, with: &[u8]) -> bool {
        let ate = self.starts(with);
        if ate {
            self.at += with.len();
        }
        ate
    }

    /// Skips blanks; answers how many.
    fn blanks(&mut self) -> usize {
        let from = self.at;
        while self.at - from < GAP_MAX && self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
        self.at - from
    }

    /// Skips blanks, line ends and their escaped spellings.
    fn white(&mut self) {
        let from = self.at;
        while self.at - from < GAP_MAX {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'\\') if matches!(self.peek_at(1), Some(b'n' | b'r' | b't' | b'\n' | b'\r')) => {
                    self.at += 2;
                }
                _ => return,
            }
        }
    }

    /// Skips back-slashes that stand before a quote, as nested JSON has them.
    fn escapes(&mut self) -> usize {
        let from = self.at;
        while self.peek() == Some(b'\\') && self.at - from < 16 {
            self.at += 1;
        }
        let count = self.at - from;
        if count > 0 && !self.peek().is_some_and(is_quote) {
            self.at = from;
            return 0;
        }
        count
    }
}

/// Extends a word to the name it is part of.
pub(super) fn name_around(text: &[u8], word: Range<usize>) -> Range<usize> {
    let floor = word.start.saturating_sub(NAME_MAX);
    let mut start = word.start;
    while start > floor && text.get(start - 1).is_some_and(|byte| is_part(*byte, Class::NAME)) {
        start -= 1;
    }
    // `\n` before a name is a line end, not a letter of it.
    if start > 0 && text[start - 1] == b'\\' && matches!(text[start], b'n' | b'r' | b't') && start < word.start {
        start += 1;
    }
    let ceiling = (word.end + NAME_MAX).min(text.len());
    let mut end = word.end;
    while end < ceiling && is_part(text[end], Class::NAME) {
        // A full stop or a hyphen belongs to a name only when more of it follows.
        if matches!(text[end], b'.' | b'-') && !text.get(end + 1).is_some_and(u8::is_ascii_alphanumeric) {
            break;
        }
        end += 1;
    }
    start..end
}

/// Reads what the name around `word` is assigned.
pub(super) fn read(text: &[u8], word: Range<usize>) -> Outcome {
    let name = name_around(text, word);
    let mut cursor = Cursor { text, at: name.end };
    let name_end = close_name(&mut cursor);
    let spaces = cursor.blanks();
    if cursor.peek().is_none() {
        return Outcome::AtEnd { name };
    }
    let Some(operator) = operator(&mut cursor, name_end, spaces, text, &name) else {
        return Outcome::Nothing { name };
    };
    match value(&mut cursor, operator) {
        Some((value, quoting, scheme)) => Outcome::Assigned(Assignment { name, operator, value, quoting, scheme }),
        None => Outcome::Nothing { name },
    }
}

/// What closes a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NameEnd {
    quoted: bool,
    /// A bracket stands behind it: what follows a comma then belongs to something else.
    bracketed: bool,
}

/// Skips what closes a name: a quote, a bracket, markdown stars.
fn close_name(cursor: &mut Cursor<'_>) -> NameEnd {
    let escapes = cursor.escapes();
    let mut quoted = false;
    if cursor.peek().is_some_and(is_quote) {
        cursor.at += 1;
        quoted = true;
    } else {
        cursor.at -= escapes;
    }
    let from = cursor.at;
    for _ in 0..4 {
        match cursor.peek() {
            Some(b']' | b')' | b'}' | b'*') => cursor.at += 1,
            _ => break,
        }
    }
    NameEnd { quoted, bracketed: cursor.at > from }
}

fn operator(cursor: &mut Cursor<'_>, end: NameEnd, spaces: usize, text: &[u8], name: &Range<usize>) -> Option<Operator> {
    let quoted_name = end.quoted;
    let found = match (cursor.peek()?, cursor.peek_at(1), cursor.peek_at(2)) {
        (b'=', Some(b'>'), _) | (b'-', Some(b'>'), _) => (2, Operator::Colon),
        (b'=', Some(b'='), Some(b'=')) | (b'!', Some(b'='), Some(b'=')) => (3, Operator::Compare),
        (b'=', Some(b'='), _) | (b'!', Some(b'='), _) => (2, Operator::Compare),
        (b':', Some(b':'), Some(b':')) if cursor.peek_at(3) == Some(b'=') => (4, Operator::Equals),
        (b':', Some(b':'), Some(b'=')) => (3, Operator::Equals),
        (b':', Some(b':'), _) => return None,
        (b':', Some(b'='), _) | (b'?', Some(b'='), _) | (b'+', Some(b'='), _) | (b'.', Some(b'='), _) => (2, Operator::Equals),
        (b'<', Some(b'-'), _) => (2, Operator::Equals),
        (b'?', Some(b'?'), Some(b'=')) => (3, Operator::Equals),
        (b'|', Some(b'|'), _) | (b'?', Some(b'?'), _) => (2, Operator::Equals),
        (b'%', Some(b'3'), Some(b'D' | b'd')) => (3, Operator::Equals),
        (b'=', ..) => (1, Operator::Equals),
        (b':', ..) => (1, Operator::Colon),
        (b',', ..) if quoted_name && !end.bracketed => (1, Operator::Argument),
        (b'(', ..) if spaces == 0 && !quoted_name => (1, Operator::Argument),
        (b'>', ..) if spaces == 0 && !quoted_name => (1, Operator::Markup),
        (b'"' | b'\'', ..) if spaces == 0 && !quoted_name => return None,
        _ if quoted_name && (cursor.eat(b"value=") || cursor.eat(b"content=")) => (0, Operator::Markup),
        _ if spaces > 0 && !quoted_name => (0, Operator::Space),
        _ => return None,
    };
    // `<password>` is markup only when the tag opens right before the name.
    if found.1 == Operator::Markup && found.0 == 1 && (name.start == 0 || text[name.start - 1] != b'<') {
        return None;
    }
    cursor.at += found.0;
    Some(found.1)
}

/// Reads the value at the cursor.
fn value(cursor: &mut Cursor<'_>, operator: Operator) -> Option<(Range<usize>, Quoting, bool)> {
    cursor.white();
    skip_type(cursor);
    skip_fallback(cursor);
    // YAML block scalars.
    if operator == Operator::Colon && matches!(cursor.peek(), Some(b'>' | b'|')) {
        cursor.at += 1;
        if matches!(cursor.peek(), Some(b'-' | b'+')) {
            cursor.at += 1;
        }
        cursor.white();
    }
    skip_call(cursor);
    // Prefixes of string literals: b"", u"", r"", f"", @"", L"".
    if matches!(cursor.peek(), Some(b'b' | b'u' | b'r' | b'L' | b'@' | b'B' | b'&' | b'N'))
        && cursor.peek_at(1).is_some_and(is_quote)
    {
        cursor.at += 1;
    }
    let escapes = cursor.escapes();
    if let Some(quote) = cursor.peek().filter(|&b| is_quote(b)) {
        cursor.at += 1;
        while cursor.peek() == Some(quote) && cursor.peek_at(1) == Some(quote) {
            cursor.at += 2; // triple quotes
        }
        // A literal within a literal: '"x"'.
        let quote = match cursor.peek() {
            Some(inner) if is_quote(inner) && inner != quote && closes_both(cursor, inner, quote) => {
                cursor.at += 1;
                inner
            }
            _ => quote,
        };
        let scheme = skip_scheme(cursor);
        let start = cursor.at;
        let end = end_of_quoted(cursor.text, start, quote, escapes)?;
        return Some((start..end, Quoting::Quoted, scheme));
    }
    let scheme = skip_scheme(cursor);
    let start = cursor.at;
    let markup = operator == Operator::Markup;
    let rest = cursor.text.get(start..(start + VALUE_MAX).min(cursor.text.len()))?;
    let length = bare_length(rest, markup);
    if operator == Operator::Space && matches!(rest.first(), Some(b'{' | b'(' | b'[' | b'<' | b'&' | b'|' | b'+' | b'*')) {
        return None;
    }
    let quoting = if markup { Quoting::Element } else { Quoting::Bare };
    (length > 0).then(|| (start..start + length, quoting, scheme))
}

/// How long a value without quotes is, the brackets left out that close something before it.
fn bare_length(rest: &[u8], markup: bool) -> usize {
    let mut length = rest
        .iter()
        .position(|&b| match b {
            b'<' if markup => true,
            b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'`' | 0 => true,
            b';' | b',' => true,
            _ => b < 0x20,
        })
        .unwrap_or(rest.len());
    // A nested text spells its line end `\n`.
    if let Some(at) = rest[..length].windows(2).position(|w| w == b"\\n" || w == b"\\r") {
        length = at;
    }
    while length > 0 && matches!(rest[length - 1], b')' | b']' | b'}' | b'\\' | b'.' | b'>') {
        let unbalanced = match rest[length - 1] {
            b')' => !rest[..length].contains(&b'('),
            b']' => !rest[..length].contains(&b'['),
            b'}' => !rest[..length].contains(&b'{'),
            b'>' => !rest[..length].contains(&b'<'),
            _ => true,
        };
        if !unbalanced {
            break;
        }
        length -= 1;
    }
    length
}

/// `: string = "x"`, `: &str = "x"`, `: Option<String> = …`: steps over the type.
fn skip_type(cursor: &mut Cursor<'_>) {
    let rest = cursor.text.get(cursor.at..(cursor.at + 48).min(cursor.text.len())).unwrap_or_default();
    let kind = length_of(rest, Class::TYPE);
    if kind == 0 || rest[0].is_ascii_digit() || is_quote(rest[0]) {
        return;
    }
    let blanks = rest[kind..].iter().take_while(|&&b| is_blank(b)).count();
    let after = &rest[kind + blanks..];
    if blanks > 0 && after.first() == Some(&b'=') && !matches!(after.get(1), Some(b'=' | b'>')) {
        cursor.at += kind + blanks + 1;
        cursor.white();
    }
}

/// `process.env.X || "x"`, `os.environ["X"] or "x"`: steps to the fallback.
fn skip_fallback(cursor: &mut Cursor<'_>) {
    let rest = cursor.text.get(cursor.at..(cursor.at + 96).min(cursor.text.len())).unwrap_or_default();
    if rest.first().is_none_or(|b| is_quote(*b)) {
        return;
    }
    let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
    // What is fallen back to is quoted.
    if !line.iter().any(|b| is_quote(*b)) {
        return;
    }
    let marked = memchr::memchr2(b'|', b'?', line).is_some();
    for mark in [&b"|| "[..], b"?? ", b" or ", b"?: ", b"||\"", b"||'"] {
        let is_word = mark == b" or ";
        if (marked || is_word)
            && let Some(at) = if is_word { word_or(line) } else { memchr::memmem::find(line, mark) }
        {
            let to = at + mark.len().min(3);
            let to = if is_word {
                at + 4
            } else if mark.len() == 3 && mark[2] != b' ' {
                at + 2
            } else {
                to
            };
            if rest.get(to).copied().is_some_and(is_quote) {
                cursor.at += to;
                return;
            }
        }
    }
}

/// Where ` or ` stands first.
fn word_or(line: &[u8]) -> Option<usize> {
    let mut before = memchr::memchr_iter(b'o', line).filter_map(|at| at.checked_sub(1));
    before.find(|at| line.get(*at..).is_some_and(|rest| rest.starts_with(b" or ")))
}

/// `String::from("x")`, `new Buffer("x")`, `env("X", "x")`: steps into the call.
fn skip_call(cursor: &mut Cursor<'_>) {
    let rest = cursor.text.get(cursor.at..(cursor.at + 64).min(cursor.text.len())).unwrap_or_default();
    let callee = length_of(rest, Class::CALLEE);
    if rest.get(callee) == Some(&b'(') && rest.get(callee + 1).copied().is_some_and(is_quote) && !takes_options(&rest[..callee]) {
        cursor.at += callee + 1;
    } else if callee == 0 && matches!(rest.first(), Some(b'(' | b'[' | b'{')) && rest.get(1).copied().is_some_and(is_quote) {
        cursor.at += 1;
    }
}

/// `password.encode("latin1")`, `getpass("Password")`: what stands in the call is not the value.
fn takes_options(callee: &[u8]) -> bool {
    [b".encode".as_slice(), b".decode", b".join", b".split", b"getpass", b"prompt", b"input"]
        .iter()
        .any(|end| callee.ends_with(end))
}

fn skip_scheme(cursor: &mut Cursor<'_>) -> bool {
    let first = cursor.peek().map(|byte| byte | 0x20);
    for scheme in [&b"bearer "[..], b"basic ", b"token ", b"ssws ", b"apikey ", b"bot ", b"digest ", b"key "] {
        if first == scheme.first().copied() && cursor.eat(scheme) {
            cursor.blanks();
            return true;
        }
    }
    false
}

/// Whether the inner quote at the cursor is closed right before the outer one.
fn closes_both(cursor: &Cursor<'_>, inner: u8, outer: u8) -> bool {
    let rest = cursor.text.get(cursor.at + 1..(cursor.at + VALUE_MAX).min(cursor.text.len())).unwrap_or_default();
    memchr::memchr(inner, rest).is_some_and(|at| rest.get(at + 1) == Some(&outer))
}

/// Where a quoted value ends; `None` when it does not within the line and the bound.
fn end_of_quoted(text: &[u8], start: usize, quote: u8, escapes: usize) -> Option<usize> {
    let rest = text.get(start..(start + VALUE_MAX).min(text.len()))?;
    let mut at = 0;
    let mut slashes = 0;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\n' if at > 0 => return None,
            b'\\' => slashes += 1,
            _ if byte == quote => {
                // The quote that opened with `\"` closes with `\"`, and the one without closes without.
                if slashes == escapes || (escapes == 0 && slashes % 2 == 0) || slashes < escapes {
                    return Some(start + at - slashes);
                }
                slashes = 0;
            }
            _ => slashes = 0,
        }
        at += 1;
    }
    // The text was cut, not the value: a name at the end of a slice still counts.
    (rest.len() < VALUE_MAX && escapes == 0 && at >= 8).then_some(start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, word: &str, expect: Option<&str>) {
        let at = text.find(word).unwrap_or_default();
        let found = match read(text.as_bytes(), at..at + word.len()) {
            Outcome::Assigned(a) => Some(&text[a.value]),
            Outcome::AtEnd { .. } | Outcome::Nothing { .. } => None,
        };
        assert_eq!(found, expect, "in {text}");
    }

    #[test]
    fn reads_every_syntax() {
        for text in [
            "password = \"s3cr3t!\"",
            "password: s3cr3t!",
            "\"password\": \"s3cr3t!\",",
            "\\\"password\\\": \\\"s3cr3t!\\\",",
            "my_password := `s3cr3t!`",
            "let password: &str = \"s3cr3t!\";",
            "['password'] = 's3cr3t!'",
            "<password>s3cr3t!</password>",
            "<add key=\"password\" value=\"s3cr3t!\" />",
            "env('password', 's3cr3t!')",
            "password = process.env.PASSWORD || 's3cr3t!'",
            "password=os.environ.get(\"x\") or \"s3cr3t!\"",
            "password = String::from(\"s3cr3t!\")",
            ":password => 's3cr3t!',",
            "--password s3cr3t! --other",
            "password: |-\n    s3cr3t!\n",
            "PASSWORD=s3cr3t!\\nNEXT=1",
            "$password ??= 's3cr3t!'",
            "password::= \"s3cr3t!\"",
            "password=b's3cr3t!'",
        ] {
            let word = if text.contains("password") { "password" } else { "PASSWORD" };
            check(text, word, Some("s3cr3t!"));
        }
    }

    #[test]
    fn refuses_what_is_no_assignment() {
        for text in ["password", "the password. Then", "password::Type", "if password {", "(password)"] {
            check(text, "password", None);
        }
    }
}
