//! Splunk's HTTP Event Collector, endpoint `services/collector/event`: JSON objects one after the other. Its answer has a
//! code of its own, which tells what is wrong with the data from what is wrong with the token or the index.

use schema::services::sinks::SinkFormat;
use serde_json::{Value, json};

use super::config::{HttpConfig, line};
use super::http::Endpoint;
use super::target::{SendError, Taken};
use crate::logs::event::AuditEvent;

/// Codes that speak of the data: none, wrong format, no or an empty `event`, wrong indexed fields.
/// Source: Splunk Enterprise, "Troubleshoot HTTP Event Collector", possible error codes.
const OF_THE_DATA: [i64; 5] = [5, 6, 12, 13, 15];

pub(super) struct Splunk {
    endpoint: Endpoint,
    index: Option<String>,
    sourcetype: String,
    format: SinkFormat,
}

impl Splunk {
    pub(super) fn new(
        http: &HttpConfig,
        index: Option<String>,
        sourcetype: String,
        format: SinkFormat,
    ) -> Result<Splunk, SendError> {
        Ok(Splunk { endpoint: Endpoint::new(http)?, index, sourcetype, format })
    }

    pub(super) async fn send(&self, events: &[AuditEvent]) -> Result<Taken, SendError> {
        let body: String = events.iter().map(|event| self.event(event).to_string() + "\n").collect();
        let answer = self.endpoint.post("application/json", body).await?;
        match answer.taken() {
            Err(SendError::Refused(why)) if answer.status.as_u16() == 400 => {
                let code = serde_json::from_slice::<Value>(&answer.body).ok().and_then(|body| body["code"].as_i64());
                match code {
                    Some(code) if OF_THE_DATA.contains(&code) => Err(SendError::Refused(why)),
                    _ => Err(SendError::Later { why, after: None, is_blocked: true }),
                }
            }
            other => other.map(|()| Taken::default()),
        }
    }

    fn event(&self, event: &AuditEvent) -> Value {
        let text = line(self.format, event);
        let said = match self.format {
            SinkFormat::Cef => Value::String(text),
            SinkFormat::Json | SinkFormat::Ocsf | SinkFormat::Ecs => serde_json::from_str(&text).unwrap_or(Value::Null),
        };
        let mut out = json!({
            // Seconds with milliseconds, as a text so that no digit is lost.
            "time": format!("{}.{:03}", event.at.as_second(), event.at.subsec_millisecond()),
            "host": event.node,
            "source": "sp",
            "sourcetype": self.sourcetype,
            "event": said,
            "fields": { "event_id": event.id },
        });
        if let Some(index) = &self.index {
            out["index"] = json!(index);
        }
        out
    }
}
