//! Streams as crashes, full disks and vandals leave them.

use std::time::Duration;

use wire::decision::{Channel, Verdict};
use wire::frame::{FrameWriter, HEADER_BYTES};

use super::super::fixtures::{Build, NODE, SHARD, allowed, decision, outcome};
use super::super::reclaim::{Reclaim, reclaim};
use super::*;

fn recovered(build: &Build) -> Result<Stream, ReadError> {
    recover_stream(&build.dir, NODE, SHARD, &|_| {})
}

fn mark(build: &Build, segment: u64, synced: u64) {
    let marker = Marker { segment: SeqNo(segment), synced: SeqNo(synced) };
    std::fs::write(Marker::path(&build.dir), marker.encode()).unwrap();
}

#[test]
fn a_clean_stream_is_taken_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    assert_eq!(recovered(&build).unwrap().position, StreamPosition::genesis(NODE, SHARD));
    build.fill(100).rotate().fill(50).rotate();
    mark(&build, 101, 120);
    let stream = recovered(&build).unwrap();
    assert_eq!((stream.position, stream.record_count, stream.cut), (build.position(), 150, None));
    let on_disk: u64 = segment::list(&build.dir).unwrap().iter().map(|l| std::fs::metadata(&l.path).unwrap().len()).sum();
    assert_eq!(stream.bytes, on_disk);
}

#[test]
fn cells_and_unfinished_calls_are_what_the_stream_says_last() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    let cell = |key, state| RateCell { key, state: [state, 0] };
    let first = build.append(&allowed(1), &[cell(1, 10), cell(2, 10)]);
    let second = build.append(&allowed(2), &[cell(1, 11)]);
    build.append(&decision(3, Channel::Mcp, Verdict::Deny), &[]);
    build.append(&decision(4, Channel::Hook, Verdict::Allow), &[cell(3, 1)]);
    build.append(&decision(5, Channel::Decide, Verdict::Allow), &[]);
    build.append(&outcome(1, first), &[]);
    build.rotate();
    let last = build.append(&decision(6, Channel::Job, Verdict::Allow), &[]);

    let stream = recovered(&build).unwrap();
    let mut cells: Vec<_> = stream.cells.values().map(|cell| (cell.key, cell.state[0])).collect();
    cells.sort_unstable();
    assert_eq!(cells, vec![(1, 11), (2, 10), (3, 1)]);
    assert_eq!(stream.unfinished.iter().map(|call| call.seq).collect::<Vec<_>>(), vec![second, last]);
    assert_eq!(stream.unfinished[0].trace, 2u128.to_le_bytes());
    assert_eq!(stream.unfinished[0].call, 2u128.to_be_bytes());

    build.append(&outcome(2, second), &[]);
    assert_eq!(recovered(&build).unwrap().unfinished.len(), 1);
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    build.fill(20).rotate().fill(3);
    let before = build.position();
    let whole = std::fs::read(build.path()).unwrap();
    build.fill(2);
    let longer = std::fs::read(build.path()).unwrap();
    let frame = (longer.len() - whole.len()) / 2;
    for end in whole.len() + 1..whole.len() + frame {
        std::fs::write(build.path(), &longer[..end]).unwrap();
        let stream = recovered(&build).unwrap();
        assert_eq!(stream.position, before, "{end}");
        let cut = stream.cut.unwrap();
        assert_eq!((cut.offset, cut.bytes), (whole.len() as u64, (end - whole.len()) as u64));
        assert_eq!(std::fs::read(build.path()).unwrap(), whole);
        assert_eq!(recovered(&build).unwrap().cut, None);
    }
    // Zeros, as some file systems leave them, and rubbish.
    for litter in [vec![0; 5000], vec![0xff; 100], vec![1, 0, 0, 0, 0, 0, 0, 0]] {
        std::fs::write(build.path(), &whole).unwrap();
        build.litter(&litter);
        assert_eq!(recovered(&build).unwrap().position, before);
    }
}

