//! Registration by clients themselves: what is taken of the metadata, and what is refused. Pure.
//!
//! Source: RFC 7591; OpenID Connect Dynamic Client Registration 1.0 (`application_type`).

use serde::Deserialize;
use serde_json::Value;

use super::refusal::{Code, Refusal};
use super::{client_auth, redirect, scope};

/// LIMIT: bytes of a registration, and of a metadata document.
pub const BYTES_MAX: usize = 16 << 10;

/// LIMIT: addresses of one client.
const REDIRECT_URIS_MAX: usize = 16;

/// LIMIT: characters of a name that people see.
const NAME_CHARS_MAX: usize = 80;

/// Grants that a client may register for by itself. What acts without a person is for operators to give.
pub const GRANTS: &[&str] = &["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"];

/// Client metadata as it is sent (RFC 7591 section 2). What is not known is ignored, as it must be.
#[derive(Debug, Default, Deserialize)]
pub struct Metadata {
    /// Only in a document: its own address.
    #[serde(default)]
    pub client_id: Option<String>,
    #[serde(default)]
    redirect_uris: Option<Vec<String>>,
    #[serde(default)]
    post_logout_redirect_uris: Option<Vec<String>>,
    #[serde(default)]
    token_endpoint_auth_method: Option<String>,
    #[serde(default)]
    grant_types: Option<Vec<String>>,
    #[serde(default)]
    response_types: Option<Vec<String>>,
    #[serde(default)]
    client_name: Option<String>,
    #[serde(default)]
    client_uri: Option<String>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    jwks: Option<Value>,
    #[serde(default)]
    jwks_uri: Option<String>,
    #[serde(default)]
    application_type: Option<String>,
}

/// What a client is registered as.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// What people see.
    pub name: String,
    /// Where it is answered.
    pub redirect_uris: Vec<String>,
    /// Where browsers may go after logging out.
    pub post_logout_redirect_uris: Vec<String>,
    /// What it may do.
    pub grant_types: Vec<String>,
    /// How it proves who it is.
    pub auth_method: String,
    /// The keys of its assertions.
    pub jwks: Option<Value>,
    /// `native` or `web`.
    pub application_type: String,
    /// Its page.
    pub client_uri: Option<String>,
    /// What it says it wants. It bounds nothing: whoever registers could have said more.
    pub scope: Option<String>,
}

fn refuse(why: &'static str) -> Refusal {
    Refusal::new(Code::InvalidClientMetadata, why)
}

/// Reads a registration.
///
/// # Errors
/// `invalid_redirect_uri` or `invalid_client_metadata`.
pub fn read(body: &[u8]) -> Result<Registration, Refusal> {
    let metadata: Metadata = parse(body)?;
    accept(metadata, "client_secret_basic")
}

/// Reads a document that describes the client whose id is its address (client ID metadata documents, section 4).
///
/// # Errors
/// `invalid_client_metadata`: above all when it is about another client, or wants a secret.
pub fn read_document(address: &str, body: &[u8]) -> Result<Registration, Refusal> {
    let metadata: Metadata = parse(body)?;
    if metadata.client_id.as_deref() != Some(address) {
        return Err(refuse("the document's `client_id` is not its own address"));
    }
    let registration = accept(metadata, "none")?;
    if registration.auth_method.starts_with("client_secret") {
        return Err(refuse("a client that is described by a document can have no secret"));
    }
    Ok(registration)
}

fn parse(body: &[u8]) -> Result<Metadata, Refusal> {
    if body.len() > BYTES_MAX {
        return Err(refuse("the metadata is too long"));
    }
    serde_json::from_slice(body).map_err(|_| refuse("the metadata is not a JSON object with members of the right kinds"))
}

