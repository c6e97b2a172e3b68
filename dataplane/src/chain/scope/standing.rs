//! What one principal may do under one policy: which grants are for it, and under which limits it falls.
//! Lives on: one shard. Principals for whom the same grants speak and who hold the same scopes share what is compiled.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use hashbrown::HashMap;
use hashbrown::hash_map::IntoIter;
use wire::ids::ServerIx;

use super::condition::Unmet;
use super::grants::Grant;
use super::{Access, ServerAccess};
use crate::chain::Call;
use crate::chain::rate::{LimitSet, Parts};
use crate::identity::Principal;
use crate::policy::Policy;

/// How many kinds of an older policy are forgotten with each new principal, so that no call pays for all of them.
const FORGET_AT_ONCE: usize = 16;

/// How many kinds are kept before the first look for those that nobody is of any more.
const KINDS_MIN: usize = 1024;

/// What one principal may do under one policy. Only good for that policy.
pub struct Standing {
    generation: u64,
    kind: Rc<Kind>,
    pub(crate) limits: LimitSet,
    pub(crate) parts: Parts,
}

/// What principals with the same grants and scopes have in common.
struct Kind {
    groups: Box<[u32]>,
    scopes: Box<str>,
    servers: RefCell<Vec<Option<Rc<ServerAccess>>>>,
}

type Key = (Box<[u32]>, Box<str>);

/// The kinds of principals that one shard has met under the policy in force.
#[derive(Default)]
pub(crate) struct Kinds {
    generation: Cell<u64>,
    known: RefCell<HashMap<Key, Weak<Kind>>>,
    /// At how many the ones that nobody is of any more are thrown away.
    full_at: Cell<usize>,
    forgotten: RefCell<Option<IntoIter<Key, Weak<Kind>>>>,
}

impl Kinds {
    fn of(&self, policy: &Policy, groups: Vec<u32>, scopes: &str) -> Rc<Kind> {
        let mut known = self.known.borrow_mut();
        if self.generation.get() != policy.generation() {
            self.generation.set(policy.generation());
            *self.forgotten.borrow_mut() = Some(std::mem::take(&mut *known).into_iter());
        }
        if let Some(forgotten) = &mut *self.forgotten.borrow_mut() {
            forgotten.take(FORGET_AT_ONCE).for_each(drop);
        }
        let key: Key = (groups.into_boxed_slice(), scopes.into());
        if let Some(kind) = known.get(&key).and_then(Weak::upgrade) {
            return kind;
        }
        if known.len() >= self.full_at.get().max(KINDS_MIN) {
            known.retain(|_, kind| kind.strong_count() > 0);
            self.full_at.set(known.len() * 2);
        }
        let kind = Rc::new(Kind { groups: key.0.clone(), scopes: key.1.clone(), servers: RefCell::new(Vec::new()) });
        known.insert(key, Rc::downgrade(&kind));
        kind
    }
}

impl Standing {
    /// Finds the grants and limits that are for a principal. Cost: the grants that may be for it, not all there are.
    pub(crate) fn new(policy: &Policy, principal: &Principal, kinds: &Kinds) -> Standing {
        let groups = policy.grants.groups_of(principal);
        Standing {
            generation: policy.generation(),
            kind: kinds.of(policy, groups, &principal.scopes),
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
    pub(crate) fn access_to<'p>(&self, policy: &'p Policy, tool: Option<u32>, call: &Call<'_>, now_us: u64) -> Access<'p> {
        let servers = self.kind.servers.borrow();
        let access = if let Some(Some(access)) = servers.get(call.server.index()) {
            access.of(&policy.grants, tool, call, now_us)
        } else {
            drop(servers);
            self.on_server(policy, call.server).of(&policy.grants, tool, call, now_us)
        };
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
        demands.is_empty() || self.kind.scopes.split(' ').any(|held| demands.iter().any(|demand| **demand == *held))
    }

    /// Whether a tool belongs into the principal's `tools/list` of a server.
    pub fn lists(&self, policy: &Policy, server: ServerIx, tool: &str) -> bool {
        if policy.observes() {
            return true;
        }
        self.meets(policy.demands(server, tool))
            && self.on_server(policy, server).lists(&policy.grants, server, policy.grants.tool(server, tool), tool)
    }

    fn on_server(&self, policy: &Policy, server: ServerIx) -> Rc<ServerAccess> {
        let mut servers = self.kind.servers.borrow_mut();
        if servers.len() <= server.index() {
            servers.resize(server.index() + 1, None);
        }
        if let Some(known) = &servers[server.index()] {
            return Rc::clone(known);
        }
        let speaking = policy.grants.on_server(&self.kind.groups, server);
        let held = |scope: &str| self.kind.scopes.split(' ').any(|held| held == scope);
        let (tools, open) = policy.grants.server(server).map_or((0, false), |server| (server.names.len(), server.open));
        let access = Rc::new(ServerAccess::compile(&speaking, tools, open, held));
        servers[server.index()] = Some(Rc::clone(&access));
        access
    }
}
