//! The writer against a real directory: what is acknowledged is there, in order, whatever the disk does.

#![allow(clippy::disallowed_types, reason = "the disk's faults are asked on two threads")]

use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use glommio::{LocalExecutorBuilder, Placement};

use super::super::fixtures::{NODE, SHARD, allowed, outcome};
use super::super::reader::Tail;
use super::super::recovery::{Stream as Recovered, recover_stream};
use super::super::{Disk, Durability, Fault, Faults, Op, State};
use super::*;

/// Runs `work` on a shard of its own.
fn on_shard<F: Future<Output = ()> + 'static>(work: impl FnOnce() -> F + Send + 'static) {
    LocalExecutorBuilder::new(Placement::Unbound).spawn(work).unwrap().join().unwrap();
}

fn genesis() -> StreamPosition {
    StreamPosition::genesis(NODE, SHARD)
}

async fn open(dir: &Path, start: StreamPosition, config: JournalConfig) -> Journal {
    Journal::open(dir, NODE, SHARD, start, config).await.unwrap()
}

fn recovered(dir: &Path) -> Recovered {
    recover_stream(&segment::stream_dir(dir, SHARD), NODE, SHARD, &|_| {}).unwrap()
}

/// The calls of the stream's decisions, in order.
fn calls(dir: &Path) -> Vec<u64> {
    let last = recovered(dir).position.seq;
    let mut tail = Tail::new(&segment::stream_dir(dir, SHARD), NODE, SHARD, genesis());
    let mut calls = Vec::new();
    loop {
        let batch = tail.read(last).unwrap();
        if batch.is_empty() {
            return calls;
        }
        for frame in batch.frames() {
            if let Record::Decision(decision) = Record::decode(frame.kind, frame.record).unwrap() {
                calls.push(u128::from_be_bytes(decision.call) as u64);
            }
        }
    }
}

/// Lets the shard go on until `condition` holds.
async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if condition() {
            return;
        }
        glommio::timer::sleep(Duration::from_millis(1)).await;
    }
    panic!("gave up waiting: {what}");
}

/// Fails what it is told to.
#[derive(Default)]
struct Switches {
    writes: AtomicBool,
    truncates: AtomicBool,
    syncs: AtomicBool,
    creates: AtomicBool,
    log: Mutex<Vec<String>>,
}

impl Faults for Switches {
    fn before(&self, op: Op<'_>) -> Fault {
        let (name, switch, path): (_, _, &Path) = match op {
            Op::Write { path, .. } => ("write", &self.writes, path),
            Op::Truncate { path, .. } => ("truncate", &self.truncates, path),
            Op::Sync(path) => ("sync", &self.syncs, path),
            Op::Create(path) => ("create", &self.creates, path),
            Op::CreateDir(path) | Op::SyncDir(path) => ("dir", &self.creates, path),
            Op::Rename { from, .. } => ("rename", &self.creates, from),
        };
        if path.ends_with("synced") {
            return Fault::None;
        }
        let fail = switch.load(Ordering::Relaxed);
        self.log.lock().unwrap().push(format!(
            "{name} {} {}",
            path.file_name().unwrap().display(),
            if fail { "fails" } else { "ok" }
        ));
        match (fail, op) {
            (false, _) => Fault::None,
            (true, Op::Write { bytes, .. }) => Fault::Short(bytes.len() / 2, io::Error::from_raw_os_error(28)),
            (true, _) => Fault::Fail(io::Error::from_raw_os_error(5)),
        }
    }
}

fn switches(config: &mut JournalConfig) -> Arc<Switches> {
    let switches = Arc::new(Switches::default());
    config.disk = Disk::faulty(Arc::clone(&switches) as Arc<dyn Faults>);
    config.retry_interval = Duration::from_millis(5);
    switches
}

