//! A candidate policy on live traffic: every call that is decided is judged by it too, and where the verdict would be
//! another one a row says so. Nothing of it reaches the caller.
//! Lives on: one shard; the candidate is shared by all and never changes, its limits are counted where they live.
//!
//! Limits of the candidate begin unused. Limits of concurrency are left out, since a call that the candidate would have
//! refused does run. Calls that are too large to be scanned at once are left out too, and counted.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use arrayvec::ArrayString;
use futures_channel::oneshot;
use hashbrown::HashMap;
use serde_json::json;
use wire::decision::{EventKind, Layer, Reason, Verdict};
use wire::record::{Notice, Record};

use crate::call::Arrival;
use crate::chain::rate::{Charge, Pace, RateState, home_shard};
use crate::chain::{Allowed, Call, Denial, Scratch, inspect, let_through, rate_denial};
use crate::http::within;
use crate::identity::Principal;
use crate::inbox::Event;
use crate::limits::{MESH_TIME_MAX, SHADOW_PRINCIPALS_MAX, SHADOW_RATE_KEYS};
use crate::policy::Policy;
use crate::shard::Shard;

/// The candidate, as one shard has it.
pub struct Shadow {
    policy: Arc<Policy>,
    scratch: RefCell<Scratch>,
    /// The candidate's limits that live here.
    pub(crate) rates: RefCell<RateState>,
    /// By the token's id: who calls, with what the candidate's roles stand for.
    principals: RefCell<HashMap<String, Rc<Principal>>>,
}

/// What the policy in force said.
pub struct Decided {
    verdict: Verdict,
    reason: Reason,
    rule: ArrayString<64>,
}

impl Decided {
    /// Of a call that was decided.
    pub fn of(decided: Result<&Allowed, &Denial>) -> Decided {
        match decided {
            Ok(allowed) => Decided { verdict: Verdict::Allow, reason: Reason::Permitted, rule: allowed.rule },
            Err(denial) => Decided { verdict: verdict(denial), reason: denial.reason, rule: denial.rule },
        }
    }
}

fn verdict(denial: &Denial) -> Verdict {
    if denial.ask { Verdict::Ask } else { Verdict::Deny }
}

impl Shadow {
    /// Of this candidate, of which nobody has called anything yet.
    pub fn new(policy: Arc<Policy>) -> Shadow {
        Shadow {
            scratch: RefCell::new(Scratch::new(&policy)),
            rates: RefCell::new(RateState::new(SHADOW_RATE_KEYS)),
            principals: RefCell::default(),
            policy,
        }
    }

    fn principal(&self, principal: &Principal) -> Rc<Principal> {
        let id = &principal.claims.jti;
        if let Some(known) = self.principals.borrow().get(id).filter(|known| known.claims == principal.claims) {
            return Rc::clone(known);
        }
        let again = Rc::new(principal.under(&self.policy));
        let mut known = self.principals.borrow_mut();
        if known.len() >= SHADOW_PRINCIPALS_MAX {
            known.clear();
        }
        known.insert(id.clone(), Rc::clone(&again));
        again
    }

    /// Grants, secrets and block list; the charges of what they let through.
    fn inspect(&self, principal: &Principal, call: &Call<'_>, now_us: u64) -> Result<Vec<Charge>, Denial> {
        let server = self.policy.server(call.server_name).ok_or_else(|| Denial::new(Reason::ServerUnknown))?;
        let call = Call { server, waited: None, ..*call };
        let standing = self.principal(principal).standing(&self.policy);
        let cleared = inspect(&self.policy, &mut self.scratch.borrow_mut(), &standing, &call, now_us)?;
        let counted = cleared.charges.iter().filter(|charge| !matches!(charge.pace, Pace::Concurrency { .. }));
        Ok(counted.copied().collect())
    }
}

