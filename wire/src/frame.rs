//! How records lie in a journal segment: a header, then frames, each with a CRC against accidents and a BLAKE3 chain
//! hash against intent. A frame also carries the rate cells that its decision changed; they are local to the machine,
//! are not part of the chain and do not reach Postgres.
//!
//! ```text
//! segment   magic 8 · node 16 · shard u16 · zero 2 · crc u32 · first seq u64 · created_us u64 · previous chain 32
//! frame     length u32 · crc u32 · seq u64 · chain 32 · kind u8 · cells u8 · zero 2 · record length u32 · record · cells × (key 16 · state 8 · state 8)
//! ```
//! All numbers are little-endian. `length` counts the whole frame; `crc` (CRC-32/ISO-HDLC) covers all that follows it.

use rkyv::util::AlignedVec;

use crate::ids::{NodeId, SeqNo};
use crate::limits::{FRAME_BYTES_MAX, RATE_CELLS_MAX};
use crate::record::{Record, RecordError};

/// What a segment begins with. The digits are the format's version.
pub const MAGIC: [u8; 8] = *b"SPJRNL01";

/// Bytes of a segment's header.
pub const HEADER_BYTES: usize = 80;

/// Bytes of a frame before its record.
pub const FRAME_PREFIX_BYTES: usize = 56;

const CELL_BYTES: usize = 32;
const CRC_FROM: usize = 8;

const _: () = assert!(RATE_CELLS_MAX <= u8::MAX as usize);

/// The running hash of one shard's stream: `BLAKE3(previous ‖ seq ‖ kind ‖ record)`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Chain(pub [u8; 32]);

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(blake3::Hash::from_bytes(self.0).to_hex().as_str())
    }
}

impl Chain {
    /// Where the stream of a shard begins.
    pub fn genesis(node: NodeId, shard: u16) -> Chain {
        let mut hasher = blake3::Hasher::new_derive_key("sp journal 1 genesis");
        hasher.update(&node.0).update(&shard.to_le_bytes());
        Chain(hasher.finalize().into())
    }

    /// The hash after one more record.
    #[must_use]
    pub fn next(self, seq: SeqNo, kind: u8, record: &[u8]) -> Chain {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0).update(&seq.0.to_le_bytes()).update(&[kind]).update(record);
        Chain(hasher.finalize().into())
    }
}

/// What a limit's cell held after a decision charged it: enough to go on after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateCell {
    /// Which cell.
    pub key: u128,
    /// Its two words of state, as the limiter has them.
    pub state: [u64; 2],
}

/// The first bytes of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whose data directory.
    pub node: NodeId,
    /// Which shard.
    pub shard: u16,
    /// The sequence number of the first frame.
    pub first: SeqNo,
    /// When the segment was begun, in microseconds since 1970.
    pub created_us: u64,
    /// The chain before the first frame.
    pub previous: Chain,
}

/// Why bytes are not a segment's beginning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Fewer than [`HEADER_BYTES`].
    #[error("segment is shorter than its header")]
    Short,
    /// Not a segment, or one of another version.
    #[error("segment does not begin with `SPJRNL01`; another program or version wrote it")]
    Magic,
    /// The CRC does not match.
    #[error("segment header is damaged")]
    Crc,
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[0..8].copy_from_slice(&MAGIC);
        out[8..24].copy_from_slice(&self.node.0);
        out[24..26].copy_from_slice(&self.shard.to_le_bytes());
        out[32..40].copy_from_slice(&self.first.0.to_le_bytes());
        out[40..48].copy_from_slice(&self.created_us.to_le_bytes());
        out[48..80].copy_from_slice(&self.previous.0);
        let crc = header_crc(&out);
        out[28..32].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads what [`Header::encode`] wrote.
    ///
    /// # Errors
    /// [`HeaderError`]: the file is not a segment, or it is damaged.
    pub fn decode(bytes: &[u8]) -> Result<Header, HeaderError> {
        let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(HeaderError::Short)?;
        if bytes[0..8] != MAGIC {
            return Err(HeaderError::Magic);
        }
        if header_crc(bytes) != u32_at(bytes, 28) {
            return Err(HeaderError::Crc);
        }
        let mut node = [0; 16];
        node.copy_from_slice(&bytes[8..24]);
        let mut previous = [0; 32];
        previous.copy_from_slice(&bytes[48..80]);
        Ok(Header {
            node: NodeId(node),
            shard: u16::from_le_bytes([bytes[24], bytes[25]]),
            first: SeqNo(u64_at(bytes, 32)),
            created_us: u64_at(bytes, 40),
            previous: Chain(previous),
        })
    }
}

fn header_crc(bytes: &[u8; HEADER_BYTES]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&bytes[0..28]);
    crc.update(&bytes[32..]);
    crc.finalize()
}

/// One frame, borrowed from the segment's bytes. Its CRC has been checked; its record has not been read yet.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Its place in the stream.
    pub seq: SeqNo,
    /// The chain after it.
    pub chain: Chain,
    /// An [`crate::decision::EventKind`] code.
    pub kind: u8,
    /// The record's bytes.
    pub record: &'a [u8],
    /// Bytes of the whole frame.
    pub bytes: usize,
    cells: &'a [u8],
}

