//! Everything about a stream's files that may take long, away from the shard: fdatasync on its own schedule, new segments,
//! rewriting after a failed sync, looking how much space is used.
//!
//! *Lives on* a thread of its own, one per open journal, which is not bound to the shard's processor. Jobs come over a
//! channel, answers go back over another one and wake the shard's flusher.
//!
//! INVARIANT: a file whose fdatasync failed is never synced again.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender};
use futures_util::task::AtomicWaker;
use wire::frame::{HEADER_BYTES, Header};
use wire::ids::SeqNo;

use super::disk::{Disk, DiskFile};
use super::marker::Marker;
use super::{Progress, segment};

/// What the shard asks for.
pub(super) enum Job {
    /// Sync what has been written to the file: when the interval since the last sync is over, or now.
    Sync { file: Arc<DiskFile>, when: When },
    /// Begin a segment.
    Begin(Box<Begin>),
    /// See how much space the segments other than `active` use, after the retry interval.
    Measure { active: SeqNo },
    /// End.
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    OnSchedule,
    Now,
}

/// A segment to begin.
pub(super) struct Begin {
    /// The segment before it, which is synced first; `None` when there is none or when it must not be synced again.
    pub(super) seal: Option<Arc<DiskFile>>,
    pub(super) header: Header,
    /// Frames that the segment begins with: they were acknowledged, and the sync of the file they were in failed.
    pub(super) carry: Vec<u8>,
    /// The last frame before the segment, or in `carry` if there are any.
    pub(super) through: SeqNo,
    /// How long to wait before it is tried.
    pub(super) delay: Duration,
}

