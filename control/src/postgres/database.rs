//! The one handle through which the control plane reaches PostgreSQL: a small pool, and a watch that says whether the
//! server answers. Those who can wait (the shipper, reloads) wait for [`DatabaseState::Up`]; those who cannot say so.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use futures_util::StreamExt as _;
use tokio::sync::{OnceCell, watch};
use tokio::task::AbortHandle;
use tokio_postgres::{AsyncMessage, Config};

use super::transport::{self, Target};
use super::{Embedded, PostgresError, error_chain};

/// LIMIT: the control plane's tasks, each short; a server has 100 connections by default and other tenants.
const POOL_MAX: usize = 16;
/// LIMIT: who waits longer for a connection is told that the database is busy.
const POOL_WAIT: Duration = Duration::from_secs(5);
/// LIMIT: bounds a server that accepts and says nothing.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// LIMIT: unanswered bytes are given up after this long, so that a cut cable does not hold a task for minutes.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(15);
/// LIMIT: how often a server that is up is asked; its going away is seen at once when the connection breaks.
const PING_EVERY: Duration = Duration::from_secs(2);
/// LIMIT: a ping that takes longer means down.
const PING_TIMEOUT: Duration = Duration::from_secs(3);
/// LIMIT: between attempts to reach a server that is down, doubled each time.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
/// LIMIT: a server that is down is asked this often, so that its return is noticed soon.
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// LIMIT: a server notices within a minute that the other end is gone, and lets go of the locks of a transaction that
/// nobody will end; the system's default is two hours. Means nothing on a Unix socket.
const KEEPALIVE: &str = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3";

/// A pooled connection.
pub type Connection = Object;

/// Whether the server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseState {
    /// Not asked yet.
    Unknown,
    /// It answered the last ping.
    Up,
    /// It did not.
    Down {
        /// Why, for the operator.
        reason: String,
    },
}

/// A database: the private one or one given by URL. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    pool: Pool,
    /// The role that owns the schema; the same as the pool's where there is only one.
    owner: Target,
    application: Target,
    state: watch::Receiver<DatabaseState>,
    /// Set once the schema is up to date.
    migrated: Arc<OnceCell<()>>,
    ping: Arc<AbortOnDrop>,
}

/// A connection as the schema's owner; it ends when dropped.
#[derive(Debug)]
pub struct OwnerConnection {
    /// The connection.
    pub client: tokio_postgres::Client,
    _connection: AbortOnDrop,
}

