//! What an operator declares, and what it is compiled to.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use arrayvec::ArrayVec;

use super::key::{Dimension, KeySeed, KeySpec, Parts, RateKey};
use super::pace::{Align, Pace};
use super::state::CHARGES_MAX;
use super::table::SPAN_US_MAX;

/// Most limits of one policy. LIMIT: those of a class are walked for every call, so [`CHARGES_MAX`] bounds each class.
const CLASSES: usize = 3;

/// A limit's place in the compiled policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LimitId(pub u32);

/// What kind of request a limit counts. Each is counted by itself: listing tools never eats the budget of calling them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Calls of tools, and whatever else makes an upstream act.
    #[default]
    ToolCalls = 0,
    /// Listing, initializing, pinging: session upkeep.
    Listing = 1,
    /// Calls that were denied, so that a flood of them costs little.
    Denials = 2,
}

/// What happens when a limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The call is refused.
    #[default]
    Enforce,
    /// The call goes on, and its row says that it would have been refused.
    Observe,
}

/// So many in such a time, written `100/min`, `5/s` or `3000 per 24h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In which time. Units: µs.
    pub period_us: u64,
}

/// A length of time, written `30s`, `5m`, `1h`, `1d` or as a word (`sec`, `min`, `hour`, `day`, `week`). Units: µs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(pub u64);

/// How much a limit allows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Allowance {
    /// An even pace with credit for bursts: `burst` at once, and one more each period / count. In a window that begins
    /// with the burst that is up to `burst` + count calls. For protecting what is behind the gateway.
    Gcra {
        /// The pace.
        rate: Rate,
        /// How many at once after a pause; the rate's count if not given.
        burst: Option<u32>,
    },
    /// At most count in one period, whenever they come. For quotas that someone counts after us.
    Window {
        /// The quota and its period.
        rate: Rate,
        /// Where periods begin.
        #[serde(default)]
        align: Align,
    },
    /// At most so many calls in flight.
    Concurrency {
        /// How many.
        at_most: u32,
    },
    /// At most so much money in one period.
    Budget {
        /// Millionths of a US dollar.
        micro_usd: u64,
        /// In which time.
        per: Period,
        /// Where periods begin.
        #[serde(default = "utc")]
        align: Align,
    },
}

fn utc() -> Align {
    Align::Utc
}

fn one() -> u32 {
    1
}

/// One limit, as declared.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Its name. A limit that keeps its name and kind keeps its cells across a reload.
    pub name: String,
    /// What it counts by.
    pub key: KeySpec,
    /// What it counts.
    #[serde(default)]
    pub class: Class,
    /// How much it allows.
    pub allow: Allowance,
    /// What a call costs that `costs` does not name. 0 exempts it.
    #[serde(default = "one")]
    pub cost: u32,
    /// What calls of these tools cost. Not for budgets, whose costs come from prices.
    #[serde(default)]
    pub costs: BTreeMap<String, u32>,
    /// What happens when it is reached.
    #[serde(default)]
    pub mode: Mode,
}

/// A limit that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("limit `{limit}`: {why}")]
pub struct LimitError {
    /// Which.
    pub limit: String,
    /// Why.
    #[source]
    pub why: LimitFault,
}

/// What is wrong with a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitFault {
    /// Nothing would ever be admitted, or anything.
    #[error("{0} is 0; give at least 1, or remove the limit")]
    Zero(&'static str),
    /// The period, or the time the burst stands for, cannot be kept.
    #[error("{0} is longer than 40 days; choose a shorter one")]
    TooLong(&'static str),
    /// A call could never be admitted.
    #[error("a call of `{tool}` costs {cost}, more than the {most} that fit at once; it could never be admitted")]
    NeverFits {
        /// Which tool; `*` is any that is not named.
        tool: String,
        /// What it costs.
        cost: u32,
        /// What would fit.
        most: u64,
    },
    /// A name that is no tool's.
    #[error("there is no tool `{0}`; `costs` names tools as `server/tool`")]
    ToolUnknown(String),
    /// Two limits of one name.
    #[error("another limit has the same name; cells are found by it, so give it another")]
    Twice,
    /// More than one call can be charged under.
    #[error("is limit {0} of its class, and a call is counted under at most 16; merge some", CHARGES_MAX + 1)]
    TooMany,
    /// `cost` or `costs` beside a budget.
    #[error("a budget is charged with what calls cost in money; remove `cost` and `costs`")]
    BudgetCost,
}

/// One limit of one call: which cell, at what pace, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// The cell.
    pub key: RateKey,
    /// Its pace.
    pub pace: Pace,
    /// The limit, to be named when it refuses.
    pub limit: LimitId,
    /// How much of it.
    pub cost: u32,
    /// What happens when it does not fit.
    pub mode: Mode,
}

