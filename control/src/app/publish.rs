//! Putting a policy into force: read, compile, store, swap, record. One at a time; a policy that does not hold together
//! changes nothing.
//!
//! Three things change it: an operator who reloads `services/`, servers that list other tools, and the database. Only the
//! first two wait for anything outside (name servers, processes); they do so before they take the publisher, so a
//! revocation never waits for them.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dataplane::inbox::OwnedNotice;
use dataplane::plane::Handle;
use dataplane::policy::{NodeKeys, Policy, PolicyError};
use jiff::Timestamp;
use schema::services::governance::Retention;
use schema::services::{Problem, Services};
use tokio::sync::{Mutex, watch};
use wire::decision::{EventKind, Tier, Verdict};
use wire::ids::TraceId;
use wire::snapshot::{Snapshot, SnapshotBytes, VerifyKey};

use super::candidate::Candidate;
use crate::operator;
use crate::policy::facts::FactsError;
use crate::policy::store::{Store, StoreError};
use crate::policy::{self, COMMAND_SERVER, Context, Dynamic, Facts, Known};
use crate::postgres::Database;
use crate::sinks::{self, Sinks};
use crate::supervisor::{States, Supervisor};

/// Tools that change together are published together.
const SETTLE: Duration = Duration::from_millis(300);

/// LIMIT: how often the database is read although it announced nothing: a pooler between us and it may swallow what it
/// announces.
const POLL_EVERY: Duration = Duration::from_secs(10);

/// LIMIT: between attempts to listen to a database that answers but refuses.
const LISTEN_RETRY: Duration = Duration::from_secs(1);

/// LIMIT: how long a start waits for the database when it has facts of an earlier run to go on from.
const FACTS_WAIT_KNOWN: Duration = Duration::from_secs(3);

/// LIMIT: the same when there are none, and nothing may be decided without them.
const FACTS_WAIT_FIRST: Duration = Duration::from_secs(30);

/// Where the database announces changes; see `schema/migrations/V2__policy.sql`.
const CHANNEL: &str = "sp_policy";

/// Why a policy did not come into force. The one before it goes on.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// `services/` does not hold together.
    #[error("services/ has {} problem{}; the first: {}", .0.len(), if .0.len() == 1 { "" } else { "s" }, .0.first().map(ToString::to_string).unwrap_or_default())]
    Problems(Vec<Problem>),
    /// What was compiled cannot be decided by.
    #[error("the policy cannot be used: {}", chain(.0))]
    Policy(#[source] PolicyError),
    /// It could not be stored.
    #[error("the policy cannot be stored: {0}")]
    Store(#[from] StoreError),
    /// The change could not be recorded.
    #[error("the change of policy could not be recorded, so it was not made: {0}")]
    Record(&'static str),
    /// What the database says could not be read; what it said before stays in force.
    #[error("{0}")]
    Facts(#[from] FactsError),
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

/// What is in force now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its generation.
    pub generation: u64,
    /// Whether it differs from the one before.
    pub changed: bool,
}

/// Who wants another policy, and why, as the audit row has it.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The principal; empty for the gateway itself.
    pub user: &'a str,
    /// Of the request.
    pub trace: TraceId,
    /// What changed, in words.
    pub why: &'a str,
}

impl Wish<'_> {
    /// The gateway's own.
    pub const fn own(why: &str) -> Wish<'_> {
        Wish { user: "", trace: TraceId([0; 16]), why }
    }
}

/// What a policy is made of besides `services/`.
pub struct Sources {
    /// The tree.
    pub services_dir: PathBuf,
    /// Our data directory; compiled policies lie in it.
    pub data_dir: PathBuf,
    /// `iss` and base audience.
    pub base_url: String,
    /// Keys that verify tokens.
    pub keys: Vec<VerifyKey>,
    /// Keys of this node.
    pub node_keys: NodeKeys,
    /// The control plane's socket.
    pub control_socket: PathBuf,
}

fn retention(services: &Services) -> Retention {
    services.audit.as_ref().and_then(|audit| audit.what.retention).unwrap_or_default()
}
type Addresses = BTreeMap<String, Vec<SocketAddr>>;

/// Compiles and stores what is to be in force; does not publish it.
pub struct Publisher {
    sources: Sources,
    services: Services,
    retention: watch::Sender<Retention>,
    addresses: Addresses,
    facts: Facts,
    store: Store,
    /// The newest policy, of this run or from disk.
    last: Option<Snapshot>,
    /// The policy of this run that `last` became.
    compiled: Option<Arc<Policy>>,
    /// Whether shards decide by it.
    is_in_force: bool,
}

