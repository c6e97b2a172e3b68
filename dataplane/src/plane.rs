//! Starting, feeding and stopping the shards. The control plane holds the [`DataPlane`]; shards hold nothing of it.
//! Lives on: its caller's thread.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use futures_channel::{mpsc, oneshot};
use glommio::{ExecutorJoinHandle, LocalExecutorBuilder, Placement};
use wire::decision::Reason;
use wire::frame::RateCell;
use wire::ids::{NodeId, SeqNo};
use wire::record::{Outcome, Record};

use crate::approval::{AnswerError, Answering, WaitingCall};
use crate::chain::rate::{RateKey, RateState, home_shard};
use crate::conn;
use crate::http::KnownHosts;
use crate::inbox::{Asked, Count, Event, OwnedNotice, Sender, Status};
use crate::journal::recovery::{self, Stream, Unfinished};
use crate::journal::{Journal, JournalConfig, Progress, StreamPosition};
use crate::metrics::Counters;
use crate::notes;
use crate::policy::{NodeKeys, Policy};
use crate::shard::{Parts, Shard, shard_of};
use crate::tls::ServerTls;
use crate::upstream::{Target, TargetError};
use crate::{sys, throttle};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;

/// How often a shard notes the state of its rate limits while one segment is written. LIMIT: often enough that a note that
/// fails is made good long before the segment would have gone.
const NOTES_IN_SEGMENT: u32 = 12;

/// What the shards start from.
pub struct Config {
    /// How many shards.
    pub cores: u16,
    /// Where they listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whose journal this is.
    pub node: NodeId,
    /// Keys of this node.
    pub keys: NodeKeys,
    /// What clients are shown; `None` serves them without TLS.
    pub tls: Option<ServerTls>,
    /// Names this gateway is reached by; empty accepts every name.
    pub hosts: Vec<String>,
    /// The control plane's socket.
    pub control_socket: String,
    /// Where streams lie.
    pub journal_dir: PathBuf,
    /// How they are written.
    pub journal: JournalConfig,
    /// What recovery found.
    pub recovered: Vec<Stream>,
    /// Rate keys that one shard may keep.
    pub rate_keys: usize,
    /// What to decide by at first.
    pub policy: Arc<Policy>,
    /// Random bytes of this run.
    pub run: [u8; 6],
}

/// Why the shards do not run. Nothing is left half started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Somebody else listens there.
    #[error("{listen} is taken by another process; stop it, or choose another address with --listen")]
    PortTaken {
        /// Where.
        listen: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: {source}; choose an address of this machine with --listen")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The kernel or a container's seccomp profile refuses io_uring.
    #[error(
        "io_uring is not available ({0}); it needs Linux 5.8 or newer, kernel.io_uring_disabled=0, and in a container a seccomp profile that allows io_uring_setup, io_uring_enter and io_uring_register"
    )]
    IoUring(String),
    /// Rings need locked memory on older kernels.
    #[error(
        "the memlock limit of {limit_kib} KiB is too low for {cores} shards; raise it with `ulimit -l` or LimitMEMLOCK= to at least {need_kib} KiB"
    )]
    Memlock {
        /// What is allowed.
        limit_kib: u64,
        /// For how many.
        cores: u16,
        /// What it takes.
        need_kib: u64,
    },
    /// A shard could not open its part.
    #[error("shard {shard} cannot start: {why}")]
    Shard {
        /// Which.
        shard: u16,
        /// Why.
        why: String,
    },
    /// The control plane's socket has no usable path.
    #[error("control socket cannot be used")]
    Control(#[from] TargetError),
}

/// Running shards.
pub struct DataPlane {
    inboxes: Vec<Sender>,
    threads: Vec<ExecutorJoinHandle<()>>,
    address: SocketAddr,
    progress: Vec<Arc<Progress>>,
    pinned: bool,
    segment_age: Duration,
}

struct Ready {
    shard: u16,
    result: Result<Arc<Progress>, String>,
}

