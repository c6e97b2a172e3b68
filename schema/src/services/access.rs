//! `services/access/*.yaml`: roles and grants. What no grant allows is denied.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use wire::decision::Tier;
use wire::ids::{AgentId, DepartmentId, RoleName, RuleId, ScopeName, TenantId, UserId};

use super::condition::When;
use super::decode::At;
use super::governance::LimitMode;
use super::node::Node;
use super::words::Glob;

/// Roles and grants. Several files add up.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Access")]
pub struct AccessFile {
    /// Roles by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Role>")]
    pub roles: BTreeMap<At<RoleName>, Role>,
    /// Grants. A denying grant wins over every allowing one.
    #[serde(default)]
    pub grants: Vec<At<Grant>>,
}

/// A named bundle of scopes.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Who is meant, in a sentence.
    #[serde(default)]
    pub description: Option<String>,
    /// What it stands for.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub scopes: Vec<ScopeName>,
}

/// Who may (not) do what.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Its name in audit rows and explanations; unique.
    #[schemars(with = "String")]
    pub id: At<RuleId>,
    /// Whether it gives or takes.
    pub effect: Effect,
    /// To whom. Left out: everybody who is authenticated.
    #[serde(default)]
    pub subjects: Subjects,
    /// Globs over server names; `["*"]` for all.
    #[schemars(length(min = 1))]
    pub servers: At<Vec<At<Glob>>>,
    /// Globs over tool names, or over `server__tool`; a grant with tools speaks of `tools/call` on them. Left out: every
    /// tool.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub tools: Option<At<Vec<At<Glob>>>>,
    /// Globs over MCP methods. Left out: every method.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub methods: Option<At<Vec<At<Glob>>>>,
    /// Scopes that the token or one of its roles must carry. Left out: none.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub scopes: Vec<ScopeName>,
    /// `observe` with `effect: deny`: takes nothing, and rows name the grant where it would have. Default: `enforce`.
    #[serde(default)]
    pub mode: Option<At<LimitMode>>,
    /// Conditions on the arguments of a call and on the time of day; all of them must hold.
    #[serde(default)]
    #[schemars(with = "Option<When>")]
    pub when: Option<Node>,
}

/// Whether a grant gives or takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Gives.
    Allow,
    /// Takes, whatever others give.
    Deny,
}

/// A set of principals. Every list that is given must contain the principal's value.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subjects {
    /// Kinds of callers.
    #[serde(default)]
    #[schemars(with = "Option<Vec<TierWord>>", length(min = 1))]
    pub tiers: Option<At<Vec<Tier>>>,
    /// User ids.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>", length(min = 1))]
    pub users: Option<At<Vec<UserId>>>,
    /// At least one of these roles.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>", length(min = 1))]
    pub roles: Option<At<Vec<At<RoleName>>>>,
    /// Departments.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>", length(min = 1))]
    pub departments: Option<At<Vec<DepartmentId>>>,
    /// Tenants.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>", length(min = 1))]
    pub tenants: Option<At<Vec<TenantId>>>,
    /// Agents.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>", length(min = 1))]
    pub agents: Option<At<Vec<AgentId>>>,
}

/// The words of [`Tier`], for the JSON Schema.
struct TierWord;

impl JsonSchema for TierWord {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Tier".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words: Vec<&str> = Tier::ALL.iter().map(|tier| tier.as_str()).collect();
        schemars::json_schema!({ "enum": words })
    }
}
