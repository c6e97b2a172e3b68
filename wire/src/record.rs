//! What the journal says: one record per decision, per outcome, and per other event. A record is rkyv bytes that
//! name everything in words, so that it can be read without the policy that was in force.
//!
//! INVARIANT: encoding is a function of the fields alone. The chain hash is taken over these bytes, and `verify`
//! encodes them again from Postgres, so two equal records have equal bytes.

use rkyv::api::high::to_bytes_in;
use rkyv::rancor;
use rkyv::util::AlignedVec;
use rkyv::with::InlineAsBox;
use rkyv::{Archive, Serialize};

use crate::decision::EventKind;

/// Who acted, as the verified credential says; empty where the credential says nothing.
#[derive(Archive, Serialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The subject.
    #[rkyv(with = InlineAsBox)]
    pub user: &'a str,
    /// The organisation.
    #[rkyv(with = InlineAsBox)]
    pub tenant: &'a str,
    /// The department within it.
    #[rkyv(with = InlineAsBox)]
    pub department: &'a str,
    /// A [`crate::decision::Tier`] code.
    pub tier: u8,
    /// A [`crate::decision::AuthMethod`] code.
    pub auth_method: u8,
    /// Roles, in the token's order, separated by one space.
    #[rkyv(with = InlineAsBox)]
    pub roles: &'a str,
    /// Scopes, in the token's order, separated by one space.
    #[rkyv(with = InlineAsBox)]
    pub scopes: &'a str,
    /// The token's `jti`.
    #[rkyv(with = InlineAsBox)]
    pub token_id: &'a str,
    /// The OAuth client.
    #[rkyv(with = InlineAsBox)]
    pub client: &'a str,
    /// On whose behalf, outermost actor first, separated by one space (RFC 8693 `act`).
    #[rkyv(with = InlineAsBox)]
    pub act_for: &'a str,
    /// The address the connection came from, without port.
    #[rkyv(with = InlineAsBox)]
    pub address: &'a str,
}

/// In which surroundings the call was made; empty where unknown.
#[derive(Archive, Serialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AgentContext<'a> {
    /// The agent.
    #[rkyv(with = InlineAsBox)]
    pub agent: &'a str,
    /// The log-in session.
    #[rkyv(with = InlineAsBox)]
    pub session: &'a str,
    /// The MCP session, as a digest of 16 hex digits.
    #[rkyv(with = InlineAsBox)]
    pub mcp_session: &'a str,
    /// The conversation.
    #[rkyv(with = InlineAsBox)]
    pub context: &'a str,
    /// The agent-to-agent task.
    #[rkyv(with = InlineAsBox)]
    pub task: &'a str,
}

/// A call was decided. Written before anything is done about it.
#[derive(Archive, Serialize, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision<'a> {
    /// When it was decided, in microseconds since 1970.
    pub at_us: u64,
    /// Links everything of one request.
    pub trace: [u8; 16],
    /// This call.
    pub call: [u8; 16],
    /// Who.
    pub identity: Identity<'a>,
    /// In which surroundings.
    pub agent: AgentContext<'a>,
    /// A [`crate::decision::Channel`] code.
    pub channel: u8,
    /// The MCP server.
    #[rkyv(with = InlineAsBox)]
    pub server: &'a str,
    /// The tool, prompt or resource.
    #[rkyv(with = InlineAsBox)]
    pub tool: &'a str,
    /// The JSON-RPC method, or the hook's event.
    #[rkyv(with = InlineAsBox)]
    pub method: &'a str,
    /// Keyed BLAKE3 of the arguments' bytes; zero where there are none.
    pub args_digest: [u8; 32],
    /// How many bytes the arguments have.
    pub args_bytes: u32,
    /// The beginning of the arguments, where policy allows it and nothing secret was found.
    #[rkyv(with = InlineAsBox)]
    pub args_preview: &'a str,
    /// A [`crate::decision::Verdict`] code.
    pub verdict: u8,
    /// A [`crate::decision::Layer`] code: which layer refused, 0 where all passed.
    pub layer: u8,
    /// A [`crate::decision::Reason`] code.
    pub reason: u8,
    /// The grant that allowed, or the rule that refused.
    #[rkyv(with = InlineAsBox)]
    pub rule: &'a str,
    /// What the rule saw, in words, never the secret: a JSON pointer, a fingerprint, the scopes that are missing.
    #[rkyv(with = InlineAsBox)]
    pub evidence: &'a str,
    /// Rules in observe mode that would have refused, separated by one space.
    #[rkyv(with = InlineAsBox)]
    pub observed: &'a str,
    /// The snapshot's generation.
    pub generation: u64,
    /// When to try again, in milliseconds from `at_us`; 0 where it does not apply.
    pub retry_after_ms: u64,
    /// How long the decision took, in nanoseconds.
    pub decide_ns: u32,
}

