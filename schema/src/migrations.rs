//! The schema's history, embedded in the binary and applied at start.

use tokio_postgres::Client;

#[allow(missing_docs, unreachable_pub, reason = "generated")]
mod embedded {
    refinery::embed_migrations!("migrations");
}

/// What the application role may do; run after every migration, because tables come and go.
const GRANTS: &str = include_str!("migrations/grants.sql");

/// Two processes that start at once on one database take turns. The number is `sp` in ASCII and means nothing more.
const LOCK: i64 = 0x73_70;

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A migration failed, or the database holds migrations that this binary does not know.
    #[error("a migration failed; if a newer sp has used this database, start that version")]
    Migration(#[source] refinery::Error),
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
    client.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await?;
    let outcome = run_alone(client, application).await;
    // The lock ends with the session when this fails.
    let _ = client.execute("SELECT pg_advisory_unlock($1)", &[&LOCK]).await;
    outcome
}

async fn run_alone(client: &mut Client, application: Option<&str>) -> Result<usize, MigrateError> {
    let report = embedded::migrations::runner().run_async(client).await.map_err(MigrateError::Migration)?;
    if let Some(role) = application {
        let role = format!("\"{}\"", role.replace('"', "\"\""));
        client.batch_execute(&GRANTS.replace(":application", &role)).await?;
    }
    Ok(report.applied_migrations().len())
}
