//! `sp admin grants`: who may (not) do what, declared in `services/access/` or kept in the database.

use std::io::Write;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use dataplane::chain::glob::Glob;
use schema::queries::{operate as sql, policy};
use schema::services::access;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::ids::{AgentId, DepartmentId, RoleName, ScopeName, TenantId, UserId};

use super::admin::{self, ahead_or_never, connect, in_force, refused, texts};
use super::{Caller, Command, CommandError, Entry};
use crate::app::App;

/// To whom a grant speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum To {
    /// One user
    User,
    /// Everybody who has a role
    Role,
    /// Everybody of a department
    Department,
    /// Everybody of a tenant
    Tenant,
    /// Whoever an agent acts for
    Agent,
}

/// Whether a grant gives or takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Gives
    Allow,
    /// Takes, whatever others give
    Deny,
}

/// Lists grants.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only those that speak to this user, role, department, tenant or agent
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,
}

impl Command for List {
    const PATH: &'static [&'static str] = &["admin", "grants", "list"];
    const ABOUT: &'static str = "List grants, those of services/access and those of the database";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin grants list --principal developer";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let mut rows: Vec<Value> = app.publishing.publisher().await.services().grants.iter().map(declared).collect();
        for grant in sql::stored_grants().bind(&**client).all().await.map_err(refused)? {
            rows.push(json!({
                "id": format!("db:{}", grant.id), "effect": grant.effect,
                "to": format!("{}: {}", grant.principal_kind, grant.principal),
                "servers": [grant.server], "tools": [grant.tool], "scopes": grant.scopes, "expires_at": grant.expires_at,
                "source": format!("database, by {}", grant.created_by), "created_at": grant.created_at,
            }));
        }
        if let Some(wanted) = &self.principal {
            rows.retain(|row| row["to"].as_str().is_some_and(|to| to.split([' ', ',', ':']).any(|word| word == wanted)));
        }
        Ok(json!({ "grants": rows }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::rows(result, "grants", &["id", "effect", "to", "servers", "tools", "scopes", "expires_at", "source"], out)
    }
}

fn declared(grant: &schema::services::Declared<access::Grant>) -> Value {
    let what = &grant.what;
    let globs = |list: &Option<schema::services::At<Vec<schema::services::At<schema::services::words::Glob>>>>| -> Vec<String> {
        list.iter().flat_map(|list| &list.value).map(|glob| glob.value.as_str().to_owned()).collect()
    };
    let mut to = Vec::new();
    let mut add = |kind: &str, names: Vec<String>| {
        if !names.is_empty() {
            to.push(format!("{kind}: {}", names.join(", ")));
        }
    };
    let subjects = &what.subjects;
    add("tier", subjects.tiers.iter().flat_map(|list| &list.value).map(ToString::to_string).collect());
    add("user", subjects.users.iter().flat_map(|list| &list.value).map(ToString::to_string).collect());
    add("role", subjects.roles.iter().flat_map(|list| &list.value).map(|role| role.value.to_string()).collect());
    add("department", subjects.departments.iter().flat_map(|list| &list.value).map(ToString::to_string).collect());
    add("tenant", subjects.tenants.iter().flat_map(|list| &list.value).map(ToString::to_string).collect());
    add("agent", subjects.agents.iter().flat_map(|list| &list.value).map(ToString::to_string).collect());
    json!({
        "id": what.id.value, "effect": if what.effect == access::Effect::Allow { "allow" } else { "deny" },
        "to": if to.is_empty() { "everybody".to_owned() } else { to.join("; ") },
        "servers": what.servers.value.iter().map(|glob| glob.value.as_str()).collect::<Vec<_>>(),
        "tools": globs(&what.tools), "methods": globs(&what.methods), "scopes": texts(&what.scopes),
        "source": format!("{}:{}", grant.place.file.display(), grant.place.mark.line),
    })
}