impl Publisher {
    /// From the tree, with what the last policy on disk knows of the servers' tools and of the database.
    ///
    /// # Errors
    /// The tree does not hold together, or the disk refuses.
    pub fn new(sources: Sources) -> Result<Publisher, PublishError> {
        let services = schema::services::load(&sources.services_dir).map_err(PublishError::Problems)?;
        let (store, found) = Store::open(&sources.data_dir)?;
        for (path, why) in &found.refused {
            tracing::warn!(file = %path.display(), why = %chain(why), "a policy on disk was passed over");
        }
        let last = found.snapshot.and_then(|bytes| bytes.thaw().ok());
        let facts = last.as_ref().map(Facts::of).unwrap_or_default();
        let (retention, _) = watch::channel(retention(&services));
        let addresses = Addresses::new();
        Ok(Publisher { sources, services, retention, addresses, facts, store, last, compiled: None, is_in_force: false })
    }

    /// The tree in force.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// How long audit rows stay, as the tree says that was last read.
    pub fn retention(&self) -> watch::Receiver<Retention> {
        self.retention.subscribe()
    }

    /// What the database said when it was last read.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Another tree, compiled as if it were put into force now: with what is known of servers and database. Nothing is
    /// stored.
    ///
    /// # Errors
    /// What does not hold together.
    pub fn candidate(&self, services: &Services, supervisor: &Supervisor, states: &States) -> Result<Policy, Vec<Problem>> {
        let now_us = u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(0);
        let context = Context {
            generation: self.generation(),
            issuer: &self.sources.base_url,
            base_url: &self.sources.base_url,
            keys: &self.sources.keys,
            control_socket: &self.sources.control_socket,
            now_us,
        };
        let mut dynamic = self.gather(services, &self.addresses, supervisor, states);
        dynamic.facts = self.facts.at(now_us / 1_000_000);
        compile_for_trial(services, &dynamic, &context, &self.sources.node_keys, self.compiled.as_deref())
    }

