//! Servers that do wrong: what their clients see, and that nobody else sees it.

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn a_banner_on_stdout_is_skipped() {
    let bench = Bench::with("banner", |_| ()).await;
    assert_eq!(bench.healthy().await.tools.len(), 3);
    let client = bench.client().open().await;
    assert_eq!(client.text("echo", json!({})).await, "{}");
    bench.stop().await;
}

#[tokio::test]
async fn endless_junk_ends_the_session() {
    let bench = Bench::with("babble", |_| ()).await;
    let state = bench.wait_for("unhealthy", |state| matches!(state.health, Health::Unhealthy(_))).await;
    assert!(state.health.to_string().contains("1000 lines went by"), "{}", state.health);
    bench.stop().await;
}

#[tokio::test]
async fn a_line_without_end_is_bounded() {
    let bench = Bench::with("ok", |server| server.max_line_bytes = 1 << 20).await;
    let (client, other) = (bench.client().open().await, bench.client().open().await);
    let answer = client.call("long-line", json!({"bytes": 100_000_000})).await.answer().await;
    assert_eq!(answer["error"]["message"], "MCP server `bad` wrote a line of more than 1048576 bytes");
    assert_eq!(client.call("echo", json!({})).await.status, 404, "the session is over");
    assert_eq!(other.text("echo", json!({})).await, "{}");
    // What is long but allowed passes whole.
    let text = other.text("large", json!({"bytes": 1_000_000})).await;
    assert_eq!(text.len(), 1_000_000);
    bench.stop().await;
}

