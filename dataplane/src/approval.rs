//! Calls that wait for a person. An `ask` is recorded, the call then waits for as long as the policy says, and what the
//! person says is recorded before the call learns of it. An approval is for one waiting call and dies with it: with the
//! client that made it, with the time that was declared, with the process.
//! Lives on: one shard. A waiting call holds its message and its task; no charge, no buffer of the shard, no connection
//! to a server. The control plane asks for lists and brings answers through the inbox.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use arrayvec::ArrayString;
use futures_channel::oneshot;
use serde::Serialize;
use serde_json::json;
use wire::decision::{EventKind, Reason, Tier, Verdict};
use wire::ids::{CallId, TraceId};
use wire::jsonrpc::{self, Nodes};
use wire::record::{Identity, Notice, Record};
use wire::token::Claims;

use crate::call::Arrival;
use crate::chain::{Call, Denial, clip};
use crate::http::within;
use crate::identity::Principal;
use crate::limits::{APPROVAL_PREVIEW_BYTES_MAX, WAITING_BYTES_MAX, WAITING_MAX, WAITING_OF_ONE_MAX};
use crate::policy::Policy;
use crate::shard::Shard;

/// A call that waits, as whoever may approve it sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitingCall {
    /// Which call; what an answer names.
    #[serde(rename = "id")]
    pub call: CallId,
    /// Of which request.
    pub trace: TraceId,
    /// Who wants it.
    pub user: String,
    /// Of which organisation.
    pub tenant: String,
    /// Of which department.
    pub department: String,
    /// Through which agent.
    pub agent: String,
    /// On which server.
    pub server: String,
    /// What.
    pub tool: String,
    /// The beginning of its arguments; nothing where the secret layer has found something in them.
    pub arguments: String,
    /// The keyed digest of its arguments, as the audit row has it.
    pub args_digest: String,
    /// Which rule asks.
    pub rule: String,
    /// What the rule saw.
    pub evidence: String,
    /// Since when, in microseconds since 1970.
    pub asked_at_us: u64,
    /// Until when.
    pub expires_at_us: u64,
}

/// What a person says about a waiting call.
#[derive(Debug, Clone)]
pub struct Answering {
    /// Which call.
    pub call: CallId,
    /// Whether it may be made.
    pub approve: bool,
    /// Who says so, as a shard verified.
    pub claims: Claims,
    /// Why, in the person's words.
    pub comment: String,
    /// Of the command that brought the answer.
    pub trace: TraceId,
}

/// Why an answer changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Nobody waits.
    #[error("no call of this id waits: it was answered, its time ran out, its client went away, or the gateway was restarted")]
    NotWaiting,
    /// The answer comes from the one who asks.
    #[error("nobody may approve their own call here; ask somebody else, or set `approvals.self_approval` in services/governance")]
    Own,
    /// The answer does not come from a person.
    #[error("a person must approve, and this token acts as agent or for another; log in yourself")]
    NotAPerson,
    /// The answer could not be recorded.
    #[error("the answer could not be recorded, so nothing was done: {}", .0.explain())]
    Unrecorded(Reason),
}

/// The approval of one call. Only [`wait`] makes it.
#[derive(Debug, Clone)]
pub struct Approved {
    /// The rule that asked.
    rule: ArrayString<64>,
    /// Of which arguments.
    digest: [u8; 32],
    /// The node's key of such digests.
    key: [u8; 32],
    /// For the row: who approved.
    pub(crate) evidence: ArrayString<256>,
}

impl Approved {
    /// Whether this is an approval of what `rule` asks about a call with these arguments.
    pub(crate) fn covers(&self, rule: &str, arguments: Option<Nodes<'_, '_>>) -> bool {
        self.rule.as_str() == clip::<64>(rule).as_str() && self.digest == digest(arguments, &self.key)
    }
}

fn digest(arguments: Option<Nodes<'_, '_>>, key: &[u8; 32]) -> [u8; 32] {
    arguments.map_or([0; 32], |nodes| jsonrpc::digest(nodes, key))
}

/// How a wait ended: the call may be decided again with the approval, or is refused.
pub type Waited = Result<Approved, Denial>;

