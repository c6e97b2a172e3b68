//! The rate state of one shard: every cell that lives here, and the four things that happen to it. A call is checked
//! and charged; a charge is given back; a call that was counted while it ran ends; money spent is settled afterwards.
//!
//! # The clock
//!
//! Time is an argument: µs since 1970, best taken from a monotonic clock that was set by the wall clock at start. If it
//! steps back all the same, no key is ever admitted more than it would have been had the clock stood still instead: a
//! key then looks as if up to the length of the step more of it were used, all of it at most. No step, however far,
//! costs a key more than one full period of its limit. Steps of less than [`GRACE_US`] are not noticed by keys that
//! have no cell. A step forward is time that passed; there is no telling the two apart.

use wire::decision::Reason;
use wire::frame::RateCell;
use wire::ids::LimitIx;

use super::key::RateKey;
use super::limit::{Charge, Charges, Mode};
use super::pace::{Cell, Fit, Pace};
use super::table::{GRACE_US, SPAN_US_MAX, Slot, Table};

/// When to try again where time alone does not help. LIMIT: long enough not to spin, short enough not to idle.
pub const RETRY_US: u64 = 1_000_000;

/// Cells that the wheel looks at when the table is full, before a new key is refused. LIMIT: some 10 µs.
const SWEEP_FULL_STEPS: u32 = 256;

/// Latest time that is believed. LIMIT: the year 38,000; keeps every sum of times away from the end of `u64`.
const NOW_US_MAX: u64 = 1 << 60;

/// A limit stopped the call, and nothing was charged under any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The limit that will hold the call back longest.
    pub limit: LimitIx,
    /// In what way: `rate_limited`, `concurrency_limited`, `budget_exhausted`, or `rate_state_full` where the shard keeps as
    /// many keys as it may, all of them in use.
    pub reason: Reason,
    /// When the same call would pass if no other came before it. Where that cannot be known: [`RETRY_US`].
    pub retry_after_us: u64,
}

impl Charges {
    /// What the journal must keep of an admitted call so that [`RateState::restore`] can go on from it.
    pub fn records(&self) -> impl Iterator<Item = RateCell> + '_ {
        let kept = self.iter().filter(|charge| charge.slot.is_some() && charge.pace.is_kept());
        kept.map(|charge| record(charge.key, charge.after))
    }

    /// The limits in observe mode that would have refused an admitted call.
    pub fn observed(&self) -> impl Iterator<Item = LimitIx> + '_ {
        self.iter().filter(|charge| charge.slot.is_none()).map(|charge| charge.limit)
    }

    /// The charges of an admitted call that count it for as long as it runs: give them to [`RateState::release`] when it
    /// ends.
    pub fn held(&self) -> impl Iterator<Item = &Charge> + '_ {
        self.iter().filter(|charge| charge.slot.is_some() && !charge.pace.is_kept())
    }
}

/// The cells of one shard.
///
/// Lives on one shard. What is true after [`RateState::check_and_charge`]: the charges stand in this state; they survive
/// the process only once their [`Admitted::records`] are in the journal.
pub struct RateState {
    table: Table,
    last_us: u64,
    /// The latest time ever given.
    high_us: u64,
    /// The time after the last step back.
    stepped_us: u64,
}

impl RateState {
    /// A state for at most so many keys at once, at most [`super::table::CELLS_MAX`].
    ///
    /// Cost: 56 bytes of address space for each key, of memory only for those in use; all of it is reserved here.
    pub fn new(keys_max: usize) -> RateState {
        RateState { table: Table::new(keys_max), last_us: 0, high_us: 0, stepped_us: 0 }
    }

    /// How many keys have a cell.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no key has a cell.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the state occupies when full. Units: bytes.
    pub fn bytes(&self) -> usize {
        self.table.bytes()
    }

    /// Charges a call under every limit it falls under, or under none. On success the charges say what became of their
    /// cells: [`Charges::records`], [`Charges::observed`] and [`Charges::held`] read it from them.
    ///
    /// Cost: one table look-up per charge; at most two cells per charge are swept; no allocation.
    ///
    /// # Errors
    /// [`Refused`] is a denial to pass on: it names the limit and says when to try again.
    #[inline]
    pub fn check_and_charge(&mut self, charges: &mut [Charge], now_us: u64) -> Result<(), Refused> {
        let now_us = self.observe(now_us);
        self.table.sweep(now_us, 2 * charges.len() as u32 + 2);
        for i in 0..charges.len() {
            if let Err(refused) = self.charge(&mut charges[i], now_us) {
                let (done, rest) = charges.split_at_mut(i);
                self.undo(done);
                return Err(self.longest(refused, rest, now_us));
            }
        }
        Ok(())
    }

