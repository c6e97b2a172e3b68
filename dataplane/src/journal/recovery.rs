//! What a start reads from the journal before any shard runs.
//!
//! *Lives on* its own threads, one per stream and at most one per processor; blocking reads, 1 MiB of buffer per stream.
//!
//! Every frame of every segment is checked: CRC, number, chain, and that segments follow one another. A tail that a crash
//! tore is cut off, and said so; it can only lie at the end of the newest segment, beyond what was synced. Anything else
//! that is wrong is [`ReadError::Damaged`] or [`ReadError::Missing`], and the process should not start: what was
//! acknowledged is not there any more, and an operator has to know. When [`recover`] returns, all that it accepted
//! has been synced, so that [`super::Progress`] may begin with it.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use hashbrown::{HashMap, HashSet};
use wire::decision::{Channel, EventKind, Verdict};
use wire::frame::{Frame, RateCell};
use wire::ids::{NodeId, SeqNo};
use wire::record::{Decision, Record};

use super::marker::Marker;
use super::open_calls::OpenCalls;
use super::rates::RateNote;
use super::segment::{self, Listed, Next, SegmentReader};
use super::{ReadError, StreamPosition};
use crate::chain::rate::GRACE_US;

/// Most unfinished calls that are kept of one stream, and how many rate cells are kept before those that are over are thrown
/// out. LIMIT: 64 MiB of memory each.
pub const KEPT_MAX: usize = 1 << 20;

/// One stream, as it was found.
#[derive(Debug)]
pub struct Stream {
    /// Which shard wrote it. It may lie beyond the shards of today: then nobody appends to it, and it is only shipped.
    pub shard: u16,
    /// Its directory.
    pub dir: PathBuf,
    /// Where it goes on.
    pub position: StreamPosition,
    /// The latest state of each rate cell that still matters, as far as this stream and its shard's note know.
    pub cells: HashMap<u128, RateCell>,
    /// The latest time of the shard's limiter that is known; see [`crate::chain::rate::RateState::resume`].
    pub rate_time_us: u64,
    /// Calls that were allowed and forwarded and have no outcome, in order: append one with `OutcomeStatus::Unknown` for each.
    pub unfinished: Vec<Unfinished>,
    /// Calls that end here and of which nothing else is known here.
    ended_elsewhere: Vec<[u8; 16]>,
    /// How many unfinished calls were left out because of [`KEPT_MAX`].
    pub left_out: u64,
    /// What was cut off, if anything was.
    pub cut: Option<Cut>,
    /// How many records were read.
    pub record_count: u64,
    /// How many bytes lie in the stream's segments.
    pub bytes: u64,
}

/// An allowed call that the stream says nothing more about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    /// The decision's number.
    pub seq: SeqNo,
    /// When it was decided, in microseconds since 1970.
    pub at_us: u64,
    /// As in the decision.
    pub trace: [u8; 16],
    /// As in the decision.
    pub call: [u8; 16],
}

/// A torn tail that was cut off: bytes that were never acknowledged, or lost their power before they were synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The segment.
    pub segment: PathBuf,
    /// Its length now.
    pub offset: u64,
    /// How much was cut off.
    pub bytes: u64,
    /// Why it was not a frame.
    pub why: &'static str,
}

/// How far [`recover`] has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanned {
    /// Bytes read.
    pub bytes: u64,
    /// Bytes to read.
    pub bytes_total: u64,
}

