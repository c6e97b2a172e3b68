//! Folds text to plain small letters, so that accents, look-alike letters, digits for letters and rot13 read the same.
//!
//! Pure functions into a buffer that the shard owns.

/// How text is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    /// Words stay apart; sentences end in `.`.
    Words,
    /// As `Words`, letters turned back from rot13.
    Rotated,
    /// Letters only, digits read as the letters they resemble, `l` as `i`.
    Letters,
}

impl Fold {
    /// What each byte folds to by itself; zero for what ends a word, or is left out, or is more than a byte.
    const fn table(self) -> [u8; 256] {
        let mut table = [0; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            let lower = byte.to_ascii_lowercase();
            table[byte as usize] = match (self, lower) {
                (Fold::Letters, b'0') => b'o',
                (Fold::Letters, b'1' | b'l' | b'!' | b'|') => b'i',
                (Fold::Letters, b'3') => b'e',
                (Fold::Letters, b'4' | b'@') => b'a',
                (Fold::Letters, b'5' | b'$') => b's',
                (Fold::Letters, b'7') => b't',
                (Fold::Letters, b'8') => b'b',
                (Fold::Letters, b'9') => b'g',
                (Fold::Words | Fold::Rotated, b'0'..=b'9') => b'0',
                (Fold::Rotated, b'a'..=b'z') => (lower - b'a' + 13) % 26 + b'a',
                (Fold::Words | Fold::Letters, b'a'..=b'z') => lower,
                _ => 0,
            };
            byte += 1;
        }
        table
    }
}

static WORDS: [u8; 256] = Fold::Words.table();
static ROTATED: [u8; 256] = Fold::Rotated.table();
static LETTERS: [u8; 256] = Fold::Letters.table();

/// Longest quoted part that is dropped where a text talks about orders. LIMIT: a longer one is no quotation.
const QUOTE_BYTES_MAX: usize = 200;

/// Replaces `out` by the folded words of `text` that hold letters beyond ASCII, with what stands around them: all that
/// folding could make of them a word which `text` does not show.
pub(super) fn fold_wide(text: &[u8], out: &mut Vec<u8>) {
    /// LIMIT: what is looked for is no longer, with some white space in it.
    const AROUND: usize = 32;
    out.clear();
    let wide = |from: usize| {
        // Most runs of bytes are passed over at once.
        let rest = text.get(from..)?;
        let (ix, run) = rest.chunks(64).enumerate().find(|(_, run)| !run.is_ascii())?;
        run.iter().position(|byte| *byte >= 0x80).map(|at| from + ix * 64 + at)
    };
    let mut next = wide(0);
    let mut from = 0;
    while let Some(first) = next {
        let start = first.saturating_sub(AROUND).max(from);
        let mut end = first + 1;
        next = wide(end);
        while let Some(more) = next.filter(|more| *more <= end + AROUND) {
            end = more + 1;
            next = wide(end);
        }
        from = (end + AROUND).min(text.len());
        append(text.get(start..from).unwrap_or_default(), Fold::Words, false, out);
        end_word(out, Fold::Words);
    }
}

/// Replaces `out` by the folded form of `text`.
pub(super) fn fold(text: &[u8], fold: Fold, drop_quotes: bool, out: &mut Vec<u8>) {
    out.clear();
    append(text, fold, drop_quotes, out);
}

fn append(text: &[u8], fold: Fold, drop_quotes: bool, out: &mut Vec<u8>) {
    // Input is a JSON string, or bytes decoded from one; what is not UTF-8 folds to nothing.
    out.reserve(text.len());
    let table = match fold {
        Fold::Words => &WORDS,
        Fold::Rotated => &ROTATED,
        Fold::Letters => &LETTERS,
    };
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let letter = table[usize::from(byte)];
        if letter != 0 {
            out.push(letter);
            at += 1;
        } else if byte < 0x80 {
            match drop_quotes.then(|| quotation(text, at)).flatten() {
                Some(length) => {
                    end_word(out, fold);
                    at += length;
                }
                None => {
                    mark(byte, text.get(at + 1).copied().unwrap_or(b' '), fold, out);
                    at += 1;
                }
            }
        } else {
            let length = match byte {
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                _ => 1,
            };
            let part = text.get(at..at + length).unwrap_or_default();
            match std::str::from_utf8(part).ok().and_then(|part| part.chars().next()) {
                Some(letter) => match wide(letter) {
                    Some(plain) if table[usize::from(plain)] != 0 => out.push(table[usize::from(plain)]),
                    Some(other) => mark(other, b' ', fold, out),
                    None => {}
                },
                None => end_word(out, fold),
            }
            at += length;
        }
    }
}

fn end_word(out: &mut Vec<u8>, fold: Fold) {
    if fold != Fold::Letters && !matches!(out.last(), Some(b' ' | b'.')) {
        out.push(b' ');
    }
}

/// What is no letter: it ends a word, and a stop with a space behind it ends a sentence.
fn mark(byte: u8, next: u8, fold: Fold, out: &mut Vec<u8>) {
    if fold != Fold::Letters && matches!(byte, b'.' | b'!' | b'?') && next.is_ascii_whitespace() {
        if out.last() == Some(&b' ') {
            out.pop();
        }
        out.push(b'.');
    } else {
        end_word(out, fold);
    }
}

