//! One shard: everything a core owns, and the loop that answers its inbox.
//! Lives on: one glommio executor; nothing in it is shared.
//!
//! INVARIANT: state is borrowed between awaits, never across one.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_channel::{mpsc, oneshot};
use futures_lite::StreamExt;
use http::HeaderMap;
use simd_json::Tape;
use wire::decision::{Channel, EventKind, Reason, Verdict};
use wire::frame::RateCell;
use wire::ids::{CallId, SeqNo, TraceId};
use wire::jsonrpc::Parser;
use wire::record::{Identity, Notice, Record};

use crate::approval::{self, Approvals};
use crate::call::Arrival;
use crate::chain::rate::{Admitted, Charges, RateState, Refused, home_shard};
use crate::chain::{Call, Denial, Scratch, results};
use crate::conn;
use crate::http::KnownHosts;
use crate::identity::{Identities, Principal};
use crate::inbox::{Asked, Count, Event, OwnedNotice, Sender, Status};
use crate::journal::{Journal, JournalError};
use crate::metrics::Counters;
use crate::policy::{NodeKeys, Policy};
use crate::shadow::Shadow;
use crate::throttle::{self, Throttle};
use crate::tls::ServerTls;
use crate::upstream::{Pool, Target};

/// Buffers for parsing that a shard keeps. LIMIT: calls that are decided at once on one shard, not connections.
const TAPES_MAX: usize = 64;

/// Buffers for checking results that a shard keeps. LIMIT: large results that are checked at once, in turns; a few hundred
/// KiB each.
const RESULTS_MAX: usize = 4;

type RateAnswer = oneshot::Sender<Box<Result<Admitted, Refused>>>;

/// The policy in force, counted per shard: cloning the `Arc` for each call would write to a cache line of all shards.
#[allow(clippy::redundant_allocation, reason = "the second count is what keeps shards apart")]
pub type PolicyRef = Rc<Arc<Policy>>;

/// Everything one core owns.
pub struct Shard {
    /// Which.
    pub ix: u16,
    /// Of how many.
    pub shards: u16,
    /// Keys of this node.
    pub keys: NodeKeys,
    /// The hosts this gateway is reached by.
    pub hosts: KnownHosts,
    /// Where pages come from that shards do not make.
    pub control: Option<Target>,
    /// Connections to MCP servers.
    pub upstreams: Pool,
    /// What is counted.
    pub counters: RefCell<Counters>,
    /// Who calls without a credential.
    pub nobody: Principal,
    pub(crate) scratch: RefCell<Scratch>,
    pub(crate) parser: RefCell<Parser>,
    pub(crate) rates: RefCell<RateState>,
    pub(crate) status: Cell<Status>,
    pub(crate) control_metrics: RefCell<Arc<str>>,
    pub(crate) draining: Cell<bool>,
    /// Every shard runs.
    pub(crate) started: Cell<bool>,
    /// What clients are shown; `None` serves them without TLS.
    pub(crate) tls: RefCell<Option<ServerTls>>,
    /// Calls that wait for a person.
    pub(crate) approvals: Approvals,
    /// Who is refused unread.
    pub(crate) throttle: Throttle,
    /// The candidate that is on trial.
    pub(crate) shadow: RefCell<Option<Rc<Shadow>>>,
    policy: RefCell<PolicyRef>,
    identities: RefCell<Identities>,
    pub(crate) journal: Journal,
    tapes: RefCell<Vec<Tape<'static>>>,
    results: RefCell<Vec<results::Scratch>>,
    peers: Vec<Sender>,
    tickets: RefCell<HashMap<u64, RateAnswer>>,
    next_ticket: Cell<u64>,
    calls: Cell<u64>,
    /// Makes call ids of this run differ from those of others.
    run: [u8; 6],
    pub(crate) connections: conn::Connections,
    tasks: Cell<usize>,
}

/// What a shard is made of.
pub struct Parts {
    /// Which.
    pub ix: u16,
    /// Keys of this node.
    pub keys: NodeKeys,
    /// The hosts this gateway is reached by.
    pub hosts: KnownHosts,
    /// What clients are shown.
    pub tls: Option<ServerTls>,
    /// Where pages come from that shards do not make.
    pub control: Option<Target>,
    /// What to decide by at first.
    pub policy: Arc<Policy>,
    /// The journal of this shard.
    pub journal: Journal,
    /// Rate cells that live here.
    pub rates: RateState,
    /// Inboxes of all shards.
    pub peers: Vec<Sender>,
    /// Random bytes of this run.
    pub run: [u8; 6],
}

