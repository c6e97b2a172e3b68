//! `sp admin keys`: API keys of people and services. A key is shown when it is made and never again.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use schema::queries::operate as sql;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::api_key;
use wire::ids::{AgentId, ApiKeyId, McpServerId, RoleName, ScopeName, UserId};

use super::admin::{self, Page, ahead_or_never, connect, in_force, refused, texts};
use super::{Caller, Command, CommandError, Entry};
use crate::app::App;
use crate::keys::random;
use crate::postgres::Database;

/// LIMIT: how often last uses are gathered from the audit trail, so that a list never has to read much of it.
const NOTE_USE_EVERY: Duration = Duration::from_secs(300);

fn row(key: &sql::KeyRow) -> Value {
    let now = Timestamp::now();
    let state = match (key.revoked_at, key.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(at)) if at <= now => "expired",
        (None, _) => "live",
    };
    json!({
        "id": key.id, "user": key.account, "name": key.name, "agent": key.agent, "roles": key.roles, "scopes": key.scopes,
        "servers": key.servers, "state": state, "last_used_at": key.last_used_at, "expires_at": key.expires_at,
        "created_at": key.created_at, "created_by": key.created_by, "revoked_at": key.revoked_at, "revoked_by": key.revoked_by,
    })
}

/// Gathers last uses as long as the process runs. What is lost is gathered the next time.
pub async fn note_use(database: Database) {
    loop {
        tokio::time::sleep(NOTE_USE_EVERY).await;
        if let Ok(client) = database.get().await
            && let Err(error) = sql::note_key_use().bind(&**client).await
        {
            tracing::debug!(error = %error, "last uses of API keys were not gathered");
        }
    }
}

/// Lists keys.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
pub struct List {
    /// Only of this user
    #[arg(long, value_name = "USER")]
    #[schemars(with = "Option<String>")]
    user: Option<UserId>,
    /// Those that expired or were revoked too
    #[arg(long)]
    #[serde(default)]
    all: bool,
    #[command(flatten)]
    #[serde(flatten)]
    page: Page,
}

impl Command for List {
    const PATH: &'static [&'static str] = &["admin", "keys", "list"];
    const ABOUT: &'static str = "List API keys, whose they are and when each was last used";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin keys list --user nightly-report --all";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        sql::note_key_use().bind(&**client).await.map_err(refused)?;
        let (max, after) = self.page.bounds();
        let user = self.user.as_ref().map(UserId::as_str);
        let keys = sql::list_keys().bind(&**client, &user, &self.all, &Timestamp::now(), &after, &max).all().await;
        Ok(self.page.answer("keys", keys.map_err(refused)?.iter().map(row).collect(), "id"))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::rows(result, "keys", &["id", "user", "name", "roles", "scopes", "state", "last_used_at", "expires_at"], out)
    }
}

/// Shows one key.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// Its id: the 16 hex digits after `spk_`
    #[schemars(with = "String")]
    key: ApiKeyId,
}

impl Command for Show {
    const PATH: &'static [&'static str] = &["admin", "keys", "show"];
    const ABOUT: &'static str = "Show what is known of an API key; the key itself is not";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin keys show 0123456789abcdef";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        sql::note_key_use().bind(&**client).await.map_err(refused)?;
        let key = sql::key().bind(&**client, &self.key.as_str()).opt().await.map_err(refused)?;
        Ok(row(&key.ok_or_else(|| unknown(&self.key))?))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

fn unknown(key: &ApiKeyId) -> CommandError {
    CommandError::NotFound(format!("there is no API key `{key}`; see `sp admin keys list --all`"))
}

