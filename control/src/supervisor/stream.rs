//! One event stream of a session: what was sent is kept for a while, so that a client that lost its connection can
//! come back with `Last-Event-ID` and miss nothing.
//!
//! Each message belongs to exactly one stream. A stream has at most one consumer, the HTTP response that carries it
//! now; messages pushed while there is none wait in the replay buffer.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};

use super::limits;
use super::session::Presence;

/// A message as it goes out: alone as JSON, or as one server-sent event.
#[derive(Clone, Debug)]
pub(super) struct Event {
    sequence: u64,
    /// The event with its id, ready to be written.
    pub(super) frame: Bytes,
    /// The message alone; shares memory with `frame`.
    pub(super) payload: Bytes,
    /// Nothing follows on this stream.
    pub(super) last: bool,
}

/// A stream and what is remembered of it.
#[derive(Debug)]
pub(super) struct Stream {
    number: u32,
    /// Sequence number of the newest event; the event that opens a stream has 0.
    newest: u64,
    /// Sequence number of the newest event that was handed to a consumer.
    handed: u64,
    kept: VecDeque<Event>,
    kept_bytes: usize,
    consumer: Option<mpsc::Sender<Event>>,
    /// The client knows an event id of this stream, so it can come back.
    pub(super) resumable: bool,
    pub(super) finished: bool,
}

/// The consumer's end: first what it missed, then what comes.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) missed: VecDeque<Event>,
    pub(super) receiver: mpsc::Receiver<Event>,
    /// Id that stands for everything before `missed`.
    pub(super) opening_id: String,
}

impl Stream {
    pub(super) fn new(number: u32) -> Self {
        Self {
            number,
            newest: 0,
            handed: 0,
            kept: VecDeque::new(),
            kept_bytes: 0,
            consumer: None,
            resumable: false,
            finished: false,
        }
    }

    /// Adds a message and returns it with the consumer it is for, if there is one.
    pub(super) fn push(&mut self, payload: &[u8], last: bool) -> (Event, Option<mpsc::Sender<Event>>) {
        self.newest += 1;
        let event = Event::new(self.number, self.newest, payload, last);
        self.kept_bytes += event.frame.len();
        self.kept.push_back(event.clone());
        while self.kept.len() > limits::REPLAY_EVENTS_MAX || (self.kept_bytes > limits::REPLAY_BYTES_MAX && self.kept.len() > 1) {
            let Some(dropped) = self.kept.pop_front() else {
                break;
            };
            self.kept_bytes -= dropped.frame.len();
        }
        self.finished |= last;
        let consumer = if last { self.consumer.take() } else { self.consumer.clone() };
        let consumer = consumer.filter(|consumer| !consumer.is_closed());
        if consumer.is_some() {
            self.handed = self.newest;
        }
        (event, consumer)
    }

    /// Makes a new consumer the only one. It receives what follows the event `after`, or what nobody received yet.
    pub(super) fn attach(&mut self, after: Option<u64>) -> Attached {
        let (consumer, receiver) = mpsc::channel(limits::STREAM_QUEUE);
        let after = after.unwrap_or(self.handed);
        let missed = self.kept.iter().filter(|event| event.sequence > after).cloned().collect();
        self.handed = self.newest;
        // A finished stream has no more to say: without a sender the receiver ends after what was missed.
        self.consumer = (!self.finished).then_some(consumer);
        Attached { missed, receiver, opening_id: event_id(self.number, after) }
    }

    /// Ends the consumer's response; what comes later waits for the next one.
    pub(super) fn detach(&mut self) {
        self.consumer = None;
    }

    pub(super) fn is_consumed(&self) -> bool {
        self.consumer.as_ref().is_some_and(|consumer| !consumer.is_closed())
    }

    /// Whether a client could have use for it later.
    pub(super) fn worth_keeping(&self) -> bool {
        !self.finished || (self.resumable && (self.handed < self.newest || self.kept_bytes <= limits::REPLAY_BYTES_MAX))
    }
}

impl Event {
    fn new(stream: u32, sequence: u64, payload: &[u8], last: bool) -> Self {
        let head = format!("id: {}\nevent: message\ndata: ", event_id(stream, sequence));
        let mut frame = Vec::with_capacity(head.len() + payload.len() + 2);
        frame.extend_from_slice(head.as_bytes());
        frame.extend_from_slice(payload);
        frame.extend_from_slice(b"\n\n");
        let frame = Bytes::from(frame);
        let payload = frame.slice(head.len()..frame.len() - 2);
        Self { sequence, frame, payload, last }
    }
}

fn event_id(stream: u32, sequence: u64) -> String {
    format!("{stream}-{sequence}")
}

/// Takes an event id apart again.
pub(super) fn parse_event_id(id: &str) -> Option<(u32, u64)> {
    let (stream, sequence) = id.split_once('-')?;
    Some((stream.parse().ok()?, sequence.parse().ok()?))
}

