//! The audit trail as its users see it: followed, exported in every format, and pushed to other systems that come and go.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{ACCESS, Gateway, OPERATORS, Upstream, echo_server, eventually, free_port, page, post, tool_call};

type Ids = Arc<Mutex<BTreeSet<String>>>;

/// Reads RFC 5424 messages in frames counted by octets; `stop` of them at most, then the connection is dropped.
fn read_syslog(stream: TcpStream, got: &Ids, stop: usize) {
    let mut stream = BufReader::new(stream);
    for _ in 0..stop {
        let mut length = Vec::new();
        if stream.read_until(b' ', &mut length).unwrap_or(0) == 0 {
            return;
        }
        let length: usize = String::from_utf8(length).unwrap().trim_end().parse().unwrap();
        let mut message = vec![0; length];
        if stream.read_exact(&mut message).is_err() {
            return;
        }
        let message = String::from_utf8(message).unwrap();
        assert!(message.starts_with("<1") && message.contains(">1 "), "{message}");
        let id = message.split_once("[sp@32473 id=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        got.lock().unwrap().insert(id);
    }
}

/// Answers one request after the other with 200, `stop` of them at most, then the connection is dropped.
fn read_http(stream: TcpStream, got: &Ids, stop: usize) {
    let mut stream = BufReader::new(stream);
    for _ in 0..stop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
                Some((name, value)) if name.eq_ignore_ascii_case("x-key") => assert_eq!(value, "hush"),
                _ => {}
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        for line in String::from_utf8(body).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            got.lock().unwrap().insert(event["metadata"]["uid"].as_str().unwrap().to_owned());
        }
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    }
}

/// Listens until it has dropped `lives` connections, each after `stop` messages; the port is closed in between.
fn receiver(port: u16, read: fn(TcpStream, &Ids, usize), lives: &'static [usize]) -> Ids {
    let got = Ids::default();
    let shared = Arc::clone(&got);
    std::thread::spawn(move || {
        for stop in lives {
            let listener = eventually("the port is free", || TcpListener::bind(("127.0.0.1", port)).ok());
            let (stream, _) = listener.accept().unwrap();
            drop(listener);
            read(stream, &shared, *stop);
        }
        let listener = eventually("the port is free", || TcpListener::bind(("127.0.0.1", port)).ok());
        for stream in listener.incoming() {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || read(stream.unwrap(), &shared, usize::MAX));
        }
    });
    got
}

fn exported(gateway: &Gateway, more: &[&str]) -> Vec<Value> {
    let lines = gateway.sp(&[&["infra", "logs", "export"], more].concat());
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_reaches_syslog_and_http_across_restarts_of_the_receivers() {
    let upstream = Upstream::start(&[]);
    let echo = echo_server(&upstream.url);
    let (syslog_port, http_port, dead_port) = (free_port(), free_port(), free_port());
    let syslog = format!(
        "to:\n  syslog: {{ address: \"127.0.0.1:{syslog_port}\", tls: false, format: cef, settle: 60s }}\nbegin: oldest\n"
    );
    let http = format!(
        "to:\n  http: {{ url: \"http://127.0.0.1:{http_port}/in\", format: ocsf, headers: {{ x-key: \"env:SIEM_KEY\" }} }}\nbegin: oldest\n"
    );
    let dead = format!("to:\n  splunk: {{ url: \"http://127.0.0.1:{dead_port}/\", token: \"env:SIEM_KEY\" }}\nbegin: oldest\n");
    let services = [
        ("mcp/echo.yaml", echo.as_str()),
        ("access/access.yaml", ACCESS),
        ("governance/rules.yaml", "secrets: {}\n"),
        ("sinks/arcsight.yaml", syslog.as_str()),
        ("sinks/lake.yaml", http.as_str()),
        ("sinks/dead.yaml", dead.as_str()),
    ];
    let by_syslog = receiver(syslog_port, read_syslog, &[3, 11]);
    let by_http = receiver(http_port, read_http, &[1, 2]);
    let mut gateway = Gateway::new(&services, &["--cores", "2"]).with_env("SIEM_KEY", "hush");
    gateway.run();
    let ann = gateway.token(&["--user", "ann", "--role", "developer"]);
    let endpoint = gateway.endpoint("echo");
    let call = tool_call("echo", json!({"message": "x"}));
    for _ in 0..60 {
        // A sink that is dead slows nobody down and refuses nothing.
        assert!(post(&endpoint, Some(&ann), &call).await.body["result"].is_object());
    }
    // A killed gateway goes on where it was.
    gateway.kill();
    gateway.run();
    for _ in 0..40 {
        assert!(post(&endpoint, Some(&ann), &call).await.body["result"].is_object());
    }
    gateway.wait_until_shipped();
    let events = exported(&gateway, &[]);
    let ids: BTreeSet<String> = events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids.len() >= 200 && ids.len() == events.len(), "{} of {}", ids.len(), events.len());
    for (name, got) in [("syslog", &by_syslog), ("http", &by_http)] {
        eventually(name, || ids.is_subset(&got.lock().unwrap()).then_some(()));
    }
    // A sink that waits to try again looks how far behind it is when it does.
    let dead = eventually("the dead one is behind by all of it", || {
        let sinks: Value = serde_json::from_str(&gateway.sp(&["--json", "infra", "logs", "sinks"])).unwrap();
        let dead = sinks["sinks"].as_array().unwrap().iter().find(|sink| sink["name"] == "dead").unwrap().clone();
        (dead["state"] == "waiting" && dead["behind"].as_u64().unwrap() >= 200).then_some(dead)
    });
    assert!(!dead.to_string().contains("hush"), "{dead}");
    eventually("metrics tell it too", || {
        page(&gateway, "/metrics").contains("sp_sink_up{sink=\"dead\",kind=\"splunk\"} 0").then_some(())
    });
    assert!(!gateway.log().contains("hush"));

    // A sink that is no longer declared ends with the next reload.
    gateway.declare("sinks/dead.yaml", "to:\n  file: { path: relative }\n");
    let (code, _, err) = gateway.try_sp(&["infra", "services", "reload"]);
    assert!(code == 1 && err.contains("dead.yaml:2:") && err.contains("absolute path"), "{err}");
    std::fs::remove_file(gateway.path("services/sinks/dead.yaml")).unwrap();
    gateway.sp(&["infra", "services", "reload"]);
    assert!(!gateway.sp(&["infra", "logs", "sinks"]).contains("dead"));
}