impl DataPlane {
    /// Starts all shards, or none.
    ///
    /// # Errors
    /// [`StartError`] says what to do about it.
    pub fn start(config: Config) -> Result<DataPlane, StartError> {
        check_io_uring()?;
        let listeners = listen(config.listen, config.cores)?;
        let address = listeners.first().and_then(|listener| listener.local_addr().ok()).unwrap_or(config.listen);
        let control = Target::unix(&config.control_socket, "/")?;
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let pinned = usize::from(config.cores) <= cpus;
        let (inboxes, receivers): (Vec<_>, Vec<_>) = (0..config.cores).map(|_| mpsc::unbounded()).unzip();
        let mut starts = divide(&config);
        let recovered: Vec<_> = config.recovered.iter().map(|stream| (stream.dir.clone(), stream.position)).collect();
        let (ready_tx, ready_rx) = std_mpsc::channel();
        let mut threads = Vec::new();
        for (ix, (listener, inbox)) in listeners.into_iter().zip(receivers).enumerate() {
            let start = starts.remove(0);
            let seed = ShardSeed {
                ix: ix as u16,
                listener: listener.into(),
                inbox,
                peers: inboxes.clone(),
                keys: config.keys.clone(),
                hosts: config.hosts.clone(),
                tls: config.tls.clone(),
                control: control.clone(),
                policy: Arc::clone(&config.policy),
                node: config.node,
                journal_dir: config.journal_dir.clone(),
                journal: config.journal.clone(),
                rate_keys: config.rate_keys,
                run: config.run,
                start,
            };
            let placement = if pinned { Placement::Fixed(ix) } else { Placement::Unbound };
            let ready = ready_tx.clone();
            let thread = LocalExecutorBuilder::new(placement)
                .name(&format!("sp-shard-{ix}"))
                // Registered, so resident from the start, and for files that glommio reads and writes: we have none. It takes its least.
                .io_memory(0)
                .spawn(move || async move { seed.run(ready).await })
                .map_err(|error| StartError::Shard { shard: ix as u16, why: error.to_string() })?;
            threads.push(thread);
        }
        drop(ready_tx);
        let segment_age = config.journal.segment_age;
        let plane = DataPlane { inboxes, threads, address, progress: Vec::new(), pinned, segment_age };
        let plane = plane.wait_until_ready(&ready_rx)?;
        for (dir, position) in recovered {
            if let Err(error) = recovery::settle(&dir, position) {
                tracing::warn!(%error, "the next start may record the outcome of the same calls once more");
            }
        }
        Ok(plane)
    }

    fn wait_until_ready(mut self, ready: &std_mpsc::Receiver<Ready>) -> Result<DataPlane, StartError> {
        let mut progress: Vec<Option<Arc<Progress>>> = vec![None; self.inboxes.len()];
        for _ in 0..self.inboxes.len() {
            let failed = match ready.recv() {
                Ok(Ready { shard, result: Ok(part) }) => {
                    progress[usize::from(shard)] = Some(part);
                    continue;
                }
                Ok(Ready { shard, result: Err(why) }) => StartError::Shard { shard, why },
                Err(_) => StartError::Shard { shard: 0, why: "it ended before it was ready".to_owned() },
            };
            self.stop(Duration::ZERO);
            return Err(failed);
        }
        self.progress = progress.into_iter().flatten().collect();
        Ok(self)
    }

    /// Where the shards listen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether every shard has a core of its own.
    pub fn is_pinned(&self) -> bool {
        self.pinned
    }

    /// How far each shard's journal is.
    pub fn progress(&self) -> &[Arc<Progress>] {
        &self.progress
    }

    /// How old a segment gets before another begins.
    pub fn segment_age(&self) -> Duration {
        self.segment_age
    }

    /// A handle for the control plane's tasks.
    pub fn handle(&self) -> Handle {
        Handle { inboxes: self.inboxes.clone() }
    }

    /// Ends all shards: running calls may take `grace`, then journals are closed. Returns when every thread has ended.
    pub fn stop(self, grace: Duration) {
        for inbox in &self.inboxes {
            let _ = inbox.unbounded_send(Event::Drain { grace });
        }
        for thread in self.threads {
            if let Err(error) = thread.join() {
                tracing::error!(%error, "a shard ended badly");
            }
        }
    }
}

