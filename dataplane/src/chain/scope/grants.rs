//! The grants of a policy, compiled off the shards: subjects, places and tools interned, and found by what a principal
//! is instead of by reading all of them.
//! Lives in a compiled policy and is shared by all shards.

use std::collections::{BTreeSet, HashMap, HashSet};

use hashbrown::HashMap as NameMap;
use wire::ids::ServerIx;
use wire::snapshot::{self, Effect, Snapshot, Subject};

use super::condition::{ConditionError, Conditions};
use super::groups::Groups;
use super::verdict::{Verdicts, VerdictsBuilder};
use crate::chain::Call;
use crate::chain::glob::{Glob, GlobError};
use crate::chain::tool::ToolGlob;
use crate::identity::Principal;

/// Methods that a session needs whatever it is used for; whoever may do anything on a server may use them.
const SESSION_METHODS: [&str; 18] = [
    "initialize",
    "ping",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "logging/setLevel",
    "stream/open",
    "session/delete",
    "response",
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
    "notifications/tasks/status",
    "notifications/elicitation/complete",
    "notifications/message",
    // Every other notification.
    "notifications/",
];

/// Methods that act on something, and need a grant that does not only name tools.
const ACTING_METHODS: [&str; 9] = [
    "prompts/get",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "completion/complete",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "tasks/cancel",
];

const CALL: &str = "tools/call";

/// How many methods are told apart, `tools/call` aside; the session's own come first.
pub(super) const METHODS: usize = SESSION_METHODS.len() + ACTING_METHODS.len();

/// How many of them are a session's own.
pub(super) const SESSION_METHODS_COUNT: usize = SESSION_METHODS.len();

/// Whether a method is a session's own business.
pub fn is_session_method(method: &str) -> bool {
    method_ix(method).is_some_and(is_session_ix)
}

/// Which method it is, `tools/call` aside.
pub(super) fn method_ix(method: &str) -> Option<usize> {
    let known = SESSION_METHODS.iter().chain(&ACTING_METHODS).position(|name| *name == method);
    known.or_else(|| method.starts_with("notifications/").then_some(SESSION_METHODS.len() - 1))
}

pub(super) fn is_session_ix(method: usize) -> bool {
    method < SESSION_METHODS_COUNT
}

/// The methods a grant speaks of: one bit each, and one for `tools/call`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Methods(u32);

impl Methods {
    const CALL: u32 = 1 << METHODS;

    fn compile(grant: &snapshot::Grant) -> Result<Methods, GlobError> {
        let globs = grant.methods.iter().map(|text| Glob::compile(text)).collect::<Result<Vec<_>, _>>()?;
        let named = |name: &str| globs.is_empty() || globs.iter().any(|glob| glob.matches(name));
        let call = if named(CALL) { Methods::CALL } else { 0 };
        if !grant.tools.is_empty() {
            return Ok(Methods(call));
        }
        let names = SESSION_METHODS.iter().chain(&ACTING_METHODS).enumerate();
        Ok(Methods(names.filter(|(_, name)| named(name)).fold(call, |bits, (ix, _)| bits | 1 << ix)))
    }

    pub(super) fn covers(self, method: usize) -> bool {
        self.0 >> method & 1 == 1
    }

    /// One bit for each but `tools/call`.
    pub(super) fn actions(self) -> u64 {
        u64::from(self.0 & !Methods::CALL)
    }

    pub(super) fn covers_calls(self) -> bool {
        self.0 & Methods::CALL != 0
    }
}

const _: () = assert!(METHODS < 31, "every method and `tools/call` have a bit");

/// Which tools of one server a grant speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cover {
    All,
    /// A few, by their number on the server.
    Few(Box<[u32]>),
    /// One bit for each tool of the server.
    Bits(Box<[u64]>),
}

impl Cover {
    fn of(tools: Vec<u32>, all: usize) -> Cover {
        if tools.len() == all && all > 0 {
            return Cover::All;
        }
        if tools.len() * 2 <= all / 64 + 8 {
            return Cover::Few(tools.into_boxed_slice());
        }
        let mut bits = vec![0_u64; all.div_ceil(64)];
        for tool in tools {
            bits[tool as usize / 64] |= 1 << (tool % 64);
        }
        Cover::Bits(bits.into_boxed_slice())
    }

