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

/// A profile for a gateway that has not started: every path counts from the file.
fn profile(gateway: &Gateway, more: &str) -> String {
    format!("# Runs here.\nlisten: 127.0.0.1:{}\ndata_dir: data\nservices: services\n{more}", gateway.port)
}

#[test]
fn a_profile_says_everything_that_flags_do() {
    let gateway = Gateway::new(&[("access/access.yaml", OPERATORS)], &[]);
    let text = profile(&gateway, "cores: 1\ndurability: synced\naccess_token_life: 7m\n");
    let mut gateway = gateway.with_profile(&text);
    gateway.run();
    let file = gateway.path("gateway.yaml").canonicalize().unwrap();
    let folder = file.parent().unwrap().to_path_buf();
    let settings: serde_json::Value = serde_json::from_str(&gateway.sp(&["--json", "admin", "config", "show"])).unwrap();
    for (name, value) in [
        ("cores", serde_json::json!(1)),
        ("durability", serde_json::json!("synced")),
        ("access_token_life_s", serde_json::json!(420)),
        ("listen", serde_json::json!(format!("127.0.0.1:{}", gateway.port))),
        ("data_dir", serde_json::json!(folder.join("data"))),
        ("services", serde_json::json!(folder.join("services"))),
        ("profile", serde_json::json!(format!("{} (--profile)", file.display()))),
    ] {
        assert_eq!(settings[name], value, "{name}: {settings}");
    }
    // Commands find it by the same file.
    let out = gateway.sp(&["--profile", file.to_str().unwrap(), "infra", "services", "list"]);
    assert!(out.contains("built-in"), "{out}");
    assert!(gateway.stop().success());

    // Flags beat what stands in it.
    gateway.add_args(&["--durability", "written"]);
    gateway.run();
    let settings: serde_json::Value = serde_json::from_str(&gateway.sp(&["--json", "admin", "config", "show"])).unwrap();
    assert_eq!((&settings["durability"], &settings["cores"]), (&serde_json::json!("written"), &serde_json::json!(1)));
}

#[test]
fn a_profile_that_does_not_hold_together_starts_nothing() {
    for (more, expect) in [
        ("coers: 2\n", &["gateway.yaml:5:1: `coers` is not known here", "cores"][..]),
        ("tls: { cert: c.pem, keys: k.pem }\n", &["gateway.yaml:5:", "keys"]),
        ("cores: 0\n", &["gateway.yaml:5:"]),
        ("durability: perhaps\n", &["gateway.yaml:5:", "synced"]),
        ("cores: 2\ncores: 3\n", &["gateway.yaml:6:"]),
        ("database_url: postgres://sp:${SP_NO_SUCH_VARIABLE}@localhost/sp\n", &["SP_NO_SUCH_VARIABLE"]),
    ] {
        let gateway = Gateway::new(&[("access/access.yaml", OPERATORS)], &[]);
        let text = profile(&gateway, more);
        let mut gateway = gateway.with_profile(&text);
        let (code, err) = gateway.refused();
        assert_eq!(code, 2, "{more}: {err}");
        for words in expect {
            assert!(err.contains(words), "{more}: {err}");
        }
        assert!(!gateway.data_dir().exists(), "{more}: something was started");
    }
    let gateway = Gateway::new(&[], &["--profile", "/nowhere/at-all.yaml"]);
    let (code, err) = gateway.refused_second();
    assert!(code == 2 && err.contains("there is no `/nowhere/at-all.yaml`"), "{err}");
}

#[test]
fn a_clean_stop_has_nothing_to_complain_about() {
    let mut gateway = Gateway::start(&[("access/access.yaml", OPERATORS)], &["--cores", "2"]);
    gateway.sp(&["admin", "users", "create", "ann"]);
    // Connections of every kind are open by then: the pool's, the one that listens, the one that pings.
    crate::harness::eventually("the link is logged", || gateway.log().contains("/enrol?code=").then_some(()));
    assert!(gateway.stop().success());
    assert_eq!(complaints(&gateway), Vec::<String>::new());

    // As well when it has only just begun, and is still making keys and links.
    let mut early = Gateway::new(&[("access/access.yaml", OPERATORS)], &["--cores", "2"]);
    early.run_degraded();
    assert!(early.stop().success());
    assert_eq!(complaints(&early), Vec::<String>::new());
}

/// Warnings and errors since it was told to stop.
fn complaints(gateway: &Gateway) -> Vec<String> {
    let log = gateway.log();
    let (_, end) = log.split_once("draining").expect("it says that it drains");
    assert!(end.contains("stopped"), "{end}");
    end.lines().filter(|line| line.contains(" WARN ") || line.contains("ERROR ")).map(str::to_owned).collect()
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