fn accept(metadata: Metadata, usual_method: &str) -> Result<Registration, Refusal> {
    let grant_types = grants(metadata.grant_types)?;
    let uses_codes = grant_types.iter().any(|grant| grant == "authorization_code");
    if metadata.response_types.is_some_and(|types| types.iter().any(|one| one != "code")) {
        return Err(refuse("only `response_types: [\"code\"]` is supported"));
    }
    let redirect_uris = addresses(metadata.redirect_uris.unwrap_or_default())?;
    if uses_codes && redirect_uris.is_empty() {
        return Err(Refusal::new(Code::InvalidRedirectUri, "`redirect_uris` is missing"));
    }
    let post_logout_redirect_uris = addresses(metadata.post_logout_redirect_uris.unwrap_or_default())?;
    let auth_method = metadata.token_endpoint_auth_method.unwrap_or_else(|| usual_method.to_owned());
    let jwks = match auth_method.as_str() {
        "none" | "client_secret_basic" | "client_secret_post" => None,
        "private_key_jwt" => Some(keys(metadata.jwks, metadata.jwks_uri.is_some())?),
        _ => return Err(refuse("this `token_endpoint_auth_method` is not supported")),
    };
    let application_type = match metadata.application_type.as_deref() {
        None => {
            if redirect::are_local(&redirect_uris) {
                "native"
            } else {
                "web"
            }
        }
        Some(kind @ ("native" | "web")) => kind,
        Some(_) => return Err(refuse("`application_type` is `native` or `web`")),
    };
    scope::parse(metadata.scope.as_deref()).map_err(|refusal| Refusal { code: Code::InvalidClientMetadata, ..refusal })?;
    Ok(Registration {
        name: shown(metadata.client_name.as_deref().unwrap_or_default()),
        redirect_uris,
        post_logout_redirect_uris,
        grant_types,
        auth_method,
        jwks,
        application_type: application_type.to_owned(),
        client_uri: metadata.client_uri.filter(|uri| uri.starts_with("https://") && redirect::check(uri).is_ok()),
        scope: metadata.scope,
    })
}

/// Those that are known. One that is not known is left out, as section 2 allows; one that clients may not give themselves
/// is refused.
fn grants(asked: Option<Vec<String>>) -> Result<Vec<String>, Refusal> {
    let Some(asked) = asked else { return Ok(vec!["authorization_code".to_owned()]) };
    let of_operators = ["client_credentials", super::token::EXCHANGE];
    if asked.iter().any(|grant| of_operators.contains(&grant.as_str())) {
        return Err(refuse("clients that act without a person are made by operators: `sp admin clients create`"));
    }
    let known: Vec<String> =
        GRANTS.iter().filter(|known| asked.iter().any(|grant| grant == *known)).map(ToString::to_string).collect();
    if known.is_empty() { Err(refuse("none of these `grant_types` is supported")) } else { Ok(known) }
}

fn addresses(uris: Vec<String>) -> Result<Vec<String>, Refusal> {
    if uris.len() > REDIRECT_URIS_MAX {
        return Err(Refusal::new(Code::InvalidRedirectUri, "too many redirect URIs"));
    }
    for uri in &uris {
        redirect::check(uri).map_err(|why| Refusal::new(Code::InvalidRedirectUri, why))?;
    }
    Ok(uris)
}

fn keys(jwks: Option<Value>, by_reference: bool) -> Result<Value, Refusal> {
    if by_reference {
        return Err(refuse("`jwks_uri` is not supported; send the keys themselves as `jwks`"));
    }
    let jwks = jwks.ok_or_else(|| refuse("`private_key_jwt` needs `jwks`"))?;
    // RFC 7517 section 5: private and symmetric keys have no place here.
    let is_private = |key: &Value| ["d", "p", "q", "dp", "dq", "qi", "k"].iter().any(|member| key.get(member).is_some());
    let list =
        jwks["keys"].as_array().filter(|keys| !keys.is_empty() && keys.len() <= 8).ok_or_else(|| refuse("`jwks` has no keys"))?;
    if list.iter().any(is_private) {
        return Err(refuse("`jwks` holds a private key; send the public half"));
    }
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks.clone()).map_err(|_| refuse("`jwks` cannot be read"))?;
    if set.keys.iter().all(|key| client_auth::algorithm(key).is_none()) {
        return Err(refuse("`jwks` has no key for ES256, EdDSA or RS256"));
    }
    Ok(jwks)
}

