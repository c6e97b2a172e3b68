//! The forwarding of `sp-pass`: kept-alive connections to one upstream, bodies streamed in both directions.

use crate::stream::prepare;
use bytes::Bytes;
use glommio::net::TcpStream;
use http::header::{CONNECTION, HOST, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response, StatusCode};
use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// The upstream connections of one executor.
#[derive(Debug)]
pub struct Pool {
    upstream: SocketAddr,
    host: Option<HeaderValue>,
    idle: RefCell<Vec<SendRequest<Incoming>>>,
}

// LIMIT: as many idle connections as a load test has clients; more would only hold memory.
const IDLE_MAX: usize = 1024;

impl Pool {
    /// An empty pool for `upstream`.
    pub fn new(upstream: SocketAddr) -> Self {
        let host = HeaderValue::from_str(&upstream.to_string()).ok();
        Self { upstream, host, idle: RefCell::new(Vec::new()) }
    }

    /// Sends `request` on and gives back the answer as it arrives; 502 if the upstream cannot be reached.
    ///
    /// # Errors
    /// Never; a failure is a response.
    pub async fn forward(self: &Rc<Self>, mut request: Request<Incoming>) -> Result<Response<Passed>, Infallible> {
        let headers = request.headers_mut();
        headers.remove(CONNECTION);
        if let Some(host) = &self.host {
            headers.insert(HOST, host.clone());
        }
        let Ok(mut connection) = self.connection().await else {
            return Ok(Self::unreachable());
        };
        match connection.send_request(request).await {
            Ok(response) => Ok(response.map(|body| Passed { body: Some(body), lease: Some((connection, Rc::clone(self))) })),
            Err(_) => Ok(Self::unreachable()),
        }
    }

    async fn connection(&self) -> io::Result<SendRequest<Incoming>> {
        loop {
            let Some(mut idle) = self.idle.borrow_mut().pop() else {
                break;
            };
            // Its last answer was read to the end, so this waits for nothing but its own task's next turn.
            if idle.ready().await.is_ok() {
                return Ok(idle);
            }
        }
        let socket = TcpStream::connect(self.upstream).await.map_err(io::Error::from)?;
        let (sender, connection) = http1::handshake(prepare(socket)?).await.map_err(io::Error::other)?;
        glommio::spawn_local(async move {
            // The sender of this connection learns of a failure by itself.
            let _ = connection.await;
        })
        .detach();
        Ok(sender)
    }

    fn unreachable() -> Response<Passed> {
        let mut response = Response::new(Passed { body: None, lease: None });
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    }
}

/// An upstream's answer on its way to the client. Its connection returns to the pool once the answer is complete; an
/// answer dropped half-way closes it.
#[derive(Debug)]
pub struct Passed {
    body: Option<Incoming>,
    lease: Option<(SendRequest<Incoming>, Rc<Pool>)>,
}

impl Body for Passed {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        let complete = self.is_end_stream();
        if let Some((connection, pool)) = self.lease.take()
            && complete
            && !connection.is_closed()
        {
            let mut idle = pool.idle.borrow_mut();
            if idle.len() < IDLE_MAX {
                idle.push(connection);
            }
        }
    }
}
