//! What one shard counts, and the page that Prometheus reads.
//! Lives on: one shard; `/metrics` asks every shard for a copy.

use std::fmt::Write as _;

use wire::decision::{Layer, OutcomeStatus, Verdict};

use crate::inbox::Status;

/// Upper bounds of the latency histograms, in microseconds.
const BUCKETS_US: [u64; 14] = [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 10_000_000];

/// A histogram with fixed buckets.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    buckets: [u64; BUCKETS_US.len()],
    count: u64,
    sum_us: u64,
}

impl Histogram {
    /// Counts one value.
    pub fn record(&mut self, value_us: u64) {
        self.count += 1;
        self.sum_us += value_us;
        if let Some(bucket) = BUCKETS_US.iter().position(|bound| value_us <= *bound) {
            self.buckets[bucket] += 1;
        }
    }

    fn add(&mut self, other: &Histogram) {
        for (mine, theirs) in self.buckets.iter_mut().zip(other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum_us += other.sum_us;
    }
}

/// What one shard has counted since it started.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    /// Connections accepted.
    pub connections_accepted: u64,
    /// Connections open now.
    pub connections_open: u64,
    /// Connections that came from another shard.
    pub connections_adopted: u64,
    /// Connections refused because the shard was full.
    pub connections_refused: u64,
    /// TLS handshakes that came to nothing.
    pub tls_failures: u64,
    /// Requests of any kind.
    pub requests: u64,
    /// Decisions, by verdict code and layer code.
    pub decisions: [[u64; 8]; 4],
    /// Outcomes, by status code.
    pub outcomes: [u64; 16],
    /// Stretches taken out of results.
    pub redactions: u64,
    /// Rate questions asked of other shards.
    pub mesh_charges: u64,
    /// Calls that were refused unread and recorded together.
    pub throttled: u64,
    /// Calls that a candidate on trial has judged too.
    pub shadow_compared: u64,
    /// Those of them that it would have decided otherwise.
    pub shadow_differed: u64,
    /// Calls that it could not judge.
    pub shadow_skipped: u64,
    /// Records appended.
    pub journal_records: u64,
    /// Appends that failed.
    pub journal_failures: u64,
    /// From the request's body to the verdict.
    pub decide: Histogram,
    /// From the verdict to the durable record.
    pub append: Histogram,
    /// From the durable record to the end of the upstream's reply.
    pub upstream: Histogram,
    /// The last record of the shard's stream.
    pub journal_seq: u64,
    /// Rate keys with a cell.
    pub rate_keys: u64,
    /// Principals remembered.
    pub principals: u64,
    /// Calls that wait for a person.
    pub approvals_waiting: u64,
}

impl Counters {
    /// Counts one decision.
    pub fn decision(&mut self, verdict: Verdict, layer: Layer) {
        self.decisions[usize::from(verdict.code()) & 3][usize::from(layer.code()) & 7] += 1;
    }

    /// Counts one outcome.
    pub fn outcome(&mut self, status: OutcomeStatus) {
        self.outcomes[usize::from(status.code()) & 15] += 1;
    }

    /// Takes in another shard's counters.
    pub fn add(&mut self, other: &Counters) {
        let plain = |c: &Counters| {
            [
                c.connections_accepted,
                c.connections_open,
                c.connections_adopted,
                c.connections_refused,
                c.tls_failures,
                c.requests,
                c.mesh_charges,
                c.journal_records,
                c.journal_failures,
                c.rate_keys,
                c.principals,
                c.journal_seq,
            ]
        };
        let [accepted, open, adopted, refused, tls_failures, requests, mesh, records, failures, keys, principals, journal_seq] =
            plain(other);
        self.journal_seq += journal_seq;
        self.approvals_waiting += other.approvals_waiting;
        self.redactions += other.redactions;
        self.throttled += other.throttled;
        self.shadow_compared += other.shadow_compared;
        self.shadow_differed += other.shadow_differed;
        self.shadow_skipped += other.shadow_skipped;
        self.connections_accepted += accepted;
        self.connections_open += open;
        self.connections_adopted += adopted;
        self.connections_refused += refused;
        self.tls_failures += tls_failures;
        self.requests += requests;
        self.mesh_charges += mesh;
        self.journal_records += records;
        self.journal_failures += failures;
        self.rate_keys += keys;
        self.principals += principals;
        for (mine, theirs) in self.decisions.iter_mut().flatten().zip(other.decisions.iter().flatten()) {
            *mine += theirs;
        }
        for (mine, theirs) in self.outcomes.iter_mut().zip(other.outcomes) {
            *mine += theirs;
        }
        self.decide.add(&other.decide);
        self.append.add(&other.append);
        self.upstream.add(&other.upstream);
    }
}

