//! What one principal may do under one policy: which grants are for it, and under which limits it falls.
//! Lives on: one shard. Principals for whom the same grants speak and who hold the same scopes share what is compiled, and
//! so do kinds of principals to whom the same grants speak on a server: what thousands of them may do fits a core's cache.

use std::cell::{Cell, OnceCell, RefCell};
use std::hash::Hash;
use std::rc::{Rc, Weak};

use hashbrown::HashMap;
use hashbrown::hash_map::IntoIter;
use wire::ids::ServerIx;

use super::condition::Unmet;
use super::grants::Grant;
use super::{Access, Entry, Rank, ServerAccess};
use crate::chain::Call;
use crate::chain::rate::{LimitSet, Parts};
use crate::identity::Principal;
use crate::policy::Policy;

/// How many entries of an older policy are forgotten with each new principal, so that no call pays for all of them.
const FORGET_AT_ONCE: usize = 16;

/// How many entries are kept before the first look for those that nobody needs any more.
const ENTRIES_MIN: usize = 1024;

/// What one principal may do under one policy. Only good for that policy.
pub struct Standing {
    generation: u64,
    /// Those of its kind: the first thing a call needs is one step away.
    servers: Servers,
    kind: Rc<Kind>,
    pub(crate) limits: LimitSet,
    pub(crate) parts: Parts,
}

/// What a kind of principals may do, by server, each compiled at the first call to it.
type Servers = Rc<[OnceCell<Rc<ServerAccess>>]>;

/// What principals with the same grants and scopes have in common.
struct Kind {
    groups: Box<[u32]>,
    scopes: Box<str>,
    servers: Servers,
    known: Rc<Known>,
}

/// A kind by its groups and scopes.
type KindKey = (Box<[u32]>, Box<str>);

/// A compiled access by its server and the grants that speak there, each with what it says to the scopes held.
type AccessKey = (ServerIx, Box<[Entry]>);

/// What one shard has compiled under one policy.
#[derive(Default)]
struct Known {
    kinds: RefCell<Shared<KindKey, Kind>>,
    accesses: RefCell<Shared<AccessKey, ServerAccess>>,
}

/// The kinds of principals that one shard has met under the policy in force.
#[derive(Default)]
pub(crate) struct Kinds {
    generation: Cell<u64>,
    known: RefCell<Rc<Known>>,
    forgotten: RefCell<(Forgotten<KindKey, Kind>, Forgotten<AccessKey, ServerAccess>)>,
}

type Forgotten<K, T> = Option<IntoIter<K, Weak<T>>>;

/// Values that are made once for all who need them, and dropped with the last of these.
struct Shared<K, T> {
    entries: HashMap<K, Weak<T>>,
    /// At how many the ones that nobody needs any more are thrown away.
    full_at: usize,
}

impl<K, T> Default for Shared<K, T> {
    fn default() -> Shared<K, T> {
        Shared { entries: HashMap::new(), full_at: ENTRIES_MIN }
    }
}

impl<K: Hash + Eq, T> Shared<K, T> {
    fn get(&mut self, key: K, make: impl FnOnce(&K) -> T) -> Rc<T> {
        if let Some(known) = self.entries.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        if self.entries.len() >= self.full_at {
            self.entries.retain(|_, value| value.strong_count() > 0);
            self.full_at = (self.entries.len() * 2).max(ENTRIES_MIN);
        }
        let value = Rc::new(make(&key));
        self.entries.insert(key, Rc::downgrade(&value));
        value
    }

    fn forget(&mut self) -> Forgotten<K, T> {
        Some(std::mem::take(self).entries.into_iter())
    }
}

impl Kinds {
    fn of(&self, policy: &Policy, groups: Vec<u32>, scopes: &str) -> Rc<Kind> {
        let mut forgotten = self.forgotten.borrow_mut();
        let mut known = self.known.borrow_mut();
        if self.generation.get() != policy.generation() {
            self.generation.set(policy.generation());
            *forgotten = (known.kinds.borrow_mut().forget(), known.accesses.borrow_mut().forget());
            *known = Rc::default();
        }
        forgotten.0.iter_mut().for_each(|kinds| kinds.take(FORGET_AT_ONCE).for_each(drop));
        forgotten.1.iter_mut().for_each(|accesses| accesses.take(FORGET_AT_ONCE).for_each(drop));
        known.kinds.borrow_mut().get((groups.into_boxed_slice(), scopes.into()), |(groups, scopes)| Kind {
            groups: groups.clone(),
            scopes: scopes.clone(),
            servers: (0..policy.snapshot().servers.len()).map(|_| OnceCell::new()).collect(),
            known: Rc::clone(&known),
        })
    }
}

