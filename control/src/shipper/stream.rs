//! One stream's task: look, read, commit, reclaim, and what follows a failure.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dataplane::journal::reader::Tail;
use dataplane::journal::reclaim::{self, Reclaim};
use dataplane::journal::{ReadError, StreamPosition};
use deadpool_postgres::Object;
use futures_util::SinkExt;
use schema::audit::COPY_IN;
use schema::queries::stream as sql;
use tokio::sync::{Semaphore, watch};
use tokio_postgres::error::SqlState;
use wire::frame::Chain;
use wire::ids::SeqNo;

use super::open::OpenSet;
use super::rows::{self, Rows, RowsError};
use super::{Order, ShipperConfig, Source, StreamState, StreamStatus};
use crate::postgres::{Database, DatabaseState, error_chain};

/// LIMIT: after a failure the next attempt comes this soon, then twice as late each time.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
/// LIMIT: a server that is down is tried this often; its return is noticed no later.
const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// LIMIT: what an operator has to mend is looked at this often.
const BLOCKED_RETRY: Duration = Duration::from_secs(2);
/// LIMIT: a transaction of one batch takes milliseconds; a server that hangs is given up after this.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(30);
/// LIMIT: how often the directory is looked through for segments that may go.
const RECLAIM_EVERY: Duration = Duration::from_secs(1);
/// How many days are made at once: one statement every few midnights.
const DAYS_AHEAD: i32 = 3;
/// LIMIT: days known to exist; forgetting them costs one statement each.
const DAYS_KNOWN_MAX: usize = 64;

pub(super) struct Task {
    database: Database,
    config: ShipperConfig,
    source: Source,
    transactions: Arc<Semaphore>,
    orders: watch::Receiver<Order>,
    status: watch::Sender<StreamStatus>,
    days_known: BTreeSet<u64>,
    open: OpenSet,
    reclaimed_at: Instant,
}

/// Where shipping goes on: the stream's row in Postgres, and the journal behind its watermark.
struct Place {
    stream_id: i32,
    watermark: StreamPosition,
    /// Absent while a blocking thread has it.
    tail: Option<Tail>,
}

/// Why a round did not end well.
#[derive(Debug)]
enum Trouble {
    /// Go back to the watermark and try again.
    Retry(String),
    /// Trying again does not help until somebody acts.
    Blocked(String),
}

impl Task {
    pub(super) fn new(
        database: Database,
        config: ShipperConfig,
        source: Source,
        transactions: Arc<Semaphore>,
        orders: watch::Receiver<Order>,
    ) -> (Task, watch::Receiver<StreamStatus>) {
        let (status, seen) = watch::channel(StreamStatus {
            shard: source.shard,
            state: StreamState::Starting,
            shipped: SeqNo(0),
            synced: SeqNo(0),
            proven: None,
            row_count: 0,
            failure_count: 0,
        });
        let open = OpenSet::new(source.settled.seq);
        let task = Task {
            database,
            config,
            source,
            transactions,
            orders,
            status,
            days_known: BTreeSet::new(),
            open,
            reclaimed_at: Instant::now(),
        };
        (task, seen)
    }

    /// Ships until told to end.
    pub(super) async fn run(mut self) {
        let mut backoff = BACKOFF_MIN;
        loop {
            let before = self.status.borrow().row_count;
            let wait = match self.ship().await {
                Ok(()) => return,
                Err(Trouble::Retry(reason)) => {
                    // What moved since the last failure starts a new series.
                    if self.status.borrow().row_count > before {
                        backoff = BACKOFF_MIN;
                    }
                    self.report(StreamState::Waiting { reason });
                    let wait = backoff;
                    backoff = (wait * 2).min(BACKOFF_MAX);
                    wait
                }
                Err(Trouble::Blocked(reason)) => {
                    self.report(StreamState::Blocked { reason });
                    BLOCKED_RETRY
                }
            };
            self.wait_after_failure(wait).await;
        }
    }

