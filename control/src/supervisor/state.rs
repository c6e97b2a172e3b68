//! What the rest of the process may know about a supervised server: its health and its tools.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::watch;

/// All servers by name.
pub type States = BTreeMap<String, ServerState>;

/// One server as it is now. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServerState {
    /// Whether it can be called.
    pub health: Health,
    /// The tools of the last successful discovery, in the server's order; kept while the server is unhealthy.
    pub tools: Arc<[Tool]>,
    /// Version the server agreed to, once discovered.
    pub protocol_version: Option<Arc<str>>,
    /// `serverInfo` of the last discovery, as the server wrote it.
    pub server_info: Option<Arc<RawValue>>,
    /// Which eras of the protocol it speaks, once discovered.
    pub eras: Eras,
    /// Since when `health` is what it is.
    pub since: SystemTime,
    /// When the last successful discovery ended.
    pub discovered: Option<SystemTime>,
    /// Children that ended without being asked to, since the server was declared.
    pub restarts: u64,
    /// Sessions, hence child processes in use (stdio only).
    pub sessions: usize,
    /// Which of several servers that had this name one after the other.
    generation: u64,
}

impl ServerState {
    fn starting(generation: u64) -> Self {
        Self {
            generation,
            health: Health::Starting,
            tools: Arc::from(Vec::new()),
            protocol_version: None,
            server_info: None,
            eras: Eras::default(),
            since: SystemTime::now(),
            discovered: None,
            restarts: 0,
            sessions: 0,
        }
    }
}

/// Protocol eras of a server. A stdio server is asked in the legacy way only, for now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Eras {
    /// Sessions opened by `initialize` (2025-11-25 and before).
    pub legacy: bool,
    /// Stateless with `server/discover` (2026-07-28).
    pub modern: bool,
}

/// Whether a server can be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Not discovered yet.
    Starting,
    /// Answered its last probe or call.
    Healthy,
    /// Fails; calls are refused at once until a probe succeeds. The reason is for operators.
    Unhealthy(String),
    /// Being stopped, or stopped.
    Stopped,
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::Healthy => f.write_str("healthy"),
            Self::Unhealthy(reason) => write!(f, "unhealthy: {reason}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

/// One tool as its server declares it.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Name to call it by, unprefixed.
    pub name: Box<str>,
    /// Description, if any.
    pub description: Option<Box<str>>,
    /// `inputSchema` as the server wrote it.
    pub input_schema: Arc<RawValue>,
    /// The whole definition as the server wrote it (title, output schema, annotations, `_meta` …).
    pub definition: Arc<RawValue>,
    /// BLAKE3 of the definition in a canonical form: changes when anything a model reads changes, not when
    /// keys are reordered.
    pub digest: [u8; 32],
}

/// BLAKE3 of a JSON value with object keys in order and no white space.
///
/// Every node is tagged and counted, so that two different values never feed the same bytes to the hash.
pub fn canonical_digest(value: &Value) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    feed(&mut hasher, value);
    *hasher.finalize().as_bytes()
}

fn feed(hasher: &mut blake3::Hasher, value: &Value) {
    let text = |hasher: &mut blake3::Hasher, tag: u8, text: &str| {
        hasher.update(&[tag]);
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    match value {
        Value::Null => drop(hasher.update(b"n")),
        Value::Bool(flag) => drop(hasher.update(if *flag { b"t" } else { b"f" })),
        Value::Number(number) => text(hasher, b'd', &number.to_string()),
        Value::String(string) => text(hasher, b's', string),
        Value::Array(items) => {
            hasher.update(b"a");
            hasher.update(&(items.len() as u64).to_le_bytes());
            for item in items {
                feed(hasher, item);
            }
        }
        Value::Object(map) => {
            hasher.update(b"o");
            hasher.update(&(map.len() as u64).to_le_bytes());
            // A map may keep the order of insertion, depending on a feature of serde_json.
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            for (key, item) in sorted {
                text(hasher, b'k', key);
                feed(hasher, item);
            }
        }
    }
}

/// Publishes the state of one server into the map of all.
#[derive(Clone, Debug)]
pub(super) struct Publisher {
    name: Arc<str>,
    generation: u64,
    states: watch::Sender<States>,
}

impl Publisher {
    /// Announces the server as starting. A publisher of the same name from before falls silent.
    pub(super) fn new(name: &str, states: &watch::Sender<States>) -> Self {
        let mut generation = 0;
        states.send_modify(|states| {
            generation = states.get(name).map_or(0, |state| state.generation + 1);
            states.insert(name.to_owned(), ServerState::starting(generation));
        });
        Self { name: Arc::from(name), generation, states: states.clone() }
    }

    /// Changes the state; readers are woken only if `change` says that it changed something.
    pub(super) fn update(&self, change: impl FnOnce(&mut ServerState) -> bool) {
        self.states.send_if_modified(|states| {
            let state = states.get_mut(&*self.name).filter(|state| state.generation == self.generation);
            state.is_some_and(change)
        });
    }

    pub(super) fn set_health(&self, health: Health) {
        self.update(|state| {
            let changed = state.health != health;
            if changed {
                state.health = health;
                state.since = SystemTime::now();
            }
            changed
        });
    }

    /// Whether there was a successful discovery.
    pub(super) fn is_discovered(&self) -> bool {
        let states = self.states.borrow();
        states.get(&*self.name).is_some_and(|state| state.generation == self.generation && state.discovered.is_some())
    }

    pub(super) fn remove(&self) {
        self.states.send_if_modified(|states| {
            let ours = states.get(&*self.name).is_some_and(|state| state.generation == self.generation);
            ours && states.remove(&*self.name).is_some()
        });
    }
}
