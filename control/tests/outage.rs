//! Postgres goes away under load: decisions go on, the journal holds the rows, and all of them arrive.

use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};

use crate::harness::{
    ACCESS, Gateway, Upstream, echo_server, eventually, lines, post, program, readiness, reason, tool_call, until_reason,
};

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

pub fn tell(processes: &[i32], signal: Signal) {
    for pid in processes {
        // A backend may have ended meanwhile.
        let _ = kill(nix::unistd::Pid::from_raw(*pid), signal);
    }
}

/// A process and its children.
pub fn family(parent: i32) -> Vec<i32> {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    std::iter::once(parent).chain(children.split_whitespace().filter_map(|pid| pid.parse().ok())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_start_works_from_the_last_policy_with_postgres_down() {
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", "secrets: {}\n")];
    let call = tool_call("echo", serde_json::json!({"message": "x"}));
    let mut gateway = Gateway::start(&services, &["--cores", "1"]);
    let client = gateway.postgres().await;
    client.batch_execute("INSERT INTO ban (kind, subject, created_by) VALUES ('user', 'bob', 'test')").await.unwrap();
    client.batch_execute(GRANT_FOR_CAROL).await.unwrap();
    let [ann, bob, carol] = ["ann", "bob", "carol"].map(|user| match user {
        "carol" => gateway.token(&["--user", user]),
        _ => gateway.token(&["--user", user, "--role", "developer"]),
    });
    let endpoint = gateway.endpoint("echo");
    until_reason(&endpoint, &bob, &call, "banned").await;
    until_reason(&endpoint, &carol, &call, "").await;
    drop(client);
    gateway.stop();

    let nobody = format!("postgresql://sp@127.0.0.1:{}/sp", crate::harness::free_port());
    gateway.add_args(&["--database-url", &nobody]);
    gateway.run_degraded();
    assert_eq!(readiness(&gateway)["status"], "degraded");
    until_reason(&endpoint, &ann, &call, "").await;
    assert_eq!(reason(&post(&endpoint, Some(&bob), &call).await), "banned");
    assert_eq!(reason(&post(&endpoint, Some(&carol), &call).await), "");
}

const GRANT_FOR_CAROL: &str = "INSERT INTO access_grant (id, principal_kind, principal, server, effect, created_by)
    VALUES ('00000000-0000-4000-8000-000000000001', 'user', 'carol', 'echo', 'allow', 'test')";

#[test]
fn a_node_that_never_read_its_database_does_not_decide_without_it() {
    let nobody = format!("postgresql://sp@127.0.0.1:{}/sp", crate::harness::free_port());
    let services = [("access/access.yaml", crate::harness::OPERATORS), ("governance/rules.yaml", "secrets: {}\n")];
    let mut gateway = Gateway::new(&services, &["--cores", "1", "--database-url", &nobody]);
    let (code, err) = gateway.refused();
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("never read") && err.contains("start again"), "{err}");
}
