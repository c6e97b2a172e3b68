//! Undoes the encodings that payloads hide in: percent, `%u`, overlong UTF-8, HTML entities, JavaScript escapes, full-width letters.
//!
//! Pure functions from bytes to a buffer that the shard owns. Each pass shortens or keeps the text,
//! and passes are counted, so work is linear.

use super::present::Marks;

/// How often percent-encoding is undone. LIMIT: payloads encode twice or thrice; each pass reads the text again.
const ROUNDS_MAX: usize = 4;

/// Undoes percent-encoding until nothing changes. True if a byte of `of_interest` came out of an encoding.
pub(super) fn percent(text: &[u8], of_interest: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    out.extend_from_slice(text);
    if Marks::of(text).is_literal(text) {
        return false;
    }
    let mut revealed = false;
    for _ in 0..ROUNDS_MAX {
        let (changed, found) = percent_once(out, of_interest);
        revealed |= found;
        if !changed {
            break;
        }
    }
    revealed |= fold_wide(out, of_interest);
    revealed
}

/// The bytes that pairs of digits stand for, as far as they do.
pub(super) fn hex_pairs(digits: &[u8]) -> impl Iterator<Item = u8> {
    digits.chunks_exact(2).map_while(|pair| Some(hex(pair.first())? << 4 | hex(pair.get(1))?))
}

fn hex(byte: Option<&u8>) -> Option<u8> {
    byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
}

fn percent_once(text: &mut Vec<u8>, of_interest: &[u8]) -> (bool, bool) {
    let (mut read, mut write) = (0, 0);
    let (mut changed, mut found) = (false, false);
    while let Some(&byte) = text.get(read) {
        let mut value = u32::from(byte);
        let mut length = 1;
        if byte == b'%' {
            let wide = text.get(read + 1).is_some_and(|byte| matches!(byte, b'u' | b'U'));
            let digits = if wide { 4 } else { 2 };
            let from = read + if wide { 2 } else { 1 };
            let parsed = (0..digits).try_fold(0_u32, |value, at| Some(value * 16 + u32::from(hex(text.get(from + at))?)));
            if let Some(parsed) = parsed {
                value = parsed;
                length = digits + from - read;
            }
        } else if byte == b'0' && text.get(read + 1).is_some_and(|byte| matches!(byte, b'x' | b'X')) {
            // `0x2e0x2f`: the way some servers spell bytes.
            let pair = hex(text.get(read + 2)).zip(hex(text.get(read + 3)));
            if let Some((high, low)) = pair {
                let spelled = u32::from(high) * 16 + u32::from(low);
                if matches!(spelled, 0x2e | 0x2f | 0x5c) {
                    value = spelled;
                    length = 4;
                }
            }
        }
        if length > 1 {
            changed = true;
            value = fold(value);
            found |= u8::try_from(value).is_ok_and(|value| of_interest.contains(&value));
        }
        // Characters beyond one byte that fold to nothing of ours are kept as a mark.
        let value = u8::try_from(value).unwrap_or(b'?');
        if let Some(slot) = text.get_mut(write) {
            *slot = value;
        }
        write += 1;
        read += length;
    }
    text.truncate(write);
    (changed, found)
}

/// Look-alikes of dots, slashes and ASCII: full-width forms and their kin.
fn fold(value: u32) -> u32 {
    match value {
        0xff01..=0xff5e => value - 0xfee0,
        0x2215 | 0x2044 => u32::from(b'/'),
        0x2216 | 0x29f5 => u32::from(b'\\'),
        0x2024 | 0x3002 | 0xff61 => u32::from(b'.'),
        other => other,
    }
}

/// What a continuation byte carries; a broken one carries itself.
fn tail(byte: u8) -> u32 {
    u32::from(if byte < 0x80 { byte } else { byte & 0x3f })
}

