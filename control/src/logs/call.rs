//! The five questions an auditor asks about one call: who, in which surroundings, by what right, what was done, and how
//! did it end. One query answers them.

use jiff::Timestamp;
use schema::queries::logs::{self as sql, Call};
use serde::Serialize;
use wire::ids::{CallId, NodeId, TraceId};

use super::{Event, LogsError};
use crate::postgres::{Database, PostgresError};

/// All that a trace left.
#[derive(Debug, Clone, Serialize)]
pub struct TraceAudit {
    /// Which trace.
    pub trace: TraceId,
    /// Its calls, in order.
    pub calls: Vec<CallAudit>,
    /// Anything else: log-ins, policy changes and the like.
    pub events: Vec<Event>,
}

/// One call, from who to how it ended.
#[derive(Debug, Clone, Serialize)]
pub struct CallAudit {
    /// Which call.
    pub call: CallId,
    /// When it was decided.
    pub at: Timestamp,
    /// The data directory whose shard decided.
    pub node: NodeId,
    /// That shard.
    pub shard: i32,
    /// The decision's place in the shard's stream.
    pub seq: i64,
    /// The chain hash after the decision, in hex.
    pub chain: String,
    /// 1: who acted.
    pub identity: Who,
    /// 2: in which surroundings.
    pub agent: WithAgent,
    /// 3: by what right, or why not.
    pub permissions: Permissions,
    /// 4: what was done; absent when nothing was forwarded, or it is not known yet.
    pub execution: Option<Execution>,
    /// 5: how it ended; absent as `execution` is.
    pub outcome: Option<Outcome>,
}

/// Who acted, as the verified credential says.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the fields are those of wire::record::Identity")]
pub struct Who {
    pub user: Option<String>,
    pub tenant: Option<String>,
    pub department: Option<String>,
    pub tier: Option<String>,
    pub auth_method: Option<String>,
    pub roles: Vec<String>,
    pub token_id: Option<String>,
    pub client: Option<String>,
    pub act_for: Vec<String>,
    pub address: Option<String>,
}

/// In which surroundings the call was made.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the fields are those of wire::record::AgentContext")]
pub struct WithAgent {
    pub agent: Option<String>,
    pub session: Option<String>,
    pub mcp_session: Option<String>,
    pub context: Option<String>,
    pub task: Option<String>,
}

/// What was asked for, and what the chain said to it.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the fields are those of wire::record::Decision")]
pub struct Permissions {
    pub channel: Option<String>,
    pub server: Option<String>,
    pub tool: Option<String>,
    pub method: Option<String>,
    pub scopes: Vec<String>,
    pub args_bytes: Option<i64>,
    /// In hex.
    pub args_digest: Option<String>,
    pub args_preview: Option<String>,
    pub verdict: Option<String>,
    pub layer: Option<String>,
    pub reason: Option<String>,
    pub rule: Option<String>,
    pub evidence: Option<String>,
    pub observed: Vec<String>,
    pub generation: Option<i64>,
    pub retry_after_ms: Option<i64>,
    pub decide_ns: Option<i64>,
}

/// What was done about an allowed call.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the fields are those of wire::record::Outcome")]
pub struct Execution {
    pub upstream: Option<String>,
    pub attempts: Option<i16>,
    pub duration_us: Option<i64>,
    pub ended_at: Option<Timestamp>,
    /// The outcome's place in the shard's stream.
    pub seq: i64,
}

/// How an allowed call ended.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the fields are those of wire::record::Outcome")]
pub struct Outcome {
    pub status: Option<String>,
    pub http_status: Option<i32>,
    pub rpc_code: Option<i32>,
    pub reply_bytes: Option<i64>,
    pub redactions: Option<i64>,
    pub cost_microusd: Option<i64>,
    pub error: Option<String>,
}

/// Everything about a trace; `None` when it left nothing, or what it left is not shipped yet.
///
/// # Errors
/// The database is away.
pub async fn audit(database: &Database, trace: TraceId) -> Result<Option<TraceAudit>, LogsError> {
    let failed = || PostgresError::query("look up a trace");
    let client = database.get().await?;
    let id = uuid::Uuid::from_bytes(trace.0);
    let calls = sql::calls_of_trace().bind(&**client, &id).all().await.map_err(failed())?;
    let events = sql::events_of_trace().bind(&**client, &id).all().await.map_err(failed())?;
    if calls.is_empty() && events.is_empty() {
        return Ok(None);
    }
    Ok(Some(TraceAudit { trace, calls: calls.into_iter().map(CallAudit::from).collect(), events }))
}

impl From<Call> for CallAudit {
    fn from(row: Call) -> CallAudit {
        let words = |text: Option<String>| -> Vec<String> {
            text.iter().flat_map(|text| text.split(' ')).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        CallAudit {
            call: CallId(row.call.map(uuid::Uuid::into_bytes).unwrap_or_default()),
            at: row.at,
            node: NodeId(row.node.into_bytes()),
            shard: row.shard,
            seq: row.seq,
            chain: hex(&row.chain),
            identity: Who {
                user: row.user_id,
                tenant: row.tenant,
                department: row.department,
                tier: row.tier,
                auth_method: row.auth_method,
                roles: words(row.roles),
                token_id: row.token_id,
                client: row.client,
                act_for: words(row.act_for),
                address: row.address,
            },
            agent: WithAgent {
                agent: row.agent,
                session: row.session,
                mcp_session: row.mcp_session,
                context: row.context,
                task: row.task,
            },
            permissions: Permissions {
                channel: row.channel,
                server: row.server,
                tool: row.tool,
                method: row.method,
                scopes: words(row.scopes),
                args_bytes: row.args_bytes,
                args_digest: row.args_digest.as_deref().map(hex),
                args_preview: row.args_preview,
                verdict: row.verdict,
                layer: row.layer,
                reason: row.reason,
                rule: row.rule,
                evidence: row.evidence,
                observed: words(row.observed),
                generation: row.generation,
                retry_after_ms: row.retry_after_ms,
                decide_ns: row.decide_ns,
            },
            execution: row.outcome_seq.map(|seq| Execution {
                upstream: row.upstream,
                attempts: row.attempts,
                duration_us: row.duration_us,
                ended_at: row.ended_at,
                seq,
            }),
            outcome: row.outcome_seq.map(|_| Outcome {
                status: row.status,
                http_status: row.http_status,
                rpc_code: row.rpc_code,
                reply_bytes: row.reply_bytes,
                redactions: row.redactions,
                cost_microusd: row.cost_microusd,
                error: row.error,
            }),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        use std::fmt::Write;
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
