//! How far a stream has come, for everyone who is not its shard.
//!
//! *Lives on* any thread, behind an `Arc`. Each field has one writer: the shard for what it wrote, the keeper for what it
//! synced. Readers poll; nothing waits here.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use wire::ids::SeqNo;

/// How the stream does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Appends are taken.
    Healthy,
    /// The budget is used up; appends are refused until the shipper has reclaimed segments.
    Full,
    /// The last write failed; appends fail until one succeeds.
    WriteFailing,
    /// A sync failed, or takes too long; appends are refused until the disk syncs again.
    Degraded,
    /// The journal was closed.
    Closed,
}

impl State {
    /// The word that stands in metrics and in `/readyz`.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Healthy => "healthy",
            State::Full => "full",
            State::WriteFailing => "write_failing",
            State::Degraded => "degraded",
            State::Closed => "closed",
        }
    }
}

/// How far a stream has come.
#[derive(Debug)]
pub struct Progress {
    written: AtomicU64,
    synced: AtomicU64,
    bytes: AtomicU64,
    rates_noted_us: AtomicU64,
    state: AtomicU8,
}

impl Progress {
    /// A stream that ends at `last`, all of it synced: as recovery leaves it.
    pub fn new(last: SeqNo, bytes: u64) -> Progress {
        Progress {
            written: AtomicU64::new(last.0),
            synced: AtomicU64::new(last.0),
            bytes: AtomicU64::new(bytes),
            rates_noted_us: AtomicU64::new(0),
            state: AtomicU8::new(0),
        }
    }

    /// Everything up to here has been handed to the kernel.
    pub fn written(&self) -> SeqNo {
        SeqNo(self.written.load(Ordering::Acquire))
    }

    /// Everything up to here survives the death of the machine and will never be taken back: what may be shipped.
    pub fn synced(&self) -> SeqNo {
        SeqNo(self.synced.load(Ordering::Acquire))
    }

    /// What lies in the stream's directory, as the writer knows it: reclaimed segments are noticed with a delay.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// When the state of the shard's rate limits was last noted, by the clock; 0 for not in this run. Units: µs since 1970.
    pub fn rates_noted_us(&self) -> u64 {
        self.rates_noted_us.load(Ordering::Acquire)
    }

    pub(crate) fn set_rates_noted_us(&self, at_us: u64) {
        self.rates_noted_us.store(at_us, Ordering::Release);
    }

    /// How the stream does.
    pub fn state(&self) -> State {
        match self.state.load(Ordering::Relaxed) {
            0 => State::Healthy,
            1 => State::Full,
            2 => State::WriteFailing,
            3 => State::Degraded,
            _ => State::Closed,
        }
    }

    pub(super) fn set_written(&self, seq: SeqNo) {
        self.written.store(seq.0, Ordering::Release);
    }

    pub(super) fn set_synced(&self, seq: SeqNo) {
        self.synced.store(seq.0, Ordering::Release);
    }

    pub(super) fn set_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn set_state(&self, state: State) {
        self.state.store(state as u8, Ordering::Relaxed);
    }
}
