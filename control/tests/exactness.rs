//! A limit of N admits N, to the call: thousands of principals multiplexed over a few HTTP/2 connections to eight shards,
//! whatever is killed meanwhile, and long after the journal has let go of what was charged.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};

use crate::harness::{ACCESS, Gateway, Upstream, echo_server, eventually, post, quick, reason, tool_call};

/// Every kind of limit that outlives a process, over periods that no test sees the end of.
const LIMITS: &str = "
limits:
  - { id: each, per: [principal], servers: [echo], tools: [echo], count: 5, period: 12h }
  - { id: paced, per: [principal, tool], servers: [echo], tools: [add], algorithm: gcra, rate: 1/12h, burst: 4, costs: [{ tool: add, units: 2 }] }
  - { id: all, per: [tenant], servers: [echo], tools: [flood], count: 700, period: 7d }
secrets: {}
blocklist: {}
";

type Client = SendRequest<Full<bytes::Bytes>>;

async fn connect(port: u16) -> Client {
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    // It ends when the gateway is killed.
    tokio::spawn(async move { drop(connection.await) });
    client
}

/// The reason for which a call was denied, empty for none; `None` where no answer came.
async fn ask(mut client: Client, url: Arc<str>, token: Arc<str>, body: &'static str) -> Option<String> {
    let request = Request::post(&*url)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(Full::from(body))
        .unwrap();
    client.ready().await.ok()?;
    let response = client.send_request(request).await.ok()?;
    let bytes = response.into_body().collect().await.ok()?.to_bytes();
    let answer: Value = serde_json::from_slice(&bytes).ok()?;
    match answer["decision"].as_str()? {
        "allow" => Some(String::new()),
        _ => Some(answer["reason"].as_str()?.to_owned()),
    }
}

/// Asks `times` for each principal, spread over `connections`, many at a time; how many of each were allowed. Whatever is
/// refused must be refused by a limit.
async fn flood(gateway: &Gateway, tokens: &[Arc<str>], tool: &str, times: usize) -> Vec<usize> {
    let url: Arc<str> = format!("{}/api/v1/decide", gateway.url()).into();
    let body: &'static str = Box::leak(json!({ "server": "echo", "tool": tool, "arguments": {} }).to_string().into_boxed_str());
    let clients = futures_util::future::join_all((0..16).map(|_| connect(gateway.port))).await;
    let calls = (0..times).flat_map(|round| (0..tokens.len()).map(move |who| (round, who)));
    let answers = futures_util::stream::iter(calls).map(|(round, who)| {
        let (client, url, token) = (clients[(round + who) % clients.len()].clone(), Arc::clone(&url), Arc::clone(&tokens[who]));
        async move { (who, ask(client, url, token, body).await) }
    });
    let mut allowed = vec![0; tokens.len()];
    let mut answers = answers.buffer_unordered(512);
    while let Some((who, answer)) = answers.next().await {
        match answer.as_deref() {
            Some("") => allowed[who] += 1,
            None | Some("rate_limited") => {}
            Some(other) => panic!("refused for `{other}`"),
        }
    }
    allowed
}

