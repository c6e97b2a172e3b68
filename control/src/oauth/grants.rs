//! The token endpoint: a code, a refresh token, a client's own name, somebody's token or a device's code in, tokens out.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use jiff::Timestamp;
use schema::queries::oauth::{self as sql, Client};
use serde_json::{Value, json};
use tokio_postgres::Transaction;
use uuid::Uuid;
use wire::token::Claims;

use super::issue::{self, Order, issue};
use super::params::Params;
use super::refusal::{Code, Error, Refusal};
use super::scope::{self, Bounds};
use super::token::{self, LogIn, Poll, Redeem, Spent};
use super::{authorize, clients, introspect, is_resource, revoke, scopes_of_roles};
use crate::app::App;
use crate::people::{self, Account, secret};

/// Reads a form (OAuth 2.1 section 3.2.2).
pub(super) fn form(headers: &HeaderMap, body: &Bytes) -> Result<Params, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Refusal::new(Code::InvalidRequest, "send application/x-www-form-urlencoded"));
    }
    let text = std::str::from_utf8(body).map_err(|_| Refusal::new(Code::InvalidRequest, "the form is not UTF-8"))?;
    Params::parse(text)
}

/// `POST /oauth/token`.
pub(super) async fn endpoint(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Result<Response, Error> {
    let params = form(&headers, &body)?;
    let grant = params.need("grant_type")?;
    let client = clients::authenticate(&app, &headers, &params).await?;
    let known = ["authorization_code", "refresh_token", "client_credentials", token::EXCHANGE, token::DEVICE];
    if !known.contains(&grant) {
        return Err(Refusal::new(Code::UnsupportedGrantType, "this grant type is not supported").into());
    }
    token::may_use(&client, grant)?;
    // The first key is made before a transaction holds a connection that the making needs.
    app.oauth.ring.signer(&app).await?;
    let answer = match grant {
        "authorization_code" => code(&app, &client, &params).await?,
        "refresh_token" => refresh(&app, &client, &params).await?,
        "client_credentials" => own(&app, &client, &params).await?,
        token::EXCHANGE => exchange(&app, &client, &params).await?,
        _ => device(&app, &client, &params).await?,
    };
    Ok(issue::answer(answer))
}

fn gone() -> Refusal {
    Refusal::new(Code::InvalidGrant, "whoever agreed is not here any more")
}

fn unknown(what: &'static str) -> Refusal {
    Refusal::new(Code::InvalidGrant, what)
}

async fn account(database: &tokio_postgres::Client, id: &str) -> Result<Account, Error> {
    Ok(people::account(database, id).await?.ok_or_else(gone)?)
}

/// Whether a log-in still stands.
async fn session_lives(transaction: &Transaction<'_>, id: &str) -> Result<bool, Error> {
    let found = schema::queries::identity::session().bind(transaction, &id).opt().await?;
    Ok(found.is_some_and(|session| session.ended_at.is_none() && session.expires_at > Timestamp::now()))
}

/// Opens a family: everything that one agreement leads to.
async fn open_family(
    transaction: &Transaction<'_>,
    client: &str,
    account: &str,
    session: &str,
    grant: Granted<'_>,
) -> Result<(Uuid, Timestamp), Error> {
    let now = Timestamp::now();
    let until = now.checked_add(token::FAMILY_LIFE).unwrap_or(now);
    let (id, session) = (Uuid::now_v7(), Some(session));
    sql::put_family()
        .bind(
            transaction,
            &id,
            &client,
            &account,
            &session,
            &grant.scopes,
            &grant.resources,
            &grant.authenticated_at,
            &now,
            &until,
        )
        .await?;
    Ok((id, until))
}

/// What somebody agreed to.
#[derive(Clone, Copy)]
struct Granted<'a> {
    scopes: &'a [String],
    resources: &'a [String],
    authenticated_at: Timestamp,
}

