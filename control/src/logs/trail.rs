//! The five questions an auditor asks about a call: who, in which surroundings, by what right, what was done, and how did
//! it end. One query (`trail` in `schema/queries/logs.sql`) brings every row of what is asked for; here they become calls.

use std::collections::HashMap;

use jiff::Timestamp;
use schema::audit::Escaped;
use schema::queries::logs as sql;
use serde::Serialize;
use uuid::Uuid;
use wire::decision::{EventKind, Layer, Reason, Verdict};
use wire::ids::TraceId;

use super::LogsError;
use super::event::{AuditEvent, EventId};
use super::search::{SEARCH_TIMEOUT, failed, read_only};
use crate::postgres::Database;

/// LIMIT: events of one answer. A trace has a few; a session that has more is searched page by page.
pub const TRAIL_EVENTS_MAX: usize = 1_000;

/// What a trail is asked for by: whatever a person has at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    text: String,
    /// A trace or a call: `sp-trace-id` of a reply, a whole `traceparent`, or 32 hex digits.
    id: Option<TraceId>,
    event: Option<EventId>,
}

impl From<&str> for Subject {
    fn from(text: &str) -> Subject {
        let text = text.trim();
        let id = text.parse().ok().or_else(|| traceparent(text));
        Subject { text: text.to_owned(), id, event: text.parse().ok() }
    }
}

/// The trace of a W3C `traceparent` header: `00-trace-span-flags`.
fn traceparent(text: &str) -> Option<TraceId> {
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [version, trace, span, flags] if version.len() == 2 && span.len() == 16 && flags.len() == 2 => trace.parse().ok(),
        _ => None,
    }
}

impl Subject {
    /// The digest under which an MCP session stands in the trail: given as such, or made of the session's id.
    fn mcp_session(&self) -> String {
        let is_digest = self.text.len() == 16 && self.text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_digest { self.text.to_ascii_lowercase() } else { dataplane::session::digest(&self.text) }
    }
}

/// Everything that was found.
#[derive(Debug, Clone, Serialize)]
pub struct Trail {
    /// What was asked for.
    pub asked: String,
    /// What it turned out to be: `trace`, `call`, `session`, `mcp_session` or `event`.
    pub matched: &'static str,
    /// The calls, in order.
    pub calls: Vec<CallAudit>,
    /// Anything else: log-ins, jobs, policy changes and the like.
    pub events: Vec<AuditEvent>,
    /// Whether there is more than fits into one answer: search by session, page by page.
    pub truncated: bool,
}

/// One call, from who to how it ended.
#[derive(Debug, Clone, Serialize)]
pub struct CallAudit {
    /// Which call.
    pub call: Option<String>,
    /// Of which trace.
    pub trace: Option<String>,
    /// When it was decided.
    pub at: Timestamp,
    /// The decision's id.
    pub event: String,
    /// The chain hash after the decision, in hex.
    pub chain: String,
    /// 1: who acted.
    pub identity: Who,
    /// 2: in which surroundings.
    pub agent: WithAgent,
    /// 3: by what right, or why not.
    pub permissions: Permissions,
    /// 4: what was done.
    pub execution: Execution,
    /// 5: how it ended; absent when nothing was forwarded, or it is not known yet.
    pub result: Option<Ended>,
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
    pub scopes: Vec<String>,
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
    pub channel: Option<String>,
}

/// What the chain said.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the fields are those of wire::record::Decision")]
pub struct Permissions {
    pub verdict: Option<String>,
    pub reason: Option<String>,
    /// The reason in a sentence.
    pub explained: Option<&'static str>,
    pub layers: Vec<LayerVerdict>,
    pub evidence: Option<String>,
    pub observed: Vec<String>,
    pub generation: Option<i64>,
    pub retry_after_ms: Option<i64>,
    pub decide_ns: Option<i64>,
}

/// What one layer said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerVerdict {
    /// Which layer.
    pub layer: &'static str,
    /// `pass`, `deny`, `ask`, or `not_reached`.
    pub verdict: &'static str,
    /// The grant that allowed, or the rule that refused.
    pub rule: Option<String>,
}

/// What was to be done, and what was.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the fields are those of wire::record::Decision and Outcome")]
pub struct Execution {
    pub server: Option<String>,
    pub tool: Option<String>,
    pub method: Option<String>,
    pub args_bytes: Option<i64>,
    /// In hex.
    pub args_digest: Option<String>,
    pub args_preview: Option<String>,
    /// Whether the call reached an upstream, as far as is known.
    pub forwarded: bool,
    pub upstream: Option<String>,
    pub attempts: Option<i64>,
}

/// How a forwarded call ended.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the fields are those of wire::record::Outcome")]
pub struct Ended {
    pub at: Timestamp,
    /// The outcome's id.
    pub event: String,
    pub status: Option<String>,
    pub http_status: Option<i64>,
    pub rpc_code: Option<i64>,
    pub reply_bytes: Option<i64>,
    pub duration_us: Option<i64>,
    pub redactions: Option<i64>,
    pub cost_microusd: Option<i64>,
    pub error: Option<String>,
}

