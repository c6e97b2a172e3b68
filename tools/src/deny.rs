//! `cargo x deny`: may we depend on what we depend on? Asks cargo-deny where it is installed, and otherwise checks
//! licences, bans, duplicates and sources itself against the same `deny.toml`. Never uses the network, unless for `--peers`.

use crate::bench::PEERS;
use crate::metadata::{Metadata, Package};
use crate::repo;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use spdx::{Expression, ParseMode};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

/// Options of `cargo x deny`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Do not use cargo-deny even where it is installed
    #[arg(long)]
    own: bool,
    /// Check the licences and sources of what only the bench of peers is built from; fetches it where it is missing
    #[arg(long)]
    peers: bool,
}

/// Checks the dependencies, and says by which of the two ways.
///
/// # Errors
/// Something is not allowed, or `deny.toml` cannot be read.
pub fn run(args: &Args) -> Result<()> {
    let root = repo::root()?;
    if args.peers {
        return check_peers(&root);
    }
    if !args.own && is_installed() {
        println!("deny: by cargo-deny");
        let status = Command::new("cargo")
            .args(["deny", "--offline", "check", "bans", "licenses", "sources"])
            .current_dir(&root)
            .status()
            .context("run `cargo deny`")?;
        if !status.success() {
            bail!("`cargo deny` found something");
        }
        return Ok(());
    }
    println!("deny: by this program, as cargo-deny is not used");
    let rules = Rules::load(&root)?;
    let mut metadata = Metadata::load(&root)?;
    metadata.keep_built(&root)?;
    let findings = rules.check(&metadata);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} finding(s); deny.toml says what is allowed and why", findings.len());
    }
    println!("deny: {} packages, nothing to report", metadata.packages.len());
    Ok(())
}

/// Versions are not ours to choose there, and nothing of it is shipped.
fn check_peers(root: &Path) -> Result<()> {
    let rules = Rules::load(root)?;
    let metadata = Metadata::load(&root.join(PEERS))?;
    let shipped = metadata.shipped();
    let theirs = shipped.iter().filter(|package| package.source.is_some());
    let findings: Vec<String> =
        theirs.flat_map(|package| [rules.check_license(package), rules.check_source(package)]).flatten().collect();
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} finding(s) in {PEERS}; deny.toml says what is allowed and why", findings.len());
    }
    println!("deny: {} packages of {PEERS}, nothing to report", shipped.len());
    Ok(())
}

