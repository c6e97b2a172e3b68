//! Which cell a call is counted in, and which shard keeps that cell.
//!
//! A key is 128 bits. The upper 32 come from the *anchor* alone, the part of the key that decides the home shard, so
//! that all keys of one principal live on one shard and a key read from the journal still says where it lives. The
//! lower 96 are a hash of the limit and of every part that the limit is keyed by.
//!
//! INVARIANT: keys are journalled. [`LimitKey::of`], [`KeySeed::part`] and [`home_shard`] never change what they return for given input;
//! the tests pin them.

use std::fmt;

use wire::snapshot::key_part;

/// One thing that a limit can count by: the bits of [`key_part`], as places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Dimension {
    /// The verified subject.
    Principal = 0,
    /// The log-in session. A session belongs to one principal, so it is always keyed together with it.
    Session = 1,
    /// The agent that acts.
    Agent = 2,
    /// The tool.
    Tool = 3,
    /// The MCP server.
    Server = 4,
    /// The department.
    Department = 5,
    /// The organisation.
    Tenant = 6,
}

const _: () = {
    assert!(key_part::PRINCIPAL == 1 << Dimension::Principal as u16 && key_part::SESSION == 1 << Dimension::Session as u16);
    assert!(key_part::AGENT == 1 << Dimension::Agent as u16 && key_part::TOOL == 1 << Dimension::Tool as u16);
    assert!(key_part::SERVER == 1 << Dimension::Server as u16 && key_part::TENANT == 1 << Dimension::Tenant as u16);
    assert!(key_part::DEPARTMENT == 1 << Dimension::Department as u16 && key_part::WORDS.len() == 7);
};

/// The set of dimensions that a limit counts by; the empty set is one cell for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct KeySpec(u8);

impl KeySpec {
    /// The set with these bits of [`key_part`]; `None` where a bit means nothing.
    pub const fn from_bits(bits: u16) -> Option<KeySpec> {
        if bits >> key_part::WORDS.len() == 0 { Some(KeySpec(bits as u8)) } else { None }
    }

    /// Whether the limit counts by this dimension.
    pub const fn contains(self, dimension: Dimension) -> bool {
        self.0 & (1 << dimension as u8) != 0
    }

    /// What is hashed: as declared, and the principal wherever the session is.
    const fn hashed(self) -> u8 {
        if self.contains(Dimension::Session) { self.0 | 1 } else { self.0 }
    }
}

/// Who and what a call is, as far as limits care: one 64-bit part per [`Dimension`] (the eighth is never used; it spares a
/// bounds check).
///
/// INVARIANT: a part names the same subject after a reload and after a restart. Take it from [`KeySeed::part`] of a
/// stable name, once per token, session or compiled tool; never from a snapshot index, which moves when a neighbour is
/// added and would hand one subject's cell to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts([u64; 8]);

impl Parts {
    /// A call of which nothing is known: every part is [`Parts::NONE`].
    pub const UNKNOWN: Parts = Parts([Parts::NONE; 8]);

    /// The part of a call that has no such thing, for example a hook without a session. All such calls share one cell,
    /// so leaving a part out never escapes a limit.
    pub const NONE: u64 = 0;

    /// The same call with one part set.
    #[must_use]
    pub const fn with(mut self, dimension: Dimension, part: u64) -> Parts {
        self.0[dimension as usize] = part;
        self
    }

    /// One part.
    pub const fn get(&self, dimension: Dimension) -> u64 {
        self.0[dimension as usize]
    }
}

/// What keeps keys unpredictable: 16 random bytes of the installation.
///
/// INVARIANT: the same for as long as journal segments are kept; with another seed every restored cell is orphaned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeySeed([u64; 2]);

impl fmt::Debug for KeySeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySeed(…)")
    }
}

/// The cell that a call is counted in under one limit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RateKey(pub u128);

impl fmt::Debug for RateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RateKey({:032x})", self.0)
    }
}

impl RateKey {
    /// What decides the home shard.
    const fn anchor(self) -> u32 {
        (self.0 >> 96) as u32
    }

    /// Where the key's search begins in a table; independent of the anchor, for all keys of a shard have similar ones.
    pub(crate) const fn slot_hash(self) -> u32 {
        self.0 as u32
    }
}

