//! What an operator may say about secrets: which rules run, what they do, and what they leave alone.
//!
//! *Lives on* the control plane; shards see only what [`super::SecretScanner::compile`] made of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What happens when a rule finds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The call is refused.
    #[default]
    Deny,
    /// The found span is blanked and the call goes on.
    Redact,
    /// Only the audit row says it.
    Observe,
}

/// Settings of one direction: arguments going to a tool, or results coming back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SideConfig {
    /// Whether this direction is scanned at all.
    pub enabled: bool,
    /// What rules do here unless `modes` says otherwise.
    pub mode: Mode,
    /// Whether encoded text is decoded and scanned too.
    pub decode: bool,
}

impl Default for SideConfig {
    fn default() -> Self {
        SideConfig { enabled: true, mode: Mode::Deny, decode: true }
    }
}

/// The whole of the secrets layer's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretsConfig {
    /// Whether the built-in pack runs.
    pub builtin: bool,
    /// Arguments of tool calls.
    pub arguments: SideConfig,
    /// Results of tool calls.
    pub results: SideConfig,
    /// Mode per rule id; `*` matches any part of an id. The longest pattern that matches wins.
    pub modes: BTreeMap<String, RuleMode>,
    /// Rules of the operator's own, and those read from a gitleaks file.
    pub rules: Vec<Rule>,
    /// gitleaks files whose rules run too, as they are: paths beside the file that names them. Whoever reads the
    /// configuration puts their rules into `rules`, each id behind `gitleaks/`.
    pub gitleaks: Vec<String>,
    /// What never counts, whichever rule found it.
    pub allow: Allow,
    /// Where a rule does not count.
    pub exceptions: Vec<Exception>,
}

impl Default for SecretsConfig {
    fn default() -> Self {
        SecretsConfig {
            builtin: true,
            arguments: SideConfig::default(),
            results: SideConfig { mode: Mode::Redact, ..SideConfig::default() },
            modes: BTreeMap::new(),
            rules: Vec::new(),
            gitleaks: Vec::new(),
            allow: Allow::default(),
            exceptions: Vec::new(),
        }
    }
}

/// The mode of a rule: one for both directions, `off`, or one for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RuleMode {
    /// The same in both directions.
    Both(Switch),
    /// A mode for each direction.
    Each {
        /// For arguments.
        arguments: Switch,
        /// For results.
        results: Switch,
    },
}

/// A mode, or nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// Refuse the call.
    Deny,
    /// Blank the span.
    Redact,
    /// Record only.
    Observe,
    /// The rule does not run.
    Off,
}

impl Switch {
    pub(super) fn mode(self) -> Option<Mode> {
        match self {
            Switch::Deny => Some(Mode::Deny),
            Switch::Redact => Some(Mode::Redact),
            Switch::Observe => Some(Mode::Observe),
            Switch::Off => None,
        }
    }
}

/// One rule of an operator.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Unique name, as audit rows show it.
    pub id: String,
    /// What it finds, for people.
    pub description: String,
    /// The pattern (syntax of the Rust `regex` crate, ASCII classes).
    pub regex: String,
    /// The rule is tried only where one of these words stands (any case). Strongly advised: a rule without
    /// keywords runs over every string.
    pub keywords: Vec<String>,
    /// Least Shannon entropy of the secret, in bits per byte.
    pub entropy: f32,
    /// The capture group that is the secret; 0 is the first group if there is one, else the whole match.
    pub secret_group: usize,
    /// What of this rule's finds does not count.
    pub allow: Vec<Allow>,
}

impl Eq for Rule {}

/// What does not count as a secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Allow {
    /// Patterns the secret must not match.
    pub values: Vec<String>,
    /// What `values` is matched against.
    pub target: AllowTarget,
    /// Words (any case) a secret must not contain.
    pub stop_words: Vec<String>,
    /// Keyed fingerprints, as audit rows show them, of values known to be harmless.
    pub fingerprints: Vec<String>,
    /// JSON pointer prefixes.
    pub pointers: Vec<String>,
}

/// What an allow-list's patterns are matched against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowTarget {
    /// The secret alone.
    #[default]
    Secret,
    /// The whole match of the rule.
    Match,
    /// The line the match stands on.
    Line,
}

/// Where a rule does not count.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exception {
    /// Glob over tool names; empty means every tool.
    pub tool: String,
    /// JSON pointer prefix; empty means anywhere.
    pub pointer: String,
    /// Glob over rule ids; empty means every rule.
    pub rule: String,
}

/// Why a configuration was refused. Every message names the rule and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum SecretsConfigError {
    /// A pattern does not compile.
    #[error("rule `{rule}`: `{pattern}` is no valid pattern ({reason}); write it in the syntax of the Rust regex crate")]
    Pattern {
        /// Id of the rule.
        rule: String,
        /// The pattern as given.
        pattern: String,
        /// What the regular expression compiler said.
        reason: String,
    },
    /// A keyword is too short or too long to look for.
    #[error("rule `{rule}`: keyword `{keyword}` has not 3 to 127 bytes; shorten it, use a longer one, or leave keywords out")]
    Keyword {
        /// Id of the rule.
        rule: String,
        /// The keyword as given.
        keyword: String,
    },
    /// A rule has no id.
    #[error("rule number {number} has no id; give it one, it is what audit rows will show")]
    NoId {
        /// Counted from 1.
        number: usize,
    },
    /// Two rules have one id.
    #[error("rule `{rule}` is there twice; ids must be unique, also against the built-in pack")]
    Twice {
        /// The id.
        rule: String,
    },
    /// A setting names a rule that does not exist.
    #[error("`{place}` names rule `{rule}`, which no rule's id matches; see `sp admin policy rules` for the list")]
    UnknownRule {
        /// Which setting.
        place: &'static str,
        /// The id or glob as given.
        rule: String,
    },
    /// A capture group that the pattern does not have.
    #[error("rule `{rule}`: secret_group is {group}, but the pattern has {have} groups")]
    Group {
        /// Id of the rule.
        rule: String,
        /// As given.
        group: usize,
        /// Groups in the pattern.
        have: usize,
    },
    /// A fingerprint is not 32 hexadecimal digits.
    #[error("rule `{rule}`: fingerprint `{fingerprint}` is not 32 hexadecimal digits; copy it from an audit row")]
    Fingerprint {
        /// Id of the rule, or `*` for the global list.
        rule: String,
        /// As given.
        fingerprint: String,
    },
    /// A pointer does not begin with a slash.
    #[error("`{place}`: pointer `{pointer}` must be empty or begin with `/`")]
    Pointer {
        /// Which setting.
        place: &'static str,
        /// As given.
        pointer: String,
    },
    /// Too much of something.
    #[error("{count} {what} are more than the {max} that are supported; split the configuration or drop some")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many were given.
        count: usize,
        /// LIMIT.
        max: usize,
    },
    /// A gitleaks file is not valid.
    #[error("the gitleaks file does not parse: {reason}")]
    Gitleaks {
        /// What the parser said, with line and column.
        reason: String,
    },
}
