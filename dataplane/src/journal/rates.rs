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

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use wire::frame::RateCell;

use super::ReadError;

const MAGIC: [u8; 8] = *b"SPRATE01";
const HEAD_BYTES: usize = 36;
const CELL_BYTES: usize = 32;
const CRC_BYTES: usize = 4;

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
    fn path(dir: &Path) -> PathBuf {
        dir.join("rates")
    }

    /// What was noted last; nothing where there is no note.
    ///
    /// # Errors
    /// [`ReadError::Damaged`]: the note is synced before it counts, so this is no crash's doing.
    pub fn load(dir: &Path) -> Result<RateNote, ReadError> {
        let path = RateNote::path(dir);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(RateNote::default()),
            Err(source) => return Err(ReadError::Io { doing: "read", path, source }),
        };
        let damaged =
            || ReadError::Damaged { segment: path.clone(), offset: 0, why: "the note of rate limits is torn".to_owned() };
        RateNote::decode(&bytes).ok_or_else(damaged)
    }

    /// Notes it, durably. What was noted before stays in force if this fails.
    ///
    /// # Errors
    /// [`ReadError::Io`]: do not delete the segments that it would have spoken for.
    pub fn store(&self, dir: &Path) -> Result<(), ReadError> {
        let path = RateNote::path(dir);
        let temp = dir.join("rates.tmp");
        let write = || -> io::Result<()> {
            let mut file = File::create(&temp)?;
            file.write_all(&self.encode())?;
            file.sync_all()?;
            std::fs::rename(&temp, &path)?;
            File::open(dir)?.sync_all()
        };
        write().map_err(|source| ReadError::Io { doing: "write", path: path.clone(), source })
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD_BYTES + self.cells.len() * CELL_BYTES + CRC_BYTES);
        out.extend_from_slice(&MAGIC);
        for word in [self.noted_at_us, self.time_us, self.ahead_us] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&(self.cells.len() as u32).to_le_bytes());
        for cell in &self.cells {
            out.extend_from_slice(&cell.key.to_le_bytes());
            out.extend_from_slice(&cell.state[0].to_le_bytes());
            out.extend_from_slice(&cell.state[1].to_le_bytes());
        }
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<RateNote> {
        let (body, crc) = bytes.split_last_chunk::<CRC_BYTES>()?;
        if u32::from_le_bytes(*crc) != crc32fast::hash(body) || !body.starts_with(&MAGIC) {
            return None;
        }
        let (head, list) = body.split_at_checked(HEAD_BYTES)?;
        let count = u32::from_le_bytes(*head[32..].first_chunk()?) as usize;
        if count.checked_mul(CELL_BYTES) != Some(list.len()) {
            return None;
        }
        let word = |bytes: &[u8]| bytes.first_chunk().map(|chunk| u64::from_le_bytes(*chunk));
        let cell = |bytes: &[u8]| {
            let key = u128::from_le_bytes(*bytes.first_chunk()?);
            Some(RateCell { key, state: [word(&bytes[16..])?, word(&bytes[24..])?] })
        };
        Some(RateNote {
            noted_at_us: word(&head[8..])?,
            time_us: word(&head[16..])?,
            ahead_us: word(&head[24..])?,
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
        let path = RateNote::path(tmp.path());
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
