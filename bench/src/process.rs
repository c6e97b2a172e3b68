//! What the kernel says about a running process: CPU time used and memory held.

use anyhow::{Context, Result};
use nix::unistd::{SysconfVar, sysconf};
use std::time::Duration;

/// CPU time (user and system, all threads, io_uring workers included) that process `pid` has used so far.
///
/// # Errors
/// The process has ended.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid} is gone"))?;
    let ticks = cpu_ticks(&stat).with_context(|| format!("read /proc/{pid}/stat"))?;
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|ticks| u64::try_from(ticks).ok()).unwrap_or(100);
    Ok(Duration::from_secs(ticks) / u32::try_from(per_second).unwrap_or(100))
}

/// Resident memory of process `pid` now, in KiB.
///
/// # Errors
/// The process has ended.
pub fn resident_kib(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid} is gone"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .with_context(|| format!("process {pid} says nothing about its memory"))
}

/// utime + stime, fields 14 and 15. The name in parentheses may hold spaces and parentheses of its own, so counting
/// starts behind the last one.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let after_name = stat.get(stat.rfind(')')? + 1..)?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn stat_lines_with_awkward_names() {
        let check = |stat: &str, expect: Option<u64>| assert_eq!(cpu_ticks(stat), expect, "{stat}");
        check("12 (sp) S 1 1 1 0 -1 4 9 0 0 0 70 30 0 0 20 0 1", Some(100));
        check("12 (a) b (c)) S 1 1 1 0 -1 4 9 0 0 0 7 3 0 0", Some(10));
        check("12 (sp) S 1 1", None);
        check("", None);
    }

    #[test]
    fn this_process_uses_time_and_memory() {
        let pid = std::process::id();
        let before = cpu_time(pid).unwrap();
        let mut sum = 0_u64;
        while cpu_time(pid).unwrap() == before {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(resident_kib(pid).unwrap() > 100);
        assert!(cpu_time(u32::MAX - 1).is_err());
    }
}