    /// Which of the tools from 64 × `block` on are covered, one bit each.
    pub(super) fn word(&self, block: usize) -> u64 {
        match self {
            Cover::All => u64::MAX,
            Cover::Few(few) => {
                let here = few.iter().filter(|tool| **tool as usize / 64 == block);
                here.fold(0, |word, tool| word | 1 << (tool % 64))
            }
            Cover::Bits(bits) => bits.get(block).copied().unwrap_or_default(),
        }
    }
}

/// Servers and tools that a grant names; grants that name the same share it.
#[derive(Debug)]
pub(super) struct Place {
    /// Globs over tools; none is every tool.
    tools: Box<[ToolGlob]>,
    /// By server, in the order of their numbers.
    pub(super) covers: Box<[(u32, Cover)]>,
}

/// One grant, compiled.
#[derive(Debug)]
pub(crate) struct Grant {
    /// Its name in rows and explanations.
    pub(crate) id: Box<str>,
    pub(crate) effect: Effect,
    pub(crate) scopes: Box<[Box<str>]>,
    pub(crate) conditions: Conditions,
    pub(super) methods: Methods,
    pub(super) place: u32,
    group: u32,
}

impl Grant {
    /// Whether it applies whatever is sent, and whatever scopes are held.
    pub(super) fn is_certain(&self) -> bool {
        self.conditions.is_empty() && (self.effect == Effect::Deny || self.scopes.is_empty())
    }
}

/// Grants for the same principals.
#[derive(Debug)]
struct Group {
    subject: Subject,
    grants: Vec<u32>,
}

/// The tools of one server.
#[derive(Debug)]
pub(super) struct ServerTools {
    pub(super) name: Box<str>,
    pub(super) names: NameMap<Box<str>, u32>,
    /// Tools may exist that were not discovered.
    pub(super) open: bool,
}

/// All grants of a policy.
#[derive(Debug)]
pub(crate) struct Grants {
    grants: Box<[Grant]>,
    places: Box<[Place]>,
    groups: Box<[Group]>,
    index: Index,
    servers: Box<[ServerTools]>,
    /// By group.
    pub(super) verdicts: Verdicts,
    /// Grants that would take.
    observers: Box<[u32]>,
}

/// Where groups are found: each under the dimension that tells most principals apart.
#[derive(Debug, Default)]
struct Index {
    users: NameMap<Box<str>, Vec<u32>>,
    agents: NameMap<Box<str>, Vec<u32>>,
    roles: NameMap<Box<str>, Vec<u32>>,
    departments: NameMap<Box<str>, Vec<u32>>,
    tenants: NameMap<Box<str>, Vec<u32>>,
    everyone: Vec<u32>,
}

/// A grant that cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[error("grant `{grant}` cannot be used")]
pub struct GrantError {
    /// Which.
    pub grant: String,
    /// Why.
    #[source]
    pub fault: GrantFault,
}

