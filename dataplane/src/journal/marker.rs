//! How far fdatasync has come, noted beside the segments after each sync, so that recovery can tell a tail that a crash
//! tore (beyond the mark: cut it) from damage to what was safe (at or below it: refuse to start).
//!
//! The mark itself is synced only when a segment begins. After a crash of the machine it may be older than the truth and
//! never newer, which only makes recovery more lenient.
//!
//! ```text
//! magic 8 · segment's first seq u64 · synced seq u64 · zero 4 · crc u32
//! ```

use std::path::{Path, PathBuf};

use wire::ids::SeqNo;

const MAGIC: [u8; 8] = *b"SPSYNC01";
const BYTES: usize = 32;

/// Everything up to `synced` was synced, and `segment` was then the newest segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) segment: SeqNo,
    pub(super) synced: SeqNo,
}

impl Marker {
    pub(super) fn path(dir: &Path) -> PathBuf {
        dir.join("synced")
    }

    pub(super) fn encode(self) -> [u8; BYTES] {
        let mut out = [0; BYTES];
        out[0..8].copy_from_slice(&MAGIC);
        out[8..16].copy_from_slice(&self.segment.0.to_le_bytes());
        out[16..24].copy_from_slice(&self.synced.0.to_le_bytes());
        let crc = crc32fast::hash(&out[..28]);
        out[28..32].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// The mark of a stream; `None` where there is none that can be trusted.
    pub(super) fn load(dir: &Path) -> Option<Marker> {
        Marker::decode(&std::fs::read(Marker::path(dir)).ok()?)
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Marker> {
        let bytes: &[u8; BYTES] = bytes.try_into().ok()?;
        let number = |at: usize| bytes[at..].first_chunk().map(|chunk| u64::from_le_bytes(*chunk));
        let crc = bytes[28..].first_chunk().map(|chunk| u32::from_le_bytes(*chunk));
        if bytes[0..8] != MAGIC || crc != Some(crc32fast::hash(&bytes[..28])) {
            return None;
        }
        Some(Marker { segment: SeqNo(number(8)?), synced: SeqNo(number(16)?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_and_a_damaged_one_does_not() {
        let marker = Marker { segment: SeqNo(7), synced: SeqNo(u64::MAX) };
        let bytes = marker.encode();
        assert_eq!(Marker::decode(&bytes), Some(marker));
        for at in 0..BYTES {
            let mut damaged = bytes;
            damaged[at] ^= 1;
            assert_eq!(Marker::decode(&damaged), None, "byte {at}");
        }
        assert_eq!(Marker::decode(&bytes[..31]), None);
    }
}
