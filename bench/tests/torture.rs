//! Cuts the journal at every write, sync, rename and create, and the shipper at every message between it and Postgres, many
//! times over, and counts what was lost and what came twice.
//!
//! ```text
//! cargo test -p bench --test torture -- --runs 3000 --seed 1
//! ```
//! One run: a journal on a disk that fails now and then; tasks that append; a shipper that brings what is synced into a real
//! Postgres through a relay that breaks the connection; a cut at some operation of the disk. What the crash of the process
//! leaves and what the crash of the machine leaves are then recovered, compared with what was acknowledged, what was synced
//! and what had been shipped, and the stream goes on from one of the two, up to three crashes in a row. At the end everything
//! is shipped, and Postgres must hold each record once, in order and chained. With `--forget` the disk claims one kind of
//! sync without doing it: a build that forgot it must be caught.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the report is what it is for")]

#[path = "torture/disk.rs"]
mod disk;
#[path = "torture/lot.rs"]
mod lot;
#[allow(dead_code, reason = "the shipper's own tests use all of it")]
#[path = "../../control/src/shipper/tests/proxy.rs"]
mod proxy;
#[path = "torture/run.rs"]
mod run;
#[path = "torture/trail.rs"]
mod trail;

use std::process::ExitCode;

use clap::Parser;
use disk::Forget;
use glommio::{LocalExecutorBuilder, Placement};
use run::{Found, Report, run};
use trail::Postgres;

#[derive(Parser, Clone, Copy)]
struct Args {
    /// How many runs.
    #[arg(long, default_value_t = 60)]
    runs: u64,
    /// Which runs: the same seed gives the same plans.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Claim one kind of sync without doing it; the end is then a success when that was noticed.
    #[arg(long)]
    forget: Option<Forget>,
    /// Print the plan of each run.
    #[arg(long)]
    verbose: bool,
}

fn main() -> ExitCode {
    // Test runners ask every test binary for its list.
    let words: Vec<_> = std::env::args().collect();
    if words.iter().any(|word| word == "--list") {
        if !words.iter().any(|word| word == "--ignored") {
            println!("torture: test");
        }
        return ExitCode::SUCCESS;
    }
    let known = words.iter().filter(|word| !matches!(word.as_str(), "--nocapture" | "--exact" | "torture"));
    let args = Args::parse_from(known);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let postgres = runtime.block_on(Postgres::start());
    let forgets: &[Option<Forget>] = match args.forget {
        Some(_) => &[],
        None => &[Some(Forget::Records), Some(Forget::Segment), Some(Forget::Name)],
    };
    // First that the eye sees: each forgotten sync must be caught within a part of the runs.
    for forget in forgets {
        let found = all(Args { runs: args.runs.clamp(50, 300), forget: *forget, ..args }, Report::Nothing, &postgres);
        println!("forgetting {forget:?}: lost {} doubled {} refused {}", found.lost, found.doubled, found.refused);
        if found.is_clean() {
            eprintln!("error: a build that forgets this sync was not caught");
            return ExitCode::FAILURE;
        }
    }
    let found = all(args, if args.verbose { Report::All } else { Report::Findings }, &postgres);
    println!("{} appends acknowledged, {} refused, {} crashes recovered", found.acknowledged, found.denied, found.crashes);
    println!("{} rows in Postgres, through {} connections that broke", found.shipped, found.connection_cuts);
    if found.refused > 0 {
        println!("{} times recovery or the shipper refused what a crash had left", found.refused);
    }
    println!("runs {} seed {} lost {} doubled {}", args.runs, args.seed, found.lost, found.doubled);
    if found.is_clean() == args.forget.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn all(args: Args, report: Report, postgres: &Postgres) -> Found {
    let postgres = postgres.clone();
    LocalExecutorBuilder::new(Placement::Unbound)
        .spawn(move || async move {
            let mut found = Found::default();
            for at in 0..args.runs {
                run(args.seed.wrapping_mul(1_000_003).wrapping_add(at), args.forget, report, &postgres, &mut found).await;
            }
            found
        })
        .unwrap()
        .join()
        .unwrap()
}
