//! How a journal record becomes a row of `audit_event` and a record again. Nothing is lost on the way: the chain hash
//! is taken over the record's bytes, and they are made again from the row.
//!
//! INVARIANT: `AuditRow::read(row written by AuditRow::put) == row`, and `AuditRow::new(…, record).record() == record`.

mod column;
#[cfg(any(test, fuzzing))]
mod examples;
#[cfg(fuzzing)]
pub mod fuzzing;

pub use column::{Digest, Escaped, Fields, Id, Micros, ReadError, Unsigned, Word};

use bytes::{BufMut, BytesMut};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use wire::decision::{AuthMethod, Channel, EventKind, Layer, OutcomeStatus, Reason, Tier, Verdict};
use wire::frame::Chain;
use wire::ids::SeqNo;
use wire::record::{AgentContext, Decision, Identity, Notice, Outcome, Record};

use column::Column;

/// What a binary COPY begins with: signature, flags, header extension.
/// Source: PostgreSQL manual, COPY, "Binary Format".
pub const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with.
pub const COPY_TRAILER: &[u8] = &[0xff, 0xff];

/// One row of the table: a struct, its columns in the order of COPY, and both directions, from one list.
macro_rules! columns {
    ($life:lifetime; $($name:ident: $type:ty,)*) => {
        /// A row of `audit_event`. Fields that do not apply to the row's kind are absent.
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        #[allow(missing_docs, reason = "the fields are those of wire::record, where each is described")]
        pub struct AuditRow<$life> {
            $(pub $name: $type,)*
        }

        /// The statement that [`AuditRow::put`] writes for.
        pub const COPY_IN: &str = concat!("COPY audit_event (", columns!(@list $($name)*), ") FROM STDIN (FORMAT binary)");

        /// The columns, as a SELECT names them for [`AuditRow::parse`].
        pub const COLUMN_LIST: &str = columns!(@list $($name)*);

        impl<$life> AuditRow<$life> {
            /// The columns, in the order in which they are written and read.
            pub const COLUMNS: &'static [(&'static str, Type)] = &[$((stringify!($name), <$type as Column<$life>>::TYPE),)*];

            /// Appends the row as binary COPY wants it. Cost: no allocation but the buffer's own growth.
            pub fn put(&self, out: &mut BytesMut) {
                out.put_i16(AuditRow::COLUMNS.len() as i16);
                $(self.$name.put(out);)*
            }

            /// Reads a row that was selected with all of [`AuditRow::COLUMNS`], in any order.
            ///
            /// # Errors
            /// A column is missing, has another type, or holds what `put` never writes: the row was altered.
            pub fn read(row: &$life Row) -> Result<AuditRow<$life>, ReadError> {
                Ok(AuditRow { $($name: Column::get(row, stringify!($name))?,)* })
            }

            /// Reads a row that a binary COPY of [`COLUMN_LIST`] gave, without its count of columns. Nothing is copied but
            /// texts with escapes.
            ///
            /// # Errors
            /// As [`AuditRow::read`].
            pub fn parse(fields: &mut Fields<$life>) -> Result<AuditRow<$life>, ReadError> {
                Ok(AuditRow { $($name: Column::parse(fields.next()?, stringify!($name))?,)* })
            }
        }
    };
    (@list $first:ident $($rest:ident)*) => { concat!(stringify!($first), $(", ", stringify!($rest),)*) };
}

