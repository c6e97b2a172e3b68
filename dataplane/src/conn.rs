//! A connection's life: accepted, read far enough to see who calls, moved to that principal's shard, served.
//! Lives on: one shard at a time; until its first request is known it may move once.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_channel::oneshot;
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, FutureExt};
use glommio::net::{TcpListener, TcpStream};
use hyper::service::service_fn;

use crate::http::io::HyperIo;
use crate::http::within;
use crate::inbox::{Event, Handover};
use crate::limits::{CONNECTIONS_MAX, HEAD_BYTES_MAX, HEAD_TIME_MAX, HEADERS_MAX, IDLE_TIME_MAX};
use crate::route;
use crate::shard::Shard;
use crate::sys;
use crate::tls::ServerTls;

/// How often idle and slow connections are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// The first bytes of HTTP/2 with prior knowledge.
const H2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The connections of one shard.
#[derive(Default)]
pub struct Connections {
    open: RefCell<std::collections::HashMap<u64, Rc<Connection>>>,
    next: Cell<u64>,
    /// Those whose first request is not known yet. They count too: opening and saying nothing must not be free.
    beginning: Rc<Cell<usize>>,
}

/// Counts a connection until its first request is known.
struct Beginning(Rc<Cell<usize>>);

impl Drop for Beginning {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// What the sweeper needs to know of a connection.
pub struct Connection {
    /// Requests that are being answered.
    busy: Cell<u32>,
    /// When it last became idle.
    since: Cell<Instant>,
    end: RefCell<Option<oneshot::Sender<()>>>,
}

/// Marks a request as running; dropped when its reply has been sent or given up.
pub struct Busy(Rc<Connection>);

impl Connection {
    /// A request begins.
    pub fn begin(self: &Rc<Self>) -> Busy {
        self.busy.set(self.busy.get() + 1);
        Busy(Rc::clone(self))
    }

    fn end(&self) {
        self.end.borrow_mut().take();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get() - 1);
        self.0.since.set(Instant::now());
    }
}

impl Connections {
    fn add(&self) -> (u64, Rc<Connection>, oneshot::Receiver<()>) {
        let (sender, ended) = oneshot::channel();
        let connection =
            Rc::new(Connection { busy: Cell::new(0), since: Cell::new(Instant::now()), end: RefCell::new(Some(sender)) });
        let key = self.next.get();
        self.next.set(key + 1);
        self.open.borrow_mut().insert(key, Rc::clone(&connection));
        (key, connection, ended)
    }

    fn begin(&self) -> Beginning {
        self.beginning.set(self.beginning.get() + 1);
        Beginning(Rc::clone(&self.beginning))
    }

    /// How many are open.
    pub fn open_count(&self) -> usize {
        self.open.borrow().len()
    }

    fn is_full(&self) -> bool {
        self.open_count() + self.beginning.get() >= CONNECTIONS_MAX
    }

    /// Ends those that wait for a request.
    pub fn drain(&self) {
        self.open.borrow().values().filter(|connection| connection.busy.get() == 0).for_each(|connection| connection.end());
    }

    /// Ends all.
    pub fn abort(&self) {
        self.open.borrow().values().for_each(|connection| connection.end());
    }

    fn sweep(&self, idle_max: Duration) {
        let idle = |connection: &Connection| connection.busy.get() == 0 && connection.since.get().elapsed() > idle_max;
        self.open.borrow().values().filter(|connection| idle(connection)).for_each(|connection| connection.end());
    }
}