#[test]
fn without_power_the_unsynced_tail_may_have_holes() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    build.fill(10);
    let synced = std::fs::metadata(build.path()).unwrap().len() as usize;
    let before = build.position();
    build.fill(10);
    let mut bytes = std::fs::read(build.path()).unwrap();
    bytes[synced + 3] ^= 0xff;
    std::fs::write(build.path(), &bytes).unwrap();

    // Without a mark nobody knows whether this was safe already.
    let error = recovered(&build).unwrap_err();
    assert!(matches!(&error, ReadError::Damaged { offset, .. } if *offset == synced as u64), "{error}");
    mark(&build, 1, 11);
    let error = recovered(&build).unwrap_err();
    assert!(error.to_string().contains("up to record 11 was synced"), "{error}");
    mark(&build, 1, 10);
    let stream = recovered(&build).unwrap();
    assert_eq!(stream.position, before);
    assert_eq!(stream.cut.unwrap().bytes, (bytes.len() - synced) as u64);
}

#[test]
fn what_was_synced_must_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    build.fill(10).rotate().fill(10);
    mark(&build, 11, 15);
    let bytes = std::fs::read(build.path()).unwrap();
    let frame = (bytes.len() - HEADER_BYTES) / 10;
    for (frames, fine) in [(5, true), (4, false), (0, false)] {
        std::fs::write(build.path(), &bytes[..HEADER_BYTES + frames * frame]).unwrap();
        assert_eq!(recovered(&build).is_ok(), fine, "{frames}");
    }
    std::fs::remove_file(build.path()).unwrap();
    assert!(matches!(recovered(&build), Err(ReadError::Missing { wanted: SeqNo(11), .. })));
}

#[test]
fn a_flipped_bit_in_a_sealed_segment_is_damage_wherever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    let first = build.path();
    build.fill(3).rotate().fill(3);
    let good = std::fs::read(&first).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        std::fs::write(&first, bad).unwrap();
        let error = recovered(&build).unwrap_err();
        assert!(matches!(&error, ReadError::Damaged { segment, .. } if *segment == first), "{at}: {error}");
        assert!(error.to_string().contains("restore the file"), "{error}");
    }
}

#[test]
fn missing_and_reordered_segments_are_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    let mut paths = vec![build.path()];
    for _ in 0..2 {
        build.fill(5).rotate();
        paths.push(build.path());
    }
    build.fill(5);
    let files: Vec<_> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();

    std::fs::remove_file(&paths[1]).unwrap();
    assert!(matches!(recovered(&build), Err(ReadError::Damaged { segment, .. }) if segment == paths[0]));
    std::fs::write(&paths[1], &files[2]).unwrap();
    std::fs::write(&paths[2], &files[1]).unwrap();
    assert!(recovered(&build).unwrap_err().to_string().contains("its header says that it begins with 11"));
    std::fs::write(&paths[1], &files[1]).unwrap();
    std::fs::write(&paths[2], &files[2]).unwrap();
    assert_eq!(recovered(&build).unwrap().position, build.position());

    // The oldest may be gone: the shipper reclaims them.
    std::fs::remove_file(&paths[0]).unwrap();
    assert_eq!(recovered(&build).unwrap().position, build.position());
    // A segment that was being made does not count.
    std::fs::write(segment::segment_path_new(&build.dir, SeqNo(16)), b"half a header").unwrap();
    assert_eq!(recovered(&build).unwrap().position, build.position());
    assert!(segment::list_new(&build.dir).unwrap().is_empty());
}

#[test]
fn a_failed_write_that_could_not_be_cut_off_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    build.fill(3);
    let position = build.position();
    let mut failed = Vec::new();
    FrameWriter::new(position.seq, position.chain).write(&allowed(77), &[], &mut failed).unwrap();
    build.litter(&failed).litter(b"torn").rotate().fill(2);
    let stream = recovered(&build).unwrap();
    assert_eq!((stream.position, stream.record_count), (build.position(), 5));
}

