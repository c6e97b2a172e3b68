//! One thread of the load generator: its connections, each a small state machine, on one ring.

use super::reply::{self, Malformed, Progress};
use super::request::{FIRST_NUMBER, Shape, Template};
use super::ring::{Chunk, Event, Ring};
use super::schedule::Schedule;
use super::tally::{Tally, record};
use super::verdict::{Asked, Expect, Verdict, judge};
use super::{Live, Plan};
use anyhow::{Context, Result, bail};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

// LIMIT: connections one worker opens at a time, below the backlog of any listener worth testing.
const OPENING_MAX: usize = 64;
/// How long a connection that failed rests before the next try.
const REOPEN_AFTER: Duration = Duration::from_millis(50);
/// The longest wait for the kernel, so that a signal and a timeout are seen.
const TICK: Duration = Duration::from_millis(50);
/// How long replies are waited for once the user has stopped the run.
const STOPPED_GRACE: Duration = Duration::from_secs(2);

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Down,
    Connecting,
    /// `initialize` is on its way.
    Greeting,
    /// `notifications/initialized` is on its way.
    Announcing,
    Idle,
    Busy,
    Closing,
}

struct Connection {
    phase: Phase,
    principal: usize,
    session: Option<String>,
    /// What has arrived of a reply that is not complete, and how much of it to wait for.
    inbox: Vec<u8>,
    need: usize,
    /// The principal whose request the outbound buffer holds.
    written: Option<usize>,
    sending: bool,
    answered: bool,
    number: u64,
    intended: Instant,
    sent_at: Instant,
}

/// A reply, reduced to what is done about it.
struct Answer {
    verdict: Verdict,
    status: u16,
    trace: Option<[u8; 32]>,
    session: Option<String>,
    last: bool,
}

pub(super) struct Worker<'a> {
    plan: &'a Plan,
    stop: &'a AtomicBool,
    live: &'a Live,
    share: (u64, u64),
    ring: Ring,
    templates: &'a [Template],
    connections: Vec<Connection>,
    idle: VecDeque<u32>,
    reopen: VecDeque<(Instant, u32)>,
    opening: usize,
    busy: usize,
    /// Replies to requests intended before this are checked and counted but not measured.
    measure_from: Instant,
    record: Option<BufWriter<File>>,
    tally: Tally,
    trouble: Option<String>,
}

impl<'a> Worker<'a> {
    /// Worker `share.0` of `share.1`. Must be called on the thread that runs it.
    pub(super) fn new(
        plan: &'a Plan,
        templates: &'a [Template],
        stop: &'a AtomicBool,
        live: &'a Live,
        share: (u64, u64),
    ) -> Result<Self> {
        let now = Instant::now();
        let (index, workers) = (share.0 as usize, share.1 as usize);
        let connections: Vec<Connection> =
            (index..plan.connections).step_by(workers).map(|number| Connection::new(number % plan.principals(), now)).collect();
        let ring = Ring::new(connections.len(), plan.target).context("set up io_uring; is it allowed here?")?;
        let record = match &plan.record {
            Some(path) => {
                let file = File::options().create(true).append(true).open(path);
                Some(BufWriter::new(file.with_context(|| format!("open `{}`", path.display()))?))
            }
            None => None,
        };
        Ok(Self {
            plan,
            stop,
            live,
            share,
            ring,
            templates,
            reopen: (0..connections.len()).map(|slot| (now, slot as u32)).collect(),
            connections,
            idle: VecDeque::new(),
            opening: 0,
            busy: 0,
            measure_from: now,
            record,
            tally: Tally::new(plan.principals()),
            trouble: None,
        })
    }

