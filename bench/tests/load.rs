//! `sp-load` against servers that behave, that refuse, that stream, that are slow, and that die.

use crate::upstream::Running;
use serde_json::Value;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const ECHO: &str = env!("CARGO_BIN_EXE_sp-echo");
const UPSTREAM: &str = env!("CARGO_BIN_EXE_sp-upstream");
const PASS: &str = env!("CARGO_BIN_EXE_sp-pass");
const LOAD: &str = env!("CARGO_BIN_EXE_sp-load");

fn load(server: &Running, arguments: &[&str]) -> Command {
    let mut command = Command::new(LOAD);
    command.arg(format!("http://{}/mcp", server.address)).arg("--json").args(arguments);
    command
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Runs a load to its end, and compares exit code and members of the report.
fn check(server: &Running, arguments: &[&str], code: i32, expect: &[(&str, u64)]) -> Value {
    let output = load(server, arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    let report = report(&output);
    for (name, value) in expect {
        assert_eq!(report[name].as_u64(), Some(*value), "{arguments:?}: {name} in {report:#}");
    }
    report
}

#[test]
fn every_reply_of_a_tool_is_checked() {
    let json = Running::start(UPSTREAM, &[]);
    let stream = Running::start(UPSTREAM, &["--sse", "--require-session"]);
    let clean = [("allowed", 500), ("denied", 0), ("unexpected", 0), ("resets", 0), ("unanswered", 0)];
    check(&json, &["-n", "500", "-c", "10", "--echoed"], 0, &clean);
    check(&json, &["-n", "500", "-c", "10", "--echoed", "--session", "--threads", "3"], 0, &clean);
    check(&stream, &["-n", "500", "-c", "10", "--echoed", "--session"], 0, &clean);
    // A result that is larger than any buffer arrives in many pieces.
    check(&json, &["-n", "20", "-c", "2", "--tool", "blob", "--args", r#"{"bytes":1000000}"#], 0, &[("allowed", 20)]);
    check(
        &stream,
        &["-n", "20", "-c", "2", "--session", "--tool", "blob", "--args", r#"{"bytes":1000000}"#],
        0,
        &[("allowed", 20)],
    );
}

#[test]
fn what_was_not_expected_is_told() {
    let server = Running::start(UPSTREAM, &["--require-session"]);
    let arguments = ["-n", "10", "-c", "2", "--session"];
    let with = |more: &[&str]| [&arguments[..], more].concat().into_iter().map(String::from).collect::<Vec<_>>();
    let surprise = |more: &[&str], expect: &str| {
        let arguments = with(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let report = check(&server, &arguments, 1, &[("unexpected", 10), ("sent", 10)]);
        let said = report["surprises"].as_object().unwrap();
        assert_eq!(said.keys().collect::<Vec<_>>(), [expect]);
    };
    surprise(&["--expect", "deny"], "allowed, where a denial was expected");
    surprise(&["--tool", "none"], "200 error -32602: no tool `none`");
    surprise(
        &["--expect", "echo"],
        "200 not what was expected: {\"jsonrpc\":\"2.0\",\"id\":100000,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"request 100000\"}],\"isError\":false}}",
    );
    let report = check(&server, &["-n", "4", "-c", "2"], 1, &[("unexpected", 4)]);
    assert!(report["surprises"].to_string().contains("400 error -32600"), "{report:#}");
}

#[test]
fn an_echo_and_a_proxy_answer() {
    let echo = Running::start(ECHO, &["--cores", "2"]);
    check(&echo, &["-n", "1000", "-c", "20", "--expect", "echo"], 0, &[("allowed", 1000)]);
    let upstream = Running::start(UPSTREAM, &["--sse"]);
    let pass = Running::start(PASS, &["--upstream", &upstream.address.to_string()]);
    check(&pass, &["-n", "1000", "-c", "20", "--echoed", "--session"], 0, &[("allowed", 1000)]);
    drop(upstream);
    let report = check(&pass, &["-n", "5", "-c", "1"], 1, &[("unexpected", 5)]);
    assert!(report["surprises"].to_string().contains("502"), "{report:#}");
}

#[test]
fn principals_own_connections_or_take_turns() {
    let server = Running::start(UPSTREAM, &[]);
    let dir = tempfile::tempdir().unwrap();
    let tokens = dir.path().join("tokens");
    std::fs::write(&tokens, "one\ntwo\n\nthree\nfour\n").unwrap();
    let tokens = tokens.to_str().unwrap();
    let report = check(&server, &["-n", "400", "-c", "8", "--tokens", tokens, "--mix"], 0, &[("allowed", 400)]);
    assert_eq!(
        report["principals"],
        serde_json::json!({"count": 4, "allowed_min": 100, "allowed_max": 100, "denied_min": 0, "denied_max": 0})
    );
    let report = check(&server, &["-n", "400", "-c", "2", "--tokens", tokens], 0, &[("allowed", 400)]);
    assert_eq!(report["principals"]["count"], 2);
}

#[test]
fn a_fixed_rate_is_kept_and_a_slow_server_shows() {
    let server = Running::start(UPSTREAM, &["--delay-ms", "100"]);
    let report = check(&server, &["-r", "100", "-d", "1", "-c", "50"], 0, &[("sent", 100), ("allowed", 100)]);
    assert!(report["latency_us"]["p50"].as_f64().unwrap() >= 100_000.0, "{report:#}");
    // One connection serves ten a second: the others of the hundred are late, and it shows in their latency.
    let report = check(&server, &["-r", "100", "-d", "1", "-c", "1"], 0, &[("unexpected", 0)]);
    assert!(report["unsent"].as_u64().unwrap() > 50, "{report:#}");
    assert!(report["latency_us"]["max"].as_f64().unwrap() > 500_000.0, "{report:#}");
    assert!(report["service_us"]["p50"].as_f64().unwrap() < 400_000.0, "{report:#}");
}

#[test]
fn requests_time_out() {
    let server = Running::start(UPSTREAM, &["--delay-ms", "60000"]);
    let report = check(&server, &["-d", "1", "-c", "3", "--timeout", "0.2"], 3, &[("allowed", 0), ("unexpected", 0)]);
    assert_eq!(report["timeouts"].as_u64().unwrap() + report["unanswered"].as_u64().unwrap(), 3, "{report:#}");
}

#[test]
fn a_crash_is_survived_and_counted() {
    let mut server = Running::start(UPSTREAM, &["--delay-ms", "5"]);
    let address = server.address;
    let running = load(&server, &["-d", "3", "-c", "10", "--reconnect"]).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    server.kill();
    let server = Running::start_at(UPSTREAM, address, &["--delay-ms", "5"]);
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let report = report(&output);
    let count = |name: &str| report[name].as_u64().unwrap();
    assert_eq!(count("resets") + count("hangups"), 10, "{report:#}");
    assert_eq!(count("sent"), count("allowed") + count("resets"), "{report:#}");
    assert!(count("reconnects") >= 10, "{report:#}");
    drop(server);
}

#[test]
fn a_run_whose_server_is_gone_ends() {
    let mut server = Running::start(UPSTREAM, &["--delay-ms", "5"]);
    let running = load(&server, &["-d", "60", "-c", "4"]).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    server.kill();
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

#[test]
fn an_interrupt_ends_the_run_with_a_report() {
    let server = Running::start(UPSTREAM, &[]);
    let running = load(&server, &["-d", "60", "-c", "4"]).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let pid = nix::unistd::Pid::from_raw(running.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::SIGINT).unwrap();
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(report(&output)["allowed"].as_u64().unwrap() > 0);
}

#[test]
fn a_plan_that_makes_no_sense_is_refused() {
    let server = Running::start(UPSTREAM, &[]);
    let check = |arguments: &[&str], expect: &str| {
        let output = load(&server, arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expect), "{arguments:?}: {said}");
    };
    check(&[], "the run would have no end");
    check(&["-n", "1", "-c", "0"], "between 1 and");
    check(&["-n", "1", "-r", "0"], "a rate of `0`");
    check(&["-n", "1", "--args", "{"], "is not JSON");
    check(&["-n", "1", "--mix", "--session"], "belongs to one principal");
    check(&["-n", "1", "--tokens", "/nowhere"], "`/nowhere`");
    check(&["-n", "1", "--watch", "x"], "name=pid");
    let mut server = server;
    server.kill();
    let output = load(&server, &["-n", "1", "--connect-timeout", "0.3"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("could not be made: Connection refused"), "{said}");
}
