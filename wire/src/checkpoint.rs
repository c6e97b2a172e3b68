//! What the node signs about a stream: how far it had come, and the chain there. The chain alone proves that rows fit
//! together; whoever can write to the database could make one that does. A signed checkpoint he cannot make.
//!
//! INVARIANT: the signed bytes are a function of the fields alone and begin with a text that no token begins with, so one
//! key may sign both.

use crate::frame::Chain;
use crate::ids::{NodeId, SeqNo};

const CONTEXT: &[u8; 18] = b"sp audit point 1\0\0";

/// Bytes that are signed.
pub const MESSAGE_BYTES: usize = CONTEXT.len() + 16 + 2 + 8 + 8 + 8 + 32 + 32;

/// "Up to this record, the stream is what leads to this chain."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose stream.
    pub node: NodeId,
    /// Which of its shards.
    pub shard: u16,
    /// Counts the checkpoints of the stream, from 1.
    pub number: u64,
    /// When it was signed, in microseconds since 1970.
    pub at_us: u64,
    /// The last record that it covers.
    pub seq: SeqNo,
    /// The chain after that record.
    pub chain: Chain,
    /// [`Checkpoint::digest`] of the one before; zero for the first.
    pub previous: [u8; 32],
    /// The key that signed, as token headers name it.
    pub kid: String,
    /// Ed25519 over [`Checkpoint::message`].
    pub signature: [u8; 64],
}

impl Checkpoint {
    /// What is signed.
    pub fn message(&self) -> [u8; MESSAGE_BYTES] {
        let mut out = [0; MESSAGE_BYTES];
        let mut rest = &mut out[..];
        let parts: [&[u8]; 8] = [
            CONTEXT,
            &self.node.0,
            &self.shard.to_le_bytes(),
            &self.number.to_le_bytes(),
            &self.at_us.to_le_bytes(),
            &self.seq.0.to_le_bytes(),
            &self.chain.0,
            &self.previous,
        ];
        for part in parts {
            let (here, after) = std::mem::take(&mut rest).split_at_mut(part.len());
            here.copy_from_slice(part);
            rest = after;
        }
        out
    }

    /// What the next checkpoint of the stream names as the one before it.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.message()).update(&self.signature);
        hasher.finalize().into()
    }
}

const TOMBSTONE_CONTEXT: &[u8; 18] = b"sp audit grave 1\0\0";

/// Records that were removed, and the chain after the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first that is gone.
    pub first: SeqNo,
    /// The last one.
    pub last: SeqNo,
    /// The chain after it.
    pub chain: Chain,
}

/// Bytes of one gap as it is stored and signed.
pub const GAP_BYTES: usize = 48;

/// "Retention removed these records of the stream, and they led to these chains."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// Names it.
    pub id: [u8; 16],
    /// Whose stream.
    pub node: NodeId,
    /// Which of its shards.
    pub shard: u16,
    /// The day whose rows left, in days since 1970.
    pub day: i32,
    /// When it was signed, in microseconds since 1970.
    pub at_us: u64,
    /// What left, in order.
    pub gaps: Vec<Gap>,
    /// The key that signed.
    pub kid: String,
    /// Ed25519 over [`Tombstone::message`].
    pub signature: [u8; 64],
}

impl Tombstone {
    /// The gaps as they are stored and signed.
    pub fn gap_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.gaps.len() * GAP_BYTES);
        for gap in &self.gaps {
            out.extend_from_slice(&gap.first.0.to_le_bytes());
            out.extend_from_slice(&gap.last.0.to_le_bytes());
            out.extend_from_slice(&gap.chain.0);
        }
        out
    }

    /// Reads what [`Tombstone::gap_bytes`] gave; `None` when the bytes are not that.
    pub fn read_gaps(bytes: &[u8]) -> Option<Vec<Gap>> {
        let (gaps, rest) = bytes.as_chunks::<GAP_BYTES>();
        let read = |bytes: &[u8; GAP_BYTES]| {
            let gap = Gap {
                first: SeqNo(u64::from_le_bytes(*bytes.first_chunk()?)),
                last: SeqNo(u64::from_le_bytes(*bytes[8..].first_chunk()?)),
                chain: Chain(*bytes[16..].first_chunk()?),
            };
            (gap.first.0 > 0 && gap.first <= gap.last).then_some(gap)
        };
        if rest.is_empty() { gaps.iter().map(read).collect() } else { None }
    }

    /// What is signed.
    pub fn message(&self) -> Vec<u8> {
        let gaps = blake3::hash(&self.gap_bytes());
        let mut out = Vec::with_capacity(96);
        out.extend_from_slice(TOMBSTONE_CONTEXT);
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.node.0);
        out.extend_from_slice(&self.shard.to_le_bytes());
        out.extend_from_slice(&self.day.to_le_bytes());
        out.extend_from_slice(&self.at_us.to_le_bytes());
        out.extend_from_slice(gaps.as_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_signed() {
        let first = Checkpoint {
            node: NodeId([1; 16]),
            shard: 2,
            number: 3,
            at_us: 4,
            seq: SeqNo(5),
            chain: Chain([6; 32]),
            previous: [7; 32],
            kid: "k".to_owned(),
            signature: [8; 64],
        };
        let others = [
            Checkpoint { node: NodeId([9; 16]), ..first.clone() },
            Checkpoint { shard: 9, ..first.clone() },
            Checkpoint { number: 9, ..first.clone() },
            Checkpoint { at_us: 9, ..first.clone() },
            Checkpoint { seq: SeqNo(9), ..first.clone() },
            Checkpoint { chain: Chain([9; 32]), ..first.clone() },
            Checkpoint { previous: [9; 32], ..first.clone() },
        ];
        for other in others {
            assert_ne!(other.message(), first.message(), "{other:?}");
        }
        assert_eq!(first.message()[MESSAGE_BYTES - 32..], [7; 32]);
        assert_ne!(Checkpoint { signature: [9; 64], ..first.clone() }.digest(), first.digest());
    }

    #[test]
    fn gaps_come_back_and_every_field_of_a_tombstone_is_signed() {
        let gap = |first, last| Gap { first: SeqNo(first), last: SeqNo(last), chain: Chain([last as u8; 32]) };
        let first = Tombstone {
            id: [1; 16],
            node: NodeId([2; 16]),
            shard: 3,
            day: 4,
            at_us: 5,
            gaps: vec![gap(1, 9), gap(11, 11)],
            kid: "k".to_owned(),
            signature: [0; 64],
        };
        let bytes = first.gap_bytes();
        assert_eq!(Tombstone::read_gaps(&bytes), Some(first.gaps.clone()));
        assert_eq!(Tombstone::read_gaps(&bytes[1..]), None);
        assert_eq!(Tombstone::read_gaps(&[0; GAP_BYTES]), None);
        for other in [
            Tombstone { id: [9; 16], ..first.clone() },
            Tombstone { node: NodeId([9; 16]), ..first.clone() },
            Tombstone { shard: 9, ..first.clone() },
            Tombstone { day: 9, ..first.clone() },
            Tombstone { at_us: 9, ..first.clone() },
            Tombstone { gaps: vec![gap(1, 9)], ..first.clone() },
        ] {
            assert_ne!(other.message(), first.message(), "{other:?}");
        }
    }
}
