//! Broken trees, and what is said about them; and the sample tree, which must hold together.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use super::*;

const SERVER: (&str, &str) = ("mcp/files.yaml", "transport: {http: {url: 'http://127.0.0.1:1/mcp'}}\ntools: [read, write]\n");
const ROLE: (&str, &str) = ("access/roles.yaml", "roles:\n  dev:\n    scopes: [tools:call]\n");

fn read(files: &[(&str, &str)]) -> Result<Services, Vec<String>> {
    let files: Vec<SourceFile> =
        files.iter().map(|(path, text)| SourceFile { path: PathBuf::from(path), text: (*text).to_owned() }).collect();
    parse(Path::new("s"), &files).map_err(|problems| problems.iter().map(Problem::to_string).collect())
}

/// Exactly these problems, each given by what it begins with and what it mentions.
fn check(files: &[(&str, &str)], expect: &[(&str, &str)]) {
    let found = read(files).err().unwrap_or_default();
    assert_eq!(found.len(), expect.len(), "{files:?}\nfound {found:#?}");
    for (have, (begins, mentions)) in found.iter().zip(expect) {
        assert!(have.starts_with(begins) && have.contains(mentions), "{files:?}\nfound {have}\nexpected {begins} … {mentions}");
    }
}

fn check_mcp(text: &str, expect: &[(&str, &str)]) {
    check(&[("mcp/x.yaml", text)], expect);
}

fn check_access(text: &str, expect: &[(&str, &str)]) {
    check(&[SERVER, ROLE, ("access/a.yaml", text)], expect);
}

fn check_governance(text: &str, expect: &[(&str, &str)]) {
    check(&[SERVER, ROLE, ("governance/g.yaml", text)], expect);
}

#[test]
fn the_sample_tree_holds_together() {
    let services = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../services")).unwrap();
    let names: Vec<&str> = services.mcp.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["everything", "files", "git", "time"]);
    assert!(services.grants.len() >= 8 && services.limits.len() >= 4);
    assert!(services.secrets.is_some() && services.blocklist.is_some() && services.audit.is_some());
    assert!(services.results.is_some());
}

/// What `control/build.rs` does with a tree that somebody broke, in each of its files.
#[test]
fn a_broken_sample_fails_with_file_and_line() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services");
    let whole = read_tree(&dir, &mut Vec::new());
    for (file, from, to, expect) in [
        ("mcp/time.yaml", "args:", "arguments:", "s/mcp/time.yaml:7:5: `arguments` is not known here"),
        ("mcp/everything.yaml", "http://127.0.0.1:3901/mcp", "127.0.0.1:3901", "s/mcp/everything.yaml:6:10: "),
        ("access/roles.yaml", "auditor:", "audit or:", "s/access/roles.yaml:9:3: "),
        ("access/grants.yaml", "effect: deny", "effect: denied", "s/access/grants.yaml:"),
        ("access/grants.yaml", "servers: [sp]", "servers: [spp]", "s/access/grants.yaml:"),
        ("governance/limits.yaml", "rate: 2/min", "rate: 2 per min", "s/governance/limits.yaml:28:11: `2 per min` is not a rate"),
        ("governance/protection.yaml", "512B", "512 B", "s/governance/protection.yaml:11:18: "),
    ] {
        let mut files = whole.clone();
        let broken = files.iter_mut().find(|source| source.path == Path::new(file)).unwrap();
        assert!(broken.text.contains(from), "{file} has no `{from}`");
        broken.text = broken.text.replacen(from, to, 1);
        let problems = parse(Path::new("s"), &files).unwrap_err();
        assert!(problems.iter().any(|problem| problem.to_string().starts_with(expect)), "{file}: {problems:?}");
    }
}

#[test]
fn an_empty_tree_grants_nothing() {
    assert_eq!(read(&[]), Ok(Services::default()));
    assert_eq!(read(&[("access/a.yaml", ""), ("governance/g.yaml", "# later\n")]), Ok(Services::default()));
}