/// The page in Prometheus' text format.
pub fn page(shards: &[Counters], status: Status, generation: u64) -> String {
    let mut all = Counters::default();
    shards.iter().for_each(|shard| all.add(shard));
    let mut out = String::with_capacity(8 << 10);
    let plain: [(&str, &str, &str, u64); 22] = [
        ("sp_connections_accepted_total", "counter", "Connections accepted.", all.connections_accepted),
        ("sp_connections_open", "gauge", "Connections open now.", all.connections_open),
        (
            "sp_connections_adopted_total",
            "counter",
            "Connections that moved to their principal's shard.",
            all.connections_adopted,
        ),
        ("sp_connections_refused_total", "counter", "Connections refused because a shard was full.", all.connections_refused),
        ("sp_tls_failures_total", "counter", "TLS handshakes that came to nothing.", all.tls_failures),
        ("sp_requests_total", "counter", "HTTP requests.", all.requests),
        ("sp_redactions_total", "counter", "Stretches taken out of results.", all.redactions),
        ("sp_mesh_charges_total", "counter", "Rate questions that shards asked each other.", all.mesh_charges),
        ("sp_throttled_total", "counter", "Calls refused unread after too many denials, recorded together.", all.throttled),
        ("sp_shadow_compared_total", "counter", "Calls that a candidate policy has judged too.", all.shadow_compared),
        ("sp_shadow_differed_total", "counter", "Calls that it would have decided otherwise.", all.shadow_differed),
        ("sp_journal_records_total", "counter", "Records appended to the journal.", all.journal_records),
        ("sp_journal_failures_total", "counter", "Records that could not be appended.", all.journal_failures),
        ("sp_rate_keys", "gauge", "Keys the rate limiter keeps.", all.rate_keys),
        ("sp_principals", "gauge", "Verified tokens the shards remember.", all.principals),
        ("sp_approvals_waiting", "gauge", "Calls that wait for a person.", all.approvals_waiting),
        ("sp_shards", "gauge", "Shards.", shards.len() as u64),
        ("sp_policy_generation", "gauge", "Generation of the policy in force.", generation),
        ("sp_database_up", "gauge", "Whether Postgres answers.", u64::from(status.database_up)),
        ("sp_records_behind", "gauge", "Records that are not in Postgres yet.", status.records_behind),
        ("sp_journal_seq", "gauge", "Last record of every stream, added up.", all.journal_seq),
        ("sp_shipped_seq", "gauge", "Last record of every stream that is in Postgres, added up.", status.records_shipped),
    ];
    for (name, kind, help, value) in plain {
        let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    }
    out.push_str("# HELP sp_decisions_total Decisions by verdict and layer.\n# TYPE sp_decisions_total counter\n");
    for verdict in Verdict::ALL {
        for layer in Layer::ALL {
            let count = all.decisions[usize::from(verdict.code())][usize::from(layer.code())];
            if count > 0 {
                let _ = writeln!(out, "sp_decisions_total{{verdict=\"{verdict}\",layer=\"{layer}\"}} {count}");
            }
        }
    }
    out.push_str("# HELP sp_outcomes_total Outcomes of forwarded calls.\n# TYPE sp_outcomes_total counter\n");
    for status in OutcomeStatus::ALL {
        let count = all.outcomes[usize::from(status.code())];
        if count > 0 {
            let _ = writeln!(out, "sp_outcomes_total{{status=\"{status}\"}} {count}");
        }
    }
    for (name, help, histogram) in [
        ("sp_decide_seconds", "Time to decide a call.", &all.decide),
        ("sp_append_seconds", "Time until a decision is durable.", &all.append),
        ("sp_upstream_seconds", "Time an upstream takes.", &all.upstream),
    ] {
        write_histogram(&mut out, name, help, histogram);
    }
    out
}

fn write_histogram(out: &mut String, name: &str, help: &str, histogram: &Histogram) {
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} histogram\n");
    let mut below = 0;
    for (bound_us, count) in BUCKETS_US.iter().zip(histogram.buckets) {
        below += count;
        let _ = writeln!(out, "{name}_bucket{{le=\"{}\"}} {below}", *bound_us as f64 / 1e6);
    }
    let _ = writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {}", histogram.count);
    let _ = writeln!(out, "{name}_sum {}\n{name}_count {}", histogram.sum_us as f64 / 1e6, histogram.count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_adds_up_all_shards() {
        let mut one = Counters { requests: 3, ..Counters::default() };
        one.decision(Verdict::Deny, Layer::Secrets);
        one.decide.record(30);
        let page = page(&[one.clone(), one], Status::default(), 7);
        for line in [
            "sp_requests_total 6",
            "sp_decisions_total{verdict=\"deny\",layer=\"secrets\"} 2",
            "sp_decide_seconds_bucket{le=\"0.00005\"} 2",
            "sp_decide_seconds_bucket{le=\"0.000025\"} 0",
            "sp_decide_seconds_count 2",
            "sp_policy_generation 7",
        ] {
            assert!(page.lines().any(|l| l == line), "{line} is missing in\n{page}");
        }
    }
}
