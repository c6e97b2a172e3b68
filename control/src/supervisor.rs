//! Runs MCP servers that speak over standard input and output, and serves each as Streamable HTTP on a Unix socket,
//! so that the data plane knows one kind of upstream only.
//!
//! ```text
//!  shard ──HTTP──▶ mcp-<name>.sock ─ endpoint ─ server ─┬ session ── child   one child per client session
//!                                                       ├ spare ──── child   started, waits for the next session
//!                                                       └ probe ──── child   asked for its tools, then ended
//! ```
//!
//! A stdio server has one client by definition and keeps its state, so every session gets a process of its own.
//! Sessions are bound to principals by the data plane; here the id is all that is known, hence unguessable.
//! Messages are routed by their envelope and never written anew.
//!
//! What a child does wrong stays within its session: junk is skipped, long lines and floods end it, silence times out,
//! death is told to each waiting call. Several failures in a row make the *server* unhealthy: new sessions are refused
//! at once, until a probe succeeds.
//!
//! The 2025-11-25 revision is spoken here on both sides. A translation to 2026-07-28 belongs between
//! [`endpoint`](self) and the session, where a stateless request would be given a session of its principal.

mod config;
mod discover;
mod endpoint;
mod http_client;
mod launch;
mod limits;
mod lines;
mod message;
mod monitor;
mod process;
mod pulse;
mod routing;
mod server;
mod session;
mod state;
mod strays;
mod stream;
#[cfg(test)]
mod tests;
mod wrappers;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::UnixListener;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use config::{Backoff, ChildLimits, ConfigError, HttpServer, Servers, StdioServer};
pub use discover::{DiscoverError, Discovery};
pub use http_client::discover_http;
pub use state::{Eras, Health, ServerState, States, Tool, canonical_digest};

use process::Spawner;
use server::Server;
use state::Publisher;

/// LIMIT: how long a server that is replaced or removed may finish its running calls.
const DRAIN_ON_CHANGE: Duration = Duration::from_secs(10);

/// Why the supervisor cannot do as told. Nothing was changed unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// A declaration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The directory for the sockets cannot be used.
    #[error("cannot use `{path}` for sockets")]
    RunDir {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A socket cannot be made. Servers before this one are running.
    #[error("cannot listen on `{path}`")]
    Listen {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path of a socket would be longer than the system allows.
    #[error("the path `{0}` is too long for a socket: use a shorter data directory or server name")]
    PathTooLong(PathBuf),
    /// The system gives no thread.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// No server has this name.
    #[error("no MCP server is called `{0}`")]
    Unknown(String),
    /// It was stopped.
    #[error("the supervisor is stopped")]
    Stopped,
}

/// Runs the declared servers. Dropping it stops everything without waiting; [`Supervisor::stop`] waits.
#[derive(Debug)]
pub struct Supervisor {
    run_dir: PathBuf,
    spawner: Spawner,
    states: watch::Sender<States>,
    /// `None` once stopped.
    running: Mutex<Option<BTreeMap<String, Running>>>,
    _stop_on_drop: tokio_util::sync::DropGuard,
    stop: CancellationToken,
}

/// A server and the tasks that belong to it.
#[derive(Debug)]
enum Running {
    Stdio {
        config: Box<StdioServer>,
        server: Arc<Server>,
        stop: CancellationToken,
        maintenance: JoinHandle<()>,
        endpoint: JoinHandle<()>,
        publisher: Publisher,
    },
    Http {
        config: HttpServer,
        stop: CancellationToken,
        watch: JoinHandle<()>,
        publisher: Publisher,
    },
}

/// What a change did, by name of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Servers that were not declared before.
    pub started: Vec<String>,
    /// Servers whose declaration changed.
    pub restarted: Vec<String>,
    /// Servers that are declared no more.
    pub stopped: Vec<String>,
    /// Servers that were left alone.
    pub untouched: Vec<String>,
}

