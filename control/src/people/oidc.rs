//! OpenID Connect Core 1.0, the relying party's side: authorization code with PKCE, state and nonce. What an identity
//! provider says is believed when it is signed with a key that the provider publishes, for us, now, and for this browser.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

/// LIMIT: how long one request to a provider may take; a person waits.
const TIMEOUT: Duration = Duration::from_secs(10);

/// LIMIT: bytes of an answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// LIMIT: how far clocks may be apart.
const LEEWAY_S: u64 = 60;

/// Signatures that count. No `none`, and nothing that a shared secret signs.
const ALGORITHMS: [Algorithm; 5] = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The provider does not answer, or not as it should.
    #[error("`{0}`: {1}")]
    Unreachable(String, String),
    /// What it says of itself is not about it.
    #[error("the provider calls itself `{0}`")]
    Issuer(String),
    /// What it says of the person counts for nothing.
    #[error("the ID token is refused: {0}")]
    Token(String),
}

/// How we are known to a provider.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Its issuer.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// What proves that it is us.
    pub client_secret: Option<String>,
    /// The certificates to trust instead of the system's.
    pub ca: Option<String>,
    /// Where browsers come back to.
    pub redirect_uri: String,
}

/// What a provider says of itself (OpenID Connect Discovery 1.0).
#[derive(Debug, Clone, Deserialize)]
pub struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Where a browser is sent.
    ///
    /// # Errors
    /// The provider's endpoint is no URL.
    pub fn authorize(&self, of: &Registration, scope: &str, state: &str, nonce: &str, verifier: &str) -> Result<Url, OidcError> {
        let wrong = |error: url::ParseError| OidcError::Unreachable(self.authorization_endpoint.clone(), error.to_string());
        let mut url = Url::parse(&self.authorization_endpoint).map_err(wrong)?;
        let challenge = URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes()));
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &of.client_id),
            ("redirect_uri", &of.redirect_uri),
            ("scope", scope),
            ("state", state),
            ("nonce", nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        Ok(url)
    }

    /// RFC 9207: whether the answer comes from this provider, as far as it says.
    pub fn is_from(&self, iss: Option<&str>) -> bool {
        iss.map_or(!self.authorization_response_iss_parameter_supported, |iss| iss == self.issuer)
    }
}

/// Reads what a provider says of itself.
///
/// # Errors
/// It does not answer, or speaks of another.
pub async fn discover(of: &Registration) -> Result<Metadata, OidcError> {
    let address = format!("{}/.well-known/openid-configuration", of.issuer.trim_end_matches('/'));
    let metadata: Metadata = get(of, &address, None).await?;
    if metadata.issuer == of.issuer { Ok(metadata) } else { Err(OidcError::Issuer(metadata.issuer)) }
}

/// Redeems a code: what the provider says about the person, its signature and addressee checked.
///
/// # Errors
/// Nobody is logged in.
pub async fn redeem(
    of: &Registration,
    metadata: &Metadata,
    code: &str,
    verifier: &str,
    nonce: &str,
) -> Result<Map<String, Value>, OidcError> {
    #[derive(Deserialize)]
    struct Tokens {
        id_token: String,
        #[serde(default)]
        access_token: Option<String>,
    }
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &of.redirect_uri),
            ("client_id", &of.client_id),
            ("code_verifier", verifier),
        ])
        .finish();
    let mut request = Request::post(&metadata.token_endpoint)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json");
    if let Some(secret) = &of.client_secret {
        // RFC 6749, 2.3.1: both are form-encoded first.
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = STANDARD.encode(format!("{}:{}", encoded(&of.client_id), encoded(secret)));
        request = request.header(header::AUTHORIZATION, format!("Basic {pair}"));
    }
    let tokens: Tokens = fetch(of, &metadata.token_endpoint, request.body(Full::from(form))).await?;
    let keys: JwkSet = get(of, &metadata.jwks_uri, None).await?;
    let mut claims = verify(&tokens.id_token, &keys, &of.issuer, &of.client_id, nonce)?;
    if let (Some(endpoint), Some(token)) = (&metadata.userinfo_endpoint, &tokens.access_token) {
        match get::<Map<String, Value>>(of, endpoint, Some(token)).await {
            // Who it is the ID token has said; what else there is to know is missing.
            Err(error) => tracing::warn!(%error, "an identity provider says no more about a person"),
            // OpenID Connect Core, 5.3.2: about somebody else it counts for nothing.
            Ok(more) if more.get("sub") != claims.get("sub") => {
                return Err(OidcError::Token("userinfo speaks of somebody else".to_owned()));
            }
            Ok(more) => more.into_iter().for_each(|(name, value)| {
                claims.entry(name).or_insert(value);
            }),
        }
    }
    Ok(claims)
}

