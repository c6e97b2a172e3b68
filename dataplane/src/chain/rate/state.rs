//! The rate state of one shard: every cell that lives here, and the four things that happen to it. A call is checked
//! and charged; a charge is given back; a call that was counted while it ran ends; money spent is settled afterwards.
//!
//! # The clock
//!
//! Time is an argument: µs since 1970, by a clock that may be set back, and by clocks of other shards that differ a little.
//! A state never lets time go back. A step back of less than [`GRACE_US`] stands still until the clock has caught up; one
//! that is longer is a clock that was set, and time goes on from where it stood, at the clock's pace. So every key is
//! admitted exactly what it would have been had the clock stood still instead of stepping back, and no step, however far,
//! costs a key anything. A step forward is time that passed; there is no telling the two apart.
//!
//! What is journalled is this time. A process that goes on from the journal goes on from the latest of it
//! ([`RateState::resume`]), so a clock that was set back while nobody ran changes nothing either. Periods that begin at
//! UTC midnight then begin late by as much as the clock was set back.

use arrayvec::ArrayVec;
use wire::decision::Reason;
use wire::frame::RateCell;
use wire::ids::LimitIx;

use super::key::RateKey;
use super::limit::{CHARGES_MAX, Charge, Mode};
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

/// What was charged for a call that the limits did not stop. Say how the call ended: [`RateState::release`] when it was
/// made, [`RateState::refund`] when it was not. Wherever charges are asked for beside this, they are those it was made of.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// What each cell holds now; `at_us` is 0 where a limit in observe mode would have refused.
    cells: ArrayVec<Cell, CHARGES_MAX>,
    at_us: u64,
}

impl Admitted {
    /// What the journal must keep of the call so that [`RateState::restore`] can go on from it.
    pub fn records<'a>(&'a self, charges: &'a [Charge]) -> impl Iterator<Item = RateCell> + 'a {
        let kept = self.charged(charges).filter(|(charge, _)| charge.pace.is_kept());
        kept.map(|(charge, cell)| record(charge.key, cell))
    }

    /// The limits in observe mode that would have refused the call.
    pub fn observed<'a>(&'a self, charges: &'a [Charge]) -> impl Iterator<Item = LimitIx> + 'a {
        charges.iter().zip(&self.cells).filter(|(_, cell)| cell.at_us == 0).map(|(charge, _)| charge.limit)
    }

    fn charged<'a>(&'a self, charges: &'a [Charge]) -> impl Iterator<Item = (&'a Charge, Cell)> + 'a {
        charges.iter().zip(self.cells.iter().copied()).filter(|(_, cell)| cell.at_us != 0)
    }
}

/// The cells of one shard.
///
/// Lives on one shard. What is true after [`RateState::check_and_charge`]: the charges stand in this state; they survive
/// the process only once their [`Admitted::records`] are in the journal.
pub struct RateState {
    table: Table,
    /// The time of the state: never goes back.
    time_us: u64,
    /// How far it runs ahead of the clock that is given: what the clock was set back by.
    ahead_us: u64,
    /// The charges of the call in hand, and what their cells held before; nothing between calls needs it.
    undo: ArrayVec<(Slot, Cell), CHARGES_MAX>,
}