/// A name as people may see it: one line, no control characters, nothing that turns the direction of text around.
fn shown(name: &str) -> String {
    let plain = |c: &char| {
        !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    name.chars().filter(plain).take(NAME_CHARS_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    fn code(metadata: &Value) -> Code {
        read(metadata.to_string().as_bytes()).unwrap_err().code
    }

    #[test]
    fn what_clients_send_today() {
        let sent = json!({
            "client_name": "Claude\u{202e} Code", "redirect_uris": ["http://localhost:54212/callback"], "scope": "openid tools:call",
            "grant_types": ["authorization_code", "refresh_token", "implicit"], "response_types": ["code"],
            "token_endpoint_auth_method": "none", "something_new": { "a": 1 },
        });
        let registration = read(sent.to_string().as_bytes()).unwrap();
        assert_eq!(registration.name, "Claude Code");
        assert_eq!(registration.grant_types, ["authorization_code", "refresh_token"]);
        assert_eq!((registration.auth_method.as_str(), registration.application_type.as_str()), ("none", "native"));
        let least = read(br#"{"redirect_uris":["https://a.example/cb"]}"#).unwrap();
        assert_eq!((least.auth_method.as_str(), least.application_type.as_str()), ("client_secret_basic", "web"));
        assert_eq!(least.grant_types, ["authorization_code"]);
    }

    #[test]
    fn what_is_refused() {
        let uri = "https://a.example/cb";
        assert_eq!(code(&json!({})), Code::InvalidRedirectUri);
        assert_eq!(code(&json!({ "redirect_uris": ["http://a.example/cb"] })), Code::InvalidRedirectUri);
        assert_eq!(code(&json!({ "redirect_uris": ["javascript:alert(1)"] })), Code::InvalidRedirectUri);
        assert_eq!(code(&json!({ "redirect_uris": "x" })), Code::InvalidClientMetadata);
        for (name, value) in [
            ("response_types", json!(["token"])),
            ("grant_types", json!(["client_credentials"])),
            ("grant_types", json!(["password"])),
            ("token_endpoint_auth_method", json!("client_secret_jwt")),
            ("token_endpoint_auth_method", json!("private_key_jwt")),
            ("application_type", json!("other")),
            ("scope", json!("a\"b")),
        ] {
            let mut sent = json!({ "redirect_uris": [uri] });
            sent[name] = value;
            assert_eq!(code(&sent), Code::InvalidClientMetadata, "{name}");
        }
        let key = crate::keys::SigningKey::generate().unwrap();
        let mut sent = json!({ "redirect_uris": [uri], "token_endpoint_auth_method": "private_key_jwt", "jwks": crate::keys::jwks(&[key.verify_key()]) });
        assert!(read(sent.to_string().as_bytes()).is_ok());
        sent["jwks"]["keys"][0]["d"] = json!("secret");
        assert_eq!(code(&sent), Code::InvalidClientMetadata);
        sent["jwks"] = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] });
        assert_eq!(code(&sent), Code::InvalidClientMetadata);
        sent["jwks_uri"] = json!("http://169.254.169.254/");
        assert_eq!(code(&sent), Code::InvalidClientMetadata);
    }

    #[test]
    fn a_document_speaks_for_its_own_address() {
        let document = json!({ "client_id": "https://app.example/client.json", "redirect_uris": ["http://127.0.0.1/cb"] });
        let read = |document: &Value| read_document("https://app.example/client.json", document.to_string().as_bytes());
        assert_eq!(read(&document).unwrap().auth_method, "none");
        for (name, value) in [
            ("client_id", json!("https://other.example/")),
            ("client_id", Value::Null),
            ("token_endpoint_auth_method", json!("client_secret_basic")),
        ] {
            let mut other = document.clone();
            other[name] = value;
            assert!(read(&other).is_err(), "{name}");
        }
    }
}