/// Overlong UTF-8 (also with a broken second byte) and full-width letters become what they stand for.
fn fold_wide(text: &mut Vec<u8>, of_interest: &[u8]) -> bool {
    if !text.iter().any(|byte| *byte >= 0xc0) {
        return false;
    }
    let (mut read, mut write) = (0, 0);
    let mut found = false;
    while let Some(&byte) = text.get(read) {
        let count = match byte {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            0xf8..=0xfb => 5,
            0xfc..=0xfd => 6,
            _ => 1,
        };
        let mut value = u32::from(byte);
        let mut length = 1;
        if count > 1 && text.len() >= read + count {
            let head = u32::from(byte) & (0x7f >> count);
            let folded = (1..count).fold(head, |value, at| value << 6 | tail(text.get(read + at).copied().unwrap_or(0)));
            let folded = fold(folded);
            if folded < 0x80 {
                value = folded;
                length = count;
                found |= u8::try_from(value).is_ok_and(|value| of_interest.contains(&value));
            }
        }
        if let Some(slot) = text.get_mut(write) {
            *slot = u8::try_from(value).unwrap_or(byte);
        }
        write += 1;
        read += length;
    }
    text.truncate(write);
    found
}

/// Typographic quotes and dashes as the ASCII that an editor made them of. True if there were any.
pub(super) fn quotes(text: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let mut at = 0;
    let mut any = false;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (plain, length): (&[u8], usize) = match rest {
            [0xe2, 0x80, 0x98..=0x9b | 0xb2 | 0xb5, ..] => (b"'", 3),
            [0xe2, 0x80, 0x9c..=0x9f | 0xb3 | 0xb6, ..] => (b"\"", 3),
            [0xe2, 0x80, 0x93 | 0x94, ..] => (b"--", 3),
            [0xca, 0xb9 | 0xbc, ..] | [0xc2, 0xb4, ..] => (b"'", 2),
            [byte, ..] => (std::slice::from_ref(byte), 1),
            [] => break,
        };
        any |= length > 1;
        out.extend_from_slice(plain);
        at += length;
    }
    any
}

/// Longest value that is decoded as a whole. LIMIT: what is longer is a file.
const BASE64_BYTES_MAX: usize = 4096;

/// Undoes base64 where the whole value is printable text in it.
pub(super) fn base64(text: &[u8], out: &mut Vec<u8>) -> bool {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    if !(8..=BASE64_BYTES_MAX).contains(&text.len()) || !text.len().is_multiple_of(4) {
        return false;
    }
    let printable = |byte: &u8| matches!(byte, b'\t' | b'\n' | b' '..=b'~');
    // Nearly every word fails here.
    let mut head = [0; 3];
    let begins = text.get(..4).is_some_and(|quad| STANDARD.decode_slice(quad, &mut head) == Ok(3));
    if !begins || !head.iter().all(printable) {
        return false;
    }
    out.clear();
    out.resize(text.len() / 4 * 3, 0);
    let Ok(length) = STANDARD.decode_slice(text, out) else { return false };
    out.truncate(length);
    out.iter().all(printable)
}

/// Entities that payloads use, besides numeric ones.
const ENTITIES: &[(&[u8], u8)] = &[
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"amp", b'&'),
    (b"quot", b'"'),
    (b"apos", b'\''),
    (b"colon", b':'),
    (b"tab", b'\t'),
    (b"newline", b'\n'),
    (b"lpar", b'('),
    (b"rpar", b')'),
    (b"sol", b'/'),
    (b"bsol", b'\\'),
    (b"equals", b'='),
    (b"num", b'#'),
    (b"period", b'.'),
    (b"grave", b'`'),
];

/// Writes `text` lower-cased, with entities, `\x3c`, `\u003c` and percent-encoding undone and control bytes dropped.
pub(super) fn markup(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let rest = text.get(at + 1..).unwrap_or_default();
        let (value, length) = match byte {
            b'&' => entity(rest).unwrap_or((b'&', 1)),
            b'%' => match hex(rest.first()).zip(hex(rest.get(1))) {
                Some((high, low)) => (high << 4 | low, 3),
                None => (b'%', 1),
            },
            b'\\' => script_escape(rest).unwrap_or((b'\\', 1)),
            other => (other, 1),
        };
        at += length;
        if value >= 0x20 || matches!(value, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) {
            out.push(value.to_ascii_lowercase());
        }
    }
}

