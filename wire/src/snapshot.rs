//! The policy as the shards read it: one immutable rkyv tree, compiled by the control plane from `services/` and
//! Postgres. Names are interned as indexes where a call needs them; text stays for the audit row.
//!
//! On disk it is `magic 8 · checksum 32 · generation u64 · body`, so that a damaged or foreign file is never obeyed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rkyv::rancor;
use rkyv::util::AlignedVec;
use rkyv::{Archive, Deserialize, Serialize};

/// What a snapshot file begins with. The digits are the format's version.
pub const MAGIC: [u8; 8] = *b"SPSNAP04";

const HEADER_BYTES: usize = 48;

/// Everything the shards decide by.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// Counts up with every policy that came into force on this node or cluster.
    pub generation: u64,
    /// When it was compiled, in microseconds since 1970.
    pub compiled_at_us: u64,
    /// The only accepted `iss`.
    pub issuer: String,
    /// The gateway's public URL without a trailing slash: the audience that covers every server.
    pub base_url: String,
    /// Keys that verify tokens.
    pub keys: Vec<VerifyKey>,
    /// MCP servers, by [`crate::ids::ServerIx`].
    pub servers: Vec<Server>,
    /// Tools of all servers, by [`crate::ids::ToolIx`].
    pub tools: Vec<Tool>,
    /// Where a server stands in `servers`.
    pub server_names: HashMap<String, u32>,
    /// Scopes that a role stands for.
    pub roles: HashMap<String, Vec<String>>,
    /// Grants, by [`crate::ids::GrantIx`].
    pub grants: Vec<Grant>,
    /// Limits, by [`crate::ids::LimitIx`].
    pub limits: Vec<Limit>,
    /// The secret layer's configuration, as JSON; compiled off the shards.
    pub secrets: String,
    /// The block list's configuration, as JSON; compiled off the shards.
    pub blocklist: String,
    /// What has to be done about what tools return.
    pub results: crate::results::Results,
    /// What was taken back before it expired.
    pub revoked: Revoked,
    /// API keys by their public id.
    pub api_keys: HashMap<String, ApiKey>,
    /// What the database added to the declarations.
    pub stored: Stored,
    /// How many bytes of the arguments an audit row may show; 0 shows none.
    pub preview_bytes: u32,
    /// What happens to calls that a person must approve.
    pub approvals: Approvals,
    /// Whoever is known may do everything; rows say what would have been refused.
    pub observes: bool,
}

/// What happens to calls that a person must approve.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approvals {
    /// How long a call waits for a person, in milliseconds.
    pub wait_ms: u64,
    /// People may approve their own calls.
    pub own: bool,
}

impl Default for Approvals {
    fn default() -> Approvals {
        Approvals { wait_ms: 120_000, own: false }
    }
}

/// A key that verifies tokens.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct VerifyKey {
    /// The token header's `kid`.
    pub kid: String,
    /// Which algorithm; a token that names another is refused.
    pub algorithm: KeyAlgorithm,
    /// Ed25519: the 32 bytes of the point. P-256: the uncompressed point, 65 bytes.
    pub public: Vec<u8>,
}

/// Signature algorithms of access tokens.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[rkyv(derive(Debug, Clone, Copy, PartialEq, Eq))]
pub enum KeyAlgorithm {
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518).
    Es256,
}

/// A governed MCP server.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct Server {
    /// Its name in paths, grants and rows.
    pub name: String,
    /// How to reach it.
    pub upstream: Upstream,
    /// Its tools by name.
    pub tools: HashMap<String, u32>,
    /// How long a call may take before the gateway gives up, in milliseconds.
    pub call_timeout_ms: u64,
    /// What its calls are in the audit trail: a [`crate::decision::Channel`] code (`mcp`, or `command` for `sp` itself).
    pub channel: u8,
    /// Tools may be called that were not discovered (`tools: open`, for hosts whose tools cannot be listed).
    pub open_tools: bool,
}

/// Where a server is.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// Streamable HTTP over TCP.
    Http(HttpUpstream),
    /// Streamable HTTP over a Unix socket of this process: stdio servers and the control plane.
    Unix(UnixUpstream),
    /// There is nothing to forward to: the calls of hooks and of the decision API are only decided.
    None,
}

