//! Splits SQL, or a fragment of it, into tokens: comments gone, quotes closed, keywords bare.
//!
//! Lives on one shard; the token list is kept in the shard's scratch.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or a bare name.
    Word,
    /// A name in double quotes, backticks or brackets.
    Quoted,
    Number,
    /// A string literal; its quotes are not part of the range.
    Text,
    Symbol(u8),
    /// A comment that runs to the end or does not close.
    Tail,
}

/// One token: a range of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token {
    pub(super) fn of<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn is(&self, text: &[u8], word: &str) -> bool {
        self.kind == Kind::Word && self.of(text).eq_ignore_ascii_case(word.as_bytes())
    }

    pub(super) fn is_any(&self, text: &[u8], words: &[&str]) -> bool {
        let own = self.of(text);
        self.kind == Kind::Word && words.iter().any(|word| own.eq_ignore_ascii_case(word.as_bytes()))
    }
}

/// Whether double quotes hold names (standard) or strings (payloads that break out of them).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DoubleQuotes {
    Names,
    Strings,
}

/// Replaces `tokens` by those of `text`.
pub(super) fn tokenise(text: &[u8], quotes: DoubleQuotes, tokens: &mut Vec<Token>) {
    tokens.clear();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0xa0 => at += 1,
            b'/' | b'*' | b'-' | b'#' => {
                let (end, kind) = comment(text, at, quotes);
                tokens.extend(kind.map(|kind| Token { kind, start: at, end }));
                at = end;
            }
            b'\'' | b'"' | b'`' | b'[' | b'$' => {
                let (end, token) = enclosed(text, at, quotes);
                tokens.push(token);
                at = end;
            }
            _ => {
                let (end, kind) = word(text, at);
                tokens.push(Token { kind, start: at, end });
                at = end;
            }
        }
    }
}

/// Where a comment at `at` ends; a token for one that swallows the rest, and for a sign that begins none.
fn comment(text: &[u8], at: usize, quotes: DoubleQuotes) -> (usize, Option<Kind>) {
    let rest = text.get(at..).unwrap_or_default();
    let tail = (text.len(), Some(Kind::Tail));
    match rest {
        // A conditional comment runs: only its frame is skipped.
        [b'/', b'*', b'!', inner @ ..] => (at + 3 + inner.iter().take_while(|byte| byte.is_ascii_digit()).count(), None),
        [b'/', b'*', inner @ ..] => memchr::memmem::find(inner, b"*/").map_or(tail, |length| (at + length + 4, None)),
        [b'*', b'/', ..] => (at + 2, None),
        [b'-', b'-', ..] => memchr::memchr(b'\n', rest).map_or(tail, |length| (at + length + 1, None)),
        [b'#', ..] if quotes == DoubleQuotes::Strings => tail,
        // `#{name}`: what a program fills in.
        [b'#', b'{', inner @ ..] => match memchr::memchr(b'}', inner) {
            Some(length) => (at + length + 3, Some(Kind::Word)),
            None => (at + 1, Some(Kind::Symbol(b'#'))),
        },
        [sign, ..] => (at + 1, Some(Kind::Symbol(*sign))),
        [] => (at + 1, None),
    }
}

/// What stands in quotes, brackets or dollar marks at `at`, without them, and where it ends with them.
fn enclosed(text: &[u8], at: usize, quotes: DoubleQuotes) -> (usize, Token) {
    let rest = text.get(at..).unwrap_or_default();
    match rest.first().copied().unwrap_or(0) {
        b'[' if quotes == DoubleQuotes::Names => {
            let length = memchr::memchr(b']', rest).unwrap_or(rest.len());
            (at + length + 1, Token { kind: Kind::Quoted, start: at + 1, end: at + length })
        }
        quote @ (b'\'' | b'"' | b'`') => {
            let (start, end) = quoted(text, at, quote);
            let is_text = quote == b'\'' || quote == b'"' && quotes == DoubleQuotes::Strings;
            (end + 1, Token { kind: if is_text { Kind::Text } else { Kind::Quoted }, start, end })
        }
        // `$name`: what a shell fills in.
        b'$' if rest.get(1).is_some_and(u8::is_ascii_alphabetic) && dollar_tag(text, at).is_none() => {
            let length = rest.iter().skip(1).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count() + 1;
            (at + length, Token { kind: Kind::Word, start: at, end: at + length })
        }
        sign => match dollar_tag(text, at).filter(|_| sign == b'$') {
            Some(tag) => {
                let body = text.get(at + tag..).unwrap_or_default();
                let mark = text.get(at..at + tag).unwrap_or_default();
                let length = memchr::memmem::find(body, mark).unwrap_or(body.len());
                (at + tag + length + tag, Token { kind: Kind::Text, start: at + tag, end: at + tag + length })
            }
            None => (at + 1, Token { kind: Kind::Symbol(sign), start: at, end: at + 1 }),
        },
    }
}

/// A number, a word or a sign at `at`.
fn word(text: &[u8], at: usize) -> (usize, Kind) {
    let rest = text.get(at..).unwrap_or_default();
    // `{name}`, `{}`, `%I`, `%s`: what a format fills in.
    if let [b'{', inner @ ..] = rest
        && let Some(length) = inner.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        && inner.get(length) == Some(&b'}')
    {
        return (at + length + 2, Kind::Word);
    }
    if let [b'%', b'I' | b's', next, ..] = rest
        && !next.is_ascii_alphanumeric()
    {
        return (at + 2, Kind::Word);
    }
    let run = |belongs: fn(&u8) -> bool| at + rest.iter().take_while(|byte| belongs(byte)).count().max(1);
    match rest.first().copied().unwrap_or(0) {
        b'0'..=b'9' => (run(|byte| byte.is_ascii_alphanumeric() || *byte == b'.'), Kind::Number),
        b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'@' | 0x80.. => {
            let end = run(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'$' | b'#') || *byte >= 0x80 && *byte != 0xa0
            });
            (end, Kind::Word)
        }
        sign => (at + 1, Kind::Symbol(sign)),
    }
}

/// Where a quoted part begins and ends; doubled quotes and escapes stay inside; an open one runs to the end.
fn quoted(text: &[u8], open: usize, quote: u8) -> (usize, usize) {
    let mut at = open + 1;
    while let Some(&byte) = text.get(at) {
        if byte == b'\\' {
            at += 2;
        } else if byte != quote {
            at += 1;
        } else if text.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            break;
        }
    }
    (open + 1, at.min(text.len()))
}

/// The length of `$tag$` at `at`.
fn dollar_tag(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at + 1..)?;
    let length = rest.iter().take(32).position(|byte| *byte == b'$')?;
    let name = rest.get(..length)?;
    name.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_').then_some(length + 2)
}
