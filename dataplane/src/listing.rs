//! `tools/list` as one principal may see it: tools it may not use are not there.
//! Lives on: one shard.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: std::borrow::Cow<'a, str>,
}

type Members<'a> = BTreeMap<std::borrow::Cow<'a, str>, &'a RawValue>;

/// The response with only the tools that `shown` admits; everything else stays to the byte.
/// `None` when it is not a listing that can be understood: it is then not to be shown at all.
pub fn filter(json: &[u8], shown: impl Fn(&str) -> bool) -> Option<Vec<u8>> {
    let mut message: Members<'_> = serde_json::from_slice(json).ok()?;
    let mut result: Members<'_> = serde_json::from_str(message.get("result")?.get()).ok()?;
    let tools: Vec<&RawValue> = serde_json::from_str(result.get("tools")?.get()).ok()?;
    let mut kept = Vec::with_capacity(tools.len());
    for tool in tools {
        let named: Named<'_> = serde_json::from_str(tool.get()).ok()?;
        if shown(&named.name) {
            kept.push(tool);
        }
    }
    let kept = serde_json::value::to_raw_value(&kept).ok()?;
    result.insert("tools".into(), &kept);
    let result = serde_json::value::to_raw_value(&result).ok()?;
    message.insert("result".into(), &result);
    serde_json::to_vec(&message).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shown_tools_remain() {
        let json = br#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","x":1.0},{"name":"b"}],"nextCursor":"c"}}"#;
        let out = filter(json, |name| name == "a").unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["result"]["tools"], serde_json::json!([{"name":"a","x":1.0}]));
        assert_eq!(value["result"]["nextCursor"], "c");
        assert_eq!(value["id"], 1);
    }

    #[test]
    fn what_is_not_understood_is_not_shown() {
        for json in ["", "[]", r#"{"result":{}}"#, r#"{"result":{"tools":[{}]}}"#, r#"{"error":{}}"#] {
            assert!(filter(json.as_bytes(), |_| true).is_none(), "{json}");
        }
    }
}
