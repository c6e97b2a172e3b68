//! The authorization server: OAuth 2.1 and OpenID Connect, the strict part of both. Rules are pure and stand in modules of
//! their own ([`authorize`], [`token`], [`client_auth`], [`register`], [`redirect`], [`scope`]); what is stored and what is
//! answered stands in the others.
//!
//! INVARIANT: nothing is issued or taken back before that is in the journal, and what was taken back is refused on every shard
//! when the answer is given.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use dataplane::inbox::OwnedNotice;
use wire::decision::{EventKind, Verdict};

use crate::app::App;
use crate::people;

pub mod attempts;
pub mod authorize;
pub mod client_auth;
pub mod clients;
pub mod device;
pub mod document;
#[cfg(fuzzing)]
pub mod fuzzing;
mod grants;
mod http;
pub mod introspect;
mod issue;
pub mod logout;
pub mod metadata;
pub mod params;
pub mod redirect;
pub mod refusal;
pub mod register;
pub mod revoke;
pub mod scope;
pub mod signing;
#[cfg(any(test, fuzzing))]
pub(crate) mod testing;
pub mod token;
pub mod userinfo;

pub use refusal::Error;

/// What the authorization server keeps in memory.
pub struct Oauth {
    /// Signs tokens.
    pub ring: signing::Ring,
    documents: document::Fetcher,
}

impl Oauth {
    /// Of a node.
    ///
    /// # Errors
    /// Its keys cannot be used.
    pub fn new(keys: &crate::keys::Keys) -> Result<Oauth, Error> {
        Ok(Oauth { ring: signing::Ring::new(keys.node, &keys.secret)?, documents: document::Fetcher::default() })
    }
}

/// Its endpoints.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        // RFC 8414 section 3, OpenID Connect Discovery section 4; the places where clients look for the issuer of a resource.
        .route("/.well-known/oauth-authorization-server", get(http::metadata))
        .route("/.well-known/oauth-authorization-server/{*path}", get(http::metadata))
        .route("/.well-known/openid-configuration", get(http::metadata))
        .route("/.well-known/openid-configuration/{*path}", get(http::metadata))
        .route("/api/v1/mcp/{server}/mcp/.well-known/openid-configuration", get(http::metadata))
        .route(metadata::AUTHORIZE, get(http::authorize).post(http::authorize_form))
        .route(metadata::CONSENT, post(http::consent))
        .route(metadata::TOKEN, post(grants::endpoint))
        .route(metadata::REGISTER, post(clients::endpoint))
        .route(metadata::REVOKE, post(revoke::endpoint))
        .route(metadata::INTROSPECT, post(introspect::endpoint))
        .route(metadata::USERINFO, get(userinfo::endpoint).post(userinfo::endpoint))
        .route(metadata::LOGOUT, get(logout::endpoint).post(logout::endpoint_form))
        .route(metadata::DEVICE_AUTHORIZATION, post(device::begin))
        .route(metadata::DEVICE, get(device::page).post(device::answer))
        .layer(DefaultBodyLimit::max(params::BYTES_MAX))
}

/// Whether this is something that the gateway protects: itself, or one of its servers.
pub(crate) fn is_resource(app: &App, resource: &str) -> bool {
    let base = app.settings.public_url.as_str();
    if resource == base {
        return true;
    }
    app.servers().iter().any(|(name, _)| resource.strip_prefix(base) == Some(crate::token::server_path(name).as_str()))
}

/// The scopes that these roles stand for, in the policy in force.
pub(crate) async fn scopes_of_roles(app: &App, roles: &[String]) -> BTreeSet<String> {
    let publisher = app.publishing.publisher().await;
    let known = publisher.snapshot().map(|snapshot| &snapshot.roles);
    roles.iter().filter_map(|role| known?.get(role)).flatten().cloned().collect()
}

/// Something for the audit trail.
#[derive(Debug, Default)]
pub(crate) struct Event<'a> {
    /// Whose.
    pub(crate) user: &'a str,
    /// Their tenant.
    pub(crate) tenant: &'a str,
    /// A tier's code.
    pub(crate) tier: u8,
    /// The client it happened with.
    pub(crate) client: &'a str,
    /// More.
    pub(crate) detail: serde_json::Value,
}

/// Records what is about to happen, or what was refused.
pub(crate) async fn record(
    app: &App,
    kind: EventKind,
    action: &str,
    was_done: bool,
    event: Event<'_>,
) -> Result<(), people::Error> {
    let notice = OwnedNotice {
        kind: Some(kind),
        at_us: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64),
        trace: *uuid::Uuid::now_v7().as_bytes(),
        user: event.user.to_owned(),
        tenant: event.tenant.to_owned(),
        tier: event.tier,
        verdict: Some(if was_done { Verdict::Allow } else { Verdict::Deny }),
        action: action.to_owned(),
        subject: event.client.to_owned(),
        detail: if event.detail.is_null() { String::new() } else { event.detail.to_string() },
        ..OwnedNotice::default()
    };
    app.plane.append(notice).await.map(drop).map_err(people::Error::Record)
}
