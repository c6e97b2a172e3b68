//! The MCP endpoint of a governed server, `/api/v1/mcp/{server}/mcp`: legacy Streamable HTTP (2025-11-25 and before).
//! What is decided is what the body says; headers that mirror it are passed on and never believed.
//! Lives on: one shard.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use wire::decision::{Channel, OutcomeStatus, Reason};
use wire::ids::ServerIx;
use wire::jsonrpc::{self, Id, Message, MessageError, Nodes};

use crate::approval::{self, Asked, Waited};
use crate::call::{Arrival, Permit, serve};
use crate::chain::secrets::Blanks;
use crate::chain::{Call, Denial};
use crate::http::{PEER_HEADER, Reply, ReplyBody, bearer, empty, json, read_body, reply, text};
use crate::identity::Principal;
use crate::limits::REPLY_BUFFER_BYTES_MAX;
use crate::outcome::{Answer, OutcomeGuard};
use crate::passage::{Passage, Passed};
use crate::reply::{Resource, denied, id_json, traced};
use crate::session;
use crate::shard::{PolicyRef, Shard};
use crate::upstream::relay::{Kind, Relay};
use crate::upstream::{Lease, OutBody, UpstreamError};

const SESSION_HEADER: HeaderName = HeaderName::from_static("mcp-session-id");

/// Request headers an upstream gets. Never the client's credential or cookies.
const FORWARDED: [HeaderName; 11] = [
    header::ACCEPT,
    header::CONTENT_TYPE,
    header::USER_AGENT,
    HeaderName::from_static("mcp-protocol-version"),
    HeaderName::from_static("mcp-method"),
    HeaderName::from_static("mcp-name"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("baggage"),
    header::ACCEPT_LANGUAGE,
];

/// Response headers a client gets.
const RETURNED: [HeaderName; 4] = [
    header::CONTENT_TYPE,
    header::CACHE_CONTROL,
    HeaderName::from_static("x-accel-buffering"),
    HeaderName::from_static("mcp-protocol-version"),
];

/// How far a message got.
enum Step {
    /// To its answer.
    Answered(Reply),
    /// A person must be asked. The message is not at hand while it waits.
    Asked(Box<Asked>),
}

/// What is known of a request before its body is read.
struct Endpoint<'a> {
    shard: &'a Rc<Shard>,
    policy: &'a PolicyRef,
    server: Option<ServerIx>,
    server_name: &'a str,
    principal: Result<Rc<Principal>, Denial>,
    /// The upstream's own session id.
    session: Option<String>,
    mcp_session: String,
    headers: &'a HeaderMap,
    arrival: Arrival<'a>,
}

/// Answers one request to a server's endpoint.
pub async fn endpoint(shard: &Rc<Shard>, server_name: &str, request: Request<Incoming>, peer: IpAddr) -> Reply {
    let policy = shard.policy();
    let (parts, body) = request.into_parts();
    let address = peer.to_string();
    let mut endpoint = Endpoint::new(shard, &policy, server_name, &parts.headers, &address);
    match parts.method {
        Method::POST => {
            if endpoint.principal.is_err() {
                return endpoint.refused_unread().await;
            }
            if !text(&parts.headers, "content-type").is_some_and(is_json) {
                return endpoint.malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, -32600, "Content-Type must be application/json");
            }
            match read_body(body).await {
                Ok(body) => match endpoint.post(&body, None).await {
                    Step::Answered(reply) => reply,
                    Step::Asked(asked) => endpoint.after_asking(*asked, &body).await,
                },
                Err(error) => error.reply(),
            }
        }
        Method::GET => endpoint.bodiless("stream/open", Method::GET).await,
        Method::DELETE => endpoint.bodiless("session/delete", Method::DELETE).await,
        _ => {
            let mut reply = empty(StatusCode::METHOD_NOT_ALLOWED);
            reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST, DELETE"));
            reply
        }
    }
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or("").trim();
    kind.eq_ignore_ascii_case("application/json")
}

