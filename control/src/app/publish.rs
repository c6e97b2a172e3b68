//! Putting a policy into force: read, compile, store, swap, record. One at a time; a policy that does not hold together
//! changes nothing.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dataplane::inbox::OwnedNotice;
use dataplane::plane::Handle;
use dataplane::policy::{NodeKeys, Policy, PolicyError};
use schema::services::governance::Retention;
use schema::services::{Problem, Services};
use tokio::sync::{mpsc, oneshot, watch};
use wire::decision::{EventKind, Tier};
use wire::ids::TraceId;
use wire::snapshot::{Snapshot, SnapshotBytes, VerifyKey};

use crate::policy::store::{Store, StoreError};
use crate::policy::{self, COMMAND_SERVER, Context, Dynamic, Known};
use crate::sinks::{self, Sinks};
use crate::supervisor::{States, Supervisor};

/// Tools that change together are published together.
const SETTLE: Duration = Duration::from_millis(300);

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
    /// The process is stopping.
    #[error("the gateway is stopping")]
    Stopping,
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

/// Who wants another policy.
pub struct Request {
    /// The principal.
    pub user: String,
    /// Of the request.
    pub trace: TraceId,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Result<Published, PublishError>>,
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
    /// Tools of the built-in server.
    pub operator_tools: Vec<String>,
}

fn retention(services: &Services) -> Retention {
    services.audit.as_ref().and_then(|audit| audit.what.retention).unwrap_or_default()
}

/// Compiles and stores what is to be in force; does not publish it.
pub struct Publisher {
    sources: Sources,
    services: Services,
    retention: watch::Sender<Retention>,
    store: Store,
    /// The newest policy, of this run or from disk.
    last: Option<Snapshot>,
    /// Whether `last` is of this run.
    in_force: bool,
}

impl Publisher {
    /// From the tree, with what the last policy on disk knows of the servers' tools.
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
        let (retention, _) = watch::channel(retention(&services));
        Ok(Publisher { sources, services, retention, store, last, in_force: false })
    }

    /// The tree as it was last read.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// How long audit rows stay, as the tree says that was last read.
    pub fn retention(&self) -> watch::Receiver<Retention> {
        self.retention.subscribe()
    }

    /// Reads the tree again.
    ///
    /// # Errors
    /// It does not hold together; the old one stays.
    pub fn reread(&mut self) -> Result<(), PublishError> {
        self.services = schema::services::load(&self.sources.services_dir).map_err(PublishError::Problems)?;
        self.retention.send_replace(retention(&self.services));
        Ok(())
    }

    /// The generation in force.
    pub fn generation(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.generation)
    }

    /// Compiles the tree with what the servers offer, and stores it. `None` when nothing has changed.
    ///
    /// # Errors
    /// What does not hold together; nothing was stored.
    pub async fn compile(&mut self, supervisor: &Supervisor, states: &States) -> Result<Option<Arc<Policy>>, PublishError> {
        let dynamic = self.gather(supervisor, states).await;
        let now_us = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
        let context = Context {
            generation: self.store.next_generation(),
            issuer: &self.sources.base_url,
            base_url: &self.sources.base_url,
            keys: &self.sources.keys,
            control_socket: &self.sources.control_socket,
            now_us,
        };
        let snapshot = policy::compile(&self.services, &dynamic, &context).map_err(PublishError::Problems)?;
        if self.in_force && self.last.as_ref().is_some_and(|last| is_same(last, &snapshot)) {
            return Ok(None);
        }
        let ready = make_ready(&self.services, &snapshot, &self.sources.node_keys)?;
        self.store.save(&snapshot)?;
        self.last = Some(snapshot);
        self.in_force = true;
        Ok(Some(Arc::new(ready)))
    }

    /// What the declarations do not say. A server that has not answered yet keeps the tools it had in the last policy.
    async fn gather(&self, supervisor: &Supervisor, states: &States) -> Dynamic {
        let mut addresses = policy::resolve(&self.services).await;
        let mut dynamic = Dynamic::default();
        for (name, _) in &self.services.mcp {
            let name = name.as_str();
            let state = states.get(name).filter(|state| state.discovered.is_some());
            let tools = match state {
                Some(state) => state.tools.iter().map(|tool| tool.name.to_string()).collect(),
                None => self.last_tools(name),
            };
            let addresses = addresses.remove(name).unwrap_or_default();
            dynamic.servers.insert(name.to_owned(), Known { tools, addresses, socket: Some(supervisor.socket(name)) });
        }
        let operator = Known { tools: self.sources.operator_tools.clone(), ..Known::default() };
        dynamic.servers.insert(COMMAND_SERVER.to_owned(), operator);
        dynamic
    }

    fn last_tools(&self, server: &str) -> Vec<String> {
        let last = self.last.iter().flat_map(|last| &last.servers).find(|known| known.name == server);
        last.map(|known| known.tools.keys().cloned().collect()).unwrap_or_default()
    }
}

