//! A glommio socket as hyper wants to see it.
//!
//! glommio reads into the buffer it owns and hyper keeps its own; one `memcpy` of what arrived stands between them,
//! which is cheaper than zeroing hyper's whole buffer for every read and needs no `unsafe`.

use futures_lite::io::{AsyncBufRead, AsyncWrite};
use glommio::net::{Preallocated, TcpStream};
use hyper::rt::{Read, ReadBufCursor, Write};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A connected socket with nodelay set and a receive buffer of its own.
#[derive(Debug)]
pub struct Stream {
    socket: TcpStream<Preallocated>,
}

impl Stream {
    /// Prepares an accepted or connected socket.
    ///
    /// # Errors
    /// The peer may already be gone; drop the connection.
    pub fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true).map_err(io::Error::from)?;
        Ok(Self { socket: socket.buffered() })
    }
}

impl Read for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let mut socket = Pin::new(&mut self.socket);
        let arrived = ready!(socket.as_mut().poll_fill_buf(cx))?;
        let taken = arrived.len().min(buf.remaining());
        if let Some(bytes) = arrived.get(..taken) {
            buf.put_slice(bytes);
        }
        socket.consume(taken);
        Poll::Ready(Ok(()))
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(cx)
    }
}
