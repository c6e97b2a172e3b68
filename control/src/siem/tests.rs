//! Every event that can be, in every format, held against what the published schemas say (`testdata/`).

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;
use wire::decision::{AuthMethod, Channel, EventKind, Layer, OutcomeStatus, Reason, Tier, Verdict};

use super::{cef, ecs, ocsf};
use crate::logs::event::AuditEvent;

/// Any word of a vocabulary, or one that a newer version has.
macro_rules! words {
    ($($name:ident)*) => {
        prop_oneof![$(proptest::sample::select($name::ALL).prop_map(|word| Some(word.as_str().to_owned())),)* Just(Some("#77".to_owned())), Just(None)]
    };
}

fn some_text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        any::<String>().prop_map(|text| Some(text).filter(|text| !text.is_empty())),
        "[a-z|=\\\\\"\\]\n\r ]{1,2000}".prop_map(Some)
    ]
}

fn some_number() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![Just(None), Just(Some(0)), (0..i64::MAX).prop_map(Some)]
}

prop_compose! {
    fn call()(
        verdict in words!(Verdict), layer in words!(Layer), reason in words!(Reason), channel in words!(Channel),
        server in some_text(), tool in some_text(), method in some_text(), rule in some_text(), evidence in some_text(), agent in some_text(),
    ) -> AuditEvent {
        AuditEvent { verdict, layer, reason, channel, server, tool, method, rule, evidence, agent, ..AuditEvent::default() }
    }
}

prop_compose! {
    fn who()(
        user in some_text(), tenant in some_text(), department in some_text(), tier in words!(Tier), auth_method in words!(AuthMethod),
        roles in proptest::collection::vec("[a-z]{1,9}", 0..3), token_id in some_text(), session in some_text(),
        address in prop_oneof![Just(None), Just(Some("10.1.2.3".to_owned())), Just(Some("2001:db8::1".to_owned())), Just(Some("unix".to_owned()))],
        act_for in proptest::collection::vec("[a-z]{1,9}", 0..3),
    ) -> AuditEvent {
        AuditEvent { user, tenant, department, tier, auth_method, roles, token_id, session, address, act_for, ..AuditEvent::default() }
    }
}

prop_compose! {
    fn outcome()(
        status in words!(OutcomeStatus), http_status in prop_oneof![Just(None), Just(Some(0)), Just(Some(200)), Just(Some(503))],
        rpc_code in prop_oneof![Just(None), Just(Some(0)), Just(Some(-32_603))], reply_bytes in some_number(), duration_us in some_number(),
        upstream in some_text(), error in some_text(),
    ) -> AuditEvent {
        AuditEvent { status, http_status, rpc_code, reply_bytes, duration_us, upstream, error, ..AuditEvent::default() }
    }
}

prop_compose! {
    fn any_event()(
        kind in proptest::sample::select(EventKind::ALL), at_us in 0..253_402_207_200_000_000_i64, seq in 0..i64::MAX, shard in 0..65_536_i64,
        c in call(), w in who(), o in outcome(), action in prop_oneof![Just(Some("start".to_owned())), Just(Some("stop".to_owned())), some_text()],
        subject in some_text(), detail in some_text(), trace in "[0-9a-f]{32}", generation in some_number(), args_bytes in some_number(),
    ) -> AuditEvent {
        let common = AuditEvent {
            id: format!("{trace}-{shard}-{seq}"), at: jiff::Timestamp::from_microsecond(at_us).unwrap(), kind: kind.to_string(),
            node: trace.clone(), shard, seq, chain: "ab".repeat(32), trace: Some(trace.clone()), ..AuditEvent::default()
        };
        match kind {
            EventKind::Outcome => AuditEvent { call: Some(trace), decision_seq: Some(1), ..merge(common, o) },
            EventKind::Decision => AuditEvent { call: Some(trace), generation, args_bytes, ..merge(merge(common, w), c) },
            _ => AuditEvent { verdict: c.verdict, reason: c.reason, action, subject, detail, generation, ..merge(common, w) },
        }
    }
}

/// What either says; the first about who and where it is.
fn merge(a: AuditEvent, b: AuditEvent) -> AuditEvent {
    let (Ok(Value::Object(mut all)), Ok(Value::Object(more))) = (serde_json::to_value(a), serde_json::to_value(b)) else {
        unreachable!("events are objects")
    };
    for (name, value) in more {
        if !["id", "at", "kind", "node", "shard", "seq", "chain"].contains(&name.as_str()) {
            all.insert(name, value);
        }
    }
    serde_json::from_value(Value::Object(all)).unwrap()
}

/// The lines of a table, cut into words.
fn table(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(' ').collect())
}

#[derive(Default)]
struct Ocsf {
    attributes: BTreeMap<String, Vec<&'static str>>,
    required: BTreeMap<&'static str, Vec<&'static str>>,
    any_of: BTreeMap<&'static str, Vec<&'static str>>,
}

