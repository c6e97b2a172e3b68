//! What the shipper sees of a stream that grows, rotates, is taken back and is reclaimed.

use std::fs::File;
use std::time::{Duration, SystemTime};

use wire::frame::Header;

use super::super::fixtures::{Build, NODE, SHARD, allowed};
use super::super::open_calls::OpenCalls;
use super::super::reclaim::{Reclaim, Reclaimed, reclaim};
use super::*;

fn reclaim_below(dir: &Path, below: u64, keep: Duration) -> Reclaimed {
    let open = OpenCalls::default();
    reclaim(dir, &Reclaim { below: SeqNo(below), keep, rates_noted_us: u64::MAX >> 2, held_bytes_max: u64::MAX, open: &open })
        .unwrap()
}

/// Reads up to `through`; the numbers of the frames, batch by batch.
fn read_all(tail: &mut Tail, through: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    loop {
        let batch = tail.read(SeqNo(through)).unwrap();
        assert_eq!(batch.frames().count(), batch.len());
        if batch.is_empty() {
            return seen;
        }
        assert_eq!(batch.frames().last().unwrap().chain, batch.last().chain);
        seen.extend(batch.frames().map(|frame| frame.seq.0));
    }
}

fn tail(build: &Build, after: StreamPosition) -> Tail {
    Tail::new(&build.dir, NODE, SHARD, after)
}

fn genesis() -> StreamPosition {
    StreamPosition::genesis(NODE, SHARD)
}

#[test]
fn frames_come_in_order_across_segments_and_batches() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    build.fill(5000).rotate().fill(1).rotate().fill(3000);
    let mut whole = tail(&build, genesis());
    assert_eq!(read_all(&mut whole, 8001), (1..=8001).collect::<Vec<_>>());
    assert_eq!(whole.position(), build.position());

    // From the middle of a segment, from its end, and up to a bound.
    for (from, through) in [(17, 90), (5000, 8001), (4999, 5001), (8000, 8001), (8001, 8001)] {
        let mut before = tail(&build, genesis());
        read_all(&mut before, from);
        let mut rest = tail(&build, before.position());
        assert_eq!(read_all(&mut rest, through), (from + 1..=through).collect::<Vec<_>>());
    }
}

#[test]
fn nothing_is_asked_of_the_disk_when_there_is_nothing_new() {
    let mut tail = Tail::new(Path::new("/does/not/exist"), NODE, SHARD, genesis());
    assert!(tail.read(SeqNo(0)).unwrap().is_empty());
    assert!(matches!(tail.read(SeqNo(1)), Err(ReadError::Missing { wanted: SeqNo(1), .. })));
}

#[test]
fn frames_beyond_the_bound_may_be_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    build.fill(10);
    let mut tail = tail(&build, genesis());
    assert_eq!(read_all(&mut tail, 6), vec![1, 2, 3, 4, 5, 6]);
    // Frames 7 to 10 were read ahead; they are cut off and others are written in their place.
    let kept = Build::new(dir.path()).fill(6).position();
    let mut frames = wire::frame::FrameWriter::new(kept.seq, kept.chain);
    let mut bytes = std::fs::read(build.path()).unwrap();
    for call in 100..104 {
        frames.write(&allowed(call), &[], &mut bytes).unwrap();
    }
    std::fs::write(build.path(), &bytes).unwrap();
    assert_eq!(read_all(&mut tail, 10), vec![7, 8, 9, 10]);
    assert_eq!(tail.position().chain, frames.position().1);
}

#[test]
fn what_lies_beyond_the_next_segments_beginning_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    build.fill(3);
    let mut tail = tail(&build, genesis());
    assert_eq!(read_all(&mut tail, 2), vec![1, 2]);
    // A failed group that could not be cut off: whole frames that nobody was told of, with the numbers that follow.
    let position = build.position();
    let mut failed = Vec::new();
    wire::frame::FrameWriter::new(position.seq, position.chain).write(&allowed(77), &[], &mut failed).unwrap();
    build.litter(&failed).litter(b"torn").rotate().fill(2);
    assert_eq!(read_all(&mut tail, 5), vec![3, 4, 5]);
    assert_eq!(tail.position(), build.position());
}

