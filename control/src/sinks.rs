//! Pushes the audit trail to other systems: SIEMs, collectors, files (`services/sinks/*.yaml`). Each sink is one task that
//! reads the journal beside the shipper and keeps its own durable watermark, so that a sink that is slow or dead holds up
//! neither decisions nor Postgres nor another sink. At least once: what was not confirmed before a crash or a broken
//! connection is sent again, under the same event ids.
//!
//! A sink holds nothing back in the journal. One that was away for so long that its segments are reclaimed reads what it
//! missed from Postgres, and goes over to the journal when it has caught up.

mod config;
mod datadog;
mod elastic;
mod feed;
mod file;
mod http;
mod otlp;
mod splunk;
mod syslog;
mod target;
mod task;
#[cfg(test)]
mod tests;
mod watermark;
mod webhook;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use wire::ids::NodeId;

use crate::postgres::Database;
use crate::shipper::Source;

pub use config::{SinkConfig, configs};

/// What all sinks share.
#[derive(Debug, Clone)]
pub struct SinksConfig {
    /// Whose data directory.
    pub node: NodeId,
    /// Where watermarks lie.
    pub dir: PathBuf,
    /// What the journal no longer holds.
    pub database: Database,
    /// The streams of the journal.
    pub sources: Arc<Vec<Source>>,
}

/// How a sink stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SinkStatus {
    /// The name of its file.
    pub name: String,
    /// `splunk`, `syslog` …
    pub kind: &'static str,
    /// `starting`, `shipping`, `waiting` (it is tried again) or `blocked` (somebody has to act; it is tried again too).
    pub state: &'static str,
    /// Why it waits.
    pub reason: Option<String>,
    /// Events that were taken, since the sink was declared.
    pub delivered: u64,
    /// Events that were refused for what they are; they lie beside the watermark.
    pub refused: u64,
    /// Events that retention dropped before they could be sent.
    pub lost: u64,
    /// Records behind the journal: what is held back.
    pub behind: u64,
    /// Attempts that failed since the start.
    pub failures: u64,
    /// When events were last taken.
    pub delivered_at: Option<Timestamp>,
}

/// What a sink's task is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Ship,
    /// End as soon as everything that is synced is sent, or as soon as it cannot be.
    Drain,
}

struct Running {
    config: SinkConfig,
    order: watch::Sender<Order>,
    status: watch::Receiver<SinkStatus>,
    task: JoinHandle<()>,
}

/// The running sinks.
pub struct Sinks {
    config: SinksConfig,
    running: Mutex<BTreeMap<String, Running>>,
}

impl Sinks {
    /// None yet.
    pub fn new(config: SinksConfig) -> Sinks {
        Sinks { config, running: Mutex::new(BTreeMap::new()) }
    }

    /// Makes these the sinks that run: starts new ones, ends those that are gone, and starts those anew that are declared
    /// otherwise, from their watermark.
    pub async fn apply(&self, declared: Vec<SinkConfig>) {
        let mut running = self.running.lock().await;
        let gone: Vec<String> =
            running.iter().filter(|(_, sink)| !declared.contains(&sink.config)).map(|(name, _)| name.clone()).collect();
        for name in gone {
            if let Some(sink) = running.remove(&name) {
                sink.task.abort();
                // Two tasks of one sink would write over each other's watermark.
                let _ = sink.task.await;
                tracing::info!(sink = name, "sink ended");
            }
        }
        for config in declared {
            if running.contains_key(&config.name) {
                continue;
            }
            let (order, orders) = watch::channel(Order::Ship);
            let (task, status) = task::Task::new(self.config.clone(), config.clone(), orders);
            tracing::info!(sink = config.name, kind = config.target.kind(), "sink started");
            running.insert(config.name.clone(), Running { config, order, status, task: tokio::spawn(task.run()) });
        }
    }

    /// How each sink stands now.
    pub async fn status(&self) -> Vec<SinkStatus> {
        self.running.lock().await.values().map(|sink| sink.status.borrow().clone()).collect()
    }

    /// The sinks as a part of `/metrics`.
    pub async fn metrics(&self) -> String {
        page(&self.status().await)
    }

    /// Sends what is synced by now, then ends; gives up after `patience`. What was not sent is sent after the next start.
    pub async fn drain(&self, patience: Duration) {
        let mut running = std::mem::take(&mut *self.running.lock().await);
        for sink in running.values() {
            sink.order.send_replace(Order::Drain);
        }
        let all = async {
            for sink in running.values_mut() {
                let _ = (&mut sink.task).await;
            }
        };
        let _ = tokio::time::timeout(patience, all).await;
        running.values().for_each(|sink| sink.task.abort());
        for sink in running.values().map(|sink| sink.status.borrow().clone()).filter(|sink| sink.behind > 0) {
            tracing::warn!(
                sink = sink.name,
                behind = sink.behind,
                "events wait for this sink; they are sent after the next start"
            );
        }
    }
}

/// In Prometheus' text format.
fn page(sinks: &[SinkStatus]) -> String {
    let mut out = String::new();
    if sinks.is_empty() {
        return out;
    }
    type Value = fn(&SinkStatus) -> u64;
    let rows: [(&str, &str, &str, Value); 6] = [
        ("sp_sink_up", "gauge", "Whether a sink takes events.", |sink| u64::from(sink.state == "shipping")),
        ("sp_sink_behind", "gauge", "Records that a sink has not got yet.", |sink| sink.behind),
        ("sp_sink_delivered_total", "counter", "Events that a sink has taken.", |sink| sink.delivered),
        ("sp_sink_refused_total", "counter", "Events that a sink has refused for what they are.", |sink| sink.refused),
        ("sp_sink_lost_total", "counter", "Events that retention dropped before a sink got them.", |sink| sink.lost),
        ("sp_sink_failures_total", "counter", "Attempts to send that failed.", |sink| sink.failures),
    ];
    for (name, kind, help, value) in rows {
        // Writing to a String does not fail.
        let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for sink in sinks {
            let _ = writeln!(out, "{name}{{sink=\"{}\",kind=\"{}\"}} {}", sink.name, sink.kind, value(sink));
        }
    }
    out
}

/// How TLS is spoken to others: by the system's certificates, or those of a file.
pub(crate) fn tls(ca: Option<&std::path::Path>) -> Result<rustls::ClientConfig, String> {
    http::tls(ca).map_err(|error| error.to_string())
}
