//! The process: what is started, in which order, and how it ends. Everything that can be refused is refused before the
//! first shard listens, so nothing is ever half started.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use dataplane::inbox::{OwnedNotice, Status};
use dataplane::journal::{self, JournalConfig, StreamPosition, recovery};
use dataplane::plane::{Config, DataPlane, Handle};
use dataplane::policy::NodeKeys;
use dataplane::tls::ServerTls;
use schema::services::governance::Retention;
use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use wire::decision::EventKind;
use wire::ids::{NodeId, TraceId};

use crate::evidence::checkpoint::{self, Checkpointer};
use crate::keys::{Keys, jwks};
use crate::oauth::{Oauth, signing};
use crate::operator;
use crate::people;
use crate::policy;
use crate::postgres::{Database, DatabaseState, Embedded};
use crate::retention;
use crate::shipper::{Shipper, ShipperConfig, Source};
use crate::sinks::{self, SinkConfig, Sinks, SinksConfig};
use crate::supervisor::{Health, ServerState, States, Supervisor};
use crate::surface;

pub mod candidate;
pub mod instance;
pub mod options;
pub mod publish;

use instance::{Instance, Lock};
use options::{Args, Durability, Options};
use publish::{PublishError, Published, Publisher, Publishing, Sources, Wish};

/// How long running calls may take once the process is told to stop.
const DRAIN_GRACE: Duration = Duration::from_secs(20);

/// How long the last records may take to reach Postgres.
const SHIP_GRACE: Duration = Duration::from_secs(20);

/// The journal's budget. LIMIT: hours of outage of Postgres at thousands of calls a second.
const JOURNAL_BYTES_MAX: u64 = 16 << 30;

/// What a node that has never seen its database is told.
const FACTS_NEEDED: &str =
    "the database holds roles, grants, bans and revocations, and this node has never read them; see that it runs and start again";

/// Rate keys of all shards together. LIMIT: 56 bytes each.
const RATE_KEYS: usize = 1 << 20;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Exit {
    Success = 0,
    Failure = 1,
    /// `services/` or an argument does not hold together.
    Configuration = 2,
    /// The data directory, the port, Postgres or the kernel refuses.
    Unavailable = 3,
}

/// What the parts of the control plane share.
pub struct App {
    /// The audit trail and what operators change.
    pub database: Database,
    /// The shards.
    pub plane: Handle,
    /// MCP servers.
    pub supervisor: Arc<Supervisor>,
    /// Systems besides Postgres that get the audit trail.
    pub sinks: Arc<Sinks>,
    /// The authorization server.
    pub oauth: Oauth,
    base_url: String,
    /// What it was started with.
    pub settings: Settings,
    /// Keys the hashes of API keys.
    pub api_key_key: [u8; 32],
    /// Where policies come into force.
    pub publishing: Arc<Publishing>,
    states: watch::Receiver<States>,
}

/// What the process was started with, as operators may see it: without secrets.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Settings {
    /// Of this build.
    pub version: &'static str,
    /// Where clients connect.
    pub listen: SocketAddr,
    /// By which URL.
    pub public_url: String,
    /// How many shards.
    pub cores: u16,
    /// When a decision counts as recorded.
    pub durability: &'static str,
    /// Keys, journal, policy and the private Postgres.
    pub data_dir: PathBuf,
    /// The tree.
    pub services: PathBuf,
    /// Which profile, and why it is the one.
    pub profile: Option<String>,
    /// How long access tokens live.
    pub access_token_life_s: u64,
    /// Where the database is.
    pub database: &'static str,
    /// Of this data directory.
    pub node: String,
}

impl Settings {
    fn of(
        options: &Options,
        data_dir: &std::path::Path,
        keys: &Keys,
        (listen, public_url, cores): (SocketAddr, &str, u16),
    ) -> Settings {
        let durability = match options.durability {
            Durability::Written => "written",
            Durability::Synced => "synced",
        };
        Settings {
            version: env!("CARGO_PKG_VERSION"),
            listen,
            public_url: public_url.to_owned(),
            cores,
            durability,
            data_dir: data_dir.to_path_buf(),
            services: options.services.clone(),
            profile: options.profile.clone(),
            access_token_life_s: options.access_token_life.as_secs(),
            database: if options.database_url.is_some() { "given by URL" } else { "private" },
            node: keys.node.to_string(),
        }
    }
}

