//! What this node keeps secret, and what it is called: the key that signs tokens, the secret that subkeys come from,
//! and the node id. All are made at the first start and live in `<data_dir>/keys`.
//!
//! INVARIANT: files are 0600 in a folder that is 0700 and ours, or nothing starts. A file that is there and cannot be
//! read as what it should be is never replaced: that would silently cut off everything signed before.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dataplane::policy::NodeKeys;
use serde_json::json;
use wire::ids::NodeId;
use wire::snapshot::{KeyAlgorithm, VerifyKey};

use crate::disk;

/// LIMIT: no file in the folder is longer; a PKCS#8 Ed25519 key has 83 bytes at most.
const FILE_BYTES_MAX: u64 = 256;

const SIGNING: &str = "signing.pk8";
const SECRET: &str = "node.secret";
const NODE: &str = "node.id";

/// What stands in the folder.
pub struct Keys {
    /// Signs tokens and audit checkpoints.
    pub signing: SigningKey,
    /// Where subkeys come from.
    pub secret: NodeSecret,
    /// What this data folder is called in rows.
    pub node: NodeId,
}

impl Keys {
    /// Opens the folder below `data_dir`, and makes what is not there yet. The caller holds the lock of the data folder.
    ///
    /// # Errors
    /// Nothing may start: the message says what to do.
    pub fn open(data_dir: &Path) -> Result<Keys, KeyError> {
        let dir = data_dir.join("keys");
        match DirBuilder::new().mode(0o700).create(&dir) {
            Ok(()) => disk::sync_folder(&dir).map_err(KeyError::io(data_dir))?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(KeyError::io(&dir)(error)),
        }
        guard(&dir, &dir.symlink_metadata().map_err(KeyError::io(&dir))?, true)?;
        Ok(Keys { signing: SigningKey::open(&dir)?, secret: NodeSecret::open(&dir)?, node: open_node(&dir)? })
    }
}

/// Why the secrets of this node cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refused.
    #[error("`{path}` cannot be used")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("`{path}` is open to others (mode {mode:03o}); run `chmod {wanted:o} {path}`")]
    Open {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// What it should be.
        wanted: u32,
    },
    /// Somebody else owns it.
    #[error("`{path}` belongs to user {owner}, but this process runs as user {user}; run `chown {user} {path}`")]
    Owner {
        /// Which file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        user: u32,
    },
    /// Neither a file nor a folder of ours.
    #[error("`{path}` is not {expected}; move it away")]
    Kind {
        /// Which file.
        path: PathBuf,
        /// What belongs there.
        expected: &'static str,
    },
    /// It holds something else.
    #[error("`{path}` does not hold {expected}; restore it from a backup, or delete it to have a new one made")]
    Content {
        /// Which file.
        path: PathBuf,
        /// What belongs there.
        expected: &'static str,
    },
    /// The machine has no randomness to give.
    #[error("no randomness for a new key")]
    Random,
}

impl KeyError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> KeyError {
        let path = path.to_path_buf();
        |source| KeyError::Io { path, source }
    }
}

/// The Ed25519 key that signs tokens and checkpoints.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    pkcs8: Vec<u8>,
    kid: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

impl SigningKey {
    /// A new key that is kept nowhere.
    ///
    /// # Errors
    /// The machine has no randomness.
    pub fn generate() -> Result<SigningKey, KeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::Random)?;
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| KeyError::Random)?.as_ref().to_vec();
        Ok(SigningKey::new(pair, pkcs8))
    }

    fn new(pair: Ed25519KeyPair, pkcs8: Vec<u8>) -> SigningKey {
        let kid = kid_of(pair.public_key().as_ref());
        SigningKey { pair, pkcs8, kid }
    }

    fn open(dir: &Path) -> Result<SigningKey, KeyError> {
        let path = dir.join(SIGNING);
        let pkcs8 = read_or_make(dir, SIGNING, || Ok(SigningKey::generate()?.pkcs8))?;
        match Ed25519KeyPair::from_pkcs8(&pkcs8) {
            Ok(pair) => Ok(SigningKey::new(pair, pkcs8)),
            Err(_) => Err(KeyError::Content { path, expected: "an Ed25519 key in PKCS#8" }),
        }
    }

    /// Its name in token headers: the beginning of its RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half.
    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// Signs `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut out = [0; 64];
        // INVARIANT: an Ed25519 signature has 64 bytes (RFC 8032), so none is left over.
        for (to, from) in out.iter_mut().zip(self.pair.sign(message).as_ref()) {
            *to = *from;
        }
        out
    }

    /// The public half as the snapshot carries it.
    pub fn verify_key(&self) -> VerifyKey {
        VerifyKey { kid: self.kid.clone(), algorithm: KeyAlgorithm::EdDsa, public: self.public().to_vec() }
    }

    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }
}

/// The JSON Web Key Set that tokens of these keys are verified with (RFC 7517).
pub fn jwks(keys: &[VerifyKey]) -> serde_json::Value {
    let keys: Vec<serde_json::Value> = keys
        .iter()
        .filter_map(|key| {
            Some(match key.algorithm {
                KeyAlgorithm::EdDsa => json!({
                    "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(&key.public),
                    "kid": key.kid, "use": "sig", "alg": "EdDSA",
                }),
                KeyAlgorithm::Es256 => {
                    let (x, y) = key.public.get(1..65)?.split_at(32);
                    json!({
                        "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
                        "kid": key.kid, "use": "sig", "alg": "ES256",
                    })
                }
            })
        })
        .collect();
    json!({ "keys": keys })
}