#[test]
fn records_are_there_after_a_close_and_the_stream_goes_on() {
    for durability in [Durability::Written, Durability::Synced] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        on_shard(move || async move {
            let config = JournalConfig { durability, ..JournalConfig::default() };
            let journal = open(&path, genesis(), config.clone()).await;
            let first = journal.append(&allowed(1), &[RateCell { key: 5, state: [6, 7] }]).await.unwrap();
            assert_eq!(first, SeqNo(1));
            assert_eq!(journal.append(&outcome(1, first), &[]).await.unwrap(), SeqNo(2));
            let many: Vec<_> = (2..500).map(|call| journal.append(&allowed(call), &[])).collect();
            for (at, append) in many.into_iter().enumerate() {
                assert_eq!(append.seq(), Some(SeqNo(at as u64 + 3)));
                append.await.unwrap();
            }
            if durability == Durability::Synced {
                assert_eq!(journal.progress().synced(), SeqNo(500));
            }
            let progress = Arc::clone(journal.progress());
            journal.close().await.unwrap();
            assert_eq!((progress.written(), progress.synced()), (SeqNo(500), SeqNo(500)));

            let found = recovered(&path);
            assert_eq!((found.position.seq, found.cut, found.unfinished.len()), (SeqNo(500), None, 498));
            assert_eq!(found.cells[&5].state, [6, 7]);
            let journal = open(&path, found.position, config).await;
            assert_eq!(journal.append(&allowed(500), &[]).await.unwrap(), SeqNo(501));
            drop(journal);
        });
        assert_eq!(calls(dir.path()), (1..=500).collect::<Vec<_>>());
    }
}

#[test]
fn written_records_are_synced_on_schedule_though_nobody_waits() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    on_shard(move || async move {
        let journal = open(&path, genesis(), JournalConfig::default()).await;
        for call in 1..20 {
            let seq = journal.append(&allowed(call), &[]).await.unwrap();
            let progress = Arc::clone(journal.progress());
            until("synced", move || progress.synced() >= seq).await;
        }
        let seq = journal.append(&allowed(20), &[]).await.unwrap();
        journal.flush_and_sync().await.unwrap();
        assert_eq!(journal.progress().synced(), seq);
        journal.close().await.unwrap();
    });
}

#[test]
fn everything_of_one_turn_is_one_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    on_shard(move || async move {
        let mut config = JournalConfig::default();
        let switches = switches(&mut config);
        let journal = open(&path, genesis(), config).await;
        let before = switches.log.lock().unwrap().len();
        let appends: Vec<_> = (1..=64)
            .map(|call| {
                let journal = journal.clone();
                glommio::spawn_local(async move { journal.append(&allowed(call), &[]).await.unwrap() })
            })
            .collect();
        for append in appends {
            append.await;
        }
        let writes = switches.log.lock().unwrap()[before..].iter().filter(|line| line.starts_with("write")).count();
        assert_eq!(writes, 1);
        journal.close().await.unwrap();
    });
}

#[test]
fn segments_follow_one_another_by_size_and_by_age() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    on_shard(move || async move {
        let config = JournalConfig { segment_bytes: 10_000, ..JournalConfig::default() };
        let journal = open(&path, genesis(), config.clone()).await;
        for call in 1..=300 {
            journal.append(&allowed(call), &[]).await.unwrap();
        }
        let listed = segment::list(&segment::stream_dir(&path, SHARD)).unwrap();
        assert!(listed.len() >= 10, "{listed:?}");
        let on_disk: u64 = listed.iter().map(|listed| std::fs::metadata(&listed.path).unwrap().len()).sum();
        assert_eq!(journal.progress().bytes(), on_disk);
        journal.close().await.unwrap();

        // The fixtures' clock stands long before the time of the opening, and then leaps a day ahead.
        let config = JournalConfig { segment_age: Duration::from_secs(3600), ..JournalConfig::default() };
        let journal = open(&path, recovered(&path).position, config).await;
        journal.append(&allowed(301), &[]).await.unwrap();
        let before = segment::list(&segment::stream_dir(&path, SHARD)).unwrap().len();
        journal.append(&allowed(400_000_000_000_000), &[]).await.unwrap();
        journal.append(&allowed(303), &[]).await.unwrap();
        assert_eq!(segment::list(&segment::stream_dir(&path, SHARD)).unwrap().len(), before + 1);
        journal.close().await.unwrap();
    });
    assert_eq!(calls(dir.path()).len(), 303);
}