/// A forwarded call ended. Written before its reply leaves.
#[derive(Archive, Serialize, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// When it ended, in microseconds since 1970.
    pub at_us: u64,
    /// As in its decision.
    pub trace: [u8; 16],
    /// As in its decision.
    pub call: [u8; 16],
    /// The decision's place in the same stream.
    pub decision_seq: u64,
    /// An [`crate::decision::OutcomeStatus`] code.
    pub status: u8,
    /// The upstream's HTTP status; 0 where there was none.
    pub http_status: u16,
    /// The JSON-RPC error code; 0 where there was none.
    pub rpc_code: i32,
    /// Bytes of the reply's body.
    pub reply_bytes: u64,
    /// From the decision to the end of the reply, in microseconds.
    pub duration_us: u64,
    /// Which upstream answered.
    #[rkyv(with = InlineAsBox)]
    pub upstream: &'a str,
    /// How often the upstream was tried.
    pub attempts: u8,
    /// How many secrets were taken out of the result.
    pub redactions: u32,
    /// What it cost, in millionths of a US dollar.
    pub cost_microusd: u64,
    /// What went wrong, in words; empty where nothing did.
    #[rkyv(with = InlineAsBox)]
    pub error: &'a str,
}

/// Anything else worth knowing: log-ins, jobs, policy changes, revocations, starts and stops.
#[derive(Archive, Serialize, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice<'a> {
    /// When it happened, in microseconds since 1970.
    pub at_us: u64,
    /// Links everything of one request.
    pub trace: [u8; 16],
    /// Who caused it.
    pub identity: Identity<'a>,
    /// A [`crate::decision::Verdict`] code: whether it was carried out.
    pub verdict: u8,
    /// A [`crate::decision::Reason`] code.
    pub reason: u8,
    /// What was done, as a word: `publish`, `revoke`, `start`.
    #[rkyv(with = InlineAsBox)]
    pub action: &'a str,
    /// To what.
    #[rkyv(with = InlineAsBox)]
    pub subject: &'a str,
    /// The policy generation in force afterwards.
    pub generation: u64,
    /// More, as one JSON object; empty where there is no more.
    #[rkyv(with = InlineAsBox)]
    pub detail: &'a str,
}