impl App {
    /// Reads `services/` again and puts it into force.
    ///
    /// # Errors
    /// [`PublishError`]; the running policy stays.
    pub async fn reload(&self, user: &str, trace: TraceId) -> Result<Published, PublishError> {
        self.publishing.reload(Wish { user, trace, why: "services reloaded" }).await
    }

    /// The keys that verify our tokens (RFC 7517).
    pub async fn jwks(&self) -> Value {
        let publisher = self.publishing.publisher().await;
        jwks(publisher.snapshot().map(|snapshot| snapshot.keys.as_slice()).unwrap_or_default())
    }

    /// RFC 9728: which authorization server speaks for a resource, and what is worth asking it for.
    pub async fn resource_metadata(&self, server: Option<&str>) -> Value {
        let path = server.map(crate::token::server_path).unwrap_or_default();
        let publisher = self.publishing.publisher().await;
        let scopes: BTreeSet<&str> = publisher.policy().map(|policy| policy.scopes_asked(server)).unwrap_or_default();
        json!({
            "resource": format!("{}{path}", self.base_url),
            "authorization_servers": [self.base_url],
            "jwks_uri": format!("{}/.well-known/jwks.json", self.base_url),
            "bearer_methods_supported": ["header"],
            "scopes_supported": scopes,
            "resource_name": server.unwrap_or("sp"),
        })
    }

    /// Every declared MCP server, and the built-in one.
    pub fn servers(&self) -> Vec<(String, Option<ServerState>)> {
        let states = self.states.borrow();
        let declared = states.iter().map(|(name, state)| (name.clone(), Some(state.clone())));
        std::iter::once(("sp".to_owned(), None)).chain(declared).collect()
    }

    /// The same as rows.
    pub fn server_list(&self) -> Vec<Value> {
        let row = |(name, state): (String, Option<ServerState>)| {
            let url = format!("{}{}", self.base_url, crate::token::server_path(&name));
            match state {
                None => json!({
                    "name": name, "url": url, "transport": "built-in", "health": "healthy", "tools": operator::commands().len(),
                }),
                Some(state) => json!({
                    "name": name,
                    "url": url,
                    "transport": if self.supervisor.socket(&name).exists() { "stdio" } else { "http" },
                    "health": state.health.to_string(),
                    "tools": state.tools.len(),
                    "protocol_version": state.protocol_version.as_deref(),
                    "restarts": state.restarts,
                    "sessions": state.sessions,
                }),
            }
        };
        self.servers().into_iter().map(row).collect()
    }
}

/// Starts everything and waits for the end. What goes wrong is said on standard error.
pub fn run(args: Args) -> ExitCode {
    let options = match Options::of(args) {
        Ok(options) => options,
        Err(error) => return ExitCode::from(refuse(Exit::Configuration, &error) as u8),
    };
    start_logging(options.log_json);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("sp-control").enable_all().build();
    let exit = match runtime {
        Err(error) => refuse(Exit::Unavailable, &anyhow::Error::new(error).context("no threads can be started")),
        Ok(runtime) => runtime.block_on(async {
            match Gateway::start(options).await {
                Err((exit, error)) => refuse(exit, &error),
                Ok(gateway) => gateway.serve().await,
            }
        }),
    };
    ExitCode::from(exit as u8)
}

fn refuse(exit: Exit, error: &anyhow::Error) -> Exit {
    eprintln!("sp-dataplane: {error:#}");
    exit
}

fn start_logging(as_json: bool) {
    use std::io::IsTerminal as _;
    let filter = tracing_subscriber::EnvFilter::try_from_env("SP_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,rmcp=warn,refinery_core=warn"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if as_json {
        lines.json().init();
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).init();
    }
}

/// Everything that runs.
struct Gateway {
    data_plane: DataPlane,
    app: Arc<App>,
    embedded: Option<Embedded>,
    shipper: Shipper,
    certificate: Option<Certificate>,
    checkpointer: Arc<Checkpointer>,
    /// What acts without being asked, and cannot once the shards stop.
    followers: Vec<tokio::task::JoinHandle<()>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    signals: Signals,
    _lock: Lock,
}