impl Standing {
    /// Finds the grants and limits that are for a principal. Cost: the grants that may be for it, not all there are.
    pub(crate) fn new(policy: &Policy, principal: &Principal, kinds: &Kinds) -> Standing {
        let groups = policy.grants.groups_of(principal);
        let kind = kinds.of(policy, groups, &principal.scopes);
        Standing {
            generation: policy.generation(),
            servers: Rc::clone(&kind.servers),
            kind,
            limits: policy.limits_of(principal),
            parts: policy.parts_of(principal),
        }
    }

    /// The policy it is good for.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What the grants say about a call. Units: `now_us` is µs since 1970.
    ///
    /// Cost: at the first call to a server, what [`ServerAccess`] costs to compile; then one look-up and the conditions.
    pub fn access<'p>(&self, policy: &'p Policy, call: &Call<'_>, now_us: u64) -> Access<'p> {
        let tool = if call.is_tool { policy.grants.tool(call.server, call.name) } else { None };
        self.access_to(policy, tool, call, now_us)
    }

    /// Grants in observe mode that would take the call, conditions that cannot be judged included.
    pub(crate) fn observed<'p>(&'p self, policy: &'p Policy, call: &'p Call<'_>, now_us: u64) -> impl Iterator<Item = &'p str> {
        let would = move |grant: &&Grant| !matches!(grant.conditions.check(call.arguments, now_us), Err(Unmet::Failed { .. }));
        policy.grants.observers(&self.kind.groups, call).filter(would).map(|grant| &*grant.id)
    }

    /// The same, where the tool's number on the server is known.
    pub fn access_to<'p>(&self, policy: &'p Policy, tool: Option<u32>, call: &Call<'_>, now_us: u64) -> Access<'p> {
        let Some(on_server) = self.on_server(policy, call.server) else { return Access::NotGranted };
        let access = on_server.of(&policy.grants, tool, call, now_us);
        match (access, if call.is_tool { policy.demands(call.server, call.name) } else { &[] }) {
            // A grant that was meant for tools of other servers gives nobody a command.
            (Access::Allowed { grant } | Access::StepUp { grant, .. }, demands @ [first, ..]) if !self.meets(demands) => {
                Access::StepUp { grant, scopes: std::slice::from_ref(first) }
            }
            (access, _) => access,
        }
    }

    /// Whether it holds one of the scopes that a tool asks for, or the tool asks for none.
    fn meets(&self, demands: &[Box<str>]) -> bool {
        demands.is_empty() || demands.iter().any(|demand| self.kind.holds(demand))
    }

    /// Whether a tool belongs into the principal's `tools/list` of a server.
    pub fn lists(&self, policy: &Policy, server: ServerIx, tool: &str) -> bool {
        if policy.observes() {
            return true;
        }
        self.meets(policy.demands(server, tool))
            && self
                .on_server(policy, server)
                .is_some_and(|access| access.lists(&policy.grants, server, policy.grants.tool(server, tool), tool))
    }

    /// `None` for a server that the policy does not know.
    #[inline]
    fn on_server(&self, policy: &Policy, server: ServerIx) -> Option<&ServerAccess> {
        let slot = self.servers.get(server.index())?;
        Some(slot.get_or_init(|| self.kind.compile(policy, server)))
    }
}

impl Kind {
    fn holds(&self, scope: &str) -> bool {
        self.scopes.split(' ').any(|held| held == scope)
    }

    #[cold]
    fn compile(&self, policy: &Policy, server: ServerIx) -> Rc<ServerAccess> {
        let speaking = policy.grants.on_server(&self.groups, server);
        let entry = |(ix, grant): (u32, &Grant)| Entry { rank: Rank::of(grant, &|scope| self.holds(scope)), grant: ix };
        let entries = speaking.iter().map(|(ix, grant, _)| entry((*ix, grant))).collect();
        let (tools, open) = policy.grants.server(server).map_or((0, false), |server| (server.names.len(), server.open));
        self.known.accesses.borrow_mut().get((server, entries), |(_, entries)| {
            let ranked = entries.iter().zip(&speaking).map(|(entry, (_, grant, cover))| (*entry, *grant, *cover));
            ServerAccess::compile(ranked.collect(), tools, open)
        })
    }
}