/// What is wrong with a grant.
#[derive(Debug, thiserror::Error)]
pub enum GrantFault {
    /// One of its globs.
    #[error(transparent)]
    Glob(#[from] GlobError),
    /// What it asks of the arguments.
    #[error(transparent)]
    Condition(#[from] ConditionError),
}

impl Grants {
    /// Compiles the grants of a snapshot. Cost: some microseconds for each; never call it on a shard.
    ///
    /// # Errors
    /// [`GrantError`] names the first grant that does not hold, and what to do about it. Keep the policy in force.
    pub(crate) fn compile(snapshot: &Snapshot) -> Result<Grants, GrantError> {
        let servers: Box<[ServerTools]> = snapshot.servers.iter().map(ServerTools::new).collect();
        let mut places = Places { servers: &servers, known: HashMap::new(), places: Vec::new() };
        let mut group_of: HashMap<&Subject, u32> = HashMap::new();
        let mut groups: Vec<Group> = Vec::new();
        let mut grants = Vec::with_capacity(snapshot.grants.len());
        let mut observers = Vec::new();
        for (ix, grant) in snapshot.grants.iter().enumerate() {
            let failed = |fault| GrantError { grant: grant.id.clone(), fault };
            let group = *group_of.entry(&grant.subject).or_insert_with(|| {
                groups.push(Group { subject: grant.subject.clone(), grants: Vec::new() });
                groups.len() as u32 - 1
            });
            match grant.effect {
                Effect::Allow | Effect::Deny => groups[group as usize].grants.push(ix as u32),
                Effect::Observe => observers.push(ix as u32),
            }
            grants.push(Grant {
                id: grant.id.as_str().into(),
                effect: grant.effect,
                scopes: grant.scopes.iter().map(|scope| scope.as_str().into()).collect(),
                conditions: Conditions::from_json(&grant.when).map_err(|fault| failed(fault.into()))?,
                methods: Methods::compile(grant).map_err(|fault| failed(fault.into()))?,
                place: places.intern(grant).map_err(|fault| failed(fault.into()))?,
                group,
            });
        }
        let places = places.places.into_boxed_slice();
        let mut verdicts = VerdictsBuilder::new(&servers, &places);
        for group in &groups {
            let grants: Vec<_> = group.grants.iter().map(|ix| (*ix, &grants[*ix as usize])).collect();
            verdicts.group(&grants);
        }
        let verdicts = verdicts.build();
        let index = Index::new(&groups);
        Ok(Grants { verdicts, grants: grants.into(), places, groups: groups.into(), index, servers, observers: observers.into() })
    }

    /// By server: every scope that some grant there asks for.
    pub(crate) fn scopes(&self) -> Vec<BTreeSet<&str>> {
        let mut scopes = vec![BTreeSet::new(); self.servers.len()];
        let mut seen = HashSet::new();
        for grant in self.grants.iter().filter(|grant| grant.effect == Effect::Allow && !grant.scopes.is_empty()) {
            // Many grants ask for the same in the same place.
            if !seen.insert((grant.place, &grant.scopes)) {
                continue;
            }
            for (server, _) in &self.places[grant.place as usize].covers {
                if let Some(of_server) = scopes.get_mut(*server as usize) {
                    of_server.extend(grant.scopes.iter().map(|scope| &**scope));
                }
            }
        }
        scopes
    }

    /// The groups that a principal is in, in ascending order.
    pub(super) fn groups_of(&self, principal: &Principal) -> Vec<u32> {
        let mut found = self.index.candidates(principal);
        found.sort_unstable();
        found.dedup();
        found.retain(|group| principal.is_in(&self.groups[*group as usize].subject));
        found
    }

    /// The grants that would take a call from somebody in these groups. Nearly always none, and then for nothing.
    pub(super) fn observers<'g>(&'g self, groups: &'g Groups, call: &'g Call<'_>) -> impl Iterator<Item = &'g Grant> {
        let of = self.observers.iter().filter_map(|ix| self.get(*ix));
        of.filter(|grant| groups.contains(grant.group)).filter(|grant| match call.is_tool {
            true => grant.methods.covers_calls() && self.covers_tool(grant, call.server, call.name),
            false => self.speaks_of(grant, call.server) && method_ix(call.method).is_some_and(|ix| grant.methods.covers(ix)),
        })
    }

    fn cover(&self, grant: &Grant, server: ServerIx) -> Option<&Cover> {
        let covers = &self.places[grant.place as usize].covers;
        let at = covers.binary_search_by_key(&server.0, |(server, _)| *server).ok()?;
        Some(&covers[at].1)
    }

    /// Whether a grant speaks of a server at all.
    pub(super) fn speaks_of(&self, grant: &Grant, server: ServerIx) -> bool {
        self.cover(grant, server).is_some()
    }

    /// Whether a grant speaks of calls of a tool, discovered or not.
    pub(super) fn covers_tool(&self, grant: &Grant, server: ServerIx, tool: &str) -> bool {
        let place = &self.places[grant.place as usize];
        let Some(of) = self.server(server) else { return false };
        self.cover(grant, server).is_some()
            && (place.tools.is_empty() || place.tools.iter().any(|glob| glob.matches(&of.name, tool)))
    }

    /// Whom a grant is for.
    pub(super) fn subject(&self, grant: &Grant) -> &Subject {
        &self.groups[grant.group as usize].subject
    }

    /// All of them, in the order of the policy.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter()
    }

    pub(super) fn get(&self, ix: u32) -> Option<&Grant> {
        self.grants.get(ix as usize)
    }

    fn server(&self, server: ServerIx) -> Option<&ServerTools> {
        self.servers.get(server.index())
    }

    /// A tool's number on its server.
    pub(crate) fn tool(&self, server: ServerIx, name: &str) -> Option<u32> {
        self.server(server)?.names.get(name).copied()
    }

    /// The tools of a server, by their numbers.
    pub(crate) fn tools_of(&self, server: ServerIx) -> Vec<&str> {
        let Some(server) = self.server(server) else { return Vec::new() };
        let mut tools = vec![""; server.names.len()];
        server.names.iter().for_each(|(name, ix)| tools[*ix as usize] = name);
        tools
    }
}

impl ServerTools {
    fn new(server: &snapshot::Server) -> ServerTools {
        let mut names: Vec<&String> = server.tools.keys().collect();
        names.sort_unstable();
        ServerTools {
            name: server.name.as_str().into(),
            names: names.into_iter().enumerate().map(|(ix, name)| (name.as_str().into(), ix as u32)).collect(),
            open: server.open_tools,
        }
    }

