//! The load generator: MCP tool calls over kept-alive connections, at a fixed rate or saturating, every reply checked.
//!
//! Each worker thread has a ring and its share of the connections and of the schedule; they share nothing while they run.

mod reply;
mod report;
mod request;
mod ring;
mod schedule;
mod tally;
mod verdict;
mod worker;

pub use report::{Principals, ProcessUse, Quantiles, Report};
pub use schedule::Pace;
pub use verdict::Expect;

use crate::process;
use anyhow::{Context, Result, anyhow, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use request::{Shape, Template};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tally::Tally;
use worker::Worker;

/// What to send, where, how fast, and what to expect.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where to connect.
    pub target: SocketAddr,
    /// The `host` header.
    pub host: String,
    /// The path of the requests.
    pub path: String,
    /// Header fields to add, each `name: value`.
    pub headers: Vec<String>,
    /// The body, JSON with `{n}` where the number of the request belongs.
    pub body: String,
    /// One bearer token for each principal; none for a single principal without one.
    pub tokens: Vec<String>,
    /// How many connections to keep.
    pub connections: usize,
    /// How many threads to use.
    pub workers: usize,
    /// Principals take turns by request; otherwise connection i belongs to principal i mod M.
    pub mix: bool,
    /// Begin each connection with `initialize` and `notifications/initialized`.
    pub session: bool,
    /// How fast to send.
    pub pace: Pace,
    /// How long to send.
    pub duration: Option<Duration>,
    /// How many requests to send.
    pub requests: Option<u64>,
    /// The first part of the run, which is checked but not measured.
    pub warmup: Duration,
    /// How long to wait for a reply.
    pub timeout: Duration,
    /// How long to wait until all connections stand.
    pub connect_timeout: Duration,
    /// Which replies are right.
    pub expect: Expect,
    /// Results must contain the number of their request.
    pub echoed: bool,
    /// Make lost connections again.
    pub reconnect: bool,
    /// Append the trace id of each governed reply to this file.
    pub record: Option<PathBuf>,
    /// Processes whose CPU time to measure, by name and id.
    pub watch: Vec<(String, u32)>,
}

// LIMIT: more threads than this only wait for each other.
const WORKERS_MAX: usize = 64;
// LIMIT: the ports one client address has towards one server address.
const CONNECTIONS_MAX: usize = 28_000;

impl Plan {
    fn check(&self) -> Result<()> {
        if self.connections == 0 || self.connections > CONNECTIONS_MAX {
            bail!("`{}` connections: between 1 and {CONNECTIONS_MAX} work", self.connections);
        }
        if self.workers == 0 || self.workers > WORKERS_MAX {
            bail!("`{}` threads: between 1 and {WORKERS_MAX} work", self.workers);
        }
        if let Pace::Open(rate) = self.pace
            && !(rate > 0.0 && rate.is_finite())
        {
            bail!("a rate of `{rate}`: give a positive number of requests per second");
        }
        if self.duration.is_none() && self.requests.is_none() {
            bail!("the run would have no end: give a duration or a number of requests");
        }
        if self.mix && self.session {
            bail!("a session belongs to one principal: leave out either mixing or sessions");
        }
        Ok(())
    }

    fn principals(&self) -> usize {
        self.tokens.len().max(1)
    }

    /// How many of the principals send anything.
    fn connections_per_principal(&self) -> usize {
        if self.mix { self.principals() } else { self.principals().min(self.connections) }
    }

    fn shape(&self) -> Shape<'_> {
        Shape {
            host: &self.host,
            path: &self.path,
            headers: &self.headers,
            protocol: self.session.then_some("2025-11-25"),
            body: &self.body,
        }
    }

    fn templates(&self) -> Vec<Template> {
        (0..self.principals())
            .map(|principal| Template::new(self.shape(), self.tokens.get(principal).map(String::as_str)))
            .collect()
    }
}

/// The body of a `tools/call`, for [`Plan::body`]. `arguments` is JSON and may contain `{n}`.
pub fn tool_call(tool: &str, arguments: &str) -> String {
    request::tool_call(tool, arguments)
}

/// Counts that can be watched while a run goes on.
#[derive(Debug, Default)]
struct Live {
    connected: AtomicU64,
    replies: AtomicU64,
    unexpected: AtomicU64,
    lost: AtomicU64,
}

impl Live {
    fn publish(&self, tally: &Tally, connected: usize) {
        let lost = tally.lost;
        self.connected.store(connected as u64, Ordering::Relaxed);
        self.replies.store(tally.allowed + tally.denied, Ordering::Relaxed);
        self.unexpected.store(tally.unexpected, Ordering::Relaxed);
        self.lost.store(lost.resets + lost.hangups + lost.timeouts + lost.refused, Ordering::Relaxed);
    }
}

/// A glance at a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Glance {
    /// Time since the first request; nothing while connections are being made.
    pub elapsed: Option<Duration>,
    /// Connections that stand.
    pub connected: u64,
    /// Results and denials so far.
    pub replies: u64,
    /// Replies that were not as expected so far.
    pub unexpected: u64,
    /// Connections and requests lost so far.
    pub lost: u64,
}

/// A process under observation.
struct Watched {
    name: String,
    pid: u32,
    used: Duration,
    used_below: Duration,
    resident_kib: u64,
}

/// How often a run is glanced at.
const GLANCE: Duration = Duration::from_millis(500);

