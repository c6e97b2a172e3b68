//! Every way to change a stream, found by the walk alone. Rows are those of a stream of 40 records, signed at 20 and 35.

use bytes::BytesMut;
use schema::audit::Fields;
use wire::frame::FrameWriter;
use wire::ids::NodeId;
use wire::record::{Identity, Notice, Record};

use super::*;

const NODE: NodeId = NodeId([1; 16]);
const COUNT: u64 = 40;

/// A row as it comes from COPY.
#[derive(Clone)]
struct Stored {
    seq: i64,
    bytes: Vec<u8>,
}

fn record(n: u64, subject: &str) -> Record<'_> {
    let notice = Notice {
        at_us: 1_772_668_799_900_000 + n,
        trace: u128::from(n).to_le_bytes(),
        identity: Identity { user: "ann", ..Identity::default() },
        verdict: 1,
        reason: 0,
        action: "publish",
        subject,
        generation: n,
        detail: "",
    };
    Record::Notice(wire::decision::EventKind::PolicyChange, notice)
}

fn stored(seq: i64, chain: Chain, record: &Record<'_>) -> Stored {
    let mut bytes = BytesMut::new();
    AuditRow::new(1, SeqNo(seq.cast_unsigned()), chain, record).put(&mut bytes);
    Stored { seq, bytes: bytes[2..].to_vec() }
}

/// The chain after each record, from 0 on, made of records whose subject is `subject`.
fn chains(subject: &str) -> Vec<Chain> {
    let mut writer = FrameWriter::new(SeqNo(0), Chain::genesis(NODE, 0));
    let mut chains = vec![Chain::genesis(NODE, 0)];
    for n in 1..=COUNT {
        writer.write(&record(n, subject), &[], &mut Vec::new()).unwrap();
        chains.push(writer.position().1);
    }
    chains
}

fn rows(subject: &str) -> Vec<Stored> {
    let chains = chains(subject);
    (1..=COUNT).map(|n| stored(n as i64, chains[n as usize], &record(n, subject))).collect()
}

fn signed() -> Vec<Checkpoint> {
    let chains = chains("s");
    let at = |number: u64, seq: u64| Checkpoint {
        node: NODE,
        shard: 0,
        number,
        at_us: number,
        seq: SeqNo(seq),
        chain: chains[seq as usize],
        previous: [0; 32],
        kid: String::new(),
        signature: [0; 64],
    };
    vec![at(1, 20), at(2, 35)]
}

fn walk_with(rows: &[Stored], gaps: Vec<Gap>) -> Walked {
    let mut walk = Walk::new((SeqNo(0), Some(Chain::genesis(NODE, 0))), SeqNo(COUNT), gaps, signed());
    for row in rows {
        walk.row(row.seq, &AuditRow::parse(&mut Fields::new(&row.bytes)));
    }
    walk.end()
}

fn check(rows: &[Stored], findings: &[Finding]) {
    let walked = walk_with(rows, Vec::new());
    assert_eq!(walked.findings, findings);
    assert_eq!(walked.signed_through, 35);
}

fn altered(seq: u64) -> Finding {
    Finding::Altered { seq, what: "its contents or its chain hash do not fit the row before it".to_owned() }
}

#[test]
fn what_was_written_fits() {
    let walked = walk_with(&rows("s"), Vec::new());
    assert_eq!((walked.findings, walked.row_count, walked.last, walked.signed_through), (vec![], COUNT, COUNT, 35));
    assert_eq!(walked.chain, chains("s")[COUNT as usize]);
}

#[test]
fn a_row_that_says_something_else_is_found_wherever_it_stands() {
    let chains = chains("s");
    for n in 1..=COUNT {
        let mut rows = rows("s");
        rows[n as usize - 1] = stored(n as i64, chains[n as usize], &record(n, "t"));
        check(&rows, &[altered(n)]);
        // Any one bit of its stored bytes.
        let whole = self::rows("s");
        for bit in (0..whole[n as usize - 1].bytes.len() * 8).step_by(61) {
            let mut rows = whole.clone();
            rows[n as usize - 1].bytes[bit / 8] ^= 1 << (bit % 8);
            // The stream and the number are how the row was found; its lengths make it another row.
            let is_place = bit / 8 < 20;
            let found = walk_with(&rows, Vec::new()).findings;
            assert!(is_place || !found.is_empty(), "bit {bit} of row {n}");
        }
    }
}

#[test]
fn a_chain_hash_that_was_changed_is_one_finding() {
    for n in [1, 7, 20, 34, 35, 39] {
        let mut rows = rows("s");
        rows[n as usize - 1] = stored(n, Chain([9; 32]), &record(n as u64, "s"));
        let what = if n == 20 || n == 35 {
            // What was signed is the truth there.
            "its contents or its chain hash do not fit the row before it"
        } else {
            "its chain hash was changed, its contents fit"
        };
        check(&rows, &[Finding::Altered { seq: n as u64, what: what.to_owned() }]);
    }
}

