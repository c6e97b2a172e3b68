//! A snapshot with everything that is compiled from it: what one generation decides by.
//! Lives on: all shards, as an `Arc` that never changes; the control plane builds it and throws the old one away.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use arrayvec::ArrayString;
use wire::ids::{LimitIx, ServerIx};
use wire::limits::NAME_BYTES_MAX;
use wire::snapshot::{ArchivedSnapshot, Snapshot, SnapshotBytes, SnapshotError, Upstream, VerifyKey};

use crate::chain::blocklist::{Bans, Blocklist, BlocklistConfig, BlocklistConfigError};
use crate::chain::rate::{Charges, Costs, Dimension, KeySeed, LimitError, LimitSet, Limits, Parts};
use crate::chain::results::{Obligations, ObligationsError};
use crate::chain::scope::Standing;
use crate::chain::scope::grants::{GrantError, Grants};
use crate::chain::secrets::{SecretScanner, SecretsConfig, SecretsConfigError};
use crate::chain::{Call, Denial, rate_denial};
use crate::identity::Principal;
use crate::identity::verify::{Key, KeyError};
use crate::sys;
use crate::upstream::{Reach, Target, TargetError};

/// Keys of this node, derived from its secret; they stay the same for as long as its data directory does.
#[derive(Clone)]
pub struct NodeKeys {
    /// Makes rate keys unpredictable.
    pub rates: [u8; 16],
    /// Keys the digests of arguments in audit rows.
    pub digests: [u8; 32],
    /// Binds MCP sessions to principals.
    pub sessions: [u8; 32],
    /// Keys the fingerprints of secrets.
    pub fingerprints: [u8; 32],
    /// Keys the hashes of API keys.
    pub api_keys: [u8; 32],
}

/// One generation of policy, compiled.
pub struct Policy {
    bytes: SnapshotBytes,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) grants: Grants,
    /// By server: what its tools ask for whatever the grants say, any one of these scopes.
    demands: Vec<HashMap<String, Vec<Box<str>>>>,
    /// By server: the scopes that are worth asking for, in order, with spaces between them.
    scopes: Vec<Box<str>>,
    limits: Limits,
    /// By server.
    costs: Vec<ServerCosts>,
    denial_costs: Costs,
    observes: bool,
    seed: KeySeed,
    limit_names: Vec<String>,
    pub(crate) fingerprint_key: [u8; 32],
    pub(crate) api_key_key: [u8; 32],
    pub(crate) secrets: Arc<SecretScanner>,
    pub(crate) blocklist: Arc<Blocklist>,
    /// Networks that operators banned at run time.
    pub(crate) networks: Bans,
    pub(crate) results: Obligations,
    /// How to reach each server.
    pub(crate) targets: Vec<Option<Target>>,
    /// What each server's audience is called: `<base_url>/api/v1/mcp/<name>/mcp`.
    pub(crate) audiences: Vec<String>,
}

/// What tokens are verified with. The same one for as long as keys and issuer stay: shards remember what it verified.
pub struct Verifier {
    pub(crate) issuer: String,
    pub(crate) keys: Vec<Key>,
    source: Vec<VerifyKey>,
}

impl Verifier {
    fn compile(snapshot: &Snapshot) -> Result<Verifier, KeyError> {
        let keys = snapshot.keys.iter().map(|key| Key::new(&key.kid, key.algorithm, &key.public));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        Ok(Verifier { issuer: snapshot.issuer.clone(), keys, source: snapshot.keys.clone() })
    }

    fn verifies_the_same(&self, snapshot: &Snapshot) -> bool {
        self.issuer == snapshot.issuer && self.source == snapshot.keys
    }
}

/// What calls to one server are charged with, as far as it is the same for everybody.
struct ServerCosts {
    /// By the tool's number on the server: what it costs under which limits, and its part of a key.
    tools: Box<[(Costs, u64)]>,
    listing: Costs,
    part: u64,
}

