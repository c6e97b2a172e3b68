//! What clients read first (RFC 8414 and OpenID Connect Discovery; one document for both), and the paths of everything.

use serde_json::{Value, json};

use super::{register, scope, token};

/// The authorization endpoint.
pub const AUTHORIZE: &str = "/oauth/authorize";
/// Where the page of consent sends its answer.
pub const CONSENT: &str = "/oauth/consent";
/// The token endpoint.
pub const TOKEN: &str = "/oauth/token";
/// RFC 7591.
pub const REGISTER: &str = "/oauth/register";
/// RFC 7009.
pub const REVOKE: &str = "/oauth/revoke";
/// RFC 7662.
pub const INTROSPECT: &str = "/oauth/introspect";
/// OpenID Connect Core section 5.3.
pub const USERINFO: &str = "/oauth/userinfo";
/// OpenID Connect RP-Initiated Logout.
pub const LOGOUT: &str = "/oauth/logout";
/// RFC 8628 section 3.1.
pub const DEVICE_AUTHORIZATION: &str = "/oauth/device_authorization";
/// Where people type the code of a device.
pub const DEVICE: &str = "/device";

/// The document. `roles` are the scopes that roles stand for.
pub fn document<'a>(issuer: &str, roles: impl Iterator<Item = &'a String>) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    let mut scopes: Vec<&str> = scope::OF_OPENID.to_vec();
    scopes.extend(roles.map(String::as_str));
    scopes.sort_unstable();
    scopes.dedup();
    let secret_or_key = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
    let any = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];
    let grants: Vec<&str> = register::GRANTS.iter().copied().chain(["client_credentials", token::EXCHANGE]).collect();
    let signed = ["ES256", "EdDSA", "RS256"];
    json!({
        "issuer": issuer,
        "authorization_endpoint": at(AUTHORIZE),
        "token_endpoint": at(TOKEN),
        "registration_endpoint": at(REGISTER),
        "revocation_endpoint": at(REVOKE),
        "introspection_endpoint": at(INTROSPECT),
        "userinfo_endpoint": at(USERINFO),
        "end_session_endpoint": at(LOGOUT),
        "device_authorization_endpoint": at(DEVICE_AUTHORIZATION),
        "jwks_uri": at("/.well-known/jwks.json"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": grants,
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": any,
        "token_endpoint_auth_signing_alg_values_supported": signed,
        "revocation_endpoint_auth_methods_supported": any,
        "revocation_endpoint_auth_signing_alg_values_supported": signed,
        "introspection_endpoint_auth_methods_supported": secret_or_key,
        "introspection_endpoint_auth_signing_alg_values_supported": signed,
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "sid", "name", "preferred_username", "email"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_below_the_issuer_and_nothing_weak_is_offered() {
        let document = document("https://gate.example", ["tools:call".to_owned()].iter());
        for (name, value) in document.as_object().into_iter().flatten().filter(|(name, _)| name.ends_with("endpoint")) {
            assert!(value.as_str().is_some_and(|url| url.starts_with("https://gate.example/")), "{name}");
        }
        let text = document.to_string();
        for weak in ["plain", "implicit", "password", "\"none\"]", "HS256", "fragment"] {
            assert!(!text.contains(weak), "{weak}");
        }
        assert!(text.contains("tools:call"));
    }
}