/// Streamable HTTP over TCP.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct HttpUpstream {
    /// The endpoint, `http://` or `https://`.
    pub url: String,
    /// Socket addresses of its host, resolved by the control plane.
    pub addresses: Vec<String>,
    /// Headers that carry the server's own credential: name and reference (`env:NAME`), never the value.
    pub headers: Vec<(String, String)>,
    /// The file of certificates that the server's must lead to; empty for those that the machine trusts.
    pub ca: String,
}

/// Streamable HTTP over a Unix socket.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct UnixUpstream {
    /// The socket.
    pub socket: String,
    /// The request path.
    pub path: String,
}

/// One tool of one server.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct Tool {
    /// Whose.
    pub server: u32,
    /// Its name on that server.
    pub name: String,
    /// Whatever a grant allows, the caller must also hold one of these scopes; empty for none.
    pub scopes_any: Vec<String>,
}

/// Whether a grant gives or takes.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[rkyv(derive(Debug, Clone, Copy, PartialEq, Eq))]
pub enum Effect {
    /// Gives.
    Allow,
    /// Takes, whatever others give.
    Deny,
    /// Takes nothing; rows say where it would have.
    Observe,
}

/// Who may (not) do what. Every list is a condition; an empty list does not restrict.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct Grant {
    /// Its name in rows and explanations.
    pub id: String,
    /// Gives or takes.
    pub effect: Effect,
    /// To whom.
    pub subject: Subject,
    /// Globs over server names.
    pub servers: Vec<String>,
    /// Globs over tool names, each of a tool's own name or of `server__tool`. A grant that names tools speaks of
    /// `tools/call` on them.
    pub tools: Vec<String>,
    /// Globs over methods.
    pub methods: Vec<String>,
    /// Scopes that the token (or a role) must carry.
    pub scopes: Vec<String>,
    /// Conditions on the arguments, as JSON; empty for none.
    pub when: String,
}

/// A set of principals. Every non-empty list must contain the principal's value.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Subject {
    /// One bit per [`crate::decision::Tier`] code; 0 does not restrict.
    pub tiers: u8,
    /// User ids.
    pub users: Vec<String>,
    /// At least one of these roles.
    pub roles: Vec<String>,
    /// Departments.
    pub departments: Vec<String>,
    /// Tenants.
    pub tenants: Vec<String>,
    /// Agents.
    pub agents: Vec<String>,
}

/// What a limit counts by: bits of [`Limit::key`].
pub mod key_part {
    /// The user.
    pub const PRINCIPAL: u16 = 1;
    /// The log-in session.
    pub const SESSION: u16 = 2;
    /// The agent.
    pub const AGENT: u16 = 4;
    /// The tool.
    pub const TOOL: u16 = 8;
    /// The server.
    pub const SERVER: u16 = 16;
    /// The department.
    pub const DEPARTMENT: u16 = 32;
    /// The tenant.
    pub const TENANT: u16 = 64;
    /// Every word, in the order of its bit.
    pub const WORDS: [(&str, u16); 7] = [
        ("principal", PRINCIPAL),
        ("session", SESSION),
        ("agent", AGENT),
        ("tool", TOOL),
        ("server", SERVER),
        ("department", DEPARTMENT),
        ("tenant", TENANT),
    ];
}

/// How a limit admits.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[rkyv(derive(Debug, Clone, Copy, PartialEq, Eq))]
pub enum Algorithm {
    /// Exactly N in each window; a key's window begins with its first call.
    Window,
    /// GCRA: a burst, then an even pace.
    Gcra,
    /// At most N at once.
    Concurrency,
    /// At most N millionths of a US dollar in each period, which begin at multiples of its length since 1970 (a day is a UTC
    /// day). A call's price is its cost; one that has none is refused.
    Budget,
}

/// Which calls a limit counts.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[rkyv(derive(Debug, Clone, Copy, PartialEq, Eq))]
pub enum CallClass {
    /// `tools/call`, hooks and decisions.
    Calls,
    /// Everything else: sessions, listings, resources, prompts.
    Listings,
    /// Whatever was denied, so that a flood of denials costs little.
    Denials,
}

