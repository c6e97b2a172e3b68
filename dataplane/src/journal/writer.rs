//! Appending to a stream: one write per turn of the reactor for everything appended in it.
//!
//! *Lives on* one shard. The write is a plain `pwrite` into the page cache, on the shard's own thread: with one appender it
//! costs 2 µs of CPU and is through after 1 µs, where the same write over io_uring costs 28 µs and takes 17 µs on ext4, which
//! cannot do buffered writes without a worker thread; with 64 appenders both cost about 1 µs per append.

mod stream;
mod unsynced;
mod waiters;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::SystemTime;

use crossbeam::channel::Receiver;
use futures_util::task::AtomicWaker;
use wire::frame::RateCell;
use wire::ids::{NodeId, SeqNo};
use wire::record::Record;

use self::stream::Stream;
use self::waiters::Ticket;
use super::keeper::{Done, Job, Keeper};
use super::{JournalConfig, JournalError, Progress, StreamPosition, segment};

/// The journal of one shard. Clones are the same journal; all live on the executor that opened it.
///
/// What is true after each method is said at [`crate::journal`]. When the last clone is dropped without [`Journal::close`],
/// what was appended is still written, but nobody waits for the sync.
#[derive(Clone)]
pub struct Journal {
    handle: Rc<Handle>,
}

struct Handle {
    shared: Rc<Shared>,
    progress: Arc<Progress>,
    dir: PathBuf,
    keeper: Cell<Option<JoinHandle<()>>>,
}

struct Shared {
    stream: RefCell<Stream>,
    done: Receiver<Done>,
    keeper_waker: Arc<AtomicWaker>,
}

impl Journal {
    /// Opens the stream of a shard below `journal_dir` and begins a segment after `start`: what recovery found, or
    /// [`StreamPosition::genesis`]. Spawns the flusher on the current executor.
    ///
    /// # Errors
    /// [`JournalError`] when the segment cannot be made, or one beyond `start` exists, or the budget is too small.
    pub async fn open(
        journal_dir: &Path,
        node: NodeId,
        shard: u16,
        start: StreamPosition,
        config: JournalConfig,
    ) -> Result<Journal, JournalError> {
        if config.bytes_max / 4 < config.segment_bytes {
            return Err(JournalError::Budget { bytes_max: config.bytes_max, segment_bytes: config.segment_bytes });
        }
        let progress = Arc::new(Progress::new(start.seq, 0));
        let (jobs, jobs_here) = crossbeam::channel::unbounded();
        let (done_there, done) = crossbeam::channel::unbounded();
        let keeper_waker = Arc::new(AtomicWaker::new());
        let keeper = Keeper {
            dir: segment::stream_dir(journal_dir, shard),
            disk: config.disk.clone(),
            sync_interval: config.sync_interval,
            retry_interval: config.retry_interval,
            progress: Arc::clone(&progress),
            jobs: jobs_here,
            done: done_there,
            waker: Arc::clone(&keeper_waker),
        };
        let thread = std::thread::Builder::new()
            .name(format!("sp-keeper-{shard:03}"))
            .spawn(move || keeper.run())
            .map_err(|error| JournalError::disk("start the keeper's thread", &error))?;

        let now_us = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
        let mut stream = Stream::new(node, shard, start, now_us, config, Arc::clone(&progress), jobs);
        stream.begin(None, start, Vec::new());
        let shared = Rc::new(Shared { stream: RefCell::new(stream), done, keeper_waker });
        match poll_fn(|cx| shared.poll_done(cx)).await {
            Done::BeginFailed { doing, error, .. } => return Err(JournalError::disk(doing, &error)),
            done => shared.stream.borrow_mut().done(done),
        }
        glommio::spawn_local(flush_until_closed(Rc::clone(&shared))).detach();
        Ok(Journal {
            handle: Rc::new(Handle {
                shared,
                progress,
                dir: segment::stream_dir(journal_dir, shard),
                keeper: Cell::new(Some(thread)),
            }),
        })
    }

    /// Gives the record its place in the stream, now; it may be changed or dropped as soon as this returns. Await the result
    /// to know that it is durable, and only then do what it speaks of.
    ///
    /// Cost: one encoding, one BLAKE3 and one CRC over the record; no allocation once the buffers have grown.
    pub fn append(&self, record: &Record<'_>, cells: &[RateCell]) -> Append {
        let state = match self.handle.shared.stream.borrow_mut().enqueue(record, cells) {
            Ok((ticket, seq)) => AppendState::Waiting { ticket, seq },
            Err(error) => AppendState::Refused(error),
        };
        Append { shared: Rc::clone(&self.handle.shared), state }
    }

    /// Where the stream lies.
    pub fn dir(&self) -> &Path {
        &self.handle.dir
    }