/// Judges a call by the candidate, if there is one. What it takes beyond the arguments is done after the call.
pub fn compare(shard: &Rc<Shard>, principal: &Principal, call: &Call<'_>, arrival: &Arrival<'_>, decided: Decided) {
    let Some(shadow) = shard.shadow.borrow().as_ref().map(Rc::clone) else { return };
    // Whom nobody knows and what the gateway cannot do is no policy's doing, and who waits is asked about once.
    if matches!(decided.reason.layer(), Layer::Identity | Layer::System)
        || decided.reason == Reason::Throttled
        || call.waited.is_some()
    {
        return;
    }
    if call.is_large() {
        shard.counters.borrow_mut().shadow_skipped += 1;
        return;
    }
    let inspected = shadow.inspect(principal, call, arrival.now_us);
    let row = Row {
        user: principal.claims.sub.clone(),
        tenant: principal.claims.tenant.clone(),
        tier: principal.claims.tier.code(),
        trace: arrival.trace.0,
        call: arrival.call.to_string(),
        server: call.server_name.to_owned(),
        name: call.name.to_owned(),
        method: call.method.to_owned(),
        decided,
    };
    let (shard, now_us) = (Rc::clone(shard), arrival.now_us);
    Rc::clone(&shard).spawn(async move {
        let found = match inspected {
            Ok(charges) => charge(&shard, &shadow, &charges, now_us).await,
            Err(denial) => Err(denial),
        };
        if found.as_ref().is_err_and(|denial| denial.reason == Reason::RateUnavailable) {
            shard.counters.borrow_mut().shadow_skipped += 1;
            return;
        }
        let found = found.or_else(|denial| let_through(&shadow.policy, &denial).map(drop).ok_or(denial));
        let would_be = found.as_ref().err().map_or(Verdict::Allow, verdict);
        shard.counters.borrow_mut().shadow_compared += 1;
        if would_be != row.decided.verdict {
            shard.counters.borrow_mut().shadow_differed += 1;
            row.record(&shard, &shadow, would_be, found.err().as_ref()).await;
        }
    });
}

/// Charges a call under the candidate's limits, wherever each of them lives.
async fn charge(shard: &Shard, shadow: &Shadow, charges: &[Charge], now_us: u64) -> Result<(), Denial> {
    let mut homes: Vec<u16> = charges.iter().map(|charge| home_shard(charge.key, shard.shards)).collect();
    homes.sort_unstable();
    homes.dedup();
    for home in homes {
        let here: Box<[Charge]> = charges.iter().filter(|charge| home_shard(charge.key, shard.shards) == home).copied().collect();
        let result = if home == shard.ix {
            shadow.rates.borrow_mut().check_and_charge(&here, now_us)
        } else {
            let (sender, receiver) = oneshot::channel();
            let ticket = shard.ticket(sender);
            shard.tell(home, Event::Charge { from: shard.ix, ticket, charges: here, now_us, is_trial: true });
            match within(MESH_TIME_MAX, receiver).await {
                Some(Ok(result)) => *result,
                Some(Err(_)) | None => {
                    shard.forget_ticket(ticket);
                    return Err(Denial::new(Reason::RateUnavailable));
                }
            }
        };
        result.map_err(|refused| rate_denial(&shadow.policy, refused))?;
    }
    Ok(())
}

/// What a row says of a call that the candidate judges otherwise.
struct Row {
    user: String,
    tenant: String,
    tier: u8,
    trace: [u8; 16],
    call: String,
    server: String,
    name: String,
    method: String,
    decided: Decided,
}

impl Row {
    async fn record(&self, shard: &Shard, shadow: &Shadow, would_be: Verdict, denial: Option<&Denial>) {
        let reason = denial.map_or(Reason::Permitted, |denial| denial.reason);
        let says = |verdict: Verdict, reason: Reason, rule: &str, evidence: &str| {
            json!({
                "verdict": verdict.as_str(), "layer": reason.layer().as_str(), "reason": reason.as_str(), "rule": rule,
                "evidence": evidence,
            })
        };
        let (rule, evidence) = denial.map_or(("", ""), |denial| (denial.rule.as_str(), denial.evidence.as_str()));
        let detail = json!({
            "call": self.call, "server": self.server, "tool": self.name, "method": self.method,
            "was": says(self.decided.verdict, self.decided.reason, &self.decided.rule, ""),
            "would_be": says(would_be, reason, rule, evidence),
        });
        let notice = Notice {
            at_us: shard.now_us(),
            trace: self.trace,
            identity: wire::record::Identity {
                user: &self.user,
                tenant: &self.tenant,
                tier: self.tier,
                ..wire::record::Identity::default()
            },
            verdict: would_be.code(),
            reason: reason.code(),
            action: "would_decide",
            subject: &self.server,
            generation: shadow.policy.generation(),
            detail: &detail.to_string(),
        };
        // A row that is lost is said so where every failed append is.
        let _ = shard.append(&Record::Notice(EventKind::Shadow, notice), &[]).await;
    }
}
