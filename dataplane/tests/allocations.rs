//! On the way to an allow the chain allocates nothing, whatever the size of the call. A test program of its own, because
//! counting takes the allocator of the whole process.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must fail")]

use std::collections::HashMap;

use dataplane::chain::rate::RateState;
use dataplane::chain::{Call, Scratch, decide};
use dataplane::identity::Principal;
use dataplane::policy::{NodeKeys, Policy};
use dataplane::upstream::Reach;
use wire::decision::{Channel, Tier};
use wire::ids::ServerIx;
use wire::snapshot::{Algorithm, CallClass, Effect, Grant, Limit, Server, Snapshot, SnapshotBytes, Subject, Upstream, key_part};
use wire::token::{Audience, Claims};

const NOW_US: u64 = 1_767_268_800_000_000;

const WHEN: &str =
    r#"[{"arg": "/path", "within": "/srv/data"}, {"arg": "/limit", "le": 100}, {"arg": "/url", "host": "*.example.com"}]"#;

fn policy() -> Policy {
    let tools = ["read", "search", "write"];
    let grant = |id: &str, tool: &str, when: &str| Grant {
        id: id.to_owned(),
        effect: Effect::Allow,
        subject: Subject { roles: vec!["dev".to_owned()], ..Subject::default() },
        servers: vec!["files".to_owned()],
        tools: vec![tool.to_owned()],
        methods: Vec::new(),
        scopes: Vec::new(),
        when: when.to_owned(),
    };
    let limit = |id: &str, key: u16| Limit {
        id: id.to_owned(),
        key,
        algorithm: Algorithm::Gcra,
        count: 1_000_000,
        period_us: 1_000_000,
        burst: 0,
        class: CallClass::Calls,
        subject: Subject::default(),
        servers: Vec::new(),
        tools: vec!["files__*".to_owned()],
        costs: vec![("search".to_owned(), 2)],
        observe: false,
    };
    let snapshot = Snapshot {
        generation: 1,
        servers: vec![Server {
            name: "files".to_owned(),
            upstream: Upstream::None,
            tools: tools.iter().zip(0..).map(|(tool, ix)| ((*tool).to_owned(), ix)).collect(),
            call_timeout_ms: 1,
            channel: Channel::Mcp.code(),
            open_tools: true,
        }],
        server_names: HashMap::from([("files".to_owned(), 0)]),
        grants: vec![
            grant("plain", "read", ""),
            grant("conditional", "search", WHEN),
            grant("open", "not_discovered_*", WHEN),
            Grant { effect: Effect::Deny, ..grant("never", "write", r#"{"arg": "/path", "suffix": ".key"}"#) },
            grant("writes", "write", ""),
        ],
        limits: vec![limit("each", key_part::PRINCIPAL), limit("each-tool", key_part::PRINCIPAL | key_part::TOOL)],
        ..Snapshot::default()
    };
    let node = NodeKeys { rates: [1; 16], digests: [2; 32], sessions: [3; 32], fingerprints: [4; 32], api_keys: [5; 32] };
    Policy::compile(SnapshotBytes::encode(&snapshot).unwrap().0, &node, &Reach::default()).unwrap()
}

fn claims() -> Claims {
    Claims {
        iss: String::new(),
        aud: Audience::One(String::new()),
        sub: "ann".to_owned(),
        exp: u64::MAX,
        iat: 0,
        nbf: None,
        jti: "t".to_owned(),
        client_id: String::new(),
        scope: String::new(),
        sid: "s".to_owned(),
        tenant: String::new(),
        department: String::new(),
        tier: Tier::User,
        roles: vec!["dev".to_owned()],
        agent: String::new(),
        act: None,
        is_bound: false,
    }
}

fn arguments(bytes: usize) -> Vec<u8> {
    let filler = "the quick brown fox jumps over the lazy dog, and then it writes a report. ".repeat(bytes / 74 + 1);
    let text = serde_json::json!({
        "path": "/srv/data/reports/2026/summary.md", "limit": 50, "url": "https://api.example.com/v1/items?page=2",
        "text": filler.get(..bytes).unwrap_or(&filler),
    });
    text.to_string().into_bytes()
}

#[test]
fn an_allowed_call_allocates_nothing() {
    let policy = policy();
    let principal = Principal::of_claims(claims(), &policy);
    let (mut scratch, mut rates) = (Scratch::new(&policy), RateState::new(1 << 10));
    let mut now_us = NOW_US;
    for tool in ["read", "search", "write", "not_discovered_before"] {
        for bytes in [10, 1 << 10, 4 << 10, 16 << 10, 64 << 10] {
            let mut text = arguments(bytes);
            let tape = simd_json::to_tape(&mut text).unwrap();
            let call = Call {
                server: ServerIx(0),
                server_name: "files",
                method: "tools/call",
                name: tool,
                is_tool: true,
                channel: Channel::Mcp,
                arguments: Some(&tape.0),
                beside: &[],
                waited: None,
            };
            let mut count = |rounds: usize| {
                let mut allowed = 0;
                let info = allocation_counter::measure(|| {
                    for _ in 0..rounds {
                        now_us += 1000;
                        let standing = principal.standing(&policy);
                        allowed += usize::from(decide(&policy, &mut scratch, &mut rates, &standing, &call, now_us).is_ok());
                    }
                });
                assert_eq!(allowed, rounds, "{tool}, {bytes} bytes: not allowed");
                info.count_total
            };
            // The buffers of the shard grow with the first calls.
            count(3);
            assert_eq!(count(20), 0, "{tool}, {bytes} bytes: allocations in 20 calls");
        }
    }
}
