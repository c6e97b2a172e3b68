//! What the scope check would say to a call, and why: every grant that speaks of what is called, and what each says.
//! For operators; never on the path of a call.
//!
//! INVARIANT: names grants, conditions as they were declared, and the types of arguments, never an argument's value.

use wire::snapshot::{Effect, Subject};

use super::condition::{Fault, Judged};
use super::grants::{Grant, Grants, is_session_ix, method_ix};
use super::{Access, Standing};
use crate::chain::Call;
use crate::identity::Principal;
use crate::policy::Policy;

/// The scope check of one call, with its reasons.
#[derive(Debug)]
pub struct Explanation<'p> {
    /// What it says; the chain says the same.
    pub access: Access<'p>,
    /// Every grant that speaks of the tool or method, in the order of the policy.
    pub considered: Vec<Considered<'p>>,
}

/// One grant that speaks of what is called.
#[derive(Debug)]
pub struct Considered<'p> {
    /// Its id.
    pub grant: &'p str,
    /// Gives or takes.
    pub effect: Effect,
    /// What it says.
    pub says: Says<'p>,
}

/// What one grant says about a call.
#[derive(Debug, PartialEq)]
pub enum Says<'p> {
    /// It applies.
    Applies,
    /// It is for others.
    ForOthers {
        /// What of the principal is not among those named: `users`, `roles`, `departments`, `tenants`, `agents`, `tiers`.
        differs: &'static str,
    },
    /// It would apply if the token carried these scopes too.
    ScopesMissing {
        /// Those of its scopes that are not held.
        missing: Vec<&'p str>,
    },
    /// Not with these arguments, or not now.
    ConditionFailed {
        /// Every condition of the grant and how it was judged.
        conditions: Vec<Judged<'p>>,
    },
    /// Whether it applies cannot be judged.
    ConditionFaulty {
        /// Why not.
        fault: Fault,
        /// Every condition of the grant and how it was judged.
        conditions: Vec<Judged<'p>>,
    },
}

/// Explains the scope check of a call. Cost: all grants of the policy. Units: `now_us` is µs since 1970.
pub fn explain<'p>(policy: &'p Policy, principal: &Principal, call: &Call<'_>, now_us: u64) -> Explanation<'p> {
    let grants = &policy.grants;
    let standing: &Standing = &principal.standing(policy);
    let considered = grants.iter().filter(|grant| speaks_of(grants, grant, call)).map(|grant| Considered {
        grant: &grant.id,
        effect: grant.effect,
        says: says(grants.subject(grant), grant, principal, call, now_us),
    });
    Explanation { access: standing.access(policy, call, now_us), considered: considered.collect() }
}

fn speaks_of(grants: &Grants, grant: &Grant, call: &Call<'_>) -> bool {
    if call.is_tool {
        return grant.methods.covers_calls() && grants.covers_tool(grant, call.server, call.name);
    }
    let Some(method) = method_ix(call.method) else { return false };
    let opens_session = is_session_ix(method) && grant.effect == Effect::Allow;
    grants.speaks_of(grant, call.server) && (opens_session || grant.methods.covers(method))
}

fn says<'p>(subject: &Subject, grant: &'p Grant, principal: &Principal, call: &Call<'_>, now_us: u64) -> Says<'p> {
    if let Some(differs) = principal.differs_from(subject) {
        return Says::ForOthers { differs };
    }
    let on_session = !call.is_tool && method_ix(call.method).is_some_and(is_session_ix);
    if !on_session || grant.effect == Effect::Deny {
        let conditions = grant.conditions.judge_all(call.arguments, now_us);
        // The first that is not met decides, as on the path of a call.
        match conditions.iter().find(|judged| judged.holds != Ok(true)).map(|judged| judged.holds) {
            Some(Err(fault)) => return Says::ConditionFaulty { fault, conditions },
            Some(Ok(_)) => return Says::ConditionFailed { conditions },
            None => {}
        }
    }
    let missing = missing(grant, principal);
    if grant.effect == Effect::Allow && !missing.is_empty() { Says::ScopesMissing { missing } } else { Says::Applies }
}

fn missing<'p>(grant: &'p Grant, principal: &Principal) -> Vec<&'p str> {
    grant.scopes.iter().map(|scope| &**scope).filter(|scope| !principal.scopes.split(' ').any(|held| held == *scope)).collect()
}