#[test]
fn a_record_that_is_too_large_is_refused_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    on_shard(move || async move {
        let journal = open(&path, genesis(), JournalConfig::default()).await;
        let text = "x".repeat(100_000);
        let Record::Decision(decision) = allowed(1) else { panic!() };
        let large = Record::Decision(wire::record::Decision { evidence: &text, ..decision });
        assert!(matches!(journal.append(&large, &[]).await, Err(JournalError::Record(_))));
        assert_eq!(journal.append(&allowed(1), &[]).await.unwrap(), SeqNo(1));
        journal.close().await.unwrap();
    });
}

#[test]
fn dropped_appends_are_written_and_a_closed_journal_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    on_shard(move || async move {
        let journal = open(&path, genesis(), JournalConfig::default()).await;
        drop(journal.append(&allowed(1), &[]));
        journal.append(&allowed(2), &[]).await.unwrap();
        let late = journal.clone();
        let pending = journal.append(&allowed(3), &[]);
        journal.close().await.unwrap();
        pending.await.unwrap();
        assert!(matches!(late.append(&allowed(4), &[]).await, Err(JournalError::Closed)));
    });
    assert_eq!(calls(dir.path()), vec![1, 2, 3]);
}

#[test]
fn a_full_disk_refuses_and_recovers_by_itself() {
    // (whether the tail can be cut off, whether a new segment can be made at first)
    for (truncates_fail, creates_fail) in [(false, false), (true, false), (true, true)] {
        for durability in [Durability::Written, Durability::Synced] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().to_owned();
            on_shard(move || async move {
                let mut config = JournalConfig { durability, ..JournalConfig::default() };
                let switches = switches(&mut config);
                let journal = open(&path, genesis(), config).await;
                journal.append(&allowed(1), &[]).await.unwrap();

                switches.writes.store(true, Ordering::Relaxed);
                switches.truncates.store(truncates_fail, Ordering::Relaxed);
                switches.creates.store(creates_fail, Ordering::Relaxed);
                let refused: Vec<_> = (100..110).map(|call| journal.append(&allowed(call), &[])).collect();
                for append in refused {
                    let error = append.await.unwrap_err();
                    assert!(matches!(error, JournalError::Disk { doing: "write", code: Some(28), .. }), "{error}");
                }
                assert!(journal.append(&allowed(111), &[]).await.is_err());
                assert_eq!(journal.progress().state(), State::WriteFailing);

                switches.writes.store(false, Ordering::Relaxed);
                switches.truncates.store(false, Ordering::Relaxed);
                switches.creates.store(false, Ordering::Relaxed);
                let mut call = 2;
                while journal.append(&allowed(call), &[]).await.is_err() {
                    glommio::timer::sleep(Duration::from_millis(1)).await;
                    call += 1;
                    assert!(call < 5_000, "never recovered");
                }
                assert_eq!(journal.append(&allowed(9_999), &[]).await.unwrap(), SeqNo(3));
                assert_eq!(journal.progress().state(), State::Healthy);
                journal.close().await.unwrap();
            });
            let calls = calls(dir.path());
            assert_eq!((calls.len(), calls[0], calls[2]), (3, 1, 9_999));
        }
    }
}

