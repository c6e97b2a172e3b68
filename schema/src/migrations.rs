//! The schema's history, embedded in the binary and applied at start.

use tokio_postgres::Client;

#[allow(missing_docs, unreachable_pub, reason = "generated")]
mod embedded {
    refinery::embed_migrations!("migrations");
}

/// What the application role may do; run after every migration, because tables come and go.
const GRANTS: &str = include_str!("migrations/grants.sql");

/// LIMIT: what the migrations and the rights on schema `public` rely on.
const SERVER_MIN: i32 = 15;

/// Two processes that start at once on one database take turns. The number is `sp` in ASCII and means nothing more.
const LOCK: i64 = 0x73_70;

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A migration failed, or the database holds migrations that this binary does not know.
    #[error("a migration failed; if a newer sp has used this database, start that version")]
    Migration(#[source] refinery::Error),
    /// The server is too old, or the database cannot keep every text.
    #[error("the database server {0}")]
    Unsuitable(String),
    /// Something around the migrations failed.
    #[error("could not prepare or finish the migrations")]
    Query(#[from] tokio_postgres::Error),
}

/// Applies what is missing and says how many migrations that were. `application` is the role that the gateway works as
/// when it is not the one that owns the schema.
///
/// # Errors
/// Nothing of a failed migration stays; those before it do.
pub async fn run(client: &mut Client, application: Option<&str>) -> Result<usize, MigrateError> {
    check_server(client).await?;
    client.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await?;
    let outcome = run_alone(client, application).await;
    // The lock ends with the session when this fails.
    let _ = client.execute("SELECT pg_advisory_unlock($1)", &[&LOCK]).await;
    outcome
}

async fn check_server(client: &Client) -> Result<(), MigrateError> {
    let sql = "SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_setting('server_encoding')";
    let row = client.query_one(sql, &[]).await?;
    let (number, version, encoding): (i32, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if number < SERVER_MIN * 10_000 {
        return Err(MigrateError::Unsuitable(format!("is version {version}; use {SERVER_MIN} or newer")));
    }
    if encoding != "UTF8" {
        return Err(MigrateError::Unsuitable(format!("keeps this database in {encoding}; create it with ENCODING 'UTF8'")));
    }
    Ok(())
}

async fn run_alone(client: &mut Client, application: Option<&str>) -> Result<usize, MigrateError> {
    let report = embedded::migrations::runner().run_async(client).await.map_err(MigrateError::Migration)?;
    if let Some(role) = application {
        let role = format!("\"{}\"", role.replace('"', "\"\""));
        client.batch_execute(&GRANTS.replace(":application", &role)).await?;
    }
    Ok(report.applied_migrations().len())
}
