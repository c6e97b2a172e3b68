//! `sp-bench`: the comparison behind `cargo x bench`, and the profiles behind `cargo x flame`.

use anyhow::Result;
use bench::load::Glance;
use bench::suite::{self, Options, Scenario};
use clap::{Args, Parser, Subcommand};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Compares the gateway with what it is built from.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the scenarios in turn and print rates, latencies, CPU time and ratios
    Run {
        #[command(flatten)]
        common: Common,
        /// Scenarios to run, all unless given
        #[arg(value_enum)]
        scenarios: Vec<Scenario>,
        /// One short round instead of three
        #[arg(long)]
        quick: bool,
        /// Requests per second of the runs at a fixed rate
        #[arg(long, default_value_t = 5000.0)]
        rate: f64,
        /// How often each scenario is run
        #[arg(long)]
        rounds: Option<u32>,
        /// Where to write the results
        #[arg(long, default_value = "bench/results")]
        results: PathBuf,
    },
    /// Profile one scenario and draw a flame graph
    Flame {
        #[command(flatten)]
        common: Common,
        /// The scenario
        #[arg(value_enum)]
        scenario: Scenario,
        /// Where to write the picture
        #[arg(long, default_value = "flamegraphs")]
        out: PathBuf,
    },
}

#[derive(Args)]
struct Common {
    /// Seconds that each run is measured
    #[arg(long)]
    duration: Option<f64>,
    /// Connections of the load
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Principals of the load
    #[arg(long, default_value_t = 16)]
    principals: usize,
    /// Threads of the load
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Executors or shards of each server
    #[arg(long, default_value_t = 1)]
    cores: usize,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let mut progress = Progress::default();
    match cli.task {
        Task::Run { common, scenarios, quick, rate, rounds, results } => {
            let options = Options {
                scenarios: if scenarios.is_empty() { Scenario::ALL.to_vec() } else { scenarios },
                rounds: rounds.unwrap_or(if quick { 1 } else { 3 }),
                rate,
                results: Some(results),
                label: quick.then(|| "quick".to_owned()),
                ..common.options(if quick { 2.0 } else { 10.0 })?
            };
            suite::run(&options, &stop, |step, glance| progress.show(step, glance))
        }
        Task::Flame { common, scenario, out } => {
            let options = common.options(10.0)?;
            let path = suite::flame::run(scenario, &options, &out, &stop, |glance| progress.show("profiling", glance))?;
            println!("written to {}", path.display());
            Ok(())
        }
    }
}

impl Common {
    fn options(&self, duration_s: f64) -> Result<Options> {
        let own = std::env::current_exe()?;
        Ok(Options {
            programs: own.parent().map(PathBuf::from).unwrap_or_default(),
            scenarios: Vec::new(),
            rounds: 1,
            duration: Duration::try_from_secs_f64(self.duration.unwrap_or(duration_s))?,
            connections: self.connections,
            principals: self.principals,
            threads: self.threads,
            cores: self.cores,
            rate: 0.0,
            results: None,
            label: None,
            command: command_line(),
        })
    }
}

/// As the user would type it again.
fn command_line() -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run", rest @ ..] => format!("cargo x bench {}", rest.join(" ")).trim_end().to_owned(),
        all => format!("cargo x {}", all.join(" ")),
    }
}

/// One line for each step on a log, one line that is rewritten on a terminal.
#[derive(Default)]
struct Progress {
    step: String,
    shown: Option<Instant>,
}

impl Progress {
    fn show(&mut self, step: &str, glance: Glance) {
        let terminal = std::io::stderr().is_terminal();
        if self.step != step {
            step.clone_into(&mut self.step);
            if !terminal {
                eprintln!("{step}");
            }
        }
        if terminal && self.shown.is_none_or(|shown| shown.elapsed() > Duration::from_millis(250)) {
            self.shown = Some(Instant::now());
            let elapsed = glance.elapsed.unwrap_or_default().as_secs_f64();
            eprint!("\r\x1b[K{step}: {elapsed:.1} s, {} replies", glance.replies);
        }
    }
}
