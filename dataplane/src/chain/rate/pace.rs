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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Align {
    /// With the first charge after the last period has ended.
    #[default]
    FirstCall,
    /// At multiples of its length since 1970-01-01T00:00Z: a day is a UTC day.
    Utc,
}

/// A declared allowance, compiled. Made by [`super::limit::compile`] only, which bounds every field so that no sum below
/// overflows for any time before the year 294,000.
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
    /// So much money in one period; what was used is known afterwards, so the last call may overdraw it.
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
    /// It does not. The cell holds this (it differs from what was given only after a clock step), and the same charge
    /// fits after so many µs if nothing else is charged; `None` where time alone does not help.
    No(Cell, Option<u64>),
}

impl Pace {
    /// Whether a cost fits into a cell at this time. `cell` is `None` where there is none.
    #[inline]
    pub(crate) fn admit(&self, cell: Option<Cell>, cost: u32, now_us: u64) -> Fit {
        let cell = cell.unwrap_or(Cell::EMPTY);
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
                if open.used < micro_usd {
                    Fit::Yes(Cell { at_us: open.at_us, used: open.used.saturating_add(u64::from(cost)) })
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
    pub(crate) fn settle(&self, cell: Option<Cell>, micro_usd: i64, now_us: u64) -> Cell {
        let cell = cell.unwrap_or(Cell::EMPTY);
        match *self {
            Pace::Budget { period_us, align, .. } => {
                let open = period(cell, now_us, period_us, align);
                Cell { at_us: open.at_us, used: open.used.saturating_add_signed(micro_usd) }
            }
            Pace::Gcra { .. } | Pace::Window { .. } | Pace::Concurrency { .. } => cell,
        }
    }

    /// The fullest state that a key can be in at this time: what must be assumed of a key whose cell is gone although
    /// the time at which it could be forgotten lies ahead again.
    pub(crate) fn exhausted(&self, now_us: u64) -> Cell {
        match *self {
            Pace::Gcra { depth_us, depth_rem, .. } => {
                Cell { at_us: now_us.saturating_add(depth_us), used: u64::from(depth_rem) }
            }
            Pace::Window { period_us, quota: used, .. } | Pace::Budget { period_us, micro_usd: used, .. } => {
                Cell { at_us: now_us.saturating_add(period_us), used }
            }
            Pace::Concurrency { .. } => Cell::EMPTY,
        }
    }

    /// Whether cells of this pace outlive the process: calls in flight do not.
    pub const fn is_kept(&self) -> bool {
        !matches!(self, Pace::Concurrency { .. })
    }
}

/// The arrival time to go on from: never before now, never further ahead than the depth.
#[inline]
fn arrival(cell: Cell, now_us: u64, depth_us: u64, depth_rem: u32) -> Cell {
    if cell.at_us < now_us {
        return Cell { at_us: now_us, used: 0 };
    }
    // Further ahead than a charge can bring it: the clock stepped back, or the limit was made smaller. The key is then
    // as used up as it can be, and recovers from here.
    let full = Cell { at_us: now_us.saturating_add(depth_us), used: u64::from(depth_rem) };
    cell.min(full)
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
    Cell { at_us: cell.at_us.min(now_us.saturating_add(period_us)), used: cell.used }
}

#[cfg(test)]
mod tests;
