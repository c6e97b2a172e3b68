//! A cluster for tests and experiments: quick, private, and gone afterwards whatever happens to the process that made
//! it. A shell holds the server and waits for its input to end, which it does when that process ends in any way.
//!
//! Tests call [`database`]: the clusters of one process are one, and each call gets an empty database of its own.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;
use tokio_postgres::{Config, NoTls};

use super::PostgresError;
use super::cluster::{APPLICATION, Cluster, Durability, OWNER, SUPERUSER};

/// LIMIT: a fresh cluster without syncs starts in a fraction of a second, on a busy machine in a few.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// LIMIT: how often it is asked meanwhile.
const READY_POLL: Duration = Duration::from_millis(20);

/// Starts the server, waits for the end of input, stops it, removes the directory. Runs as the server's account.
const WATCHER: &str = r#"dir=$1; shift
"$@" >/dev/null 2>>"$dir/postgres.log" & server=$!
read -r _
kill -INT "$server"; wait "$server"; rm -rf "$dir""#;

static SHARED: OnceCell<ThrowawayCluster> = OnceCell::const_new();

/// An empty database in this process's cluster, which the first call starts.
///
/// # Errors
/// When there is no PostgreSQL on this machine; the message names the package.
pub async fn database() -> Result<ThrowawayDatabase, PostgresError> {
    SHARED.get_or_try_init(ThrowawayCluster::start).await?.database().await
}

/// A running cluster that ends, and is removed, when this value is dropped or its process ends.
#[derive(Debug)]
pub struct ThrowawayCluster {
    cluster: Cluster,
    watcher: Child,
    /// Closing it ends the cluster.
    leash: Option<ChildStdin>,
    made: AtomicU32,
}

impl ThrowawayCluster {
    /// Makes and starts a cluster in a directory of its own under `/tmp`. Nothing in it survives.
    ///
    /// # Errors
    /// No PostgreSQL on this machine, or it does not start.
    pub async fn start() -> Result<ThrowawayCluster, PostgresError> {
        ThrowawayCluster::start_with(Durability::None).await
    }

    /// The same, set up like the gateway's own cluster: commits wait for the disk. For measurements.
    ///
    /// # Errors
    /// No PostgreSQL on this machine, or it does not start.
    pub async fn start_durable() -> Result<ThrowawayCluster, PostgresError> {
        ThrowawayCluster::start_with(Durability::Full).await
    }

    async fn start_with(durability: Durability) -> Result<ThrowawayCluster, PostgresError> {
        // TMPDIR may be a private directory, which the server's account could not enter.
        let tmp = PathBuf::from("/tmp");
        let dir = tmp.join(format!("sp-throwaway-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir(&dir).map_err(PostgresError::io("create directory", &dir))?;
        let started = ThrowawayCluster::start_in(&dir, durability).await;
        if started.is_err() {
            let _ = std::fs::remove_dir_all(&dir);
        }
        started
    }

    async fn start_in(dir: &std::path::Path, durability: Durability) -> Result<ThrowawayCluster, PostgresError> {
        std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .map_err(PostgresError::io("open", dir))?;
        let cluster = Cluster::prepare(dir, durability).await?;
        cluster.account().own_dir(dir)?;
        let mut command = cluster.account().command("/bin/sh");
        command.args(["-c", WATCHER, "sp-throwaway"]).arg(dir).args(cluster.serve_command());
        command.current_dir(&cluster.dir).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut watcher = command.spawn().map_err(PostgresError::io("run", "/bin/sh".as_ref()))?;
        let leash = watcher.stdin.take();
        let this = ThrowawayCluster { cluster, watcher, leash, made: AtomicU32::new(0) };
        this.await_ready().await?;
        this.execute(&format!("CREATE ROLE {OWNER} LOGIN; CREATE ROLE {APPLICATION} LOGIN")).await?;
        Ok(this)
    }

    /// A new empty database, with a role that owns it and one that does not, as the private cluster has them.
    ///
    /// # Errors
    /// The cluster is gone.
    pub async fn database(&self) -> Result<ThrowawayDatabase, PostgresError> {
        let name = format!("t{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.execute(&format!("CREATE DATABASE {name} OWNER {OWNER} TEMPLATE template0")).await?;
        Ok(ThrowawayDatabase {
            application: self.cluster.config(APPLICATION, &name),
            owner: self.cluster.config(OWNER, &name),
            url: self.cluster.url(SUPERUSER, &name),
        })
    }

    /// The URL of the cluster's superuser, for `psql` and other programs.
    pub fn url(&self) -> String {
        self.cluster.url(SUPERUSER, "postgres")
    }

    async fn await_ready(&self) -> Result<(), PostgresError> {
        let began = Instant::now();
        let config = self.cluster.config(SUPERUSER, "postgres");
        while config.connect(NoTls).await.is_err() {
            if began.elapsed() > READY_TIMEOUT {
                let (log, output) = (self.cluster.log().to_owned(), self.cluster.last_words());
                return Err(PostgresError::NotReady { seconds: READY_TIMEOUT.as_secs(), log, output });
            }
            tokio::time::sleep(READY_POLL).await;
        }
        Ok(())
    }

    /// Several statements, outside a transaction.
    async fn execute(&self, sql: &str) -> Result<(), PostgresError> {
        let failed = || PostgresError::query("prepare the throw-away cluster");
        let (client, connection) = self.cluster.config(SUPERUSER, "postgres").connect(NoTls).await.map_err(failed())?;
        let (outcome, _) = tokio::join!(
            async move { client.batch_execute(sql).await }, // the client ends here, and with it the connection
            connection
        );
        outcome.map_err(failed())
    }
}

impl Drop for ThrowawayCluster {
    /// Returns when the server has ended and its directory is gone.
    fn drop(&mut self) {
        if let Some(mut leash) = self.leash.take() {
            let _ = leash.write_all(b"\n");
        }
        let _ = self.watcher.wait();
    }
}

/// One database of a throw-away cluster.
#[derive(Debug, Clone)]
pub struct ThrowawayDatabase {
    application: Config,
    owner: Config,
    url: String,
}

impl ThrowawayDatabase {
    /// How the gateway would connect.
    pub fn config(&self) -> Config {
        self.application.clone()
    }

    /// How migrations would connect.
    pub fn owner_config(&self) -> Config {
        self.owner.clone()
    }

    /// The superuser's URL, for `psql` and other programs.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The handle that the rest of the control plane takes, with an up-to-date schema.
    ///
    /// # Errors
    /// A migration failed.
    pub async fn migrated(&self) -> Result<super::Database, PostgresError> {
        let database = super::Database::with_roles(self.config(), self.owner_config())?;
        database.migrate().await?;
        Ok(database)
    }
}
