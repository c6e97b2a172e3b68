//! PostgreSQL as the gateway sees it: a private cluster that the process starts and supervises itself ([`Embedded`]), or
//! somebody else's server given by URL, both behind one [`Database`] handle. Everything may be away at any time: the
//! handle says whether it is, and nothing on the path of a call waits for it.

mod account;
mod binaries;
mod cluster;
mod database;
mod embedded;
mod error;
mod postmaster;
pub mod throwaway;
mod transport;

pub use cluster::private_config;
pub use database::{Announcements, Connection, Database, DatabaseState, OwnerConnection};
pub use embedded::{Embedded, EmbeddedState};
pub use error::PostgresError;
pub(crate) use error::error_chain;

#[cfg(test)]
mod tests;
