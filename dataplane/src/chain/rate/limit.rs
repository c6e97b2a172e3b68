//! The limits of a policy, compiled: which apply to a call, and what it is charged with under each.
//!
//! Who a limit is for and what it costs is worked out beforehand, once per token ([`Limits::for_subject`]) and once per
//! tool and server when the policy is loaded ([`Limits::for_call`], [`Limits::for_listing`]); a call only walks the
//! overlap of the two.

use arrayvec::ArrayVec;
use wire::decision::Reason;
use wire::ids::LimitIx;
use wire::limits::RATE_CELLS_MAX;
use wire::snapshot::{self, Algorithm, CallClass, Subject};

use super::key::{Dimension, KeySeed, KeySpec, LimitKey, Parts, RateKey};
use super::pace::{Align, Pace, PaceError};
use super::state::{RETRY_US, Refused};
use crate::chain::glob::{Glob, GlobError};
use crate::chain::tool::ToolGlob;

/// Most limits that one call is charged under. LIMIT: seven dimensions, each with a rate and a budget or a concurrency
/// limit, and two to spare; more than that is a policy nobody can reason about.
pub const CHARGES_MAX: usize = 16;

/// Most limits of one policy. LIMIT: a token's set of them is a few words.
pub const LIMITS_MAX: usize = 1024;

/// The cost of what has no price under a budget: such a call is refused.
const UNPRICED: u32 = u32::MAX;

const SET_WORDS: usize = LIMITS_MAX / 64;

const _: () = assert!(CHARGES_MAX <= RATE_CELLS_MAX, "a frame holds the cells of every charge");
const _: () = assert!(LIMITS_MAX.is_multiple_of(64) && LIMITS_MAX <= u16::MAX as usize);

/// What happens when a limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The call is refused.
    Enforce,
    /// The call goes on, and its row says that it would have been refused.
    Observe,
}

/// One limit of one call: which cell, at what pace, and how much. The same for every call of one tool by one principal,
/// so it may be kept beside what else is known of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// The cell.
    pub key: RateKey,
    /// Its pace.
    pub pace: Pace,
    /// The limit, to be named when it refuses.
    pub limit: LimitIx,
    /// How much of it.
    pub cost: u32,
    /// What happens when it does not fit.
    pub mode: Mode,
}

/// Everything one call is charged with.
pub type Charges = ArrayVec<Charge, CHARGES_MAX>;

/// One limit, compiled.
#[derive(Debug, Clone)]
pub struct Limit {
    key: LimitKey,
    pace: Pace,
    mode: Mode,
    class: CallClass,
    subject: Subject,
    servers: Box<[Glob]>,
    tools: Box<[ToolGlob]>,
    costs: Box<[(ToolGlob, u32)]>,
}

/// A limit that cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[error("limit `{limit}` cannot be used")]
pub struct LimitError {
    /// Which.
    pub limit: String,
    /// Why.
    #[source]
    pub why: LimitFault,
}