    /// Undoes charges that were made in this order, the last one first: the same cell may have been charged twice.
    #[cold]
    fn undo(&mut self, done: &mut [Charge]) {
        for charge in done.iter_mut().rev() {
            match charge.slot.take() {
                Some(slot) if charge.before == Cell::EMPTY => self.table.remove_newest(slot),
                Some(slot) => self.table.set(slot, charge.before),
                None => {}
            }
        }
    }

    /// Of the refusal found first and those that would follow, the one that lasts longest: trying again earlier is in vain.
    #[cold]
    fn longest(&self, first: Refused, rest: &[Charge], now_us: u64) -> Refused {
        match self.peek(rest, now_us) {
            Err(other) if other.retry_after_us > first.retry_after_us => other,
            _ => first,
        }
    }

    /// Whether [`RateState::check_and_charge`] would admit the call; changes nothing. For explanations.
    ///
    /// # Errors
    /// [`Refused`], as the charge would give it.
    pub fn peek(&self, charges: &[Charge], now_us: u64) -> Result<(), Refused> {
        let now_us = now_us.min(NOW_US_MAX);
        let stepped_us = if now_us < self.last_us { now_us } else { self.stepped_us };
        let mut refused: Option<Refused> = None;
        for charge in charges.iter().filter(|charge| charge.mode == Mode::Enforce) {
            let cell = match self.table.find(charge.key) {
                Some(slot) => self.table.get(slot),
                None => self.forgotten(&charge.pace, now_us, stepped_us),
            };
            if let Fit::No(_, wait_us) = charge.pace.admit(cell, charge.cost, now_us) {
                let this = charge.refused(wait_us);
                refused = refused.filter(|worst| worst.retry_after_us >= this.retry_after_us).or(Some(this));
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Gives back a call that was admitted here and then not made, because a limit kept elsewhere refused it.
    ///
    /// Never gives back more than the charges still hold: see [`Pace`]. After a restart a refund may be forgotten, which
    /// errs on the side of the limit.
    pub fn refund(&mut self, charges: &[Charge], now_us: u64) {
        let now_us = self.observe(now_us);
        self.give_back(charges, now_us);
    }

    /// Ends a call that was admitted here: it no longer counts as in flight. Exactly once for each, on every way a call
    /// can end, with what [`Charges::held`] gave.
    pub fn release(&mut self, held: &[Charge]) {
        self.give_back(held, self.last_us);
    }

    fn give_back(&mut self, charges: &[Charge], now_us: u64) {
        for charge in charges.iter().filter(|charge| charge.slot.is_some()) {
            // Not by its slot, which may be another key's by now.
            let Some(slot) = self.table.find(charge.key) else { continue };
            let cell = charge.pace.refund(self.table.get(slot), charge.cost, charge.after, charge.charged_us, now_us);
            if !charge.pace.is_kept() && cell.used == 0 {
                self.table.remove_newest(slot);
            } else {
                self.table.set(slot, cell);
            }
        }
    }

    /// Books what a call has cost under a budget, negative where more was reserved than spent, and says what the journal
    /// must keep. The budget may be overdrawn by this; it then refuses until its period ends.
    ///
    /// # Errors
    /// [`Refused`] when there is no room for the key: only if its period ended while the call ran and the table filled
    /// up since. Record the cost as unaccounted.
    pub fn settle(&mut self, charge: &Charge, micro_usd: i64, now_us: u64) -> Result<RateCell, Refused> {
        let now_us = self.observe(now_us);
        let slot = self.table.find(charge.key);
        let before = match slot {
            Some(slot) => self.table.get(slot),
            None => self.forgotten(&charge.pace, now_us, self.stepped_us),
        };
        let after = charge.pace.settle(before, micro_usd, now_us);
        match slot {
            Some(slot) => self.table.set(slot, after),
            None => {
                self.insert(charge, after, now_us)?;
            }
        }
        Ok(record(charge.key, after))
    }

    /// Takes in what the journal kept of a charge. In any order: of several records of one key the latest state wins.
    ///
    /// # Errors
    /// [`RestoreError::Full`] when the state is too small for what it must hold; do not start with less.
    pub fn restore(&mut self, kept: &RateCell, now_us: u64) -> Result<(), RestoreError> {
        let now_us = self.observe(now_us);
        let (key, [at_us, used]) = (RateKey(kept.key), kept.state);
        let over = at_us.saturating_add(GRACE_US) <= now_us;
        if over || at_us == u64::MAX {
            return Ok(());
        }
        let cell = Cell { at_us: at_us.min(now_us.saturating_add(SPAN_US_MAX)), used };
        match self.table.find(key) {
            Some(slot) => {
                let latest = self.table.get(slot).max(cell);
                self.table.set(slot, latest);
            }
            None => {
                self.table.insert(key, cell, now_us).map_err(|_| RestoreError::Full { keys: self.table.len() })?;
            }
        }
        Ok(())
    }

    /// Every cell that must outlive the process: write these before segments that hold their records are deleted.
    pub fn kept(&self, now_us: u64) -> impl Iterator<Item = RateCell> + '_ {
        let live = self.table.iter(now_us.saturating_sub(GRACE_US));
        live.filter(|(_, cell)| cell.at_us != u64::MAX).map(|(key, cell)| record(key, cell))
    }

    /// Charges one limit. A limit that only observes is then either charged or has no slot.
    #[inline]
    fn charge(&mut self, charge: &mut Charge, now_us: u64) -> Result<(), Refused> {
        let slot = self.table.find(charge.key);
        let (before, known) = match slot {
            Some(slot) => {
                let cell = self.table.get(slot);
                (cell, cell)
            }
            None => (Cell::EMPTY, self.forgotten(&charge.pace, now_us, self.stepped_us)),
        };
        let wait_us = match charge.pace.admit(known, charge.cost, now_us) {
            Fit::Yes(after) => {
                let slot = match slot {
                    Some(slot) => {
                        self.table.set(slot, after);
                        slot
                    }
                    None => match self.insert(charge, after, now_us) {
                        Ok(slot) => slot,
                        Err(full) => return charge.not_charged(full),
                    },
                };
                charge.before = before;
                charge.after = after;
                charge.charged_us = now_us;
                charge.slot = Some(slot);
                return Ok(());
            }
            Fit::No(cell, wait_us) => {
                if let Some(slot) = slot {
                    self.table.set(slot, cell);
                }
                wait_us
            }
        };
        charge.not_charged(charge.refused(wait_us))
    }

    #[cold]
    fn insert(&mut self, charge: &Charge, cell: Cell, now_us: u64) -> Result<Slot, Refused> {
        if let Ok(slot) = self.table.insert(charge.key, cell, now_us) {
            return Ok(slot);
        }
        self.table.sweep(now_us, SWEEP_FULL_STEPS);
        let full = Refused { limit: charge.limit, reason: Reason::RateStateFull, retry_after_us: RETRY_US };
        self.table.insert(charge.key, cell, now_us).map_err(|_| full)
    }

    /// What must be assumed of a key that has no cell: nothing, unless the clock has stepped back to a time at which
    /// the key may have had one.
    #[inline]
    fn forgotten(&self, pace: &Pace, now_us: u64, stepped_us: u64) -> Cell {
        let floor_us = self.high_us.saturating_sub(GRACE_US);
        if now_us >= floor_us {
            return Cell::EMPTY;
        }
        let full = pace.exhausted(stepped_us);
        Cell { at_us: full.at_us.min(floor_us), used: full.used }
    }

    #[inline]
    fn observe(&mut self, now_us: u64) -> u64 {
        let now_us = now_us.min(NOW_US_MAX);
        if now_us < self.last_us {
            self.stepped_us = now_us;
            self.table.step_back(now_us);
        }
        self.last_us = now_us;
        self.high_us = self.high_us.max(now_us);
        now_us
    }
}

fn record(key: RateKey, cell: Cell) -> RateCell {
    RateCell { key: key.0, state: [cell.at_us, cell.used] }
}

/// What the journal kept cannot be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// More live keys than the state may hold.
    #[error("the journal holds more than {keys} live rate keys, which is all this shard may keep; raise `rate.keys`")]
    Full {
        /// How many there is room for.
        keys: usize,
    },
}

impl Charge {
    fn not_charged(&mut self, refused: Refused) -> Result<(), Refused> {
        self.slot = None;
        match self.mode {
            Mode::Enforce => Err(refused),
            Mode::Observe => Ok(()),
        }
    }

    fn refused(&self, wait_us: Option<u64>) -> Refused {
        let reason = match self.pace {
            Pace::Gcra { .. } | Pace::Window { .. } => Reason::RateLimited,
            Pace::Concurrency { .. } => Reason::ConcurrencyLimited,
            Pace::Budget { .. } => Reason::BudgetExhausted,
        };
        Refused { limit: self.limit, reason, retry_after_us: wait_us.unwrap_or(RETRY_US) }
    }
}
