//! Clients: found, described by their documents, registered, and proved to be who they say.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use schema::queries::oauth::{self as sql, Client};
use serde_json::json;
use wire::decision::EventKind;

use super::params::Params;
use super::refusal::{Code, Error, Refusal, no_store};
use super::register::{self, Registration};
use super::{Event, attempts, client_auth, document, metadata, record};
use crate::app::App;
use crate::people::{self, secret};

/// LIMIT: clients that register themselves in a day, everywhere together.
const REGISTERED_A_DAY_MAX: i64 = 10_000;

/// Whoever this id names, fetched again where a document has become stale. Nobody where there is none.
///
/// # Errors
/// The document cannot be used, or the database is away.
pub async fn find(app: &App, id: &str, peer: &str) -> Result<Option<Client>, Error> {
    if id.len() > 256 {
        return Ok(None);
    }
    let database = people::connect(app).await?;
    let found = sql::client().bind(&**database, &id).opt().await?;
    let now = Timestamp::now();
    let is_stale = |client: &Client| client.stale_at.is_some_and(|at| at <= now);
    match found {
        Some(client) if client.origin != "document" || !is_stale(&client) => return Ok(Some(client)),
        None if !document::is_address(id) => return Ok(None),
        _ => {}
    }
    attempts::check(&database, attempts::DOCUMENT, peer).await?;
    attempts::count(&database, attempts::DOCUMENT, peer).await?;
    let read = app.oauth.documents.fetch(id).await?;
    let stale_at = now.checked_add(read.age).ok();
    store(&database, id, "document", &read.registration, None, stale_at).await?;
    Ok(sql::client().bind(&**database, &id).opt().await?)
}

async fn store(
    database: &tokio_postgres::Client,
    id: &str,
    origin: &str,
    client: &Registration,
    secret: Option<&[u8]>,
    stale_at: Option<Timestamp>,
) -> Result<(), Error> {
    let (no_scopes, no_account) = (None::<Vec<String>>, None::<String>);
    sql::put_client()
        .bind(
            database,
            &id,
            &origin,
            &client.name,
            &client.redirect_uris,
            &client.post_logout_redirect_uris,
            &client.grant_types,
            &client.auth_method,
            &secret,
            &client.jwks,
            &client.application_type,
            &client.client_uri,
            &no_scopes,
            &no_account,
            &false,
            &false,
            &origin,
            &stale_at,
        )
        .await?;
    Ok(())
}

/// The client that a request comes from, proved as it was registered.
///
/// # Errors
/// `invalid_client`, `invalid_request`, or too many attempts.
pub async fn authenticate(app: &App, headers: &HeaderMap, params: &Params) -> Result<Client, Error> {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let shown = client_auth::read(authorization, params)?;
    let peer = people::peer(headers);
    let database = people::connect(app).await?;
    let at = format!("{}@{peer}", shown.client_id.chars().take(256).collect::<String>());
    attempts::check(&database, attempts::CLIENT, &at).await?;
    attempts::check(&database, attempts::ADDRESS, &peer).await?;
    let client = find(app, &shown.client_id, &peer).await?;
    let issuer = app.settings.public_url.as_str();
    // OpenID Connect Core section 9 has the endpoint as audience, RFC 7523bis the issuer.
    let endpoint = format!("{issuer}{}", metadata::TOKEN);
    let now = Timestamp::now();
    let outcome = match client_auth::verify(client.as_ref(), &shown, &[issuer, &endpoint], now) {
        Ok(None) => Ok(()),
        Ok(Some(assertion)) => {
            let fresh = sql::put_assertion().bind(&**database, &&assertion.digest[..], &assertion.expires_at).await?;
            if fresh == 1 { Ok(()) } else { Err(Refusal::new(Code::InvalidClient, "the assertion was used before")) }
        }
        Err(refusal) => Err(refusal),
    };
    match (outcome, client) {
        (Ok(()), Some(client)) => {
            let before = now.checked_sub(SignedDuration::from_mins(1)).unwrap_or(now);
            sql::used_client().bind(&**database, &now, &client.id, &before).await?;
            Ok(client)
        }
        (outcome, _) => {
            attempts::count(&database, attempts::CLIENT, &at).await?;
            attempts::count(&database, attempts::ADDRESS, &peer).await?;
            let detail = json!({ "method": shown.proof.method(), "address": peer });
            let client: String = shown.client_id.chars().take(256).collect();
            record(app, EventKind::Login, "client_refused", false, Event { client: &client, detail, ..Event::default() }).await?;
            let refusal = outcome.err().unwrap_or_else(|| Refusal::new(Code::InvalidClient, "the client is not known"));
            Err(refusal.into())
        }
    }
}

/// `POST /oauth/register` (RFC 7591).
pub async fn endpoint(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Result<Response, Error> {
    let registration = register::read(&body)?;
    let peer = people::peer(&headers);
    let database = people::connect(&app).await?;
    attempts::check(&database, attempts::REGISTRATION, &peer).await?;
    attempts::count(&database, attempts::REGISTRATION, &peer).await?;
    let now = Timestamp::now();
    let since = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now);
    if sql::registered_since().bind(&**database, &since).one().await? >= REGISTERED_A_DAY_MAX {
        return Err(Refusal::new(Code::TooManyAttempts, "too many clients were registered today").into());
    }
    let id = uuid::Uuid::now_v7().to_string();
    let secret = if registration.auth_method.starts_with("client_secret") { Some(secret::random()?) } else { None };
    let digest = secret.as_deref().map(secret::digest);
    let detail = json!({ "name": registration.name, "redirect_uris": registration.redirect_uris, "address": peer });
    record(&app, EventKind::Command, "client_registered", true, Event { client: &id, detail, ..Event::default() }).await?;
    store(&database, &id, "registered", &registration, digest.as_ref().map(|digest| &digest[..]), None).await?;
    Ok((StatusCode::CREATED, no_store(), Json(answer(&id, secret.as_deref(), &registration, now))).into_response())
}

/// RFC 7591 section 3.2.1: everything that was registered.
fn answer(id: &str, secret: Option<&str>, client: &Registration, now: Timestamp) -> serde_json::Value {
    let mut answer = json!({
        "client_id": id, "client_id_issued_at": now.as_second(), "client_name": client.name,
        "redirect_uris": client.redirect_uris, "grant_types": client.grant_types, "response_types": ["code"],
        "token_endpoint_auth_method": client.auth_method, "application_type": client.application_type,
    });
    if let Some(secret) = secret {
        answer["client_secret"] = json!(secret);
        answer["client_secret_expires_at"] = json!(0);
    }
    if !client.post_logout_redirect_uris.is_empty() {
        answer["post_logout_redirect_uris"] = json!(client.post_logout_redirect_uris);
    }
    for (name, value) in [("client_uri", &client.client_uri), ("scope", &client.scope)] {
        if let Some(value) = value {
            answer[name] = json!(value);
        }
    }
    if let Some(jwks) = &client.jwks {
        answer["jwks"] = jwks.clone();
    }
    answer
}
