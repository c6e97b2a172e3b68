//! The data plane's `clippy.toml`: clippy enforces the bans, this makes sure that nobody quietly removes one.

use super::Finding;
use toml::{Table, Value};

/// Where the bans stand, relative to the root.
pub(super) const FILE: &str = "dataplane/clippy.toml";

/// What must be banned, and under which key.
const REQUIRED: &[(&str, &str)] = &[
    ("disallowed-types", "std::sync::Mutex"),
    ("disallowed-types", "std::sync::RwLock"),
    ("disallowed-methods", "std::thread::sleep"),
];

/// Checks the text of the file; nothing if there is none.
pub(super) fn check(text: Option<&str>) -> Vec<Finding> {
    let Some(text) = text else {
        return vec![Finding::new(FILE, "is missing: it bans locks and blocking calls in the data plane")];
    };
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return vec![Finding::new(FILE, format!("does not parse: {error}"))],
    };
    let mut findings = Vec::new();
    for (key, path) in REQUIRED {
        if !entries(&table, key).any(|(banned, _)| banned == *path) {
            findings.push(Finding::new(FILE, format!("`{key}` lacks `{path}`: add it with its reason")));
        }
    }
    for key in ["disallowed-types", "disallowed-methods"] {
        for (path, reason) in entries(&table, key) {
            if reason.is_none_or(|reason| reason.trim().is_empty()) {
                findings.push(Finding::new(FILE, format!("`{path}` is banned without a reason: say what to use instead")));
            }
        }
    }
    findings
}

/// Path and reason of each ban under `key`.
fn entries<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
    let list = table.get(key).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|entry| match entry {
        Value::String(path) => Some((path.as_str(), None)),
        Value::Table(entry) => Some((entry.get("path")?.as_str()?, entry.get("reason").and_then(Value::as_str))),
        _ => None,
    })
}

#[cfg(test)]
mod tests {

    #[test]
    fn bans() {
        let whole = r#"
            disallowed-types = [{ path = "std::sync::Mutex", reason = "a" }, { path = "std::sync::RwLock", reason = "b" }]
            disallowed-methods = [{ path = "std::thread::sleep", reason = "c" }]
        "#;
        let check = |text: Option<&str>, expect: &[&str]| {
            let found = super::check(text);
            assert_eq!(found.len(), expect.len(), "{found:?}");
            for (found, expect) in found.iter().zip(expect) {
                assert!(found.message.contains(expect), "{found:?} lacks {expect}");
            }
        };
        check(Some(whole), &[]);
        check(None, &["is missing"]);
        check(Some("x = ["), &["does not parse"]);
        check(Some(""), &["`std::sync::Mutex`", "`std::sync::RwLock`", "`std::thread::sleep`"]);
        check(Some(&whole.replace(r#", reason = "a""#, "")), &["without a reason"]);
        check(
            Some(&whole.replace(r#"{ path = "std::thread::sleep", reason = "c" }"#, r#""std::thread::sleep""#)),
            &["without a reason"],
        );
    }
}