#[test]
fn servers_say_what_is_wrong_with_them() {
    let http = "transport: {http: {url: 'http://h/mcp'}}\n";
    let stdio = "transport:\n  stdio:\n    command: x\n";
    check_mcp("", &[("s/mcp/x.yaml:1:1: ", "`transport` is missing")]);
    check_mcp("transport: http", &[("s/mcp/x.yaml:1:", "")]);
    check_mcp("transport: {htp: {}}", &[("s/mcp/x.yaml:1:13: ", "`htp` is not known here; expected `http` or `stdio`")]);
    check_mcp("transport: {http: {}, stdio: {}}", &[("s/mcp/x.yaml:1:", "exactly one of `http` or `stdio`")]);
    check_mcp("transport: {http: {}}", &[("s/mcp/x.yaml:1:", "`url` is missing")]);
    check_mcp("transport: {http: {url: }}", &[("s/mcp/x.yaml:1:", "expected text, found nothing")]);
    for (url, mentions) in [
        ("ftp://h/", "expected `http://host"),
        ("h/mcp", "not a URL"),
        ("http://", "not a URL"),
        ("http://u:p@h/", "credentials"),
        ("http://h/#a", "fragment"),
    ] {
        check_mcp(&format!("transport:\n  http:\n    url: '{url}'\n"), &[("s/mcp/x.yaml:3:10: ", mentions)]);
    }
    for (header, mentions) in [
        ("authorization: Bearer abc", "never stand in these files"),
        ("host: env:H", "set by the gateway"),
        ("MCP-Session-Id: env:H", "set by the gateway"),
        ("'a b': env:H", "not the name of a header"),
        ("x-key: 7", "never stand in these files"),
    ] {
        let text = format!("transport:\n  http:\n    url: http://h/\n    headers:\n      {header}\n");
        check_mcp(&text, &[("s/mcp/x.yaml:5:", mentions)]);
    }
    for (key, mentions) in [
        ("tools: closed", "`discovered`, `open` or a list"),
        ("tools: []", "empty list"),
        ("tools: [a, a]", "twice"),
        ("tools: ['']", "tool name"),
        ("tools:", "`discovered`, `open` or a list"),
        ("call_timeout: 30", "not a time"),
        ("call_timeout: 2d", "at most `1d`"),
        ("call_timeout: [1s]", "a time such as"),
        ("call_timeout:", "nothing stands here"),
        ("nonsense: 1", "`nonsense` is not known here; expected `description`, `transport`, `tools` or `call_timeout`"),
    ] {
        check_mcp(&format!("{http}{key}\n"), &[("s/mcp/x.yaml", mentions)]);
    }
    for (key, mentions) in [
        ("args: x", "expected a list, found text"),
        ("args: ['${']", "`$` that is not"),
        ("args: [true]", "expected text"),
        ("env: {'1A': x}", "name of an environment variable"),
        ("env: {A: 'env:'}", "`env:NAME`"),
        ("max_sessions: 0", "1 to 10000"),
        ("max_sessions: -1", "whole number"),
        ("max_sessions: 99999999999", "too large"),
        ("max_line: 1KiB", "4KiB"),
        ("max_line: 1MB", "not a size"),
        ("warm: yes", "`true` or `false`"),
        ("limits: {cpu: 1}", "`cpu` is not known here"),
        ("limits:", "nothing"),
    ] {
        check_mcp(&format!("{stdio}    {key}\n"), &[("s/mcp/x.yaml:4:", mentions)]);
    }
    check_mcp("transport: {stdio: {command: ''}}", &[("s/mcp/x.yaml:1:", "`command` is empty")]);
}

