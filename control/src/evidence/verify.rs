//! Verifying a database: every stream walked once, in one snapshot, from nothing but the rows and the public key.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use schema::queries::{evidence as sql, retention};
use serde::Serialize;
use tokio_postgres::{IsolationLevel, Transaction};
use wire::checkpoint::{Checkpoint, Gap, Tombstone};
use wire::frame::Chain;
use wire::ids::{NodeId, SeqNo};

use super::trust::{Origin, Trust};
use super::walk::{Walk, Walked};
use super::{checkpoint, rows};
use crate::postgres::PostgresError;

/// What to verify. Both ends are included; left out, everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Range {
    /// Rows since then.
    pub from: Option<Timestamp>,
    /// Rows until then.
    pub to: Option<Timestamp>,
}

/// How far it has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Rows looked at.
    pub row_count: u64,
    /// Rows to look at, about.
    pub row_count_total: u64,
}

/// One stream of the report.
#[derive(Debug, Serialize)]
pub struct Stream {
    /// Whose.
    pub node: String,
    /// Which of its shards.
    pub shard: u16,
    /// What was found.
    #[serde(flatten)]
    pub walked: Walked,
}

/// What verifying found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether everything fits.
    pub ok: bool,
    /// Whose keys were trusted.
    pub keys: Origin,
    /// Every stream.
    pub streams: Vec<Stream>,
    /// What is wrong beside the rows: signatures, checkpoints and streams.
    pub problems: Vec<String>,
    /// What does not disprove anything and should be known.
    pub warnings: Vec<String>,
    /// Rows looked at.
    pub row_count: u64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// A stream's row.
pub(crate) struct Claimed {
    pub(crate) id: i32,
    pub(crate) node: NodeId,
    pub(crate) shard: u16,
    pub(crate) seq: SeqNo,
    chain: Vec<u8>,
}

type ByStream = BTreeMap<(NodeId, u16), Vec<Checkpoint>>;