impl Shard {
    /// A shard that has not started yet.
    pub fn new(parts: Parts) -> Rc<Shard> {
        Rc::new(Shard {
            ix: parts.ix,
            shards: parts.peers.len() as u16,
            keys: parts.keys,
            hosts: parts.hosts,
            control: parts.control,
            upstreams: Pool::default(),
            counters: RefCell::new(Counters::default()),
            nobody: Principal::anonymous(),
            scratch: RefCell::new(Scratch::new(&parts.policy)),
            parser: RefCell::new(Parser::default()),
            rates: RefCell::new(parts.rates),
            status: Cell::new(Status::default()),
            control_metrics: RefCell::new(Arc::from("")),
            draining: Cell::new(false),
            started: Cell::new(false),
            tls: RefCell::new(parts.tls),
            approvals: Approvals::default(),
            throttle: Throttle::default(),
            shadow: RefCell::new(None),
            policy: RefCell::new(Rc::new(parts.policy)),
            identities: RefCell::new(Identities::new()),
            journal: parts.journal,
            tapes: RefCell::new(Vec::new()),
            results: RefCell::new(Vec::new()),
            peers: parts.peers,
            tickets: RefCell::new(HashMap::new()),
            next_ticket: Cell::new(0),
            calls: Cell::new(0),
            run: parts.run,
            connections: conn::Connections::default(),
            tasks: Cell::new(0),
        })
    }

    /// The policy in force. One `Rc` clone: a reload while a call waits leaves that call on the policy it began with.
    pub fn policy(&self) -> PolicyRef {
        Rc::clone(&self.policy.borrow())
    }

    /// Microseconds since 1970.
    pub fn now_us(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
    }

    /// Who sent this token.
    ///
    /// # Errors
    /// The denial to answer with.
    pub fn identify(&self, policy: &Policy, token: Option<&str>, address: &str, now_us: u64) -> Result<Rc<Principal>, Denial> {
        let principal = self.identities.borrow_mut().identify(policy, token, now_us).map_err(Denial::new)?;
        let address: Option<IpAddr> = address.parse().ok();
        if policy.blocklist.is_banned(&principal.claims.sub, address) || policy.networks.matches("", address) {
            return Err(Denial::new(Reason::Banned));
        }
        if let Some(denial) = self.throttle.of_principal(policy, &principal, now_us) {
            return Err(denial);
        }
        Ok(principal)
    }

    /// The shard on which this principal's limits live, as far as the token is good.
    pub fn home_of(&self, token: &str) -> Option<u16> {
        let policy = self.policy();
        let principal = self.identities.borrow_mut().identify(&policy, Some(token), self.now_us()).ok()?;
        Some(policy.home(&principal, self.shards))
    }

    /// Makes a record durable.
    ///
    /// # Errors
    /// The reason to deny with; what the record speaks of must not happen.
    pub async fn append(&self, record: &Record<'_>, cells: &[RateCell]) -> Result<SeqNo, Reason> {
        let started = Instant::now();
        let appended = self.journal.append(record, cells).await;
        let mut counters = self.counters.borrow_mut();
        match appended {
            Ok(seq) => {
                counters.journal_records += 1;
                counters.append.record(started.elapsed().as_micros() as u64);
                Ok(seq)
            }
            Err(error) => {
                counters.journal_failures += 1;
                drop(counters);
                self.report(&error);
                Err(Reason::JournalUnavailable)
            }
        }
    }

    fn report(&self, error: &JournalError) {
        tracing::error!(shard = self.ix, error = %error, "a record could not be made durable; calls are denied");
    }

