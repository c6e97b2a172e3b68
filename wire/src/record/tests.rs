//! What `record` promises, as rows and properties.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use proptest::prelude::*;

/// Texts of every field, so that a property test reaches them all.
fn texts() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(".{0,40}", 24)
}

fn decision<'a>(t: &'a [String], numbers: &[u64]) -> Decision<'a> {
    Decision {
        at_us: numbers[0],
        trace: [1; 16],
        call: [2; 16],
        identity: Identity {
            user: &t[0],
            tenant: &t[1],
            department: &t[2],
            tier: 2,
            auth_method: 1,
            roles: &t[3],
            scopes: &t[4],
            token_id: &t[5],
            client: &t[6],
            act_for: &t[7],
            address: &t[8],
        },
        agent: AgentContext { agent: &t[9], session: &t[10], mcp_session: &t[11], context: &t[12], task: &t[13] },
        channel: 1,
        server: &t[14],
        tool: &t[15],
        method: &t[16],
        args_digest: [7; 32],
        args_bytes: numbers[1] as u32,
        args_preview: &t[17],
        verdict: 1,
        layer: 0,
        reason: 0,
        rule: &t[18],
        evidence: &t[19],
        observed: &t[20],
        generation: numbers[2],
        retry_after_ms: numbers[3],
        decide_ns: 5,
    }
}

proptest! {
    #[test]
    fn decisions_come_back_and_encode_to_the_same_bytes(t in texts(), n in proptest::collection::vec(any::<u64>(), 4)) {
        let record = Record::Decision(decision(&t, &n));
        let bytes = record.encode_in(AlignedVec::new()).unwrap();
        let back = Record::decode(record.kind().code(), &bytes).unwrap();
        prop_assert_eq!(back, record);
        let mut dirty = AlignedVec::new();
        dirty.extend_from_slice(&[0xAA; 4096]);
        prop_assert_eq!(&back.encode_in(dirty).unwrap()[..], &bytes[..]);
    }

    #[test]
    fn any_bytes_are_a_record_or_an_error(kind: u8, bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = Record::decode(kind, &bytes);
    }

    #[test]
    fn a_damaged_record_never_panics(t in texts(), at in 0usize..2000, flip in 1u8..) {
        let record = Record::Decision(decision(&t, &[1, 2, 3, 4]));
        let mut bytes = record.encode_in(AlignedVec::new()).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= flip;
        if let Ok(back) = Record::decode(record.kind().code(), &bytes) {
            let _ = back.encode_in(AlignedVec::new());
        }
    }
}

#[test]
fn outcomes_and_notices_come_back() {
    let outcome = Record::Outcome(Outcome {
        at_us: 1,
        trace: [1; 16],
        call: [2; 16],
        decision_seq: 9,
        status: 1,
        http_status: 200,
        rpc_code: -32601,
        reply_bytes: 10,
        duration_us: 11,
        upstream: "http://127.0.0.1:1",
        attempts: 1,
        redactions: 0,
        cost_microusd: 0,
        error: "",
    });
    let notice = Record::Notice(
        EventKind::PolicyChange,
        Notice {
            at_us: 1,
            trace: [1; 16],
            identity: Identity { user: "ops", ..Identity::default() },
            verdict: 1,
            reason: 0,
            action: "publish",
            subject: "services",
            generation: 4,
            detail: "{}",
        },
    );
    for record in [outcome, notice] {
        let bytes = record.encode_in(AlignedVec::new()).unwrap();
        assert_eq!(Record::decode(record.kind().code(), &bytes).unwrap(), record);
    }
}