/// The first event of a response: an id to come back with, before there is any message, and how long to wait.
pub(super) fn opening(id: &str) -> Bytes {
    Bytes::from(format!("id: {id}\nretry: {}\ndata: \n\n", limits::RETRY_MS))
}

/// The body of an event stream response.
#[derive(Debug)]
pub(super) struct EventBody {
    ready: VecDeque<Bytes>,
    receiver: mpsc::Receiver<Event>,
    ends_after_ready: bool,
    keep_alive: Pin<Box<Sleep>>,
    _presence: Presence,
}

impl EventBody {
    pub(super) fn new(opening: Option<Bytes>, attached: Attached, presence: Presence) -> Self {
        let ends_after_ready = attached.missed.back().is_some_and(|event| event.last);
        let ready = opening.into_iter().chain(attached.missed.into_iter().map(|event| event.frame)).collect();
        Self {
            ready,
            receiver: attached.receiver,
            ends_after_ready,
            keep_alive: Box::pin(tokio::time::sleep(limits::KEEP_ALIVE)),
            _presence: presence,
        }
    }
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if let Some(frame) = this.ready.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(frame))));
        }
        if this.ends_after_ready {
            return Poll::Ready(None);
        }
        if let Poll::Ready(event) = this.receiver.poll_recv(cx) {
            this.keep_alive.as_mut().reset(Instant::now() + limits::KEEP_ALIVE);
            return Poll::Ready(event.map(|event| {
                this.ends_after_ready = event.last;
                Ok(Frame::data(event.frame))
            }));
        }
        if this.keep_alive.as_mut().poll(cx).is_ready() {
            this.keep_alive.as_mut().reset(Instant::now() + limits::KEEP_ALIVE);
            // Registers the timer again; ready at once is impossible this soon, and harmless.
            let _ = this.keep_alive.as_mut().poll(cx);
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b": keep-alive\n\n")))));
        }
        Poll::Pending
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a missing event is a failed test")]
mod tests {
    use super::*;

    fn payloads(attached: &Attached) -> Vec<String> {
        attached.missed.iter().map(|e| String::from_utf8(e.payload.to_vec()).unwrap()).collect()
    }

    #[test]
    fn what_nobody_received_waits() {
        let mut stream = Stream::new(3);
        assert!(stream.push(b"{1}", false).1.is_none());
        let mut first = stream.attach(None);
        assert_eq!((payloads(&first), first.opening_id.as_str()), (vec!["{1}".to_owned()], "3-0"));
        let (event, consumer) = stream.push(b"{2}", false);
        assert_eq!(event.frame, "id: 3-2\nevent: message\ndata: {2}\n\n");
        consumer.unwrap().try_send(event).unwrap();
        assert_eq!(first.receiver.try_recv().unwrap().payload, "{2}");
        drop(first);

        assert!(stream.push(b"{3}", true).1.is_none(), "the connection is gone");
        for (after, expect) in [(None, vec!["{3}"]), (Some(1), vec!["{2}", "{3}"]), (Some(3), vec![]), (Some(99), vec![])] {
            let mut back = stream.attach(after);
            // Only the first fresh consumer gets what was undelivered; resuming by id always works.
            assert_eq!(payloads(&back), expect, "{after:?}");
            assert!(back.receiver.try_recv().is_err());
        }
        assert!(payloads(&stream.attach(None)).is_empty());
    }

    #[test]
    fn a_newer_consumer_replaces_the_older() {
        let mut stream = Stream::new(0);
        let mut old = stream.attach(None);
        let mut new = stream.attach(None);
        let (event, consumer) = stream.push(b"x", false);
        consumer.unwrap().try_send(event).unwrap();
        assert_eq!(new.receiver.try_recv().unwrap().payload, "x");
        assert!(matches!(old.receiver.try_recv(), Err(mpsc::error::TryRecvError::Disconnected)));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut stream = Stream::new(1);
        for _ in 0..limits::REPLAY_EVENTS_MAX + 10 {
            stream.push(b"{}", false);
        }
        assert_eq!(stream.attach(Some(0)).missed.len(), limits::REPLAY_EVENTS_MAX);
        let large = vec![b'x'; limits::REPLAY_BYTES_MAX + 1];
        stream.push(&large, false);
        assert_eq!(stream.attach(Some(0)).missed.len(), 1, "the newest is kept whatever its size");
    }

    #[test]
    fn event_ids_are_read_back() {
        for (id, expect) in [
            ("3-17", Some((3, 17))),
            ("0-0", Some((0, 0))),
            ("", None),
            ("3", None),
            ("-1-2", None),
            ("3-99999999999999999999", None),
            ("a-b", None),
        ] {
            assert_eq!(parse_event_id(id), expect, "{id}");
        }
    }
}
