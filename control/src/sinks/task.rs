//! One sink's task: read, send, settle, note; and what follows a failure.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use dataplane::journal::StreamPosition;
use jiff::Timestamp;
use schema::services::sinks::Begin;
use tokio::sync::watch;
use wire::ids::SeqNo;

use super::config::SinkConfig;
use super::feed::{self, Feed};
use super::target::{SendError, Target};
use super::watermark::Watermark;
use super::{Order, SinkStatus, SinksConfig};
use crate::logs::event::AuditEvent;

/// LIMIT: events of one request.
const BATCH_EVENTS_MAX: usize = 500;
/// How soon a quiet journal is looked at again.
const POLL: Duration = Duration::from_millis(100);
/// LIMIT: after a failure the next attempt comes about this soon, then twice as late each time.
const BACKOFF_MIN: Duration = Duration::from_millis(200);
/// LIMIT: a system that is away is tried at least this often.
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// LIMIT: longest wait that a system may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);
/// How often the watermark is written while events flow: what is sent twice after a crash.
const SAVE_EVERY: Duration = Duration::from_millis(500);
/// LIMIT: bytes of refused events that are kept. A system that refuses more than this refuses everything.
const REFUSED_BYTES_MAX: u64 = 64 << 20;

pub(super) struct Task {
    shared: SinksConfig,
    config: SinkConfig,
    orders: watch::Receiver<Order>,
    status: watch::Sender<SinkStatus>,
    watermark: Watermark,
    saved: Watermark,
    saved_at: Instant,
    /// Batches that the target took so far.
    batch_count: u64,
    /// Lots that are sent and not settled.
    in_flight: VecDeque<InFlight>,
}

/// A lot that was sent.
struct InFlight {
    shard: u16,
    /// Where the stream stands behind it.
    to: StreamPosition,
    /// How many of its events were taken.
    taken: u64,
    /// Its last batch, counted as [`Task::batch_count`] does.
    batch: u64,
}

/// The task was told to end while it waited.
struct Ended;

impl Task {
    pub(super) fn new(
        shared: SinksConfig,
        config: SinkConfig,
        orders: watch::Receiver<Order>,
    ) -> (Task, watch::Receiver<SinkStatus>) {
        let (status, seen) = watch::channel(SinkStatus {
            name: config.name.clone(),
            kind: config.target.kind(),
            state: "starting",
            reason: None,
            delivered: 0,
            refused: 0,
            lost: 0,
            behind: 0,
            failures: 0,
            delivered_at: None,
        });
        let task = Task {
            shared,
            config,
            orders,
            status,
            watermark: Watermark::default(),
            saved: Watermark::default(),
            saved_at: Instant::now(),
            batch_count: 0,
            in_flight: VecDeque::new(),
        };
        (task, seen)
    }

    /// Sends until told to end.
    pub(super) async fn run(mut self) {
        let mut backoff = BACKOFF_MIN;
        let mut feeds = loop {
            match self.begin().await {
                Ok(feeds) => break feeds,
                Err(why) => {
                    if self.wait(SendError::Later { why, after: None, is_blocked: true }, &mut backoff).await.is_err() {
                        return;
                    }
                }
            }
        };
        let mut target = loop {
            match Target::new(&self.config) {
                Ok(target) => break target,
                Err(error) => {
                    if self.wait(error, &mut backoff).await.is_err() {
                        return;
                    }
                }
            }
        };
        let ended = self.ship(&mut feeds, &mut target).await;
        drop(ended);
        self.save(true).await;
    }

    /// Finds the place in every stream; a new sink's place is written down before anything is sent.
    async fn begin(&mut self) -> Result<Vec<Feed>, String> {
        let path = self.path();
        let loaded = tokio::task::spawn_blocking(move || Watermark::load(&path)).await;
        let loaded = loaded.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        let is_new = loaded.is_none();
        self.watermark = loaded.unwrap_or_default();
        let mut feeds = Vec::new();
        for source in self.shared.sources.iter() {
            let (node, shard, dir) = (self.shared.node, source.shard, source.dir.clone());
            let position = match self.watermark.streams.get(&shard) {
                Some(place) => (*place).into(),
                // A stream that a sink does not know yet is as new as its shard, unless the sink is new itself.
                None if !is_new || self.config.begin == Begin::Oldest => StreamPosition::genesis(node, shard),
                None => {
                    let through = (source.synced)();
                    let found = tokio::task::spawn_blocking(move || feed::position_at(&dir, node, shard, through)).await;
                    found.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?
                }
            };
            self.watermark.streams.insert(shard, position.into());
            feeds.push(Feed::new(node, shard, &source.dir, position));
        }
        if is_new {
            self.save(true).await;
        }
        Ok(feeds)
    }