impl KeySeed {
    /// The seed made of these bytes.
    pub const fn new(bytes: [u8; 16]) -> KeySeed {
        let both = u128::from_le_bytes(bytes);
        KeySeed([both as u64, (both >> 64) as u64])
    }

    /// The part that stands for a name; never [`Parts::NONE`].
    ///
    /// Keyed BLAKE3, so that nobody who may choose names can choose one that shares another's cell.
    /// Cost: ~100 ns, for once per token, session or compile; not for every call.
    pub fn part(&self, dimension: Dimension, name: &[u8]) -> u64 {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.0[0].to_le_bytes());
        key[8..16].copy_from_slice(&self.0[1].to_le_bytes());
        key[16] = dimension as u8 + 1;
        let digest = blake3::keyed_hash(&key, name);
        let mut part = [0; 8];
        part.copy_from_slice(&digest.as_bytes()[..8]);
        u64::from_le_bytes(part).max(1)
    }

    /// What the keys of one limit have in common, worked out once.
    pub(crate) fn limit(&self, salt: u64, spec: KeySpec) -> LimitKey {
        let hashed = spec.hashed();
        let lanes = absorb(absorb([self.0[0] ^ salt, self.0[1]], u64::from(hashed)), salt);
        LimitKey { lanes, anchor: [self.0[1], self.0[0]], salt, hashed }
    }

    /// The shard on which every key with this first part lives: pin a connection to that of its principal.
    pub fn home_of(&self, part: u64, shards: u16) -> u16 {
        jump(self.anchor(part), shards)
    }

    fn anchor(&self, part: u64) -> u32 {
        anchor([self.0[1], self.0[0]], part)
    }
}

/// What the keys of one limit have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LimitKey {
    lanes: [u64; 2],
    anchor: [u64; 2],
    salt: u64,
    hashed: u8,
}

impl LimitKey {
    /// The cell of a call.
    ///
    /// Cost: a multiplication for each part and three more, no allocation.
    #[inline]
    pub(crate) fn of(&self, parts: &Parts) -> RateKey {
        let mut lanes = self.lanes;
        let mut left = self.hashed;
        while left != 0 {
            lanes = absorb(lanes, parts.0[(left.trailing_zeros() & 7) as usize]);
            left &= left - 1;
        }
        // A limit without any part is anchored at its own salt.
        let first = if self.hashed == 0 { self.salt } else { parts.0[(self.hashed.trailing_zeros() & 7) as usize] };
        RateKey(u128::from(anchor(self.anchor, first)) << 96 | finish(lanes) >> 32)
    }
}

#[inline]
fn anchor(seed: [u64; 2], part: u64) -> u32 {
    let [a, b] = absorb(seed, part);
    (a ^ b >> 32) as u32
}

/// Takes one word into both lanes: for a given state no two words lead to the same next state, because multiplication
/// by an odd number is a bijection of the low half.
#[inline]
fn absorb([a, b]: [u64; 2], word: u64) -> [u64; 2] {
    let product = u128::from(a ^ word) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
    [(product as u64) ^ b.rotate_left(29), b.wrapping_add((product >> 64) as u64 ^ word.rotate_left(32))]
}

#[inline]
fn finish(lanes: [u64; 2]) -> u128 {
    let [a, b] = absorb(lanes, 0xd1b5_4a32_d192_ed03);
    let high = (b ^ a.rotate_left(32)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let low = (a ^ b >> 32).wrapping_mul(0x94d0_49bb_1331_11eb);
    u128::from(high ^ high >> 32) << 64 | u128::from(low ^ low >> 29)
}

/// The shard that keeps this key. With one shard more, only 1 / shards of all keys move, all of them to the new one.
pub fn home_shard(key: RateKey, shards: u16) -> u16 {
    jump(key.anchor(), shards)
}

/// Jump consistent hashing. Source: Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm" (2014).
fn jump(anchor: u32, shards: u16) -> u16 {
    let mut state = u64::from(anchor);
    let (mut bucket, mut next) = (0_u16, 0_u64);
    while next < u64::from(shards) {
        bucket = next as u16;
        state = state.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let scale = (1_u64 << 31) as f64 / ((state >> 33) + 1) as f64;
        next = ((f64::from(bucket) + 1.0) * scale) as u64;
    }
    bucket
}

#[cfg(test)]
mod tests;