/// What the control plane can say to the shards. Never waits for them.
#[derive(Clone)]
pub struct Handle {
    inboxes: Vec<Sender>,
}

impl Handle {
    /// Puts another policy into force, between calls. Returns when every shard that still runs decides by it: no call
    /// that begins afterwards is judged by the one before.
    pub async fn publish(&self, policy: &Arc<Policy>) {
        let mut swapped = Vec::with_capacity(self.inboxes.len());
        for inbox in &self.inboxes {
            let (sender, receiver) = oneshot::channel();
            if inbox.unbounded_send(Event::Publish(Arc::clone(policy), sender)).is_ok() {
                swapped.push(receiver);
            }
        }
        for receiver in swapped {
            // A shard that stops meanwhile decides nothing any more.
            let _ = receiver.await;
        }
    }

    /// Puts a candidate on trial beside the policy in force, or ends the trial. Returns when every shard that still runs
    /// knows.
    pub async fn put_on_trial(&self, candidate: Option<&Arc<Policy>>) {
        let mut known = Vec::with_capacity(self.inboxes.len());
        for inbox in &self.inboxes {
            let (sender, receiver) = oneshot::channel();
            if inbox.unbounded_send(Event::Try(candidate.map(Arc::clone), sender)).is_ok() {
                known.push(receiver);
            }
        }
        for receiver in known {
            let _ = receiver.await;
        }
    }

    /// Tells what the control plane knows about itself.
    pub fn set_status(&self, status: Status) {
        for inbox in &self.inboxes {
            let _ = inbox.unbounded_send(Event::Status(status));
        }
    }

    /// Shows clients another certificate, from their next connection on.
    pub fn set_certificate(&self, tls: &ServerTls) {
        for inbox in &self.inboxes {
            let _ = inbox.unbounded_send(Event::Certificate(tls.clone()));
        }
    }

    /// Tells what the control plane adds to `/metrics`, in Prometheus' text format.
    pub fn set_metrics(&self, text: &Arc<str>) {
        for inbox in &self.inboxes {
            let _ = inbox.unbounded_send(Event::Metrics(Arc::clone(text)));
        }
    }

    /// Makes something of the control plane part of the audit trail.
    ///
    /// # Errors
    /// The reason not to do what it speaks of.
    pub async fn append(&self, notice: OwnedNotice) -> Result<SeqNo, Reason> {
        let (sender, receiver) = oneshot::channel();
        let inbox = self.inboxes.first().ok_or(Reason::JournalUnavailable)?;
        inbox.unbounded_send(Event::Append(Box::new(notice), sender)).map_err(|_| Reason::Draining)?;
        receiver.await.map_err(|_| Reason::Draining)?
    }

    /// The calls of every shard that wait for a person, the oldest first.
    pub async fn waiting(&self) -> Vec<WaitingCall> {
        let mut all = Vec::new();
        for inbox in &self.inboxes {
            let (sender, receiver) = oneshot::channel();
            if inbox.unbounded_send(Event::Waiting(sender)).is_ok()
                && let Ok(waiting) = receiver.await
            {
                all.extend(waiting);
            }
        }
        all.sort_by_key(|waiting| waiting.asked_at_us);
        all
    }

    /// Brings a person's answer to the call that waits for it.
    ///
    /// # Errors
    /// [`AnswerError`]: the call is not made.
    pub async fn answer(&self, answering: Answering) -> Result<WaitingCall, AnswerError> {
        let home = self.inboxes.get(usize::from(shard_of(answering.call))).ok_or(AnswerError::NotWaiting)?;
        let (sender, receiver) = oneshot::channel();
        let sent = home.unbounded_send(Event::Answer(Box::new(answering), sender));
        sent.map_err(|_| AnswerError::NotWaiting)?;
        receiver.await.map_err(|_| AnswerError::NotWaiting)?
    }