/// Carries out `plan`. Setting `stop` ends it early, with a report; `on_glance` is called twice a second.
///
/// # Errors
/// The plan makes no sense, io_uring is not available, or the connections cannot all be made.
pub fn run(plan: &Plan, stop: &AtomicBool, mut on_glance: impl FnMut(Glance)) -> Result<Report> {
    plan.check()?;
    raise_file_limit(plan.connections)?;
    let workers = plan.workers.min(plan.connections);
    let templates = plan.templates();
    let lives: Vec<Live> = (0..workers).map(|_| Live::default()).collect();
    let (ready, all_ready) = mpsc::channel();
    std::thread::scope(|scope| {
        let mut starts = Vec::new();
        let mut threads = Vec::new();
        for (index, live) in lives.iter().enumerate() {
            let (start, started) = mpsc::channel();
            starts.push(start);
            let (ready, templates) = (ready.clone(), &templates);
            threads.push(scope.spawn(move || -> Result<Tally> {
                // The default slack of 50 µs would show as latency in an open loop.
                let _ = nix::sys::prctl::set_timerslack(1);
                let mut worker = Worker::new(plan, templates, stop, live, (index as u64, workers as u64))?;
                worker.ramp()?;
                let _ = ready.send(());
                drop(ready);
                match started.recv() {
                    Ok(start) => worker.drive(start),
                    // Another worker could not connect, and says why.
                    Err(_) => Ok(Tally::new(0)),
                }
            }));
        }
        drop(ready);

        let mut connected = 0;
        while connected < workers {
            match all_ready.recv_timeout(GLANCE) {
                Ok(()) => connected += 1,
                Err(mpsc::RecvTimeoutError::Timeout) => on_glance(glance(&lives, None)),
                // A worker has failed, and the others have said that they are ready: dropping `starts` lets them go.
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        let start = Instant::now() + Duration::from_millis(10);
        if connected == workers {
            for begin in &starts {
                begin.send(start).map_err(|_| anyhow!("a worker ended before the start"))?;
            }
        }
        drop(starts);

        let mut watched = Vec::new();
        while threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(next_look(start + plan.warmup, watched.is_empty()));
            if watched.is_empty() && Instant::now() >= start + plan.warmup {
                watched = watch(plan)?;
            }
            on_glance(glance(&lives, Some(start)));
        }
        finish(plan, start, threads, watched)
    })
}

/// Until the next glance, or the moment at which measuring begins if that is earlier.
fn next_look(measure_from: Instant, pending: bool) -> Duration {
    let until = measure_from.saturating_duration_since(Instant::now());
    if pending && until < GLANCE { until } else { GLANCE / 10 }
}

fn finish(
    plan: &Plan,
    start: Instant,
    threads: Vec<std::thread::ScopedJoinHandle<'_, Result<Tally>>>,
    mut watched: Vec<Watched>,
) -> Result<Report> {
    for process in &mut watched {
        // One that has ended took its counters along; it is left out.
        if let (Ok(now), Ok(resident)) = (process::cpu_time(process.pid), process::resident_kib(process.pid)) {
            process.used = now.saturating_sub(process.used);
            if process.pid != std::process::id() {
                process.used_below = process::cpu_time_below(process.pid).saturating_sub(process.used_below);
            }
            process.resident_kib = resident;
        } else {
            process.used = Duration::ZERO;
            process.used_below = Duration::ZERO;
        }
    }
    let mut total = Tally::new(plan.principals());
    let mut failure = None;
    for thread in threads {
        match thread.join() {
            Ok(Ok(tally)) => total.add(&tally),
            Ok(Err(error)) => failure = Some(error),
            Err(_) => failure = Some(anyhow!("a worker panicked")),
        }
    }
    match failure {
        Some(error) => Err(error),
        None => {
            let measured = total.last_reply.unwrap_or(start).saturating_duration_since(start + plan.warmup);
            Ok(Report::new(plan, &total, measured, &watched))
        }
    }
}

fn watch(plan: &Plan) -> Result<Vec<Watched>> {
    let own = ("sp-load".to_owned(), std::process::id());
    let all = plan.watch.iter().chain([&own]);
    all.map(|(name, pid)| {
        let used = process::cpu_time(*pid)?;
        // What runs below this program is what it measures.
        let used_below = if *pid == own.1 { Duration::ZERO } else { process::cpu_time_below(*pid) };
        Ok(Watched { name: name.clone(), pid: *pid, used, used_below, resident_kib: 0 })
    })
    .collect()
}

fn glance(lives: &[Live], start: Option<Instant>) -> Glance {
    let sum = |field: fn(&Live) -> &AtomicU64| lives.iter().map(|live| field(live).load(Ordering::Relaxed)).sum();
    Glance {
        elapsed: start.map(|start| Instant::now().saturating_duration_since(start)),
        connected: sum(|live| &live.connected),
        replies: sum(|live| &live.replies),
        unexpected: sum(|live| &live.unexpected),
        lost: sum(|live| &live.lost),
    }
}

/// Makes room for as many sockets as the plan has connections.
fn raise_file_limit(connections: usize) -> Result<()> {
    let needed = connections as u64 + 64;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).context("read the limit of open files")?;
    if soft >= needed {
        return Ok(());
    }
    if hard < needed {
        bail!("{connections} connections need {needed} open files, and the limit is {hard}: raise it with `ulimit -n`");
    }
    setrlimit(Resource::RLIMIT_NOFILE, needed, hard).context("raise the limit of open files")
}
