//! What a flood of refused calls costs: little. Limits of class `denials` count what is refused to somebody; whoever has
//! used one up is refused unread until its period is over. Such refusals are recorded together, a row for each of those
//! who are shut out every few seconds, instead of one by one.
//! Lives on: one shard, for the calls that it decides; the limits themselves live on their home shards, so each shard lets
//! through at most one denial more before it knows.
//!
//! A client without a credential that verifies is known by its address alone, which others may share. It is answered as
//! before, since nothing it sends is looked at anyway; only its rows are put together.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use arrayvec::ArrayString;
use hashbrown::HashMap;
use serde_json::json;
use wire::decision::{EventKind, Layer, Reason, Verdict};
use wire::frame::RateCell;
use wire::record::{Identity, Notice, Record};

use crate::call::Arrival;
use crate::chain::Denial;
use crate::chain::rate::{Charges, Dimension};
use crate::identity::Principal;
use crate::lease::RateLease;
use crate::limits::{THROTTLE_ROW_EVERY, THROTTLED_MAX};
use crate::policy::Policy;
use crate::shard::Shard;

/// Who is shut out on this shard. Nearly always nobody.
#[derive(Default)]
pub struct Throttle {
    shut_out: RefCell<HashMap<u64, ShutOut>>,
}

/// Somebody who is shut out.
struct ShutOut {
    until_us: u64,
    limit: ArrayString<64>,
    user: String,
    tenant: String,
    tier: u8,
    address: String,
    /// Refused since the last row.
    count: u64,
    since_us: u64,
    trace: [u8; 16],
}

impl Throttle {
    /// The denial of somebody who is shut out, counted.
    fn refuse(&self, part: u64, now_us: u64) -> Option<Denial> {
        let mut all = self.shut_out.borrow_mut();
        let one = all.get_mut(&part).filter(|one| now_us < one.until_us)?;
        if one.count == 0 {
            one.since_us = now_us;
        }
        one.count += 1;
        let retry_after_ms = (one.until_us - now_us).div_ceil(1000);
        Some(Denial { retry_after_ms, ..Denial::new(Reason::Throttled).by(&one.limit) })
    }

    /// The denial of a principal that is shut out. Cost: nothing while nobody is.
    pub fn of_principal(&self, policy: &Policy, principal: &Principal, now_us: u64) -> Option<Denial> {
        if self.shut_out.borrow().is_empty() {
            return None;
        }
        self.refuse(principal.standing(policy).parts.get(Dimension::Principal), now_us)
    }
}

/// Counts a denial, and shuts out whoever has had too many. What comes back belongs into the denial's record; `None` says
/// that it is recorded together with others.
pub async fn count(
    shard: &Rc<Shard>,
    policy: &Policy,
    principal: &Principal,
    arrival: &Arrival<'_>,
    denial: &Denial,
) -> Option<Vec<RateCell>> {
    if denial.reason == Reason::Throttled {
        shard.counters.borrow_mut().throttled += 1;
        return None;
    }
    let costs = policy.denial_costs();
    // Our own troubles are nobody's fault, and who waits for a person has not been refused yet.
    if costs.is_empty() || denial.reason.layer() == Layer::System || denial.ask {
        return Some(Vec::new());
    }
    let standing = principal.standing(policy);
    let mut parts = standing.parts;
    if principal.claims.sub.is_empty() {
        parts = parts.with(Dimension::Principal, policy.address_part(arrival.address));
        if shard.throttle.refuse(parts.get(Dimension::Principal), arrival.now_us).is_some() {
            shard.counters.borrow_mut().throttled += 1;
            return None;
        }
    }
    let mut charges = Charges::new();
    if policy.limits().charges(&standing.limits, costs, &parts, &mut charges).is_err() {
        return Some(Vec::new());
    }
    match RateLease::charge(shard, policy, &charges, arrival.now_us).await {
        Ok(lease) => Some(lease.cells().to_vec()),
        Err(refused) => {
            if refused.reason != Reason::RateUnavailable {
                shut_out(shard, principal, parts.get(Dimension::Principal), arrival, &refused);
            }
            Some(Vec::new())
        }
    }
}

fn shut_out(shard: &Shard, principal: &Principal, part: u64, arrival: &Arrival<'_>, refused: &Denial) {
    let mut all = shard.throttle.shut_out.borrow_mut();
    if all.len() >= THROTTLED_MAX {
        // Their denials are recorded one by one, as everybody's.
        return;
    }
    let until_us = arrival.now_us.saturating_add(refused.retry_after_ms.saturating_mul(1000));
    all.entry(part).and_modify(|one| one.until_us = one.until_us.max(until_us)).or_insert_with(|| ShutOut {
        until_us,
        limit: refused.rule,
        user: principal.claims.sub.clone(),
        tenant: principal.claims.tenant.clone(),
        tier: principal.claims.tier.code(),
        address: arrival.address.to_owned(),
        count: 0,
        since_us: arrival.now_us,
        trace: arrival.trace.0,
    });
}

/// Records what was refused together, again and again.
pub async fn keep(shard: Rc<Shard>) {
    loop {
        glommio::timer::Timer::new(THROTTLE_ROW_EVERY.min(Duration::from_secs(1))).await;
        let now_us = shard.now_us();
        let every_us = THROTTLE_ROW_EVERY.as_micros() as u64;
        flush(&shard, |one| now_us >= one.until_us || one.since_us + every_us <= now_us).await;
        shard.throttle.shut_out.borrow_mut().retain(|_, one| now_us < one.until_us || one.count > 0);
    }
}

/// Records what was refused together and is not in the journal yet: before it is closed.
pub async fn finish(shard: &Rc<Shard>) {
    flush(shard, |_| true).await;
}

async fn flush(shard: &Rc<Shard>, is_due: impl Fn(&ShutOut) -> bool) {
    let due: Vec<u64> = {
        let all = shard.throttle.shut_out.borrow();
        all.iter().filter(|(_, one)| one.count > 0 && is_due(one)).map(|(part, _)| *part).collect()
    };
    for part in due {
        let (appended, count) = {
            let all = shard.throttle.shut_out.borrow();
            let Some(one) = all.get(&part) else { continue };
            let detail = json!({ "count": one.count, "since_us": one.since_us, "until_us": one.until_us }).to_string();
            let notice = Notice {
                at_us: shard.now_us(),
                trace: one.trace,
                identity: Identity {
                    user: &one.user,
                    tenant: &one.tenant,
                    tier: one.tier,
                    address: &one.address,
                    ..Identity::default()
                },
                verdict: Verdict::Deny.code(),
                reason: Reason::Throttled.code(),
                action: "refuse",
                subject: &one.limit,
                generation: shard.policy().generation(),
                detail: &detail,
            };
            (shard.journal.append(&Record::Notice(EventKind::Throttle, notice), &[]), one.count)
        };
        // What the journal does not take is counted on, and recorded with the next row.
        if appended.await.is_ok()
            && let Some(one) = shard.throttle.shut_out.borrow_mut().get_mut(&part)
        {
            one.count -= count;
            one.since_us = shard.now_us();
        }
    }
}