type Refusal = (Exit, anyhow::Error);

impl Gateway {
    async fn start(options: Options) -> Result<Gateway, Refusal> {
        let unavailable = |error: anyhow::Error| (Exit::Unavailable, error);
        let lock = Lock::take(&options.data_dir).map_err(unavailable)?;
        let data_dir = options.data_dir.canonicalize().context("data directory").map_err(unavailable)?;
        let keys = Keys::open(&data_dir).map(Arc::new).context("the node's keys cannot be used").map_err(unavailable)?;
        let node_keys = NodeKeys::from(&keys.secret);
        let cores = options.cores.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get() as u16));
        let run_dir = private_dir(&data_dir.join("run")).map_err(unavailable)?;
        let control_socket = run_dir.join("control.sock");
        let listen = free_port(options.listen).map_err(unavailable)?;
        let face = Face::of(&options, listen).map_err(|error| (Exit::Configuration, error))?;
        let base_url = face.base_url.clone();

        let sources = Sources {
            services_dir: options.services.clone(),
            data_dir: data_dir.clone(),
            base_url: base_url.clone(),
            keys: vec![keys.signing.verify_key()],
            node_keys: node_keys.clone(),
            control_socket: control_socket.clone(),
        };
        let mut publisher = publisher(sources).map_err(configuration)?;
        let (servers, declared) = outside(publisher.services()).map_err(configuration)?;

        let journal_dir = data_dir.join("journal");
        let recovered = recover(&journal_dir, keys.node).map_err(unavailable)?;
        let (embedded, database) = open_database(&options, &data_dir).await.map_err(unavailable)?;
        publisher.first_facts(&database).await.context(FACTS_NEEDED).map_err(unavailable)?;
        let supervisor =
            Supervisor::start(servers, &run_dir).await.context("MCP servers cannot be supervised").map_err(unavailable)?;
        let supervisor = Arc::new(supervisor);
        let states = supervisor.states();
        let now = states.borrow().clone();
        let policy = publisher.compile(&supervisor, &now).await.map_err(configuration)?;
        let policy = policy.context("no policy could be made").map_err(unavailable)?;

        let streams: Vec<_> = recovered.iter().map(|stream| (stream.shard, stream.dir.clone(), stream.position)).collect();
        let config = Config {
            cores,
            listen,
            node: keys.node,
            keys: node_keys,
            hosts: hosts(&base_url, listen),
            tls: face.tls.clone(),
            control_socket: control_socket.display().to_string(),
            journal_dir: journal_dir.clone(),
            journal: journal_config(&options, cores),
            recovered,
            rate_keys: (RATE_KEYS / usize::from(cores)).max(1 << 14),
            policy,
            run: run_id(),
        };
        let signals = Signals::catch().context("signals cannot be caught").map_err(unavailable)?;
        // Before anybody can find us ready: who sees that wants to know where and as whom.
        face.announce(&data_dir, listen).context("instance.json cannot be written").map_err(unavailable)?;
        let (data_plane, embedded) = start_shards(config, &supervisor, embedded, &database).await?;
        warn_if_shared(&data_plane, cores);

        let sources = journal_sources(&journal_dir, keys.node, &data_plane, &streams);
        let sinks = start_sinks(&database, keys.node, &data_dir, &sources, declared).await;
        let retention = publisher.retention();
        let publishing = publishing(publisher, &data_plane, &supervisor, &database, (states.clone(), Arc::clone(&sinks)));
        let app = Arc::new(App {
            database: database.clone(),
            plane: data_plane.handle(),
            supervisor: Arc::clone(&supervisor),
            sinks: Arc::clone(&sinks),
            oauth: Oauth::new(&keys).map_err(|error| unavailable(error.into()))?,
            base_url: base_url.clone(),
            settings: Settings::of(&options, &data_dir, &keys, (listen, &base_url, cores)),
            api_key_key: NodeKeys::from(&keys.secret).api_keys,
            publishing: Arc::clone(&publishing),
            states,
        });
        let listener = listen_for_shards(&control_socket).map_err(unavailable)?;
        let (shipper, checkpointer, mut tasks) = start_trail(&database, keys, &journal_dir, sources, &data_plane, retention);
        tasks.extend([
            tokio::spawn(serve_control(listener, Arc::clone(&app))),
            tokio::spawn(tell_status(Arc::clone(&app), shipper.watch(), usize::from(cores))),
            tokio::spawn(operator::keys::note_use(database.clone())),
            tokio::spawn(migrate_when_up(database)),
        ]);
        let followers = start_followers(&publishing, &app);
        tracing::info!(address = %data_plane.address(), cores, data_dir = %data_dir.display(), profile = options.profile, "ready");
        let certificate = face.certificate;
        Ok(Gateway { data_plane, app, embedded, shipper, certificate, checkpointer, followers, tasks, signals, _lock: lock })
    }

    /// Runs until it is told to stop, then ends what it started: calls first, then the journal, then what it feeds.
    async fn serve(mut self) -> Exit {
        record_process(&self.app.plane, "start").await;
        self.followers.push(tokio::spawn(people::announce_first_admin(Arc::clone(&self.app))));
        loop {
            tokio::select! {
                _ = self.signals.term.recv() => break,
                _ = self.signals.int.recv() => break,
                _ = self.signals.hup.recv() => self.reread().await,
            }
        }
        self.end().await
    }

    /// SIGHUP: `services/` and the certificate again. What does not hold together changes nothing.
    async fn reread(&self) {
        match self.app.reload("", TraceId([0; 16])).await {
            Ok(published) => {
                tracing::info!(generation = published.generation, changed = published.changed, "services reloaded");
            }
            Err(PublishError::Problems(problems)) => {
                problems.iter().for_each(|problem| tracing::error!("{problem}"));
                tracing::error!("the running policy stays in force");
            }
            Err(error) => tracing::error!(error = %error, "the running policy stays in force"),
        }
        match self.certificate.as_ref().map(Certificate::read) {
            None => {}
            Some(Ok(tls)) => self.app.plane.set_certificate(&tls),
            Some(Err(error)) => tracing::error!(error = %format!("{error:#}"), "clients are shown the certificate of before"),
        }
    }

    /// Ends what was started: calls first, then the journal, then what it feeds.
    async fn end(self) -> Exit {
        tracing::info!("draining");
        // Shards that stop record no policy, so nobody may go on to try.
        stop_all(self.followers).await;
        record_process(&self.app.plane, "stop").await;
        let data_plane = self.data_plane;
        let stopped = tokio::task::spawn_blocking(move || data_plane.stop(DRAIN_GRACE)).await;
        let (shipped, ()) = tokio::join!(self.shipper.drain(SHIP_GRACE), self.app.sinks.drain(SHIP_GRACE));
        for stream in shipped.iter().filter(|stream| stream.shipped < stream.synced) {
            let behind = stream.synced.0 - stream.shipped.0;
            tracing::warn!(shard = stream.shard, behind, "records stay in the journal; they are shipped after the next start");
        }
        stop_all(self.tasks).await;
        match tokio::time::timeout(SHIP_GRACE, self.checkpointer.sign()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(error = %error, "the last audit rows are not signed; they are after the next start"),
            Err(_) => {
                tracing::warn!("the last audit rows are not signed, the database does not answer; they are after the next start")
            }
        }
        self.app.supervisor.stop(Duration::from_secs(5)).await;
        self.app.database.close();
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
        tracing::info!("stopped");
        if stopped.is_ok() { Exit::Success } else { Exit::Failure }
    }
}

