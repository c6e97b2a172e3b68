//! Where things stand and what they are called: the top level, module names, and a README for each crate.

use super::Finding;
use std::path::{Component, Path, PathBuf};

/// All that may stand at the top of the repository, files that begin with a dot aside.
const TOP_LEVEL: &[&str] = &[
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "bench",
    "clippy.toml",
    "control",
    "dataplane",
    "deny.toml",
    "flamegraphs",
    // A workspace of its own: fuzz targets need a nightly compiler and sanitizers that nothing else here does.
    "fuzz",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "schema",
    "services",
    "tools",
    "wire",
];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "types", "models", "manager", "misc", "lib_utils", "shared"];

/// Checks the names of `files`, which are relative to the root.
pub(super) fn check(files: &[PathBuf]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = files.iter().filter_map(|file| check_file(file)).collect();
    let mut strangers: Vec<&str> = files.iter().filter_map(|file| top_level(file)).collect();
    strangers.sort_unstable();
    strangers.dedup();
    findings.extend(strangers.into_iter().filter(|name| !is_at_home(name)).map(|name| {
        Finding::new(name, "does not belong at the top level: move it into the crate it serves, or add it with its reason to TOP_LEVEL in tools/src/tidy/names.rs")
    }));
    findings
}

/// Checks that each crate explains itself on one page.
pub(super) fn check_readmes<'a>(crates: impl Iterator<Item = &'a str>, files: &[PathBuf]) -> Vec<Finding> {
    crates
        .filter(|name| !files.contains(&Path::new(name).join("README.md")))
        .map(|name| {
            Finding::new(
                format!("{name}/README.md"),
                "is missing: one page with what the crate owns, its invariants, where to start reading, and \"where do I add …\"",
            )
        })
        .collect()
}

fn check_file(file: &Path) -> Option<Finding> {
    let at = file.display().to_string();
    if file.extension()? != "rs" {
        return None;
    }
    if file.file_name()? == "mod.rs" {
        let instead = file.parent().map(|parent| parent.with_extension("rs").display().to_string()).unwrap_or_default();
        return Some(Finding::new(at, format!("no `mod.rs`: name it `{instead}`")));
    }
    if file.components().any(|part| part.as_os_str() == "generated") {
        return None;
    }
    let words = file.components().filter_map(|part| match part {
        Component::Normal(part) => Path::new(part).file_stem()?.to_str(),
        _ => None,
    });
    let empty = words.into_iter().find(|word| EMPTY_NAMES.contains(word))?;
    Some(Finding::new(at, says_nothing(empty)))
}

/// What is wrong with a module called `name`, if anything.
pub(super) fn check_module(name: &str) -> Option<String> {
    EMPTY_NAMES.contains(&name).then(|| says_nothing(name))
}

fn says_nothing(name: &str) -> String {
    format!(
        "`{name}` says nothing about what is inside: name the module after the noun of the domain it is about, or move each item next to its only user"
    )
}

fn top_level(file: &Path) -> Option<&str> {
    match file.components().next()? {
        Component::Normal(name) => name.to_str(),
        _ => None,
    }
}

fn is_at_home(name: &str) -> bool {
    name.starts_with('.') || TOP_LEVEL.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |file: &str, expect: &[&str]| {
            let found = super::check(&[PathBuf::from(file)]);
            assert_eq!(found.len(), expect.len(), "{file}: {found:?}");
            for (found, expect) in found.iter().zip(expect) {
                assert!(found.message.contains(expect), "{file}: {found:?}");
            }
        };
        check("wire/src/ids.rs", &[]);
        check(".ci/run", &[]);
        check("wire/src/mod.rs", &["name it `wire/src.rs`"]);
        check("wire/src/chain/mod.rs", &["name it `wire/src/chain.rs`"]);
        check("wire/src/utils.rs", &["`utils` says nothing"]);
        check("wire/src/common/x.rs", &["`common` says nothing"]);
        check("wire/tests/helpers.rs", &["`helpers` says nothing"]);
        check("schema/src/generated/utils.rs", &[]);
        check("bench/results/common.json", &[]);
        check("notes.txt", &["does not belong at the top level"]);
        check("extra/src/main.rs", &["does not belong at the top level"]);
    }

    #[test]
    fn readmes() {
        let files = [PathBuf::from("wire/README.md")];
        let found = check_readmes(["wire", "schema"].into_iter(), &files);
        assert_eq!(found.iter().map(|finding| finding.at.as_str()).collect::<Vec<_>>(), ["schema/README.md"]);
    }
}
