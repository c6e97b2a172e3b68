//! The first check: may this principal use this method or tool of this server at all?
//! Lives on: one shard, computed once per principal, server and generation; a call then costs one look-up.
//!
//! The answer is compiled from the grants: deny beats allow, no grant means no. A grant without `tools` and `methods`
//! gives the whole server; one with `tools` gives `tools/call` on them; one with `methods` gives those methods.
//! Whoever may do anything on a server may also open a session on it and list what it may use.

pub mod condition;

use std::rc::Rc;

use hashbrown::HashMap;
use wire::ids::ServerIx;
use wire::snapshot::Effect;

use super::Call;
use super::Denial;
use super::rate::Charge;
use crate::identity::Principal;
use crate::policy::{CompiledGrant, Policy};

/// Methods that a session needs whatever it is used for.
const SESSION_METHODS: &[&str] = &[
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
];

/// Methods that act on something, and need a grant that does not only name tools.
const ACTING_METHODS: &[&str] = &[
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

/// Whether a method is a session's own business.
pub fn is_session_method(method: &str) -> bool {
    method.starts_with("notifications/") || SESSION_METHODS.contains(&method)
}

/// What the grants say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Yes, by this grant.
    Allowed {
        /// Its id.
        grant: Rc<str>,
    },
    /// Yes, if the token carried these scopes too.
    StepUp {
        /// The grant's id.
        grant: Rc<str>,
        /// All scopes the grant asks for, separated by spaces.
        scopes: Rc<str>,
    },
    /// No, by this grant.
    Denied {
        /// Its id.
        grant: Rc<str>,
    },
    /// No grant speaks for it.
    NotGranted,
    /// The server has no such tool.
    ToolUnknown,
    /// The gateway does not know the method.
    MethodUnknown,
}

/// What a call is charged with, or why it cannot be.
type Charged = Result<Box<[Charge]>, Denial>;

/// What one principal may do on one server, and what each of it costs.
pub struct ServerAccess {
    tools: HashMap<Box<str>, (Access, Charged)>,
    methods: HashMap<&'static str, Access>,
    session: Access,
    /// The server is declared `tools: open`: what was not discovered may exist.
    open: bool,
    listing_charges: Charged,
}

impl ServerAccess {
    /// Compiles the grants of `server` for one principal, and for one tool more than were discovered. Cost: grants of the server × its tools; off the common path.
    pub fn compute(policy: &Policy, principal: &Principal, server: ServerIx, undiscovered: Option<&str>) -> ServerAccess {
        let snapshot = policy.snapshot();
        let archived = &snapshot.servers[server.index()];
        let of_server = policy.grants_of_server[server.index()].iter().map(|ix| &policy.grants[*ix as usize]);
        let matching: Vec<&CompiledGrant> = of_server.filter(|grant| principal.is_in(&grant.subject)).collect();
        let judge = |covers: &dyn Fn(&CompiledGrant) -> bool| judge(principal, &matching, covers);
        let tool_access = |tool: &str| judge(&|grant| grant.covers_method("tools/call") && grant.covers_tool(tool));
        let tools = archived
            .tools
            .keys()
            .map(|tool| tool.as_str())
            .chain(undiscovered)
            .map(|tool| {
                let charges = policy.charges(principal, archived.name.as_str(), Some(tool));
                (Box::from(tool), (tool_access(tool), charges))
            })
            .collect();
        let methods = ACTING_METHODS
            .iter()
            .map(|method| (*method, judge(&|grant| grant.tools.is_empty() && grant.covers_method(method))))
            .collect();
        ServerAccess {
            tools,
            methods,
            session: session_access(principal, &matching),
            open: archived.open_tools,
            listing_charges: policy.charges(principal, archived.name.as_str(), None),
        }
    }

    /// What the grants say about a call, and under which limits it falls.
    pub fn of(&self, call: &Call<'_>) -> (&Access, Result<&[Charge], &Denial>) {
        if call.is_tool {
            return match (self.tools.get(call.name), &self.session) {
                (Some((access, charges)), _) => (access, charges.as_deref()),
                (None, Access::Allowed { .. }) => (&Access::ToolUnknown, Ok(&[])),
                // Whoever may not even list the tools is not told which exist.
                (None, other) => (other, Ok(&[])),
            };
        }
        if is_session_method(call.method) {
            return (&self.session, self.listing_charges.as_deref());
        }
        match self.methods.get(call.method) {
            Some(access) => (access, self.listing_charges.as_deref()),
            None => (&Access::MethodUnknown, Ok(&[])),
        }
    }

    /// Whether the tool was discovered, or compiled for.
    pub fn knows(&self, tool: &str) -> bool {
        self.tools.contains_key(tool)
    }

    /// Whether a tool belongs into this principal's `tools/list`: those it may call, or could after stepping up.
    pub fn lists(&self, tool: &str) -> bool {
        let Some((access, _)) = self.tools.get(tool) else { return self.open };
        match access {
            Access::Allowed { .. } | Access::StepUp { .. } => true,
            Access::Denied { .. } | Access::NotGranted | Access::ToolUnknown | Access::MethodUnknown => false,
        }
    }
}

impl CompiledGrant {
    fn covers_tool(&self, tool: &str) -> bool {
        self.tools.is_empty() || self.tools.iter().any(|glob| glob.matches(tool))
    }

    fn covers_method(&self, method: &str) -> bool {
        match (self.methods.is_empty(), self.tools.is_empty()) {
            (true, true) => true,
            (true, false) => method == "tools/call",
            (false, _) => self.methods.iter().any(|glob| glob.matches(method)),
        }
    }
}

/// Deny beats allow; among allows one whose scopes are held beats one that asks for more.
fn judge(principal: &Principal, matching: &[&CompiledGrant], covers: &dyn Fn(&CompiledGrant) -> bool) -> Access {
    let mut access = Access::NotGranted;
    for grant in matching.iter().filter(|grant| covers(grant)) {
        let id = Rc::from(grant.id.as_str());
        match (grant.effect, &access) {
            (Effect::Deny, _) => return Access::Denied { grant: id },
            (Effect::Allow, Access::Allowed { .. }) => {}
            (Effect::Allow, _) if grant.scopes.iter().all(|scope| principal.has_scope(scope)) => {
                access = Access::Allowed { grant: id };
            }
            (Effect::Allow, Access::StepUp { .. }) => {}
            (Effect::Allow, _) => access = Access::StepUp { grant: id, scopes: grant.scopes.join(" ").into() },
        }
    }
    access
}

/// A session may be opened by whoever is allowed anything on the server and not denied all of it.
fn session_access(principal: &Principal, matching: &[&CompiledGrant]) -> Access {
    let whole = |grant: &CompiledGrant| grant.tools.is_empty() && grant.methods.is_empty();
    if let denied @ Access::Denied { .. } = judge(principal, matching, &whole) {
        return denied;
    }
    let allowing: Vec<&CompiledGrant> = matching.iter().filter(|grant| grant.effect == Effect::Allow).copied().collect();
    judge(principal, &allowing, &|_| true)
}
