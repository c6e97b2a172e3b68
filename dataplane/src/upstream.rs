//! Connections to MCP servers and to the control plane: kept alive, one pool per shard, bodies streamed.
//! Lives on: one shard; an upstream connection never leaves it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use futures_lite::{AsyncRead, AsyncWrite};
use glommio::net::{TcpStream, UnixStream};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use wire::snapshot::Upstream;

use crate::http::io::HyperIo;
use crate::http::within;
use crate::limits::{CONNECT_TIME_MAX, UPSTREAM_IDLE_MAX, UPSTREAM_IDLE_TIME_MAX};
use crate::tls::{ClientTls, TlsError, TrustedRoots};

pub mod events;
pub mod relay;

/// How to reach an upstream. Compiled with the policy.
#[derive(Debug, Clone)]
pub struct Target {
    /// What pools are found by, and what the audit row says.
    pub name: Rc2,
    place: Place,
    /// The `Host` header.
    host: HeaderValue,
    /// The request path.
    pub path: http::uri::PathAndQuery,
    /// The server's own credentials.
    pub credentials: Vec<(HeaderName, HeaderValue)>,
    /// It is the control plane: it is told who calls.
    pub is_control: bool,
}

/// What reaching upstreams takes and no snapshot holds.
#[derive(Default)]
pub struct Reach {
    /// The value of each reference such as `env:NAME`.
    pub credentials: HashMap<String, String>,
    /// Whose certificates this machine trusts; `None` when no server needs to know.
    pub system_roots: Option<TrustedRoots>,
    /// The certificates of each file that a server's declaration names.
    pub roots: HashMap<String, TrustedRoots>,
}

impl Reach {
    fn roots(&self, file: &str) -> Result<&TrustedRoots, TlsError> {
        if file.is_empty() { self.system_roots.as_ref() } else { self.roots.get(file) }.ok_or(TlsError::Roots)
    }
}

/// A shared text; an `Arc` because policies cross threads.
pub type Rc2 = std::sync::Arc<str>;

#[derive(Debug, Clone)]
enum Place {
    Tcp(Vec<SocketAddr>),
    Tls(Vec<SocketAddr>, ClientTls),
    Unix(String),
}

/// Why an upstream cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The URL.
    #[error("`{0}` is not a URL of an MCP server; expected `http://host:port/path` or `https://…`")]
    Url(String),
    /// TLS to upstreams.
    #[error("TLS to `{url}` cannot be set up: {source}")]
    Tls {
        /// Of which server.
        url: String,
        /// Why not.
        source: TlsError,
    },
    /// The host has no address.
    #[error("host of `{0}` has no address; check the name and the resolver")]
    NoAddress(String),
    /// A credential's reference.
    #[error("credential `{0}` is not set; set it in the environment of the gateway")]
    Credential(String),
    /// A header.
    #[error("header `{0}` is not a valid header")]
    Header(String),
}

impl Target {
    /// Compiles an upstream.
    ///
    /// # Errors
    /// [`TargetError`] says what to mend.
    pub fn new(upstream: &Upstream, reach: &Reach) -> Result<Target, TargetError> {
        match upstream {
            Upstream::Http(http) => {
                let url: http::Uri = http.url.parse().map_err(|_| TargetError::Url(http.url.clone()))?;
                let authority = url.authority().ok_or_else(|| TargetError::Url(http.url.clone()))?;
                let addresses: Vec<SocketAddr> = http.addresses.iter().filter_map(|address| address.parse().ok()).collect();
                if addresses.is_empty() {
                    return Err(TargetError::NoAddress(http.url.clone()));
                }
                let place = match url.scheme_str() {
                    Some("http") => Place::Tcp(addresses),
                    Some("https") => {
                        let tls = reach.roots(&http.ca).and_then(|roots| ClientTls::new(authority.host(), roots));
                        Place::Tls(addresses, tls.map_err(|source| TargetError::Tls { url: http.url.clone(), source })?)
                    }
                    _ => return Err(TargetError::Url(http.url.clone())),
                };
                let credentials = http
                    .headers
                    .iter()
                    .map(|(name, reference)| {
                        let value = reach.credentials.get(reference).ok_or_else(|| TargetError::Credential(reference.clone()))?;
                        let name: HeaderName = name.parse().map_err(|_| TargetError::Header(name.clone()))?;
                        let mut value = HeaderValue::from_str(value).map_err(|_| TargetError::Header(name.to_string()))?;
                        value.set_sensitive(true);
                        Ok((name, value))
                    })
                    .collect::<Result<_, TargetError>>()?;
                Ok(Target {
                    name: http.url.as_str().into(),
                    place,
                    host: HeaderValue::from_str(authority.as_str()).map_err(|_| TargetError::Url(http.url.clone()))?,
                    path: url.path_and_query().cloned().unwrap_or_else(|| http::uri::PathAndQuery::from_static("/")),
                    credentials,
                    is_control: false,
                })
            }
            Upstream::Unix(unix) => Self::unix(&unix.socket, &unix.path),
            Upstream::None => Err(TargetError::Url(String::new())),
        }
    }

    /// An upstream on a Unix socket.
    ///
    /// # Errors
    /// The path is not one.
    pub fn unix(socket: &str, path: &str) -> Result<Target, TargetError> {
        Ok(Target {
            name: format!("unix:{socket}").into(),
            place: Place::Unix(socket.to_owned()),
            host: HeaderValue::from_static("localhost"),
            path: path.parse().map_err(|_| TargetError::Url(path.to_owned()))?,
            credentials: Vec::new(),
            is_control: socket.ends_with("control.sock"),
        })
    }
}

