//! From what operators declare and what the database adds to the one snapshot that the shards decide by.
//!
//! [`compile`] makes the snapshot, [`make_ready`] compiles what the shards need from it, [`store`] keeps it on disk.
//! Whatever is wrong is a [`Problem`] with file and line, and the policy that runs goes on.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use dataplane::chain::scope::condition::Conditions;
use schema::services::access::{self, Subjects};
use schema::services::governance::{self, Limit, LimitMode, Per};
use schema::services::mcp::{McpFile, Tools, Transport};
use schema::services::words::Glob;
use schema::services::{At, Declared, Problem, Services};
use wire::decision::Channel;
use wire::limits::NAME_BYTES_MAX;
use wire::snapshot::{
    self, Algorithm, Approvals, CallClass, Effect, HttpUpstream, Server, Snapshot, Subject, Tool, UnixUpstream, Upstream,
    VerifyKey, key_part,
};

pub use self::addresses::resolve;
pub use self::children::children;
pub use self::facts::Facts;
pub use self::layers::make_ready;
pub use self::reach::{assumed_reach, reach};

mod addresses;
mod children;
pub mod facts;
mod layers;
mod reach;
pub mod store;
#[cfg(test)]
mod tests;

/// The built-in server that carries the operator's commands.
pub const COMMAND_SERVER: &str = "sp";

/// The server that stands for the tools which Claude Code has of its own.
pub const HOST_SERVER: &str = dataplane::hook::HOST_SERVER;

/// Where the control plane's socket answers for [`COMMAND_SERVER`].
pub const COMMAND_PATH: &str = "/mcp/sp";

const DEFAULT_CALL_TIMEOUT_MS: u64 = 120_000;

/// What holds for every server of one node.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The generation that this snapshot will be; counts up.
    pub generation: u64,
    /// The only accepted `iss`.
    pub issuer: &'a str,
    /// The gateway's public URL without a trailing slash.
    pub base_url: &'a str,
    /// Keys that verify tokens.
    pub keys: &'a [VerifyKey],
    /// The control plane's socket.
    pub control_socket: &'a Path,
    /// When it is compiled, in microseconds since 1970.
    pub now_us: u64,
}

/// What the declarations do not say: it comes from the database and from the servers themselves.
#[derive(Debug, Clone, Default)]
pub struct Dynamic {
    /// What the database says.
    pub facts: Facts,
    /// What is known of each server, [`COMMAND_SERVER`] included, by name.
    pub servers: BTreeMap<String, Known>,
}

/// What is known of one server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The tools it lists.
    pub tools: Vec<String>,
    /// Of tools that ask for a scope whatever the grants say: any one of these.
    pub demands: BTreeMap<String, Vec<String>>,
    /// Addresses of its host, for servers reached by HTTP.
    pub addresses: Vec<SocketAddr>,
    /// Its socket, for servers that are our children.
    pub socket: Option<PathBuf>,
}

/// The node's own keys, and those of the database: each name once, for a token chooses by it.
fn keys_of(own: &[VerifyKey], facts: &Facts) -> Vec<VerifyKey> {
    let mut keys = own.to_vec();
    for (key, _) in &facts.stored.keys {
        if !keys.iter().any(|known| known.kid == key.kid) {
            keys.push(key.clone());
        }
    }
    keys
}

