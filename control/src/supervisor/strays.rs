//! Processes that left their group, or outlived a killed `sp`: found by the mark in their environment, and killed.
//!
//! A process group does not hold what calls `setsid`. Every child carries [`MARK`] in its environment and what it
//! starts inherits that, so the kernel's own record of the environment (`/proc/<pid>/environ`) still tells. A process
//! that leaves its group *and* wipes its environment gets away; only a control group of its own would hold that one.

use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal};
use tokio::sync::mpsc;

use super::launch::MARK;

/// LIMIT: looks at the process table for one kill; a fork bomb may need several.
const ROUNDS_MAX: usize = 50;

/// LIMIT: how long the ends of children are gathered before one look at the process table serves them all.
const GATHER: Duration = Duration::from_millis(200);

/// Kills what is left of each child whose mark arrives; ends with the channel.
pub(super) async fn sweep(mut dead: mpsc::UnboundedReceiver<String>) {
    while let Some(first) = dead.recv().await {
        let mut marks = vec![first];
        tokio::time::sleep(GATHER).await;
        while let Ok(mark) = dead.try_recv() {
            marks.push(mark);
        }
        if let Err(error) = tokio::task::spawn_blocking(move || kill_marked(&marks)).await {
            tracing::error!(%error, "cannot look for stray processes");
        }
    }
}

/// Kills every process whose mark begins with one of `marks`.
pub(super) fn kill_marked(marks: &[String]) {
    for _ in 0..ROUNDS_MAX {
        let mut killed = 0;
        let Ok(processes) = std::fs::read_dir("/proc") else {
            return;
        };
        for process in processes.flatten() {
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
                continue;
            };
            if is_marked(pid, marks) && kill(pid, marks) {
                killed += 1;
            }
        }
        if killed == 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(2)); // the killed ones leave the table
        tracing::warn!(killed, "killed processes that had left the group of their MCP server");
    }
}

fn is_marked(pid: i32, marks: &[String]) -> bool {
    // Unreadable means another user's process or one that just ended: neither is ours.
    let Ok(environ) = std::fs::read(format!("/proc/{pid}/environ")) else {
        return false;
    };
    environ
        .split(|&byte| byte == 0)
        .filter_map(|entry| entry.strip_prefix(MARK.as_bytes())?.strip_prefix(b"="))
        .any(|value| marks.iter().any(|mark| value.starts_with(mark.as_bytes())))
}

/// The second look happens with the process held by a descriptor, so that a reused number is never killed.
fn kill(pid: i32, marks: &[String]) -> bool {
    let Some(pid_held) = Pid::from_raw(pid) else {
        return false;
    };
    let Ok(held) = rustix::process::pidfd_open(pid_held, PidfdFlags::empty()) else {
        return false;
    };
    is_marked(pid, marks) && rustix::process::pidfd_send_signal(&held, Signal::KILL).is_ok()
}
