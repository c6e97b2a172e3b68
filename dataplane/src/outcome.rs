//! What became of a forwarded call, and the record of it. Every call that was allowed has exactly one outcome, whatever
//! way it ends: answered, failed, or dropped because the client went away.
//! Lives on: one shard.

use std::borrow::Cow;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Instant;

use serde::Deserialize;
use wire::decision::OutcomeStatus;
use wire::ids::{CallId, SeqNo, TraceId};
use wire::record::{Outcome, Record};

use crate::lease::RateLease;
use crate::shard::Shard;
use crate::upstream::Rc2;

/// How an answer is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: OutcomeStatus,
    rpc_code: i32,
    error: Cow<'static, str>,
    redactions: u32,
}

/// The parts of a response that tell how a call ended.
#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    result: Option<&'a serde_json::value::RawValue>,
    error: Option<RpcError>,
    method: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct RpcError {
    #[serde(default)]
    code: i64,
}

#[derive(Deserialize)]
struct ToolResult {
    #[serde(rename = "isError", default)]
    is_error: bool,
}

impl Answer {
    /// The call was answered with a result.
    pub fn ok() -> Answer {
        Answer::failed(OutcomeStatus::Ok, "")
    }

    /// The call failed on the way, or its answer was kept back.
    pub fn failed(status: OutcomeStatus, error: impl Into<Cow<'static, str>>) -> Answer {
        Answer { status, rpc_code: 0, error: error.into(), redactions: 0 }
    }

    /// The same, with the JSON-RPC error code that the client gets.
    #[must_use]
    pub fn with_code(self, rpc_code: i32) -> Answer {
        Answer { rpc_code, ..self }
    }

    /// The same, saying how much was taken out of what the client gets.
    #[must_use]
    pub fn with_redactions(self, redactions: u32) -> Answer {
        Answer { redactions, ..self }
    }

    /// What a JSON-RPC message says; `None` when it is not a response.
    pub fn of_message(json: &[u8]) -> Option<Answer> {
        let response: Response<'_> = serde_json::from_slice(json).ok()?;
        if response.method.is_some() {
            return None;
        }
        if let Some(error) = response.error {
            let rpc_code = i32::try_from(error.code).unwrap_or(i32::MIN);
            return Some(Answer::failed(OutcomeStatus::RpcError, "").with_code(rpc_code));
        }
        let result = response.result?;
        // The word cannot stand in a text without a backslash before its quote, so most results need no second look.
        let may_be_error = memchr::memmem::find(result.get().as_bytes(), b"\"isError\"").is_some();
        let is_error = may_be_error && serde_json::from_str::<ToolResult>(result.get()).is_ok_and(|result| result.is_error);
        let status = if is_error { OutcomeStatus::ToolError } else { OutcomeStatus::Ok };
        Some(Answer::failed(status, ""))
    }

    /// The status.
    pub fn status(&self) -> OutcomeStatus {
        self.status
    }
}

/// Whether this is a message of a server on its own account: a request or a notification.
pub fn is_message(json: &[u8]) -> bool {
    serde_json::from_slice::<Response<'_>>(json).is_ok_and(|message| message.method.is_some())
}

/// Owes the journal an outcome. Dropped without one, it records `cancelled`.
pub struct OutcomeGuard(Option<Owed>);

struct Owed {
    shard: Rc<Shard>,
    decision: SeqNo,
    trace: TraceId,
    call: CallId,
    upstream: Rc2,
    started: Instant,
    http_status: u16,
    attempts: u8,
    /// Held until the call has ended: concurrency limits count it.
    lease: Option<RateLease>,
}

impl OutcomeGuard {
    /// For a call whose decision is durable.
    pub fn new(
        shard: &Rc<Shard>,
        decision: SeqNo,
        trace: TraceId,
        call: CallId,
        upstream: Rc2,
        lease: Option<RateLease>,
    ) -> OutcomeGuard {
        OutcomeGuard(Some(Owed {
            shard: Rc::clone(shard),
            decision,
            trace,
            call,
            upstream,
            started: Instant::now(),
            http_status: 0,
            attempts: 0,
            lease,
        }))
    }

    /// What the upstream answered, before its body.
    pub fn answered(&mut self, http_status: u16, attempts: u8) {
        if let Some(owed) = &mut self.0 {
            owed.http_status = http_status;
            owed.attempts = attempts;
        }
    }

    /// Records the outcome. The future says whether it is durable; only then may the rest of the answer leave.
    pub fn record(mut self, answer: Answer, bytes: u64) -> Pin<Box<dyn Future<Output = bool>>> {
        match self.0.take() {
            Some(owed) => Box::pin(owed.record(answer, bytes)),
            None => Box::pin(async { true }),
        }
    }
}

impl Owed {
    async fn record(self, answer: Answer, bytes: u64) -> bool {
        let duration_us = self.started.elapsed().as_micros() as u64;
        let recorded = self
            .shard
            .append(
                &Record::Outcome(Outcome {
                    at_us: self.shard.now_us(),
                    trace: self.trace.0,
                    call: self.call.0,
                    decision_seq: self.decision.0,
                    status: answer.status.code(),
                    http_status: self.http_status,
                    rpc_code: answer.rpc_code,
                    reply_bytes: bytes,
                    duration_us,
                    upstream: &self.upstream,
                    attempts: self.attempts,
                    redactions: answer.redactions,
                    cost_microusd: self.lease.as_ref().map_or(0, RateLease::cost_micro_usd),
                    error: &answer.error,
                }),
                &[],
            )
            .await;
        let mut counters = self.shard.counters.borrow_mut();
        counters.outcome(answer.status);
        counters.redactions += u64::from(answer.redactions);
        counters.upstream.record(duration_us);
        recorded.is_ok()
    }
}

impl Drop for OutcomeGuard {
    fn drop(&mut self) {
        if let Some(owed) = self.0.take() {
            let shard = Rc::clone(&owed.shard);
            shard.spawn(async move {
                owed.record(Answer::failed(OutcomeStatus::Cancelled, "the client went away"), 0).await;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_say_how_a_call_ended() {
        for (json, expect) in [
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, Some(OutcomeStatus::Ok)),
            (r#"{"jsonrpc":"2.0","id":1,"result":{"isError":true,"content":[]}}"#, Some(OutcomeStatus::ToolError)),
            (r#"{"jsonrpc":"2.0","id":1,"result":{"isError":false}}"#, Some(OutcomeStatus::Ok)),
            (r#"{"jsonrpc":"2.0","id":1,"result":{"structuredContent":{"isError":true}}}"#, Some(OutcomeStatus::Ok)),
            (r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"text":"\"isError\":true"}]}}"#, Some(OutcomeStatus::Ok)),
            (r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"m"}}"#, Some(OutcomeStatus::RpcError)),
            (r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#, None),
            (r#"{"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{}}"#, None),
            ("not json", None),
        ] {
            assert_eq!(Answer::of_message(json.as_bytes()).map(|answer| answer.status()), expect, "{json}");
        }
    }
}
