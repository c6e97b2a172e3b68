//! `cargo x`: the project's own tasks. A thin list of verbs; each lives in its own file of the `tools` library.

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use tools::{bench, deny, eval, flame, sql, tidy, torture};

/// The project's own tasks.
#[derive(Parser)]
#[command(name = "cargo x", bin_name = "cargo x")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Compare the gateway with a bare echo and a proxy that checks nothing
    Bench(bench::Args),
    /// Check licences, bans, duplicates and sources of what we depend on
    Deny(deny::Args),
    /// Draw a flame graph of one scenario of the comparison
    Flame(flame::Args),
    /// Measure what the layers of the chain find and leave alone
    Eval(eval::Args),
    /// Start a throw-away PostgreSQL with an up-to-date schema and print its URL
    Pg,
    /// Make the typed queries of schema/queries anew, or check that they are current
    Sql(sql::Args),
    /// Check crate arrows, names, sizes and other rules of the house
    Tidy(tidy::Args),
    /// Inject faults into what must never lose a record
    Torture(torture::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Bench(args) => bench::run(&args),
        Task::Deny(args) => deny::run(&args),
        Task::Flame(args) => flame::run(&args),
        Task::Eval(args) => eval::run(&args),
        Task::Pg => sql::postgres(),
        Task::Sql(args) => sql::run(&args),
        Task::Tidy(args) => tidy::run(&args),
        Task::Torture(args) => torture::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
