//! `POST /api/v1/decide`: would this principal's call be allowed? `{server, tool, arguments}` or `{server, method}` in,
//! the verdict out; without `server`, `tool` is `server__tool`, with or without Claude Code's `mcp__` before it. The question is decided, charged and recorded like the call itself.
//! Lives on: one shard.

use std::net::IpAddr;
use std::rc::Rc;

use http::{HeaderValue, Request, StatusCode, header};
use hyper::body::Incoming;
use serde_json::json;
use wire::decision::{Channel, Layer, Reason};
use wire::jsonrpc::{Nodes, member, members, text};
use wire::tool_name::{split_host, split_prefixed};

use crate::call::{Asked, ask};
use crate::chain::Denial;
use crate::http::{Reply, bearer, json as json_reply, read_body};
use crate::policy::Policy;
use crate::reply::{facts, traced};
use crate::shard::Shard;

/// Answers one question.
pub async fn decide(shard: &Rc<Shard>, request: Request<Incoming>, peer: IpAddr) -> Reply {
    let policy = shard.policy();
    let (parts, body) = request.into_parts();
    let address = peer.to_string();
    let arrival = shard.arrival(&parts.headers, &address, shard.now_us());
    let trace = arrival.trace;
    let bytes = match read_body(body).await {
        Ok(bytes) => bytes,
        Err(error) => return error.reply(),
    };
    let mut buffer = bytes.to_vec();
    let mut tape = shard.take_tape();
    let parsed = shard.parser.borrow_mut().json(&mut buffer, &mut tape);
    let question = match parsed {
        Ok(()) => question(&policy, &tape.0),
        Err(error) => Asked::unreadable(&error.to_string()),
    };
    let principal = shard.identify(&policy, bearer(&parts.headers), &address, arrival.now_us);
    let answered = ask(shard, &policy, principal, question, Channel::Decide, &arrival, bytes.len()).await;
    shard.give_tape(tape.reset());
    match answered {
        Ok(_) => {
            let body = json!({ "decision": "allow", "trace_id": trace.to_string(), "policy_generation": policy.generation() });
            traced(json_reply(StatusCode::OK, &body), trace)
        }
        Err(denial) => {
            let mut body = facts(&denial, trace);
            body["decision"] = if denial.ask { "ask" } else { "deny" }.into();
            body["policy_generation"] = policy.generation().into();
            let status = match (denial.reason.layer(), denial.reason) {
                (Layer::Identity, _) => StatusCode::UNAUTHORIZED,
                (_, Reason::RequestMalformed) => StatusCode::BAD_REQUEST,
                (Layer::System, _) => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::OK,
            };
            let mut reply = json_reply(status, &body);
            if status == StatusCode::UNAUTHORIZED {
                reply.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
            }
            traced(reply, trace)
        }
    }
}

fn question<'t>(policy: &Policy, body: Nodes<'t, 't>) -> Asked<'t> {
    let unknown = members(body).find(|(key, _)| !matches!(*key, "server" | "tool" | "method" | "arguments"));
    if let Some((key, _)) = unknown {
        return Asked::unreadable(&format!("unknown member `{key}`; expected server, tool, method, arguments"));
    }
    let field = |name| member(body, name).and_then(text).unwrap_or("");
    let (server, tool, method) = (field("server"), field("tool"), field("method"));
    let method = if method.is_empty() { "tools/call" } else { method };
    let is_server = |name: &str| policy.server(name).is_some();
    let (server, tool) = match split_host(tool, is_server).or_else(|| split_prefixed(tool, is_server)) {
        Some(prefixed) if server.is_empty() => prefixed,
        _ => (server, tool),
    };
    if server.is_empty() || (method == "tools/call" && tool.is_empty()) {
        return Asked::unreadable("expected `server` and `tool`, `tool` as `server__tool`, or `server` and `method`");
    }
    let refused: Option<Denial> = None;
    Asked { server, method, tool, arguments: member(body, "arguments"), refused }
}
