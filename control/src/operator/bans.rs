//! `sp admin bans`: users and networks that may call nothing.

use std::io::Write;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use dataplane::chain::blocklist::is_network;
use jiff::Timestamp;
use schema::queries::{operate as sql, policy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::ids::UserId;

use super::admin::{self, ahead_or_never, connect, in_force, refused};
use super::{Caller, Command, CommandError, Entry};
use crate::app::App;

/// What a ban keeps out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A user, whatever credential it shows
    User,
    /// An address or a network, such as 192.0.2.0/24
    Address,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Address => "address",
        }
    }
}

/// Lists bans.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {}

impl Command for List {
    const PATH: &'static [&'static str] = &["admin", "bans", "list"];
    const ABOUT: &'static str = "List banned users and networks";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin bans list";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let bans = sql::stored_bans().bind(&**client, &Timestamp::now()).all().await.map_err(refused)?;
        let row = |ban: &sql::StoredBans| {
            json!({
                "kind": ban.kind, "subject": ban.subject, "until": ban.until, "reason": ban.reason, "created_by": ban.created_by,
                "created_at": ban.created_at,
            })
        };
        Ok(json!({ "bans": bans.iter().map(row).collect::<Vec<_>>() }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::rows(result, "bans", &["kind", "subject", "until", "reason", "created_by"], out)
    }
}

/// Bans a user or a network.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// What it keeps out
    #[arg(value_enum)]
    kind: Kind,
    /// The user, address or network
    subject: String,
    /// When it ends by itself: 12h, 30d, or a time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why, for whoever looks later
    #[arg(long, default_value = "")]
    #[serde(default)]
    reason: String,
}

impl Command for Add {
    const PATH: &'static [&'static str] = &["admin", "bans", "add"];
    const ABOUT: &'static str = "Ban a user or a network: when this answers, its next call is denied on every shard";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str =
        "sp admin bans add user ann --until 7d --reason 'laptop stolen'\n  sp admin bans add address 192.0.2.0/24";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        match self.kind {
            Kind::User => {
                let user: UserId =
                    self.subject.parse().map_err(|error: wire::ids::IdError| CommandError::Usage(error.to_string()))?;
                if user.as_str() == caller.claims.sub {
                    return Err(CommandError::Usage("you cannot ban yourself; ask another operator".to_owned()));
                }
            }
            Kind::Address if !is_network(&self.subject) => {
                return Err(CommandError::Usage(format!(
                    "`{}` is neither an address nor a network; write 192.0.2.7 or 192.0.2.0/24",
                    self.subject
                )));
            }
            Kind::Address => {}
        }
        let until = ahead_or_never(self.until.as_deref())?;
        let client = connect(&app).await?;
        let (kind, subject, by) = (self.kind.word(), self.subject.as_str(), caller.claims.sub.as_str());
        policy::ban().bind(&**client, &kind, &subject, &until, &self.reason.as_str(), &by).await.map_err(refused)?;
        let generation = in_force(&app, &caller, "ban added").await?;
        Ok(json!({ "banned": subject, "kind": kind, "until": until, "generation": generation }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Ends a ban.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// What it keeps out
    #[arg(value_enum)]
    kind: Kind,
    /// The user, address or network
    subject: String,
}

impl Command for Remove {
    const PATH: &'static [&'static str] = &["admin", "bans", "remove"];
    const ABOUT: &'static str = "End a ban";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin bans remove user ann";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let (kind, subject) = (self.kind.word(), self.subject.as_str());
        if policy::unban().bind(&**client, &kind, &subject).await.map_err(refused)? == 0 {
            return Err(CommandError::NotFound(format!(
                "there is no ban of {kind} `{subject}`; see `sp admin bans list`, or `bans` in services/governance"
            )));
        }
        let generation = in_force(&app, &caller, "ban removed").await?;
        Ok(json!({ "removed": subject, "kind": kind, "generation": generation }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

inventory::submit! { Entry::of::<List>() }
inventory::submit! { Entry::of::<Add>() }
inventory::submit! { Entry::of::<Remove>() }
