//! What the tests of the rules share.

use jiff::Timestamp;
use schema::queries::oauth::Client;

/// A public client with these addresses.
pub(crate) fn client(redirect_uris: &[&str]) -> Client {
    Client {
        id: "c".into(),
        origin: "registered".into(),
        name: "Client".into(),
        redirect_uris: redirect_uris.iter().map(ToString::to_string).collect(),
        post_logout_redirect_uris: Vec::new(),
        grant_types: vec!["authorization_code".into(), "refresh_token".into()],
        auth_method: "none".into(),
        secret_digest: None,
        jwks: None,
        application_type: "native".into(),
        client_uri: None,
        scopes: None,
        account: None,
        may_exchange: false,
        may_introspect: false,
        created_at: Timestamp::UNIX_EPOCH,
        created_by: String::new(),
        last_used_at: None,
        stale_at: None,
        disabled_at: None,
    }
}
