//! Which stream a message of a child belongs to. State only: no I/O, no clock, so that every case can be tried.
//!
//! A stdio server has one pipe, a Streamable HTTP client many responses. Answers find their call by id and progress by
//! token. Nothing on the pipe says which call a log line or a question belongs to: those go to the call begun last,
//! as there is mostly one, and to the GET stream when no call is running.

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::limits;
use super::message::{self, Id, code};
use super::stream::{Attached, Event, Stream};

/// The stream of GET, for what belongs to no call.
const STANDALONE: u32 = 0;

/// All that is open between one client and its child.
#[derive(Debug)]
pub(super) struct Routes {
    calls: HashMap<Id, Call>,
    tokens: HashMap<Id, Id>,
    questions: HashMap<Id, u32>,
    streams: BTreeMap<u32, Stream>,
    streams_begun: u32,
    ended: Option<Ending>,
}

#[derive(Debug)]
struct Call {
    stream: u32,
    token: Option<Id>,
    wait: Wait,
    takes_events: bool,
}

#[derive(Debug)]
enum Wait {
    /// Until the first of two moments: silence for too long, or too long altogether.
    Until { silent: Instant, total: Instant },
    /// Somebody else limits it.
    Unlimited,
    /// Nobody waits any more, but the child may still answer, so the id is not free.
    GivenUp,
}

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    Limited { now: Instant, silence: std::time::Duration, total: std::time::Duration },
    Unlimited,
}

/// Why a session is over, for the calls that were waiting.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    pub(super) code: i32,
    pub(super) message: String,
}

/// A message and where it goes; without a consumer it waits on its stream.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) stream: u32,
    pub(super) event: Event,
    pub(super) consumer: Option<mpsc::Sender<Event>>,
}

/// Why a call is not begun.
#[derive(Debug)]
pub(super) enum Refusal {
    Duplicate,
    TooMany,
    Ended(Ending),
}

/// What an answer of the child was.
#[derive(Debug)]
pub(super) enum Answered {
    InTime(Delivery),
    TooLate,
    Unknown,
}

impl Routes {
    pub(super) fn new() -> Self {
        Self {
            calls: HashMap::new(),
            tokens: HashMap::new(),
            questions: HashMap::new(),
            streams: BTreeMap::from([(STANDALONE, Stream::new(STANDALONE))]),
            streams_begun: 0,
            ended: None,
        }
    }

    /// Opens a stream for a request of the client.
    pub(super) fn begin(
        &mut self,
        id: Id,
        token: Option<Id>,
        patience: Patience,
        takes_events: bool,
    ) -> Result<(u32, Attached), Refusal> {
        if let Some(ending) = &self.ended {
            return Err(Refusal::Ended(ending.clone()));
        }
        if self.calls.contains_key(&id) {
            return Err(Refusal::Duplicate);
        }
        if self.calls.len() >= limits::CALLS_PER_SESSION_MAX {
            return Err(Refusal::TooMany);
        }
        self.streams_begun = self.streams_begun.wrapping_add(1).max(1);
        let number = self.streams_begun;
        let mut stream = Stream::new(number);
        let attached = stream.attach(None);
        self.streams.insert(number, stream);
        if let Some(token) = &token {
            self.tokens.insert(token.clone(), id.clone());
        }
        let wait = match patience {
            Patience::Limited { now, silence, total } => Wait::Until { silent: now + silence, total: now + total },
            Patience::Unlimited => Wait::Unlimited,
        };
        self.calls.insert(id, Call { stream: number, token, wait, takes_events });
        Ok((number, attached))
    }

    /// The child answered a request.
    pub(super) fn answer(&mut self, id: &Id, payload: &[u8]) -> Answered {
        let Some(call) = self.calls.remove(id) else {
            return Answered::Unknown;
        };
        self.forget_token(id, call.token.as_ref());
        match call.wait {
            Wait::GivenUp => Answered::TooLate,
            Wait::Until { .. } | Wait::Unlimited => match self.finish(call.stream, payload) {
                Some(delivery) => Answered::InTime(delivery),
                None => Answered::TooLate,
            },
        }
    }