columns! {
    'a;
    stream_id: i32,
    seq: i64,
    at: Micros,
    kind: Word<EventKind>,
    chain: Digest,
    trace: Id,
    call: Id,
    user_id: Escaped<'a>,
    tenant: Escaped<'a>,
    department: Escaped<'a>,
    tier: Word<Tier>,
    auth_method: Word<AuthMethod>,
    roles: Escaped<'a>,
    scopes: Escaped<'a>,
    token_id: Escaped<'a>,
    client: Escaped<'a>,
    act_for: Escaped<'a>,
    address: Escaped<'a>,
    agent: Escaped<'a>,
    session: Escaped<'a>,
    mcp_session: Escaped<'a>,
    context: Escaped<'a>,
    task: Escaped<'a>,
    channel: Word<Channel>,
    server: Escaped<'a>,
    tool: Escaped<'a>,
    method: Escaped<'a>,
    args_digest: Digest,
    args_bytes: Unsigned,
    args_preview: Escaped<'a>,
    verdict: Word<Verdict>,
    layer: Word<Layer>,
    reason: Word<Reason>,
    rule: Escaped<'a>,
    evidence: Escaped<'a>,
    observed: Escaped<'a>,
    generation: Unsigned,
    retry_after_ms: Unsigned,
    decide_ns: Unsigned,
    decision_seq: Unsigned,
    status: Word<OutcomeStatus>,
    http_status: Option<i32>,
    rpc_code: Option<i32>,
    reply_bytes: Unsigned,
    duration_us: Unsigned,
    upstream: Escaped<'a>,
    attempts: Option<i16>,
    redactions: Unsigned,
    cost_microusd: Unsigned,
    error: Escaped<'a>,
    action: Escaped<'a>,
    subject: Escaped<'a>,
    detail: Escaped<'a>,
}