/// How many calls of a tool the audit trail has allowed, by principal.
async fn recorded(gateway: &Gateway, tool: &str) -> HashMap<String, i64> {
    gateway.wait_until_shipped();
    let rows = gateway
        .postgres()
        .await
        .query(
            "SELECT user_id, count(*) FROM audit_event WHERE kind = 'decision' AND server = 'echo' AND tool = $1 AND verdict = 'allow' GROUP BY user_id",
            &[&tool],
        )
        .await
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn gateway(upstream: &Upstream, args: &[&str]) -> Gateway {
    let server = format!("{}tools: open\n", echo_server(&upstream.url));
    Gateway::start(&[("mcp/echo.yaml", &server), ("access/access.yaml", ACCESS), ("governance/rules.yaml", LIMITS)], args)
}

fn tokens(gateway: &Gateway, count: u32) -> Vec<Arc<str>> {
    let args = ["--user", "x", "--role", "developer", "--tenant", "acme", "--count", &count.to_string()];
    gateway.token(&args).lines().map(Arc::from).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_shards_admit_to_the_call_over_shared_connections_through_kills() {
    let upstream = Upstream::start(&[]);
    let mut gateway = gateway(&upstream, &["--cores", "8"]);
    let count = if quick() { 300 } else { 3000 };
    let tokens = tokens(&gateway, count);
    // Killed while calls of everybody are under way: what was told before the kill counts, what was not is unknown.
    let pid = nix::unistd::Pid::from_raw(gateway.pid());
    let killer = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(if quick() { 150 } else { 900 })).await;
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    });
    let before = flood(&gateway, &tokens, "echo", 3).await;
    killer.await.unwrap();
    gateway.kill();
    gateway.run();
    let after = flood(&gateway, &tokens, "echo", 6).await;
    gateway.kill();
    gateway.run();
    let last = flood(&gateway, &tokens, "echo", 1).await;
    assert_eq!(last.iter().sum::<usize>(), 0, "everybody has used up theirs");
    let told: usize = before.iter().chain(&after).sum();
    let recorded = recorded(&gateway, "echo").await;
    println!("{count} principals, {told} allowed as clients saw it, {} recorded", recorded.values().sum::<i64>());
    assert_eq!(recorded.len(), tokens.len());
    assert!(recorded.values().all(|allowed| *allowed == 5), "{recorded:?}");
    assert!(before.iter().zip(&after).all(|(before, after)| before + after <= 5));

    // One cell for all of them: most calls are decided on another shard than the one that keeps it.
    let shared = flood(&gateway, &tokens[..200], "flood", 5).await;
    assert_eq!(shared.iter().sum::<usize>(), 700);
    // Two units of four each.
    let paced = flood(&gateway, &tokens[..200], "add", 4).await;
    assert!(paced.iter().all(|allowed| *allowed == 2), "{paced:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_outlive_the_segments_that_hold_their_charges() {
    let upstream = Upstream::start(&[]);
    let mut gateway = gateway(&upstream, &["--cores", "4", "--journal-keep", "2"]);
    let tokens = tokens(&gateway, 100);
    let echoed = flood(&gateway, &tokens, "echo", 3).await;
    let paced = flood(&gateway, &tokens, "add", 1).await;
    let shared = flood(&gateway, &tokens, "flood", 4).await;
    assert_eq!((echoed.iter().sum::<usize>(), paced.iter().sum::<usize>(), shared.iter().sum::<usize>()), (300, 100, 400));

    // Listings fill new segments and are charged under nothing, until all that hold a charge are gone.
    let used = {
        gateway.wait_until_shipped();
        segments(&gateway)
    };
    let token = tokens[0].to_string();
    let endpoint = gateway.endpoint("echo");
    let filling = tokio::spawn({
        let tokens = tokens.clone();
        async move {
            loop {
                for token in &tokens {
                    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
                    post(&endpoint, Some(token), list).await;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    });
    let waiting = tokio::task::spawn_blocking({
        let dirs = used.clone();
        move || eventually("the segments of the charges are gone", || dirs.iter().all(|path| !path.exists()).then_some(()))
    });
    waiting.await.unwrap();
    filling.abort();
    drop(filling.await);

    gateway.kill();
    gateway.run();
    let echoed = flood(&gateway, &tokens, "echo", 4).await;
    let paced = flood(&gateway, &tokens, "add", 3).await;
    let shared = flood(&gateway, &tokens, "flood", 5).await;
    assert_eq!((echoed.iter().sum::<usize>(), paced.iter().sum::<usize>(), shared.iter().sum::<usize>()), (200, 100, 300));
    let refused = post(&gateway.endpoint("echo"), Some(&token), &tool_call("echo", json!({ "message": "x" }))).await;
    assert_eq!(reason(&refused), "rate_limited");
    assert_eq!(refused.body["error"]["data"]["rule"], "each", "the answer says which limit: {refused:?}");
    assert!(refused.headers.contains_key("retry-after"), "and when to try again: {refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_another_period_begins_anew_once_and_no_death_repeats_it() {
    let upstream = Upstream::start(&[]);
    let mut gateway = gateway(&upstream, &["--cores", "4"]);
    let tokens = tokens(&gateway, 100);
    for (period, each) in [("12h", 5), ("6h", 5), ("12h", 0), ("6h", 0), ("24h", 5), ("6h", 0)] {
        gateway
            .declare("governance/rules.yaml", &LIMITS.replace("count: 5, period: 12h", &format!("count: 5, period: {period}")));
        gateway.sp(&["infra", "services", "reload"]);
        let admitted = flood(&gateway, &tokens, "echo", 6).await;
        assert!(admitted.iter().all(|admitted| *admitted == each), "five in {period}: {admitted:?}");
        gateway.kill();
        gateway.run();
        assert_eq!(flood(&gateway, &tokens, "echo", 1).await.iter().sum::<usize>(), 0, "five in {period}, after a death");
    }
}

/// Every segment of the journal.
fn segments(gateway: &Gateway) -> Vec<PathBuf> {
    let streams = std::fs::read_dir(gateway.data_dir().join("journal")).unwrap();
    let files = streams.flat_map(|stream| std::fs::read_dir(stream.unwrap().path()).into_iter().flatten());
    files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|ext| ext == "seg")).collect()
}
