//! Everything that can wake a shard from outside: one closed list, one queue per shard.
//! Lives on: each shard reads its own; all shards and the control plane hold the sending ends.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use futures_channel::{mpsc, oneshot};
use wire::decision::{EventKind, Reason, Verdict};
use wire::ids::SeqNo;
use wire::token::Claims;

use crate::approval::{AnswerError, Answering, WaitingCall};
use crate::chain::rate::{Admitted, Charge, Refused};
use crate::metrics::Counters;
use crate::policy::Policy;
use crate::tls::ServerTls;

/// The sending end of a shard's queue. Lock-free; never waits.
pub type Sender = mpsc::UnboundedSender<Event>;

/// What a shard is asked from outside.
pub enum Event {
    /// Another policy is in force; says when this shard decides by it.
    Publish(Arc<Policy>, oneshot::Sender<()>),
    /// Another candidate is on trial, or none any more; says when this shard knows.
    Try(Option<Arc<Policy>>, oneshot::Sender<()>),
    /// A connection whose principal lives here.
    Adopt(Handover),
    /// Another shard wants calls charged under limits that live here.
    Charge {
        /// Who asks.
        from: u16,
        /// To be repeated in the answer.
        ticket: u64,
        /// Under which limits.
        charges: Box<[Charge]>,
        /// When.
        now_us: u64,
        /// Under limits of the candidate that is on trial.
        is_trial: bool,
    },
    /// The answer to [`Event::Charge`].
    Charged {
        /// Which question.
        ticket: u64,
        /// Its answer.
        result: Box<Result<Admitted, Refused>>,
    },
    /// A charge is taken back: the call was not made.
    Refund {
        /// Under which limits.
        charges: Box<[Charge]>,
        /// What had been admitted.
        admitted: Box<Admitted>,
    },
    /// A call ended that was charged here.
    Release {
        /// Under which limits.
        charges: Box<[Charge]>,
        /// What had been admitted.
        admitted: Box<Admitted>,
    },
    /// Somebody wants the counters.
    Collect(oneshot::Sender<Counters>),
    /// Somebody wants to know, or to give back, what was used of the limits that a call falls under.
    Count(Box<Asked>, oneshot::Sender<Vec<Count>>),
    /// The control plane has something for the audit trail.
    Append(Box<OwnedNotice>, oneshot::Sender<Result<SeqNo, Reason>>),
    /// Somebody wants to know which calls wait for a person.
    Waiting(oneshot::Sender<Vec<WaitingCall>>),
    /// What a person says about a call that waits here.
    Answer(Box<Answering>, oneshot::Sender<Result<WaitingCall, AnswerError>>),
    /// What the control plane knows about itself has changed.
    Status(Status),
    /// Clients are shown another certificate from now on.
    Certificate(ServerTls),
    /// What the control plane adds to `/metrics`, in Prometheus' text format.
    Metrics(Arc<str>),
    /// Take no more connections, end those that are idle, and stop when the last call has ended or time is up.
    Drain {
        /// How long running calls may take.
        grace: std::time::Duration,
    },
}

/// A call whose limits are looked at.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Whose.
    pub claims: Claims,
    /// Of which server.
    pub server: String,
    /// Of which tool.
    pub tool: String,
    /// What was used is given back.
    pub resets: bool,
}

/// How much of a limit is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The limit.
    pub limit: String,
    /// How much.
    pub used: u64,
    /// Of how much.
    pub of: u64,
    /// When what is used is free again, in microseconds since 1970; 0 where no time ends it.
    pub ends_at_us: u64,
}

/// A connection on its way to another shard.
pub struct Handover {
    /// The socket.
    pub socket: OwnedFd,
    /// What was read from it so far.
    pub read: Vec<u8>,
    /// Who is at the other end.
    pub peer: IpAddr,
}

/// What `/readyz` and `/metrics` say about the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// Postgres answers.
    pub database_up: bool,
    /// Records in journals that are not in Postgres yet.
    pub records_behind: u64,
    /// The watermarks of the shards' streams, added up.
    pub records_shipped: u64,
    /// MCP servers that are healthy.
    pub servers_healthy: u32,
    /// MCP servers that are declared.
    pub servers_declared: u32,
    /// What the database says of policy could not be read when it was last tried.
    pub policy_stale: bool,
}

/// A [`wire::record::Notice`] that owns its texts.
#[derive(Debug, Clone, Default)]
pub struct OwnedNotice {
    /// What it is about; `None` stands for [`EventKind::Process`].
    pub kind: Option<EventKind>,
    /// When, in microseconds since 1970.
    pub at_us: u64,
    /// Links everything of one request.
    pub trace: [u8; 16],
    /// Who caused it.
    pub user: String,
    /// Of which organisation.
    pub tenant: String,
    /// A [`wire::decision::Tier`] code; 0 for the process itself.
    pub tier: u8,
    /// Whether it was carried out.
    pub verdict: Option<Verdict>,
    /// Why not.
    pub reason: Option<Reason>,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// The generation in force afterwards.
    pub generation: u64,
    /// More, as JSON.
    pub detail: String,
}
