//! The frames that are not yet known to survive the machine: those to be written, and those written but not synced.
//!
//! *Lives on* one shard. Frames are encoded into chunks and written from them; a chunk is kept until a sync covers it, since
//! after a failed sync memory is the only copy that can be trusted, and is then used again.

use std::collections::VecDeque;

use wire::frame::{Frame, Read};
use wire::ids::SeqNo;
use wire::limits::FRAME_BYTES_MAX;

use crate::journal::StreamPosition;

/// When a chunk is followed by another. LIMIT: some 400 records; small enough that an idle shard holds little.
const CHUNK_BYTES: usize = 256 << 10;

/// Chunks kept for use again. LIMIT: 50 ms of 160 MB/s.
const SPARE_MAX: usize = 32;

pub(super) struct Unsynced {
    /// The frame before the first one that is kept.
    base: StreamPosition,
    /// Full chunks, all written, with the last number in each.
    full: VecDeque<(Vec<u8>, StreamPosition)>,
    /// The chunk that grows. Up to `written` it has been written.
    current: Vec<u8>,
    written: usize,
    spare: Vec<Vec<u8>>,
    full_bytes: usize,
}

impl Unsynced {
    pub(super) fn new(base: StreamPosition) -> Unsynced {
        Unsynced { base, full: VecDeque::new(), current: Vec::new(), written: 0, spare: Vec::new(), full_bytes: 0 }
    }

    /// Where frames are encoded to.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        if self.current.capacity() == 0 {
            self.current = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(CHUNK_BYTES + FRAME_BYTES_MAX));
        }
        &mut self.current
    }

    /// What has been encoded and not written.
    pub(super) fn pending(&self) -> &[u8] {
        &self.current[self.written..]
    }

    /// All that is kept, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.full_bytes + self.current.len()
    }

    /// What was pending has been written; `last` is its last frame.
    pub(super) fn wrote(&mut self, last: StreamPosition) {
        self.written = self.current.len();
        if self.written >= CHUNK_BYTES {
            self.full_bytes += self.written;
            self.full.push_back((std::mem::take(&mut self.current), last));
            self.written = 0;
        }
    }

    /// What was pending will not be written.
    pub(super) fn drop_pending(&mut self) {
        self.current.truncate(self.written);
    }

    /// Everything up to `seq` is synced.
    pub(super) fn synced(&mut self, seq: SeqNo, written: StreamPosition) {
        while let Some((_, last)) = self.full.front()
            && last.seq <= seq
            && let Some((chunk, last)) = self.full.pop_front()
        {
            self.base = last;
            self.full_bytes -= chunk.len();
            self.reuse(chunk);
        }
        if written.seq == seq && self.written == self.current.len() {
            self.base = written;
            self.written = 0;
            self.current.clear();
        }
    }

    /// Cuts what is kept down to what follows `seq`, which must be kept or be the frame before. Returns the chain there and all
    /// frames after it that were written.
    pub(super) fn after(&self, seq: SeqNo) -> (StreamPosition, Vec<u8>) {
        let mut position = self.base;
        let mut frames = Vec::new();
        let chunks = self.full.iter().map(|(chunk, _)| &chunk[..]).chain([&self.current[..self.written]]);
        for mut rest in chunks {
            while position.seq < seq
                && let Read::Frame(frame) = Frame::read(rest)
            {
                position = StreamPosition { seq: frame.seq, chain: frame.chain };
                rest = &rest[frame.bytes..];
            }
            frames.extend_from_slice(rest);
        }
        (position, frames)
    }

    /// Forgets everything; the stream goes on after `base`.
    pub(super) fn reset(&mut self, base: StreamPosition) {
        self.base = base;
        self.current.clear();
        self.written = 0;
        self.full_bytes = 0;
        while let Some((chunk, _)) = self.full.pop_front() {
            self.reuse(chunk);
        }
    }

    fn reuse(&mut self, mut chunk: Vec<u8>) {
        // One that had to grow for an unusual turn is given back to the allocator.
        if self.spare.len() < SPARE_MAX && chunk.capacity() <= 4 * CHUNK_BYTES {
            chunk.clear();
            self.spare.push(chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::frame::FrameWriter;

    use super::super::super::fixtures::{NODE, SHARD, allowed};
    use super::*;

    #[test]
    fn what_follows_any_number_can_be_had_back_until_it_is_synced() {
        let start = StreamPosition::genesis(NODE, SHARD);
        let mut frames = FrameWriter::new(start.seq, start.chain);
        let mut unsynced = Unsynced::new(start);
        let mut all = vec![start];
        let mut bytes = vec![0];
        for call in 1..=2000 {
            frames.write(&allowed(call), &[], unsynced.out()).unwrap();
            let (seq, chain) = frames.position();
            all.push(StreamPosition { seq, chain });
            bytes.push(bytes[call as usize - 1] + unsynced.pending().len());
            unsynced.wrote(StreamPosition { seq, chain });
        }
        assert!(unsynced.full.len() > 2);
        let last = all[2000];
        for seq in [0usize, 1, 2, 399, 400, 401, 1999, 2000] {
            let (position, kept) = unsynced.after(SeqNo(seq as u64));
            assert_eq!(position, all[seq]);
            assert_eq!(kept.len(), bytes[2000] - bytes[seq]);
        }
        // A sync of the middle frees what it can and keeps the rest exact.
        unsynced.synced(SeqNo(1000), last);
        assert!(unsynced.base.seq > SeqNo(0) && unsynced.base.seq <= SeqNo(1000));
        assert_eq!(unsynced.after(SeqNo(1000)).0, all[1000]);
        assert_eq!(unsynced.after(SeqNo(1000)).1.len(), bytes[2000] - bytes[1000]);
        unsynced.synced(SeqNo(2000), last);
        assert_eq!((unsynced.bytes(), unsynced.base), (0, last));
        assert!(!unsynced.spare.is_empty());
    }
}