#[test]
fn the_trail_is_exported_in_every_format() {
    let gateway =
        Gateway::start(&[("access/access.yaml", OPERATORS), ("governance/rules.yaml", "secrets: {}\n")], &["--cores", "2"]);
    for _ in 0..12 {
        gateway.sp(&["infra", "services", "list"]);
    }
    let ann = gateway.token(&["--user", "ann"]);
    let _ = gateway.try_sp(&["infra", "services", "list", "--token", &ann]);
    gateway.wait_until_shipped();

    let events = exported(&gateway, &["--page", "5"]);
    assert!(events.windows(2).all(|pair| pair[0]["at"].as_str() <= pair[1]["at"].as_str()));
    let ids: BTreeSet<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), events.len());
    let until = events.last().unwrap()["at"].as_str().unwrap().to_owned();
    let range = ["--until", until.as_str()];
    let count = events.iter().filter(|event| event["at"].as_str().unwrap() < until.as_str()).count();
    let of = |format: &str| gateway.sp(&[&["infra", "logs", "export", "--format", format], &range[..]].concat());
    assert_eq!(of("csv").lines().count(), count + 1);
    assert_eq!(of("cef").lines().filter(|line| line.starts_with("CEF:0|sp|sp|")).count(), count);
    assert_eq!(of("ecs").lines().filter(|line| line.contains("\"ecs\":{\"version\"")).count(), count);
    let ocsf = of("ocsf");
    assert_eq!(ocsf.lines().count(), count);
    validate_ocsf(&ocsf);

    let file = gateway.path("out.parquet");
    let said = gateway.sp(&[
        "infra",
        "logs",
        "export",
        "--format",
        "parquet",
        "-o",
        file.to_str().unwrap(),
        "--json",
        "--until",
        &until,
    ]);
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap()["events"].as_u64(), Some(count as u64));
    let bytes = std::fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    assert!(!gateway.path("out.parquet.part").exists());

    // Whoever has seen enough closes the pipe, and nobody complains.
    let shell = format!("set -o pipefail; {} infra logs export --page 1 | head -1", env!("CARGO_BIN_EXE_sp"));
    let output = Command::new("bash").args(["-c", &shell]).env("SP_DATA_DIR", gateway.data_dir()).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);

    let summary = gateway.sp(&["infra", "logs", "summary", "--since", "1h"]);
    for part in ["verdicts", "allow", "deny 1", "scope: not_granted", "sp/infra_services_list", "p99"] {
        assert!(summary.contains(part), "{part} is missing in\n{summary}");
    }
    // A denied call by its trace, in one command.
    let denied = gateway.sp(&["--json", "infra", "logs", "search", "--decision", "deny"]);
    let denied: Value = serde_json::from_str(&denied).unwrap();
    let trace = denied["events"][0]["trace"].as_str().unwrap();
    let told = gateway.sp(&["infra", "logs", "audit", trace]);
    for part in ["1 identity", "ann", "2 agent context", "3 permissions", "deny", "4 tool execution", "args digest", "5 result"] {
        assert!(told.contains(part), "{part} is missing in\n{told}");
    }
    let (code, _, err) = gateway.try_sp(&["infra", "logs", "audit", "no-such-session"]);
    assert!(code == 1 && err.contains("no event of"), "{code} {err}");
    for command in ["search", "stream", "summary", "export", "audit", "sinks"] {
        assert!(gateway.sp(&["infra", "logs", command, "--help"]).contains("Examples:"), "{command}");
    }
}

/// Against the JSON Schemas that the OCSF project publishes, where a package that brings them is installed.
fn validate_ocsf(lines: &str) {
    const PROGRAM: &str = "
import json, sys
import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version='1.8.0'))
names = {6003: 'api_activity', 3002: 'authentication', 6002: 'application_lifecycle'}
validators = {uid: jsonschema.Draft202012Validator(schema.get_class_schema(name, profiles=['security_control'])) for uid, name in names.items()}
count = 0
for line in sys.stdin:
    event = json.loads(line)
    for error in validators[event['class_uid']].iter_errors(event):
        sys.exit(f'{error.json_path}: {error.message[:300]}\\n{line}')
    count += 1
print(count)
";
    let python = std::env::var_os("SP_TOOLS_DIR").map(|dir| std::path::Path::new(&dir).join("schemas/bin/python"));
    let Some(python) = python.filter(|python| python.exists()) else {
        println!("skipped: SP_TOOLS_DIR has no OCSF schemas; tools/test installs them");
        return;
    };
    let mut child = Command::new(python)
        .args(["-c", PROGRAM])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), lines.lines().count().to_string());
}
