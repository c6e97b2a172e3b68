//! One event of the audit trail with everything that is known of it, whether it comes from Postgres or straight from the
//! journal: what `audit` tells, what is exported, and what sinks push. Its id is the same wherever it comes from.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schema::audit::{Escaped, Micros};
use schema::queries::logs::Row;
use serde::{Deserialize, Serialize};
use wire::decision::{AuthMethod, Channel, EventKind, Layer, OutcomeStatus, Reason, Tier, Verdict};
use wire::frame::Chain;
use wire::ids::{CallId, NodeId, SeqNo, TraceId};
use wire::record::{AgentContext, Decision, Identity, Notice, Outcome, Record};

/// One value of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Does not apply, or is not known.
    Absent,
    /// A text.
    Text(&'a str),
    /// Words, in order.
    Words(&'a [String]),
    /// A number.
    Number(i64),
    /// A moment.
    Time(Timestamp),
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// Texts, or words separated by one space.
    Text,
    /// Whole numbers.
    Number,
    /// Moments.
    Time,
}

trait Field {
    const KIND: CellKind;
    fn cell(&self) -> Cell<'_>;
    fn is_absent(&self) -> bool {
        self.cell() == Cell::Absent
    }
}

impl Field for String {
    const KIND: CellKind = CellKind::Text;
    fn cell(&self) -> Cell<'_> {
        Cell::Text(self)
    }
}

impl Field for Option<String> {
    const KIND: CellKind = CellKind::Text;
    fn cell(&self) -> Cell<'_> {
        self.as_deref().map_or(Cell::Absent, Cell::Text)
    }
}

impl Field for Vec<String> {
    const KIND: CellKind = CellKind::Text;
    fn cell(&self) -> Cell<'_> {
        if self.is_empty() { Cell::Absent } else { Cell::Words(self) }
    }
}

impl Field for i64 {
    const KIND: CellKind = CellKind::Number;
    fn cell(&self) -> Cell<'_> {
        Cell::Number(*self)
    }
}

impl Field for Option<i64> {
    const KIND: CellKind = CellKind::Number;
    fn cell(&self) -> Cell<'_> {
        self.map_or(Cell::Absent, Cell::Number)
    }
}

impl Field for Timestamp {
    const KIND: CellKind = CellKind::Time;
    fn cell(&self) -> Cell<'_> {
        Cell::Time(*self)
    }
}

/// The event, its columns in order, and their values, from one list.
macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        /// An event of the audit trail.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        pub struct AuditEvent {
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Field::is_absent")] pub $name: $type,)*
        }

        /// Every column: its name and what it holds.
        pub const COLUMNS: &[(&str, CellKind)] = &[$((stringify!($name), <$type as Field>::KIND),)*];

        impl AuditEvent {
            /// The values, in the order of [`COLUMNS`].
            pub fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
                [$(self.$name.cell(),)*].into_iter()
            }
        }
    };
}

fields! {
    /// Node, shard and place in the shard's stream: the same for ever, in every export and every sink.
    id: String,
    /// When it happened.
    at: Timestamp,
    /// What it is about: a [`EventKind`] word.
    kind: String,
    /// Links everything of one request.
    trace: Option<String>,
    /// Links a decision and its outcome.
    call: Option<String>,
    /// The data directory whose shard recorded it.
    node: String,
    /// That shard.
    shard: i64,
    /// Its place in the shard's stream.
    seq: i64,
    /// The chain hash after it, in hex.
    chain: String,
    /// The subject of the credential.
    user: Option<String>,
    /// The organisation.
    tenant: Option<String>,
    /// The department within it.
    department: Option<String>,
    /// A [`Tier`] word.
    tier: Option<String>,
    /// An [`AuthMethod`] word.
    auth_method: Option<String>,
    /// Roles, in the token's order.
    roles: Vec<String>,
    /// Scopes, in the token's order.
    scopes: Vec<String>,
    /// The token's `jti`.
    token_id: Option<String>,
    /// The OAuth client.
    client: Option<String>,
    /// On whose behalf, outermost actor first.
    act_for: Vec<String>,
    /// The address the connection came from.
    address: Option<String>,
    /// The agent.
    agent: Option<String>,
    /// The log-in session.
    session: Option<String>,
    /// The MCP session, as a digest.
    mcp_session: Option<String>,
    /// The conversation.
    context: Option<String>,
    /// The agent-to-agent task.
    task: Option<String>,
    /// A [`Channel`] word.
    channel: Option<String>,
    /// The MCP server.
    server: Option<String>,
    /// The tool, prompt or resource.
    tool: Option<String>,
    /// The JSON-RPC method, or the hook's event.
    method: Option<String>,
    /// Bytes of the arguments.
    args_bytes: Option<i64>,
    /// Keyed digest of the arguments, in hex.
    args_digest: Option<String>,
    /// The beginning of the arguments, secrets taken out.
    args_preview: Option<String>,
    /// A [`Verdict`] word.
    verdict: Option<String>,
    /// Which [`Layer`] refused.
    layer: Option<String>,
    /// A [`Reason`] word.
    reason: Option<String>,
    /// The grant that allowed, or the rule that refused.
    rule: Option<String>,
    /// What the rule saw.
    evidence: Option<String>,
    /// Rules in observe mode that would have refused.
    observed: Vec<String>,
    /// The policy's generation.
    generation: Option<i64>,
    /// When to try again, in milliseconds.
    retry_after_ms: Option<i64>,
    /// How long the decision took, in nanoseconds.
    decide_ns: Option<i64>,
    /// Of an outcome: its decision's place in the same stream.
    decision_seq: Option<i64>,
    /// How the call ended: an [`OutcomeStatus`] word.
    status: Option<String>,
    /// The upstream's HTTP status.
    http_status: Option<i64>,
    /// The JSON-RPC error code.
    rpc_code: Option<i64>,
    /// Bytes of the reply.
    reply_bytes: Option<i64>,
    /// From the decision to the end of the reply, in microseconds.
    duration_us: Option<i64>,
    /// Which upstream answered.
    upstream: Option<String>,
    /// How often the upstream was tried.
    attempts: Option<i64>,
    /// Secrets taken out of the result.
    redactions: Option<i64>,
    /// What it cost, in millionths of a US dollar.
    cost_microusd: Option<i64>,
    /// What went wrong.
    error: Option<String>,
    /// Of anything that is no call: what was done.
    action: Option<String>,
    /// To what.
    subject: Option<String>,
    /// More, as one JSON object.
    detail: Option<String>,
}

