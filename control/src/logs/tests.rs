//! Searching and following on a real server, against filters that are applied here as well.

use std::collections::BTreeSet;
use std::time::Duration;

use dataplane::journal::StreamPosition;
use dataplane::journal::segment::{segment_path, stream_dir};
use jiff::Timestamp;
use wire::decision::{Channel, EventKind, Layer, OutcomeStatus, Reason, Verdict};
use wire::frame::{Chain, FrameWriter, Header};
use wire::ids::{NodeId, SeqNo, TraceId};
use wire::record::{AgentContext, Decision, Identity, Notice, Outcome as OutcomeRecord, Record};

use super::event::{AuditEvent, EventId};
use super::*;
use crate::postgres::Database;
use crate::postgres::throwaway::{self, ThrowawayDatabase};
use crate::shipper::{Shipper, ShipperConfig, Source};

const NODE: NodeId = NodeId([5; 16]);

fn trace(call: u64) -> [u8; 16] {
    u128::from(call + 1).to_be_bytes()
}

fn decision(call: u64, at_us: u64, user: &'static str, tool: &'static str, allowed: bool) -> Record<'static> {
    let (verdict, layer, reason, rule) = match allowed {
        true => (Verdict::Allow, Layer::None, Reason::Permitted, "developers-read"),
        false => (Verdict::Deny, Layer::Blocklist, Reason::Blocked, "shell.rm-rf"),
    };
    Record::Decision(Decision {
        at_us,
        trace: trace(call),
        call: trace(call + 1_000_000),
        identity: Identity {
            user,
            tenant: "acme",
            roles: "developer reader",
            scopes: "files.read",
            act_for: "ci",
            ..Identity::default()
        },
        agent: AgentContext { agent: "claude-code", session: "s-1", ..AgentContext::default() },
        channel: Channel::Mcp.code(),
        server: "files",
        tool,
        method: "tools/call",
        args_digest: [0xab; 32],
        args_bytes: 10,
        args_preview: "{\"path\":\"/Ünïcode\"}",
        verdict: verdict.code(),
        layer: layer.code(),
        reason: reason.code(),
        rule,
        evidence: "",
        observed: "",
        generation: 3,
        retry_after_ms: 0,
        decide_ns: 1_500,
    })
}

fn outcome(call: u64, at_us: u64, decision_seq: u64) -> Record<'static> {
    Record::Outcome(OutcomeRecord {
        at_us,
        trace: trace(call),
        call: trace(call + 1_000_000),
        decision_seq,
        status: OutcomeStatus::ToolError.code(),
        http_status: 200,
        rpc_code: 0,
        reply_bytes: 77,
        duration_us: 1_234,
        upstream: "http://127.0.0.1:9000/mcp",
        attempts: 1,
        redactions: 2,
        cost_microusd: 0,
        error: "no such file",
    })
}

fn login(call: u64, at_us: u64) -> Record<'static> {
    Record::Notice(
        EventKind::Login,
        Notice {
            at_us,
            trace: trace(call),
            identity: Identity { user: "bob", ..Identity::default() },
            verdict: Verdict::Allow.code(),
            reason: 0,
            action: "login",
            subject: "session-9",
            generation: 3,
            detail: "{}",
        },
    )
}