impl<'a> Endpoint<'a> {
    fn new(shard: &'a Rc<Shard>, policy: &'a PolicyRef, server_name: &'a str, headers: &'a HeaderMap, address: &'a str) -> Self {
        let now_us = shard.now_us();
        let server = policy.server(server_name).filter(|ix| policy.targets[ix.index()].is_some());
        let principal = shard.identify(policy, bearer(headers), address, now_us).and_then(|principal| {
            let server = server.ok_or(Denial::new(Reason::ServerUnknown))?;
            let audience = &principal.claims.aud;
            let base = policy.snapshot().base_url.as_str();
            match audience.contains(base) || audience.contains(&policy.audiences[server.index()]) {
                true => Ok(principal),
                false => Err(Denial::new(Reason::TokenAudience)),
            }
        });
        let mut endpoint = Endpoint {
            shard,
            policy,
            server,
            server_name: if server.is_some() { server_name } else { "" },
            principal,
            session: None,
            mcp_session: String::new(),
            headers,
            arrival: shard.arrival(headers, address, now_us),
        };
        endpoint.unbind_session();
        endpoint
    }

    /// The client's session id is ours: it names the upstream's and whose it is.
    fn unbind_session(&mut self) {
        let Some(bound) = text(self.headers, "mcp-session-id") else { return };
        let Ok(principal) = &self.principal else { return };
        self.mcp_session = session::digest(bound);
        match session::unbind(&self.shard.keys.sessions, bound, &principal.claims, self.server_name) {
            Some(upstreams) => self.session = Some(upstreams.to_owned()),
            None => self.principal = Err(Denial::new(Reason::SessionForeign)),
        }
    }

