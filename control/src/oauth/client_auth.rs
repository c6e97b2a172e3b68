//! Whether a client is who it says: by nothing (public clients), by its secret, or by an assertion that it signed.
//! Pure: the request and the client in, the proof or the refusal out.
//!
//! Source: OAuth 2.1 sections 2.4 and 3.2.2; RFC 7523 (assertions); OpenID Connect Core section 9.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey};
use schema::queries::oauth::Client;
use serde::Deserialize;

use super::params::Params;
use super::refusal::{Code, Refusal};
use crate::people::secret::digest;

/// The type of assertions that are JWTs (RFC 7523 section 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// LIMIT: how long an assertion may live; what was used is remembered for as long.
const ASSERTION_LIFE_S: i64 = 600;

/// LIMIT: how far the client's clock may run ahead.
const LEEWAY_S: i64 = 30;

/// LIMIT: bytes of an assertion.
const ASSERTION_BYTES_MAX: usize = 8192;

/// What a client shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Who it says it is.
    pub client_id: String,
    /// How it proves it.
    pub proof: Proof,
}

/// How a client proves who it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// It does not.
    None,
    /// HTTP Basic.
    Basic(String),
    /// The secret in the form.
    Post(String),
    /// A JWT that it signed.
    Assertion(String),
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.method())
    }
}

impl Proof {
    /// The word for it in metadata.
    pub const fn method(&self) -> &'static str {
        match self {
            Proof::None => "none",
            Proof::Basic(_) => "client_secret_basic",
            Proof::Post(_) => "client_secret_post",
            Proof::Assertion(_) => "private_key_jwt",
        }
    }
}

fn refuse(why: &'static str) -> Refusal {
    Refusal::new(Code::InvalidClient, why)
}

/// Reads who a request says it comes from. `authorization` is the header.
///
/// # Errors
/// `invalid_request`: two proofs, or none that can be read (OAuth 2.1 section 2.4: never more than one).
pub fn read(authorization: Option<&str>, params: &Params) -> Result<Shown, Refusal> {
    let in_form = params.get("client_id");
    let mut proofs = Vec::new();
    if let Some(header) = authorization {
        let (id, secret) = basic(header)?;
        if in_form.is_some_and(|form| form != id) {
            return Err(Refusal::new(Code::InvalidRequest, "two client ids"));
        }
        proofs.push((id, Proof::Basic(secret)));
    }
    if let Some(secret) = params.get("client_secret") {
        proofs.push((params.need("client_id")?.to_owned(), Proof::Post(secret.to_owned())));
    }
    match (params.get("client_assertion"), params.get("client_assertion_type")) {
        (Some(jwt), Some(ASSERTION_TYPE)) => {
            let id = match in_form {
                Some(id) => id.to_owned(),
                None => unverified_issuer(jwt)?,
            };
            proofs.push((id, Proof::Assertion(jwt.to_owned())));
        }
        (None, None) => {}
        _ => return Err(Refusal::new(Code::InvalidRequest, "`client_assertion` and its type belong together")),
    }
    let mut proofs = proofs.into_iter();
    match (proofs.next(), proofs.next()) {
        (Some(_), Some(_)) => Err(Refusal::new(Code::InvalidRequest, "more than one client authentication")),
        (Some((client_id, proof)), None) => Ok(Shown { client_id, proof }),
        (None, _) => Ok(Shown { client_id: params.need("client_id")?.to_owned(), proof: Proof::None }),
    }
}

/// OAuth 2.1 section 2.4.1: id and secret are form-encoded inside of Basic.
fn basic(header: &str) -> Result<(String, String), Refusal> {
    let wrong = || refuse("the Authorization header is not HTTP Basic");
    let (scheme, encoded) = header.split_once(' ').ok_or_else(wrong)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(wrong());
    }
    let text = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)?;
    let (id, secret) = text.split_once(':').ok_or_else(wrong)?;
    let decode = |text: &str| -> String {
        let pair = format!("{}=", text.replace('=', "%3D").replace('&', "%26"));
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
    };
    Ok((decode(id), decode(secret)))
}

#[derive(Deserialize)]
struct Issuer {
    iss: String,
}

/// Only to find the client whose keys decide.
fn unverified_issuer(jwt: &str) -> Result<String, Refusal> {
    let payload = jwt.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let issuer = payload.and_then(|json| serde_json::from_slice::<Issuer>(&json).ok());
    issuer.map(|found| found.iss).ok_or_else(|| refuse("the assertion cannot be read"))
}

