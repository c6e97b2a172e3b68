//! The MCP server of `sp-upstream`: JSON-RPC in, JSON or one server-sent event out.
//!
//! It keeps no state: a session id is recognised by its shape, because the executors share nothing and a client may
//! reach another one with its next connection.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cell::Cell;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// How the server answers.
#[derive(Clone, Copy, Debug)]
pub struct Behaviour {
    /// As an event stream instead of plain JSON.
    pub sse: bool,
    /// After this long, for tool calls.
    pub delay: Duration,
    /// Only to requests that carry a session id.
    pub require_session: bool,
}

// LIMIT: larger than any body the gateway lets through, small enough that a loose client cannot fill the memory.
const REQUEST_BYTES_MAX: usize = 16 << 20;
// LIMIT: the largest result that a test may ask `blob` for.
const BLOB_BYTES_MAX: u64 = 64 << 20;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const SESSION_PREFIX: &str = "upstream-";
const PROTOCOL: &str = "2025-11-25";

/// A JSON-RPC request or notification; what it carries stays in the request's bytes.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default, borrow)]
    arguments: Arguments<'a>,
}

/// The union of what our tools take. Unknown arguments are ignored, as benches add their own.
#[derive(Default, Deserialize)]
struct Arguments<'a> {
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    a: Option<f64>,
    b: Option<f64>,
    bytes: Option<u64>,
}

/// Answers one HTTP request.
///
/// # Errors
/// Never; whatever is wrong is said in the response.
pub async fn answer(behaviour: Behaviour, request: Request<Incoming>) -> Result<Response<Answer>, Infallible> {
    if request.method() == Method::DELETE {
        return Ok(empty(StatusCode::OK));
    }
    if request.method() != Method::POST {
        let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST, DELETE"));
        return Ok(response);
    }
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, REQUEST_BYTES_MAX).collect().await else {
        return Ok(empty(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let body = body.to_bytes();
    let message: Message<'_> = match serde_json::from_slice(&body) {
        Ok(message) => message,
        Err(error) => {
            return Ok(refusal(StatusCode::BAD_REQUEST, "null", -32700, &error.to_string()));
        }
    };
    let Some(id) = message.id.map(RawValue::get) else {
        return Ok(empty(StatusCode::ACCEPTED));
    };
    if message.method == "initialize" {
        return Ok(greeting(behaviour, id));
    }
    if behaviour.require_session
        && let Err(status) = check_session(&head.headers)
    {
        return Ok(refusal(status, id, -32600, "begin with `initialize` and send its `mcp-session-id`"));
    }
    match message.method.as_ref() {
        "ping" => Ok(reply(behaviour, id, "result", "{}")),
        "tools/list" => Ok(reply(behaviour, id, "result", &tools())),
        "tools/call" => {
            if !behaviour.delay.is_zero() {
                glommio::timer::sleep(behaviour.delay).await;
            }
            let (member, value) = call(message.params);
            Ok(reply(behaviour, id, member, &value))
        }
        method => {
            let error = json!({"code": -32601, "message": format!("no method `{method}`")});
            Ok(reply(behaviour, id, "error", &error.to_string()))
        }
    }
}

/// Runs a tool: the member of the JSON-RPC reply (`result` or `error`) and its JSON.
fn call(params: Option<&RawValue>) -> (&'static str, String) {
    let params = params.map_or("null", RawValue::get);
    let call: ToolCall<'_> = match serde_json::from_str(params) {
        Ok(call) => call,
        Err(error) => {
            return ("error", json!({"code": -32602, "message": error.to_string()}).to_string());
        }
    };
    let arguments = call.arguments;
    let message = arguments.message.as_deref().unwrap_or_default();
    let text = match call.name.as_ref() {
        "echo" => Cow::Borrowed(message),
        "upper" => Cow::Owned(message.to_uppercase()),
        "add" => Cow::Owned((arguments.a.unwrap_or(0.0) + arguments.b.unwrap_or(0.0)).to_string()),
        "blob" => Cow::Owned("x".repeat(arguments.bytes.unwrap_or(1024).min(BLOB_BYTES_MAX) as usize)),
        "fail" => return ("result", content("this tool always fails", true)),
        name => {
            return ("error", json!({"code": -32602, "message": format!("no tool `{name}`")}).to_string());
        }
    };
    ("result", content(&text, false))
}