    async fn ship(&mut self, feeds: &mut [Feed], target: &mut Target) -> Result<(), Ended> {
        let mut backoff = BACKOFF_MIN;
        loop {
            // Read before `synced`: what is synced when the order comes is then sent for certain.
            let draining = *self.orders.borrow_and_update() == Order::Drain;
            let mut moved = false;
            for feed in feeds.iter_mut() {
                let shard = feed.shard();
                let through = self.through(shard);
                match feed.read(through, &self.shared.database).await {
                    Ok(Some(lot)) => {
                        moved = true;
                        self.watermark.lost += lot.lost;
                        if lot.lost > 0 {
                            tracing::error!(
                                sink = self.config.name,
                                shard,
                                lost = lot.lost,
                                "retention dropped events that this sink had not got"
                            );
                        }
                        let events: Vec<AuditEvent> = lot.events.into_iter().filter(|event| self.config.admits(event)).collect();
                        let taken = self.deliver(target, events).await?;
                        self.in_flight.push_back(InFlight { shard, to: lot.to, taken, batch: self.batch_count });
                        backoff = BACKOFF_MIN;
                    }
                    Ok(None) => {}
                    Err(why) => self.wait(SendError::Later { why, after: None, is_blocked: true }, &mut backoff).await?,
                }
                self.settle(target).await?;
            }
            self.note(feeds);
            self.save(!moved).await;
            if !moved {
                if draining {
                    return Ok(());
                }
                let _ = tokio::time::timeout(POLL, self.orders.changed()).await;
            }
        }
    }