    /// The tools of this server that the globs name, in ascending order.
    fn named_by(&self, globs: &[&ToolGlob]) -> Vec<u32> {
        let mut found = Vec::new();
        for glob in globs {
            match glob.glob().literal() {
                Some(name) => found.extend(self.names.get(name)),
                None => found.extend(self.names.iter().filter(|(name, _)| glob.glob().matches(name)).map(|(_, ix)| *ix)),
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// What grants name, each combination once.
struct Places<'s> {
    servers: &'s [ServerTools],
    known: HashMap<(&'s [String], &'s [String]), u32>,
    places: Vec<Place>,
}

impl<'s> Places<'s> {
    fn intern(&mut self, grant: &'s snapshot::Grant) -> Result<u32, GlobError> {
        let key = (grant.servers.as_slice(), grant.tools.as_slice());
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let servers = grant.servers.iter().map(|text| Glob::compile(text)).collect::<Result<Vec<_>, _>>()?;
        let is_server = |name: &str| self.servers.iter().any(|server| *server.name == *name);
        let tools = grant.tools.iter().map(|text| ToolGlob::compile(text, is_server)).collect::<Result<Box<[_]>, _>>()?;
        let mut covers = Vec::new();
        for (ix, server) in self.servers.iter().enumerate() {
            if !servers.is_empty() && !servers.iter().any(|glob| glob.matches(&server.name)) {
                continue;
            }
            if tools.is_empty() {
                covers.push((ix as u32, Cover::All));
                continue;
            }
            let speaking: Vec<&ToolGlob> = tools.iter().filter(|glob| glob.speaks_of(&server.name)).collect();
            let found = server.named_by(&speaking);
            // What was not discovered yet, or never can be, may still be named.
            let may_be_named = !speaking.is_empty() && (server.open || server.names.is_empty());
            if !found.is_empty() || may_be_named {
                covers.push((ix as u32, Cover::of(found, server.names.len())));
            }
        }
        self.places.push(Place { tools, covers: covers.into_boxed_slice() });
        let ix = self.places.len() as u32 - 1;
        self.known.insert(key, ix);
        Ok(ix)
    }
}

impl Index {
    fn new(groups: &[Group]) -> Index {
        let mut index = Index::default();
        for (ix, Group { subject, .. }) in groups.iter().enumerate() {
            let (map, names) = match subject {
                Subject { users, .. } if !users.is_empty() => (&mut index.users, users),
                Subject { agents, .. } if !agents.is_empty() => (&mut index.agents, agents),
                Subject { roles, .. } if !roles.is_empty() => (&mut index.roles, roles),
                Subject { departments, .. } if !departments.is_empty() => (&mut index.departments, departments),
                Subject { tenants, .. } if !tenants.is_empty() => (&mut index.tenants, tenants),
                _ => {
                    index.everyone.push(ix as u32);
                    continue;
                }
            };
            for name in names {
                map.entry(name.as_str().into()).or_default().push(ix as u32);
            }
        }
        index
    }

    fn candidates(&self, principal: &Principal) -> Vec<u32> {
        let claims = &principal.claims;
        let mut found = self.everyone.clone();
        let single = [
            (&self.users, &claims.sub),
            (&self.agents, &claims.agent),
            (&self.departments, &claims.department),
            (&self.tenants, &claims.tenant),
        ];
        let by_role = claims.roles.iter().map(|role| (&self.roles, role));
        for (map, name) in single.into_iter().chain(by_role) {
            found.extend(map.get(name.as_str()).into_iter().flatten());
        }
        found
    }
}
