//! What `frame` promises, as rows and properties.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;
use crate::record::Outcome;
use proptest::prelude::*;

fn outcome(n: u64, error: &str) -> Record<'_> {
    Record::Outcome(Outcome {
        at_us: n,
        trace: [3; 16],
        call: [4; 16],
        decision_seq: n,
        status: 1,
        http_status: 200,
        rpc_code: 0,
        reply_bytes: n,
        duration_us: n,
        upstream: "u",
        attempts: 1,
        redactions: 0,
        cost_microusd: 0,
        error,
    })
}

fn stream(count: u64) -> (Vec<u8>, Chain) {
    let genesis = Chain::genesis(NodeId([1; 16]), 3);
    let mut writer = FrameWriter::new(SeqNo(0), genesis);
    let mut out = Vec::new();
    for n in 0..count {
        let cells = vec![RateCell { key: u128::from(n), state: [n, 7] }; (n % 3) as usize];
        writer.write(&outcome(n, "x"), &cells, &mut out).unwrap();
    }
    (out, genesis)
}

#[test]
fn frames_come_back_in_order_and_chained() {
    let (bytes, mut chain) = stream(50);
    let (mut at, mut seq) = (0, SeqNo(0));
    while at < bytes.len() {
        let Read::Frame(frame) = Frame::read(&bytes[at..]) else { panic!("not a frame at {at}") };
        assert!(frame.follows(seq, chain), "frame {seq:?} breaks the chain");
        assert_eq!(frame.cells().count() as u64, seq.0 % 3);
        assert_eq!(Record::decode(frame.kind, frame.record).unwrap(), outcome(seq.0, "x"));
        (at, seq, chain) = (at + frame.bytes, frame.seq, frame.chain);
    }
    assert_eq!(seq, SeqNo(50));
}

#[test]
fn headers_come_back_and_damage_is_seen() {
    let header = Header {
        node: NodeId([9; 16]),
        shard: 5,
        first: SeqNo(77),
        created_us: 88,
        previous: Chain::genesis(NodeId([9; 16]), 5),
    };
    let bytes = header.encode();
    assert_eq!(Header::decode(&bytes), Ok(header));
    for at in 0..HEADER_BYTES {
        let mut damaged = bytes;
        damaged[at] ^= 1;
        assert!(Header::decode(&damaged).is_err(), "byte {at}");
    }
    assert_eq!(Header::decode(&bytes[..79]), Err(HeaderError::Short));
}

#[test]
fn a_record_that_is_too_large_leaves_the_stream_where_it_was() {
    let mut writer = FrameWriter::new(SeqNo(0), Chain::genesis(NodeId([1; 16]), 0));
    let before = writer.position();
    let mut out = vec![1, 2, 3];
    let text = "x".repeat(FRAME_BYTES_MAX);
    assert!(matches!(writer.write(&outcome(1, &text), &[], &mut out), Err(FrameError::TooLarge(_))));
    assert_eq!((writer.position(), out), (before, vec![1, 2, 3]));
}

proptest! {
    #[test]
    fn a_cut_stream_is_incomplete_and_never_wrong(cut in 0usize..4000) {
        let (bytes, _) = stream(9);
        let cut = cut % bytes.len();
        let mut at = 0;
        loop {
            match Frame::read(&bytes[at..cut]) {
                Read::Frame(frame) => at += frame.bytes,
                Read::Incomplete => break,
                Read::Corrupt(why) => prop_assert!(false, "cut at {} is called corrupt: {}", cut, why),
            }
        }
    }

    #[test]
    fn a_flipped_bit_is_seen(at in 0usize..4000, bit in 0u8..8) {
        let (mut bytes, genesis) = stream(5);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let (mut from, mut seq, mut chain, mut count) = (0, SeqNo(0), genesis, 0);
        while let Read::Frame(frame) = Frame::read(&bytes[from..]) {
            if !frame.follows(seq, chain) { break; }
            (from, seq, chain, count) = (from + frame.bytes, frame.seq, frame.chain, count + 1);
        }
        prop_assert!(count < 5);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Frame::read(&bytes);
        let _ = Header::decode(&bytes);
    }
}
