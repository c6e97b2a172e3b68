//! One run: append and ship, crash, recover, compare; three times over. Then ship the rest and look into Postgres.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use dataplane::journal::reader::Tail;
use dataplane::journal::recovery::recover_stream;
use dataplane::journal::segment::stream_dir;
use dataplane::journal::{Disk as JournalDisk, Durability, Faults, Journal, JournalConfig, ReadError, StreamPosition};
use wire::decision::EventKind;
use wire::ids::{NodeId, SeqNo};
use wire::record::{Identity, Notice, Record};

use crate::disk::{Cut, Disk, Forget, Left, Plan};
use crate::lot::Lot;
use crate::trail::{Postgres, Relayed};

/// The only shard; each run is a node of its own, so that one database serves them all.
pub(crate) const SHARD: u16 = 0;
const CRASHES: u64 = 3;

/// What all runs found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Records that had been acknowledged and were not there.
    pub(crate) lost: u64,
    /// Records that were there twice, or as another record than was acknowledged.
    pub(crate) doubled: u64,
    /// Recoveries that refused to start.
    pub(crate) refused: u64,
    pub(crate) acknowledged: u64,
    pub(crate) denied: u64,
    pub(crate) crashes: u64,
    pub(crate) shipped: u64,
    pub(crate) connection_cuts: u64,
}

impl Found {
    pub(crate) fn is_clean(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.refused == 0
    }
}

/// What is printed of each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// Nothing: something is meant to be found.
    Nothing,
    /// What is wrong.
    Findings,
    /// The plan of each run, too.
    All,
}

impl Report {
    fn finding(self, text: impl FnOnce() -> String) {
        if self != Report::Nothing {
            eprintln!("{}", text());
        }
    }
}

/// What must be in the stream whatever happens next: number and call.
pub(crate) type Owed = BTreeMap<SeqNo, u64>;

pub(crate) async fn run(seed: u64, forget: Option<Forget>, report: Report, postgres: &Postgres, found: &mut Found) {
    let mut lot = Lot::new(seed);
    let node = NodeId(uuid::Uuid::now_v7().into_bytes());
    let mut left = Left::new();
    let mut owed = Owed::new();
    let mut start = StreamPosition::genesis(node, SHARD);
    let mut next_call = 1;
    for _ in 0..CRASHES {
        let dir = scratch();
        place(dir.path(), &left);
        let durability = if lot.chance(1, 2) { Durability::Written } else { Durability::Synced };
        let plan = Plan {
            cut_at: 1 + lot.below(90),
            fail_per_mille: if lot.chance(1, 2) { 0 } else { lot.below(120) },
            sync_time: Duration::from_micros(if lot.chance(1, 2) { 0 } else { lot.below(4_000) }),
            forget,
        };
        let disk = Disk::new(&rooted(dir.path(), &left), plan, lot.next());
        let relayed = postgres.relayed(&mut lot);
        if report == Report::All {
            eprintln!("seed {seed}: {durability:?}, {plan:?}, {relayed:?}");
        }
        append_until_cut(dir.path(), (node, start), durability, &disk, &relayed, &mut lot, &mut next_call, found).await;
        found.connection_cuts += relayed.cut_count();
        drop(relayed);
        let mut cut = disk.into_cut();
        found.crashes += 1;
        found.acknowledged += cut.acknowledged.len() as u64;
        if report == Report::All {
            eprintln!("seed {seed}: cut at {}", cut.at);
        }

        let acknowledged: Owed = cut.acknowledged.iter().copied().collect();
        let (process, machine) = (unrooted(dir.path(), &mut cut.process), unrooted(dir.path(), &mut cut.machine));
        let mut after_process = owed.clone();
        after_process.extend(&acknowledged);
        let mut after_machine = owed.clone();
        after_machine.extend(acknowledged.iter().filter(|(seq, _)| durability == Durability::Synced || **seq <= cut.synced));

        let by_process = check(node, &process, &after_process, &cut, report, found);
        let by_machine = check(node, &machine, &after_machine, &cut, report, found);
        let (Some(by_process), Some(by_machine)) = (by_process, by_machine) else {
            if report == Report::All {
                eprintln!("seed {seed}: not recovered");
            }
            return;
        };
        let goes_on;
        (goes_on, owed) = if lot.chance(1, 2) { (by_process, after_process) } else { (by_machine, after_machine) };
        (start, left) = goes_on;
    }

    let dir = scratch();
    place(dir.path(), &left);
    match postgres.ship_the_rest(&stream_dir(dir.path(), SHARD), node, start) {
        Err(why) => {
            report.finding(|| format!("seed {seed}: {why}"));
            found.refused += 1;
        }
        Ok(rows) => {
            found.shipped += rows.len() as u64;
            compare(&rows, &owed, report, "in Postgres", found);
        }
    }
}

