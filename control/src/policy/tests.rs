//! What `policy` promises, as rows and properties.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use dataplane::policy::NodeKeys;
use schema::services::{SourceFile, load, parse};
use wire::decision::Tier;
use wire::snapshot::SnapshotBytes;

use super::*;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../services");

fn context(generation: u64) -> Context<'static> {
    Context {
        generation,
        issuer: "http://localhost:1",
        base_url: "http://localhost:1",
        keys: &[],
        control_socket: Path::new("/run/control.sock"),
        now_us: 5,
    }
}

fn tree(files: &[(&str, &str)]) -> Services {
    let files: Vec<SourceFile> =
        files.iter().map(|(path, text)| SourceFile { path: PathBuf::from(path), text: (*text).to_owned() }).collect();
    parse(Path::new("s"), &files).unwrap()
}

fn known(tools: &[&str]) -> Known {
    Known {
        demands: BTreeMap::new(),
        tools: tools.iter().map(ToString::to_string).collect(),
        addresses: vec!["192.0.2.1:80".parse().unwrap()],
        socket: Some("/run/mcp-x.sock".into()),
    }
}

fn ready(services: &Services, snapshot: &Snapshot) -> Result<dataplane::policy::Policy, Vec<Problem>> {
    let node = NodeKeys { rates: [1; 16], digests: [2; 32], sessions: [3; 32], fingerprints: [4; 32], api_keys: [5; 32] };
    let reach = reach(services, snapshot, |name| (name == "TOKEN").then(|| "secret".to_owned()))?;
    make_ready(services, SnapshotBytes::encode(snapshot).unwrap().0, &node, &reach, None)
}

/// The one problem of a tree with this governance file.
fn refused(text: &str) -> String {
    let services = tree(&[("governance/g.yaml", text)]);
    let problems = match compile(&services, &Dynamic::default(), &context(1)) {
        Ok(snapshot) => ready(&services, &snapshot).err().unwrap(),
        Err(problems) => problems,
    };
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].to_string()
}

#[test]
fn the_sample_tree_becomes_a_policy() {
    let services = load(Path::new(SAMPLE)).unwrap();
    let mut dynamic = Dynamic::default();
    dynamic.servers.insert("everything".into(), known(&["echo", "get-sum", "get-env", "get-tiny-image"]));
    dynamic.servers.insert("time".into(), known(&["get_current_time", "convert_time"]));
    dynamic.servers.insert(COMMAND_SERVER.into(), known(&["infra_logs_search"]));
    let snapshot = compile(&services, &dynamic, &context(3)).unwrap();
    assert_eq!(compile(&services, &dynamic, &context(3)).unwrap(), snapshot, "the same in, the same out");
    let policy = ready(&services, &snapshot).unwrap();
    assert_eq!(policy.generation(), 3);
    for name in ["everything", "files", "git", "time", COMMAND_SERVER, HOST_SERVER] {
        assert!(policy.server(name).is_some(), "{name}");
    }
    assert_eq!(snapshot.preview_bytes, 512);
    assert_eq!(snapshot.roles["auditor"], ["audit:read"]);
}

