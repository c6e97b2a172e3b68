//! `sp admin limits`: which rate limits there are, how much of them somebody has used, and giving it back.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use dataplane::inbox::Asked;
use jiff::Timestamp;
use schema::queries::operate as sql;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::decision::Tier;
use wire::ids::{AgentId, McpServerId, RoleName, SessionId, UserId};
use wire::snapshot::{Algorithm, CallClass, Limit, key_part};
use wire::token::{Audience, Claims};

use super::admin::{self, connect, refused};
use super::{Caller, Command, CommandError, Entry};
use crate::app::App;

/// Lists limits.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {}

fn row(limit: &Limit) -> Value {
    let per: Vec<&str> = key_part::WORDS.iter().filter(|(_, bit)| limit.key & bit != 0).map(|(word, _)| *word).collect();
    let algorithm = match limit.algorithm {
        Algorithm::Window => "window",
        Algorithm::Gcra => "gcra",
        Algorithm::Concurrency => "concurrency",
        Algorithm::Budget => "budget",
    };
    let class = match limit.class {
        CallClass::Calls => "calls",
        CallClass::Listings => "listings",
        CallClass::Denials => "denials",
    };
    let subject = &limit.subject;
    let subjects =
        [&subject.users, &subject.roles, &subject.departments, &subject.tenants, &subject.agents].map(|list| list.join(", "));
    let subjects: Vec<String> = subjects.into_iter().filter(|list| !list.is_empty()).collect();
    json!({
        "id": limit.id, "per": if per.is_empty() { vec!["global"] } else { per }, "algorithm": algorithm, "count": limit.count,
        "period_s": limit.period_us / 1_000_000, "counts": class, "for": subjects.join("; "), "servers": limit.servers,
        "tools": limit.tools, "mode": if limit.observe { "observe" } else { "enforce" },
    })
}

impl Command for List {
    const PATH: &'static [&'static str] = &["admin", "limits", "list"];
    const ABOUT: &'static str = "List the rate limits in force";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin limits list";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let publisher = app.publishing.publisher().await;
        let limits = publisher.snapshot().map(|snapshot| snapshot.limits.iter().map(row).collect::<Vec<_>>());
        Ok(json!({ "limits": limits.unwrap_or_default() }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::rows(result, "limits", &["id", "per", "algorithm", "count", "period_s", "counts", "for", "mode"], out)
    }
}

/// Whose call of what.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
pub struct Of {
    /// The user; roles, tenant and department are those of its account
    #[schemars(with = "String")]
    user: UserId,
    /// The MCP server that is called
    #[arg(long, value_name = "NAME")]
    #[schemars(with = "String")]
    server: McpServerId,
    /// The tool that is called
    #[arg(long, value_name = "NAME")]
    tool: String,
    /// The agent that acts
    #[arg(long, value_name = "ID")]
    #[schemars(with = "Option<String>")]
    agent: Option<AgentId>,
    /// The log-in session, for limits per session
    #[arg(long, value_name = "ID")]
    #[schemars(with = "Option<String>")]
    session: Option<SessionId>,
    /// A role beyond those of its account; may be repeated
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',')]
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    roles: Vec<RoleName>,
}

impl Of {
    async fn ask(self, app: &App, resets: bool) -> Result<Value, CommandError> {
        let client = connect(app).await?;
        let account = sql::user().bind(&**client, &self.user.as_str()).opt().await.map_err(refused)?;
        let mut roles = admin::texts(&self.roles);
        let (mut tier, mut tenant, mut department) = (Tier::User, String::new(), String::new());
        if let Some(account) = account {
            roles.extend(account.roles);
            tier = Tier::from_word(&account.tier).unwrap_or(Tier::User);
            tenant = account.tenant.unwrap_or_default();
            department = account.department.unwrap_or_default();
        }
        let text = |id: Option<String>| id.unwrap_or_default();
        let claims = Claims {
            iss: String::new(),
            aud: Audience::Many(Vec::new()),
            sub: self.user.to_string(),
            exp: 0,
            iat: 0,
            nbf: None,
            jti: String::new(),
            client_id: String::new(),
            scope: String::new(),
            sid: text(self.session.map(String::from)),
            tenant,
            department,
            tier,
            roles,
            agent: text(self.agent.map(String::from)),
            act: None,
            is_bound: false,
        };
        let asked = Asked { claims, server: self.server.to_string(), tool: self.tool.clone(), resets };
        let counts = app.plane.counts(asked).await;
        let counts = counts.into_iter().map(|count| {
            let ends =
                i64::try_from(count.ends_at_us).ok().filter(|at| *at > 0).and_then(|at| Timestamp::from_microsecond(at).ok());
            json!({ "limit": count.limit, "used": count.used, "of": count.of, "free_at": ends })
        });
        Ok(json!({ "user": self.user, "server": self.server, "tool": self.tool, "counts": counts.collect::<Vec<_>>() }))
    }
}

/// Shows how much of the limits somebody has used.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
pub struct Show {
    #[command(flatten)]
    #[serde(flatten)]
    of: Of,
}

impl Command for Show {
    const PATH: &'static [&'static str] = &["admin", "limits", "show"];
    const ABOUT: &'static str = "Show under which limits a call would fall, and how much of each is used";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin limits show ann --server git --tool git_log";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        self.of.ask(&app, false).await
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::rows(result, "counts", &["limit", "used", "of", "free_at"], out)
    }
}

/// Gives somebody back what was used.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
pub struct Reset {
    #[command(flatten)]
    #[serde(flatten)]
    of: Of,
}

impl Command for Reset {
    const PATH: &'static [&'static str] = &["admin", "limits", "reset"];
    const ABOUT: &'static str =
        "Give back what was used of the limits that a call falls under, until the gateway is started again; shows what it was";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin limits reset ann --server git --tool git_log";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        self.of.ask(&app, true).await
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::rows(result, "counts", &["limit", "used", "of"], out)
    }
}

inventory::submit! { Entry::of::<List>() }
inventory::submit! { Entry::of::<Show>() }
inventory::submit! { Entry::of::<Reset>() }
