//! `sp admin users`: people and machine accounts.

use std::io::Write;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use schema::queries::{identity, operate as sql, policy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::Transaction;
use wire::ids::{DepartmentId, Email, RoleName, TenantId, UserId};

use super::admin::{self, Page, REVOCATION_LIFE, connect, in_force, refused};
use super::{Caller, Command, CommandError, Entry};
use crate::app::App;

/// What kind of caller an account is. Kinds, not a ladder: none has another's rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccountTier {
    /// Operators of the gateway
    Admin,
    /// People
    User,
    /// Agents that speak the agent-to-agent protocol
    A2a,
    /// MCP servers that call back
    Mcp,
    /// Machine accounts
    Service,
}

impl AccountTier {
    fn word(self) -> &'static str {
        match self {
            AccountTier::Admin => "admin",
            AccountTier::User => "user",
            AccountTier::A2a => "a2a",
            AccountTier::Mcp => "mcp",
            AccountTier::Service => "service",
        }
    }
}

fn row(user: &sql::User) -> Value {
    let state = match (&user.merged_into, user.disabled_at) {
        (Some(into), _) => format!("merged into {into}"),
        (None, Some(_)) => "disabled".to_owned(),
        (None, None) => "enabled".to_owned(),
    };
    json!({
        "id": user.id, "tier": user.tier, "name": user.name, "email": user.email, "tenant": user.tenant,
        "department": user.department, "roles": user.roles, "state": state, "created_at": user.created_at,
        "created_by": user.created_by, "disabled_at": user.disabled_at,
    })
}

async fn find(client: &tokio_postgres::Client, id: &str) -> Result<sql::User, CommandError> {
    let found = sql::user().bind(client, &id).opt().await.map_err(refused)?;
    found.ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> CommandError {
    CommandError::NotFound(format!("there is no user `{id}`; see `sp admin users list`"))
}

/// Lists accounts.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
pub struct List {
    /// Only of this tenant
    #[arg(long, value_name = "ID")]
    #[schemars(with = "Option<String>")]
    tenant: Option<TenantId>,
    /// Only of this department
    #[arg(long, value_name = "ID")]
    #[schemars(with = "Option<String>")]
    department: Option<DepartmentId>,
    /// Only those who have this role
    #[arg(long, value_name = "ROLE")]
    #[schemars(with = "Option<String>")]
    role: Option<RoleName>,
    /// Only those whose id, name or e-mail address contains this
    #[arg(long)]
    text: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    page: Page,
}

impl Command for List {
    const PATH: &'static [&'static str] = &["admin", "users", "list"];
    const ABOUT: &'static str = "List people and machine accounts";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin users list --role developer";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let (max, after) = self.page.bounds();
        let (tenant, department) = (self.tenant.map(String::from), self.department.map(String::from));
        let role = self.role.map(String::from);
        let users = sql::users().bind(&**client, &after, &tenant, &department, &role, &self.text, &max).all().await;
        Ok(self.page.answer("users", users.map_err(refused)?.iter().map(row).collect(), "id"))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::rows(result, "users", &["id", "tier", "name", "email", "department", "roles", "state"], out)
    }
}

/// Shows one account.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The user
    #[schemars(with = "String")]
    user: UserId,
}

impl Command for Show {
    const PATH: &'static [&'static str] = &["admin", "users", "show"];
    const ABOUT: &'static str = "Show an account: its roles, and what it can log in with";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin users show ann";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let user = find(&client, self.user.as_str()).await?;
        let has = sql::user_credentials().bind(&**client, &user.id, &Timestamp::now()).one().await.map_err(refused)?;
        let mut shown = row(&user);
        shown["passkeys"] = json!(has.passkeys);
        shown["has_password"] = json!(has.passwords > 0);
        shown["identities"] = json!(has.identities);
        shown["sessions"] = json!(has.sessions);
        shown["api_keys"] = json!(has.keys);
        Ok(shown)
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Makes an account.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// Its id: the subject of its tokens, in every audit row, and never given to anybody else
    #[schemars(with = "String")]
    user: UserId,
    /// What kind of caller
    #[arg(long, value_enum, default_value = "user")]
    #[serde(default = "user_tier")]
    tier: AccountTier,
    /// What people call it
    #[arg(long, default_value = "")]
    #[serde(default)]
    name: String,
    /// Its e-mail address
    #[arg(long, value_name = "ADDRESS")]
    #[schemars(with = "Option<String>")]
    email: Option<Email>,
    /// Its tenant
    #[arg(long, value_name = "ID")]
    #[schemars(with = "Option<String>")]
    tenant: Option<TenantId>,
    /// Its department
    #[arg(long, value_name = "ID")]
    #[schemars(with = "Option<String>")]
    department: Option<DepartmentId>,
    /// Its roles; may be repeated
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',')]
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    roles: Vec<RoleName>,
}

