//! Brings the journal into Postgres: each record once, in the order of its stream, however often either side dies.
//!
//! One task per stream follows the journal, writes what it finds by binary COPY, and moves the stream's watermark in the
//! same transaction, provided that the watermark still stands where the task believes it does. So there is nothing to
//! remember: after any failure, and after every start, the task asks Postgres for the watermark and goes on behind it. Live
//! shipping and recovery are the same code.
//!
//! Postgres away, slow or refusing: the task waits and tries again, the journal keeps the records, memory holds one
//! batch. Decisions do not notice.

mod open;
mod rows;
mod stream;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dataplane::journal::StreamPosition;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use wire::ids::{NodeId, SeqNo};

use crate::postgres::Database;

/// LIMIT: transactions at once, whatever the number of streams: each keeps one backend of Postgres busy, and the rest of
/// the control plane needs connections too.
const TRANSACTIONS_MAX: usize = 4;

/// A stream to ship, or to read in other ways.
#[derive(Clone)]
pub struct Source {
    /// Which shard's.
    pub shard: u16,
    /// Its directory.
    pub dir: PathBuf,
    /// The last record that may be shipped: what the journal says is synced. Asked often, from any thread; a stream that
    /// nobody writes any more answers with its last record.
    pub synced: Arc<dyn Fn() -> SeqNo + Send + Sync>,
    /// Where the stream ended when the process started. Every call that was decided up to here has its outcome by now.
    pub settled: StreamPosition,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("shard", &self.shard).field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// How to ship.
#[derive(Clone)]
pub struct ShipperConfig {
    /// Whose data directory.
    pub node: NodeId,
    /// Segments that were written to within this time stay, though they are shipped.
    pub retain_after: Duration,
    /// When the state of rate limits was last noted by every shard; segments that were written to later stay. By default
    /// nothing is waited for. Units: µs since 1970.
    pub rates_noted_us: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// A stream that lies larger than this in the journal does not wait for sinks any more. Default 2 GiB.
    pub held_bytes_max: u64,
    /// Journal bytes of one transaction. Default 4 MiB: large enough that the commit's cost disappears among the rows.
    pub batch_bytes: usize,
    /// How soon a stream is looked at again that had something to ship. Default 15 ms.
    pub poll_busy: Duration,
    /// How soon a stream is looked at again that has been quiet for a while. Default 100 ms.
    pub poll_idle: Duration,
}

impl ShipperConfig {
    /// The defaults, for this data directory.
    pub fn new(node: NodeId, retain_after: Duration) -> ShipperConfig {
        ShipperConfig {
            node,
            retain_after,
            rates_noted_us: Arc::new(|| u64::MAX >> 1),
            held_bytes_max: 2 << 30,
            batch_bytes: 4 << 20,
            poll_busy: Duration::from_millis(15),
            poll_idle: Duration::from_millis(100),
        }
    }
}

/// How a stream stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStatus {
    /// Which shard's.
    pub shard: u16,
    /// What it is doing.
    pub state: StreamState,
    /// The watermark: the last record that is known to be in Postgres.
    pub shipped: SeqNo,
    /// The last record that was there to ship when it was last looked at.
    pub synced: SeqNo,
    /// The last place that this process has seen both in its own journal and in Postgres: what may be signed.
    pub proven: Option<StreamPosition>,
    /// Rows shipped since the start.
    pub row_count: u64,
    /// Transactions that failed since the start.
    pub failure_count: u64,
}

/// What a stream's task is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamState {
    /// Nothing is known yet.
    Starting,
    /// It ships, or has nothing to ship.
    Shipping,
    /// Postgres does not take rows at the moment; it is tried again soon.
    Waiting {
        /// Why.
        reason: String,
    },
    /// Somebody has to act; it is tried again now and then. Nothing is deleted meanwhile.
    Blocked {
        /// Why, and what to do.
        reason: String,
    },
}

/// What the tasks are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Ship,
    /// End as soon as everything that is synced is shipped.
    Drain,
}

/// The running tasks, one per stream.
#[derive(Debug)]
pub struct Shipper {
    tasks: JoinSet<()>,
    order: watch::Sender<Order>,
    streams: Vec<watch::Receiver<StreamStatus>>,
}

impl Shipper {
    /// Starts shipping. Needs a tokio runtime; the schema must have been migrated, or the tasks wait until it is.
    pub fn start(database: &Database, config: &ShipperConfig, sources: Vec<Source>) -> Shipper {
        let (order, orders) = watch::channel(Order::Ship);
        let transactions = Arc::new(Semaphore::new(TRANSACTIONS_MAX));
        let mut shipper = Shipper { tasks: JoinSet::new(), order, streams: Vec::new() };
        for source in sources {
            let (task, status) =
                stream::Task::new(database.clone(), config.clone(), source, Arc::clone(&transactions), orders.clone());
            shipper.streams.push(status);
            shipper.tasks.spawn(task.run());
        }
        shipper
    }

    /// How each stream stands now.
    pub fn status(&self) -> Vec<StreamStatus> {
        self.streams.iter().map(|stream| stream.borrow().clone()).collect()
    }

    /// How each stream stands, now and next.
    pub fn watch(&self) -> Vec<watch::Receiver<StreamStatus>> {
        self.streams.clone()
    }

    /// Ships what is synced by now, then ends; gives up after `patience`. Call it after the journal's last flush. Says how
    /// each stream ended; what was not shipped is shipped after the next start.
    pub async fn drain(mut self, patience: Duration) -> Vec<StreamStatus> {
        self.order.send_replace(Order::Drain);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            self.tasks.shutdown().await;
        }
        self.status()
    }
}

#[cfg(test)]
pub(crate) mod tests;
