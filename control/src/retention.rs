//! Days come and go: partitions are made ahead, and those whose rows have been kept long enough leave, with a signed
//! tombstone in their place.
//!
//! ```text
//! a day is due ─ its rows are walked (they must verify) ─ tombstones ─ closed for late rows ─ detached ─ dropped
//! ```
//! Nobody waits for it: rows of other days are written and all rows are read meanwhile; only late rows of the day that leaves
//! wait. A crash at any step is made good by the next round. What does not verify is never dropped: it is evidence.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dataplane::inbox::OwnedNotice;
use dataplane::plane::Handle;
use jiff::civil::Date;
use schema::queries::{retention as sql, stream};
use schema::services::governance::Retention;
use serde_json::json;
use tokio::sync::watch;
use tokio_postgres::{Client, Transaction};
use wire::checkpoint::{Gap, Tombstone};
use wire::decision::EventKind;
use wire::ids::SeqNo;

use crate::evidence::trust::{Origin, Trust};
use crate::evidence::verify::{self, Claimed};
use crate::evidence::walk::Walk;
use crate::evidence::{checkpoint, rows};
use crate::keys::Keys;
use crate::postgres::{Database, PostgresError, error_chain};

/// How often it looks.
pub const EVERY: Duration = Duration::from_secs(600);

/// How many days are made ahead. LIMIT: a database that is away for longer gets its days from the shipper.
const DAYS_AHEAD: i32 = 7;

/// Two processes on one database take turns; the number is `spre` in ASCII.
const LOCK: i64 = 0x73_70_72_65;

/// LIMIT: what a statement waits for a lock before it gives up until the next round; others queue behind it that long.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '1s'";

/// Why a day did not leave.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The database refuses, or somebody uses the day; it is tried again in the next round.
    #[error("a day could not be dropped yet")]
    Postgres(#[from] PostgresError),
    /// Its rows are not what was written.
    #[error("the rows of {day} do not verify and are kept as evidence: {what}; see `sp infra logs verify`")]
    Unproven {
        /// The day.
        day: Date,
        /// What was found.
        what: String,
    },
}

/// What a round did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Days that left whole.
    pub dropped: Vec<Date>,
    /// Days that some kinds of rows left.
    pub thinned: Vec<Date>,
    /// Rows that left.
    pub row_count: u64,
}

/// The job.
pub struct Keeper {
    database: Database,
    keys: Arc<Keys>,
    retention: watch::Receiver<Retention>,
}

impl Keeper {
    /// Keeps what `retention` says at the time.
    pub fn new(database: Database, keys: Arc<Keys>, retention: watch::Receiver<Retention>) -> Keeper {
        Keeper { database, keys, retention }
    }

    /// Makes days ahead and lets old ones go, for ever. What has left is recorded through `plane`.
    pub async fn run(self, every: Duration, plane: Handle) {
        loop {
            self.database.up().await;
            match self.round(today()).await {
                Ok(round) if round == Round::default() => {}
                Ok(round) => {
                    tracing::info!(
                        dropped = round.dropped.len(),
                        thinned = round.thinned.len(),
                        rows = round.row_count,
                        "audit days left"
                    );
                    record(&plane, &round).await;
                }
                Err(error) => tracing::warn!(error = %error_chain(&error), "retention"),
            }
            tokio::time::sleep(every).await;
        }
    }