#[derive(Debug)]
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Database {
    /// The private cluster. Needs a tokio runtime; connects in the background.
    ///
    /// # Errors
    /// Only when the pool cannot be built.
    pub fn embedded(embedded: &Embedded) -> Result<Database, PostgresError> {
        Database::with_roles(embedded.config(), embedded.owner_config())
    }

    /// A server given by URL (`postgresql://user:password@host/database?sslmode=…`) or `key=value` text. A server on
    /// another machine is asked for TLS with a certificate that verifies, unless the URL says `sslmode=disable`.
    ///
    /// # Errors
    /// [`PostgresError::Url`] without the URL's text, which may hold a password.
    pub fn external(url: &str) -> Result<Database, PostgresError> {
        let mut config: Config =
            url.parse().map_err(|error: tokio_postgres::Error| PostgresError::Url { problem: error_chain(&error) })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(PostgresError::Url { problem: "it names no host; write `postgresql://user@host/database`".to_owned() });
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("sp");
        }
        config.tcp_user_timeout(TCP_USER_TIMEOUT);
        config.ssl_mode(transport::mode(&config));
        Database::with_roles(config.clone(), config)
    }

    /// As `application` for everything but [`Database::migrate`], which runs as `owner`.
    ///
    /// # Errors
    /// Only when the pool cannot be built.
    pub fn with_roles(application: Config, owner: Config) -> Result<Database, PostgresError> {
        Database::with_targets(Target::new(application)?, Target::new(owner)?)
    }

    fn with_targets(application: Target, owner: Target) -> Result<Database, PostgresError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let keepalive = Hook::async_fn(|client, _| {
            Box::pin(async move { client.batch_execute(KEEPALIVE).await.map_err(HookError::Backend) })
        });
        let manager = Manager::from_config(application.config.clone(), application.tls.clone(), recycling);
        let pool = Pool::builder(manager)
            .max_size(POOL_MAX)
            .wait_timeout(Some(POOL_WAIT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(CONNECT_TIMEOUT))
            .runtime(Runtime::Tokio1)
            .post_create(keepalive)
            .build()
            .map_err(|error| PostgresError::Url { problem: error.to_string() })?;
        let (tell, state) = watch::channel(DatabaseState::Unknown);
        let ping = tokio::spawn(ping(application.clone(), tell)).abort_handle();
        Ok(Database { pool, owner, application, state, migrated: Arc::default(), ping: Arc::new(AbortOnDrop(ping)) })
    }

    /// A connection from the pool; it goes back when dropped.
    ///
    /// # Errors
    /// When the server cannot be reached or all connections are busy for longer than 5 s: say so, or wait for `Up`.
    pub async fn get(&self) -> Result<Connection, PostgresError> {
        self.pool.get().await.map_err(PostgresError::Pool)
    }

    /// How the pool connects, for tasks that keep a connection of their own.
    pub fn config(&self) -> &Config {
        &self.application.config
    }

    /// Hears what is announced on `channel`, over a connection of its own.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn listen(&self, channel: &str) -> Result<Announcements, PostgresError> {
        let failed = || PostgresError::query("listen to announcements");
        let mut config = self.application.config.clone();
        config.application_name("sp listen");
        let (client, mut connection) = config.connect(self.application.tls.clone()).await.map_err(failed())?;
        let (tell, heard) = watch::channel(());
        tokio::spawn(async move {
            let mut messages = futures_util::stream::poll_fn(|cx| connection.poll_message(cx));
            while let Some(Ok(message)) = messages.next().await {
                if matches!(message, AsyncMessage::Notification(_)) {
                    tell.send_replace(());
                }
            }
        });
        let quoted = channel.replace('"', "\"\"");
        client.batch_execute(&format!("LISTEN \"{quoted}\"; {KEEPALIVE}")).await.map_err(failed())?;
        Ok(Announcements { heard, _client: client })
    }

    /// Whether the server answers, now and next.
    pub fn state(&self) -> watch::Receiver<DatabaseState> {
        self.state.clone()
    }

    /// Returns when the server answers.
    pub async fn up(&self) {
        // The sender lives as long as any clone of this handle.
        let _ = self.state.clone().wait_for(|state| *state == DatabaseState::Up).await;
    }

    /// Ends the pool and the watch of every clone, so that a server that is stopped next is missed by nobody: who asks for a
    /// connection from now on gets none, and the state stays what it was.
    pub fn close(&self) {
        self.ping.0.abort();
        self.pool.close();
    }

    /// A connection of its own as the role that owns the schema, for what the gateway's role must not do.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn owner(&self) -> Result<OwnerConnection, PostgresError> {
        let (client, connection) = self.owner.connect().await.map_err(PostgresError::query("connect as the schema's owner"))?;
        Ok(OwnerConnection { client, _connection: AbortOnDrop(connection.abort_handle()) })
    }

    /// Brings the schema up to date and lets the application role use it, once for all clones of this handle: rights are
    /// given to tables that others make partitions of meanwhile, so nobody does it again without need. Several processes may
    /// do so at once.
    ///
    /// # Errors
    /// The server cannot be reached, or a migration failed: nothing of that migration stays, and the next call tries again.
    pub async fn migrate(&self) -> Result<(), PostgresError> {
        self.migrated.get_or_try_init(|| self.migrate_now()).await.copied()
    }

    async fn migrate_now(&self) -> Result<(), PostgresError> {
        let mut owner = self.owner().await?;
        let application = match (self.application.config.get_user(), self.owner.config.get_user()) {
            (Some(application), Some(owner)) if application != owner => Some(application),
            _ => None,
        };
        let applied = schema::migrations::run(&mut owner.client, application).await.map_err(PostgresError::Migrate)?;
        if applied > 0 {
            tracing::info!(applied, "database schema brought up to date");
        }
        Ok(())
    }
}

/// What is announced on a channel, for as long as the connection holds.
pub struct Announcements {
    heard: watch::Receiver<()>,
    _client: tokio_postgres::Client,
}

impl Announcements {
    /// Returns when something was announced since the last time; several announcements count as one. `None` when the
    /// connection broke: what was announced since is lost, so look yourself, and listen again.
    pub async fn next(&mut self) -> Option<()> {
        self.heard.changed().await.ok()
    }
}

/// Keeps one connection of its own and tells how the server is. Ends with the last handle.
async fn ping(mut target: Target, tell: watch::Sender<DatabaseState>) {
    target.config.application_name("sp ping");
    let mut backoff = BACKOFF_MIN;
    loop {
        let reason = match tokio::time::timeout(CONNECT_TIMEOUT, target.connect()).await {
            Ok(Ok((client, connection))) => {
                backoff = BACKOFF_MIN;
                tell.send_if_modified(|state| std::mem::replace(state, DatabaseState::Up) != DatabaseState::Up);
                tokio::select! {
                    ended = connection => match ended {
                        Ok(Err(error)) => error_chain(&error),
                        _ => "the server closed the connection".to_owned(),
                    },
                    reason = keep_asking(&client) => reason,
                }
            }
            Ok(Err(error)) => error_chain(&error),
            Err(_) => "no answer".to_owned(),
        };
        let was_up = tell.send_replace(DatabaseState::Down { reason: reason.clone() });
        if !matches!(was_up, DatabaseState::Down { .. }) {
            tracing::warn!(%reason, "the database is away; decisions go on, the journal holds their records");
        }
        tokio::time::sleep(backoff).await;
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

/// Returns, with the reason, when the server no longer answers.
async fn keep_asking(client: &tokio_postgres::Client) -> String {
    loop {
        tokio::time::sleep(PING_EVERY).await;
        match tokio::time::timeout(PING_TIMEOUT, client.batch_execute("")).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error_chain(&error),
            Err(_) => return format!("no answer for {} s", PING_TIMEOUT.as_secs()),
        }
    }
}

#[cfg(test)]
mod tests;
