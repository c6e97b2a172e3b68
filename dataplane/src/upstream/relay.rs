//! Passing an answer on while it arrives, and holding back its last part until the outcome is recorded.
//! Lives on: one shard. Back-pressure is natural: nothing is read from the upstream until the client has taken what
//! came before.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::Body;
use hyper::body::Incoming;
use wire::decision::OutcomeStatus;

use super::Lease;
use crate::http::BrokenOff;
use crate::limits::EVENT_BYTES_MAX;
use crate::outcome::{Answer, OutcomeGuard};

/// What the answer is.
pub enum Kind {
    /// Bytes; the last frame is held back.
    Plain,
    /// Server-sent events; the event with the response is held back.
    Events {
        /// What to do with the response of `tools/list`; nothing for other requests.
        rewrite: Option<Rewrite>,
        /// Whether a response is expected: yes for a request, no for a standing stream.
        expects_response: bool,
    },
}

/// Changes a JSON-RPC response on its way through.
pub type Rewrite = Box<dyn Fn(&[u8]) -> Option<Vec<u8>>>;

/// An answer on its way through.
pub struct Relay {
    upstream: Incoming,
    lease: Option<Lease>,
    kind: Kind,
    /// Ready to leave.
    ready: VecDeque<Bytes>,
    /// Came, but is not a whole event yet.
    partial: BytesMut,
    /// Waits for the outcome.
    held: Option<Bytes>,
    guard: Option<OutcomeGuard>,
    recording: Option<Pin<Box<dyn Future<Output = bool>>>>,
    bytes: u64,
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
            partial: BytesMut::new(),
            held: None,
            guard,
            recording: None,
            bytes: 0,
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
            if let Some(bytes) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(bytes)));
            }
            match self.state {
                State::Ended => return Poll::Ready(None),
                State::Failed => return Poll::Ready(Some(Err(BrokenOff("the upstream broke off")))),
                State::Reading => {}
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
            Kind::Events { .. } => {
                self.partial.extend_from_slice(&data);
                while let Some(length) = event_length(&self.partial) {
                    let event = self.partial.split_to(length).freeze();
                    self.take_event(event);
                }
                if self.partial.len() > EVENT_BYTES_MAX {
                    self.end(true);
                }
            }
        }
    }

    fn take_event(&mut self, event: Bytes) {
        let Kind::Events { rewrite, .. } = &self.kind else { return };
        let answer = event_data(&event).and_then(|data| Answer::of_message(&data).map(|answer| (data, answer)));
        let Some((data, answer)) = answer else {
            self.ready.push_back(event);
            return;
        };
        // One response per request: whatever follows it is passed on unrecorded.
        let Some(guard) = self.guard.take() else {
            self.ready.push_back(event);
            return;
        };
        let event = match rewrite.as_ref().and_then(|rewrite| rewrite(&data)) {
            Some(rewritten) => with_data(&event, &rewritten),
            None => event,
        };
        self.held = Some(event);
        self.recording = Some(guard.record(answer, self.bytes));
    }

    fn end(&mut self, broken: bool) {
        self.state = if broken { State::Failed } else { State::Ended };
        if !broken && let Some(lease) = self.lease.take() {
            lease.done();
        }
        if !self.partial.is_empty() && !broken {
            let rest = self.partial.split().freeze();
            self.ready.push_back(rest);
        }
        let Some(guard) = self.guard.take() else { return };
        let expected = matches!(self.kind, Kind::Events { expects_response: true, .. });
        let answer = match (broken, expected) {
            (true, _) => Answer::failed(OutcomeStatus::Unavailable, "the upstream broke off"),
            (false, true) => Answer::failed(OutcomeStatus::Unavailable, "the stream ended without a response"),
            (false, false) => Answer::ok(),
        };
        self.recording = Some(guard.record(answer, self.bytes));
    }
}

/// How long the first whole event is, its blank line included.
fn event_length(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'\n', &bytes[from..]).map(|at| from + at) {
        match &bytes[at + 1..] {
            [b'\n', ..] => return Some(at + 2),
            [b'\r', b'\n', ..] => return Some(at + 3),
            _ => from = at + 1,
        }
    }
    None
}

fn lines(event: &[u8]) -> impl Iterator<Item = &[u8]> {
    event.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The joined `data` of an event; `None` when it has none.
fn event_data(event: &[u8]) -> Option<Vec<u8>> {
    let mut data: Option<Vec<u8>> = None;
    for line in lines(event) {
        let Some(rest) = line.strip_prefix(b"data:") else { continue };
        let rest = rest.strip_prefix(b" ").unwrap_or(rest);
        match &mut data {
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(rest);
            }
            None => data = Some(rest.to_vec()),
        }
    }
    data
}

/// The same event with other data, which must be one line.
fn with_data(event: &[u8], data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(event.len() + data.len());
    for line in lines(event).filter(|line| !line.is_empty() && !line.starts_with(b"data:")) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\n");
    }
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n\n");
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_cut_at_blank_lines() {
        for (bytes, expect) in [
            (&b"data: a\n\nx"[..], Some(9)),
            (b"data: a\r\n\r\nx", Some(11)),
            (b"data: a\n", None),
            (b"data: a", None),
            (b"\n\n", Some(2)),
            (b": ping\n\n", Some(8)),
        ] {
            assert_eq!(event_length(bytes), expect, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn data_is_joined_and_replaced() {
        let event = b"event: message\nid: 7\ndata: {\"a\":\ndata: 1}\n\n";
        assert_eq!(event_data(event).as_deref(), Some(&b"{\"a\":\n1}"[..]));
        assert_eq!(&with_data(event, b"{}")[..], b"event: message\nid: 7\ndata: {}\n\n");
        assert_eq!(event_data(b": ping\n\n"), None);
    }
}