/// A rate limit.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct Limit {
    /// Its name in rows and replies.
    pub id: String,
    /// Bits of [`key_part`]: one budget for each combination of these.
    pub key: u16,
    /// How it admits.
    pub algorithm: Algorithm,
    /// N.
    pub count: u64,
    /// The window, in microseconds.
    pub period_us: u64,
    /// GCRA: how many at once; 0 means N.
    pub burst: u64,
    /// Which calls.
    pub class: CallClass,
    /// For whom.
    pub subject: Subject,
    /// Globs over server names.
    pub servers: Vec<String>,
    /// Globs over tool names.
    pub tools: Vec<String>,
    /// What a call of a tool costs: glob over the tool's name, units. The first match counts; otherwise 1, and under a
    /// budget nothing is known.
    pub costs: Vec<(String, u32)>,
    /// Reports, but does not refuse.
    pub observe: bool,
}

/// What was taken back. A token is dead when it, or its session or user before its `iat`, stands here.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq, Default)]
pub struct Revoked {
    /// Counts up with each revocation.
    pub epoch: u64,
    /// `jti` → when it expires anyway, in seconds since 1970.
    pub tokens: HashMap<String, u64>,
    /// Session → tokens issued up to this second are dead.
    pub sessions: HashMap<String, u64>,
    /// User → tokens issued up to this second are dead.
    pub users: HashMap<String, u64>,
    /// Users that are banned, until this second.
    pub banned: HashMap<String, u64>,
    /// Networks (`address/bits`) that are banned, until this second.
    pub networks: BTreeMap<String, u64>,
    /// Users that are disabled, whatever credential they show.
    pub disabled: BTreeSet<String>,
}

/// An API key: who calls with it, and what of that identity it may use.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct ApiKey {
    /// The keyed hash of the whole key.
    pub hash: [u8; 32],
    /// The subject.
    pub user: String,
    /// A [`crate::decision::Tier`] code.
    pub tier: u8,
    /// The organisation.
    pub tenant: String,
    /// The department.
    pub department: String,
    /// The agent that acts.
    pub agent: String,
    /// Roles, as the subject has them now.
    pub roles: Vec<String>,
    /// The only scopes of those roles that the key carries; empty for all of them.
    pub scopes: Vec<String>,
    /// The only servers it is for; empty for all.
    pub servers: Vec<String>,
    /// When it was made, in seconds since 1970.
    pub created_at_s: u64,
    /// When it dies, in seconds since 1970; 0 for never.
    pub expires_at_s: u64,
}

/// What the database added to the declarations when it was last read: the next start goes on from it when the database
/// is away.
#[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq, Default)]
pub struct Stored {
    /// Whether it was ever read.
    pub is_known: bool,
    /// Roles and the scopes they stand for.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Grants, and when each of them ends, in seconds since 1970; 0 for never.
    pub grants: Vec<(Grant, u64)>,
    /// Keys of all nodes that verify tokens, and until when each of them does, in seconds since 1970.
    pub keys: Vec<(VerifyKey, u64)>,
}

