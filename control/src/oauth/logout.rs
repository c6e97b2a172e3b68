//! A client logs its person out here too (OpenID Connect RP-Initiated Logout 1.0). Nobody is logged out by a link alone: the
//! client shows an ID token of this very log-in, or the person is asked.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use schema::queries::oauth as sql;
use serde::Deserialize;
use serde_json::json;
use wire::decision::EventKind;
use wire::snapshot::{KeyAlgorithm, VerifyKey};

use super::params::Params;
use super::refusal::{Code, Error, Refusal};
use super::{Event, grants, metadata, record, redirect};
use crate::app::App;
use crate::people::{self, Visitor, cookie, session};

/// What an ID token of ours says, however old it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Hint {
    iss: String,
    aud: String,
    sub: String,
    #[serde(default)]
    sid: String,
}

/// Reads a hint that we signed. Expired ones are taken: a client only keeps the one it got (section 4).
fn hint(token: &str, keys: &[VerifyKey], issuer: &str) -> Option<Hint> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, payload) = signed.split_once('.')?;
    let head: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
    // ID tokens are signed by the keys of the ring alone, and access tokens are none.
    let key = keys.iter().find(|key| head["kid"] == key.kid.as_str() && key.algorithm == KeyAlgorithm::Es256)?;
    if head["alg"] != "ES256" || head["typ"] != "JWT" {
        return None;
    }
    let key = DecodingKey::from_ec_der(&key.public);
    jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key, Algorithm::ES256).ok().filter(|holds| *holds)?;
    let hint: Hint = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    (hint.iss == issuer).then_some(hint)
}

/// `GET /oauth/logout`.
pub async fn endpoint(State(app): State<Arc<App>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let params = Params::parse(&query.unwrap_or_default());
    answered(&app, &headers, params).await
}

/// `POST /oauth/logout`: the same.
pub async fn endpoint_form(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let params = grants::form(&headers, &body);
    answered(&app, &headers, params).await
}

async fn answered(app: &App, headers: &HeaderMap, params: Result<Params, Refusal>) -> Response {
    let done = match params {
        Ok(params) => log_out(app, headers, &params).await,
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(response) => response,
        Err(Error::Broken(error)) => error.into_response(),
        Err(error) => super::http::said(&error.refusal()),
    }
}

async fn log_out(app: &App, headers: &HeaderMap, params: &Params) -> Result<Response, Error> {
    let hint = match params.get("id_token_hint") {
        None => None,
        Some(token) => {
            let publisher = app.publishing.publisher().await;
            let keys = publisher.snapshot().map(|snapshot| snapshot.keys.clone()).unwrap_or_default();
            let wrong = || Refusal::new(Code::InvalidRequest, "`id_token_hint` is no ID token of this gateway");
            Some(hint(token, &keys, &app.settings.public_url).ok_or_else(wrong)?)
        }
    };
    if let (Some(hint), Some(id)) = (&hint, params.get("client_id"))
        && hint.aud != id
    {
        return Err(Refusal::new(Code::InvalidRequest, "`client_id` is not the client of the ID token").into());
    }
    let target = target(app, hint.as_ref(), params).await?;
    let Some(visitor) = people::visitor(app, headers).await? else { return Ok(leave(target, None)) };
    let is_of_this_login = hint.as_ref().is_some_and(|hint| hint.sid == visitor.session && hint.sub == visitor.account.id);
    let has_agreed = params.get("csrf").is_some_and(|value| people::csrf_ok(&visitor, value));
    if !is_of_this_login && !has_agreed {
        let fields = params.without(&["csrf"]);
        return Ok(people::page::log_out(&visitor, fields.pairs(), target.as_deref(), metadata::LOGOUT));
    }
    end(app, &visitor).await?;
    Ok(leave(target, cookie::drop_session(app)))
}

/// Where the browser goes: only where the client has registered (section 3).
async fn target(app: &App, hint: Option<&Hint>, params: &Params) -> Result<Option<String>, Error> {
    let Some(uri) = params.get("post_logout_redirect_uri") else { return Ok(None) };
    let refuse = || Refusal::new(Code::InvalidRequest, "`post_logout_redirect_uri` is not registered for the client");
    let id = hint.map(|hint| hint.aud.as_str()).or_else(|| params.get("client_id")).ok_or_else(refuse)?;
    let database = people::connect(app).await?;
    let client = sql::client().bind(&**database, &id).opt().await?.ok_or_else(refuse)?;
    if !redirect::is_registered(&client.post_logout_redirect_uris, uri) {
        return Err(refuse().into());
    }
    let state: Vec<(&str, &str)> = params.get("state").map(|state| ("state", state)).into_iter().collect();
    Ok(Some(if state.is_empty() { uri.to_owned() } else { redirect::with_params(uri, &state) }))
}

async fn end(app: &App, visitor: &Visitor) -> Result<(), Error> {
    let event = Event {
        user: &visitor.account.id,
        tenant: visitor.account.tenant.as_deref().unwrap_or_default(),
        tier: visitor.account.tier.code(),
        detail: json!({ "session": visitor.session }),
        ..Event::default()
    };
    record(app, EventKind::Login, "logout", true, event).await?;
    Ok(session::end(app, &visitor.session, &visitor.account.id, "logged out by a client").await?)
}

fn leave(target: Option<String>, cookie: Option<axum::http::HeaderValue>) -> Response {
    let mut response = match target {
        Some(uri) => Redirect::to(&uri).into_response(),
        None => people::page::logged_out(),
    };
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