fn make_ready(services: &Services, snapshot: &Snapshot, node_keys: &NodeKeys) -> Result<Policy, PublishError> {
    let (bytes, _) = SnapshotBytes::encode(snapshot).map_err(|error| PublishError::Policy(error.into()))?;
    let reach = policy::reach(services, snapshot, |name| std::env::var(name).ok()).map_err(PublishError::Problems)?;
    // Tens of milliseconds, and rare: the control plane has two threads.
    tokio::task::block_in_place(|| policy::make_ready(services, bytes, node_keys, &reach)).map_err(PublishError::Problems)
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
    let node_keys = NodeKeys { rates: [0; 16], digests: [0; 32], sessions: [0; 32], fingerprints: [0; 32] };
    let reach = policy::assumed_reach(&snapshot);
    match SnapshotBytes::encode(&snapshot) {
        Ok((bytes, _)) => match policy::make_ready(&services, bytes, &node_keys, &reach) {
            Ok(_) => Vec::new(),
            Err(problems) => problems,
        },
        Err(error) => vec![Problem { file: services_dir.to_path_buf(), line: 0, column: 0, message: error.to_string() }],
    }
}

fn is_same(a: &Snapshot, b: &Snapshot) -> bool {
    let bare = |snapshot: &Snapshot| Snapshot { generation: 0, compiled_at_us: 0, ..snapshot.clone() };
    bare(a) == bare(b)
}

/// Publishes whenever somebody asks or the servers' tools change, until the request channel closes.
pub async fn run(
    mut publisher: Publisher,
    plane: Handle,
    supervisor: Arc<Supervisor>,
    sinks: Arc<Sinks>,
    mut states: watch::Receiver<States>,
    mut requests: mpsc::Receiver<Request>,
    generation: watch::Sender<u64>,
) {
    loop {
        tokio::select! {
            request = requests.recv() => {
                let Some(Request { user, trace, answer }) = request else { return };
                let result = reload(&mut publisher, &plane, (&supervisor, &sinks), &states, &user, trace).await;
                if let Ok(published) = &result {
                    generation.send_replace(published.generation);
                }
                let _ = answer.send(result);
            }
            changed = states.changed() => {
                if changed.is_err() {
                    return;
                }
                tokio::time::sleep(SETTLE).await;
                let now = states.borrow_and_update().clone();
                match put_into_force(&mut publisher, &plane, &supervisor, &now, "", TraceId([0; 16]), "tools changed").await {
                    Ok(published) => { generation.send_replace(published.generation); }
                    Err(error) => tracing::error!(error = %error, "the servers' tools could not be published"),
                }
            }
        }
    }
}

async fn reload(
    publisher: &mut Publisher,
    plane: &Handle,
    (supervisor, sinks): (&Supervisor, &Sinks),
    states: &watch::Receiver<States>,
    user: &str,
    trace: TraceId,
) -> Result<Published, PublishError> {
    let outcome = async {
        publisher.reread()?;
        let servers = policy::children(publisher.services(), |name| std::env::var(name).ok()).map_err(PublishError::Problems)?;
        let declared = sinks::configs(publisher.services(), |name| std::env::var(name).ok()).map_err(PublishError::Problems)?;
        sinks.apply(declared).await;
        if let Err(error) = supervisor.apply(servers).await {
            tracing::error!(error = %error, "not every MCP server could be started");
        }
        let now = states.borrow().clone();
        put_into_force(publisher, plane, supervisor, &now, user, trace, "services reloaded").await
    }
    .await;
    if let Err(error) = &outcome {
        let refused = notice(publisher.generation(), user, trace, "refuse", &error.to_string());
        let refused = OwnedNotice { verdict: Some(wire::decision::Verdict::Deny), ..refused };
        if plane.append(refused).await.is_err() {
            tracing::error!("a refused policy could not be recorded");
        }
    }
    outcome
}

async fn put_into_force(
    publisher: &mut Publisher,
    plane: &Handle,
    supervisor: &Supervisor,
    states: &States,
    user: &str,
    trace: TraceId,
    why: &str,
) -> Result<Published, PublishError> {
    let Some(policy) = publisher.compile(supervisor, states).await? else {
        return Ok(Published { generation: publisher.generation(), changed: false });
    };
    let generation = policy.generation();
    // Recorded before it is in force.
    plane
        .append(notice(generation, user, trace, "publish", why))
        .await
        .map_err(|reason| PublishError::Record(reason.explain()))?;
    plane.publish(&policy);
    tracing::info!(generation, why, "another policy is in force");
    Ok(Published { generation, changed: true })
}

fn notice(generation: u64, user: &str, trace: TraceId, action: &str, why: &str) -> OwnedNotice {
    let detail: HashMap<&str, &str> = HashMap::from([("why", why)]);
    OwnedNotice {
        kind: Some(EventKind::PolicyChange),
        at_us: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64),
        trace: trace.0,
        user: user.to_owned(),
        tier: if user.is_empty() { Tier::Service.code() } else { Tier::Admin.code() },
        action: action.to_owned(),
        subject: "policy".to_owned(),
        generation,
        detail: serde_json::to_string(&detail).unwrap_or_default(),
        ..OwnedNotice::default()
    }
}