fn user_tier() -> AccountTier {
    AccountTier::User
}

impl Command for Create {
    const PATH: &'static [&'static str] = &["admin", "users", "create"];
    const ABOUT: &'static str = "Make an account for a person or a machine";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin users create ann --email ann@example.com --department research --role developer\n  \
         sp admin users create nightly-report --tier service --role auditor";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let mut client = connect(&app).await?;
        roles_exist(&app, &client, &self.roles).await?;
        units_exist(&client, self.tenant.as_ref(), self.department.as_ref()).await?;
        let transaction = client.transaction().await.map_err(refused)?;
        let (id, by) = (self.user.as_str(), caller.claims.sub.as_str());
        let email = self.email.as_ref().map(Email::as_str);
        let (tenant, department) =
            (self.tenant.as_ref().map(TenantId::as_str), self.department.as_ref().map(DepartmentId::as_str));
        let made = identity::put_account()
            .bind(&*transaction, &id, &self.tier.word(), &self.name.as_str(), &email, &tenant, &department, &by)
            .await
            .map_err(refused)?;
        if made == 0 {
            return Err(CommandError::Usage(format!(
                "the id `{id}` or its e-mail address is taken, and ids are never given twice; choose another"
            )));
        }
        for role in &self.roles {
            identity::put_account_role().bind(&*transaction, &id, &role.as_str(), &"local", &by).await.map_err(refused)?;
        }
        transaction.commit().await.map_err(refused)?;
        in_force(&app, &caller, "user created").await?;
        Ok(row(&find(&client, id).await?))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)?;
        let id = result["id"].as_str().unwrap_or_default();
        writeln!(out, "next: a key for it with `sp admin keys create --user {id}`")
    }
}

/// Roles come from files or from the database; a misspelt one would silently give nothing.
async fn roles_exist(app: &App, client: &tokio_postgres::Client, roles: &[RoleName]) -> Result<(), CommandError> {
    let stored = policy::roles().bind(client).all().await.map_err(refused)?;
    let publisher = app.publishing.publisher().await;
    let declared = &publisher.services().roles;
    for role in roles {
        let known = declared.iter().any(|(name, _)| name == role) || stored.iter().any(|row| row.name == role.as_str());
        if !known {
            return Err(CommandError::NotFound(format!(
                "there is no role `{role}`; see `sp admin roles list`, or make it with `sp admin roles create {role}`"
            )));
        }
    }
    Ok(())
}

async fn units_exist(
    client: &tokio_postgres::Client,
    tenant: Option<&TenantId>,
    department: Option<&DepartmentId>,
) -> Result<(), CommandError> {
    if let Some(tenant) = tenant {
        let known = sql::tenants().bind(client).all().await.map_err(refused)?;
        if !known.iter().any(|row| row.id == tenant.as_str()) {
            return Err(CommandError::NotFound(format!(
                "there is no tenant `{tenant}`; make it with `sp admin tenants create {tenant}`"
            )));
        }
    }
    if let Some(department) = department {
        let known = sql::departments().bind(client).all().await.map_err(refused)?;
        if !known.iter().any(|row| row.id == department.as_str()) {
            return Err(CommandError::NotFound(format!(
                "there is no department `{department}`; make it with `sp admin departments create {department}`"
            )));
        }
    }
    Ok(())
}

/// Changes an account.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// The user
    #[schemars(with = "String")]
    user: UserId,
    /// Another kind of caller
    #[arg(long, value_enum)]
    tier: Option<AccountTier>,
    /// Another name
    #[arg(long)]
    name: Option<String>,
    /// Another e-mail address
    #[arg(long, value_name = "ADDRESS")]
    #[schemars(with = "Option<String>")]
    email: Option<Email>,
    /// Another tenant
    #[arg(long, value_name = "ID")]
    #[schemars(with = "Option<String>")]
    tenant: Option<TenantId>,
    /// Another department
    #[arg(long, value_name = "ID")]
    #[schemars(with = "Option<String>")]
    department: Option<DepartmentId>,
    /// A role it gets; may be repeated
    #[arg(long, value_name = "ROLE", value_delimiter = ',')]
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    add_role: Vec<RoleName>,
    /// A role it loses; may be repeated
    #[arg(long, value_name = "ROLE", value_delimiter = ',')]
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    remove_role: Vec<RoleName>,
}

