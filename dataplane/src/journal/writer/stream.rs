//! The state of one open stream and every transition of it. No I/O of its own but the group's write; no waiting.
//!
//! *Lives on* one shard, behind the `RefCell` of its [`super::Journal`].
//!
//! ```text
//!            a write fails and cannot be cut off · the segment is full · a sync fails
//!  Active ─────────────────────────────────────────────────────────────────────────▶ Beginning ──▶ Active
//!    │ a write fails and is cut off: stays                                            │   ▲
//!    ▼                                                                                └───┘ failed: refuse, try again
//! ```

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use crossbeam::channel::Sender;
use wire::frame::{FrameWriter, Header, RateCell};
use wire::ids::{NodeId, SeqNo};
use wire::record::Record;

use super::unsynced::Unsynced;
use super::waiters::{Ticket, Waiters};
use crate::journal::disk::DiskFile;
use crate::journal::keeper::{Begin, Done, Job, When};
use crate::journal::{Durability, JournalConfig, JournalError, Progress, State, StreamPosition};

/// Unsynced bytes beyond which a sync is not put off. LIMIT: half a second of a busy disk, and what an idle one takes at once.
const SYNC_SOON_BYTES: usize = 8 << 20;

/// Unsynced bytes beyond which appends are refused. LIMIT: the memory that a shard may spend on a disk that hangs.
const UNSYNCED_BYTES_MAX: usize = 64 << 20;

const _: () = assert!(SYNC_SOON_BYTES * 4 <= UNSYNCED_BYTES_MAX);

pub(super) struct Stream {
    node: NodeId,
    shard: u16,
    config: JournalConfig,
    progress: Arc<Progress>,
    jobs: Sender<Job>,

    frames: FrameWriter,
    unsynced: Unsynced,
    pub(super) waiters: Waiters,
    /// The last frame that the kernel has.
    written: StreamPosition,
    /// Under [`Durability::Synced`]: groups that are answered when a number is synced, with success or with an error.
    unanswered: VecDeque<(SeqNo, Ticket, Option<JournalError>)>,

    /// The segment that is written to; `None` while there is none.
    file: Option<Arc<DiskFile>>,
    /// The segment before the one that is being begun, while it is not synced.
    sealing: Option<Arc<DiskFile>>,
    offset: u64,
    others_bytes: u64,
    first: SeqNo,
    begun_us: u64,
    /// The time of the newest record, as the record has it.
    newest_us: u64,

    /// Why appends are refused at once, while they are.
    refusing: Option<JournalError>,
    sync_asked: bool,
    sync_now_asked: bool,
    measuring: bool,
    pub(super) closing: bool,
    pub(super) stopped: bool,
    pub(super) flusher: Option<Waker>,
    /// Those who wait for [`Stream::is_synced`].
    pub(super) syncers: Vec<Waker>,
}

impl Stream {
    pub(super) fn new(
        node: NodeId,
        shard: u16,
        start: StreamPosition,
        now_us: u64,
        config: JournalConfig,
        progress: Arc<Progress>,
        jobs: Sender<Job>,
    ) -> Stream {
        Stream {
            node,
            shard,
            config,
            progress,
            jobs,
            frames: FrameWriter::new(start.seq, start.chain),
            unsynced: Unsynced::new(start),
            waiters: Waiters::default(),
            written: start,
            unanswered: VecDeque::new(),
            file: None,
            sealing: None,
            offset: 0,
            others_bytes: 0,
            first: start.seq,
            begun_us: now_us,
            newest_us: now_us,
            refusing: None,
            sync_asked: false,
            sync_now_asked: false,
            measuring: false,
            closing: false,
            stopped: false,
            flusher: None,
            syncers: Vec::new(),
        }
    }

    /// Gives a record its place. It is written at the end of this turn.
    pub(super) fn enqueue(&mut self, record: &Record<'_>, cells: &[RateCell]) -> Result<(Ticket, SeqNo), JournalError> {
        if self.closing {
            return Err(JournalError::Closed);
        }
        if let Some(error) = &self.refusing {
            return Err(error.clone());
        }
        self.check_budget(record)?;
        if self.unsynced.bytes() > UNSYNCED_BYTES_MAX {
            self.progress.set_state(State::Degraded);
            return Err(JournalError::Degraded);
        }
        let is_first_of_group = self.unsynced.pending().is_empty();
        let seq = self.frames.write(record, cells, self.unsynced.out())?;
        self.newest_us = record.at_us();
        if is_first_of_group && let Some(flusher) = self.flusher.take() {
            flusher.wake();
        }
        Ok((self.waiters.enter(), seq))
    }

    /// Whether another group is to be written.
    pub(super) fn has_work(&self) -> bool {
        self.file.is_some() && self.refusing.is_none() && !self.unsynced.pending().is_empty()
    }

