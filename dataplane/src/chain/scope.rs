//! The first check: may this principal use this method or tool of this server, with these arguments, at this time?
//! Lives on: one shard. What a principal may do on a server is compiled once for all who have the same grants and scopes;
//! a call then costs one look-up, and the conditions of the grants that speak of its tool.
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

use wire::jsonrpc::Nodes;
use wire::snapshot::Effect;

use self::condition::{Fault, Unmet};
use self::grants::{Cover, Grant, Grants, METHODS};
use super::Call;

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

/// What principals of one kind may do on one server.
#[derive(Debug)]
pub struct ServerAccess {
    tools: Tools,
    rest: Box<Rest>,
}

/// The verdict on every tool of a server, by the tool's number on it.
#[derive(Debug)]
enum Tools {
    /// Few verdicts on few tools, as nearly everywhere: two bits for each tool say which. It lies in a cache line or two,
    /// the verdict itself included, so that the answer for one of thousands of principals is not waited for.
    Few {
        verdicts: [Verdict; 4],
        codes: [u64; FEW_TOOLS * 2 / 64],
        count: u32,
    },
    Many(Box<[Verdict]>),
}

/// LIMIT: so many tools' verdicts lie beside each other. Larger servers are asked a few nanoseconds slower.
const FEW_TOOLS: usize = 64;

/// What calls of tools that are known do not need.
#[derive(Debug)]
struct Rest {
    methods: [Verdict; METHODS],
    /// Sets of grants that a verdict depends on, in the order in which they are asked.
    rulings: Box<[Box<[Entry]>]>,
    /// On a server whose tools cannot be listed: every grant that may speak of one.
    open: Option<Box<[Entry]>>,
}

/// What is known before the arguments are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    NotGranted,
    Allowed(u32),
    Denied(u32),
    /// By one of the rulings.
    Judged(u32),
}

/// A grant that a verdict depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Entry {
    rank: Rank,
    grant: u32,
}

/// In which order grants are asked: who takes before who gives, what is certain before what must be judged, and last
/// those that ask for scopes, fewest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Rank {
    Denies,
    DeniesIf,
    Allows,
    AllowsIf,
    StepUp { missing: u32 },
}

impl Rank {
    fn of(grant: &Grant, held: &impl Fn(&str) -> bool) -> Rank {
        let missing = grant.scopes.iter().filter(|scope| !held(scope)).count() as u32;
        match (grant.effect, grant.conditions.is_empty(), missing) {
            (Effect::Deny, true, _) => Rank::Denies,
            (Effect::Deny, false, _) => Rank::DeniesIf,
            (Effect::Allow, true, 0) => Rank::Allows,
            (Effect::Allow, false, 0) => Rank::AllowsIf,
            (Effect::Allow, _, missing) => Rank::StepUp { missing },
            // Not among those that are asked: see `Grants::observers`.
            (Effect::Observe, ..) => Rank::StepUp { missing: u32::MAX },
        }
    }
}

impl ServerAccess {
    /// Compiles what grants give on a server. `ranked` are the grants that are for the principal and speak of the server,
    /// each with what it says to the principal's scopes.
    /// Cost: tools / 64 for each grant, and each verdict once.
    fn compile(mut ranked: Vec<(Entry, &Grant, &Cover)>, tools: usize, open: bool) -> ServerAccess {
        ranked.sort_by_key(|(entry, ..)| *entry);
        let mut rulings = Rulings::default();
        let calling: Vec<_> = ranked.iter().filter(|(_, grant, _)| grant.methods.covers_calls()).collect();
        let mut methods = [Verdict::NotGranted; METHODS];
        for (method, verdict) in methods.iter_mut().enumerate() {
            let is_session = grants::is_session_ix(method);
            // Whoever is allowed anything may open a session, whatever the arguments of the calls to come.
            let asked = ranked.iter().filter(|(_, grant, _)| match (is_session, grant.effect) {
                (true, Effect::Allow) => true,
                (true, Effect::Deny | Effect::Observe) | (false, _) => grant.methods.covers(method),
            });
            let entry = |entry: &Entry| match entry.rank {
                Rank::AllowsIf if is_session => Entry { rank: Rank::Allows, ..*entry },
                _ => *entry,
            };
            let mut asked: Vec<Entry> = asked.map(|(found, ..)| entry(found)).collect();
            asked.sort_unstable();
            *verdict = rulings.verdict(asked);
        }
        let tools = Tools::of(tool_verdicts(&calling, tools, &mut rulings));
        let open = open.then(|| calling.iter().map(|(entry, ..)| *entry).collect());
        ServerAccess { tools, rest: Box::new(Rest { methods, rulings: rulings.all.into_boxed_slice(), open }) }
    }

