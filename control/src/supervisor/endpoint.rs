//! The Unix socket of one stdio server: Streamable HTTP as the 2025-11-25 revision defines it.
//!
//! Any path is the endpoint. A request is answered as plain JSON when its answer is the first thing the child says and
//! comes at once, which is most calls and saves both sides an event parser; as an event stream as soon as anything
//! precedes the answer or it takes longer, so that progress, questions, keep-alives and resumption work for the calls
//! that need them. Clients must take both by the specification.
//!
//! Source: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports>

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::limits;
use super::message::{self, Id, Message, code};
use super::routing::Refusal;
use super::server::{Server, Unavailable};
use super::session::{Call, Presence, Session};
use super::stream::{self, Attached, EventBody};

/// Versions whose transport this is. The one of 2026-07-28 has no sessions and is translated elsewhere.
const VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

type Reply = Response<Either<Full<Bytes>, EventBody>>;

/// LIMIT: how long responses may take to get out once every stream has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves connections until `stop`, then lets each finish its response for a moment.
pub(super) async fn serve(listener: UnixListener, server: Arc<Server>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = async {
                // The semaphore is never closed, so there is always a place sooner or later.
                let place = Arc::clone(&places).acquire_owned().await;
                (listener.accept().await, place)
            } => accepted,
        };
        match accepted {
            (Ok((stream, _)), place) => {
                let (server, stop) = (Arc::clone(&server), stop.clone());
                connections.spawn(async move {
                    serve_connection(stream, server, stop).await;
                    drop(place);
                });
            }
            (Err(error), _) => {
                tracing::warn!(server = &*server.name, %error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    // Nothing is left to end, unless the supervisor was dropped instead of stopped.
    server.end_sessions();
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_WORDS, all).await.is_err() {
        connections.abort_all();
    }
}

async fn serve_connection(stream: UnixStream, server: Arc<Server>, stop: CancellationToken) {
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(respond(&server, request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::REQUEST_HEAD_WAIT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients hang up in the middle of streams; that is no event.
        tracing::trace!(%error, "a connection ended");
    }
}

async fn respond(server: &Arc<Server>, request: Request<Incoming>) -> Reply {
    if let Some(refusal) = refuse_version(request.headers()) {
        return refusal;
    }
    match *request.method() {
        Method::POST => post(server, request).await,
        Method::GET => get(server, request.headers()),
        Method::DELETE => delete(server, request.headers()),
        _ => {
            let mut reply = refuse(StatusCode::METHOD_NOT_ALLOWED, None, code::INVALID_REQUEST, "use POST, GET or DELETE");
            reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST, GET, DELETE"));
            reply
        }
    }
}

/// A version that is named must be one of ours; none at all means 2025-03-26.
fn refuse_version(headers: &HeaderMap) -> Option<Reply> {
    let version = headers.get(PROTOCOL_VERSION)?;
    if VERSIONS.iter().any(|known| version.as_bytes() == known.as_bytes()) {
        return None;
    }
    let message = format!("unsupported MCP-Protocol-Version: use one of {}", VERSIONS.join(", "));
    Some(refuse(StatusCode::BAD_REQUEST, None, code::INVALID_REQUEST, &message))
}

async fn post(server: &Arc<Server>, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    if !is_json(&parts.headers) {
        let message = "send a body of type application/json";
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, None, code::INVALID_REQUEST, message);
    }
    let accepts = Accepts::of(&parts.headers);
    if !accepts.json && !accepts.events {
        let message = "accept application/json and text/event-stream";
        return refuse(StatusCode::NOT_ACCEPTABLE, None, code::INVALID_REQUEST, message);
    }
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(refusal) => return *refusal,
    };
    let message = match message::parse(&body) {
        Ok(message) => message,
        Err(error) => {
            return refuse(StatusCode::BAD_REQUEST, None, error.code(), &error.to_string());
        }
    };
    let line = message::one_line(&body);

    if let Message::Request { id, method, params } = &message
        && method == "initialize"
    {
        if parts.headers.contains_key(SESSION_ID) {
            let message = "this session is initialized already: leave Mcp-Session-Id out to open another";
            return refuse(StatusCode::BAD_REQUEST, Some(id), code::INVALID_REQUEST, message);
        }
        return open(server, id.clone(), *params, line, accepts).await;
    }
    let id = match &message {
        Message::Request { id, .. } => Some(id),
        Message::Notification { .. } | Message::Response { .. } => None,
    };
    let session = match find_session(server, &parts.headers, id) {
        Ok(session) => session,
        Err(refusal) => return *refusal,
    };
    let presence = session.enter();
    let passed = match message {
        Message::Request { id, method, params } => {
            if server.is_stopping() {
                return unavailable(Some(&id), &Unavailable::Stopping(Arc::clone(&server.name)));
            }
            return match session.call(id.clone(), &method, params, line, accepts.events).await {
                Ok(call) => answer(&session, call, accepts, presence).await,
                Err(refusal) => refuse_call(Some(&id), refusal),
            };
        }
        Message::Notification { method, params } => session.notify(&method, params, line).await,
        Message::Response { id, .. } => session.answer(&id, line).await,
    };
    match passed {
        Ok(()) => empty(StatusCode::ACCEPTED),
        Err(refusal) => refuse_call(None, refusal),
    }
}

