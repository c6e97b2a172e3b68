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

/// Changes the key.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotate {}

impl Command for Rotate {
    const PATH: &'static [&'static str] = &["admin", "signing", "rotate"];
    const ABOUT: &'static str =
        "Sign with a new key from now on; tokens that were signed before hold until they expire, or are revoked";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin signing rotate";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let kid = app.oauth.ring.rotate(&app).await.map_err(|error| CommandError::Failed(error.to_string()))?;
        Ok(json!({ "kid": kid }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

inventory::submit! { Entry::of::<List>() }
inventory::submit! { Entry::of::<Rotate>() }