/// What is wrong with a limit.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitFault {
    /// How much it allows.
    #[error(transparent)]
    Pace(#[from] PaceError),
    /// One of its globs.
    #[error(transparent)]
    Glob(#[from] GlobError),
    /// Bits that are no dimension's.
    #[error("its key has the bits {0:#x}, which no part has; this version is older than the policy")]
    Key(u16),
    /// A call could never be admitted.
    #[error("a call of `{tool}` costs {cost}, more than the {most} that fit at once; it could never be admitted")]
    NeverFits {
        /// Which tools.
        tool: String,
        /// What they cost.
        cost: u32,
        /// What would fit.
        most: u64,
    },
    /// Costs of a limit that counts what has none.
    #[error("it has no costs per tool: only calls do; remove `costs`")]
    Costs,
    /// Two limits of one name.
    #[error("another limit has the same name, and cells are found by it; give it another")]
    Twice,
    /// More than [`LIMITS_MAX`].
    #[error("a policy has at most {LIMITS_MAX} limits; merge some")]
    TooMany,
}

/// The limits that are for one principal: one bit for each limit of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSet([u64; SET_WORDS]);

impl LimitSet {
    fn contains(&self, ix: u16) -> bool {
        self.0.get(usize::from(ix) / 64).is_some_and(|word| word >> (ix % 64) & 1 == 1)
    }
}

/// The limits that count one kind of call, and what it costs under each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Costs(Box<[(u16, u32)]>);

impl Costs {
    /// Whether no limit counts it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// All limits of a policy.
#[derive(Debug, Clone)]
pub struct Limits {
    limits: Box<[Limit]>,
}

impl Limits {
    /// Compiles the limits of a snapshot. `is_server` knows the names that may stand before `__` in the name of a tool.
    ///
    /// # Errors
    /// [`LimitError`] names the first limit that does not hold, and what to do about it. Keep the policy in force.
    pub fn compile(limits: &[snapshot::Limit], seed: KeySeed, is_server: impl Fn(&str) -> bool) -> Result<Limits, LimitError> {
        let mut compiled = Vec::with_capacity(limits.len());
        for (i, limit) in limits.iter().enumerate() {
            let one = if i == LIMITS_MAX {
                Err(LimitFault::TooMany)
            } else if limits[..i].iter().any(|other| other.id == limit.id) {
                Err(LimitFault::Twice)
            } else {
                Limit::compile(limit, &seed, &is_server)
            };
            compiled.push(one.map_err(|why| LimitError { limit: limit.id.clone(), why })?);
        }
        Ok(Limits { limits: compiled.into_boxed_slice() })
    }

    /// The limits that are for one principal, by whatever `matches` makes of a subject. Once per token.
    pub fn for_subject(&self, matches: impl Fn(&Subject) -> bool) -> LimitSet {
        let mut set = LimitSet([0; SET_WORDS]);
        for (i, _) in self.limits.iter().enumerate().filter(|(_, limit)| matches(&limit.subject)) {
            if let Some(word) = set.0.get_mut(i / 64) {
                *word |= 1 << (i % 64);
            }
        }
        set
    }

    /// The limits that count calls of one tool. Once per tool, when the policy is loaded.
    pub fn for_call(&self, server: &str, tool: &str) -> Costs {
        self.select(CallClass::Calls, |limit| (limit.covers(server, Some(tool))).then(|| limit.cost_of(server, tool)))
    }

    /// The limits that count everything else a server is asked. Once per server, when the policy is loaded.
    pub fn for_listing(&self, server: &str) -> Costs {
        self.select(CallClass::Listings, |limit| limit.covers(server, None).then_some(1))
    }

    /// The limits that count denials, whatever was denied.
    pub fn for_denial(&self) -> Costs {
        self.select(CallClass::Denials, |_| Some(1))
    }

    fn select(&self, class: CallClass, cost: impl Fn(&Limit) -> Option<u32>) -> Costs {
        let of_class = self.limits.iter().enumerate().filter(|(_, limit)| limit.class == class);
        let costs = of_class.filter_map(|(i, limit)| Some((u16::try_from(i).ok()?, cost(limit)?)));
        Costs(costs.filter(|(_, cost)| *cost > 0).collect())
    }

    /// What a call of a tool that was not discovered is charged with: as [`Limits::charges`], but which limits count it is
    /// worked out now.
    ///
    /// Cost: the globs of every limit that is for the principal; no allocation.
    ///
    /// # Errors
    /// As [`Limits::charges`].
    pub fn charges_undiscovered(
        &self,
        set: &LimitSet,
        server: &str,
        tool: &str,
        parts: &Parts,
        into: &mut Charges,
    ) -> Result<(), Refused> {
        into.clear();
        let calls = |limit: &Limit| limit.class == CallClass::Calls && limit.covers(server, Some(tool));
        for (ix, limit) in (0..).zip(&self.limits).filter(|(ix, limit)| set.contains(*ix) && calls(limit)) {
            match limit.cost_of(server, tool) {
                0 => {}
                cost => limit.charge(ix, cost, parts, into)?,
            }
        }
        Ok(())
    }

    /// What a call is charged with: one charge for each limit that is for the principal and counts the call, in the
    /// order of the policy. `into` is cleared first.
    ///
    /// Cost: some 8 ns a charge; no allocation.
    ///
    /// # Errors
    /// [`Refused`] when more than [`CHARGES_MAX`] limits apply, or a budget does and the call has no price: it cannot be
    /// counted, so it is denied.
    #[inline]
    pub fn charges(&self, set: &LimitSet, costs: &Costs, parts: &Parts, into: &mut Charges) -> Result<(), Refused> {
        into.clear();
        for (ix, cost) in costs.0.iter().filter(|(ix, _)| set.contains(*ix)) {
            if let Some(limit) = self.limits.get(usize::from(*ix)) {
                limit.charge(*ix, *cost, parts, into)?;
            }
        }
        Ok(())
    }
}

impl Limit {
    fn compile(limit: &snapshot::Limit, seed: &KeySeed, is_server: &impl Fn(&str) -> bool) -> Result<Limit, LimitFault> {
        // Cells are found by name and kind, so that a limit which becomes another kind does not read those of the old one. A
        // window of another length is another kind: its end would come before one that the journal still holds, and of two
        // states of one cell the later must be the greater.
        let of_period = |kind: &str| format!("{kind} {}", limit.period_us);
        let (pace, kind, most) = match limit.algorithm {
            Algorithm::Gcra => {
                let burst = if limit.burst == 0 { limit.count } else { limit.burst };
                (Pace::gcra(limit.count, limit.period_us, burst)?, "gcra".to_owned(), burst)
            }
            Algorithm::Window => {
                (Pace::window(limit.count, limit.period_us, Align::FirstCall)?, of_period("window"), limit.count)
            }
            Algorithm::Concurrency => (Pace::concurrency(limit.count)?, "concurrency".to_owned(), limit.count),
            Algorithm::Budget => (Pace::budget(limit.count, limit.period_us, Align::Utc)?, of_period("budget"), limit.count),
        };
        let has_costs = limit.class == CallClass::Calls;
        if !has_costs && !limit.costs.is_empty() {
            return Err(LimitFault::Costs);
        }
        if let Some((tool, cost)) = limit.costs.iter().find(|(_, cost)| u64::from(*cost) > most) {
            return Err(LimitFault::NeverFits { tool: tool.clone(), cost: *cost, most });
        }
        let costs = limit.costs.iter().map(|(tool, cost)| Ok((ToolGlob::compile(tool, is_server)?, *cost)));
        Ok(Limit {
            key: seed.limit(seed.salt(&kind, &limit.id), KeySpec::from_bits(limit.key).ok_or(LimitFault::Key(limit.key))?),
            pace,
            mode: if limit.observe { Mode::Observe } else { Mode::Enforce },
            class: limit.class,
            subject: limit.subject.clone(),
            servers: globs(&limit.servers)?,
            tools: limit.tools.iter().map(|text| ToolGlob::compile(text, is_server)).collect::<Result<_, _>>()?,
            costs: costs.collect::<Result<_, GlobError>>()?,
        })
    }

    #[inline]
    fn charge(&self, ix: u16, cost: u32, parts: &Parts, into: &mut Charges) -> Result<(), Refused> {
        let limit = LimitIx(u32::from(ix));
        let mut charge = Charge { key: self.key.of(parts), pace: self.pace, limit, cost, mode: self.mode };
        if cost == UNPRICED {
            let (Mode::Observe, Pace::Budget { micro_usd, .. }) = (self.mode, &mut charge.pace) else {
                return Err(Refused { limit, reason: Reason::PriceUnknown, retry_after_us: 0 });
            };
            // Fits into nothing, so that the row says so.
            *micro_usd = 0;
        }
        into.try_push(charge).map_err(|_| Refused { limit, reason: Reason::RateStateFull, retry_after_us: RETRY_US })
    }

    fn covers(&self, server: &str, tool: Option<&str>) -> bool {
        let any = |globs: &[Glob], text: &str| globs.is_empty() || globs.iter().any(|glob| glob.matches(text));
        any(&self.servers, server)
            && tool.is_none_or(|tool| self.tools.is_empty() || self.tools.iter().any(|glob| glob.matches(server, tool)))
    }

    /// What a call costs: one unit where nothing else is said, but nobody guesses at money.
    fn cost_of(&self, server: &str, tool: &str) -> u32 {
        let otherwise = if matches!(self.pace, Pace::Budget { .. }) { UNPRICED } else { 1 };
        self.costs.iter().find(|(glob, _)| glob.matches(server, tool)).map_or(otherwise, |(_, cost)| *cost)
    }
}

fn globs(texts: &[String]) -> Result<Box<[Glob]>, GlobError> {
    texts.iter().map(|text| Glob::compile(text)).collect()
}

impl KeySeed {
    /// What tells the keys of one limit from those of another.
    fn salt(&self, kind: &str, name: &str) -> u64 {
        self.part(Dimension::Principal, format!("limit {kind} {name}").as_bytes())
    }
}

#[cfg(test)]
mod tests;
