//! The journal: every decision and every outcome, on disk before anything is done about it.
//!
//! *Lives on* one shard each: a [`Journal`] belongs to the executor that opened it and is shared there by `Rc`. Beside it
//! runs one thread, the keeper, for everything that may take long: fdatasync, new segments, rewriting after a failed
//! sync. The [`reader`] and [`recovery`] are plain blocking code for any thread.
//!
//! What is true after
//! - `append(…)` returned, before it is awaited: the record has its place in the stream; nothing is on disk.
//! - `append(…).await` gave `Ok`, [`Durability::Written`]: the kernel has the record. It survives the death of the
//!   process at any instruction. It survives the death of the machine as soon as the next fdatasync is through, which
//!   begins at most [`JournalConfig::sync_interval`] later and for which no call waits.
//! - `append(…).await` gave `Ok`, [`Durability::Synced`]: the record survives the death of the machine.
//! - `append(…).await` gave `Err`: the record is not part of the stream and its number is given to another one. Do not do
//!   what it speaks of. (After a crash in that same moment the record may still be found; it then counts as recorded but
//!   never carried out.)
//! - `flush_and_sync().await` gave `Ok`: everything appended before survives the death of the machine.
//!
//! When the disk fails
//! - A write fails (full, read-only, I/O error): the appends of that group fail, the file is cut back to its last good
//!   byte, or sealed when even that fails, and the next append tries again. So it recovers by itself.
//! - An fdatasync fails: the kernel may have dropped the pages and would report success the next time, so it is never
//!   asked again about the same file. The segment is sealed at the last frame that was synced, and what has been
//!   acknowledged since is written from memory into a new segment and synced there. Until that has succeeded appends are
//!   refused and [`Progress::state`] says `degraded`; it is tried again every [`JournalConfig::retry_interval`].
//! - The budget is used up: appends are refused until the shipper has reclaimed segments.
//!
//! The order of the stream is the sequence number alone; a clock that goes backwards changes nothing.

pub mod consumer;
mod disk;
#[cfg(test)]
mod fixtures;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod inspect;
mod keeper;
mod marker;
mod note;
pub mod open_calls;
pub mod progress;
pub mod rates;
pub mod reader;
pub mod reclaim;
pub mod recovery;
pub mod segment;
pub mod writer;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use wire::frame::{Chain, FrameError};
use wire::ids::{NodeId, SeqNo};

pub use disk::{Disk, Fault, Faults, Op};
pub use progress::{Progress, State};
pub use writer::{Append, Journal};

/// The last record of a stream: its number and the chain after it. Where to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamPosition {
    /// The number; 0 where there is no record yet.
    pub seq: SeqNo,
    /// The chain after it.
    pub chain: Chain,
}

impl StreamPosition {
    /// Before the first record of a shard's stream.
    pub fn genesis(node: NodeId, shard: u16) -> StreamPosition {
        StreamPosition { seq: SeqNo(0), chain: Chain::genesis(node, shard) }
    }
}

/// What an acknowledged record survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The death of the process, at any instruction. The machine's power may take the last
    /// [`JournalConfig::sync_interval`].
    #[default]
    Written,
    /// The death of the machine: every append waits for its group's fdatasync.
    Synced,
}

/// How a stream is kept.
#[derive(Debug, Clone)]
pub struct JournalConfig {
    /// What an acknowledged record survives.
    pub durability: Durability,
    /// A segment that has reached this is followed by another. Default 64 MiB.
    pub segment_bytes: u64,
    /// A segment is followed by another when a record is younger than it by this. Default one hour.
    pub segment_age: Duration,
    /// The budget of this stream; beyond it appends are refused. Default 4 GiB. See [`JournalConfig::share`].
    pub bytes_max: u64,
    /// How long written records wait for their fdatasync at most. Default 50 ms.
    pub sync_interval: Duration,
    /// How long until a failed sync or a full budget is looked at again. Default 100 ms.
    pub retry_interval: Duration,
    /// The file operations; other than [`Disk::real`] only in tests.
    pub disk: Disk,
}

impl Default for JournalConfig {
    fn default() -> JournalConfig {
        JournalConfig {
            durability: Durability::default(),
            segment_bytes: 64 << 20,
            segment_age: Duration::from_secs(3600),
            bytes_max: 4 << 30,
            sync_interval: Duration::from_millis(50),
            retry_interval: Duration::from_millis(100),
            disk: Disk::real(),
        }
    }
}

impl JournalConfig {
    /// One stream's part of a budget for the whole journal.
    #[must_use]
    pub fn share(mut self, journal_bytes_max: u64, shards: u16) -> JournalConfig {
        self.bytes_max = journal_bytes_max / u64::from(shards.max(1));
        self
    }
}

/// Why a record is not in the journal. Whatever the variant: do not do what the record speaks of.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// The record itself cannot be written; another one can.
    #[error("the record was refused: {0}")]
    Record(String),
    /// The stream's budget is used up. Appends go on by themselves when the shipper has reclaimed segments.
    #[error("the journal holds {bytes} bytes of at most {bytes_max}; see why records do not reach the database")]
    Full {
        /// What lies in the stream's directory.
        bytes: u64,
        /// The budget.
        bytes_max: u64,
    },
    /// The disk refused. Appends go on by themselves when it takes writes again.
    #[error("cannot {doing} in the journal: {kind}; see that the disk has space and takes writes")]
    Disk {
        /// What was tried.
        doing: &'static str,
        /// How it failed.
        kind: io::ErrorKind,
        /// The system's number of the error, where it gave one.
        code: Option<i32>,
    },
    /// A sync failed, or takes so long that no more unsynced records may wait. Appends go on by themselves afterwards.
    #[error("the disk does not sync the journal; see the kernel's log")]
    Degraded,
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
    /// The configuration cannot work.
    #[error(
        "the journal's budget of {bytes_max} bytes is less than four segments of {segment_bytes}; raise the one or lower the other"
    )]
    Budget {
        /// The budget.
        bytes_max: u64,
        /// A segment's size.
        segment_bytes: u64,
    },
}

impl JournalError {
    fn disk(doing: &'static str, error: &io::Error) -> JournalError {
        JournalError::Disk { doing, kind: error.kind(), code: error.raw_os_error() }
    }
}

impl From<FrameError> for JournalError {
    fn from(error: FrameError) -> JournalError {
        JournalError::Record(error.to_string())
    }
}

/// Why a stream cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system refused.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The bytes are not what was written. Nothing of this stream may be trusted from here on.
    #[error(
        "journal segment `{}` is damaged at byte {offset}: {why}; restore the file, or move the stream's directory away to give up \
         what it holds",
        segment.display()
    )]
    Damaged {
        /// Which file.
        segment: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        why: String,
    },
    /// Records that should be here are not.
    #[error("journal `{}` has no record {}: {why}; restore the missing segments", dir.display(), wanted.0)]
    Missing {
        /// The stream's directory.
        dir: PathBuf,
        /// The first record that is missing.
        wanted: SeqNo,
        /// How it was noticed.
        why: String,
    },
}
