//! The outcome of a run, for people and for programs.

use super::tally::Tally;
use super::{Plan, Watched};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The outcome of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Length of the measured part of the run, from its first intended time to the last reply. Units: seconds.
    pub measured_s: f64,
    /// Requests sent, warm-up included.
    pub sent: u64,
    /// Replies in the measured part.
    pub measured: u64,
    /// Measured replies per second.
    pub rate_per_s: f64,
    /// Results, warm-up included.
    pub allowed: u64,
    /// Denials, warm-up included.
    pub denied: u64,
    /// Denials by JSON-RPC code, or by HTTP status where there was no code.
    pub denied_by: BTreeMap<i64, u64>,
    /// Replies that were not as expected.
    pub unexpected: u64,
    /// What they were.
    pub surprises: BTreeMap<String, u64>,
    /// Connections that ended while a request was running.
    pub resets: u64,
    /// Connections that ended while idle.
    pub hangups: u64,
    /// Requests given up on.
    pub timeouts: u64,
    /// Requests still unanswered at the end.
    pub unanswered: u64,
    /// Connection attempts that failed after the run had begun.
    pub refused: u64,
    /// Connections made again.
    pub reconnects: u64,
    /// Requests of the open loop that were due and never sent, because no connection was free.
    pub unsent: u64,
    /// Trace ids written to the record file.
    pub traces: u64,
    /// From the intended time of a request to the end of its reply. Units: microseconds, as all of these.
    pub latency_us: Quantiles,
    /// From the moment of sending to the end of the reply.
    pub service_us: Quantiles,
    /// From the intended time to the moment of sending: what the generator and a full set of connections add.
    pub lag_us: Quantiles,
    /// Results and denials of the principals that fared best and worst.
    pub principals: Principals,
    /// CPU time of this program and of the processes it was told to watch, over the measured part.
    pub processes: Vec<ProcessUse>,
}

/// Quantiles of a distribution. Units: microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Quantiles {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 90 %.
    pub p90: f64,
    /// 99 %.
    pub p99: f64,
    /// 99.9 %.
    pub p999: f64,
    /// Largest.
    pub max: f64,
}

/// The extremes over all principals.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Principals {
    /// How many there are.
    pub count: u64,
    /// Fewest results of one principal.
    pub allowed_min: u64,
    /// Most results of one principal.
    pub allowed_max: u64,
    /// Fewest denials of one principal.
    pub denied_min: u64,
    /// Most denials of one principal.
    pub denied_max: u64,
}

/// What a process used while the run was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProcessUse {
    /// The name given with it.
    pub name: String,
    /// CPU time. Units: seconds.
    pub cpu_s: f64,
    /// CPU time per measured reply. Units: microseconds.
    pub cpu_us_per_request: f64,
    /// CPU time per measured reply of the processes it has started, such as a database. Units: microseconds.
    pub below_cpu_us_per_request: f64,
    /// Resident memory at the end. Units: KiB.
    pub resident_kib: u64,
}

impl Report {
    pub(super) fn new(plan: &Plan, tally: &Tally, measured: Duration, watched: &[Watched]) -> Self {
        let processes = watched
            .iter()
            .map(|watched| ProcessUse {
                name: watched.name.clone(),
                cpu_s: watched.used.as_secs_f64(),
                cpu_us_per_request: per_request(watched.used, tally),
                below_cpu_us_per_request: per_request(watched.used_below, tally),
                resident_kib: watched.resident_kib,
            })
            .collect();
        Self {
            measured_s: measured.as_secs_f64(),
            sent: tally.sent,
            measured: tally.measured,
            rate_per_s: tally.measured as f64 / measured.as_secs_f64().max(1e-9),
            allowed: tally.allowed,
            denied: tally.denied,
            denied_by: tally.denied_by.clone(),
            unexpected: tally.unexpected,
            surprises: tally.surprises.clone(),
            resets: tally.lost.resets,
            hangups: tally.lost.hangups,
            timeouts: tally.lost.timeouts,
            unanswered: tally.lost.unanswered,
            refused: tally.lost.refused,
            reconnects: tally.reconnects,
            unsent: tally.unsent,
            traces: tally.traces,
            latency_us: Quantiles::of(&tally.latency),
            service_us: Quantiles::of(&tally.service),
            lag_us: Quantiles::of(&tally.lag),
            principals: Principals::of(&tally.principals, plan.connections_per_principal()),
            processes,
        }
    }