impl Ocsf {
    fn read() -> Ocsf {
        let mut schema = Ocsf::default();
        for words in table(include_str!("testdata/ocsf.txt")) {
            match words.as_slice() {
                [object, "required", names @ ..] => drop(schema.required.insert(object, names.to_vec())),
                [object, "any-of", names @ ..] => drop(schema.any_of.insert(object, names.to_vec())),
                [attribute, kind @ ..] => drop(schema.attributes.insert((*attribute).to_owned(), kind.to_vec())),
                [] => {}
            }
        }
        schema
    }

    fn check(&self, object: &str, value: &Value) -> Result<(), String> {
        let members = value.as_object().ok_or_else(|| format!("{object} is {value}"))?;
        for name in self.required.get(object).into_iter().flatten() {
            members.get(*name).ok_or_else(|| format!("{object} has no {name}"))?;
        }
        if let Some(names) = self.any_of.get(object)
            && !names.iter().any(|name| members.contains_key(*name))
        {
            return Err(format!("{object} has none of {names:?}"));
        }
        for (name, value) in members {
            let kind =
                self.attributes.get(&format!("{object}.{name}")).ok_or_else(|| format!("{object} has no attribute {name}"))?;
            self.check_kind(kind, value).map_err(|why| format!("{object}.{name}: {why}"))?;
        }
        Ok(())
    }

    fn check_kind(&self, kind: &[&str], value: &Value) -> Result<(), String> {
        let fits = match kind {
            ["one", "of", numbers @ ..] => value.as_i64().is_some_and(|number| numbers.contains(&number.to_string().as_str())),
            ["integer"] => value.is_i64(),
            ["string"] => value.is_string(),
            ["boolean"] => value.is_boolean(),
            ["object"] => value.is_object(),
            [list] if list.starts_with('[') => {
                let of = list.trim_matches(['[', ']']);
                let items = value.as_array().ok_or_else(|| format!("{value} is no list"))?;
                return items.iter().try_for_each(|item| self.check_kind(&[of], item));
            }
            [object] => return self.check(object, value),
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("{value} is not {kind:?}")) }
    }
}

/// The fields of an event by their dotted names.
fn flat(prefix: &str, value: &Value, out: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            flat(&path, value, out);
        }),
        other => drop(out.insert(prefix.to_owned(), other.clone())),
    }
}

fn check_ecs(value: &Value) -> Result<(), String> {
    let mut fields = BTreeMap::new();
    flat("", value, &mut fields);
    let (mut kinds, mut allowed, mut types) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for words in table(include_str!("testdata/ecs.txt")) {
        match words.as_slice() {
            ["allow", field, words @ ..] => drop(allowed.insert(*field, words.to_vec())),
            ["types", category, words @ ..] => drop(types.insert(*category, words.to_vec())),
            [field, kind @ ..] => drop(kinds.insert(*field, kind.to_vec())),
            [] => {}
        }
    }
    for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with("sp.")) {
        let kind = kinds.get(name.as_str()).ok_or_else(|| format!("{name} is not a field"))?;
        let values = match (kind.contains(&"array"), value) {
            (true, Value::Array(items)) => items.clone(),
            (true, other) => return Err(format!("{name} is {other}, not a list")),
            (false, value) => vec![value.clone()],
        };
        for value in values {
            let fits = match kind[0] {
                "keyword" | "match_only_text" => value.is_string(),
                "long" => value.is_i64(),
                "ip" => value.as_str().is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()),
                "date" => value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
                _ => false,
            };
            let word = value.as_str().unwrap_or_default();
            if !fits || allowed.get(name.as_str()).is_some_and(|words| !words.contains(&word)) {
                return Err(format!("{name} is {value}, not {kind:?}"));
            }
        }
    }
    let words = |name: &str| -> Vec<String> {
        value["event"][name].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    for category in words("category") {
        for kind in words("type") {
            if !types.get(category.as_str()).is_some_and(|types| types.contains(&kind.as_str())) {
                return Err(format!("event.type {kind} does not go with event.category {category}"));
            }
        }
    }
    Ok(())
}