#[test]
fn servers_have_the_tools_they_may_have() {
    let services = tree(&[
        ("mcp/discovered.yaml", "transport: {stdio: {command: x}}"),
        ("mcp/listed.yaml", "transport: {stdio: {command: x}}\ntools: [b, a]\ncall_timeout: 3s"),
        ("mcp/open.yaml", "transport: {http: {url: 'http://h.example/mcp', headers: {X-Key: env:TOKEN}}}\ntools: open"),
        ("mcp/literal.yaml", "transport: {http: {url: 'http://[::1]:7/mcp'}}"),
    ]);
    let mut dynamic = Dynamic::default();
    for name in ["discovered", "listed"] {
        dynamic.servers.insert(name.into(), known(&["z", "a", "a", "", "bad\nname"]));
    }
    let snapshot = compile(&services, &dynamic, &context(1)).unwrap();
    let server = |name: &str| &snapshot.servers[snapshot.server_names[name] as usize];
    let tools = |name: &str| {
        let mut tools: Vec<&str> = server(name).tools.keys().map(String::as_str).collect();
        tools.sort_unstable();
        tools.join(" ")
    };
    let rows = [
        ("discovered", "a z", false, 120_000),
        ("listed", "a b", false, 3_000),
        ("open", "", true, 120_000),
        (COMMAND_SERVER, "", false, 120_000),
        (HOST_SERVER, "", true, 120_000),
    ];
    for (name, expect, open, timeout_ms) in rows {
        assert_eq!(
            (tools(name).as_str(), server(name).open_tools, server(name).call_timeout_ms),
            (expect, open, timeout_ms),
            "{name}"
        );
    }
    for (server_ix, server) in snapshot.servers.iter().enumerate() {
        for (name, ix) in &server.tools {
            assert_eq!(
                snapshot.tools[*ix as usize],
                Tool { server: server_ix as u32, name: name.clone(), scopes_any: Vec::new() }
            );
        }
    }
    let http = |name: &str| match &server(name).upstream {
        Upstream::Http(http) => http.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(http("open").headers, [("x-key".to_owned(), "env:TOKEN".to_owned())]);
    assert_eq!(http("open").addresses, ["127.0.0.1:0"], "nobody listens there");
    assert_eq!(http("literal").addresses, ["[::1]:7"]);
    assert_eq!(server(HOST_SERVER).upstream, Upstream::None);
    let socket = UnixUpstream { socket: "/run/control.sock".into(), path: "/mcp/sp".into() };
    assert_eq!(server(COMMAND_SERVER).upstream, Upstream::Unix(socket));
    assert_eq!(server(COMMAND_SERVER).channel, Channel::Command.code());
    assert_eq!(ready(&services, &snapshot).err(), None);
}

#[test]
fn grants_and_limits_keep_their_meaning() {
    let services = tree(&[
        ("mcp/m.yaml", "transport: {stdio: {command: x}}"),
        (
            "access/a.yaml",
            "roles: {dev: {scopes: [b, a]}}
grants:
- {id: g, effect: deny, servers: [m], tools: ['t*'], subjects: {tiers: [user, a2a], roles: [dev], users: [ada]}}
- {id: h, effect: allow, servers: [m], scopes: [s]}",
        ),
        (
            "governance/g.yaml",
            "limits:
- {id: window, per: [principal, tool], rate: 100/min, servers: [m], costs: [{tool: 'x*', units: 3}]}
- {id: pace, per: [global], count: 10, period: 2s, algorithm: gcra, burst: 4, mode: observe}
- {id: once, per: [tenant], algorithm: concurrency, count: 2, class: listings}",
        ),
    ]);
    let extra =
        snapshot::Grant { id: "db".into(), ..compile(&services, &Dynamic::default(), &context(1)).unwrap().grants[0].clone() };
    let mut dynamic = Dynamic::default();
    dynamic.facts.stored.grants.push((extra, 0));
    let snapshot = compile(&services, &dynamic, &context(1)).unwrap();
    let [grant, scoped, from_database] = snapshot.grants.as_slice() else { panic!("{:?}", snapshot.grants) };
    assert_eq!((grant.id.as_str(), grant.effect, from_database.id.as_str()), ("g", Effect::Deny, "db"));
    assert_eq!(grant.subject.tiers, 1 << Tier::User.code() | 1 << Tier::A2a.code());
    assert_eq!((grant.subject.roles.join(","), grant.subject.users.join(",")), ("dev".into(), "ada".into()));
    assert_eq!((grant.tools.join(","), grant.servers.join(","), scoped.scopes.join(",")), ("t*".into(), "m".into(), "s".into()));
    let [window, pace, once] = snapshot.limits.as_slice() else { panic!("{:?}", snapshot.limits) };
    assert_eq!(window.key, key_part::PRINCIPAL | key_part::TOOL);
    assert_eq!((window.count, window.period_us, window.burst, window.observe), (100, 60_000_000, 0, false));
    assert_eq!(window.costs, [("x*".to_owned(), 3)]);
    assert_eq!((pace.key, pace.count, pace.period_us, pace.burst, pace.observe), (0, 10, 2_000_000, 4, true));
    assert_eq!((once.algorithm, once.count, once.period_us, once.class), (Algorithm::Concurrency, 2, 0, CallClass::Listings));
    assert_eq!(ready(&services, &snapshot).err(), None);
}

#[test]
fn what_the_layers_refuse_is_told_where_it_stands() {
    let rows = [
        ("secrets:\n  modus: deny\n", "s/governance/g.yaml:2:3: ", "`modus` is not known here; expected"),
        ("secrets:\n  arguments: {mode: shout}\n", "s/governance/g.yaml:2:21: ", "`shout`"),
        (
            "secrets:\n  rules:\n  - id: mine\n    regex: '(('\n    keywords: [token]\n",
            "s/governance/g.yaml:4:12: ",
            "no valid pattern",
        ),
        ("secrets:\n  rules:\n  - {regex: 'a+b', keywords: [token]}\n", "s/governance/g.yaml:", "has no id"),
        ("secrets:\n  gitleaks: [.nowhere.toml]\n", "s/governance/g.yaml:2:14: ", "s/governance/.nowhere.toml"),
        ("blocklist:\n  packs:\n    shel: deny\n", "s/governance/g.yaml:3:5: ", "unknown blocklist pack `shel`"),
        ("blocklist:\n  packs: {shell: loud}\n", "s/governance/g.yaml:2:18: ", "`loud` is not known here; expected `off`"),
        (
            "blocklist:\n  rules:\n  - id: one\n    reason: r\n    argument:\n      matcher: {regex: '('}\n",
            "s/governance/g.yaml:6:24: ",
            "regex `(` cannot be used",
        ),
        ("blocklist:\n  bans: {cidrs: [nowhere]}\n", "s/governance/g.yaml:2:18: ", "`nowhere`"),
        (
            "\n\nlimits:\n- {id: l, per: [global], count: 2000000000, period: 366d, algorithm: gcra, burst: 2000000000}\n",
            "s/governance/g.yaml:4:",
            "limit `l`",
        ),
    ];
    for (text, begins, mentions) in rows {
        let problem = refused(text);
        assert!(problem.starts_with(begins) && problem.contains(mentions), "{text}\n{problem}");
    }
    let services = tree(&[("mcp/m.yaml", "transport: {http: {url: 'http://h/mcp', headers: {x-key: env:UNSET}}}")]);
    let snapshot = compile(&services, &Dynamic::default(), &context(1)).unwrap();
    let problem = ready(&services, &snapshot).err().unwrap().remove(0).to_string();
    assert!(problem.starts_with("s/mcp/m.yaml: ") && problem.contains("env:UNSET"), "{problem}");
}

#[test]
fn a_condition_is_told_where_it_stands() {
    let server = ("mcp/files.yaml", "transport: {stdio: {command: x}}\n");
    let head = "grants:\n- id: g\n  effect: allow\n  servers: [files]\n  tools: [files__read]\n  when:\n";
    for (when, begins, mentions) in [
        ("  - {arg: /p, within: /srv}\n  - {arg: /p, within: '~'}\n", "s/access/a.yaml:8:5: ", "`~` is not a folder"),
        ("    any:\n    - {arg: /p, exists: true}\n    - not: {arg: /h, host: 'a b'}\n", "s/access/a.yaml:9:12: ", "not a host"),
        ("  - {arg: /p}\n", "s/access/a.yaml:7:5: ", "exactly one of"),
        ("  - time: {from: '25:00', to: '26:00'}\n", "s/access/a.yaml:7:5: ", "time of day"),
    ] {
        let services = tree(&[server, ("access/a.yaml", &format!("{head}{when}"))]);
        let problems = compile(&services, &Dynamic::default(), &context(1)).unwrap_err();
        let problem = problems[0].to_string();
        assert!(problems.len() == 1 && problem.starts_with(begins) && problem.contains(mentions), "{when}: {problems:?}");
    }
    let services = tree(&[server, ("access/a.yaml", &format!("{head}  - {{arg: /n, le: 5}}\n"))]);
    let snapshot = compile(&services, &Dynamic::default(), &context(1)).unwrap();
    assert_eq!(snapshot.grants[0].when, r#"[{"arg":"/n","le":5}]"#);
    assert!(ready(&services, &snapshot).is_ok());
}

#[test]
fn a_gitleaks_file_beside_the_block_is_read_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("governance");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("g.yaml"), "secrets:\n  gitleaks: [.gitleaks.toml]\n  modes: {gitleaks/acme: observe}\n").unwrap();
    let rules = "[[rules]]\nid = 'acme'\nregex = 'acme_([a-z0-9]{32})'\nkeywords = ['acme_']\n";
    std::fs::write(folder.join(".gitleaks.toml"), rules).unwrap();
    let services = schema::services::load(dir.path()).unwrap();
    let snapshot = compile(&services, &Dynamic::default(), &context(1)).unwrap();
    assert!(snapshot.secrets.contains("gitleaks/acme"), "{}", snapshot.secrets);
    assert_eq!(ready(&services, &snapshot).err(), None);
}