    /// Sends events until each is taken or refused. Says how many were taken.
    async fn deliver(&mut self, target: &mut Target, events: Vec<AuditEvent>) -> Result<u64, Ended> {
        let mut work: VecDeque<Vec<AuditEvent>> = VecDeque::new();
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            work.push_back(events.by_ref().take(BATCH_EVENTS_MAX).collect());
        }
        let (mut backoff, mut taken_count) = (BACKOFF_MIN, 0);
        while let Some(batch) = work.pop_front() {
            match target.send(&batch).await {
                Ok(taken) => {
                    self.batch_count += 1;
                    let rest: Vec<AuditEvent> = taken.again.iter().filter_map(|place| batch.get(*place).cloned()).collect();
                    taken_count += (batch.len() - rest.len()).saturating_sub(taken.refused.len()) as u64;
                    for (place, why) in taken.refused {
                        if let Some(event) = batch.get(place) {
                            self.refuse(event, &why).await?;
                        }
                    }
                    let is_stuck = rest.len() == batch.len();
                    if !rest.is_empty() {
                        work.push_front(rest);
                    }
                    if is_stuck {
                        self.wait(SendError::later("the system is busy"), &mut backoff).await?;
                    } else {
                        backoff = BACKOFF_MIN;
                        self.say(|status| {
                            status.state = "shipping";
                            status.reason = None;
                            status.delivered_at = Some(Timestamp::now());
                        });
                    }
                }
                Err(SendError::Refused(why)) => match batch.as_slice() {
                    [] => {}
                    [event] => self.refuse(event, &why).await?,
                    _ => {
                        let mut first = batch;
                        let second = first.split_off(first.len() / 2);
                        work.push_front(second);
                        work.push_front(first);
                    }
                },
                Err(error @ SendError::Later { .. }) => {
                    work.push_front(batch);
                    self.wait(error, &mut backoff).await?;
                }
            }
        }
        Ok(taken_count)
    }

    /// Moves the watermark behind what has arrived for certain.
    async fn settle(&mut self, target: &mut Target) -> Result<(), Ended> {
        let mut backoff = BACKOFF_MIN;
        let unsettled = loop {
            match target.unsettled().await {
                Ok(count) => break count,
                Err(error) => self.wait(error, &mut backoff).await?,
            }
        };
        let settled = self.batch_count - (unsettled as u64).min(self.batch_count);
        while self.in_flight.front().is_some_and(|lot| lot.batch <= settled) {
            let Some(lot) = self.in_flight.pop_front() else { break };
            self.watermark.streams.insert(lot.shard, lot.to.into());
            self.watermark.delivered += lot.taken;
        }
        Ok(())
    }

    /// Keeps an event that was refused for what it is beside the watermark, so that nothing is lost by it.
    async fn refuse(&mut self, event: &AuditEvent, why: &str) -> Result<(), Ended> {
        let path = self.path().with_extension("refused.jsonl");
        let line = serde_json::json!({ "why": why, "event": event }).to_string() + "\n";
        let mut backoff = BACKOFF_MIN;
        loop {
            let (path, line) = (path.clone(), line.clone());
            let kept = tokio::task::spawn_blocking(move || keep(&path, &line)).await;
            let error = match kept {
                Ok(Ok(())) => break,
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            let why = format!("the system refuses events ({why}), and no more of them can be kept: {error}");
            self.wait(SendError::Later { why, after: None, is_blocked: true }, &mut backoff).await?;
        }
        tracing::error!(
            sink = self.config.name,
            event = event.id,
            why,
            "an event was refused; it lies in the sink's file of refused events"
        );
        self.watermark.refused += 1;
        Ok(())
    }

    /// Waits for the next attempt: the longer the more failed before it, and never all sinks at the same moment.
    async fn wait(&mut self, error: SendError, backoff: &mut Duration) -> Result<(), Ended> {
        let (why, after, is_blocked) = match error {
            SendError::Later { why, after, is_blocked } => (why, after, is_blocked),
            SendError::Refused(why) => (why, None, true),
        };
        let state = if is_blocked { "blocked" } else { "waiting" };
        if self.status.borrow().state != state {
            tracing::warn!(sink = self.config.name, state, reason = why, "a sink takes no events; it is tried again");
        }
        self.say(|status| {
            status.state = state;
            status.reason = Some(why);
            status.failures += 1;
        });
        self.note_behind();
        self.save(false).await;
        let share = f64::from(uuid::Uuid::new_v4().as_u128() as u32) / f64::from(u32::MAX);
        let wait = after.map_or(*backoff, |after| after.min(RETRY_AFTER_MAX)).mul_f64(0.5 + share / 2.0);
        *backoff = (*backoff * 2).min(BACKOFF_MAX);
        let until = tokio::time::Instant::now() + wait;
        loop {
            // A sink that cannot send holds up nobody's end.
            if *self.orders.borrow_and_update() == Order::Drain {
                return Err(Ended);
            }
            match tokio::time::timeout_at(until, self.orders.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Ended),
                Err(_) => return Ok(()),
            }
        }
    }

    fn through(&self, shard: u16) -> SeqNo {
        self.shared.sources.iter().find(|source| source.shard == shard).map_or(SeqNo(0), |source| (source.synced)())
    }

    fn note(&self, feeds: &[Feed]) {
        let is_waiting = self.status.borrow().state != "shipping";
        let is_behind = feeds.iter().any(|feed| feed.position().seq < self.through(feed.shard()));
        self.say(|status| {
            // A sink that has nothing to send is well as far as anybody knows.
            if is_waiting && !is_behind {
                status.state = "shipping";
                status.reason = None;
            }
        });
        self.note_behind();
    }

    fn note_behind(&self) {
        let at = |shard: u16| self.watermark.streams.get(&shard).map_or(0, |place| StreamPosition::from(*place).seq.0);
        let behind = self.shared.sources.iter().map(|source| (source.synced)().0.saturating_sub(at(source.shard))).sum();
        self.say(|status| {
            status.behind = behind;
            status.delivered = self.watermark.delivered;
            status.refused = self.watermark.refused;
            status.lost = self.watermark.lost;
        });
    }

    fn say(&self, change: impl FnOnce(&mut SinkStatus)) {
        self.status.send_if_modified(|status| {
            let before = status.clone();
            change(status);
            *status != before
        });
    }

    /// Writes the watermark down, now and then. That it fails is no reason not to send: events come twice then.
    async fn save(&mut self, now: bool) {
        if self.watermark == self.saved || (!now && self.saved_at.elapsed() < SAVE_EVERY) {
            return;
        }
        let (watermark, path) = (self.watermark.clone(), self.path());
        match tokio::task::spawn_blocking(move || watermark.save(&path)).await {
            Ok(Ok(())) => self.saved = self.watermark.clone(),
            Ok(Err(error)) => tracing::warn!(sink = self.config.name, %error, "a watermark cannot be written"),
            Err(error) => tracing::warn!(sink = self.config.name, %error, "a watermark cannot be written"),
        }
        self.saved_at = Instant::now();
    }

    fn path(&self) -> PathBuf {
        self.shared.dir.join(format!("{}.json", self.config.name))
    }
}

fn keep(path: &std::path::Path, line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let mut file = std::fs::File::options().append(true).create(true).mode(0o600).open(path)?;
    if file.metadata()?.len() + line.len() as u64 > REFUSED_BYTES_MAX {
        return Err(std::io::Error::other(format!("`{}` is full; see why, and move it away", path.display())));
    }
    file.write_all(line.as_bytes())?;
    file.sync_data()
}