/// What stands at an offset of a segment.
#[derive(Debug, Clone, Copy)]
pub enum Read<'a> {
    /// A whole frame.
    Frame(Frame<'a>),
    /// The bytes end before the frame does: more may follow, or a crash tore it.
    Incomplete,
    /// The bytes are not a frame: torn, or damaged.
    Corrupt(&'static str),
}

impl<'a> Frame<'a> {
    /// Reads the frame at the beginning of `bytes`.
    pub fn read(bytes: &'a [u8]) -> Read<'a> {
        let Some(prefix) = bytes.first_chunk::<FRAME_PREFIX_BYTES>() else { return Read::Incomplete };
        let length = u32_at(prefix, 0) as usize;
        if length == 0 && prefix.iter().all(|byte| *byte == 0) {
            // A file system may leave zeros where a write did not arrive.
            return Read::Incomplete;
        }
        if !(FRAME_PREFIX_BYTES..=FRAME_BYTES_MAX).contains(&length) {
            return Read::Corrupt("the frame's length is out of range");
        }
        let Some(frame) = bytes.get(..length) else { return Read::Incomplete };
        if crc32fast::hash(&frame[CRC_FROM..]) != u32_at(prefix, 4) {
            return Read::Corrupt("the frame's crc does not match");
        }
        let record_bytes = u32_at(prefix, 52) as usize;
        let cells_from = FRAME_PREFIX_BYTES.saturating_add(record_bytes);
        let cell_count = usize::from(prefix[49]);
        if cells_from.saturating_add(cell_count * CELL_BYTES) != length {
            return Read::Corrupt("the frame's parts do not add up to its length");
        }
        let mut chain = [0; 32];
        chain.copy_from_slice(&prefix[16..48]);
        Read::Frame(Frame {
            seq: SeqNo(u64_at(prefix, 8)),
            chain: Chain(chain),
            kind: prefix[48],
            record: &frame[FRAME_PREFIX_BYTES..cells_from],
            cells: &frame[cells_from..],
            bytes: length,
        })
    }

    /// The rate cells that the decision changed.
    pub fn cells(&self) -> impl Iterator<Item = RateCell> + 'a {
        self.cells.chunks_exact(CELL_BYTES).map(|cell| {
            let mut key = [0; 16];
            key.copy_from_slice(&cell[..16]);
            RateCell { key: u128::from_le_bytes(key), state: [u64_at(cell, 16), u64_at(cell, 24)] }
        })
    }

    /// Whether the frame continues a stream whose last frame was `seq` with `chain`.
    pub fn follows(&self, seq: SeqNo, chain: Chain) -> bool {
        self.seq.0 == seq.0.wrapping_add(1) && self.chain == chain.next(self.seq, self.kind, self.record)
    }
}

/// Turns records into frames of one stream. Holds the stream's position; does no I/O.
pub struct FrameWriter {
    seq: SeqNo,
    chain: Chain,
    scratch: AlignedVec,
}

/// A record cannot become a frame; the stream has not moved.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The record itself.
    #[error("record cannot be encoded")]
    Record(#[from] RecordError),
    /// Larger than [`FRAME_BYTES_MAX`], or more cells than [`RATE_CELLS_MAX`].
    #[error("record needs {0} bytes; a frame holds at most {FRAME_BYTES_MAX}")]
    TooLarge(usize),
}

impl FrameWriter {
    /// Goes on after the frame `last` with `chain`; a new stream goes on after 0 and [`Chain::genesis`].
    pub fn new(last: SeqNo, chain: Chain) -> FrameWriter {
        FrameWriter { seq: last, chain, scratch: AlignedVec::with_capacity(1024) }
    }

    /// The last frame's place and chain.
    pub fn position(&self) -> (SeqNo, Chain) {
        (self.seq, self.chain)
    }

    /// Appends a frame to `out` and moves on. On an error `out` and the position are unchanged.
    ///
    /// # Errors
    /// [`FrameError`] when the record is too large: refuse what it speaks of.
    pub fn write(&mut self, record: &Record<'_>, cells: &[RateCell], out: &mut Vec<u8>) -> Result<SeqNo, FrameError> {
        self.scratch = record.encode_in(std::mem::take(&mut self.scratch))?;
        let record_bytes = &self.scratch[..];
        let length = FRAME_PREFIX_BYTES + record_bytes.len() + cells.len() * CELL_BYTES;
        if length > FRAME_BYTES_MAX || cells.len() > RATE_CELLS_MAX {
            return Err(FrameError::TooLarge(length));
        }
        let kind = record.kind().code();
        let seq = SeqNo(self.seq.0 + 1);
        let chain = self.chain.next(seq, kind, record_bytes);

        let from = out.len();
        out.reserve(length);
        out.extend_from_slice(&(length as u32).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&seq.0.to_le_bytes());
        out.extend_from_slice(&chain.0);
        out.extend_from_slice(&[kind, cells.len() as u8, 0, 0]);
        out.extend_from_slice(&(record_bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(record_bytes);
        for cell in cells {
            out.extend_from_slice(&cell.key.to_le_bytes());
            out.extend_from_slice(&cell.state[0].to_le_bytes());
            out.extend_from_slice(&cell.state[1].to_le_bytes());
        }
        let crc = crc32fast::hash(&out[from + CRC_FROM..]);
        out[from + 4..from + 8].copy_from_slice(&crc.to_le_bytes());
        self.seq = seq;
        self.chain = chain;
        Ok(seq)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests;