/// Reads, repairs and syncs every stream of a journal directory. `report` is called from several threads, every few MiB.
///
/// # Errors
/// [`ReadError`]: do not start; print it, it names the file and what to do.
pub fn recover(journal_dir: &Path, node: NodeId, report: &(dyn Fn(Scanned) + Sync)) -> Result<Vec<Stream>, ReadError> {
    let streams = segment::streams(journal_dir)?;
    let mut bytes_total = 0;
    for (_, dir) in &streams {
        for listed in segment::list(dir)? {
            bytes_total += std::fs::metadata(&listed.path).map_err(failed("stat", &listed.path))?.len();
        }
    }
    let done = AtomicU64::new(0);
    let advance = |bytes: u64| {
        let bytes = done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        report(Scanned { bytes, bytes_total });
    };

    let next = AtomicUsize::new(0);
    let worker_count = std::thread::available_parallelism().map_or(1, usize::from).min(streams.len());
    let work = || {
        let mut found = Vec::new();
        while let Some((shard, dir)) = streams.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.push(recover_stream(dir, node, *shard, &advance)?);
        }
        Ok(found)
    };
    let results: Vec<Result<Vec<Stream>, ReadError>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..worker_count).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let mut found = Vec::new();
    for result in results {
        found.extend(result?);
    }
    found.sort_unstable_by_key(|stream| stream.shard);
    // A start with fewer shards than the one before ends the calls of a stream that has no shard in another one.
    let ended: HashSet<[u8; 16]> = found.iter().flat_map(|stream| stream.ended_elsewhere.iter().copied()).collect();
    for stream in &mut found {
        stream.unfinished.retain(|call| !ended.contains(&call.call));
    }
    Ok(found)
}

/// Notes that every call of a recovered stream has its outcome now. Call it when the outcomes of [`Stream::unfinished`] are
/// durable: from then on they may leave the journal, even though the decisions stay in it.
///
/// # Errors
/// [`ReadError::Io`]: the next start may complete the same calls once more.
pub fn settle(dir: &Path, position: StreamPosition) -> Result<(), ReadError> {
    OpenCalls { through: position.seq, calls: Vec::new() }.store(dir)
}

/// Reads, repairs and syncs one stream; as [`recover`] does with each.
///
/// # Errors
/// As [`recover`].
pub fn recover_stream(dir: &Path, node: NodeId, shard: u16, advance: &dyn Fn(u64)) -> Result<Stream, ReadError> {
    for path in segment::list_new(dir)? {
        std::fs::remove_file(&path).map_err(failed("delete", &path))?;
    }
    let segments = segment::list(dir)?;
    let marker = Marker::load(dir);
    let mut stream = Stream {
        shard,
        dir: dir.to_owned(),
        position: StreamPosition::genesis(node, shard),
        cells: HashMap::new(),
        rate_time_us: 0,
        unfinished: Vec::new(),
        ended_elsewhere: Vec::new(),
        left_out: 0,
        cut: None,
        record_count: 0,
        bytes: 0,
    };
    let newest = segments.last().map_or(SeqNo(0), |listed| listed.first);
    if let Some(marker) = marker
        && newest < marker.segment
    {
        let why = format!("it was synced up to record {} in a segment that is gone", marker.synced.0);
        return Err(ReadError::Missing { dir: dir.to_owned(), wanted: marker.segment, why });
    }

    let note = RateNote::load(dir)?;
    let (noted_time_us, ahead_us) = (note.time_us, note.ahead_us);
    let mut kept = Kept::begin(OpenCalls::load(dir)?, note);
    for (at, listed) in segments.iter().enumerate() {
        let mut scan = Scan { reader: SegmentReader::open(listed, node, shard)?, stream: &mut stream, kept: &mut kept, advance };
        if at > 0 && scan.reader.position() != scan.stream.position {
            return Err(scan.reader.damaged("its header does not continue the chain of the segment before it"));
        }
        match segments.get(at + 1) {
            Some(next) => scan.sealed(next)?,
            None => scan.newest(marker)?,
        }
    }
    stream.left_out = kept.left_out;
    stream.unfinished = kept.unfinished.into_values().collect();
    stream.unfinished.sort_unstable_by_key(|call| call.seq);
    stream.cells = kept.cells;
    stream.rate_time_us = noted_time_us.max(kept.latest_us.saturating_add(ahead_us));
    stream.ended_elsewhere = kept.ended_elsewhere;
    Ok(stream)
}

struct Scan<'a> {
    reader: SegmentReader,
    stream: &'a mut Stream,
    kept: &'a mut Kept,
    advance: &'a dyn Fn(u64),
}

