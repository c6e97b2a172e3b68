//! `kill -9` at any moment: what a client was told is in Postgres, once.

use std::collections::HashSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::{ACCESS, Gateway, Upstream, echo_server, lines, program, quick};

const RULES: &str = "secrets: {}\nblocklist: {}\n";

/// Decisions, the calls they are about, allowed calls without an outcome, and calls with more than one.
async fn counts(gateway: &Gateway) -> (i64, i64, i64, i64) {
    let client = gateway.postgres().await;
    let row = client
        .query_one(
            "SELECT count(*), count(DISTINCT call), count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM audit_event o WHERE o.trace = d.trace AND o.kind = 'outcome' AND o.call = d.call)), \
             (SELECT count(*) FROM (SELECT FROM audit_event WHERE kind = 'outcome' GROUP BY call HAVING count(*) > 1) twice) \
             FROM audit_event d WHERE kind = 'decision' AND server = 'echo' AND verdict = 'allow'",
            &[],
        )
        .await
        .unwrap();
    (row.get(0), row.get(1), row.get(2), row.get(3))
}

/// How often the process is killed in all: `cargo x torture process --runs N` says so, or the test is a short one.
fn kill_count() -> u64 {
    let asked = std::env::var("SP_TORTURE_KILLS").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(if quick() { 2 } else { 10 })
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load_it_loses_no_decision_and_doubles_none() {
    let kills = kill_count();
    let mut all = Counts::default();
    for (durability, kills) in [("written", kills - kills / 2), ("synced", kills / 2)] {
        let counts = kill_under_load(durability, kills).await;
        println!("{durability}: {counts}");
        all.add(&counts);
    }
    println!("{all}");
    assert!(all.is_clean(), "{all}");
}

/// What was counted.
#[derive(Debug, Default)]
struct Counts {
    kills: u64,
    /// Replies that a client saw.
    seen: u64,
    /// Decisions in Postgres.
    stored: u64,
    lost: u64,
    doubled: u64,
    /// Allowed calls without an outcome, and with more than one.
    open: u64,
    ended_twice: u64,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        self.kills += other.kills;
        self.seen += other.seen;
        self.stored += other.stored;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.open += other.open;
        self.ended_twice += other.ended_twice;
    }

    fn is_clean(&self) -> bool {
        (self.lost, self.doubled, self.open, self.ended_twice) == (0, 0, 0, 0)
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Counts { kills, seen, stored, lost, doubled, open, ended_twice } = self;
        write!(
            f,
            "kills {kills} seen {seen} stored {stored} lost {lost} doubled {doubled} without outcome {open} with two {ended_twice}"
        )
    }
}

async fn kill_under_load(durability: &str, kills: u64) -> Counts {
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", RULES)];
    let mut gateway = Gateway::start(&services, &["--cores", "2", "--durability", durability]);
    let tokens = gateway.tokens("load", "developer", 8);
    let record = gateway.path("traces");
    for run in 0..kills {
        let endpoint = gateway.endpoint("echo");
        let mut load = Command::new(program("sp-load"))
            .args([endpoint.as_str(), "--connections", "16", "--duration", "30", "--timeout", "5", "--tokens"])
            .arg(&tokens)
            .arg("--record")
            .arg(&record)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // A moment that differs from run to run, without a source of chance that a failure could not name.
        std::thread::sleep(Duration::from_millis(700 + 173 * run % 900));
        gateway.kill();
        let _ = load.kill();
        let _ = load.wait();
        gateway.run();
    }
    gateway.wait_until_shipped();
    // A client that is killed while it notes its replies leaves part of a line, on which the next one goes on.
    let is_whole = |line: &String| line.len() == 32 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    let seen: HashSet<String> = lines(&record).into_iter().filter(is_whole).collect();
    assert!(seen.len() > 50, "only {} replies were seen", seen.len());
    let client = gateway.postgres().await;
    let rows = client
        .query("SELECT replace(trace::text, '-', '') FROM audit_event WHERE kind = 'decision' AND server = 'echo'", &[])
        .await;
    let stored: Vec<String> = rows.unwrap().iter().map(|row| row.get(0)).collect();
    let unique: HashSet<&String> = stored.iter().collect();
    let lost: Vec<&String> = seen.iter().filter(|trace| !unique.contains(trace)).collect();
    if !lost.is_empty() {
        println!("lost: {lost:?}");
    }
    let (decisions, calls, open, ended_twice) = counts(&gateway).await;
    let doubled = (stored.len() - unique.len()) as u64 + (decisions - calls) as u64;
    // What the gateway wrote through all of this still proves itself.
    let report = gateway.sp(&["infra", "logs", "verify"]);
    assert!(report.contains("verified:"), "{report}");
    Counts {
        kills,
        seen: seen.len() as u64,
        stored: stored.len() as u64,
        lost: lost.len() as u64,
        doubled,
        open: open as u64,
        ended_twice: ended_twice as u64,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_drains_on_sigterm_and_leaves_nothing_behind() {
    let upstream = Upstream::start(&["--delay-ms", "1500"]);
    let echo = echo_server(&upstream.url);
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", RULES)];
    let mut gateway = Gateway::start(&services, &["--cores", "2"]);
    let token = gateway.token(&["--user", "ann", "--role", "developer"]);
    let endpoint = gateway.endpoint("echo");
    let body = crate::harness::tool_call("echo", serde_json::json!({"message": "last words"}));
    let before = allowed(&gateway);
    let running = tokio::spawn(async move { crate::harness::post(&endpoint, Some(&token), &body).await });
    crate::harness::eventually("the call is running", || (allowed(&gateway) > before).then_some(()));
    let postmaster = gateway.postmaster();
    let status = tokio::task::block_in_place(|| gateway.stop());
    assert_eq!(status.code(), Some(0), "{}", gateway.log());
    let answer = running.await.unwrap();
    assert_eq!(answer.body["result"]["content"][0]["text"], "last words", "{answer:?}");
    assert!(nix::sys::signal::kill(postmaster, None).is_err(), "its Postgres still runs");
}

/// Calls allowed so far.
fn allowed(gateway: &Gateway) -> u64 {
    let page = crate::harness::page(gateway, "/metrics");
    let count = page.lines().find_map(|line| line.strip_prefix("sp_decisions_total{verdict=\"allow\",layer=\"none\"} "));
    count.map_or(0, |count| count.parse().unwrap())
}
