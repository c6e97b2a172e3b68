//! A start that cannot work says why, and leaves nothing half started.

use crate::harness::{Gateway, OPERATORS};

#[test]
fn a_tree_that_does_not_hold_together_is_refused_with_file_and_line() {
    for (file, text, expect) in [
        ("mcp/x.yaml", "transport:\n  http:\n    uri: http://localhost/\n", "mcp/x.yaml:3:"),
        ("mcp/x.yaml", "transport: [\n", "mcp/x.yaml:"),
        ("access/a.yaml", "grants:\n  - { id: g, effect: allow, servers: [nosuch] }\n", "access/a.yaml:2:"),
        ("access/a.yaml", "grants:\n  - { id: g, effect: perhaps, servers: [\"*\"] }\n", "access/a.yaml:2:"),
        ("governance/g.yaml", "limits:\n  - { id: l, per: [moon], rate: 1/min }\n", "governance/g.yaml:2:"),
        ("governance/g.yaml", "blocklist:\n  rules:\n    - { id: r, regex: '(' }\n", "governance/g.yaml:"),
    ] {
        let mut gateway = Gateway::new(&[(file, text)], &["--cores", "1"]);
        let (code, err) = gateway.refused();
        assert_eq!(code, 2, "{text}: {err}");
        assert!(err.contains(expect), "{text}: {err}");
        let (code, _, err) = gateway.try_sp(&["check", gateway.path("services").to_str().unwrap()]);
        assert!(code == 1 && err.contains(expect), "{text}: {err}");
        assert!(!gateway.data_dir().join("postgres").exists(), "Postgres was started for nothing");
    }
}

#[test]
fn what_is_taken_is_not_shared() {
    let running = Gateway::start(&[("access/access.yaml", OPERATORS)], &["--cores", "1"]);
    let mut same_port = Gateway::new(&[("access/access.yaml", OPERATORS)], &["--cores", "1"]);
    same_port.port = running.port;
    let (code, err) = same_port.refused();
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("is taken by another process"), "{err}");
    assert!(crate::harness::readiness(&running)["status"] == "ready");

    let (code, err) = running.refused_second();
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("is in use by process"), "{err}");
}

#[test]
fn without_postgresql_it_says_what_is_missing() {
    let empty = tempfile::tempdir().unwrap();
    let mut gateway = Gateway::new(&[("access/access.yaml", OPERATORS)], &["--cores", "1"])
        .with_env("PATH", empty.path().to_str().unwrap())
        .with_env("SP_POSTGRES_BIN", empty.path().to_str().unwrap());
    let (code, err) = gateway.refused();
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("PostgreSQL") && err.contains("initdb"), "{err}");
}

#[test]
fn a_damaged_journal_is_not_trusted() {
    let mut gateway = Gateway::start(&[("access/access.yaml", OPERATORS)], &["--cores", "1"]);
    gateway.sp(&["infra", "services", "list"]);
    gateway.stop();
    let dir = gateway.data_dir().join("journal/shard-000");
    let mut segments: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "seg"))
        .collect();
    segments.sort();
    let mut bytes = std::fs::read(&segments[0]).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&segments[0], bytes).unwrap();
    let (code, err) = gateway.refused();
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("damaged") && err.contains(".seg"), "{err}");
}
