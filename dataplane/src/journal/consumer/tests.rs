//! Several readers of one stream: each at its own pace, none in the way of the others for ever.

use std::time::Duration;

use super::super::fixtures::{Build, NODE, SHARD};
use super::super::open_calls::OpenCalls;
use super::super::reclaim::{Reclaim, reclaim};
use super::*;

fn open(dir: &Path, name: &str) -> Consumer {
    Consumer::open(dir, NODE, SHARD, name, Start::Oldest).unwrap()
}

fn reclaim_all(dir: &Path, below: u64, held_bytes_max: u64) -> u64 {
    let open = OpenCalls::default();
    let wanted =
        Reclaim { below: SeqNo(below), keep: Duration::ZERO, rates_noted_us: u64::MAX >> 2, held_bytes_max, open: &open };
    reclaim(dir, &wanted).unwrap().segment_count
}

/// Numbers of all that can be read.
fn read_all(consumer: &mut Consumer, through: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    loop {
        let batch = consumer.read(SeqNo(through)).unwrap();
        if batch.is_empty() {
            return seen;
        }
        seen.extend(batch.frames().map(|frame| frame.seq.0));
    }
}

#[test]
fn each_consumer_goes_on_where_it_committed() {
    let tmp = tempfile::tempdir().unwrap();
    let mut build = Build::new(tmp.path());
    build.fill(10).rotate().fill(10);
    let mut one = open(&build.dir, "one");
    let mut two = open(&build.dir, "two");
    assert_eq!(read_all(&mut one, 20), (1..=20).collect::<Vec<_>>());
    one.commit().unwrap();
    assert_eq!(two.read(SeqNo(20)).unwrap().len(), 10);
    two.commit().unwrap();
    assert_eq!(read_all(&mut two, 20), (11..=20).collect::<Vec<_>>());
    // Not committed: delivered again.
    two.rewind();
    assert_eq!(read_all(&mut two, 20), (11..=20).collect::<Vec<_>>());
    drop((one, two));
    build.fill(5);
    assert_eq!(read_all(&mut open(&build.dir, "one"), 25), (21..=25).collect::<Vec<_>>());
    assert_eq!(read_all(&mut open(&build.dir, "two"), 25), (11..=25).collect::<Vec<_>>());
    let marks: Vec<_> = marks(&build.dir).unwrap().into_iter().map(|mark| (mark.name, mark.committed.unwrap().seq.0)).collect();
    assert_eq!(marks, [("one".to_owned(), 20), ("two".to_owned(), 10)]);
}

#[test]
fn segments_wait_for_the_slowest_as_far_as_the_budget_goes() {
    let tmp = tempfile::tempdir().unwrap();
    let mut build = Build::new(tmp.path());
    for _ in 0..4 {
        build.fill(10).rotate();
    }
    let mut slow = open(&build.dir, "slow");
    let mut fast = open(&build.dir, "fast");
    read_all(&mut fast, 40);
    fast.commit().unwrap();
    assert_eq!(reclaim_all(&build.dir, 40, u64::MAX), 0);
    slow.read(SeqNo(40)).unwrap();
    slow.commit().unwrap();
    assert_eq!(reclaim_all(&build.dir, 40, u64::MAX), 1);

    // The budget does not wait; what was missed is named, once, and the rest follows.
    assert_eq!(reclaim_all(&build.dir, 30, 0), 2);
    let overtaken = slow.read(SeqNo(40)).unwrap_err();
    assert!(matches!(overtaken, ConsumerError::Overtaken { missed_first: SeqNo(11), missed_last: SeqNo(30) }), "{overtaken}");
    slow.skip().unwrap();
    assert_eq!(read_all(&mut slow, 40), (31..=40).collect::<Vec<_>>());
    // Never below what Postgres has.
    slow.commit().unwrap();
    assert_eq!(reclaim_all(&build.dir, 30, 0), 0);
}

#[test]
fn who_is_not_declared_any_more_holds_nothing_back() {
    let tmp = tempfile::tempdir().unwrap();
    let mut build = Build::new(tmp.path());
    build.fill(10).rotate();
    drop((open(&build.dir, "kept"), open(&build.dir, "gone")));
    let mut kept = open(&build.dir, "kept");
    read_all(&mut kept, 10);
    kept.commit().unwrap();
    assert_eq!(reclaim_all(&build.dir, 10, u64::MAX), 0);
    retire(tmp.path(), &|name| name == "kept").unwrap();
    assert_eq!(reclaim_all(&build.dir, 10, u64::MAX), 1);
}

#[test]
fn a_mark_that_cannot_be_trusted_begins_anew() {
    let tmp = tempfile::tempdir().unwrap();
    let mut build = Build::new(tmp.path());
    build.fill(10);
    let mut consumer = open(&build.dir, "one");
    read_all(&mut consumer, 10);
    consumer.commit().unwrap();
    let path = consumer.path.clone();
    for damage in [0, 9, 20, 63] {
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[damage] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(open(&build.dir, "one").committed(), StreamPosition::genesis(NODE, SHARD));
    }
    for name in ["", "UPPER", "a/b", "..", "a b"] {
        let refused = Consumer::open(&build.dir, NODE, SHARD, name, Start::Oldest);
        assert!(matches!(refused, Err(ConsumerError::Name(_))), "{name}");
    }
}