    /// Whether every request got the reply that was expected.
    pub fn is_clean(&self) -> bool {
        self.unexpected == 0 && !self.is_lossy()
    }

    /// Whether requests or connections went missing.
    pub fn is_lossy(&self) -> bool {
        self.resets + self.hangups + self.timeouts + self.unanswered + self.refused > 0
    }
}

fn per_request(used: Duration, tally: &Tally) -> f64 {
    used.as_secs_f64() * 1e6 / tally.measured.max(1) as f64
}

impl Quantiles {
    fn of(histogram: &Histogram<u64>) -> Self {
        // The histogram rounds up to the end of a bucket, which may lie above the largest value.
        let at = |quantile| histogram.value_at_quantile(quantile).min(histogram.max()) as f64 / 1000.0;
        Self {
            mean: histogram.mean() / 1000.0,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max() as f64 / 1000.0,
        }
    }
}

impl Principals {
    /// Over the principals that had a connection, which are the first ones.
    fn of(counts: &[(u64, u64)], used: usize) -> Self {
        let counts = counts.get(..used).unwrap_or(counts);
        let allowed = || counts.iter().map(|count| count.0);
        let denied = || counts.iter().map(|count| count.1);
        Self {
            count: counts.len() as u64,
            allowed_min: allowed().min().unwrap_or(0),
            allowed_max: allowed().max().unwrap_or(0),
            denied_min: denied().min().unwrap_or(0),
            denied_max: denied().max().unwrap_or(0),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} replies in {:.2} s = {:.0}/s; {} allowed, {} denied",
            self.measured, self.measured_s, self.rate_per_s, self.allowed, self.denied
        )?;
        if self.denied > 0 {
            let by: Vec<String> = self.denied_by.iter().map(|(code, count)| format!("{code} × {count}")).collect();
            writeln!(f, "denied by code: {}", by.join(", "))?;
        }
        writeln!(f, "{:<28}{:>10}{:>10}{:>10}{:>10}{:>10}", "µs", "p50", "p90", "p99", "p99.9", "max")?;
        for (name, q) in [
            ("latency (from intended time)", &self.latency_us),
            ("service (from sending)", &self.service_us),
            ("lag (intended to sending)", &self.lag_us),
        ] {
            writeln!(f, "{name:<28}{:>10.1}{:>10.1}{:>10.1}{:>10.1}{:>10.1}", q.p50, q.p90, q.p99, q.p999, q.max)?;
        }
        for process in &self.processes {
            writeln!(
                f,
                "{}: {:.2} µs CPU per request ({:.2} s), {} MiB resident",
                process.name,
                process.cpu_us_per_request,
                process.cpu_s,
                process.resident_kib / 1024
            )?;
            if process.below_cpu_us_per_request > 0.0 {
                writeln!(f, "  and {:.2} µs in the processes below it", process.below_cpu_us_per_request)?;
            }
        }
        if self.principals.count > 1 {
            let p = &self.principals;
            writeln!(
                f,
                "{} principals: {}–{} allowed, {}–{} denied each",
                p.count, p.allowed_min, p.allowed_max, p.denied_min, p.denied_max
            )?;
        }
        for (what, count) in [
            ("connections lost with a request running", self.resets),
            ("connections lost while idle", self.hangups),
            ("requests timed out", self.timeouts),
            ("requests unanswered at the end", self.unanswered),
            ("connections refused", self.refused),
            ("connections made again", self.reconnects),
            ("requests due but never sent: the target, or this generator, did not keep up", self.unsent),
            ("trace ids recorded", self.traces),
        ] {
            if count > 0 {
                writeln!(f, "{count} {what}")?;
            }
        }
        if self.unexpected > 0 {
            writeln!(f, "{} UNEXPECTED replies:", self.unexpected)?;
            for (what, count) in &self.surprises {
                writeln!(f, "  {count} × {what}")?;
            }
        }
        Ok(())
    }
}
