//! What the audit trail costs and how soon it speaks: shipping beside a raw `COPY BINARY` of the same rows into the same table,
//! verifying, and the time from a decision until Postgres shows it.
//!
//! ```text
//! cargo x bench trail [--rows 1000000] [--rate 20000] [--seconds 20]
//! ```
//! Shipping and raw COPY take turns, each into an empty database of one cluster that syncs its commits. The raw COPY is
//! `psql`'s, from a file. Then the trail is verified as it is, and after each thing that a superuser could do to a row.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the report is what it is for")]
#![allow(clippy::unwrap_used, reason = "the journal of the tests that it runs on does so")]

#[path = "trail/evidence.rs"]
mod evidence;
#[allow(dead_code, reason = "the shipper's own tests use all of it")]
#[path = "../../control/src/shipper/tests/journal.rs"]
mod journal;
#[path = "trail/ship.rs"]
mod ship;
#[path = "trail/visible.rs"]
mod visible;

use control::shipper;

use anyhow::{Context, Result};
use clap::Parser;
use std::path::PathBuf;

#[derive(Parser)]
struct Args {
    /// Rows to ship and to verify
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// How often shipping and raw COPY take turns
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Decisions per second of the run that is watched from Postgres
    #[arg(long, default_value_t = 20_000.0)]
    rate: f64,
    /// How long that run lasts
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Where the built programs are
    #[arg(long, default_value = "target/release")]
    programs: PathBuf,
    /// Said by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let trail = ship::compare(args.rows, args.rounds).await.context("shipping")?;
        evidence::verify(&trail).await.context("verifying")?;
        drop(trail);
        visible::watch(&args.programs, args.rate, args.seconds).await.context("watching from Postgres")
    })
}

/// A count with a thin mark between thousands.
fn grouped(count: f64) -> String {
    let digits = format!("{count:.0}");
    let marks = digits.len().div_ceil(3);
    let head = digits.len() - (marks - 1) * 3;
    let mut text = digits[..head].to_owned();
    for chunk in 0..marks - 1 {
        text.push('_');
        text.push_str(&digits[head + chunk * 3..head + chunk * 3 + 3]);
    }
    text
}