/// OpenID Connect Core, 3.1.3.7.
fn verify(token: &str, keys: &JwkSet, issuer: &str, client_id: &str, nonce: &str) -> Result<Map<String, Value>, OidcError> {
    let refused = |why: String| OidcError::Token(why);
    let head = decode_header(token).map_err(|error| refused(error.to_string()))?;
    if !ALGORITHMS.contains(&head.alg) {
        return Err(refused(format!("it is signed with {:?}", head.alg)));
    }
    let key =
        pick(keys, head.kid.as_deref()).ok_or_else(|| refused("it is signed with a key that is not published".to_owned()))?;
    let key = DecodingKey::from_jwk(key).map_err(|error| refused(error.to_string()))?;
    let mut validation = Validation::new(head.alg);
    validation.leeway = LEEWAY_S;
    validation.set_audience(&[client_id]);
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let claims = decode::<Map<String, Value>>(token, &key, &validation).map_err(|error| refused(error.to_string()))?.claims;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("nonce") != Some(nonce) {
        return Err(refused("it is for another log-in".to_owned()));
    }
    let has_many = claims.get("aud").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
    let party = text("azp");
    if party.is_some_and(|party| party != client_id) || (has_many && party.is_none()) {
        return Err(refused("it was issued to another client".to_owned()));
    }
    if text("sub").is_none_or(str::is_empty) {
        return Err(refused("it says nothing about who".to_owned()));
    }
    Ok(claims)
}

/// The key that is named, or the only one.
fn pick<'a>(keys: &'a JwkSet, kid: Option<&str>) -> Option<&'a Jwk> {
    match (kid, keys.keys.as_slice()) {
        (Some(kid), all) => all.iter().find(|key| key.common.key_id.as_deref() == Some(kid)),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

async fn get<T: serde::de::DeserializeOwned>(of: &Registration, address: &str, token: Option<&str>) -> Result<T, OidcError> {
    let mut request = Request::get(address).header(header::ACCEPT, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    fetch(of, address, request.body(Full::default())).await
}

async fn fetch<T: serde::de::DeserializeOwned>(
    of: &Registration,
    address: &str,
    request: Result<Request<Full<Bytes>>, http::Error>,
) -> Result<T, OidcError> {
    let failed = |why: String| OidcError::Unreachable(address.to_owned(), why);
    let request = request.map_err(|error| failed(error.to_string()))?;
    // What may be read by whoever listens proves nothing.
    let is_local = request.uri().host().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
    if request.uri().scheme_str() != Some("https") && !is_local {
        return Err(failed("only HTTPS counts".to_owned()));
    }
    let tls = crate::sinks::tls(of.ca.as_deref().map(Path::new)).map_err(|error| failed(error.to_string()))?;
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(https);
    let exchange = async {
        let response = client.request(request).await.map_err(|error| failed(crate::postgres::error_chain(&error)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| failed(format!("the answer broke off: {error}")))?.to_bytes();
        if !status.is_success() {
            return Err(failed(format!("it answered {status}")));
        }
        serde_json::from_slice(&body).map_err(|error| failed(format!("the answer cannot be read: {error}")))
    };
    tokio::time::timeout(TIMEOUT, exchange).await.map_err(|_| failed("no answer in time".to_owned()))?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;
    use crate::keys::SigningKey;

    fn key_set(key: &SigningKey) -> JwkSet {
        let x = URL_SAFE_NO_PAD.encode(key.public());
        serde_json::from_value(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "k", "alg": "EdDSA", "x": x }] }))
            .unwrap()
    }

    fn sign(key: &SigningKey, kid: &str, claims: &Value) -> String {
        let head = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) };
        encode(&head, claims, &EncodingKey::from_ed_der(key.pkcs8())).unwrap()
    }

    #[test]
    fn only_what_is_for_us_now_and_for_this_browser_counts() {
        let key = SigningKey::generate().unwrap();
        let keys = key_set(&key);
        let now = jiff::Timestamp::now().as_second();
        let good = json!({ "iss": "https://i", "aud": "us", "sub": "s", "exp": now + 300, "iat": now, "nonce": "n" });
        let check = |token: &str| verify(token, &keys, "https://i", "us", "n");
        assert_eq!(check(&sign(&key, "k", &good)).unwrap()["sub"], "s");
        for (name, value) in [
            ("iss", json!("https://other")),
            ("aud", json!("them")),
            ("aud", json!(["us", "them"])),
            ("azp", json!("them")),
            ("sub", json!("")),
            ("exp", json!(now - 3600)),
            ("nonce", json!("other")),
            ("nonce", Value::Null),
        ] {
            let mut claims = good.clone();
            claims[name] = value.clone();
            assert!(check(&sign(&key, "k", &claims)).is_err(), "{name}: {value}");
        }
        let other = SigningKey::generate().unwrap();
        assert!(check(&sign(&other, "k", &good)).is_err());
        assert!(check(&sign(&key, "other", &good)).is_err());
        let shared = encode(&Header::new(Algorithm::HS256), &good, &EncodingKey::from_secret(key.public())).unwrap();
        assert!(check(&shared).is_err());
        let none = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(good.to_string()));
        assert!(check(&none).is_err());
    }
}