/// How a walk through a segment ended.
enum Stop {
    Through,
    End,
    Bad(&'static str),
}

impl Scan<'_> {
    /// A segment that another one follows: every frame before that one must be there.
    fn sealed(&mut self, next: &Listed) -> Result<(), ReadError> {
        let through = SeqNo(next.first.0 - 1);
        match self.walk(through)? {
            Stop::Through => {}
            Stop::End => {
                let why = format!(
                    "it ends with record {}, and the next segment begins with {}",
                    self.stream.position.seq.0, next.first.0
                );
                return Err(self.reader.damaged(why));
            }
            Stop::Bad(why) => return Err(self.reader.damaged(why)),
        }
        self.sync(self.reader.offset())
    }

    /// The segment that was being written: what a crash tore is cut off.
    fn newest(&mut self, marker: Option<Marker>) -> Result<(), ReadError> {
        let synced = marker.map(|marker| marker.synced);
        let mut rewrite_from = self.reader.offset();
        if let Some(synced) = synced
            && matches!(self.walk(synced)?, Stop::Through)
        {
            rewrite_from = self.reader.offset();
        }
        let stop = self.walk(SeqNo(u64::MAX))?;
        let position = self.stream.position;
        let offset = self.reader.offset();
        if let Some(synced) = synced
            && position.seq < synced
        {
            let why = if let Stop::Bad(why) = stop { why } else { "it ends here" };
            return Err(self.reader.damaged(format!("{why}, although everything up to record {} was synced", synced.0)));
        }
        if let Stop::Bad(why) = stop {
            let length = self.reader.metadata()?.len();
            if marker.is_none() && self.reader.any_frame_beyond(position.seq)? {
                return Err(ReadError::Damaged {
                    segment: self.reader.path().to_owned(),
                    offset,
                    why: format!("{why}, and whole records follow"),
                });
            }
            self.stream.cut =
                Some(Cut { segment: self.reader.path().to_owned(), offset, bytes: length.saturating_sub(offset), why });
        }
        self.sync(rewrite_from)
    }

    /// Takes in the frames up to `through`.
    fn walk(&mut self, through: SeqNo) -> Result<Stop, ReadError> {
        // Reported in steps, so that the counter is not what the threads compete for.
        const REPORT_BYTES: u64 = 4 << 20;
        let mut reported = self.reader.offset();
        let stop = loop {
            if self.reader.position().seq >= through {
                break Stop::Through;
            }
            let offset = self.reader.offset();
            if offset - reported >= REPORT_BYTES {
                (self.advance)(offset - reported);
                reported = offset;
            }
            match self.reader.next_frame()? {
                Next::Frame(frame) => {
                    if let Err(why) = self.kept.take(&frame) {
                        return Err(ReadError::Damaged { segment: self.reader.path().to_owned(), offset, why });
                    }
                    self.stream.record_count += 1;
                }
                Next::End => break Stop::End,
                Next::Bad(why) => break Stop::Bad(why),
            }
        };
        self.stream.position = self.reader.position();
        (self.advance)(self.reader.offset() - reported);
        Ok(stop)
    }

    /// Cuts the segment where reading ended, if it is the newest, and sees to it that what is left is on disk. What
    /// lies beyond `rewrite_from` is written once more: the process before this one may have been told that a sync failed, and
    /// then the kernel holds pages that it believes to be on disk and that are not.
    fn sync(&mut self, rewrite_from: u64) -> Result<(), ReadError> {
        let path = self.reader.path();
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(failed("open", path))?;
        let end = match &self.stream.cut {
            Some(cut) => {
                file.set_len(cut.offset).map_err(failed("cut", path))?;
                cut.offset
            }
            None => self.reader.offset(),
        };
        let mut buffer = vec![0; if end > rewrite_from { segment::READ_BYTES } else { 0 }];
        let mut at = rewrite_from;
        while at < end {
            let part = usize::try_from(end - at).unwrap_or(usize::MAX).min(segment::READ_BYTES);
            file.read_exact_at(&mut buffer[..part], at).map_err(failed("read", path))?;
            file.write_all_at(&buffer[..part], at).map_err(failed("write", path))?;
            at += part as u64;
        }
        file.sync_data().map_err(failed("sync", path))?;
        self.stream.bytes += file.metadata().map_err(failed("stat", path))?.len();
        Ok(())
    }
}

