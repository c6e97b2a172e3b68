//! The signs of life of one server, gathered from all of its children: answers, failures, changes of the tool list.
//!
//! Failures count in a row; any answered call ends the row. So one client with a call that kills its child cannot make
//! a server unhealthy that others use with success, and a server that really is broken is noticed after a few deaths.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::config::Backoff;

/// Shared by the server, its sessions and its probes.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    row: Mutex<Row>,
    changed: Notify,
    tools_changed: AtomicBool,
    deaths: AtomicU64,
}

#[derive(Debug, Default)]
struct Row {
    failures: u32,
    hopeless: bool,
    last_failure: Option<Instant>,
    last_answer: Option<Instant>,
    reason: String,
}

/// Whether a child may be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    /// After a failure, not before this.
    From(Instant),
    /// Too many failures: only a probe may start one, not before this.
    Broken {
        reason: String,
        retry: Instant,
    },
}

impl Pulse {
    fn row(&self) -> MutexGuard<'_, Row> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A child answered a request other than `initialize`.
    pub(super) fn answered(&self) {
        let mut row = self.row();
        row.last_answer = Some(Instant::now());
        if row.failures > 0 {
            row.failures = 0;
            row.hopeless = false;
            drop(row);
            self.changed.notify_one();
        }
    }

    /// A child failed in a way that may pass.
    pub(super) fn failed(&self, reason: String) {
        self.fail(reason, false);
    }

    /// A child could not be started at all; there is no point in several quick attempts.
    pub(super) fn failed_for_good(&self, reason: String) {
        self.fail(reason, true);
    }

    fn fail(&self, reason: String, hopeless: bool) {
        let mut row = self.row();
        row.failures = row.failures.saturating_add(1);
        row.hopeless |= hopeless;
        row.last_failure = Some(Instant::now());
        row.reason = reason;
        drop(row);
        self.changed.notify_one();
    }

    /// A child ended without being asked to.
    pub(super) fn died(&self, reason: String) {
        self.deaths.fetch_add(1, Ordering::Relaxed);
        self.failed(reason);
    }

    /// Children that ended without being asked to.
    pub(super) fn deaths(&self) -> u64 {
        self.deaths.load(Ordering::Relaxed)
    }

    pub(super) fn tools_changed(&self) {
        self.tools_changed.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// True once per change.
    pub(super) fn take_tools_changed(&self) -> bool {
        self.tools_changed.swap(false, Ordering::Relaxed)
    }

    pub(super) fn last_answer(&self) -> Option<Instant> {
        self.row().last_answer
    }

    pub(super) fn gate(&self, backoff: &Backoff) -> Gate {
        let row = self.row();
        let Some(last) = row.last_failure.filter(|_| row.failures > 0) else {
            return Gate::Open;
        };
        if row.hopeless {
            return Gate::Broken { reason: row.reason.clone(), retry: last + backoff.max };
        }
        let from = last + backoff.delay(row.failures);
        if row.failures >= backoff.crash_loop {
            let reason = format!("{} failures in a row, the last: {}", row.failures, row.reason);
            return Gate::Broken { reason, retry: from };
        }
        Gate::From(from)
    }

    /// Something happened since the last wait.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn failures_in_a_row_close_the_gate_and_an_answer_opens_it() {
        let backoff = Backoff { first: Duration::from_secs(100), max: Duration::from_secs(500), crash_loop: 3 };
        let pulse = Pulse::default();
        let gate = |pulse: &Pulse| {
            // The clock runs on while the test does, by less than half a hundred seconds.
            let rounded = |at: Instant| (at - Instant::now()).as_secs().div_ceil(100) * 100;
            match pulse.gate(&backoff) {
                Gate::Open => "open".to_owned(),
                Gate::From(at) => format!("from {}", rounded(at)),
                Gate::Broken { reason, retry } => {
                    format!("broken until {}: {reason}", rounded(retry))
                }
            }
        };
        assert_eq!(gate(&pulse), "open");
        pulse.died("exited".into());
        assert_eq!(gate(&pulse), "from 100");
        pulse.died("exited".into());
        assert_eq!(gate(&pulse), "from 200");
        pulse.answered();
        assert_eq!(gate(&pulse), "open");
        for _ in 0..5 {
            pulse.died("exited".into());
        }
        assert_eq!(gate(&pulse), "broken until 500: 5 failures in a row, the last: exited");
        pulse.answered();
        pulse.failed_for_good("no such command".into());
        assert_eq!(gate(&pulse), "broken until 500: no such command");
        assert_eq!(pulse.deaths(), 7);
    }

    #[test]
    fn the_wait_doubles_up_to_a_bound() {
        let backoff = Backoff { first: Duration::from_millis(500), max: Duration::from_secs(30), crash_loop: 5 };
        for (failures, expect_ms) in [(0, 0), (1, 500), (2, 1000), (6, 16_000), (7, 30_000), (40, 30_000), (u32::MAX, 30_000)] {
            assert_eq!(backoff.delay(failures).as_millis(), expect_ms, "{failures}");
        }
    }
}