/// Compiles one generation. The same declarations and facts give the same snapshot.
///
/// # Errors
/// What a condition, the secret layer's or the block list's block should have been. Nothing of it may come into force.
pub fn compile(services: &Services, dynamic: &Dynamic, context: &Context<'_>) -> Result<Snapshot, Vec<Problem>> {
    let mut problems = Vec::new();
    let facts = &dynamic.facts;
    let stored = facts.stored.grants.iter().map(|(grant, _)| grant.clone());
    let secrets = layers::secrets(services, &mut problems);
    let blocklist = layers::blocklist(services, &mut problems);
    let declared = services.grants.iter().map(|grant| grant_of(grant, &mut problems)).collect::<Vec<_>>();
    let mut snapshot = Snapshot {
        generation: context.generation,
        compiled_at_us: context.now_us,
        issuer: context.issuer.to_owned(),
        base_url: context.base_url.to_owned(),
        keys: keys_of(context.keys, facts),
        roles: roles(services, facts),
        grants: declared.into_iter().chain(stored).collect(),
        limits: services.limits.iter().map(|limit| limit_of(services, &limit.what)).collect(),
        secrets,
        blocklist,
        results: layers::results(services),
        revoked: facts.revoked.clone(),
        api_keys: facts.api_keys.clone(),
        stored: facts.stored.clone(),
        preview_bytes: preview_bytes(services),
        approvals: approvals(services),
        observes: services.mode.as_ref().is_some_and(|mode| mode.what == LimitMode::Observe),
        ..Snapshot::default()
    };
    let nothing = Known::default();
    let known = |name: &str| dynamic.servers.get(name).unwrap_or(&nothing);
    for (name, server) in &services.mcp {
        add_server(
            &mut snapshot,
            declared_server(name.as_str(), &server.what, known(name.as_str())),
            tools_of(&server.what, known(name.as_str())),
            &nothing.demands,
        );
    }
    let commands = known(COMMAND_SERVER);
    add_server(&mut snapshot, command_server(context), commands.tools.clone(), &commands.demands);
    add_server(&mut snapshot, host_server(), Vec::new(), &nothing.demands);
    if problems.is_empty() { Ok(snapshot) } else { Err(problems) }
}

fn add_server(snapshot: &mut Snapshot, mut server: Server, mut tools: Vec<String>, demands: &BTreeMap<String, Vec<String>>) {
    let server_ix = snapshot.servers.len() as u32;
    tools.retain(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control));
    tools.sort_unstable();
    tools.dedup();
    for name in tools {
        server.tools.insert(name.clone(), snapshot.tools.len() as u32);
        let scopes_any = demands.get(&name).cloned().unwrap_or_default();
        snapshot.tools.push(Tool { server: server_ix, name, scopes_any });
    }
    snapshot.server_names.insert(server.name.clone(), server_ix);
    snapshot.servers.push(server);
}

fn declared_server(name: &str, file: &McpFile, known: &Known) -> Server {
    let upstream = match &file.transport {
        Transport::Http(http) => Upstream::Http(HttpUpstream {
            url: http.url.value.clone(),
            addresses: addresses::or_unreachable(&http.url.value, &known.addresses),
            headers: http
                .headers
                .iter()
                .map(|(name, reference)| (name.value.to_ascii_lowercase(), reference.to_string()))
                .collect(),
            ca: http.ca.as_ref().map(|ca| ca.value.clone()).unwrap_or_default(),
        }),
        Transport::Stdio(_) => Upstream::Unix(UnixUpstream {
            // Until the supervisor has made its socket there is none, and a call finds nobody.
            socket: known.socket.as_ref().map_or_else(String::new, |socket| socket.display().to_string()),
            path: "/mcp".to_owned(),
        }),
    };
    let timeout = file.call_timeout.map(|timeout| timeout.value.0.as_millis());
    Server {
        name: name.to_owned(),
        upstream,
        tools: HashMap::new(),
        call_timeout_ms: timeout.map_or(DEFAULT_CALL_TIMEOUT_MS, |ms| u64::try_from(ms).unwrap_or(u64::MAX)),
        channel: Channel::Mcp.code(),
        open_tools: matches!(file.tools, Tools::Open),
    }
}

fn tools_of(file: &McpFile, known: &Known) -> Vec<String> {
    match &file.tools {
        Tools::Discovered | Tools::Open => known.tools.clone(),
        Tools::Only(names) => names.iter().map(|name| name.value.clone()).collect(),
    }
}

