//! The private server: started with us, restarted when it dies, stopped after us. When we are killed it goes on, and the
//! next start adopts it. The caller holds the lock of the data directory, so there is one supervisor at a time.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use super::cluster::{APPLICATION, Cluster, DATABASE, Durability, OWNER, SUPERUSER};
use super::postmaster::Postmaster;
use super::{PostgresError, error_chain};

/// LIMIT: recovery after a crash replays at most `max_wal_size`, which takes seconds; slow disks get minutes.
const READY_TIMEOUT: Duration = Duration::from_secs(180);
/// LIMIT: how often a server that is starting is asked.
const READY_POLL: Duration = Duration::from_millis(20);
/// LIMIT: between restarts, doubled each time.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// LIMIT: a server that keeps dying is tried this often.
const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// A server that ran this long was fine: its death starts a new series.
const STABLE_AFTER: Duration = Duration::from_secs(60);

/// What the supervisor sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmbeddedState {
    /// The server accepts connections.
    Running {
        /// Its first process.
        pid: u32,
    },
    /// The server ended; another start follows.
    Down {
        /// How it ended.
        reason: String,
    },
    /// It was told to stop and did.
    Stopped,
}

/// A supervised private cluster.
#[derive(Debug)]
pub struct Embedded {
    cluster: Cluster,
    state: watch::Receiver<EmbeddedState>,
    stop: Option<oneshot::Sender<()>>,
    supervisor: JoinHandle<()>,
}

impl Embedded {
    /// Makes the cluster in `<data_dir>/postgres` if there is none, starts or adopts its server, and returns when it accepts
    /// connections and has its roles and its database. Call on a tokio runtime; the supervisor runs there.
    ///
    /// # Errors
    /// Each says what the operator does next. Nothing is left running.
    pub async fn start(data_dir: &Path) -> Result<Embedded, PostgresError> {
        let mut cluster = Cluster::prepare(data_dir, Durability::Full).await?;
        let mut postmaster = match cluster.adopt()? {
            Some(postmaster) => {
                tracing::info!(pid = postmaster.pid(), "found our PostgreSQL still running");
                postmaster
            }
            None => cluster.spawn()?,
        };
        let began = Instant::now();
        let ready = async {
            await_ready(&cluster, &mut postmaster).await?;
            make_roles(&cluster).await
        };
        if let Err(error) = ready.await {
            postmaster.stop().await;
            return Err(error);
        }
        tracing::info!(pid = postmaster.pid(), ms = began.elapsed().as_millis() as u64, "PostgreSQL is ready");

        let (state_tx, state) = watch::channel(EmbeddedState::Running { pid: postmaster.pid() });
        let (stop, stopped) = oneshot::channel();
        let supervisor = tokio::spawn(supervise(cluster.clone(), postmaster, state_tx, stopped));
        Ok(Embedded { cluster, state, stop: Some(stop), supervisor })
    }

    /// How the gateway connects: a role that can add audit rows and cannot change them.
    pub fn config(&self) -> Config {
        self.cluster.config(APPLICATION, DATABASE)
    }

    /// How migrations connect: the role that owns the schema.
    pub fn owner_config(&self) -> Config {
        self.cluster.config(OWNER, DATABASE)
    }

    /// The same as [`Embedded::config`] for other programs, `psql` for one.
    pub fn url(&self) -> String {
        self.cluster.url(APPLICATION, DATABASE)
    }

    /// What the supervisor sees now and next.
    pub fn state(&self) -> watch::Receiver<EmbeddedState> {
        self.state.clone()
    }

    /// Stops the server: clients are cut off, a checkpoint is written, all processes have ended when this returns.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        // A supervisor that panicked has nothing left to stop; the next start adopts the server.
        let _ = (&mut self.supervisor).await;
    }
}