    /// What the grants say about a call. Units: `now_us` is µs since 1970.
    ///
    /// Cost: a few nanoseconds, and the conditions; no allocation.
    pub(super) fn of<'p>(&self, grants: &'p Grants, tool: Option<u32>, call: &Call<'_>, now_us: u64) -> Access<'p> {
        let judged = |verdict: Verdict, on_session: bool| match verdict {
            Verdict::NotGranted => Access::NotGranted,
            Verdict::Allowed(grant) => grants.get(grant).map_or(Access::NotGranted, |grant| Access::Allowed { grant: &grant.id }),
            Verdict::Denied(grant) => grants.get(grant).map_or(Access::NotGranted, |grant| Access::Denied { grant: &grant.id }),
            Verdict::Judged(ruling) => {
                let entries = self.rest.rulings.get(ruling as usize).map_or(&[][..], |entries| entries);
                judge(grants, entries.iter().copied(), on_session, call.arguments, now_us)
            }
        };
        if call.is_tool {
            if let Some(verdict) = tool.and_then(|tool| self.tools.get(tool)) {
                return judged(verdict, false);
            }
            if let Some(open) = &self.rest.open {
                let speaking = open.iter().copied().filter(|entry| {
                    grants.get(entry.grant).is_some_and(|grant| grants.covers_tool(grant, call.server, call.name))
                });
                // Nothing is given, so there is nothing to take.
                if speaking.clone().all(|entry| entry.rank == Rank::DeniesIf) {
                    return Access::NotGranted;
                }
                return judge(grants, speaking, false, call.arguments, now_us);
            }
            // Whoever may not even list the tools is not told which exist.
            return match judged(self.rest.methods[0], true) {
                Access::Allowed { .. } => Access::ToolUnknown,
                other => other,
            };
        }
        match grants::method_ix(call.method) {
            Some(method) => judged(self.rest.methods[method], grants::is_session_ix(method)),
            None => Access::MethodUnknown,
        }
    }

    /// Whether a tool belongs into a principal's `tools/list`: whether a call of it could be allowed, with the right
    /// arguments, at the right time, or after stepping up.
    pub(super) fn lists(&self, grants: &Grants, server: wire::ids::ServerIx, tool: Option<u32>, name: &str) -> bool {
        match tool.and_then(|tool| self.tools.get(tool)) {
            Some(Verdict::Allowed(_)) => true,
            Some(Verdict::NotGranted | Verdict::Denied(_)) => false,
            Some(Verdict::Judged(ruling)) => {
                let entries = self.rest.rulings.get(ruling as usize).map_or(&[][..], |entries| entries);
                may_give(entries.iter().copied())
            }
            None => {
                let speaks = |entry: &Entry| grants.get(entry.grant).is_some_and(|grant| grants.covers_tool(grant, server, name));
                self.rest.open.as_ref().is_some_and(|open| may_give(open.iter().copied().filter(speaks)))
            }
        }
    }
}

impl Tools {
    fn of(verdicts: Box<[Verdict]>) -> Tools {
        let mut few = arrayvec::ArrayVec::<Verdict, 4>::new();
        let mut codes = [0; FEW_TOOLS * 2 / 64];
        for (tool, verdict) in verdicts.iter().enumerate() {
            let code = match few.iter().position(|known| known == verdict) {
                Some(code) => code,
                None if few.try_push(*verdict).is_ok() => few.len() - 1,
                None => return Tools::Many(verdicts),
            };
            match codes.get_mut(tool / 32) {
                Some(word) => *word |= (code as u64) << (tool % 32 * 2),
                None => return Tools::Many(verdicts),
            }
        }
        let all = std::array::from_fn(|code| few.get(code).copied().unwrap_or(Verdict::NotGranted));
        Tools::Few { verdicts: all, codes, count: verdicts.len() as u32 }
    }

    /// `None` for a number that no tool has.
    #[inline]
    fn get(&self, tool: u32) -> Option<Verdict> {
        match self {
            Tools::Few { verdicts, codes, count } if tool < *count => {
                let code = codes.get(tool as usize / 32)? >> (tool % 32 * 2) & 3;
                verdicts.get(code as usize).copied()
            }
            Tools::Few { .. } => None,
            Tools::Many(verdicts) => verdicts.get(tool as usize).copied(),
        }
    }
}

/// Whether grants, by rank, give something to somebody's arguments.
fn may_give(entries: impl Iterator<Item = Entry>) -> bool {
    let mut deciding = entries.filter(|entry| entry.rank != Rank::DeniesIf);
    deciding.next().is_some_and(|entry| entry.rank != Rank::Denies)
}