/// Verifies what `client` can see. `exported` are checkpoints that were kept elsewhere: each must be there, and all count.
///
/// # Errors
/// The database cannot be read. What is wrong with its contents stands in the report.
pub async fn verify(
    client: &mut tokio_postgres::Client,
    trust: Option<Trust>,
    range: Range,
    exported: &[Checkpoint],
    report_progress: &mut dyn FnMut(Progress),
) -> Result<Report, PostgresError> {
    let began = Instant::now();
    let failed = || PostgresError::query("read the audit trail");
    let snapshot = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let transaction = snapshot.start().await.map_err(failed())?;
    let trust = match trust {
        Some(trust) => trust,
        None => keys_of_database(&transaction).await?,
    };
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let stored = checkpoint::all(&transaction).await?;
    let mut checkpoints = check_all(stored, exported, &trust, &mut problems, &mut warnings);
    let mut gaps = gaps(&transaction, &trust, &mut problems).await?;
    let streams = claimed(&transaction).await?;
    check_streams(&transaction, &streams, &checkpoints, &mut problems).await?;

    let mut report =
        Report { ok: false, keys: trust.origin, streams: Vec::new(), problems, warnings, row_count: 0, elapsed_ms: 0 };
    let mut spans = Vec::new();
    for stream in &streams {
        let signed = checkpoints.remove(&(stream.node, stream.shard)).unwrap_or_default();
        let gaps = gaps.remove(&(stream.node, stream.shard)).unwrap_or_default();
        spans.extend(span(&transaction, stream, range, &signed, &gaps).await?.map(|span| (stream, span, signed, gaps)));
    }
    let row_count_total = spans.iter().map(|(_, span, _, _)| span.through.0.saturating_sub(span.base.0)).sum();
    for (stream, span, mut signed, gaps) in spans {
        if !span.is_whole {
            // What was signed about later rows says nothing about these.
            signed.retain(|checkpoint| checkpoint.seq <= span.through);
        }
        let mut walk = Walk::new((span.base, span.chain), span.through, gaps, signed);
        // Numbers below the first and above the last are looked at too when everything is: nothing may stand there.
        let (after, through) =
            if span.is_whole { (i64::MIN, i64::MAX) } else { (span.base.0.cast_signed(), span.through.0.cast_signed()) };
        let mut seen = report.row_count;
        rows::for_each(&transaction, stream.id, after, through, |row| {
            walk.row(row.seq, &row.row);
            seen += 1;
            if seen.is_multiple_of(20_000) {
                report_progress(Progress { row_count: seen, row_count_total });
            }
        })
        .await?;
        report.row_count = seen;
        let walked = walk.end();
        if span.through == stream.seq
            && walked.last == stream.seq.0
            && walked.chain.0.as_slice() != stream.chain
            && walked.findings.is_empty()
        {
            let text = "its watermark does not fit its last row: one of the two was changed";
            report.problems.push(format!("stream {}/{}: {text}", stream.node, stream.shard));
        }
        report.streams.push(Stream { node: stream.node.to_string(), shard: stream.shard, walked });
    }
    report_progress(Progress { row_count: report.row_count, row_count_total });
    report.ok = report.problems.is_empty() && report.streams.iter().all(|stream| stream.walked.findings.is_empty());
    report.elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

impl Report {
    /// Rows in a second.
    pub fn rows_per_second(&self) -> f64 {
        self.row_count as f64 / Duration::from_millis(self.elapsed_ms.max(1)).as_secs_f64()
    }
}

async fn keys_of_database(transaction: &Transaction<'_>) -> Result<Trust, PostgresError> {
    let keys = sql::keys().bind(transaction).all().await.map_err(PostgresError::query("read the public keys"))?;
    Ok(Trust::new(Origin::Database, keys.into_iter().filter_map(|key| key.public_key.try_into().ok())))
}

pub(crate) async fn claimed(transaction: &Transaction<'_>) -> Result<Vec<Claimed>, PostgresError> {
    let rows = sql::streams().bind(transaction).all().await.map_err(PostgresError::query("read the streams"))?;
    let claimed = rows.into_iter().filter_map(|row| {
        let shard = row.shard.try_into().ok()?;
        let (node, seq) = (NodeId(row.node.into_bytes()), SeqNo(row.seq.cast_unsigned()));
        Some(Claimed { id: row.id, node, shard, seq, chain: row.chain })
    });
    Ok(claimed.collect())
}

/// The checkpoints whose signatures verify, by stream; what is wrong with the others is said.
fn check_all(
    stored: Vec<Checkpoint>,
    exported: &[Checkpoint],
    trust: &Trust,
    problems: &mut Vec<String>,
    warnings: &mut Vec<String>,
) -> ByStream {
    let mut by_stream = ByStream::new();
    let known: BTreeSet<[u8; 32]> = stored.iter().map(Checkpoint::digest).collect();
    let gone = exported.iter().filter(|exported| !known.contains(&exported.digest()));
    for (checkpoint, is_stored) in stored.iter().map(|stored| (stored, true)).chain(gone.map(|gone| (gone, false))) {
        let name = format!("checkpoint {} of stream {}/{}", checkpoint.number, checkpoint.node, checkpoint.shard);
        match trust.check(checkpoint) {
            Ok(()) if is_stored => {}
            Ok(()) => {
                problems.push(format!("{name} was exported and is not in the database: it was removed, or the database is older"))
            }
            Err(why) => {
                problems.push(format!("{name}: {why}"));
                continue;
            }
        }
        by_stream.entry((checkpoint.node, checkpoint.shard)).or_default().push(checkpoint.clone());
    }
    for ((node, shard), checkpoints) in &mut by_stream {
        checkpoints.sort_by_key(|checkpoint| checkpoint.number);
        checkpoints.dedup();
        let mut before: Option<&Checkpoint> = None;
        for checkpoint in checkpoints.iter() {
            let expected = before.map_or(1, |before| before.number + 1);
            if checkpoint.number > expected {
                let missing = if checkpoint.number - expected == 1 {
                    format!("checkpoint {expected} is")
                } else {
                    format!("checkpoints {expected} to {} are", checkpoint.number - 1)
                };
                warnings.push(format!("stream {node}/{shard}: {missing} not there; later ones vouch for the rows"));
            } else if before.is_some_and(|before| before.digest() != checkpoint.previous || before.number == checkpoint.number) {
                problems
                    .push(format!("stream {node}/{shard}: checkpoint {} does not follow the one before it", checkpoint.number));
            }
            before = Some(checkpoint);
        }
    }
    by_stream
}

/// Rows and checkpoints of streams that are not there.
async fn check_streams(
    transaction: &Transaction<'_>,
    streams: &[Claimed],
    checkpoints: &ByStream,
    problems: &mut Vec<String>,
) -> Result<(), PostgresError> {
    for (node, shard) in checkpoints.keys() {
        if !streams.iter().any(|stream| (stream.node, stream.shard) == (*node, *shard)) {
            problems.push(format!("stream {node}/{shard} was signed and is not in the database"));
        }
    }
    let ids = sql::stream_ids().bind(transaction).all().await.map_err(PostgresError::query("read the streams of rows"))?;
    for id in ids {
        if !streams.iter().any(|stream| stream.id == id) {
            problems.push(format!("there are rows of a stream {id} that does not exist: they were put in"));
        }
    }
    Ok(())
}

/// Which numbers of a stream are walked.
struct Span {
    base: SeqNo,
    chain: Option<Chain>,
    through: SeqNo,
    is_whole: bool,
}

/// The numbers that a range of time falls on; `None` where the stream has none. The end is moved to the next signature, which
/// is what proves the rows before it.
async fn span(
    transaction: &Transaction<'_>,
    stream: &Claimed,
    range: Range,
    signed: &[Checkpoint],
    gaps: &[Gap],
) -> Result<Option<Span>, PostgresError> {
    let failed = || PostgresError::query("find the rows of that time");
    if range.from.is_none() && range.to.is_none() {
        return Ok(Some(Span {
            base: SeqNo(0),
            chain: Some(Chain::genesis(stream.node, stream.shard)),
            through: stream.seq,
            is_whole: true,
        }));
    }
    let base = match range.from {
        None => SeqNo(0),
        Some(from) => match sql::first_since().bind(transaction, &stream.id, &from).one().await.map_err(failed())? {
            None => return Ok(None),
            Some(first) => SeqNo(first.cast_unsigned().saturating_sub(1)),
        },
    };
    let last = match range.to {
        None => stream.seq,
        Some(to) => match sql::last_until().bind(transaction, &stream.id, &to).one().await.map_err(failed())? {
            None => return Ok(None),
            Some(last) => SeqNo(last.cast_unsigned()),
        },
    };
    let through = signed.iter().map(|checkpoint| checkpoint.seq).filter(|seq| *seq >= last).min().unwrap_or(last);
    let chain = chain_after(transaction, stream, base, signed, gaps).await?;
    Ok(Some(Span { base, chain, through: through.min(stream.seq), is_whole: false }))
}

/// The chain after record `base`: what was signed, what a tombstone says, or what the row carries.
pub(crate) async fn chain_after(
    transaction: &Transaction<'_>,
    stream: &Claimed,
    base: SeqNo,
    signed: &[Checkpoint],
    gaps: &[Gap],
) -> Result<Option<Chain>, PostgresError> {
    if base.0 == 0 {
        return Ok(Some(Chain::genesis(stream.node, stream.shard)));
    }
    let signed = signed.iter().find(|checkpoint| checkpoint.seq == base).map(|checkpoint| checkpoint.chain);
    let left = gaps.iter().find(|gap| gap.last == base).map(|gap| gap.chain);
    if let Some(chain) = signed.or(left) {
        return Ok(Some(chain));
    }
    let stored = sql::chain_of().bind(transaction, &stream.id, &base.0.cast_signed()).opt().await;
    let stored = stored.map_err(PostgresError::query("read a chain hash"))?;
    Ok(stored.and_then(|stored| stored.try_into().ok()).map(Chain))
}

/// What retention removed, by stream; tombstones that do not verify are said.
pub(crate) async fn gaps(
    transaction: &Transaction<'_>,
    trust: &Trust,
    problems: &mut Vec<String>,
) -> Result<BTreeMap<(NodeId, u16), Vec<Gap>>, PostgresError> {
    let stored = retention::tombstones().bind(transaction).all().await.map_err(PostgresError::query("read tombstones"))?;
    let mut by_stream: BTreeMap<_, Vec<Gap>> = BTreeMap::new();
    for row in stored {
        let name = format!("tombstone {} of {}", row.id, row.day);
        let tombstone = (|| {
            Some(Tombstone {
                id: row.id.into_bytes(),
                node: NodeId(row.node.into_bytes()),
                shard: row.shard.try_into().ok()?,
                day: days_since_1970(row.day),
                at_us: row.at.as_microsecond().cast_unsigned(),
                gaps: Tombstone::read_gaps(&row.gaps)?,
                kid: row.kid,
                signature: row.signature.try_into().ok()?,
            })
        })();
        match tombstone {
            Some(tombstone) if trust.verifies(&tombstone.kid, &tombstone.message(), &tombstone.signature) => {
                by_stream.entry((tombstone.node, tombstone.shard)).or_default().extend(tombstone.gaps);
            }
            Some(_) => problems.push(format!("{name}: its signature does not verify with a trusted key")),
            None => problems.push(format!("{name} cannot be read: it was changed")),
        }
    }
    Ok(by_stream)
}

/// As a tombstone counts days.
pub(crate) fn days_since_1970(day: jiff::civil::Date) -> i32 {
    let epoch = jiff::civil::date(1970, 1, 1);
    day.since(epoch).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests;