impl Drop for Embedded {
    /// Without [`Embedded::stop`] the server is asked to stop, and nobody waits for it.
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

async fn supervise(
    cluster: Cluster,
    mut postmaster: Postmaster,
    state: watch::Sender<EmbeddedState>,
    mut stop: oneshot::Receiver<()>,
) {
    let mut backoff = BACKOFF_MIN;
    loop {
        let began = Instant::now();
        let reason = tokio::select! {
            reason = postmaster.exited() => reason,
            _ = &mut stop => {
                postmaster.stop().await;
                state.send_replace(EmbeddedState::Stopped);
                return;
            }
        };
        if began.elapsed() > STABLE_AFTER {
            backoff = BACKOFF_MIN;
        }
        state.send_replace(EmbeddedState::Down { reason: reason.clone() });
        tracing::error!(%reason, output = %cluster.last_words(), "PostgreSQL ended; starting it again");

        postmaster = loop {
            tokio::select! {
                () = tokio::time::sleep(backoff) => backoff = (backoff * 2).min(BACKOFF_MAX),
                _ = &mut stop => {
                    state.send_replace(EmbeddedState::Stopped);
                    return;
                }
            }
            match restart(&cluster).await {
                Ok(postmaster) => break postmaster,
                Err(error) => tracing::error!(error = %error_chain(&error), "PostgreSQL does not start"),
            }
        };
        tracing::info!(pid = postmaster.pid(), "PostgreSQL is ready again");
        state.send_replace(EmbeddedState::Running { pid: postmaster.pid() });
    }
}

async fn restart(cluster: &Cluster) -> Result<Postmaster, PostgresError> {
    let mut postmaster = cluster.spawn()?;
    match await_ready(cluster, &mut postmaster).await {
        Ok(()) => Ok(postmaster),
        Err(error) => {
            postmaster.stop().await;
            Err(error)
        }
    }
}

/// Waits until the server accepts connections.
async fn await_ready(cluster: &Cluster, postmaster: &mut Postmaster) -> Result<(), PostgresError> {
    let began = Instant::now();
    let config = cluster.config(SUPERUSER, "postgres");
    let mut told = 0;
    loop {
        match config.connect(NoTls).await {
            Ok(_) => return Ok(()),
            // The server speaks and says no for good: a wrong role or an access rule that somebody changed.
            Err(source) if source.code().is_some_and(|code| *code != SqlState::CANNOT_CONNECT_NOW) => {
                return Err(PostgresError::Query { action: "connect to the private cluster", source });
            }
            Err(_) => {}
        }
        let waited = began.elapsed();
        if waited > READY_TIMEOUT {
            let (log, output) = (cluster.log().to_owned(), cluster.last_words());
            return Err(PostgresError::NotReady { seconds: waited.as_secs(), log, output });
        }
        if waited.as_secs() / 5 > told {
            told = waited.as_secs() / 5;
            tracing::info!(waited_s = waited.as_secs(), "waiting for PostgreSQL (after a crash it first replays its log)");
        }
        if let Ok(status) = tokio::time::timeout(READY_POLL, postmaster.exited()).await {
            return Err(PostgresError::Failed { program: "postgres", status, output: cluster.last_words() });
        }
    }
}

/// Two roles, so that the one the gateway works as does not own the audit rows, and the database. Does nothing the
/// second time.
async fn make_roles(cluster: &Cluster) -> Result<(), PostgresError> {
    let (client, connection) = cluster
        .config(SUPERUSER, "postgres")
        .connect(NoTls)
        .await
        .map_err(PostgresError::query("connect to the private cluster"))?;
    let (outcome, _) = tokio::join!(make_roles_over(client), connection);
    outcome
}

async fn make_roles_over(client: Client) -> Result<(), PostgresError> {
    let failed = || PostgresError::query("make the roles of the private cluster");
    for role in [OWNER, APPLICATION] {
        if client.query_opt("SELECT 1 FROM pg_roles WHERE rolname = $1", &[&role]).await.map_err(failed())?.is_none() {
            client.batch_execute(&format!("CREATE ROLE {role} LOGIN")).await.map_err(failed())?;
        }
    }
    let database = client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&DATABASE]).await.map_err(failed())?;
    if database.is_none() {
        client.batch_execute(&format!("CREATE DATABASE {DATABASE} OWNER {OWNER}")).await.map_err(failed())?;
    }
    client
        .batch_execute(&format!(
            "REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC; GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {APPLICATION}"
        ))
        .await
        .map_err(failed())
}

#[cfg(test)]
mod tests;
