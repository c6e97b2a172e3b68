//! `results:` of `services/governance/*.yaml`: what has to be done about what tools return.

use schemars::JsonSchema;
use serde::Deserialize;

use super::decode::At;
use super::words::{Glob, Size};

/// What is looked for in what tools return, and what is done about it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// Secrets. Left out: each rule of the secret layer does what it says for results.
    #[serde(default)]
    pub secrets: Option<Duty>,
    /// Orders to the model, in anything that a tool returns. Default: `tag`.
    #[serde(default)]
    pub injection: Option<Duty>,
    /// Orders to the model in the names, descriptions and schemas of `tools/list`; `deny` leaves the tool out.
    /// Default: `tag`.
    #[serde(default)]
    pub descriptions: Option<Duty>,
    /// Personal data. Default: none is looked for.
    #[serde(default)]
    pub pii: Pii,
    /// Largest message; larger ones are kept back. Default and most: `16MiB`.
    #[serde(default)]
    pub size_max: Option<At<Size>>,
    /// Servers and tools where something else holds; the first that speaks of a class counts.
    #[serde(default)]
    pub exceptions: Vec<At<Exception>>,
}

/// What is done about a find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Duty {
    /// Not looked for.
    Off,
    /// Left as it is, and named in `_meta` under `sp/findings`.
    Tag,
    /// Taken out.
    Redact,
    /// The client gets an error instead.
    Deny,
}

/// Personal data, by kind.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pii {
    /// Mail addresses.
    #[serde(default)]
    pub email: Option<Duty>,
    /// Telephone numbers.
    #[serde(default)]
    pub phone: Option<Duty>,
    /// Payment cards whose check digit is right.
    #[serde(default)]
    pub card: Option<Duty>,
    /// International bank account numbers whose check digits are right.
    #[serde(default)]
    pub iban: Option<Duty>,
    /// Numbers that states give to people: social security, tax and identity numbers of some twenty countries.
    #[serde(default)]
    pub national_id: Option<Duty>,
}

/// A class, for exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ResultClass")]
pub enum Class {
    /// Secrets.
    Secrets,
    /// Orders to the model in results.
    Injection,
    /// Orders to the model in `tools/list`.
    Descriptions,
    /// Mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// Payment cards.
    Card,
    /// Bank account numbers.
    Iban,
    /// Numbers of people.
    NationalId,
}

/// Other duties for some servers and tools.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Globs over server names. Left out: all.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub servers: Option<At<Vec<At<Glob>>>>,
    /// Globs over tool names. Left out: all, and every other answer of the server.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub tools: Option<At<Vec<At<Glob>>>>,
    /// Which classes. Left out: all.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub classes: Option<At<Vec<Class>>>,
    /// What is done about them there. Left out: `off`, or nothing else where only `size_max` stands here.
    #[serde(default)]
    pub duty: Option<Duty>,
    /// Largest message there.
    #[serde(default)]
    pub size_max: Option<At<Size>>,
}
