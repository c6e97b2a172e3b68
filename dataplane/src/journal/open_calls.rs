//! Calls that were allowed and have not ended yet, noted before the segments go that say so. Without this, a call whose
//! decision was reclaimed and which a crash then ends would never get its outcome `unknown`.
//!
//! ```text
//! <journal>/shard-000/open     magic 8 · through u64 · count u32 · calls × (seq 8 · at_us 8 · trace 16 · call 16) · crc u32
//! ```
//! INVARIANT: of the decisions up to `through`, exactly the listed ones may still be open. Recovery begins with them, skips
//! the decisions that `through` covers, and takes away what has an outcome in the segments that are still there.

use std::path::Path;

use wire::ids::SeqNo;

use super::ReadError;
use super::note::Kind;
use super::recovery::{KEPT_MAX, Unfinished};

const NOTE: Kind = Kind { name: "open", magic: *b"SPOPEN01", about: "open calls" };
const HEAD_BYTES: usize = 12;
const CALL_BYTES: usize = 48;

/// Which calls of a stream are open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenCalls {
    /// The last decision that this speaks of.
    pub through: SeqNo,
    /// The open ones among them, in any order.
    pub calls: Vec<Unfinished>,
}

impl OpenCalls {
    /// What was noted last; nothing where there is no note.
    ///
    /// # Errors
    /// [`ReadError::Damaged`]: the note is synced before it counts, so this is no crash's doing.
    pub fn load(dir: &Path) -> Result<OpenCalls, ReadError> {
        NOTE.load(dir, OpenCalls::decode)
    }

    /// Notes them, durably. What was noted before stays in force if this fails.
    ///
    /// # Errors
    /// [`ReadError::Io`]: do not delete the segments that it would have spoken for.
    pub fn store(&self, dir: &Path) -> Result<(), ReadError> {
        NOTE.store(dir, &self.encode())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let calls = &self.calls[..self.calls.len().min(KEPT_MAX)];
        let mut out = Vec::with_capacity(HEAD_BYTES + calls.len() * CALL_BYTES);
        out.extend_from_slice(&self.through.0.to_le_bytes());
        out.extend_from_slice(&(calls.len() as u32).to_le_bytes());
        for call in calls {
            out.extend_from_slice(&call.seq.0.to_le_bytes());
            out.extend_from_slice(&call.at_us.to_le_bytes());
            out.extend_from_slice(&call.trace);
            out.extend_from_slice(&call.call);
        }
        out
    }

    pub(super) fn decode(body: &[u8]) -> Option<OpenCalls> {
        let (head, list) = body.split_at_checked(HEAD_BYTES)?;
        let count = u32::from_le_bytes(*head[8..].first_chunk()?) as usize;
        if count.checked_mul(CALL_BYTES) != Some(list.len()) {
            return None;
        }
        let call = |bytes: &[u8]| {
            Some(Unfinished {
                seq: SeqNo(u64::from_le_bytes(*bytes.first_chunk()?)),
                at_us: u64::from_le_bytes(*bytes[8..].first_chunk()?),
                trace: *bytes[16..].first_chunk()?,
                call: *bytes[32..].first_chunk()?,
            })
        };
        let calls = list.chunks_exact(CALL_BYTES).map(call).collect::<Option<Vec<_>>>()?;
        Some(OpenCalls { through: SeqNo(u64::from_le_bytes(*head.first_chunk()?)), calls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_reads_back_and_damage_is_said() {
        let tmp = tempfile::tempdir().unwrap();
        assert_eq!(OpenCalls::load(tmp.path()).unwrap(), OpenCalls::default());
        let call = |n: u8| Unfinished { seq: SeqNo(n.into()), at_us: 9, trace: [n; 16], call: [n + 1; 16] };
        for calls in [Vec::new(), vec![call(1)], (1..100).map(call).collect()] {
            let open = OpenCalls { through: SeqNo(1000), calls };
            open.store(tmp.path()).unwrap();
            assert_eq!(OpenCalls::load(tmp.path()).unwrap(), open);
        }
        let path = tmp.path().join(NOTE.name);
        let whole = std::fs::read(&path).unwrap();
        for at in [0, 8, 16, 19, 20, 700, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert!(matches!(OpenCalls::load(tmp.path()), Err(ReadError::Damaged { .. })), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(OpenCalls::load(tmp.path()).is_err(), "cut at {at}");
        }
    }
}
