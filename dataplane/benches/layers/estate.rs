//! 20 servers with 50 tools each, 10,000 principals in 100 roles and 20 departments, and the grants that bind them.

use std::rc::Rc;

use dataplane::chain::Call;
use dataplane::chain::rate::{Charges, Dimension, KeySeed, Limits, Parts, RateState};
use dataplane::identity::Principal;
use dataplane::policy::{NodeKeys, Policy};
use dataplane::upstream::Reach;
use simd_json::Node;
use wire::decision::{Channel, Tier};
use wire::ids::ServerIx;
use wire::snapshot::{self, Algorithm, CallClass, Effect, Grant, Server, Snapshot, SnapshotBytes, Subject, Upstream, key_part};
use wire::token::{Audience, Claims};

/// How many servers; the last one's grants have conditions.
pub(crate) const SERVERS: usize = 20;

/// How many tools each has.
pub(crate) const TOOLS_OF_SERVER: usize = 50;

/// How many principals there are.
pub(crate) const PRINCIPALS: usize = 10_000;

/// How many roles.
pub(crate) const ROLES: usize = 100;

/// The server whose tools everybody may call, under three conditions.
pub(crate) const CONDITIONAL_SERVER: usize = SERVERS - 1;

/// When all calls are made. Units: µs since 1970.
pub(crate) const NOW_US: u64 = 1_767_268_800_000_000;

/// What those conditions are.
pub(crate) const WHEN: &str =
    r#"[{"arg": "/path", "within": "/srv/data"}, {"arg": "/limit", "le": 100}, {"arg": "/url", "host": "*.example.com"}]"#;

/// A policy and whoever it is for.
pub(crate) struct Estate {
    /// Compiled.
    pub policy: Policy,
    /// On one shard.
    pub principals: Vec<Principal>,
    /// Names, so that calls borrow them.
    servers: Vec<String>,
    tools: Vec<String>,
    limits: Vec<snapshot::Limit>,
}

/// The servers that a role's grants speak of.
pub(crate) fn servers_of_role(role: usize) -> impl Iterator<Item = usize> {
    (0..5).map(move |n| scattered(role * 5 + n, SERVERS - 1))
}

/// The roles of a principal.
pub(crate) fn roles_of(principal: usize) -> [usize; 2] {
    [principal % ROLES, scattered(principal, ROLES)]
}

/// A place in `0..of` that no cache foresees.
pub(crate) fn scattered(check: usize, of: usize) -> usize {
    ((check as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as usize % of
}

impl Estate {
    /// The estate. `extra` more grants are for single users, one tool each.
    pub(crate) fn new(extra: usize) -> Estate {
        let snapshot = snapshot(1, extra);
        let (bytes, _) = SnapshotBytes::encode(&snapshot).unwrap();
        let policy = Policy::compile(bytes, &node_keys(), &Reach::default()).unwrap();
        let principals = on_one_shard(&policy);
        let servers = snapshot.servers.iter().map(|server| server.name.clone()).collect();
        Estate { policy, principals, servers, tools: tool_names(), limits: snapshot.limits }
    }

    /// A call of one tool.
    pub(crate) fn call<'a>(&'a self, server: usize, tool: usize, arguments: Option<&'a [Node<'a>]>) -> Call<'a> {
        Call {
            server: ServerIx(server as u32),
            server_name: &self.servers[server],
            method: "tools/call",
            name: &self.tools[tool],
            is_tool: true,
            channel: Channel::Mcp,
            arguments,
            beside: &[],
            waited: None,
        }
    }

    /// A closure that works out and charges a call's limits by itself.
    pub(crate) fn charging(&self) -> impl FnMut(usize) -> bool {
        let seed = KeySeed::new([1; 16]);
        let limits = Limits::compile(&self.limits, seed, |_| false).unwrap();
        let mut rates = RateState::new(1 << 20);
        let mut charges = Charges::new();
        let parts: Rc<[Parts]> = (0..PRINCIPALS)
            .map(|n| {
                let part = seed.part(Dimension::Principal, format!("user-{n}").as_bytes());
                Parts::UNKNOWN.with(Dimension::Principal, part).with(Dimension::Tool, 7)
            })
            .collect();
        let (set, costs) = (limits.for_subject(|_| true), limits.for_call("server-19", "tool_01"));
        let mut now_us = NOW_US;
        move |check| {
            now_us += 10;
            let parts = &parts[scattered(check, parts.len())];
            limits.charges(&set, &costs, parts, &mut charges).is_ok() && rates.check_and_charge(&charges, now_us).is_ok()
        }
    }
}

