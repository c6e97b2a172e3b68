//! Operator commands as tools. Each command is one struct: clap arguments for people, a JSON Schema for agents, a
//! handler for both. The command line turns argv into the struct and calls the tool of the built-in server `sp`; an
//! agent calls the same tool. Who may is a grant on server `sp`, like on any other.

use std::pin::Pin;
use std::sync::Arc;

use clap::{ArgMatches, Args};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::ids::TraceId;
use wire::token::Claims;

use crate::app::App;

mod admin;
pub mod approvals;
pub mod bans;
pub mod clients;
pub mod config;
pub mod enrol;
pub mod grants;
pub mod keys;
pub mod limits;
pub mod logs;
pub mod policy;
pub mod roles;
pub mod services;
pub mod sessions;
pub mod signing;
pub mod units;
pub mod users;

pub(crate) use admin::REVOCATION_LIFE;

/// What it takes to look.
pub const READ: &[&str] = &["gateway:read", "gateway:operate"];

/// What it takes to change something.
pub const OPERATE: &[&str] = &["gateway:operate"];

/// What it takes to read the audit trail.
pub const AUDIT: &[&str] = &["audit:read", "gateway:operate"];

/// Who gave a command, as the data plane verified it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The verified claims.
    pub claims: Claims,
    /// Of the request that brought the command.
    pub trace: TraceId,
}

/// Why a command failed. Its text is shown to whoever gave it.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The arguments do not make sense.
    #[error("{0}")]
    Usage(String),
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// The configuration is not valid.
    #[error("the policy was not changed: {} problem{} in services/", .0.len(), if .0.len() == 1 { "" } else { "s" })]
    Problems(Vec<Value>),
    /// Something the command needs did not work.
    #[error("{0}")]
    Failed(String),
}

/// A command that is carried out by the running gateway.
pub trait Command: Args + Serialize + DeserializeOwned + JsonSchema + Send + 'static {
    /// Where it stands in the command line, such as `["infra", "logs", "search"]`. The tool's name joins it with `_`.
    const PATH: &'static [&'static str];
    /// One sentence: what it does.
    const ABOUT: &'static str;
    /// A command line that shows how it is used.
    const EXAMPLE: &'static str = "";
    /// Whether it changes nothing.
    const READ_ONLY: bool;
    /// What stands below the help: command lines that show how it is used.
    const EXAMPLES: &'static str = "";
    /// Whatever grants say, the caller must hold one of these scopes.
    const SCOPES: &'static [&'static str] = if Self::READ_ONLY { READ } else { OPERATE };

    /// Carries it out.
    fn run(self, app: Arc<App>, caller: Caller) -> impl Future<Output = Result<Value, CommandError>> + Send;

    /// Writes a result for a person.
    fn show(result: &Value, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        writeln!(out, "{}", serde_json::to_string_pretty(result).unwrap_or_default())
    }
}

type Running = Pin<Box<dyn Future<Output = Result<Value, CommandError>> + Send>>;

/// A command, seen from outside its type.
pub struct Entry {
    /// Where it stands in the command line.
    pub path: &'static [&'static str],
    /// What it does.
    pub about: &'static str,
    /// A command line that shows how it is used.
    pub example: &'static str,
    /// Whether it changes nothing.
    pub read_only: bool,
    /// Command lines that show how it is used.
    pub examples: &'static str,
    /// Whatever grants say, the caller must hold one of these scopes.
    pub scopes: &'static [&'static str],
    /// The JSON Schema of its arguments.
    pub schema: fn() -> Value,
    /// Adds its arguments to a clap command.
    pub augment: fn(clap::Command) -> clap::Command,
    /// Turns parsed arguments into the tool's arguments.
    pub arguments: fn(&ArgMatches) -> Result<Value, clap::Error>,
    /// Carries it out.
    pub run: fn(Value, Arc<App>, Caller) -> Result<Running, CommandError>,
    /// Writes a result for a person.
    pub show: fn(&Value, &mut dyn std::io::Write) -> std::io::Result<()>,
}

inventory::collect!(Entry);

impl Entry {
    /// The entry of a command; `inventory::submit!` it where the command is defined.
    pub const fn of<C: Command>() -> Entry {
        Entry {
            path: C::PATH,
            about: C::ABOUT,
            example: C::EXAMPLE,
            read_only: C::READ_ONLY,
            examples: C::EXAMPLES,
            scopes: C::SCOPES,
            schema: || serde_json::to_value(schemars::schema_for!(C)).unwrap_or_default(),
            augment: C::augment_args,
            arguments: |matches| {
                let command = C::from_arg_matches(matches)?;
                serde_json::to_value(command)
                    .map_err(|error| clap::Error::raw(clap::error::ErrorKind::InvalidValue, error.to_string()))
            },
            run: |arguments, app, caller| {
                let command: C = serde_json::from_value(arguments).map_err(|error| CommandError::Usage(error.to_string()))?;
                Ok(Box::pin(command.run(app, caller)))
            },
            show: C::show,
        }
    }

    /// What stands below the options in its help: how it is used, and what it takes.
    pub fn help(&self) -> String {
        let example = match (self.examples, self.example) {
            ("", "") => String::new(),
            ("", example) => format!("Example:\n  {example}\n\n"),
            (examples, _) => format!("{}\n\n", examples.trim_end()),
        };
        let (tool, scopes) = (self.tool(), self.scopes.join(" or "));
        format!("{example}Needs a grant for tool `{tool}` of server `sp`, and the scope {scopes}.")
    }

    /// The tool's name.
    pub fn tool(&self) -> String {
        self.path.join("_")
    }
}

/// Every command, sorted by its place in the command line.
pub fn commands() -> Vec<&'static Entry> {
    let mut all: Vec<&Entry> = inventory::iter::<Entry>.into_iter().collect();
    all.sort_by_key(|entry| entry.path);
    all
}

/// The command of this tool.
pub fn command(tool: &str) -> Option<&'static Entry> {
    inventory::iter::<Entry>.into_iter().find(|entry| entry.tool() == tool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_schema_and_a_name_of_its_own() {
        let all = commands();
        assert!(all.len() >= 5, "{}", all.len());
        let mut names: Vec<String> = all.iter().map(|entry| entry.tool()).collect();
        names.dedup();
        assert_eq!(names.len(), all.len());
        for entry in all {
            assert_eq!((entry.schema)()["type"], "object", "{}", entry.tool());
            assert!(!entry.about.is_empty());
            let shown = format!("sp {}", entry.path.join(" "));
            assert!(entry.example.is_empty() || entry.example.starts_with(&shown), "{}", entry.example);
            assert!(!entry.scopes.is_empty());
        }
    }
}
