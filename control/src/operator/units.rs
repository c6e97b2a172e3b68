//! `sp admin tenants` and `sp admin departments`: the names that grants, limits and accounts may use.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use schema::queries::operate as sql;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::ids::{DepartmentId, TenantId};

use super::admin::{self, connect, refused};
use super::{Caller, Command, CommandError, Entry};
use crate::app::App;
use crate::postgres::Connection;

/// Lists tenants.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tenants {}

impl Command for Tenants {
    const PATH: &'static [&'static str] = &["admin", "tenants", "list"];
    const ABOUT: &'static str = "List tenants and how many users and departments each has";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin tenants list";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let tenants = sql::tenants().bind(&**client).all().await.map_err(refused)?;
        Ok(json!({ "tenants": tenants }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::rows(result, "tenants", &["id", "name", "users", "departments", "created_by"], out)
    }
}

/// Makes a tenant.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTenant {
    /// Its id
    #[schemars(with = "String")]
    tenant: TenantId,
    /// What people call it
    #[arg(long, default_value = "")]
    #[serde(default)]
    name: String,
}

impl Command for CreateTenant {
    const PATH: &'static [&'static str] = &["admin", "tenants", "create"];
    const ABOUT: &'static str = "Make a tenant that users and departments can belong to";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin tenants create acme --name 'Acme Ltd'";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let (id, by) = (self.tenant.as_str(), caller.claims.sub.as_str());
        let made = sql::put_tenant().bind(&**client, &id, &self.name.as_str(), &by).await.map_err(refused)?;
        if made == 0 {
            Err(CommandError::Usage(format!("there is a tenant `{id}` already")))
        } else {
            Ok(json!({ "created": id }))
        }
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Shows a tenant.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowTenant {
    /// The tenant
    #[schemars(with = "String")]
    tenant: TenantId,
}

impl Command for ShowTenant {
    const PATH: &'static [&'static str] = &["admin", "tenants", "show"];
    const ABOUT: &'static str = "Show a tenant and how many users and departments it has";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin tenants show acme";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        Ok(json!(tenant(&connect(&app).await?, &self.tenant).await?))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

async fn tenant(client: &Connection, id: &TenantId) -> Result<sql::Tenants, CommandError> {
    let tenants = sql::tenants().bind(&***client).all().await.map_err(refused)?;
    let found = tenants.into_iter().find(|row| row.id == id.as_str());
    found.ok_or_else(|| {
        let advice = format!("see `sp admin tenants list`, or make it with `sp admin tenants create {id}`");
        CommandError::NotFound(format!("there is no tenant `{id}`; {advice}"))
    })
}

/// Changes a tenant.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTenant {
    /// The tenant
    #[schemars(with = "String")]
    tenant: TenantId,
    /// Another name
    #[arg(long)]
    name: String,
}

impl Command for UpdateTenant {
    const PATH: &'static [&'static str] = &["admin", "tenants", "update"];
    const ABOUT: &'static str = "Change what people call a tenant; its id stays, because grants, limits and audit rows say it";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin tenants update acme --name 'Acme Holding'";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        // Who is not there is found by reading it back.
        sql::update_tenant().bind(&**client, &self.name.as_str(), &self.tenant.as_str()).await.map_err(refused)?;
        Ok(json!(tenant(&client, &self.tenant).await?))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Removes a tenant.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteTenant {
    /// The tenant
    #[schemars(with = "String")]
    tenant: TenantId,
}

