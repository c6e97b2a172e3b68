//! The state of rate limits, noted beside the segments: what of it is older than the segments that are kept. Without this, a
//! limit of 1,000 a day would begin anew with the first restart after its segments were reclaimed.
//!
//! ```text
//! <journal>/shard-000/rates    magic 8 · noted_at_us u64 · time_us u64 · ahead_us u64 · count u32 · cells × (key 16 · state 16) · crc u32
//! ```
//!
//! *Lives on* any thread; blocking. Each shard notes the cells whose home it is.
//!
//! INVARIANT: every charge that a shard had admitted at `noted_at_us` is in its note. So a segment that nobody has written to
//! since the oldest note of all running shards is not needed for the limits.

use std::path::Path;

use wire::frame::RateCell;

use super::ReadError;
use super::note::Kind;

const NOTE: Kind = Kind { name: "rates", magic: *b"SPRATE01", about: "rate limits" };
const HEAD_BYTES: usize = 28;
const CELL_BYTES: usize = 32;

/// What one shard's limiter held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateNote {
    /// When it was begun, by the clock. Units: µs since 1970.
    pub noted_at_us: u64,
    /// The limiter's own time; see [`crate::chain::rate::RateState::clock`].
    pub time_us: u64,
    /// How far that ran ahead of the clock.
    pub ahead_us: u64,
    /// Every cell that still says something.
    pub cells: Vec<RateCell>,
}

impl RateNote {
    /// What was noted last; nothing where there is no note.
    ///
    /// # Errors
    /// [`ReadError::Damaged`]: the note is synced before it counts, so this is no crash's doing.
    pub fn load(dir: &Path) -> Result<RateNote, ReadError> {
        NOTE.load(dir, RateNote::decode)
    }

    /// Notes it, durably. What was noted before stays in force if this fails.
    ///
    /// # Errors
    /// [`ReadError::Io`]: do not delete the segments that it would have spoken for.
    pub fn store(&self, dir: &Path) -> Result<(), ReadError> {
        NOTE.store(dir, &self.encode())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD_BYTES + self.cells.len() * CELL_BYTES);
        for word in [self.noted_at_us, self.time_us, self.ahead_us] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&(self.cells.len() as u32).to_le_bytes());
        for cell in &self.cells {
            out.extend_from_slice(&cell.key.to_le_bytes());
            out.extend_from_slice(&cell.state[0].to_le_bytes());
            out.extend_from_slice(&cell.state[1].to_le_bytes());
        }
        out
    }

    pub(super) fn decode(body: &[u8]) -> Option<RateNote> {
        let (head, list) = body.split_at_checked(HEAD_BYTES)?;
        let count = u32::from_le_bytes(*head[24..].first_chunk()?) as usize;
        if count.checked_mul(CELL_BYTES) != Some(list.len()) {
            return None;
        }
        let word = |bytes: &[u8]| bytes.first_chunk().map(|chunk| u64::from_le_bytes(*chunk));
        let cell = |bytes: &[u8]| {
            let key = u128::from_le_bytes(*bytes.first_chunk()?);
            Some(RateCell { key, state: [word(&bytes[16..])?, word(&bytes[24..])?] })
        };
        Some(RateNote {
            noted_at_us: word(head)?,
            time_us: word(&head[8..])?,
            ahead_us: word(&head[16..])?,
            cells: list.chunks_exact(CELL_BYTES).map(cell).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_reads_back_and_damage_is_said() {
        let tmp = tempfile::tempdir().unwrap();
        assert_eq!(RateNote::load(tmp.path()).unwrap(), RateNote::default());
        let cell = |n: u64| RateCell { key: u128::from(n) << 90 | 7, state: [n, n * 3] };
        for cells in [Vec::new(), vec![cell(1)], (1..100).map(cell).collect()] {
            let note = RateNote { noted_at_us: 5, time_us: u64::MAX, ahead_us: 1 << 40, cells };
            note.store(tmp.path()).unwrap();
            assert_eq!(RateNote::load(tmp.path()).unwrap(), note);
        }
        let path = tmp.path().join(NOTE.name);
        let whole = std::fs::read(&path).unwrap();
        for at in [0, 8, 16, 33, 36, 700, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert!(matches!(RateNote::load(tmp.path()), Err(ReadError::Damaged { .. })), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(RateNote::load(tmp.path()).is_err(), "cut at {at}");
        }
    }
}
