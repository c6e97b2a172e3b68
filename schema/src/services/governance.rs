//! `services/governance/*.yaml`: secrets, block list, limits and what the audit trail shows.

use schemars::JsonSchema;
use serde::Deserialize;
use wire::decision::EventKind;
use wire::ids::RuleId;

use super::access::Subjects;
use super::decode::At;
use super::node::Node;
use super::results::Results;
use super::words::{Days, Glob, Period, Rate, Size, Usd};

/// Secrets, block list, limits and audit. Limits of several files add up; the other blocks stand in one file.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Governance")]
pub struct GovernanceFile {
    /// Secret detection. Read by the gateway's secret layer.
    #[serde(default)]
    #[schemars(with = "Option<std::collections::BTreeMap<String, serde_json::Value>>")]
    pub secrets: Option<Node>,
    /// The block list. Read by the gateway's block list layer.
    #[serde(default)]
    #[schemars(with = "Option<std::collections::BTreeMap<String, serde_json::Value>>")]
    pub blocklist: Option<Node>,
    /// Obligations on what tools return.
    #[serde(default)]
    pub results: Option<At<Results>>,
    /// Rate limits.
    #[serde(default)]
    pub limits: Vec<At<Limit>>,
    /// What calls cost, for limits of algorithm `budget`; the first that matches counts. Prices of several files add up.
    #[serde(default)]
    pub prices: Vec<At<Price>>,
    /// Whether the policy as a whole refuses, or only reports: with `observe` whoever has a good credential may call
    /// everything that there is, and rows say which rule would have refused. Default: `enforce`.
    #[serde(default)]
    pub mode: Option<At<LimitMode>>,
    /// What audit rows show.
    #[serde(default)]
    pub audit: Option<At<Audit>>,
    /// Calls that a person must approve.
    #[serde(default)]
    pub approvals: Option<At<Approvals>>,
}

/// Calls that a person must approve: those that a rule of mode `ask` matches.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    /// How long an MCP call waits for `sp admin approvals approve` before it is denied. Default: 2m.
    #[serde(default)]
    pub wait: Option<At<Period>>,
    /// People may approve their own calls. Default: false.
    #[serde(default)]
    pub self_approval: bool,
}

/// What audit rows show.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// How much of the arguments a row may show, secrets masked; 0B shows none. Default: 0B.
    #[serde(default)]
    pub preview_bytes: Option<At<Size>>,
    /// How long rows stay, in whole days (UTC). Left out: for ever.
    #[serde(default)]
    pub retention: Option<Retention>,
}

/// How long rows of each kind stay. What a kind does not say, `default` says; without it, rows stay for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Every kind that is not named.
    #[serde(default)]
    pub default: Option<Days>,
    /// Decisions and outcomes.
    #[serde(default)]
    pub calls: Option<Days>,
    /// Log-ins.
    #[serde(default)]
    pub login: Option<Days>,
    /// Operators' commands.
    #[serde(default)]
    pub command: Option<Days>,
    /// Scheduled jobs.
    #[serde(default)]
    pub job: Option<Days>,
    /// Changes of policy.
    #[serde(default)]
    pub policy_change: Option<Days>,
    /// Revocations.
    #[serde(default)]
    pub revocation: Option<Days>,
    /// Starts and stops.
    #[serde(default)]
    pub process: Option<Days>,
    /// Approvals.
    #[serde(default)]
    pub approval: Option<Days>,
    /// What a policy on trial would have decided.
    #[serde(default)]
    pub shadow: Option<Days>,
    /// Calls that were refused unread.
    #[serde(default)]
    pub throttle: Option<Days>,
}

impl Retention {
    /// How many days rows of a kind stay; `None` is for ever.
    pub fn of(&self, kind: EventKind) -> Option<u32> {
        let named = match kind {
            EventKind::Decision | EventKind::Outcome => self.calls,
            EventKind::Login => self.login,
            EventKind::Command => self.command,
            EventKind::Job => self.job,
            EventKind::PolicyChange => self.policy_change,
            EventKind::Revocation => self.revocation,
            EventKind::Process => self.process,
            EventKind::Approval => self.approval,
            EventKind::Shadow => self.shadow,
            EventKind::Throttle => self.throttle,
        };
        named.or(self.default).map(|days| days.0)
    }
}

/// A rate limit: a budget for each combination of what `per` names.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Its name in audit rows and replies; unique.
    #[schemars(with = "String")]
    pub id: At<RuleId>,
    /// What has a budget of its own: each `principal`, each `principal` and `tool` …; `[global]` for one budget of all.
    #[schemars(length(min = 1))]
    pub per: At<Vec<Per>>,
    /// How many in how long: `100/min`. The same as `count` and `period`.
    #[serde(default)]
    pub rate: Option<At<Rate>>,
    /// How many.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub count: Option<At<u64>>,
    /// In how long: `1m`.
    #[serde(default)]
    pub period: Option<At<Period>>,
    /// `budget`: how much money in each period.
    #[serde(default)]
    #[schemars(with = "Option<Usd>")]
    pub amount: Option<At<Usd>>,
    /// How calls are admitted. Default: `window`.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// `gcra`: how many at once. Default: the count.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub burst: Option<At<u64>>,
    /// Which calls are counted. Default: `calls`.
    #[serde(default)]
    pub class: Class,
    /// For whom. Left out: for everybody.
    #[serde(default)]
    pub subjects: Subjects,
    /// Globs over server names. Left out: all.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub servers: Option<At<Vec<At<Glob>>>>,
    /// Globs over tool names. Left out: all.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub tools: Option<At<Vec<At<Glob>>>>,
    /// What a call costs, by tool; the first that matches counts. Default: 1.
    #[serde(default)]
    pub costs: Vec<Cost>,
    /// Whether it refuses, or only reports. Default: `enforce`.
    #[serde(default)]
    pub mode: LimitMode,
}

/// What a limit counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// One budget for all.
    Global,
    /// The user.
    Principal,
    /// The log-in session.
    Session,
    /// The agent.
    Agent,
    /// The tool.
    Tool,
    /// The server.
    Server,
    /// The department.
    Department,
    /// The tenant.
    Tenant,
}

/// How calls are admitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// Exactly the count in each window, which begins with the first call.
    #[default]
    Window,
    /// A burst, then an even pace.
    Gcra,
    /// At most the count at once.
    Concurrency,
    /// At most the amount of money in each period, which begins at a multiple of its length since 1970 (a day is a UTC
    /// day), by `prices`. A call without a price is refused.
    Budget,
}

/// Which calls a limit counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Tool calls, hooks and decisions.
    #[default]
    Calls,
    /// Everything else: sessions, listings, resources, prompts.
    Listings,
    /// Whatever is refused. Whoever has too much refused is refused unread until the period is over.
    Denials,
}

/// Whether something refuses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LimitMode {
    /// Refuses what is too much.
    #[default]
    Enforce,
    /// Lets it through and says so in the audit trail.
    Observe,
}

/// What one call of some tools costs in money.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Globs over server names. Left out: all.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub servers: Option<At<Vec<At<Glob>>>>,
    /// Globs over tool names. Left out: all.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub tools: Option<At<Vec<At<Glob>>>>,
    /// What a call costs; `$0` for nothing.
    #[schemars(with = "Usd")]
    pub call: At<Usd>,
}

/// What calls of some tools cost.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Glob over tool names.
    pub tool: At<Glob>,
    /// Units of the budget.
    pub units: At<u32>,
}
