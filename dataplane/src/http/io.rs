//! hyper's I/O traits over glommio sockets, with a place for bytes that were read before hyper took over.
//! Lives on: one shard; a connection never leaves it.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_lite::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBufCursor, Write};

thread_local! {
    /// LIMIT: what one read can bring; hyper asks for 8 KiB at first and at most some 400 KiB.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; 64 << 10].into_boxed_slice());
}

/// A glommio (or TLS) stream that hyper can drive.
pub struct HyperIo<S> {
    stream: S,
    /// Read before; hyper gets it first.
    prefix: Bytes,
}

impl<S> HyperIo<S> {
    /// Wraps a fresh stream.
    pub fn new(stream: S) -> Self {
        Self::with_prefix(stream, Bytes::new())
    }

    /// Wraps a stream of which `prefix` was already read.
    pub fn with_prefix(stream: S, prefix: Bytes) -> Self {
        Self { stream, prefix }
    }
}

impl<S: AsyncRead + Unpin> Read for HyperIo<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            // Reading into a scratch and copying what came is cheaper than zeroing hyper's spare capacity each time.
            return SCRATCH.with_borrow_mut(|scratch| {
                let room = scratch.len().min(into.remaining());
                let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut scratch[..room]))?;
                into.put_slice(&scratch[..read]);
                Poll::Ready(Ok(()))
            });
        }
        let count = self.prefix.len().min(into.remaining());
        into.put_slice(&self.prefix[..count]);
        self.prefix.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Write for HyperIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
