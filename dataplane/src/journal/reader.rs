//! Reading a stream while it is written: what the shipper stands on.
//!
//! *Lives on* any thread; blocking reads of files, mostly from the page cache.
//!
//! ```text
//! let through = progress.synced();                       // load this first, every time
//! loop {
//!     let batch = tail.read(through)?;                   // at most one segment and 1 MiB, validated and chained
//!     if batch.is_empty() { break }
//!     for frame in batch.frames() { … }                  // COPY
//!     … batch.last()                                     // commit seq and chain as the watermark, in the same transaction
//! }
//! ```
//! What is committed everywhere may be deleted: see [`super::reclaim`].
//! When a transaction fails, go back with [`Tail::seek`] to what was committed.

use std::path::{Path, PathBuf};

use wire::frame::{Frame, Read};
use wire::ids::{NodeId, SeqNo};

use super::segment::{self, Next, SegmentReader};
use super::{ReadError, StreamPosition};

/// Follows one stream from a position on.
#[derive(Debug)]
pub struct Tail {
    dir: PathBuf,
    node: NodeId,
    shard: u16,
    position: StreamPosition,
    open: Option<SegmentReader>,
    /// What was read ahead is final up to here; beyond it, it may have been cut off and written anew.
    final_through: SeqNo,
}

/// Whole, validated frames, one after the other.
#[derive(Debug)]
pub struct Batch<'a> {
    bytes: &'a [u8],
    frame_count: usize,
    last: StreamPosition,
}

impl Tail {
    /// Will give what follows `after`: a watermark, or [`StreamPosition::genesis`]. Does not look at the disk yet.
    pub fn new(dir: &Path, node: NodeId, shard: u16, after: StreamPosition) -> Tail {
        Tail { dir: dir.to_owned(), node, shard, position: after, open: None, final_through: SeqNo(0) }
    }

    /// The last frame that was given out.
    pub fn position(&self) -> StreamPosition {
        self.position
    }

    /// Goes to another place in the stream: back to the watermark after a transaction that failed.
    pub fn seek(&mut self, after: StreamPosition) {
        self.position = after;
        self.open = None;
    }

    /// The next frames up to number `through`, at most 1 MiB of them and of one segment; empty only when there are none up
    /// to `through`. `through` must not lie above what [`super::Progress::synced`] says, or what recovery found: frames
    /// beyond it may still be taken back.
    ///
    /// # Errors
    /// [`ReadError`]: frames up to `through` must be there, so anything else is damage. Stop and tell the operator.
    pub fn read(&mut self, through: SeqNo) -> Result<Batch<'_>, ReadError> {
        if through <= self.position.seq {
            return Ok(Batch { bytes: &[], frame_count: 0, last: self.position });
        }
        let wanted = SeqNo(self.position.seq.0 + 1);
        let (listed, next_first) = locate(&self.dir, wanted)?;
        let mut reader = match self.open.take() {
            Some(reader) if reader.is_at(&listed.path) => reader,
            _ => {
                self.final_through = SeqNo(0);
                position_at(SegmentReader::open(&listed, self.node, self.shard)?, self.position)?
            }
        };
        let through = through.min(next_first.map_or(through, |first| SeqNo(first.0 - 1)));
        let (bytes, frame_count) = collect(&mut reader, through, &mut self.final_through)?;
        self.position = reader.position();
        let reader = self.open.insert(reader);
        Ok(Batch { bytes: reader.held(bytes.0, bytes.1), frame_count, last: self.position })
    }
}

impl<'a> Batch<'a> {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.frame_count == 0
    }

    /// How many frames.
    pub fn len(&self) -> usize {
        self.frame_count
    }

    /// How many bytes of journal.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The last frame's place; of an empty batch, the place before it.
    pub fn last(&self) -> StreamPosition {
        self.last
    }

    /// The frames, in order.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'a>> + use<'a> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || match Frame::read(rest) {
            Read::Frame(frame) => {
                rest = &rest[frame.bytes..];
                Some(frame)
            }
            Read::Incomplete | Read::Corrupt(_) => None,
        })
    }
}

/// The segment that holds `wanted`, and where the next one begins, if there is a next one.
fn locate(dir: &Path, wanted: SeqNo) -> Result<(segment::Listed, Option<SeqNo>), ReadError> {
    let mut segments = segment::list(dir)?;
    let after = segments.partition_point(|listed| listed.first <= wanted);
    let next_first = segments.get(after).map(|listed| listed.first);
    if after == 0 {
        let why = match next_first {
            Some(first) => format!("the oldest segment begins with {}", first.0),
            None => "there is no segment".to_owned(),
        };
        return Err(ReadError::Missing { dir: dir.to_owned(), wanted, why });
    }
    Ok((segments.swap_remove(after - 1), next_first))
}

/// Walks a segment that was just opened up to `position`, and checks that its chain is the one that is known.
fn position_at(mut reader: SegmentReader, position: StreamPosition) -> Result<SegmentReader, ReadError> {
    while reader.position().seq < position.seq {
        match reader.next_frame()? {
            Next::Frame(_) => {}
            Next::End => return Err(reader.damaged(format!("it ends before record {}", position.seq.0))),
            Next::Bad(why) => return Err(reader.damaged(why)),
        }
    }
    if reader.position() != position {
        let found = reader.position();
        return Err(reader.damaged(format!(
            "the chain after record {} is {:?} here and {:?} at the watermark, so they are two different streams",
            position.seq.0, found.chain, position.chain
        )));
    }
    Ok(reader)
}

/// Reads frames up to `through`, as many as the buffer holds. Returns where in the buffer they lie.
fn collect(reader: &mut SegmentReader, through: SeqNo, final_through: &mut SeqNo) -> Result<((usize, usize), usize), ReadError> {
    if !reader.holds_frame() || reader.position().seq >= *final_through {
        reader.forget_read_ahead();
        reader.fill()?;
        *final_through = through;
    }
    let through = through.min(*final_through);
    let from = reader.cursor();
    let mut frame_count = 0;
    while reader.position().seq < through && reader.holds_frame() {
        match reader.next_frame()? {
            Next::Frame(_) => frame_count += 1,
            Next::End => break,
            Next::Bad(why) => return Err(reader.damaged(why)),
        }
    }
    if frame_count == 0 {
        return Err(reader.damaged(format!("it ends before record {}, which was synced", reader.position().seq.0 + 1)));
    }
    Ok(((from, reader.cursor()), frame_count))
}

#[cfg(test)]
mod tests;