    /// Opens all connections, with their sessions if the plan wants any.
    pub(super) fn ramp(&mut self) -> Result<()> {
        let deadline = Instant::now() + self.plan.connect_timeout;
        while self.idle.len() < self.connections.len() {
            if self.stop.load(Ordering::Relaxed) {
                bail!("stopped while connecting");
            }
            if Instant::now() > deadline {
                let why = self.trouble.take().unwrap_or_else(|| "no answer".into());
                let missing = self.connections.len() - self.idle.len();
                bail!("{missing} connection(s) to `{}` could not be made: {why}", self.plan.target);
            }
            self.turn(TICK, true)?;
        }
        // What went wrong on the way here was overcome; a run's counts are about its requests.
        self.tally = Tally::new(self.plan.principals());
        Ok(())
    }

    /// Sends by the schedule that begins at `start`, and waits for the last replies.
    pub(super) fn drive(mut self, start: Instant) -> Result<Tally> {
        let plan = self.plan;
        let mut schedule = Schedule::new(plan.pace, start, plan.duration, plan.requests, self.share);
        self.measure_from = start + plan.warmup;
        let mut swept = start;
        loop {
            let now = Instant::now();
            if self.stop.load(Ordering::Relaxed) || schedule.is_over(now) || self.is_deserted() {
                break;
            }
            self.issue(&mut schedule, now)?;
            if now.duration_since(swept) > TICK * 4 {
                swept = now;
                self.sweep(now);
            }
            let wait = if self.idle.is_empty() { TICK } else { schedule.until_next(now).min(TICK) };
            self.turn(wait, plan.reconnect)?;
        }
        self.tally.unsent = schedule.unsent(Instant::now());
        self.settle()?;
        Ok(self.tally)
    }

    /// Waits for the replies to what has been sent.
    fn settle(&mut self) -> Result<()> {
        let grace = if self.stop.load(Ordering::Relaxed) { STOPPED_GRACE } else { self.plan.timeout };
        let deadline = Instant::now() + grace;
        while self.busy > 0 && Instant::now() < deadline {
            self.turn(TICK, false)?;
        }
        self.tally.lost.unanswered = self.busy as u64;
        if let Some(record) = &mut self.record {
            record.flush().context("write the record file")?;
        }
        Ok(())
    }

    /// Whether no connection is left and none will come back.
    fn is_deserted(&self) -> bool {
        self.reopen.is_empty() && self.connections.iter().all(|connection| connection.phase == Phase::Down)
    }

    /// Sends everything that is due while there are idle connections to send it on.
    fn issue(&mut self, schedule: &mut Schedule, now: Instant) -> Result<()> {
        while let Some((running, intended)) = schedule.due(now) {
            let slot = loop {
                match self.idle.pop_front() {
                    Some(slot) if self.connections[slot as usize].phase == Phase::Idle => {
                        break slot;
                    }
                    // It was lost while idle.
                    Some(_) => {}
                    None => return Ok(()),
                }
            };
            schedule.advance();
            self.call(slot, running * self.share.1 + self.share.0, intended, now)?;
        }
        Ok(())
    }

    /// Sends request `running` of the whole run on an idle connection.
    fn call(&mut self, slot: u32, running: u64, intended: Instant, now: Instant) -> Result<()> {
        let connection = &mut self.connections[slot as usize];
        if self.plan.mix {
            connection.principal = (running % self.plan.principals() as u64) as usize;
        }
        let principal = connection.principal;
        connection.number = FIRST_NUMBER + running;
        connection.intended = intended;
        connection.sent_at = now;
        connection.phase = Phase::Busy;
        let template = &self.templates[principal];
        let out = self.ring.outbound(slot).context("a connection is idle but still sending")?;
        if connection.written == Some(principal) {
            template.renumber(connection.number, out);
        } else {
            template.write(connection.session.as_deref(), connection.number, out);
            connection.written = Some(principal);
        }
        self.busy += 1;
        self.tally.sent += 1;
        self.transmit(slot)
    }

    fn transmit(&mut self, slot: u32) -> Result<()> {
        let connection = &mut self.connections[slot as usize];
        connection.sending = true;
        connection.answered = false;
        self.ring.send(slot).context("send a request")
    }

