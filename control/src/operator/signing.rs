//! `sp admin signing`: the keys that sign what the authorization server issues. They change by themselves; an operator changes
//! one at once when its private half may have been seen.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use schema::queries::identity as sql;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::admin::{self, connect, refused};
use super::{Caller, Command, CommandError, Entry};
use crate::app::App;
use crate::oauth::signing::Before;

/// Lists keys.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {}

impl Command for List {
    const PATH: &'static [&'static str] = &["admin", "signing", "list"];
    const ABOUT: &'static str =
        "List the keys that sign tokens: whose each is, from when to when it signs, and until when it verifies";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin signing list";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let now = Timestamp::now();
        let keys = sql::signing_keys().bind(&**client, &now).all().await.map_err(refused)?;
        let row = |key: &sql::SigningKeys| {
            let signs = key.signs_from <= now && now < key.signs_until;
            let state = if signs {
                "signs"
            } else if key.signs_from > now {
                "is next"
            } else {
                "verifies"
            };
            json!({
                "kid": key.kid, "node": key.node, "algorithm": key.algorithm, "state": state, "signs_from": key.signs_from,
                "signs_until": key.signs_until, "verifies_until": key.verifies_until,
            })
        };
        Ok(json!({ "keys": keys.iter().map(row).collect::<Vec<_>>() }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::rows(result, "keys", &["kid", "state", "signs_from", "signs_until", "verifies_until", "node"], out)
    }
}

/// What is said to whoever did not say yes.
const WARNING: &str = "nothing was done. `--revoke-old` refuses every access token and ID token that this gateway has signed until \
     now, on all shards at once: applications with a refresh token renew theirs, all others have to log in or ask for a token again. \
     API keys, log-ins in browsers and tokens of `sp admin session token` stay. If that is meant, say it with `--yes` (for agents: \
     `\"yes\": true`)";

/// Changes the key.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// Refuse at once whatever the keys before have signed: for a key whose private half others may have seen
    #[arg(long)]
    #[serde(default)]
    revoke_old: bool,
    /// Yes, every access token that was signed before may stop working
    #[arg(long, requires = "revoke_old")]
    #[serde(default)]
    yes: bool,
}

impl Command for Rotate {
    const PATH: &'static [&'static str] = &["admin", "signing", "rotate"];
    const ABOUT: &'static str =
        "Sign with a new key from now on; tokens that were signed before hold until they expire, or are refused at once";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin signing rotate\n  sp admin signing rotate --revoke-old --yes";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        if self.revoke_old && !self.yes {
            return Err(CommandError::Usage(WARNING.to_owned()));
        }
        let before = if self.revoke_old { Before::Revoked } else { Before::Verifies };
        let rotated = app.oauth.ring.rotate(&app, before).await.map_err(|error| match before {
            Before::Verifies => CommandError::Failed(error.to_string()),
            Before::Revoked => CommandError::Failed(format!(
                "the keys before may go on to verify ({error}); see `sp admin signing list`, and give the command again"
            )),
        })?;
        Ok(match before {
            Before::Verifies => json!({ "kid": rotated.kid }),
            Before::Revoked => json!({ "kid": rotated.kid, "revoked": rotated.revoked }),
        })
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

inventory::submit! { Entry::of::<List>() }
inventory::submit! { Entry::of::<Rotate>() }