/// Everything one call is charged with.
pub type Charges = ArrayVec<Charge, CHARGES_MAX>;

#[derive(Debug, Clone)]
struct Compiled {
    id: LimitId,
    salt: u64,
    spec: KeySpec,
    pace: Pace,
    cost: u32,
    /// By the tool's part, sorted.
    costs: Box<[(u64, u32)]>,
    mode: Mode,
}

/// All limits of a policy.
#[derive(Debug, Clone)]
pub struct Limits {
    seed: KeySeed,
    classes: [Box<[Compiled]>; CLASSES],
}

impl Limits {
    /// What a call is charged with: one charge for each limit of its class, in the order of their declaration.
    ///
    /// Cost: 5 ns a limit; no allocation.
    #[inline]
    pub fn charges(&self, class: Class, parts: &Parts, into: &mut Charges) {
        into.clear();
        for limit in &self.classes[class as usize] {
            let cost = limit.cost_of(parts);
            if cost == 0 && !matches!(limit.pace, Pace::Budget { .. }) {
                continue;
            }
            let key = self.seed.key(limit.salt, limit.spec, parts);
            // `compile` lets no class grow beyond what fits.
            let _ = into.try_push(Charge { key, pace: limit.pace, limit: limit.id, cost, mode: limit.mode });
        }
    }
}

impl Compiled {
    #[inline]
    fn cost_of(&self, parts: &Parts) -> u32 {
        if self.costs.is_empty() {
            return self.cost;
        }
        let found = self.costs.binary_search_by_key(&parts.get(Dimension::Tool), |(tool, _)| *tool);
        found.ok().and_then(|i| self.costs.get(i)).map_or(self.cost, |(_, cost)| *cost)
    }
}

/// Compiles all limits of a policy. `knows_tool` answers whether a name in `costs` is a tool's.
///
/// # Errors
/// [`LimitError`] names the first limit that does not hold, and what to do about it.
pub fn compile(limits: &[Limit], seed: KeySeed, knows_tool: impl Fn(&str) -> bool) -> Result<Limits, LimitError> {
    let mut classes: [Vec<Compiled>; CLASSES] = [const { Vec::new() }; CLASSES];
    for (i, limit) in limits.iter().enumerate() {
        let twice = limits[..i].iter().any(|other| other.name == limit.name);
        let compiled = match twice {
            true => Err(LimitFault::Twice),
            false => compile_one(limit, LimitId(i as u32), seed, &knows_tool),
        };
        let compiled = compiled.map_err(|why| LimitError { limit: limit.name.clone(), why })?;
        let class = &mut classes[limit.class as usize];
        if class.len() == CHARGES_MAX {
            return Err(LimitError { limit: limit.name.clone(), why: LimitFault::TooMany });
        }
        class.push(compiled);
    }
    Ok(Limits { seed, classes: classes.map(Vec::into_boxed_slice) })
}

fn compile_one(
    limit: &Limit,
    id: LimitId,
    seed: KeySeed,
    knows_tool: &impl Fn(&str) -> bool,
) -> Result<Compiled, LimitFault> {
    let (pace, kind, most) = match &limit.allow {
        Allowance::Gcra { rate, burst } => {
            let burst = burst.unwrap_or(rate.count);
            (gcra(*rate, burst)?, "gcra", u64::from(burst))
        }
        Allowance::Window { rate, align } => {
            let (quota, period_us) = (u64::from(nonzero("count", rate.count)?), checked_period(rate.period_us)?);
            (Pace::Window { period_us, quota, align: *align }, "window", quota)
        }
        Allowance::Concurrency { at_most } => {
            let at_most = u64::from(nonzero("at_most", *at_most)?);
            (Pace::Concurrency { at_most }, "concurrency", at_most)
        }
        Allowance::Budget { micro_usd, per, align } => {
            if limit.cost != 1 || !limit.costs.is_empty() {
                return Err(LimitFault::BudgetCost);
            }
            let micro_usd = if *micro_usd == 0 { return Err(LimitFault::Zero("micro_usd")) } else { *micro_usd };
            (Pace::Budget { period_us: checked_period(per.0)?, micro_usd, align: *align }, "budget", u64::MAX)
        }
    };
    let mut costs = Vec::with_capacity(limit.costs.len());
    for (tool, cost) in limit.costs.iter().map(|(tool, cost)| (tool.as_str(), *cost)).chain([("*", limit.cost)]) {
        if u64::from(cost) > most {
            return Err(LimitFault::NeverFits { tool: tool.to_owned(), cost, most });
        }
        if tool == "*" {
            continue;
        }
        if !knows_tool(tool) {
            return Err(LimitFault::ToolUnknown(tool.to_owned()));
        }
        costs.push((seed.part(Dimension::Tool, tool.as_bytes()), cost));
    }
    costs.sort_unstable();
    // Name and kind, so that a limit which becomes another kind does not read cells of the old one.
    let salt = seed.part(Dimension::Principal, format!("limit {kind} {}", limit.name).as_bytes());
    let cost = if matches!(pace, Pace::Budget { .. }) { 0 } else { limit.cost };
    Ok(Compiled { id, salt, spec: limit.key, pace, cost, costs: costs.into_boxed_slice(), mode: limit.mode })
}