/// The length of a quotation that begins at `at`.
fn quotation(text: &[u8], at: usize) -> Option<usize> {
    let quote = text.get(at).copied().filter(|byte| matches!(byte, b'\'' | b'"' | b'`'))?;
    let before = at.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(b' ');
    if before.is_ascii_alphanumeric() {
        return None;
    }
    let body = text.get(at + 1..text.len().min(at + 1 + QUOTE_BYTES_MAX))?;
    let mut from = 0;
    while let Some(found) = memchr::memchr(quote, body.get(from..)?) {
        let end = from + found;
        if !body.get(end + 1).is_some_and(u8::is_ascii_alphanumeric) {
            return Some(end + 2);
        }
        from = end + 1;
    }
    None
}

/// The plain letter that a letter beyond ASCII is, or resembles. A space for what separates words, `None` for what nobody sees.
fn wide(letter: char) -> Option<u8> {
    let code = u32::from(letter);
    let plain = match code {
        0xc0..=0xc6 | 0xe0..=0xe6 | 0x100..=0x105 | 0x3b1 | 0x391 | 0x430 | 0x410 | 0x1ea0..=0x1eb7 => b'a',
        0xc7 | 0xe7 | 0x106..=0x10d | 0x441 | 0x421 | 0x3f2 => b'c',
        0x10e..=0x111 | 0x501 => b'd',
        0xc8..=0xcb | 0xe8..=0xeb | 0x112..=0x11b | 0x435 | 0x415 | 0x451 | 0x3b5 | 0x395 | 0x1eb8..=0x1ec7 => b'e',
        0x11c..=0x123 | 0x261 => b'g',
        0x124..=0x127 | 0x4bb | 0x41d | 0x397 => b'h',
        0xcc..=0xcf | 0xec..=0xef | 0x128..=0x131 | 0x456 | 0x406 | 0x3b9 | 0x399 | 0x457 => b'i',
        0x134 | 0x135 | 0x458 | 0x408 => b'j',
        0x136..=0x138 | 0x43a | 0x41a | 0x3ba | 0x39a => b'k',
        0x139..=0x142 | 0x4cf | 0x4c0 => b'l',
        0x43c | 0x41c | 0x39c => b'm',
        0xd1 | 0xf1 | 0x143..=0x14b | 0x578 | 0x39d => b'n',
        0xd2..=0xd6 | 0xd8 | 0xf2..=0xf6 | 0xf8 | 0x14c..=0x151 | 0x43e | 0x41e | 0x3bf | 0x39f | 0x585 | 0x1ecc..=0x1ee3 => b'o',
        0x440 | 0x420 | 0x3c1 | 0x3a1 => b'p',
        0x154..=0x159 | 0x433 => b'r',
        0x15a..=0x161 | 0x455 | 0x405 | 0x218 | 0x219 => b's',
        0x162..=0x167 | 0x442 | 0x422 | 0x3c4 | 0x3a4 | 0x21a | 0x21b => b't',
        0xd9..=0xdc | 0xf9..=0xfc | 0x168..=0x173 | 0x3c5 | 0x57d | 0x1ee4..=0x1ef1 => b'u',
        0x475 | 0x474 | 0x3bd => b'v',
        0x174 | 0x175 | 0x461 | 0x51d => b'w',
        0x445 | 0x425 | 0x3c7 | 0x3a7 => b'x',
        0xdd | 0xfd | 0xff | 0x176..=0x178 | 0x443 | 0x423 | 0x3b3 | 0x3a5 => b'y',
        0x179..=0x17e | 0x396 => b'z',
        0xff01..=0xff5e => u8::try_from(code - 0xfee0).unwrap_or(b' '),
        0x1d400..=0x1d6a3 => u8::try_from((code - 0x1d400) % 26).unwrap_or(0) + b'a',
        0x24d0..=0x24e9 => u8::try_from(code - 0x24d0).unwrap_or(0) + b'a',
        0x24b6..=0x24cf => u8::try_from(code - 0x24b6).unwrap_or(0) + b'a',
        // Combining marks, zero-width characters, soft hyphens, variation selectors: nobody sees them.
        0x300..=0x36f | 0x200b..=0x200f | 0x2060..=0x2064 | 0xad | 0xfeff | 0xfe00..=0xfe0f => return None,
        _ => b' ',
    };
    Some(plain)
}

/// Decodes a value that is base64 as a whole. False unless readable text comes out.
pub(super) fn base64(text: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let body = text.trim_ascii();
    let body = body.strip_suffix(b"==").or_else(|| body.strip_suffix(b"=")).unwrap_or(body);
    let mut bits = 0_u32;
    let mut held = 0_u32;
    for byte in body {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return false,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held & 0xff).unwrap_or(0));
        }
        // A picture or an archive shows within its first bytes.
        if out.len() == 24 && !is_readable(out) {
            return false;
        }
    }
    is_readable(out)
}

fn is_readable(text: &[u8]) -> bool {
    let readable = text.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t' | b'\r')).count();
    readable * 20 >= text.len() * 19
}