async fn code(app: &App, client: &Client, params: &Params) -> Result<Value, Error> {
    let digest = secret::digest(params.need("code")?);
    let asked = authorize::resources(params, |resource| is_resource(app, resource))?;
    let mut database = people::connect(app).await?;
    let transaction = database.transaction().await?;
    let now = Timestamp::now();
    let stored =
        sql::lock_code().bind(&*transaction, &&digest[..]).opt().await?.ok_or_else(|| unknown("there is no such code"))?;
    let shown = Redeem { client_id: &client.id, redirect_uri: params.get("redirect_uri"), verifier: params.get("code_verifier") };
    match token::redeem(&stored, shown, now) {
        Ok(()) => {}
        Err(Spent::Replayed(family)) => {
            drop(transaction);
            revoke::replayed(app, family, &stored.account, &client.id, "authorization code used twice").await?;
            return Err(unknown("the code was used before; what it led to is revoked").into());
        }
        Err(Spent::Refused(refusal)) => {
            // Whoever has a code and not its verifier gets one attempt.
            if stored.client == client.id {
                sql::use_code().bind(&*transaction, &now, &None, &&digest[..]).await?;
                transaction.commit().await?;
            }
            return Err(refusal.into());
        }
    }
    if !session_lives(&transaction, &stored.session).await? {
        return Err(gone().into());
    }
    let account = account(transaction.client(), &stored.account).await?;
    let resources = token::narrow_resources(asked, &stored.resources, &app.settings.public_url)?;
    let granted = Granted { scopes: &stored.scopes, resources: &stored.resources, authenticated_at: stored.authenticated_at };
    let (family, until) = open_family(&transaction, &client.id, &stored.account, &stored.session, granted).await?;
    sql::use_code().bind(&*transaction, &now, &Some(family), &&digest[..]).await?;
    let order = Order {
        client,
        account: &account,
        session: &stored.session,
        family: Some(family),
        scopes: &stored.scopes,
        resources: &resources,
        act: None,
        expires_at: None,
        log_in: Some(LogIn { authenticated_at: stored.authenticated_at, nonce: stored.nonce.as_deref() }),
        refresh_until: token::may_use(client, "refresh_token").is_ok().then_some(until),
        grant: "authorization_code",
    };
    let answer = issue(app, &transaction, &order).await?;
    transaction.commit().await?;
    Ok(answer)
}

async fn refresh(app: &App, client: &Client, params: &Params) -> Result<Value, Error> {
    let digest = secret::digest(params.need("refresh_token")?);
    let asked = authorize::resources(params, |resource| is_resource(app, resource))?;
    let asked_scopes = scope::parse(params.get("scope"))?;
    let mut database = people::connect(app).await?;
    let transaction = database.transaction().await?;
    let now = Timestamp::now();
    let none = || unknown("there is no such refresh token");
    let stored = sql::lock_refresh_token().bind(&*transaction, &&digest[..]).opt().await?.ok_or_else(none)?;
    let family = sql::family().bind(&*transaction, &stored.family).opt().await?.ok_or_else(none)?;
    match token::refresh(&stored, &family, &client.id, now) {
        Ok(()) => {}
        Err(Spent::Replayed(id)) => {
            drop(transaction);
            revoke::replayed(app, id, &family.account, &client.id, "refresh token used twice").await?;
            return Err(unknown("the refresh token was used before; all that came from it is revoked").into());
        }
        Err(Spent::Refused(refusal)) => return Err(refusal.into()),
    }
    let account = account(transaction.client(), &family.account).await?;
    let of_roles = scopes_of_roles(app, &account.roles).await;
    let still = |scope: &str| scope::OF_OPENID.contains(&scope) || of_roles.contains(scope);
    let scopes = token::narrow_scopes(asked_scopes.as_deref(), &family.scopes, still)?;
    let resources = token::narrow_resources(asked, &family.resources, &app.settings.public_url)?;
    sql::use_refresh_token().bind(&*transaction, &now, &&digest[..]).await?;
    let order = Order {
        client,
        account: &account,
        session: family.session.as_deref().unwrap_or_default(),
        family: Some(family.id),
        scopes: &scopes,
        resources: &resources,
        act: None,
        expires_at: None,
        log_in: Some(LogIn { authenticated_at: family.authenticated_at, nonce: None }),
        refresh_until: Some(family.expires_at),
        grant: "refresh_token",
    };
    let answer = issue(app, &transaction, &order).await?;
    transaction.commit().await?;
    Ok(answer)
}

