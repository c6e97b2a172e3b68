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

/// CPU time that the processes below `pid` have used so far: its children, their children, and so on. Those that have
/// ended are not among them.
pub fn cpu_time_below(pid: u32) -> Duration {
    let parents = parents();
    let mut below = vec![pid];
    let mut index = 0;
    while let Some(parent) = below.get(index).copied() {
        below.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(child, _)| *child));
        index += 1;
    }
    // One that ends between the two looks has used what it used; it only can no longer be asked.
    below.iter().skip(1).filter_map(|child| cpu_time(*child).ok()).sum()
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| {
            let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            Some((pid, parent(&stat)?))
        })
        .collect()
}

/// Field 4, the second behind the name.
fn parent(stat: &str) -> Option<u32> {
    stat.get(stat.rfind(')')? + 1..)?.split_whitespace().nth(1)?.parse().ok()
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
    #[allow(clippy::zombie_processes, reason = "it is waited for three lines down")]
    fn children_are_counted_with_their_children() {
        let mut child = std::process::Command::new("sh").args(["-c", "sh -c 'while :; do :; done'; true"]).spawn().unwrap();
        while cpu_time_below(child.id()).is_zero() {
            std::thread::sleep(Duration::from_millis(10));
        }
        // In this order: time goes on.
        let below_child = cpu_time_below(child.id());
        let below_us = cpu_time_below(std::process::id());
        let busy: Vec<u32> = parents().into_iter().filter(|(_, of)| *of == child.id()).map(|(pid, _)| pid).collect();
        for pid in busy {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.try_into().unwrap()), nix::sys::signal::SIGKILL).unwrap();
        }
        child.wait().unwrap();
        assert!(below_us >= below_child, "{below_us:?} {below_child:?}");
        assert_eq!(cpu_time_below(u32::MAX - 1), Duration::ZERO);
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