    /// Writes everything that was appended in this turn.
    pub(super) fn flush(&mut self) {
        let Some(file) = self.file.clone().filter(|_| self.has_work()) else { return };
        match file.write_all_at(self.unsynced.pending(), self.offset) {
            Ok(()) => self.wrote(),
            Err(error) => self.write_failed(&file, &error),
        }
        self.waiters.wake.append(&mut self.syncers);
    }

    fn wrote(&mut self) {
        self.offset += self.unsynced.pending().len() as u64;
        self.written = self.position();
        self.unsynced.wrote(self.written);
        self.progress.set_written(self.written.seq);
        self.progress.set_bytes(self.bytes());
        if self.progress.state() == State::WriteFailing {
            self.progress.set_state(State::Healthy);
        }
        match self.config.durability {
            Durability::Written => self.waiters.succeed(self.waiters.last()),
            Durability::Synced => self.unanswered.push_back((self.written.seq, self.waiters.last(), None)),
        }
        if self.is_segment_over() {
            let seal = self.file.take();
            self.begin(seal, self.written, Vec::new());
        } else {
            self.ask_sync();
        }
    }

    fn write_failed(&mut self, file: &Arc<DiskFile>, error: &io::Error) {
        self.progress.set_state(State::WriteFailing);
        self.take_back_pending(&JournalError::disk("write", error));
        if file.truncate(self.offset).is_err() {
            // What is beyond the last good byte stays there, so nothing may follow it: the next segment's header says
            // where this one ends.
            let seal = self.file.take();
            self.begin(seal, self.written, Vec::new());
        }
    }

    /// What was appended and not written gives its numbers back, and whoever waits for it hears why.
    fn take_back_pending(&mut self, error: &JournalError) {
        self.unsynced.drop_pending();
        self.frames = FrameWriter::new(self.written.seq, self.written.chain);
        match self.config.durability {
            Durability::Written => self.waiters.fail(self.waiters.last(), error),
            Durability::Synced => {
                self.unanswered.push_back((self.written.seq, self.waiters.last(), Some(error.clone())));
                self.answer_synced();
            }
        }
    }

    /// Takes in what the keeper did.
    pub(super) fn done(&mut self, done: Done) {
        match done {
            Done::Synced(seq) => {
                self.sync_asked = false;
                self.sync_now_asked = false;
                self.unsynced.synced(seq, self.written);
                self.answer_synced();
                self.recover_from(State::Degraded);
                if self.written.seq > seq {
                    self.ask_sync();
                }
            }
            Done::SyncFailed { file } => self.sync_failed(&file),
            Done::Begun { file, first, offset, others_bytes } => {
                self.file = Some(file);
                self.sealing = None;
                self.first = first;
                self.offset = offset;
                self.others_bytes = others_bytes;
                self.refusing = None;
                self.sync_asked = false;
                self.sync_now_asked = false;
                self.unsynced.synced(self.progress.synced(), self.written);
                self.answer_synced();
                self.progress.set_bytes(self.bytes());
                self.recover_from(State::Degraded);
                self.recover_from(State::WriteFailing);
            }
            Done::BeginFailed { begin, doing, error } => self.begin_failed(begin, doing, &error),
            Done::Measured { others_bytes } => {
                self.measuring = false;
                self.others_bytes = others_bytes;
                self.progress.set_bytes(self.bytes());
                if self.bytes() < self.bytes_admitted() {
                    self.recover_from(State::Full);
                } else {
                    self.measure();
                }
            }
            Done::Stopped => self.stopped = true,
        }
        self.waiters.wake.append(&mut self.syncers);
    }

    /// The file's pages can no longer be trusted. Whatever was acknowledged since the last good sync is in memory.
    fn sync_failed(&mut self, file: &Arc<DiskFile>) {
        let in_use = self.file.as_ref().or(self.sealing.as_ref());
        if !in_use.is_some_and(|in_use| Arc::ptr_eq(in_use, file)) {
            // Its replacement is on the way already.
            return;
        }
        self.file = None;
        self.progress.set_state(State::Degraded);
        self.refusing = Some(JournalError::Degraded);
        let (base, mut acknowledged) = self.unsynced.after(self.progress.synced());
        if self.config.durability == Durability::Synced {
            // Nobody was told that any of it is safe: it never happened.
            acknowledged.clear();
            self.unsynced.reset(base);
            self.written = base;
            self.progress.set_written(base.seq);
            self.unanswered.clear();
            self.waiters.fail(self.waiters.last(), &JournalError::Degraded);
        }
        self.take_back_pending(&JournalError::Degraded);
        self.begin(None, base, acknowledged);
    }

