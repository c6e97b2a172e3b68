//! The Elastic Common Schema, 9.4.0 (<https://www.elastic.co/docs/reference/ecs>). What it has no field for stands below
//! `sp`, a name that the schema leaves to us.

use serde_json::{Value, json};
use wire::decision::{EventKind, Verdict};

use super::{PRODUCT, Severity, in_our_words, ip, is_success, operation, sentence, verdict};
use crate::logs::event::AuditEvent;

/// Of the schema.
pub const VERSION: &str = "9.4.0";

/// An event as the Elastic Common Schema has it.
pub fn event(event: &AuditEvent) -> Value {
    let severity = match Severity::of(event) {
        Severity::Informational => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
    };
    let (kind, categories, types) = categories(event);
    let mut out = json!({
        "@timestamp": event.at.to_string(),
        "ecs": { "version": VERSION },
        "message": sentence(event),
        "event": {
            "id": event.id,
            "kind": kind,
            "category": categories,
            "type": types,
            "action": operation(event),
            "code": event.kind,
            "dataset": "sp.audit",
            "module": PRODUCT,
            "provider": PRODUCT,
            "sequence": event.seq,
            "severity": severity,
            "outcome": match is_success(event) { Some(true) => "success", Some(false) => "failure", None => "unknown" },
        },
        "observer": { "vendor": PRODUCT, "product": PRODUCT, "type": "gateway", "version": env!("CARGO_PKG_VERSION"), "name": event.node },
        "sp": in_our_words(event),
    });
    put(&mut out, &["event", "reason"], event.reason.as_deref());
    put(&mut out, &["trace", "id"], event.trace.as_deref());
    put(&mut out, &["transaction", "id"], event.call.as_deref());
    put(&mut out, &["user", "id"], event.user.as_deref());
    put(&mut out, &["user", "name"], event.user.as_deref());
    put(&mut out, &["organization", "id"], event.tenant.as_deref());
    put(&mut out, &["service", "name"], event.server.as_deref());
    put(&mut out, &["rule", "name"], event.rule.as_deref());
    put(&mut out, &["rule", "category"], event.layer.as_deref().filter(|layer| *layer != "none"));
    put(&mut out, &["error", "message"], event.error.as_deref());
    if !event.roles.is_empty() {
        out["user"]["roles"] = json!(event.roles);
    }
    if let Some(generation) = event.generation
        && event.rule.is_some()
    {
        out["rule"]["version"] = json!(generation.to_string());
    }
    if let Some(us) = event.duration_us {
        out["event"]["duration"] = json!(us.saturating_mul(1_000));
    }
    if let Some(code) = event.http_status.filter(|code| *code != 0) {
        out["http"] = json!({ "response": { "status_code": code } });
        if let Some(bytes) = event.reply_bytes {
            out["http"]["response"]["body"] = json!({ "bytes": bytes });
        }
    }
    if let Some(code) = event.rpc_code.filter(|code| *code != 0) {
        out["error"]["code"] = json!(code.to_string());
    }
    if let Some(ip) = ip(event.address.as_deref()) {
        out["source"] = json!({ "ip": ip.to_string(), "address": ip.to_string() });
        out["related"]["ip"] = json!([ip.to_string()]);
    }
    if let Some(user) = &event.user {
        out["related"]["user"] = std::iter::once(user).chain(&event.act_for).map(|user| json!(user)).collect();
    }
    out
}

/// `event.kind`, `event.category` and `event.type`, from the words that the schema allows and in its combinations.
fn categories(event: &AuditEvent) -> (&'static str, Vec<&'static str>, Vec<&'static str>) {
    let decided = match verdict(event) {
        Some(Verdict::Deny) => vec!["access", "denied"],
        Some(Verdict::Allow) => vec!["access", "allowed"],
        Some(Verdict::Ask) | None => vec!["access"],
    };
    match event.event_kind() {
        Some(EventKind::Login) => {
            let ends = matches!(event.action.as_deref(), Some("logout" | "logoff" | "end"));
            ("event", vec!["authentication"], vec![if ends { "end" } else { "start" }])
        }
        Some(EventKind::PolicyChange) => ("event", vec!["configuration"], vec!["change"]),
        Some(EventKind::Revocation) => ("event", vec!["iam"], vec!["change"]),
        Some(EventKind::Process) => match event.action.as_deref() {
            Some("start") => ("event", vec!["process"], vec!["start"]),
            Some("stop") => ("event", vec!["process"], vec!["end"]),
            _ => ("event", vec!["process"], vec!["info"]),
        },
        Some(EventKind::Outcome) => ("event", vec!["api"], vec!["end"]),
        _ => ("event", vec!["api"], decided),
    }
}

fn put(out: &mut Value, path: &[&str], value: Option<&str>) {
    if let Some(value) = value {
        let place = path.iter().fold(out, |at, name| &mut at[*name]);
        *place = json!(value);
    }
}