async fn open(
    server: &Arc<Server>,
    id: Id,
    params: Option<&serde_json::value::RawValue>,
    line: Bytes,
    accepts: Accepts,
) -> Reply {
    let opened = match server.open(id.clone(), params, line).await {
        Ok(opened) => opened,
        Err(error) => return unavailable(Some(&id), &error),
    };
    let mut reply = if accepts.json {
        json(StatusCode::OK, opened.answer.payload)
    } else {
        let data = [b"data: ", &*opened.answer.payload, b"\n\n"].concat();
        with_type(StatusCode::OK, EVENT_STREAM, Either::Left(Full::new(data.into())))
    };
    if let Some(session) = opened.session
        && let Ok(id) = HeaderValue::from_str(&session.id)
    {
        reply.headers_mut().insert(SESSION_ID, id);
    }
    reply
}

/// Turns what the child says to one request into a response.
async fn answer(session: &Session, call: Call, accepts: Accepts, presence: Presence) -> Reply {
    let Call { stream, mut attached } = call;
    let first = if accepts.events {
        tokio::time::timeout(limits::JSON_ANSWER_WITHIN, attached.receiver.recv()).await.ok()
    } else {
        Some(attached.receiver.recv().await)
    };
    match first {
        Some(Some(event)) if event.last && accepts.json => json(StatusCode::OK, event.payload),
        Some(Some(event)) => {
            attached.missed = VecDeque::from([event]);
            event_stream(session, stream, attached, presence)
        }
        // The stream was taken over by another response of the same client, or the session just ended.
        Some(None) => refuse(StatusCode::NOT_FOUND, None, code::SESSION_ENDED, "the answer went to another connection"),
        None => event_stream(session, stream, attached, presence),
    }
}

fn event_stream(session: &Session, stream: u32, attached: Attached, presence: Presence) -> Reply {
    let resumable = session.make_resumable(stream);
    let opening = if resumable && session.opens_streams() {
        stream::opening(&attached.opening_id)
    } else {
        Bytes::from_static(b": open\n\n")
    };
    let body = EventBody::new(Some(opening), attached, presence);
    with_type(StatusCode::OK, EVENT_STREAM, Either::Right(body))
}

fn get(server: &Server, headers: &HeaderMap) -> Reply {
    if !Accepts::of(headers).events {
        let message = "accept text/event-stream";
        return refuse(StatusCode::NOT_ACCEPTABLE, None, code::INVALID_REQUEST, message);
    }
    let session = match find_session(server, headers, None) {
        Ok(session) => session,
        Err(refusal) => return *refusal,
    };
    let presence = session.enter();
    let Some(last) = headers.get(LAST_EVENT_ID) else {
        return match session.listen() {
            Some(attached) => event_stream(&session, 0, attached, presence),
            None => no_session(None),
        };
    };
    let resumed = last.to_str().ok().and_then(stream::parse_event_id).and_then(|(number, after)| {
        session.resume(number, after).map(|attached| event_stream(&session, number, attached, presence))
    });
    resumed.unwrap_or_else(|| {
        let message = "this Last-Event-ID is unknown or too old to resume";
        refuse(StatusCode::BAD_REQUEST, None, code::INVALID_REQUEST, message)
    })
}

fn delete(server: &Server, headers: &HeaderMap) -> Reply {
    match find_session(server, headers, None) {
        Ok(session) => {
            server.close(&session);
            empty(StatusCode::NO_CONTENT)
        }
        Err(refusal) => *refusal,
    }
}