/// A question to a person, not asked yet.
pub struct Asked {
    facts: WaitingCall,
    principal: Rc<Principal>,
    digest: [u8; 32],
    denial: Denial,
    bytes: usize,
    wait: Duration,
}

impl Asked {
    /// Everything of a call that must be known once its message is no longer at hand.
    pub fn new(
        shard: &Shard,
        policy: &Policy,
        principal: &Rc<Principal>,
        call: &Call<'_>,
        arrival: &Arrival<'_>,
        denial: Denial,
    ) -> Asked {
        let claims = &principal.claims;
        let mut arguments = String::new();
        if denial.holds_secret {
            arguments.push_str("not shown: there is a secret in them");
        } else if let Some(nodes) = call.arguments
            && !jsonrpc::write_bounded(nodes, &mut arguments, APPROVAL_PREVIEW_BYTES_MAX)
        {
            arguments.push('…');
        }
        let digest = digest(call.arguments, &shard.keys.digests);
        let wait_ms = policy.snapshot().approvals.wait_ms.to_native();
        let now_us = shard.now_us();
        let facts = WaitingCall {
            call: arrival.call,
            trace: arrival.trace,
            user: claims.sub.clone(),
            tenant: claims.tenant.clone(),
            department: claims.department.clone(),
            agent: claims.agent.clone(),
            server: call.server_name.to_owned(),
            tool: call.name.to_owned(),
            arguments,
            args_digest: blake3::Hash::from_bytes(digest).to_hex().to_string(),
            rule: denial.rule.to_string(),
            evidence: denial.evidence.to_string(),
            asked_at_us: now_us,
            expires_at_us: now_us.saturating_add(wait_ms.saturating_mul(1000)),
        };
        let bytes = arrival.bytes as usize;
        Asked { facts, principal: Rc::clone(principal), digest, denial, bytes, wait: Duration::from_millis(wait_ms) }
    }

    fn refused(&self, reason: Reason) -> Denial {
        Denial { reason, ask: false, ..self.denial.clone() }
    }
}

/// What ends a wait from outside.
enum Answer {
    Approved(ArrayString<256>),
    Denied(ArrayString<256>),
    Stopping,
}

struct Waiting {
    facts: WaitingCall,
    principal: Rc<Principal>,
    bytes: usize,
    answer: oneshot::Sender<Answer>,
}

/// The calls of one shard that wait.
#[derive(Default)]
pub struct Approvals {
    waiting: RefCell<BTreeMap<[u8; 16], Waiting>>,
    bytes: Cell<usize>,
}

