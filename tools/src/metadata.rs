//! The part of `cargo metadata` that the checks read: packages, their licences, and who depends on whom.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// What `cargo metadata --format-version 1` prints, reduced to what the checks use.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    /// Every package of the graph, workspace members and third parties alike.
    pub packages: Vec<Package>,
    /// The ids of the workspace members.
    pub workspace_members: BTreeSet<String>,
    /// The resolved graph.
    pub resolve: Resolve,
}

/// One package.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// Its unique id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its SPDX licence expression, if it declares one.
    pub license: Option<String>,
    /// Where it came from; nothing for a path dependency.
    pub source: Option<String>,
}

/// The resolved graph.
#[derive(Debug, Deserialize)]
pub struct Resolve {
    /// One node for each package.
    pub nodes: Vec<Node>,
}

/// A package in the graph and its edges.
#[derive(Debug, Deserialize)]
pub struct Node {
    /// The package.
    pub id: String,
    /// Its edges.
    pub deps: Vec<Edge>,
}

/// One edge, with every kind under which the dependency is declared.
#[derive(Debug, Deserialize)]
pub struct Edge {
    /// The package depended on.
    pub pkg: String,
    /// The kinds of this edge.
    pub dep_kinds: Vec<EdgeKind>,
}

/// The kind of an edge: nothing for a normal dependency, else `dev` or `build`.
#[derive(Debug, Deserialize)]
pub struct EdgeKind {
    /// `dev`, `build`, or nothing.
    pub kind: Option<String>,
}

impl Edge {
    fn is_normal(&self) -> bool {
        self.dep_kinds.iter().any(|kind| kind.kind.is_none())
    }

    fn is_only_dev(&self) -> bool {
        self.dep_kinds.iter().all(|kind| kind.kind.as_deref() == Some("dev"))
    }
}

impl Metadata {
    /// Asks cargo for the graph of this machine's platform.
    ///
    /// # Errors
    /// A manifest that does not parse, or crates that cannot be fetched: cargo's own message is passed on.
    pub fn load(root: &Path) -> Result<Self> {
        let platform = host_platform()?;
        let output = Command::new("cargo")
            .args(["metadata", "--format-version", "1", "--filter-platform", &platform])
            .current_dir(root)
            .output()
            .context("run `cargo metadata`")?;
        if !output.status.success() {
            bail!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Self::parse(&output.stdout)
    }

    /// Reads the JSON that cargo prints.
    ///
    /// # Errors
    /// The bytes are not what cargo prints with `--format-version 1`.
    pub fn parse(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json).context("read the output of `cargo metadata`")
    }

    /// Drops the packages that no build contains: `cargo metadata` also lists what only an unused feature would bring.
    ///
    /// # Errors
    /// As for [`Metadata::load`].
    pub fn keep_built(&mut self, root: &Path) -> Result<()> {
        let output = Command::new("cargo")
            .args(["tree", "--workspace", "-e", "normal,build,dev", "--prefix", "none", "-f", "{p}"])
            .current_dir(root)
            .output()
            .context("run `cargo tree`")?;
        if !output.status.success() {
            bail!("`cargo tree` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        self.keep(&text);
        Ok(())
    }

    /// `tree` has lines of the form `name vVERSION …`.
    fn keep(&mut self, tree: &str) {
        let built: BTreeSet<(&str, &str)> = tree
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                Some((words.next()?, words.next()?.strip_prefix('v')?))
            })
            .collect();
        self.packages.retain(|package| built.contains(&(package.name.as_str(), package.version.as_str())));
    }

    /// The names of the workspace members.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id)).map(|p| p.name.as_str())
    }

    /// What the workspace member `name` declares itself under `[dependencies]`.
    pub fn direct(&self, name: &str) -> BTreeSet<&str> {
        let names = self.names();
        self.member(name)
            .and_then(|id| self.resolve.nodes.iter().find(|node| node.id == id))
            .into_iter()
            .flat_map(|node| node.deps.iter().filter(|edge| edge.is_normal()))
            .filter_map(|edge| names.get(edge.pkg.as_str()).copied())
            .collect()
    }

    /// Everything that is built: the packages within reach of any member by normal or build edges, members included.
    pub fn shipped(&self) -> Vec<&Package> {
        let within = self.reach(self.workspace_members.iter().map(String::as_str).collect());
        self.packages.iter().filter(|package| within.contains(package.id.as_str())).collect()
    }

    /// The ids of the packages that `is_root` picks, and of all below them.
    pub fn below(&self, is_root: impl Fn(&Package) -> bool) -> BTreeSet<&str> {
        self.reach(self.packages.iter().filter(|package| is_root(package)).map(|package| package.id.as_str()).collect())
    }

    /// The names of the packages that depend on any package called `name`, other than for their tests.
    pub fn users(&self, name: &str) -> BTreeSet<&str> {
        let names = self.names();
        let is_it = |edge: &Edge| !edge.is_only_dev() && names.get(edge.pkg.as_str()) == Some(&name);
        let nodes = self.resolve.nodes.iter().filter(|node| node.deps.iter().any(is_it));
        nodes.filter_map(|node| names.get(node.id.as_str()).copied()).collect()
    }

    /// Everything within reach of `queue` by normal or build edges.
    fn reach<'a>(&'a self, mut queue: Vec<&'a str>) -> BTreeSet<&'a str> {
        let by_id: BTreeMap<&str, &Node> = self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = queue.pop() {
            if !seen.insert(id) {
                continue;
            }
            let edges = by_id.get(id).into_iter().flat_map(|node| &node.deps);
            queue.extend(edges.filter(|edge| !edge.is_only_dev()).map(|edge| edge.pkg.as_str()));
        }
        seen
    }

    fn member(&self, name: &str) -> Option<&str> {
        self.packages
            .iter()
            .find(|package| package.name == name && self.workspace_members.contains(&package.id))
            .map(|package| package.id.as_str())
    }

    fn names(&self) -> BTreeMap<&str, &str> {
        self.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect()
    }
}

/// The target triple of the compiler in use.
fn host_platform() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("run `rustc -vV`")?;
    let text = String::from_utf8(output.stdout).context("read the output of `rustc -vV`")?;
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).context("`rustc -vV` names no host")
}