fn command_server(context: &Context<'_>) -> Server {
    Server {
        name: COMMAND_SERVER.to_owned(),
        upstream: Upstream::Unix(UnixUpstream {
            socket: context.control_socket.display().to_string(),
            path: COMMAND_PATH.to_owned(),
        }),
        tools: HashMap::new(),
        call_timeout_ms: DEFAULT_CALL_TIMEOUT_MS,
        channel: Channel::Command.code(),
        open_tools: false,
    }
}

fn host_server() -> Server {
    Server {
        name: HOST_SERVER.to_owned(),
        upstream: Upstream::None,
        tools: HashMap::new(),
        call_timeout_ms: DEFAULT_CALL_TIMEOUT_MS,
        channel: Channel::Hook.code(),
        open_tools: true,
    }
}

/// Declared and stored ones; a role that is both stands for the scopes of both.
fn roles(services: &Services, facts: &Facts) -> HashMap<String, Vec<String>> {
    let scopes = |role: &access::Role| role.scopes.iter().map(ToString::to_string).collect();
    let mut roles: HashMap<String, Vec<String>> =
        services.roles.iter().map(|(name, Declared { what, .. })| (name.to_string(), scopes(what))).collect();
    for (name, scopes) in &facts.stored.roles {
        let known = roles.entry(name.clone()).or_default();
        known.extend(scopes.iter().cloned());
        known.sort_unstable();
        known.dedup();
    }
    roles
}

fn grant_of(declared: &Declared<access::Grant>, problems: &mut Vec<Problem>) -> snapshot::Grant {
    let grant = &declared.what;
    snapshot::Grant {
        id: grant.id.value.to_string(),
        effect: match grant.effect {
            access::Effect::Allow => Effect::Allow,
            access::Effect::Deny if grant.mode.is_some_and(|mode| mode.value == LimitMode::Observe) => Effect::Observe,
            access::Effect::Deny => Effect::Deny,
        },
        subject: subject(&grant.subjects),
        servers: texts(&grant.servers.value),
        tools: texts_or_none(&grant.tools),
        methods: texts_or_none(&grant.methods),
        scopes: grant.scopes.iter().map(ToString::to_string).collect(),
        when: conditions(declared, problems),
    }
}

/// The grant's conditions as JSON; empty where there are none.
fn conditions(grant: &Declared<access::Grant>, problems: &mut Vec<Problem>) -> String {
    let conditions = grant.what.conditions();
    if conditions.is_empty() {
        return String::new();
    }
    if let Err(error) = Conditions::compile(&conditions) {
        let mark = grant.what.condition_mark(&error.place).unwrap_or(grant.place.mark);
        problems.push(grant.place.problem_at(mark, error.wrong.to_string()));
    }
    serde_json::to_string(&conditions).unwrap_or_else(|error| {
        problems.push(grant.place.problem(error.to_string()));
        String::new()
    })
}

fn texts(globs: &[At<Glob>]) -> Vec<String> {
    globs.iter().map(|glob| glob.value.as_str().to_owned()).collect()
}

fn texts_or_none(globs: &Option<At<Vec<At<Glob>>>>) -> Vec<String> {
    globs.as_ref().map(|globs| texts(&globs.value)).unwrap_or_default()
}

fn subject(subjects: &Subjects) -> Subject {
    fn names<T: ToString>(list: &Option<At<Vec<T>>>) -> Vec<String> {
        list.iter().flat_map(|list| &list.value).map(ToString::to_string).collect()
    }

    Subject {
        tiers: subjects.tiers.iter().flat_map(|tiers| &tiers.value).fold(0, |bits, tier| bits | 1 << tier.code()),
        users: names(&subjects.users),
        roles: subjects.roles.iter().flat_map(|roles| &roles.value).map(|role| role.value.to_string()).collect(),
        departments: names(&subjects.departments),
        tenants: names(&subjects.tenants),
        agents: names(&subjects.agents),
    }
}

