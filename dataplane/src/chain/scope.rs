//! The first check: may this principal use this method or tool of this server, with these arguments, at this time?
//! Lives on: the policy, where all shards read it, but for the groups of grants that a principal is in, which are found at
//! its first call. A call then costs one look-up for each of them, and the conditions of the grants that speak of its tool.
//!
//! Deny beats allow, no grant means no. A grant without `tools` and `methods` gives the whole server; one with `tools`
//! gives `tools/call` on them; one with `methods` gives those methods. Whoever may do anything on a server may also open
//! a session on it and list what it may use.
//!
//! What may be listed and what may be called are two questions. A tool is listed if some arguments could be allowed; a
//! call is judged with its own. A denying grant whose condition cannot be judged denies; an allowing one gives nothing,
//! and if no other gives either, the call is denied with a reason of its own.

pub mod condition;
pub mod explain;
pub(crate) mod grants;
pub mod standing;
#[cfg(test)]
mod tests;
mod verdict;

use arrayvec::ArrayVec;
use smallvec::SmallVec;
use wire::ids::ServerIx;
use wire::snapshot::Effect;

use self::condition::{Fault, Unmet};
use self::grants::{Grant, Grants};
use self::verdict::{Action, Kind};
use super::Call;
use crate::identity::Principal;

pub use self::grants::{GrantError, GrantFault, is_session_method};
pub use self::standing::Standing;

/// What the grants say about a call.
#[derive(Debug, Clone, Copy)]
pub enum Access<'p> {
    /// Yes, by this grant.
    Allowed {
        /// Its id.
        grant: &'p str,
    },
    /// Yes, if the token carried these scopes too.
    StepUp {
        /// The grant's id.
        grant: &'p str,
        /// All scopes the grant asks for.
        scopes: &'p [Box<str>],
    },
    /// No, by this grant.
    Denied {
        /// Its id.
        grant: &'p str,
    },
    /// A grant would allow it with other arguments, or at another time.
    ConditionFailed {
        /// Its id.
        grant: &'p str,
        /// What does not hold, as it was declared.
        condition: &'p str,
    },
    /// A grant speaks of it, but whether it applies cannot be judged.
    ConditionFaulty {
        /// Its id.
        grant: &'p str,
        /// What cannot be judged, as it was declared.
        condition: &'p str,
        /// Why not.
        fault: Fault,
    },
    /// No grant speaks for it.
    NotGranted,
    /// The server has no such tool.
    ToolUnknown,
    /// The gateway does not know the method.
    MethodUnknown,
}

/// What of a principal the grants ask for.
#[derive(Debug)]
pub(crate) struct Membership {
    /// The groups of grants that are for it, in ascending order. Those of nearly everybody lie beside each other, so that the
    /// answer for one of thousands of principals is not waited for.
    groups: SmallVec<[u32; 6]>,
    /// Separated by spaces.
    scopes: Box<str>,
}

/// A grant that must be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    rank: Rank,
    grant: u32,
}

/// In which order grants are asked: who takes before who gives, what is certain before what must be judged, and last
/// those that ask for scopes that are not held, fewest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Denies,
    DeniesIf,
    Allows,
    AllowsIf,
    StepUp { missing: u32 },
}

/// LIMIT: so many grants are put in order at once; where more speak of one call, they are looked for again.
const ASKED_AT_ONCE: usize = 8;

impl Membership {
    /// Cost: the grants that may be for the principal, not all there are.
    fn new(grants: &Grants, principal: &Principal) -> Membership {
        Membership { groups: grants.groups_of(principal).into(), scopes: principal.scopes.as_str().into() }
    }

    fn holds(&self, scope: &str) -> bool {
        self.scopes.split(' ').any(|held| held == scope)
    }

    /// What the grants say about a call; `tool` is its tool's number. Units: `now_us` is µs since 1970.
    ///
    /// Cost: a few nanoseconds for each group, and the conditions; no allocation.
    #[inline]
    fn access<'p>(&self, grants: &'p Grants, tool: Option<u32>, call: &Call<'_>, now_us: u64) -> Access<'p> {
        match tool.filter(|_| call.is_tool).and_then(|tool| grants.verdicts.tool(call.server, tool)) {
            Some(tool) => self.access_to(grants, tool, call, now_us),
            None => self.access_to_others(grants, call, now_us),
        }
    }

    /// The same for a call of a tool that was not discovered, and for what is no call of a tool.
    #[inline(never)]
    fn access_to_others<'p>(&self, grants: &'p Grants, call: &Call<'_>, now_us: u64) -> Access<'p> {
        let of = |action: Option<Action>| match action {
            Some(action) => self.access_to(grants, action, call, now_us),
            None => Access::NotGranted,
        };
        if !call.is_tool {
            return match grants::method_ix(call.method) {
                Some(method) => of(grants.verdicts.method(call.server, method)),
                None => Access::MethodUnknown,
            };
        }
        if let Some(undiscovered) = grants.verdicts.undiscovered(call.server) {
            return self.access_to(grants, undiscovered, call, now_us);
        }
        // Whoever may not even open a session is not told which tools exist.
        match of(grants.verdicts.method(call.server, 0)) {
            Access::Allowed { .. } => Access::ToolUnknown,
            other => other,
        }
    }