    /// One round, as on the day `today`.
    ///
    /// # Errors
    /// A day stays; those before it have left.
    pub async fn round(&self, today: Date) -> Result<Round, RetentionError> {
        let made = async {
            let client = self.database.get().await?;
            stream::ensure_partitions().bind(&**client, &today, &DAYS_AHEAD).one().await.map_err(failed("make days ahead"))
        };
        made.await?;
        let mut round = Round::default();
        let retention = *self.retention.borrow();
        if retention == Retention::default() {
            return Ok(round);
        }
        let mut owner = self.database.owner().await?;
        let client = &mut owner.client;
        let locked = client.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK]).await.map_err(failed("take turns"))?;
        if !locked.get::<_, bool>(0) {
            return Ok(round);
        }
        // The lock ends with this connection.
        client.batch_execute(LOCK_TIMEOUT).await.map_err(failed("bound the wait for locks"))?;
        for name in sql::detached().bind(&*client).all().await.map_err(failed("look for detached days"))? {
            drop_table(client, &name).await?;
        }
        for day in sql::days().bind(&*client).all().await.map_err(failed("list the days"))? {
            if day.is_closed || day.is_detaching {
                self.finish(client, &day.name, day.is_detaching).await?;
                round.dropped.push(day.day);
                continue;
            }
            let age_days = u32::try_from(verify::days_since_1970(today) - verify::days_since_1970(day.day)).unwrap_or(0);
            // A day is over when the next one begins.
            let is_due = |kind: &EventKind| retention.of(*kind).is_some_and(|days| age_days > days);
            let due: Vec<EventKind> = EventKind::ALL.iter().copied().filter(is_due).collect();
            if !due.is_empty() {
                self.let_go(client, &day.name, day.day, &due, &mut round).await?;
            }
        }
        Ok(round)
    }

    /// Lets the rows of a day go that are due.
    async fn let_go(
        &self,
        client: &mut Client,
        name: &str,
        day: Date,
        due: &[EventKind],
        round: &mut Round,
    ) -> Result<(), RetentionError> {
        let transaction = client.transaction().await.map_err(failed("begin"))?;
        // No more rows of this day until this is decided; whoever reads is not stopped.
        let lock = format!("LOCK TABLE public.{name} IN SHARE ROW EXCLUSIVE MODE");
        transaction.batch_execute(&lock).await.map_err(failed("lock a day"))?;
        let walked = walk_day(&transaction, &self.trust()?, name, day, due).await?;
        if walked.gone_count == 0 && walked.kept_count > 0 {
            return Ok(());
        }
        for ((node, shard), gaps) in walked.gaps {
            self.bury(&transaction, node, shard, day, gaps).await?;
        }
        round.row_count += walked.gone_count;
        if walked.kept_count == 0 {
            // Late rows must not slip in behind the walk; the shipper makes the day anew for them once it is gone.
            let close = format!("ALTER TABLE public.{name} ADD CONSTRAINT closed CHECK (false) NOT VALID");
            transaction.batch_execute(&close).await.map_err(failed("close a day"))?;
            transaction.commit().await.map_err(failed("write tombstones"))?;
            self.finish(client, name, false).await?;
            round.dropped.push(day);
        } else {
            thin(&transaction, name, day, due).await.map_err(failed("put the smaller day in place"))?;
            transaction.commit().await.map_err(failed("put the smaller day in place"))?;
            round.thinned.push(day);
        }
        Ok(())
    }

    /// Takes a closed day away. Each step stands by itself, and the next round goes on after a crash.
    async fn finish(&self, client: &Client, name: &str, is_detaching: bool) -> Result<(), RetentionError> {
        let how = if is_detaching { "FINALIZE" } else { "CONCURRENTLY" };
        let detach = format!("ALTER TABLE public.audit_event DETACH PARTITION public.{name} {how}");
        client.batch_execute(&detach).await.map_err(failed("detach a day"))?;
        drop_table(client, name).await
    }

    /// Writes the tombstone of a stream's rows of a day.
    async fn bury(
        &self,
        transaction: &Transaction<'_>,
        node: wire::ids::NodeId,
        shard: u16,
        day: Date,
        gaps: Vec<Gap>,
    ) -> Result<(), RetentionError> {
        let mut tombstone = Tombstone {
            id: uuid::Uuid::now_v7().into_bytes(),
            node,
            shard,
            day: verify::days_since_1970(day),
            at_us: now_us(),
            gaps,
            kid: self.keys.signing.kid().to_owned(),
            signature: [0; 64],
        };
        tombstone.signature = self.keys.signing.sign(&tombstone.message());
        let at = jiff::Timestamp::from_microsecond(tombstone.at_us.cast_signed()).unwrap_or(jiff::Timestamp::MAX);
        sql::add_tombstone()
            .bind(
                transaction,
                &uuid::Uuid::from_bytes(tombstone.id),
                &uuid::Uuid::from_bytes(node.0),
                &i32::from(shard),
                &day,
                &at,
                &tombstone.gap_bytes().as_slice(),
                &tombstone.kid.as_str(),
                &tombstone.signature.as_slice(),
            )
            .await
            .map_err(failed("write a tombstone"))?;
        Ok(())
    }

    fn trust(&self) -> Result<Trust, RetentionError> {
        let public = self.keys.signing.public().try_into().map_err(|_| PostgresError::Copy)?;
        Ok(Trust::new(Origin::DataDir, [public]))
    }
}

/// What a walk through a day found.
#[derive(Default)]
struct WalkedDay {
    gaps: BTreeMap<(wire::ids::NodeId, u16), Vec<Gap>>,
    gone_count: u64,
    kept_count: u64,
}

