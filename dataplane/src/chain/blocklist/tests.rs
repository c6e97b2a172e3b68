//! The layer as the chain sees it: a tape goes in, a hit comes out.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed fixture should stop the test")]

use super::*;

const TARGET: Target<'static> = Target { server: "s", tool: "t", method: "tools/call" };

fn tape_of(json: &str, with: impl FnOnce(&[Node<'_>])) {
    let mut bytes = json.as_bytes().to_vec();
    let tape = simd_json::to_tape(&mut bytes).unwrap();
    with(&tape.0);
}

/// The rule that a JSON document of arguments hits under the default packs.
pub(super) fn check_value(json: &str) -> Option<String> {
    let blocklist = Blocklist::compile(&BlocklistConfig::default()).unwrap();
    let mut scratch = blocklist.scratch();
    let mut found = None;
    tape_of(json, |nodes| {
        found = blocklist.check(&mut scratch, TARGET, nodes).map(|hit| blocklist.rule(hit.rule).unwrap().id.to_string());
    });
    found
}

/// The rule that one argument hits.
pub(super) fn check_argument(key: &str, value: &str) -> Option<String> {
    check_value(&serde_json::json!({ key: value }).to_string())
}

fn check(yaml: serde_json::Value, target: Target<'_>, json: &str, expect: Option<(&str, Mode, &str)>) {
    let config: BlocklistConfig = serde_json::from_value(yaml).unwrap();
    let blocklist = Blocklist::compile(&config).unwrap();
    let mut scratch = blocklist.scratch();
    tape_of(json, |nodes| {
        let hit = blocklist.check(&mut scratch, target, nodes);
        let mut pointer = String::new();
        if let Some(hit) = hit {
            hit.write_pointer(nodes, &mut pointer);
        }
        let got = hit.map(|hit| (&*blocklist.rule(hit.rule).unwrap().id, hit.mode, pointer.as_str()));
        assert_eq!(got, expect, "{json}");
    });
}

#[test]
fn operator_rules_match_calls_and_arguments() {
    let rules = serde_json::json!({ "rules": [
        { "id": "no-delete", "reason": "ask the owner", "mode": "ask", "tools": ["delete_*"] },
        { "id": "no-admin", "reason": "r", "servers": ["admin"], "methods": ["tools/*"] },
        { "id": "no-prod", "reason": "r", "argument": { "pointers": ["/env/*/name"], "matcher": { "glob": "prod*" } } },
        { "id": "no-ticket", "reason": "r", "argument": { "keys": ["*key"], "matcher": { "regex": "^SEC-[0-9]+$" } } },
        { "id": "no-word", "reason": "r", "mode": "observe", "argument": { "matcher": { "contains": "classified" } } },
        { "id": "no-shell-note", "reason": "r", "argument": { "keys": ["note"], "matcher": { "detector": "shell.recursive-delete" } } },
        { "id": "no-force", "reason": "r", "argument": { "keys": ["force"] } },
    ]});
    let rows = [
        ("s", "read", r#"{"a":"b"}"#, None),
        ("s", "delete_repo", r#"{"a":"b"}"#, Some(("no-delete", Mode::Ask, ""))),
        ("admin", "read", "{}", Some(("no-admin", Mode::Deny, ""))),
        ("s", "t", r#"{"env":[{"name":"dev"},{"name":"prod-1"}]}"#, Some(("no-prod", Mode::Deny, "/env/1/name"))),
        ("s", "t", r#"{"env":{"name":"prod-1"}}"#, None),
        ("s", "t", r#"{"issue_key":"SEC-12"}"#, Some(("no-ticket", Mode::Deny, "/issue_key"))),
        ("s", "t", r#"{"issue_key":"SEC-12x"}"#, None),
        ("s", "t", r#"{"x":"is classified"}"#, Some(("no-word", Mode::Observe, "/x"))),
        ("s", "t", r#"{"x":"classified","a/b~":{"y":"SEC-1","key":"SEC-1"}}"#, Some(("no-ticket", Mode::Deny, "/a~1b~0/key"))),
        ("s", "t", r#"{"note":"rm -rf /"}"#, Some(("no-shell-note", Mode::Deny, "/note"))),
        ("s", "t", r#"{"text":"rm -rf /"}"#, None),
        ("s", "t", r#"{"force":"yes"}"#, Some(("no-force", Mode::Deny, "/force"))),
    ];
    for (server, tool, json, expect) in rows {
        check(rules.clone(), Target { server, tool, method: "tools/call" }, json, expect);
    }
}

#[test]
fn packs_overrides_and_exceptions_change_modes() {
    let json = r#"{"command":"git reset --hard; rm -rf /"}"#;
    let delete = "shell.recursive-delete";
    let rows = [
        (serde_json::json!({}), Some((delete, Mode::Deny, "/command"))),
        (serde_json::json!({"packs":{"shell":"off"}}), Some(("git.discard", Mode::Ask, "/command"))),
        (serde_json::json!({"packs":{"shell":"off","git":"off"}}), None),
        (serde_json::json!({"packs":{"shell":"observe","git":"off"}}), Some((delete, Mode::Observe, "/command"))),
        (serde_json::json!({"packs":{"shell":"ask","git":"off"}}), Some((delete, Mode::Ask, "/command"))),
        (
            serde_json::json!({"overrides":{"git.discard":"deny","shell.recursive-delete":"off"}}),
            Some(("git.discard", Mode::Deny, "/command")),
        ),
        (serde_json::json!({"exceptions":[{"rules":["shell.*"],"tools":["t"]}]}), Some(("git.discard", Mode::Ask, "/command"))),
        (serde_json::json!({"exceptions":[{"rules":["shell.*","git.*"],"pointers":["/comm*"]}]}), None),
        (serde_json::json!({"exceptions":[{"rules":["shell.*"],"tools":["other"]}]}), Some((delete, Mode::Deny, "/command"))),
    ];
    for (config, expect) in rows {
        check(config, TARGET, json, expect);
    }
}

#[test]
fn bad_configuration_names_the_rule_and_what_was_expected() {
    let rows = [
        (serde_json::json!({"packs":{"shel":"off"}}), "unknown blocklist pack `shel`"),
        (serde_json::json!({"overrides":{"shell.x":"off"}}), "`shell.x`"),
        (serde_json::json!({"rules":[{"id":"a","reason":"r"}]}), "rule `a`: expected a condition"),
        (serde_json::json!({"rules":[{"id":"","reason":"r","tools":["x"]}]}), "rule `#0`: expected an `id`"),
        (serde_json::json!({"rules":[{"id":"a","reason":"","tools":["x"]}]}), "expected a `reason`"),
        (serde_json::json!({"rules":[{"id":"a","reason":"r","tools":[""]}]}), "`tools` has the glob ``"),
        (
            serde_json::json!({"rules":[{"id":"a","reason":"r","tools":["x"]},{"id":"a","reason":"r","tools":["x"]}]}),
            "`a` is defined twice",
        ),
        (serde_json::json!({"rules":[{"id":"a","reason":"r","argument":{"matcher":{"regex":"("}}}]}), "rule `a`: regex `(`"),
        (serde_json::json!({"rules":[{"id":"a","reason":"r","argument":{"matcher":{"detector":"x"}}}]}), "unknown detector `x`"),
        (serde_json::json!({"rules":[{"id":"a","reason":"r","tools":["x"],"owasp":"ASI11"}]}), "`ASI11`"),
        (serde_json::json!({"rules":[{"id":"a","reason":"r","argument":{"pointers":["env"]}}]}), "begins with `/`"),
        (serde_json::json!({"exceptions":[{"tools":["x"]}]}), "expected `rules`"),
        (serde_json::json!({"bans":{"cidrs":["1.2.3.4/40"]}}), "`1.2.3.4/40`"),
    ];
    for (config, expect) in rows {
        let config: BlocklistConfig = serde_json::from_value(config).unwrap();
        let message = Blocklist::compile(&config).unwrap_err().to_string();
        assert!(message.contains(expect), "{message} should contain {expect}");
    }
}

#[test]
fn a_scratch_survives_a_reload() {
    let first = Blocklist::compile(&BlocklistConfig::default()).unwrap();
    let config: BlocklistConfig = serde_json::from_value(serde_json::json!({ "rules": [
        { "id": "a", "reason": "r", "argument": { "matcher": { "regex": "x+y" } } } ]}))
    .unwrap();
    let second = Blocklist::compile(&config).unwrap();
    let mut scratch = first.scratch();
    tape_of(r#"{"k":"xxy"}"#, |nodes| {
        assert_eq!(first.check(&mut scratch, TARGET, nodes), None);
        assert!(second.check(&mut scratch, TARGET, nodes).is_some());
        assert_eq!(first.check(&mut scratch, TARGET, nodes), None);
    });
}

/// Sixteen times the text takes about sixteen times as long, whatever it is made of.
#[test]
fn time_grows_with_the_text() {
    let blocklist = Blocklist::compile(&serde_json::from_value(serde_json::json!({"packs": observed()})).unwrap()).unwrap();
    let mut scratch = blocklist.scratch();
    let mut time = |key: &str, part: &str, bytes: usize| {
        let json = serde_json::json!({ key: part.repeat(bytes / part.len()) }).to_string();
        let mut best = std::time::Duration::MAX;
        tape_of(&json, |nodes| {
            for _ in 0..2 {
                let start = std::time::Instant::now();
                std::hint::black_box(blocklist.check(&mut scratch, TARGET, nodes));
                best = best.min(start.elapsed());
            }
        });
        best
    };
    let statements = [
        "drop table x;",
        "create temp table t (a int); drop table t;",
        "with (",
        "with a as (delete from b) select 1;",
        "'a'||",
        "exec('a'+'b');",
        "merge into a on (1=1) when matched then delete;",
        "match (n) delete n;",
        "/**/",
        "delete from a where ",
    ];
    let commands = [
        "diskpart;",
        "rm -rf x;",
        "cd /srv;",
        "echo a|",
        "cat <<E\n",
        "git -c alias.x=y x;",
        "PAGER=a ",
        "$(",
        "`",
        "{",
        "('",
        "xargs ",
        "kubectl get a|",
        "vim -c !a;",
        "psql <<< a;",
        "python -c 'exec(1)';",
        "trap 'a' b;",
        "sudo ",
        "<<E ",
        "${a",
        "$'",
        "a=b ",
        "a(){ a|a& };",
        "curl x -d a ",
        "find . -exec rm {} ",
        "docker exec a ",
        "ssh a ",
        "npx ",
        "tmux 'a' ",
        "at ",
        "eval a;",
        "base64 -d|sh;",
        "curl -o a b://c;sh a;",
        "curl a|kubectl apply -f -;",
        "alias a='rm -b';",
        "for a in b;",
        "[\"a\",",
        "printf '\\x41';",
    ];
    let rows =
        statements.iter().map(|part| ("sql", part)).chain(statements.iter().chain(&commands).map(|part| ("command", part)));
    let mut slow = Vec::new();
    for (key, part) in rows {
        // On a busy machine one measurement says little, so a text must be slow whenever it is looked at.
        if (0..4).all(|_| time(key, part, 64 << 10) > time(key, part, 4 << 10) * 64) {
            slow.push(format!("{key} {part:?}"));
        }
    }
    assert!(slow.is_empty(), "took more than 64 times as long for 64 KiB as for 4: {slow:#?}");
}

/// All packs in a mode that stops nothing, so that a check goes on to the end.
fn observed() -> serde_json::Value {
    PACKS.iter().map(|(_, name, _)| ((*name).to_owned(), serde_json::json!("observe"))).collect::<serde_json::Map<_, _>>().into()
}
