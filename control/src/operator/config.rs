//! `sp admin config`, `sp admin policy status` and `sp admin setup`: what the gateway runs with, and what is left to do.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use schema::queries::operate as sql;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::admin::{self, connect, refused};
use super::{Caller, Command, CommandError, Entry};
use crate::app::App;
use crate::people;
use crate::postgres::DatabaseState;
use crate::supervisor::Health;

/// Shows the configuration in force.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {}

impl Command for Show {
    const PATH: &'static [&'static str] = &["admin", "config", "show"];
    const ABOUT: &'static str = "Show what the gateway was started with; secrets are left out";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin config show";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        Ok(serde_json::to_value(&app.settings).unwrap_or_default())
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Checks the tree that the gateway would read.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Validate {}

impl Command for Validate {
    const PATH: &'static [&'static str] = &["admin", "config", "validate"];
    const ABOUT: &'static str = "Check services/ as the gateway sees it, and change nothing";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin config validate";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let dir = app.settings.services.clone();
        let checked = tokio::task::spawn_blocking(move || crate::app::publish::check(&dir)).await;
        let problems = checked.map_err(|error| CommandError::Failed(format!("the check ended badly: {error}")))?;
        if problems.is_empty() {
            return Ok(json!({ "ok": true, "services": app.settings.services }));
        }
        Err(CommandError::Problems(problems.iter().map(super::services::place).collect()))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "{} holds together", result["services"].as_str().unwrap_or_default())
    }
}

/// Says which policy is in force.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {}

impl Command for Status {
    const PATH: &'static [&'static str] = &["admin", "policy", "status"];
    const ABOUT: &'static str = "Say which policy is in force and what it is made of";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin policy status";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let is_stale = app.publishing.is_stale();
        let publisher = app.publishing.publisher().await;
        let (services, facts) = (publisher.services(), publisher.facts());
        Ok(json!({
            "generation": publisher.generation(),
            "database": if is_stale { "cannot be read; what it said last is in force" } else { "read" },
            "roles_declared": services.roles.len(), "roles_stored": facts.stored.roles.len(),
            "grants_declared": services.grants.len(), "grants_stored": facts.stored.grants.len(),
            "limits": services.limits.len(), "mcp_servers": services.mcp.len(), "api_keys": facts.api_keys.len(),
            "users_disabled": facts.revoked.disabled.len(), "users_banned": facts.revoked.banned.len(),
            "networks_banned": facts.revoked.networks.len(),
            "revocations": facts.revoked.users.len() + facts.revoked.sessions.len() + facts.revoked.tokens.len(),
        }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Says what is left to do before others can work with the gateway.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {}

impl Command for Setup {
    const PATH: &'static [&'static str] = &["admin", "setup"];
    const ABOUT: &'static str =
        "Say what is set up, and what is left to do; while there is no administrator, make the link for the first one";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin setup";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let mut link = None;
        let mut steps = Vec::new();
        let mut step = |what: &str, done: bool, next: &str| {
            steps.push(json!({ "step": what, "done": done, "next": if done { "" } else { next } }));
        };
        let up = *app.database.state().borrow() == DatabaseState::Up;
        step("PostgreSQL answers", up, "start it, or see the gateway's log");
        if up {
            let client = connect(&app).await?;
            let has = sql::account_counts().bind(&**client).one().await.map_err(refused)?;
            let made = people::first_admin_link(&client, &app.settings.public_url, &caller.claims.sub).await;
            link = made.map_err(|error| CommandError::Failed(error.to_string()))?;
            let next = format!("open this link within 24 hours: {}", link.as_deref().unwrap_or_default());
            step("there is an administrator", has.administrators > 0, &next);
            step("there are users", has.users > has.administrators, "sp admin users create ann --role developer");
        }
        let servers = app.servers();
        let declared = servers.iter().filter_map(|(name, state)| Some((name, state.as_ref()?)));
        let sick: Vec<&str> =
            declared.clone().filter(|(_, state)| state.health != Health::Healthy).map(|(name, _)| name.as_str()).collect();
        step("MCP servers are declared", declared.count() > 0, "add a file to services/mcp and run `sp infra services reload`");
        step("MCP servers are healthy", sick.is_empty(), &format!("see `sp infra services list`: {}", sick.join(", ")));
        let problems = {
            let dir = app.settings.services.clone();
            tokio::task::spawn_blocking(move || crate::app::publish::check(&dir).len()).await.unwrap_or(1)
        };
        step("services/ holds together", problems == 0, "sp admin config validate");
        let secure = app.settings.public_url.starts_with("https://");
        step(
            "clients reach it by HTTPS",
            secure,
            "start it with --tls-cert and --tls-key, or put a TLS proxy before it and start it with --public-url https://…",
        );
        let is_done = steps.iter().all(|step| step["done"] == json!(true));
        Ok(json!({ "done": is_done, "steps": steps, "first_administrator": link }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        for step in result["steps"].as_array().into_iter().flatten() {
            let mark = if step["done"] == json!(true) { "done" } else { "todo" };
            writeln!(out, "{mark}  {}", step["step"].as_str().unwrap_or_default())?;
            if let Some(next) = step["next"].as_str().filter(|next| !next.is_empty()) {
                writeln!(out, "      {next}")?;
            }
        }
        Ok(())
    }
}

inventory::submit! { Entry::of::<Show>() }
inventory::submit! { Entry::of::<Validate>() }
inventory::submit! { Entry::of::<Status>() }
inventory::submit! { Entry::of::<Setup>() }
