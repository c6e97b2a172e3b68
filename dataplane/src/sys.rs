//! The only `unsafe` of the data plane: what the kernel and rkyv offer without a safe door.
//! Lives on: all shards; it has no state.

#![allow(unsafe_code, reason = "this file is where it is allowed")]

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};

use wire::snapshot::{ArchivedSnapshot, SnapshotBytes};

/// A second descriptor of the same socket, to hand the connection to another shard.
///
/// # Errors
/// The process has no descriptors left; close the connection.
pub(crate) fn duplicate(socket: &impl AsRawFd) -> std::io::Result<OwnedFd> {
    // SAFETY: `socket` is borrowed for the length of this call, so its descriptor stays open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(socket.as_raw_fd()) };
    borrowed.try_clone_to_owned()
}

/// The tree of a snapshot without validating it again.
pub(crate) fn snapshot(bytes: &SnapshotBytes) -> &ArchivedSnapshot {
    // SAFETY: `SnapshotBytes` is only made by encoding a snapshot or by validating one, and never changes.
    unsafe { rkyv::access_unchecked::<ArchivedSnapshot>(bytes.body()) }
}

/// A listener that shards share, as this shard's own.
pub(crate) fn listener(socket: OwnedFd) -> glommio::net::TcpListener {
    // SAFETY: the descriptor is owned, is a listening socket, and nobody else closes it from here on.
    unsafe { glommio::net::TcpListener::from_raw_fd(socket.into_raw_fd()) }
}
