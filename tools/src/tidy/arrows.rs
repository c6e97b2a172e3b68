//! Which crate may depend on which, and which third parties a crate must do without.

use super::Finding;
use crate::metadata::Metadata;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

/// One crate of the workspace: what it may use of the others, and what it must never name itself.
struct Rule {
    name: &'static str,
    may_use: &'static [&'static str],
    never: &'static [(&'static str, &'static str)],
}

const NO_POSTGRES: &str = "the data plane never talks to Postgres: write to the journal, control ships it";
const NO_RUNTIME: &str = "`wire` does no I/O and knows no clock: do it in `dataplane` or `control` and pass bytes and times in";
const NO_TOKIO: &str = "shards run on glommio: use its timers, files and sockets, or send a command to control";
const NO_GLOMMIO: &str = "control runs on tokio: what needs a shard belongs in `dataplane`";

const RULES: &[Rule] = &[
    Rule {
        name: "wire",
        may_use: &[],
        never: &[
            ("tokio", NO_RUNTIME),
            ("glommio", NO_RUNTIME),
            ("io-uring", NO_RUNTIME),
            ("rustix", NO_RUNTIME),
            ("nix", NO_RUNTIME),
            ("libc", NO_RUNTIME),
            ("mio", NO_RUNTIME),
            ("socket2", NO_RUNTIME),
            ("hyper", NO_RUNTIME),
            ("jiff", NO_RUNTIME),
            ("chrono", NO_RUNTIME),
            ("time", NO_RUNTIME),
            ("tracing", NO_RUNTIME),
        ],
    },
    Rule { name: "schema", may_use: &["wire"], never: &[("glommio", NO_GLOMMIO)] },
    Rule {
        name: "dataplane",
        may_use: &["wire"],
        never: &[
            ("tokio", NO_TOKIO),
            ("tokio-util", NO_TOKIO),
            ("hyper-util", NO_TOKIO),
            ("async-std", NO_TOKIO),
            ("tokio-postgres", NO_POSTGRES),
            ("postgres", NO_POSTGRES),
            ("postgres-types", NO_POSTGRES),
            ("deadpool-postgres", NO_POSTGRES),
            ("regex", "the hidden pool of `regex` is a lock: use `regex-automata` with a `Cache` per shard"),
            ("parking_lot", "a shard owns its state: use `Cell`, `RefCell` or a message to the owner"),
            ("dashmap", "a shard owns its state: use a `hashbrown` map and a message to the owner"),
        ],
    },
    Rule { name: "control", may_use: &["wire", "schema", "dataplane"], never: &[("glommio", NO_GLOMMIO)] },
    Rule { name: "bench", may_use: &["wire", "schema", "dataplane", "control"], never: &[] },
    Rule { name: "tools", may_use: &["wire", "schema", "dataplane", "control", "bench"], never: &[] },
];

/// Checks the arrows between our crates and the third parties each names itself.
pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ours: Vec<&str> = metadata.members().collect();
    for name in &ours {
        let Some(rule) = RULES.iter().find(|rule| rule.name == *name) else {
            findings.push(Finding::new(
                *name,
                "a crate without an arrow rule: put the code into one of the crates that exist, or add its rule to tools/src/tidy/arrows.rs",
            ));
            continue;
        };
        for dependency in metadata.direct(name) {
            if ours.contains(&dependency) && !rule.may_use.contains(&dependency) {
                findings.push(Finding::new(
                    *name,
                    format!(
                        "must not depend on `{dependency}`: it may use {}; move the shared part down the arrows",
                        listed(rule.may_use)
                    ),
                ));
            }
            if let Some((_, instead)) = rule.never.iter().find(|(never, _)| *never == dependency) {
                findings.push(Finding::new(*name, format!("must not depend on `{dependency}`: {instead}")));
            }
        }
    }
    findings
}

/// Features of tokio that are plain data structures. Whatever else appears means that a runtime, its reactor or its clock is linked in.
const TOKIO_WITHOUT_RUNTIME: &[&str] = &["bytes", "default", "io-util", "sync"];

/// Crates that bring a second runtime or a database into the process wherever they appear below `dataplane`.
const NEVER_BELOW_DATAPLANE: &[(&str, &str)] = &[
    ("mio", NO_TOKIO),
    ("tokio-postgres", NO_POSTGRES),
    ("postgres-types", NO_POSTGRES),
    ("async-std", NO_TOKIO),
    ("smol", NO_TOKIO),
];

