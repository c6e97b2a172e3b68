//! A snapshot with everything that is compiled from it: what one generation decides by.
//! Lives on: all shards, as an `Arc` that never changes; the control plane builds it and throws the old one away.

use wire::ids::{LimitIx, ServerIx};
use wire::snapshot::{ArchivedSnapshot, Effect, Snapshot, SnapshotBytes, SnapshotError, Subject, Upstream};

use crate::chain::blocklist::{Blocklist, BlocklistConfig, BlocklistConfigError};
use crate::chain::glob::{Glob, GlobError};
use crate::chain::rate::{Charge, Charges, Dimension, KeySeed, LimitError, Limits, Parts};
use crate::chain::secrets::{SecretScanner, SecretsConfig, SecretsConfigError};
use crate::chain::{Denial, rate_denial};
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
}

/// One generation of policy, compiled.
pub struct Policy {
    bytes: SnapshotBytes,
    pub(crate) keys: Vec<Key>,
    pub(crate) grants: Vec<CompiledGrant>,
    /// Which grants speak of which server.
    pub(crate) grants_of_server: Vec<Vec<u32>>,
    limits: Limits,
    seed: KeySeed,
    limit_names: Vec<String>,
    pub(crate) fingerprint_key: [u8; 32],
    pub(crate) secrets: SecretScanner,
    pub(crate) blocklist: Blocklist,
    /// How to reach each server.
    pub(crate) targets: Vec<Option<Target>>,
    /// What each server's audience is called: `<base_url>/api/v1/mcp/<name>/mcp`.
    pub(crate) audiences: Vec<String>,
}

/// A grant whose globs are compiled.
pub struct CompiledGrant {
    pub(crate) id: String,
    pub(crate) effect: Effect,
    pub(crate) subject: Subject,
    pub(crate) scopes: Vec<String>,
    pub(crate) tools: Vec<Glob>,
    pub(crate) methods: Vec<Glob>,
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
    /// A glob of a grant.
    #[error("grant `{grant}` has a bad pattern")]
    Grant {
        /// Which.
        grant: String,
        /// What is wrong.
        #[source]
        source: GlobError,
    },
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
        let snapshot = bytes.thaw()?;
        let keys =
            snapshot.keys.iter().map(|key| Key::new(&key.kid, key.algorithm, &key.public)).collect::<Result<Vec<_>, _>>()?;
        let (grants, grants_of_server) = compile_grants(&snapshot)?;
        let secrets = SecretScanner::compile(&config::<SecretsConfig>("secrets", &snapshot.secrets)?)?;
        let blocklist = Blocklist::compile(&config::<BlocklistConfig>("blocklist", &snapshot.blocklist)?)?;
        let seed = KeySeed::new(node.rates);
        let limits = Limits::compile(&snapshot.limits, seed)?;
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
            keys,
            grants,
            grants_of_server,
            limits,
            seed,
            limit_names,
            fingerprint_key: node.fingerprints,
            secrets,
            blocklist,
            targets,
            audiences,
            bytes,
        })
    }

    /// The tree it was compiled from.
    pub fn snapshot(&self) -> &ArchivedSnapshot {
        sys::snapshot(&self.bytes)
    }

    /// Its generation.
    pub fn generation(&self) -> u64 {
        self.snapshot().generation.to_native()
    }

    /// What a call of `tool` by `principal` is charged with; without a tool, what any other request is.
    /// A call under more limits than can be counted has no charges and a refusal instead.
    pub fn charges(&self, principal: &Principal, server: &str, tool: Option<&str>) -> Result<Box<[Charge]>, Denial> {
        let claims = &principal.claims;
        let part = |dimension, name: &str| match name {
            "" => Parts::NONE,
            name => self.seed.part(dimension, name.as_bytes()),
        };
        let parts = Parts::UNKNOWN
            .with(Dimension::Principal, part(Dimension::Principal, &claims.sub))
            .with(Dimension::Session, part(Dimension::Session, &claims.sid))
            .with(Dimension::Agent, part(Dimension::Agent, &claims.agent))
            .with(Dimension::Tool, tool.map_or(Parts::NONE, |tool| part(Dimension::Tool, &format!("{server}/{tool}"))))
            .with(Dimension::Server, part(Dimension::Server, server))
            .with(Dimension::Department, part(Dimension::Department, &claims.department))
            .with(Dimension::Tenant, part(Dimension::Tenant, &claims.tenant));
        let set = self.limits.for_subject(|subject| principal.is_in(subject));
        let costs = match tool {
            Some(tool) => self.limits.for_call(server, tool),
            None => self.limits.for_listing(server),
        };
        let mut charges = Charges::new();
        self.limits.charges(&set, &costs, &parts, &mut charges).map_err(|refused| rate_denial(self, refused))?;
        Ok(charges.into_iter().collect())
    }

    /// The limit's name.
    pub fn limit_name(&self, limit: LimitIx) -> &str {
        self.limit_names.get(limit.index()).map_or("", String::as_str)
    }

    /// The shard on which a principal's own limits live.
    pub fn home(&self, principal: &Principal, shards: u16) -> u16 {
        self.seed.home_of(self.seed.part(Dimension::Principal, principal.claims.sub.as_bytes()), shards)
    }

    /// The server of this name.
    pub fn server(&self, name: &str) -> Option<ServerIx> {
        self.snapshot().server_names.get(name).map(|ix| ServerIx(ix.to_native()))
    }
}

fn config<T: serde::de::DeserializeOwned + Default>(layer: &'static str, json: &str) -> Result<T, PolicyError> {
    if json.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_str(json).map_err(|source| PolicyError::Config { layer, source })
}

fn compile_grants(snapshot: &Snapshot) -> Result<(Vec<CompiledGrant>, Vec<Vec<u32>>), PolicyError> {
    let mut grants = Vec::with_capacity(snapshot.grants.len());
    let mut of_server = vec![Vec::new(); snapshot.servers.len()];
    for (ix, grant) in snapshot.grants.iter().enumerate() {
        let globs = |patterns: &[String]| {
            patterns
                .iter()
                .map(|pattern| Glob::compile(pattern))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|source| PolicyError::Grant { grant: grant.id.clone(), source })
        };
        let servers = globs(&grant.servers)?;
        for (server_ix, server) in snapshot.servers.iter().enumerate() {
            if servers.is_empty() || servers.iter().any(|glob| glob.matches(&server.name)) {
                of_server[server_ix].push(ix as u32);
            }
        }
        grants.push(CompiledGrant {
            id: grant.id.clone(),
            effect: grant.effect,
            subject: grant.subject.clone(),
            scopes: grant.scopes.clone(),
            tools: globs(&grant.tools)?,
            methods: globs(&grant.methods)?,
        });
    }
    Ok((grants, of_server))
}