impl Command for DeleteTenant {
    const PATH: &'static [&'static str] = &["admin", "tenants", "delete"];
    const ABOUT: &'static str = "Remove a tenant that nobody belongs to any more";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin tenants delete acme";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let id = self.tenant.as_str();
        let found = tenant(&client, &self.tenant).await?;
        if found.users > 0 || found.departments > 0 {
            return Err(CommandError::Usage(format!(
                "tenant `{id}` has {} users and {} departments; move them first",
                found.users, found.departments
            )));
        }
        sql::drop_tenant().bind(&**client, &id).await.map_err(refused)?;
        Ok(json!({ "removed": id }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Lists departments.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Departments {}

impl Command for Departments {
    const PATH: &'static [&'static str] = &["admin", "departments", "list"];
    const ABOUT: &'static str = "List departments and how many users each has";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin departments list";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let departments = sql::departments().bind(&**client).all().await.map_err(refused)?;
        Ok(json!({ "departments": departments }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::rows(result, "departments", &["id", "tenant", "name", "users", "created_by"], out)
    }
}

/// Makes a department.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateDepartment {
    /// Its id
    #[schemars(with = "String")]
    department: DepartmentId,
    /// Its tenant
    #[arg(long, value_name = "ID")]
    #[schemars(with = "Option<String>")]
    tenant: Option<TenantId>,
    /// What people call it
    #[arg(long, default_value = "")]
    #[serde(default)]
    name: String,
}

impl Command for CreateDepartment {
    const PATH: &'static [&'static str] = &["admin", "departments", "create"];
    const ABOUT: &'static str = "Make a department that users can belong to, and grants and limits can speak to";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin departments create research --tenant acme";

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let (id, by) = (self.department.as_str(), caller.claims.sub.as_str());
        if let Some(id) = &self.tenant {
            tenant(&client, id).await?;
        }
        let tenant = self.tenant.as_ref().map(TenantId::as_str);
        let made = sql::put_department().bind(&**client, &id, &tenant, &self.name.as_str(), &by).await.map_err(refused)?;
        match made {
            0 => Err(CommandError::Usage(format!("there is a department `{id}` already"))),
            _ => Ok(json!({ "created": id, "tenant": tenant })),
        }
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Changes a department.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateDepartment {
    /// The department
    #[schemars(with = "String")]
    department: DepartmentId,
    /// Another name
    #[arg(long)]
    name: Option<String>,
    /// Another tenant
    #[arg(long, value_name = "ID", conflicts_with = "no_tenant")]
    #[schemars(with = "Option<String>")]
    tenant: Option<TenantId>,
    /// It belongs to no tenant any more
    #[arg(long)]
    #[serde(default)]
    no_tenant: bool,
}

impl Command for UpdateDepartment {
    const PATH: &'static [&'static str] = &["admin", "departments", "update"];
    const ABOUT: &'static str =
        "Change a department's name or tenant; its users keep the tenant that they have, `sp admin users update` changes that";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin departments update research --tenant acme --name 'Research and development'";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let (name, tenant) = (self.name.as_deref(), self.tenant.as_ref().map(TenantId::as_str));
        match (name, tenant, self.no_tenant) {
            (None, None, false) => {
                return Err(CommandError::Usage(
                    "nothing to change; say a name, a tenant, or that it leaves its tenant".to_owned(),
                ));
            }
            (_, Some(tenant), true) => {
                return Err(CommandError::Usage(format!("it cannot belong to `{tenant}` and to no tenant; say one of both")));
            }
            (_, Some(_), false) | (_, None, _) => {}
        }
        let client = connect(&app).await?;
        if let Some(id) = &self.tenant {
            self::tenant(&client, id).await?;
        }
        let id = self.department.as_str();
        // Who is not there is found by reading it back.
        sql::update_department().bind(&**client, &name, &self.no_tenant, &tenant, &id).await.map_err(refused)?;
        Ok(json!(department(&client, &self.department).await?))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

/// Shows a department.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowDepartment {
    /// The department
    #[schemars(with = "String")]
    department: DepartmentId,
}

impl Command for ShowDepartment {
    const PATH: &'static [&'static str] = &["admin", "departments", "show"];
    const ABOUT: &'static str = "Show a department, its tenant and how many users it has";
    const READ_ONLY: bool = true;
    const EXAMPLE: &'static str = "sp admin departments show research";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        Ok(json!(department(&connect(&app).await?, &self.department).await?))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

async fn department(client: &Connection, id: &DepartmentId) -> Result<sql::Departments, CommandError> {
    let departments = sql::departments().bind(&***client).all().await.map_err(refused)?;
    let found = departments.into_iter().find(|row| row.id == id.as_str());
    found.ok_or_else(|| CommandError::NotFound(format!("there is no department `{id}`; see `sp admin departments list`")))
}

/// Removes a department.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteDepartment {
    /// The department
    #[schemars(with = "String")]
    department: DepartmentId,
}

impl Command for DeleteDepartment {
    const PATH: &'static [&'static str] = &["admin", "departments", "delete"];
    const ABOUT: &'static str = "Remove a department that nobody belongs to any more";
    const READ_ONLY: bool = false;
    const EXAMPLE: &'static str = "sp admin departments delete research";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let client = connect(&app).await?;
        let id = self.department.as_str();
        let found = department(&client, &self.department).await?;
        if found.users > 0 {
            return Err(CommandError::Usage(format!("department `{id}` has {} users; move them first", found.users)));
        }
        sql::drop_department().bind(&**client, &id).await.map_err(refused)?;
        Ok(json!({ "removed": id }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        admin::lines(result, out)
    }
}

inventory::submit! { Entry::of::<Tenants>() }
inventory::submit! { Entry::of::<ShowTenant>() }
inventory::submit! { Entry::of::<CreateTenant>() }
inventory::submit! { Entry::of::<UpdateTenant>() }
inventory::submit! { Entry::of::<DeleteTenant>() }
inventory::submit! { Entry::of::<Departments>() }
inventory::submit! { Entry::of::<ShowDepartment>() }
inventory::submit! { Entry::of::<CreateDepartment>() }
inventory::submit! { Entry::of::<UpdateDepartment>() }
inventory::submit! { Entry::of::<DeleteDepartment>() }