    /// The policy of this run, compiled.
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.compiled.as_ref()
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.last.as_ref()
    }

    /// The generation in force.
    pub fn generation(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.generation)
    }

    /// Reads the database for the first time of this run, and brings its schema up to date before. Where it is away, what
    /// an earlier run read goes on to hold.
    ///
    /// # Errors
    /// It is away, and no earlier run has read it: whom it bans and what it denies nobody can know.
    pub async fn first_facts(&mut self, database: &Database) -> Result<(), PublishError> {
        let is_known = self.facts.stored.is_known;
        let wait = if is_known { FACTS_WAIT_KNOWN } else { FACTS_WAIT_FIRST };
        let read = tokio::time::timeout(wait, async {
            database.up().await;
            database.migrate().await?;
            Facts::read(database, Timestamp::now()).await
        });
        match read.await.unwrap_or(Err(FactsError::Slow)) {
            Ok(facts) => self.facts = facts,
            Err(error) if is_known => {
                tracing::warn!(%error, "going on from what the last policy on disk knows of the database");
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Compiles what the shards start with, and stores it.
    ///
    /// # Errors
    /// What does not hold together; nothing was stored.
    pub async fn compile(&mut self, supervisor: &Supervisor, states: &States) -> Result<Option<Arc<Policy>>, PublishError> {
        self.addresses = policy::resolve(&self.services).await;
        let compiled = self.compile_tree(None, supervisor, states);
        // The shards start with it.
        self.is_in_force = compiled.is_ok();
        compiled
    }

    /// The same, with another tree if one is given; it stays only if all of it holds together.
    fn compile_tree(
        &mut self,
        tree: Option<(Services, Addresses)>,
        supervisor: &Supervisor,
        states: &States,
    ) -> Result<Option<Arc<Policy>>, PublishError> {
        let (services, addresses) = tree.as_ref().map_or((&self.services, &self.addresses), |(tree, of)| (tree, of));
        let now = Timestamp::now();
        let now_us = u64::try_from(now.as_microsecond()).unwrap_or(0);
        let context = Context {
            generation: self.store.next_generation(),
            issuer: &self.sources.base_url,
            base_url: &self.sources.base_url,
            keys: &self.sources.keys,
            control_socket: &self.sources.control_socket,
            now_us,
        };
        let mut dynamic = self.gather(services, addresses, supervisor, states);
        dynamic.facts = self.facts.at(now_us / 1_000_000);
        let snapshot = policy::compile(services, &dynamic, &context).map_err(PublishError::Problems)?;
        let unchanged = self.is_in_force && self.last.as_ref().is_some_and(|last| is_same(last, &snapshot));
        if !unchanged {
            let (bytes, file) = SnapshotBytes::encode(&snapshot).map_err(|error| PublishError::Policy(error.into()))?;
            let reach = policy::reach(services, &snapshot, |name| std::env::var(name).ok()).map_err(PublishError::Problems)?;
            let before = self.compiled.as_deref();
            // Tens of milliseconds where rules changed, and rare: the control plane has two threads.
            let ready =
                tokio::task::block_in_place(|| policy::make_ready(services, bytes, &self.sources.node_keys, &reach, before));
            let ready = ready.map_err(PublishError::Problems)?;
            tokio::task::block_in_place(|| self.store.write(snapshot.generation, &file))?;
            self.last = Some(snapshot);
            self.compiled = Some(Arc::new(ready));
            self.is_in_force = false;
        }
        if let Some((services, addresses)) = tree {
            (self.services, self.addresses) = (services, addresses);
            self.retention.send_replace(retention(&self.services));
        }
        Ok(if unchanged { None } else { self.compiled.clone() })
    }

    /// What the declarations do not say. A server that has not answered yet keeps the tools it had in the last policy.
    fn gather(&self, services: &Services, addresses: &Addresses, supervisor: &Supervisor, states: &States) -> Dynamic {
        let mut dynamic = Dynamic::default();
        for (name, _) in &services.mcp {
            let name = name.as_str();
            let state = states.get(name).filter(|state| state.discovered.is_some());
            let tools = match state {
                Some(state) => state.tools.iter().map(|tool| tool.name.to_string()).collect(),
                None => self.last_tools(name),
            };
            let addresses = addresses.get(name).cloned().unwrap_or_default();
            let known = Known { tools, addresses, socket: Some(supervisor.socket(name)), ..Known::default() };
            dynamic.servers.insert(name.to_owned(), known);
        }
        dynamic.servers.insert(COMMAND_SERVER.to_owned(), commands());
        dynamic
    }

    fn last_tools(&self, server: &str) -> Vec<String> {
        let last = self.last.iter().flat_map(|last| &last.servers).find(|known| known.name == server);
        last.map(|known| known.tools.keys().cloned().collect()).unwrap_or_default()
    }
}

/// The built-in server's tools, and the scopes that each of them asks for.
fn commands() -> Known {
    let mut known = Known::default();
    for entry in operator::commands() {
        known.demands.insert(entry.tool(), entry.scopes.iter().map(ToString::to_string).collect());
        known.tools.push(entry.tool());
    }
    known
}

/// Everything that is wrong with a tree, without starting anything.
pub fn check(services_dir: &std::path::Path) -> Vec<Problem> {
    let services = match schema::services::load(services_dir) {
        Ok(services) => services,
        Err(problems) => return problems,
    };
    let context = Context {
        generation: 1,
        issuer: "http://localhost",
        base_url: "http://localhost",
        keys: &[],
        control_socket: std::path::Path::new("control.sock"),
        now_us: 0,
    };
    let snapshot = match policy::compile(&services, &Dynamic::default(), &context) {
        Ok(snapshot) => snapshot,
        Err(problems) => return problems,
    };
    let node_keys = no_keys();
    let reach = policy::assumed_reach(&snapshot);
    match SnapshotBytes::encode(&snapshot) {
        Ok((bytes, _)) => match policy::make_ready(&services, bytes, &node_keys, &reach, None) {
            Ok(_) => Vec::new(),
            Err(problems) => problems,
        },
        Err(error) => vec![Problem { file: services_dir.to_path_buf(), line: 0, column: 0, message: error.to_string() }],
    }
}

/// A tree, compiled to be asked and not to be served by: no server of it is reached.
///
/// # Errors
/// What does not hold together.
pub fn compile_for_trial(
    services: &Services,
    dynamic: &Dynamic,
    context: &Context<'_>,
    node_keys: &NodeKeys,
    before: Option<&Policy>,
) -> Result<Policy, Vec<Problem>> {
    let snapshot = policy::compile(services, dynamic, context)?;
    let reach = policy::assumed_reach(&snapshot);
    let encoded = SnapshotBytes::encode(&snapshot)
        .map_err(|error| vec![Problem { file: PathBuf::new(), line: 0, column: 0, message: error.to_string() }]);
    policy::make_ready(services, encoded?.0, node_keys, &reach, before)
}

/// Keys for a policy that serves nobody.
pub fn no_keys() -> NodeKeys {
    NodeKeys { rates: [0; 16], digests: [0; 32], sessions: [0; 32], fingerprints: [0; 32], api_keys: [0; 32] }
}

fn is_same(a: &Snapshot, b: &Snapshot) -> bool {
    let bare = |snapshot: &Snapshot| Snapshot { generation: 0, compiled_at_us: 0, ..snapshot.clone() };
    bare(a) == bare(b)
}

/// The one place where policies come into force.
pub struct Publishing {
    publisher: Mutex<Publisher>,
    /// One tree is read at a time.
    reloading: Mutex<()>,
    plane: Handle,
    supervisor: Arc<Supervisor>,
    database: Database,
    states: watch::Receiver<States>,
    sinks: Arc<Sinks>,
    is_stale: AtomicBool,
    /// A policy on trial beside the one in force.
    pub candidate: Candidate,
}

impl Publishing {
    /// Of the publisher whose first policy the shards were started with.
    pub fn new(
        publisher: Publisher,
        plane: Handle,
        supervisor: Arc<Supervisor>,
        database: Database,
        (states, sinks): (watch::Receiver<States>, Arc<Sinks>),
    ) -> Publishing {
        let publisher = Mutex::new(publisher);
        Publishing {
            publisher,
            reloading: Mutex::new(()),
            plane,
            supervisor,
            database,
            states,
            sinks,
            is_stale: AtomicBool::new(false),
            candidate: Candidate::default(),
        }
    }

    /// Looks at the publisher; nothing is put into force meanwhile.
    pub async fn publisher(&self) -> tokio::sync::MutexGuard<'_, Publisher> {
        self.publisher.lock().await
    }

    /// Another tree, compiled as if it were put into force now.
    ///
    /// # Errors
    /// What does not hold together.
    pub async fn compile_candidate(&self, services: &Services) -> Result<Policy, Vec<Problem>> {
        let states = self.states.borrow().clone();
        let publisher = self.publisher.lock().await;
        tokio::task::block_in_place(|| publisher.candidate(services, &self.supervisor, &states))
    }

    /// Whether the last attempt to read the database failed.
    pub fn is_stale(&self) -> bool {
        self.is_stale.load(Ordering::Relaxed)
    }

    /// Reads the tree again and puts it into force.
    ///
    /// # Errors
    /// [`PublishError`]; the running policy stays.
    pub async fn reload(&self, wish: Wish<'_>) -> Result<Published, PublishError> {
        let _one = self.reloading.lock().await;
        let outcome = self.read_tree(wish).await;
        if let Err(error) = &outcome {
            let generation = self.publisher.lock().await.generation();
            let refused = notice(generation, Wish { why: &error.to_string(), ..wish }, "refuse");
            let refused = OwnedNotice { verdict: Some(Verdict::Deny), ..refused };
            if self.plane.append(refused).await.is_err() {
                tracing::error!("a refused policy could not be recorded");
            }
        }
        outcome
    }

    async fn read_tree(&self, wish: Wish<'_>) -> Result<Published, PublishError> {
        let dir = self.publisher.lock().await.sources.services_dir.clone();
        let services = schema::services::load(&dir).map_err(PublishError::Problems)?;
        let servers = policy::children(&services, |name| std::env::var(name).ok()).map_err(PublishError::Problems)?;
        let declared = sinks::configs(&services, |name| std::env::var(name).ok()).map_err(PublishError::Problems)?;
        let addresses = policy::resolve(&services).await;
        self.sinks.apply(declared).await;
        if let Err(error) = self.supervisor.apply(servers).await {
            tracing::error!(error = %error, "not every MCP server could be started");
        }
        let mut publisher = self.publisher.lock().await;
        let states = self.states.borrow().clone();
        let compiled = publisher.compile_tree(Some((services, addresses)), &self.supervisor, &states)?;
        self.put_into_force(&mut publisher, compiled, wish).await
    }

    /// Reads the database again and puts what it says into force. When this returns well, every shard decides by it.
    ///
    /// # Errors
    /// [`PublishError`]; the running policy stays, without what has ended meanwhile.
    pub async fn refresh(&self, wish: Wish<'_>) -> Result<Published, PublishError> {
        let mut publisher = self.publisher.lock().await;
        // Read while nobody else can publish, so that no older reading ever replaces a newer one.
        let read = Facts::read(&self.database, Timestamp::now()).await;
        let was_stale = self.is_stale.swap(read.is_err(), Ordering::Relaxed);
        let failed = match read {
            Ok(facts) => {
                publisher.facts = facts;
                None
            }
            Err(error) => {
                if !was_stale {
                    tracing::warn!(%error, "policy of the database cannot be read; what it said last stays in force");
                }
                Some(error)
            }
        };
        let states = self.states.borrow().clone();
        let compiled = publisher.compile_tree(None, &self.supervisor, &states)?;
        let published = self.put_into_force(&mut publisher, compiled, wish).await?;
        failed.map_or(Ok(published), |error| Err(error.into()))
    }

    async fn tools_changed(&self) -> Result<Published, PublishError> {
        let mut publisher = self.publisher.lock().await;
        let states = self.states.borrow().clone();
        let compiled = publisher.compile_tree(None, &self.supervisor, &states)?;
        self.put_into_force(&mut publisher, compiled, Wish::own("tools changed")).await
    }

    async fn put_into_force(
        &self,
        publisher: &mut Publisher,
        compiled: Option<Arc<Policy>>,
        wish: Wish<'_>,
    ) -> Result<Published, PublishError> {
        let Some(policy) = compiled else {
            return Ok(Published { generation: publisher.generation(), changed: false });
        };
        let generation = policy.generation();
        // Recorded before it is in force.
        let recorded = self.plane.append(notice(generation, wish, "publish")).await;
        recorded.map_err(|reason| PublishError::Record(reason.explain()))?;
        self.plane.publish(&policy).await;
        if policy.snapshot().observes {
            tracing::warn!(generation, "the policy only observes: whoever is known may call everything");
        }
        publisher.is_in_force = true;
        tracing::info!(generation, why = wish.why, "another policy is in force");
        Ok(Published { generation, changed: true })
    }

    /// Publishes whenever the servers' tools change.
    pub async fn follow_tools(self: Arc<Self>) {
        let mut states = self.states.clone();
        while states.changed().await.is_ok() {
            tokio::time::sleep(SETTLE).await;
            states.mark_unchanged();
            if let Err(error) = self.tools_changed().await {
                tracing::error!(error = %error, "the servers' tools could not be published");
            }
        }
    }

    /// Publishes whenever the database says something else, and whenever something it said ends.
    pub async fn follow_database(self: Arc<Self>) {
        loop {
            let heard = match self.database.listen(CHANNEL).await {
                Ok(mut announcements) => self.follow(&mut announcements).await,
                Err(_) => false,
            };
            if !heard {
                tokio::time::sleep(LISTEN_RETRY).await;
            }
            // What has ended must go even while the database is away.
            self.refresh_own("the database's connection changed").await;
        }
    }

    async fn follow(&self, announcements: &mut crate::postgres::Announcements) -> bool {
        // Whatever happened before we listened.
        self.refresh_own("database changed").await;
        loop {
            let pause = self.pause().await;
            tokio::select! {
                announced = announcements.next() => match announced {
                    Some(()) => self.refresh_own("database changed").await,
                    None => return true,
                },
                () = tokio::time::sleep(pause) => self.refresh_own("time passed").await,
            }
        }
    }

    /// Until the database is read although it announced nothing, or until the next grant or ban ends.
    async fn pause(&self) -> Duration {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let next_end_s = self.publisher.lock().await.facts.next_end_s(now_s);
        let ends = next_end_s.map_or(POLL_EVERY, |second| Duration::from_secs(second - now_s));
        ends.min(POLL_EVERY)
    }

    async fn refresh_own(&self, why: &str) {
        match self.refresh(Wish::own(why)).await {
            // Said once, when it began.
            Ok(_) | Err(PublishError::Facts(_)) => {}
            Err(error) => tracing::error!(error = %error, "what the database says could not be put into force"),
        }
    }
}

fn notice(generation: u64, wish: Wish<'_>, action: &str) -> OwnedNotice {
    let detail: HashMap<&str, &str> = HashMap::from([("why", wish.why)]);
    OwnedNotice {
        kind: Some(EventKind::PolicyChange),
        at_us: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64),
        trace: wish.trace.0,
        user: wish.user.to_owned(),
        tier: if wish.user.is_empty() { Tier::Service.code() } else { Tier::Admin.code() },
        action: action.to_owned(),
        subject: "policy".to_owned(),
        generation,
        detail: serde_json::to_string(&detail).unwrap_or_default(),
        ..OwnedNotice::default()
    }
}
