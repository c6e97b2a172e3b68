//! One declared stdio server: its sessions, its spare child, its probes and its health.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::config::StdioServer;
use super::discover::{self, StdioLink};
use super::launch::{self, LaunchError};
use super::limits;
use super::message::{Id, Message, code};
use super::process::{Child, Spawner};
use super::pulse::{Gate, Pulse};
use super::routing::{Ending, Refusal};
use super::session::{Session, Timing};
use super::state::{Health, Publisher};
use super::stream::Event;

/// A stdio server and everything that runs for it.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) name: Arc<str>,
    config: StdioServer,
    spawner: Spawner,
    publisher: Publisher,
    pulse: Arc<Pulse>,
    sessions: Mutex<HashMap<Box<str>, Arc<Session>>>,
    slots: Arc<Semaphore>,
    spare: Mutex<Option<Child>>,
    stop: CancellationToken,
}

/// A session that answered `initialize`.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) answer: Event,
    /// Absent when the answer was an error, which ends the session at once.
    pub(super) session: Option<Arc<Session>>,
}

/// Why no session was opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unavailable {
    #[error("MCP server `{0}` is stopping: try again later")]
    Stopping(Arc<str>),
    #[error("MCP server `{0}` is unhealthy: an operator sees the reason in its state")]
    Unhealthy(Arc<str>, Duration),
    #[error("MCP server `{0}` has all of its {1} sessions in use: end one or try again later")]
    Full(Arc<str>, usize),
    #[error("MCP server `{0}` did not start: {1}")]
    Failed(Arc<str>, String),
}

/// Ends a session whose opening is abandoned.
struct Opening(Option<Arc<Session>>);

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(session) = self.0.take() {
            session.end(Ending::new(code::SESSION_ENDED, "the session was never opened"));
        }
    }
}

