//! The first check: may this principal use this method or tool of this server, with these arguments, at this time?
//! Lives on: the policy, where all shards read it, but for the groups of grants that a principal is in, which are found at
//! its first call. A call then costs one look-up for each of them that speaks of its server, and the conditions of the grants
//! that speak of its tool.
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
mod groups;
pub mod standing;
#[cfg(test)]
mod tests;
mod verdict;

use std::hint::select_unpredictable;

use arrayvec::ArrayVec;
use wire::decision::Reason;
use wire::ids::ServerIx;
use wire::snapshot::Effect;

use self::condition::{Fault, Unmet};
use self::grants::{Grant, Grants};
use self::groups::Groups;
use self::verdict::{Action, Kind};
use super::Call;
use crate::identity::Principal;

pub use self::grants::{GrantError, GrantFault, is_session_method};
pub use self::standing::Standing;

/// What the grants say about a call.
#[derive(Debug, Clone, Copy)]
pub struct Access<'p> {
    /// [`Reason::Permitted`], or why not.
    pub reason: Reason,
    /// The id of the grant that says so; empty where none does.
    pub grant: &'p str,
    /// What the call lacks.
    pub lacks: Lacks<'p>,
}

/// What a call lacks to be allowed, as far as it can be named.
#[derive(Debug, Clone, Copy)]
pub enum Lacks<'p> {
    /// Nothing, or nothing in particular.
    Nothing,
    /// Some of the scopes that the grant asks for: all of those.
    Scopes(&'p [Box<str>]),
    /// What does not hold, as it was declared: it might with other arguments, or at another time.
    Condition(&'p str),
    /// Whether it applies cannot be judged.
    Judgement {
        /// What cannot be judged, as it was declared.
        condition: &'p str,
        /// Why not.
        fault: Fault,
    },
}

impl<'p> Access<'p> {
    const NOT_GRANTED: Access<'static> = Access::none(Reason::NotGranted);

    /// No grant speaks for it.
    const fn none(reason: Reason) -> Access<'p> {
        Access { reason, grant: "", lacks: Lacks::Nothing }
    }

    /// A grant says so, whatever the arguments.
    fn by(reason: Reason, grant: &'p Grant) -> Access<'p> {
        Access { reason, grant: &grant.id, lacks: Lacks::Nothing }
    }

    /// Whether a grant gives it, now or with more scopes.
    fn may_be_given(&self) -> bool {
        matches!(self.reason, Reason::Permitted | Reason::ScopeMissing)
    }

    /// A grant gives it, if the token carried these scopes too.
    fn after_step_up(grant: &'p str, scopes: &'p [Box<str>]) -> Access<'p> {
        Access { reason: Reason::ScopeMissing, grant, lacks: Lacks::Scopes(scopes) }
    }

    fn unmet(grant: &'p Grant, unmet: Unmet<'p>) -> Access<'p> {
        let (reason, lacks) = match unmet {
            Unmet::Failed { condition } => (Reason::ConditionFailed, Lacks::Condition(condition)),
            Unmet::Faulty { condition, fault } => (Reason::ConditionError, Lacks::Judgement { condition, fault }),
        };
        Access { reason, grant: &grant.id, lacks }
    }
}