/// Ships records as streams of two shards, in turn.
async fn ship(server: &ThrowawayDatabase, records: &[Record<'static>]) -> Database {
    let database = server.migrated().await.unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let mut sources = Vec::new();
    for shard in 0..2u16 {
        let dir = stream_dir(tmp.path(), shard);
        std::fs::create_dir_all(&dir).unwrap();
        let genesis = Chain::genesis(NODE, shard);
        let mut bytes = Header { node: NODE, shard, first: SeqNo(1), created_us: 0, previous: genesis }.encode().to_vec();
        let mut frames = FrameWriter::new(SeqNo(0), genesis);
        for record in records.iter().skip(usize::from(shard)).step_by(2) {
            frames.write(record, &[], &mut bytes).unwrap();
        }
        std::fs::write(segment_path(&dir, SeqNo(1)), bytes).unwrap();
        let last = frames.position().0;
        sources.push(Source {
            shard,
            dir,
            synced: std::sync::Arc::new(move || last),
            settled: StreamPosition::genesis(NODE, shard),
        });
    }
    let ended =
        Shipper::start(&database, &ShipperConfig::new(NODE, Duration::ZERO), sources).drain(Duration::from_secs(60)).await;
    assert!(ended.iter().all(|stream| stream.shipped == stream.synced), "{ended:?}");
    database
}

/// Pages through everything and checks that no event comes twice or out of order.
async fn all(database: &Database, filter: &Filter, max: usize) -> Vec<Event> {
    let mut found: Vec<Event> = Vec::new();
    let mut before = None;
    loop {
        let page = search(database, filter, before, max).await.unwrap();
        assert!(page.events.len() <= max);
        found.extend(page.events);
        match page.next {
            // The way it goes through the command line.
            Some(next) => before = Some(next.to_string().parse().unwrap()),
            None => break,
        }
    }
    assert!(
        found.windows(2).all(|pair| (pair[0].at, pair[0].stream_id, pair[0].seq) > (pair[1].at, pair[1].stream_id, pair[1].seq))
    );
    found
}

#[tokio::test]
async fn searches_find_what_the_filter_admits_and_nothing_else() {
    let server = throwaway::database().await.unwrap();
    let now_us = Timestamp::now().as_microsecond() as u64;
    let mut records = Vec::new();
    for n in 0..60u64 {
        // Over a month, several at one moment, and one from a clock that runs ahead.
        let at_us = if n == 7 { now_us + 86_400_000_000 } else { now_us - (n / 3) * 40 * 3_600_000_000 / 20 };
        let user = ["alice", "bob", "nul\0name"][n as usize % 3];
        records.push(decision(n, at_us, user, if n % 2 == 0 { "read" } else { "rm" }, n % 2 == 0));
        if n % 10 == 0 {
            records.push(login(n, at_us));
        }
    }
    let database = ship(&server, &records).await;
    let everything = all(&database, &Filter::default(), 1_000).await;
    assert_eq!(everything.len(), records.len());

    let text = |text: &str| Some(text.to_owned());
    let hours_ago = |hours: u64| Some(Timestamp::from_microsecond((now_us - hours * 3_600_000_000) as i64).unwrap());
    let filters = [
        (Filter::default(), 66),
        (Filter { user: text("alice"), ..Filter::default() }, 20),
        (Filter { user: text("nul\0name"), ..Filter::default() }, 20),
        (Filter { user: text("nobody"), ..Filter::default() }, 0),
        (Filter { agent: text("claude-code"), verdict: Some(Verdict::Deny), ..Filter::default() }, 30),
        (Filter { layer: Some(Layer::Blocklist), tool: text("rm"), server: text("files"), ..Filter::default() }, 30),
        (Filter { rule: text("developers-read"), ..Filter::default() }, 30),
        (Filter { kind: Some(EventKind::Login), ..Filter::default() }, 6),
        (Filter { kind: Some(EventKind::Outcome), ..Filter::default() }, 0),
        (Filter { text: text("SESSION-9"), ..Filter::default() }, 6),
        (Filter { text: text("ünïCODE"), user: text("bob"), ..Filter::default() }, 20),
        (Filter { text: text("100% _'\\"), ..Filter::default() }, 0),
        (Filter { since: hours_ago(6), until: hours_ago(0), ..Filter::default() }, 8),
    ];
    for (filter, count) in filters {
        let want: Vec<&Event> = everything.iter().filter(|event| filter.admits(event)).collect();
        for page in [1, 7, 1_000] {
            let found = all(&database, &filter, page).await;
            assert_eq!(found.iter().collect::<Vec<_>>(), want, "{filter:?} in pages of {page}");
        }
        if filter.since.is_none() {
            assert_eq!(want.len(), count, "{filter:?}");
        } else {
            assert!(want.len() >= count, "{filter:?}: {}", want.len());
        }
    }
}

#[tokio::test]
async fn a_call_is_told_from_who_to_how_it_ended() {
    let server = throwaway::database().await.unwrap();
    let now_us = Timestamp::now().as_microsecond() as u64;
    // In turn on two shards: the even ones lie on shard 0, so that a decision and its outcome share a stream.
    let records = [
        decision(0, now_us, "alice", "read", true),
        decision(1, now_us, "bob", "rm", false),
        outcome(0, now_us + 1_234, 1),
        login(0, now_us + 5),
        decision(2, now_us + 9, "alice", "read", true),
    ];
    let database = ship(&server, &records).await;

    let ask = async |id: String| audit(&database, &Subject::from(id.as_str())).await.unwrap();
    let hex = |id: [u8; 16]| TraceId(id).to_string();
    let told = ask(hex(trace(0))).await.unwrap();
    assert_eq!((told.matched, told.calls.len(), told.events.len(), told.truncated), ("trace", 1, 1, false));
    assert_eq!((told.events[0].kind.as_str(), told.events[0].action.as_deref()), ("login", Some("login")));
    let call = &told.calls[0];
    assert_eq!(call.event, format!("{NODE}-0-1"));
    assert_eq!(call.identity.user.as_deref(), Some("alice"));
    assert_eq!(call.identity.roles, ["developer", "reader"]);
    assert_eq!(call.identity.act_for, ["ci"]);
    assert_eq!(call.agent.agent.as_deref(), Some("claude-code"));
    assert_eq!(call.permissions.verdict.as_deref(), Some("allow"));
    assert_eq!(call.permissions.layers[1].rule.as_deref(), Some("developers-read"));
    assert_eq!(call.execution.args_digest.as_deref(), Some("ab".repeat(32).as_str()));
    assert_eq!((call.execution.attempts, call.execution.forwarded), (Some(1), true));
    let ended = call.result.as_ref().unwrap();
    assert_eq!((ended.duration_us, ended.event.clone()), (Some(1_234), format!("{NODE}-0-2")));
    assert_eq!(
        (ended.status.as_deref(), ended.error.as_deref(), ended.redactions),
        (Some("tool_error"), Some("no such file"), Some(2))
    );

    let refused = &ask(hex(trace(1))).await.unwrap().calls[0];
    assert_eq!((refused.permissions.reason.as_deref(), refused.permissions.layers[3].verdict), (Some("blocked"), "deny"));
    assert!(!refused.execution.forwarded && refused.result.is_none());
    assert!(ask(hex(trace(99))).await.is_none());

    // The same call by its own id, by a traceparent and by the id of either event; everybody's by the session.
    for id in
        [hex(trace(1_000_000)), format!("00-{}-00f067aa0ba902b7-01", hex(trace(0))), format!("{NODE}-0-1"), format!("{NODE}-0-2")]
    {
        let found = ask(id.clone()).await.unwrap_or_else(|| panic!("{id}"));
        assert_eq!((found.calls[0].call.clone(), found.events.len()), (Some(hex(trace(1_000_000))), 1), "{id}");
    }
    let session = ask("s-1".to_owned()).await.unwrap();
    assert_eq!((session.matched, session.calls.len()), ("session", 3));
    assert!(session.calls.windows(2).all(|pair| pair[0].at <= pair[1].at));

    // The search shows how a decision ended, and does not list the outcome itself.
    let page = search(
        &database,
        &Filter { verdict: Some(Verdict::Allow), user: Some("alice".to_owned()), ..Filter::default() },
        None,
        10,
    )
    .await
    .unwrap();
    let seen: Vec<_> = page.events.iter().map(|event| (event.status.as_deref(), event.duration_us)).collect();
    assert_eq!(seen, [(None, None), (Some("tool_error"), Some(1_234))]);
}

#[tokio::test]
async fn following_passes_nothing_over() {
    let server = throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let mut from_empty = Follow::from_now(&database).await.unwrap();
    assert_eq!(from_empty.next(&database, 10).await.unwrap(), []);
    let now_us = Timestamp::now().as_microsecond() as u64;
    let records: Vec<_> = (0..51).map(|n| decision(n, now_us - n * 3_600_000_000, "alice", "read", true)).collect();
    ship(&server, &records).await;

    let mut from_the_beginning = Follow::from_the_beginning();
    for follow in [&mut from_empty, &mut from_the_beginning] {
        let mut seen = BTreeSet::new();
        loop {
            let events = follow.next(&database, 4).await.unwrap();
            if events.is_empty() {
                break;
            }
            assert!(events.windows(2).all(|pair| pair[0].0.at <= pair[1].0.at));
            for (event, _) in events {
                assert!(seen.insert((event.stream_id, event.seq)), "twice: {event:?}");
            }
        }
        assert_eq!(seen.len(), records.len());
    }
    let mut from_now = Follow::from_now(&database).await.unwrap();
    assert_eq!(from_now.next(&database, 10).await.unwrap(), []);

    // Whoever is cut off behind any event goes on with the next one, though these clocks run backwards.
    let key = |(event, _): &(Event, Follow)| (event.stream_id, event.seq);
    let all = Follow::from_the_beginning().next(&database, 1_000).await.unwrap();
    for cut in 0..all.len() {
        let rest = all[cut].1.clone().next(&database, 1_000).await.unwrap();
        let seen: BTreeSet<_> = all[..=cut].iter().chain(&rest).map(key).collect();
        assert_eq!(seen.len(), all.len(), "cut off behind event {cut}");
    }

    let since = Timestamp::from_microsecond((now_us - 10 * 3_600_000_000) as i64).unwrap();
    let found = Follow::from_time(&database, since).await.unwrap().next(&database, 1_000).await.unwrap();
    let wanted = records.iter().filter(|record| record.at_us() >= now_us - 10 * 3_600_000_000).count();
    assert!(found.iter().filter(|(event, _)| event.at >= since).count() >= wanted.min(1), "{}", found.len());
}

#[tokio::test]
async fn an_export_holds_every_event_once_in_order() {
    let server = throwaway::database().await.unwrap();
    let now_us = Timestamp::now().as_microsecond() as u64;
    // Several at one moment, over two days.
    let mut records: Vec<_> =
        (0..90u64).map(|n| decision(n, now_us - (n / 4) * 2 * 3_600_000_000, "alice", "read", n % 3 != 0)).collect();
    records.push(outcome(0, now_us + 77, 1));
    let database = ship(&server, &records).await;
    let filter = Filter { until: Some(Timestamp::now() + jiff::SignedDuration::from_hours(1)), ..Filter::default() };
    for max in [1, 7, 5_000] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = export(&database, &filter, after, max).await.unwrap();
            found.extend(page.events);
            match page.next {
                Some(next) => after = Some(next.to_string().parse().unwrap()),
                None => break,
            }
        }
        assert_eq!(found.len(), records.len(), "pages of {max}");
        assert!(found.windows(2).all(|pair| pair[0].at <= pair[1].at));
        let ids: BTreeSet<&str> = found.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids.len(), records.len());
        // What the journal held reads the same.
        for (n, record) in records.iter().enumerate() {
            let id = EventId { node: NODE, shard: (n % 2) as u16, seq: SeqNo(n as u64 / 2 + 1) };
            let stored = found.iter().find(|event| event.id == id.to_string()).unwrap();
            let chain = Chain::genesis(NODE, 0);
            let journal = AuditEvent { chain: stored.chain.clone(), ..AuditEvent::of_record(id, chain, record) };
            assert_eq!(*stored, journal);
            let text = serde_json::to_string(stored).unwrap();
            assert_eq!(serde_json::from_str::<AuditEvent>(&text).unwrap(), *stored);
        }
    }
    let denied = Filter { verdict: Some(Verdict::Deny), ..filter };
    assert_eq!(export(&database, &denied, None, 100).await.unwrap().events.len(), 30);
}

