//! The keys that sign tokens. Each node signs with its own; every public half is in the snapshot before the key signs, and
//! stays there until the last token that it signed has expired. Private halves lie in the database sealed with a key that
//! only this node has.
//!
//! Source: RFC 7517, RFC 7518 (ES256), RFC 8725.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use schema::queries::identity;
use serde::Serialize;

use super::refusal::Error;
use crate::app::App;
use crate::app::publish::Wish;
use crate::keys::{NodeSecret, Purpose};
use crate::people;

/// How long a key signs.
const SIGNS: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long before its turn a key is made: every node and every cache of our JWKS knows it by then.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// How long a key verifies after it signed for the last time: longer than any token or ID token lives.
const OVERLAP: SignedDuration = SignedDuration::from_hours(25);

/// How often it is looked whether a key is due.
const EVERY: Duration = Duration::from_secs(600);

/// What becomes of what the keys before have signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// It holds until it expires.
    Verifies,
    /// It is refused from now on.
    Revoked,
}

/// When a key signs and verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Signs from here.
    pub from: Timestamp,
    /// Signs until here.
    pub until: Timestamp,
    /// Verifies until here.
    pub verifies_until: Timestamp,
}

impl Span {
    fn beginning(from: Timestamp) -> Option<Span> {
        let until = from.checked_add(SIGNS).ok()?;
        Some(Span { from, until, verifies_until: until.checked_add(OVERLAP).ok()? })
    }

