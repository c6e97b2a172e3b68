//! `sp admin roles`: named bundles of scopes, declared in `services/access/` or kept in the database.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use clap::Args;
use schema::queries::{operate as sql, policy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::ids::{RoleName, ScopeName};

use super::admin::{self, connect, in_force, refused, texts};
use super::{Caller, Command, CommandError, Entry};
use crate::app::App;

/// Lists roles.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {}

impl Command for List {
    const PATH: &'static [&'static str] = &["admin", "roles", "list"];
    const ABOUT: &'static str = "List roles, what they stand for, and how many users have them";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin roles list";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        Ok(json!({ "roles": all(&app).await?.into_values().collect::<Vec<_>>() }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::rows(result, "roles", &["name", "scopes", "users", "source", "description"], out)
    }
}

/// Shows a role.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The role
    #[schemars(with = "String")]
    role: RoleName,
}

impl Command for Show {
    const PATH: &'static [&'static str] = &["admin", "roles", "show"];
    const ABOUT: &'static str = "Show what a role stands for, where it is declared, and how many users have it";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin roles show developer";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        all(&app).await?.remove(self.role.as_str()).ok_or_else(|| unknown(&self.role))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

fn unknown(role: &RoleName) -> CommandError {
    CommandError::NotFound(format!("there is no role `{role}`; see `sp admin roles list`"))
}

/// Every role, of the tree and of the database, by name.
async fn all(app: &App) -> Result<BTreeMap<String, Value>, CommandError> {
    let client = connect(app).await?;
    let holders = sql::holders().bind(&**client).all().await.map_err(refused)?;
    let users = |role: &str| holders.iter().find(|row| row.role == role).map_or(0, |row| row.users);
    let mut roles: BTreeMap<String, Value> = BTreeMap::new();
    for role in sql::stored_roles().bind(&**client).all().await.map_err(refused)? {
        let row = json!({
            "name": role.name, "scopes": role.scopes, "users": users(&role.name), "source": "database",
            "description": role.description, "created_by": role.created_by, "created_at": role.created_at,
        });
        roles.insert(role.name, row);
    }
    let publisher = app.publishing.publisher().await;
    for (name, declared) in &publisher.services().roles {
        let place = format!("{}:{}", declared.place.file.display(), declared.place.mark.line);
        let mut scopes = texts(&declared.what.scopes);
        let source = match roles.get(name.as_str()) {
            None => place,
            Some(stored) => {
                scopes.extend(stored["scopes"].as_array().into_iter().flatten().filter_map(|s| s.as_str().map(str::to_owned)));
                format!("{place} and database")
            }
        };
        let row = json!({
            "name": name, "scopes": scopes, "users": users(name.as_str()), "source": source,
            "description": declared.what.description,
        });
        roles.insert(name.to_string(), row);
    }
    Ok(roles)
}

/// Makes or changes a role.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// Its name
    #[schemars(with = "String")]
    role: RoleName,
    /// A scope that it stands for; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    scopes: Vec<ScopeName>,
    /// Who is meant, in a sentence
    #[arg(long, default_value = "")]
    #[serde(default)]
    description: String,
}

impl Command for Create {
    const PATH: &'static [&'static str] = &["admin", "roles", "create"];
    const ABOUT: &'static str =
        "Make a role in the database, or give it other scopes; roles of services/access are changed there";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str =
        "sp admin roles create reviewer --scope tools:call --scope files:read --description 'Reads code'";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        if let Some(place) = declared(&app, &self.role).await {
            return Err(CommandError::Usage(format!("role `{}` stands in {place}; change it there and reload", self.role)));
        }
        let (name, scopes) = (self.role.as_str(), texts(&self.scopes));
        let (description, by) = (self.description.as_str(), caller.claims.sub.as_str());
        policy::put_role().bind(&**client, &name, &scopes, &description, &by).await.map_err(refused)?;
        let generation = in_force(&app, &caller, "role changed").await?;
        Ok(json!({ "name": name, "scopes": scopes, "generation": generation }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

async fn declared(app: &App, role: &RoleName) -> Option<String> {
    let publisher = app.publishing.publisher().await;
    let found = publisher.services().roles.iter().find(|(name, _)| name == role)?;
    Some(format!("`{}`, line {}", found.1.place.file.display(), found.1.place.mark.line))
}

/// Removes a role.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The role
    #[schemars(with = "String")]
    role: RoleName,
}

impl Command for Delete {
    const PATH: &'static [&'static str] = &["admin", "roles", "delete"];
    const ABOUT: &'static str = "Remove a role from the database: who has it loses its scopes at once";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin roles delete reviewer";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        if sql::drop_role().bind(&**client, &self.role.as_str()).await.map_err(refused)? == 0 {
            return Err(match declared(&app, &self.role).await {
                Some(place) => CommandError::Usage(format!("role `{}` stands in {place}; remove it there and reload", self.role)),
                None => unknown(&self.role),
            });
        }
        let generation = in_force(&app, &caller, "role removed").await?;
        Ok(json!({ "removed": self.role, "generation": generation }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

inventory::submit! { Entry::of::<List>() }
inventory::submit! { Entry::of::<Show>() }
inventory::submit! { Entry::of::<Create>() }
inventory::submit! { Entry::of::<Delete>() }
