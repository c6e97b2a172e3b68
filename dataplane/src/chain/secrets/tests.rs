//! Whole-scanner tests as tables.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

#[test]
fn every_builtin_shape_compiles() {
    let bad: Vec<String> =
        rules::all().filter_map(|rule| compile::check_shape(rule.id, rule.shape).err()).map(|e| e.to_string()).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn what_fuzzing_found_stays_found() {
    let scanner = SecretScanner::compile(&SecretsConfig::default()).unwrap();
    let mut scratch = ScanScratch::new(&scanner);
    let subject = Subject { side: Side::Arguments, tool: "", key: &[7; 32] };
    // A key's body that ends with the first half of an escape.
    let body = "-----BEGIN PRIVATE KEY-----MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\\";
    let verdict = scanner.scan_text(&mut scratch, subject, body);
    assert!(matches!(verdict, Verdict::Denied(_)), "{verdict:?}");
}
