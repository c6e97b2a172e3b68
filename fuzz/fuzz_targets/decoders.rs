//! Any text under any stack of encodings: it is undone as far as the bound, the scan ends, and never outgrows its work.
#![no_main]

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use dataplane::chain::secrets::{ScanScratch, SecretScanner, SecretsConfig, Side, Subject};

static SCANNER: LazyLock<SecretScanner> =
    LazyLock::new(|| SecretScanner::compile(&SecretsConfig::default()).expect("the built-in pack compiles"));

thread_local! {
    static SCRATCH: RefCell<ScanScratch> = RefCell::new(ScanScratch::new(&SCANNER));
}

fn encoded(by: u8, text: &str) -> String {
    let each = |form: fn(&mut String, u8)| {
        text.bytes().fold(String::new(), |mut out, byte| {
            form(&mut out, byte);
            out
        })
    };
    match by % 9 {
        0 => STANDARD.encode(text),
        1 => URL_SAFE_NO_PAD.encode(text),
        2 => STANDARD.encode(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
        3 => each(|out, byte| drop(write!(out, "{byte:02x}"))),
        4 => each(|out, byte| drop(write!(out, "%{byte:02X}"))),
        5 => each(|out, byte| drop(write!(out, "\\u{byte:04x}"))),
        6 => each(|out, byte| drop(write!(out, "&#{byte};"))),
        7 => text.chars().flat_map(|c| [c, '\u{200b}']).collect(),
        _ => serde_json::json!({ "body": text }).to_string(),
    }
}

libfuzzer_sys::fuzz_target!(|input: (&str, Vec<u8>)| SCRATCH.with_borrow_mut(|scratch| {
    let (text, layers) = input;
    let mut text = text.to_owned();
    for by in layers.iter().take(9) {
        if text.len() < 32 << 10 {
            text = encoded(*by, &text);
        }
    }
    let subject = Subject { side: Side::Arguments, tool: "fuzz", key: &[7; 32] };
    let _ = SCANNER.scan_text(scratch, subject, &text);
}));