    /// Answers in place of the child. The id stays taken until the child answers too.
    pub(super) fn give_up(&mut self, id: &Id, code: i32, message: &str) -> Option<Delivery> {
        let call = self.calls.get_mut(id)?;
        if matches!(call.wait, Wait::GivenUp) {
            return None;
        }
        call.wait = Wait::GivenUp;
        let (stream, token) = (call.stream, call.token.take());
        self.forget_token(id, token.as_ref());
        self.finish(stream, &message::error(Some(id), code, message, None))
    }

    fn forget_token(&mut self, id: &Id, token: Option<&Id>) {
        if let Some(token) = token
            && self.tokens.get(token) == Some(id)
        {
            self.tokens.remove(token);
        }
    }

    /// Puts the last message on a stream and keeps the stream only if the client could come back for it.
    fn finish(&mut self, number: u32, payload: &[u8]) -> Option<Delivery> {
        let stream = self.streams.get_mut(&number)?;
        let (event, consumer) = stream.push(payload, true);
        self.questions.retain(|_, asked_on| *asked_on != number);
        self.prune();
        Some(Delivery { stream: number, event, consumer })
    }

    fn prune(&mut self) {
        self.streams.retain(|_, stream| stream.worth_keeping());
        let finished: Vec<u32> = self.streams.iter().filter(|(_, s)| s.finished).map(|(&number, _)| number).collect();
        let surplus = finished.len().saturating_sub(limits::FINISHED_STREAMS_MAX);
        for number in finished.into_iter().take(surplus) {
            self.streams.remove(&number);
        }
    }

    /// A notification of the child; `None` when it belongs to nothing any more.
    pub(super) fn notify(
        &mut self,
        method: &str,
        params: Option<&RawValue>,
        payload: &[u8],
        patience: Patience,
    ) -> Option<Delivery> {
        let number = match method {
            "notifications/progress" => {
                let id = self.tokens.get(&message::progress_token_reported(params)?)?.clone();
                let call = self.calls.get_mut(&id)?;
                if let (Wait::Until { silent, .. }, Patience::Limited { now, silence, .. }) = (&mut call.wait, patience) {
                    *silent = now + silence;
                }
                if call.takes_events { call.stream } else { STANDALONE }
            }
            "notifications/cancelled" => self.questions.remove(&message::cancelled_request(params)?)?,
            "notifications/tools/list_changed"
            | "notifications/prompts/list_changed"
            | "notifications/resources/list_changed"
            | "notifications/resources/updated" => STANDALONE,
            _ => self.latest_call(|_| true).unwrap_or(STANDALONE),
        };
        self.push(number, payload)
    }

    /// A request of the child to the client. Prefers a stream somebody listens to. `None` when too many are open.
    pub(super) fn ask(&mut self, id: Id, payload: &[u8]) -> Option<Delivery> {
        if self.questions.len() >= limits::QUESTIONS_PER_SESSION_MAX {
            return None;
        }
        let number = self
            .latest_call(Stream::is_consumed)
            .or_else(|| self.someone_listens().then_some(STANDALONE))
            .or_else(|| self.latest_call(|stream| stream.resumable))
            .unwrap_or(STANDALONE);
        self.questions.insert(id, number);
        self.push(number, payload)
    }

    /// Whether the client has its GET stream open.
    fn someone_listens(&self) -> bool {
        self.streams.get(&STANDALONE).is_some_and(Stream::is_consumed)
    }

    /// Whether a question would reach the client now.
    pub(super) fn is_reachable(&self) -> bool {
        self.someone_listens() || self.latest_call(Stream::is_consumed).is_some()
    }