/// Whether what a client showed is right. An assertion that is must also be new: its digest and end come back.
///
/// # Errors
/// `invalid_client`.
pub fn verify(client: Option<&Client>, shown: &Shown, audiences: &[&str], now: Timestamp) -> Result<Option<Assertion>, Refusal> {
    let wrong = || refuse("the client is not known, or did not prove who it is");
    // Hashed and compared whether the client is known or not.
    let known = client.filter(|client| client.disabled_at.is_none());
    match &shown.proof {
        Proof::None => match known {
            Some(client) if client.auth_method == "none" => Ok(None),
            _ => Err(wrong()),
        },
        Proof::Basic(secret) | Proof::Post(secret) => {
            let stored = known.and_then(|client| client.secret_digest.as_deref()).unwrap_or(&[0; 32]);
            let is_right = verify_slices_are_equal(stored, &digest(secret)).is_ok();
            let client = known.filter(|_| is_right).ok_or_else(wrong)?;
            // Both ways of sending a secret are as good; many libraries use the one that was not registered.
            if client.auth_method.starts_with("client_secret") { Ok(None) } else { Err(wrong()) }
        }
        Proof::Assertion(jwt) => {
            let client = known.filter(|client| client.auth_method == "private_key_jwt").ok_or_else(wrong)?;
            assertion(jwt, client, audiences, now).map(Some)
        }
    }
}

/// An assertion that held; good once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// What is remembered of it.
    pub digest: [u8; 32],
    /// For how long.
    pub expires_at: Timestamp,
}

#[derive(Deserialize)]
struct AssertionClaims {
    iss: String,
    sub: String,
    aud: wire::token::Audience,
    exp: i64,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    nbf: Option<i64>,
    jti: String,
}

fn assertion(jwt: &str, client: &Client, audiences: &[&str], now: Timestamp) -> Result<Assertion, Refusal> {
    if jwt.len() > ASSERTION_BYTES_MAX {
        return Err(refuse("the assertion is too long"));
    }
    let keys: JwkSet =
        client.jwks.clone().and_then(|keys| serde_json::from_value(keys).ok()).ok_or_else(|| refuse("the client has no keys"))?;
    let header = jsonwebtoken::decode_header(jwt).map_err(|_| refuse("the assertion cannot be read"))?;
    let (signed, signature) = jwt.rsplit_once('.').ok_or_else(|| refuse("the assertion cannot be read"))?;
    // RFC 8725 section 3.1: the key says which algorithm, the token only which key.
    let fits = |key: &&Jwk| header.kid.is_none() || key.common.key_id == header.kid;
    let holds = keys.keys.iter().filter(fits).any(|key| {
        algorithm(key) == Some(header.alg)
            && DecodingKey::from_jwk(key)
                .is_ok_and(|key| jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key, header.alg).is_ok_and(|ok| ok))
    });
    if !holds {
        return Err(refuse("the assertion's signature does not hold"));
    }
    let payload = signed.split_once('.').and_then(|(_, part)| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Option<AssertionClaims> = payload.and_then(|json| serde_json::from_slice(&json).ok());
    let claims = claims.ok_or_else(|| refuse("the assertion lacks a claim: iss, sub, aud, exp and jti must be there"))?;
    if claims.iss != client.id || claims.sub != client.id {
        return Err(refuse("the assertion is about somebody else"));
    }
    if !audiences.iter().any(|audience| claims.aud.contains(audience)) {
        return Err(refuse("the assertion is for somebody else"));
    }
    let now_s = now.as_second();
    let begins = claims.nbf.or(claims.iat).unwrap_or(now_s);
    if claims.exp <= now_s || claims.exp > now_s + ASSERTION_LIFE_S + LEEWAY_S || begins > now_s + LEEWAY_S {
        return Err(refuse("the assertion has expired, is not good yet, or lives for too long"));
    }
    let expires_at = Timestamp::from_second(claims.exp).map_err(|_| refuse("the assertion has no end"))?;
    Ok(Assertion { digest: digest(&format!("{}\n{}", client.id, claims.jti)), expires_at })
}

