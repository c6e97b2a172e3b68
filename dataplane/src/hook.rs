//! `POST /api/v1/hooks/govern`: the PreToolUse hook of Claude Code, answered by the same chain as every other call.
//! Always 200: a hook that fails is ignored by its caller, so whatever goes wrong is an answer that says deny.
//! Lives on: one shard.

use std::net::IpAddr;
use std::rc::Rc;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde_json::json;
use wire::decision::{Channel, Reason};
use wire::ids::TraceId;
use wire::jsonrpc::{Nodes, member, text};
use wire::tool_name::split_host;

use crate::call::{Asked, ask};
use crate::chain::Denial;
use crate::http::{Reply, json as json_reply, read_body};
use crate::policy::Policy;
use crate::reply::traced;
use crate::shard::Shard;

/// The server that the host's own tools (`Bash`, `Edit` …) belong to in grants and rows.
pub const HOST_SERVER: &str = "claude-code";

const EVENT: &str = "PreToolUse";

/// Answers one hook.
pub async fn govern(shard: &Rc<Shard>, request: Request<Incoming>, peer: IpAddr) -> Reply {
    let policy = shard.policy();
    let (parts, body) = request.into_parts();
    let address = peer.to_string();
    let arrival = shard.arrival(&parts.headers, &address, shard.now_us());
    let trace = arrival.trace;
    let bytes = match read_body(body).await {
        Ok(bytes) => bytes,
        Err(error) => return answer(Err(&Denial::new(Reason::RequestMalformed).seen(&error.to_string())), trace),
    };
    let mut buffer = bytes.to_vec();
    let mut tape = shard.take_tape();
    let parsed = shard.parser.borrow_mut().json(&mut buffer, &mut tape);
    let question = match parsed {
        Ok(()) => question(&policy, &tape.0),
        Err(error) => Asked::unreadable(&error.to_string()),
    };
    let principal = shard.identify(&policy, crate::http::bearer(&parts.headers), &address, arrival.now_us);
    let answered = ask(shard, &policy, principal, question, Channel::Hook, &arrival, bytes.len()).await;
    shard.give_tape(tape.reset());
    answer(answered.as_ref().map(|_| ()), trace)
}

/// What the hook asks. Tools of MCP servers are called `mcp__server__tool`.
fn question<'t>(policy: &Policy, event: Nodes<'t, 't>) -> Asked<'t> {
    let name = member(event, "hook_event_name").and_then(text).unwrap_or("");
    let tool = member(event, "tool_name").and_then(text).unwrap_or("");
    let arguments = member(event, "tool_input");
    if name != EVENT || tool.is_empty() {
        return Asked { server: HOST_SERVER, method: name, tool, arguments, refused: Some(Denial::new(Reason::EventUnknown)) };
    }
    let governed = split_host(tool, |server| policy.server(server).is_some());
    let (server, tool) = governed.unwrap_or((HOST_SERVER, tool));
    Asked { server, method: "tools/call", tool, arguments, refused: None }
}

fn answer(decided: Result<(), &Denial>, trace: TraceId) -> Reply {
    let (decision, reason) = match decided {
        Ok(()) => ("allow", format!("permitted by policy (trace {trace})")),
        Err(denial) => {
            let rule = if denial.rule.is_empty() { String::new() } else { format!(", rule `{}`", denial.rule) };
            let word = if denial.ask { "ask" } else { "deny" };
            (word, format!("{}: {}{rule} (trace {trace})", denial.reason, denial.reason.explain()))
        }
    };
    let body = json!({
        "hookSpecificOutput": {
            "hookEventName": EVENT,
            "permissionDecision": decision,
            "permissionDecisionReason": reason,
        },
    });
    traced(json_reply(StatusCode::OK, &body), trace)
}