impl Command for Update {
    const PATH: &'static [&'static str] = &["admin", "users", "update"];
    const ABOUT: &'static str =
        "Change an account; tokens that still say what it was before stop working, and are refreshed without a word";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin users update ann --add-role maintainer --remove-role developer";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let mut client = connect(&app).await?;
        roles_exist(&app, &client, &self.add_role).await?;
        units_exist(&client, self.tenant.as_ref(), self.department.as_ref()).await?;
        let (id, by, now) = (self.user.as_str(), caller.claims.sub.as_str(), Timestamp::now());
        let transaction = client.transaction().await.map_err(refused)?;
        sql::lock_accounts().bind(&*transaction).one().await.map_err(refused)?;
        let user = sql::user().bind(&*transaction, &id).opt().await.map_err(refused)?.ok_or_else(|| unknown(id))?;
        if self.tier.is_some_and(|tier| tier != AccountTier::Admin) {
            keep_an_administrator(&transaction, &user).await?;
        }
        let tier = self.tier.map_or_else(|| user.tier.clone(), |tier| tier.word().to_owned());
        let name = self.name.as_deref().unwrap_or(&user.name);
        let email = self.email.as_ref().map(Email::as_str).or(user.email.as_deref());
        let tenant = self.tenant.as_ref().map(TenantId::as_str).or(user.tenant.as_deref());
        let department = self.department.as_ref().map(DepartmentId::as_str).or(user.department.as_deref());
        identity::update_account().bind(&*transaction, &tier, &name, &email, &tenant, &department, &id).await.map_err(refused)?;
        for role in &self.add_role {
            identity::put_account_role().bind(&*transaction, &id, &role.as_str(), &"local", &by).await.map_err(refused)?;
        }
        for role in &self.remove_role {
            identity::drop_account_role().bind(&*transaction, &id, &role.as_str(), &"local").await.map_err(refused)?;
        }
        let now_is = sql::user().bind(&*transaction, &id).one().await.map_err(refused)?;
        let rights = |user: &sql::User| (user.tier.clone(), user.tenant.clone(), user.department.clone(), user.roles.clone());
        let changed = rights(&user) != rights(&now_is);
        if changed {
            void_tokens(&transaction, "user", id, "account changed", by, now).await?;
        }
        transaction.commit().await.map_err(refused)?;
        in_force(&app, &caller, "user changed").await?;
        let kept: Vec<&RoleName> =
            self.remove_role.iter().filter(|role| now_is.roles.iter().any(|has| has == role.as_str())).collect();
        let mut shown = row(&now_is);
        if !kept.is_empty() {
            let kept: Vec<String> = kept.iter().map(ToString::to_string).collect();
            shown["note"] = json!(format!("an identity provider gives {} at every log-in; take it away there", kept.join(", ")));
        }
        Ok(shown)
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Somebody must be able to undo it.
async fn keep_an_administrator(transaction: &Transaction<'_>, user: &sql::User) -> Result<(), CommandError> {
    if user.tier != "admin" || user.disabled_at.is_some() {
        return Ok(());
    }
    let others = sql::other_administrators().bind(transaction, &user.id).one().await.map_err(refused)?;
    if others > 0 {
        return Ok(());
    }
    Err(CommandError::Usage(format!(
        "`{}` is the last administrator; make another first, for example with `sp admin users update NAME --tier admin`",
        user.id
    )))
}

/// Tokens of a subject that were issued until now are dead.
pub(super) async fn void_tokens(
    transaction: &Transaction<'_>,
    kind: &str,
    subject: &str,
    reason: &str,
    by: &str,
    now: Timestamp,
) -> Result<(), CommandError> {
    let expires = now.checked_add(REVOCATION_LIFE).ok();
    let revoked = policy::revoke().bind(transaction, &kind, &subject, &now, &expires, &reason, &by).one().await;
    revoked.map(drop).map_err(refused)
}

/// Ends everything that somebody is logged in with. API keys stay.
pub(super) async fn log_out(
    transaction: &Transaction<'_>,
    id: &str,
    reason: &str,
    by: &str,
    now: Timestamp,
) -> Result<i64, CommandError> {
    let ended = identity::end_sessions().bind(transaction, &now, &id).all().await.map_err(refused)?;
    sql::end_families().bind(transaction, &now, &reason, &id).await.map_err(refused)?;
    void_tokens(transaction, "user", id, reason, by, now).await?;
    Ok(ended.len() as i64)
}