/// Everything about a trace, call, session or event; `None` when it left nothing, or what it left is not shipped yet.
///
/// # Errors
/// The database is away, or looking takes longer than 30 s.
pub async fn audit(database: &Database, subject: &Subject) -> Result<Option<Trail>, LogsError> {
    let id = subject.id.map(|id| Uuid::from_bytes(id.0));
    // What is found at once first: traces and events have an index of their own, and are asked for most.
    let ways = [
        Way { trace: id, event: subject.event, ..Way::default() },
        Way { call: id, ..Way::default() },
        Way {
            session: Some(Escaped::stored(&subject.text).into_owned()),
            mcp_session: Some(subject.mcp_session()),
            ..Way::default()
        },
    ];
    let mut client = database.get().await?;
    let transaction = read_only(&mut client, SEARCH_TIMEOUT).await?;
    for way in ways {
        let events = way.look(&transaction).await?;
        if !events.is_empty() {
            return Ok(Some(Trail::of(subject, events)));
        }
    }
    Ok(None)
}

/// One way to find a trail: by what is given.
#[derive(Debug, Default)]
struct Way {
    trace: Option<Uuid>,
    event: Option<EventId>,
    call: Option<Uuid>,
    session: Option<String>,
    mcp_session: Option<String>,
}

impl Way {
    async fn look(&self, transaction: &deadpool_postgres::Transaction<'_>) -> Result<Vec<AuditEvent>, LogsError> {
        let node = self.event.map(|event| Uuid::from_bytes(event.node.0));
        let shard = self.event.map(|event| i32::from(event.shard));
        let seq = self.event.map(|event| event.seq.0.cast_signed());
        let max = TRAIL_EVENTS_MAX as i32 + 1;
        let rows = sql::trail()
            .bind(&**transaction, &self.trace, &self.call, &self.session, &max, &self.mcp_session, &node, &shard, &seq)
            .all()
            .await
            .map_err(failed("look up a trail"))?;
        Ok(rows.into_iter().map(AuditEvent::from).collect())
    }
}

impl Trail {
    fn of(subject: &Subject, mut events: Vec<AuditEvent>) -> Trail {
        let matched = matched(subject, &events);
        let truncated = events.len() > TRAIL_EVENTS_MAX;
        events.truncate(TRAIL_EVENTS_MAX);
        let mut outcomes: HashMap<(String, i64, i64), AuditEvent> = HashMap::new();
        let (mut decisions, mut others) = (Vec::new(), Vec::new());
        for event in events {
            match event.event_kind() {
                Some(EventKind::Decision) => decisions.push(event),
                Some(EventKind::Outcome) => {
                    let of = (event.node.clone(), event.shard, event.decision_seq.unwrap_or(0));
                    outcomes.insert(of, event);
                }
                _ => others.push(event),
            }
        }
        let calls = decisions.into_iter().map(|decision| {
            let outcome = outcomes.remove(&(decision.node.clone(), decision.shard, decision.seq));
            CallAudit::of(decision, outcome)
        });
        let calls = calls.collect();
        // An outcome whose decision is not here stands by itself: nothing is left out.
        others.extend(outcomes.into_values());
        others.sort_by(|a, b| (a.at, &a.node, a.shard, a.seq).cmp(&(b.at, &b.node, b.shard, b.seq)));
        Trail { asked: subject.text.clone(), matched, calls, events: others, truncated }
    }
}

fn matched(subject: &Subject, events: &[AuditEvent]) -> &'static str {
    let id = subject.id.map(|id| id.to_string());
    let is = |wanted: &Option<String>| id.is_some() && *wanted == id;
    if events.iter().any(|event| is(&event.trace)) {
        "trace"
    } else if events.iter().any(|event| is(&event.call)) {
        "call"
    } else if subject.event.is_some() {
        "event"
    } else if events.iter().any(|event| event.session.as_deref() == Some(&*Escaped::stored(&subject.text))) {
        "session"
    } else {
        "mcp_session"
    }
}

impl CallAudit {
    fn of(decision: AuditEvent, outcome: Option<AuditEvent>) -> CallAudit {
        let layers = layers(&decision);
        let explained = decision.reason.as_deref().and_then(Reason::from_word).map(Reason::explain);
        CallAudit {
            call: decision.call,
            trace: decision.trace,
            at: decision.at,
            event: decision.id,
            chain: decision.chain,
            identity: Who {
                user: decision.user,
                tenant: decision.tenant,
                department: decision.department,
                tier: decision.tier,
                auth_method: decision.auth_method,
                roles: decision.roles,
                scopes: decision.scopes,
                token_id: decision.token_id,
                client: decision.client,
                act_for: decision.act_for,
                address: decision.address,
            },
            agent: WithAgent {
                agent: decision.agent,
                session: decision.session,
                mcp_session: decision.mcp_session,
                context: decision.context,
                task: decision.task,
                channel: decision.channel,
            },
            permissions: Permissions {
                verdict: decision.verdict,
                reason: decision.reason,
                explained,
                layers,
                evidence: decision.evidence,
                observed: decision.observed,
                generation: decision.generation,
                retry_after_ms: decision.retry_after_ms,
                decide_ns: decision.decide_ns,
            },
            execution: Execution {
                server: decision.server,
                tool: decision.tool,
                method: decision.method,
                args_bytes: decision.args_bytes,
                args_digest: decision.args_digest,
                args_preview: decision.args_preview,
                forwarded: outcome.as_ref().is_some_and(|outcome| outcome.attempts.is_some_and(|attempts| attempts > 0)),
                upstream: outcome.as_ref().and_then(|outcome| outcome.upstream.clone()),
                attempts: outcome.as_ref().and_then(|outcome| outcome.attempts),
            },
            result: outcome.map(Ended::of),
        }
    }
}

