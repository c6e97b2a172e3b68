//! One client session and its child: what the client posts goes in by the pipe, what comes out finds its stream.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::io::AsyncWriteExt;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;

use super::limits;
use super::lines::{LineError, Lines};
use super::message::{self, Id, Message, code};
use super::process::{Child, Leash, printable, random_u128};
use super::pulse::Pulse;
use super::routing::{Answered, Delivery, Ending, Patience, Refusal, Routes};
use super::stream::{Attached, Event};

/// A session. Its child lives as long as it does.
#[derive(Debug)]
pub(super) struct Session {
    /// Unguessable.
    pub(super) id: Box<str>,
    server: Arc<str>,
    child: Leash,
    stdin: mpsc::Sender<Bytes>,
    routes: Mutex<Routes>,
    usage: Mutex<Usage>,
    pulse: Arc<Pulse>,
    call_timeout: Duration,
    call_timeout_total: Duration,
    /// One of the server's `max_sessions`.
    _slot: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Usage {
    exchanges: usize,
    last: Instant,
    version: Option<Box<str>>,
}

/// Something of the client is open: the session is not idle while this lives.
#[derive(Debug)]
pub(super) struct Presence(Arc<Session>);

impl Drop for Presence {
    fn drop(&mut self) {
        let mut usage = self.0.usage();
        usage.exchanges -= 1;
        usage.last = Instant::now();
    }
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) stream: u32,
    pub(super) attached: Attached,
}

/// What the session needs to know of its server's declaration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) call_timeout: Duration,
    pub(super) call_timeout_total: Duration,
    pub(super) line_bytes_max: usize,
}

impl Session {
    /// Takes a child over. `at_end` runs once, when the child is gone or its output cannot be used.
    pub(super) fn start(
        server: &Arc<str>,
        child: Child,
        pulse: &Arc<Pulse>,
        timing: Timing,
        slot: OwnedSemaphorePermit,
        at_end: impl FnOnce(&Session) + Send + 'static,
    ) -> Arc<Self> {
        let Child { stdin, stdout, handle } = child;
        let (queue, lines) = mpsc::channel(limits::STDIN_QUEUE);
        let session = Arc::new(Self {
            id: format!("{:032x}", random_u128()).into(),
            server: Arc::clone(server),
            child: handle,
            stdin: queue,
            routes: Mutex::new(Routes::new()),
            usage: Mutex::new(Usage { exchanges: 0, last: Instant::now(), version: None }),
            pulse: Arc::clone(pulse),
            call_timeout: timing.call_timeout,
            call_timeout_total: timing.call_timeout_total,
            _slot: slot,
        });
        let writer = Arc::clone(&session);
        tokio::spawn(async move { writer.write(stdin, lines).await });
        let reader = Arc::clone(&session);
        tokio::spawn(async move {
            let ending = reader.read(stdout, timing.line_bytes_max).await;
            reader.end(ending);
            at_end(&reader);
        });
        session
    }