    /// What is used of the limits that a call falls under, wherever each of them lives.
    pub async fn counts(&self, asked: Asked) -> Vec<Count> {
        let mut all = Vec::new();
        for inbox in &self.inboxes {
            let (sender, receiver) = oneshot::channel();
            if inbox.unbounded_send(Event::Count(Box::new(asked.clone()), sender)).is_ok()
                && let Ok(counts) = receiver.await
            {
                all.extend(counts);
            }
        }
        all.sort_by(|a, b| a.limit.cmp(&b.limit));
        all
    }

    /// The counters of every shard.
    pub async fn counters(&self) -> Vec<Counters> {
        let mut all = Vec::new();
        for inbox in &self.inboxes {
            let (sender, receiver) = oneshot::channel();
            if inbox.unbounded_send(Event::Collect(sender)).is_ok()
                && let Ok(counters) = receiver.await
            {
                all.push(counters);
            }
        }
        all
    }
}

/// What one shard goes on from.
struct Start {
    position: StreamPosition,
    cells: Vec<RateCell>,
    rate_time_us: u64,
    /// Cells that the shard of this number knew of before; some may live elsewhere now.
    known: Vec<RateCell>,
    unfinished: Vec<Unfinished>,
}

/// Gives every shard its stream, the rate cells whose home it is now, and the calls that lost their outcome.
fn divide(config: &Config) -> Vec<Start> {
    let mut starts: Vec<Start> = (0..config.cores)
        .map(|shard| Start {
            position: StreamPosition::genesis(config.node, shard),
            cells: Vec::new(),
            // Keys may have moved here from any other shard.
            known: Vec::new(),
            rate_time_us: config.recovered.iter().map(|stream| stream.rate_time_us).max().unwrap_or(0),
            unfinished: Vec::new(),
        })
        .collect();
    for stream in &config.recovered {
        let home = stream.shard.min(config.cores - 1);
        if stream.shard < config.cores {
            starts[usize::from(home)].position = stream.position;
            starts[usize::from(home)].known = stream.cells.values().copied().collect();
        }
        starts[usize::from(home)].unfinished.extend(stream.unfinished.iter().cloned());
        for cell in stream.cells.values() {
            starts[usize::from(home_shard(RateKey(cell.key), config.cores))].cells.push(*cell);
        }
    }
    starts
}

/// Everything that crosses into a shard's thread.
struct ShardSeed {
    ix: u16,
    listener: OwnedFd,
    inbox: mpsc::UnboundedReceiver<Event>,
    peers: Vec<Sender>,
    keys: NodeKeys,
    hosts: Vec<String>,
    tls: Option<ServerTls>,
    control: Target,
    policy: Arc<Policy>,
    node: NodeId,
    journal_dir: PathBuf,
    journal: JournalConfig,
    rate_keys: usize,
    run: [u8; 6],
    start: Start,
}

impl ShardSeed {
    async fn run(self, ready: std_mpsc::Sender<Ready>) {
        let (ix, note_every) = (self.ix, self.journal.segment_age / NOTES_IN_SEGMENT);
        match self.prepare().await {
            Err(why) => {
                let _ = ready.send(Ready { shard: ix, result: Err(why) });
            }
            Ok((shard, inbox, listener, progress)) => {
                let _ = ready.send(Ready { shard: ix, result: Ok(progress) });
                let accepting = glommio::spawn_local(conn::accept(std::rc::Rc::clone(&shard), listener));
                let sweeping = glommio::spawn_local(conn::sweep(std::rc::Rc::clone(&shard)));
                let noting = glommio::spawn_local(notes::keep(std::rc::Rc::clone(&shard), note_every));
                let throttling = glommio::spawn_local(throttle::keep(std::rc::Rc::clone(&shard)));
                shard.run(inbox).await;
                noting.cancel().await;
                throttling.cancel().await;
                accepting.cancel().await;
                sweeping.cancel().await;
            }
        }
    }

