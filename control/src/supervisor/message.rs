//! The envelope of a JSON-RPC message. Payloads are looked at where they lie and never written anew.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Error codes of our own: outside -32768..-32000, which JSON-RPC and MCP keep for themselves.
pub(super) mod code {
    /// Not JSON.
    pub(crate) const PARSE: i32 = -32700;
    /// Not a message that can be taken here and now.
    pub(crate) const INVALID_REQUEST: i32 = -32600;
    /// Method unknown to a client as simple as our probe.
    pub(crate) const METHOD_NOT_FOUND: i32 = -32601;
    /// The server process ended before it answered.
    pub(crate) const SERVER_DIED: i32 = -31801;
    /// The server did not answer in time.
    pub(crate) const TIMED_OUT: i32 = -31802;
    /// The server is unhealthy, stopping or full.
    pub(crate) const UNAVAILABLE: i32 = -31803;
    /// The client cancelled the request.
    pub(crate) const CANCELLED: i32 = -31804;
    /// The session ended before the answer came.
    pub(crate) const SESSION_ENDED: i32 = -31805;
    /// The client could not be asked.
    pub(crate) const CLIENT_UNREACHABLE: i32 = -31806;
}

/// A request id or a progress token: the protocol allows strings and integers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Id {
    Number(i128),
    Text(Box<str>),
}

impl Id {
    fn from_raw(raw: &RawValue) -> Option<Self> {
        let text = raw.get();
        if text.starts_with('"') {
            serde_json::from_str::<String>(text).ok().map(|s| Self::Text(s.into()))
        } else {
            text.parse().ok().map(Self::Number)
        }
    }
}

impl fmt::Display for Id {
    /// As JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?),
        }
    }
}

/// A message by its kind.
#[derive(Debug)]
pub(super) enum Message<'a> {
    Request { id: Id, method: Cow<'a, str>, params: Option<&'a RawValue> },
    Notification { method: Cow<'a, str>, params: Option<&'a RawValue> },
    Response { id: Id, result: Option<&'a RawValue> },
}

/// Why a text is not a message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("not JSON: {0}")]
    Json(String),
    #[error("batches are not part of MCP since 2025-06-18: send one message per request")]
    Batch,
    #[error("not a JSON-RPC message: {0}")]
    Shape(&'static str),
}

impl Malformed {
    pub(super) fn code(&self) -> i32 {
        match self {
            Self::Json(_) => code::PARSE,
            Self::Batch | Self::Shape(_) => code::INVALID_REQUEST,
        }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// `null` is a value here, not an absence.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads the envelope of one message.
pub(super) fn parse(text: &[u8]) -> Result<Message<'_>, Malformed> {
    if text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(Malformed::Batch);
    }
    let envelope: Envelope<'_> = serde_json::from_slice(text).map_err(|error| {
        if error.is_data() { Malformed::Shape("wrong or doubled members") } else { Malformed::Json(error.to_string()) }
    })?;
    if envelope.jsonrpc.as_deref() != Some("2.0") {
        return Err(Malformed::Shape("`jsonrpc` must be \"2.0\""));
    }
    let id = match envelope.id {
        Some(raw) => Some(Id::from_raw(raw).ok_or(Malformed::Shape("`id` must be a string or an integer"))?),
        None => None,
    };
    let answered = envelope.result.is_some() || envelope.error.is_some();
    match (envelope.method, id) {
        (Some(_), _) if answered => Err(Malformed::Shape("`method` and `result` or `error` exclude each other")),
        (Some(method), Some(id)) => Ok(Message::Request { id, method, params: envelope.params }),
        (Some(method), None) => Ok(Message::Notification { method, params: envelope.params }),
        (None, Some(id)) if answered && !(envelope.result.is_some() && envelope.error.is_some()) => {
            Ok(Message::Response { id, result: envelope.result })
        }
        (None, _) => Err(Malformed::Shape("neither a request, a notification nor a response")),
    }
}

/// `params._meta.progressToken` of a request.
pub(super) fn progress_token_asked(params: Option<&RawValue>) -> Option<Id> {
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow, rename = "_meta")]
        meta: Option<Meta<'a>>,
    }
    #[derive(Deserialize)]
    struct Meta<'a> {
        #[serde(borrow, rename = "progressToken")]
        token: Option<&'a RawValue>,
    }
    let params: Params<'_> = serde_json::from_str(params?.get()).ok()?;
    Id::from_raw(params.meta?.token?)
}

/// `params.progressToken` of a progress notification.
pub(super) fn progress_token_reported(params: Option<&RawValue>) -> Option<Id> {
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow, rename = "progressToken")]
        token: &'a RawValue,
    }
    let params: Params<'_> = serde_json::from_str(params?.get()).ok()?;
    Id::from_raw(params.token)
}

/// `params.requestId` of a cancellation.
pub(super) fn cancelled_request(params: Option<&RawValue>) -> Option<Id> {
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow, rename = "requestId")]
        id: &'a RawValue,
    }
    let params: Params<'_> = serde_json::from_str(params?.get()).ok()?;
    Id::from_raw(params.id)
}

/// `protocolVersion` of an `initialize` result.
pub(super) fn negotiated_version(result: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Initialized {
        #[serde(rename = "protocolVersion")]
        version: String,
    }
    serde_json::from_str::<Initialized>(result.get()).ok().map(|r| r.version)
}