    /// Finds its place and ships from there. Returns when told to drain and all is shipped.
    async fn ship(&mut self) -> Result<(), Trouble> {
        let mut place = self.find_place().await?;
        let mut quiet_rounds = 0;
        loop {
            // Read before `synced`: what is synced when the order comes is then shipped for certain.
            let draining = *self.orders.borrow_and_update() == Order::Drain;
            let through = (self.source.synced)();
            let shipped = self.ship_some(&mut place, through).await?;
            self.say(|status| {
                status.state = StreamState::Shipping;
                status.shipped = place.watermark.seq;
                status.synced = through;
            });
            self.reclaim(&place).await;
            if place.watermark.seq < through {
                quiet_rounds = 0;
                continue;
            }
            if draining {
                return Ok(());
            }
            quiet_rounds = if shipped { 0 } else { quiet_rounds + 1 };
            let pause = (self.config.poll_busy * (quiet_rounds / 4 + 1)).min(self.config.poll_idle);
            // An order ends the pause; without orders (the shipper was dropped) the task is being aborted anyway.
            let _ = tokio::time::timeout(pause, self.orders.changed()).await;
        }
    }

    /// Asks Postgres for the watermark, which is the only thing that counts after a start or a failure.
    async fn find_place(&mut self) -> Result<Place, Trouble> {
        let shard = self.source.shard;
        let node = uuid::Uuid::from_bytes(self.config.node.0);
        let genesis = Chain::genesis(self.config.node, shard);
        let claimed = {
            let _turn = self.transactions.acquire().await;
            let claim = async |client: &mut Object| {
                sql::claim().bind(&***client, &node, &i32::from(shard), &genesis.0.as_slice()).one().await
            };
            on_connection(&self.database, claim).await?
        };
        let chain = <[u8; 32]>::try_from(claimed.chain.as_slice())
            .map_err(|_| Trouble::Blocked(format!("the watermark of stream {} holds no chain hash", claimed.id)))?;
        let watermark = StreamPosition { seq: SeqNo(claimed.seq.cast_unsigned()), chain: Chain(chain) };
        let synced = (self.source.synced)();
        if watermark.seq > synced {
            return Err(Trouble::Blocked(format!(
                "the database holds records up to {} of this stream and the journal in `{}` ends at {}: the journal was replaced \
                 by an older copy; restore the newer one",
                watermark.seq.0,
                self.source.dir.display(),
                synced.0
            )));
        }
        if watermark.seq == self.source.settled.seq {
            if watermark.chain != self.source.settled.chain {
                return Err(Trouble::Blocked(format!(
                    "the database and the journal in `{}` hold different records up to {} of this stream; restore the one that was \
                     changed",
                    self.source.dir.display(),
                    watermark.seq.0
                )));
            }
            self.say(|status| status.proven = Some(watermark));
        }
        self.catch_up_with_calls(watermark).await?;
        let tail = Some(Tail::new(&self.source.dir, self.config.node, shard, watermark));
        Ok(Place { stream_id: claimed.id, watermark, tail })
    }

    /// Takes in what was committed without our hearing of it.
    async fn catch_up_with_calls(&mut self, watermark: StreamPosition) -> Result<(), Trouble> {
        let Some(after) = self.open.behind(watermark) else { return Ok(()) };
        let tail = Tail::new(&self.source.dir, self.config.node, self.source.shard, after);
        let read = tokio::task::spawn_blocking(move || rows::steps(tail, watermark.seq)).await;
        let read = read.map_err(|_| Trouble::Retry("the reader of the journal was lost".to_owned()))?;
        let (steps, to) = read.map_err(|error| Trouble::Blocked(error_chain(&error)))?;
        self.open.take(&steps, to);
        Ok(())
    }