impl Server {
    pub(super) fn new(config: StdioServer, spawner: &Spawner, publisher: Publisher, stop: &CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            name: Arc::from(config.name.as_str()),
            slots: Arc::new(Semaphore::new(config.max_sessions)),
            config,
            spawner: spawner.for_another_server(),
            publisher,
            pulse: Arc::default(),
            sessions: Mutex::default(),
            spare: Mutex::default(),
            stop: stop.child_token(),
        })
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spare(&self) -> MutexGuard<'_, Option<Child>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn session(&self, id: &str) -> Option<Arc<Session>> {
        self.sessions().get(id).filter(|session| !session.has_ended()).cloned()
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Opens a session with the client's own `initialize`.
    ///
    /// # Errors
    /// When no child can be had now; the message is for the client.
    pub(super) async fn open(self: &Arc<Self>, id: Id, params: Option<&RawValue>, line: Bytes) -> Result<Opened, Unavailable> {
        let failed = |why: String| Unavailable::Failed(Arc::clone(&self.name), why);
        if self.is_stopping() {
            return Err(Unavailable::Stopping(Arc::clone(&self.name)));
        }
        let slot = Arc::clone(&self.slots)
            .try_acquire_owned()
            .map_err(|_| Unavailable::Full(Arc::clone(&self.name), self.config.max_sessions))?;
        let deadline = Instant::now() + self.config.start_timeout;
        let child = self.take_child(deadline).await?;

        let server = Arc::clone(self);
        let timing = Timing {
            call_timeout: self.config.call_timeout,
            call_timeout_total: self.config.call_timeout_total,
            line_bytes_max: self.config.max_line_bytes,
        };
        let at_end = move |session: &Session| server.forget(session);
        let session = Session::start(&self.name, child, &self.pulse, timing, slot, at_end);
        let mut opening = Opening(Some(Arc::clone(&session)));
        let mut call = session.call(id, "initialize", params, line, false).await.map_err(|refusal| match refusal {
            Refusal::Ended(ending) => failed(ending.message),
            Refusal::Duplicate | Refusal::TooMany => failed("it is busy".into()),
        })?;
        let answer = match tokio::time::timeout_at(deadline, call.attached.receiver.recv()).await {
            Ok(Some(answer)) => answer,
            Ok(None) => return Err(failed("its session ended".into())),
            Err(_) => {
                self.pulse.failed("did not answer `initialize` in time".into());
                return Err(failed("it did not answer `initialize` in time".into()));
            }
        };
        match super::message::parse(&answer.payload) {
            Ok(Message::Response { result: Some(_), .. }) => {
                opening.0 = None;
                self.sessions().insert(session.id.clone(), Arc::clone(&session));
                if self.is_stopping() {
                    session.end(Ending::new(code::SESSION_ENDED, "the server is stopping"));
                }
                // It may have ended between its answer and its entry here.
                if session.has_ended() {
                    self.forget(&session);
                }
                self.publish_session_count();
                // From now on there are timeouts to keep.
                self.pulse.wake();
                Ok(Opened { answer, session: Some(session) })
            }
            // Either the child refused, or it died and this is the error that says so.
            _ => Ok(Opened { answer, session: None }),
        }
    }

    /// Ends a session at its client's wish.
    pub(super) fn close(&self, session: &Session) {
        session.end(Ending::by_client());
        self.forget(session);
    }

    fn forget(&self, session: &Session) {
        self.sessions().remove(&session.id);
        self.publish_session_count();
    }

    fn publish_session_count(&self) {
        let count = self.sessions().len();
        self.publisher.update(|state| std::mem::replace(&mut state.sessions, count) != count);
    }

    /// The spare child or a new one, as soon as the last failures allow.
    async fn take_child(self: &Arc<Self>, deadline: Instant) -> Result<Child, Unavailable> {
        if let Some(spare) = self.spare().take_if(|_| true)
            && !spare.handle.has_exited()
        {
            self.pulse.wake();
            return Ok(spare);
        }
        match self.pulse.gate(&self.config.backoff) {
            Gate::Open => {}
            Gate::From(at) => tokio::time::sleep_until(at.min(deadline)).await,
            Gate::Broken { retry, .. } => {
                let wait = retry.saturating_duration_since(Instant::now());
                return Err(Unavailable::Unhealthy(Arc::clone(&self.name), wait));
            }
        }
        let child = self.spawn().await.map_err(|error| {
            tracing::warn!(server = &*self.name, error = error.in_full(), "cannot start a child");
            self.pulse.failed_for_good(error.in_full());
            Unavailable::Failed(Arc::clone(&self.name), "its process cannot be started".into())
        })?;
        self.watch(&child);
        Ok(child)
    }

    async fn spawn(&self) -> Result<Child, LaunchError> {
        let launch = Arc::new(launch::resolve(&self.config)?);
        self.spawner.spawn(&self.name, &launch, self.config.stop_grace).await
    }

    /// Notices when a child ends without being asked to.
    fn watch(&self, child: &Child) {
        let (handle, pulse, name) = (child.handle.clone(), Arc::clone(&self.pulse), Arc::clone(&self.name));
        tokio::spawn(async move {
            let exit = handle.exited().await;
            if handle.ended_by_itself() {
                tracing::warn!(server = &*name, pid = handle.pid, %exit, "a child ended by itself");
                pulse.died(discover::with_last_words(format!("a process {exit}"), &handle));
            }
        });
    }

    /// Does everything that is due from time to time, until the server stops.
    pub(super) async fn maintain(self: Arc<Self>) {
        let mut schedule = Schedule { probe: None, probed: None };
        while !self.is_stopping() {
            let now = Instant::now();
            self.expire(now);
            let gate = self.pulse.gate(&self.config.backoff);
            self.judge(&gate);
            if self.pulse.take_tools_changed() {
                schedule.probed = schedule.probed.map(|_| Probed::Outdated(now + limits::REDISCOVER_EVERY));
            }
            let probe_at = self.probe_at(&schedule, &gate, now);
            if schedule.probe.is_none() && probe_at.is_some_and(|at| at <= now) {
                let server = Arc::clone(&self);
                schedule.probe = Some(tokio::spawn(async move { server.probe().await }));
            }
            self.keep_spare(&gate).await;
            let busy = !self.sessions().is_empty();
            let wake_at = [probe_at.filter(|_| schedule.probe.is_none()), busy.then(|| now + self.tick())];
            let wake_at = wake_at.into_iter().flatten().min().unwrap_or(now + Duration::from_secs(60));
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.pulse.changed() => {}
                () = tokio::time::sleep_until(wake_at) => {}
                _ = async { if let Some(probe) = &mut schedule.probe { drop(probe.await) } }, if schedule.probe.is_some() => {
                    schedule.probe = None;
                    schedule.probed = Some(Probed::At(Instant::now()));
                }
            }
        }
        if let Some(probe) = schedule.probe {
            probe.abort();
        }
    }

    /// How exactly timeouts are kept.
    fn tick(&self) -> Duration {
        (self.config.call_timeout.min(self.config.idle_ttl) / 8).clamp(Duration::from_millis(10), Duration::from_millis(500))
    }

    fn expire(&self, now: Instant) {
        let sessions: Vec<_> = self.sessions().values().cloned().collect();
        for session in sessions {
            session.expire(now);
            if session.idle_since().is_some_and(|since| since + self.config.idle_ttl <= now) {
                tracing::debug!(server = &*self.name, session = session.short_id(), "an idle session ended");
                session.end(Ending::new(code::SESSION_ENDED, "the session was idle for too long"));
                self.forget(&session);
            }
        }
    }

    /// Publishes what the signs of life add up to.
    fn judge(&self, gate: &Gate) {
        let deaths = self.pulse.deaths();
        self.publisher.update(|state| std::mem::replace(&mut state.restarts, deaths) != deaths);
        let health = match gate {
            Gate::Broken { reason, .. } => Health::Unhealthy(reason.clone()),
            Gate::Open | Gate::From(_) if self.publisher.is_discovered() => Health::Healthy,
            Gate::Open | Gate::From(_) => Health::Starting,
        };
        self.publisher.set_health(health);
    }

    /// When the server is to be probed next; `None` for never.
    fn probe_at(&self, schedule: &Schedule, gate: &Gate, now: Instant) -> Option<Instant> {
        if let Gate::Broken { retry, .. } = gate {
            return Some(*retry);
        }
        let earliest = match gate {
            Gate::From(at) => *at,
            Gate::Open | Gate::Broken { .. } => now,
        };
        match schedule.probed {
            Some(Probed::Outdated(at)) => Some(at.max(earliest)),
            Some(Probed::At(at)) if self.publisher.is_discovered() => {
                let interval = self.config.probe_interval;
                let alive = self.pulse.last_answer().map_or(at, |answer| answer.max(at));
                (!interval.is_zero()).then(|| (alive + interval).max(earliest))
            }
            Some(Probed::At(_)) | None => Some(earliest),
        }
    }

    /// Asks a child of its own for the tools.
    async fn probe(&self) {
        let child = match self.spawn().await {
            Ok(child) => child,
            Err(error) => return self.pulse.failed_for_good(error.in_full()),
        };
        let Child { stdin, stdout, handle } = child;
        let mut link = StdioLink::new(stdin, stdout, self.config.max_line_bytes, self.config.start_timeout);
        let found = discover::legacy(&mut link).await;
        match found {
            Ok(found) => {
                tracing::info!(server = &*self.name, tools = found.tools.len(), version = &*found.version, "discovered");
                self.publisher.update(|state| {
                    found.store(state, SystemTime::now());
                    true
                });
                self.pulse.answered();
            }
            Err(error) if error.is_end() && self.ends_soon(&handle).await => {
                let exit = handle.exited().await;
                self.pulse.died(discover::with_last_words(format!("a process {exit} when probed"), &handle));
            }
            Err(error) => {
                self.pulse.failed(discover::with_last_words(error.to_string(), &handle));
            }
        }
        // The child ends with its input; one that does not is stopped, which ends its output.
        handle.stop();
        link.finish().await;
    }

    async fn ends_soon(&self, handle: &super::process::ChildHandle) -> bool {
        tokio::time::timeout(limits::DRAIN_AFTER_EXIT, handle.exited()).await.is_ok()
    }

    /// Starts a spare child when the server is well and has none.
    async fn keep_spare(&self, gate: &Gate) {
        let present = self.spare().as_ref().is_some_and(|spare| !spare.handle.has_exited());
        if !self.config.warm_spare || present || *gate != Gate::Open || !self.publisher.is_discovered() {
            return;
        }
        match self.spawn().await {
            Ok(child) => {
                self.watch(&child);
                *self.spare() = Some(child);
            }
            Err(error) => self.pulse.failed_for_good(error.in_full()),
        }
    }

    /// Refuses new sessions and requests from now on, and ends the maintenance.
    pub(super) fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// Ends every session and gives the spare child up, at once and without waiting.
    pub(super) fn end_sessions(&self) {
        let sessions: Vec<_> = self.sessions().drain().map(|(_, session)| session).collect();
        for session in sessions {
            session.end(Ending::new(code::SESSION_ENDED, format!("MCP server `{}` was stopped", self.name)));
        }
        drop(self.spare().take());
    }

    /// Lets running calls finish for at most `drain`, then ends every session and waits for the children. The
    /// maintenance must have ended, since it starts children too.
    pub(super) async fn stop(&self, drain: Duration) {
        self.begin_stop();
        let deadline = Instant::now() + drain;
        let waiting = || self.sessions().values().map(|session| session.waiting()).sum::<usize>();
        while waiting() > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.end_sessions();
        let bound = self.config.stop_grace * 2 + Duration::from_secs(3);
        if tokio::time::timeout(bound, self.spawner.all_gone()).await.is_err() {
            tracing::error!(server = &*self.name, "children are still there after SIGKILL");
        }
        self.publish_session_count();
        self.publisher.set_health(Health::Stopped);
    }
}

/// What the maintenance remembers from one turn to the next.
struct Schedule {
    probe: Option<JoinHandle<()>>,
    probed: Option<Probed>,
}

enum Probed {
    At(Instant),
    /// The tools changed since: probe again then.
    Outdated(Instant),
}
