//! The arithmetic of one cell: whether a charge fits, and what the cell holds afterwards. Pure functions of the cell,
//! the pace and the time; nothing here knows of keys or tables.
//!
//! A cell is two words. What they mean depends on the pace:
//!
//! | pace | `at_us` | `used` |
//! |---|---|---|
//! | GCRA | whole µs of the theoretical arrival time | its fraction, in 1/count µs |
//! | window, budget | the end of the open period | what was charged in it |
//! | concurrency | `u64::MAX`: no time ends it | calls in flight |
//!
//! INVARIANT: a cell whose `at_us` has passed says nothing; it equals no cell at all.
//! INVARIANT: of two states of one cell the later is the greater, `at_us` first (refunds excepted).

use super::table::{GRACE_US, SPAN_US_MAX};

/// What a cell holds. Two words that the journal carries as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Until when the cell matters. Units: µs since 1970.
    pub at_us: u64,
    /// How much is used; see the module.
    pub used: u64,
}

impl Cell {
    /// A cell that says nothing.
    pub const EMPTY: Cell = Cell { at_us: 0, used: 0 };

    /// Whether the cell says anything at this time.
    pub const fn is_live(self, now_us: u64) -> bool {
        self.at_us > now_us || (self.at_us == now_us && self.used > 0)
    }
}

/// Where a period begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// With the first charge after the last period has ended.
    #[default]
    FirstCall,
    /// At multiples of its length since 1970-01-01T00:00Z: a day is a UTC day.
    Utc,
}

/// How much is allowed. Made by its constructors, which bound every field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// One call per period / count, and `depth` of credit saved up at most.
    Gcra {
        /// What one unit of cost adds to the arrival time: whole µs …
        step_us: u64,
        /// … and 1/count µs.
        step_rem: u32,
        /// The count of the rate: the fractions' denominator.
        count: u32,
        /// How far the arrival time may run ahead of the clock: whole µs …
        depth_us: u64,
        /// … and 1/count µs.
        depth_rem: u32,
    },
    /// At most `quota` in one period.
    Window {
        /// Its length.
        period_us: u64,
        /// How much fits.
        quota: u64,
        /// Where it begins.
        align: Align,
    },
    /// At most so many at once.
    Concurrency {
        /// How many.
        at_most: u64,
    },
    /// So much money in one period. What a call costs beyond its price is settled afterwards and may overdraw it.
    Budget {
        /// Its length.
        period_us: u64,
        /// How much, in millionths of a US dollar.
        micro_usd: u64,
        /// Where it begins.
        align: Align,
    },
}

/// What [`Pace::admit`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// The charge fits; the cell then holds this.
    Yes(Cell),
    /// It does not. The cell holds this (it differs from what was given only where a limit was made smaller), and the same charge
    /// fits after so many µs if nothing else is charged; `None` where time alone does not help.
    No(Cell, Option<u64>),
}