#[test]
fn sinks_say_what_is_wrong_with_them() {
    check(
        &[("sinks/Bad Name.yaml", "to: { file: { path: /var/log/a } }")],
        &[("s/sinks/Bad Name.yaml", "is no name for a sink")],
    );
    for (text, expected) in [
        ("to: { file: { path: relative } }", "expected the absolute path of a file"),
        ("to: { syslog: { address: siem.example } }", "expected `host:port`"),
        ("to: { syslog: { address: \"siem.example:0\" } }", "expected `host:port`"),
        ("to: { splunk: { url: \"ftp://a\", token: \"env:T\" } }", "expected `http://host[:port]/path`"),
        ("to: { splunk: { url: \"https://a\", token: hunter2 } }", "env:NAME"),
        ("to: { http: { url: \"https://ann:pw@a/\" } }", "must not carry credentials"),
        ("to: { http: { url: \"https://a/\", headers: { host: \"env:H\" } } }", "set by the gateway itself"),
        ("to: { otlp: { url: \"https://a/\" } }\nonly: { kinds: [calls] }", "`calls` is not"),
        ("to: { kafka: { url: \"https://a/\" } }", "kafka"),
        ("to: { otlp: { url: \"https://a/\" } }\nbegin: yesterday", "yesterday"),
    ] {
        let files = [SourceFile { path: "sinks/a.yaml".into(), text: text.to_owned() }];
        let problems = parse(Path::new("s"), &files).unwrap_err();
        assert!(problems.iter().any(|problem| problem.message.contains(expected)), "{text}: {problems:?}");
        assert!(
            !problems.iter().any(|problem| problem.message.contains("hunter2") || problem.message.contains("pw@")),
            "{problems:?}"
        );
    }
    let files =
        [SourceFile { path: "sinks/a.yaml".into(), text: "to: { syslog: { address: \"[::1]:6514\", format: cef } }".to_owned() }];
    assert_eq!(parse(Path::new("s"), &files).unwrap().sinks.len(), 1);
}

#[test]
fn names_of_servers_are_names_of_files() {
    let server = "transport: {http: {url: 'http://h/mcp'}}\n";
    for (path, ok) in [
        ("mcp/a.yaml", true),
        ("mcp/a-b_c9.yaml", true),
        ("mcp/A.yaml", false),
        ("mcp/a__b.yaml", false),
        ("mcp/-a.yaml", false),
        ("mcp/a.b.yaml", false),
        ("mcp/sp.yaml", false),
        ("mcp/claude-code.yaml", false),
    ] {
        assert_eq!(read(&[(path, server)]).is_ok(), ok, "{path}");
    }
    check(&[("other/a.yaml", "")], &[("s/other/a.yaml: ", "`access`, `governance`, `identity`, `mcp` or `sinks`")]);
}

#[test]
fn every_problem_is_told_at_once() {
    let text = "
grants:
  - id: one
    effect: maybe
    servers: [files]
    colour: red
  - id: two
    effect: allow
    servers: [files]
    subjects: {tier: [user], tiers: [root]}
  - effect: allow
    servers: [files]
";
    check_access(
        text,
        &[
            ("s/access/a.yaml:4:13: ", "`maybe` is not known here; expected `allow` or `deny`"),
            ("s/access/a.yaml:6:5: ", "`colour` is not known here"),
            ("s/access/a.yaml:10:16: ", "`tier` is not known here"),
            ("s/access/a.yaml:10:38: ", "`root` is not known here; expected `admin`"),
            ("s/access/a.yaml:11:5: ", "`id` is missing"),
        ],
    );
    let broken = [("mcp/b.yaml", "transport: 7"), ("access/c.yaml", "grants: ["), ("governance/d.yaml", "limits: 3")];
    check(&broken, &[("s/access/c.yaml:", "not YAML"), ("s/governance/d.yaml:1:9: ", "a list"), ("s/mcp/b.yaml:1:12: ", "")]);
}

