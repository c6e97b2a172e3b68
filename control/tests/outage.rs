//! Postgres goes away under load: decisions go on, the journal holds the rows, and all of them arrive.

use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};

use crate::harness::{ACCESS, Gateway, Upstream, echo_server, eventually, lines, program, readiness};

#[tokio::test(flavor = "multi_thread")]
async fn decisions_go_on_without_postgres_and_nothing_is_lost() {
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let rules = "secrets: {}\nblocklist: {}\n";
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", rules)];
    let gateway = Gateway::start(&services, &["--cores", "2"]);
    let tokens = gateway.tokens("load", "developer", 4);
    let record = gateway.path("traces");
    let endpoint = gateway.endpoint("echo");
    let mut load = Command::new(program("sp-load"))
        .args([endpoint.as_str(), "--connections", "8", "--rate", "200", "--duration", "25", "--tokens"])
        .arg(&tokens)
        .arg("--record")
        .arg(&record)
        .arg("--json")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();

    // It hangs: connections stand, nothing answers.
    let postmaster = gateway.postmaster();
    let processes = family(postmaster.as_raw());
    tell(&processes, Signal::SIGSTOP);
    eventually("readiness says degraded", || (readiness(&gateway)["status"] == "degraded").then_some(()));
    let before = lines_so_far(&record);
    eventually("decisions go on", || (lines_so_far(&record) > before + 200).then_some(()));
    tell(&processes, Signal::SIGCONT);
    eventually("readiness says ready", || (readiness(&gateway)["status"] == "ready").then_some(()));

    // It dies: the gateway starts it again.
    kill(gateway.postmaster(), Signal::SIGKILL).unwrap();
    eventually("another Postgres runs", || {
        (readiness(&gateway)["status"] == "ready" && gateway.postmaster() != postmaster).then_some(())
    });

    let report = load.wait().unwrap();
    assert!(report.success(), "a reply was not as expected");
    gateway.wait_until_shipped();
    let seen = lines(&record);
    let client = gateway.postgres().await;
    let row = client
        .query_one("SELECT count(*), count(DISTINCT trace) FROM audit_event WHERE kind = 'decision' AND server = 'echo'", &[])
        .await
        .unwrap();
    let (stored, distinct): (i64, i64) = (row.get(0), row.get(1));
    println!("seen {} stored {stored} distinct {distinct}", seen.len());
    assert_eq!((stored, distinct), (seen.len() as i64, seen.len() as i64));
}

fn lines_so_far(path: &std::path::Path) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

fn tell(processes: &[i32], signal: Signal) {
    for pid in processes {
        // A backend may have ended meanwhile.
        let _ = kill(nix::unistd::Pid::from_raw(*pid), signal);
    }
}

/// A process and its children.
fn family(parent: i32) -> Vec<i32> {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    std::iter::once(parent).chain(children.split_whitespace().filter_map(|pid| pid.parse().ok())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_start_works_from_the_last_policy_with_postgres_down() {
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", "secrets: {}\n")];
    let nobody = format!("postgresql://sp@127.0.0.1:{}/sp", crate::harness::free_port());
    let mut gateway = Gateway::new(&services, &["--cores", "1", "--database-url", &nobody]);
    gateway.run_degraded();
    let token = gateway.token(&["--user", "ann", "--role", "developer"]);
    let call = crate::harness::tool_call("echo", serde_json::json!({"message": "x"}));
    let answer = eventually_async(&gateway, &token, &call).await;
    assert_eq!(answer.body["result"]["content"][0]["text"], "x", "{answer:?}");
    assert_eq!(readiness(&gateway)["status"], "degraded");
}

async fn eventually_async(gateway: &Gateway, token: &str, call: &str) -> crate::harness::Answer {
    for _ in 0..200 {
        let answer = crate::harness::post(&gateway.endpoint("echo"), Some(token), call).await;
        if answer.body["result"].is_object() {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the tool never came into force\n{}", gateway.log());
}
