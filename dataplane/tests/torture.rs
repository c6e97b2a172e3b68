//! Cuts the journal at every write, sync, rename and create, many times over, and counts what was lost and what came twice.
//!
//! ```text
//! cargo test --release -p dataplane --test torture -- --runs 3000 --seed 1
//! ```
//! One run: a journal on a disk that fails now and then; tasks that append; a cut at some operation. What the crash of
//! the process leaves and what the crash of the machine leaves are then recovered, compared with what was acknowledged and
//! what was synced, and the stream goes on from one of the two, up to three crashes in a row. With `--forget` the disk
//! claims one kind of sync without doing it: a build that forgot it must be caught.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]
#![allow(clippy::disallowed_types, reason = "the disk is asked on two threads")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the report is what it is for")]

#[path = "torture/disk.rs"]
mod disk;
#[path = "torture/lot.rs"]
mod lot;
#[path = "torture/run.rs"]
mod run;

use std::process::ExitCode;

use clap::Parser;
use disk::Forget;
use glommio::{LocalExecutorBuilder, Placement};
use run::{Found, Report, run};

#[derive(Parser, Clone, Copy)]
struct Args {
    /// How many runs.
    #[arg(long, default_value_t = 100)]
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
    let forgets: &[Option<Forget>] = match args.forget {
        Some(_) => &[],
        None => &[Some(Forget::Records), Some(Forget::Segment), Some(Forget::Name)],
    };
    // First that the eye sees: each forgotten sync must be caught within a part of the runs.
    for forget in forgets {
        let found = all(Args { runs: args.runs.clamp(50, 300), forget: *forget, ..args }, Report::Nothing);
        println!("forgetting {forget:?}: lost {} doubled {} refused {}", found.lost, found.doubled, found.refused);
        if found.is_clean() {
            eprintln!("error: a build that forgets this sync was not caught");
            return ExitCode::FAILURE;
        }
    }
    let found = all(args, if args.verbose { Report::All } else { Report::Findings });
    println!("{} appends acknowledged, {} refused, {} crashes recovered", found.acknowledged, found.denied, found.crashes);
    if found.refused > 0 {
        println!("{} times recovery refused what a crash had left", found.refused);
    }
    println!("runs {} seed {} lost {} doubled {}", args.runs, args.seed, found.lost, found.doubled);
    if found.is_clean() == args.forget.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn all(args: Args, report: Report) -> Found {
    LocalExecutorBuilder::new(Placement::Unbound)
        .spawn(move || async move {
            let mut found = Found::default();
            for at in 0..args.runs {
                run(args.seed.wrapping_mul(1_000_003).wrapping_add(at), args.forget, report, &mut found).await;
            }
            found
        })
        .unwrap()
        .join()
        .unwrap()
}