/// Names one event for ever: `node-shard-seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId {
    /// The data directory.
    pub node: NodeId,
    /// The shard.
    pub shard: u16,
    /// The place in its stream.
    pub seq: SeqNo,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.node, self.shard, self.seq.0)
    }
}

/// A text is not the id of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not `node-shard-number`")]
pub struct EventIdError;

impl FromStr for EventId {
    type Err = EventIdError;
    fn from_str(text: &str) -> Result<EventId, EventIdError> {
        let mut parts = text.rsplitn(3, '-');
        let seq = parts.next().and_then(|seq| seq.parse().ok()).ok_or(EventIdError)?;
        let shard = parts.next().and_then(|shard| shard.parse().ok()).ok_or(EventIdError)?;
        let node = parts.next().and_then(|node| node.parse().ok()).ok_or(EventIdError)?;
        Ok(EventId { node, shard, seq: SeqNo(seq) })
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// As it stands in Postgres, so that an event reads the same from both.
fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| Escaped::stored(text).into_owned())
}

fn number(number: u64) -> Option<i64> {
    Some(number.cast_signed())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn id<T: fmt::Display>(bytes: [u8; 16], of: fn([u8; 16]) -> T) -> Option<String> {
    (bytes != [0; 16]).then(|| of(bytes).to_string())
}

/// The word of a code; `#code` where it has none, as in Postgres.
macro_rules! word {
    ($vocabulary:ident, $code:expr) => {
        Some($vocabulary::from_code($code).map_or_else(|| format!("#{}", $code), |word| word.as_str().to_owned()))
    };
}

impl AuditEvent {
    /// What the journal holds.
    pub fn of_record(id: EventId, chain: Chain, record: &Record<'_>) -> AuditEvent {
        let at = Timestamp::from_microsecond(Micros(record.at_us()).stored().cast_signed());
        let event = AuditEvent {
            id: id.to_string(),
            at: at.unwrap_or(Timestamp::MAX),
            kind: record.kind().as_str().to_owned(),
            node: id.node.to_string(),
            shard: i64::from(id.shard),
            seq: id.seq.0.cast_signed(),
            chain: hex(&chain.0),
            ..AuditEvent::default()
        };
        match record {
            Record::Decision(decision) => event.with_decision(decision),
            Record::Outcome(outcome) => event.with_outcome(outcome),
            Record::Notice(_, notice) => event.with_notice(notice),
        }
    }

    fn with_identity(self, i: &Identity<'_>) -> AuditEvent {
        AuditEvent {
            user: text(i.user),
            tenant: text(i.tenant),
            department: text(i.department),
            tier: word!(Tier, i.tier),
            auth_method: word!(AuthMethod, i.auth_method),
            roles: words(&Escaped::stored(i.roles)),
            scopes: words(&Escaped::stored(i.scopes)),
            token_id: text(i.token_id),
            client: text(i.client),
            act_for: words(&Escaped::stored(i.act_for)),
            address: text(i.address),
            ..self
        }
    }

    fn with_agent(self, a: &AgentContext<'_>) -> AuditEvent {
        AuditEvent {
            agent: text(a.agent),
            session: text(a.session),
            mcp_session: text(a.mcp_session),
            context: text(a.context),
            task: text(a.task),
            ..self
        }
    }

    fn with_decision(self, d: &Decision<'_>) -> AuditEvent {
        AuditEvent {
            trace: id(d.trace, TraceId),
            call: id(d.call, CallId),
            channel: word!(Channel, d.channel),
            server: text(d.server),
            tool: text(d.tool),
            method: text(d.method),
            args_bytes: Some(i64::from(d.args_bytes)),
            args_digest: (d.args_digest != [0; 32]).then(|| hex(&d.args_digest)),
            args_preview: text(d.args_preview),
            verdict: word!(Verdict, d.verdict),
            layer: word!(Layer, d.layer),
            reason: word!(Reason, d.reason),
            rule: text(d.rule),
            evidence: text(d.evidence),
            observed: words(&Escaped::stored(d.observed)),
            generation: number(d.generation),
            retry_after_ms: number(d.retry_after_ms),
            decide_ns: Some(i64::from(d.decide_ns)),
            ..self.with_identity(&d.identity).with_agent(&d.agent)
        }
    }

    fn with_outcome(self, o: &Outcome<'_>) -> AuditEvent {
        AuditEvent {
            trace: id(o.trace, TraceId),
            call: id(o.call, CallId),
            decision_seq: number(o.decision_seq),
            status: word!(OutcomeStatus, o.status),
            http_status: Some(i64::from(o.http_status)),
            rpc_code: Some(i64::from(o.rpc_code)),
            reply_bytes: number(o.reply_bytes),
            duration_us: number(o.duration_us),
            upstream: text(o.upstream),
            attempts: Some(i64::from(o.attempts)),
            redactions: Some(i64::from(o.redactions)),
            cost_microusd: number(o.cost_microusd),
            error: text(o.error),
            ..self
        }
    }

    fn with_notice(self, n: &Notice<'_>) -> AuditEvent {
        AuditEvent {
            trace: id(n.trace, TraceId),
            verdict: word!(Verdict, n.verdict),
            reason: word!(Reason, n.reason),
            action: text(n.action),
            subject: text(n.subject),
            generation: number(n.generation),
            detail: text(n.detail),
            ..self.with_identity(&n.identity)
        }
    }

    /// What kind of event it is; `None` when a newer version wrote it.
    pub fn event_kind(&self) -> Option<EventKind> {
        EventKind::from_word(&self.kind)
    }
}

impl From<Row> for AuditEvent {
    fn from(row: Row) -> AuditEvent {
        let listed = |found: Option<String>| found.as_deref().map(words).unwrap_or_default();
        let named = |id: Option<uuid::Uuid>| id.map(|id| TraceId(id.into_bytes()).to_string());
        let node = NodeId(row.node.into_bytes());
        AuditEvent {
            id: format!("{node}-{}-{}", row.shard, row.seq),
            at: row.at,
            kind: row.kind,
            trace: named(row.trace),
            call: named(row.call),
            node: node.to_string(),
            shard: i64::from(row.shard),
            seq: row.seq,
            chain: hex(&row.chain),
            user: row.user_id,
            tenant: row.tenant,
            department: row.department,
            tier: row.tier,
            auth_method: row.auth_method,
            roles: listed(row.roles),
            scopes: listed(row.scopes),
            token_id: row.token_id,
            client: row.client,
            act_for: listed(row.act_for),
            address: row.address,
            agent: row.agent,
            session: row.session,
            mcp_session: row.mcp_session,
            context: row.context,
            task: row.task,
            channel: row.channel,
            server: row.server,
            tool: row.tool,
            method: row.method,
            args_bytes: row.args_bytes,
            args_digest: row.args_digest.as_deref().map(hex),
            args_preview: row.args_preview,
            verdict: row.verdict,
            layer: row.layer,
            reason: row.reason,
            rule: row.rule,
            evidence: row.evidence,
            observed: listed(row.observed),
            generation: row.generation,
            retry_after_ms: row.retry_after_ms,
            decide_ns: row.decide_ns,
            decision_seq: row.decision_seq,
            status: row.status,
            http_status: row.http_status.map(i64::from),
            rpc_code: row.rpc_code.map(i64::from),
            reply_bytes: row.reply_bytes,
            duration_us: row.duration_us,
            upstream: row.upstream,
            attempts: row.attempts.map(i64::from),
            redactions: row.redactions,
            cost_microusd: row.cost_microusd,
            error: row.error,
            action: row.action,
            subject: row.subject,
            detail: row.detail,
        }
    }
}
