//! `sp admin users link`: lets somebody in who has nothing to log in with yet, or nothing any more.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use schema::queries::operate as sql;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::ids::UserId;

use super::admin::{self, connect, refused};
use super::{Caller, Command, CommandError, Entry};
use crate::app::App;
use crate::people;

/// Makes a link that logs somebody in once.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The user
    #[schemars(with = "String")]
    user: UserId,
}

impl Command for Link {
    const PATH: &'static [&'static str] = &["admin", "users", "link"];
    const ABOUT: &'static str =
        "Make a link with which somebody logs in once, within 72 hours, to add a passkey; the one before it ends";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin users link ann";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let id = self.user.as_str();
        let user = sql::user().bind(&**client, &id).opt().await.map_err(refused)?;
        if user.is_none_or(|user| user.disabled_at.is_some()) {
            return Err(CommandError::NotFound(format!("there is no enabled user `{id}`; see `sp admin users list`")));
        }
        let link = people::link_for(&client, &app.settings.public_url, id, &caller.claims.sub).await;
        let link = link.map_err(|error| CommandError::Failed(error.to_string()))?;
        Ok(json!({ "user": id, "link": link, "valid_hours": 72 }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)?;
        writeln!(out, "whoever opens it is `{}`: send it by a way that you trust", result["user"].as_str().unwrap_or_default())
    }
}

inventory::submit! { Entry::of::<Link>() }