#[tokio::test]
async fn a_summary_adds_up() {
    let server = throwaway::database().await.unwrap();
    let now_us = Timestamp::now().as_microsecond() as u64 - 1_000_000;
    let mut records = Vec::new();
    for n in 0..40u64 {
        let user = ["alice", "bob"][usize::from(n % 4 == 0)];
        records.push(decision(n, now_us - n * 60_000_000, user, "read", n % 5 != 0));
        // The other shard's: outcomes lie beside their decisions on one shard.
        records.push(login(n + 500, now_us - n * 60_000_000));
    }
    records.push(outcome(1, now_us, 2));
    let database = ship(&server, &records).await;
    let found = summary(&database, &Filter::default(), 10).await.unwrap();
    assert_eq!(found.events, 80);
    assert_eq!(found.kinds.iter().map(|(kind, n)| (kind.as_str(), *n)).collect::<Vec<_>>(), [("decision", 40), ("login", 40)]);
    assert_eq!(found.verdicts["allow"], 32);
    assert_eq!(found.refusals, [Refusals { layer: "blocklist".into(), reason: "blocked".into(), events: 8 }]);
    assert_eq!((found.users[0].name.as_str(), found.users[0].events), ("bob", 50));
    assert_eq!(found.tools, [Count { name: "files/read".into(), events: 40, refused: 8 }]);
    assert_eq!(found.outcomes["tool_error"], 1);
    let duration = found.duration.unwrap();
    assert!((duration.p50_us / 1_234.0 - 1.0).abs() < 0.01, "{duration:?}");
    assert_eq!(found.decide.unwrap().count, 40);
    assert_eq!(found.steps.len(), STEPS);
    assert_eq!(found.steps.iter().map(|step| step.events).sum::<i64>(), 80);
    assert_eq!(found.steps.iter().map(|step| step.refused).sum::<i64>(), 8);

    let alice = summary(&database, &Filter { user: Some("alice".into()), ..Filter::default() }, 10).await.unwrap();
    assert_eq!((alice.events, alice.users.len()), (30, 1));
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_place_or_is_refused(text in "[-0-9a-f.,]{0,60}") {
        fuzz_place(&text);
    }
}

#[test]
fn places_come_back_and_other_texts_are_refused() {
    for text in ["1772668799900000.3.17", "-5.0.0"] {
        assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
    }
    for text in ["", "1.2", "a.b.c", "1.2.3.4", "99999999999999999999.1.1", "9223372036854775807.1.1"] {
        assert!(text.parse::<Place>().is_err(), "{text}");
    }
}