/// Makes a grant.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// Whether it gives or takes
    #[arg(value_enum)]
    effect: Effect,
    /// Whom it speaks to
    #[arg(value_enum)]
    to: To,
    /// The user, role, department, tenant or agent
    principal: String,
    /// Which servers, by name or with `*`
    #[arg(long, value_name = "GLOB")]
    server: String,
    /// Which tools, by name or with `*`; `*` alone is the whole server
    #[arg(long, value_name = "GLOB", default_value = "*")]
    #[serde(default = "everything")]
    tool: String,
    /// A scope that the caller must hold; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    scopes: Vec<ScopeName>,
    /// When it ends by itself: 12h, 30d, or a time
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
}

fn everything() -> String {
    "*".to_owned()
}

impl Command for Create {
    const PATH: &'static [&'static str] = &["admin", "grants", "create"];
    const ABOUT: &'static str = "Let a user, role, department, tenant or agent use tools, or forbid it; deny beats allow";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin grants create allow role reviewer --server git --tool 'git_log*' --scope tools:call\n  \
         sp admin grants create deny user ann --server '*' --expires 12h";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        self.check()?;
        let expires_at = ahead_or_never(self.expires.as_deref())?;
        let client = connect(&app).await?;
        let kind = match self.to {
            To::User => "user",
            To::Role => "role",
            To::Department => "department",
            To::Tenant => "tenant",
            To::Agent => "agent",
        };
        let effect = if self.effect == Effect::Allow { "allow" } else { "deny" };
        let (principal, server, tool) = (self.principal.as_str(), self.server.as_str(), self.tool.as_str());
        let (scopes, by) = (texts(&self.scopes), caller.claims.sub.as_str());
        let id = sql::upsert_grant()
            .bind(&**client, &Uuid::now_v7(), &kind, &principal, &server, &tool, &effect, &scopes, &expires_at, &by)
            .one()
            .await
            .map_err(refused)?;
        let generation = in_force(&app, &caller, "grant changed").await?;
        Ok(json!({
            "id": format!("db:{id}"), "effect": effect, "to": format!("{kind}: {principal}"), "server": server, "tool": tool,
            "scopes": scopes, "expires_at": expires_at, "generation": generation,
        }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

impl Create {
    fn check(&self) -> Result<(), CommandError> {
        let named = match self.to {
            To::User => self.principal.parse::<UserId>().map(drop),
            To::Role => self.principal.parse::<RoleName>().map(drop),
            To::Department => self.principal.parse::<DepartmentId>().map(drop),
            To::Tenant => self.principal.parse::<TenantId>().map(drop),
            To::Agent => self.principal.parse::<AgentId>().map(drop),
        };
        named.map_err(|error| CommandError::Usage(error.to_string()))?;
        for glob in [&self.server, &self.tool] {
            Glob::compile(glob).map_err(|error| CommandError::Usage(error.to_string()))?;
        }
        Ok(())
    }
}

/// Removes a grant.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// Its id, as `sp admin grants list` and audit rows have it: db:…
    grant: String,
}

impl Command for Remove {
    const PATH: &'static [&'static str] = &["admin", "grants", "remove"];
    const ABOUT: &'static str = "Remove a grant from the database; those of services/access are removed there";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin grants remove db:0199c2f0-5a33-7c7e-9a7e-0d5a4c1f2b3e";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let wrong = || {
            CommandError::Usage(format!(
                "`{}` is not the id of a grant of the database, which begins with `db:`; grants of services/access are removed there",
                self.grant
            ))
        };
        let id: Uuid = self.grant.strip_prefix("db:").and_then(|id| id.parse().ok()).ok_or_else(wrong)?;
        let client = connect(&app).await?;
        if policy::drop_grant().bind(&**client, &id).await.map_err(refused)? == 0 {
            return Err(CommandError::NotFound(format!("there is no grant `{}`; see `sp admin grants list`", self.grant)));
        }
        let generation = in_force(&app, &caller, "grant removed").await?;
        Ok(json!({ "removed": self.grant, "generation": generation }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

inventory::submit! { Entry::of::<List>() }
inventory::submit! { Entry::of::<Create>() }
inventory::submit! { Entry::of::<Remove>() }