    fn latest_call(&self, suits: impl Fn(&Stream) -> bool) -> Option<u32> {
        let running = |call: &&Call| call.takes_events && !matches!(call.wait, Wait::GivenUp);
        let numbers = self.calls.values().filter(running).map(|call| call.stream);
        numbers.filter(|number| self.streams.get(number).is_some_and(&suits)).max()
    }

    fn push(&mut self, number: u32, payload: &[u8]) -> Option<Delivery> {
        // The stream a question was asked on may have ended.
        let number = if self.streams.get(&number).is_some_and(|s| !s.finished) { number } else { STANDALONE };
        let (event, consumer) = self.streams.get_mut(&number)?.push(payload, false);
        Some(Delivery { stream: number, event, consumer })
    }

    /// The client answered a question: true if it was asked and is still open. The calls get their time anew.
    pub(super) fn client_answered(&mut self, id: &Id, patience: Patience) -> bool {
        let asked = self.questions.remove(id).is_some();
        if let (true, Patience::Limited { now, silence, .. }) = (asked, patience) {
            for call in self.calls.values_mut() {
                if let Wait::Until { silent, .. } = &mut call.wait {
                    *silent = now + silence;
                }
            }
        }
        asked
    }

    /// Calls whose time is over. Silence does not count while the client has a question to answer.
    pub(super) fn overdue(&self, now: Instant) -> Vec<Id> {
        let clients_turn = !self.questions.is_empty();
        let over = |call: &Call| match call.wait {
            Wait::Until { silent, total } => total <= now || (silent <= now && !clients_turn),
            Wait::Unlimited | Wait::GivenUp => false,
        };
        self.calls.iter().filter(|(_, call)| over(call)).map(|(id, _)| id.clone()).collect()
    }

    /// Calls somebody waits for.
    pub(super) fn waiting(&self) -> usize {
        self.calls.values().filter(|call| !matches!(call.wait, Wait::GivenUp)).count()
    }

    /// Calls nobody waits for and the child has not answered.
    pub(super) fn given_up(&self) -> usize {
        self.calls.len() - self.waiting()
    }

    /// The client is about to learn event ids of this stream; false when it ended already.
    pub(super) fn make_resumable(&mut self, number: u32) -> bool {
        match self.streams.get_mut(&number) {
            Some(stream) => {
                stream.resumable = true;
                true
            }
            None => false,
        }
    }

    /// Opens the GET stream; an older response that carries it ends.
    pub(super) fn listen(&mut self) -> Option<Attached> {
        self.streams.get_mut(&STANDALONE).map(|stream| stream.attach(None))
    }

    /// Continues a stream after the event a client saw last; `None` when it is not kept any more.
    pub(super) fn resume(&mut self, number: u32, after: u64) -> Option<Attached> {
        self.streams.get_mut(&number).map(|stream| stream.attach(Some(after)))
    }

    /// Ends the response of a client that takes nothing.
    pub(super) fn detach(&mut self, number: u32) {
        if let Some(stream) = self.streams.get_mut(&number) {
            stream.detach();
        }
    }

    pub(super) fn ending(&self) -> Option<&Ending> {
        self.ended.as_ref()
    }

    /// Ends everything; each waiting call gets an error. Only the first ending counts.
    pub(super) fn end(&mut self, ending: Ending) -> Vec<Delivery> {
        if self.ended.is_some() {
            return Vec::new();
        }
        let ids: Vec<Id> = self.calls.keys().cloned().collect();
        let last = ids.iter().filter_map(|id| self.give_up(id, ending.code, &ending.message)).collect();
        self.ended = Some(ending);
        self.calls.clear();
        self.questions.clear();
        self.streams.clear();
        last
    }
}

impl Ending {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn by_client() -> Self {
        Self::new(code::SESSION_ENDED, "the session was ended by the client")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a missing delivery is a failed test")]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Client {
        routes: Routes,
        now: Instant,
        responses: HashMap<u32, Attached>,
    }

