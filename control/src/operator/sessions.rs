//! `sp admin session`: log-ins, and ending them.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use schema::queries::{identity, operate as sql};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::ids::{SessionId, UserId};

use super::admin::{self, Page, connect, in_force, refused};
use super::users::{log_out, void_tokens};
use super::{Caller, Command, CommandError, Entry};
use crate::app::App;

/// Lists log-ins.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
pub struct Sessions {
    /// Only of this user
    #[arg(long, value_name = "USER")]
    #[schemars(with = "Option<String>")]
    user: Option<UserId>,
    /// Those that ended too
    #[arg(long)]
    #[serde(default)]
    all: bool,
    #[command(flatten)]
    #[serde(flatten)]
    page: Page,
}

impl Command for Sessions {
    const PATH: &'static [&'static str] = &["admin", "sessions", "list"];
    const ABOUT: &'static str = "List who is logged in: where, how and since when";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin sessions list --user ann";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let (max, after) = self.page.bounds();
        let user = self.user.as_ref().map(UserId::as_str);
        let now = Timestamp::now();
        let sessions = sql::list_sessions().bind(&**client, &user, &self.all, &now, &after, &max).all().await.map_err(refused)?;
        let row = |session: &sql::SessionRow| {
            json!({
                "id": session.id, "user": session.account, "method": session.method, "address": session.address,
                "user_agent": session.user_agent, "created_at": session.created_at, "last_seen_at": session.last_seen_at,
                "expires_at": session.expires_at, "ended_at": session.ended_at,
            })
        };
        Ok(self.page.answer("sessions", sessions.iter().map(row).collect(), "id"))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::rows(result, "sessions", &["id", "user", "method", "address", "last_seen_at", "expires_at"], out)
    }
}

/// Shows one log-in.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The session: the `sid` of its tokens, `session` in audit rows
    #[schemars(with = "String")]
    session: SessionId,
}

impl Command for Show {
    const PATH: &'static [&'static str] = &["admin", "sessions", "show"];
    const ABOUT: &'static str = "Show a log-in and which clients act for it";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin sessions show 0199c2f0-5a33-7c7e-9a7e-0d5a4c1f2b3e";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let id = self.session.as_str();
        let session = identity::session().bind(&**client, &id).opt().await.map_err(refused)?.ok_or_else(|| unknown(id))?;
        let clients = sql::clients_of_session().bind(&**client, &id).all().await.map_err(refused)?;
        let named =
            clients.iter().map(|of| json!({ "client": of.client, "name": of.name, "scopes": of.scopes, "since": of.created_at }));
        Ok(json!({
            "id": session.id, "user": session.account, "method": session.method, "address": session.address,
            "user_agent": session.user_agent, "created_at": session.created_at, "last_seen_at": session.last_seen_at,
            "expires_at": session.expires_at, "ended_at": session.ended_at, "clients": named.collect::<Vec<_>>(),
        }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

fn unknown(id: &str) -> CommandError {
    CommandError::NotFound(format!("there is no session `{id}`; see `sp admin sessions list --all`"))
}

/// Ends log-ins.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The session
    #[arg(required_unless_present = "user")]
    #[schemars(with = "Option<String>")]
    session: Option<SessionId>,
    /// Every session of this user, and every token it has
    #[arg(long, value_name = "USER", conflicts_with = "session")]
    #[schemars(with = "Option<String>")]
    user: Option<UserId>,
}

impl Command for Revoke {
    const PATH: &'static [&'static str] = &["admin", "sessions", "revoke"];
    const ABOUT: &'static str =
        "End a log-in, or all of a user: when this answers, its tokens are refused on every shard; API keys stay";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin sessions revoke --user ann";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let mut client = connect(&app).await?;
        let (by, now) = (caller.claims.sub.as_str(), Timestamp::now());
        let transaction = client.transaction().await.map_err(refused)?;
        let (what, ended) = match (&self.session, &self.user) {
            (Some(session), None) => {
                let id = session.as_str();
                let ended = identity::end_session().bind(&*transaction, &now, &id).await.map_err(refused)?;
                sql::end_families_of_session().bind(&*transaction, &now, &"session revoked", &id).await.map_err(refused)?;
                // A session of tokens that were minted with the key has no row, and ends all the same.
                void_tokens(&transaction, "session", id, "session revoked", by, now).await?;
                (id.to_owned(), ended as i64)
            }
            (None, Some(user)) => {
                let ended = log_out(&transaction, user.as_str(), "sessions revoked", by, now).await?;
                (user.to_string(), ended)
            }
            _ => return Err(CommandError::Usage("name a session, or a user with --user, and not both".to_owned())),
        };
        transaction.commit().await.map_err(refused)?;
        let generation = in_force(&app, &caller, "session revoked").await?;
        Ok(json!({ "revoked": what, "sessions_ended": ended, "generation": generation }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

inventory::submit! { Entry::of::<Sessions>() }
inventory::submit! { Entry::of::<Show>() }
inventory::submit! { Entry::of::<Revoke>() }