/// Checks that no tokio runtime is anywhere below `dataplane`.
///
/// hyper's HTTP/2 (the `h2` crate) uses tokio's `sync` and `io-util` modules, which are plain data structures; so the
/// rule is about features, and those are only exact when cargo resolves `dataplane` alone.
pub(super) fn check_runtime(root: &Path) -> Result<Vec<Finding>> {
    let output = Command::new("cargo")
        .args(["tree", "-p", "dataplane", "-e", "normal", "--prefix", "none", "-f", "{p} {f}"])
        .current_dir(root)
        .output()
        .context("run `cargo tree`")?;
    if !output.status.success() {
        bail!("`cargo tree` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(check_tree(&String::from_utf8_lossy(&output.stdout)))
}

/// `tree` has lines of the form `name vVERSION feature,feature`.
fn check_tree(tree: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else { continue };
        if let Some((_, instead)) = NEVER_BELOW_DATAPLANE.iter().find(|(never, _)| *never == name) {
            findings.push(Finding::new("dataplane", format!("`{name}` is in its dependency tree: {instead}")));
        }
        if name != "tokio" {
            continue;
        }
        let features = words.nth(1).unwrap_or_default().split(',');
        for feature in features.filter(|feature| !feature.is_empty() && *feature != "(*)") {
            if !TOKIO_WITHOUT_RUNTIME.contains(&feature) {
                findings.push(Finding::new(
                    "dataplane",
                    format!("tokio's `{feature}` is in its dependency tree: {NO_TOKIO}; see `cargo tree -p dataplane -i tokio -e normal,features`"),
                ));
            }
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none of ours".into() } else { format!("only `{}`", names.join("`, `")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    /// A graph of workspace members given as `name -> dependencies`; unknown names become third parties.
    fn graph(edges: &[(&str, &[&str])]) -> Metadata {
        let mut names: Vec<&str> = edges.iter().flat_map(|(name, deps)| deps.iter().copied().chain([*name])).collect();
        names.sort_unstable();
        names.dedup();
        let members: Vec<&str> = edges.iter().map(|(name, _)| *name).collect();
        let packages: Vec<_> = names
            .iter()
            .map(|name| serde_json::json!({"id": name, "name": name, "version": "1.0.0", "license": "MIT", "source": null}))
            .collect();
        let nodes: Vec<_> = edges
            .iter()
            .map(|(name, deps)| {
                let deps: Vec<_> =
                    deps.iter().map(|dep| serde_json::json!({"pkg": dep, "dep_kinds": [{"kind": null}]})).collect();
                serde_json::json!({"id": name, "deps": deps})
            })
            .collect();
        let json = serde_json::json!({"packages": packages, "workspace_members": members, "resolve": {"nodes": nodes}});
        Metadata::parse(json.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn arrows_point_down() {
        let check = |edges: &[(&str, &[&str])], expect: &[&str]| {
            let found: Vec<String> = super::check(&graph(edges)).iter().map(ToString::to_string).collect();
            assert_eq!(found.len(), expect.len(), "{edges:?} gave {found:?}");
            for (found, expect) in found.iter().zip(expect) {
                assert!(found.contains(expect), "{found:?} lacks {expect:?}");
            }
        };
        check(&[("wire", &["serde"]), ("dataplane", &["wire", "glommio"])], &[]);
        check(&[("wire", &[]), ("control", &["wire", "tokio"])], &[]);
        check(&[("wire", &["tokio"])], &["wire: must not depend on `tokio`"]);
        check(&[("dataplane", &["tokio"])], &["use its timers, files and sockets"]);
        check(&[("control", &["glommio"])], &["control: must not depend on `glommio`"]);
        check(&[("schema", &[]), ("dataplane", &["schema"])], &["it may use only `wire`"]);
        check(&[("dataplane", &[]), ("wire", &["dataplane"])], &["it may use none of ours"]);
        check(&[("helpers", &[])], &["a crate without an arrow rule"]);
    }

    #[test]
    fn a_runtime_below_the_data_plane_is_found() {
        let check = |tree: &str, expect: usize| assert_eq!(check_tree(tree).len(), expect, "{tree}");
        check(
            "dataplane v0.1.0 (/x) \ntokio v1.54.1 bytes,default,io-util,sync\ntokio v1.54.1 bytes,default,io-util,sync (*)",
            0,
        );
        check("tokio v1.54.1 ", 0);
        check("tokio v1.54.1  (*)", 0);
        check("tokio v1.54.1 rt,sync,time", 2);
        check("mio v1.0.0 default", 1);
        check("tokio-postgres v0.7.0 default", 1);
    }
}
