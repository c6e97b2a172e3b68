//! What `jsonrpc` promises, as rows and properties.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use proptest::prelude::*;

fn with_message<R>(json: &str, then: impl FnOnce(Result<Message<'_, '_>, MessageError>) -> R) -> R {
    let mut bytes = json.as_bytes().to_vec();
    let mut tape = Tape::null();
    let parsed = Parser::default().json(&mut bytes, &mut tape);
    then(parsed.and_then(|()| Message::read(&tape.0)))
}

#[test]
fn messages_are_told_apart() {
    let rows = [
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, "request"),
        (r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"x"}}"#, "request"),
        (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, "notification"),
        (r#"{"jsonrpc":"2.0","id":7,"result":{}}"#, "response"),
        (r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"m"}}"#, "response"),
        (r#"{"jsonrpc":"2.0","id":7}"#, "invalid"),
        (r#"{"jsonrpc":"2.0","id":7,"result":1,"error":2}"#, "invalid"),
        (r#"{"jsonrpc":"1.0","id":7,"method":"x"}"#, "invalid"),
        (r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#, "invalid"),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#, "invalid"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","params":[1]}"#, "invalid"),
        (r#"{"jsonrpc":"2.0","id":1,"method":2}"#, "invalid"),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"x"}]"#, "invalid"),
        ("3", "invalid"),
        ("{", "json"),
        ("", "json"),
        ("\u{feff}{}", "json"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":{"b":1,"b":2}}}"#, "duplicate"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","method":"y"}"#, "duplicate"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","m\u0065thod":"y"}"#, "duplicate"),
    ];
    for (json, expect) in rows {
        let got = with_message(json, |message| match message {
            Ok(Message::Request { .. }) => "request",
            Ok(Message::Notification { .. }) => "notification",
            Ok(Message::Response { .. }) => "response",
            Err(MessageError::Invalid(_)) => "invalid",
            Err(MessageError::Json) => "json",
            Err(MessageError::DuplicateKey) => "duplicate",
            Err(MessageError::TooDeep | MessageError::TooLarge) => "bounds",
        });
        assert_eq!(got, expect, "{json}");
    }
}

#[test]
fn many_keys_are_checked_too() {
    let keys: Vec<String> = (0..400).map(|n| format!("\"k{n}\":1")).collect();
    let fine = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{{}}}}}"#, keys.join(","));
    assert!(with_message(&fine, |message| message.is_ok()));
    let twice = fine.replace("\"k399\"", "\"k3\"");
    assert_eq!(with_message(&twice, |message| message.err()), Some(MessageError::DuplicateKey));
}

#[test]
fn depth_is_bounded_and_brackets_in_texts_do_not_count() {
    let deep = format!("{}{}", "[".repeat(JSON_DEPTH_MAX + 1), "]".repeat(JSON_DEPTH_MAX + 1));
    assert_eq!(with_message(&deep, |message| message.err()), Some(MessageError::TooDeep));
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"t":"{}\"["}}}}"#, "[".repeat(500));
    assert!(with_message(&text, |message| message.is_ok()));
}

#[test]
fn values_are_written_back_up_to_a_bound() {
    for json in [
        r#"{"a":[1,true,null,"x\"y"],"b":{}}"#,
        "[2500.0,-0.0,1e300,1e-7,18446744073709551615]",
        r#"["\u0000\u0007\u001b","\u007f\n"]"#,
    ] {
        let mut bytes = json.as_bytes().to_vec();
        let mut tape = Tape::null();
        Parser::default().json(&mut bytes, &mut tape).unwrap();
        let mut out = String::new();
        assert!(write_bounded(&tape.0, &mut out, 100));
        assert_eq!(out, json);
        let mut cut = String::new();
        assert!(!write_bounded(&tape.0, &mut cut, 10));
        assert_eq!(cut, &json[..cut.len()]);
    }
}

fn digest_of(json: &str) -> [u8; 32] {
    let mut bytes = json.as_bytes().to_vec();
    let mut tape = Tape::null();
    Parser::default().json(&mut bytes, &mut tape).unwrap();
    digest(&tape.0, &[1; 32])
}

#[test]
fn digests_see_values_and_not_white_space() {
    assert_eq!(digest_of(r#"{"a":"b","c":[1]}"#), digest_of("{ \"a\" : \"\\u0062\", \"c\":[ 1 ] }"));
    assert_ne!(digest_of(r#"["a","b"]"#), digest_of(r#"["ab",""]"#));
    assert_ne!(digest_of(r#"[1]"#), digest_of(r#"["1"]"#));
    assert_ne!(digest_of(r#"[[],1]"#), digest_of(r#"[[1]]"#));
}

proptest! {
    #[test]
    fn any_bytes_are_a_message_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = bytes;
        let mut tape = Tape::null();
        if Parser::default().json(&mut bytes, &mut tape).is_ok() {
            let _ = Message::read(&tape.0);
        }
    }

    #[test]
    fn members_are_those_of_a_slow_parser(json in "\\{(\"[a-z]{1,3}\":(1|\"x\"|\\[1,2\\]|\\{\"q\":0\\}),){0,6}\"zzzz\":1\\}") {
        let mut bytes = json.as_bytes().to_vec();
        let mut tape = Tape::null();
        let slow: serde_json::Value = serde_json::from_str(&json).unwrap();
        if Parser::default().json(&mut bytes, &mut tape).is_ok() {
            let names: Vec<&str> = members(&tape.0).map(|(key, _)| key).collect();
            prop_assert_eq!(names.len(), slow.as_object().unwrap().len());
            prop_assert!(names.iter().all(|name| slow.get(name).is_some()));
        }
    }
}
