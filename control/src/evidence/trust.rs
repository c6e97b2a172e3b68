//! Whose signatures count.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use wire::checkpoint::Checkpoint;

use crate::keys::{Keys, kid_of};

/// LIMIT: a JWK set of a dozen keys has a few KiB.
const KEY_FILE_BYTES_MAX: u64 = 1 << 20;

/// Where the keys come from, which decides what a result is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The auditor brought them.
    Given,
    /// From the gateway's data directory.
    DataDir,
    /// From the database that is being verified: who can write there could have put his own.
    Database,
}

/// Ed25519 public keys by name.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Where they come from.
    pub origin: Origin,
    keys: HashMap<String, [u8; 32]>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
}

impl Trust {
    /// These keys.
    pub fn new(origin: Origin, keys: impl IntoIterator<Item = [u8; 32]>) -> Trust {
        Trust { origin, keys: keys.into_iter().map(|key| (kid_of(&key), key)).collect() }
    }

    /// Keys as an auditor gives them: each is a file with a JWK set (as the gateway's `/.well-known/jwks.json` has it), a file
    /// with a key in base64, or the key in base64 itself.
    ///
    /// # Errors
    /// One of them is none of these.
    pub fn given(texts: impl IntoIterator<Item = impl AsRef<str>>) -> anyhow::Result<Trust> {
        let mut keys = Vec::new();
        for text in texts {
            let text = text.as_ref();
            let path = Path::new(text);
            if path.is_file() {
                let length = path.metadata().with_context(|| format!("`{text}` cannot be read"))?.len();
                if length > KEY_FILE_BYTES_MAX {
                    bail!("`{text}` has {length} bytes; a key file is smaller");
                }
                let held = std::fs::read_to_string(path).with_context(|| format!("`{text}` cannot be read"))?;
                keys.extend(parse(&held).with_context(|| format!("`{text}` holds no Ed25519 public key"))?);
            } else {
                keys.extend(
                    parse(text).with_context(|| format!("`{text}` is neither a file nor an Ed25519 public key in base64"))?,
                );
            }
        }
        Ok(Trust::new(Origin::Given, keys))
    }

    /// The key of a data directory; `None` where there is no such directory.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_data_dir_if_there(data_dir: &Path) -> anyhow::Result<Option<Trust>> {
        // Opening would make the keys.
        if !data_dir.join("keys").is_dir() {
            return Ok(None);
        }
        let keys = Keys::open(data_dir)?;
        let public = keys.signing.public().try_into().context("the signing key is not an Ed25519 key")?;
        Ok(Some(Trust::new(Origin::DataDir, [public])))
    }

    /// Whether the checkpoint was signed with one of the keys; if not, why.
    ///
    /// # Errors
    /// A sentence for the report.
    pub fn check(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        let Some(key) = self.keys.get(&checkpoint.kid) else {
            return Err(format!("it is signed with key `{}`, which is not among the trusted ones", checkpoint.kid));
        };
        UnparsedPublicKey::new(&ED25519, key)
            .verify(&checkpoint.message(), &checkpoint.signature)
            .map_err(|_| "its signature does not verify".to_owned())
    }

    /// Whether a signature over `message` was made with the key of this name.
    pub fn verifies(&self, kid: &str, message: &[u8], signature: &[u8]) -> bool {
        self.keys.get(kid).is_some_and(|key| UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok())
    }
}

fn parse(text: &str) -> anyhow::Result<Vec<[u8; 32]>> {
    let text = text.trim();
    let texts = if text.starts_with('{') {
        let set: KeySet = serde_json::from_str(text).context("it is not a JWK set")?;
        let is_ed25519 = |key: &Jwk| key.kty == "OKP" && key.crv.as_deref() == Some("Ed25519");
        set.keys.into_iter().filter(is_ed25519).filter_map(|key| key.x).collect()
    } else {
        vec![text.to_owned()]
    };
    let key = |text: &String| -> Option<[u8; 32]> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).or_else(|_| STANDARD.decode(text)).ok()?;
        bytes.try_into().ok()
    };
    let keys: Option<Vec<_>> = texts.iter().map(key).collect();
    keys.filter(|keys| !keys.is_empty()).context("it has no key of 32 bytes in base64")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{SigningKey, jwks};

    #[test]
    fn keys_are_read_in_every_form_and_nothing_else_is() {
        let key = SigningKey::generate().unwrap();
        let public: [u8; 32] = key.public().try_into().unwrap();
        let tmp = tempfile::tempdir().unwrap();
        let (set, plain) = (tmp.path().join("jwks.json"), tmp.path().join("key"));
        std::fs::write(&set, jwks(&[key.verify_key()]).to_string()).unwrap();
        std::fs::write(&plain, format!("{}\n", STANDARD.encode(public))).unwrap();
        let texts = [set.display().to_string(), plain.display().to_string(), URL_SAFE_NO_PAD.encode(public)];
        for text in &texts {
            let trust = Trust::given([text]).unwrap();
            assert_eq!(trust.keys, HashMap::from([(key.kid().to_owned(), public)]), "{text}");
            assert!(trust.verifies(key.kid(), b"x", &key.sign(b"x")));
            assert!(!trust.verifies(key.kid(), b"y", &key.sign(b"x")));
        }
        for text in ["", "no-such-file", "{\"keys\":[]}", "AAAA"] {
            assert!(Trust::given([text]).is_err(), "{text}");
        }
    }
}
