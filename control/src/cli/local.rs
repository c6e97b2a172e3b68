//! Commands that work without a running gateway: checking `services/`, minting a token with the key in the data
//! directory, shell completion.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use wire::decision::Tier;
use wire::ids::{RoleName, ScopeName};

use super::{Exit, fail};
use crate::app::instance::Instance;
use crate::cli::target::Target;
use crate::keys::Keys;
use crate::token::{TokenRequest, mint};

/// How long the token lives that `sp` makes for its own calls.
pub const OWN_TOKEN_LIFE: Duration = Duration::from_secs(300);

/// `sp check`.
pub fn check_command() -> Command {
    Command::new("check").about("Check a services/ tree without starting anything").arg(
        Arg::new("services")
            .value_name("DIR")
            .default_value("services")
            .value_parser(clap::value_parser!(PathBuf))
            .help("The tree to check"),
    )
}

/// Checks a tree.
pub fn check(matches: &ArgMatches) -> Exit {
    let dir = matches.get_one::<PathBuf>("services").cloned().unwrap_or_else(|| PathBuf::from("services"));
    let problems = crate::app::publish::check(&dir);
    if matches.get_flag("json") {
        let list: Vec<_> = problems
            .iter()
            .map(|p| json!({"file": p.file.display().to_string(), "line": p.line, "column": p.column, "message": p.message}))
            .collect();
        println!("{}", json!({ "ok": problems.is_empty(), "problems": list }));
    } else if problems.is_empty() {
        println!("{} holds together", dir.display());
    } else {
        problems.iter().for_each(|problem| eprintln!("{problem}"));
    }
    if problems.is_empty() { Exit::Success } else { Exit::Failure }
}

/// `sp completion`.
pub fn completion_command() -> Command {
    Command::new("completion")
        .about("Print the completion script of a shell: `source <(sp completion bash)`")
        .arg(Arg::new("shell").required(true).value_parser(clap::value_parser!(clap_complete::Shell)).help("Which shell"))
}

/// Prints a completion script.
pub fn completion(matches: &ArgMatches, mut command: Command) -> Exit {
    if let Some(shell) = matches.get_one::<clap_complete::Shell>("shell") {
        clap_complete::generate(*shell, &mut command, "sp", &mut std::io::stdout());
    }
    Exit::Success
}

/// `sp admin session token`.
pub fn token_command() -> Command {
    let one =
        |name: &'static str, value: &'static str, help: &'static str| Arg::new(name).long(name).value_name(value).help(help);
    let many = |name, value, help| one(name, value, help).action(ArgAction::Append).value_delimiter(',');
    Command::new("token")
        .about("Mint an access token with the key in the data directory")
        .long_about(
            "Mint an access token with the key in the data directory and print it.\n\
             Whoever can read that directory may do this; nobody else can. The gateway need not run.",
        )
        .arg(one("user", "ID", "The subject").required(true))
        .arg(one("tier", "TIER", "Kind of caller: admin, user, a2a, mcp, service").default_value("user"))
        .arg(many("role", "ROLE", "Roles; may be repeated"))
        .arg(many("scope", "SCOPE", "Scopes beyond those of the roles; may be repeated"))
        .arg(one("tenant", "ID", "The organisation"))
        .arg(one("department", "ID", "The department"))
        .arg(one("agent", "ID", "The agent that acts"))
        .arg(one("session", "ID", "The log-in session [default: a new one]"))
        .arg(many("server", "NAME", "Only for these MCP servers; may be repeated [default: all]"))
        .arg(one("ttl", "SECONDS", "How long it lives").default_value("3600").value_parser(clap::value_parser!(u64)))
        .arg(one("count", "N", "Mint N tokens, for users ID-1 to ID-N, one per line").value_parser(clap::value_parser!(u32)))
}

/// Mints a token.
pub fn token(matches: &ArgMatches) -> Exit {
    match mint_from(matches) {
        Ok(tokens) if matches.get_flag("json") => {
            println!("{}", json!({ "tokens": tokens }));
            Exit::Success
        }
        Ok(tokens) => {
            tokens.iter().for_each(|token| println!("{token}"));
            Exit::Success
        }
        Err(error) => fail(Exit::Failure, format!("{error:#}")),
    }
}

fn mint_from(matches: &ArgMatches) -> anyhow::Result<Vec<String>> {
    let data_dir = Target::of(matches)?.data_dir;
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let list = |name: &str| matches.get_many::<String>(name).unwrap_or_default();
    let user = text("user").unwrap_or_default();
    let tier = Tier::from_word(text("tier").unwrap_or("user")).filter(|tier| *tier != Tier::Anonymous);
    let tier = tier.context("`--tier` must be one of admin, user, a2a, mcp, service")?;
    let mut request = TokenRequest::new(user.parse()?, tier);
    request.ttl = Duration::from_secs(matches.get_one::<u64>("ttl").copied().unwrap_or(3600));
    request.tenant = text("tenant").map(str::parse).transpose()?;
    request.department = text("department").map(str::parse).transpose()?;
    request.agent = text("agent").map(str::parse).transpose()?;
    request.session = text("session").map(str::parse).transpose()?;
    request.roles = list("role").map(|role| role.parse::<RoleName>()).collect::<Result<_, _>>()?;
    request.scopes = list("scope").map(|scope| scope.parse::<ScopeName>()).collect::<Result<_, _>>()?;
    request.servers = list("server").map(|server| server.parse()).collect::<Result<_, _>>()?;
    match matches.get_one::<u32>("count") {
        None => mint_all(&data_dir, std::slice::from_ref(&request)),
        Some(count) => {
            let numbered = (1..=*count).map(|n| Ok(TokenRequest { user: format!("{user}-{n}").parse()?, ..request.clone() }));
            mint_all(&data_dir, &numbered.collect::<anyhow::Result<Vec<_>>>()?)
        }
    }
}

fn mint_all(data_dir: &Path, requests: &[TokenRequest]) -> anyhow::Result<Vec<String>> {
    let instance = Instance::read(data_dir)?;
    let keys = Keys::open(data_dir)?;
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mint_one = |request: &TokenRequest| Ok(mint(&keys.signing, &request.claims(&instance.issuer, &instance.issuer, now_s)?)?);
    requests.iter().map(mint_one).collect()
}

/// As whom `sp` calls the gateway of this machine.
pub fn operator() -> String {
    std::env::var("USER").ok().filter(|user| !user.is_empty()).unwrap_or_else(|| "root".to_owned())
}

/// The token that `sp` uses for its own calls when it was given none: an operator's, for five minutes.
///
/// # Errors
/// The data directory has no key that we may read.
pub fn operator_token(data_dir: &Path) -> anyhow::Result<String> {
    let mut request = TokenRequest::new(operator().parse()?, Tier::Admin);
    request.ttl = OWN_TOKEN_LIFE;
    request.roles = vec!["operator".parse()?];
    request.client = Some("sp".parse()?);
    let minted = mint_all(data_dir, &[request]);
    let minted = minted.with_context(|| {
        format!("no token can be made from `{}`; pass --token or --data-dir, or set SP_TOKEN", data_dir.display())
    })?;
    minted.into_iter().next().context("no token was made")
}