/// The body of a request to an upstream.
pub enum OutBody {
    /// All of it; a decided call has been read whole.
    Whole(Option<Bytes>),
    /// As it comes from a client: what is only passed on.
    Streamed(Incoming),
}

impl Body for OutBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            OutBody::Whole(bytes) => std::task::Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            OutBody::Streamed(body) => std::pin::Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            OutBody::Whole(bytes) => bytes.is_none(),
            OutBody::Streamed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            OutBody::Whole(bytes) => http_body::SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            OutBody::Streamed(body) => body.size_hint(),
        }
    }
}

/// Why an upstream gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// No connection.
    #[error("the server cannot be reached")]
    Unreachable,
    /// No TLS, or a certificate that does not lead to one we trust.
    #[error("the server could not prove who it is")]
    Untrusted,
    /// No answer in time.
    #[error("the server did not answer in time")]
    Timeout,
    /// The connection broke, or the answer is not HTTP.
    #[error("the server broke off")]
    BrokenOff,
}

struct Idle {
    sender: SendRequest<OutBody>,
    since: Instant,
}

/// The idle connections of one shard.
#[derive(Clone, Default)]
pub struct Pool(Rc<RefCell<HashMap<Rc2, Vec<Idle>>>>);

/// A connection in use; give it back with [`Lease::done`] once the whole answer was read.
pub struct Lease {
    pool: Pool,
    name: Rc2,
    sender: Cell<Option<SendRequest<OutBody>>>,
}

impl Lease {
    /// The answer was read to its end: the connection may serve another call.
    pub fn done(self) {
        if let Some(sender) = self.sender.take() {
            let mut pools = self.pool.0.borrow_mut();
            let idle = pools.entry(Rc2::clone(&self.name)).or_default();
            if idle.len() < UPSTREAM_IDLE_MAX {
                idle.push(Idle { sender, since: Instant::now() });
            }
        }
    }
}

impl Pool {
    /// Sends a request and waits for the answer's head. Tried again only where nothing of it can have been acted upon.
    ///
    /// # Errors
    /// [`UpstreamError`]; the number is how often it was tried.
    pub async fn send(
        &self,
        target: &Target,
        mut request: Request<OutBody>,
        time: std::time::Duration,
    ) -> (Result<(Response<Incoming>, Lease), UpstreamError>, u8) {
        request.headers_mut().insert(http::header::HOST, target.host.clone());
        let mut attempts = 0;
        loop {
            attempts += 1;
            let reused = self.idle(&target.name);
            let was_reused = reused.is_some();
            let mut sender = match reused {
                Some(sender) => sender,
                None => match within(CONNECT_TIME_MAX, connect(&target.place)).await {
                    Some(Ok(sender)) => sender,
                    Some(Err(error)) => return (Err(error), attempts),
                    None => return (Err(UpstreamError::Unreachable), attempts),
                },
            };
            match within(time, sender.try_send_request(request)).await {
                None => return (Err(UpstreamError::Timeout), attempts),
                Some(Ok(response)) => {
                    let lease = Lease { pool: self.clone(), name: Rc2::clone(&target.name), sender: Cell::new(Some(sender)) };
                    return (Ok((response, lease)), attempts);
                }
                // hyper gives the request back only when not a byte of it was written.
                Some(Err(mut error)) => match error.take_message() {
                    Some(unsent) if was_reused && attempts < 3 => request = unsent,
                    _ => return (Err(UpstreamError::BrokenOff), attempts),
                },
            }
        }
    }

    fn idle(&self, name: &Rc2) -> Option<SendRequest<OutBody>> {
        let mut pools = self.0.borrow_mut();
        let idle = pools.get_mut(name)?;
        while let Some(candidate) = idle.pop() {
            if !candidate.sender.is_closed() && candidate.sender.is_ready() && candidate.since.elapsed() < UPSTREAM_IDLE_TIME_MAX
            {
                return Some(candidate.sender);
            }
        }
        None
    }
}

async fn connect(place: &Place) -> Result<SendRequest<OutBody>, UpstreamError> {
    match place {
        Place::Tcp(addresses) => {
            for address in addresses {
                if let Ok(stream) = TcpStream::connect(address).await {
                    let _ = stream.set_nodelay(true);
                    return handshake(stream).await;
                }
            }
            Err(UpstreamError::Unreachable)
        }
        Place::Tls(addresses, tls) => {
            for address in addresses {
                if let Ok(stream) = TcpStream::connect(address).await {
                    let _ = stream.set_nodelay(true);
                    // Whoever answers there and cannot prove to be the server we asked for gets nothing from us.
                    let stream = tls.connect(stream).await.map_err(|_| UpstreamError::Untrusted)?;
                    return handshake(stream).await;
                }
            }
            Err(UpstreamError::Unreachable)
        }
        Place::Unix(path) => {
            let stream = UnixStream::connect(path).await.map_err(|_| UpstreamError::Unreachable)?;
            handshake(stream).await
        }
    }
}

async fn handshake<S: AsyncRead + AsyncWrite + Unpin + 'static>(stream: S) -> Result<SendRequest<OutBody>, UpstreamError> {
    let (sender, connection) =
        hyper::client::conn::http1::handshake(HyperIo::new(stream)).await.map_err(|_| UpstreamError::BrokenOff)?;
    // The task ends with the connection; an error in it reaches whoever waits for an answer.
    glommio::spawn_local(async move {
        let _ = connection.await;
    })
    .detach();
    Ok(sender)
}