#[test]
fn grants_say_what_is_wrong_with_them() {
    let grant = |lines: &str| format!("grants:\n- id: g\n  effect: allow\n{lines}\n");
    for (lines, mentions) in [
        ("  servers: []", "`[\"*\"]`"),
        ("  servers: [nowhere]", "`nowhere` matches no server; there are `claude-code`, `files` and `sp`"),
        ("  servers: ['x*']", "matches no server"),
        ("  servers: ['[fs]iles']", "not a glob"),
        ("  servers: [files]\n  tools: []", "leave it out to mean all"),
        ("  servers: [files]\n  tools: [delete]", "`delete` matches no tool of these servers; there are `read` and `write`"),
        ("  servers: [files]\n  methods: [tool/call]", "no method"),
        ("  servers: [files]\n  tools: [read]\n  methods: [tools/list]", "speaks of `tools/call`"),
        ("  servers: [files]\n  scopes: ['a b']", "visible ASCII"),
        ("  servers: [files]\n  subjects: {users: [ada, ' eve']}", "white space"),
        ("  servers: [files]\n  scopes: a", "expected a list, found text"),
        ("  servers: [files]\n  subjects: {roles: [boss]}", "no role is called `boss`; there are `dev`"),
        ("  servers: [files]\n  subjects: {roles: []}", "leave it out to mean all"),
        ("  servers: [files]\n  subjects: {users: ['']}", "must not be empty"),
        ("  servers: [files]\n  subjects: {users: [7]}", "put it in quotes"),
        ("  servers: [files]\n  subjects:", "expected a mapping with `tiers`"),
        ("  servers: [files]\n  tools:", "nothing stands here"),
        (
            "  servers: [files]\n  tools: [read]\n  when: [{arg: /path, under: [/srv]}]",
            "`under` is not known here; expected `arg`",
        ),
        ("  servers: [files]\n  tools: [read]\n  when: {claim: department, eq: x}", "`claim` is not known here"),
        ("  servers: [files]\n  tools: [read]\n  when: [{arg: /n, eq: [1]}]", "expected text, a number, true or false"),
        ("  servers: [files]\n  tools: [read]\n  when: []", "always or never"),
        ("  servers: [files]\n  when: [{arg: /n, le: 5}]", "listings and sessions do not have; name `tools`"),
        ("  servers: [files]\n  methods: ['tools/*']\n  when: {arg: /n, le: 5}", "covers `tools/list`, which has no arguments"),
        ("  servers: [files]\n  methods: [prompts/list]\n  when: {not: {arg: /n, le: 5}}", "`prompts/list`"),
        ("  servers: [files]\n  subjects: {groups: [x]}", "`groups` is not known here; expected `tiers`, `users`, `roles`"),
        ("  servers: [files]\n  subjects: {tiers: [anonymous]}", "no token carries `anonymous`"),
        ("  servers: [sp]\n  tools: [files__read]", "`files__read` names a tool of `files`, of which `servers` does not speak"),
        (
            "  servers: [files]\n  tools: [files__delete]",
            "`files__delete` matches no tool of `files`; there are `read` and `write`",
        ),
        ("  methods: [ping]", "`servers` is missing"),
    ] {
        check_access(&grant(lines), &[("s/access/a.yaml:", mentions)]);
    }
    check_access(
        "grants:\n- id: g\n  effect: deny\n  servers: [files]\n  scopes: [x]\n",
        &[("s/access/a.yaml:2:7: ", "leave `scopes` out")],
    );
    let deep = "grants:\n- id: g\n  effect: allow\n  servers: [files]\n  tools: [read]\n  when:\n  - {arg: /a, is: string}\n  - any:\n    - {arg: /b, prefix: {}}\n";
    check_access(deep, &[("s/access/a.yaml:9:", "")]);
    let two =
        "grants:\n- id: g\n  effect: allow\n  servers: [files]\n  scopes: [ok, 'a b']\n  subjects:\n    users: [ada, ' eve']\n";
    check_access(two, &[("s/access/a.yaml:5:16: ", "`a b`"), ("s/access/a.yaml:7:18: ", "user id")]);
    for lines in [
        "  servers: ['*']",
        "  servers: [files]\n  tools: [re*]\n  methods: ['tools/*']",
        "  servers: [sp, files]\n  tools: [anything]",
        "  servers: ['*']\n  tools: [files__re*, sp__anything]",
        "  servers: [files]\n  tools: [read]\n  when: {arg: /path, within: /srv}",
        "  servers: [files]\n  methods: [tools/call, prompts/get]\n  when: [{arg: /n, le: 5}, {any: [{arg: /t, in: [a, 1, true]}]}]",
        "  servers: [files]\n  when: {time: {from: '08:00', to: '18:00', days: [mon]}}",
        "  servers: [files]\n  subjects: {tiers: [admin, a2a], roles: [dev], departments: [Research]}",
    ] {
        check_access(&grant(lines), &[]);
    }
    check_access(
        "grants:\n- {id: g, effect: allow, servers: [files]}\n- {id: g, effect: deny, servers: [files]}\nroles: {dev: {}}\n",
        &[("s/access/a.yaml:3:8: ", "already declared in `s/access/a.yaml`, line 2"), ("s/access/a.yaml", "role `dev`")],
    );
}