    impl Client {
        fn new() -> Self {
            Self { routes: Routes::new(), now: Instant::now(), responses: HashMap::new() }
        }

        fn patience(&self) -> Patience {
            Patience::Limited { now: self.now, silence: Duration::from_secs(10), total: Duration::from_secs(60) }
        }

        fn call(&mut self, id: i128, token: Option<&str>) -> u32 {
            let token = token.map(|t| Id::Text(t.into()));
            let (number, attached) = self.routes.begin(Id::Number(id), token, self.patience(), true).unwrap();
            self.responses.insert(number, attached);
            number
        }

        fn hang_up(&mut self, stream: u32) {
            self.responses.remove(&stream);
        }

        fn notify(&mut self, method: &str, params: &str) -> Option<u32> {
            let params = RawValue::from_string(params.to_owned()).unwrap();
            let patience = self.patience();
            self.routes.notify(method, Some(&params), b"{}", patience).map(|delivery| delivery.stream)
        }

        fn answer(&mut self, id: i128) -> &'static str {
            match self.routes.answer(&Id::Number(id), b"{}") {
                Answered::InTime(_) => "in time",
                Answered::TooLate => "too late",
                Answered::Unknown => "unknown",
            }
        }
    }

    #[test]
    fn notifications_find_their_stream() {
        let mut client = Client::new();
        assert_eq!(client.notify("notifications/message", "{}"), Some(STANDALONE));
        let slow = client.call(1, Some("slow"));
        let quick = client.call(2, None);
        for (method, params, expect) in [
            ("notifications/progress", r#"{"progressToken":"slow"}"#, Some(slow)),
            ("notifications/progress", r#"{"progressToken":"other"}"#, None),
            ("notifications/progress", "{}", None),
            ("notifications/message", "{}", Some(quick)),
            ("notifications/tools/list_changed", "{}", Some(STANDALONE)),
            ("notifications/resources/updated", "{}", Some(STANDALONE)),
            ("notifications/cancelled", r#"{"requestId":9}"#, None),
        ] {
            assert_eq!(client.notify(method, params), expect, "{method} {params}");
        }
        assert_eq!(client.answer(2), "in time");
        assert_eq!(client.notify("notifications/message", "{}"), Some(slow));
        assert_eq!(client.answer(1), "in time");
        assert_eq!(client.notify("notifications/progress", r#"{"progressToken":"slow"}"#), None);
        assert_eq!(client.answer(1), "unknown");
    }

    #[test]
    fn questions_go_where_somebody_listens() {
        let mut client = Client::new();
        let first = client.call(1, None);
        let second = client.call(2, None);
        let ask = |client: &mut Client, id| client.routes.ask(Id::Number(id), b"{}").unwrap().stream;
        assert_eq!(ask(&mut client, 100), second);
        client.hang_up(second);
        assert_eq!(ask(&mut client, 101), first);
        client.hang_up(first);
        assert_eq!(ask(&mut client, 102), STANDALONE);
        assert!(client.routes.make_resumable(first));
        assert_eq!(ask(&mut client, 103), first, "the client can come back to it");
        let get = client.routes.listen().unwrap();
        assert_eq!(get.missed.len(), 1, "the question that waited");
        assert_eq!(ask(&mut client, 104), STANDALONE);

        assert_eq!(client.notify("notifications/cancelled", r#"{"requestId":103}"#), Some(first));
        let patience = client.patience();
        assert!(client.routes.client_answered(&Id::Number(102), patience));
        assert!(!client.routes.client_answered(&Id::Number(102), patience), "answered once");
        assert!(!client.routes.client_answered(&Id::Number(103), patience), "withdrawn");
    }

    #[test]
    fn time_runs_out_by_silence_or_altogether() {
        let mut client = Client::new();
        client.call(1, Some("t"));
        client.call(2, None);
        let start = client.now;
        let overdue = |client: &Client, seconds| {
            let mut ids: Vec<String> =
                client.routes.overdue(start + Duration::from_secs(seconds)).iter().map(Id::to_string).collect();
            ids.sort();
            ids.join(" ")
        };
        assert_eq!(overdue(&client, 9), "");
        assert_eq!(overdue(&client, 10), "1 2");
        client.now = start + Duration::from_secs(8);
        client.notify("notifications/progress", r#"{"progressToken":"t"}"#);
        assert_eq!(overdue(&client, 12), "2", "progress counts as a sign of life");
        client.routes.ask(Id::Number(7), b"{}").unwrap();
        assert_eq!(overdue(&client, 50), "", "the client has to answer");
        assert_eq!(overdue(&client, 60), "1 2");
        client.now = start + Duration::from_secs(40);
        let patience = client.patience();
        assert!(client.routes.client_answered(&Id::Number(7), patience));
        assert_eq!((overdue(&client, 49), overdue(&client, 50)), (String::new(), "1 2".into()));
    }

    #[test]
    fn an_id_is_free_again_only_when_the_child_answered() {
        let mut client = Client::new();
        let patience = client.patience();
        let stream = client.call(1, None);
        assert!(matches!(client.routes.begin(Id::Number(1), None, patience, true), Err(Refusal::Duplicate)));
        let delivery = client.routes.give_up(&Id::Number(1), code::TIMED_OUT, "late").unwrap();
        assert_eq!(delivery.stream, stream);
        assert!(delivery.event.payload.starts_with(br#"{"jsonrpc":"2.0","id":1,"error":"#));
        assert!(client.routes.give_up(&Id::Number(1), code::TIMED_OUT, "late").is_none(), "answered once");
        assert!(matches!(client.routes.begin(Id::Number(1), None, patience, true), Err(Refusal::Duplicate)));
        assert_eq!((client.routes.waiting(), client.routes.given_up()), (0, 1));
        assert_eq!(client.answer(1), "too late");
        client.call(1, None);
        assert_eq!(client.answer(1), "in time");
    }

    #[test]
    fn the_end_answers_every_call_once() {
        let mut client = Client::new();
        client.call(1, None);
        client.call(2, None);
        client.routes.give_up(&Id::Number(2), code::CANCELLED, "cancelled").unwrap();
        let last = client.routes.end(Ending::new(code::SERVER_DIED, "died"));
        assert_eq!(last.len(), 1);
        assert!(client.routes.end(Ending::by_client()).is_empty());
        let patience = client.patience();
        match client.routes.begin(Id::Number(3), None, patience, true) {
            Err(Refusal::Ended(ending)) => assert_eq!(ending.message, "died"),
            other => panic!("{other:?}"),
        }
        assert!(client.routes.listen().is_none());
    }

    #[test]
    fn calls_and_kept_streams_are_bounded() {
        let mut client = Client::new();
        for id in 0..limits::CALLS_PER_SESSION_MAX {
            client.call(i128::try_from(id).unwrap(), None);
        }
        let patience = client.patience();
        assert!(matches!(client.routes.begin(Id::Number(-1), None, patience, true), Err(Refusal::TooMany)));
        for id in 0..limits::CALLS_PER_SESSION_MAX {
            let number = u32::try_from(id).unwrap() + 1;
            client.routes.make_resumable(number);
            client.hang_up(number);
            assert_eq!(client.answer(i128::try_from(id).unwrap()), "in time");
        }
        assert_eq!(client.routes.streams.len(), limits::FINISHED_STREAMS_MAX + 1);
        let newest = u32::try_from(limits::CALLS_PER_SESSION_MAX).unwrap();
        assert_eq!(client.routes.resume(newest, 0).unwrap().missed.len(), 1);
        assert!(client.routes.resume(1, 0).is_none());
    }
}