    fn begin_failed(&mut self, mut begin: Box<Begin>, doing: &'static str, error: &io::Error) {
        if self.refusing.is_none() {
            tracing::error!(shard = self.shard, doing, %error, "journal cannot begin a segment; appends are refused until it can");
        }
        if self.progress.state() != State::Degraded {
            self.progress.set_state(State::WriteFailing);
        }
        let error = JournalError::disk(doing, error);
        self.sealing = None;
        // The segment before it was synced.
        self.unsynced.synced(self.progress.synced(), self.written);
        self.answer_synced();
        self.take_back_pending(&error);
        self.refusing = Some(error);
        begin.delay = self.config.retry_interval;
        self.send(Job::Begin(begin));
    }

    /// Asks for a segment that follows `previous` and begins with `carry`.
    pub(super) fn begin(&mut self, seal: Option<Arc<DiskFile>>, previous: StreamPosition, carry: Vec<u8>) {
        self.begun_us = self.newest_us;
        self.sealing.clone_from(&seal);
        let header = Header {
            node: self.node,
            shard: self.shard,
            first: SeqNo(previous.seq.0 + 1),
            created_us: self.newest_us,
            previous: previous.chain,
        };
        let begin = Begin { seal, header, carry, through: self.written.seq, delay: Duration::ZERO };
        self.send(Job::Begin(Box::new(begin)));
    }

    fn is_segment_over(&self) -> bool {
        let age_us = u128::from(self.newest_us.saturating_sub(self.begun_us));
        self.offset >= self.config.segment_bytes || age_us >= self.config.segment_age.as_micros()
    }

    fn ask_sync(&mut self) {
        let Some(file) = &self.file else { return };
        let soon = self.config.durability == Durability::Synced || self.unsynced.bytes() > SYNC_SOON_BYTES;
        if soon && !self.sync_now_asked {
            self.sync_asked = true;
            self.sync_now_asked = true;
            let job = Job::Sync { file: Arc::clone(file), when: When::Now };
            self.send(job);
        } else if !self.sync_asked {
            self.sync_asked = true;
            let job = Job::Sync { file: Arc::clone(file), when: When::OnSchedule };
            self.send(job);
        }
    }

    /// Whether everything up to `seq`, as far as it was not refused, is synced; if not, `waker` hears of every change.
    ///
    /// # Errors
    /// Why it will not be soon.
    pub(super) fn is_synced(&mut self, seq: SeqNo, waker: &Waker) -> Option<Result<(), JournalError>> {
        let seq = seq.min(self.frames.position().0);
        if self.progress.synced() >= seq {
            return Some(Ok(()));
        }
        if let Some(error) = &self.refusing {
            return Some(Err(error.clone()));
        }
        if self.stopped {
            return Some(Err(JournalError::Closed));
        }
        if let Some(file) = self.file.clone().filter(|_| self.written.seq >= seq && !self.sync_now_asked) {
            self.sync_asked = true;
            self.sync_now_asked = true;
            self.send(Job::Sync { file, when: When::Now });
        }
        self.syncers.push(waker.clone());
        None
    }

    fn answer_synced(&mut self) {
        let synced = self.progress.synced();
        while self.unanswered.front().is_some_and(|(seq, _, _)| *seq <= synced)
            && let Some((_, through, error)) = self.unanswered.pop_front()
        {
            match error {
                None => self.waiters.succeed(through),
                Some(error) => self.waiters.fail(through, &error),
            }
        }
    }

    fn check_budget(&mut self, record: &Record<'_>) -> Result<(), JournalError> {
        let bytes = self.bytes() + self.unsynced.pending().len() as u64;
        // One segment is left for the outcomes of what has been allowed already: those calls cannot be taken back.
        let admitted = match record {
            Record::Outcome(_) => self.config.bytes_max,
            Record::Decision(_) | Record::Notice(..) => self.bytes_admitted(),
        };
        if bytes < admitted {
            return Ok(());
        }
        self.progress.set_state(State::Full);
        self.measure();
        Err(JournalError::Full { bytes, bytes_max: admitted })
    }

    /// The last frame that was given its place.
    pub(super) fn position(&self) -> StreamPosition {
        let (seq, chain) = self.frames.position();
        StreamPosition { seq, chain }
    }

    fn bytes(&self) -> u64 {
        self.others_bytes + self.offset
    }

    fn bytes_admitted(&self) -> u64 {
        self.config.bytes_max - self.config.segment_bytes
    }

    fn measure(&mut self) {
        if !self.measuring {
            self.measuring = true;
            let active = self.first;
            self.send(Job::Measure { active });
        }
    }

    fn recover_from(&self, state: State) {
        if self.progress.state() == state {
            self.progress.set_state(State::Healthy);
        }
    }

    pub(super) fn send(&mut self, job: Job) {
        if self.jobs.send(job).is_err() {
            // The keeper ended although nobody told it to: nothing can be made durable any more.
            self.stopped = true;
            self.refusing = Some(JournalError::Closed);
            self.progress.set_state(State::Closed);
        }
    }
}