/// Some tasks append until the disk is gone or each has had enough, while a shipper ships what is synced.
#[allow(clippy::too_many_arguments, reason = "the parts of one run, which only come together here")]
async fn append_until_cut(
    dir: &Path,
    (node, start): (NodeId, StreamPosition),
    durability: Durability,
    disk: &Arc<Disk>,
    relayed: &Relayed,
    lot: &mut Lot,
    next_call: &mut u64,
    found: &mut Found,
) {
    let config = JournalConfig {
        durability,
        segment_bytes: 400 + lot.below(6_000),
        bytes_max: 1 << 30,
        sync_interval: Duration::from_micros(lot.below(1_500)),
        retry_interval: Duration::from_micros(300),
        disk: JournalDisk::faulty(Arc::clone(disk) as Arc<dyn Faults>),
        ..JournalConfig::default()
    };
    let Ok(journal) = Journal::open(dir, node, SHARD, start, config).await else { return };
    disk.watch(journal.progress());
    let shipper = relayed.ship(&stream_dir(dir, SHARD), node, start, disk);
    let denied = Rc::new(Cell::new(0));
    let tasks: Vec<_> = (0..1 + lot.below(6))
        .map(|_| {
            let calls = *next_call..*next_call + 1 + lot.below(40);
            *next_call = calls.end;
            glommio::spawn_local(append(journal.clone(), calls, Lot::new(lot.next()), Arc::clone(disk), Rc::clone(&denied)))
        })
        .collect();
    for task in tasks {
        task.await;
    }
    // The disk may be gone; what counts is what is found on it.
    let _ = journal.close().await;
    found.denied += denied.get();
    // Sometimes it gets to the end of what is synced, sometimes it dies with the process.
    if lot.chance(1, 2) {
        relayed.drain(shipper);
    }
}

async fn append(journal: Journal, calls: std::ops::Range<u64>, mut lot: Lot, disk: Arc<Disk>, denied: Rc<Cell<u64>>) {
    let text = "x".repeat(lot.below(300) as usize);
    for call in calls {
        if disk.is_cut() {
            return;
        }
        match journal.append(&record(call, &text), &[]).await {
            Ok(seq) => disk.acknowledge(seq, call),
            Err(_) => {
                denied.set(denied.get() + 1);
                glommio::timer::sleep(Duration::from_micros(lot.below(400))).await;
            }
        }
        match lot.below(6) {
            0 => glommio::timer::sleep(Duration::from_micros(lot.below(1_000))).await,
            1 | 2 => glommio::executor().yield_now().await,
            _ => {}
        }
    }
}

/// A twentieth of a second before midnight, so that streams go over it.
const START_US: u64 = 1_772_668_799_950_000;

fn record(call: u64, text: &str) -> Record<'_> {
    let notice = Notice {
        at_us: START_US + call * 1_000,
        trace: u128::from(call).to_le_bytes(),
        identity: Identity::default(),
        verdict: 1,
        reason: 0,
        action: "append",
        subject: text,
        generation: call,
        detail: "",
    };
    Record::Notice(EventKind::Process, notice)
}

/// Recovers what a crash left and compares it with what is owed. Gives back where the stream goes on, and what is on the disk
/// then; `None` when recovery refused.
fn check(node: NodeId, left: &Left, owed: &Owed, cut: &Cut, report: Report, found: &mut Found) -> Option<(StreamPosition, Left)> {
    let dir = scratch();
    place(dir.path(), left);
    let stream = match recover_stream(&stream_dir(dir.path(), SHARD), node, SHARD, &|_| {}) {
        Ok(stream) => stream,
        Err(error) => {
            report.finding(|| format!("{error} (cut at {}, {} synced)", cut.at, cut.synced.0));
            found.refused += 1;
            return None;
        }
    };
    let there = match read(dir.path(), node, stream.position.seq) {
        Ok(there) => there,
        Err(error) => {
            report.finding(|| format!("the tail cannot be read after recovery: {error}"));
            found.refused += 1;
            return None;
        }
    };
    compare(&there, owed, report, &format!("cut at {}, {} synced", cut.at, cut.synced.0), found);
    Some((stream.position, load(dir.path())))
}

/// Compares what is there with what is owed.
fn compare(there: &Owed, owed: &Owed, report: Report, place: &str, found: &mut Found) {
    for (seq, call) in owed {
        match there.get(seq) {
            Some(is) if is == call => {}
            Some(is) => {
                report.finding(|| format!("record {} is call {is}, call {call} was acknowledged ({place})", seq.0));
                found.doubled += 1;
            }
            None => {
                report.finding(|| format!("record {} of call {call} is lost ({place})", seq.0));
                found.lost += 1;
            }
        }
    }
    let calls: std::collections::BTreeSet<_> = there.values().collect();
    found.doubled += (there.len() - calls.len()) as u64;
}

/// Number and call of every record.
fn read(dir: &Path, node: NodeId, through: SeqNo) -> Result<Owed, ReadError> {
    let mut tail = Tail::new(&stream_dir(dir, SHARD), node, SHARD, StreamPosition::genesis(node, SHARD));
    let mut there = Owed::new();
    loop {
        let batch = tail.read(through)?;
        if batch.is_empty() {
            return Ok(there);
        }
        for frame in batch.frames() {
            if let Ok(Record::Notice(_, notice)) = Record::decode(frame.kind, frame.record) {
                there.insert(frame.seq, notice.generation);
            }
        }
    }
}

/// In memory where there is such a place: real syncs would make it a test of the machine's disk.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn place(dir: &Path, left: &Left) {
    for (path, bytes) in left {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

fn load(dir: &Path) -> Left {
    let mut left = Left::new();
    let stream = stream_dir(dir, SHARD);
    for entry in std::fs::read_dir(&stream).into_iter().flatten() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        left.insert(path.strip_prefix(dir).unwrap().to_owned(), bytes);
    }
    left
}

fn rooted(dir: &Path, left: &Left) -> Left {
    left.iter().map(|(path, bytes)| (dir.join(path), bytes.clone())).collect()
}

fn unrooted(dir: &Path, left: &mut Left) -> Left {
    let strip = |path: PathBuf| path.strip_prefix(dir).map(Path::to_owned).unwrap_or(path);
    std::mem::take(left).into_iter().map(|(path, bytes)| (strip(path), bytes)).collect()
}
