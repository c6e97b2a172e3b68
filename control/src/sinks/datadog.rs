//! Datadog's log intake (API v2): a JSON array of logs, our fields as attributes.

use serde_json::{Value, json};

use super::config::HttpConfig;
use super::http::Endpoint;
use super::target::{SendError, Taken};
use crate::logs::event::AuditEvent;
use crate::siem::{PRODUCT, Severity, sentence};

pub(super) struct Datadog {
    endpoint: Endpoint,
    tags: Option<String>,
}

impl Datadog {
    pub(super) fn new(http: &HttpConfig, tags: Option<String>) -> Result<Datadog, SendError> {
        Ok(Datadog { endpoint: Endpoint::new(http)?, tags })
    }

    pub(super) async fn send(&self, events: &[AuditEvent]) -> Result<Taken, SendError> {
        let logs: Vec<Value> = events.iter().map(|event| self.log(event)).collect();
        self.endpoint.post("application/json", json!(logs).to_string()).await?.taken().map(|()| Taken::default())
    }

    fn log(&self, event: &AuditEvent) -> Value {
        let status = match Severity::of(event) {
            Severity::Informational => "info",
            Severity::Low => "notice",
            Severity::Medium => "warn",
            Severity::High => "error",
        };
        let mut log = json!({
            "ddsource": PRODUCT,
            "service": event.server.as_deref().unwrap_or(PRODUCT),
            "hostname": event.node,
            "timestamp": event.at.as_millisecond(),
            "status": status,
            "message": sentence(event),
            "sp": event,
        });
        if let Some(tags) = &self.tags {
            log["ddtags"] = json!(tags);
        }
        log
    }
}