    fn routes(&self) -> MutexGuard<'_, Routes> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn patience(&self) -> Patience {
        Patience::Limited { now: Instant::now(), silence: self.call_timeout, total: self.call_timeout_total }
    }

    /// Marks the session as used for as long as the result lives.
    pub(super) fn enter(self: &Arc<Self>) -> Presence {
        self.usage().exchanges += 1;
        Presence(Arc::clone(self))
    }

    /// Since when nothing of the client is open; `None` while something is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let usage = self.usage();
        (usage.exchanges == 0 && self.routes().waiting() == 0).then_some(usage.last)
    }

    /// Calls somebody waits for.
    pub(super) fn waiting(&self) -> usize {
        self.routes().waiting()
    }

    /// Whether the client's version allows an event without data, which older clients try to parse.
    pub(super) fn opens_streams(&self) -> bool {
        self.usage().version.as_deref().is_some_and(|version| version >= "2025-11-25")
    }

    pub(super) fn has_ended(&self) -> bool {
        self.routes().ending().is_some()
    }

    /// Sends `initialize` or another request to the child. Whoever calls limits the time of `initialize`.
    pub(super) async fn call(
        &self,
        id: Id,
        method: &str,
        params: Option<&RawValue>,
        line: Bytes,
        takes_events: bool,
    ) -> Result<Call, Refusal> {
        let token = message::progress_token_asked(params);
        let patience = if method == "initialize" { Patience::Unlimited } else { self.patience() };
        // The place in the queue comes first: whoever drops this future before has left no trace.
        let place = self.place().await?;
        let (stream, attached) = self.routes().begin(id, token, patience, takes_events)?;
        place.send(line);
        Ok(Call { stream, attached })
    }

    /// Passes a notification of the client on; `notifications/cancelled` also ends the wait for the answer.
    pub(super) async fn notify(&self, method: &str, params: Option<&RawValue>, line: Bytes) -> Result<(), Refusal> {
        self.place().await?.send(line);
        if method == "notifications/cancelled"
            && let Some(id) = message::cancelled_request(params)
        {
            let delivery = self.routes().give_up(&id, code::CANCELLED, "cancelled by the client");
            self.hand_over(delivery);
        }
        Ok(())
    }

    /// Passes an answer of the client on, if the child asked for it.
    pub(super) async fn answer(&self, id: &Id, line: Bytes) -> Result<(), Refusal> {
        let place = self.place().await?;
        let patience = self.patience();
        if self.routes().client_answered(id, patience) {
            place.send(line);
        } else {
            tracing::debug!(server = &*self.server, session = self.short_id(), %id, "dropped an answer nobody asked for");
        }
        Ok(())
    }

    /// A place in the queue to the child, which waits while the child does not read.
    async fn place(&self) -> Result<mpsc::Permit<'_, Bytes>, Refusal> {
        let ended = || {
            let ending = self.routes().ending().cloned();
            Refusal::Ended(ending.unwrap_or_else(|| Ending::new(code::SESSION_ENDED, "the session is ending")))
        };
        match tokio::time::timeout(self.call_timeout, self.stdin.reserve()).await {
            Ok(Ok(place)) if !self.child.is_stopping() => Ok(place),
            Ok(_) => Err(ended()),
            Err(_) => {
                let message = format!("MCP server `{}` does not read its input", self.server);
                self.end(Ending::new(code::TIMED_OUT, message));
                Err(ended())
            }
        }
    }

    /// Opens the GET stream.
    pub(super) fn listen(&self) -> Option<Attached> {
        self.routes().listen()
    }

    /// Continues a stream.
    pub(super) fn resume(&self, stream: u32, after: u64) -> Option<Attached> {
        self.routes().resume(stream, after)
    }

    /// The client is about to learn event ids of this stream; false when it ended already.
    pub(super) fn make_resumable(&self, stream: u32) -> bool {
        self.routes().make_resumable(stream)
    }

    /// Gives up the calls whose time is over, and the session if the child is stuck.
    pub(super) fn expire(&self, now: Instant) {
        let overdue = self.routes().overdue(now);
        for id in overdue {
            let message = format!("MCP server `{}` did not answer in time", self.server);
            let delivery = self.routes().give_up(&id, code::TIMED_OUT, &message);
            tracing::warn!(server = &*self.server, session = self.short_id(), %id, "a call timed out");
            self.hand_over(delivery);
            let line = Bytes::from(message::cancellation(&id, "no answer in time"));
            // A child that does not read either will not miss it.
            drop(self.stdin.try_send(line));
        }
        if self.routes().given_up() >= limits::UNANSWERED_MAX {
            self.pulse.failed(format!("left {} calls unanswered", limits::UNANSWERED_MAX));
            let message = format!("MCP server `{}` left too many calls unanswered", self.server);
            self.end(Ending::new(code::TIMED_OUT, message));
        }
    }

    /// Ends the session and begins to stop its child. Only the first reason counts.
    pub(super) fn end(&self, ending: Ending) {
        let last = self.routes().end(ending);
        for delivery in last {
            self.hand_over(Some(delivery));
        }
        self.child.stop();
    }

    /// Enough of the id to find the session in a log, not enough to use it.
    pub(super) fn short_id(&self) -> &str {
        self.id.get(..8).unwrap_or_default()
    }

    async fn write(&self, mut stdin: ChildStdin, mut lines: mpsc::Receiver<Bytes>) {
        loop {
            let line = tokio::select! {
                biased;
                () = self.child.stopping() => return,
                line = lines.recv() => line,
            };
            let Some(line) = line else { return };
            let written = tokio::select! {
                biased;
                () = self.child.stopping() => return,
                written = write_line(&mut stdin, &line) => written,
            };
            if let Err(error) = written {
                tracing::debug!(server = &*self.server, session = self.short_id(), %error, "the child takes no more input");
                // Its death, if that is the cause, is noticed and told by the reader; a living child gets a moment to die.
                if tokio::time::timeout(limits::DRAIN_AFTER_EXIT, self.child.exited()).await.is_err() {
                    let message = format!("MCP server `{}` closed its input", self.server);
                    self.blame("closed its input");
                    self.end(Ending::new(code::SERVER_DIED, message));
                }
                return;
            }
        }
    }

    async fn read(&self, stdout: ChildStdout, line_bytes_max: usize) -> Ending {
        let mut lines = Lines::new(stdout, line_bytes_max);
        let mut junk = 0;
        let drained = async {
            self.child.exited().await;
            tokio::time::sleep(limits::DRAIN_AFTER_EXIT).await;
        };
        tokio::pin!(drained);
        loop {
            let line = tokio::select! {
                line = lines.next() => line,
                () = &mut drained => Ok(None),
            };
            match line {
                // An ended session still reads, so that its child can end in peace.
                Ok(Some(_)) if self.child.is_stopping() => {}
                Ok(Some(line)) if line.iter().all(u8::is_ascii_whitespace) => {}
                Ok(Some(line)) => {
                    if let Err(error) = self.take(&line).await {
                        junk += 1;
                        self.log_junk(junk, &line, &error);
                    }
                    if junk > limits::JUNK_LINES_MAX {
                        self.blame("writes something else than JSON-RPC to its standard output");
                        let message = format!("MCP server `{}` does not speak JSON-RPC", self.server);
                        return Ending::new(code::SERVER_DIED, message);
                    }
                }
                Ok(None) => return self.death().await,
                Err(error) => {
                    let message = format!("MCP server `{}` wrote {error}", self.server);
                    tracing::warn!(server = &*self.server, session = self.short_id(), %error, "session ended");
                    if matches!(error, LineError::TooLong(_)) {
                        self.blame(&format!("wrote {error}"));
                    }
                    return Ending::new(code::SERVER_DIED, message);
                }
            }
        }
    }

    /// Counts a failure of the server, unless the child is on its way out anyway.
    fn blame(&self, reason: &str) {
        if !self.child.is_stopping() {
            self.pulse.failed(reason.to_owned());
        }
    }

    /// The output ended: says how the child did.
    async fn death(&self) -> Ending {
        let wait = tokio::time::timeout(limits::DRAIN_AFTER_EXIT, self.child.exited());
        let message = match wait.await {
            Ok(exit) => format!("MCP server `{}` {exit}", self.server),
            Err(_) => {
                self.blame("closed its standard output");
                format!("MCP server `{}` closed its output", self.server)
            }
        };
        Ending::new(code::SERVER_DIED, message)
    }

    fn log_junk(&self, count: u32, line: &[u8], error: &message::Malformed) {
        let text = printable(line);
        if count <= limits::JUNK_LINES_LOGGED {
            tracing::warn!(server = &*self.server, session = self.short_id(), %error, "standard output is for JSON-RPC only; skipped: {text}");
        }
        if count == limits::JUNK_LINES_LOGGED {
            tracing::warn!(server = &*self.server, session = self.short_id(), "further such lines are skipped in silence");
        }
    }

    /// Takes one line of the child.
    async fn take(&self, line: &Bytes) -> Result<(), message::Malformed> {
        let payload = message::one_line(line);
        match message::parse(line)? {
            Message::Response { id, result } => self.take_answer(&id, result, &payload).await,
            Message::Notification { method, params } => {
                if method == "notifications/tools/list_changed" {
                    self.pulse.tools_changed();
                }
                let patience = self.patience();
                let delivery = self.routes().notify(&method, params, &payload, patience);
                match delivery {
                    Some(delivery) => self.deliver(delivery).await,
                    None => {
                        tracing::debug!(server = &*self.server, session = self.short_id(), %method, "dropped a notification of no call");
                    }
                }
            }
            Message::Request { id, method, .. } => self.take_question(id, &method, &payload).await,
        }
        Ok(())
    }

    async fn take_answer(&self, id: &Id, result: Option<&RawValue>, line: &[u8]) {
        let answered = self.routes().answer(id, line);
        match answered {
            Answered::InTime(delivery) => {
                self.note_answer(result);
                self.deliver(delivery).await;
            }
            Answered::TooLate => {
                tracing::debug!(server = &*self.server, session = self.short_id(), %id, "an answer came too late");
            }
            Answered::Unknown => {
                tracing::warn!(server = &*self.server, session = self.short_id(), %id, "dropped an answer to no request");
            }
        }
    }

    /// The first answer is that to `initialize` and says the version; any later one proves that the server works.
    fn note_answer(&self, result: Option<&RawValue>) {
        let mut usage = self.usage();
        if usage.version.is_none() {
            usage.version = result.and_then(message::negotiated_version).map(Into::into);
        } else {
            drop(usage);
            self.pulse.answered();
        }
    }

    async fn take_question(&self, id: Id, method: &str, line: &[u8]) {
        if method == "ping" && !self.routes().is_reachable() {
            // The child asks whether its peer is there: on this pipe the peer is us.
            let pong = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
            // Never waits: a child that does not read could otherwise hold up its own reader.
            drop(self.stdin.try_send(pong.into()));
            return;
        }
        let delivery = self.routes().ask(id.clone(), line);
        match delivery {
            Some(delivery) => self.deliver(delivery).await,
            None => {
                let refusal = message::error(Some(&id), code::CLIENT_UNREACHABLE, "too many requests are open", None);
                drop(self.stdin.try_send(refusal.into()));
            }
        }
    }

    /// Hands a message to its consumer, and reads no further before it has room: that is the back-pressure.
    async fn deliver(&self, delivery: Delivery) {
        let Some(consumer) = delivery.consumer else {
            return;
        };
        let handed = tokio::select! {
            handed = tokio::time::timeout(limits::STREAM_STALL, consumer.send(delivery.event)) => handed,
            () = self.child.stopping() => return,
        };
        if handed.is_err() {
            tracing::warn!(
                server = &*self.server,
                session = self.short_id(),
                stream = delivery.stream,
                "a client takes nothing: its stream is closed"
            );
            self.routes().detach(delivery.stream);
        }
    }

    /// Hands over a last message from outside the reader, which must not wait.
    fn hand_over(&self, delivery: Option<Delivery>) {
        let Some(Delivery { event, consumer: Some(consumer), .. }) = delivery else {
            return;
        };
        if let Err(mpsc::error::TrySendError::Full(event)) = consumer.try_send(event) {
            tokio::spawn(send_slowly(consumer, event));
        }
    }
}

async fn send_slowly(consumer: mpsc::Sender<Event>, event: Event) {
    // The client may still come back for it, so nothing is lost if this fails.
    drop(tokio::time::timeout(limits::STREAM_STALL, consumer.send(event)).await);
}

async fn write_line(stdin: &mut ChildStdin, line: &[u8]) -> std::io::Result<()> {
    stdin.write_all(line).await?;
    stdin.write_all(b"\n").await?;
    stdin.flush().await
}
