//! The life of a call, from its body to its permit. Whatever comes in — MCP, hooks, the decision API, operator
//! commands — is decided here and nowhere else.
//! Lives on: one shard.

use std::rc::Rc;
use std::time::Instant;

use arrayvec::ArrayString;
use wire::decision::{Channel, Reason, Verdict};
use wire::ids::{CallId, SeqNo, ServerIx, TraceId};
use wire::jsonrpc::{self, Nodes};
use wire::record::{AgentContext, Decision, Record};

use crate::chain::secrets::{Blanks, Shown};
use crate::chain::{Allowed, Call, Denial, inspect, inspect_in_slices, let_through};
use crate::identity::Principal;
use crate::lease::RateLease;
use crate::policy::Policy;
use crate::shadow::{self, Decided};
use crate::shard::Shard;
use crate::throttle;

/// When, from where and within what a call arrived.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// Microseconds since 1970.
    pub now_us: u64,
    /// For durations.
    pub started: Instant,
    /// Links everything of this request.
    pub trace: TraceId,
    /// This call.
    pub call: CallId,
    /// The client's address.
    pub address: &'a str,
    /// A digest of the MCP session, or nothing.
    pub mcp_session: &'a str,
    /// Bytes of the message.
    pub bytes: u32,
}

/// The permission to act on one call. Its decision is durable. Only [`serve`] makes it.
pub struct Permit {
    /// Where the decision stands in the journal.
    pub decision: SeqNo,
    /// Held until the call has ended.
    pub lease: RateLease,
    /// What must not be forwarded: see [`Allowed::blanks`].
    pub blanks: arrayvec::ArrayVec<Blanks, 3>,
}

/// Decides one call and makes the decision durable. Only what gets a [`Permit`] may be acted upon.
///
/// # Errors
/// The denial to answer with. It has been recorded too, unless the journal itself is the reason.
pub async fn serve(
    shard: &Rc<Shard>,
    policy: &Policy,
    caller: Result<&Rc<Principal>, Denial>,
    call: &Call<'_>,
    arrival: &Arrival<'_>,
) -> Result<Permit, Denial> {
    let principal = match caller {
        Ok(principal) => principal,
        Err(denial) => return Err(refuse(shard, policy, &shard.nobody, call, arrival, denial).await),
    };
    let decided = match decide(shard, policy, principal, call, arrival).await {
        Err(denial) => match let_through(policy, &denial) {
            Some(allowed) => Ok((allowed, RateLease::of_nothing(shard))),
            None => Err(denial),
        },
        decided => decided,
    };
    shadow::compare(shard, principal, call, arrival, Decided::of(decided.as_ref().map(|(allowed, _)| allowed)));
    match decided {
        Err(denial) => Err(refuse(shard, policy, principal, call, arrival, denial).await),
        Ok((allowed, lease)) => {
            // Durable before visible: the allow is on disk before the tool can run.
            let record = decision(shard, policy, principal, call, arrival, Ok(&allowed));
            match shard.append(&Record::Decision(record.as_ref()), &lease.cells()).await {
                Ok(decision) => Ok(Permit { decision, lease, blanks: allowed.blanks }),
                Err(reason) => {
                    lease.refund(arrival.now_us);
                    Err(Denial { retry_after_ms: 1000, ..Denial::new(reason) })
                }
            }
        }
    }
}

/// The chain of [`crate::chain::decide`], with limits of other shards asked where they live.
async fn decide(
    shard: &Rc<Shard>,
    policy: &Policy,
    principal: &Rc<Principal>,
    call: &Call<'_>,
    arrival: &Arrival<'_>,
) -> Result<(Allowed, RateLease), Denial> {
    // Whoever has waited for a person in vain is refused, whatever the chain would say by now.
    if let Some(Err(denial)) = call.waited {
        return Err(denial.clone());
    }
    let standing = principal.standing(policy);
    let cleared = if call.is_large() {
        inspect_in_slices(policy, &shard.scratch, &standing, call, arrival.now_us).await?
    } else {
        // The borrow ends on this line; clippy::await_holding_refcell_ref keeps it so.
        inspect(policy, &mut shard.scratch.borrow_mut(), &standing, call, arrival.now_us)?
    };
    let lease = RateLease::charge(shard, policy, &cleared.charges, arrival.now_us).await;
    let lease = lease.map_err(|denial| cleared.hiding(denial))?;
    let allowed = cleared.admitted(lease.observed(policy));
    Ok((allowed, lease))
}

/// Records a denial, by itself or with others, and gives it back to be answered.
async fn refuse(
    shard: &Rc<Shard>,
    policy: &Policy,
    principal: &Principal,
    call: &Call<'_>,
    arrival: &Arrival<'_>,
    denial: Denial,
) -> Denial {
    let Some(cells) = throttle::count(shard, policy, principal, arrival, &denial).await else { return denial };
    let record = decision(shard, policy, principal, call, arrival, Err(&denial));
    match shard.append(&Record::Decision(record.as_ref()), &cells).await {
        Ok(_) => denial,
        Err(reason) => Denial { retry_after_ms: 1000, ..Denial::new(reason) },
    }
}

/// A decision record and the texts it is made of.
struct DecisionRecord<'a> {
    record: Decision<'a>,
    preview: String,
    evidence: ArrayString<256>,
}

impl DecisionRecord<'_> {
    fn as_ref(&self) -> Decision<'_> {
        Decision { args_preview: &self.preview, evidence: &self.evidence, ..self.record }
    }
}