#[test]
fn after_a_failed_sync_nothing_acknowledged_is_lost_and_the_file_is_never_synced_again() {
    for durability in [Durability::Written, Durability::Synced] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        on_shard(move || async move {
            let mut config = JournalConfig { durability, ..JournalConfig::default() };
            let switches = switches(&mut config);
            let journal = open(&path, genesis(), config).await;
            journal.append(&allowed(1), &[]).await.unwrap();
            journal.flush_and_sync().await.unwrap();

            switches.syncs.store(true, Ordering::Relaxed);
            let answer = journal.append(&allowed(2), &[]).await;
            let journal_there = journal.clone();
            until("degraded", move || journal_there.progress().state() == State::Degraded).await;
            assert_eq!(answer.is_ok(), durability == Durability::Written);
            // Under `Synced` what could not be synced was refused, so there is nothing left to wait for.
            assert_eq!(journal.flush_and_sync().await.is_err(), durability == Durability::Written);
            assert!(journal.append(&allowed(100), &[]).await.is_err());
            let tries = Arc::clone(&switches);
            until("tried again", move || tries.log.lock().unwrap().iter().filter(|line| line.contains("fails")).count() > 5)
                .await;
            assert_eq!(journal.progress().synced(), SeqNo(1));

            switches.syncs.store(false, Ordering::Relaxed);
            let journal_there = journal.clone();
            until("healthy", move || journal_there.progress().state() == State::Healthy).await;
            let already = journal.progress().synced().0;
            assert_eq!(already, if durability == Durability::Written { 2 } else { 1 });
            assert_eq!(journal.append(&allowed(3), &[]).await.unwrap(), SeqNo(already + 1));
            journal.close().await.unwrap();

            let log = switches.log.lock().unwrap();
            let syncs: Vec<_> = log.iter().filter(|line| line.starts_with("sync 00000000000000000001")).collect();
            assert_eq!(syncs.iter().filter(|line| line.ends_with("fails")).count(), 1, "{log:?}");
            assert!(syncs.last().unwrap().ends_with("fails"), "{log:?}");
        });
        let expected = if durability == Durability::Written { vec![1, 2, 3] } else { vec![1, 3] };
        assert_eq!(calls(dir.path()), expected);
    }
}

#[test]
fn the_budget_refuses_keeps_room_for_outcomes_and_opens_again_after_reclaim() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    on_shard(move || async move {
        let config = JournalConfig {
            segment_bytes: 20_000,
            bytes_max: 80_000,
            retry_interval: Duration::from_millis(5),
            ..JournalConfig::default()
        };
        let small = JournalConfig { bytes_max: 79_999, ..config.clone() };
        assert!(matches!(Journal::open(&path, NODE, SHARD, genesis(), small).await, Err(JournalError::Budget { .. })));

        let journal = open(&path, genesis(), config).await;
        let mut call = 1;
        let error = loop {
            match journal.append(&allowed(call), &[]).await {
                Ok(_) => call += 1,
                Err(error) => break error,
            }
            assert!(call < 1_000);
        };
        assert!(matches!(error, JournalError::Full { bytes_max: 60_000, .. }), "{error}");
        assert_eq!(journal.progress().state(), State::Full);
        let last = journal.append(&outcome(1, SeqNo(1)), &[]).await.unwrap();
        assert!(journal.append(&allowed(call), &[]).await.is_err());

        journal.flush_and_sync().await.unwrap();
        let stream = segment::stream_dir(&path, SHARD);
        let reclaimed = {
            let open = super::super::open_calls::OpenCalls::default();
            let wanted = super::super::reclaim::Reclaim {
                below: last,
                keep: Duration::ZERO,
                rates_noted_us: u64::MAX >> 2,
                held_bytes_max: u64::MAX,
                open: &open,
            };
            super::super::reclaim::reclaim(&stream, &wanted).unwrap()
        };
        assert!(reclaimed.bytes > 0);
        let there = journal.clone();
        until("healthy", move || there.progress().state() == State::Healthy).await;
        journal.append(&allowed(call), &[]).await.unwrap();
        journal.close().await.unwrap();
    });
}

#[test]
fn a_journal_does_not_begin_before_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    on_shard(move || async move {
        let config = JournalConfig { segment_bytes: 2_000, ..JournalConfig::default() };
        let journal = open(&path, genesis(), config.clone()).await;
        for call in 1..10 {
            journal.append(&allowed(call), &[]).await.unwrap();
        }
        journal.close().await.unwrap();
        assert!(Journal::open(&path, NODE, SHARD, genesis(), config.clone()).await.is_err());
        // A start without appends does not disturb the stream.
        let found = recovered(&path).position;
        for _ in 0..3 {
            open(&path, found, config.clone()).await.close().await.unwrap();
            assert_eq!(recovered(&path).position, found);
        }
    });
}

