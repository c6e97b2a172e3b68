//! OTLP logs over HTTP in the JSON encoding (OpenTelemetry protocol 1.x): numbers of 64 bits are texts, trace ids are hex.
//! Source: opentelemetry.io/docs/specs/otlp, "OTLP/HTTP", and opentelemetry-proto, logs/v1/logs.proto.

use serde_json::{Map, Value, json};

use super::config::HttpConfig;
use super::http::Endpoint;
use super::target::{SendError, Taken};
use crate::logs::event::{AuditEvent, COLUMNS, Cell};
use crate::siem::{PRODUCT, Severity, sentence};

pub(super) struct Otlp {
    endpoint: Endpoint,
}

impl Otlp {
    pub(super) fn new(http: &HttpConfig) -> Result<Otlp, SendError> {
        Ok(Otlp { endpoint: Endpoint::new(http)? })
    }

    pub(super) async fn send(&self, events: &[AuditEvent]) -> Result<Taken, SendError> {
        let answer = self.endpoint.post("application/json", request(events).to_string()).await?;
        answer.taken()?;
        // Says how many were refused and not which; the specification forbids to send them again.
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let partial = &body["partialSuccess"];
        let count = match &partial["rejectedLogRecords"] {
            Value::String(text) => text.parse().unwrap_or(0),
            other => other.as_u64().unwrap_or(0),
        };
        let why = partial["errorMessage"].as_str().unwrap_or("no reason given");
        let refused = (0..events.len()).take(count as usize).map(|place| (place, format!("{count} of {}: {why}", events.len())));
        Ok(Taken { again: Vec::new(), refused: refused.collect() })
    }
}

fn request(events: &[AuditEvent]) -> Value {
    let resource = json!({ "attributes": [
        text("service.name", PRODUCT),
        text("service.version", env!("CARGO_PKG_VERSION")),
        text("service.instance.id", events.first().map_or("", |event| &event.node)),
    ] });
    let records: Vec<Value> = events.iter().map(record).collect();
    json!({ "resourceLogs": [{
        "resource": resource,
        "scopeLogs": [{ "scope": { "name": "sp.audit", "version": env!("CARGO_PKG_VERSION") }, "logRecords": records }],
    }] })
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn record(event: &AuditEvent) -> Value {
    let severity = match Severity::of(event) {
        Severity::Informational => (9, "INFO"),
        Severity::Low => (10, "INFO2"),
        Severity::Medium => (13, "WARN"),
        Severity::High => (17, "ERROR"),
    };
    let nanos = event.at.as_nanosecond().to_string();
    let attributes = COLUMNS.iter().zip(event.cells()).filter_map(|((name, _), cell)| {
        let value = match cell {
            Cell::Absent | Cell::Time(_) => return None,
            Cell::Text(text) => json!({ "stringValue": text }),
            Cell::Words(words) => {
                let values: Vec<Value> = words.iter().map(|word| json!({ "stringValue": word })).collect();
                json!({ "arrayValue": { "values": values } })
            }
            Cell::Number(number) => json!({ "intValue": number.to_string() }),
        };
        Some(json!({ "key": format!("sp.{name}"), "value": value }))
    });
    let mut out = Map::new();
    out.insert("timeUnixNano".to_owned(), json!(nanos));
    out.insert("observedTimeUnixNano".to_owned(), json!(nanos));
    out.insert("severityNumber".to_owned(), json!(severity.0));
    out.insert("severityText".to_owned(), json!(severity.1));
    out.insert("eventName".to_owned(), json!(format!("sp.audit.{}", event.kind)));
    out.insert("body".to_owned(), json!({ "stringValue": sentence(event) }));
    out.insert("attributes".to_owned(), attributes.collect());
    if let Some(trace) = &event.trace {
        out.insert("traceId".to_owned(), json!(trace));
    }
    Value::Object(out)
}
