//! Reading the audit stream back out of Postgres: searching it, following it, adding it up, exporting it, and asking the
//! five questions about one call. What is not shipped yet is not here; the shipper is seldom more than a tenth of a second behind.

pub mod event;
mod export;
mod follow;
mod search;
mod summary;
mod trail;

pub use export::{EXPORT_PAGE_MAX, ExportPage, export};
pub use follow::{Follow, FollowError};
pub use schema::queries::logs::Event;
pub use search::{EVENTS_MAX, Filter, Page, Place, PlaceError, search};
pub use summary::{Count, Latency, Refusals, STEPS, Step, Summary, summary};
pub use trail::{
    CallAudit, Ended, Execution, LayerVerdict, Permissions, Subject, TRAIL_EVENTS_MAX, Trail, Who, WithAgent, audit,
};

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

/// Reads any text as each kind of place and id; what is one reads back from what it prints. For the fuzzer.
pub fn fuzz_place(text: &str) {
    fn same<T: std::str::FromStr + PartialEq>(text: &str, print: impl Fn(&T) -> String) {
        if let Ok(value) = text.parse::<T>() {
            assert!(print(&value).parse().is_ok_and(|again: T| again == value), "{text:?}");
        }
    }
    same::<Place>(text, Place::to_string);
    same::<Follow>(text, |follow| String::from(follow.clone()));
    same::<event::EventId>(text, event::EventId::to_string);
    drop(Subject::from(text));
}

#[cfg(test)]
mod tests;
