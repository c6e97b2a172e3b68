//! A Streamable HTTP client over a Unix socket that shows everything it gets.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sse_stream::{Sse, SseStream};
use tokio::net::UnixStream;

pub(super) struct Client {
    socket: PathBuf,
    pub(super) session: Option<String>,
    pub(super) accept: &'static str,
    ids: AtomicU64,
}

pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: hyper::body::Incoming,
}

pub(super) struct Events(BoxStream<'static, Sse>);

impl Client {
    pub(super) fn new(socket: PathBuf) -> Self {
        Self { socket, session: None, accept: "application/json, text/event-stream", ids: AtomicU64::new(1) }
    }

    /// Sends one request on a connection of its own, as it is.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Reply {
        let stream = UnixStream::connect(&self.socket).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    pub(super) fn request(&self, method: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(method).uri("/mcp").header("host", "localhost");
        request = request.header("accept", self.accept).header("content-type", "application/json");
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        request.body(Full::new(body.into())).unwrap()
    }

    pub(super) async fn post(&self, message: &Value) -> Reply {
        self.send(self.request("POST", message.to_string())).await
    }

    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Tries to open a session.
    pub(super) async fn initialize(&mut self) -> Reply {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}},
            "clientInfo": {"name": "test", "version": "1"}});
        let reply = self.post(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})).await;
        self.session = reply.headers.get("mcp-session-id").map(|id| id.to_str().unwrap().to_owned());
        reply
    }

    /// Opens a session, which must succeed.
    pub(super) async fn open(mut self) -> Self {
        let reply = self.initialize().await;
        assert_eq!(reply.status, StatusCode::OK);
        assert!(reply.json().await["result"]["serverInfo"].is_object());
        assert!(self.session.is_some());
        let reply = self.post(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED);
        self
    }

    pub(super) async fn call(&self, tool: &str, arguments: Value) -> Reply {
        self.call_with(self.next_id(), tool, arguments).await
    }

    pub(super) async fn call_with(&self, id: u64, tool: &str, arguments: Value) -> Reply {
        let params = json!({"name": tool, "arguments": arguments, "_meta": {"progressToken": format!("t{id}")}});
        self.post(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})).await
    }

    /// Calls a tool and returns its text.
    pub(super) async fn text(&self, tool: &str, arguments: Value) -> String {
        let answer = self.call(tool, arguments).await.answer().await;
        answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}")).to_owned()
    }

    pub(super) async fn get(&self, last_event: Option<&str>) -> Reply {
        let mut request = self.request("GET", "");
        if let Some(id) = last_event {
            request.headers_mut().insert("last-event-id", id.parse().unwrap());
        }
        self.send(request).await
    }

    pub(super) async fn delete(&self) -> StatusCode {
        self.send(self.request("DELETE", "")).await.status
    }
}

impl Reply {
    pub(super) fn kind(&self) -> &str {
        self.headers.get("content-type").map_or("", |kind| kind.to_str().unwrap())
    }

    pub(super) async fn bytes(self) -> Bytes {
        self.body.collect().await.unwrap().to_bytes()
    }

    pub(super) async fn json(self) -> Value {
        assert_eq!(self.kind(), "application/json");
        let bytes = self.bytes().await;
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {bytes:?}"))
    }

    /// The answer, in whichever form it comes.
    pub(super) async fn answer(self) -> Value {
        if self.kind() == "application/json" {
            return self.json().await;
        }
        self.events().rest().await.pop().expect("an answer")
    }

    /// The message of an error, after a look at the status.
    pub(super) async fn error(self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status);
        self.answer().await["error"]["message"].as_str().unwrap().to_owned()
    }

    pub(super) fn events(self) -> Events {
        assert_eq!(self.kind(), "text/event-stream");
        let events = SseStream::new(self.body.map_err(std::io::Error::other));
        Events(events.take_while(|event| std::future::ready(event.is_ok())).map(Result::unwrap).boxed())
    }
}

impl Events {
    /// The next event, data or not; `None` at the end.
    pub(super) async fn raw(&mut self) -> Option<Sse> {
        tokio::time::timeout(Duration::from_secs(60), self.0.next()).await.expect("an event in time")
    }

    /// The next message with the id of its event.
    pub(super) async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            let event = self.raw().await?;
            if let Some(data) = event.data.filter(|data| !data.is_empty()) {
                return Some((event.id.unwrap_or_default(), serde_json::from_str(&data).unwrap()));
            }
        }
    }

    pub(super) async fn rest(mut self) -> Vec<Value> {
        let mut all = Vec::new();
        while let Some((_, message)) = self.next().await {
            all.push(message);
        }
        all
    }
}