/// Walks the rows of a day, each stream from the record before its first one, and notes the runs that are due.
async fn walk_day(
    transaction: &Transaction<'_>,
    trust: &Trust,
    name: &str,
    day: Date,
    due: &[EventKind],
) -> Result<WalkedDay, RetentionError> {
    let mut walked = WalkedDay::default();
    // Tombstones of other nodes are not ours to judge; they only say where rows are gone.
    let gaps_known = verify::gaps(transaction, trust, &mut Vec::new()).await?;
    let signed = checkpoint::all(transaction).await?;
    for stream in verify::claimed(transaction).await? {
        let bounds = format!("SELECT min(seq), max(seq) FROM public.{name} WHERE stream_id = $1");
        let row = transaction.query_one(&bounds, &[&stream.id]).await.map_err(failed("find the rows of a day"))?;
        let (Some(first), Some(last)) = (row.get::<_, Option<i64>>(0), row.get::<_, Option<i64>>(1)) else { continue };
        let (base, last) = (SeqNo(first.cast_unsigned().saturating_sub(1)), SeqNo(last.cast_unsigned()));
        let gaps = gaps_known.get(&(stream.node, stream.shard)).cloned().unwrap_or_default();
        let mut signed: Vec<_> = signed
            .iter()
            .filter(|c| (c.node, c.shard) == (stream.node, stream.shard) && trust.check(c).is_ok())
            .cloned()
            .collect();
        let chain = verify::chain_after(transaction, &stream, base, &signed, &gaps).await?;
        signed.retain(|checkpoint| checkpoint.seq <= last);
        let mut walk = Walk::new((base, chain), last, gaps, signed);
        let mut runs = Runs::default();
        rows::for_each(transaction, stream.id, base.0.cast_signed(), last.0.cast_signed(), |seen| {
            walk.row(seen.seq, &seen.row);
            let Ok(row) = &seen.row else { return };
            let is_of_day = row.at.stored() / 86_400_000_000 == u64::try_from(verify::days_since_1970(day)).unwrap_or(0);
            let is_gone = is_of_day && row.kind.code().and_then(EventKind::from_code).is_some_and(|kind| due.contains(&kind));
            walked.gone_count += u64::from(is_gone);
            walked.kept_count += u64::from(is_of_day && !is_gone);
            runs.row(row.seq(), is_gone.then_some(row.chain()));
        })
        .await?;
        if let Some(finding) = walk.end().findings.first() {
            let what = format!("stream {}/{}: {finding:?}", stream.node, stream.shard);
            return Err(RetentionError::Unproven { day, what });
        }
        if !runs.gaps.is_empty() {
            walked.gaps.insert(key(&stream), runs.gaps);
        }
    }
    Ok(walked)
}

fn key(stream: &Claimed) -> (wire::ids::NodeId, u16) {
    (stream.node, stream.shard)
}

/// Numbers that follow one another and leave.
#[derive(Default)]
struct Runs {
    gaps: Vec<Gap>,
    last: Option<SeqNo>,
}

impl Runs {
    /// The next row, with its chain if it leaves.
    fn row(&mut self, seq: SeqNo, gone: Option<wire::frame::Chain>) {
        let Some(chain) = gone else {
            self.last = None;
            return;
        };
        let follows = self.last.is_some_and(|last| last.0 + 1 == seq.0);
        match self.gaps.last_mut().filter(|_| follows) {
            Some(gap) => (gap.last, gap.chain) = (seq, chain),
            None => self.gaps.push(Gap { first: seq, last: seq, chain }),
        }
        self.last = Some(seq);
    }
}

/// Puts a day in place that holds only the rows that are not due: all at once, in the transaction of their tombstones. Only the
/// exchange itself locks the whole table.
async fn thin(transaction: &Transaction<'_>, name: &str, day: Date, due: &[EventKind]) -> Result<(), tokio_postgres::Error> {
    let due: Vec<&str> = due.iter().map(|kind| kind.as_str()).collect();
    let next = day.tomorrow().unwrap_or(day);
    let kept = format!("{name}_kept");
    transaction.batch_execute(&format!("CREATE TABLE public.{kept} (LIKE public.audit_event INCLUDING ALL)")).await?;
    let copy = format!("INSERT INTO public.{kept} SELECT * FROM public.{name} WHERE kind <> ALL ($1)");
    transaction.execute(&copy, &[&due]).await?;
    // The check spares the scan while the whole table is locked.
    transaction
        .batch_execute(&format!(
            "SET LOCAL timezone = 'UTC';
             ALTER TABLE public.{kept} ADD CONSTRAINT of_day CHECK (at >= '{day}' AND at < '{next}');
             CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.{kept} EXECUTE FUNCTION public.audit_event_is_append_only();
             ALTER TABLE public.audit_event DETACH PARTITION public.{name};
             ALTER TABLE public.audit_event ATTACH PARTITION public.{kept} FOR VALUES FROM ('{day}') TO ('{next}');
             ALTER TABLE public.{kept} DROP CONSTRAINT of_day;
             DROP TABLE public.{name};
             ALTER TABLE public.{kept} RENAME TO {name};"
        ))
        .await
}

async fn drop_table(client: &Client, name: &str) -> Result<(), RetentionError> {
    client.batch_execute(&format!("DROP TABLE public.{name}")).await.map_err(failed("drop a day"))?;
    Ok(())
}

/// What left is part of the trail.
async fn record(plane: &Handle, round: &Round) {
    let days = |days: &[Date]| days.iter().map(ToString::to_string).collect::<Vec<_>>();
    let detail = json!({ "dropped": days(&round.dropped), "thinned": days(&round.thinned), "rows": round.row_count });
    let notice = OwnedNotice {
        kind: Some(EventKind::Job),
        at_us: now_us(),
        action: "retention".to_owned(),
        subject: "audit_event".to_owned(),
        detail: detail.to_string(),
        ..OwnedNotice::default()
    };
    if let Err(reason) = plane.append(notice).await {
        tracing::error!(reason = reason.as_str(), "what retention removed could not be recorded");
    }
}

fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

fn failed(action: &'static str) -> impl FnOnce(tokio_postgres::Error) -> PostgresError {
    PostgresError::query(action)
}

fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
mod tests;
