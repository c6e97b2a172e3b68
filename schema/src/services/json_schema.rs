//! JSON Schemas of the kinds, so that editors complete and check them while they are written.

use schemars::schema_for;
use serde_json::Value;

use super::access::AccessFile;
use super::cases::CasesFile;
use super::governance::GovernanceFile;
use super::identity::IdentityFile;
use super::mcp::McpFile;
use super::profile::ProfileFile;
use super::sinks::SinkFile;

/// Every kind: the name of its schema file, and the schema.
pub fn all() -> [(&'static str, Value); 7] {
    [
        ("access.schema.json", schema_for!(AccessFile)),
        ("cases.schema.json", schema_for!(CasesFile)),
        ("governance.schema.json", schema_for!(GovernanceFile)),
        ("identity.schema.json", schema_for!(IdentityFile)),
        ("mcp.schema.json", schema_for!(McpFile)),
        ("profile.schema.json", schema_for!(ProfileFile)),
        ("sinks.schema.json", schema_for!(SinkFile)),
    ]
    .map(|(name, schema)| (name, without_null(schema.to_value())))
}

/// A key that is absent is left out; one that stands there without a value is a mistake.
fn without_null(schema: Value) -> Value {
    match schema {
        Value::Object(mut members) => {
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|word| word != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(any)) = members.get_mut("anyOf") {
                any.retain(|schema| schema.get("type").is_none_or(|word| word != "null"));
                if let [Value::Object(only)] = any.as_slice() {
                    let only = only.clone();
                    members.remove("anyOf");
                    members.extend(only);
                }
            }
            members.retain(|key, value| key != "default" || !value.is_null());
            members.into_iter().map(|(key, value)| (key, without_null(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_null).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::path::Path;

    /// Run with `SP_BLESS=1` to write the files.
    #[test]
    fn the_committed_schemas_are_these() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("json");
        for (name, schema) in super::all() {
            let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
            if std::env::var_os("SP_BLESS").is_some() {
                std::fs::create_dir_all(&dir).unwrap();
                std::fs::write(dir.join(name), &text).unwrap();
            }
            let committed = std::fs::read_to_string(dir.join(name)).unwrap_or_default();
            assert!(committed == text, "`schema/json/{name}` is stale; run the tests of `schema` once with SP_BLESS=1");
        }
    }
}
