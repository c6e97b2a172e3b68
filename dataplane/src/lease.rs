//! Charging one call under limits that may live on several shards: all of them, or none.
//! Lives on: the shard that decides the call; each limit lives on its home shard.

use std::rc::Rc;

use arrayvec::ArrayVec;
use futures_channel::oneshot;
use wire::decision::Reason;
use wire::frame::RateCell;

use crate::chain::rate::{Admitted, Charge, Pace, Refused, home_shard};
use crate::chain::{Denial, charge_rate, rate_denial};
use crate::http::within;
use crate::inbox::Event;
use crate::limits::MESH_TIME_MAX;
use crate::policy::Policy;
use crate::shard::Shard;

/// Most charges of one call.
const CHARGES_MAX: usize = crate::chain::rate::CHARGES_MAX;

struct Part {
    home: u16,
    charges: Box<[Charge]>,
    admitted: Admitted,
}

/// A call's charges, admitted everywhere. Dropped, it stays charged and counts as ended.
pub struct RateLease {
    shard: Rc<Shard>,
    parts: Vec<Part>,
    counts_in_flight: bool,
}

impl RateLease {
    /// Charges a call under every limit it falls under, wherever that limit lives, or under none.
    ///
    /// # Errors
    /// The denial that the strictest limit gives; nothing is charged then.
    pub async fn charge(shard: &Rc<Shard>, policy: &Policy, charges: &[Charge], now_us: u64) -> Result<RateLease, Denial> {
        let mut lease = RateLease {
            shard: Rc::clone(shard),
            parts: Vec::new(),
            counts_in_flight: charges.iter().any(|charge| matches!(charge.pace, Pace::Concurrency { .. })),
        };
        let mut homes: ArrayVec<u16, CHARGES_MAX> = ArrayVec::new();
        for charge in charges {
            let home = home_shard(charge.key, shard.shards);
            if !homes.contains(&home) && homes.try_push(home).is_err() {
                return Err(Denial::new(Reason::RateStateFull));
            }
        }
        for home in homes {
            let here: Box<[Charge]> =
                charges.iter().filter(|charge| home_shard(charge.key, shard.shards) == home).copied().collect();
            let result = if home == shard.ix {
                charge_rate(policy, &mut shard.rates.borrow_mut(), &here, now_us)
            } else {
                ask(shard, policy, home, here.clone(), now_us).await
            };
            match result {
                Ok(admitted) => lease.parts.push(Part { home, charges: here, admitted }),
                Err(denial) => {
                    lease.refund(now_us);
                    return Err(denial);
                }
            }
        }
        Ok(lease)
    }

    /// Of a call that is charged under nothing.
    pub fn of_nothing(shard: &Rc<Shard>) -> RateLease {
        RateLease { shard: Rc::clone(shard), parts: Vec::new(), counts_in_flight: false }
    }

    /// What the journal must keep so that the limits survive a restart.
    pub fn cells(&self) -> ArrayVec<RateCell, { wire::limits::RATE_CELLS_MAX }> {
        let cells = self.parts.iter().flat_map(|part| part.admitted.records(&part.charges));
        cells.take(wire::limits::RATE_CELLS_MAX).collect()
    }

    /// What the call costs in money, as far as budgets count it. Units: millionths of a US dollar.
    pub fn cost_micro_usd(&self) -> u64 {
        let charges = self.parts.iter().flat_map(|part| &part.charges);
        charges.filter(|charge| matches!(charge.pace, Pace::Budget { .. })).map(|charge| charge.cost.into()).max().unwrap_or(0)
    }

    /// Limits in observe mode that would have refused.
    pub fn observed<'p>(&self, policy: &'p Policy) -> impl Iterator<Item = &'p str> {
        self.parts.iter().flat_map(|part| part.admitted.observed(&part.charges)).map(|limit| policy.limit_name(limit))
    }

    /// The call is not made after all: nothing stays charged.
    pub fn refund(mut self, now_us: u64) {
        for Part { home, charges, admitted } in std::mem::take(&mut self.parts) {
            if home == self.shard.ix {
                self.shard.rates.borrow_mut().refund(&charges, &admitted, now_us);
            } else {
                self.shard.tell(home, Event::Refund { charges, admitted: Box::new(admitted) });
            }
        }
    }
}

impl Drop for RateLease {
    fn drop(&mut self) {
        if !self.counts_in_flight {
            return;
        }
        for Part { home, charges, admitted } in std::mem::take(&mut self.parts) {
            if home == self.shard.ix {
                self.shard.rates.borrow_mut().release(&charges, &admitted);
            } else {
                self.shard.tell(home, Event::Release { charges, admitted: Box::new(admitted) });
            }
        }
    }
}

/// Asks the home shard. An answer that comes too late leaves the call charged there, which errs on the side of the limit.
async fn ask(shard: &Shard, policy: &Policy, home: u16, charges: Box<[Charge]>, now_us: u64) -> Result<Admitted, Denial> {
    let (sender, receiver) = oneshot::channel::<Box<Result<Admitted, Refused>>>();
    let ticket = shard.ticket(sender);
    shard.counters.borrow_mut().mesh_charges += 1;
    shard.tell(home, Event::Charge { from: shard.ix, ticket, charges, now_us, is_trial: false });
    match within(MESH_TIME_MAX, receiver).await {
        Some(Ok(result)) => result.map_err(|refused| rate_denial(policy, refused)),
        Some(Err(_)) | None => {
            shard.forget_ticket(ticket);
            Err(Denial { retry_after_ms: 1000, ..Denial::new(Reason::RateUnavailable) })
        }
    }
}