fn limit_of(services: &Services, limit: &Limit) -> snapshot::Limit {
    let rate = limit.rate.map(|rate| rate.value);
    let period = rate.map(|rate| rate.period).or(limit.period.map(|period| period.value.0));
    snapshot::Limit {
        id: limit.id.value.to_string(),
        key: limit.per.value.iter().fold(0, |bits, per| bits | key_bit(*per)),
        algorithm: match limit.algorithm {
            governance::Algorithm::Window => Algorithm::Window,
            governance::Algorithm::Gcra => Algorithm::Gcra,
            governance::Algorithm::Concurrency => Algorithm::Concurrency,
            governance::Algorithm::Budget => Algorithm::Budget,
        },
        count: rate
            .map(|rate| rate.count)
            .or(limit.count.map(|count| count.value))
            .or(limit.amount.map(|amount| amount.value.0))
            .unwrap_or(0),
        period_us: period.map_or(0, |period| u64::try_from(period.as_micros()).unwrap_or(u64::MAX)),
        burst: limit.burst.map_or(0, |burst| burst.value),
        class: match limit.class {
            governance::Class::Calls => CallClass::Calls,
            governance::Class::Listings => CallClass::Listings,
            governance::Class::Denials => CallClass::Denials,
        },
        subject: subject(&limit.subjects),
        servers: texts_or_none(&limit.servers),
        tools: texts_or_none(&limit.tools),
        costs: match limit.algorithm {
            governance::Algorithm::Budget => prices(services),
            _ => limit.costs.iter().map(|cost| (cost.tool.value.as_str().to_owned(), cost.units.value)).collect(),
        },
        observe: limit.mode == LimitMode::Observe,
    }
}

/// What calls cost, as globs over tools' names of both kinds: a price for some servers stands once for each of them. What
/// the gateway does itself costs nothing, or a budget of everything would shut out its operators.
fn prices(services: &Services) -> Vec<(String, u32)> {
    let names: Vec<&str> = services.mcp.iter().map(|(name, _)| name.as_str()).chain([HOST_SERVER]).collect();
    let mut all = vec![(format!("{COMMAND_SERVER}__*"), 0)];
    for price in services.prices.iter().map(|price| &price.what) {
        let cost = u32::try_from(price.call.value.0).unwrap_or(u32::MAX - 1);
        let tools = match &price.tools {
            Some(tools) => texts(&tools.value),
            None => vec!["*".to_owned()],
        };
        let Some(servers) = &price.servers else {
            all.extend(tools.into_iter().map(|tool| (tool, cost)));
            continue;
        };
        for server in names.iter().filter(|name| servers.value.iter().any(|glob| glob.value.matches(name))) {
            let own = |tool: &String| wire::tool_name::split_prefixed(tool, |name| names.contains(&name)).is_none();
            all.extend(tools.iter().map(|tool| (if own(tool) { format!("{server}__{tool}") } else { tool.clone() }, cost)));
        }
    }
    all
}

fn key_bit(per: Per) -> u16 {
    match per {
        Per::Global => 0,
        Per::Principal => key_part::PRINCIPAL,
        Per::Session => key_part::SESSION,
        Per::Agent => key_part::AGENT,
        Per::Tool => key_part::TOOL,
        Per::Server => key_part::SERVER,
        Per::Department => key_part::DEPARTMENT,
        Per::Tenant => key_part::TENANT,
    }
}

fn preview_bytes(services: &Services) -> u32 {
    let bytes = services.audit.as_ref().and_then(|audit| audit.what.preview_bytes);
    bytes.map_or(0, |bytes| u32::try_from(bytes.value.0).unwrap_or(u32::MAX))
}

fn approvals(services: &Services) -> Approvals {
    let Some(declared) = services.approvals.as_ref().map(|approvals| &approvals.what) else { return Approvals::default() };
    let wait = declared.wait.map(|wait| u64::try_from(wait.value.0.as_millis()).unwrap_or(u64::MAX));
    Approvals { wait_ms: wait.unwrap_or(Approvals::default().wait_ms), own: declared.self_approval }
}
