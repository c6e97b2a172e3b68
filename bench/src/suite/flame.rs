//! A flame graph of one process under load, by `perf`: it needs nothing inside the profiled program, sees the kernel's
//! share, and profiles exactly the binary that users run.

use super::results::{commit, machine};
use super::scenario::Mode;
use super::stack::Stack;
use super::{Options, Scenario, load};
use crate::load::Glance;
use anyhow::{Context, Result, bail};
use inferno::collapse::Collapse;
use inferno::collapse::perf::Folder;
use inferno::flamegraph;
use std::fs::File;
use std::io::{BufWriter, Cursor};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Samples per second. Not a round number, so that it does not beat with timers.
const SAMPLES_PER_S: u32 = 499;
/// How much of the stack each sample keeps: enough for the nested futures of a call. LIMIT: perf takes up to 65528.
const STACK_BYTES: u32 = 32_768;

/// Profiles the process of `scenario` under saturating load and writes `<scenario>.svg` into `dir`.
///
/// # Errors
/// `perf` is missing or not allowed, or a program does not start.
pub fn run(
    scenario: Scenario,
    options: &Options,
    dir: &Path,
    stop: &AtomicBool,
    on_glance: impl FnMut(Glance),
) -> Result<PathBuf> {
    check_perf()?;
    let mut stack = Stack::new(options);
    stack.prepare(scenario)?;
    let pid = stack.watched(scenario).first().context("nothing to profile")?.1;
    let plan = scenario.plan(&stack, Mode::Saturating, options)?;
    let scratch = tempfile::tempdir().context("make a temporary directory")?;
    let data = scratch.path().join("perf.data");

    let profiler = record(pid, plan.warmup, options.duration, &data)?;
    let report = load::run(&plan, stop, on_glance)?;
    if !report.is_clean() {
        bail!("not every reply was as expected\n{report}");
    }
    finish(profiler)?;
    let used = report.processes.iter().find(|process| process.name == scenario.process());
    let subtitle = format!(
        "{}, {:.0} requests/s, {:.2} µs CPU per request; commit {}; {}",
        scenario.process(),
        report.rate_per_s,
        used.map_or(0.0, |process| process.cpu_us_per_request),
        commit(),
        machine()
    );
    drop(stack);
    let folded = fold(&data)?;
    std::fs::create_dir_all(dir).with_context(|| format!("create `{}`", dir.display()))?;
    let path = dir.join(format!("{}.svg", scenario.word()));
    draw(&folded, scenario.title(), &subtitle, &path)?;
    Ok(path)
}

fn check_perf() -> Result<()> {
    let found = Command::new("perf").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        bail!(
            "`perf` is not installed: `apt-get install linux-perf` (Debian), `apt-get install linux-tools-generic` (Ubuntu) or `dnf install perf` (Fedora)"
        );
    }
    Ok(())
}

/// Starts to sample `pid` once the warm-up is over.
fn record(pid: u32, warmup: Duration, duration: Duration, data: &Path) -> Result<Child> {
    Command::new("perf")
        .args(["record", "--quiet", "--pid", &pid.to_string(), "--freq", &SAMPLES_PER_S.to_string()])
        .args(["--call-graph", &format!("dwarf,{STACK_BYTES}"), "--delay", &warmup.as_millis().max(1).to_string()])
        .arg("--output")
        .arg(data)
        .args(["--", "sleep", &(warmup + duration).as_secs_f64().to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("start `perf record`")
}

fn finish(profiler: Child) -> Result<()> {
    let output = profiler.wait_with_output().context("wait for `perf record`")?;
    if !output.status.success() {
        bail!(
            "`perf record` failed: {}; it needs root or `sysctl kernel.perf_event_paranoid=1`",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// One line for each distinct stack, with its count.
fn fold(data: &Path) -> Result<Vec<u8>> {
    let output = Command::new("perf")
        .args(["script", "--no-inline", "--fields", "comm,pid,tid,time,event,ip,sym,dso", "--input"])
        .arg(data)
        .stderr(Stdio::null())
        .output()
        .context("run `perf script`")?;
    if !output.status.success() || output.stdout.is_empty() {
        bail!("`perf script` found no samples: was the process busy?");
    }
    let mut folded = Vec::new();
    Folder::default().collapse(Cursor::new(output.stdout), &mut folded).context("fold the stacks")?;
    Ok(folded)
}

fn draw(folded: &[u8], title: &str, subtitle: &str, path: &Path) -> Result<()> {
    let text = String::from_utf8_lossy(folded);
    let lines: Vec<String> = text.lines().map(readable).collect();
    let mut options = flamegraph::Options::default();
    options.title = title.to_owned();
    options.subtitle = Some(subtitle.to_owned());
    options.count_name = "samples".to_owned();
    options.min_width = 0.1;
    options.hash = true;
    let file = File::create(path).with_context(|| format!("create `{}`", path.display()))?;
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), BufWriter::new(file)).context("draw the flame graph")
}

/// Takes out of a folded line what nobody reads: the hash behind a symbol, and the kernel's entry stubs.
fn readable(line: &str) -> String {
    let (stack, count) = line.rsplit_once(' ').unwrap_or((line, "1"));
    let frames: Vec<&str> = stack.split(';').map(without_hash).filter(|frame| !NOISE.contains(frame)).collect();
    format!("{} {count}", frames.join(";"))
}

const NOISE: &[&str] = &["entry_SYSCALL_64_after_hwframe", "do_syscall_64", "[unknown]", "__clone3", "start_thread"];

fn without_hash(frame: &str) -> &str {
    match frame.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => name,
        _ => frame,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_readable() {
        let check = |line: &str, expect: &str| assert_eq!(readable(line), expect, "{line}");
        check("a;b::h0123456789abcdef;c 3", "a;b;c 3");
        check("a;b::hello 1", "a;b::hello 1");
        check("sp;[unknown];x y;do_syscall_64;z 12", "sp;x y;z 12");
    }
}
