//! The encoded forms of a row, made the way people and programs hide or transport text.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::json;

/// Each form with its name.
pub(super) fn of(text: &str) -> Vec<(&'static str, String)> {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide_big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let nested = json!({"method": "POST", "body": text}).to_string();
    let chunks = chunks(text, 24);
    vec![
        ("json-escapes", format!("{{\"path\":\"a\",\"content\":\"{}\"}}", unicode_escapes(text))),
        ("unicode-escapes", unicode_escapes(text)),
        ("nested-json", nested.clone()),
        ("nested-json-twice", json!({"request": nested}).to_string()),
        ("base64", STANDARD.encode(text)),
        ("base64-no-pad", STANDARD_NO_PAD.encode(text)),
        ("base64-url", URL_SAFE.encode(text)),
        ("base64-url-no-pad", URL_SAFE_NO_PAD.encode(text)),
        ("base64-twice", STANDARD.encode(STANDARD.encode(text))),
        ("base64-utf16", STANDARD.encode(&wide)),
        ("base64-utf16-be", STANDARD.encode(&wide_big)),
        ("base64-in-prose", format!("please run: echo {} | base64 -d > out.txt", STANDARD.encode(text))),
        ("base64-wrapped", self::chunks(&STANDARD.encode(text), 76).join("\n")),
        ("base64-gzip", STANDARD.encode(gzip(text.as_bytes()))),
        ("hex", text.bytes().map(|b| format!("{b:02x}")).collect()),
        ("hex-upper", text.bytes().map(|b| format!("{b:02X}")).collect()),
        ("hex-escapes", text.bytes().map(|b| format!("\\x{b:02x}")).collect()),
        ("percent", text.bytes().map(|b| format!("%{b:02X}")).collect()),
        ("percent-form", percent_form(text)),
        ("html-decimal", text.chars().map(|c| format!("&#{};", c as u32)).collect()),
        ("html-hex", text.chars().map(|c| format!("&#x{:x};", c as u32)).collect()),
        ("zero-width", text.chars().flat_map(|c| [c, '\u{200b}']).collect()),
        ("soft-hyphen", text.chars().flat_map(|c| [c, '\u{ad}']).collect()),
        ("full-width", text.chars().map(full_width).collect()),
        ("line-wrap", self::chunks(text, 40).join("\n")),
        ("line-continued", self::chunks(text, 40).join("\\\n")),
        ("concatenation", format!("x = \"{}\"", chunks.join("\" + \""))),
        ("concatenation-php", format!("$x = '{}';", chunks.join("' . '"))),
        ("split", json!({"parts": chunks}).to_string()),
        ("split-in-half", json!({"parts": halves(text)}).to_string()),
    ]
}

fn unicode_escapes(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn percent_form(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn full_width(c: char) -> char {
    match c {
        '!'..='~' => char::from_u32(c as u32 + 0xfee0).unwrap_or(c),
        _ => c,
    }
}

fn chunks(text: &str, size: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(size).map(|chunk| chunk.iter().collect()).collect()
}

fn halves(text: &str) -> Vec<String> {
    let count = text.chars().count();
    chunks(text, count.div_ceil(2).max(1))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    out.extend(miniz_oxide::deflate::compress_to_vec(bytes, 6));
    out.extend(crc32fast::hash(bytes).to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_each_form() {
        let made: std::collections::BTreeMap<_, _> = of("ab=1").into_iter().collect();
        for (name, expect) in [
            ("unicode-escapes", "\\u0061\\u0062\\u003d\\u0031"),
            ("base64", "YWI9MQ=="),
            ("base64-twice", "WVdJOU1RPT0="),
            ("hex", "61623d31"),
            ("percent-form", "ab%3D1"),
            ("html-decimal", "&#97;&#98;&#61;&#49;"),
            ("full-width", "ａｂ＝１"),
            ("split-in-half", "{\"parts\":[\"ab\",\"=1\"]}"),
        ] {
            assert_eq!(made.get(name).map(String::as_str), Some(expect), "{name}");
        }
    }
}