/// The verdict on every tool of a server. `calling` are the grants that speak of calls, by rank.
fn tool_verdicts(calling: &[&(Entry, &Grant, &Cover)], tools: usize, rulings: &mut Rulings) -> Box<[Verdict]> {
    let mut verdicts = vec![Verdict::NotGranted; tools];
    let mut decided = vec![0_u64; tools.div_ceil(64)];
    let certain = |rank: Rank| calling.iter().filter(move |(entry, ..)| entry.rank == rank);
    let mut allowed: Vec<Option<u32>> = Vec::new();
    for (entry, _, cover) in certain(Rank::Denies) {
        cover.each_new(tools, &decided, |tool| verdicts[tool as usize] = Verdict::Denied(entry.grant));
        mark(cover, tools, &mut decided);
    }
    let denied = decided.clone();
    for (entry, _, cover) in certain(Rank::Allows) {
        cover.each_new(tools, &decided, |tool| verdicts[tool as usize] = Verdict::Allowed(entry.grant));
        mark(cover, tools, &mut decided);
    }
    // What is left must be asked call by call; each by its tool, in the order of their ranks.
    let mut asked: Vec<(u32, Entry)> = Vec::new();
    for (entry, _, cover) in calling {
        match entry.rank {
            Rank::Denies | Rank::Allows => {}
            // A grant that gives adds nothing where another gives without asking.
            Rank::AllowsIf | Rank::StepUp { .. } => cover.each_new(tools, &decided, |tool| asked.push((tool, *entry))),
            Rank::DeniesIf => cover.each_new(tools, &denied, |tool| asked.push((tool, *entry))),
        }
    }
    if !asked.is_empty() {
        allowed =
            verdicts.iter().map(|verdict| if let Verdict::Allowed(grant) = verdict { Some(*grant) } else { None }).collect();
    }
    asked.sort_unstable();
    for of_tool in asked.chunk_by(|(a, _), (b, _)| a == b) {
        let tool = of_tool[0].0 as usize;
        let mut entries: Vec<Entry> = of_tool.iter().map(|(_, entry)| *entry).collect();
        entries.extend(allowed[tool].map(|grant| Entry { rank: Rank::Allows, grant }));
        entries.sort_unstable();
        verdicts[tool] = rulings.verdict(entries);
    }
    verdicts.into_boxed_slice()
}

fn mark(cover: &Cover, tools: usize, done: &mut [u64]) {
    let mut new = Vec::new();
    cover.each_new(tools, done, |tool| new.push(tool));
    new.into_iter().for_each(|tool| done[tool as usize / 64] |= 1 << (tool % 64));
}

/// Sets of grants, each once.
#[derive(Default)]
struct Rulings {
    all: Vec<Box<[Entry]>>,
    known: hashbrown::HashMap<Box<[Entry]>, u32>,
}

impl Rulings {
    /// The verdict of some grants, by rank, as far as it is known without arguments.
    fn verdict(&mut self, mut entries: Vec<Entry>) -> Verdict {
        // What stands behind a grant that decides by itself is never asked.
        if let Some(certain) = entries.iter().position(|entry| matches!(entry.rank, Rank::Denies | Rank::Allows)) {
            entries.truncate(certain + 1);
        }
        match entries[..] {
            [] => Verdict::NotGranted,
            [Entry { rank: Rank::Denies, grant }] => Verdict::Denied(grant),
            [Entry { rank: Rank::Allows, grant }] => Verdict::Allowed(grant),
            // Nothing is given, so there is nothing to take.
            _ if entries.iter().all(|entry| entry.rank == Rank::DeniesIf) => Verdict::NotGranted,
            _ => {
                let entries = entries.into_boxed_slice();
                Verdict::Judged(*self.known.entry(entries).or_insert_with_key(|entries| {
                    self.all.push(entries.clone());
                    self.all.len() as u32 - 1
                }))
            }
        }
    }
}

/// Asks grants in the order of their ranks. On a session's own methods a grant that gives is not asked for its
/// conditions, which speak of the calls to come.
fn judge<'p>(
    grants: &'p Grants,
    entries: impl Iterator<Item = Entry>,
    on_session: bool,
    arguments: Option<Nodes<'_, '_>>,
    now_us: u64,
) -> Access<'p> {
    let mut otherwise = Access::NotGranted;
    for Entry { rank, grant } in entries {
        let Some(grant) = grants.get(grant) else { continue };
        let id = &*grant.id;
        let met = match rank {
            Rank::Denies | Rank::Allows => Ok(()),
            Rank::StepUp { .. } if on_session => Ok(()),
            Rank::DeniesIf | Rank::AllowsIf | Rank::StepUp { .. } => grant.conditions.check(arguments, now_us),
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
    otherwise
}

/// Of several reasons why nothing is given, the first is told, but one that could not be judged before one that failed.
fn worse<'p>(so_far: Access<'p>, grant: &'p str, unmet: Unmet<'p>) -> Access<'p> {
    match (so_far, unmet) {
        (Access::ConditionFaulty { .. }, _) | (Access::ConditionFailed { .. }, Unmet::Failed { .. }) => so_far,
        (_, Unmet::Faulty { condition, fault }) => Access::ConditionFaulty { grant, condition, fault },
        (_, Unmet::Failed { condition }) => Access::ConditionFailed { grant, condition },
    }
}