fn decision<'a>(
    shard: &Shard,
    policy: &Policy,
    principal: &'a Principal,
    call: &'a Call<'_>,
    arrival: &'a Arrival<'_>,
    decided: Result<&'a Allowed, &'a Denial>,
) -> DecisionRecord<'a> {
    let decide_ns = u32::try_from(arrival.started.elapsed().as_nanos()).unwrap_or(u32::MAX);
    let (verdict, reason) = match decided {
        Ok(_) => (Verdict::Allow, Reason::Permitted),
        Err(denial) if denial.ask => (Verdict::Ask, denial.reason),
        Err(denial) => (Verdict::Deny, denial.reason),
    };
    let mut counters = shard.counters.borrow_mut();
    counters.decision(verdict, reason.layer());
    counters.decide.record(u64::from(decide_ns) / 1000);
    drop(counters);

    // What was not scanned, or held a secret, is never shown.
    let showable = decided
        .map_or_else(|denial| reason.layer() > wire::decision::Layer::Secrets && !denial.holds_secret, |allowed| !allowed.hides);
    let showable = showable && !call.only_asks();
    let blanks = decided.ok().and_then(|allowed| allowed.blanks.first()).filter(|blanks| !blanks.is_empty());
    let shown = |who| call.arguments.map(|nodes| (nodes, blanks.map(|blanks| blanks.texts(nodes, who)).unwrap_or_default()));
    let mut preview = String::new();
    let preview_bytes = policy.snapshot().preview_bytes.to_native() as usize;
    if let Some((nodes, texts)) = shown(Shown::InRows).filter(|_| showable && blanks.is_none_or(Blanks::is_complete)) {
        match blanks {
            None => jsonrpc::write_bounded(nodes, &mut preview, preview_bytes),
            Some(_) => jsonrpc::write_bounded(&Blanks::nodes(nodes, &texts), &mut preview, preview_bytes),
        };
    }
    // Of what reaches the tool, not of what came.
    let args_digest = shown(Shown::ToTools).map_or([0; 32], |(nodes, texts)| match blanks {
        None => jsonrpc::digest(nodes, &shard.keys.digests),
        Some(_) => jsonrpc::digest(&Blanks::nodes(nodes, &texts), &shard.keys.digests),
    });
    let claims = &principal.claims;
    let record = Decision {
        at_us: arrival.now_us,
        trace: arrival.trace.0,
        call: arrival.call.0,
        identity: principal.identity(arrival.address),
        agent: AgentContext {
            agent: &claims.agent,
            session: &claims.sid,
            mcp_session: arrival.mcp_session,
            context: "",
            task: "",
        },
        channel: call.channel.code(),
        server: call.server_name,
        tool: clip(call.name),
        method: clip(call.method),
        args_digest,
        args_bytes: arrival.bytes,
        args_preview: "",
        verdict: verdict.code(),
        layer: reason.layer().code(),
        reason: reason.code(),
        rule: decided.map_or_else(|denial| denial.rule.as_str(), |allowed| allowed.rule.as_str()),
        evidence: "",
        observed: decided.map_or("", Allowed::observed),
        generation: policy.generation(),
        retry_after_ms: decided.map_or_else(|denial| denial.retry_after_ms, |_| 0),
        decide_ns,
    };
    DecisionRecord { record, preview, evidence: decided.map_or_else(|denial| denial.evidence, Allowed::evidence) }
}

/// As much of a name as a row keeps; longer ones are refused by the scope check anyway.
fn clip(name: &str) -> &str {
    let mut end = name.len().min(wire::limits::NAME_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// A question whether a call would be allowed, from a hook or the decision API.
pub struct Asked<'a> {
    /// On which server.
    pub server: &'a str,
    /// The method.
    pub method: &'a str,
    /// The tool.
    pub tool: &'a str,
    /// Its arguments.
    pub arguments: Option<Nodes<'a, 'a>>,
    /// Refused before the chain is asked: the question cannot be understood.
    pub refused: Option<Denial>,
}

impl Asked<'_> {
    /// A question that cannot be read.
    pub fn unreadable(why: &str) -> Self {
        let refused = Some(Denial::new(Reason::RequestMalformed).seen(why));
        Asked { server: "", method: "", tool: "", arguments: None, refused }
    }
}

/// Decides and records a call that somebody else will carry out.
///
/// # Errors
/// The denial to answer with.
pub async fn ask(
    shard: &Rc<Shard>,
    policy: &Policy,
    principal: Result<Rc<Principal>, Denial>,
    asked: Asked<'_>,
    channel: Channel,
    arrival: &Arrival<'_>,
    bytes: usize,
) -> Result<Permit, Denial> {
    let server = policy.server(asked.server);
    let caller = principal.and_then(|principal| match asked.refused {
        Some(denial) => Err(denial),
        None if server.is_none() => Err(Denial::new(Reason::ServerUnknown)),
        None if !principal.claims.aud.contains(policy.snapshot().base_url.as_str()) => Err(Denial::new(Reason::TokenAudience)),
        None => Ok(principal),
    });
    let call = Call {
        server: server.unwrap_or(ServerIx(0)),
        server_name: asked.server,
        method: asked.method,
        name: asked.tool,
        is_tool: asked.method == "tools/call",
        channel,
        arguments: asked.arguments,
        beside: &[],
        waited: None,
    };
    let arrival = Arrival { bytes: u32::try_from(bytes).unwrap_or(u32::MAX), ..*arrival };
    serve(shard, policy, caller.as_ref().map_err(Clone::clone), &call, &arrival).await
}
