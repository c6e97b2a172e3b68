//! Elasticsearch's bulk API. The event's id is the document's: an event that comes again is refused as a conflict, which
//! means that it is there.

use schema::services::sinks::SinkFormat;
use serde_json::{Value, json};

use super::config::{HttpConfig, line};
use super::http::Endpoint;
use super::target::{SendError, Taken};
use crate::logs::event::AuditEvent;

pub(super) struct Elastic {
    endpoint: Endpoint,
    index: String,
    format: SinkFormat,
}

impl Elastic {
    pub(super) fn new(http: &HttpConfig, index: String, format: SinkFormat) -> Result<Elastic, SendError> {
        Ok(Elastic { endpoint: Endpoint::new(http)?, index, format })
    }

    pub(super) async fn send(&self, events: &[AuditEvent]) -> Result<Taken, SendError> {
        let mut body = String::new();
        for event in events {
            let action = json!({ "create": { "_index": self.index, "_id": event.id } });
            let document = match self.format {
                SinkFormat::Cef => json!({ "@timestamp": event.at.to_string(), "message": line(self.format, event) }).to_string(),
                SinkFormat::Json | SinkFormat::Ocsf => with_timestamp(event, &line(self.format, event)),
                SinkFormat::Ecs => line(self.format, event),
            };
            body += &format!("{action}\n{document}\n");
        }
        let answer = self.endpoint.post("application/x-ndjson", body).await?;
        answer.taken()?;
        taken(&answer.body, events.len())
    }
}

/// A data stream needs `@timestamp`.
fn with_timestamp(event: &AuditEvent, line: &str) -> String {
    format!("{{\"@timestamp\":\"{}\",{}", event.at, line.strip_prefix('{').unwrap_or(line))
}

/// What the answer says of each event.
fn taken(body: &[u8], count: usize) -> Result<Taken, SendError> {
    let body: Value = serde_json::from_slice(body).map_err(|_| SendError::later("the answer is not that of a bulk request"))?;
    if body["errors"] == json!(false) {
        return Ok(Taken::default());
    }
    let items = body["items"].as_array().filter(|items| items.len() == count);
    let items = items.ok_or_else(|| SendError::later("the answer does not speak of each event"))?;
    let mut taken = Taken::default();
    let mut denied = None;
    for (place, item) in items.iter().enumerate() {
        let item = item.as_object().and_then(|item| item.values().next()).unwrap_or(&Value::Null);
        let why =
            || format!("{}: {}", item["error"]["type"].as_str().unwrap_or("?"), item["error"]["reason"].as_str().unwrap_or("?"));
        match item["status"].as_u64() {
            // A conflict: it is there already.
            Some(200..=299 | 409) => {}
            Some(400 | 413 | 422) => taken.refused.push((place, why())),
            Some(401 | 403 | 404) => denied = Some(why()),
            _ => taken.again.push(place),
        }
    }
    match denied {
        Some(why) => Err(SendError::Later { why, after: None, is_blocked: true }),
        None => Ok(taken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_has_its_answer() {
        let body = json!({ "errors": true, "items": [
            { "create": { "status": 201 } }, { "create": { "status": 409, "error": { "type": "version_conflict_engine_exception" } } },
            { "create": { "status": 429 } }, { "create": { "status": 400, "error": { "type": "mapper", "reason": "no" } } },
        ] });
        let taken = taken(body.to_string().as_bytes(), 4).unwrap();
        assert_eq!(taken, Taken { again: vec![2], refused: vec![(3, "mapper: no".to_owned())] });
        assert!(super::taken(body.to_string().as_bytes(), 5).is_err());
        assert!(super::taken(b"<html>", 1).is_err());
        assert_eq!(super::taken(br#"{"errors":false}"#, 1), Ok(Taken::default()));
        let denied = json!({ "errors": true, "items": [{ "create": { "status": 403, "error": {} } }] });
        assert!(matches!(super::taken(denied.to_string().as_bytes(), 1), Err(SendError::Later { is_blocked: true, .. })));
    }
}