#[test]
fn the_disk_is_asked_for_what_was_promised() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    let name = |first: u64| PathBuf::from(format!("{first:020}.new"));
    on_shard(move || async move {
        let mut config = JournalConfig { durability: Durability::Synced, segment_bytes: 500, ..JournalConfig::default() };
        let switches = switches(&mut config);
        let journal = open(&path, genesis(), config).await;
        journal.append(&allowed(1), &[]).await.unwrap();
        journal.close().await.unwrap();
        let (one, two) = (name(1), name(2));
        let (one, two) = (one.display(), two.display());
        let expected = [
            "dir shard-003 ok".to_owned(),
            format!("dir {} ok", path.file_name().unwrap().display()),
            // The first segment is whole before it has its name, and the name is durable before it is used.
            format!("create {one} ok"),
            format!("write {one} ok"),
            format!("write {one} ok"),
            format!("sync {one} ok"),
            format!("rename {one} ok"),
            "dir shard-003 ok".to_owned(),
            format!("write {one} ok"),
            // The old one is synced before the new one is begun.
            format!("sync {one} ok"),
            format!("create {two} ok"),
        ];
        assert_eq!(switches.log.lock().unwrap()[..expected.len()], expected);
    });
}

/// A file system of `bytes`, unmounted in the end; `None` where that is not allowed.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(bytes: u64) -> Option<SmallDisk> {
        let dir = tempfile::tempdir().unwrap();
        let options = format!("size={bytes}");
        let mount = std::process::Command::new("mount").args(["-t", "tmpfs", "-o", &options, "sp-test"]).arg(dir.path()).output();
        mount.is_ok_and(|output| output.status.success()).then(|| SmallDisk(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).output();
    }
}

#[test]
fn a_disk_that_is_really_full_refuses_and_recovers_by_itself() {
    for durability in [Durability::Written, Durability::Synced] {
        let Some(disk) = SmallDisk::mount(512 << 10) else {
            eprintln!("skipped: mounting a small tmpfs needs root");
            return;
        };
        let path = disk.0.path().to_owned();
        std::fs::write(path.join("filler"), vec![1; 256 << 10]).unwrap();
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let acknowledged_there = Arc::clone(&acknowledged);
        on_shard(move || async move {
            let config = JournalConfig { durability, retry_interval: Duration::from_millis(5), ..JournalConfig::default() };
            let journal = open(&path, genesis(), config).await;
            let mut call = 0;
            let error = loop {
                call += 1;
                let group: Vec<_> = (0..7).map(|at| (call + at, journal.append(&allowed(call + at), &[]))).collect();
                call += 6;
                let mut failed = None;
                for (call, append) in group {
                    match append.await {
                        Ok(_) => acknowledged_there.lock().unwrap().push(call),
                        Err(error) => failed = Some(error),
                    }
                }
                if let Some(error) = failed {
                    break error;
                }
                assert!(call < 10_000, "the disk never filled");
            };
            assert!(matches!(error, JournalError::Disk { kind: io::ErrorKind::StorageFull, .. }), "{error}");
            // What is left may still hold a smaller group.
            while journal.append(&allowed(20_000 + call), &[]).await.is_ok() {
                acknowledged_there.lock().unwrap().push(20_000 + call);
                call += 1;
            }
            assert_eq!(journal.progress().state(), State::WriteFailing);

            std::fs::remove_file(path.join("filler")).unwrap();
            while journal.append(&allowed(30_000), &[]).await.is_err() {
                glommio::timer::sleep(Duration::from_millis(1)).await;
            }
            acknowledged_there.lock().unwrap().push(30_000);
            assert_eq!(journal.progress().state(), State::Healthy);
            journal.close().await.unwrap();
        });
        assert_eq!(calls(disk.0.path()), *acknowledged.lock().unwrap());
    }
}