/// Client credentials (OAuth 2.1 section 4.2): the client acts for itself, as its account.
async fn own(app: &App, client: &Client, params: &Params) -> Result<Value, Error> {
    let refuse = |why: &'static str| Refusal::new(Code::UnauthorizedClient, why);
    if client.auth_method == "none" {
        return Err(refuse("a client that proves nothing cannot act for itself").into());
    }
    let id = client.account.as_deref().ok_or_else(|| refuse("the client has no account of its own"))?;
    let asked = authorize::resources(params, |resource| is_resource(app, resource))?;
    let mut database = people::connect(app).await?;
    let account = account(&database, id).await?;
    let base = app.settings.public_url.as_str();
    let resources = if asked.is_empty() { vec![base.to_owned()] } else { asked };
    let of_roles = scopes_of_roles(app, &account.roles).await;
    let bounds = Bounds {
        of_roles: &of_roles,
        of_client: client.scopes.as_deref(),
        is_person: false,
        is_for_gateway: resources.iter().any(|resource| is_of_gateway(resource, base)),
    };
    let scopes = scope::grant(scope::parse(params.get("scope"))?.as_deref(), &bounds)?;
    let transaction = database.transaction().await?;
    let order = Order {
        client,
        account: &account,
        session: "",
        family: None,
        scopes: &scopes,
        resources: &resources,
        act: None,
        expires_at: None,
        log_in: None,
        refresh_until: None,
        grant: "client_credentials",
    };
    let answer = issue(app, &transaction, &order).await?;
    transaction.commit().await?;
    Ok(answer)
}

/// Whether a resource is the gateway's own server of commands.
pub(super) fn is_of_gateway(resource: &str, base: &str) -> bool {
    resource.strip_prefix(base) == Some(crate::token::server_path(crate::policy::COMMAND_SERVER).as_str())
}

/// One of our access tokens that a client shows (RFC 8693 section 2.1).
async fn shown(app: &App, params: &Params, name: &'static str, kind: &'static str) -> Result<Claims, Error> {
    let refuse = |why: &'static str| Refusal::new(Code::InvalidRequest, why);
    match params.get(kind) {
        Some(token::ACCESS_TOKEN | token::JWT) => {}
        _ => return Err(refuse("only access tokens of this gateway can be exchanged").into()),
    }
    let live = introspect::live(app, params.need(name)?).await?;
    Ok(live.ok_or_else(|| refuse("the token that is exchanged does not hold"))?)
}