    fn signs(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

/// The key that has to be made now, if one has to.
pub fn due(own: &[Span], now: Timestamp) -> Option<Span> {
    let last = own.iter().map(|span| span.until).max().filter(|until| *until > now);
    match last {
        None => Span::beginning(now),
        Some(until) if until.duration_since(now) <= AHEAD => Span::beginning(until),
        Some(_) => None,
    }
}

/// A key that signs.
pub struct Signer {
    kid: String,
    key: EncodingKey,
    span: Span,
}

impl Signer {
    /// Signs claims as a token of this type.
    ///
    /// # Errors
    /// The library refuses.
    pub fn sign<T: Serialize>(&self, typ: &str, claims: &T) -> Result<String, Error> {
        let header = Header { typ: Some(typ.to_owned()), kid: Some(self.kid.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &self.key).map_err(|error| Error::Sign(error.to_string()))
    }
}

/// What a change of keys has brought.
pub struct Rotated {
    /// The key that signs now.
    pub kid: String,
    /// The keys that nothing verifies by any more.
    pub revoked: Vec<String>,
}

/// The keys of this node.
pub struct Ring {
    node: uuid::Uuid,
    seal: RandomizedNonceKey,
    signers: RwLock<Vec<Arc<Signer>>>,
    making: tokio::sync::Mutex<()>,
}

impl Ring {
    /// Of a node that has loaded none yet.
    ///
    /// # Errors
    /// The cipher refuses the key.
    pub fn new(node: wire::ids::NodeId, secret: &NodeSecret) -> Result<Ring, Error> {
        let seal = RandomizedNonceKey::new(&AES_256_GCM, &secret.subkey(Purpose::SigningKeys)).map_err(|_| sealed())?;
        Ok(Ring { node: uuid::Uuid::from_bytes(node.0), seal, signers: RwLock::default(), making: tokio::sync::Mutex::default() })
    }

    fn current(&self, now: Timestamp) -> Option<Arc<Signer>> {
        let signers = self.signers.read().unwrap_or_else(PoisonError::into_inner);
        signers.iter().filter(|signer| signer.span.signs(now)).max_by_key(|signer| signer.span.from).cloned()
    }

    /// The key that signs now; makes the first one.
    ///
    /// # Errors
    /// The database is away, or what is stored there was sealed by another node.
    pub async fn signer(&self, app: &App) -> Result<Arc<Signer>, Error> {
        let now = Timestamp::now();
        if let Some(signer) = self.current(now) {
            return Ok(signer);
        }
        self.keep(app).await?;
        self.current(Timestamp::now()).ok_or_else(|| Error::Sign("there is no key whose turn it is".to_owned()))
    }

    /// Loads what is stored, and makes what is due.
    ///
    /// # Errors
    /// The database is away, or the policy that carries a new key did not come into force.
    pub async fn keep(&self, app: &App) -> Result<(), Error> {
        let _one = self.making.lock().await;
        let client = people::connect(app).await?;
        let now = Timestamp::now();
        let mut signers: Vec<Arc<Signer>> = Vec::new();
        for row in identity::signing_keys().bind(&**client, &now).all().await?.into_iter().filter(|row| row.node == self.node) {
            let span = Span { from: row.signs_from, until: row.signs_until, verifies_until: row.verifies_until };
            match self.open(&row.kid, &row.sealed) {
                Ok(pkcs8) => signers.push(Arc::new(Signer { kid: row.kid, key: EncodingKey::from_ec_der(&pkcs8), span })),
                Err(_) => tracing::error!(
                    kid = row.kid,
                    "a signing key cannot be opened: it was sealed with another secret of this node"
                ),
            }
        }
        let spans: Vec<Span> = signers.iter().map(|signer| signer.span).collect();
        if let Some(span) = due(&spans, now) {
            signers.push(self.make(app, &client, span).await?);
        }
        *self.signers.write().unwrap_or_else(PoisonError::into_inner) = signers;
        Ok(())
    }

    /// Makes a key that signs from now on; those before sign nothing more, and what they signed holds until it has expired, or
    /// not at all. When this returns well, every shard of this node decides by it.
    ///
    /// # Errors
    /// As [`Ring::keep`]. The one before goes on to sign where no other could be made; what it signed goes on to hold where it
    /// could not be revoked.
    pub async fn rotate(&self, app: &App, before: Before) -> Result<Rotated, Error> {
        let _one = self.making.lock().await;
        let client = people::connect(app).await?;
        let now = Timestamp::now();
        let known = identity::signing_keys().bind(&**client, &now).all().await?;
        let own: Vec<_> = known.into_iter().filter(|row| row.node == self.node).collect();
        let span = Span::beginning(now).ok_or_else(|| Error::Sign("the clock is at its end".to_owned()))?;
        let signer = self.make(app, &client, span).await?;
        let kid = signer.kid.clone();
        // First of all: nothing may be signed that would be refused a moment later.
        *self.signers.write().unwrap_or_else(PoisonError::into_inner) = vec![signer];
        match before {
            Before::Verifies => {
                for row in own.iter().filter(|row| row.signs_until > now) {
                    identity::retire_signing_key().bind(&**client, &now, &row.kid).await?;
                }
                Ok(Rotated { kid, revoked: Vec::new() })
            }
            Before::Revoked => {
                identity::revoke_signing_keys().bind(&**client, &self.node, &kid).await?;
                app.publishing.refresh(Wish::own("signing keys revoked")).await.map_err(people::Error::from)?;
                let revoked: Vec<String> = own.into_iter().map(|row| row.kid).collect();
                tracing::warn!(?revoked, kid, "signing keys were revoked: what they signed is refused");
                Ok(Rotated { kid, revoked })
            }
        }
    }

    async fn make(&self, app: &App, client: &tokio_postgres::Client, span: Span) -> Result<Arc<Signer>, Error> {
        let failed = |_| Error::Sign("the machine has no randomness".to_owned());
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
        let pkcs8 = pair.to_pkcs8v1().map_err(failed)?;
        let public = pair.public_key().as_ref();
        let kid = kid_of(public);
        let sealed = self.seal(&kid, pkcs8.as_ref())?;
        identity::put_signing_key()
            .bind(client, &kid, &self.node, &"ES256", &public, &sealed, &span.from, &span.until, &span.verifies_until)
            .await?;
        // When this returns well, every shard of this node knows it; the others hear of it from the database.
        app.publishing.refresh(Wish::own("signing key made")).await.map_err(people::Error::from)?;
        tracing::info!(kid, from = %span.from, "a signing key was made");
        Ok(Arc::new(Signer { kid, key: EncodingKey::from_ec_der(pkcs8.as_ref()), span }))
    }

    /// Nonce, then ciphertext and tag; bound to the key's name.
    fn seal(&self, kid: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut text = plain.to_vec();
        let nonce = self.seal.seal_in_place_append_tag(Aad::from(kid.as_bytes()), &mut text).map_err(|_| sealed())?;
        Ok([nonce.as_ref().as_slice(), &text].concat())
    }

    fn open(&self, kid: &str, sealed_text: &[u8]) -> Result<Vec<u8>, Error> {
        let (nonce, text) = sealed_text.split_at_checked(NONCE_LEN).ok_or_else(sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| sealed())?;
        let mut text = text.to_vec();
        let plain = self.seal.open_in_place(nonce, Aad::from(kid.as_bytes()), &mut text).map_err(|_| sealed())?;
        Ok(plain.to_vec())
    }
}

fn sealed() -> Error {
    Error::Sign("the key cannot be sealed or opened".to_owned())
}

/// The beginning of the RFC 7638 thumbprint of a P-256 point.
fn kid_of(public: &[u8]) -> String {
    let (x, y) = public.get(1..).map_or((&[][..], &[][..]), |point| point.split_at(point.len() / 2));
    let jwk = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    URL_SAFE_NO_PAD.encode(digest(&SHA256, jwk.as_bytes())).chars().take(16).collect()
}

/// Makes keys before they are needed, and forgets what nobody can use any more.
pub async fn keep(app: Arc<App>) {
    loop {
        app.database.up().await;
        if let Err(error) = app.oauth.ring.keep(&app).await {
            tracing::warn!(%error, "signing keys could not be looked after");
        } else if let Err(error) = forget(&app).await {
            tracing::warn!(%error, "what has expired could not be forgotten");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn forget(app: &App) -> Result<(), Error> {
    let client = people::connect(app).await?;
    let now = Timestamp::now();
    let ago = |age: SignedDuration| now.checked_sub(age).unwrap_or(now);
    identity::forget_signing_keys().bind(&**client, &now).await?;
    schema::queries::oauth::forget_expired().bind(&**client, &ago(SignedDuration::from_hours(24))).await?;
    schema::queries::oauth::forget_unused_clients().bind(&**client, &ago(SignedDuration::from_hours(7 * 24))).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
    }

    #[test]
    fn a_key_is_made_a_day_before_its_turn() {
        let first = due(&[], at(0)).unwrap();
        assert_eq!((first.from, first.until), (at(0), at(720)));
        assert_eq!(due(&[first], at(1)), None);
        assert_eq!(due(&[first], at(695)), None);
        let second = due(&[first], at(696)).unwrap();
        assert_eq!(second.from, first.until, "no moment without a key");
        assert_eq!(due(&[first, second], at(700)), None);
        assert!(first.signs(at(719)) && !first.signs(at(720)) && second.signs(at(720)));
        assert!(first.verifies_until >= at(744), "what it signed last holds until it expires");
        assert_eq!(due(&[first], at(10_000)).unwrap().from, at(10_000));
    }

    #[test]
    fn sealed_keys_open_for_their_node_and_name_alone() {
        let ring = |byte| Ring::new(wire::ids::NodeId([1; 16]), &NodeSecret::from_bytes([byte; 32])).unwrap();
        let (a, b) = (ring(1), ring(2));
        let sealed = a.seal("kid", b"private").unwrap();
        assert!(!sealed.windows(7).any(|part| part == b"private"));
        assert_eq!(a.open("kid", &sealed).unwrap(), b"private");
        assert!(a.open("other", &sealed).is_err() && b.open("kid", &sealed).is_err());
        let mut torn = sealed.clone();
        torn[20] ^= 1;
        assert!(a.open("kid", &torn).is_err() && a.open("kid", &sealed[..8]).is_err());
        assert_ne!(a.seal("kid", b"private").unwrap(), sealed);
    }
}
