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
    /// Cut the journal at every write, sync, rename and create, and the shipper at every message of the protocol, recover and
    /// ship, and count what was lost or came twice
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
    /// Kill the real process under load, half of the time with `--durability synced`, and count what Postgres has
    Process {
        /// How many times it is killed
        #[arg(long, default_value_t = 200)]
        runs: u64,
    },
}

/// Runs the torture; its last line says what was lost.
///
/// # Errors
/// Something was lost or came twice, or a build that forgets a sync was not caught.
pub fn run(args: &Args) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(repo::root()?);
    let what = match &args.subject {
        Subject::Journal { runs, seed, verbose } => {
            cargo.args(["test", "-p", "bench", "--test", "torture", "--"]);
            cargo.args(["--runs", &runs.to_string(), "--seed", &seed.to_string()]);
            if *verbose {
                cargo.arg("--verbose");
            }
            format!("journal --runs {runs} --seed {seed}")
        }
        Subject::Process { runs } => {
            build_programs()?;
            cargo.env("SP_TORTURE_KILLS", runs.to_string());
            cargo.args(["test", "-p", "control", "--test", "gateway", "--", "--exact", "--nocapture"]);
            cargo.arg("crash::killed_under_load_it_loses_no_decision_and_doubles_none");
            format!("process --runs {runs}")
        }
    };
    let status = cargo.status().context("run `cargo test`")?;
    if !status.success() {
        bail!("`{what}` was not stood: {status}");
    }
    Ok(())
}

/// The load generator and the MCP server that it calls.
fn build_programs() -> Result<()> {
    let status = Command::new("cargo").current_dir(repo::root()?).args(["build", "-p", "bench", "--bins"]).status();
    if !status.context("run `cargo build`")?.success() {
        bail!("the programs of the test do not build");
    }
    Ok(())
}