/// What the process is told from outside. It is caught before anybody can find us ready: a start that is not that far yet ends at
/// once, and from then on nothing ends but in order.
struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

impl Signals {
    fn catch() -> std::io::Result<Signals> {
        let [term, int, hup] = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
        Ok(Signals { term: term?, int: int?, hup: hup? })
    }
}

/// An abort is an order; what a task holds is given back when it has ended.
async fn stop_all(tasks: Vec<tokio::task::JoinHandle<()>>) {
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    for task in tasks {
        let _ = task.await;
    }
}

/// What clients see of us: under which URL, and with which certificate.
struct Face {
    base_url: String,
    certificate: Option<Certificate>,
    tls: Option<ServerTls>,
}

impl Face {
    fn of(options: &Options, listen: SocketAddr) -> anyhow::Result<Face> {
        let certificate = options.tls.clone().map(|(chain, key)| Certificate { chain, key });
        let tls = certificate.as_ref().map(Certificate::read).transpose()?;
        Ok(Face { base_url: base_url(options.public_url.as_deref(), listen, tls.is_some())?, certificate, tls })
    }

    /// Tells commands on this machine where we are. A certificate is for a name, not for an address.
    fn announce(&self, data_dir: &std::path::Path, listen: SocketAddr) -> std::io::Result<()> {
        let url = if self.tls.is_some() { self.base_url.clone() } else { format!("http://{}", local(listen)) };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Instance { url, issuer: self.base_url.clone(), pid: std::process::id(), version }.write(data_dir)
    }
}