    /// One round: opens what is to be opened, waits, and handles what happened.
    fn turn(&mut self, wait: Duration, reopen: bool) -> Result<()> {
        let now = Instant::now();
        let mut wait = wait;
        while let Some((at, slot)) = self.reopen.front().copied() {
            if self.opening >= OPENING_MAX {
                break;
            }
            if at > now {
                wait = wait.min(at - now);
                break;
            }
            self.reopen.pop_front();
            self.open(slot)?;
        }
        self.ring.wait(wait).context("wait on io_uring")?;
        while let Some(event) = self.ring.next_event() {
            self.on_event(event, reopen)?;
        }
        self.live.publish(&self.tally, self.connections.len() - self.reopen.len() - self.opening);
        Ok(())
    }

    fn open(&mut self, slot: u32) -> Result<()> {
        let connection = &mut self.connections[slot as usize];
        connection.phase = Phase::Connecting;
        connection.inbox.clear();
        connection.session = None;
        connection.written = None;
        connection.sending = false;
        self.opening += 1;
        self.ring.connect(slot).context("open a connection")
    }

    fn on_event(&mut self, event: Event, reopen: bool) -> Result<()> {
        match event {
            Event::Connected(slot) => {
                if self.plan.session {
                    return self.greet(slot);
                }
                self.up(slot);
            }
            Event::Refused(slot, error) => {
                self.opening -= 1;
                self.tally.lost.refused += 1;
                self.trouble = Some(error.to_string());
                self.down(slot, reopen);
            }
            Event::Sent(slot) => {
                let connection = &mut self.connections[slot as usize];
                connection.sending = false;
                if connection.answered {
                    self.proceed(slot)?;
                }
            }
            Event::Received(slot, chunk) => self.on_bytes(slot, chunk)?,
            Event::Ended(slot, error) => self.on_end(slot, error)?,
            Event::Closed(slot) => self.down(slot, reopen),
        }
        Ok(())
    }

    /// Begins the session of a fresh connection.
    fn greet(&mut self, slot: u32) -> Result<()> {
        let connection = &mut self.connections[slot as usize];
        connection.phase = Phase::Greeting;
        connection.number = FIRST_NUMBER;
        let body = concat!(
            r#"{"jsonrpc":"2.0","id":{n},"method":"initialize","params":{"protocolVersion":"2025-11-25","#,
            r#""capabilities":{},"clientInfo":{"name":"sp-load","version":"1"}}}"#
        );
        self.write_once(slot, body)?;
        self.transmit(slot)
    }

    fn announce(&mut self, slot: u32) -> Result<()> {
        self.connections[slot as usize].phase = Phase::Announcing;
        self.write_once(slot, r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)?;
        self.transmit(slot)
    }

    fn write_once(&mut self, slot: u32, body: &str) -> Result<()> {
        let connection = &self.connections[slot as usize];
        let shape = Shape { body, ..self.plan.shape() };
        let token = self.plan.tokens.get(connection.principal).map(String::as_str);
        let out = self.ring.outbound(slot).context("a connection greets while still sending")?;
        Template::new(shape, token).write(connection.session.as_deref(), FIRST_NUMBER, out);
        Ok(())
    }

    fn up(&mut self, slot: u32) {
        self.opening = self.opening.saturating_sub(1);
        let connection = &mut self.connections[slot as usize];
        connection.phase = Phase::Idle;
        connection.answered = false;
        self.idle.push_back(slot);
    }

    fn down(&mut self, slot: u32, reopen: bool) {
        let connection = &mut self.connections[slot as usize];
        connection.phase = Phase::Down;
        // A connection that the server ended behind a complete reply is replaced in any case.
        if reopen || std::mem::take(&mut connection.answered) {
            self.tally.reconnects += 1;
            self.reopen.push_back((Instant::now() + REOPEN_AFTER, slot));
        }
    }

