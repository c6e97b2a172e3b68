//! Reading the audit stream back out of Postgres: searching it, following it, and asking the five questions about one
//! call. What is not shipped yet is not here; the shipper is seldom more than a tenth of a second behind.

mod call;
mod follow;
mod search;

pub use call::{CallAudit, Execution, Outcome, Permissions, TraceAudit, Who, WithAgent, audit};
pub use follow::Follow;
pub use schema::queries::logs::Event;
pub use search::{EVENTS_MAX, Filter, Page, Place, PlaceError, search};

use crate::postgres::PostgresError;

/// Why the audit stream could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// The database cannot be asked: try again when it is up.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// The search takes too long.
    #[error("the search took longer than {0} s; narrow it with --since, --until or another filter")]
    TooSlow(u64),
}

#[cfg(test)]
mod tests;