    fn call<'c>(&'c self, method: &'c str, arguments: Option<Nodes<'c, 'c>>, beside: &'c [Nodes<'c, 'c>]) -> Call<'c> {
        let server = self.server.unwrap_or(ServerIx(0));
        let channel = self.server.and_then(|ix| Channel::from_code(self.policy.snapshot().servers[ix.index()].channel));
        Call {
            server,
            server_name: self.server_name,
            method,
            name: "",
            is_tool: false,
            channel: channel.unwrap_or(Channel::Mcp),
            arguments,
            beside,
            waited: None,
        }
    }

    fn arrival(&self, bytes: usize) -> Arrival<'_> {
        Arrival { mcp_session: &self.mcp_session, bytes: u32::try_from(bytes).unwrap_or(u32::MAX), ..self.arrival }
    }

    fn deny(&self, denial: &Denial, id: Option<Id<'_>>) -> Reply {
        let scopes = self.server.map_or("", |server| self.policy.scopes_of(server));
        let base_url = self.policy.snapshot().base_url.as_str();
        denied(denial, id, self.arrival.trace, Resource { base_url, server: self.server_name, scopes })
    }

    fn malformed(&self, status: StatusCode, code: i32, message: &str) -> Reply {
        let body = serde_json::json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": message } });
        traced(json(status, &body), self.arrival.trace)
    }

    fn caller(&self) -> Result<&Rc<Principal>, Denial> {
        self.principal.as_ref().map_err(Clone::clone)
    }

    /// A request whose credential or session does not hold: recorded and refused before its body is read.
    async fn refused_unread(&self) -> Reply {
        let call = self.call("", None, &[]);
        match serve(self.shard, self.policy, self.caller(), &call, &self.arrival(0)).await {
            Err(denial) => self.deny(&denial, None),
            Ok(_) => self.deny(&Denial::new(Reason::PolicyUnavailable), None),
        }
    }

    /// Waits for a person, then begins again: with the token, the policy and the limits as they are by then, and with
    /// what the person said.
    async fn after_asking(&self, asked: Asked, body: &Bytes) -> Reply {
        let waited = approval::wait(self.shard, asked).await;
        let policy = self.shard.policy();
        let mut again = Endpoint::new(self.shard, &policy, self.server_name, self.headers, self.arrival.address);
        again.arrival.trace = self.arrival.trace;
        again.arrival.call = self.arrival.call;
        match again.post(body, Some(&waited)).await {
            Step::Answered(reply) => reply,
            Step::Asked(_) => again.deny(&Denial::new(Reason::ApprovalRequired), None),
        }
    }

    async fn post(&self, body: &Bytes, waited: Option<&Waited>) -> Step {
        let mut bytes = body.to_vec();
        let mut tape = self.shard.take_tape();
        let parsed = self.shard.parser.borrow_mut().json(&mut bytes, &mut tape);
        let reply = match parsed.and_then(|()| Message::read(&tape.0)) {
            Ok(message) => self.message(message, &tape.0, body, waited).await,
            Err(error) => Step::Answered(self.not_a_message(error, body.len()).await),
        };
        self.shard.give_tape(tape.reset());
        reply
    }

    async fn not_a_message(&self, error: MessageError, bytes: usize) -> Reply {
        let why = error.to_string();
        let call = self.call("", None, &[]);
        let denial = Denial::new(Reason::RequestMalformed).seen(&why);
        match serve(self.shard, self.policy, Err(denial), &call, &self.arrival(bytes)).await {
            Err(denial) if denial.reason != Reason::RequestMalformed => self.deny(&denial, None),
            _ => self.malformed(StatusCode::BAD_REQUEST, error.rpc_code(), &why),
        }
    }

    async fn message(&self, message: Message<'_, '_>, tape: Nodes<'_, '_>, body: &Bytes, waited: Option<&Waited>) -> Step {
        let (id, method, params) = match message {
            Message::Request { id, method, params } => (Some(id), method, params),
            Message::Notification { method, params } => (None, method, params),
            Message::Response { body, .. } => (None, "response", Some(body)),
        };
        let mut beside = arrayvec::ArrayVec::<Nodes<'_, '_>, 2>::new();
        let (name, arguments) = subject(method, params, &mut beside);
        let call = Call { name, is_tool: method == "tools/call", waited, ..self.call(method, arguments, &beside) };
        let arrival = self.arrival(body.len());
        match (serve(self.shard, self.policy, self.caller(), &call, &arrival).await, &self.principal) {
            // Only a request has somebody who waits for its answer; and who has waited does not wait again.
            (Err(denial), Ok(principal)) if denial.ask && id.is_some() && waited.is_none() => {
                Step::Asked(Box::new(Asked::new(self.shard, self.policy, principal, &call, &arrival, denial)))
            }
            (Err(denial), _) => Step::Answered(self.deny(&denial, id)),
            (Ok(permit), _) => {
                let request = match self.without_secrets(&permit, &call, tape, body) {
                    Ok(request) => request,
                    Err(denial) => return Step::Answered(self.deny(&denial, id)),
                };
                Step::Answered(self.forward(permit, request, id, &call).await)
            }
        }
    }

    /// The request that goes on: what came, but for the secrets that are to be blanked.
    fn without_secrets(
        &self,
        permit: &Permit,
        call: &Call<'_>,
        tape: Nodes<'_, '_>,
        body: &Bytes,
    ) -> Result<Request<OutBody>, Denial> {
        if permit.blanks.iter().all(|blanks| blanks.redactions() == 0) {
            return Ok(self.request(Method::POST, OutBody::Whole(Some(body.clone()))));
        }
        let blanked = Blanks::in_message(tape, body, call.parts().zip(&permit.blanks));
        let blanked = blanked.ok_or_else(|| Denial::new(Reason::SecretFound))?;
        let mut request = self.request(Method::POST, OutBody::Whole(Some(blanked.into())));
        // They repeat arguments, perhaps the very ones that were blanked.
        let repeated: Vec<_> = request.headers().keys().filter(|name| name.as_str().starts_with("mcp-param-")).cloned().collect();
        for name in repeated {
            request.headers_mut().remove(name);
        }
        Ok(request)
    }

    /// GET and DELETE: a session's stream, and its end.
    async fn bodiless(&mut self, method: &str, verb: Method) -> Reply {
        let call = self.call(method, None, &[]);
        match serve(self.shard, self.policy, self.caller(), &call, &self.arrival(0)).await {
            Err(denial) => self.deny(&denial, None),
            Ok(permit) => {
                let request = self.request(verb, OutBody::Whole(None));
                self.forward(permit, request, None, &call).await
            }
        }
    }

    fn request(&self, method: Method, body: OutBody) -> Request<OutBody> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        let headers = request.headers_mut();
        // What is packed cannot be checked.
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for (name, value) in self.headers {
            if FORWARDED.contains(name) || name.as_str().starts_with("mcp-param-") {
                headers.append(name.clone(), value.clone());
            }
        }
        if let Some(session) = self.session.as_deref().and_then(|session| HeaderValue::from_str(session).ok()) {
            headers.insert(SESSION_HEADER, session);
        }
        request
    }

    /// What the answer to a call goes through.
    fn passage(&self, call: &Call<'_>, id: Option<Id<'_>>, is_control: bool) -> Passage {
        let tool = if call.is_tool { call.name } else { "" };
        let lister = self.principal.as_ref().ok().filter(|_| call.method == "tools/list");
        // What the gateway itself answers is its own to give.
        let duties = Some(self.policy.results.of(self.server_name, tool)).filter(|duties| !is_control && !duties.is_idle());
        Passage {
            shard: Rc::clone(self.shard),
            policy: Rc::clone(self.policy),
            server: call.server,
            server_name: self.server_name.to_owned(),
            tool: tool.to_owned(),
            id: id.map(|id| id_json(Some(id))),
            listed: lister.map(|principal| principal.standing(self.policy)),
            duties,
            trace: self.arrival.trace,
        }
    }

    /// Acts on a permit: the only way to an upstream.
    async fn forward(&self, permit: Permit, mut request: Request<OutBody>, id: Option<Id<'_>>, call: &Call<'_>) -> Reply {
        let Some((server, target)) = self.server.and_then(|ix| Some((ix, self.policy.targets[ix.index()].as_ref()?))) else {
            return self.deny(&Denial::new(Reason::ServerUnknown), id);
        };
        *request.uri_mut() = http::Uri::from(target.path.clone());
        for (name, value) in &target.credentials {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        if target.is_control
            && let Ok(principal) = &self.principal
        {
            session::introduce(request.headers_mut(), &principal.claims, self.arrival.trace);
        }
        let time = Duration::from_millis(self.policy.snapshot().servers[server.index()].call_timeout_ms.to_native());
        let upstream = std::sync::Arc::clone(&target.name);
        let passage = Rc::new(self.passage(call, id, target.is_control));
        let (trace, call) = (self.arrival.trace, self.arrival.call);
        let mut guard = OutcomeGuard::new(self.shard, permit.decision, trace, call, upstream, Some(permit.lease));
        let (answer, attempts) = self.shard.upstreams.send(target, request, time).await;
        match answer {
            Err(error) => {
                guard.answered(0, attempts);
                self.unanswered(error, guard).await
            }
            Ok((response, lease)) => {
                guard.answered(response.status().as_u16(), attempts);
                self.answered(response, lease, guard, passage).await
            }
        }
    }

    async fn unanswered(&self, error: UpstreamError, guard: OutcomeGuard) -> Reply {
        let (status, outcome, why) = match error {
            UpstreamError::Unreachable => {
                (StatusCode::BAD_GATEWAY, OutcomeStatus::Unavailable, "the MCP server cannot be reached")
            }
            UpstreamError::Untrusted => {
                (StatusCode::BAD_GATEWAY, OutcomeStatus::Unavailable, "the MCP server could not prove who it is")
            }
            UpstreamError::BrokenOff => (StatusCode::BAD_GATEWAY, OutcomeStatus::Unavailable, "the MCP server broke off"),
            UpstreamError::Timeout => {
                (StatusCode::GATEWAY_TIMEOUT, OutcomeStatus::Timeout, "the MCP server did not answer in time")
            }
        };
        let recorded = guard.record(Answer::failed(outcome, why), 0).await;
        if !recorded {
            return self.deny(&Denial::new(Reason::JournalUnavailable), None);
        }
        self.malformed(status, -32603, why)
    }

    async fn answered(
        &self,
        response: http::Response<Incoming>,
        lease: Lease,
        guard: OutcomeGuard,
        passage: Rc<Passage>,
    ) -> Reply {
        let (parts, body) = response.into_parts();
        let content_type = text(&parts.headers, "content-type").unwrap_or("").to_ascii_lowercase();
        let is_packed = parts.headers.get_all(header::CONTENT_ENCODING).iter().any(|encoding| encoding != "identity");
        let mut reply = if is_packed {
            // It was asked not to be, and nobody can tell what is in it.
            let passed = passage.unreadable("the server packed it although it was asked not to");
            match self.whole(passed, 0, guard).await {
                Ok(body) => http::Response::new(body),
                Err(denial) => return self.deny(&denial, None),
            }
        } else if content_type.starts_with("text/event-stream") && parts.status.is_success() {
            let expects_response = passage.id.is_some();
            let kind = Kind::Events { passage, expects_response };
            http::Response::new(ReplyBody::Relayed(Box::new(Relay::governed(body, lease, kind, guard))))
        } else {
            match self.whole_or_relayed(body, lease, guard, parts.status, &passage, &content_type).await {
                Ok(body) => http::Response::new(body),
                Err(denial) => return self.deny(&denial, None),
            }
        };
        // The gateway's own credential failed there, not the client's.
        let hidden = matches!(parts.status.as_u16(), 401 | 403 | 407);
        *reply.status_mut() = if hidden { StatusCode::BAD_GATEWAY } else { parts.status };
        for (name, value) in &parts.headers {
            if RETURNED.contains(name) && !is_packed {
                reply.headers_mut().append(name.clone(), value.clone());
            }
        }
        if let (Some(upstreams), Ok(principal)) = (text(&parts.headers, "mcp-session-id"), &self.principal) {
            let bound = session::bind(&self.shard.keys.sessions, upstreams, &principal.claims, self.server_name);
            if let Ok(value) = HeaderValue::from_str(&bound) {
                reply.headers_mut().insert(SESSION_HEADER, value);
            }
        }
        traced(reply, self.arrival.trace)
    }

    /// Answers that something is asked of, and small ones, are read whole, so that their outcome is known before any of
    /// them leaves; other large ones stream with their end held back.
    async fn whole_or_relayed(
        &self,
        mut body: Incoming,
        lease: Lease,
        guard: OutcomeGuard,
        status: StatusCode,
        passage: &Passage,
        content_type: &str,
    ) -> Result<ReplyBody, Denial> {
        let bytes_max = passage.bytes_max().unwrap_or(REPLY_BUFFER_BYTES_MAX);
        let mut whole = BytesMut::new();
        loop {
            match body.frame().await {
                None => break,
                Some(Err(_)) => {
                    let passed = Passed::open(Some(Answer::failed(OutcomeStatus::Unavailable, "the MCP server broke off")));
                    return self.whole(passed, whole.len(), guard).await;
                }
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        whole.extend_from_slice(&data);
                    }
                    if whole.len() > bytes_max {
                        if !passage.is_open() {
                            return self.whole(passage.too_large(bytes_max), whole.len(), guard).await;
                        }
                        let relay = Relay::governed(body, lease, Kind::Plain, guard).after(whole.freeze());
                        return Ok(ReplyBody::Relayed(Box::new(relay)));
                    }
                }
            }
        }
        lease.done();
        let bytes = whole.len();
        let otherwise = if status.is_success() { Answer::ok() } else { Answer::failed(OutcomeStatus::HttpError, "") };
        let mut passed = match is_json(content_type) && bytes > 0 {
            true => passage.message(whole.freeze()).await,
            false => passage.plain(whole.freeze()).await,
        };
        passed.answer = Some(passed.answer.unwrap_or(otherwise));
        self.whole(passed, bytes, guard).await
    }

    /// Records how a call ended whose answer was read whole, and gives what leaves of it.
    async fn whole(&self, passed: Passed, bytes: usize, guard: OutcomeGuard) -> Result<ReplyBody, Denial> {
        let unasked =
            || Answer::failed(OutcomeStatus::Refused, passed.denial.as_ref().map_or_else(String::new, ToString::to_string));
        let answer = passed.answer.clone().unwrap_or_else(unasked).with_redactions(passed.redactions);
        let leaves = passed.message.filter(|message| !message.is_empty());
        let bytes = leaves.as_ref().map_or(bytes, Bytes::len);
        if !guard.record(answer, bytes as u64).await {
            return Err(Denial { retry_after_ms: 1000, ..Denial::new(Reason::JournalUnavailable) });
        }
        Ok(ReplyBody::Whole(leaves))
    }
}

