//! Verifies an access token. Lives on one shard, runs once per token; what it finds is kept by the caller until it expires.
//!
//! Pure: no clock, no I/O. The token decides nothing but which of our keys is tried: the algorithm is the key's, and a
//! header with anything but `alg`, `typ` and `kid` (`jwk`, `jku`, `x5c`, `crit` …) is refused.
//!
//! Source: RFC 7515, RFC 7519, RFC 8725 (best practices), RFC 9068 (access tokens).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use wire::decision::Reason;
use wire::ids::{AgentId, ClientId, DepartmentId, IdError, RoleName, ScopeName, SessionId, TenantId, TokenId, UserId};
use wire::limits::TOKEN_BYTES_MAX;
use wire::snapshot::KeyAlgorithm;
use wire::token::{ACCESS_TOKEN_TYPE, Claims};

/// LIMIT: how far another machine's clock may run ahead. Only `iat` and `nbf` get it: nothing outlives its `exp`.
pub const CLOCK_LEEWAY_S: u64 = 30;

/// LIMIT: audiences, roles and scopes of one token; more do not fit the grants that anybody can read.
const NAMES_MAX: usize = 128;

/// LIMIT: members of the token's header and payload.
const MEMBERS_MAX: usize = 64;

/// A key that verifies tokens, ready for use.
pub struct Key {
    kid: Box<str>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Why a key of the snapshot is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// It has no name.
    #[error("a key without a `kid` cannot be chosen by a token")]
    Nameless,
    /// Not 32 bytes, or not an uncompressed point of 65 bytes.
    #[error("key `{kid}` has {bytes} bytes, which is no public key of its algorithm")]
    Shape {
        /// Which key.
        kid: String,
        /// How many bytes it has.
        bytes: usize,
    },
}

impl Key {
    /// Takes the public half as [`wire::snapshot::VerifyKey`] has it.
    ///
    /// # Errors
    /// The policy that carries it must not come into force.
    pub fn new(kid: &str, algorithm: KeyAlgorithm, public: &[u8]) -> Result<Key, KeyError> {
        if kid.is_empty() {
            return Err(KeyError::Nameless);
        }
        let (algorithm, key) = match (algorithm, public) {
            (KeyAlgorithm::EdDsa, point) if point.len() == 32 => (Algorithm::EdDSA, DecodingKey::from_ed_der(point)),
            (KeyAlgorithm::Es256, point @ [4, ..]) if point.len() == 65 => (Algorithm::ES256, DecodingKey::from_ec_der(point)),
            _ => return Err(KeyError::Shape { kid: kid.to_owned(), bytes: public.len() }),
        };
        Ok(Key { kid: kid.into(), algorithm, key })
    }
}

/// What the signature says. Whether the token is for the server that is called, and whether it was revoked, is the caller's
/// to check: both change while the token stays the same.
///
/// # Errors
/// The reason that the caller is told and the audit row carries.
pub fn verify(token: &str, keys: &[Key], issuer: &str, now_s: u64) -> Result<Claims, Reason> {
    if token.is_empty() {
        return Err(Reason::TokenMissing);
    }
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Reason::TokenMalformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Reason::TokenMalformed)?;
    let (header, payload) = signed.split_once('.').ok_or(Reason::TokenMalformed)?;
    if payload.contains('.') || payload.is_empty() {
        return Err(Reason::TokenMalformed);
    }

    let key = choose_key(&decode(header)?, keys)?;
    // Not base64, or base64 that another text could also stand for: one token must have one spelling.
    decode(signature)?;
    if !jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key.key, key.algorithm).is_ok_and(|holds| holds) {
        return Err(Reason::TokenSignature);
    }

    let payload = decode(payload)?;
    if has_twins(&payload) {
        return Err(Reason::TokenMalformed);
    }
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| Reason::TokenMalformed)?;
    check_claims(&claims, issuer, now_s)?;
    Ok(claims)
}

/// Strict: no padding, no white space, no bits left over.
fn decode(part: &str) -> Result<Vec<u8>, Reason> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Reason::TokenMalformed)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    #[serde(default)]
    kid: Option<String>,
}

