//! The operator's command `sp`. Commands that need the running gateway are tools of its built-in MCP server; the few
//! that must work without one are here.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::Value;

use crate::operator::{self, Entry};

pub mod auth;
pub mod client;
pub mod evidence;
mod export;
mod follow;
pub mod import;
mod keyring;
pub mod local;
pub mod session;
pub mod table;
pub mod target;
pub mod test;

use client::{Client, ClientError};

/// How `sp` ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Success = 0,
    /// The gateway, or the tool, says no or failed.
    Failure = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// Nobody is logged in, or may not do this.
    Denied = 3,
    /// The gateway cannot be reached.
    Unreachable = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// What each domain is about, in the order of the help.
const DOMAINS: &[(&str, &str)] =
    &[("infra", "Services, database, jobs and the audit log"), ("admin", "Users, sessions, configuration and rate limits")];

/// What each group is about.
const GROUPS: &[(&str, &str, &str)] = &[
    ("infra", "services", "MCP servers and the policy in force"),
    ("infra", "logs", "The audit trail: search, follow, reconstruct"),
    ("admin", "users", "People and machine accounts"),
    ("admin", "roles", "Named bundles of scopes"),
    ("admin", "grants", "Who may use which tools, and who may not"),
    ("admin", "bans", "Users and networks that may call nothing"),
    ("admin", "keys", "API keys of people and services"),
    ("admin", "signing", "Keys that sign tokens: what there is, and a new one at once"),
    ("admin", "clients", "OAuth clients: those that registered, and those that act for themselves"),
    ("admin", "sessions", "Who is logged in, and logging them out"),
    ("admin", "tenants", "Organisations"),
    ("admin", "departments", "Parts of organisations"),
    ("admin", "limits", "Rate limits: what is used, and giving it back"),
    ("admin", "policy", "Grants and rules: import, explain, test, what is in force"),
    ("admin", "config", "What the gateway runs with"),
    ("admin", "approvals", "Calls that wait for a person"),
    ("admin", "session", "Which gateway commands mean, and tokens of this machine"),
];

/// What each group within a group is about.
const WITHIN: &[(&str, &str)] = &[("shadow", "Another policy on trial beside the one in force")];

/// The whole command line.
pub fn command() -> Command {
    let mut root = Command::new("sp")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Operate the gateway between AI agents and the tools they call")
        .after_help(
            "Commands talk to the gateway at --url, else to that of the profile (--profile, SP_PROFILE, `sp admin session switch`), \
             else to the one that runs from the data directory.\n\
             Start one with `sp-dataplane`; see what happened with `sp infra logs search`.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(global("profile", "NAME", "The profile of the gateway: a name, or a file [env: SP_PROFILE]"))
        .arg(global("url", "URL", "The gateway [default: the profile's, else the one that runs from the data directory]").env("SP_URL"))
        .arg(
            global("token", "TOKEN", "Access token [default: one made with the key in the data directory, or that of a log-in]")
                .env("SP_TOKEN")
                .hide_env_values(true),
        )
        .arg(
            global("data-dir", "DIR", "The gateway's data directory")
                .env("SP_DATA_DIR")
                .value_parser(clap::value_parser!(PathBuf)),
        )
        .arg(Arg::new("json").long("json").global(true).action(ArgAction::SetTrue).help("Print the result as JSON"));
    for (domain, about) in DOMAINS {
        let mut of_domain = Command::new(*domain).about(*about).subcommand_required(true).arg_required_else_help(true);
        for (_, group, about) in GROUPS.iter().filter(|(of, _, _)| of == domain) {
            let mut of_group = Command::new(*group).about(*about).subcommand_required(true).arg_required_else_help(true);
            for entry in operator::commands().into_iter().filter(|entry| entry.path.starts_with(&[domain, group])) {
                of_group = match entry.path {
                    [_, _, verb] => of_group.subcommand(leaf(entry, verb)),
                    [_, _, within, verb] => below(of_group, within, leaf(entry, verb)),
                    _ => of_group,
                };
            }
            if (*domain, *group) == ("admin", "session") {
                of_group = of_group.subcommands(session::commands());
            }
            if (*domain, *group) == ("admin", "policy") {
                of_group = of_group.subcommand(import::command()).subcommand(test::command());
            }
            if (*domain, *group) == ("infra", "logs") {
                of_group = of_group.subcommands(evidence::commands());
            }
            of_domain = of_domain.subcommand(of_group);
        }
        for entry in operator::commands().into_iter().filter(|entry| entry.path.len() == 2 && entry.path[0] == *domain) {
            of_domain = of_domain.subcommand(leaf(entry, entry.path[1]));
        }
        root = root.subcommand(of_domain);
    }
    root.subcommand(auth::command()).subcommand(local::check_command()).subcommand(local::completion_command())
}

/// Adds a command to a group within a group.
fn below(group: Command, within: &'static str, leaf: Command) -> Command {
    if group.find_subcommand(within).is_some() {
        return group.mut_subcommand(within, |inner| inner.subcommand(leaf));
    }
    let about = WITHIN.iter().find(|(name, _)| *name == within).map_or("", |(_, about)| about);
    group.subcommand(Command::new(within).about(about).subcommand_required(true).arg_required_else_help(true).subcommand(leaf))
}

fn leaf(entry: &Entry, verb: &'static str) -> Command {
    (entry.augment)(Command::new(verb).about(entry.about)).after_help(entry.help())
}

fn global(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).global(true).value_name(value).help(help)
}