/// An error response; `null` stands for an id that could not be known.
pub(super) fn error(id: Option<&Id>, code: i32, message: &str, data: Option<serde_json::Value>) -> Vec<u8> {
    let mut error = serde_json::json!({ "code": code, "message": message });
    if let Some(data) = data {
        error["data"] = data;
    }
    let id = id.map_or_else(|| "null".to_owned(), Id::to_string);
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#).into_bytes()
}

/// `notifications/cancelled` for a request of the client that is no longer waited for.
pub(super) fn cancellation(id: &Id, reason: &str) -> Vec<u8> {
    let reason = serde_json::Value::from(reason);
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id},"reason":{reason}}}}}"#)
        .into_bytes()
}

/// A message that parsed, as one line: outside strings a line break is white space, inside it cannot occur.
pub(super) fn one_line(text: &Bytes) -> Bytes {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if !text.iter().any(is_break) {
        return text.clone();
    }
    text.iter().map(|byte| if is_break(byte) { b' ' } else { *byte }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed parse is a failed test")]
mod tests {
    use super::*;

    fn kind(text: &str) -> String {
        match parse(text.as_bytes()) {
            Ok(Message::Request { id, method, .. }) => format!("request {id} {method}"),
            Ok(Message::Notification { method, .. }) => format!("notification {method}"),
            Ok(Message::Response { id, result }) => format!("response {id} {}", result.is_some()),
            Err(error) => format!("error {}", error.code()),
        }
    }

    #[test]
    fn messages_are_told_apart() {
        for (text, expect) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, "request 1 ping"),
            (r#" {"id":"a\"b","jsonrpc":"2.0","method":"x","params":{}}"#, r#"request "a\"b" x"#),
            (r#"{"jsonrpc":"2.0","id":"1","method":"ping"}"#, r#"request "1" ping"#),
            (r#"{"jsonrpc":"2.0","id":-9223372036854775809,"method":"p"}"#, "request -9223372036854775809 p"),
            (r#"{"jsonrpc":"2.0","method":"notifications/x"}"#, "notification notifications/x"),
            (r#"{"jsonrpc":"2.0","id":1,"result":null}"#, "response 1 true"),
            (r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#, "response 1 false"),
            (r#"{"jsonrpc":"2.0","id":1,"error":{},"result":{}}"#, "error -32600"),
            (r#"{"jsonrpc":"2.0","id":1}"#, "error -32600"),
            (r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#, "error -32600"),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#, "error -32600"),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}"#, "error -32600"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"x","result":{}}"#, "error -32600"),
            (r#"{"id":1,"method":"x"}"#, "error -32600"),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"x"}]"#, "error -32600"),
            ("Server listening on stdio", "error -32700"),
            ("", "error -32700"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"x""#, "error -32700"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"x"} trailing"#, "error -32700"),
            ("42", "error -32600"),
        ] {
            assert_eq!(kind(text), expect, "{text}");
        }
        assert_eq!(parse(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}").unwrap_err().code(), code::PARSE);
    }

    #[test]
    fn members_inside_params_are_found() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let asked = |text: &str| progress_token_asked(Some(&raw(text))).map(|id| id.to_string());
        assert_eq!(asked(r#"{"_meta":{"progressToken":"t"},"name":"x"}"#).as_deref(), Some("\"t\""));
        assert_eq!(asked(r#"{"_meta":{"progressToken":7}}"#).as_deref(), Some("7"));
        for absent in [r#"{"_meta":{}}"#, r#"{"_meta":3}"#, "{}", "[1]", r#"{"_meta":{"progressToken":{}}}"#] {
            assert_eq!(asked(absent), None, "{absent}");
        }
        assert_eq!(progress_token_reported(Some(&raw(r#"{"progressToken":7}"#))), Some(Id::Number(7)));
        assert_eq!(cancelled_request(Some(&raw(r#"{"requestId":"a"}"#))), Some(Id::Text("a".into())));
        assert_eq!(negotiated_version(&raw(r#"{"protocolVersion":"2025-11-25"}"#)).as_deref(), Some("2025-11-25"));
    }

    #[test]
    fn what_we_write_parses_again() {
        for id in [Id::Number(3), Id::Text("a\"\n".into())] {
            let text = error(Some(&id), code::TIMED_OUT, "no `answer`\n", Some(serde_json::json!({"server": "x"})));
            assert!(matches!(parse(&text), Ok(Message::Response { id: back, .. }) if back == id));
            let text = cancellation(&id, "too \"slow\"");
            let Ok(Message::Notification { method, params }) = parse(&text) else { unreachable!("{text:?}") };
            assert_eq!((&*method, cancelled_request(params)), ("notifications/cancelled", Some(id)));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(bytes: Vec<u8>) {
            drop(parse(&bytes));
        }

        #[test]
        fn ids_survive(text: String, number: i64) {
            for id in [Id::Text(text.clone().into()), Id::Number(number.into())] {
                let line = error(Some(&id), 1, "m", None);
                let same = matches!(parse(&line), Ok(Message::Response { id: back, .. }) if back == id);
                proptest::prop_assert!(same);
            }
        }
    }
}