#[test]
fn limits_say_what_is_wrong_with_them() {
    let limit = |keys: &str| format!("limits:\n- {{id: l, {keys}}}\n");
    for (keys, mentions) in [
        ("rate: 1/s", "`per` is missing"),
        ("per: [], rate: 1/s", "`[global]`"),
        ("per: [global, tool], rate: 1/s", "stands alone"),
        ("per: [user], rate: 1/s", "`user` is not known here; expected `global`, `principal`"),
        ("per: [principal]", "expected `rate`"),
        ("per: [principal], count: 3", "expected `rate`"),
        ("per: [principal], rate: 1/s, count: 3", "expected `rate`"),
        ("per: [principal], rate: 0/s", "out of range"),
        ("per: [principal], rate: 1/0s", "not a rate"),
        ("per: [principal], count: 3, period: 0s", "longer than nothing"),
        ("per: [principal], rate: 1/s, burst: 3", "only `algorithm: gcra`"),
        (
            "per: [principal], rate: 1/s, algorithm: leaky",
            "`leaky` is not known here; expected `window`, `gcra`, `concurrency` or `budget`",
        ),
        ("per: [principal], algorithm: concurrency, rate: 1/s", "a `count` and nothing else"),
        ("per: [tool], class: listings, rate: 1/s", "listings"),
        ("per: [tool], class: denials, rate: 1/s", "cannot tell servers or tools apart"),
        ("per: [principal], class: denials, algorithm: concurrency, count: 2", "over at once"),
        ("per: [principal], algorithm: budget, rate: 1/s", "an `amount`"),
        ("per: [principal], algorithm: budget, amount: $5", "and a `period`"),
        ("per: [principal], algorithm: budget, amount: 5, period: 1d", "not an amount"),
        ("per: [principal], algorithm: budget, amount: $0, period: 1d", "admits nothing"),
        ("per: [principal], algorithm: budget, amount: $5, period: 1d, class: listings", "only calls cost money"),
        ("per: [principal], algorithm: budget, amount: $5, period: 1d, costs: [{tool: '*', units: 2}]", "stands in `prices`"),
        ("per: [principal], rate: 1/s, amount: $5", "only `algorithm: budget`"),
        ("per: [principal], rate: 5/s, costs: [{tool: read, units: 6}]", "never fits into 5"),
        ("per: [principal], rate: 5/s, servers: [nowhere]", "matches no server"),
        ("per: [principal], rate: 5/s, servers: [files], tools: [delete]", "matches no tool"),
        ("per: [principal], rate: 5/s, mode: watch", "`watch` is not known here"),
    ] {
        check_governance(&limit(keys), &[("s/governance/g.yaml:2:", mentions)]);
    }
    for keys in [
        "per: [global], rate: 1/s",
        "per: [principal, tool], count: 3, period: 5m, mode: observe",
        "per: [department], algorithm: budget, amount: $12.5, period: 1d",
        "per: [principal], class: denials, rate: 100/min",
        "per: [tenant], algorithm: gcra, rate: 10/min, burst: 2, costs: [{tool: '*', units: 2}]",
        "per: [agent], algorithm: concurrency, count: 2, servers: [files], tools: [read]",
    ] {
        check_governance(&limit(keys), &[]);
    }
    check_governance("prices: [{ servers: [files], tools: [read], call: $0.002 }, { call: $0 }]\n", &[]);
    for (price, mentions) in [
        ("{ servers: [nowhere], call: $1 }", "matches no server"),
        ("{ servers: [], call: $1 }", "empty list"),
        ("{ call: $4001 }", "at most `$4000`"),
        ("{ tools: [x] }", "call"),
    ] {
        check_governance(&format!("prices: [{price}]\n"), &[("s/governance/g.yaml:1:", mentions)]);
    }
    check_governance("audit: {preview_bytes: 1GiB}\n", &[("s/governance/g.yaml:1:24: ", "at most 4 KiB")]);
    check(
        &[("governance/a.yaml", "secrets: {}\n"), ("governance/b.yaml", "\nsecrets: {}\n")],
        &[("s/governance/b.yaml:2:", "`secrets` already stands in `s/governance/a.yaml`, line 1")],
    );
}