/// What the keeper answers.
pub(super) enum Done {
    /// Everything up to here is synced.
    Synced(SeqNo),
    /// The file could not be synced and must not be used any more.
    SyncFailed { file: Arc<DiskFile> },
    /// The segment is there, durable, with all it begins with.
    Begun { file: Arc<DiskFile>, first: SeqNo, offset: u64, others_bytes: u64 },
    /// The segment could not be begun; the one before it was synced if that was asked for. It may exist by name, so the one
    /// before it must not grow any more.
    BeginFailed { begin: Box<Begin>, doing: &'static str, error: io::Error },
    /// What the other segments use.
    Measured { others_bytes: u64 },
    /// The last answer.
    Stopped,
}

pub(super) struct Keeper {
    pub(super) dir: PathBuf,
    pub(super) disk: Disk,
    pub(super) sync_interval: Duration,
    pub(super) retry_interval: Duration,
    pub(super) progress: Arc<Progress>,
    pub(super) jobs: Receiver<Job>,
    pub(super) done: Sender<Done>,
    pub(super) waker: Arc<AtomicWaker>,
}

/// What waits for its time.
enum Due {
    Sync(Arc<DiskFile>),
    Begin(Box<Begin>),
}

impl Keeper {
    /// Works until it is told to stop or the shard is gone.
    pub(super) fn run(self) {
        leave_the_shards_processor();
        let mut marker = None;
        let mut active = SeqNo(0);
        let mut due: Option<(Instant, Due)> = None;
        let mut measure: Option<(Instant, SeqNo)> = None;
        let mut last_sync: Option<Instant> = None;
        loop {
            let deadline = [due.as_ref().map(|(at, _)| *at), measure.map(|(at, _)| at)].into_iter().flatten().min();
            let job = match deadline {
                Some(deadline) => self.jobs.recv_deadline(deadline),
                None => self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match job {
                Ok(Job::Sync { file, when }) => {
                    let now = Instant::now();
                    let at = match (when, last_sync) {
                        (When::OnSchedule, Some(last)) => now.max(last + self.sync_interval),
                        _ => now,
                    };
                    due = Some((at, Due::Sync(file)));
                }
                Ok(Job::Begin(begin)) => due = Some((Instant::now() + begin.delay, Due::Begin(begin))),
                Ok(Job::Measure { active }) => measure = Some((Instant::now() + self.retry_interval, active)),
                Ok(Job::Stop) => return self.answer(Done::Stopped),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            if let Some((_, active)) = measure.take_if(|(at, _)| *at <= now)
                && let Some(others_bytes) = self.others_bytes(active)
            {
                self.answer(Done::Measured { others_bytes });
            }
            match due.take_if(|(at, _)| *at <= now) {
                None => {}
                Some((_, Due::Sync(file))) => {
                    last_sync = Some(now);
                    if self.sync(file)
                        && let Some(marker) = &marker
                    {
                        // A mark that cannot be written is no loss: recovery is only more lenient.
                        let _ = self.mark(marker, active);
                    }
                }
                Some((_, Due::Begin(begin))) => {
                    last_sync = Some(now);
                    if let Some(first) = self.begin(begin, &mut marker) {
                        active = first;
                    }
                }
            }
        }
    }

    fn answer(&self, done: Done) {
        // The shard may be gone; then nobody needs the answer.
        let _ = self.done.send(done);
        self.waker.wake();
    }

    /// Returns whether it succeeded.
    fn sync(&self, file: Arc<DiskFile>) -> bool {
        // Loaded first: what is written while the disk syncs is for the next time.
        let through = self.progress.written();
        match file.sync() {
            Ok(()) => {
                self.progress.set_synced(through);
                self.answer(Done::Synced(through));
                true
            }
            Err(error) => {
                self.sync_failed(file, &error);
                false
            }
        }
    }

    /// Returns where the segment begins, if it was begun.
    fn begin(&self, mut begin: Box<Begin>, marker: &mut Option<DiskFile>) -> Option<SeqNo> {
        if let Some(seal) = begin.seal.take() {
            if let Err(error) = seal.sync() {
                self.sync_failed(seal, &error);
                return None;
            }
            self.progress.set_synced(SeqNo(begin.header.first.0 - 1));
        }
        match self.make(&begin, marker) {
            Ok(file) => {
                let first = begin.header.first;
                let offset = (HEADER_BYTES + begin.carry.len()) as u64;
                let others_bytes = self.others_bytes(first).unwrap_or(0);
                self.answer(Done::Begun { file: Arc::new(file), first, offset, others_bytes });
                Some(first)
            }
            Err((doing, error)) => {
                self.answer(Done::BeginFailed { begin, doing, error });
                None
            }
        }
    }

    fn sync_failed(&self, file: Arc<DiskFile>, error: &io::Error) {
        tracing::error!(dir = %self.dir.display(), %error, "journal sync failed; its unsynced records are written anew from memory");
        self.answer(Done::SyncFailed { file });
    }

    fn make(&self, begin: &Begin, marker: &mut Option<DiskFile>) -> Result<DiskFile, (&'static str, io::Error)> {
        let while_doing = |doing| move |error| (doing, error);
        if !self.dir.exists() {
            self.disk.create_dir(&self.dir).map_err(while_doing("make a directory"))?;
            if let Some(parent) = self.dir.parent() {
                self.disk.sync_dir(parent).map_err(while_doing("sync a directory"))?;
            }
        }
        let listed = segment::list(&self.dir).map_err(|error| ("list segments", io::Error::other(error.to_string())))?;
        if listed.last().is_some_and(|newest| newest.first > begin.header.first) {
            return Err(("begin a segment before the newest one", io::ErrorKind::AlreadyExists.into()));
        }
        let path_new = segment::segment_path_new(&self.dir, begin.header.first);
        let path = segment::segment_path(&self.dir, begin.header.first);
        let file = self.disk.create(&path_new).map_err(while_doing("create a segment"))?;
        file.write_all_at(&begin.header.encode(), 0).map_err(while_doing("write a segment's header"))?;
        file.write_all_at(&begin.carry, HEADER_BYTES as u64).map_err(while_doing("rewrite records"))?;
        file.sync().map_err(while_doing("sync a new segment"))?;
        self.disk.rename(&path_new, &path).map_err(while_doing("rename a segment"))?;
        let mark = match marker.take() {
            Some(mark) => mark,
            None => self.disk.open_or_create(&Marker::path(&self.dir)).map_err(while_doing("create the mark"))?,
        };
        self.disk.sync_dir(&self.dir).map_err(while_doing("sync a directory"))?;

        // Once per segment the mark is synced too, so that a machine's crash never leaves a stream without one. Not before the
        // segment has its name: a mark that names a missing segment means loss.
        self.progress.set_synced(begin.through);
        self.mark(&mark, begin.header.first).and_then(|()| mark.sync()).map_err(while_doing("sync the mark"))?;
        *marker = Some(mark);
        Ok(file)
    }

    /// Notes how far the sync has come.
    fn mark(&self, marker: &DiskFile, active: SeqNo) -> io::Result<()> {
        let mark = Marker { segment: active, synced: self.progress.synced() };
        marker.write_all_at(&mark.encode(), 0)
    }

    fn others_bytes(&self, active: SeqNo) -> Option<u64> {
        let others = segment::list(&self.dir).ok()?.into_iter().filter(|listed| listed.first != active);
        // One that was reclaimed in between uses nothing.
        Some(others.filter_map(|listed| std::fs::metadata(listed.path).ok()).map(|metadata| metadata.len()).sum())
    }
}

/// A thread inherits the processor that its shard is bound to; a sync there would take turns with the shard's work.
fn leave_the_shards_processor() {
    let mut all = nix::sched::CpuSet::new();
    for processor in 0..nix::sched::CpuSet::count() {
        // Processors that do not exist are ignored by the kernel.
        let _ = all.set(processor);
    }
    let _ = nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &all);
}