/// Accepts until the shard drains.
pub async fn accept(shard: Rc<Shard>, listener: TcpListener) {
    while !shard.draining.get() {
        match listener.accept().await {
            Ok(stream) => {
                shard.counters.borrow_mut().connections_accepted += 1;
                if shard.connections.is_full() || shard.draining.get() {
                    shard.counters.borrow_mut().connections_refused += 1;
                    continue;
                }
                let peer = stream.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |address| address.ip());
                let _ = stream.set_nodelay(true);
                let shard = Rc::clone(&shard);
                glommio::spawn_local(async move { begin(shard, stream, peer).await }).detach();
            }
            Err(error) => {
                // Out of descriptors, most likely. Accepting at once again would spin.
                tracing::warn!(shard = shard.ix, error = %error, "a connection could not be accepted");
                glommio::timer::Timer::new(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Ends connections that are idle for too long.
pub async fn sweep(shard: Rc<Shard>) {
    loop {
        glommio::timer::Timer::new(SWEEP_EVERY).await;
        shard.connections.sweep(IDLE_TIME_MAX);
        if shard.draining.get() {
            shard.connections.drain();
        }
    }
}

/// Takes over a connection that another shard accepted.
pub fn adopt(shard: &Rc<Shard>, handover: Handover) {
    shard.counters.borrow_mut().connections_adopted += 1;
    let socket: socket2::Socket = std::net::TcpStream::from(handover.socket).into();
    let stream = TcpStream::from(socket);
    let shard = Rc::clone(shard);
    glommio::spawn_local(async move { serve(shard, stream, handover.read.into(), handover.peer).await }).detach();
}

/// Reads the first request's head, and serves the connection where its principal lives.
async fn begin(shard: Rc<Shard>, stream: TcpStream, peer: IpAddr) {
    let beginning = shard.connections.begin();
    let tls = shard.tls.borrow().clone();
    match tls {
        Some(tls) => begin_encrypted(shard, &tls, stream, peer, beginning).await,
        None => begin_plain(shard, stream, peer, beginning).await,
    }
}

/// The keys of an encrypted connection stay where its handshake was, so it stays too: limits of principals that live
/// elsewhere are asked over the mesh, exact all the same.
async fn begin_encrypted(shard: Rc<Shard>, tls: &ServerTls, stream: TcpStream, peer: IpAddr, beginning: Beginning) {
    let Some(Ok(mut stream)) = within(HEAD_TIME_MAX, tls.acceptor().accept(stream)).await else {
        shard.counters.borrow_mut().tls_failures += 1;
        return;
    };
    let mut read = Vec::new();
    if within(HEAD_TIME_MAX, read_head(&mut stream, &mut read)).await == Some(true) {
        drop(beginning);
        serve(shard, stream, read.into(), peer).await;
    }
}

async fn begin_plain(shard: Rc<Shard>, mut stream: TcpStream, peer: IpAddr, beginning: Beginning) {
    let mut read = Vec::new();
    match within(HEAD_TIME_MAX, read_head(&mut stream, &mut read)).await {
        Some(true) => drop(beginning),
        // Nothing, too slow, or broken off: there is nobody to answer.
        Some(false) | None => return,
    }
    let home = token_of(&read).and_then(|token| shard.home_of(token));
    if let Some(home) = home.filter(|home| *home != shard.ix)
        && let Ok(socket) = sys::duplicate(&stream)
    {
        drop(stream);
        shard.tell(home, Event::Adopt(Handover { socket, read, peer }));
        return;
    }
    serve(shard, stream, read.into(), peer).await;
}

/// Reads until the head is whole or as large as hyper may judge it. Whether anything came.
async fn read_head(stream: &mut (impl AsyncRead + Unpin), read: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return !read.is_empty(),
            Ok(count) => read.extend_from_slice(&buffer[..count]),
        }
        let whole = memchr::memmem::find(read, b"\r\n\r\n").is_some();
        if whole || read.len() >= HEAD_BYTES_MAX || read.starts_with(&H2_PREFACE[..14]) {
            return true;
        }
    }
}

/// The bearer token in an HTTP/1.1 head; `None` where there is none, or the head is not one.
fn token_of(head: &[u8]) -> Option<&str> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(head).ok()?;
    let value = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("authorization"))?.value;
    let value = std::str::from_utf8(value).ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

/// Serves every request of a connection.
async fn serve(shard: Rc<Shard>, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, read: Bytes, peer: IpAddr) {
    let (key, connection, ended) = shard.connections.add();
    let is_h2 = read.starts_with(&H2_PREFACE[..14]);
    let io = HyperIo::with_prefix(stream, read);
    let service = {
        let (shard, connection) = (Rc::clone(&shard), Rc::clone(&connection));
        // Boxed: an idle connection need not keep the 18 KB that a request takes while it is answered, in each protocol's state.
        service_fn(move |request| Box::pin(route::answer(Rc::clone(&shard), connection.begin(), request, peer)))
    };
    let served = async {
        // An error here is the client's: it broke off, or spoke no HTTP. hyper has answered what can be answered.
        if is_h2 {
            let _ = hyper::server::conn::http2::Builder::new(LocalExecutor)
                .max_concurrent_streams(256)
                .max_header_list_size(HEAD_BYTES_MAX as u32)
                .serve_connection(io, service)
                .await;
        } else {
            let _ = hyper::server::conn::http1::Builder::new()
                .max_headers(HEADERS_MAX)
                .max_buf_size(HEAD_BYTES_MAX * 2)
                .half_close(false)
                .serve_connection(io, service)
                .await;
        }
    };
    let swept = async {
        let _ = ended.await;
    };
    served.or(swept).await;
    shard.connections.open.borrow_mut().remove(&key);
}

/// Lets hyper spawn the streams of an HTTP/2 connection on this shard.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        glommio::spawn_local(async move {
            let _ = future.await;
        })
        .detach();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_in_the_head_alone() {
        for (head, expect) in [
            ("POST / HTTP/1.1\r\nAuthorization: Bearer abc\r\n\r\n", Some("abc")),
            ("POST / HTTP/1.1\r\nAUTHORIZATION: bearer abc\r\nx: y\r\n\r\n", Some("abc")),
            ("POST / HTTP/1.1\r\nx: Authorization: Bearer abc\r\n\r\n", None),
            ("POST / HTTP/1.1\r\n\r\nAuthorization: Bearer abc\r\n\r\n", None),
            ("nonsense", None),
        ] {
            assert_eq!(token_of(head.as_bytes()), expect, "{head:?}");
        }
    }
}
