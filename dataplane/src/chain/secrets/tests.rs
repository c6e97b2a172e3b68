//! Whole-scanner tests as tables.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

#[test]
fn every_builtin_shape_compiles() {
    let bad: Vec<String> =
        rules::all().filter_map(|rule| compile::check_shape(rule.id, rule.shape).err()).map(|e| e.to_string()).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