/// Files of what clients are shown.
struct Certificate {
    chain: PathBuf,
    key: PathBuf,
}

impl Certificate {
    fn read(&self) -> anyhow::Result<ServerTls> {
        let chain = std::fs::read(&self.chain).with_context(|| format!("`{}` cannot be read", self.chain.display()))?;
        let key = std::fs::read(&self.key).with_context(|| format!("`{}` cannot be read", self.key.display()))?;
        ServerTls::new(&chain, &key).with_context(|| format!("`{}` cannot be used for TLS", self.chain.display()))
    }
}

/// The shards, or none of what they need is left running.
async fn start_shards(
    config: Config,
    supervisor: &Supervisor,
    embedded: Option<Embedded>,
    database: &Database,
) -> Result<(DataPlane, Option<Embedded>), Refusal> {
    match tokio::task::spawn_blocking(move || DataPlane::start(config)).await {
        Ok(Ok(data_plane)) => Ok((data_plane, embedded)),
        Ok(Err(error)) => {
            supervisor.stop(Duration::ZERO).await;
            database.close();
            if let Some(embedded) = embedded {
                embedded.stop().await;
            }
            Err((Exit::Unavailable, error.into()))
        }
        Err(error) => Err((Exit::Failure, error.into())),
    }
}

fn warn_if_shared(data_plane: &DataPlane, cores: u16) {
    if !data_plane.is_pinned() {
        tracing::warn!(cores, "more shards than CPUs: they are not pinned, and share what there is");
    }
}

fn publishing(
    publisher: Publisher,
    data_plane: &DataPlane,
    supervisor: &Arc<Supervisor>,
    database: &Database,
    outside: (watch::Receiver<States>, Arc<Sinks>),
) -> Arc<Publishing> {
    Arc::new(Publishing::new(publisher, data_plane.handle(), Arc::clone(supervisor), database.clone(), outside))
}

/// Everything that is wrong with the tree is found before anything is started.
fn publisher(sources: Sources) -> Result<Publisher, PublishError> {
    let problems = publish::check(&sources.services_dir);
    if problems.is_empty() { Publisher::new(sources) } else { Err(PublishError::Problems(problems)) }
}

fn listen_for_shards(socket: &std::path::Path) -> anyhow::Result<tokio::net::UnixListener> {
    surface::listen(socket).with_context(|| format!("`{}` cannot be made", socket.display()))
}

fn configuration(error: PublishError) -> Refusal {
    if let PublishError::Problems(problems) = &error {
        problems.iter().for_each(|problem| eprintln!("{problem}"));
    }
    (Exit::Configuration, anyhow::Error::new(error))
}

fn journal_config(options: &Options, cores: u16) -> JournalConfig {
    let durability = match options.durability {
        Durability::Written => journal::Durability::Written,
        Durability::Synced => journal::Durability::Synced,
    };
    JournalConfig { durability, segment_age: options.journal_keep, ..JournalConfig::default() }.share(JOURNAL_BYTES_MAX, cores)
}

fn private_dir(dir: &std::path::Path) -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("`{}` cannot be made", dir.display()))?;
    Ok(dir.to_path_buf())
}

/// Tokens name the address, so a free port has to be known before anything is compiled.
fn free_port(listen: SocketAddr) -> anyhow::Result<SocketAddr> {
    if listen.port() != 0 {
        return Ok(listen);
    }
    let taken = std::net::TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    Ok(taken.local_addr()?)
}

/// An address that a client on this machine can use.
fn local(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, address.port())
}