/// What of a principal the grants ask for.
#[derive(Debug)]
pub(crate) struct Membership {
    /// The groups of grants that are for it.
    groups: Groups,
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
        let groups = Groups::new(&grants.groups_of(principal), |group| grants.verdicts.servers_of(group));
        Membership { groups, scopes: principal.scopes.as_str().into() }
    }

    fn holds(&self, scope: &str) -> bool {
        self.scopes.split(' ').any(|held| held == scope)
    }

    /// What the grants say about a call; `tool` is its tool's number. Units: `now_us` is µs since 1970.
    ///
    /// Cost: a few nanoseconds for each group that speaks of the server, and the conditions; no allocation.
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
            None => Access::NOT_GRANTED,
        };
        if !call.is_tool {
            return match grants::method_ix(call.method) {
                Some(method) => of(grants.verdicts.method(call.server, method)),
                None => Access::none(Reason::MethodUnknown),
            };
        }
        if let Some(undiscovered) = grants.verdicts.undiscovered(call.server) {
            return self.access_to(grants, undiscovered, call, now_us);
        }
        // Whoever may not even open a session is not told which tools exist.
        match of(grants.verdicts.method(call.server, 0)) {
            Access { reason: Reason::Permitted, .. } => Access::none(Reason::ToolUnknown),
            other => other,
        }
    }

    #[inline]
    fn access_to<'p>(&self, grants: &'p Grants, action: Action, call: &Call<'_>, now_us: u64) -> Access<'p> {
        let verdict = grants.verdicts.of_all(&self.groups, call.server, action);
        if verdict.is_conditional() {
            return self.judge(grants, action, call, now_us);
        }
        // Where nothing was said, this is any grant, and not named.
        let Some(grant) = grants.get(verdict.ix()) else { return Access::NOT_GRANTED };
        let grant = select_unpredictable(verdict.kind() == Kind::Nothing, "", &*grant.id);
        Access { reason: verdict.reason(), grant, lacks: Lacks::Nothing }
    }

    /// Asks grants in the order of their ranks. On a session's own methods a grant that gives is not asked for its
    /// conditions, which speak of the calls to come.
    #[inline(never)]
    fn judge<'p>(&self, grants: &'p Grants, action: Action, call: &Call<'_>, now_us: u64) -> Access<'p> {
        let entries = || self.entries(grants, action, call.server, call.name);
        let mut otherwise = Access::NOT_GRANTED;
        let mut next = first_of(entries());
        // Nothing is given, so there is nothing to take.
        if next.iter().all(|entry| entry.rank == Rank::DeniesIf) && entries().all(|entry| entry.rank == Rank::DeniesIf) {
            return Access::NOT_GRANTED;
        }
        loop {
            for Entry { rank, grant } in &next {
                let Some(grant) = grants.get(*grant) else { continue };
                let met = match rank {
                    Rank::Denies | Rank::Allows => Ok(()),
                    Rank::AllowsIf | Rank::StepUp { .. } if action.is_session() => Ok(()),
                    Rank::DeniesIf | Rank::AllowsIf | Rank::StepUp { .. } => grant.conditions.check(call.arguments, now_us),
                };
                match (rank, met) {
                    (Rank::Denies | Rank::DeniesIf, Ok(())) => return Access::by(Reason::GrantDenies, grant),
                    (Rank::Allows | Rank::AllowsIf, Ok(())) => return Access::by(Reason::Permitted, grant),
                    (Rank::StepUp { .. }, Ok(())) => return Access::after_step_up(&grant.id, &grant.scopes),
                    (Rank::Denies | Rank::DeniesIf, Err(Unmet::Failed { .. })) => {}
                    (Rank::Denies | Rank::DeniesIf, Err(faulty @ Unmet::Faulty { .. })) => return Access::unmet(grant, faulty),
                    (_, Err(unmet)) => otherwise = worse(otherwise, Access::unmet(grant, unmet)),
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
        let of_group = move |group| grants.verdicts.grants(group, action);
        let entry = move |ix| {
            let grant = grants.get(ix)?;
            let speaks = !action.is_undiscovered() || grants.covers_tool(grant, server, name);
            speaks.then(|| Entry { rank: self.rank(grant), grant: ix })
        };
        self.groups.on(server).flat_map(of_group).filter_map(entry)
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
fn worse<'p>(so_far: Access<'p>, next: Access<'p>) -> Access<'p> {
    match (so_far.reason, next.reason) {
        (Reason::NotGranted, _) | (Reason::ConditionFailed, Reason::ConditionError) => next,
        _ => so_far,
    }
}