fn choose_key<'k>(header: &[u8], keys: &'k [Key]) -> Result<&'k Key, Reason> {
    // A foreign algorithm is worth its own name in the audit trail, whatever else the header holds.
    #[derive(Deserialize)]
    struct OnlyAlgorithm {
        alg: String,
    }
    let algorithm: OnlyAlgorithm = serde_json::from_slice(header).map_err(|_| Reason::TokenMalformed)?;
    if !matches!(algorithm.alg.as_str(), "EdDSA" | "ES256") {
        return Err(Reason::TokenAlgorithm);
    }
    let header: Header = serde_json::from_slice(header).map_err(|_| Reason::TokenMalformed)?;
    let kind = header.typ.strip_prefix("application/").unwrap_or(&header.typ);
    if !kind.eq_ignore_ascii_case(ACCESS_TOKEN_TYPE) && !kind.eq_ignore_ascii_case("JWT") {
        return Err(Reason::TokenMalformed);
    }
    let kid = header.kid.ok_or(Reason::TokenKeyUnknown)?;
    let key = keys.iter().find(|key| *key.kid == *kid).ok_or(Reason::TokenKeyUnknown)?;
    let same = match key.algorithm {
        Algorithm::EdDSA => header.alg == "EdDSA",
        Algorithm::ES256 => header.alg == "ES256",
        _ => false,
    };
    if same { Ok(key) } else { Err(Reason::TokenAlgorithm) }
}

/// Whether the object has a member twice, or more members than anybody writes: two readers would not read the same.
fn has_twins(json: &[u8]) -> bool {
    struct Members(bool);

    impl<'de> Deserialize<'de> for Members {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Members, D::Error> {
            struct MembersVisitor;

            impl<'de> Visitor<'de> for MembersVisitor {
                type Value = Members;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                    let mut names: Vec<String> = Vec::new();
                    while let Some((name, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                        if names.contains(&name) || names.len() >= MEMBERS_MAX {
                            return Ok(Members(true));
                        }
                        names.push(name);
                    }
                    Ok(Members(false))
                }
            }

            from.deserialize_map(MembersVisitor)
        }
    }

    serde_json::from_slice::<Members>(json).map_or(true, |members| members.0)
}

fn check_claims(claims: &Claims, issuer: &str, now_s: u64) -> Result<(), Reason> {
    if claims.iss != issuer {
        return Err(Reason::TokenIssuer);
    }
    names(claims).map_err(|_| Reason::TokenMalformed)?;
    if claims.aud.iter().count() > NAMES_MAX || claims.roles.len() > NAMES_MAX || claims.scope.split(' ').count() > NAMES_MAX {
        return Err(Reason::TokenMalformed);
    }
    if claims.exp <= now_s {
        return Err(Reason::TokenExpired);
    }
    let latest = now_s.saturating_add(CLOCK_LEEWAY_S);
    if claims.iat > latest || claims.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(Reason::TokenNotYetValid);
    }
    Ok(())
}

/// Every name in the claims goes into rows, keys and replies, so each has to be one.
fn names(claims: &Claims) -> Result<(), IdError> {
    fn given<T: std::str::FromStr<Err = IdError>>(text: &str) -> Result<(), IdError> {
        if text.is_empty() { Ok(()) } else { text.parse::<T>().map(drop) }
    }

    claims.sub.parse::<UserId>()?;
    claims.jti.parse::<TokenId>()?;
    given::<ClientId>(&claims.client_id)?;
    given::<SessionId>(&claims.sid)?;
    given::<TenantId>(&claims.tenant)?;
    given::<DepartmentId>(&claims.department)?;
    given::<AgentId>(&claims.agent)?;
    claims.roles.iter().try_for_each(|role| role.parse::<RoleName>().map(drop))?;
    claims.scope.split(' ').try_for_each(given::<ScopeName>)?;
    let mut link = claims.act.as_deref();
    while let Some(actor) = link {
        actor.sub.parse::<UserId>()?;
        link = actor.act.as_deref();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