/// What an Ed25519 public key is called in token headers and checkpoints.
pub(crate) fn kid_of(public: &[u8]) -> String {
    thumbprint(public).chars().take(16).collect()
}

/// The RFC 7638 thumbprint of an Ed25519 public key: members in the order of their names, nothing between them.
fn thumbprint(public: &[u8]) -> String {
    let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(public));
    URL_SAFE_NO_PAD.encode(digest(&SHA256, jwk.as_bytes()))
}

/// What a subkey is for. One purpose never learns another's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Digests of arguments in audit rows: equal arguments show as equal, and nobody can guess them by trying.
    AuditDigest,
    /// Binds MCP sessions to the principal that opened them.
    SessionBinding,
    /// Fingerprints of secrets that were found, so that an exception can name one without showing it.
    Fingerprint,
    /// Spreads principals over shards and rate cells, so that nobody can aim at one.
    Placement,
    /// Hashes of API keys: what the database holds of a key says nothing without this.
    ApiKeys,
    /// Seals the private halves of signing keys that lie in the database.
    SigningKeys,
}

/// Thirty-two bytes that never leave this node.
pub struct NodeSecret([u8; 32]);

impl NodeSecret {
    /// Takes bytes from elsewhere, for tests and tools that need no folder.
    pub const fn from_bytes(bytes: [u8; 32]) -> NodeSecret {
        NodeSecret(bytes)
    }

    fn open(dir: &Path) -> Result<NodeSecret, KeyError> {
        let bytes = read_or_make(dir, SECRET, || random::<32>().map(Vec::from))?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice())
            .map_err(|_| KeyError::Content { path: dir.join(SECRET), expected: "32 bytes" })?;
        Ok(NodeSecret(bytes))
    }

    /// The subkey for one purpose; the same at every start.
    ///
    /// INVARIANT: the texts are never changed: digests in old rows depend on them.
    pub fn subkey(&self, purpose: Purpose) -> [u8; 32] {
        let context = match purpose {
            Purpose::AuditDigest => "sp 2026-11 audit digest of arguments",
            Purpose::SessionBinding => "sp 2026-11 binding of mcp sessions",
            Purpose::Fingerprint => "sp 2026-11 fingerprint of secrets",
            Purpose::Placement => "sp 2026-11 placement of principals",
            Purpose::ApiKeys => "sp 2026-11 hashes of api keys",
            Purpose::SigningKeys => "sp 2026-11 sealing of signing keys",
        };
        blake3::derive_key(context, &self.0)
    }
}

impl From<&NodeSecret> for NodeKeys {
    fn from(secret: &NodeSecret) -> NodeKeys {
        let placement = secret.subkey(Purpose::Placement);
        let mut rates = [0; 16];
        rates.copy_from_slice(&placement[..16]);
        NodeKeys {
            rates,
            digests: secret.subkey(Purpose::AuditDigest),
            sessions: secret.subkey(Purpose::SessionBinding),
            fingerprints: secret.subkey(Purpose::Fingerprint),
            api_keys: secret.subkey(Purpose::ApiKeys),
        }
    }
}

fn open_node(dir: &Path) -> Result<NodeId, KeyError> {
    let bytes = read_or_make(dir, NODE, || Ok(format!("{}\n", NodeId(random::<16>()?)).into_bytes()))?;
    let text = String::from_utf8(bytes).unwrap_or_default();
    text.trim_end().parse().map_err(|_| KeyError::Content { path: dir.join(NODE), expected: "a node id of 32 hex digits" })
}

/// Random bytes.
///
/// # Errors
/// The machine has none.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KeyError::Random)?;
    Ok(bytes)
}

fn read_or_make(dir: &Path, name: &str, make: impl FnOnce() -> Result<Vec<u8>, KeyError>) -> Result<Vec<u8>, KeyError> {
    let path = dir.join(name);
    let open = OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()).open(&path);
    let file = match open {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let bytes = make()?;
            // Whole or not at all: a start that is interrupted here leaves no half key behind.
            disk::replace(&path, &bytes).map_err(KeyError::io(&path))?;
            return Ok(bytes);
        }
        Err(error) => return Err(KeyError::io(&path)(error)),
    };
    guard(&path, &file.metadata().map_err(KeyError::io(&path))?, false)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(KeyError::io(&path))?;
    Ok(bytes)
}

/// Refuses what others could read or have put there.
fn guard(path: &Path, metadata: &std::fs::Metadata, folder: bool) -> Result<(), KeyError> {
    let (is_kind, expected, wanted) =
        if folder { (metadata.is_dir(), "a folder", 0o700) } else { (metadata.is_file(), "a file", 0o600) };
    let path = path.to_path_buf();
    let user = rustix::process::geteuid().as_raw();
    let mode = metadata.mode() & 0o777;
    if !is_kind {
        return Err(KeyError::Kind { path, expected });
    }
    if metadata.uid() != user {
        return Err(KeyError::Owner { path, owner: metadata.uid(), user });
    }
    if mode & 0o077 != 0 {
        return Err(KeyError::Open { path, mode, wanted });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