/// What of the records is still needed.
#[derive(Default)]
struct Kept {
    cells: HashMap<u128, RateCell>,
    /// The latest time that a record names.
    latest_us: u64,
    /// Which decisions were noted already: `unfinished` began with the open ones among them.
    noted: SeqNo,
    unfinished: HashMap<[u8; 16], Unfinished>,
    ended_elsewhere: Vec<[u8; 16]>,
    left_out: u64,
    /// At how many cells those that are over are thrown out.
    cells_max: usize,
}

impl Kept {
    fn begin(open: OpenCalls, rates: RateNote) -> Kept {
        let unfinished = open.calls.into_iter().map(|call| (call.call, call)).collect();
        let cells = rates.cells.into_iter().map(|cell| (cell.key, cell)).collect();
        Kept { noted: open.through, unfinished, cells, cells_max: KEPT_MAX, ..Kept::default() }
    }

    /// Of two states of one cell the later is the greater, whatever the order of the records: shards journal what they
    /// have decided, not what they keep.
    fn take_cell(&mut self, cell: RateCell) {
        if let Some(known) = self.cells.get_mut(&cell.key) {
            known.state = known.state.max(cell.state);
            return;
        }
        if self.cells.len() >= self.cells_max {
            // Most of what an hour of calls has charged is over by its end.
            let latest_us = self.latest_us;
            self.cells.retain(|_, cell| cell.state[0].saturating_add(GRACE_US) > latest_us);
            self.cells_max = KEPT_MAX.max(2 * self.cells.len());
        }
        self.cells.insert(cell.key, cell);
    }

    fn take(&mut self, frame: &Frame<'_>) -> Result<(), String> {
        for cell in frame.cells() {
            self.take_cell(cell);
        }
        if frame.kind != EventKind::Decision.code() && frame.kind != EventKind::Outcome.code() {
            return Ok(());
        }
        match Record::decode(frame.kind, frame.record).map_err(|error| error.to_string())? {
            Record::Decision(decision) => {
                self.latest_us = self.latest_us.max(decision.at_us);
                let opened = opens(frame.seq, &decision).filter(|_| frame.seq > self.noted);
                match opened {
                    None => {}
                    Some(call) if self.unfinished.len() < KEPT_MAX => {
                        self.unfinished.insert(call.call, call);
                    }
                    Some(_) => self.left_out += 1,
                }
            }
            Record::Outcome(outcome) => {
                self.latest_us = self.latest_us.max(outcome.at_us);
                if self.unfinished.remove(&outcome.call).is_none() && self.ended_elsewhere.len() < KEPT_MAX {
                    self.ended_elsewhere.push(outcome.call);
                }
            }
            Record::Notice(..) => {}
        }
        Ok(())
    }
}

/// The call that a decision leaves open, if the gateway itself carries it out.
pub fn opens(seq: SeqNo, decision: &Decision<'_>) -> Option<Unfinished> {
    let is_open = decision.verdict == Verdict::Allow.code() && is_forwarded(decision.channel);
    is_open.then_some(Unfinished { seq, at_us: decision.at_us, trace: decision.trace, call: decision.call })
}

/// Whether the gateway itself carries out what it allows. Hooks and the decision API only answer: whoever asked acts.
fn is_forwarded(channel: u8) -> bool {
    match Channel::from_code(channel) {
        Some(Channel::Mcp | Channel::Command | Channel::A2a | Channel::Job) => true,
        Some(Channel::Hook | Channel::Decide) | None => false,
    }
}

fn failed<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> ReadError + use<'a> {
    move |source| ReadError::Io { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