fn base_url(given: Option<&str>, listen: SocketAddr, is_encrypted: bool) -> anyhow::Result<String> {
    let scheme = if is_encrypted { "https" } else { "http" };
    let Some(given) = given else { return Ok(format!("{scheme}://localhost:{}", listen.port())) };
    let url: url::Url = given.parse().with_context(|| format!("`--public-url {given}` is not a URL"))?;
    let plain = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
    anyhow::ensure!(plain && url.host_str().is_some(), "`--public-url {given}` must be like https://gateway.example");
    Ok(given.trim_end_matches('/').to_owned())
}

/// The names by which requests may call us. On a public address every name may be ours; a proxy before us decides.
fn hosts(base_url: &str, listen: SocketAddr) -> Vec<String> {
    let named = url::Url::parse(base_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).into();
    hosts.extend(named);
    hosts.push(match listen.ip() {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    });
    hosts
}

fn run_id() -> [u8; 6] {
    let mut id = [0; 6];
    id.copy_from_slice(&uuid::Uuid::new_v4().as_bytes()[..6]);
    id
}

fn recover(journal_dir: &std::path::Path, node: NodeId) -> anyhow::Result<Vec<recovery::Stream>> {
    private_dir(journal_dir)?;
    let recovered = recovery::recover(journal_dir, node, &|_| {}).context("the journal cannot be trusted")?;
    for stream in &recovered {
        if let Some(cut) = &stream.cut {
            tracing::warn!(segment = %cut.segment.display(), bytes = cut.bytes, why = cut.why, "a torn end was cut off; nothing acknowledged was in it");
        }
        if !stream.unfinished.is_empty() {
            tracing::warn!(
                shard = stream.shard,
                calls = stream.unfinished.len(),
                "calls lost their outcome in a crash; recorded as unknown"
            );
        }
    }
    Ok(recovered)
}

async fn open_database(options: &Options, data_dir: &std::path::Path) -> anyhow::Result<(Option<Embedded>, Database)> {
    match &options.database_url {
        Some(url) => Ok((None, Database::external(url).context("--database-url cannot be used")?)),
        None => {
            let embedded = Embedded::start(data_dir).await.context("the private PostgreSQL cannot run")?;
            let database = Database::embedded(&embedded)?;
            Ok((Some(embedded), database))
        }
    }
}

/// Every stream of the journal: those that shards write, and those that shards of an earlier start left.
fn journal_sources(
    journal_dir: &std::path::Path,
    node: NodeId,
    data_plane: &DataPlane,
    recovered: &[(u16, PathBuf, StreamPosition)],
) -> Vec<Source> {
    let settled = |shard: u16| {
        let found = recovered.iter().find(|(of, _, _)| *of == shard);
        found.map_or(StreamPosition::genesis(node, shard), |(_, _, last)| *last)
    };
    let live = data_plane.progress().iter().enumerate().map(|(shard, progress)| {
        let (shard, progress) = (shard as u16, Arc::clone(progress));
        let dir = journal::segment::stream_dir(journal_dir, shard);
        Source { shard, dir, synced: Arc::new(move || progress.synced()), settled: settled(shard) }
    });
    let count = data_plane.progress().len();
    let left = recovered.iter().filter(|(shard, _, _)| usize::from(*shard) >= count).map(|(shard, dir, last)| {
        let last = *last;
        Source { shard: *shard, dir: dir.clone(), synced: Arc::new(move || last.seq), settled: last }
    });
    live.chain(left).collect()
}

/// What is declared that lives outside the path of a call: MCP servers, and systems that get the audit trail.
fn outside(services: &schema::services::Services) -> Result<(crate::supervisor::Servers, Vec<SinkConfig>), PublishError> {
    let lookup = |name: &str| std::env::var(name).ok();
    let servers = policy::children(services, lookup).map_err(PublishError::Problems)?;
    Ok((servers, sinks::configs(services, lookup).map_err(PublishError::Problems)?))
}

async fn start_sinks(
    database: &Database,
    node: NodeId,
    data_dir: &std::path::Path,
    sources: &[Source],
    declared: Vec<SinkConfig>,
) -> Arc<Sinks> {
    let (dir, database) = (data_dir.join("sinks"), database.clone());
    let sinks = Arc::new(Sinks::new(SinksConfig { node, dir, database, sources: Arc::new(sources.to_vec()) }));
    sinks.apply(declared).await;
    sinks
}

