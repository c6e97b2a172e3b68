//! Any text as it is and any JSON: the scan ends, in steps as at once, and what was blanked has nothing left to blank.
#![no_main]

use std::cell::RefCell;
use std::sync::LazyLock;

use dataplane::chain::secrets::{ScanScratch, SecretScanner, SecretsConfig, Side, Subject};

static SCANNER: LazyLock<SecretScanner> =
    LazyLock::new(|| SecretScanner::compile(&SecretsConfig::default()).expect("the built-in pack compiles"));

thread_local! {
    static SCRATCH: RefCell<ScanScratch> = RefCell::new(ScanScratch::new(&SCANNER));
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| SCRATCH.with_borrow_mut(|scratch| {
    let subject = Subject { side: Side::Results, tool: "fuzz", key: &[7; 32] };
    let text = String::from_utf8_lossy(data);
    let nodes = [simd_json::Node::String(&text)];
    let whole = SCANNER.scan(scratch, subject, &nodes);
    let mut scan = SCANNER.start(scratch, subject, &nodes);
    let stepped = loop {
        if let Some(verdict) = scan.step(64) {
            break verdict;
        }
    };
    assert_eq!(whole, stepped);
    if let Some(blanked) = SCANNER.redact_json(scratch, subject, data).text {
        assert_eq!(SCANNER.redact_json(scratch, subject, &blanked).text, None);
    }
}));