/// The one algorithm that a public key is for; nothing for keys that are not accepted (symmetric ones above all).
pub fn algorithm(key: &Jwk) -> Option<Algorithm> {
    match &key.algorithm {
        AlgorithmParameters::EllipticCurve(params) if params.curve == EllipticCurve::P256 => Some(Algorithm::ES256),
        AlgorithmParameters::OctetKeyPair(params) if params.curve == EllipticCurve::Ed25519 => Some(Algorithm::EdDSA),
        AlgorithmParameters::RSA(params) => {
            // RFC 7518 section 3.3: 2048 bits at least.
            let bytes = URL_SAFE_NO_PAD.decode(&params.n).ok()?;
            (bytes.len() >= 256).then_some(Algorithm::RS256)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::{Value, json};

    use super::*;
    use crate::keys::{SigningKey, jwks};
    use crate::oauth::testing::client;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn form(text: &str) -> Params {
        Params::parse(text).unwrap()
    }

    fn with_secret() -> Client {
        Client { auth_method: "client_secret_basic".into(), secret_digest: Some(digest("s3cret").to_vec()), ..client(&[]) }
    }

    #[test]
    fn one_proof_and_no_more() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(read(None, &form("client_id=c")).unwrap(), Shown { client_id: "c".into(), proof: Proof::None });
        assert_eq!(
            read(Some(&basic("c%20d:a%3Ab")), &form("")).unwrap(),
            Shown { client_id: "c d".into(), proof: Proof::Basic("a:b".into()) }
        );
        assert_eq!(read(None, &form("client_id=c&client_secret=x")).unwrap().proof, Proof::Post("x".into()));
        for (header, text) in [
            (Some(basic("c:x")), "client_id=c&client_secret=x"),
            (Some(basic("c:x")), "client_id=d"),
            (Some("Bearer x".to_owned()), "client_id=c"),
            (Some(basic("c")), "client_id=c"),
            (None, ""),
            (None, "client_secret=x"),
            (None, "client_id=c&client_assertion=x"),
            (None, "client_id=c&client_assertion=x&client_assertion_type=other"),
        ] {
            assert!(read(header.as_deref(), &form(text)).is_err(), "{header:?} {text}");
        }
    }

    #[test]
    fn secrets_are_right_or_wrong() {
        let shown = |proof| Shown { client_id: "c".into(), proof };
        let check = |client: Option<&Client>, proof| verify(client, &shown(proof), &["https://gate"], now()).is_ok();
        let (public, secret) = (client(&[]), with_secret());
        assert!(check(Some(&public), Proof::None));
        assert!(check(Some(&secret), Proof::Basic("s3cret".into())) && check(Some(&secret), Proof::Post("s3cret".into())));
        assert!(!check(Some(&secret), Proof::None), "OAuth 2.1 section 2.4: a confidential client proves itself");
        assert!(!check(Some(&secret), Proof::Basic("other".into())));
        assert!(!check(Some(&public), Proof::Basic("s3cret".into())));
        assert!(!check(None, Proof::None) && !check(None, Proof::Basic("s3cret".into())));
        let disabled = Client { disabled_at: Some(now()), ..secret };
        assert!(!check(Some(&disabled), Proof::Basic("s3cret".into())));
    }

    fn signed(key: &SigningKey, header: &Header, claims: &Value) -> Proof {
        Proof::Assertion(jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_der(key.pkcs8())).unwrap())
    }

    #[test]
    fn assertions_are_signed_by_a_key_of_the_client() {
        let key = SigningKey::generate().unwrap();
        let client = Client { auth_method: "private_key_jwt".into(), jwks: Some(jwks(&[key.verify_key()])), ..client(&[]) };
        let good =
            json!({ "iss": "c", "sub": "c", "aud": "https://gate", "exp": 1_800_000_300, "iat": 1_800_000_000, "jti": "1" });
        let header = Header { kid: Some(key.kid().to_owned()), ..Header::new(Algorithm::EdDSA) };
        let check = |proof| verify(Some(&client), &Shown { client_id: "c".into(), proof }, &["https://gate"], now());
        let held = check(signed(&key, &header, &good)).unwrap().unwrap();
        assert_eq!(held.expires_at.as_second(), 1_800_000_300);
        for (name, value) in [
            ("iss", json!("d")),
            ("sub", json!("d")),
            ("aud", json!("https://other")),
            ("exp", json!(1_799_999_999)),
            ("exp", json!(1_800_009_999)),
            ("iat", json!(1_800_000_100)),
            ("jti", Value::Null),
        ] {
            let mut claims = good.clone();
            claims[name] = value;
            assert!(check(signed(&key, &header, &claims)).is_err(), "{name}");
        }
        let other = SigningKey::generate().unwrap();
        assert!(check(signed(&other, &header, &good)).is_err(), "RFC 7515 section 4.1.4: `kid` proves nothing");
        let unknown = Header { kid: Some("../../etc/passwd".into()), ..header.clone() };
        assert!(check(signed(&key, &unknown, &good)).is_err());
        // RFC 8725 section 2.1: the public key must never serve as the secret of an HMAC.
        let hmac = jsonwebtoken::encode(
            &Header { kid: header.kid.clone(), ..Header::new(Algorithm::HS256) },
            &good,
            &EncodingKey::from_secret(key.public()),
        );
        assert!(check(Proof::Assertion(hmac.unwrap())).is_err());
        let none = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(good.to_string()));
        assert!(check(Proof::Assertion(none)).is_err());
    }
}
