//! What came out: medians over the rounds, ratios to the baselines, a table to read and a file to keep.

use super::scenario::Mode;
use super::{Options, Scenario};
use crate::load::Report;
use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What one run of one scenario gave.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Measurement {
    rate_per_s: f64,
    p50_us: f64,
    p99_us: f64,
    p999_us: f64,
    /// Of the process that the scenario is about.
    cpu_us_per_request: f64,
    /// Of the processes below it: the gateway's private PostgreSQL.
    below_cpu_us: f64,
    /// Of the others.
    upstream_cpu_us: f64,
    load_cpu_us: f64,
    resident_mib: f64,
}

/// All runs of a comparison.
#[derive(Serialize)]
pub(super) struct Results {
    date: String,
    commit: String,
    command: String,
    machine: String,
    connections: usize,
    principals: usize,
    cores: usize,
    rate_per_s: f64,
    duration_s: f64,
    #[serde(skip)]
    label: Option<String>,
    runs: BTreeMap<Scenario, BTreeMap<Mode, Vec<Measurement>>>,
}

impl Measurement {
    /// Takes from `report` what concerns the process called `name`.
    pub(super) fn of(report: &Report, name: &str) -> Self {
        let process = |name: &str| report.processes.iter().find(|process| process.name == name);
        let cpu = |name: &str| process(name).map_or(0.0, |process| process.cpu_us_per_request);
        Self {
            rate_per_s: report.rate_per_s,
            p50_us: report.latency_us.p50,
            p99_us: report.latency_us.p99,
            p999_us: report.latency_us.p999,
            cpu_us_per_request: cpu(name),
            below_cpu_us: process(name).map_or(0.0, |process| process.below_cpu_us_per_request),
            upstream_cpu_us: cpu("sp-upstream"),
            load_cpu_us: cpu("sp-load"),
            resident_mib: process(name).map_or(0.0, |process| process.resident_kib as f64 / 1024.0),
        }
    }

    /// The median of each number by itself.
    fn median(runs: &[Self]) -> Self {
        let of = |field: fn(&Self) -> f64| {
            let mut values: Vec<f64> = runs.iter().map(field).collect();
            values.sort_by(f64::total_cmp);
            let upper = values.get(values.len() / 2).copied().unwrap_or_default();
            let lower = values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default();
            f64::midpoint(lower, upper)
        };
        Self {
            rate_per_s: of(|run| run.rate_per_s),
            p50_us: of(|run| run.p50_us),
            p99_us: of(|run| run.p99_us),
            p999_us: of(|run| run.p999_us),
            cpu_us_per_request: of(|run| run.cpu_us_per_request),
            below_cpu_us: of(|run| run.below_cpu_us),
            upstream_cpu_us: of(|run| run.upstream_cpu_us),
            load_cpu_us: of(|run| run.load_cpu_us),
            resident_mib: of(|run| run.resident_mib),
        }
    }
}

