//! `sp admin clients`: OAuth clients. People's applications register themselves; those that act without a person, exchange
//! tokens or ask about them are made here, and their secret is shown once.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use schema::queries::{oauth as sql, operate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::ids::{ScopeName, UserId};

use super::admin::{self, connect, refused, texts};
use super::{Caller, Command, CommandError, Entry};
use crate::app::App;
use crate::oauth::token::EXCHANGE;
use crate::people::secret;

/// LIMIT: what the id of a client that operators make may have; it stands in audit rows.
const ID_BYTES_MAX: usize = 64;

fn row(client: &sql::Client) -> Value {
    json!({
        "id": client.id, "name": client.name, "origin": client.origin, "state": if client.disabled_at.is_some() { "disabled" } else { "live" },
        "auth_method": client.auth_method, "grant_types": client.grant_types, "redirect_uris": client.redirect_uris,
        "scopes": client.scopes, "user": client.account, "may_exchange": client.may_exchange,
        "may_introspect": client.may_introspect, "last_used_at": client.last_used_at, "created_at": client.created_at,
        "created_by": client.created_by,
    })
}

/// Lists clients.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
pub struct List {}

impl Command for List {
    const PATH: &'static [&'static str] = &["admin", "clients", "list"];
    const ABOUT: &'static str = "List OAuth clients, where each comes from and when it was last used";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin clients list";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let database = connect(&app).await?;
        let clients = sql::clients().bind(&**database).all().await.map_err(refused)?;
        Ok(json!({ "clients": clients.iter().map(row).collect::<Vec<_>>() }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::rows(result, "clients", &["id", "name", "origin", "state", "auth_method", "user", "last_used_at"], out)
    }
}

/// Makes a client that acts for itself.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// Its client id
    #[arg(value_name = "ID")]
    id: String,
    /// The user it acts as, made before with `sp admin users create ID --tier service`
    #[arg(long, value_name = "USER")]
    #[schemars(with = "String")]
    user: UserId,
    /// What people call it
    #[arg(long, default_value = "")]
    #[serde(default)]
    name: String,
    /// The most it may ask for; may be repeated [default: whatever its user may]
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    scopes: Vec<ScopeName>,
    /// It may exchange tokens of people for tokens on their behalf (RFC 8693)
    #[arg(long)]
    #[serde(default)]
    may_exchange: bool,
    /// It may ask about tokens that were not issued to it (RFC 7662)
    #[arg(long)]
    #[serde(default)]
    may_introspect: bool,
}

impl Command for Create {
    const PATH: &'static [&'static str] = &["admin", "clients", "create"];
    const ABOUT: &'static str = "Make an OAuth client that acts for itself (client credentials); its secret is shown this once";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin clients create nightly-report --user nightly-report --scope audit:read";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if self.id.is_empty() || self.id.len() > ID_BYTES_MAX || !self.id.bytes().all(is_plain) {
            let text = format!("a client id has letters, digits and `-._~`, at most {ID_BYTES_MAX}");
            return Err(CommandError::Usage(text));
        }
        let database = connect(&app).await?;
        let user = self.user.as_str();
        let owner = operate::user().bind(&**database, &user).opt().await.map_err(refused)?;
        if owner.is_none_or(|owner| owner.disabled_at.is_some()) {
            let text = format!("there is no enabled user `{user}`; make one with `sp admin users create {user} --tier service`");
            return Err(CommandError::NotFound(text));
        }
        if sql::client().bind(&**database, &self.id.as_str()).opt().await.map_err(refused)?.is_some() {
            return Err(CommandError::Usage(format!("there is a client `{}` already; see `sp admin clients list`", self.id)));
        }
        let secret = secret::random().map_err(|error| CommandError::Failed(error.to_string()))?;
        let digest = secret::digest(&secret);
        let mut grants = vec!["client_credentials"];
        if self.may_exchange {
            grants.push(EXCHANGE);
        }
        let scopes = Some(texts(&self.scopes)).filter(|scopes| !scopes.is_empty());
        let none: [&str; 0] = [];
        sql::put_client()
            .bind(
                &**database,
                &self.id.as_str(),
                &"operator",
                &self.name.as_str(),
                &&none[..],
                &&none[..],
                &&grants[..],
                &"client_secret_basic",
                &Some(&digest[..]),
                &None::<Value>,
                &"web",
                &None::<&str>,
                &scopes,
                &Some(user),
                &self.may_exchange,
                &self.may_introspect,
                &caller.claims.sub.as_str(),
                &None::<Timestamp>,
            )
            .await
            .map_err(refused)?;
        Ok(json!({
            "client_id": self.id, "client_secret": secret, "user": user, "grant_types": grants, "scopes": scopes,
            "token_endpoint": format!("{}{}", app.settings.public_url, crate::oauth::metadata::TOKEN),
        }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)?;
        writeln!(out, "keep the secret now: nobody can show it again")
    }
}

/// Shuts a client out.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disable {
    /// Its client id
    #[arg(value_name = "ID")]
    id: String,
}

impl Command for Disable {
    const PATH: &'static [&'static str] = &["admin", "clients", "disable"];
    const ABOUT: &'static str = "Give a client no more tokens; those it has end by themselves within minutes";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin clients disable nightly-report";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let database = connect(&app).await?;
        let changed = sql::disable_client().bind(&**database, &Timestamp::now(), &self.id.as_str()).await.map_err(refused)?;
        if changed == 0 { Err(unknown(&self.id)) } else { Ok(json!({ "disabled": self.id })) }
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Lets a client in again.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enable {
    /// Its client id
    #[arg(value_name = "ID")]
    id: String,
}

impl Command for Enable {
    const PATH: &'static [&'static str] = &["admin", "clients", "enable"];
    const ABOUT: &'static str = "Give a disabled client tokens again";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin clients enable nightly-report";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let database = connect(&app).await?;
        let changed = sql::enable_client().bind(&**database, &self.id.as_str()).await.map_err(refused)?;
        if changed == 0 { Err(unknown(&self.id)) } else { Ok(json!({ "enabled": self.id })) }
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

fn unknown(id: &str) -> CommandError {
    let shown: String = id.chars().take(80).collect();
    CommandError::NotFound(format!("there is no client `{shown}`; see `sp admin clients list`"))
}

inventory::submit! { Entry::of::<List>() }
inventory::submit! { Entry::of::<Create>() }
inventory::submit! { Entry::of::<Disable>() }
inventory::submit! { Entry::of::<Enable>() }
