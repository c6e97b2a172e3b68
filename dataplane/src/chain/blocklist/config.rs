//! What an operator may write about the blocklist, and what is wrong with it when it does not compile.
//!
//! Plain owned data, read off the shards; [`super::Blocklist::compile`] turns it into the immutable form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The blocklist part of a policy: packs, operator rules, exceptions and bans.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlocklistConfig {
    /// Builtin packs by name. A pack that is not named runs in its own default mode.
    pub packs: BTreeMap<String, PackMode>,
    /// Modes of single builtin rules (`git.hard-reset: off`), stronger than the mode of their pack.
    pub overrides: BTreeMap<String, PackMode>,
    /// The operator's own rules.
    pub rules: Vec<OperatorRule>,
    /// Places where builtin or operator rules stay silent.
    pub exceptions: Vec<Exception>,
    /// Who may not call anything.
    pub bans: BanConfig,
}

/// How a whole pack, or one builtin rule, is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackMode {
    /// Not run.
    Off,
    /// Hits are recorded and let through.
    Observe,
    /// Hits wait for a person; hits that would only be recorded stay so.
    Ask,
    /// Each rule in its own mode (pack), or denied (single rule).
    Deny,
}

/// What a hit does to the call. Ordered: a stronger mode wins over a weaker one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Recorded, let through.
    Observe,
    /// Held for a person's decision.
    Ask,
    /// Refused.
    Deny,
}

/// How bad it would have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a line in a report.
    Low,
    /// Needs a look.
    Medium,
    /// Damage that takes work to undo.
    High,
    /// Damage that cannot be undone, or control lost.
    Critical,
}

impl Severity {
    /// The word in rows and replies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// One rule an operator wrote. Every condition that is given must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorRule {
    /// Unique among operator and builtin rules.
    pub id: String,
    /// What the caller and the auditor read.
    pub reason: String,
    /// How bad a hit is.
    #[serde(default = "default_severity")]
    pub severity: Severity,
    /// What a hit does.
    #[serde(default = "default_mode")]
    pub mode: Mode,
    /// Entry of the OWASP Top 10 for agentic applications, `ASI01` to `ASI10`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owasp: Option<String>,
    /// Globs over server names; empty means any.
    #[serde(default)]
    pub servers: Vec<String>,
    /// Globs over tool names; empty means any.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Globs over JSON-RPC methods; empty means any.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Condition on an argument; absent means the call alone is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argument: Option<ArgumentRule>,
}

/// Which argument a rule looks at, and what it must be like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ArgumentRule {
    /// Globs over the JSON pointer (`/edits/*/path`, `/env/**`); empty means any.
    pub pointers: Vec<String>,
    /// Globs over the nearest object key; empty means any.
    pub keys: Vec<String>,
    /// What the string must match; absent means that its presence is enough.
    pub matcher: Option<Matcher>,
}

/// How a string is matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Matcher {
    /// A regular expression found anywhere in the string (linear time, no look-around).
    Regex(String),
    /// A part of the string, byte for byte.
    Contains(String),
    /// A glob over the whole string.
    Glob(String),
    /// A builtin pack (`shell`) or rule (`shell.recursive-delete`), whatever the key is called.
    Detector(String),
}

/// A place where rules stay silent. Every list that is given must match.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exception {
    /// Globs over rule ids; must not be empty.
    pub rules: Vec<String>,
    /// Globs over server names; empty means any.
    pub servers: Vec<String>,
    /// Globs over tool names; empty means any.
    pub tools: Vec<String>,
    /// Globs over the JSON pointer of the argument; empty means any.
    pub pointers: Vec<String>,
}

/// Users and networks that are refused outright.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BanConfig {
    /// User ids as the identity layer names them.
    pub users: Vec<String>,
    /// Addresses (`203.0.113.9`) or networks (`203.0.113.0/24`, `2001:db8::/32`).
    pub cidrs: Vec<String>,
}

fn default_severity() -> Severity {
    Severity::High
}

fn default_mode() -> Mode {
    Mode::Deny
}

/// Why a blocklist configuration cannot run. Nothing of it is in force.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BlocklistConfigError {
    /// A pack name that does not exist.
    #[error("unknown blocklist pack `{pack}`, expected one of: {expected}")]
    UnknownPack {
        /// As written.
        pack: String,
        /// The names there are.
        expected: String,
    },
    /// A builtin rule id that does not exist.
    #[error("`overrides` names the unknown builtin rule `{rule}`, expected an id such as `shell.recursive-delete`")]
    UnknownBuiltin {
        /// As written.
        rule: String,
    },
    /// Two rules of one name.
    #[error("blocklist rule `{rule}` is defined twice, give each rule its own id")]
    Duplicate {
        /// The id.
        rule: String,
    },
    /// A rule without an id, a reason, or a condition; or too many of something.
    #[error("blocklist rule `{rule}`: {expected}")]
    Rule {
        /// The id, or its position when it has none.
        rule: String,
        /// What was expected.
        expected: String,
    },
    /// A glob that cannot be read.
    #[error("blocklist rule `{rule}`: `{field}` has the glob `{glob}`, {expected}")]
    Glob {
        /// The rule.
        rule: String,
        /// The list it stands in.
        field: &'static str,
        /// As written.
        glob: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A regular expression that cannot be read or grows too large.
    #[error("blocklist rule `{rule}`: regex `{pattern}` cannot be used, expected a linear-time regular expression: {reason}")]
    Regex {
        /// The rule.
        rule: String,
        /// As written.
        pattern: String,
        /// What the engine says.
        reason: String,
    },
    /// A detector that does not exist.
    #[error("blocklist rule `{rule}`: unknown detector `{detector}`, expected a pack or builtin rule: {expected}")]
    Detector {
        /// The rule.
        rule: String,
        /// As written.
        detector: String,
        /// The packs there are.
        expected: String,
    },
    /// An OWASP entry that does not exist.
    #[error("blocklist rule `{rule}`: unknown owasp entry `{owasp}`, expected `ASI01` to `ASI10`")]
    Owasp {
        /// The rule.
        rule: String,
        /// As written.
        owasp: String,
    },
    /// A network that cannot be read.
    #[error("`bans.cidrs` has `{cidr}`, expected an address or a network such as `203.0.113.0/24`")]
    Cidr {
        /// As written.
        cidr: String,
    },
    /// An empty user id.
    #[error("`bans.users` has an empty entry, expected a user id")]
    EmptyUser,
}
