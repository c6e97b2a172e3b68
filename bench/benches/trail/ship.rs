//! The shipper, from journal to commit, in turn with `psql`'s `\copy` of the same rows into the same table.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use control::evidence::checkpoint::Checkpointer;
use control::keys::Keys;
use control::postgres::Database;
use control::postgres::throwaway::{ThrowawayCluster, ThrowawayDatabase};
use control::shipper::{Shipper, ShipperConfig};
use schema::audit::COLUMN_LIST;

use crate::grouped;
use crate::journal::Journal;

/// LIMIT: a run that hangs says so instead.
const PATIENCE: Duration = Duration::from_secs(600);
const SEGMENT_RECORDS: u64 = 50_000;
/// The day on which the journal's records begin; see its `START_US`.
const FIRST_DAY: &str = "2026-03-04";

/// A trail that was shipped and signed.
pub(crate) struct Trail {
    pub(crate) server: ThrowawayDatabase,
    pub(crate) keys: Arc<Keys>,
    pub(crate) rows: u64,
    _dir: tempfile::TempDir,
    _cluster: ThrowawayCluster,
}

/// Ships `rows` rows `rounds` times, copies them as often, prints the rates and keeps the first that was shipped.
pub(crate) async fn compare(rows: u64, rounds: u32) -> Result<Trail> {
    let cluster = ThrowawayCluster::start_durable().await?;
    let dir = tempfile::Builder::new().prefix("sp-bench-trail-").tempdir_in("/tmp")?;
    let keys = Arc::new(Keys::open(dir.path())?);
    let journal_dir = dir.path().join("journal");
    let mut journal = Journal::new(&journal_dir, keys.node, 0);
    for _ in 0..rows / SEGMENT_RECORDS {
        journal.append(SEGMENT_RECORDS);
        journal.rotate();
    }
    let file = FileForPsql::new()?;
    let (mut shipped, mut copied) = (Vec::new(), Vec::new());
    let mut kept = None;
    for round in 0..rounds.max(1) {
        let (server, database) = empty(&cluster).await?;
        shipped.push(ship(&database, &journal, rows, &keys, &journal_dir).await?);
        if round == 0 {
            let size = file.fill(server.url())?;
            println!("{rows} rows, {} bytes each in the journal's COPY", size / rows);
        }
        let (bare_server, _bare) = empty(&cluster).await?;
        copied.push(file.copy_into(bare_server.url(), rows)?);
        println!("round {}: shipper {}/s, raw COPY by psql {}/s", round + 1, rate(rows, &shipped), rate(rows, &copied));
        kept.get_or_insert(server);
    }
    let (ours, raw) = (median(&mut shipped), median(&mut copied));
    println!("shipper, journal to commit, one stream   {} rows/s", grouped(rows as f64 / ours));
    println!("raw COPY BINARY by psql, the same table  {} rows/s", grouped(rows as f64 / raw));
    println!("ratio                                    {:.2}\n", raw / ours);
    let server = kept.context("no round was run")?;
    Ok(Trail { server, keys, rows, _dir: dir, _cluster: cluster })
}

async fn empty(cluster: &ThrowawayCluster) -> Result<(ThrowawayDatabase, Database)> {
    let server = cluster.database().await?;
    let database = server.migrated().await?;
    psql(server.url(), &format!("SELECT ensure_partitions('{FIRST_DAY}', 3)"))?;
    Ok((server, database))
}

/// Ships everything and signs it.
async fn ship(database: &Database, journal: &Journal, rows: u64, keys: &Arc<Keys>, journal_dir: &Path) -> Result<f64> {
    database.up().await;
    let began = Instant::now();
    let shipper = Shipper::start(database, &ShipperConfig::new(journal.node, Duration::from_secs(3600)), vec![journal.source()]);
    let streams = shipper.watch();
    let ended = shipper.drain(PATIENCE).await;
    let took = began.elapsed().as_secs_f64();
    ensure!(ended.iter().all(|stream| stream.shipped.0 == rows), "not everything was shipped: {ended:?}");
    let signer = Checkpointer::new(database.clone(), Arc::clone(keys), journal_dir, streams);
    // The journal belongs to one database; this bench gives it to several, each signed from its beginning.
    let _ = std::fs::remove_file(journal.dir.join("checkpoint"));
    signer.sign().await.context("sign what was shipped")?;
    Ok(took)
}

/// The rows as psql reads them.
struct FileForPsql {
    path: PathBuf,
    _dir: tempfile::TempDir,
}

impl FileForPsql {
    fn new() -> Result<FileForPsql> {
        let dir = tempfile::Builder::new().prefix("sp-bench-rows-").tempdir_in("/tmp")?;
        Ok(FileForPsql { path: dir.path().join("rows.copy"), _dir: dir })
    }

    fn fill(&self, url: &str) -> Result<u64> {
        let query = format!("SELECT {COLUMN_LIST} FROM audit_event ORDER BY seq");
        psql(url, &format!("\\copy ({query}) TO '{}' (FORMAT binary)", self.path.display()))?;
        Ok(self.path.metadata()?.len())
    }

    fn copy_into(&self, url: &str, rows: u64) -> Result<f64> {
        let command = format!("\\copy audit_event ({COLUMN_LIST}) FROM '{}' (FORMAT binary)", self.path.display());
        let began = Instant::now();
        psql(url, &command)?;
        let took = began.elapsed().as_secs_f64();
        let count = psql(url, "SELECT count(*) FROM audit_event")?;
        ensure!(count.trim() == rows.to_string(), "psql copied {count} rows");
        Ok(took)
    }
}

/// Runs one command of psql and gives what it printed.
pub(crate) fn psql(url: &str, command: &str) -> Result<String> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "-c", command, url])
        .output()
        .context("run `psql`; install the package postgresql-client")?;
    if !output.status.success() {
        bail!("psql: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn rate(rows: u64, times: &[f64]) -> String {
    times.last().map_or_else(String::new, |seconds| grouped(rows as f64 / seconds))
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