/// Everybody, on one shard.
pub(crate) fn on_one_shard(policy: &Policy) -> Vec<Principal> {
    (0..PRINCIPALS).map(|n| Principal::of_claims(claims(n), policy)).collect()
}

/// Keys of no node.
pub(crate) fn node_keys() -> NodeKeys {
    NodeKeys { rates: [1; 16], digests: [2; 32], sessions: [3; 32], fingerprints: [4; 32], api_keys: [5; 32] }
}

/// The tools of every server.
pub(crate) fn tool_names() -> Vec<String> {
    (0..TOOLS_OF_SERVER).map(|tool| format!("tool_{tool:02}_of_the_server")).collect()
}

/// The estate as a snapshot.
pub(crate) fn snapshot(generation: u64, extra: usize) -> Snapshot {
    let servers: Vec<Server> = (0..SERVERS)
        .map(|server| Server {
            name: format!("server-{server}"),
            upstream: Upstream::None,
            tools: tool_names().into_iter().zip(0..).collect(),
            call_timeout_ms: 1,
            channel: Channel::Mcp.code(),
            open_tools: false,
        })
        .collect();
    let grant = |id: String, subject: Subject, server: usize, tools: &str| Grant {
        id,
        effect: Effect::Allow,
        subject,
        servers: vec![format!("server-{server}")],
        tools: vec![tools.to_owned()],
        methods: Vec::new(),
        scopes: Vec::new(),
        when: String::new(),
    };
    let role = |role: usize| Subject { roles: vec![format!("role-{role}")], ..Subject::default() };
    let (mut grants, tools) = (Vec::new(), tool_names());
    for r in 0..ROLES {
        for (n, server) in servers_of_role(r).enumerate() {
            let tools = if n % 2 == 0 { "*" } else { "tool_[0-2]*" };
            grants.push(grant(format!("role-{r}-{n}"), role(r), server, tools));
        }
    }
    for department in 0..20 {
        let subject = Subject { departments: vec![format!("department-{department}")], ..Subject::default() };
        let denied = grant(format!("not-{department}"), subject, department % (SERVERS - 1), "tool_4*");
        grants.push(Grant { effect: Effect::Deny, ..denied });
    }
    let conditional = grant("conditional".to_owned(), Subject::default(), CONDITIONAL_SERVER, "*");
    grants.push(Grant { when: WHEN.to_owned(), ..conditional });
    for n in 0..extra {
        let subject = Subject { users: vec![format!("user-{}", n % PRINCIPALS)], ..Subject::default() };
        grants.push(grant(format!("extra-{n}"), subject, scattered(n, SERVERS - 1), &tools[n % TOOLS_OF_SERVER]));
    }
    let server_names = servers.iter().zip(0..).map(|(server, ix)| (server.name.clone(), ix)).collect();
    let limits = vec![limit("each", key_part::PRINCIPAL), limit("each-tool", key_part::PRINCIPAL | key_part::TOOL)];
    Snapshot { generation, servers, server_names, grants, limits, ..Snapshot::default() }
}

fn limit(id: &str, key: u16) -> snapshot::Limit {
    snapshot::Limit {
        id: id.to_owned(),
        key,
        algorithm: Algorithm::Gcra,
        count: 1_000_000_000,
        period_us: 1_000_000,
        burst: 0,
        class: CallClass::Calls,
        subject: Subject::default(),
        servers: Vec::new(),
        tools: Vec::new(),
        costs: Vec::new(),
        observe: false,
    }
}

/// Who principal `n` is.
pub(crate) fn claims(n: usize) -> Claims {
    Claims {
        iss: String::new(),
        aud: Audience::Many(Vec::new()),
        sub: format!("user-{n}"),
        exp: u64::MAX,
        iat: 0,
        nbf: None,
        jti: String::new(),
        client_id: String::new(),
        scope: String::new(),
        sid: String::new(),
        tenant: "acme".to_owned(),
        department: format!("department-{}", n % 20),
        tier: Tier::User,
        roles: roles_of(n).map(|role| format!("role-{role}")).into(),
        agent: String::new(),
        act: None,
        is_bound: false,
    }
}
