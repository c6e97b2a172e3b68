//! The words of other systems for our events: OCSF, the Elastic Common Schema, and ArcSight's Common Event Format. An
//! export and a sink say the same of an event.
//!
//! INVARIANT: pure functions of the event; what a schema has no word for is kept under our own name, never dropped.

pub mod cef;
pub mod ecs;
pub mod ocsf;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};
use wire::decision::{EventKind, Layer, Reason, Verdict};

use crate::logs::event::AuditEvent;

/// Our name, as vendor and as product.
pub const PRODUCT: &str = "sp";

/// How much an event matters, on one scale for every format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing to look at.
    Informational,
    /// Something failed.
    Low,
    /// Something was refused.
    Medium,
    /// A secret, an attack, or a credential that does not hold.
    High,
}

impl Severity {
    /// Of an event.
    pub fn of(event: &AuditEvent) -> Severity {
        let layer = event.layer.as_deref().and_then(Layer::from_word);
        match (verdict(event), layer) {
            (Some(Verdict::Deny), Some(Layer::Secrets | Layer::Blocklist | Layer::Identity)) => Severity::High,
            (Some(Verdict::Deny | Verdict::Ask), _) => Severity::Medium,
            (_, _) if event.kind == EventKind::Outcome.as_str() && event.status.as_deref() != Some("ok") => Severity::Low,
            (_, _) => Severity::Informational,
        }
    }
}

fn verdict(event: &AuditEvent) -> Option<Verdict> {
    event.verdict.as_deref().and_then(Verdict::from_word)
}

/// Whether what the event speaks of was done; `None` where that is not the question.
fn is_success(event: &AuditEvent) -> Option<bool> {
    match event.event_kind() {
        Some(EventKind::Outcome) => event.status.as_deref().map(|status| status == "ok"),
        _ => verdict(event).map(|verdict| verdict == Verdict::Allow),
    }
}

/// What was done, as one word: the tool, else the method, else the action of what is no call.
fn operation(event: &AuditEvent) -> &str {
    let words = [&event.tool, &event.method, &event.action];
    words.into_iter().flatten().next().map_or(event.kind.as_str(), String::as_str)
}

/// The event in one sentence.
pub(crate) fn sentence(event: &AuditEvent) -> String {
    let user = event.user.as_deref().unwrap_or("somebody");
    let what = match &event.server {
        Some(server) => format!("{server}/{}", operation(event)),
        None => operation(event).to_owned(),
    };
    let why = event.reason.as_deref().and_then(Reason::from_word).filter(|reason| *reason != Reason::Permitted);
    let why = why.map(|reason| format!(": {}", reason.explain())).unwrap_or_default();
    match (event.event_kind(), verdict(event)) {
        (Some(EventKind::Outcome), _) => format!("a call ended: {}", event.status.as_deref().unwrap_or("unknown")),
        (Some(EventKind::Decision), Some(Verdict::Allow)) => format!("{user} was allowed {what}"),
        (Some(EventKind::Decision), Some(Verdict::Ask)) => format!("{user} needs approval for {what}{why}"),
        (Some(EventKind::Decision), _) => format!("{user} was refused {what}{why}"),
        (_, _) => {
            let subject = event.subject.as_deref().map(|subject| format!(" {subject}")).unwrap_or_default();
            format!("{}: {what}{subject}{why}", event.kind)
        }
    }
}

/// Everything of the event under our own names: what a format has no word for is not lost.
fn in_our_words(event: &AuditEvent) -> Map<String, Value> {
    match serde_json::to_value(event) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    }
}

/// An IP address, where the text is one.
fn ip(text: Option<&str>) -> Option<std::net::IpAddr> {
    text.and_then(|text| text.parse().ok())
}
