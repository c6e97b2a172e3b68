//! The HTTP edge: what hyper alone would let through, and the body of every reply.
//! Lives on: one shard.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::limits::{BODY_BYTES_MAX, BODY_TIME_MAX};
use crate::upstream::relay::Relay;

pub mod io;

/// The header that names the trace of a governed reply.
pub const TRACE_HEADER: HeaderName = HeaderName::from_static("sp-trace-id");

/// Tells the control plane from which address a page was asked for. Shards strip it from what clients send.
pub const PEER_HEADER: HeaderName = HeaderName::from_static("sp-peer");

/// The body of a reply.
pub enum ReplyBody {
    /// All of it, or nothing.
    Whole(Option<Bytes>),
    /// As it comes from an upstream.
    Relayed(Box<Relay>),
}

/// A reply broke off; the client sees the connection end.
#[derive(Debug, thiserror::Error)]
#[error("the reply broke off: {0}")]
pub struct BrokenOff(pub &'static str);

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match self.get_mut() {
            ReplyBody::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            ReplyBody::Relayed(relay) => relay.poll_data(cx).map(|next| next.map(|data| data.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, ReplyBody::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ReplyBody::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            ReplyBody::Relayed(_) => SizeHint::default(),
        }
    }
}

/// A reply.
pub type Reply = Response<ReplyBody>;

/// A reply with a body of this type.
pub fn reply(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(ReplyBody::Whole(Some(body.into())));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// A JSON reply.
pub fn json(status: StatusCode, value: &serde_json::Value) -> Reply {
    reply(status, "application/json", value.to_string())
}

/// A reply without a body.
pub fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(ReplyBody::Whole(None));
    *reply.status_mut() = status;
    reply
}

/// Why a request is refused before anybody looks at what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EdgeError {
    /// RFC 9112 section 3.2: exactly one.
    #[error("the request must have exactly one valid Host header")]
    Host,
    /// The name is not one this gateway is reached by: DNS rebinding.
    #[error("this host name is not served here; use the gateway's own address or set its public URL")]
    HostForeign,
    /// RFC 9112 section 6.1: only `chunked`, once.
    #[error("Transfer-Encoding must be `chunked`, once")]
    TransferEncoding,
    /// RFC 9112 section 6.3.
    #[error("Content-Length and Transfer-Encoding exclude each other, and each may stand once")]
    Length,
    /// RFC 9110 section 15.5.14.
    #[error("the body is larger than {BODY_BYTES_MAX} bytes")]
    TooLarge,
    /// A header that must stand once stands twice.
    #[error("a header that may stand once stands twice")]
    Twice,
    /// A browser page of another origin.
    #[error("requests of pages from other origins are refused")]
    Origin,
    /// The client took too long.
    #[error("the body did not arrive in time")]
    Slow,
    /// The client broke off.
    #[error("the body broke off or is not valid")]
    Body,
}

impl EdgeError {
    /// The HTTP status.
    pub const fn status(self) -> StatusCode {
        match self {
            EdgeError::Host | EdgeError::TransferEncoding | EdgeError::Length | EdgeError::Twice | EdgeError::Body => {
                StatusCode::BAD_REQUEST
            }
            EdgeError::HostForeign => StatusCode::MISDIRECTED_REQUEST,
            EdgeError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            EdgeError::Origin => StatusCode::FORBIDDEN,
            EdgeError::Slow => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// The reply.
    pub fn reply(self) -> Reply {
        let error = serde_json::json!({
            "jsonrpc": "2.0", "id": null,
            "error": { "code": -32600, "message": self.to_string() },
        });
        let mut reply = json(self.status(), &error);
        reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        reply
    }
}

/// Headers that a smuggler or a confused proxy doubles.
const ONCE: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::ORIGIN,
    HeaderName::from_static("mcp-session-id"),
    HeaderName::from_static("mcp-protocol-version"),
];

/// The hosts a request may name, lower-case, without port.
pub struct KnownHosts(pub Vec<String>);

/// Refuses what must not get further, whatever it asks for.
///
/// # Errors
/// [`EdgeError`], to be answered as it is.
pub fn check_edge<B>(request: &Request<B>, hosts: &KnownHosts) -> Result<(), EdgeError> {
    let headers = request.headers();
    check_host(request, hosts)?;
    if ONCE.iter().any(|name| headers.get_all(name).iter().nth(1).is_some()) {
        return Err(EdgeError::Twice);
    }
    let mut encodings = headers.get_all(header::TRANSFER_ENCODING).iter();
    if let Some(encoding) = encodings.next() {
        if !encoding.as_bytes().eq_ignore_ascii_case(b"chunked") || encodings.next().is_some() {
            return Err(EdgeError::TransferEncoding);
        }
        if headers.contains_key(header::CONTENT_LENGTH) {
            return Err(EdgeError::Length);
        }
    }
    if let Some(length) = headers.get(header::CONTENT_LENGTH) {
        let length = length.to_str().ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        let length: usize = length.and_then(|text| text.parse().ok()).ok_or(EdgeError::Length)?;
        if length > BODY_BYTES_MAX {
            return Err(EdgeError::TooLarge);
        }
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let origin = origin.to_str().map_err(|_| EdgeError::Origin)?;
        let parts = origin.split_once("://").filter(|(scheme, authority)| is_scheme(scheme) && is_authority(authority));
        let host = parts.map(|(_, authority)| host_of(authority)).ok_or(EdgeError::Origin)?;
        if !hosts.0.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            return Err(EdgeError::Origin);
        }
    }
    Ok(())
}