#[test]
fn raw_blocks_are_read_with_places() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Block {
        mode: String,
        #[serde(default)]
        rules: Vec<(String, u8)>,
    }

    let raw = |text: &str| read(&[("governance/g.yaml", text)]).unwrap().secrets.unwrap();
    let good = raw("secrets:\n  mode: deny\n  rules: [[a, 1]]\n");
    assert_eq!(good.decode::<Block>(), Ok(Block { mode: "deny".into(), rules: vec![("a".into(), 1)] }));
    assert_eq!(good.problem_near("a", "no").to_string(), "s/governance/g.yaml:3:12: no");
    assert_eq!(good.problem_near("nowhere", "no").to_string(), "s/governance/g.yaml:2:3: no");
    let bad = raw("secrets:\n  mode: 7\n  rules: [[a, 300]]\n  more: 1\n").decode::<Block>().unwrap_err();
    let bad: Vec<String> = bad.iter().map(Problem::to_string).collect();
    assert_eq!(bad.len(), 3, "{bad:?}");
    assert!(bad.iter().any(|text| text.starts_with("s/governance/g.yaml:3:15: ") && text.contains("at most 255")), "{bad:?}");
}

#[test]
fn a_tree_on_disk_is_read_within_bounds() {
    let dir = std::env::temp_dir().join(format!("sp-schema-{}", std::process::id()));
    let write = |path: &str, text: &[u8]| {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("mcp/a.yaml", b"transport: {http: {url: 'http://h/mcp'}}\n");
    write("README.md", b"# notes");
    write("mcp/.hidden", b"");
    let good = load(&dir).map(|services| services.mcp.len());
    write("mcp/b.yml", b"");
    write("mcp/c.yaml", &vec![b'#'; FILE_BYTES_MAX as usize + 1]);
    write("mcp/d.yaml", b"\xff");
    write("govrnance/limits.yaml", b"");
    std::fs::create_dir_all(dir.join("mcp/e.yaml")).unwrap();
    let problems: Vec<String> = load(&dir).unwrap_err().iter().map(|p| p.message.clone()).collect();
    let missing = load(&dir.join("nowhere")).unwrap_err();
    std::fs::remove_dir_all(&dir).unwrap();
    assert_eq!(good, Ok(1));
    assert_eq!(problems.len(), 5, "{problems:?}");
    for (problem, mentions) in
        problems.iter().zip(["expected the folders", "ends in `.yaml`", "larger than 1024 KiB", "not UTF-8", "expected a file"])
    {
        assert!(problem.contains(mentions), "{problem}");
    }
    assert!(missing.iter().any(|problem| problem.message.contains("cannot be read")), "{missing:?}");
}

mod any_text {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_panics_and_always_has_a_place(text in "[a-z:{}\\[\\]\\-\\n ,&*!|>\"'#0-9~$]{0,200}") {
            for path in ["mcp/x.yaml", "access/x.yaml", "governance/x.yaml"] {
                let files = [SourceFile { path: PathBuf::from(path), text: text.clone() }];
                for problem in parse(Path::new("s"), &files).err().unwrap_or_default() {
                    prop_assert!(problem.line >= 1 && !problem.message.is_empty(), "{:?} {}", text, problem);
                }
            }
        }
    }
}

