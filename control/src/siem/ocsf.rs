//! OCSF 1.8.0 (<https://schema.ocsf.io/1.8.0>): calls and commands are API Activity (6003), log-ins Authentication (3002),
//! starts and stops Application Lifecycle (6002). Decisions carry the profile `security_control`: what was allowed or
//! blocked, and by which policy.

use serde_json::{Map, Value, json};
use wire::decision::{AuthMethod, EventKind, Tier, Verdict};

use super::{PRODUCT, Severity, in_our_words, ip, is_success, operation, sentence, verdict};
use crate::logs::event::AuditEvent;

/// Of the schema.
pub const VERSION: &str = "1.8.0";

/// A class of events and what happened in it.
struct Class {
    category: (u32, &'static str),
    class: (u32, &'static str),
    activity: (u32, &'static str),
}

/// An event as OCSF has it.
pub fn event(event: &AuditEvent) -> Value {
    let class = class_of(event);
    let (class_uid, class_name) = class.class;
    let (activity_id, activity_name) = class.activity;
    let severity = match Severity::of(event) {
        Severity::Informational => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
    };
    let mut out = json!({
        "category_uid": class.category.0,
        "category_name": class.category.1,
        "class_uid": class_uid,
        "class_name": class_name,
        "activity_id": activity_id,
        "activity_name": activity_name,
        "type_uid": class_uid * 100 + activity_id,
        "type_name": format!("{class_name}: {activity_name}"),
        "time": event.at.as_millisecond(),
        "severity_id": severity.0,
        "severity": severity.1,
        "message": sentence(event),
        "metadata": metadata(event),
        "unmapped": unmapped(event),
    });
    let status = match is_success(event) {
        Some(true) => Some((1, "Success")),
        Some(false) => Some((2, "Failure")),
        None => None,
    };
    if let Some((id, name)) = status {
        out["status_id"] = json!(id);
        out["status"] = json!(name);
    }
    put(&mut out, "status_code", event.status.as_deref().or(event.reason.as_deref()));
    put(&mut out, "status_detail", event.error.as_deref().or(event.evidence.as_deref()));
    match class_uid {
        3002 => authentication(event, &mut out),
        6002 => out["app"] = product(),
        _ => api_activity(event, &mut out),
    }
    if verdict(event).is_some() {
        security_control(event, &mut out);
    }
    out
}

fn class_of(event: &AuditEvent) -> Class {
    const APPLICATION: (u32, &str) = (6, "Application Activity");
    let api = |activity| Class { category: APPLICATION, class: (6003, "API Activity"), activity };
    match event.event_kind() {
        Some(EventKind::Login) => {
            let ends = matches!(event.action.as_deref(), Some("logout" | "logoff" | "end"));
            let activity = if ends { (2, "Logoff") } else { (1, "Logon") };
            Class { category: (3, "Identity & Access Management"), class: (3002, "Authentication"), activity }
        }
        Some(EventKind::Process) => {
            let activity = match event.action.as_deref() {
                Some("start") => (3, "Start"),
                Some("stop") => (4, "Stop"),
                _ => (99, "Other"),
            };
            Class { category: APPLICATION, class: (6002, "Application Lifecycle"), activity }
        }
        Some(EventKind::PolicyChange) => api((3, "Update")),
        Some(EventKind::Revocation) => api((4, "Delete")),
        _ => api((99, "Other")),
    }
}

fn product() -> Value {
    json!({ "name": PRODUCT, "vendor_name": PRODUCT, "version": env!("CARGO_PKG_VERSION") })
}

fn metadata(event: &AuditEvent) -> Value {
    let mut out = json!({
        "version": VERSION,
        "product": product(),
        "uid": event.id,
        "event_code": event.kind,
        "log_name": "audit",
        "sequence": event.seq,
        "original_time": event.at.to_string(),
    });
    put(&mut out, "correlation_uid", event.trace.as_deref());
    put(&mut out, "tenant_uid", event.tenant.as_deref());
    if verdict(event).is_some() {
        out["profiles"] = json!(["security_control"]);
    }
    out
}

/// Everything, so that nothing depends on what the schema has a word for.
fn unmapped(event: &AuditEvent) -> Value {
    let mapped = ["id", "at", "trace", "seq", "tenant", "address", "http_status"];
    Value::Object(in_our_words(event).into_iter().filter(|(name, _)| !mapped.contains(&name.as_str())).collect())
}

fn api_activity(event: &AuditEvent, out: &mut Value) {
    out["actor"] = actor(event);
    out["src_endpoint"] = match ip(event.address.as_deref()) {
        Some(ip) => json!({ "ip": ip.to_string() }),
        None => json!({ "name": event.address.as_deref().unwrap_or(PRODUCT) }),
    };
    let mut api = json!({ "operation": operation(event), "service": { "name": event.server.as_deref().unwrap_or(PRODUCT) } });
    if let Some(call) = &event.call {
        api["request"] = json!({ "uid": call });
    }
    let mut response = Map::new();
    if let Some(code) = event.rpc_code.filter(|code| *code != 0) {
        response.insert("code".to_owned(), json!(code));
    }
    if let Some(error) = &event.error {
        response.insert("error".to_owned(), json!(error));
    }
    if !response.is_empty() {
        api["response"] = Value::Object(response);
    }
    out["api"] = api;
    if let Some(code) = event.http_status.filter(|code| *code != 0) {
        out["http_response"] = json!({ "code": code });
        if let Some(bytes) = event.reply_bytes {
            out["http_response"]["body_length"] = json!(bytes);
        }
    }
    if let Some(us) = event.duration_us {
        out["duration"] = json!(us / 1_000);
    }
    if let Some(tool) = &event.tool {
        out["resources"] = json!([{ "name": tool, "type": "MCP tool", "namespace": event.server.as_deref().unwrap_or(PRODUCT) }]);
    }
}

fn authentication(event: &AuditEvent, out: &mut Value) {
    out["user"] = user(event);
    out["is_remote"] = json!(true);
    out["service"] = json!({ "name": PRODUCT });
    if let Some(ip) = ip(event.address.as_deref()) {
        out["src_endpoint"] = json!({ "ip": ip.to_string() });
    }
    if let Some(session) = &event.session {
        out["session"] = json!({ "uid": session });
    }
}

fn actor(event: &AuditEvent) -> Value {
    let mut out = json!({ "user": user(event) });
    put(&mut out, "app_name", event.agent.as_deref());
    put(&mut out, "app_uid", event.client.as_deref());
    put(&mut out, "invoked_by", event.act_for.first().map(String::as_str));
    if let Some(session) = &event.session {
        out["session"] = json!({ "uid": session });
    }
    out
}

fn user(event: &AuditEvent) -> Value {
    // An outcome is the gateway's own word on a call; who made it stands in its decision, under the same `api.request`.
    let name =
        event.user.as_deref().unwrap_or(if event.event_kind() == Some(EventKind::Decision) { "anonymous" } else { PRODUCT });
    let kind = match event.tier.as_deref().and_then(Tier::from_word) {
        Some(Tier::User) => (1, "User"),
        Some(Tier::Admin) => (2, "Admin"),
        Some(Tier::Service | Tier::A2a | Tier::Mcp) => (4, "Service"),
        _ if event.user.is_none() && name == PRODUCT => (3, "System"),
        _ => (0, "Unknown"),
    };
    let mut out = json!({ "name": name, "uid": name, "type_id": kind.0, "type": kind.1 });
    if !event.roles.is_empty() {
        out["groups"] = event.roles.iter().map(|role| json!({ "name": role, "type": "role" })).collect();
    }
    if let Some(tenant) = &event.tenant {
        out["org"] = json!({ "uid": tenant });
        put(&mut out["org"], "ou_name", event.department.as_deref());
    }
    if let Some(token) = &event.token_id
        && event.auth_method.as_deref() != Some(AuthMethod::None.as_str())
    {
        out["credential_uid"] = json!(token);
    }
    out
}

fn security_control(event: &AuditEvent, out: &mut Value) {
    let (action, disposition) = match verdict(event) {
        Some(Verdict::Allow) => ((1, "Allowed"), (1, "Allowed")),
        Some(Verdict::Deny) => ((2, "Denied"), (2, "Blocked")),
        Some(Verdict::Ask) | None => ((99, "Ask"), (14, "Delayed")),
    };
    out["action_id"] = json!(action.0);
    out["action"] = json!(action.1);
    out["disposition_id"] = json!(disposition.0);
    out["disposition"] = json!(disposition.1);
    if let Some(rule) = &event.rule {
        let mut policy = json!({ "name": rule, "uid": rule, "is_applied": true });
        put(&mut policy, "version", event.generation.map(|generation| generation.to_string()).as_deref());
        put(&mut policy, "group", None);
        out["policy"] = policy;
    }
}

fn put(out: &mut Value, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        out[name] = json!(value);
    }
}