#[test]
fn rows_that_are_gone_are_named() {
    for (first, last) in [(1, 1), (1, 5), (7, 7), (19, 20), (20, 20), (21, 21), (30, 35), (36, 40), (40, 40), (1, 40)] {
        let rows: Vec<_> = rows("s").into_iter().filter(|row| row.seq < first || row.seq > last).collect();
        let (first, last) = (first as u64, last as u64);
        let walked = walk_with(&rows, Vec::new());
        assert_eq!(walked.findings, [Finding::Missing { first, last }]);
    }
}

#[test]
fn swapped_rows_are_named() {
    let chains = chains("s");
    for (a, b) in [(7, 9), (7, 8), (1, 40), (20, 21), (19, 20), (10, 30), (35, 36), (39, 40)] {
        let expect = [Finding::Reordered { seq: a, found_at: b }, Finding::Reordered { seq: b, found_at: a }];
        // With their hashes, as who exchanges the numbers does.
        let mut rows = rows("s");
        let (at_a, at_b) = (a as usize - 1, b as usize - 1);
        rows[at_a] = stored(a as i64, chains[b as usize], &record(b, "s"));
        rows[at_b] = stored(b as i64, chains[a as usize], &record(a, "s"));
        assert_eq!(walk_with(&rows, Vec::new()).findings, expect, "{a} and {b} with their hashes");
        // Without.
        rows[at_a] = stored(a as i64, chains[a as usize], &record(b, "s"));
        rows[at_b] = stored(b as i64, chains[b as usize], &record(a, "s"));
        assert_eq!(walk_with(&rows, Vec::new()).findings, expect, "{a} and {b}");
    }
}

#[test]
fn rows_that_were_put_in_are_named() {
    let chains = chains("s");
    for n in [1, 20, 27, 35, 40] {
        for before in [true, false] {
            let mut rows = rows("s");
            // The best that can be made: it fits the row before it.
            let false_record = record(n as u64, "forged");
            let bytes = false_record.encode_in(AlignedVec::new()).unwrap();
            let fits = chains[n as usize - 1].next(SeqNo(n as u64), false_record.kind().code(), &bytes);
            let forged = stored(n, if before { Chain([3; 32]) } else { fits }, &false_record);
            rows.insert(n as usize - usize::from(before), forged);
            check(&rows, &[Finding::Inserted { seq: n }]);
        }
    }
    for seq in [41, 1000, i64::MAX] {
        let mut rows = rows("s");
        rows.push(stored(seq, Chain([3; 32]), &record(1, "forged")));
        check(&rows, &[Finding::Inserted { seq }]);
    }
    for seq in [0, -5, i64::MIN] {
        let mut rows = rows("s");
        rows.insert(0, stored(seq, Chain([3; 32]), &record(1, "forged")));
        check(&rows, &[Finding::Inserted { seq }]);
    }
}

#[test]
fn a_chain_that_was_made_anew_does_not_fit_what_was_signed() {
    let rows = rows("another");
    let walked = walk_with(&rows, Vec::new());
    // The second part begins from what was signed, and does not fit that either.
    assert_eq!(walked.findings[0], Finding::Rewritten { after: 0, through: 20, checkpoint: 1 });
    assert_eq!(walked.findings[1], altered(21));
    assert!(walked.findings.contains(&altered(36)), "{walked:?}");
}

#[test]
fn what_retention_removed_is_no_loss_and_the_rest_still_fits() {
    let chains = chains("s");
    let gap = |first: u64, last: u64| Gap { first: SeqNo(first), last: SeqNo(last), chain: chains[last as usize] };
    let without = |gone: &dyn Fn(i64) -> bool| rows("s").into_iter().filter(|row| !gone(row.seq)).collect::<Vec<_>>();
    for (gaps, gone) in [
        (vec![gap(1, 10)], Box::new(|n: i64| n <= 10) as Box<dyn Fn(i64) -> bool>),
        (vec![gap(1, 20)], Box::new(|n| n <= 20)),
        (vec![gap(1, 40)], Box::new(|_| true)),
        // Some kinds stay longer; then they go too.
        (vec![gap(1, 4), gap(6, 10)], Box::new(|n| n <= 10 && n != 5)),
        (vec![gap(1, 4), gap(6, 10), gap(1, 10)], Box::new(|n| n <= 10)),
        (vec![gap(1, 4), gap(6, 10), gap(5, 5)], Box::new(|n| n <= 10)),
    ] {
        let rows = without(&gone);
        let walked = walk_with(&rows, gaps.clone());
        assert_eq!(walked.findings, [], "{gaps:?}");
        assert_eq!(walked.dropped_count, COUNT - rows.len() as u64, "{gaps:?}");
    }
    // A row more than the tombstone says.
    let walked = walk_with(&without(&|n| n <= 11), vec![gap(1, 10)]);
    assert_eq!(walked.findings, [Finding::Missing { first: 11, last: 11 }]);
    // The tombstone is there and the rows still are: a crash came between.
    assert_eq!(walk_with(&rows("s"), vec![gap(1, 10)]).findings, []);
}