/// What a method acts on, its arguments, and what else of the parameters reaches the upstream.
fn subject<'t, 'i>(
    method: &str,
    params: Option<Nodes<'t, 'i>>,
    beside: &mut arrayvec::ArrayVec<Nodes<'t, 'i>, 2>,
) -> (&'i str, Option<Nodes<'t, 'i>>) {
    let Some(params) = params else { return ("", None) };
    let named = match method {
        "tools/call" | "prompts/get" => "name",
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => "uri",
        _ => return ("", Some(params)),
    };
    let name = jsonrpc::member(params, named).and_then(jsonrpc::text).unwrap_or("");
    if named == "uri" {
        return (name, Some(params));
    }
    for (key, value) in jsonrpc::members(params) {
        match key {
            "name" | "arguments" => {}
            "_meta" | "task" if !beside.is_full() => beside.push(value),
            // Whatever else reaches the upstream is looked at together with its key.
            _ => {
                beside.clear();
                beside.push(params);
                break;
            }
        }
    }
    (name, jsonrpc::member(params, "arguments"))
}

/// A page that is only passed on: OAuth, metadata, the console. No call, no record; the control plane governs its own, and
/// is told who is at the other end.
pub async fn pass_on(shard: &Rc<Shard>, request: Request<Incoming>, peer: IpAddr) -> Reply {
    let Some(target) = &shard.control else { return reply(StatusCode::NOT_FOUND, "text/plain", "not found\n") };
    let (parts, body) = request.into_parts();
    let mut out = Request::new(OutBody::Streamed(body));
    *out.method_mut() = parts.method;
    *out.uri_mut() = parts.uri.path_and_query().cloned().map_or_else(|| http::Uri::from_static("/"), http::Uri::from);
    for (name, value) in &parts.headers {
        let hop =
            matches!(name.as_str(), "connection" | "keep-alive" | "transfer-encoding" | "upgrade" | "te" | "trailer" | "host");
        if !hop && !name.as_str().starts_with("sp-") {
            out.headers_mut().append(name.clone(), value.clone());
        }
    }
    if let Ok(peer) = http::HeaderValue::from_str(&peer.to_canonical().to_string()) {
        out.headers_mut().insert(PEER_HEADER, peer);
    }
    let (answer, _) = shard.upstreams.send(target, out, Duration::from_secs(60)).await;
    match answer {
        Err(error) => reply(StatusCode::BAD_GATEWAY, "text/plain", format!("{error}\n")),
        Ok((response, lease)) => {
            let (parts, body) = response.into_parts();
            let mut reply = http::Response::new(ReplyBody::Relayed(Box::new(Relay::plain(body, lease))));
            *reply.status_mut() = parts.status;
            for (name, value) in &parts.headers {
                if !matches!(name.as_str(), "connection" | "transfer-encoding" | "keep-alive") {
                    reply.headers_mut().append(name.clone(), value.clone());
                }
            }
            reply
        }
    }
}