/// Carries out one command line.
pub fn run(args: impl IntoIterator<Item = std::ffi::OsString>) -> Exit {
    let matches = match command().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => {
            let wanted = !error.use_stderr();
            let _ = error.print();
            return if wanted { Exit::Success } else { Exit::Usage };
        }
    };
    let mut path = Vec::new();
    let mut leaf = &matches;
    while let Some((name, inner)) = leaf.subcommand() {
        path.push(name);
        leaf = inner;
    }
    match path.as_slice() {
        ["check"] => local::check(leaf),
        ["cloud", "auth", what] => auth::run(what, leaf),
        ["completion"] => local::completion(leaf, command()),
        ["admin", "session", "token"] => local::token(leaf),
        ["admin", "session", what] => session::run(what, leaf),
        ["admin", "policy", "import", "cedar"] => import::cedar(leaf),
        ["admin", "policy", "test"] => test::test(leaf),
        ["infra", "logs", "verify"] => evidence::verify(leaf),
        ["infra", "logs", "checkpoints", "export"] => evidence::export(leaf),
        ["infra", "logs", "journal"] => evidence::journal(leaf),
        path => match operator::commands().into_iter().find(|entry| entry.path == path) {
            Some(entry) => remote(entry, leaf),
            None => fail(Exit::Usage, "there is no such command; see `sp --help`"),
        },
    }
}

/// Says on standard error why a command failed.
pub fn fail(exit: Exit, why: impl std::fmt::Display) -> Exit {
    let _ = writeln!(std::io::stderr(), "sp: {why}");
    exit
}

fn remote(entry: &Entry, leaf: &ArgMatches) -> Exit {
    let arguments = match (entry.arguments)(leaf) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return Exit::Usage;
        }
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return fail(Exit::Failure, "no runtime can be started");
    };
    runtime.block_on(async {
        let mut client = match Client::from_args(leaf).await {
            Ok(client) => client,
            Err(error) => return ended(&error),
        };
        if entry.path == ["infra", "logs", "stream"] {
            return follow::follow(entry, client, arguments, leaf).await;
        }
        if entry.path == ["infra", "logs", "export"] {
            return export::export(entry, client, arguments, leaf).await;
        }
        match client.call_tool(&entry.tool(), &arguments).await {
            Ok(result) => print(entry, &result, leaf.get_flag("json")),
            Err(error) => ended(&error),
        }
    })
}

fn print(entry: &Entry, result: &Value, as_json: bool) -> Exit {
    let mut out = std::io::stdout().lock();
    let written = if as_json { writeln!(out, "{result}") } else { (entry.show)(result, &mut out) };
    finished(written.and_then(|()| out.flush()))
}

/// How a command ends whose output was written, or was not.
fn finished(written: std::io::Result<()>) -> Exit {
    written.map_or_else(|error| unwritten(&error), |()| Exit::Success)
}

/// How a command ends whose output cannot be written.
fn unwritten(error: &std::io::Error) -> Exit {
    match error.kind() {
        // Whoever read from us has seen enough.
        std::io::ErrorKind::BrokenPipe => Exit::Success,
        _ => fail(Exit::Failure, error),
    }
}

fn ended(error: &ClientError) -> Exit {
    let exit = match error {
        ClientError::Unreachable { .. } | ClientError::NoGateway(_) => Exit::Unreachable,
        ClientError::Denied(_) | ClientError::Unidentified(_) | ClientError::NoToken(_) => Exit::Denied,
        ClientError::Failed(_) | ClientError::Protocol(_) => Exit::Failure,
    };
    fail(exit, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        command().debug_assert();
    }

    #[test]
    fn every_remote_command_can_be_reached() {
        for entry in operator::commands() {
            let root = command();
            let at = entry.path.iter().fold(&root, |at, name| at.find_subcommand(name).unwrap_or_else(|| panic!("{name}")));
            assert_eq!(at.get_name(), *entry.path.last().unwrap());
        }
    }
}
