//! Passing an answer on while it arrives, and holding back its last part until the outcome is recorded.
//! Lives on: one shard. Back-pressure is natural: nothing is read from the upstream until the client has taken what
//! came before; of a stream of events, one at a time is held to be checked.

use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use wire::decision::OutcomeStatus;

use super::Lease;
use super::events::{self, Events};
use crate::http::BrokenOff;
use crate::limits::EVENT_BYTES_MAX;
use crate::outcome::{Answer, OutcomeGuard};
use crate::passage::{Passage, Passed};

/// What the answer is.
pub enum Kind {
    /// Bytes; the last frame is held back.
    Plain,
    /// Server-sent events; the event with the response is held back.
    Events {
        /// What each message goes through.
        passage: Rc<Passage>,
        /// Whether a response is expected: yes for a request, no for a standing stream.
        expects_response: bool,
    },
}

/// An event whose message went through.
struct Taken {
    event: Option<Bytes>,
    passed: Passed,
}

/// An answer on its way through.
pub struct Relay {
    upstream: Incoming,
    lease: Option<Lease>,
    kind: Kind,
    /// Ready to leave.
    ready: VecDeque<Bytes>,
    /// Came, but was not looked at yet.
    events: Events,
    /// The event that is being checked.
    taking: Option<Pin<Box<dyn Future<Output = Taken>>>>,
    /// Waits for the outcome.
    held: Option<Bytes>,
    guard: Option<OutcomeGuard>,
    recording: Option<Pin<Box<dyn Future<Output = bool>>>>,
    bytes: u64,
    redactions: u32,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Reading,
    Ended,
    Failed,
}

impl Relay {
    /// An answer of a governed call: `guard` records the outcome.
    pub fn governed(upstream: Incoming, lease: Lease, kind: Kind, guard: OutcomeGuard) -> Relay {
        Self::new(upstream, lease, kind, Some(guard))
    }

    /// An answer that nobody records, because it was not a call: pages of the control plane.
    pub fn plain(upstream: Incoming, lease: Lease) -> Relay {
        Self::new(upstream, lease, Kind::Plain, None)
    }

    fn new(upstream: Incoming, lease: Lease, kind: Kind, guard: Option<OutcomeGuard>) -> Relay {
        Relay {
            upstream,
            lease: Some(lease),
            kind,
            ready: VecDeque::new(),
            events: Events::default(),
            taking: None,
            held: None,
            guard,
            recording: None,
            bytes: 0,
            redactions: 0,
            state: State::Reading,
        }
    }

    /// The same, with what was read of it already.
    #[must_use]
    pub fn after(mut self, read: Bytes) -> Relay {
        self.bytes = read.len() as u64;
        self.held = Some(read);
        self
    }