    /// How far the stream has come, for the shipper and for metrics.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.handle.progress
    }

    /// Waits until everything appended so far survives the death of the machine. What was refused is not waited for.
    ///
    /// # Errors
    /// Why it will not be soon: the disk does not take writes or does not sync.
    pub async fn flush_and_sync(&self) -> Result<(), JournalError> {
        let shared = &self.handle.shared;
        let seq = shared.stream.borrow().position().seq;
        poll_fn(|cx| shared.stream.borrow_mut().is_synced(seq, cx.waker()).map_or(Poll::Pending, Poll::Ready)).await
    }

    /// Refuses further appends, syncs what there is, and ends the keeper.
    ///
    /// # Errors
    /// As [`Journal::flush_and_sync`]; the keeper has ended all the same.
    pub async fn close(self) -> Result<(), JournalError> {
        let shared = &self.handle.shared;
        shared.stream.borrow_mut().closing = true;
        let synced = self.flush_and_sync().await;
        shared.stop();
        poll_fn(|cx| {
            let mut stream = shared.stream.borrow_mut();
            if stream.stopped {
                return Poll::Ready(());
            }
            stream.syncers.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
        if let Some(keeper) = self.handle.keeper.take() {
            // It has answered for the last time, so this does not wait.
            let _ = keeper.join();
        }
        synced
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

/// An append that has its place in the stream. Dropping it does not take the record back.
#[must_use = "nothing may be done about a record before its append has succeeded"]
pub struct Append {
    shared: Rc<Shared>,
    state: AppendState,
}

enum AppendState {
    Refused(JournalError),
    Waiting { ticket: Ticket, seq: SeqNo },
    Answered,
}

impl Append {
    /// The record's number, if it was given one. It is not durable yet.
    pub fn seq(&self) -> Option<SeqNo> {
        match self.state {
            AppendState::Waiting { seq, .. } => Some(seq),
            AppendState::Refused(_) | AppendState::Answered => None,
        }
    }
}

impl Future for Append {
    type Output = Result<SeqNo, JournalError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match std::mem::replace(&mut self.state, AppendState::Answered) {
            AppendState::Refused(error) => Poll::Ready(Err(error)),
            AppendState::Waiting { ticket, seq } => {
                let answer = self.shared.stream.borrow_mut().waiters.ask(ticket, cx.waker());
                match answer {
                    Some(answer) => Poll::Ready(answer.map(|()| seq)),
                    None => {
                        self.state = AppendState::Waiting { ticket, seq };
                        Poll::Pending
                    }
                }
            }
            // Asked again after its answer: the answer does not change what is on disk.
            AppendState::Answered => Poll::Ready(Err(JournalError::Closed)),
        }
    }
}

impl Drop for Append {
    fn drop(&mut self) {
        if let AppendState::Waiting { ticket, .. } = self.state {
            self.shared.stream.borrow_mut().waiters.leave(ticket);
        }
    }
}

/// The flusher: sleeps until something was appended or the keeper answered.
async fn flush_until_closed(shared: Rc<Shared>) {
    loop {
        let event = poll_fn(|cx| shared.poll_event(cx)).await;
        let mut wake = {
            let mut stream = shared.stream.borrow_mut();
            match event {
                Event::Group => stream.flush(),
                Event::Done(done) => stream.done(done),
                Event::Closed => {}
            }
            std::mem::take(&mut stream.waiters.wake)
        };
        // Nothing is borrowed while others are woken: what they drop may come back here.
        wake.drain(..).for_each(Waker::wake);
        let mut stream = shared.stream.borrow_mut();
        if stream.waiters.wake.is_empty() {
            stream.waiters.wake = wake;
        }
        if stream.stopped {
            return;
        }
    }
}

enum Event {
    Group,
    Done(Done),
    Closed,
}

impl Shared {
    fn poll_event(&self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(done) = self.poll_done(cx) {
            return Poll::Ready(Event::Done(done));
        }
        let mut stream = self.stream.borrow_mut();
        if stream.has_work() {
            return Poll::Ready(Event::Group);
        }
        if stream.stopped {
            return Poll::Ready(Event::Closed);
        }
        stream.flusher = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_done(&self, cx: &mut Context<'_>) -> Poll<Done> {
        // Registered first: an answer that comes in between wakes.
        self.keeper_waker.register(cx.waker());
        match self.done.try_recv() {
            Ok(done) => Poll::Ready(done),
            Err(_) => Poll::Pending,
        }
    }

    /// Writes what there is and ends the keeper; the flusher ends when the keeper has.
    fn stop(&self) {
        let mut stream = self.stream.borrow_mut();
        stream.closing = true;
        stream.flush();
        stream.send(Job::Stop);
    }
}

#[cfg(test)]
mod tests;