/// A tool result of one text, written by hand because it is all this server does under load.
fn content(text: &str, is_error: bool) -> String {
    // A string always serializes.
    let text = serde_json::to_string(text).unwrap_or_default();
    let mut json = String::with_capacity(text.len() + 64);
    json.push_str(r#"{"content":[{"type":"text","text":"#);
    json.push_str(&text);
    json.push_str(if is_error { r#"}],"isError":true}"# } else { r#"}],"isError":false}"# });
    json
}

fn tools() -> String {
    let tool = |name: &str, description: &str, properties: serde_json::Value| json!({"name": name, "description": description, "inputSchema": {"type": "object", "properties": properties}});
    let text = || json!({"message": {"type": "string"}});
    json!({"tools": [
        tool("echo", "Returns the message", text()),
        tool("upper", "Returns the message in capitals", text()),
        tool("add", "Adds two numbers", json!({"a": {"type": "number"}, "b": {"type": "number"}})),
        tool("blob", "Returns a text of the size asked for", json!({"bytes": {"type": "integer"}})),
        tool("fail", "Fails, as a tool does", json!({})),
    ]})
    .to_string()
}

fn greeting(behaviour: Behaviour, id: &str) -> Response<Answer> {
    thread_local! {
        static SESSIONS: Cell<u64> = const { Cell::new(0) };
    }
    let number = SESSIONS.replace(SESSIONS.get() + 1);
    let result = json!({
        "protocolVersion": PROTOCOL,
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "sp-upstream", "version": env!("CARGO_PKG_VERSION")},
    });
    let mut response = reply(behaviour, id, "result", &result.to_string());
    if let Ok(session) = HeaderValue::from_str(&format!("{SESSION_PREFIX}{number:016x}")) {
        response.headers_mut().insert(SESSION, session);
    }
    response
}

/// `Err` is the status the specification asks for: 400 without a session, 404 with one that never was.
fn check_session(headers: &HeaderMap) -> Result<(), StatusCode> {
    let session = headers.get(SESSION).ok_or(StatusCode::BAD_REQUEST)?;
    if session.as_bytes().starts_with(SESSION_PREFIX.as_bytes()) { Ok(()) } else { Err(StatusCode::NOT_FOUND) }
}

/// A JSON-RPC reply whose `member` is `value`, both already JSON.
fn reply(behaviour: Behaviour, id: &str, member: &str, value: &str) -> Response<Answer> {
    let mut body = Vec::with_capacity(id.len() + value.len() + 64);
    if behaviour.sse {
        body.extend_from_slice(b"event: message\ndata: ");
    }
    for part in [r#"{"jsonrpc":"2.0","id":"#, id, r#",""#, member, r#"":"#, value, "}"] {
        body.extend_from_slice(part.as_bytes());
    }
    if behaviour.sse {
        body.extend_from_slice(b"\n\n");
    }
    let mut response = Response::new(Answer { bytes: Some(Bytes::from(body)), streamed: behaviour.sse });
    let headers = response.headers_mut();
    if behaviour.sse {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

fn refusal(status: StatusCode, id: &str, code: i64, message: &str) -> Response<Answer> {
    let plain = Behaviour { sse: false, delay: Duration::ZERO, require_session: false };
    let error = json!({"code": code, "message": message});
    let mut response = reply(plain, id, "error", &error.to_string());
    *response.status_mut() = status;
    response
}

fn empty(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer { bytes: None, streamed: false });
    *response.status_mut() = status;
    response
}

/// The bytes of an answer. A streamed one keeps its length to itself, so that it travels in chunks as it would from a
/// server that does not know yet what follows.
#[derive(Debug)]
pub struct Answer {
    bytes: Option<Bytes>,
    streamed: bool,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        if self.streamed {
            return SizeHint::default();
        }
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, Bytes::len) as u64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn tools_answer() {
        let check = |params: &str, member: &str, expect: &str| {
            let raw: Box<RawValue> = serde_json::from_str(params).unwrap();
            let (found, json) = call(Some(&raw));
            assert_eq!(found, member, "{params}: {json}");
            assert!(json.contains(expect), "{params}: {json} lacks {expect}");
            serde_json::from_str::<serde_json::Value>(&json).unwrap();
        };
        check(r#"{"name":"echo","arguments":{"message":"a\"bé"}}"#, "result", r#""text":"a\"bé""#);
        check(r#"{"name":"echo","arguments":{"message":"x","other":[1]}}"#, "result", r#""text":"x""#);
        check(r#"{"name":"upper","arguments":{"message":"abc"}}"#, "result", r#""text":"ABC""#);
        check(r#"{"name":"add","arguments":{"a":1,"b":2.5}}"#, "result", r#""text":"3.5""#);
        check(r#"{"name":"blob","arguments":{"bytes":3}}"#, "result", r#""text":"xxx""#);
        check(r#"{"name":"fail"}"#, "result", r#""isError":true"#);
        check(r#"{"name":"nothing"}"#, "error", "no tool `nothing`");
        check("[]", "error", "-32602");
    }
}
