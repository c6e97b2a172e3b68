//! Records made of any texts and numbers, for properties and for the fuzzer.

use wire::decision::EventKind;
use wire::record::{AgentContext, Decision, Identity, Notice, Outcome, Record};

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
pub(super) fn records<'a>(t: &'a [String], n: &[u64]) -> [Record<'a>; 3] {
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
