//! `cargo x flame`: a flame graph of the release build under load, into `flamegraphs/`.

use crate::bench::{build, compare};
use crate::repo;
use anyhow::Result;

/// Options of `cargo x flame`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to profile: echo, pass, deny or allow
    scenario: String,
    /// Passed to `sp-bench flame`: --duration S, --connections N …
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Builds the programs and profiles the one that the scenario is about.
///
/// # Errors
/// The build failed, or `perf` is missing or not allowed.
pub fn run(args: &Args) -> Result<()> {
    let root = repo::root()?;
    let programs = build(&root, matches!(args.scenario.as_str(), "deny" | "allow"))?;
    let mut words = vec![args.scenario.clone()];
    words.extend_from_slice(&args.rest);
    compare(&root, &programs, "flame", &words)
}
