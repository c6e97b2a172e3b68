//! `cargo x sql`: the typed queries of `schema`, made from `schema/queries/*.sql` on a migrated throw-away PostgreSQL; and
//! `cargo x pg`: such a PostgreSQL to try things on.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::repo;

/// Its output differs between versions, so there is one.
const CORNUCOPIA: &str = "1.0.1";

const TEST: &str = "postgres::tests::generated::the_generated_queries_are_current";

/// Options of `cargo x sql`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Compare with what is committed instead of writing
    #[arg(long)]
    check: bool,
}

/// Writes `schema/src/generated`, or compares it.
///
/// # Errors
/// A query does not fit the schema, what is committed is stale, or PostgreSQL or the generator is missing.
pub fn run(args: &Args) -> Result<()> {
    let root = repo::root()?;
    let generator = generator(&root)?;
    let mut command = Command::new("cargo");
    command.args(["test", "--quiet", "--package", "control", "--lib", "--", "--ignored", "--exact", TEST]);
    command.current_dir(&root).env("CORNUCOPIA", generator).env_remove("SP_BLESS");
    if !args.check {
        command.env("SP_BLESS", "1");
    }
    if !command.status().context("run cargo")?.success() {
        bail!("schema/src/generated is not what schema/queries asks for; see above");
    }
    Ok(())
}

/// Starts a throw-away PostgreSQL and prints its URL; it ends with Enter or Ctrl-C.
///
/// # Errors
/// There is no PostgreSQL on this machine.
pub fn postgres() -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--package", "control", "--example", "throwaway-postgres"]);
    if !command.current_dir(repo::root()?).status().context("run cargo")?.success() {
        bail!("the throw-away PostgreSQL ended with an error; see above");
    }
    Ok(())
}

/// The generator in the version that is wanted: the one on PATH, or one that is installed below the target directory.
fn generator(root: &Path) -> Result<PathBuf> {
    let place = repo::target_dir(root)?.join("tools");
    let installed = place.join("bin/cornucopia");
    for program in [PathBuf::from("cornucopia"), installed.clone()] {
        if version_of(&program).is_some_and(|version| version == CORNUCOPIA) {
            return Ok(program);
        }
    }
    eprintln!("installing cornucopia {CORNUCOPIA} into {}", place.display());
    let status = Command::new("cargo")
        .args(["install", "cornucopia", "--locked", "--quiet", "--version", CORNUCOPIA, "--root"])
        .arg(&place)
        .status()
        .context("run cargo")?;
    if !status.success() {
        bail!("could not install cornucopia {CORNUCOPIA}; see above");
    }
    Ok(installed)
}

fn version_of(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.trim().strip_prefix("cornucopia ").map(str::to_owned)
}
