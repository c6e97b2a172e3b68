//! `cargo x bench`: builds the release programs and lets `sp-bench` compare them.

use crate::repo;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crate that asks other engines what our scope check is asked.
pub(crate) const PEERS: &str = "bench/peers";

/// Options of `cargo x bench`; `cargo x bench -- --help` lists what they may be.
#[derive(clap::Args, Debug)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// Passed to `sp-bench run`: scenarios (echo, pass, deny, allow), --quick, --duration S, --connections N …
    /// With `trail` first: what the audit trail costs, with --rows N, --rate R, --seconds S. With `layers` first: what each
    /// layer of the chain costs, with `governor` beside the limits, then cedar-policy and regorus beside the scope check;
    /// `layers 1024` for calls of that size alone, `layers peers` for those two alone
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Builds what is compared and runs the comparison.
///
/// # Errors
/// The build failed, or a run was not clean.
pub fn run(args: &Args) -> Result<()> {
    if let [subject, rest @ ..] = args.rest.as_slice()
        && subject == "trail"
    {
        return trail(&repo::root()?, rest);
    }
    if let [subject, rest @ ..] = args.rest.as_slice()
        && subject == "layers"
    {
        return layers(&repo::root()?, rest);
    }
    let governed = args.rest.iter().any(|word| ["deny", "allow"].contains(&word.as_str()))
        || !args.rest.iter().any(|word| ["echo", "pass"].contains(&word.as_str()));
    let root = repo::root()?;
    let programs = build(&root, governed)?;
    compare(&root, &programs, "run", &args.rest)
}

/// The bench of the audit trail, which needs the shipper itself besides the programs.
fn trail(root: &Path, rest: &[String]) -> Result<()> {
    let programs = build(root, true)?;
    let mut cargo = Command::new("cargo");
    cargo.args(["bench", "-p", "bench", "--bench", "trail", "--", "--programs"]).arg(programs).args(rest).current_dir(root);
    if !cargo.status().context("run `cargo bench`")?.success() {
        bail!("the bench of the audit trail failed");
    }
    Ok(())
}

/// The bench of the chain, layer by layer, and of others who answer the same question; a narrowed one is of ours alone.
fn layers(root: &Path, rest: &[String]) -> Result<()> {
    if rest != ["peers"] {
        let mut cargo = Command::new("cargo");
        cargo.args(["bench", "-p", "dataplane", "--bench", "layers", "--"]).args(rest).current_dir(root);
        if !cargo.status().context("run `cargo bench`")?.success() {
            bail!("the bench of the layers failed");
        }
    }
    if rest.is_empty() || rest == ["peers"] { peers(root) } else { Ok(()) }
}

/// The bench of the peers: a crate beside the workspace, built where everything else is.
fn peers(root: &Path) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--release", "--locked", "--manifest-path"]).arg(root.join(PEERS).join("Cargo.toml"));
    cargo.arg("--target-dir").arg(repo::target_dir(root)?).current_dir(root);
    if !cargo.status().context("run `cargo run`")?.success() {
        bail!("the bench of the peers failed");
    }
    Ok(())
}

/// Builds the release programs, those of the gateway only if `governed`, and gives their folder.
pub(crate) fn build(root: &Path, governed: bool) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--bins", "-p", "bench"]).current_dir(root);
    if governed {
        cargo.args(["-p", "control"]);
    }
    if !cargo.status().context("run `cargo build`")?.success() {
        bail!("the build failed");
    }
    Ok(repo::target_dir(root)?.join("release"))
}

/// Runs `sp-bench` from the root of the repository, where its results belong.
pub(crate) fn compare(root: &Path, programs: &Path, task: &str, rest: &[String]) -> Result<()> {
    let program = programs.join("sp-bench");
    let status = Command::new(&program)
        .arg(task)
        .args(rest)
        .current_dir(root)
        .status()
        .with_context(|| format!("run `{}`", program.display()))?;
    if !status.success() {
        bail!("`sp-bench {task}` ended with {status}");
    }
    Ok(())
}