/// Makes a key.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// Whose: it acts as this user, and never beyond what this user may [default: you]
    #[arg(long, value_name = "USER")]
    #[schemars(with = "Option<String>")]
    user: Option<UserId>,
    /// What it is for
    #[arg(long, default_value = "")]
    #[serde(default)]
    name: String,
    /// Only this role of the user; may be repeated
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',')]
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    roles: Vec<RoleName>,
    /// Only this scope of its roles; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    scopes: Vec<ScopeName>,
    /// Only for this MCP server; may be repeated
    #[arg(long = "server", value_name = "NAME", value_delimiter = ',')]
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    servers: Vec<McpServerId>,
    /// The agent that acts with it
    #[arg(long, value_name = "ID")]
    #[schemars(with = "Option<String>")]
    agent: Option<AgentId>,
    /// When it ends: 12h, 90d, or a time [default: never]
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
}

impl Command for Create {
    const PATH: &'static [&'static str] = &["admin", "keys", "create"];
    const ABOUT: &'static str = "Make an API key; it is shown this once, and is good wherever a bearer token is";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin keys create --user nightly-report --scope audit:read --expires 90d --name cron";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let expires_at = ahead_or_never(self.expires.as_deref())?;
        let client = connect(&app).await?;
        let by = caller.claims.sub.as_str();
        let account = self.user.as_ref().map_or(by, UserId::as_str);
        let owner = sql::user().bind(&**client, &account).opt().await.map_err(refused)?;
        let owner = owner.filter(|owner| owner.disabled_at.is_none()).ok_or_else(|| {
            CommandError::NotFound(format!(
                "there is no enabled user `{account}` for it to act as; make one with `sp admin users create {account} --tier service`"
            ))
        })?;
        if let Some(role) = self.roles.iter().find(|role| !owner.roles.iter().any(|has| has == role.as_str())) {
            return Err(CommandError::Usage(format!(
                "`{account}` does not have the role `{role}`, and a key is never more than its user; it has: {}",
                owner.roles.join(", ")
            )));
        }
        let random = |_| CommandError::Failed("the machine has no randomness for a key; try again".to_owned());
        let text = api_key::write(self::random().map_err(random)?, &self::random().map_err(random)?);
        let id = api_key::id_of(&text).unwrap_or_default();
        let hash = api_key::hash(&app.api_key_key, &text);
        let (roles, scopes, servers) = (texts(&self.roles), texts(&self.scopes), texts(&self.servers));
        let agent = self.agent.as_ref().map(AgentId::as_str);
        sql::put_key()
            .bind(
                &**client,
                &id,
                &&hash.as_bytes()[..],
                &account,
                &self.name.as_str(),
                &agent,
                &roles,
                &scopes,
                &servers,
                &by,
                &expires_at,
            )
            .await
            .map_err(refused)?;
        let generation = in_force(&app, &caller, "api key made").await?;
        Ok(json!({
            "key": text, "id": id, "user": account, "name": self.name, "roles": roles, "scopes": scopes, "servers": servers,
            "expires_at": expires_at, "generation": generation,
        }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)?;
        writeln!(out, "keep it now: nobody can show it again. Send it as `Authorization: Bearer …`, never in a URL")
    }
}

/// Ends a key.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Its id: the 16 hex digits after `spk_`
    #[schemars(with = "String")]
    key: ApiKeyId,
}

impl Command for Revoke {
    const PATH: &'static [&'static str] = &["admin", "keys", "revoke"];
    const ABOUT: &'static str = "End an API key for good: when this answers, its next call is denied on every shard";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin keys revoke 0123456789abcdef";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let (id, by) = (self.key.as_str(), caller.claims.sub.as_str());
        if sql::revoke_key().bind(&**client, &Timestamp::now(), &by, &id).await.map_err(refused)? == 0 {
            return Err(match sql::key().bind(&**client, &id).opt().await.map_err(refused)? {
                Some(_) => CommandError::Usage(format!("the API key `{id}` is revoked already")),
                None => unknown(&self.key),
            });
        }
        let generation = in_force(&app, &caller, "api key revoked").await?;
        Ok(json!({ "revoked": id, "generation": generation }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

inventory::submit! { Entry::of::<List>() }
inventory::submit! { Entry::of::<Show>() }
inventory::submit! { Entry::of::<Create>() }
inventory::submit! { Entry::of::<Revoke>() }