#[test]
fn every_stream_is_recovered_whatever_the_number_of_shards() {
    let dir = tempfile::tempdir().unwrap();
    for shard in [0u16, 1, 7, 1000] {
        let start = StreamPosition::genesis(NODE, shard);
        let header = wire::frame::Header { node: NODE, shard, first: SeqNo(1), created_us: 0, previous: start.chain };
        let mut bytes = header.encode().to_vec();
        FrameWriter::new(start.seq, start.chain).write(&allowed(1), &[], &mut bytes).unwrap();
        let stream = segment::stream_dir(dir.path(), shard);
        std::fs::create_dir_all(&stream).unwrap();
        std::fs::write(segment::segment_path(&stream, SeqNo(1)), bytes).unwrap();
    }
    std::fs::create_dir(dir.path().join("lost+found")).unwrap();
    let most = AtomicU64::new(0);
    let total = AtomicU64::new(0);
    let found = recover(dir.path(), NODE, &|scanned| {
        most.fetch_max(scanned.bytes, Ordering::Relaxed);
        total.store(scanned.bytes_total, Ordering::Relaxed);
    })
    .unwrap();
    assert_eq!(found.iter().map(|stream| stream.shard).collect::<Vec<_>>(), vec![0, 1, 7, 1000]);
    assert!(found.iter().all(|stream| stream.position.seq == SeqNo(1) && stream.unfinished.len() == 1));
    let headers = 4 * HEADER_BYTES as u64;
    assert_eq!(most.into_inner() + headers, total.into_inner());
    assert!(recover(&dir.path().join("none"), NODE, &|_| {}).unwrap().is_empty());
}

#[test]
fn a_call_whose_decision_was_reclaimed_is_still_completed() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    let long = build.append(&allowed(1), &[]);
    let short = build.append(&allowed(2), &[]);
    build.append(&outcome(2, short), &[]);
    build.rotate().fill(1).rotate();
    let Record::Decision(decision) = allowed(1) else { panic!("a decision") };
    let open = OpenCalls { through: SeqNo(3), calls: vec![opens(long, &decision).unwrap()] };
    let wanted =
        Reclaim { below: SeqNo(4), keep: Duration::ZERO, rates_noted_us: u64::MAX >> 2, held_bytes_max: u64::MAX, open: &open };
    assert_eq!(reclaim(&build.dir, &wanted).unwrap().segment_count, 2);
    assert_eq!(recovered(&build).unwrap().unfinished.iter().map(|call| call.seq).collect::<Vec<_>>(), vec![long]);

    // Its outcome, wherever it comes, ends it.
    build.append(&outcome(1, long), &[]);
    assert_eq!(recovered(&build).unwrap().unfinished, []);
}

#[test]
fn what_was_completed_is_not_completed_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    build.fill(3);
    let found = recovered(&build).unwrap();
    assert_eq!(found.unfinished.len(), 3);
    // The outcomes may stand in another stream and leave the journal before the decisions do.
    settle(&build.dir, found.position).unwrap();
    let later = build.append(&allowed(9), &[]);
    assert_eq!(recovered(&build).unwrap().unfinished.iter().map(|call| call.seq).collect::<Vec<_>>(), vec![later]);
}

#[test]
fn a_call_that_ended_in_another_stream_has_ended() {
    let dir = tempfile::tempdir().unwrap();
    let mut build = Build::new(dir.path());
    let first = build.append(&allowed(1), &[]);
    build.append(&allowed(2), &[]);
    // The stream of shard 0 has a decision with the same number, which stays open.
    let other = segment::stream_dir(dir.path(), 0);
    std::fs::create_dir_all(&other).unwrap();
    let start = StreamPosition::genesis(NODE, 0);
    let mut frames = FrameWriter::new(start.seq, start.chain);
    let header = wire::frame::Header { node: NODE, shard: 0, first: SeqNo(1), created_us: 1, previous: start.chain };
    let mut bytes = header.encode().to_vec();
    frames.write(&allowed(7), &[], &mut bytes).unwrap();
    frames.write(&outcome(1, first), &[], &mut bytes).unwrap();
    std::fs::write(segment::segment_path(&other, SeqNo(1)), &bytes).unwrap();

    let found = recover(dir.path(), NODE, &|_| {}).unwrap();
    let open: Vec<_> = found.iter().map(|stream| (stream.shard, stream.unfinished.iter().map(|c| c.call).collect())).collect();
    assert_eq!(open, vec![(0, vec![7u128.to_be_bytes()]), (SHARD, vec![2u128.to_be_bytes()])]);
}
