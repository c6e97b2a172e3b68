//! The fourth check: how often, how many at once, and for how much money.
//!
//! Lives on one shard, which alone keeps the cells of the keys whose home it is; there is nothing to lock and limits
//! are exact whatever the number of shards. Pure: time is an argument, and what must survive the process is given back
//! to the caller, who journals it with the decision.
//!
//! ```text
//! policy ─compile─▶ Limits ─charges(who, what)─▶ [Charge] ─check_and_charge─▶ Admitted ─records─▶ journal
//!                                                              ▲       └─────▶ Refused: which limit, when to retry
//! journal ─restore─────────────────────────────────────────────┘
//! ```
//!
//! # What "N per period" means
//!
//! Two algorithms, because people mean two things. Both keep one cell of two words, whatever N is.
//!
//! - `gcra` paces: after a pause `burst` calls at once (N unless declared), and from then on exactly one more each
//!   period / N, with no rounding. Over a long time that is N per period; a window that begins with a burst sees up to
//!   burst + N.
//! - `window` counts: at most N from the first call until a period later, whenever they come, then the next window
//!   begins with the next call. "100/min admits exactly 100" whatever the load's timing. Two windows that touch can
//!   bring 2 N close together; a log of N timestamps would not, but costs N words a key instead of two.
//!
//! Beside them `concurrency` counts calls in flight, and `budget` counts money: the price of a call before it, and whatever
//! it turns out to have cost beyond that afterwards.

pub mod key;
pub mod limit;
pub mod pace;
pub mod state;
pub mod table;

pub use key::{Dimension, KeySeed, KeySpec, Parts, RateKey, home_shard};
pub use limit::{CHARGES_MAX, Charge, Charges, Costs, LimitError, LimitSet, Limits, Mode};
pub use pace::{Align, Cell, Pace};
pub use state::{Admitted, RateState, Refused, RestoreError};
pub use table::GRACE_US;

#[cfg(test)]
mod tests;
