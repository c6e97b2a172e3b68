//! The words of Cedar.

use super::CedarProblem;

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'t> {
    pub(super) at: Place,
    pub(super) what: What<'t>,
}

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    line: u32,
    column: u32,
}

impl Place {
    pub(super) fn problem<T>(self, message: impl Into<String>) -> Result<T, CedarProblem> {
        Err(CedarProblem { line: self.line, column: self.column, message: message.into() })
    }
}

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum What<'t> {
    Word(&'t str),
    Number(&'t str),
    /// Between the quotation marks, as it was written.
    Text(&'t str),
    Sign(&'static str),
    End,
}

/// Longest first, so that `<=` is not `<` and `=`.
const SIGNS: [&str; 27] = [
    "::", "==", "!=", "<=", ">=", "&&", "||", "(", ")", "{", "}", "[", "]", ",", ";", ":", ".", "@", "<", ">", "!", "?", "+",
    "-", "*", "%", "=",
];

/// Takes the text apart. The last token is [`What::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, CedarProblem> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut at = Place { line: 1, column: 1 };
    loop {
        let skipped = blank(rest);
        at.advance(&rest[..skipped]);
        rest = &rest[skipped..];
        let (length, what) = next(rest, at)?;
        tokens.push(Token { at, what });
        if what == What::End {
            return Ok(tokens);
        }
        at.advance(&rest[..length]);
        rest = &rest[length..];
    }
}

impl Place {
    fn advance(&mut self, over: &str) {
        for c in over.chars() {
            if c == '\n' {
                *self = Place { line: self.line.saturating_add(1), column: 1 };
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
    }
}

/// Bytes of white space and comments.
fn blank(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if !rest.starts_with("//") {
            return text.len() - rest.len();
        }
        rest = rest.find('\n').map_or("", |end| &rest[end..]);
    }
}

fn next(text: &str, at: Place) -> Result<(usize, What<'_>), CedarProblem> {
    let run = |of: fn(char) -> bool| text.find(|c| !of(c)).unwrap_or(text.len());
    let Some(first) = text.chars().next() else { return Ok((0, What::End)) };
    if first.is_ascii_alphabetic() || first == '_' {
        let length = run(|c| c.is_ascii_alphanumeric() || c == '_');
        return Ok((length, What::Word(&text[..length])));
    }
    if first.is_ascii_digit() {
        let length = run(|c| c.is_ascii_digit());
        return Ok((length, What::Number(&text[..length])));
    }
    if first == '"' {
        let mut escaped = false;
        for (ix, c) in text.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return Ok((ix + 1, What::Text(&text[1..ix]))),
                _ => {}
            }
        }
        return at.problem("this text has no end; close it with `\"`");
    }
    match SIGNS.iter().find(|sign| text.starts_with(**sign)) {
        Some(sign) => Ok((sign.len(), What::Sign(sign))),
        None => at.problem(format!("`{first}` means nothing in a Cedar policy")),
    }
}

/// One character of a pattern of `like`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatternChar {
    Any,
    Is(char),
}

/// The characters of a text as it was written. `\*` is only an escape in a pattern.
pub(super) fn unescape(written: &str, at: Place, is_pattern: bool) -> Result<Vec<PatternChar>, CedarProblem> {
    let mut out = Vec::new();
    let mut chars = written.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' if is_pattern => PatternChar::Any,
            '\\' => PatternChar::Is(match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('0') => '\0',
                Some(c @ ('\\' | '"' | '\'')) => c,
                Some('*') if is_pattern => '*',
                Some('x') => byte(&mut chars).map_or_else(|| at.problem("expected `\\x` with two digits up to `7f`"), Ok)?,
                Some('u') => {
                    code_point(&mut chars).map_or_else(|| at.problem("expected `\\u{…}` with a character's number"), Ok)?
                }
                _ => return at.problem("this escape means nothing; expected `\\n`, `\\t`, `\\\"`, `\\\\`, `\\xhh` or `\\u{h}`"),
            }),
            c => PatternChar::Is(c),
        });
    }
    Ok(out)
}

/// The text that was written.
pub(super) fn text(written: &str, at: Place) -> Result<String, CedarProblem> {
    let chars = unescape(written, at, false)?;
    Ok(chars.into_iter().map(|c| if let PatternChar::Is(c) = c { c } else { '*' }).collect())
}

fn byte(chars: &mut std::str::Chars<'_>) -> Option<char> {
    let (high, low) = (chars.next()?.to_digit(16)?, chars.next()?.to_digit(16)?);
    char::from_u32(high * 16 + low).filter(char::is_ascii)
}

fn code_point(chars: &mut std::str::Chars<'_>) -> Option<char> {
    if chars.next()? != '{' {
        return None;
    }
    let mut number = 0_u32;
    for digits in 0..7 {
        match chars.next()? {
            '}' if digits > 0 => return char::from_u32(number),
            c => number = number * 16 + c.to_digit(16)?,
        }
    }
    None
}