impl Approvals {
    /// Every call that waits, the oldest first.
    pub fn list(&self) -> Vec<WaitingCall> {
        let mut all: Vec<WaitingCall> = self.waiting.borrow().values().map(|waiting| waiting.facts.clone()).collect();
        all.sort_by_key(|waiting| waiting.asked_at_us);
        all
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.borrow().len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    /// Ends every wait: the shard stops.
    pub fn stop(&self) {
        for (_, waiting) in std::mem::take(&mut *self.waiting.borrow_mut()) {
            let _ = waiting.answer.send(Answer::Stopping);
        }
        self.bytes.set(0);
    }

    fn has_room(&self, asked: &Asked) -> bool {
        let waiting = self.waiting.borrow();
        let of_one = waiting.values().filter(|other| is_same_subject(&other.principal.claims, &asked.principal.claims)).count();
        waiting.len() < WAITING_MAX && of_one < WAITING_OF_ONE_MAX && self.bytes.get() + asked.bytes <= WAITING_BYTES_MAX
    }

    fn put(&self, call: CallId, waiting: Waiting) {
        self.bytes.set(self.bytes.get() + waiting.bytes);
        self.waiting.borrow_mut().insert(call.0, waiting);
    }

    fn take(&self, call: CallId) -> Option<Waiting> {
        let waiting = self.waiting.borrow_mut().remove(&call.0)?;
        self.bytes.set(self.bytes.get().saturating_sub(waiting.bytes));
        Some(waiting)
    }
}

/// Waits for a person. The `ask` itself has been recorded before.
///
/// Dropped while it waits (the client went away), it takes the question back and records that.
///
/// # Errors
/// The denial to record and to answer with: refused, nobody answered in time, or there is no room for the question.
pub async fn wait(shard: &Rc<Shard>, asked: Asked) -> Waited {
    if shard.draining.get() {
        return Err(asked.refused(Reason::Draining));
    }
    if !shard.approvals.has_room(&asked) {
        return Err(Denial { retry_after_ms: 1000, ..asked.refused(Reason::Overloaded) }.seen("too many calls wait for a person"));
    }
    let call = asked.facts.call;
    let (sender, receiver) = oneshot::channel();
    let waiting =
        Waiting { facts: asked.facts.clone(), principal: Rc::clone(&asked.principal), bytes: asked.bytes, answer: sender };
    shard.approvals.put(call, waiting);
    let withdrawal = Withdrawal { shard: Rc::clone(shard), call };
    let answer = within(asked.wait, receiver).await;
    shard.approvals.take(call);
    drop(withdrawal);
    match answer {
        Some(Ok(Answer::Approved(evidence))) => {
            Ok(Approved { rule: asked.denial.rule, digest: asked.digest, key: shard.keys.digests, evidence })
        }
        Some(Ok(Answer::Denied(evidence))) => Err(asked.refused(Reason::ApprovalDenied).seen(&evidence)),
        Some(Ok(Answer::Stopping)) => {
            Err(asked.refused(Reason::Draining).seen("the gateway stopped while the call waited for a person"))
        }
        // The answer was dropped, because it could not be recorded.
        Some(Err(_)) => Err(Denial { retry_after_ms: 1000, ..asked.refused(Reason::JournalUnavailable) }),
        None => Err(asked.refused(Reason::ApprovalTimeout)),
    }
}

/// Takes a question back when nobody waits for its answer any more.
struct Withdrawal {
    shard: Rc<Shard>,
    call: CallId,
}

impl Drop for Withdrawal {
    fn drop(&mut self) {
        let Some(waiting) = self.shard.approvals.take(self.call) else { return };
        let shard = Rc::clone(&self.shard);
        self.shard.spawn(async move {
            let facts = &waiting.facts;
            let claims = &waiting.principal.claims;
            let recorded = record(&shard, facts, claims, Verdict::Deny, "withdraw", "the client went away", facts.trace).await;
            if recorded.is_err() {
                tracing::error!(shard = shard.ix, "a withdrawn question could not be recorded");
            }
        });
    }
}

/// Brings an answer to the call that waits for it. Recorded first.
///
/// # Errors
/// [`AnswerError`]: nothing has changed, unless the call could only be refused because the answer could not be recorded.
pub async fn answer(shard: &Rc<Shard>, answering: Answering) -> Result<WaitingCall, AnswerError> {
    let Answering { call, approve, claims, comment, trace } = answering;
    if let Some(waiting) = shard.approvals.waiting.borrow().get(&call.0).filter(|_| approve) {
        may_approve(&claims, &waiting.principal.claims, shard.policy().snapshot().approvals.own)?;
    }
    // From here on nobody else can answer it.
    let waiting = shard.approvals.take(call).ok_or(AnswerError::NotWaiting)?;
    let (verdict, action) = if approve { (Verdict::Allow, "approve") } else { (Verdict::Deny, "deny") };
    if let Err(reason) = record(shard, &waiting.facts, &claims, verdict, action, &comment, trace).await {
        // The waiting call ends with its sender: refused, as nobody said yes.
        return Err(AnswerError::Unrecorded(reason));
    }
    let by = clip::<128>(&claims.sub);
    let said = if approve { format!("approved by `{by}`") } else { format!("refused by `{by}`: {comment}") };
    let said = clip::<256>(said.trim_end_matches(": "));
    let answer = if approve { Answer::Approved(said) } else { Answer::Denied(said) };
    waiting.answer.send(answer).map_err(|_| AnswerError::NotWaiting)?;
    Ok(waiting.facts)
}

fn is_same_subject(a: &Claims, b: &Claims) -> bool {
    a.sub == b.sub && a.tenant == b.tenant
}

/// Whether this credential may approve a call of that one.
fn may_approve(approver: &Claims, caller: &Claims, own: bool) -> Result<(), AnswerError> {
    if !approver.agent.is_empty() || approver.act.is_some() || matches!(approver.tier, Tier::A2a | Tier::Mcp | Tier::Anonymous) {
        return Err(AnswerError::NotAPerson);
    }
    // Of two tenants' users of one name nobody knows here whether they are one person; then they are.
    let acts = |chain: &str, who: &str| chain.split(' ').any(|actor| actor == who);
    let is_own = approver.sub == caller.sub
        || acts(&caller.act_chain(), &approver.sub)
        || (!approver.sid.is_empty() && approver.sid == caller.sid);
    if is_own && !own { Err(AnswerError::Own) } else { Ok(()) }
}

async fn record(
    shard: &Shard,
    facts: &WaitingCall,
    by: &Claims,
    verdict: Verdict,
    action: &str,
    comment: &str,
    command: TraceId,
) -> Result<(), Reason> {
    let detail = json!({
        "server": facts.server, "tool": facts.tool, "user": facts.user, "rule": facts.rule,
        "args_digest": facts.args_digest, "comment": comment, "command": command.to_string(),
    });
    let notice = Notice {
        at_us: shard.now_us(),
        trace: facts.trace.0,
        identity: Identity {
            user: &by.sub,
            tenant: &by.tenant,
            department: &by.department,
            tier: by.tier.code(),
            roles: &by.roles.join(" "),
            token_id: &by.jti,
            client: &by.client_id,
            ..Identity::default()
        },
        verdict: verdict.code(),
        reason: match verdict {
            Verdict::Allow => Reason::Permitted.code(),
            Verdict::Deny | Verdict::Ask => Reason::ApprovalDenied.code(),
        },
        action,
        subject: &facts.call.to_string(),
        generation: shard.policy().generation(),
        detail: &detail.to_string(),
    };
    shard.append(&Record::Notice(EventKind::Approval, notice), &[]).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(sub: &str) -> Claims {
        Claims { sub: sub.to_owned(), tier: Tier::User, ..Principal::anonymous().claims }
    }

    #[test]
    fn people_approve_and_not_for_themselves() {
        let ann = claims("ann");
        let acting = |mut by: Claims, sub: &str| {
            by.act = Some(Box::new(wire::token::Actor { sub: sub.to_owned(), act: None }));
            by
        };
        let session = |sub: &str| Claims { sid: "s".to_owned(), ..claims(sub) };
        let rows = [
            (claims("bob"), ann.clone(), Ok(())),
            (claims("ann"), ann.clone(), Err(AnswerError::Own)),
            (Claims { tenant: "other".into(), ..claims("ann") }, ann.clone(), Err(AnswerError::Own)),
            (session("bob"), session("ann"), Err(AnswerError::Own)),
            // An agent of bob's that acts for ann: bob would approve his own agent.
            (claims("bob"), acting(claims("ann"), "bob"), Err(AnswerError::Own)),
            (acting(claims("bob"), "bot"), ann.clone(), Err(AnswerError::NotAPerson)),
            (Claims { agent: "bot".into(), ..claims("bob") }, ann.clone(), Err(AnswerError::NotAPerson)),
            (Claims { tier: Tier::A2a, ..claims("bob") }, ann.clone(), Err(AnswerError::NotAPerson)),
        ];
        for (approver, caller, expect) in rows {
            assert_eq!(may_approve(&approver, &caller, false), expect, "{approver:?}");
            if expect == Err(AnswerError::Own) {
                assert_eq!(may_approve(&approver, &caller, true), Ok(()));
            }
        }
    }

    #[test]
    fn an_approval_is_for_one_rule_and_one_set_of_arguments() {
        let (one, other) = ([simd_json::Node::String("one")], [simd_json::Node::String("other")]);
        let key = [7; 32];
        let approved = Approved { rule: clip("r"), digest: digest(Some(&one), &key), key, evidence: ArrayString::new() };
        assert!(approved.covers("r", Some(&one)));
        assert!(!approved.covers("r2", Some(&one)));
        assert!(!approved.covers("r", Some(&other)));
        assert!(!approved.covers("r", None));
    }
}
