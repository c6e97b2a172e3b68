//! What a worker counts, and how the counts of several become one.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

// LIMIT: distinct surprises kept; more are counted under one name.
const SURPRISES_MAX: usize = 20;
// LIMIT: latencies beyond this count as this; three digits are kept of each.
const LATENCY_NS_MAX: u64 = 600_000_000_000;

/// The counts of one worker, or of all.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) sent: u64,
    pub(super) allowed: u64,
    pub(super) denied: u64,
    pub(super) denied_by: BTreeMap<i64, u64>,
    /// Replies that were not as expected, by what they were.
    pub(super) surprises: BTreeMap<String, u64>,
    pub(super) unexpected: u64,
    pub(super) lost: Lost,
    pub(super) reconnects: u64,
    pub(super) traces: u64,
    pub(super) unsent: u64,
    /// For each principal: allowed, denied.
    pub(super) principals: Vec<(u64, u64)>,
    pub(super) measured: u64,
    pub(super) last_reply: Option<Instant>,
    /// From the intended time to the end of the reply.
    pub(super) latency: Histogram<u64>,
    /// From the moment of sending to the end of the reply.
    pub(super) service: Histogram<u64>,
    /// From the intended time to the moment of sending.
    pub(super) lag: Histogram<u64>,
}

/// What went missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lost {
    /// Connections that ended while a request was running.
    pub(super) resets: u64,
    /// Connections that ended while idle.
    pub(super) hangups: u64,
    /// Requests given up on.
    pub(super) timeouts: u64,
    /// Requests still unanswered when the run ended.
    pub(super) unanswered: u64,
    /// Connections that could not be made.
    pub(super) refused: u64,
}

impl Tally {
    pub(super) fn new(principals: usize) -> Self {
        Self {
            sent: 0,
            allowed: 0,
            denied: 0,
            denied_by: BTreeMap::new(),
            surprises: BTreeMap::new(),
            unexpected: 0,
            lost: Lost::default(),
            reconnects: 0,
            traces: 0,
            unsent: 0,
            principals: vec![(0, 0); principals],
            measured: 0,
            last_reply: None,
            latency: histogram(),
            service: histogram(),
            lag: histogram(),
        }
    }

    pub(super) fn surprise(&mut self, what: &str) {
        self.unexpected += 1;
        let known = self.surprises.len() < SURPRISES_MAX || self.surprises.contains_key(what);
        *self.surprises.entry(if known { what.to_owned() } else { "others".to_owned() }).or_default() += 1;
    }

    /// Takes in another worker's counts.
    pub(super) fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.allowed += other.allowed;
        self.denied += other.denied;
        for (code, count) in &other.denied_by {
            *self.denied_by.entry(*code).or_default() += count;
        }
        for (what, count) in &other.surprises {
            *self.surprises.entry(what.clone()).or_default() += count;
        }
        self.unexpected += other.unexpected;
        self.lost.resets += other.lost.resets;
        self.lost.hangups += other.lost.hangups;
        self.lost.timeouts += other.lost.timeouts;
        self.lost.unanswered += other.lost.unanswered;
        self.lost.refused += other.lost.refused;
        self.reconnects += other.reconnects;
        self.traces += other.traces;
        self.unsent += other.unsent;
        for (ours, theirs) in self.principals.iter_mut().zip(&other.principals) {
            ours.0 += theirs.0;
            ours.1 += theirs.1;
        }
        self.measured += other.measured;
        self.last_reply = self.last_reply.max(other.last_reply);
        for (ours, theirs) in
            [(&mut self.latency, &other.latency), (&mut self.service, &other.service), (&mut self.lag, &other.lag)]
        {
            // The bounds are the same constants, so the values fit.
            let _ = ours.add(theirs);
        }
    }
}

/// Counts one duration.
pub(super) fn record(histogram: &mut Histogram<u64>, duration: Duration) {
    histogram.saturating_record(u64::try_from(duration.as_nanos()).unwrap_or(LATENCY_NS_MAX));
}

#[expect(clippy::expect_used, reason = "the bounds are constants that hdrhistogram accepts")]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(100, LATENCY_NS_MAX, 3).expect("constant bounds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        let mut one = Tally::new(2);
        one.allowed = 3;
        one.principals = vec![(3, 0), (0, 0)];
        record(&mut one.latency, Duration::from_micros(10));
        one.surprise("x");
        let mut two = Tally::new(2);
        two.denied = 2;
        two.denied_by.insert(403, 2);
        two.principals = vec![(0, 0), (0, 2)];
        record(&mut two.latency, Duration::from_secs(3600));
        two.surprise("x");
        one.add(&two);
        assert_eq!((one.allowed, one.denied, one.unexpected), (3, 2, 2));
        assert_eq!(one.surprises.get("x"), Some(&2));
        assert_eq!(one.principals, [(3, 0), (0, 2)]);
        assert_eq!(one.latency.len(), 2);
        assert!(one.latency.max() >= LATENCY_NS_MAX * 99 / 100);
    }

    #[test]
    fn surprises_are_bounded() {
        let mut tally = Tally::new(0);
        for number in 0..1000 {
            tally.surprise(&number.to_string());
        }
        assert_eq!(tally.surprises.len(), SURPRISES_MAX + 1);
        assert_eq!(tally.surprises.values().sum::<u64>(), 1000);
        assert_eq!(tally.unexpected, 1000);
    }
}