    #[allow(clippy::type_complexity, reason = "named parts of one start, taken apart at once")]
    async fn prepare(
        self,
    ) -> Result<(std::rc::Rc<Shard>, mpsc::UnboundedReceiver<Event>, glommio::net::TcpListener, Arc<Progress>), String> {
        let journal = Journal::open(&self.journal_dir, self.node, self.ix, self.start.position, self.journal)
            .await
            .map_err(|error| error.to_string())?;
        let progress = Arc::clone(journal.progress());
        let mut rates = RateState::new(self.rate_keys);
        let now_us =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
        rates.resume(self.start.rate_time_us, now_us);
        for cell in &self.start.cells {
            rates.restore(cell, now_us).map_err(|error| error.to_string())?;
        }
        let shard = Shard::new(Parts {
            ix: self.ix,
            keys: self.keys,
            hosts: KnownHosts(self.hosts),
            tls: self.tls,
            control: Some(self.control),
            policy: self.policy,
            journal,
            rates,
            peers: self.peers,
            run: self.run,
        });
        notes::first(&shard, &self.start.known).map_err(|error| error.to_string())?;
        finish(&shard, &self.start.unfinished).await?;
        Ok((shard, self.inbox, sys::listener(self.listener), progress))
    }
}

/// Completes what a crash left open: allowed calls of which nobody knows how they ended.
async fn finish(shard: &Shard, unfinished: &[Unfinished]) -> Result<(), String> {
    if unfinished.is_empty() {
        return Ok(());
    }
    for call in unfinished {
        let outcome = Outcome {
            at_us: shard.now_us(),
            trace: call.trace,
            call: call.call,
            decision_seq: call.seq.0,
            status: wire::decision::OutcomeStatus::Unknown.code(),
            http_status: 0,
            rpc_code: 0,
            reply_bytes: 0,
            duration_us: 0,
            upstream: "",
            attempts: 0,
            redactions: 0,
            cost_microusd: 0,
            error: "the gateway stopped before the call ended",
        };
        shard.append(&Record::Outcome(outcome), &[]).await.map_err(|reason| reason.explain().to_owned())?;
    }
    // The decisions are about to count as settled, which must not outlive their outcomes.
    shard.journal.flush_and_sync().await.map_err(|error| error.to_string())
}

/// One listener per shard on the same address. The kernel spreads connections over them.
fn listen(address: SocketAddr, cores: u16) -> Result<Vec<TcpListener>, StartError> {
    use socket2::{Domain, Protocol, Socket, Type};
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortTaken { listen: address },
        _ => StartError::Listen { listen: address, source },
    };
    let bind = |address: SocketAddr, shared: bool| -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM.cloexec(), Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(shared)?;
        socket.bind(&address.into())?;
        Ok(socket)
    };
    // Another process of ours could share the port without anybody noticing; one that is not shared finds it taken.
    if address.port() != 0 {
        drop(bind(address, false).map_err(failed)?);
    }
    let mut listeners: Vec<TcpListener> = Vec::new();
    for _ in 0..cores {
        let address = listeners.first().and_then(|first| first.local_addr().ok()).unwrap_or(address);
        let socket = bind(address, true).map_err(failed)?;
        socket.listen(BACKLOG).map_err(failed)?;
        listeners.push(socket.into());
    }
    Ok(listeners)
}

/// Whether a ring can be made at all, asked before anything is started.
///
/// # Errors
/// What is in the way.
pub fn check_io_uring() -> Result<(), StartError> {
    let tried =
        std::thread::spawn(|| LocalExecutorBuilder::new(Placement::Unbound).make().map(drop).map_err(|error| error.to_string()));
    match tried.join() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) if why.contains("memlock") || why.contains("ENOMEM") || why.contains("Cannot allocate memory") => {
            let limit = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_MEMLOCK).map_or(0, |(soft, _)| soft);
            Err(StartError::Memlock { limit_kib: limit / 1024, cores: 1, need_kib: 512 })
        }
        Ok(Err(why)) => Err(StartError::IoUring(why)),
        Err(_) => Err(StartError::IoUring("the kernel refused to set one up".to_owned())),
    }
}