    /// One transaction's worth. Says whether there was anything.
    async fn ship_some(&mut self, place: &mut Place, through: SeqNo) -> Result<bool, Trouble> {
        if through <= place.watermark.seq {
            return Ok(false);
        }
        // The turn is taken before the batch is read, so that only as many batches as transactions are in memory.
        let transactions = Arc::clone(&self.transactions);
        let _turn = transactions.acquire().await;
        let Some(rows) = self.read(place, through).await? else { return Ok(false) };
        let days_known = &mut self.days_known;
        let (stream_id, watermark) = (place.stream_id, place.watermark);
        let transaction = async |client: &mut Object| {
            ensure_days(client, &rows.days, days_known).await?;
            commit(client, stream_id, watermark, &rows).await
        };
        match on_connection(&self.database, transaction).await {
            Ok(true) => {}
            Ok(false) => return Err(Trouble::Retry("another process moved this stream's watermark".to_owned())),
            Err(trouble) => {
                // A day that was thought to exist may have been dropped.
                self.days_known.clear();
                return Err(trouble);
            }
        }
        place.watermark = rows.to;
        self.open.take(&rows.steps, rows.to);
        self.say(|status| {
            status.row_count += rows.count;
            status.proven = Some(rows.to);
        });
        Ok(true)
    }

    async fn read(&self, place: &mut Place, through: SeqNo) -> Result<Option<Rows>, Trouble> {
        let gone = || Trouble::Retry("the reader of the journal was lost".to_owned());
        let mut tail = place.tail.take().ok_or_else(gone)?;
        let (stream_id, bytes_max) = (place.stream_id, self.config.batch_bytes);
        let work = move || (rows::read(&mut tail, through, stream_id, bytes_max), tail);
        let (outcome, tail) = tokio::task::spawn_blocking(work).await.map_err(|_| gone())?;
        place.tail = Some(tail);
        outcome.map_err(|error| Trouble::Blocked(blocked(&error)))
    }

    /// Deletes what is shipped and old enough, now and then. That it fails is no reason not to ship.
    async fn reclaim(&mut self, place: &Place) {
        if self.reclaimed_at.elapsed() < RECLAIM_EVERY {
            return;
        }
        self.reclaimed_at = Instant::now();
        let (dir, below, open) = (self.source.dir.clone(), place.watermark.seq, self.open.note(place.watermark.seq));
        let (keep, held_bytes_max) = (self.config.retain_after, self.config.held_bytes_max);
        let rates_noted_us = (self.config.rates_noted_us)();
        let work = move || reclaim::reclaim(&dir, &Reclaim { below, keep, rates_noted_us, held_bytes_max, open: &open });
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(done)) if done.overtaken_count > 0 => {
                tracing::warn!(
                    shard = self.source.shard,
                    segments = done.overtaken_count,
                    "segments deleted that a sink has not read: it holds back more than the journal can spare"
                );
            }
            Ok(Ok(done)) if done.segment_count > 0 => {
                tracing::debug!(
                    shard = self.source.shard,
                    segments = done.segment_count,
                    bytes = done.bytes,
                    "journal segments deleted"
                );
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(shard = self.source.shard, error = %error_chain(&error), "cannot delete shipped journal segments")
            }
            Err(error) => tracing::warn!(shard = self.source.shard, %error, "cannot delete shipped journal segments"),
        }
    }

    /// Waits, but not longer than the database is away.
    async fn wait_after_failure(&self, wait: Duration) {
        let away = matches!(*self.database.state().borrow(), DatabaseState::Down { .. });
        let back = async { if away { self.database.up().await } else { std::future::pending().await } };
        let _ = tokio::time::timeout(wait, back).await;
    }

    /// Notes, and logs when it is news, that the stream does not move.
    fn report(&self, state: StreamState) {
        let news = {
            let seen = self.status.borrow();
            std::mem::discriminant(&seen.state) != std::mem::discriminant(&state)
        };
        match &state {
            StreamState::Waiting { reason } if news => {
                tracing::warn!(shard = self.source.shard, %reason, "audit rows wait in the journal; shipping is tried again");
            }
            StreamState::Blocked { reason } if news => {
                tracing::error!(shard = self.source.shard, %reason, "audit rows stay in the journal until this is mended");
            }
            _ => {}
        }
        self.say(|status| {
            status.failure_count += 1;
            status.state = state;
        });
    }

    fn say(&self, change: impl FnOnce(&mut StreamStatus)) {
        self.status.send_if_modified(|status| {
            let before = status.clone();
            change(status);
            *status != before
        });
    }
}