#[tokio::test]
async fn silence_ends_in_an_error_and_the_child_is_told() {
    let bench = Bench::with("ok", |server| server.call_timeout = Duration::from_secs(1)).await;
    let client = bench.client().open().await;
    let answer = client.call_with(9, "never", json!({})).await.answer().await;
    assert_eq!((answer["id"].as_u64(), answer["error"]["code"].as_i64()), (Some(9), Some(message::code::TIMED_OUT.into())));
    assert_eq!(answer["error"]["message"], "MCP server `bad` did not answer in time");
    let told: Value = serde_json::from_str(&client.text("cancelled", json!({})).await).unwrap();
    assert_eq!(told, json!([{"requestId": 9, "reason": "no answer in time"}]));
    // Progress keeps a call alive beyond that time.
    let messages = client.call("progress", json!({"steps": 15, "ms": 100})).await.events().rest().await;
    assert_eq!((messages.len(), messages[15]["result"].is_object()), (16, true));
    // An answer that comes too late is not taken for that of another call, and frees the id.
    let late = client.call_with(11, "late", json!({"ms": 1500})).await.answer().await;
    assert!(late["error"].is_object());
    assert!(client.call_with(11, "echo", json!({})).await.error(400).await.contains("still running"));
    let mut reused = None;
    while reused.is_none() {
        let reply = client.call_with(11, "echo", json!({"new": 1})).await;
        reused = (reply.status == 200).then_some(reply);
    }
    let answer = reused.unwrap().answer().await;
    assert_eq!(answer["result"]["content"][0]["text"], r#"{"new":1}"#);
    bench.stop().await;
}

#[tokio::test]
async fn a_child_that_leaves_everything_unanswered_is_given_up() {
    let bench = Bench::with("ok", |server| server.call_timeout = Duration::from_millis(100)).await;
    let client = bench.client().open().await;
    let calls = (0..limits::UNANSWERED_MAX).map(|_| client.call("never", json!({})));
    for reply in join_all(calls).await {
        assert!(reply.answer().await["error"].is_object());
    }
    eventually_gone(&client).await;
    bench.stop().await;
}

async fn eventually_gone(client: &Client) {
    for _ in 0..1000 {
        if client.post(&json!({"jsonrpc": "2.0", "method": "notifications/x"})).await.status == 404 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the session is still there");
}

#[tokio::test]
async fn death_is_told_to_every_waiting_call() {
    let bench = Bench::with("ok", |_| ()).await;
    bench.healthy().await;
    let (client, other) = (bench.client().open().await, bench.client().open().await);
    let waiting = client.call("never", json!({})).await;
    for (tool, arguments, expect) in [
        ("die", json!({"status": 42}), "MCP server `bad` exited with status 42"),
        ("abort", json!({}), "MCP server `bad` was killed by SIGABRT"),
        ("close-stdout", json!({}), "MCP server `bad` closed its output"),
    ] {
        let client = bench.client().open().await;
        let error = client.call(tool, arguments).await.answer().await["error"].clone();
        assert_eq!((error["message"].as_str(), error["code"].as_i64()), (Some(expect), Some(-31801)));
        assert_eq!(client.call("echo", json!({})).await.status, 404);
    }
    let dying = client.call("die", json!({"status": 7})).await.answer().await;
    assert_eq!(dying["error"]["message"], "MCP server `bad` exited with status 7");
    assert_eq!(waiting.answer().await["error"]["message"], "MCP server `bad` exited with status 7");
    assert_eq!(other.text("echo", json!({})).await, "{}", "another session is not concerned");
    bench.wait_for("three deaths counted", |state| state.restarts >= 3).await;
    bench.healthy().await;
    bench.client().open().await;
    bench.stop().await;
    eventually("without zombies", || zombies().is_empty()).await;
}

#[tokio::test]
async fn a_crash_loop_makes_the_server_unhealthy_and_calls_fail_fast() {
    let bench = Bench::with("die-at-start", |server| server.backoff.max = Duration::from_secs(60)).await;
    let state = bench.wait_for("unhealthy", |state| matches!(state.health, Health::Unhealthy(_))).await;
    let reason = state.health.to_string();
    assert!(reason.contains("3 failures in a row, the last: a process exited with status 3"), "{reason}");
    assert!(reason.contains("fatal: no configuration"), "{reason}");
    let began = std::time::Instant::now();
    let reply = bench.client().initialize().await;
    assert!(reply.headers.contains_key("retry-after"));
    let message = reply.error(503).await;
    assert!(message.contains("is unhealthy") && !message.contains("fatal"), "{message}");
    assert!(began.elapsed() < Duration::from_secs(1));
    bench.stop().await;
}

#[tokio::test]
async fn a_server_that_recovers_is_healthy_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("deaths");
    std::fs::write(&file, "\n\n\n\n\n\n").unwrap();
    let bench = Bench::with("flaky", |server| server.args.push(file.to_str().unwrap().into())).await;
    bench.wait_for("unhealthy", |state| matches!(state.health, Health::Unhealthy(_))).await;
    let state = bench.healthy().await;
    assert_eq!((state.restarts, state.tools.len()), (6, 3));
    bench.client().open().await;
    bench.stop().await;
}

#[tokio::test]
async fn a_mute_server_does_not_start() {
    let bench = Bench::with("mute", |server| server.start_timeout = Duration::from_millis(200)).await;
    let message = bench.client().initialize().await.error(503).await;
    assert_eq!(message, "MCP server `bad` did not start: it did not answer `initialize` in time");
    let state = bench.wait_for("unhealthy", |state| matches!(state.health, Health::Unhealthy(_))).await;
    assert!(state.health.to_string().contains("did not answer `initialize` in time"), "{}", state.health);
    bench.stop().await;
}

#[tokio::test]
async fn a_command_that_is_not_there_is_named() {
    let server = StdioServer::new("bad", "no-such-mcp-server");
    let bench = Bench::start(vec![server]).await;
    let state = bench.wait_for("unhealthy", |state| matches!(state.health, Health::Unhealthy(_))).await;
    assert!(state.health.to_string().contains("command `no-such-mcp-server` not found in `/usr/local/sbin:"));
    let message = bench.client().initialize().await.error(503).await;
    assert!(!message.contains("no-such-mcp-server"), "clients need not know our commands: {message}");
    bench.stop().await;
}

#[tokio::test]
async fn a_child_that_does_not_read_ends_its_session_only() {
    let bench = Bench::with("ok", |server| server.call_timeout = Duration::from_secs(2)).await;
    let client = bench.client().open().await;
    let other = bench.client().open().await;
    let filler = "x".repeat(500_000);
    let deaf = client.call("deaf", json!({})).await;
    let calls = (0..8).map(|_| client.call("echo", json!({"filler": filler})));
    for reply in join_all(calls).await {
        let status = reply.status.as_u16();
        let error = reply.answer().await["error"].clone();
        assert!(error.is_object() && (status == 200 || status == 404), "{status} {error}");
    }
    assert!(deaf.answer().await["error"].is_object());
    assert_eq!(other.text("echo", json!({})).await, "{}");
    bench.stop().await;
}

#[tokio::test]
async fn floods_on_stderr_and_stray_answers_do_no_harm() {
    let bench = Bench::with("ok", |_| ()).await;
    let client = bench.client().open().await;
    assert_eq!(client.text("stderr", json!({"lines": 2000})).await, "done");
    assert_eq!(client.text("unknown-answer", json!({})).await, "done");
    bench.stop().await;
}

#[tokio::test]
async fn nothing_of_a_swarm_outlives_its_session() {
    let bench = Bench::with("ok", |_| ()).await;
    let client = bench.client().open().await;
    let pids: Vec<u32> = serde_json::from_str(&client.text("swarm", json!({"processes": 40})).await).unwrap();
    let leader: u32 = client.text("pid", json!({})).await.parse().unwrap();
    assert!(pids.iter().all(|&pid| is_alive(pid)) && is_alive(leader));
    assert_eq!(client.delete().await, 204);
    eventually("gone", || !pids.iter().any(|&pid| is_alive(pid)) && !is_alive(leader)).await;
    assert_eq!(client.call("echo", json!({})).await.status, 404);
    bench.stop().await;
}
