//! How a denial looks from outside: to an MCP client, as the specifications want it.
//! Lives on: one shard.

use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use wire::decision::{Layer, Reason};
use wire::ids::TraceId;
use wire::jsonrpc::Id;

use crate::chain::Denial;
use crate::http::{Reply, TRACE_HEADER, json as json_reply};

/// First of the gateway's own JSON-RPC error codes: this plus the reason's number, outside -32768..-32000.
pub const RPC_CODE_BASE: i32 = 1000;

/// What a denial says in JSON, everywhere the same.
pub fn facts(denial: &Denial, trace: TraceId) -> serde_json::Value {
    let mut facts = json!({
        "layer": denial.reason.layer().as_str(),
        "reason": denial.reason.as_str(),
        "message": denial.reason.explain(),
        "trace_id": trace.to_string(),
    });
    for (key, text) in [("rule", denial.rule.as_str()), ("evidence", denial.evidence.as_str())] {
        if !text.is_empty() {
            facts[key] = text.into();
        }
    }
    if denial.retry_after_ms > 0 {
        facts["retry_after_ms"] = denial.retry_after_ms.into();
    }
    facts
}

/// A JSON-RPC id as JSON.
pub fn id_json(id: Option<Id<'_>>) -> serde_json::Value {
    match id {
        Some(Id::Number(n)) => n.into(),
        Some(Id::Text(text)) => text.into(),
        None => serde_json::Value::Null,
    }
}

/// The JSON-RPC error code of a reason.
pub fn rpc_code(reason: Reason) -> i32 {
    match reason {
        Reason::ToolUnknown => -32602,
        Reason::MethodUnknown => -32601,
        Reason::RequestMalformed => -32600,
        reason => RPC_CODE_BASE + i32::from(reason.code()),
    }
}

/// The JSON-RPC error that a denial is.
pub fn refusal(denial: &Denial, id: &serde_json::Value, trace: TraceId) -> serde_json::Value {
    let reason = denial.reason;
    let rule = if denial.rule.is_empty() { String::new() } else { format!(" (rule `{}`)", denial.rule) };
    json!({
        "jsonrpc": "2.0",
        "id": id,
        "error": {
            "code": rpc_code(reason),
            "message": format!("{}: {}{rule}", reason.as_str(), reason.explain()),
            "data": facts(denial, trace),
        },
    })
}

/// Of what a caller is told when credentials are short: the server, and what its grants ask for.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// The gateway's public URL.
    pub base_url: &'a str,
    /// The server.
    pub server: &'a str,
    /// Scopes, with spaces between them.
    pub scopes: &'a str,
}

/// The answer to an MCP request that was denied.
pub fn denied(denial: &Denial, id: Option<Id<'_>>, trace: TraceId, resource: Resource<'_>) -> Reply {
    let body = refusal(denial, &id_json(id), trace);
    let mut reply = json_reply(status(denial, id.is_some()), &body);
    if let Some(challenge) = challenge(denial, resource) {
        reply.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    if denial.retry_after_ms > 0 {
        reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(denial.retry_after_ms.div_ceil(1000)));
    }
    traced(reply, trace)
}

/// The reply with its trace named.
pub fn traced(mut reply: Reply, trace: TraceId) -> Reply {
    if let Ok(value) = HeaderValue::from_str(&trace.to_string()) {
        reply.headers_mut().insert(TRACE_HEADER, value);
    }
    reply
}

/// The HTTP status. A request that was understood and refused by content or rate is answered in JSON-RPC, so that
/// clients show it to the model instead of dropping the connection; a notification has no answer but the status.
fn status(denial: &Denial, is_request: bool) -> StatusCode {
    match (denial.reason.layer(), denial.reason) {
        (_, Reason::Banned | Reason::UserDisabled) => StatusCode::FORBIDDEN,
        (_, Reason::SessionForeign) => StatusCode::NOT_FOUND,
        (Layer::Identity, _) => StatusCode::UNAUTHORIZED,
        (_, Reason::ServerUnknown) => StatusCode::NOT_FOUND,
        (_, Reason::RequestMalformed) => StatusCode::BAD_REQUEST,
        (_, Reason::ToolUnknown | Reason::MethodUnknown) if is_request => StatusCode::OK,
        (Layer::Scope, _) => StatusCode::FORBIDDEN,
        (Layer::System, _) => StatusCode::SERVICE_UNAVAILABLE,
        (Layer::Rate, _) if !is_request => StatusCode::TOO_MANY_REQUESTS,
        _ if !is_request => StatusCode::FORBIDDEN,
        _ => StatusCode::OK,
    }
}

/// RFC 6750 section 3, RFC 9728 section 5.1, RFC 9470: what to get, and where.
fn challenge(denial: &Denial, resource: Resource<'_>) -> Option<HeaderValue> {
    let Resource { base_url, server, scopes } = resource;
    let metadata = format!("{base_url}/.well-known/oauth-protected-resource/api/v1/mcp/{server}/mcp");
    let scopes = if scopes.is_empty() { String::new() } else { format!(", scope=\"{scopes}\"") };
    let explain = denial.reason.explain();
    let text = match (denial.reason, denial.reason.layer()) {
        (Reason::Banned | Reason::UserDisabled | Reason::SessionForeign, _) => return None,
        (Reason::TokenMissing, _) => format!("Bearer resource_metadata=\"{metadata}\"{scopes}"),
        (_, Layer::Identity) => {
            format!("Bearer error=\"invalid_token\", error_description=\"{explain}\", resource_metadata=\"{metadata}\"{scopes}")
        }
        (Reason::ScopeMissing, _) => format!(
            "Bearer error=\"insufficient_scope\", scope=\"{}\", error_description=\"{explain}\", resource_metadata=\"{metadata}\"",
            denial.evidence
        ),
        (Reason::NotGranted | Reason::GrantDenies | Reason::ConditionFailed | Reason::ConditionError, _) => {
            format!("Bearer error=\"insufficient_scope\", error_description=\"{explain}\", resource_metadata=\"{metadata}\"")
        }
        _ => return None,
    };
    HeaderValue::from_str(&text).ok()
}