/// Why bytes are not a snapshot to decide by.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not a snapshot, or one of another version.
    #[error("not a snapshot of this version; publish the policy again")]
    Magic,
    /// The checksum does not match.
    #[error("snapshot is damaged: its checksum does not match; publish the policy again")]
    Checksum,
    /// The tree does not validate.
    #[error("snapshot is damaged: its tree does not validate; publish the policy again")]
    Invalid(#[source] rancor::Error),
    /// The tree could not be encoded.
    #[error("snapshot cannot be encoded")]
    Encode(#[source] rancor::Error),
}

/// A validated snapshot and the bytes it lies in.
pub struct SnapshotBytes {
    body: AlignedVec,
}

impl SnapshotBytes {
    /// Encodes a snapshot; what comes back is what [`SnapshotBytes::from_file`] reads.
    ///
    /// # Errors
    /// Only when memory runs out.
    pub fn encode(snapshot: &Snapshot) -> Result<(SnapshotBytes, Vec<u8>), SnapshotError> {
        let body = rkyv::to_bytes::<rancor::Error>(snapshot).map_err(SnapshotError::Encode)?;
        let file = sealed(snapshot.generation, &body);
        Ok((SnapshotBytes { body }, file))
    }

    /// Reads a snapshot file and validates every byte of it.
    ///
    /// # Errors
    /// [`SnapshotError`]: do not decide by this file.
    pub fn from_file(file: &[u8]) -> Result<SnapshotBytes, SnapshotError> {
        let (header, body) = file.split_at_checked(HEADER_BYTES).ok_or(SnapshotError::Magic)?;
        if header[..8] != MAGIC {
            return Err(SnapshotError::Magic);
        }
        let generation = header[40..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        if checksum(generation, body).as_bytes()[..] != header[8..40] {
            return Err(SnapshotError::Checksum);
        }
        let mut aligned = AlignedVec::with_capacity(body.len());
        aligned.extend_from_slice(body);
        rkyv::access::<ArchivedSnapshot, rancor::Error>(&aligned).map_err(SnapshotError::Invalid)?;
        Ok(SnapshotBytes { body: aligned })
    }

    /// The tree. Validated on the way in; validating again costs too much for the path of a call, so whoever needs it
    /// often keeps the reference.
    ///
    /// # Errors
    /// Never for bytes that were made by this type.
    pub fn access(&self) -> Result<&ArchivedSnapshot, SnapshotError> {
        rkyv::access::<ArchivedSnapshot, rancor::Error>(&self.body).map_err(SnapshotError::Invalid)
    }

    /// The tree's bytes, validated.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The tree as owned values, for compiling and explaining.
    ///
    /// # Errors
    /// Never for bytes that were made by this type.
    pub fn thaw(&self) -> Result<Snapshot, SnapshotError> {
        rkyv::from_bytes::<Snapshot, rancor::Error>(&self.body).map_err(SnapshotError::Invalid)
    }
}

fn sealed(generation: u64, body: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(HEADER_BYTES + body.len());
    file.extend_from_slice(&MAGIC);
    file.extend_from_slice(checksum(generation, body).as_bytes());
    file.extend_from_slice(&generation.to_le_bytes());
    file.extend_from_slice(body);
    file
}

/// Reads any bytes as the tree of a file whose checksum holds; what validates thaws, and comes back from what it encodes to.
/// For the fuzzer, which guesses no checksum.
pub fn fuzz_body(body: &[u8]) {
    let Ok(read) = SnapshotBytes::from_file(&sealed(0, body)) else { return };
    let Ok(snapshot) = read.thaw() else { return };
    let again = SnapshotBytes::encode(&snapshot).and_then(|(_, file)| SnapshotBytes::from_file(&file)?.thaw());
    assert!(again.is_ok_and(|again| again == snapshot), "{snapshot:?}");
}

fn checksum(generation: u64, body: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_derive_key("sp snapshot 1 checksum");
    hasher.update(&generation.to_le_bytes()).update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn example() -> Snapshot {
        Snapshot {
            generation: 3,
            base_url: "http://localhost:1".into(),
            servers: vec![Server {
                name: "files".into(),
                upstream: Upstream::Unix(UnixUpstream { socket: "/s".into(), path: "/mcp".into() }),
                tools: HashMap::from([("read".into(), 0)]),
                call_timeout_ms: 1000,
                channel: 1,
                open_tools: false,
            }],
            tools: vec![Tool { server: 0, name: "read".into(), scopes_any: Vec::new() }],
            server_names: HashMap::from([("files".into(), 0)]),
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_snapshot_comes_back() {
        let (_, file) = SnapshotBytes::encode(&example()).unwrap();
        let back = SnapshotBytes::from_file(&file).unwrap();
        assert_eq!(back.thaw().unwrap(), example());
        assert_eq!(back.access().unwrap().server_names.get("files").map(|ix| ix.to_native()), Some(0));
    }

    #[test]
    fn a_damaged_snapshot_is_refused() {
        let (_, file) = SnapshotBytes::encode(&example()).unwrap();
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 0x20;
            assert!(SnapshotBytes::from_file(&damaged).is_err(), "byte {at}");
        }
        for cut in 0..file.len() {
            assert!(SnapshotBytes::from_file(&file[..cut]).is_err(), "cut at {cut}");
        }
    }
}