    fn on_bytes(&mut self, slot: u32, chunk: Chunk) -> Result<()> {
        let phase = self.connections[slot as usize].phase;
        let waiting = matches!(phase, Phase::Greeting | Phase::Announcing | Phase::Busy);
        if !waiting || self.connections[slot as usize].answered {
            self.ring.recycle(chunk);
            if waiting || phase == Phase::Idle {
                self.tally.surprise("bytes that nobody asked for");
                self.hang_up(slot);
            }
            return Ok(());
        }
        let connection = &mut self.connections[slot as usize];
        let fresh = self.ring.bytes(&chunk);
        let whole = connection.inbox.is_empty();
        if !whole {
            connection.inbox.extend_from_slice(fresh);
        }
        let bytes = if whole { fresh } else { &connection.inbox };
        if !whole && bytes.len() < connection.need {
            self.ring.recycle(chunk);
            return Ok(());
        }
        let template = &self.templates[connection.principal];
        let asked = Asked {
            number: connection.number,
            body: template.body(self.ring.sent(slot)),
            echoed: self.plan.echoed && phase == Phase::Busy,
        };
        let expect = if phase == Phase::Busy { self.plan.expect } else { Expect::Allow };
        match read(bytes, false, asked, expect) {
            Ok(Some((answer, used))) => {
                let extra = bytes.len() > used;
                connection.inbox.clear();
                self.ring.recycle(chunk);
                if extra {
                    self.tally.surprise("bytes behind a reply");
                    self.hang_up(slot);
                    return Ok(());
                }
                self.on_answer(slot, answer)
            }
            Ok(None) => {
                if let Ok(Progress::Partial { need }) = reply::parse(bytes, false) {
                    connection.need = need;
                }
                if whole {
                    connection.inbox.extend_from_slice(fresh);
                }
                self.ring.recycle(chunk);
                Ok(())
            }
            Err(malformed) => {
                self.ring.recycle(chunk);
                self.tally.surprise(&malformed.to_string());
                self.hang_up(slot);
                Ok(())
            }
        }
    }

    fn on_end(&mut self, slot: u32, error: Option<std::io::Error>) -> Result<()> {
        let connection = &mut self.connections[slot as usize];
        if connection.phase == Phase::Busy && error.is_none() && !connection.inbox.is_empty() {
            // A body without a length ends with its connection.
            let asked = Asked {
                number: connection.number,
                body: self.templates[connection.principal].body(self.ring.sent(slot)),
                echoed: self.plan.echoed,
            };
            if let Ok(Some((answer, _))) = read(&connection.inbox, true, asked, self.plan.expect) {
                return self.on_answer(slot, Answer { last: true, ..answer });
            }
        }
        if let Some(error) = error {
            self.trouble = Some(error.to_string());
        }
        self.hang_up(slot);
        Ok(())
    }

    /// Ends a connection and counts what is lost with it.
    fn hang_up(&mut self, slot: u32) {
        let connection = &mut self.connections[slot as usize];
        match connection.phase {
            Phase::Busy if !connection.answered => {
                self.busy -= 1;
                self.tally.lost.resets += 1;
            }
            Phase::Busy | Phase::Idle => self.tally.lost.hangups += 1,
            Phase::Greeting | Phase::Announcing => {
                self.opening = self.opening.saturating_sub(1);
                self.tally.lost.refused += 1;
            }
            Phase::Down | Phase::Connecting | Phase::Closing => return,
        }
        connection.phase = Phase::Closing;
        connection.answered = false;
        self.ring.close(slot);
    }

    fn on_answer(&mut self, slot: u32, answer: Answer) -> Result<()> {
        let connection = &mut self.connections[slot as usize];
        match connection.phase {
            Phase::Greeting if answer.verdict == Verdict::Allowed => connection.session = answer.session,
            Phase::Announcing if (200..300).contains(&answer.status) => {}
            Phase::Greeting | Phase::Announcing => {
                let what = format!("no session: {}", described(&answer.verdict));
                self.tally.surprise(&what);
                self.trouble = Some(what);
                self.hang_up(slot);
                return Ok(());
            }
            Phase::Busy => {
                self.count(slot, &answer)?;
                self.busy -= 1;
                if answer.last {
                    let connection = &mut self.connections[slot as usize];
                    connection.phase = Phase::Closing;
                    connection.answered = true;
                    self.ring.close(slot);
                    return Ok(());
                }
            }
            Phase::Down | Phase::Connecting | Phase::Idle | Phase::Closing => return Ok(()),
        }
        let connection = &mut self.connections[slot as usize];
        connection.answered = true;
        if connection.sending {
            // The reply overtook the news that the request has been sent; go on when it comes.
            return Ok(());
        }
        self.proceed(slot)
    }

