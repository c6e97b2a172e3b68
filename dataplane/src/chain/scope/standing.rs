//! What one principal may do under one policy: which grants are for it, and under which limits it falls.
//! Lives on: one shard.

use wire::ids::ServerIx;

use super::condition::Unmet;
use super::grants::Grant;
use super::{Access, Membership};
use crate::chain::Call;
use crate::chain::rate::{LimitSet, Parts};
use crate::identity::Principal;
use crate::policy::Policy;

/// What one principal may do under one policy. Only good for that policy.
pub struct Standing {
    generation: u64,
    membership: Membership,
    pub(crate) limits: LimitSet,
    pub(crate) parts: Parts,
}

impl Standing {
    /// Finds the grants and limits that are for a principal. Cost: the grants that may be for it, not all there are.
    pub(crate) fn new(policy: &Policy, principal: &Principal) -> Standing {
        Standing {
            generation: policy.generation(),
            membership: Membership::new(&policy.grants, principal),
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
    /// Cost: one look-up for each group of grants that is for the principal and speaks of the server, and the conditions.
    pub fn access<'p>(&self, policy: &'p Policy, call: &Call<'_>, now_us: u64) -> Access<'p> {
        let tool = if call.is_tool { policy.grants.tool(call.server, call.name) } else { None };
        self.access_to(policy, tool, call, now_us)
    }

    /// The same, where the tool's number on the server is known.
    #[inline]
    pub fn access_to<'p>(&self, policy: &'p Policy, tool: Option<u32>, call: &Call<'_>, now_us: u64) -> Access<'p> {
        let demands = if call.is_tool { policy.demands(call.server, call.name) } else { &[] };
        if !demands.is_empty() {
            return self.access_on(demands, policy, tool, call, now_us);
        }
        self.membership.access(&policy.grants, tool, call, now_us)
    }

    /// The same where the tool itself asks for one of some scopes: a grant that was meant for tools of other servers gives
    /// nobody a command.
    #[inline(never)]
    fn access_on<'p>(
        &self,
        demands: &'p [Box<str>],
        policy: &'p Policy,
        tool: Option<u32>,
        call: &Call<'_>,
        now_us: u64,
    ) -> Access<'p> {
        let access = self.membership.access(&policy.grants, tool, call, now_us);
        match demands {
            [first, ..] if access.may_be_given() && !self.meets(demands) => {
                Access::after_step_up(access.grant, std::slice::from_ref(first))
            }
            _ => access,
        }
    }

    /// Grants in observe mode that would take the call, conditions that cannot be judged included.
    pub(crate) fn observed<'p>(&'p self, policy: &'p Policy, call: &'p Call<'_>, now_us: u64) -> impl Iterator<Item = &'p str> {
        let would = move |grant: &&Grant| !matches!(grant.conditions.check(call.arguments, now_us), Err(Unmet::Failed { .. }));
        policy.grants.observers(&self.membership.groups, call).filter(would).map(|grant| &*grant.id)
    }

    /// Whether it holds one of the scopes that a tool asks for, or the tool asks for none.
    fn meets(&self, demands: &[Box<str>]) -> bool {
        demands.is_empty() || demands.iter().any(|demand| self.membership.holds(demand))
    }

    /// Whether a tool belongs into the principal's `tools/list` of a server.
    pub fn lists(&self, policy: &Policy, server: ServerIx, tool: &str) -> bool {
        if policy.observes() {
            return true;
        }
        self.meets(policy.demands(server, tool)) && self.membership.lists(&policy.grants, server, tool)
    }
}