fn script_escape(rest: &[u8]) -> Option<(u8, usize)> {
    let (digits, from) = match rest.first()? {
        b'x' => (2, 1),
        b'u' => (4, 1),
        _ => return None,
    };
    let value = (0..digits).try_fold(0_u32, |value, at| Some(value * 16 + u32::from(hex(rest.get(from + at))?)))?;
    Some((u8::try_from(value).ok()?, 1 + from + digits))
}

fn entity(rest: &[u8]) -> Option<(u8, usize)> {
    if let Some(number) = rest.strip_prefix(b"#") {
        let (radix, digits) = match number.first()? {
            b'x' | b'X' => (16, number.get(1..)?),
            _ => (10, number),
        };
        let length = digits.iter().take(10).take_while(|byte| char::from(**byte).is_digit(radix)).count();
        let value = digits.iter().take(length).fold(0_u32, |value, byte| {
            value.saturating_mul(radix).saturating_add(char::from(*byte).to_digit(radix).unwrap_or(0))
        });
        if length == 0 {
            return None;
        }
        let semicolon = usize::from(digits.get(length) == Some(&b';'));
        let prefix = if radix == 16 { 3 } else { 2 };
        return Some((u8::try_from(value).ok()?, prefix + length + semicolon));
    }
    ENTITIES.iter().find_map(|(name, value)| {
        let head = rest.get(..name.len())?;
        let behind = rest.get(name.len());
        // Browsers read the oldest four without their semicolon too.
        let is_old = matches!(*value, b'<' | b'>' | b'&' | b'"')
            && behind.is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'=');
        let closes = behind == Some(&b';');
        (head.eq_ignore_ascii_case(name) && (closes || is_old)).then_some((*value, name.len() + 1 + usize::from(closes)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_forms_are_undone() {
        let rows: &[(&str, &str, bool)] = &[
            ("a/b", "a/b", false),
            ("%2e%2e%2f", "../", true),
            ("%252e%252e%255c", "..\\", true),
            ("%%32%65%%32%65%%32%66", "../", true),
            ("%c0%ae%c0%ae%c0%af", "../", true),
            ("%c0%2e%c0%2f", "./", true),
            ("%e0%80%ae/", "./", true),
            ("%uff0e%uff0e%u2215", "../", true),
            ("0x2e0x2e0x2f", "../", true),
            ("．．／", "../", true),
            ("100%", "100%", false),
            ("%zz", "%zz", false),
            ("a%20b", "a b", false),
        ];
        for (text, expect, revealed) in rows {
            let mut out = Vec::new();
            assert_eq!(percent(text.as_bytes(), b"./\\\0", &mut out), *revealed, "{text}");
            assert_eq!(String::from_utf8_lossy(&out), *expect, "{text}");
        }
    }

    #[test]
    fn base64_and_typographic_quotes_are_undone() {
        let mut out = Vec::new();
        assert!(base64(b"Li4vLi4vZXRjL3Bhc3N3ZA==", &mut out));
        assert_eq!(out, b"../../etc/passwd");
        for text in ["password", "Li4v", "Li4vLi4vZXRjL3Bhc3N3ZA", "aGVsbG8g//8=", "a word that is none"] {
            assert!(!base64(text.as_bytes(), &mut out), "{text}");
        }
        assert!(quotes("’ or ‘1’=’1–".as_bytes(), &mut out));
        assert_eq!(out, b"' or '1'='1--");
        assert!(!quotes("é".as_bytes(), &mut out));
    }

    #[test]
    fn markup_forms_are_undone() {
        for (text, expect) in [
            ("&lt;SCRIPT&gt;", "<script>"),
            ("&#60;b", "<b"),
            ("&#x3C;b", "<b"),
            ("%3Cb", "<b"),
            ("\\x3cb", "<b"),
            ("\\u003cb", "<b"),
            ("java&colon;", "java:"),
            ("a & b", "a & b"),
            ("&#;", "&#;"),
            ("&LT", "<"),
            ("&amplifier", "&amplifier"),
        ] {
            let mut out = Vec::new();
            markup(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expect, "{text}");
        }
    }
}
