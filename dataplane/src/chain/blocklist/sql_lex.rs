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
        words.iter().any(|word| self.is(text, word))
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
        let next = text.get(at + 1).copied().unwrap_or(0);
        let start = at;
        let kind = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0xa0 => {
                at += 1;
                continue;
            }
            b'/' if next == b'*' => {
                if text.get(at + 2) == Some(&b'!') {
                    // A conditional comment runs: only its frame is skipped.
                    at += 3;
                    while text.get(at).is_some_and(u8::is_ascii_digit) {
                        at += 1;
                    }
                    continue;
                }
                let rest = text.get(at + 2..).unwrap_or_default();
                match memchr::memmem::find(rest, b"*/") {
                    Some(length) => {
                        at += length + 4;
                        continue;
                    }
                    None => {
                        at = text.len();
                        Kind::Tail
                    }
                }
            }
            b'*' if next == b'/' => {
                at += 2;
                continue;
            }
            b'-' if next == b'-' => {
                let rest = text.get(at..).unwrap_or_default();
                match memchr::memchr(b'\n', rest) {
                    Some(length) => {
                        at += length + 1;
                        continue;
                    }
                    None => {
                        at = text.len();
                        Kind::Tail
                    }
                }
            }
            b'#' if quotes == DoubleQuotes::Strings => {
                at = text.len();
                Kind::Tail
            }
            b'\'' => {
                let (from, to) = quoted(text, at, b'\'');
                at = to + 1;
                tokens.push(Token { kind: Kind::Text, start: from, end: to });
                continue;
            }
            b'"' | b'`' => {
                let (from, to) = quoted(text, at, byte);
                at = to + 1;
                let kind = if byte == b'"' && quotes == DoubleQuotes::Strings { Kind::Text } else { Kind::Quoted };
                tokens.push(Token { kind, start: from, end: to });
                continue;
            }
            b'[' if quotes == DoubleQuotes::Names => {
                let rest = text.get(at..).unwrap_or_default();
                let length = memchr::memchr(b']', rest).unwrap_or(rest.len());
                at += length + 1;
                tokens.push(Token { kind: Kind::Quoted, start: start + 1, end: start + length });
                continue;
            }
            b'$' if dollar_tag(text, at).is_some() => {
                let tag = dollar_tag(text, at).unwrap_or(2);
                let body = text.get(at + tag..).unwrap_or_default();
                let mark = text.get(at..at + tag).unwrap_or_default();
                let length = memchr::memmem::find(body, mark).unwrap_or(body.len());
                tokens.push(Token { kind: Kind::Text, start: at + tag, end: at + tag + length });
                at += tag + length + tag;
                continue;
            }
            b'0'..=b'9' => {
                while text.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.') {
                    at += 1;
                }
                Kind::Number
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'@' | 0x80.. => {
                while text.get(at).is_some_and(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'$' | b'#') || *byte >= 0x80 && *byte != 0xa0
                }) {
                    at += 1;
                }
                at = at.max(start + 1);
                Kind::Word
            }
            other => {
                at += 1;
                Kind::Symbol(other)
            }
        };
        tokens.push(Token { kind, start, end: at });
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