fn gcra(rate: Rate, burst: u32) -> Result<Pace, LimitFault> {
    let (count, period_us) = (u64::from(nonzero("count", rate.count)?), checked_period(rate.period_us)?);
    let burst = u128::from(nonzero("burst", burst)?);
    let depth = burst * u128::from(period_us);
    let depth_us = u64::try_from(depth / u128::from(count)).unwrap_or(u64::MAX);
    if depth_us > SPAN_US_MAX {
        return Err(LimitFault::TooLong("burst × period / count"));
    }
    Ok(Pace::Gcra {
        step_us: period_us / count,
        step_rem: (period_us % count) as u32,
        count: rate.count,
        depth_us,
        depth_rem: (depth % u128::from(count)) as u32,
    })
}

fn nonzero(what: &'static str, value: u32) -> Result<u32, LimitFault> {
    if value == 0 { Err(LimitFault::Zero(what)) } else { Ok(value) }
}

fn checked_period(period_us: u64) -> Result<u64, LimitFault> {
    match period_us {
        0 => Err(LimitFault::Zero("period")),
        1..=SPAN_US_MAX => Ok(period_us),
        _ => Err(LimitFault::TooLong("period")),
    }
}

/// A text is not a rate or a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateTextError {
    /// Not `count/period`.
    #[error("`{0}` is not a rate; expected `100/min`, `5/s` or `3000 per 24h`")]
    Rate(String),
    /// Not a length of time.
    #[error("`{0}` is not a length of time; expected `30s`, `5m`, `24h`, `7d`, `500ms`, or `sec`, `min`, `hour`, `day`, `week`")]
    Period(String),
}

impl FromStr for Rate {
    type Err = RateTextError;

    fn from_str(text: &str) -> Result<Rate, RateTextError> {
        let refused = || RateTextError::Rate(text.to_owned());
        let (count, period) = text.split_once('/').or_else(|| text.split_once(" per ")).ok_or_else(refused)?;
        let count = count.trim().parse().map_err(|_| refused())?;
        Ok(Rate { count, period_us: period.parse::<Period>()?.0 })
    }
}

impl FromStr for Period {
    type Err = RateTextError;

    fn from_str(text: &str) -> Result<Period, RateTextError> {
        let refused = || RateTextError::Period(text.to_owned());
        let text_trimmed = text.trim();
        let digits = text_trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let (count, unit) = text_trimmed.split_at(digits);
        let count: u64 = if count.is_empty() { 1 } else { count.parse().map_err(|_| refused())? };
        let unit_us = match unit.trim() {
            "us" | "µs" => 1,
            "ms" => 1_000,
            "s" | "sec" | "second" | "seconds" => 1_000_000,
            "m" | "min" | "minute" | "minutes" => 60_000_000,
            "h" | "hour" | "hours" => 3_600_000_000,
            "d" | "day" | "days" => 86_400_000_000,
            "w" | "week" | "weeks" => 604_800_000_000,
            _ => return Err(refused()),
        };
        count.checked_mul(unit_us).map(Period).ok_or_else(refused)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(604_800_000_000, "w"), (86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s"), (1_000, "ms")];
        match units.into_iter().find(|(unit_us, _)| self.0 >= *unit_us && self.0.is_multiple_of(*unit_us)) {
            Some((unit_us, unit)) => write!(f, "{}{unit}", self.0 / unit_us),
            None => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, Period(self.period_us))
    }
}

macro_rules! as_text {
    ($($name:ident)*) => {$(
        impl TryFrom<String> for $name {
            type Error = RateTextError;

            fn try_from(text: String) -> Result<$name, RateTextError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    )*};
}

as_text! { Rate Period }

#[cfg(test)]
mod tests;