impl<'a> AuditRow<'a> {
    /// The row of a record at its place in a stream.
    pub fn new(stream_id: i32, seq: SeqNo, chain: Chain, record: &Record<'a>) -> AuditRow<'a> {
        let place = AuditRow {
            stream_id,
            seq: seq.0.cast_signed(),
            chain: Digest(chain.0),
            at: Micros(record.at_us()),
            kind: Word::of(record.kind().code()),
            ..AuditRow::default()
        };
        match record {
            Record::Decision(decision) => place.with_decision(decision),
            Record::Outcome(outcome) => place.with_outcome(outcome),
            Record::Notice(_, notice) => place.with_notice(notice),
        }
    }

    fn with_decision(self, d: &Decision<'a>) -> AuditRow<'a> {
        AuditRow {
            trace: Id(d.trace),
            call: Id(d.call),
            agent: d.agent.agent.into(),
            session: d.agent.session.into(),
            mcp_session: d.agent.mcp_session.into(),
            context: d.agent.context.into(),
            task: d.agent.task.into(),
            channel: Word::of(d.channel),
            server: d.server.into(),
            tool: d.tool.into(),
            method: d.method.into(),
            args_digest: Digest(d.args_digest),
            args_bytes: Unsigned::of(d.args_bytes),
            args_preview: d.args_preview.into(),
            verdict: Word::of(d.verdict),
            layer: Word::of(d.layer),
            reason: Word::of(d.reason),
            rule: d.rule.into(),
            evidence: d.evidence.into(),
            observed: d.observed.into(),
            generation: Unsigned::of(d.generation),
            retry_after_ms: Unsigned::of(d.retry_after_ms),
            decide_ns: Unsigned::of(d.decide_ns),
            ..self.with_identity(&d.identity)
        }
    }

    fn with_identity(self, i: &Identity<'a>) -> AuditRow<'a> {
        AuditRow {
            user_id: i.user.into(),
            tenant: i.tenant.into(),
            department: i.department.into(),
            tier: Word::of(i.tier),
            auth_method: Word::of(i.auth_method),
            roles: i.roles.into(),
            scopes: i.scopes.into(),
            token_id: i.token_id.into(),
            client: i.client.into(),
            act_for: i.act_for.into(),
            address: i.address.into(),
            ..self
        }
    }

    fn with_outcome(self, o: &Outcome<'a>) -> AuditRow<'a> {
        AuditRow {
            trace: Id(o.trace),
            call: Id(o.call),
            decision_seq: Unsigned::of(o.decision_seq),
            status: Word::of(o.status),
            http_status: Some(i32::from(o.http_status)),
            rpc_code: Some(o.rpc_code),
            reply_bytes: Unsigned::of(o.reply_bytes),
            duration_us: Unsigned::of(o.duration_us),
            upstream: o.upstream.into(),
            attempts: Some(i16::from(o.attempts)),
            redactions: Unsigned::of(o.redactions),
            cost_microusd: Unsigned::of(o.cost_microusd),
            error: o.error.into(),
            ..self
        }
    }

    fn with_notice(self, n: &Notice<'a>) -> AuditRow<'a> {
        AuditRow {
            trace: Id(n.trace),
            verdict: Word::of(n.verdict),
            reason: Word::of(n.reason),
            action: n.action.into(),
            subject: n.subject.into(),
            generation: Unsigned::of(n.generation),
            detail: n.detail.into(),
            ..self.with_identity(&n.identity)
        }
    }

    /// The record that this row was made of; its bytes are those that were hashed.
    ///
    /// # Errors
    /// The row's kind is not one that this version knows.
    pub fn record(&self) -> Result<Record<'_>, ReadError> {
        let kind = self.kind.code().and_then(EventKind::from_code).ok_or(ReadError::Kind)?;
        Ok(match kind {
            EventKind::Decision => Record::Decision(self.decision()),
            EventKind::Outcome => Record::Outcome(self.outcome()),
            EventKind::Login
            | EventKind::Command
            | EventKind::Job
            | EventKind::PolicyChange
            | EventKind::Revocation
            | EventKind::Process
            | EventKind::Approval
            | EventKind::Shadow
            | EventKind::Throttle => Record::Notice(kind, self.notice()),
        })
    }

    /// Whether the row is the one of `record` and nothing else: columns that do not belong to the record's kind are empty.
    pub fn is_of(&self, record: &Record<'_>) -> bool {
        *self == AuditRow::new(self.stream_id, self.seq(), self.chain(), record)
    }

    /// The chain hash that the row carries.
    pub fn chain(&self) -> Chain {
        Chain(self.chain.0)
    }

    /// The row's place in its stream.
    pub fn seq(&self) -> SeqNo {
        SeqNo(self.seq.cast_unsigned())
    }

    fn identity(&self) -> Identity<'_> {
        Identity {
            user: self.user_id.as_str(),
            tenant: self.tenant.as_str(),
            department: self.department.as_str(),
            tier: self.tier.code_or_zero(),
            auth_method: self.auth_method.code_or_zero(),
            roles: self.roles.as_str(),
            scopes: self.scopes.as_str(),
            token_id: self.token_id.as_str(),
            client: self.client.as_str(),
            act_for: self.act_for.as_str(),
            address: self.address.as_str(),
        }
    }

    fn decision(&self) -> Decision<'_> {
        Decision {
            at_us: self.at.0,
            trace: self.trace.0,
            call: self.call.0,
            identity: self.identity(),
            agent: AgentContext {
                agent: self.agent.as_str(),
                session: self.session.as_str(),
                mcp_session: self.mcp_session.as_str(),
                context: self.context.as_str(),
                task: self.task.as_str(),
            },
            channel: self.channel.code_or_zero(),
            server: self.server.as_str(),
            tool: self.tool.as_str(),
            method: self.method.as_str(),
            args_digest: self.args_digest.0,
            args_bytes: self.args_bytes.get() as u32,
            args_preview: self.args_preview.as_str(),
            verdict: self.verdict.code_or_zero(),
            layer: self.layer.code_or_zero(),
            reason: self.reason.code_or_zero(),
            rule: self.rule.as_str(),
            evidence: self.evidence.as_str(),
            observed: self.observed.as_str(),
            generation: self.generation.get(),
            retry_after_ms: self.retry_after_ms.get(),
            decide_ns: self.decide_ns.get() as u32,
        }
    }

    fn outcome(&self) -> Outcome<'_> {
        Outcome {
            at_us: self.at.0,
            trace: self.trace.0,
            call: self.call.0,
            decision_seq: self.decision_seq.get(),
            status: self.status.code_or_zero(),
            http_status: self.http_status.unwrap_or(0) as u16,
            rpc_code: self.rpc_code.unwrap_or(0),
            reply_bytes: self.reply_bytes.get(),
            duration_us: self.duration_us.get(),
            upstream: self.upstream.as_str(),
            attempts: self.attempts.unwrap_or(0) as u8,
            redactions: self.redactions.get() as u32,
            cost_microusd: self.cost_microusd.get(),
            error: self.error.as_str(),
        }
    }

    fn notice(&self) -> Notice<'_> {
        Notice {
            at_us: self.at.0,
            trace: self.trace.0,
            identity: self.identity(),
            verdict: self.verdict.code_or_zero(),
            reason: self.reason.code_or_zero(),
            action: self.action.as_str(),
            subject: self.subject.as_str(),
            generation: self.generation.get(),
            detail: self.detail.as_str(),
        }
    }
}

#[cfg(test)]
mod tests;
