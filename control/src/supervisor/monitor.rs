//! Watches a server that somebody else runs: asks it for its tools again and again.

use std::time::SystemTime;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::config::HttpServer;
use super::http_client::discover_http;
use super::pulse::{Gate, Pulse};
use super::state::{Health, Publisher};

/// Keeps the state of one HTTP server true until `stop`.
pub(super) async fn watch(server: HttpServer, publisher: Publisher, stop: CancellationToken) {
    let pulse = Pulse::default();
    loop {
        let found = tokio::select! {
            () = stop.cancelled() => break,
            found = discover_http(&server.url, &server.headers, server.ca.as_deref(), server.timeout) => found,
        };
        let now = Instant::now();
        match found {
            Ok(found) => {
                pulse.answered();
                publisher.update(|state| {
                    found.store(state, SystemTime::now());
                    true
                });
            }
            Err(error) => {
                tracing::warn!(server = server.name, %error, "an MCP server cannot be discovered");
                pulse.failed(error.to_string());
            }
        }
        let next = match pulse.gate(&server.backoff) {
            Gate::Open => now + server.probe_interval,
            Gate::From(at) => at,
            Gate::Broken { reason, retry } => {
                publisher.set_health(Health::Unhealthy(reason));
                retry
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep_until(next) => {}
        }
    }
    publisher.set_health(Health::Stopped);
}