impl Results {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            date: jiff::Zoned::now().date().to_string(),
            commit: commit(),
            command: options.command.clone(),
            machine: machine(),
            connections: options.connections,
            principals: options.principals,
            cores: options.cores,
            rate_per_s: options.rate,
            duration_s: options.duration.as_secs_f64(),
            label: options.label.clone(),
            runs: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, scenario: Scenario, mode: Mode, measurement: Measurement) {
        self.runs.entry(scenario).or_default().entry(mode).or_default().push(measurement);
    }

    fn median(&self, scenario: Scenario, mode: Mode) -> Option<Measurement> {
        self.runs.get(&scenario)?.get(&mode).map(|runs| Measurement::median(runs))
    }

    /// One table for each way of putting on the load.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        for mode in [Mode::Saturating, Mode::Open] {
            let title = match mode {
                Mode::Saturating => format!("Saturating, {} connections", self.connections),
                Mode::Open => format!("Fixed rate of {}/s, {} connections", self.rate_per_s, self.connections),
            };
            text.push_str(&format!("\n{title}, median of the rounds\n\n{}\n", self.table_of(mode)));
        }
        text
    }

    fn table_of(&self, mode: Mode) -> Table {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN).set_header([
            "",
            "rate/s",
            "p50 µs",
            "p99 µs",
            "p99.9 µs",
            "CPU µs/req",
            "× echo",
            "× pass",
            "p50 × echo",
            "p50 × pass",
            "Postgres CPU",
            "upstream CPU",
            "load CPU",
            "RSS MiB",
        ]);
        let echo = self.median(Scenario::Echo, mode);
        let pass = self.median(Scenario::Pass, mode);
        for scenario in self.runs.keys() {
            let Some(run) = self.median(*scenario, mode) else { continue };
            let ratio = |of: fn(&Measurement) -> f64, to: &Option<Measurement>| match to {
                Some(to) if of(to) > 0.0 => format!("{:.2}", of(&run) / of(to)),
                _ => "–".to_owned(),
            };
            let cpu: fn(&Measurement) -> f64 = |run| run.cpu_us_per_request;
            let p50: fn(&Measurement) -> f64 = |run| run.p50_us;
            table.add_row([
                scenario.title().to_owned(),
                format!("{:.0}", run.rate_per_s),
                format!("{:.0}", run.p50_us),
                format!("{:.0}", run.p99_us),
                format!("{:.0}", run.p999_us),
                format!("{:.2}", run.cpu_us_per_request),
                ratio(cpu, &echo),
                ratio(cpu, &pass),
                ratio(p50, &echo),
                ratio(p50, &pass),
                format!("{:.2}", run.below_cpu_us),
                format!("{:.2}", run.upstream_cpu_us),
                format!("{:.2}", run.load_cpu_us),
                format!("{:.0}", run.resident_mib),
            ]);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }

    /// Writes the table and every single run into `dir`, and gives the path of the table.
    pub(super) fn write(&self, dir: &Path) -> Result<PathBuf> {
        std::fs::create_dir_all(dir).with_context(|| format!("create `{}`", dir.display()))?;
        let label = self.label.as_ref().map(|label| format!("-{label}")).unwrap_or_default();
        let stem = format!("{}-{}{label}", self.date, self.commit);
        let page = dir.join(format!("{stem}.md"));
        let text = format!(
            "# {stem}\n\n- machine: {}\n- commit: {}\n- command: `{}`\n- {} executor(s) or shard(s) per server, {} principal(s), {} s per run\n- CPU µs/req is the CPU time of the process the row is about, in all its threads, divided by the replies\n{}",
            self.machine,
            self.commit,
            self.command,
            self.cores,
            self.principals,
            self.duration_s,
            self.table()
        );
        std::fs::write(&page, text).with_context(|| format!("write `{}`", page.display()))?;
        let data = dir.join(format!("{stem}.json"));
        std::fs::write(&data, serde_json::to_string_pretty(self)?).with_context(|| format!("write `{}`", data.display()))?;
        Ok(page)
    }
}

/// The commit in short, with a mark when the working tree differs from it.
pub(super) fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short", "HEAD"]) else { return "unknown".into() };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty());
    if changed { format!("{commit}-changed") } else { commit }
}

/// What the numbers were measured on, and how busy it was.
pub(super) fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let model = read("/proc/cpuinfo");
    let model = model.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown CPU");
    let model = model.trim_start_matches([':', '\t', ' ']).to_owned();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let load = load.split_whitespace().next().unwrap_or("?");
    format!("{cpus} × {model}, Linux {}, load average {load} before the run", kernel.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        let check = |rates: &[f64], expect: f64| {
            let runs: Vec<_> = rates.iter().map(|rate| Measurement { rate_per_s: *rate, ..Measurement::default() }).collect();
            assert_eq!(Measurement::median(&runs).rate_per_s, expect, "{rates:?}");
        };
        check(&[], 0.0);
        check(&[3.0], 3.0);
        check(&[9.0, 1.0], 5.0);
        check(&[9.0, 1.0, 2.0], 2.0);
    }
}