#[test]
fn children_are_started_from_our_environment() {
    let services = tree(&[
        ("mcp/h.yaml", "transport: {http: {url: 'http://127.0.0.1:9/mcp', headers: {x-key: env:TOKEN}, probe_interval: 7s}}"),
        (
            "mcp/s.yaml",
            "transport:
  stdio:
    command: ${DIR:-/usr}/bin/x
    args: [a, '${TOKEN}', 3901]
    env: {A: plain, B: env:TOKEN, C: '${TOKEN}!'}
    cwd: /tmp
    idle_ttl: 5m
    max_sessions: 3
    max_line: 8KiB
    warm: false
    limits: {memory: 1GiB, open_files: 9}
call_timeout: 2h
",
        ),
    ]);
    let lookup = |name: &str| (name == "TOKEN").then(|| "t".to_owned());
    let servers = children(&services, lookup).unwrap();
    assert_eq!(servers.http[0].headers, [("x-key".to_owned(), "t".to_owned())]);
    assert_eq!(servers.http[0].probe_interval, Duration::from_secs(7));
    let stdio = &servers.stdio[0];
    assert_eq!((stdio.command.as_str(), stdio.args.join(" ")), ("/usr/bin/x", "a t 3901".into()));
    assert_eq!(stdio.env.values().map(String::as_str).collect::<Vec<_>>(), ["plain", "t", "t!"]);
    assert_eq!((stdio.max_sessions, stdio.max_line_bytes, stdio.warm_spare), (3, 8192, false));
    assert_eq!((stdio.limits.memory_bytes, stdio.limits.open_files), (Some(1 << 30), Some(9)));
    assert_eq!((stdio.call_timeout, stdio.call_timeout_total), (Duration::from_secs(7200), Duration::from_secs(7200)));

    let problems = children(&services, |_| None).unwrap_err();
    assert!(problems.iter().all(|problem| problem.message.contains("`TOKEN` is not set")), "{problems:?}");
    assert_eq!(problems.len(), 4);
    let sample = load(Path::new(SAMPLE)).unwrap();
    assert_eq!(children(&sample, |_| None).unwrap().stdio.len(), 3, "the sample needs nothing set");
}

#[tokio::test]
async fn hosts_are_resolved() {
    let services = tree(&[
        ("mcp/a.yaml", "transport: {http: {url: 'http://127.0.0.1:3901/mcp'}}"),
        ("mcp/b.yaml", "transport: {http: {url: 'http://localhost/mcp'}}"),
        ("mcp/c.yaml", "transport: {http: {url: 'http://nobody.invalid/mcp'}}"),
        ("mcp/d.yaml", "transport: {stdio: {command: x}}"),
    ]);
    let addresses = resolve(&services).await;
    assert_eq!(addresses["a"], ["127.0.0.1:3901".parse::<SocketAddr>().unwrap()]);
    assert!(addresses["b"].iter().all(|address| address.port() == 80 && address.ip().is_loopback()));
    assert!(!addresses.contains_key("c") && !addresses.contains_key("d"));
}