    /// What every call of a request has in common.
    pub fn arrival<'a>(&self, headers: &HeaderMap, address: &'a str, now_us: u64) -> Arrival<'a> {
        let call = self.next_call();
        let trace =
            headers.get("traceparent").and_then(|value| value.to_str().ok()).and_then(trace_of).unwrap_or(TraceId(call.0));
        Arrival { now_us, started: Instant::now(), trace, call, address, mcp_session: "", bytes: 0 }
    }

    fn next_call(&self) -> CallId {
        let n = self.calls.get();
        self.calls.set(n + 1);
        let mut id = [0; 16];
        id[..6].copy_from_slice(&self.run);
        id[6..8].copy_from_slice(&self.ix.to_be_bytes());
        id[8..].copy_from_slice(&n.to_be_bytes());
        CallId(id)
    }

    /// A tape to parse onto; give it back with [`Shard::give_tape`].
    pub fn take_tape<'i>(&self) -> Tape<'i> {
        self.tapes.borrow_mut().pop().unwrap_or_else(Tape::null).reset()
    }

    /// Takes a tape back for the next call.
    pub fn give_tape(&self, tape: Tape<'static>) {
        let mut tapes = self.tapes.borrow_mut();
        if tapes.len() < TAPES_MAX {
            tapes.push(tape);
        }
    }

    /// Buffers to check a result with; give them back with [`Shard::give_results`].
    pub fn take_results(&self, policy: &Policy) -> results::Scratch {
        let kept = self.results.borrow_mut().pop();
        kept.unwrap_or_else(|| results::Scratch::new(crate::passage::rules(policy)))
    }

    /// Takes them back for the next result.
    pub fn give_results(&self, scratch: results::Scratch) {
        let mut kept = self.results.borrow_mut();
        if kept.len() < RESULTS_MAX {
            kept.push(scratch);
        }
    }

    /// Puts something into another shard's inbox. A shard that is gone takes nothing; whoever waits for it times out.
    pub fn tell(&self, shard: u16, event: Event) {
        if let Some(peer) = self.peers.get(usize::from(shard)) {
            let _ = peer.unbounded_send(event);
        }
    }

    /// All shards, this one too.
    pub fn everyone(&self) -> &[Sender] {
        &self.peers
    }

    /// A number under which another shard's answer finds who asked.
    pub fn ticket(&self, answer: RateAnswer) -> u64 {
        let ticket = self.next_ticket.get();
        self.next_ticket.set(ticket + 1);
        self.tickets.borrow_mut().insert(ticket, answer);
        ticket
    }

    /// Nobody waits any more.
    pub fn forget_ticket(&self, ticket: u64) {
        self.tickets.borrow_mut().remove(&ticket);
    }

    /// Runs something that a shutdown waits for.
    pub fn spawn(self: &Rc<Self>, task: impl Future<Output = ()> + 'static) {
        let shard = Rc::clone(self);
        self.tasks.set(self.tasks.get() + 1);
        glommio::spawn_local(async move {
            task.await;
            shard.tasks.set(shard.tasks.get() - 1);
        })
        .detach();
    }

    /// The counters as they are now.
    pub fn snapshot_counters(&self) -> Counters {
        let mut counters = self.counters.borrow().clone();
        counters.connections_open = self.connections.open_count() as u64;
        counters.journal_seq = self.journal.progress().written().0;
        counters.rate_keys = self.rates.borrow().len() as u64;
        counters.approvals_waiting = self.approvals.len() as u64;
        counters.principals = self.identities.borrow().len() as u64;
        counters
    }

    /// Answers the inbox until a drain ends, then closes the journal.
    pub async fn run(self: Rc<Self>, mut inbox: mpsc::UnboundedReceiver<Event>) {
        while let Some(event) = inbox.next().await {
            if let Event::Drain { grace } = event {
                self.drain(&mut inbox, grace).await;
                return;
            }
            self.handle(event);
        }
    }

    fn handle(self: &Rc<Self>, event: Event) {
        match event {
            Event::Publish(policy, swapped) => {
                if !policy.shares_scanners(&self.policy.borrow()) {
                    *self.scratch.borrow_mut() = Scratch::new(&policy);
                }
                *self.policy.borrow_mut() = Rc::new(policy);
                let _ = swapped.send(());
            }
            Event::Adopt(handover) => conn::adopt(self, handover),
            Event::Charge { from, ticket, charges, now_us, is_trial: false } => {
                let result = Box::new(self.rates.borrow_mut().check_and_charge(&charges, now_us));
                self.tell(from, Event::Charged { ticket, result });
            }
            Event::Charge { from, ticket, charges, now_us, is_trial: true } => {
                // Who asks waits in vain if the trial has ended here already, and records nothing.
                let shadow = self.shadow.borrow().as_ref().map(Rc::clone);
                if let Some(shadow) = shadow {
                    let result = Box::new(shadow.rates.borrow_mut().check_and_charge(&charges, now_us));
                    self.tell(from, Event::Charged { ticket, result });
                }
            }
            Event::Try(candidate, known) => {
                *self.shadow.borrow_mut() = candidate.map(|policy| Rc::new(Shadow::new(policy)));
                let _ = known.send(());
            }
            Event::Charged { ticket, result } => {
                let waiting = self.tickets.borrow_mut().remove(&ticket);
                if let Some(waiting) = waiting {
                    let _ = waiting.send(result);
                }
            }
            Event::Refund { charges, admitted } => self.rates.borrow_mut().refund(&charges, &admitted, self.now_us()),
            Event::Release { charges, admitted } => self.rates.borrow_mut().release(&charges, &admitted),
            Event::Collect(answer) => {
                let _ = answer.send(self.snapshot_counters());
            }
            Event::Count(asked, answer) => {
                let _ = answer.send(self.count(&asked));
            }
            Event::Append(notice, answer) => {
                let shard = Rc::clone(self);
                self.spawn(async move {
                    let _ = answer.send(shard.append_notice(&notice).await);
                });
            }
            Event::Waiting(answer) => {
                let _ = answer.send(self.approvals.list());
            }
            Event::Answer(answering, told) => {
                let shard = Rc::clone(self);
                self.spawn(async move {
                    let _ = told.send(approval::answer(&shard, *answering).await);
                });
            }
            Event::Status(status) => {
                // The control plane has shards to speak to only when all of them run.
                self.started.set(true);
                self.status.set(status);
            }
            Event::Certificate(tls) => *self.tls.borrow_mut() = Some(tls),
            Event::Metrics(text) => *self.control_metrics.borrow_mut() = text,
            Event::Drain { .. } => self.draining.set(true),
        }
    }

    /// What is used of the limits that live here and count the call.
    fn count(&self, asked: &Asked) -> Vec<Count> {
        let policy = self.policy();
        let Some(server) = policy.server(&asked.server) else { return Vec::new() };
        let standing = Principal::of_claims(asked.claims.clone(), &policy).standing(&policy);
        let call = Call {
            server,
            server_name: &asked.server,
            method: "tools/call",
            name: &asked.tool,
            is_tool: true,
            channel: Channel::Decide,
            arguments: None,
            beside: &[],
            waited: None,
        };
        let mut charges = Charges::new();
        // A call that is refused is charged nothing.
        let _ = policy.charges(&standing, policy.grants.tool(server, &asked.tool), &call, &mut charges);
        let now_us = self.now_us();
        let mut rates = self.rates.borrow_mut();
        let here = charges.iter().filter(|charge| home_shard(charge.key, self.shards) == self.ix);
        here.map(|charge| {
            let (used, of, ends_at_us) = rates.used(charge, now_us);
            if asked.resets {
                rates.reset(charge);
            }
            Count { limit: policy.limit_name(charge.limit).to_owned(), used, of, ends_at_us }
        })
        .collect()
    }

    async fn append_notice(&self, notice: &OwnedNotice) -> Result<SeqNo, Reason> {
        let record = Notice {
            at_us: notice.at_us,
            trace: notice.trace,
            identity: Identity { user: &notice.user, tenant: &notice.tenant, tier: notice.tier, ..Identity::default() },
            verdict: notice.verdict.unwrap_or(Verdict::Allow).code(),
            reason: notice.reason.unwrap_or(Reason::Permitted).code(),
            action: &notice.action,
            subject: &notice.subject,
            generation: notice.generation,
            detail: &notice.detail,
        };
        self.append(&Record::Notice(notice.kind.unwrap_or(EventKind::Process), record), &[]).await
    }

    /// Takes no more connections, ends idle ones, and waits for running calls as long as `grace` says.
    async fn drain(self: &Rc<Self>, inbox: &mut mpsc::UnboundedReceiver<Event>, grace: Duration) {
        self.draining.set(true);
        self.connections.drain();
        self.approvals.stop();
        let until = Instant::now() + grace;
        while (self.tasks.get() > 0 || self.connections.open_count() > 0) && Instant::now() < until {
            // Other shards may still ask for charges that their running calls need.
            let pause = async {
                glommio::timer::Timer::new(Duration::from_millis(5)).await;
                None
            };
            if let Some(event) = futures_lite::future::or(inbox.next(), pause).await {
                self.handle(event);
            }
        }
        self.connections.abort();
        throttle::finish(self).await;
        if let Err(error) = self.journal.clone().close().await {
            self.report(&error);
        }
    }
}

/// The shard that made a call's id.
pub fn shard_of(call: CallId) -> u16 {
    u16::from_be_bytes([call.0[6], call.0[7]])
}

/// The trace id of a W3C `traceparent`; `None` when it is not a valid one.
fn trace_of(traceparent: &str) -> Option<TraceId> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version != "00" || trace.len() != 32 || span.len() != 16 || flags.len() != 2 || parts.next().is_some() {
        return None;
    }
    let trace: TraceId = trace.parse().ok()?;
    (trace.0 != [0; 16]).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_trace_contexts_count() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_of(good).map(|id| id.to_string()).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert_eq!(trace_of(bad), None, "{bad}");
        }
    }
}