/// A reader of CEF: header fields, and the extension's pairs with their escapes undone.
fn read_cef(line: &str) -> Result<(Vec<String>, BTreeMap<String, String>), String> {
    let (mut header, mut field, mut chars) = (Vec::new(), String::new(), line.chars());
    while header.len() < 7 {
        match chars.next().ok_or("the header ends early")? {
            '\\' => field.push(chars.next().ok_or("a backslash ends the header")?),
            '|' => header.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    // A key is the word before an equal sign that is not escaped.
    let (rest, mut keys) = (chars.as_str(), Vec::new());
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        if c == '=' && !escaped {
            keys.push((rest[..at].rfind(' ').map_or(0, |space| space + 1), at));
        }
        escaped = c == '\\' && !escaped;
    }
    let mut pairs = BTreeMap::new();
    for (place, (from, equal)) in keys.iter().enumerate() {
        let end = keys.get(place + 1).map_or(rest.len(), |(next, _)| next - 1);
        let (mut value, mut chars) = (String::new(), rest[equal + 1..end].chars());
        while let Some(c) = chars.next() {
            value.push(match c {
                '\\' => match chars.next() {
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some(c @ ('\\' | '=')) => c,
                    other => return Err(format!("`\\{other:?}` is no escape")),
                },
                c => c,
            });
        }
        if pairs.insert(rest[*from..*equal].to_owned(), value).is_some() {
            return Err(format!("{} stands twice", &rest[*from..*equal]));
        }
    }
    Ok((header, pairs))
}

fn check_cef(line: &str) -> Result<BTreeMap<String, String>, String> {
    if line.chars().any(char::is_control) {
        return Err("a control character".to_owned());
    }
    let (header, pairs) = read_cef(line)?;
    if header[0] != "CEF:0" || !header[6].parse::<u8>().is_ok_and(|severity| severity <= 10) {
        return Err(format!("{header:?}"));
    }
    let keys: BTreeMap<&str, Vec<&str>> =
        table(include_str!("testdata/cef.txt")).map(|words| (words[0], words[1..].to_vec())).collect();
    for (key, value) in &pairs {
        let fits = match keys.get(key.as_str()).map(Vec::as_slice) {
            Some(["text", length]) => value.len() <= length.parse().unwrap(),
            Some(["time" | "long"]) => value.parse::<i64>().is_ok(),
            Some(["integer"]) => value.parse::<i32>().is_ok(),
            Some(["ipv4"]) => value.parse::<std::net::Ipv4Addr>().is_ok(),
            Some(["ipv6"]) => value.parse::<std::net::Ipv6Addr>().is_ok(),
            _ => return Err(format!("{key} is not in the dictionary")),
        };
        if !fits {
            return Err(format!("{key}={value}"));
        }
    }
    let labels: BTreeSet<&str> = pairs.keys().filter_map(|key| key.strip_suffix("Label")).collect();
    for key in pairs.keys().filter(|key| ["cs", "cn", "c6a", "flexString"].iter().any(|custom| key.starts_with(custom))) {
        if !labels.contains(key.trim_end_matches("Label")) {
            return Err(format!("{key} has no label"));
        }
    }
    Ok(pairs)
}

proptest! {
    #[test]
    fn every_event_is_ocsf(event in any_event()) {
        let value = ocsf::event(&event);
        let class = match value["class_uid"].as_i64() {
            Some(3002) => "authentication",
            Some(6002) => "application_lifecycle",
            _ => "api_activity",
        };
        prop_assert_eq!(Ocsf::read().check(class, &value), Ok(()), "{}", value);
        prop_assert_eq!(value["type_uid"].as_i64(), Some(value["class_uid"].as_i64().unwrap() * 100 + value["activity_id"].as_i64().unwrap()));
        prop_assert_eq!(&value["metadata"]["uid"], &event.id);
    }

    #[test]
    fn every_event_is_ecs(event in any_event()) {
        let value = ecs::event(&event);
        prop_assert_eq!(check_ecs(&value), Ok(()), "{}", value);
        for required in ["@timestamp", "ecs", "event"] {
            prop_assert!(!value[required].is_null());
        }
    }

    #[test]
    fn every_event_is_cef(event in any_event()) {
        let line = cef::line(&event);
        let pairs = check_cef(&line);
        prop_assert!(pairs.is_ok(), "{:?}: {}", pairs, line);
        let pairs = pairs.unwrap();
        // What was escaped reads back as it was, but for control characters and what is too long.
        if let Some(user) = &event.user {
            let shown: String = user.chars().map(|c| if c.is_control() && c != '\n' && c != '\r' { ' ' } else { c }).collect();
            prop_assert!(shown.starts_with(&pairs["suser"]) && (shown.len() > 1000 || shown == pairs["suser"]), "{:?} {:?}", shown, pairs["suser"]);
        }
    }
}

#[test]
fn the_checks_can_fail() {
    let event = AuditEvent { kind: "decision".into(), verdict: Some("deny".into()), ..AuditEvent::default() };
    let schema = Ocsf::read();
    let mut value = ocsf::event(&event);
    assert_eq!(schema.check("api_activity", &value), Ok(()));
    value["severity_id"] = 44.into();
    assert!(schema.check("api_activity", &value).is_err());
    value = ocsf::event(&event);
    value["api"]["verb"] = "call".into();
    assert!(schema.check("api_activity", &value).is_err());
    let mut value = ecs::event(&event);
    assert_eq!(check_ecs(&value), Ok(()));
    value["event"]["type"] = serde_json::json!(["group"]);
    assert!(check_ecs(&value).is_err());
    assert!(check_cef("CEF:0|a|b|c|d|e|11|").is_err());
    assert!(check_cef("CEF:0|a|b|c|d|e|1|nosuch=1").is_err());
    assert!(check_cef("CEF:0|a|b|c|d|e|1|cs1=x").is_err());
}
