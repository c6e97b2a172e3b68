//! What `audit` promises, as rows and properties.

use proptest::prelude::*;
use rkyv::util::AlignedVec;

use super::*;

/// Texts with the characters that need care.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z]{1,12}", "[\0\u{f8ff}01é\u{ef00}]{0,12}", ".{0,40}"]
}

fn identity<'a>(t: &'a [String], n: &[u64]) -> Identity<'a> {
    Identity {
        user: &t[0],
        tenant: &t[1],
        department: &t[2],
        tier: n[0] as u8,
        auth_method: n[1] as u8,
        roles: &t[3],
        scopes: &t[4],
        token_id: &t[5],
        client: &t[6],
        act_for: &t[7],
        address: &t[8],
    }
}

/// A record of each shape, made of arbitrary texts and numbers.
fn records<'a>(t: &'a [String], n: &[u64]) -> [Record<'a>; 3] {
    let decision = Decision {
        at_us: n[2] >> 16,
        trace: [n[3] as u8; 16],
        call: [n[4] as u8; 16],
        identity: identity(t, n),
        agent: AgentContext { agent: &t[9], session: &t[10], mcp_session: &t[11], context: &t[12], task: &t[13] },
        channel: n[5] as u8,
        server: &t[14],
        tool: &t[15],
        method: &t[16],
        args_digest: [n[6] as u8; 32],
        args_bytes: n[7] as u32,
        args_preview: &t[17],
        verdict: n[8] as u8,
        layer: n[9] as u8,
        reason: n[10] as u8,
        rule: &t[18],
        evidence: &t[19],
        observed: &t[20],
        generation: n[11],
        retry_after_ms: n[12],
        decide_ns: n[13] as u32,
    };
    let outcome = Outcome {
        at_us: n[2] >> 16,
        trace: [n[3] as u8; 16],
        call: [n[4] as u8; 16],
        decision_seq: n[5],
        status: n[6] as u8,
        http_status: n[7] as u16,
        rpc_code: n[8] as i32,
        reply_bytes: n[9],
        duration_us: n[10],
        upstream: &t[0],
        attempts: n[11] as u8,
        redactions: n[12] as u32,
        cost_microusd: n[13],
        error: &t[1],
    };
    let notice = Notice {
        at_us: n[2] >> 16,
        trace: [n[3] as u8; 16],
        identity: identity(t, n),
        verdict: n[8] as u8,
        reason: n[10] as u8,
        action: &t[9],
        subject: &t[10],
        generation: n[11],
        detail: &t[11],
    };
    [Record::Decision(decision), Record::Outcome(outcome), Record::Notice(EventKind::PolicyChange, notice)]
}

/// The fields of one binary COPY row.
fn fields(mut row: &[u8]) -> Vec<Option<Vec<u8>>> {
    fn take<'b>(from: &mut &'b [u8], count: usize) -> &'b [u8] {
        let (head, tail) = from.split_at(count);
        *from = tail;
        head
    }
    let count = i16::from_be_bytes(take(&mut row, 2).try_into().unwrap());
    let fields = (0..count)
        .map(|_| {
            let length = i32::from_be_bytes(take(&mut row, 4).try_into().unwrap());
            usize::try_from(length).ok().map(|length| take(&mut row, length).to_vec())
        })
        .collect();
    assert!(row.is_empty(), "bytes are left over");
    fields
}

proptest! {
    #[test]
    fn a_record_comes_back_from_its_row(t in proptest::collection::vec(text(), 21), n in proptest::collection::vec(any::<u64>(), 14)) {
        for record in records(&t, &n) {
            let row = AuditRow::new(7, SeqNo(n[0]), Chain([9; 32]), &record);
            prop_assert_eq!((row.seq(), row.chain()), (SeqNo(n[0]), Chain([9; 32])));
            let back = row.record().unwrap();
            prop_assert_eq!(back, record);
            prop_assert_eq!(&back.encode_in(AlignedVec::new()).unwrap()[..], &record.encode_in(AlignedVec::new()).unwrap()[..]);
        }
    }

    #[test]
    fn a_row_has_one_field_per_column_and_no_nul(t in proptest::collection::vec(text(), 21), n in proptest::collection::vec(any::<u64>(), 14)) {
        for record in records(&t, &n) {
            let mut out = BytesMut::new();
            AuditRow::new(7, SeqNo(1), Chain([9; 32]), &record).put(&mut out);
            let fields = fields(&out);
            prop_assert_eq!(fields.len(), AuditRow::COLUMNS.len());
            for (field, (name, kind)) in fields.iter().zip(AuditRow::COLUMNS) {
                let Some(field) = field else { continue };
                if *kind == Type::TEXT {
                    prop_assert!(std::str::from_utf8(field).is_ok() && !field.contains(&0), "{}", name);
                }
            }
        }
    }
}

#[test]
fn clocks_from_the_future_are_kept_where_every_tool_can_print_them() {
    for (at_us, stored) in
        [(0, 0), (1, 1), (253_402_207_200_000_000, 253_402_207_200_000_000), (u64::MAX, 253_402_207_200_000_000)]
    {
        assert_eq!(Micros(at_us).stored(), stored);
    }
}