fn is_installed() -> bool {
    let version = Command::new("cargo").args(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// The part of `deny.toml` that is checked here. What cargo-deny knows beyond it is left to cargo-deny.
#[derive(Debug, Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Debug, Deserialize)]
struct Licenses {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Bans {
    #[serde(default)]
    deny: Vec<Ban>,
    #[serde(default)]
    skip: Vec<Skip>,
    #[serde(default)]
    skip_tree: Vec<Skip>,
}

#[derive(Debug, Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
    /// Crates that may use it all the same.
    #[serde(default)]
    wrappers: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Skip {
    /// A name, or `name@version` where the version may be cut short.
    #[serde(rename = "crate")]
    spec: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

impl Rules {
    fn load(root: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(root.join("deny.toml")).context("read `deny.toml`")?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).context("read `deny.toml`")
    }

    fn check(&self, metadata: &Metadata) -> Vec<String> {
        let mut findings = Vec::new();
        let shipped = metadata.shipped();
        for package in shipped.iter().filter(|package| package.source.is_some()) {
            findings.extend(self.check_license(package));
            findings.extend(self.check_source(package));
        }
        for ban in &self.bans.deny {
            findings.extend(check_ban(ban, metadata));
        }
        findings.extend(self.check_duplicates(metadata, &shipped));
        findings.sort();
        findings
    }

    fn check_license(&self, package: &Package) -> Option<String> {
        let at = format!("{} {}", package.name, package.version);
        let Some(license) = &package.license else {
            return Some(format!("{at}: declares no licence; look into its files and decide in deny.toml"));
        };
        let expression = match Expression::parse_mode(license, ParseMode::LAX) {
            Ok(expression) => expression,
            Err(error) => return Some(format!("{at}: `{license}` is no licence expression: {}", error.reason)),
        };
        let exception = self.licenses.exceptions.iter().find(|exception| exception.name == package.name);
        let own = exception.map(|exception| exception.allow.as_slice()).unwrap_or_default();
        let is_allowed = |wanted: &str| self.licenses.allow.iter().chain(own).any(|allowed| allowed == wanted);
        // An `or later` is as good as the version it starts from.
        let allowed = expression.evaluate(|wanted| is_allowed(wanted.to_string().trim_end_matches('+')));
        (!allowed).then(|| format!("{at}: `{license}` is not among the licences that deny.toml allows"))
    }

    fn check_source(&self, package: &Package) -> Option<String> {
        let source = package.source.as_deref()?;
        let known = self.sources.allow_registry.iter().any(|registry| source == format!("registry+{registry}"));
        (!known).then(|| format!("{} {}: comes from `{source}`; only crates.io is allowed", package.name, package.version))
    }

    fn check_duplicates(&self, metadata: &Metadata, shipped: &[&Package]) -> Vec<String> {
        let within: BTreeSet<&str> =
            self.bans.skip_tree.iter().flat_map(|skip| metadata.below(|package| skip.covers(package))).collect();
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for package in shipped {
            let skipped = self.bans.skip.iter().any(|skip| skip.covers(package)) || within.contains(package.id.as_str());
            if !skipped {
                versions.entry(&package.name).or_default().insert(&package.version);
            }
        }
        versions
            .into_iter()
            .filter(|(_, versions)| versions.len() > 1)
            .map(|(name, versions)| {
                let versions: Vec<&str> = versions.into_iter().collect();
                format!("{name}: {} at once; move to one of them (`cargo tree -i {name}@…`), or skip one in deny.toml with its reason", versions.join(" and "))
            })
            .collect()
    }
}

impl Skip {
    fn covers(&self, package: &Package) -> bool {
        match self.spec.split_once('@') {
            None => package.name == self.spec,
            Some((name, version)) => {
                let rest = package.version.strip_prefix(version);
                package.name == name && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
        }
    }
}

fn check_ban(ban: &Ban, metadata: &Metadata) -> Option<String> {
    let users: Vec<&str> =
        metadata.users(&ban.name).into_iter().filter(|user| !ban.wrappers.iter().any(|name| name == user)).collect();
    (!users.is_empty()).then(|| format!("{}: is banned: {}; used by {}", ban.name, ban.reason, users.join(", ")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
        exceptions = [{ crate = "odd", allow = ["MPL-2.0"] }]
        [bans]
        deny = [{ crate = "bad", reason = "use good", wrappers = ["old"] }]
        skip = [{ crate = "twice@1", reason = "x" }]
        skip-tree = [{ crate = "old", reason = "x" }]
        [sources]
        allow-registry = ["https://r"]
    "#;

    /// A graph of packages given as `name version licence`, each with what it depends on by name and version.
    fn graph(packages: &[(&str, &[&str])]) -> Metadata {
        let id = |text: &str| text.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let mut list =
            vec![serde_json::json!({"id": "ours", "name": "ours", "version": "0.1.0", "license": "Apache-2.0", "source": null})];
        let all: Vec<_> =
            packages.iter().map(|(text, _)| serde_json::json!({"pkg": id(text), "dep_kinds": [{"kind": null}]})).collect();
        let mut nodes = vec![serde_json::json!({"id": "ours", "deps": all})];
        for (text, deps) in packages {
            let mut words = text.splitn(3, ' ');
            let (name, version, license) = (words.next().unwrap(), words.next().unwrap(), words.next());
            list.push(serde_json::json!({"id": id(text), "name": name, "version": version, "license": license, "source": "registry+https://r"}));
            let deps: Vec<_> = deps.iter().map(|dep| serde_json::json!({"pkg": dep, "dep_kinds": [{"kind": null}]})).collect();
            nodes.push(serde_json::json!({"id": id(text), "deps": deps}));
        }
        let json = serde_json::json!({"packages": list, "workspace_members": ["ours"], "resolve": {"nodes": nodes}});
        Metadata::parse(json.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn rules() {
        let check = |packages: &[(&str, &[&str])], expect: &[&str]| {
            let found = Rules::parse(RULES).unwrap().check(&graph(packages));
            assert_eq!(found.len(), expect.len(), "{packages:?}: {found:?}");
            for (found, expect) in found.iter().zip(expect) {
                assert!(found.contains(expect), "{found} lacks {expect}");
            }
        };
        check(&[("a 1.0.0 MIT", &[]), ("b 1.0.0 MIT OR GPL-3.0", &[]), ("c 1.0.0 MIT/Apache-2.0", &[])], &[]);
        check(&[("a 1.0.0 Apache-2.0 WITH LLVM-exception OR GPL-2.0", &[])], &[]);
        check(&[("a 1.0.0 GPL-3.0-only", &[])], &["a 1.0.0: `GPL-3.0-only` is not among"]);
        check(&[("a 1.0.0 MIT AND GPL-3.0", &[])], &["is not among"]);
        check(&[("a 1.0.0", &[])], &["declares no licence"]);
        check(&[("a 1.0.0 Whatever", &[])], &["is no licence expression"]);
        check(&[("odd 1.0.0 MPL-2.0+", &[])], &[]);
        check(&[("even 1.0.0 MPL-2.0", &[])], &["is not among"]);
        check(&[("bad 1.0.0 MIT", &[])], &["bad: is banned: use good; used by ours"]);
        check(&[("a 1.0.0 MIT", &[]), ("a 2.0.0 MIT", &[])], &["a: 1.0.0 and 2.0.0 at once"]);
        check(&[("twice 1.5.0 MIT", &[]), ("twice 2.0.0 MIT", &[])], &[]);
        check(&[("twice 2.0.0 MIT", &[]), ("twice 3.0.0 MIT", &[])], &["twice: 2.0.0 and 3.0.0"]);
        check(&[("old 1.0.0 MIT", &["a 1.0.0"]), ("a 1.0.0 MIT", &[]), ("a 2.0.0 MIT", &[])], &[]);
    }
}
