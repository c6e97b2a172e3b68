//! The comparison: the same tool calls to a bare echo, through a proxy that checks nothing, and through the gateway,
//! in turn and several times, so that what disturbs the machine disturbs all of them.

pub mod flame;
mod gateway;
mod results;
mod scenario;
mod stack;

pub use gateway::{BLOCKED_TOOL, Gateway, PATH};
pub use scenario::Scenario;
pub use stack::Server;

use crate::load::{self, Glance, Report};
use anyhow::{Result, bail};
use results::{Measurement, Results};
use scenario::Mode;
use stack::Stack;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How to compare.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the built programs are.
    pub programs: PathBuf,
    /// Which scenarios to run.
    pub scenarios: Vec<Scenario>,
    /// How often each is run.
    pub rounds: u32,
    /// How long each is measured, after a fifth as much of warm-up.
    pub duration: Duration,
    /// Connections of the load.
    pub connections: usize,
    /// Principals of the load.
    pub principals: usize,
    /// Threads of the load.
    pub threads: usize,
    /// Executors or shards of each server.
    pub cores: usize,
    /// Requests per second of the open loop.
    pub rate: f64,
    /// Where to write the results; nothing writes none.
    pub results: Option<PathBuf>,
    /// A word behind the date and commit in the name of the result.
    pub label: Option<String>,
    /// The command line, for the record.
    pub command: String,
}

/// Runs the comparison, prints the table and writes the result.
///
/// # Errors
/// A program is missing or does not start, or a reply was not as expected: numbers of a run with wrong replies mean
/// nothing, so there are none.
pub fn run(options: &Options, stop: &AtomicBool, mut on_step: impl FnMut(&str, Glance)) -> Result<()> {
    let mut stack = Stack::new(options);
    let mut results = Results::new(options);
    for scenario in &options.scenarios {
        stack.prepare(*scenario)?;
    }
    for round in 1..=options.rounds {
        for mode in [Mode::Saturating, Mode::Open] {
            for scenario in &options.scenarios {
                let step = format!("round {round}/{}: {}, {}", options.rounds, scenario.title(), mode.title());
                let report = measure(&stack, *scenario, mode, options, stop, |glance| on_step(&step, glance))?;
                results.add(*scenario, mode, Measurement::of(&report, scenario.process()));
            }
        }
    }
    println!("{}", results.table());
    if let Some(dir) = &options.results {
        let path = results.write(dir)?;
        println!("written to {}", path.display());
    }
    Ok(())
}

/// One measured run of one scenario.
fn measure(
    stack: &Stack,
    scenario: Scenario,
    mode: Mode,
    options: &Options,
    stop: &AtomicBool,
    on_glance: impl FnMut(Glance),
) -> Result<Report> {
    let plan = scenario.plan(stack, mode, options)?;
    let report = load::run(&plan, stop, on_glance)?;
    if stop.load(std::sync::atomic::Ordering::Relaxed) {
        bail!("stopped");
    }
    if !report.is_clean() {
        bail!("{}, {}: not every reply was as expected\n{report}", scenario.title(), mode.title());
    }
    Ok(report)
}
