//! `cargo x torture`: faults injected into what must never lose a record, many times over.

use crate::repo;
use anyhow::{Context, Result, bail};
use std::process::Command;

/// What to torture.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(clap::Subcommand, Debug)]
enum Subject {
    /// Cut the journal at every write, sync, rename and create, recover it, and count what was lost or came twice
    Journal {
        /// How many runs, of up to three crashes each
        #[arg(long, default_value_t = 2_000)]
        runs: u64,
        /// Which runs: the same seed gives the same plans
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Print the plan of each run
        #[arg(long)]
        verbose: bool,
    },
}

/// Runs the torture; its last line says what was lost.
///
/// # Errors
/// Something was lost or came twice, or a build that forgets a sync was not caught.
pub fn run(args: &Args) -> Result<()> {
    let Subject::Journal { runs, seed, verbose } = &args.subject;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(repo::root()?).args(["test", "--release", "-p", "dataplane", "--test", "torture", "--"]);
    cargo.args(["--runs", &runs.to_string(), "--seed", &seed.to_string()]);
    if *verbose {
        cargo.arg("--verbose");
    }
    let status = cargo.status().context("run `cargo test`")?;
    if !status.success() {
        bail!("the journal did not stand `--runs {runs} --seed {seed}`: {status}");
    }
    Ok(())
}
