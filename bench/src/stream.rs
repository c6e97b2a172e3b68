//! Sockets of the baselines, through the data plane's own adapter: what differs from the gateway is the gateway.

use dataplane::http::io::HyperIo;
use glommio::net::TcpStream;
use std::io;

/// A connected socket as hyper wants to see it.
pub type Stream = HyperIo<TcpStream>;

/// Prepares an accepted or connected socket.
///
/// # Errors
/// The peer may already be gone; drop the connection.
pub fn prepare(socket: TcpStream) -> io::Result<Stream> {
    socket.set_nodelay(true).map_err(io::Error::from)?;
    Ok(HyperIo::new(socket))
}