/// Token exchange (RFC 8693): a token for the same subject, with less reach, that says who acts.
async fn exchange(app: &App, client: &Client, params: &Params) -> Result<Value, Error> {
    if client.auth_method == "none" || !client.may_exchange {
        return Err(Refusal::new(Code::UnauthorizedClient, "the client may not exchange tokens").into());
    }
    if params.get("requested_token_type").is_some_and(|kind| !matches!(kind, token::ACCESS_TOKEN | token::JWT)) {
        return Err(Refusal::new(Code::InvalidRequest, "only access tokens are issued").into());
    }
    let subject = shown(app, params, "subject_token", "subject_token_type").await?;
    let actor = match params.get("actor_token") {
        Some(_) => shown(app, params, "actor_token", "actor_token_type").await?.sub,
        None if params.get("actor_token_type").is_some() => {
            return Err(Refusal::new(Code::InvalidRequest, "`actor_token` is missing").into());
        }
        None => client.account.clone().unwrap_or_else(|| client.id.clone()),
    };
    let act = token::act(&actor, &subject)?;
    let granted: Vec<String> =
        subject.scope.split_ascii_whitespace().filter(|scope| *scope != "offline_access").map(str::to_owned).collect();
    let within_client = |scope: &str| client.scopes.as_ref().is_none_or(|most| most.iter().any(|one| one == scope));
    let scopes = token::narrow_scopes(scope::parse(params.get("scope"))?.as_deref(), &granted, within_client)?;
    let asked: Vec<String> = params.all("resource").chain(params.all("audience")).map(str::to_owned).collect();
    if let Some(foreign) = asked.iter().find(|resource| !is_resource(app, resource)) {
        tracing::debug!(resource = foreign.as_str(), "a token for a resource that is none was asked for");
        return Err(Refusal::new(Code::InvalidTarget, "`resource` or `audience` names nothing that this gateway protects").into());
    }
    let audience: Vec<String> = subject.aud.iter().map(str::to_owned).collect();
    let resources = token::narrow_resources(asked, &audience, &app.settings.public_url)?;
    let mut database = people::connect(app).await?;
    let account = account(&database, &subject.sub).await?;
    let known = sql::access_token().bind(&**database, &subject.jti).opt().await?;
    let transaction = database.transaction().await?;
    let order = Order {
        client,
        account: &account,
        session: &subject.sid,
        family: known.and_then(|token| token.family),
        scopes: &scopes,
        resources: &resources,
        act: Some(act),
        expires_at: i64::try_from(subject.exp).ok().and_then(|second| Timestamp::from_second(second).ok()),
        log_in: None,
        refresh_until: None,
        grant: "token_exchange",
    };
    let mut answer = issue(app, &transaction, &order).await?;
    transaction.commit().await?;
    answer["issued_token_type"] = json!(token::ACCESS_TOKEN);
    Ok(answer)
}

/// A device that polls (RFC 8628 section 3.4).
async fn device(app: &App, client: &Client, params: &Params) -> Result<Value, Error> {
    let digest = secret::digest(params.need("device_code")?);
    let mut database = people::connect(app).await?;
    let transaction = database.transaction().await?;
    let now = Timestamp::now();
    let stored = sql::lock_device()
        .bind(&*transaction, &&digest[..])
        .opt()
        .await?
        .ok_or_else(|| unknown("there is no such device code"))?;
    match token::poll(&stored, &client.id, now) {
        Poll::Ready => {}
        Poll::Refused(refusal) => return Err(refusal.into()),
        Poll::Wait { interval_s, code } => {
            sql::polled_device().bind(&*transaction, &now, &interval_s, &&digest[..]).await?;
            transaction.commit().await?;
            return Err(Refusal::new(code, format!("ask again in {interval_s} seconds")).into());
        }
    }
    let (Some(account_id), Some(session), Some(authenticated_at)) = (&stored.account, &stored.session, stored.authenticated_at)
    else {
        return Err(gone().into());
    };
    if !session_lives(&transaction, session).await? {
        return Err(gone().into());
    }
    let account = account(transaction.client(), account_id).await?;
    let granted = Granted { scopes: &stored.scopes, resources: &stored.resources, authenticated_at };
    let (family, until) = open_family(&transaction, &client.id, account_id, session, granted).await?;
    sql::use_device().bind(&*transaction, &&digest[..]).await?;
    let order = Order {
        client,
        account: &account,
        session,
        family: Some(family),
        scopes: &stored.scopes,
        resources: &stored.resources,
        act: None,
        expires_at: None,
        log_in: Some(LogIn { authenticated_at, nonce: None }),
        refresh_until: token::may_use(client, "refresh_token").is_ok().then_some(until),
        grant: "device_code",
    };
    let answer = issue(app, &transaction, &order).await?;
    transaction.commit().await?;
    Ok(answer)
}