fn find_session(server: &Server, headers: &HeaderMap, id: Option<&Id>) -> Result<Arc<Session>, Box<Reply>> {
    let Some(session) = headers.get(SESSION_ID) else {
        let message = "Mcp-Session-Id is missing: open a session with `initialize`";
        return Err(Box::new(refuse(StatusCode::BAD_REQUEST, id, code::INVALID_REQUEST, message)));
    };
    session.to_str().ok().and_then(|session| server.session(session)).ok_or_else(|| Box::new(no_session(id)))
}

async fn read_body(body: Incoming) -> Result<Bytes, Box<Reply>> {
    let refuse = |status, message: &str| Err(Box::new(refuse(status, None, code::INVALID_REQUEST, message)));
    let limited = Limited::new(body, limits::REQUEST_BYTES_MAX);
    match tokio::time::timeout(limits::REQUEST_BODY_WAIT, limited.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let message = format!("a request may have {} bytes", limits::REQUEST_BYTES_MAX);
            refuse(StatusCode::PAYLOAD_TOO_LARGE, &message)
        }
        Ok(Err(_)) => refuse(StatusCode::BAD_REQUEST, "the request was cut off"),
        Err(_) => refuse(StatusCode::REQUEST_TIMEOUT, "the request took too long to arrive"),
    }
}

/// What a client can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Accepts {
    json: bool,
    events: bool,
}

impl Accepts {
    /// No header, like `*/*`, means anything.
    fn of(headers: &HeaderMap) -> Self {
        if !headers.contains_key(header::ACCEPT) {
            return Self { json: true, events: true };
        }
        let mut accepts = Self { json: false, events: false };
        for value in headers.get_all(header::ACCEPT) {
            for range in value.to_str().unwrap_or_default().split(',') {
                let kind = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                accepts.json |= matches!(&*kind, "application/json" | "application/*" | "*/*");
                accepts.events |= matches!(&*kind, "text/event-stream" | "text/*" | "*/*");
            }
        }
        accepts
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn no_session(id: Option<&Id>) -> Reply {
    let message = "no such session: open one with `initialize`";
    refuse(StatusCode::NOT_FOUND, id, code::SESSION_ENDED, message)
}

fn refuse_call(id: Option<&Id>, refusal: Refusal) -> Reply {
    match refusal {
        Refusal::Duplicate => {
            let message = "a request with this id is still running in this session";
            refuse(StatusCode::BAD_REQUEST, id, code::INVALID_REQUEST, message)
        }
        Refusal::TooMany => {
            let message = "too many requests are running in this session";
            refuse(StatusCode::TOO_MANY_REQUESTS, id, code::UNAVAILABLE, message)
        }
        Refusal::Ended(ending) => refuse(StatusCode::NOT_FOUND, id, ending.code, &ending.message),
    }
}

fn unavailable(id: Option<&Id>, error: &Unavailable) -> Reply {
    let retry = match error {
        Unavailable::Unhealthy(_, wait) => wait.as_secs() + 1,
        Unavailable::Full(..) | Unavailable::Failed(..) | Unavailable::Stopping(_) => 5,
    };
    let mut reply = refuse(StatusCode::SERVICE_UNAVAILABLE, id, code::UNAVAILABLE, &error.to_string());
    reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry));
    reply
}

fn refuse(status: StatusCode, id: Option<&Id>, code: i32, message: &str) -> Reply {
    json(status, message::error(id, code, message, None).into())
}

fn json(status: StatusCode, body: Bytes) -> Reply {
    with_type(status, JSON, Either::Left(Full::new(body)))
}

fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Either::Left(Full::default()));
    *reply.status_mut() = status;
    reply
}

fn with_type(status: StatusCode, kind: HeaderValue, body: Either<Full<Bytes>, EventBody>) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    if kind == EVENT_STREAM {
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    }
    headers.insert(header::CONTENT_TYPE, kind);
    reply
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a header that does not parse is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn accept_is_understood() {
        for (accept, json, events) in [
            (None, true, true),
            (Some("application/json, text/event-stream"), true, true),
            (Some("text/event-stream;q=0.5 , Application/JSON; charset=utf-8"), true, true),
            (Some("application/json"), true, false),
            (Some("text/event-stream"), false, true),
            (Some("*/*"), true, true),
            (Some("text/html"), false, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
            }
            assert_eq!(Accepts::of(&headers), Accepts { json, events }, "{accept:?}");
        }
    }
}