fn check_host<B>(request: &Request<B>, hosts: &KnownHosts) -> Result<(), EdgeError> {
    let mut given = request.headers().get_all(header::HOST).iter();
    let host = match (given.next(), given.next()) {
        (Some(host), None) => host.to_str().map_err(|_| EdgeError::Host)?,
        // HTTP/2 carries it as `:authority`.
        (None, None) if request.version() == http::Version::HTTP_2 => {
            request.uri().authority().map(http::uri::Authority::as_str).ok_or(EdgeError::Host)?
        }
        _ => return Err(EdgeError::Host),
    };
    if !is_authority(host) {
        return Err(EdgeError::Host);
    }
    if hosts.0.is_empty() || hosts.0.iter().any(|known| known.eq_ignore_ascii_case(host_of(host))) {
        return Ok(());
    }
    Err(EdgeError::HostForeign)
}

/// RFC 3986 section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// Whether this can be `host:port`: nothing in it says who, or what for, so that no other reader finds another host in it.
fn is_authority(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']' | b'_');
    !text.is_empty() && text.bytes().all(fits)
}

/// The host of `host:port`, brackets of IPv6 included.
fn host_of(authority: &str) -> &str {
    if authority.starts_with('[') {
        return authority.split_inclusive(']').next().unwrap_or(authority);
    }
    authority.split(':').next().unwrap_or(authority)
}

/// Reads a whole body within the bounds of size and time.
///
/// # Errors
/// [`EdgeError`], to be answered as it is.
pub async fn read_body(body: Incoming) -> Result<Bytes, EdgeError> {
    let limited = http_body_util::Limited::new(body, BODY_BYTES_MAX);
    let whole = async {
        match limited.collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(EdgeError::TooLarge),
            Err(_) => Err(EdgeError::Body),
        }
    };
    within(BODY_TIME_MAX, whole).await.unwrap_or(Err(EdgeError::Slow))
}

/// A future's result, or `None` when it takes longer. A timer is made only when the future does not answer at once.
pub async fn within<T>(time: std::time::Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    if let Some(ready) = futures_lite::future::poll_once(&mut future).await {
        return Some(ready);
    }
    let late = async {
        glommio::timer::Timer::new(time).await;
        None
    };
    futures_lite::future::or(async { Some(future.await) }, late).await
}

/// The bearer token of a request. Never from the query (RFC 6750 section 2.3 is not offered).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

/// A header's text; `None` when absent or not visible ASCII.
pub fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&str, &str)]) -> Result<(), EdgeError> {
        let mut request = Request::builder().uri("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check_edge(&request.body(()).unwrap(), &KnownHosts(vec!["localhost".into(), "127.0.0.1".into(), "[::1]".into()]))
    }

    #[test]
    fn the_edge_refuses_what_smugglers_send() {
        let host = ("host", "localhost:1");
        type Headers<'a> = &'a [(&'a str, &'a str)];
        let rows: &[(Headers<'_>, Result<(), EdgeError>)] = &[
            (&[host], Ok(())),
            (&[("host", "LOCALHOST")], Ok(())),
            (&[("host", "[::1]:80")], Ok(())),
            (&[], Err(EdgeError::Host)),
            (&[host, host], Err(EdgeError::Host)),
            (&[("host", "evil.example")], Err(EdgeError::HostForeign)),
            (&[("host", "local host")], Err(EdgeError::Host)),
            (&[host, ("transfer-encoding", "chunked")], Ok(())),
            (&[host, ("transfer-encoding", "chunked, chunked")], Err(EdgeError::TransferEncoding)),
            (&[host, ("transfer-encoding", "gzip, chunked")], Err(EdgeError::TransferEncoding)),
            (&[host, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], Err(EdgeError::TransferEncoding)),
            (&[host, ("transfer-encoding", "chunked"), ("content-length", "3")], Err(EdgeError::Length)),
            (&[host, ("content-length", "+3")], Err(EdgeError::Length)),
            (&[host, ("content-length", "99999999999")], Err(EdgeError::TooLarge)),
            (&[host, ("content-length", "3"), ("content-length", "3")], Err(EdgeError::Twice)),
            (&[host, ("authorization", "Bearer a"), ("authorization", "Bearer b")], Err(EdgeError::Twice)),
            (&[host, ("origin", "http://localhost:3000")], Ok(())),
            (&[host, ("origin", "http://evil.example")], Err(EdgeError::Origin)),
            (&[host, ("origin", "null")], Err(EdgeError::Origin)),
            (&[host, ("origin", "http://localhost:x@evil.example")], Err(EdgeError::Origin)),
            (&[host, ("origin", "http://localhost:80/x")], Err(EdgeError::Origin)),
            (&[host, ("origin", "http:evil.example://localhost")], Err(EdgeError::Origin)),
        ];
        for (headers, expect) in rows {
            assert_eq!(check(headers), *expect, "{headers:?}");
        }
    }

    #[test]
    fn tokens_come_from_the_authorization_header_alone() {
        for (value, expect) in [
            ("Bearer abc", Some("abc")),
            ("bearer abc", Some("abc")),
            ("Basic abc", None),
            ("Bearer", None),
            ("Bearer  x", Some("x")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            assert_eq!(bearer(&headers), expect, "{value}");
        }
    }
}
