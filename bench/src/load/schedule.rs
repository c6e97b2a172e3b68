//! When requests are to be sent. In an open loop the times are fixed before the run begins and never move, however
//! late the answers are: latency counts from them, so a stall is seen by every request it delays.

use std::time::{Duration, Instant};

/// How fast to send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// This many requests per second in all, at times fixed in advance.
    Open(f64),
    /// Each connection sends its next request when the last one is answered.
    Saturating,
}

/// How long after the end of a run its last requests may still be sent.
const LATE_MAX: Duration = Duration::from_millis(250);

/// The sending times of one worker: every `workers`-th of the whole run.
#[derive(Debug)]
pub(super) struct Schedule {
    start: Instant,
    end: Instant,
    quota: u64,
    next: u64,
    /// Seconds between two requests of this worker, and before its first; nothing when saturating.
    step: Option<(f64, f64)>,
}

impl Schedule {
    /// The share of worker `index` of `workers` in a run that ends after `duration` or `requests`, whichever is first.
    pub(super) fn new(
        pace: Pace,
        start: Instant,
        duration: Option<Duration>,
        requests: Option<u64>,
        (index, workers): (u64, u64),
    ) -> Self {
        let step = match pace {
            Pace::Open(rate) => Some((workers as f64 / rate, index as f64 / rate)),
            Pace::Saturating => None,
        };
        let quota = requests.map_or(u64::MAX, |requests| (requests + workers - 1 - index) / workers);
        // A run without a duration ends by its quota; a day is as good as never.
        let end = start + duration.unwrap_or(Duration::from_secs(24 * 3600));
        Self { start, end, quota, next: 0, step }
    }

    /// The next request, if it is due at `now`: its running number and its intended time.
    pub(super) fn due(&self, now: Instant) -> Option<(u64, Instant)> {
        let at = self.at(now);
        (self.next < self.quota && at <= now && at < self.end).then_some((self.next, at))
    }

    /// Counts the request that [`Schedule::due`] gave as sent.
    pub(super) fn advance(&mut self) {
        self.next += 1;
    }

    /// Whether no further request will be sent: none is left, or those that are left are late beyond the end of the run.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.next >= self.quota || self.at(now) >= self.end || now >= self.end + LATE_MAX
    }

    /// How long from `now` until the next request is due; zero if it is overdue.
    pub(super) fn until_next(&self, now: Instant) -> Duration {
        self.at(now).saturating_duration_since(now)
    }

    /// How many requests were due by `now` and have not been sent.
    pub(super) fn unsent(&self, now: Instant) -> u64 {
        let Some((step, first)) = self.step else {
            return 0;
        };
        let elapsed = now.min(self.end).saturating_duration_since(self.start).as_secs_f64();
        if elapsed < first {
            return 0;
        }
        let due = ((elapsed - first) / step).ceil() as u64;
        due.min(self.quota).saturating_sub(self.next)
    }

    fn at(&self, now: Instant) -> Instant {
        match self.step {
            Some((step, first)) => self.start + Duration::from_secs_f64(first + self.next as f64 * step),
            None => now.max(self.start),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Sends whatever is due in each of `steps` milliseconds and gives the running number and time of each.
    fn drive(schedule: &mut Schedule, start: Instant, steps: u64) -> Vec<(u64, u128)> {
        let mut sent = Vec::new();
        for ms in 0..steps {
            while let Some((number, at)) = schedule.due(start + Duration::from_millis(ms)) {
                sent.push((number, at.duration_since(start).as_millis()));
                schedule.advance();
            }
        }
        sent
    }

    #[test]
    fn workers_share_an_open_loop_evenly() {
        let start = Instant::now();
        let times = |index| {
            let mut schedule = Schedule::new(Pace::Open(100.0), start, Some(SECOND / 20), None, (index, 2));
            drive(&mut schedule, start, 1000)
        };
        assert_eq!(times(0), [(0, 0), (1, 20), (2, 40)]);
        assert_eq!(times(1), [(0, 10), (1, 30)]);
    }

    #[test]
    fn requests_are_shared_out_exactly() {
        let check = |requests: u64, workers: u64| {
            let start = Instant::now();
            let share = |index| {
                let mut schedule = Schedule::new(Pace::Open(1000.0), start, None, Some(requests), (index, workers));
                drive(&mut schedule, start, 100).len() as u64
            };
            assert_eq!((0..workers).map(share).sum::<u64>(), requests, "{requests} over {workers}");
        };
        check(0, 1);
        check(1, 2);
        check(7, 3);
        check(9, 3);
    }

    #[test]
    fn a_stall_moves_no_intended_time() {
        let start = Instant::now();
        let mut schedule = Schedule::new(Pace::Open(10.0), start, Some(SECOND), None, (0, 1));
        let late = start + SECOND / 2;
        assert_eq!(schedule.unsent(late), 5);
        assert_eq!(schedule.due(late), Some((0, start)));
        schedule.advance();
        assert_eq!(schedule.due(late), Some((1, start + SECOND / 10)));
        assert_eq!(schedule.unsent(start + SECOND * 9), 9);
        assert_eq!(schedule.until_next(start), SECOND / 10);
        assert!(!schedule.is_over(start + SECOND + LATE_MAX / 2));
        assert!(schedule.is_over(start + SECOND + LATE_MAX));
    }

    #[test]
    fn saturating_is_always_due_until_the_end() {
        let start = Instant::now();
        let schedule = Schedule::new(Pace::Saturating, start, Some(SECOND), None, (0, 1));
        assert_eq!(schedule.due(start).unwrap().0, 0);
        assert!(schedule.due(start + SECOND).is_none());
        assert!(schedule.is_over(start + SECOND));
        assert_eq!(schedule.unsent(start + SECOND * 2), 0);
    }
}
