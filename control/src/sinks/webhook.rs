//! Any HTTP endpoint that takes JSON: one event a line, or one array.

use schema::services::sinks::{SinkFormat, WebhookBody};

use super::config::{HttpConfig, line};
use super::http::Endpoint;
use super::target::{SendError, Taken};
use crate::logs::event::AuditEvent;

pub(super) struct Webhook {
    endpoint: Endpoint,
    body: WebhookBody,
    format: SinkFormat,
}

impl Webhook {
    pub(super) fn new(http: &HttpConfig, body: WebhookBody, format: SinkFormat) -> Result<Webhook, SendError> {
        Ok(Webhook { endpoint: Endpoint::new(http)?, body, format })
    }

    pub(super) async fn send(&self, events: &[AuditEvent]) -> Result<Taken, SendError> {
        let lines: Vec<String> = events.iter().map(|event| line(self.format, event)).collect();
        let (content_type, body) = match (self.body, self.format) {
            (WebhookBody::Array, SinkFormat::Cef) => ("application/json", serde_json::json!(lines).to_string()),
            (WebhookBody::Array, _) => ("application/json", format!("[{}]", lines.join(","))),
            (WebhookBody::Lines, SinkFormat::Cef) => ("text/plain; charset=utf-8", lines.join("\n") + "\n"),
            (WebhookBody::Lines, _) => ("application/x-ndjson", lines.join("\n") + "\n"),
        };
        self.endpoint.post(content_type, body).await?.taken().map(|()| Taken::default())
    }
}