#[test]
fn obligations_on_results_say_what_is_wrong_with_them() {
    let good = "results:\n  injection: deny\n  pii: { email: redact, national_id: tag }\n  size_max: 1MiB\n  exceptions:\n    - { servers: [files], tools: [read], classes: [email], duty: tag }\n";
    let services = read(&[SERVER, ROLE, ("governance/g.yaml", good)]).unwrap();
    assert_eq!(services.results.unwrap().what.exceptions.len(), 1);
    for (text, mentions) in [
        (
            "results:\n  injection: block\n",
            "s/governance/g.yaml:2:14: `block` is not known here; expected `off`, `tag`, `redact` or `deny`",
        ),
        ("results:\n  pii: { mail: tag }\n", "s/governance/g.yaml:2:10: `mail` is not known here"),
        ("results:\n  size_max: 1GiB\n", "s/governance/g.yaml:2:13: a size of"),
        ("results:\n  exceptions:\n    - { classes: [email] }\n", "s/governance/g.yaml:3:7: expected `servers` or `tools`"),
        ("results:\n  exceptions:\n    - { servers: [nosuch] }\n", "s/governance/g.yaml:3:19: `nosuch` matches no server"),
        (
            "results:\n  exceptions:\n    - { servers: [files], tools: [drop] }\n",
            "s/governance/g.yaml:3:35: `drop` matches no tool",
        ),
        (
            "results:\n  exceptions:\n    - { servers: [files], classes: [] }\n",
            "s/governance/g.yaml:3:36: `classes` is an empty list",
        ),
    ] {
        check_governance(text, &[(mentions, "")]);
    }
    check(
        &[SERVER, ("governance/a.yaml", "results: {}\n"), ("governance/b.yaml", "\nresults: {}\n")],
        &[("s/governance/b.yaml:2:", "`results` already stands in `s/governance/a.yaml`, line 1")],
    );
}

#[test]
fn identity_providers_say_what_is_wrong_with_them() {
    let provider = |text: &str| [SourceFile { path: "identity/sso.yaml".into(), text: text.to_owned() }];
    for (text, expect) in [
        ("issuer: http://login.example\nclient_id: sp", "s/identity/sso.yaml:1:9: expected `https://"),
        ("issuer: https://login.example\nclient_id: ''", "s/identity/sso.yaml:2:12: expected what"),
        ("issuer: https://login.example\nclient_id: sp\nclient_secret: hunter2", "env:NAME"),
        ("issuer: https://login.example\nclient_id: sp\ngroups: { roles: { staff: [ghost] } }", "no role `ghost`"),
        ("issuer: https://login.example\nclient_id: sp\nextra: 1", "extra"),
    ] {
        let problems = parse(Path::new("s"), &provider(text)).unwrap_err();
        assert!(problems.iter().any(|problem| problem.to_string().contains(expect)), "{text}: {problems:?}");
        assert!(!problems.iter().any(|problem| problem.to_string().contains("hunter2")));
    }
    let good = provider("issuer: http://127.0.0.1:3120\nclient_id: sp\naccounts: { create: true, id_claim: sub }");
    assert_eq!(parse(Path::new("s"), &good).unwrap().identity.len(), 1);
}