/// Ships the journal, signs what is shipped, and lets go what is old enough.
fn start_trail(
    database: &Database,
    keys: Arc<Keys>,
    journal_dir: &std::path::Path,
    sources: Vec<Source>,
    data_plane: &DataPlane,
    retention: watch::Receiver<Retention>,
) -> (Shipper, Arc<Checkpointer>, Vec<tokio::task::JoinHandle<()>>) {
    // Half of a stream's budget for sinks that are behind; the other half is for Postgres.
    let held_bytes_max = JOURNAL_BYTES_MAX / (data_plane.progress().len().max(1) as u64) / 2;
    let config = ShipperConfig { held_bytes_max, ..ShipperConfig::new(keys.node, data_plane.segment_age()) };
    let progress = data_plane.progress().to_vec();
    let noted_us = move || progress.iter().map(|shard| shard.rates_noted_us()).min().unwrap_or(0);
    let config = ShipperConfig { rates_noted_us: Arc::new(noted_us), ..config };
    let shipper = Shipper::start(database, &config, sources);
    let checkpointer = Checkpointer::new(database.clone(), Arc::clone(&keys), journal_dir, shipper.watch());
    let checkpointer = Arc::new(checkpointer);
    let keeper = retention::Keeper::new(database.clone(), keys, retention);
    let tasks = vec![
        tokio::spawn(checkpoint::run(Arc::clone(&checkpointer))),
        tokio::spawn(keeper.run(retention::EVERY, data_plane.handle())),
    ];
    (shipper, checkpointer, tasks)
}

/// Keeps the policy in force by what changes without being asked.
fn start_followers(publishing: &Arc<Publishing>, app: &Arc<App>) -> Vec<tokio::task::JoinHandle<()>> {
    vec![
        tokio::spawn(Arc::clone(publishing).follow_tools()),
        tokio::spawn(Arc::clone(publishing).follow_database()),
        tokio::spawn(signing::keep(Arc::clone(app))),
    ]
}

/// Answers shards.
async fn serve_control(listener: tokio::net::UnixListener, app: Arc<App>) {
    if let Err(error) = axum::serve(listener, surface::router(app)).await {
        tracing::error!(error = %error, "the control plane's socket failed");
    }
}

/// Postgres may come later than we do.
async fn migrate_when_up(database: Database) {
    loop {
        database.up().await;
        match database.migrate().await {
            Ok(()) => return,
            Err(error) => tracing::error!(error = %error, "the schema could not be brought up to date; trying again"),
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

async fn tell_status(app: Arc<App>, streams: Vec<watch::Receiver<crate::shipper::StreamStatus>>, shards: usize) {
    let database = app.database.state();
    let (mut last, mut metrics) = (None, String::new());
    loop {
        let (healthy, declared) = {
            let states = app.states.borrow();
            (states.values().filter(|state| state.health == Health::Healthy).count() as u32, states.len() as u32)
        };
        let behind = |stream: &watch::Receiver<crate::shipper::StreamStatus>| {
            let stream = stream.borrow();
            stream.synced.0.saturating_sub(stream.shipped.0)
        };
        let status = Status {
            database_up: *database.borrow() == DatabaseState::Up,
            records_behind: streams.iter().map(behind).sum(),
            records_shipped: streams.iter().take(shards).map(|stream| stream.borrow().shipped.0).sum(),
            servers_healthy: healthy,
            servers_declared: declared,
            policy_stale: app.publishing.is_stale(),
        };
        if last != Some(status) {
            app.plane.set_status(status);
            last = Some(status);
        }
        let text = app.sinks.metrics().await;
        if text != metrics {
            app.plane.set_metrics(&Arc::from(text.as_str()));
            metrics = text;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn record_process(plane: &Handle, action: &str) {
    let detail = json!({ "version": env!("CARGO_PKG_VERSION"), "pid": std::process::id() });
    let notice = OwnedNotice {
        kind: Some(EventKind::Process),
        at_us: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64),
        action: action.to_owned(),
        subject: "sp-dataplane".to_owned(),
        detail: detail.to_string(),
        ..OwnedNotice::default()
    };
    if let Err(reason) = plane.append(notice).await {
        tracing::error!(action, reason = reason.as_str(), "could not be recorded");
    }
}