impl Ended {
    fn of(outcome: AuditEvent) -> Ended {
        Ended {
            at: outcome.at,
            event: outcome.id,
            status: outcome.status,
            http_status: outcome.http_status,
            rpc_code: outcome.rpc_code,
            reply_bytes: outcome.reply_bytes,
            duration_us: outcome.duration_us,
            redactions: outcome.redactions,
            cost_microusd: outcome.cost_microusd,
            error: outcome.error,
        }
    }
}

/// What each layer said. The chain stops at the first that refuses, so a row needs to name only that one: those before it
/// passed, those behind it were not asked. What the gateway refuses by itself (`system`) is refused before all of them.
fn layers(decision: &AuditEvent) -> Vec<LayerVerdict> {
    const ORDER: [Layer; 5] = [Layer::Identity, Layer::Scope, Layer::Secrets, Layer::Blocklist, Layer::Rate];
    let verdict = decision.verdict.as_deref().and_then(Verdict::from_word);
    let refused = decision.layer.as_deref().and_then(Layer::from_word).filter(|layer| *layer != Layer::None);
    let reached = match (verdict, refused) {
        (Some(Verdict::Allow), _) => ORDER.len(),
        (_, Some(layer)) => ORDER.iter().position(|other| *other == layer).unwrap_or(0),
        (_, None) => 0,
    };
    let said = if verdict == Some(Verdict::Ask) { "ask" } else { "deny" };
    let mut all: Vec<LayerVerdict> = Vec::with_capacity(ORDER.len() + 1);
    if let Some(layer) = refused.filter(|layer| !ORDER.contains(layer)) {
        all.push(LayerVerdict { layer: layer.as_str(), verdict: said, rule: decision.rule.clone() });
    }
    all.extend(ORDER.iter().enumerate().map(|(place, layer)| {
        let is_refused = refused == Some(*layer) && verdict != Some(Verdict::Allow);
        let verdict = if is_refused {
            said
        } else if place < reached {
            "pass"
        } else {
            "not_reached"
        };
        // An allow names its grant, and grants are the scope layer's.
        let allowed_by = refused.is_none() && *layer == Layer::Scope;
        LayerVerdict { layer: layer.as_str(), verdict, rule: decision.rule.clone().filter(|_| is_refused || allowed_by) }
    }));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layer_has_its_verdict() {
        let told = |verdict: Verdict, layer: Layer| {
            let event = AuditEvent {
                verdict: Some(verdict.to_string()),
                layer: Some(layer.to_string()),
                rule: Some("rule".to_owned()),
                ..AuditEvent::default()
            };
            let words: Vec<String> = layers(&event)
                .into_iter()
                .map(|said| format!("{} {}{}", said.layer, said.verdict, said.rule.map(|_| " *").unwrap_or_default()))
                .collect();
            words.join(", ")
        };
        assert_eq!(told(Verdict::Allow, Layer::None), "identity pass, scope pass *, secrets pass, blocklist pass, rate pass");
        assert_eq!(
            told(Verdict::Deny, Layer::Secrets),
            "identity pass, scope pass, secrets deny *, blocklist not_reached, rate not_reached"
        );
        assert_eq!(
            told(Verdict::Ask, Layer::Blocklist),
            "identity pass, scope pass, secrets pass, blocklist ask *, rate not_reached"
        );
        assert_eq!(
            told(Verdict::Deny, Layer::System),
            "system deny *, identity not_reached, scope not_reached, secrets not_reached, blocklist not_reached, rate not_reached"
        );
    }

    #[test]
    fn a_trail_is_asked_for_by_whatever_is_at_hand() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for text in [trace, "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", &format!("00-{trace}-00f067aa0ba902b7-01")] {
            assert_eq!(Subject::from(text).id.map(|id| id.to_string()).as_deref(), Some(trace), "{text}");
        }
        let event = Subject::from(format!("{trace}-3-77").as_str()).event.unwrap();
        assert_eq!((event.shard, event.seq.0), (3, 77));
        let session = Subject::from("upstream-session.0123");
        assert_eq!((session.id, session.event), (None, None));
        assert_eq!(session.mcp_session(), dataplane::session::digest("upstream-session.0123"));
        assert_eq!(Subject::from("00FF00ff00ff00ff").mcp_session(), "00ff00ff00ff00ff");
    }
}
