//! A limit of N admits N: whatever the number of shards, connections and principals on a connection.

use serde_json::json;

use crate::harness::{ACCESS, Gateway, Upstream, echo_server, lines, load, post, quick, reason, tool_call};

const LIMIT: &str = "limits:\n  - { id: hundred, per: [principal], servers: [echo], rate: 100/h }\nsecrets: {}\nblocklist: {}\n";

fn gateway(upstream: &Upstream, cores: &str) -> Gateway {
    let echo = echo_server(&upstream.url);
    Gateway::start(
        &[("mcp/echo.yaml", &echo), ("access/access.yaml", ACCESS), ("governance/rules.yaml", LIMIT)],
        &["--cores", cores],
    )
}

/// The most that was ever resident. Units: MiB.
fn peak_resident(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn eight_shards_admit_a_hundred_of_each_of_five_hundred_principals() {
    let (principals, connections, seconds) = if quick() { (50, 200, "10") } else { (500, 2000, "60") };
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream, "8");
    let tokens = gateway.tokens("p", "developer", principals);
    let report = load(
        &[
            &gateway.endpoint("echo"),
            "--connections",
            &connections.to_string(),
            "--duration",
            seconds,
            "--expect",
            "any",
            "--timeout",
            "60",
            "--connect-timeout",
            "60",
            "--tokens",
            tokens.to_str().unwrap(),
        ],
        &[0],
    );
    let of = &report["principals"];
    let peak = peak_resident(gateway.pid());
    println!("replies {} principals {of} peak resident {peak} MiB", report["sent"]);
    assert_eq!((of["allowed_min"].as_u64(), of["allowed_max"].as_u64()), (Some(100), Some(100)), "{report}");
    assert_eq!(report["unexpected"], 0, "{report}");
    assert!(peak < 300, "{peak} MiB");
}

#[test]
fn principals_that_share_connections_are_counted_one_by_one() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream, "4");
    let tokens = gateway.tokens("m", "developer", 20);
    let report = load(
        &[
            &gateway.endpoint("echo"),
            "--connections",
            "8",
            "--requests",
            "4000",
            "--mix",
            "--expect",
            "any",
            "--tokens",
            tokens.to_str().unwrap(),
        ],
        &[0],
    );
    let of = &report["principals"];
    assert_eq!((of["allowed_min"].as_u64(), of["allowed_max"].as_u64()), (Some(100), Some(100)), "{report}");
    let page = crate::harness::page(&gateway, "/metrics");
    let asked = page.lines().find_map(|line| line.strip_prefix("sp_mesh_charges_total ")).unwrap().parse::<u64>().unwrap();
    assert!(asked > 0, "no shard asked another");
}

#[test]
fn a_limit_survives_a_crash() {
    let upstream = Upstream::start(&[]);
    let mut gateway = gateway(&upstream, "2");
    let tokens = gateway.tokens("c", "developer", 3);
    let run = |gateway: &Gateway, requests: &str, tokens: &std::path::Path| {
        load(
            &[
                &gateway.endpoint("echo"),
                "--connections",
                "6",
                "--requests",
                requests,
                "--expect",
                "any",
                "--tokens",
                tokens.to_str().unwrap(),
            ],
            &[0],
        )
    };
    let before = run(&gateway, "150", &tokens);
    let used = before["allowed"].as_u64().unwrap();
    assert!(before["principals"]["allowed_max"].as_u64().unwrap() <= 100, "{before}");
    gateway.kill();
    gateway.run();
    // One principal after the other: who is refused at once would else use up the requests of those who are served.
    let mut after = 0;
    for token in lines(&tokens) {
        let one = gateway.path("one-token");
        std::fs::write(&one, token).unwrap();
        after += run(&gateway, "150", &one)["allowed"].as_u64().unwrap();
    }
    println!("before {used} after {after}");
    assert_eq!(after, 300 - used, "three principals have a hundred each");
}

const MONEY: &str = "
limits:
  - { id: money, per: [principal], algorithm: budget, amount: $0.01, period: 1d }
prices:
  - { servers: [echo], tools: [echo], call: $0.004 }
  - { tools: [get_*], call: $0 }