    /// What follows a complete exchange.
    fn proceed(&mut self, slot: u32) -> Result<()> {
        let connection = &mut self.connections[slot as usize];
        match connection.phase {
            Phase::Greeting => return self.announce(slot),
            Phase::Announcing => self.up(slot),
            Phase::Busy => {
                connection.phase = Phase::Idle;
                connection.answered = false;
                self.idle.push_back(slot);
            }
            Phase::Down | Phase::Connecting | Phase::Idle | Phase::Closing => {}
        }
        Ok(())
    }

    fn count(&mut self, slot: u32, answer: &Answer) -> Result<()> {
        let connection = &self.connections[slot as usize];
        let of_principal = &mut self.tally.principals[connection.principal];
        match &answer.verdict {
            Verdict::Allowed => {
                self.tally.allowed += 1;
                of_principal.0 += 1;
            }
            Verdict::Denied(code) => {
                self.tally.denied += 1;
                of_principal.1 += 1;
                *self.tally.denied_by.entry(*code).or_default() += 1;
            }
            Verdict::Wrong(_) => {}
        }
        if !answer.verdict.fits(self.plan.expect) {
            self.tally.surprise(&described(&answer.verdict));
        }
        if connection.intended >= self.measure_from {
            let now = Instant::now();
            self.tally.last_reply = Some(now);
            self.tally.measured += 1;
            record(&mut self.tally.latency, now.saturating_duration_since(connection.intended));
            record(&mut self.tally.service, now.saturating_duration_since(connection.sent_at));
            record(&mut self.tally.lag, connection.sent_at.saturating_duration_since(connection.intended));
        }
        if let (Some(file), Some(trace)) = (&mut self.record, &answer.trace) {
            self.tally.traces += 1;
            file.write_all(trace).and_then(|()| file.write_all(b"\n")).context("write the record file")?;
        }
        Ok(())
    }

    /// Gives up on requests that have waited too long.
    fn sweep(&mut self, now: Instant) {
        for slot in 0..self.connections.len() {
            let connection = &self.connections[slot];
            if connection.phase == Phase::Busy
                && !connection.answered
                && now.saturating_duration_since(connection.sent_at) > self.plan.timeout
            {
                self.hang_up(slot as u32);
                self.tally.lost.resets -= 1;
                self.tally.lost.timeouts += 1;
            }
        }
    }
}

impl Connection {
    fn new(principal: usize, now: Instant) -> Self {
        Self {
            phase: Phase::Down,
            principal,
            session: None,
            inbox: Vec::new(),
            need: 0,
            written: None,
            sending: false,
            answered: false,
            number: 0,
            intended: now,
            sent_at: now,
        }
    }
}

/// Reads and judges the reply that `bytes` begin with, if it is complete.
fn read(bytes: &[u8], ended: bool, asked: Asked<'_>, expect: Expect) -> Result<Option<(Answer, usize)>, Malformed> {
    let Progress::Whole(reply, used) = reply::parse(bytes, ended)? else {
        return Ok(None);
    };
    let answer = Answer {
        verdict: judge(&reply, asked, expect),
        status: reply.status,
        trace: reply.trace.and_then(|trace| trace.as_bytes().try_into().ok()),
        session: reply.session.map(str::to_owned),
        last: reply.last,
    };
    Ok(Some((answer, used)))
}

fn described(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Allowed => "allowed, where a denial was expected".into(),
        Verdict::Denied(code) => format!("denied with {code}, where a result was expected"),
        Verdict::Wrong(what) => what.clone(),
    }
}