impl Supervisor {
    /// Starts every declared server; the sockets exist when this returns, the tools are discovered later.
    ///
    /// Kills processes that an earlier process with the same `run_dir` left behind, so two supervisors must not share one.
    ///
    /// # Errors
    /// A wrong declaration or a directory that cannot be used; then nothing runs.
    pub async fn start(servers: Servers, run_dir: impl Into<PathBuf>) -> Result<Self, SupervisorError> {
        let run_dir = run_dir.into();
        servers.validate()?;
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&run_dir);
        let run_dir =
            made.and_then(|()| run_dir.canonicalize()).map_err(|source| SupervisorError::RunDir { path: run_dir, source })?;
        let stop = CancellationToken::new();
        let supervisor = Self {
            spawner: Spawner::start(&run_dir).await.map_err(SupervisorError::Thread)?,
            run_dir,
            states: watch::Sender::new(States::new()),
            running: Mutex::new(Some(BTreeMap::new())),
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        };
        supervisor.apply(servers).await?;
        Ok(supervisor)
    }

    /// The state of every server, now and whenever it changes.
    pub fn states(&self) -> watch::Receiver<States> {
        self.states.subscribe()
    }

    /// Path of the socket of a stdio server.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.run_dir.join(format!("mcp-{name}.sock"))
    }

    /// Makes `servers` the declared ones: starts what is new, stops what is gone, replaces what changed and leaves the
    /// rest alone. A replacement listens before the old one stops, which then has 10 s to finish its calls.
    ///
    /// # Errors
    /// A wrong declaration changes nothing. A socket that cannot be made leaves the other servers as declared.
    pub async fn apply(&self, servers: Servers) -> Result<Applied, SupervisorError> {
        servers.validate()?;
        for server in &servers.stdio {
            let path = self.socket(&server.name);
            if path.as_os_str().len() > limits::SOCKET_PATH_BYTES_MAX {
                return Err(SupervisorError::PathTooLong(path));
            }
        }
        let mut guard = self.running.lock().await;
        let running = guard.as_mut().ok_or(SupervisorError::Stopped)?;
        let mut applied = Applied::default();
        let mut before = std::mem::take(running);
        let (mut old, mut failure) = (Vec::new(), None);
        let stdio = servers.stdio.into_iter().map(|config| Declared::Stdio(Box::new(config)));
        for declared in stdio.chain(servers.http.into_iter().map(Declared::Http)) {
            let name = declared.name().to_owned();
            match before.remove(&name) {
                Some(same) if same.is_declared_as(&declared) => {
                    running.insert(name.clone(), same);
                    applied.untouched.push(name);
                    continue;
                }
                Some(changed) => {
                    old.push(changed);
                    applied.restarted.push(name.clone());
                }
                None => applied.started.push(name.clone()),
            }
            match self.launch(declared) {
                Ok(server) => drop(running.insert(name, server)),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        for (name, server) in before {
            // Nobody listens in its place, so its socket goes at once.
            drop(std::fs::remove_file(self.socket(&name)));
            applied.stopped.push(name);
            old.push(server);
        }
        drop(guard);
        join_all(old.into_iter().map(|server| server.retire(DRAIN_ON_CHANGE))).await;
        failure.map_or(Ok(applied), Err)
    }

    /// Replaces a server by a fresh one with the same declaration: new processes, health and tools.
    ///
    /// # Errors
    /// When no server has this name.
    pub async fn restart(&self, name: &str) -> Result<(), SupervisorError> {
        let mut guard = self.running.lock().await;
        let running = guard.as_mut().ok_or(SupervisorError::Stopped)?;
        let old = running.remove(name).ok_or_else(|| SupervisorError::Unknown(name.to_owned()))?;
        let fresh = self.launch(old.declared());
        let outcome = fresh.map(|server| drop(running.insert(name.to_owned(), server)));
        drop(guard);
        old.retire(DRAIN_ON_CHANGE).await;
        outcome
    }

    /// Stops everything: running calls may finish for at most `drain`, then sessions end and children are stopped, at
    /// the latest by `SIGKILL`. Afterwards nothing of ours runs and no socket is left.
    pub async fn stop(&self, drain: Duration) {
        let Some(running) = self.running.lock().await.take() else {
            return;
        };
        let names: Vec<String> = running.keys().cloned().collect();
        join_all(running.into_values().map(|server| server.retire(drain))).await;
        for name in names {
            drop(std::fs::remove_file(self.socket(&name)));
        }
        self.spawner.no_strays().await;
        self.stop.cancel();
    }

    fn launch(&self, declared: Declared) -> Result<Running, SupervisorError> {
        let stop = self.stop.child_token();
        let config = match declared {
            Declared::Http(config) => {
                let publisher = Publisher::new(&config.name, &self.states);
                let watch = tokio::spawn(monitor::watch(config.clone(), publisher.clone(), stop.clone()));
                return Ok(Running::Http { config, stop, watch, publisher });
            }
            Declared::Stdio(config) => config,
        };
        let path = self.socket(&config.name);
        let listener = listen(&path).map_err(|source| SupervisorError::Listen { path, source })?;
        let publisher = Publisher::new(&config.name, &self.states);
        let server = Server::new((*config).clone(), &self.spawner, publisher.clone(), &self.stop);
        let maintenance = tokio::spawn(Arc::clone(&server).maintain());
        let endpoint = tokio::spawn(endpoint::serve(listener, Arc::clone(&server), stop.clone()));
        Ok(Running::Stdio { config, server, stop, maintenance, endpoint, publisher })
    }
}

/// A listening socket only its owner can reach, from the moment it has its name. Replaces an older one.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let unnamed = path.with_extension("new");
    match std::fs::remove_file(&unnamed) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&unnamed)?;
    std::fs::set_permissions(&unnamed, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&unnamed, path)?;
    Ok(listener)
}

#[derive(Debug)]
enum Declared {
    Stdio(Box<StdioServer>),
    Http(HttpServer),
}

impl Declared {
    fn name(&self) -> &str {
        match self {
            Self::Stdio(config) => &config.name,
            Self::Http(config) => &config.name,
        }
    }
}

impl Running {
    fn is_declared_as(&self, declared: &Declared) -> bool {
        match (self, declared) {
            (Self::Stdio { config, .. }, Declared::Stdio(other)) => config == other,
            (Self::Http { config, .. }, Declared::Http(other)) => config == other,
            (Self::Stdio { .. }, Declared::Http(_)) | (Self::Http { .. }, Declared::Stdio(_)) => false,
        }
    }

    fn declared(&self) -> Declared {
        match self {
            Self::Stdio { config, .. } => Declared::Stdio(config.clone()),
            Self::Http { config, .. } => Declared::Http(config.clone()),
        }
    }

    /// Stops the server and takes its state out of the map, unless a new one has its name.
    async fn retire(self, drain: Duration) {
        match self {
            Self::Http { stop, watch, publisher, .. } => {
                stop.cancel();
                drop(watch.await);
                publisher.remove();
            }
            Self::Stdio { server, stop, maintenance, endpoint, publisher, .. } => {
                server.begin_stop();
                drop(maintenance.await);
                server.stop(drain).await;
                // Connections live until here, so that the last answers get out.
                stop.cancel();
                drop(endpoint.await);
                publisher.remove();
            }
        }
    }
}