    #[inline]
    fn access_to<'p>(&self, grants: &'p Grants, action: Action, call: &Call<'_>, now_us: u64) -> Access<'p> {
        let verdict = grants.verdicts.of_all(&self.groups, action);
        if verdict.is_conditional() {
            return self.judge(grants, action, call, now_us);
        }
        // Where nothing was said, this is any grant, and not named.
        let Some(Grant { id, .. }) = grants.get(verdict.ix()) else { return Access::NotGranted };
        match verdict.kind() {
            Kind::Denied => Access::Denied { grant: id },
            Kind::Allowed => Access::Allowed { grant: id },
            Kind::MayTake | Kind::MayGive | Kind::Wide | Kind::Nothing => Access::NotGranted,
        }
    }

    /// Asks grants in the order of their ranks. On a session's own methods a grant that gives is not asked for its
    /// conditions, which speak of the calls to come.
    #[inline(never)]
    fn judge<'p>(&self, grants: &'p Grants, action: Action, call: &Call<'_>, now_us: u64) -> Access<'p> {
        let entries = || self.entries(grants, action, call.server, call.name);
        let mut otherwise = Access::NotGranted;
        let mut next = first_of(entries());
        // Nothing is given, so there is nothing to take.
        if next.iter().all(|entry| entry.rank == Rank::DeniesIf) && entries().all(|entry| entry.rank == Rank::DeniesIf) {
            return Access::NotGranted;
        }
        loop {
            for Entry { rank, grant } in &next {
                let Some(grant) = grants.get(*grant) else { continue };
                let id = &*grant.id;
                let met = match rank {
                    Rank::Denies | Rank::Allows => Ok(()),
                    Rank::AllowsIf | Rank::StepUp { .. } if action.is_session() => Ok(()),
                    Rank::DeniesIf | Rank::AllowsIf | Rank::StepUp { .. } => grant.conditions.check(call.arguments, now_us),
                };
                match (rank, met) {
                    (Rank::Denies | Rank::DeniesIf, Ok(())) => return Access::Denied { grant: id },
                    (Rank::Allows | Rank::AllowsIf, Ok(())) => return Access::Allowed { grant: id },
                    (Rank::StepUp { .. }, Ok(())) => return Access::StepUp { grant: id, scopes: &grant.scopes },
                    (Rank::Denies | Rank::DeniesIf, Err(Unmet::Failed { .. })) => {}
                    (Rank::Denies | Rank::DeniesIf, Err(Unmet::Faulty { condition, fault })) => {
                        return Access::ConditionFaulty { grant: id, condition, fault };
                    }
                    (_, Err(unmet)) => otherwise = worse(otherwise, id, unmet),
                }
            }
            match next.last().copied() {
                Some(asked) if next.is_full() => next = first_of(entries().filter(|entry| *entry > asked)),
                _ => return otherwise,
            }
        }
    }

    /// Every grant that speaks of an action, in no order. What a tool is called tells only where it was not discovered.
    fn entries(&self, grants: &Grants, action: Action, server: ServerIx, name: &str) -> impl Iterator<Item = Entry> {
        let of_group = move |group: &u32| grants.verdicts.grants(*group, action);
        let entry = move |ix| {
            let grant = grants.get(ix)?;
            let speaks = !action.is_undiscovered() || grants.covers_tool(grant, server, name);
            speaks.then(|| Entry { rank: self.rank(grant), grant: ix })
        };
        self.groups.iter().flat_map(of_group).filter_map(entry)
    }

    fn rank(&self, grant: &Grant) -> Rank {
        match (grant.effect, grant.is_certain()) {
            (Effect::Deny, true) => Rank::Denies,
            (Effect::Deny, false) => Rank::DeniesIf,
            (Effect::Allow, true) => Rank::Allows,
            (Effect::Allow, false) => match grant.scopes.iter().filter(|scope| !self.holds(scope)).count() as u32 {
                0 => Rank::AllowsIf,
                missing => Rank::StepUp { missing },
            },
            // In no group: see `Grants::observers`.
            (Effect::Observe, _) => Rank::StepUp { missing: u32::MAX },
        }
    }

    /// Whether a tool belongs into a principal's `tools/list`: whether a call of it could be allowed, with the right
    /// arguments, at the right time, or after stepping up.
    fn lists(&self, grants: &Grants, server: ServerIx, name: &str) -> bool {
        let tool = grants.tool(server, name).and_then(|tool| grants.verdicts.tool(server, tool));
        let Some(action) = tool.or_else(|| grants.verdicts.undiscovered(server)) else { return false };
        let mut deciding = self.entries(grants, action, server, name).filter(|entry| entry.rank != Rank::DeniesIf).peekable();
        deciding.peek().is_some() && deciding.all(|entry| entry.rank != Rank::Denies)
    }
}

/// The first of them, in order.
fn first_of(entries: impl Iterator<Item = Entry>) -> ArrayVec<Entry, ASKED_AT_ONCE> {
    let mut first = ArrayVec::new();
    entries.for_each(|entry| {
        let at = first.partition_point(|earlier| *earlier < entry);
        if first.is_full() && at < first.len() {
            first.pop();
        }
        if !first.is_full() {
            first.insert(at, entry);
        }
    });
    first
}

/// Of several reasons why nothing is given, the first is told, but one that could not be judged before one that failed.
fn worse<'p>(so_far: Access<'p>, grant: &'p str, unmet: Unmet<'p>) -> Access<'p> {
    match (so_far, unmet) {
        (Access::ConditionFaulty { .. }, _) | (Access::ConditionFailed { .. }, Unmet::Failed { .. }) => so_far,
        (_, Unmet::Faulty { condition, fault }) => Access::ConditionFaulty { grant, condition, fault },
        (_, Unmet::Failed { condition }) => Access::ConditionFailed { grant, condition },
    }
}