/// An allowance that cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PaceError {
    /// Nothing would ever be admitted.
    #[error("its {0} is 0; give at least 1, or remove the limit")]
    Zero(&'static str),
    /// More than [`SPAN_US_MAX`].
    #[error("its {0} is longer than 40 days; choose a shorter one")]
    TooLong(&'static str),
    /// More than fits.
    #[error("its {0} is more than {max}; choose less", max = u32::MAX)]
    TooMany(&'static str),
}

impl Pace {
    /// How much of it a cell has used, of how much, and when that is free again.
    pub(crate) fn used(&self, cell: Cell, now_us: u64) -> (u64, u64, u64) {
        let live = cell.is_live(now_us);
        match self {
            Pace::Window { quota, .. } => (if live { cell.used } else { 0 }, *quota, if live { cell.at_us } else { 0 }),
            Pace::Budget { micro_usd, .. } => (if live { cell.used } else { 0 }, *micro_usd, if live { cell.at_us } else { 0 }),
            Pace::Concurrency { at_most } => (cell.used, *at_most, 0),
            Pace::Gcra { step_us, depth_us, .. } => {
                let step_us = (*step_us).max(1);
                let ahead_us = cell.at_us.saturating_sub(now_us);
                (ahead_us.div_ceil(step_us), depth_us / step_us, if live { cell.at_us } else { 0 })
            }
        }
    }

    /// One call each `period_us` / `count`, and `burst` at once after a pause.
    ///
    /// # Errors
    /// [`PaceError`] says which of the three is out of bounds.
    pub fn gcra(count: u64, period_us: u64, burst: u64) -> Result<Pace, PaceError> {
        let count = u32::try_from(at_least_one("count", count)?).map_err(|_| PaceError::TooMany("count"))?;
        let (wide, period_us) = (u64::from(count), bounded_period(period_us)?);
        let depth = u128::from(at_least_one("burst", burst)?) * u128::from(period_us);
        let depth_us = u64::try_from(depth / u128::from(count)).unwrap_or(u64::MAX);
        if depth_us > SPAN_US_MAX {
            return Err(PaceError::TooLong("burst, which takes burst × period / count to come back,"));
        }
        let depth_rem = (depth % u128::from(count)) as u32;
        Ok(Pace::Gcra { step_us: period_us / wide, step_rem: (period_us % wide) as u32, count, depth_us, depth_rem })
    }

    /// At most `quota` in each period.
    ///
    /// # Errors
    /// [`PaceError`] says which of the two is out of bounds.
    pub fn window(quota: u64, period_us: u64, align: Align) -> Result<Pace, PaceError> {
        Ok(Pace::Window { quota: at_least_one("count", quota)?, period_us: bounded_period(period_us)?, align })
    }

    /// At most so many at once.
    ///
    /// # Errors
    /// [`PaceError`] when that is none.
    pub fn concurrency(at_most: u64) -> Result<Pace, PaceError> {
        Ok(Pace::Concurrency { at_most: at_least_one("count", at_most)? })
    }

    /// At most so much money in each period, in millionths of a US dollar.
    ///
    /// # Errors
    /// [`PaceError`] says which of the two is out of bounds.
    pub fn budget(micro_usd: u64, period_us: u64, align: Align) -> Result<Pace, PaceError> {
        Ok(Pace::Budget { micro_usd: at_least_one("amount", micro_usd)?, period_us: bounded_period(period_us)?, align })
    }

    /// Whether a cost fits into a cell at this time.
    #[inline]
    pub(crate) fn admit(&self, cell: Cell, cost: u32, now_us: u64) -> Fit {
        match *self {
            Pace::Gcra { step_us, step_rem, count, depth_us, depth_rem } => {
                let from = arrival(cell, now_us, depth_us, depth_rem);
                let to = later(from, u64::from(cost), step_us, step_rem, count);
                let ahead_us = to.at_us.saturating_sub(now_us);
                if (ahead_us, to.used) <= (depth_us, u64::from(depth_rem)) {
                    Fit::Yes(to)
                } else {
                    let wait_us = ahead_us.saturating_sub(depth_us) + u64::from(to.used > u64::from(depth_rem));
                    Fit::No(from, Some(wait_us))
                }
            }
            Pace::Window { period_us, quota, align } => {
                let open = period(cell, now_us, period_us, align);
                let used = open.used.saturating_add(u64::from(cost));
                if used <= quota {
                    Fit::Yes(Cell { at_us: open.at_us, used })
                } else {
                    Fit::No(open, Some(open.at_us.saturating_sub(now_us)))
                }
            }
            Pace::Concurrency { at_most } => {
                let used = cell.used.saturating_add(u64::from(cost));
                if used <= at_most { Fit::Yes(Cell { at_us: u64::MAX, used }) } else { Fit::No(cell, None) }
            }
            Pace::Budget { period_us, micro_usd, align } => {
                let open = period(cell, now_us, period_us, align);
                let used = open.used.saturating_add(u64::from(cost));
                if open.used < micro_usd && used <= micro_usd {
                    Fit::Yes(Cell { at_us: open.at_us, used })
                } else {
                    Fit::No(open, Some(open.at_us.saturating_sub(now_us)))
                }
            }
        }
    }

    /// What the cell holds after part of the charge that left it at `charged` is given back.
    ///
    /// INVARIANT: never more than the charge still holds. A GCRA charge made `e` µs ago holds at least its own length
    /// less `e`, whatever was charged since (some of it may by now fill time in which the cell would have been idle), so
    /// that much is given back. A charge of a period that has ended holds nothing.
    pub(crate) fn refund(&self, cell: Cell, cost: u32, charged: Cell, charged_us: u64, now_us: u64) -> Cell {
        match *self {
            Pace::Gcra { step_us, step_rem, count, .. } => {
                let Some(elapsed_us) = now_us.checked_sub(charged_us) else { return cell };
                let held = later(Cell::EMPTY, u64::from(cost), step_us, step_rem, count);
                let Some(back_us) = held.at_us.checked_sub(elapsed_us) else { return cell };
                let (borrow, used) = match cell.used.checked_sub(held.used) {
                    Some(used) => (0, used),
                    None => (1, cell.used.saturating_add(u64::from(count)).saturating_sub(held.used)),
                };
                match cell.at_us.checked_sub(back_us + borrow) {
                    Some(at_us) => Cell { at_us, used },
                    None => Cell::EMPTY,
                }
            }
            Pace::Window { .. } | Pace::Budget { .. } if cell.at_us != charged.at_us => cell,
            Pace::Window { .. } | Pace::Budget { .. } | Pace::Concurrency { .. } => {
                Cell { at_us: cell.at_us, used: cell.used.saturating_sub(u64::from(cost)) }
            }
        }
    }

    /// The budget's cell after money was spent (or, where negative, given back).
    pub(crate) fn settle(&self, cell: Cell, micro_usd: i64, now_us: u64) -> Cell {
        match *self {
            Pace::Budget { period_us, align, .. } => {
                let open = period(cell, now_us, period_us, align);
                Cell { at_us: open.at_us, used: open.used.saturating_add_signed(micro_usd) }
            }
            Pace::Gcra { .. } | Pace::Window { .. } | Pace::Concurrency { .. } => cell,
        }
    }

    /// Whether cells of this pace outlive the process: calls in flight do not.
    pub const fn is_kept(&self) -> bool {
        !matches!(self, Pace::Concurrency { .. })
    }
}

fn at_least_one(what: &'static str, value: u64) -> Result<u64, PaceError> {
    if value == 0 { Err(PaceError::Zero(what)) } else { Ok(value) }
}

fn bounded_period(period_us: u64) -> Result<u64, PaceError> {
    if period_us > SPAN_US_MAX { Err(PaceError::TooLong("period")) } else { at_least_one("period", period_us) }
}

/// The arrival time to go on from: never before now, never much further ahead than the depth.
#[inline]
fn arrival(cell: Cell, now_us: u64, depth_us: u64, depth_rem: u32) -> Cell {
    if cell.at_us < now_us {
        return Cell { at_us: now_us, used: 0 };
    }
    // Further ahead than a charge can bring it: the limit was made smaller. The key is then as used up as it can be, and
    // recovers from here. What the clocks of a restart may differ by is no reason: states of one cell must only grow.
    if cell.at_us <= now_us.saturating_add(depth_us).saturating_add(GRACE_US) {
        return cell;
    }
    Cell { at_us: now_us.saturating_add(depth_us), used: u64::from(depth_rem) }
}

#[inline]
fn later(from: Cell, cost: u64, step_us: u64, step_rem: u32, count: u32) -> Cell {
    let count = u64::from(count.max(1));
    let fraction = from.used.saturating_add(u64::from(step_rem) * cost);
    let carry = if fraction < count {
        0
    } else if fraction - count < count {
        1
    } else {
        fraction / count
    };
    let at_us = from.at_us.saturating_add(step_us.saturating_mul(cost)).saturating_add(carry);
    Cell { at_us, used: fraction.saturating_sub(carry.saturating_mul(count)) }
}

/// The period that is open at this time.
#[inline]
fn period(cell: Cell, now_us: u64, period_us: u64, align: Align) -> Cell {
    if cell.at_us <= now_us {
        let into_us = match align {
            Align::FirstCall => 0,
            Align::Utc => now_us % period_us.max(1),
        };
        return Cell { at_us: now_us.saturating_add(period_us - into_us), used: 0 };
    }
    // As in `arrival`: an end that lies too far ahead is brought back, what was used stays.
    let end_us = now_us.saturating_add(period_us);
    Cell { at_us: if cell.at_us <= end_us.saturating_add(GRACE_US) { cell.at_us } else { end_us }, used: cell.used }
}

#[cfg(test)]
mod tests;