impl RateState {
    /// A state for at most so many keys at once, at most [`super::table::CELLS_MAX`].
    ///
    /// Cost: 56 bytes of address space for each key, of memory only for those in use; all of it is reserved here.
    pub fn new(keys_max: usize) -> RateState {
        RateState { table: Table::new(keys_max), time_us: 0, ahead_us: 0, undo: ArrayVec::new() }
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

    /// Charges a call under every limit it falls under, or under none.
    ///
    /// Cost: one table look-up per charge; at most two cells per charge are swept; no allocation.
    ///
    /// # Errors
    /// [`Refused`] is a denial to pass on: it names the limit and says when to try again.
    #[inline]
    pub fn check_and_charge(&mut self, charges: &[Charge], now_us: u64) -> Result<Admitted, Refused> {
        let now_us = self.observe(now_us);
        let mut admitted = Admitted { cells: ArrayVec::new(), at_us: now_us };
        self.charge_all(charges, &mut admitted.cells, now_us)?;
        Ok(admitted)
    }

    fn charge_all(&mut self, charges: &[Charge], cells: &mut ArrayVec<Cell, CHARGES_MAX>, now_us: u64) -> Result<(), Refused> {
        self.table.sweep(now_us, 2 * charges.len() as u32 + 2);
        self.undo.clear();
        for (i, charge) in charges.iter().enumerate() {
            if i == CHARGES_MAX {
                self.take_back();
                return Err(charge.refused_for(Reason::RateStateFull, RETRY_US));
            }
            match self.charge(charge, now_us) {
                Ok(cell) => cells.push(cell),
                Err(_) if charge.mode == Mode::Observe => cells.push(Cell::EMPTY),
                Err(refused) => {
                    self.take_back();
                    return Err(self.longest(refused, &charges[i + 1..], now_us));
                }
            }
        }
        Ok(())
    }

    /// Undoes the charges made so far, the last one first: the same cell may have been charged twice.
    fn take_back(&mut self) {
        while let Some((slot, before)) = self.undo.pop() {
            if before == Cell::EMPTY {
                self.table.remove_newest(slot);
            } else {
                self.table.set(slot, before);
            }
        }
    }

    /// Of the refusal found first and those that would follow, the one that lasts longest: trying again earlier is in vain.
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
        let (now_us, _) = self.time_at(now_us);
        let mut refused: Option<Refused> = None;
        for charge in charges.iter().filter(|charge| charge.mode == Mode::Enforce) {
            let cell = self.table.find(charge.key).map_or(Cell::EMPTY, |slot| self.table.get(slot));
            if let Fit::No(_, wait_us) = charge.pace.admit(cell, charge.cost, now_us) {
                let this = charge.refused(wait_us);
                refused = refused.filter(|worst| worst.retry_after_us >= this.retry_after_us).or(Some(this));
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// How much of a limit is used, of how much, and when that is free again (µs since 1970; 0 where no time ends it).
    pub fn used(&self, charge: &Charge, now_us: u64) -> (u64, u64, u64) {
        let (time_us, ahead_us) = self.time_at(now_us);
        let cell = self.table.find(charge.key).map_or(Cell::EMPTY, |slot| self.table.get(slot));
        let (used, of, ends_at_us) = charge.pace.used(cell, time_us);
        (used, of, ends_at_us.saturating_sub(ahead_us))
    }

    /// Gives back everything that was used of a limit. Calls in flight still count. What the journal holds of the cell
    /// stays: after a restart within its period the cell is as it was, which errs on the side of the limit.
    pub fn reset(&mut self, charge: &Charge) {
        if charge.pace.is_kept()
            && let Some(slot) = self.table.find(charge.key)
        {
            self.table.set(slot, Cell::EMPTY);
        }
    }

    /// Gives back a call that was admitted here and then not made, because a limit kept elsewhere refused it.
    ///
    /// Never gives back more than the charges still hold: see [`Pace`]. After a restart a refund may be forgotten, which
    /// errs on the side of the limit.
    pub fn refund(&mut self, charges: &[Charge], admitted: &Admitted, now_us: u64) {
        let now_us = self.observe(now_us);
        for (charge, charged) in admitted.charged(charges) {
            self.give_back(charge, charged, admitted.at_us, now_us);
        }
    }

    /// Ends a call that was admitted here: it no longer counts as in flight. Exactly once for each, on every way a call
    /// can end.
    pub fn release(&mut self, charges: &[Charge], admitted: &Admitted) {
        for (charge, charged) in admitted.charged(charges).filter(|(charge, _)| !charge.pace.is_kept()) {
            self.give_back(charge, charged, admitted.at_us, admitted.at_us);
        }
    }

    fn give_back(&mut self, charge: &Charge, charged: Cell, charged_us: u64, now_us: u64) {
        let Some(slot) = self.table.find(charge.key) else { return };
        let cell = charge.pace.refund(self.table.get(slot), charge.cost, charged, charged_us, now_us);
        if !charge.pace.is_kept() && cell.used == 0 {
            self.table.remove_newest(slot);
        } else {
            self.table.set(slot, cell);
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
        let before = slot.map_or(Cell::EMPTY, |slot| self.table.get(slot));
        let after = charge.pace.settle(before, micro_usd, now_us);
        match slot {
            Some(slot) => self.table.set(slot, after),
            None => {
                self.insert(charge, after, now_us)?;
            }
        }
        Ok(record(charge.key, after))
    }

    /// Goes on from a time that another state has reached: if the clock shows an earlier one, it was set back. Before
    /// anything is taken in or charged.
    pub fn resume(&mut self, time_us: u64, now_us: u64) {
        self.time_us = self.time_us.max(time_us.min(NOW_US_MAX));
        self.observe(now_us);
    }

    /// The latest time of the state, and how far it runs ahead of the clock that it was given. Units: µs since 1970, µs.
    pub fn clock(&self) -> (u64, u64) {
        (self.time_us, self.ahead_us)
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
    pub fn kept(&self) -> impl Iterator<Item = RateCell> + '_ {
        self.kept_among(0..self.table.slots())
    }

    /// The same, of some of the places for cells; there are [`RateState::places`]. A cell stays in its place for as long as
    /// it says anything, so going through all places in several steps misses none that was there when it began.
    pub fn kept_among(&self, places: std::ops::Range<usize>) -> impl Iterator<Item = RateCell> + '_ {
        let live = self.table.iter_among(places, self.time_us.saturating_sub(GRACE_US));
        live.filter(|(_, cell)| cell.at_us != u64::MAX).map(|(key, cell)| record(key, cell))
    }

    /// How many places for cells there are, used or not.
    pub fn places(&self) -> usize {
        self.table.slots()
    }

    /// Charges one limit, and says what its cell holds now.
    #[inline]
    fn charge(&mut self, charge: &Charge, now_us: u64) -> Result<Cell, Refused> {
        if let Some(slot) = self.table.find(charge.key) {
            let before = self.table.get(slot);
            return match charge.pace.admit(before, charge.cost, now_us) {
                Fit::Yes(after) => {
                    self.table.set(slot, after);
                    self.undo.push((slot, before));
                    Ok(after)
                }
                Fit::No(cell, wait_us) => {
                    self.table.set(slot, cell);
                    Err(charge.refused(wait_us))
                }
            };
        }
        match charge.pace.admit(Cell::EMPTY, charge.cost, now_us) {
            Fit::Yes(after) => {
                let slot = self.insert(charge, after, now_us)?;
                self.undo.push((slot, Cell::EMPTY));
                Ok(after)
            }
            Fit::No(_, wait_us) => Err(charge.refused(wait_us)),
        }
    }

    #[cold]
    fn insert(&mut self, charge: &Charge, cell: Cell, now_us: u64) -> Result<Slot, Refused> {
        if let Ok(slot) = self.table.insert(charge.key, cell, now_us) {
            return Ok(slot);
        }
        self.table.sweep(now_us, SWEEP_FULL_STEPS);
        self.table.insert(charge.key, cell, now_us).map_err(|_| charge.refused_for(Reason::RateStateFull, RETRY_US))
    }

    #[inline]
    fn observe(&mut self, now_us: u64) -> u64 {
        (self.time_us, self.ahead_us) = self.time_at(now_us);
        self.time_us
    }

    /// The time of the state when the clock shows this, and how far it then runs ahead of the clock.
    #[inline]
    fn time_at(&self, now_us: u64) -> (u64, u64) {
        let shown_us = now_us.min(NOW_US_MAX).saturating_add(self.ahead_us).min(NOW_US_MAX);
        match self.time_us.saturating_sub(shown_us) {
            0 => (shown_us, self.ahead_us),
            back_us if back_us < GRACE_US => (self.time_us, self.ahead_us),
            back_us => (self.time_us, self.ahead_us + back_us),
        }
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
    fn refused(&self, wait_us: Option<u64>) -> Refused {
        let reason = match self.pace {
            Pace::Gcra { .. } | Pace::Window { .. } => Reason::RateLimited,
            Pace::Concurrency { .. } => Reason::ConcurrencyLimited,
            Pace::Budget { .. } => Reason::BudgetExhausted,
        };
        self.refused_for(reason, wait_us.unwrap_or(RETRY_US))
    }

    fn refused_for(&self, reason: Reason, retry_after_us: u64) -> Refused {
        Refused { limit: self.limit, reason, retry_after_us }
    }
}