    /// The next bytes for the client.
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        loop {
            if let Some(recording) = &mut self.recording {
                let recorded = ready!(recording.as_mut().poll(cx));
                self.recording = None;
                if !recorded {
                    self.state = State::Failed;
                    self.held = None;
                    self.ready.clear();
                    return Poll::Ready(Some(Err(BrokenOff("its outcome could not be recorded"))));
                }
                self.ready.extend(self.held.take());
            }
            if let Some(taking) = &mut self.taking {
                let taken = ready!(taking.as_mut().poll(cx));
                self.taking = None;
                self.took(taken);
                continue;
            }
            if let Some(bytes) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(bytes)));
            }
            match self.state {
                State::Ended => return Poll::Ready(None),
                State::Failed => return Poll::Ready(Some(Err(BrokenOff("the upstream broke off")))),
                State::Reading => {}
            }
            if let Some(event) = self.events.next_event() {
                self.take_event(event);
                continue;
            }
            match ready!(Pin::new(&mut self.upstream).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.bytes += data.len() as u64;
                        self.take_in(data);
                    }
                }
                Some(Err(_)) => self.end(true),
                None => self.end(false),
            }
        }
    }

    fn take_in(&mut self, data: Bytes) {
        match &self.kind {
            Kind::Plain => {
                if let Some(before) = self.held.replace(data) {
                    self.ready.push_back(before);
                }
                if self.guard.is_none() {
                    self.ready.extend(self.held.take());
                }
            }
            Kind::Events { passage, .. } => {
                let bytes_max = passage.bytes_max().unwrap_or(EVENT_BYTES_MAX).min(EVENT_BYTES_MAX);
                // The event that ends in this data may be as large as it may be; what waits for its end may not.
                if self.events.waiting() > bytes_max {
                    let passed = passage.too_large(bytes_max);
                    return self.cut_off(passed);
                }
                self.events.push(&data);
            }
        }
    }

    /// Begins to check an event, or lets it pass where nothing is asked of it.
    fn take_event(&mut self, event: Bytes) {
        let Kind::Events { passage, .. } = &self.kind else { return };
        if passage.is_open() {
            let answer = events::data(&event).and_then(|data| Answer::of_message(&data));
            return self.took(Taken { event: Some(event), passed: Passed::open(answer) });
        }
        let passage = Rc::clone(passage);
        self.taking = Some(Box::pin(async move {
            let heading = passage.heading(events::heading(&event)).await;
            // Events without data, or with none yet, only keep the stream alive or say where it can be taken up again.
            let data = events::data(&event).filter(|data| !data.is_empty());
            let Some(data) = data else {
                let data = events::data(&event).map(|_| b"".as_slice());
                return Taken { event: Some(events::event(&heading, data)), passed: Passed::default() };
            };
            let mut passed = passage.message(data.into()).await;
            let event = passed.message.take().map(|message| events::event(&heading, Some(&message)));
            Taken { event, passed }
        }));
    }

    /// Sends a checked event on its way; the one with the response waits for its outcome.
    fn took(&mut self, taken: Taken) {
        let Taken { event, passed } = taken;
        self.redactions = self.redactions.saturating_add(passed.redactions);
        // One response per request: whatever follows it is passed on unrecorded.
        match (passed.answer, self.guard.take()) {
            (Some(answer), Some(guard)) => {
                self.held = event;
                self.recording = Some(guard.record(answer.with_redactions(self.redactions), self.bytes));
            }
            (_, guard) => {
                self.guard = guard;
                self.ready.extend(event);
            }
        }
    }

    /// Ends a stream whose next event is too large to be held.
    fn cut_off(&mut self, passed: Passed) {
        let event = passed.message.as_ref().map(|message| events::event(b"", Some(message)));
        self.events.rest();
        self.lease = None;
        self.state = State::Ended;
        match passed.answer.is_some() {
            true => self.took(Taken { event, passed }),
            // Nobody waits for an answer here: the stream ends, and its record says why.
            false => {
                let why = passed.denial.map_or_else(String::new, |denial| denial.to_string());
                let Some(guard) = self.guard.take() else { return };
                let answer = Answer::failed(OutcomeStatus::Refused, why).with_redactions(self.redactions);
                self.recording = Some(guard.record(answer, self.bytes));
            }
        }
    }

    fn end(&mut self, broken: bool) {
        self.state = if broken { State::Failed } else { State::Ended };
        if !broken && let Some(lease) = self.lease.take() {
            lease.done();
        }
        let rest = self.events.rest();
        // An event without its blank line is none, and was not checked.
        if let Kind::Events { passage, .. } = &self.kind
            && passage.is_open()
            && !rest.is_empty()
            && !broken
        {
            self.ready.push_back(rest);
        }
        let Some(guard) = self.guard.take() else { return };
        let expected = matches!(self.kind, Kind::Events { expects_response: true, .. });
        let answer = match (broken, expected) {
            (true, _) => Answer::failed(OutcomeStatus::Unavailable, "the upstream broke off"),
            (false, true) => Answer::failed(OutcomeStatus::Unavailable, "the stream ended without a response"),
            (false, false) => Answer::ok(),
        };
        self.recording = Some(guard.record(answer.with_redactions(self.redactions), self.bytes));
    }
}
