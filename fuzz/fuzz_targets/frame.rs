//! Any bytes as a segment of the journal, and as one record: is refused, or is read to its end and written as it was read.
#![no_main]

use std::sync::LazyLock;

use wire::checkpoint::Tombstone;
use wire::decision::EventKind;
use wire::frame::{Frame, Header, Read};
use wire::record::{Identity, Notice, Record};

static RECORD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let identity = Identity { user: "ann of the long name", roles: "reader writer", ..Identity::default() };
    let (trace, detail) = ([1; 16], r#"{"of": "more than eight bytes"}"#);
    let notice =
        Notice { at_us: 1, trace, identity, verdict: 1, reason: 0, action: "publish", subject: "", generation: 9, detail };
    Record::Notice(EventKind::PolicyChange, notice).encode_in(Default::default()).unwrap().to_vec()
});

fn record(kind: u8, bytes: &[u8]) {
    let Ok(record) = Record::decode(kind, bytes) else { return };
    let written = record.encode_in(Default::default()).unwrap();
    assert_eq!(Record::decode(kind, &written).unwrap(), record);
}

libfuzzer_sys::fuzz_target!(|input: (u8, Vec<(u16, u8)>, &[u8])| {
    let (kind, damage, bytes) = input;
    if let Ok(header) = Header::decode(bytes) {
        assert_eq!(Header::decode(&header.encode()), Ok(header));
    }
    if let Read::Frame(frame) = Frame::read(bytes) {
        assert!(frame.cells().count() <= bytes.len());
        record(frame.kind, frame.record);
    }
    record(kind, bytes);
    let mut damaged = RECORD.clone();
    for (at, with) in damage {
        let at = usize::from(at) % damaged.len();
        damaged[at] ^= with;
    }
    record(kind, &damaged);
    record(EventKind::PolicyChange.code(), &damaged);
    if let Some(gaps) = Tombstone::read_gaps(bytes) {
        assert!(gaps.iter().all(|gap| gap.first <= gap.last));
    }
});