/// Why the journal cannot be shipped, and what to do about it.
fn blocked(error: &RowsError) -> String {
    let why = error_chain(error);
    match error {
        RowsError::Read(ReadError::Missing { .. }) => format!(
            "{why}. Were they shipped, to a database that is lost? Bring it back; or, to go on without those rows, stop the gateway and \
             move `journal` and `keys/node.id` of the data directory away: it then records as another node, and verification names the \
             stream that ended"
        ),
        _ => why,
    }
}

/// Runs `work` on a connection of the pool. One that failed is thrown away: nobody knows what it has half done.
async fn on_connection<T>(
    database: &Database,
    work: impl AsyncFnOnce(&mut Object) -> Result<T, tokio_postgres::Error>,
) -> Result<T, Trouble> {
    let mut client = database.get().await.map_err(|error| Trouble::Retry(error_chain(&error)))?;
    let trouble = match tokio::time::timeout(TRANSACTION_TIMEOUT, work(&mut client)).await {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => Trouble::of(&error),
        Err(_) => Trouble::Retry(format!("no answer from the database for {} s", TRANSACTION_TIMEOUT.as_secs())),
    };
    drop(Object::take(client));
    Err(trouble)
}

/// Sees to it that rows of these days have somewhere to go, outside the transaction: a partition outlives a rollback.
async fn ensure_days(client: &Object, days: &BTreeSet<u64>, known: &mut BTreeSet<u64>) -> Result<(), tokio_postgres::Error> {
    for day in days {
        if known.contains(day) {
            continue;
        }
        let date = jiff::Timestamp::UNIX_EPOCH
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date()
            .saturating_add(jiff::Span::new().days(*day as i64));
        sql::ensure_partitions().bind(&***client, &date, &DAYS_AHEAD).one().await?;
        if known.len() + DAYS_AHEAD as usize > DAYS_KNOWN_MAX {
            known.clear();
        }
        known.extend((0..DAYS_AHEAD as u64).map(|ahead| day + ahead));
    }
    Ok(())
}

/// The rows and the watermark, both or neither. `false`, and nothing done, when the watermark is not at `from`.
async fn commit(client: &mut Object, stream_id: i32, from: StreamPosition, rows: &Rows) -> Result<bool, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    // Segments are deleted after this commit, so it must be on disk whatever the server's default is.
    transaction.batch_execute("SET LOCAL synchronous_commit = on").await?;
    // The watermark first: it locks the stream's row, so that a second shipper waits here and then finds it moved.
    let (old_seq, new_seq) = (from.seq.0.cast_signed(), rows.to.seq.0.cast_signed());
    let moved = sql::advance().bind(&*transaction, &new_seq, &rows.to.chain.0.as_slice(), &stream_id, &old_seq).await?;
    if moved != 1 {
        transaction.rollback().await?;
        return Ok(false);
    }
    let mut sink = pin!(transaction.copy_in::<_, Bytes>(COPY_IN).await?);
    for piece in &rows.pieces {
        sink.send(piece.clone()).await?;
    }
    sink.finish().await?;
    transaction.commit().await?;
    Ok(true)
}

impl Trouble {
    fn of(error: &tokio_postgres::Error) -> Trouble {
        let text = error_chain(error);
        match error.code() {
            // A day was dropped, or is not made yet.
            Some(code) if *code == SqlState::CHECK_VIOLATION => Trouble::Retry(text),
            // The server understood the row and refuses it: it will again.
            Some(code) if code.code().starts_with("22") || code.code().starts_with("23") => Trouble::Blocked(text),
            _ => Trouble::Retry(text),
        }
    }
}