/// What ends an account in one way or another.
async fn end(app: &App, caller: &Caller, id: &str, how: Ending<'_>) -> Result<Value, CommandError> {
    let mut client = connect(app).await?;
    let (by, now) = (caller.claims.sub.as_str(), Timestamp::now());
    let transaction = client.transaction().await.map_err(refused)?;
    sql::lock_accounts().bind(&*transaction).one().await.map_err(refused)?;
    let user = sql::user().bind(&*transaction, &id).opt().await.map_err(refused)?.ok_or_else(|| unknown(id))?;
    keep_an_administrator(&transaction, &user).await?;
    let why = match how {
        Ending::Disable => {
            identity::disable_account().bind(&*transaction, &now, &id).await.map_err(refused)?;
            "user disabled"
        }
        Ending::Erase => {
            sql::erase_credentials().bind(&*transaction, &id, &now, &by).await.map_err(refused)?;
            sql::erase_account().bind(&*transaction, &now, &id).await.map_err(refused)?;
            "user deleted"
        }
        Ending::MergeInto(into) => {
            let target = sql::user().bind(&*transaction, &into).opt().await.map_err(refused)?.ok_or_else(|| unknown(into))?;
            if into == id || target.merged_into.is_some() {
                return Err(CommandError::Usage(format!(
                    "`{into}` cannot take `{id}` in: it is the same, or merged away itself"
                )));
            }
            if user.merged_into.is_some() {
                return Err(CommandError::Usage(format!("`{id}` is merged already; see `sp admin users show {id}`")));
            }
            sql::merge_account().bind(&*transaction, &into, &by, &id, &now).await.map_err(refused)?;
            void_tokens(&transaction, "user", into, "account changed", by, now).await?;
            "users merged"
        }
    };
    let sessions = log_out(&transaction, id, why, by, now).await?;
    transaction.commit().await.map_err(refused)?;
    let generation = in_force(app, caller, why).await?;
    Ok(json!({ "user": id, "done": why, "sessions_ended": sessions, "generation": generation }))
}

enum Ending<'a> {
    Disable,
    Erase,
    MergeInto(&'a str),
}

/// Shuts an account out.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disable {
    /// The user
    #[schemars(with = "String")]
    user: UserId,
}

impl Command for Disable {
    const PATH: &'static [&'static str] = &["admin", "users", "disable"];
    const ABOUT: &'static str =
        "Shut an account out: it is logged out everywhere, and when this answers, its next call is denied on every shard";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin users disable ann";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        end(&app, &caller, self.user.as_str(), Ending::Disable).await
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Lets an account in again.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enable {
    /// The user
    #[schemars(with = "String")]
    user: UserId,
}

impl Command for Enable {
    const PATH: &'static [&'static str] = &["admin", "users", "enable"];
    const ABOUT: &'static str = "Let an account in again; it has to log in anew, its API keys work as before";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin users enable ann";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let id = self.user.as_str();
        find(&client, id).await?;
        if identity::enable_account().bind(&**client, &id).await.map_err(refused)? == 0 {
            return Err(CommandError::Usage(format!("`{id}` was merged into another account and stays shut out")));
        }
        let generation = in_force(&app, &caller, "user enabled").await?;
        Ok(json!({ "user": id, "done": "user enabled", "generation": generation }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Erases an account.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The user
    #[schemars(with = "String")]
    user: UserId,
}

impl Command for Delete {
    const PATH: &'static [&'static str] = &["admin", "users", "delete"];
    const ABOUT: &'static str =
        "Erase an account: name, address, credentials, roles and keys; its id stays in the audit trail and is never given again";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin users delete ann";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        end(&app, &caller, self.user.as_str(), Ending::Erase).await
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Makes one account out of two.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// The account that ends
    #[schemars(with = "String")]
    user: UserId,
    /// The account that takes over its roles, passkeys, identities and API keys
    #[arg(long, value_name = "USER")]
    #[schemars(with = "String")]
    into: UserId,
}

impl Command for Merge {
    const PATH: &'static [&'static str] = &["admin", "users", "merge"];
    const ABOUT: &'static str = "Make one account out of two of the same person";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin users merge ann-old --into ann";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        end(&app, &caller, self.user.as_str(), Ending::MergeInto(self.into.as_str())).await
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

inventory::submit! { Entry::of::<List>() }
inventory::submit! { Entry::of::<Show>() }
inventory::submit! { Entry::of::<Create>() }
inventory::submit! { Entry::of::<Update>() }
inventory::submit! { Entry::of::<Disable>() }
inventory::submit! { Entry::of::<Enable>() }
inventory::submit! { Entry::of::<Delete>() }
inventory::submit! { Entry::of::<Merge>() }