secrets: {}
blocklist: {}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_counts_money_by_price_and_nothing_goes_without_one() {
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let mut gateway = Gateway::start(
        &[("mcp/echo.yaml", &echo), ("access/access.yaml", ACCESS), ("governance/rules.yaml", MONEY)],
        &["--cores", "2"],
    );
    let (ann, bob) = (["--user", "ann", "--role", "developer"], ["--user", "bob", "--role", "developer"]);
    let (ann, bob) = (gateway.token(&ann), gateway.token(&bob));
    let endpoint = gateway.endpoint("echo");
    let call = tool_call("echo", json!({ "message": "x" }));
    for _ in 0..2 {
        assert_eq!(reason(&post(&endpoint, Some(&ann), &call).await), "");
    }
    gateway.kill();
    gateway.run();
    let refused = post(&endpoint, Some(&ann), &call).await;
    assert_eq!((reason(&refused).as_str(), &refused.body["error"]["data"]["rule"]), ("budget_exhausted", &json!("money")));
    let retry_ms = refused.body["error"]["data"]["retry_after_ms"].as_u64().unwrap();
    assert!(retry_ms > 0 && retry_ms <= 86_400_000, "{refused:?}");
    assert_eq!(reason(&post(&endpoint, Some(&bob), &call).await), "", "everybody has money of their own");
    let add = post(&endpoint, Some(&bob), &tool_call("add", json!({ "a": 1, "b": 2 }))).await;
    assert_eq!(reason(&add), "price_unknown");
    let list = post(&endpoint, Some(&ann), r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#).await;
    assert_eq!(reason(&list), "", "listings cost nothing");
    gateway.sp(&["infra", "services", "list"]);
    gateway.wait_until_shipped();
    let row = gateway.postgres().await;
    let row = row.query_one("SELECT sum(cost_microusd)::bigint FROM audit_event WHERE kind = 'outcome'", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 12_000, "three calls of four thousandths");
}

const DENIALS: &str = "
limits:
  - { id: refusals, per: [principal], class: denials, rate: 5/12h }
secrets: {}
blocklist: {}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_denials_is_refused_unread_and_recorded_together() {
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let gateway = Gateway::start(
        &[("mcp/echo.yaml", &echo), ("access/access.yaml", ACCESS), ("governance/rules.yaml", DENIALS)],
        &["--cores", "1"],
    );
    let endpoint = gateway.endpoint("echo");
    let visitor = gateway.token(&["--user", "vera", "--role", "visitor"]);
    let developer = gateway.token(&["--user", "dora", "--role", "developer"]);
    let call = tool_call("echo", json!({ "message": "x" }));
    let mut reasons = Vec::new();
    for _ in 0..40 {
        reasons.push(reason(&post(&endpoint, Some(&visitor), &call).await));
    }
    assert_eq!(reasons.iter().filter(|reason| *reason == "scope_missing").count(), 6, "five, and the one that was too many");
    assert_eq!(reasons.iter().filter(|reason| *reason == "throttled").count(), 34, "{reasons:?}");
    let refused = post(&endpoint, Some(&visitor), &call).await;
    assert_eq!((refused.status.as_u16(), &refused.body["error"]["data"]["rule"]), (429, &json!("refusals")));
    assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
    for _ in 0..30 {
        let unknown = post(&endpoint, Some("not-a-token"), &call).await;
        assert_eq!(unknown.status.as_u16(), 401, "who is not known learns why: {unknown:?}");
    }
    assert_eq!(reason(&post(&endpoint, Some(&developer), &call).await), "", "others go on, from the same address too");

    let client = gateway.postgres().await;
    let until = std::time::Instant::now() + crate::harness::PATIENCE;
    let (together, one_by_one) = loop {
        let row = client
            .query_one(
                "SELECT (SELECT coalesce(sum((detail::json->>'count')::bigint), 0)::bigint FROM audit_event WHERE kind = 'throttle'), \
                 (SELECT count(*) FROM audit_event WHERE kind = 'decision' AND verdict = 'deny')",
                &[],
            )
            .await
            .unwrap();
        let found: (i64, i64) = (row.get(0), row.get(1));
        if found.0 >= 35 + 24 || std::time::Instant::now() > until {
            break found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    };
    assert_eq!((together, one_by_one), (35 + 24, 12), "every refusal is in the trail, alone or with others");
}
