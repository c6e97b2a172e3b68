//! The authorization endpoint in a browser: who is here, what they agreed to, and where they go next.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use schema::queries::oauth::{self as sql, Client};
use serde_json::json;
use wire::decision::EventKind;

use super::authorize::{self, Agreed, Request, Step, Stop};
use super::params::Params;
use super::refusal::{Code, Error, Refusal};
use super::scope::{self, Bounds};
use super::{Event, clients, grants, is_resource, metadata as places, record, redirect, scopes_of_roles, token};
use crate::app::App;
use crate::people::page::Consent;
use crate::people::{self, Visitor, page, secret};

/// RFC 8414 and OpenID Connect Discovery.
pub(super) async fn metadata(State(app): State<Arc<App>>) -> Response {
    let publisher = app.publishing.publisher().await;
    let roles = publisher.snapshot().into_iter().flat_map(|snapshot| snapshot.roles.values().flatten());
    let document = places::document(&app.settings.public_url, roles);
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(document)).into_response()
}

/// A refusal as a page: for people, where no client may be told.
pub(super) fn said(refusal: &Refusal) -> Response {
    let status = match refusal.code {
        Code::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
        Code::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    page::refused(status, &refusal.why, refusal.code.word())
}

/// `GET /oauth/authorize`.
pub(super) async fn authorize(State(app): State<Arc<App>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let params = Params::parse(&query.unwrap_or_default());
    answered(&app, &headers, params, None).await
}

/// `POST /oauth/authorize`: OpenID Connect Core section 3.1.2.1 asks for both.
pub(super) async fn authorize_form(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    answered(&app, &headers, grants::form(&headers, &body), None).await
}

/// `POST /oauth/consent`: what a person says on our page.
pub(super) async fn consent(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let params = match grants::form(&headers, &body) {
        Ok(params) => params,
        Err(refusal) => return said(&refusal),
    };
    let said_what =
        Decision { csrf: params.get("csrf").unwrap_or_default().to_owned(), is_allowed: params.get("decision") == Some("allow") };
    answered(&app, &headers, Ok(params.without(&["csrf", "decision"])), Some(said_what)).await
}

/// What came from the page of consent.
struct Decision {
    csrf: String,
    is_allowed: bool,
}

async fn answered(app: &App, headers: &HeaderMap, params: Result<Params, Refusal>, decision: Option<Decision>) -> Response {
    let outcome = match params {
        Ok(params) => decide(app, headers, &params, decision).await,
        Err(refusal) => Err(refusal.into()),
    };
    match outcome {
        Ok(response) => response,
        Err(Error::Broken(error)) => error.into_response(),
        Err(error) => said(&error.refusal()),
    }
}

async fn decide(app: &App, headers: &HeaderMap, params: &Params, decision: Option<Decision>) -> Result<Response, Error> {
    let issuer = app.settings.public_url.as_str();
    let client = clients::find(app, params.need("client_id")?, &people::peer(headers)).await?;
    let client = client.filter(|client| client.disabled_at.is_none());
    let client = client.ok_or_else(|| Refusal::new(Code::InvalidClient, "the application is not known here"))?;
    let now = Timestamp::now();
    let request = match authorize::read(params, &client, |resource| is_resource(app, resource), now) {
        Ok(request) => request,
        Err(Stop::Page(refusal)) => return Err(refusal.into()),
        Err(Stop::Client { redirect_uri, state, refusal }) => {
            return Ok(refused(&redirect_uri, state.as_deref(), issuer, &refusal));
        }
    };
    let no = |refusal: &Refusal| Ok(refused(&request.redirect_uri, request.state.as_deref(), issuer, refusal));
    let visitor = people::visitor(app, headers).await?;
    let Some(seen) = &visitor else {
        return Ok(match authorize::next(&request, None, None, &[], issuer) {
            Step::Refuse(code) => {
                refused(&request.redirect_uri, request.state.as_deref(), issuer, &Refusal::new(code, "nobody is logged in"))
            }
            _ => log_in(params, &request, false, now),
        });
    };
    let scopes = match granted(app, seen, &client, &request, issuer).await {
        Ok(scopes) => scopes,
        Err(refusal) => return no(&refusal),
    };
    let resources = if request.resources.is_empty() { vec![issuer.to_owned()] } else { request.resources.clone() };
    if let Some(decision) = decision {
        // RFC 9700 section 4.7: nobody agrees by a page of somebody else.
        if !people::csrf_ok(seen, &decision.csrf) {
            return Err(Refusal::new(Code::InvalidRequest, "this form has not come from a page of ours; begin again").into());
        }
        note(app, seen, &client, &scopes, &resources, decision.is_allowed).await?;
        if !decision.is_allowed {
            return no(&Refusal::new(Code::AccessDenied, "the person said no"));
        }
        let database = people::connect(app).await?;
        sql::put_consent().bind(&**database, &seen.account.id, &client.id, &scopes, &resources, &now).await?;
        return code(app, &client, seen, &request, (&scopes, &resources)).await;
    }
    let database = people::connect(app).await?;
    let before = sql::consent().bind(&**database, &seen.account.id, &client.id).opt().await?;
    drop(database);
    let agreed = before.as_ref().map(|before| Agreed { scopes: &before.scopes, resources: &before.resources });
    match authorize::next(&request, Some(seen.authenticated_at), agreed, &scopes, issuer) {
        Step::LogIn { again } => Ok(log_in(params, &request, again, now)),
        Step::Refuse(code) => no(&Refusal::new(code, "the person would have to do something on a page of ours")),
        Step::Ask => Ok(ask(seen, &client, &request, params, (&scopes, &resources))),
        Step::Grant => code(app, &client, seen, &request, (&scopes, &resources)).await,
    }
}

/// What this person would give to this client.
async fn granted(app: &App, visitor: &Visitor, client: &Client, request: &Request, issuer: &str) -> Result<Vec<String>, Refusal> {
    let of_roles = scopes_of_roles(app, &visitor.account.roles).await;
    let bounds = Bounds {
        of_roles: &of_roles,
        of_client: client.scopes.as_deref(),
        is_person: true,
        is_for_gateway: request.resources.iter().any(|resource| grants::is_of_gateway(resource, issuer)),
    };
    scope::grant(request.scopes.as_deref(), &bounds)
}

fn log_in(params: &Params, request: &Request, again: bool, now: Timestamp) -> Response {
    // A log-in that must be new is asked for once: afterwards its time decides.
    let params = match request.since {
        Some(_) => authorize::after_login(params, request.since.unwrap_or(now).min(now)),
        None => params.clone(),
    };
    let path = format!("{}?{}", places::AUTHORIZE, params.to_query());
    let location = if again { people::relogin_location(&path) } else { people::login_location(&path) };
    Redirect::to(&location).into_response()
}

fn ask(
    visitor: &Visitor,
    client: &Client,
    request: &Request,
    params: &Params,
    (scopes, resources): (&[String], &[String]),
) -> Response {
    page::consent(&Consent {
        visitor,
        client_name: &client.name,
        client_id: &client.id,
        redirect_uri: &request.redirect_uri,
        loopback_only: redirect::are_local(&client.redirect_uris),
        scopes,
        resources,
        fields: params.without(&["csrf", "decision"]).pairs(),
        action: places::CONSENT,
    })
}

async fn note(
    app: &App,
    visitor: &Visitor,
    client: &Client,
    scopes: &[String],
    resources: &[String],
    agreed: bool,
) -> Result<(), Error> {
    let event = Event {
        user: &visitor.account.id,
        tenant: visitor.account.tenant.as_deref().unwrap_or_default(),
        tier: visitor.account.tier.code(),
        client: &client.id,
        detail: json!({ "scopes": scopes, "resources": resources, "session": visitor.session }),
    };
    Ok(record(app, EventKind::Login, "consent", agreed, event).await?)
}

async fn code(
    app: &App,
    client: &Client,
    visitor: &Visitor,
    request: &Request,
    given: (&[String], &[String]),
) -> Result<Response, Error> {
    let code = secret::random()?;
    let now = Timestamp::now();
    let expires_at = now.checked_add(token::CODE_LIFE).unwrap_or(now);
    let database = people::connect(app).await?;
    let (scopes, resources) = (given.0.to_vec(), given.1.to_vec());
    sql::put_code()
        .bind(
            &**database,
            &&secret::digest(&code)[..],
            &client.id,
            &visitor.account.id,
            &visitor.session,
            &request.redirect_uri,
            &request.challenge,
            &request.nonce,
            &scopes,
            &resources,
            &visitor.authenticated_at,
            &expires_at,
        )
        .await?;
    let issuer = app.settings.public_url.as_str();
    let mut pairs = vec![("code", code.as_str())];
    pairs.extend(request.state.as_deref().map(|state| ("state", state)));
    pairs.push(("iss", issuer));
    Ok(sent(&redirect::with_params(&request.redirect_uri, &pairs)))
}

/// RFC 9207: errors carry the issuer too.
fn refused(redirect_uri: &str, state: Option<&str>, issuer: &str, refusal: &Refusal) -> Response {
    let mut pairs = vec![("error", refusal.code.word()), ("error_description", &*refusal.why)];
    pairs.extend(state.map(|state| ("state", state)));
    pairs.push(("iss", issuer));
    sent(&redirect::with_params(redirect_uri, &pairs))
}

/// 303: what was posted to us is posted to nobody else (RFC 9700 section 4.12). No reader behind us learns the address.
fn sent(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return said(&Refusal::new(Code::InvalidRequest, "the application's address cannot be sent in a header"));
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}