/// Why a snapshot cannot be decided by. The control plane validates before it publishes, so this names what it missed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The bytes.
    #[error("snapshot cannot be read")]
    Snapshot(#[from] SnapshotError),
    /// A verification key.
    #[error("a key cannot be used to verify tokens")]
    Key(#[from] KeyError),
    /// A grant.
    #[error("grants cannot be compiled")]
    Grants(#[from] GrantError),
    /// A limit.
    #[error("limits cannot be compiled")]
    Limits(#[from] LimitError),
    /// The secret layer's configuration is not JSON of its kind.
    #[error("configuration of the {layer} layer cannot be read")]
    Config {
        /// Which layer.
        layer: &'static str,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A rule of the secret layer.
    #[error("secret rules cannot be compiled")]
    Secrets(#[from] SecretsConfigError),
    /// A rule of the block list.
    #[error("block list cannot be compiled")]
    Blocklist(#[from] BlocklistConfigError),
    /// An exception of the obligations on results.
    #[error("obligations on results cannot be compiled")]
    Results(#[from] ObligationsError),
    /// An upstream.
    #[error("server `{server}` has an upstream that cannot be used")]
    Upstream {
        /// Which server.
        server: String,
        /// What is wrong.
        #[source]
        source: TargetError,
    },
}

impl Policy {
    /// Compiles everything a shard needs.
    /// Cost: tens of milliseconds for the secret rules; never call it on a shard.
    ///
    /// # Errors
    /// [`PolicyError`]: keep the policy that is running.
    pub fn compile(bytes: SnapshotBytes, node: &NodeKeys, reach: &Reach) -> Result<Policy, PolicyError> {
        Policy::compile_after(None, bytes, node, reach)
    }

    /// The same, with whatever of the policy before it is still right: a revocation must not cost a compilation of the
    /// secret rules. Cost: with the same rules, tens of microseconds and some for each grant.
    ///
    /// # Errors
    /// As [`Policy::compile`].
    pub fn compile_after(
        before: Option<&Policy>,
        bytes: SnapshotBytes,
        node: &NodeKeys,
        reach: &Reach,
    ) -> Result<Policy, PolicyError> {
        let snapshot = bytes.thaw()?;
        let verifier = match before.filter(|before| before.verifier.verifies_the_same(&snapshot)) {
            Some(before) => Arc::clone(&before.verifier),
            None => Arc::new(Verifier::compile(&snapshot)?),
        };
        let grants = Grants::compile(&snapshot)?;
        let demands = demands(&snapshot);
        let scopes = scopes(&grants, &demands);
        let secrets = match before.filter(|before| before.snapshot().secrets.as_str() == snapshot.secrets) {
            Some(before) => Arc::clone(&before.secrets),
            None => Arc::new(SecretScanner::compile(&config::<SecretsConfig>("secrets", &snapshot.secrets)?)?),
        };
        let blocklist = match before.filter(|before| before.snapshot().blocklist.as_str() == snapshot.blocklist) {
            Some(before) => Arc::clone(&before.blocklist),
            None => Arc::new(Blocklist::compile(&config::<BlocklistConfig>("blocklist", &snapshot.blocklist)?)?),
        };
        let networks = Bans::of_networks(snapshot.revoked.networks.keys().map(String::as_str))?;
        let results = Obligations::compile(&snapshot.results)?;
        let seed = KeySeed::new(node.rates);
        let is_server = |name: &str| snapshot.server_names.contains_key(name);
        let limits = Limits::compile(&snapshot.limits, seed, is_server)?;
        let costs = (0..snapshot.servers.len())
            .map(|ix| server_costs(&limits, seed, &snapshot.servers[ix].name, &grants.tools_of(ServerIx(ix as u32))))
            .collect();
        let limit_names = snapshot.limits.iter().map(|limit| limit.id.clone()).collect();
        let targets = snapshot
            .servers
            .iter()
            .map(|server| match &server.upstream {
                Upstream::None => Ok(None),
                upstream => Target::new(upstream, reach)
                    .map(Some)
                    .map_err(|source| PolicyError::Upstream { server: server.name.clone(), source }),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let audiences =
            snapshot.servers.iter().map(|server| format!("{}/api/v1/mcp/{}/mcp", snapshot.base_url, server.name)).collect();
        Ok(Policy {
            verifier,
            demands,
            scopes,
            grants,
            denial_costs: limits.for_denial(),
            observes: snapshot.observes,
            limits,
            costs,
            seed,
            limit_names,
            fingerprint_key: node.fingerprints,
            api_key_key: node.api_keys,
            secrets,
            blocklist,
            networks,
            results,
            targets,
            audiences,
            bytes,
        })
    }

    /// The tree it was compiled from.
    pub fn snapshot(&self) -> &ArchivedSnapshot {
        sys::snapshot(&self.bytes)
    }

    /// The scopes that are worth asking for before the first call of a server, with spaces between them: RFC 6750 section 3.
    pub fn scopes_of(&self, server: ServerIx) -> &str {
        self.scopes.get(server.index()).map_or("", |scopes| scopes)
    }

    /// The same of one server, or of all of them, each once.
    pub fn scopes_asked(&self, server: Option<&str>) -> BTreeSet<&str> {
        let texts = match server {
            Some(name) => self.server(name).map(|server| self.scopes_of(server)).into_iter().collect(),
            None => self.scopes.iter().map(|scopes| &**scopes).collect::<Vec<_>>(),
        };
        texts.into_iter().flat_map(str::split_ascii_whitespace).collect()
    }

    /// Whether what shards keep to scan with fits both.
    pub(crate) fn shares_scanners(&self, other: &Policy) -> bool {
        Arc::ptr_eq(&self.secrets, &other.secrets) && Arc::ptr_eq(&self.blocklist, &other.blocklist)
    }

    /// Its generation.
    pub fn generation(&self) -> u64 {
        self.snapshot().generation.to_native()
    }

    /// The limits that are for a principal.
    pub(crate) fn limits_of(&self, principal: &Principal) -> LimitSet {
        self.limits.for_subject(|subject| principal.is_in(subject))
    }

    /// What limits count a principal by.
    pub(crate) fn parts_of(&self, principal: &Principal) -> Parts {
        let claims = &principal.claims;
        let part = |dimension, name: &str| match name {
            "" => Parts::NONE,
            name => self.seed.part(dimension, name.as_bytes()),
        };
        Parts::UNKNOWN
            .with(Dimension::Principal, part(Dimension::Principal, &claims.sub))
            .with(Dimension::Session, part(Dimension::Session, &claims.sid))
            .with(Dimension::Agent, part(Dimension::Agent, &claims.agent))
            .with(Dimension::Department, part(Dimension::Department, &claims.department))
            .with(Dimension::Tenant, part(Dimension::Tenant, &claims.tenant))
    }

    /// Adds what a call is charged with. A call under more limits than can be counted has no charges and a refusal instead.
    ///
    /// Cost: some 8 ns a charge; a tool that was not discovered costs its globs more.
    pub(crate) fn charges(
        &self,
        standing: &Standing,
        tool: Option<u32>,
        call: &Call<'_>,
        charges: &mut Charges,
    ) -> Result<(), Denial> {
        let Some(of) = self.costs.get(call.server.index()) else { return Ok(()) };
        let parts = standing.parts.with(Dimension::Server, of.part);
        let result = match tool.and_then(|tool| of.tools.get(tool as usize)) {
            Some((costs, part)) => self.limits.charges(&standing.limits, costs, &parts.with(Dimension::Tool, *part), charges),
            None if call.is_tool => {
                let parts = parts.with(Dimension::Tool, tool_part(self.seed, call.server_name, call.name));
                self.limits.charges_undiscovered(&standing.limits, call.server_name, call.name, &parts, charges)
            }
            None => self.limits.charges(&standing.limits, &of.listing, &parts, charges),
        };
        result.map_err(|refused| {
            charges.clear();
            rate_denial(self, refused)
        })
    }

    /// Whether nothing is refused by it.
    pub fn observes(&self) -> bool {
        self.observes
    }

    /// The limits.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Under which limits denials are counted.
    pub(crate) fn denial_costs(&self) -> &Costs {
        &self.denial_costs
    }

    /// What counts a client that nobody is known of but where it calls from.
    pub(crate) fn address_part(&self, address: &str) -> u64 {
        // No subject holds a control character.
        self.seed.part(Dimension::Principal, format!("\0{address}").as_bytes())
    }

    /// The limit's name.
    pub fn limit_name(&self, limit: LimitIx) -> &str {
        self.limit_names.get(limit.index()).map_or("", String::as_str)
    }

    /// The shard on which a principal's own limits live.
    pub fn home(&self, principal: &Principal, shards: u16) -> u16 {
        self.seed.home_of(self.seed.part(Dimension::Principal, principal.claims.sub.as_bytes()), shards)
    }

    /// What a tool asks for whatever the grants say: any one of these scopes; none for most.
    #[inline]
    pub(crate) fn demands(&self, server: ServerIx, tool: &str) -> &[Box<str>] {
        match self.demands.get(server.index()) {
            Some(of_server) if !of_server.is_empty() => of_server.get(tool).map_or(&[], Vec::as_slice),
            _ => &[],
        }
    }

    /// What a token for this server alone names as its audience.
    pub(crate) fn audience(&self, server: &str) -> Option<String> {
        self.audiences.get(self.server(server)?.index()).cloned()
    }

    /// The server of this name.
    pub fn server(&self, name: &str) -> Option<ServerIx> {
        self.snapshot().server_names.get(name).map(|ix| ServerIx(ix.to_native()))
    }
}

/// What grants and tools of each server ask for; nothing where that is more than a request may ask for. `offline_access` is
/// between a client and the authorization server, and no resource asks for it.
fn scopes(grants: &Grants, demands: &[HashMap<String, Vec<Box<str>>>]) -> Vec<Box<str>> {
    let of_server = |(mut scopes, demands): (BTreeSet<&str>, &HashMap<String, Vec<Box<str>>>)| {
        scopes.extend(demands.values().flatten().map(|scope| &**scope));
        scopes.remove("offline_access");
        let scopes = if scopes.len() > wire::limits::SCOPES_MAX { Vec::new() } else { scopes.into_iter().collect() };
        scopes.join(" ").into()
    };
    grants.scopes().into_iter().zip(demands).map(of_server).collect()
}

fn demands(snapshot: &Snapshot) -> Vec<HashMap<String, Vec<Box<str>>>> {
    let mut demands = vec![HashMap::new(); snapshot.servers.len()];
    for tool in snapshot.tools.iter().filter(|tool| !tool.scopes_any.is_empty()) {
        if let Some(of_server) = demands.get_mut(tool.server as usize) {
            of_server.insert(tool.name.clone(), tool.scopes_any.iter().map(|scope| scope.as_str().into()).collect());
        }
    }
    demands
}

fn config<T: serde::de::DeserializeOwned + Default>(layer: &'static str, json: &str) -> Result<T, PolicyError> {
    if json.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_str(json).map_err(|source| PolicyError::Config { layer, source })
}

fn server_costs(limits: &Limits, seed: KeySeed, server: &str, tools: &[&str]) -> ServerCosts {
    ServerCosts {
        tools: tools.iter().map(|tool| (limits.for_call(server, tool), tool_part(seed, server, tool))).collect(),
        listing: limits.for_listing(server),
        part: seed.part(Dimension::Server, server.as_bytes()),
    }
}

fn tool_part(seed: KeySeed, server: &str, tool: &str) -> u64 {
    let mut name = ArrayString::<{ 2 * NAME_BYTES_MAX }>::new();
    match write!(name, "{server}/{tool}") {
        Ok(()) => seed.part(Dimension::Tool, name.as_bytes()),
        // No discovered tool has such a name, and no other is called by it.
        Err(_) => seed.part(Dimension::Tool, format!("{server}/{tool}").as_bytes()),
    }
}