/// One record, borrowed from whatever it is made of.
#[allow(clippy::large_enum_variant, reason = "it borrows, lives on the stack for one append, and boxing would allocate per call")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record<'a> {
    /// A call was decided.
    Decision(Decision<'a>),
    /// A forwarded call ended.
    Outcome(Outcome<'a>),
    /// Anything else; the kind is neither `Decision` nor `Outcome`.
    Notice(EventKind, Notice<'a>),
}

/// A record's bytes are not one.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The kind is not known to this version.
    #[error("record kind {0} is not known; a newer version wrote it")]
    KindUnknown(u8),
    /// The bytes do not validate.
    #[error("record does not validate")]
    Invalid(#[source] rancor::Error),
    /// The record could not be encoded.
    #[error("record cannot be encoded")]
    Encode(#[source] rancor::Error),
}

impl Record<'_> {
    /// What the record is about.
    pub fn kind(&self) -> EventKind {
        match self {
            Record::Decision(_) => EventKind::Decision,
            Record::Outcome(_) => EventKind::Outcome,
            Record::Notice(kind, _) => *kind,
        }
    }

    /// When it happened, in microseconds since 1970.
    pub fn at_us(&self) -> u64 {
        match self {
            Record::Decision(d) => d.at_us,
            Record::Outcome(o) => o.at_us,
            Record::Notice(_, n) => n.at_us,
        }
    }

    /// Writes the record's bytes into `into`, which is cleared first and given back.
    ///
    /// # Errors
    /// Only when memory runs out; the record is then not written.
    pub fn encode_in(&self, mut into: AlignedVec) -> Result<AlignedVec, RecordError> {
        into.clear();
        match self {
            Record::Decision(record) => to_bytes_in::<_, rancor::Error>(record, into),
            Record::Outcome(record) => to_bytes_in::<_, rancor::Error>(record, into),
            Record::Notice(_, record) => to_bytes_in::<_, rancor::Error>(record, into),
        }
        .map_err(RecordError::Encode)
    }

    /// Reads a record that [`Record::encode_in`] wrote; every byte is validated first.
    ///
    /// # Errors
    /// [`RecordError`] when the kind is unknown or the bytes are not a record: treat what holds them as corrupt.
    pub fn decode(kind: u8, bytes: &[u8]) -> Result<Record<'_>, RecordError> {
        let kind = EventKind::from_code(kind).ok_or(RecordError::KindUnknown(kind))?;
        match kind {
            EventKind::Decision => {
                rkyv::access::<ArchivedDecision<'_>, rancor::Error>(bytes).map(|archived| Record::Decision(archived.into()))
            }
            EventKind::Outcome => {
                rkyv::access::<ArchivedOutcome<'_>, rancor::Error>(bytes).map(|archived| Record::Outcome(archived.into()))
            }
            EventKind::Login
            | EventKind::Command
            | EventKind::Job
            | EventKind::PolicyChange
            | EventKind::Revocation
            | EventKind::Process
            | EventKind::Approval
            | EventKind::Shadow
            | EventKind::Throttle => {
                rkyv::access::<ArchivedNotice<'_>, rancor::Error>(bytes).map(|archived| Record::Notice(kind, archived.into()))
            }
        }
        .map_err(RecordError::Invalid)
    }
}

impl<'a> From<&'a ArchivedIdentity<'_>> for Identity<'a> {
    fn from(a: &'a ArchivedIdentity<'_>) -> Self {
        Identity {
            user: &a.user,
            tenant: &a.tenant,
            department: &a.department,
            tier: a.tier,
            auth_method: a.auth_method,
            roles: &a.roles,
            scopes: &a.scopes,
            token_id: &a.token_id,
            client: &a.client,
            act_for: &a.act_for,
            address: &a.address,
        }
    }
}

impl<'a> From<&'a ArchivedAgentContext<'_>> for AgentContext<'a> {
    fn from(a: &'a ArchivedAgentContext<'_>) -> Self {
        AgentContext { agent: &a.agent, session: &a.session, mcp_session: &a.mcp_session, context: &a.context, task: &a.task }
    }
}

impl<'a> From<&'a ArchivedDecision<'_>> for Decision<'a> {
    fn from(a: &'a ArchivedDecision<'_>) -> Self {
        Decision {
            at_us: a.at_us.to_native(),
            trace: a.trace,
            call: a.call,
            identity: (&a.identity).into(),
            agent: (&a.agent).into(),
            channel: a.channel,
            server: &a.server,
            tool: &a.tool,
            method: &a.method,
            args_digest: a.args_digest,
            args_bytes: a.args_bytes.to_native(),
            args_preview: &a.args_preview,
            verdict: a.verdict,
            layer: a.layer,
            reason: a.reason,
            rule: &a.rule,
            evidence: &a.evidence,
            observed: &a.observed,
            generation: a.generation.to_native(),
            retry_after_ms: a.retry_after_ms.to_native(),
            decide_ns: a.decide_ns.to_native(),
        }
    }
}

impl<'a> From<&'a ArchivedOutcome<'_>> for Outcome<'a> {
    fn from(a: &'a ArchivedOutcome<'_>) -> Self {
        Outcome {
            at_us: a.at_us.to_native(),
            trace: a.trace,
            call: a.call,
            decision_seq: a.decision_seq.to_native(),
            status: a.status,
            http_status: a.http_status.to_native(),
            rpc_code: a.rpc_code.to_native(),
            reply_bytes: a.reply_bytes.to_native(),
            duration_us: a.duration_us.to_native(),
            upstream: &a.upstream,
            attempts: a.attempts,
            redactions: a.redactions.to_native(),
            cost_microusd: a.cost_microusd.to_native(),
            error: &a.error,
        }
    }
}

impl<'a> From<&'a ArchivedNotice<'_>> for Notice<'a> {
    fn from(a: &'a ArchivedNotice<'_>) -> Self {
        Notice {
            at_us: a.at_us.to_native(),
            trace: a.trace,
            identity: (&a.identity).into(),
            verdict: a.verdict,
            reason: a.reason,
            action: &a.action,
            subject: &a.subject,
            generation: a.generation.to_native(),
            detail: &a.detail,
        }
    }
}

#[cfg(test)]
mod tests;