#[test]
fn damage_and_gaps_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    let first = build.path();
    build.fill(20).rotate().fill(20);
    let good = std::fs::read(&first).unwrap();
    for at in [0, 20, 40, 79, 81, 500, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        std::fs::write(&first, bad).unwrap();
        let error = loop {
            match tail(&build, genesis()).read(SeqNo(40)) {
                Ok(batch) => assert!(!batch.is_empty()),
                Err(error) => break error,
            }
        };
        assert!(matches!(&error, ReadError::Damaged { segment, .. } if *segment == first), "{at}: {error}");
    }
    std::fs::remove_file(&first).unwrap();
    assert!(matches!(tail(&build, genesis()).read(SeqNo(40)), Err(ReadError::Missing { wanted: SeqNo(1), .. })));
}

#[test]
fn a_watermark_of_another_stream_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    build.fill(20);
    let foreign = StreamPosition { seq: SeqNo(10), chain: wire::frame::Chain([1; 32]) };
    let error = tail(&build, foreign).read(SeqNo(20)).unwrap_err();
    assert!(error.to_string().contains("two different streams"), "{error}");
    let ahead = StreamPosition { seq: SeqNo(30), chain: wire::frame::Chain([1; 32]) };
    assert!(matches!(tail(&build, ahead).read(SeqNo(31)), Err(ReadError::Damaged { .. })));
    // And one of another node or shard.
    let mut other = Tail::new(&build.dir, NodeId([8; 16]), SHARD, genesis());
    assert!(other.read(SeqNo(1)).unwrap_err().to_string().contains("belongs to node"));
    let mut other = Tail::new(&build.dir, NODE, SHARD + 1, genesis());
    assert!(other.read(SeqNo(1)).unwrap_err().to_string().contains("belongs to shard"));
}

#[test]
fn whole_segments_below_the_watermark_are_reclaimed_when_they_are_old() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    build.fill(10).rotate().fill(10).rotate().fill(10);
    let left = |build: &Build| segment::list(&build.dir).unwrap().into_iter().map(|listed| listed.first.0).collect::<Vec<_>>();

    assert_eq!(reclaim_below(&build.dir, 30, Duration::from_secs(60)), Reclaimed::default());
    assert_eq!(reclaim_below(&build.dir, 9, Duration::ZERO), Reclaimed::default());
    assert_eq!(left(&build), vec![1, 11, 21]);

    let reclaimed = reclaim_below(&build.dir, 10, Duration::ZERO);
    assert_eq!(reclaimed.segment_count, 1);
    assert!(reclaimed.bytes > wire::frame::HEADER_BYTES as u64);
    assert_eq!(left(&build), vec![11, 21]);

    // A file from the future: the clock went back.
    let ahead = SystemTime::now() + Duration::from_secs(3600);
    File::options().write(true).open(segment::segment_path(&build.dir, SeqNo(11))).unwrap().set_modified(ahead).unwrap();
    assert_eq!(reclaim_below(&build.dir, 30, Duration::ZERO), Reclaimed::default());
    File::options()
        .write(true)
        .open(segment::segment_path(&build.dir, SeqNo(11)))
        .unwrap()
        .set_modified(SystemTime::UNIX_EPOCH)
        .unwrap();

    // The newest stays, although every record of it is below the watermark.
    assert_eq!(reclaim_below(&build.dir, 30, Duration::ZERO).segment_count, 1);
    assert_eq!(left(&build), vec![21]);
    let header = std::fs::read(build.path()).unwrap();
    assert_eq!(Header::decode(&header).unwrap().first, SeqNo(21));
}
