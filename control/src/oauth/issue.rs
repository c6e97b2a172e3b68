//! Making tokens: signed, stored, recorded, and only then given.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use schema::queries::oauth::{self as sql, Client};
use serde_json::{Value, json};
use tokio_postgres::Transaction;
use uuid::Uuid;
use wire::decision::EventKind;
use wire::token::{ACCESS_TOKEN_TYPE, Actor};

use super::refusal::{Error, no_store};
use super::token::{self, Access, LogIn};
use super::{Event, record};
use crate::app::App;
use crate::people::{Account, secret};

/// What is to be issued.
pub(super) struct Order<'a> {
    pub(super) client: &'a Client,
    pub(super) account: &'a Account,
    pub(super) session: &'a str,
    /// What ends it together with others.
    pub(super) family: Option<Uuid>,
    pub(super) scopes: &'a [String],
    pub(super) resources: &'a [String],
    pub(super) act: Option<Box<Actor>>,
    /// Until when, at most.
    pub(super) expires_at: Option<Timestamp>,
    /// For an ID token.
    pub(super) log_in: Option<LogIn<'a>>,
    /// With a refresh token that ends with the family.
    pub(super) refresh_until: Option<Timestamp>,
    /// Which grant, for the audit trail.
    pub(super) grant: &'a str,
}

/// Makes tokens within a transaction, which the caller commits; gives the answer of the token endpoint.
pub(super) async fn issue(app: &App, transaction: &Transaction<'_>, order: &Order<'_>) -> Result<Value, Error> {
    let now = Timestamp::now();
    let longest = now.checked_add(Duration::from_secs(app.settings.access_token_life_s)).unwrap_or(now);
    let expires_at = order.expires_at.map_or(longest, |at| at.min(longest));
    let access = Access {
        issuer: &app.settings.public_url,
        account: order.account,
        client: order.client,
        scopes: order.scopes,
        resources: order.resources,
        session: order.session,
        act: order.act.clone(),
        now,
        expires_at,
    };
    let claims = access.claims();
    let signer = app.oauth.ring.signer(app).await?;
    let token = signer.sign(ACCESS_TOKEN_TYPE, &claims)?;
    if token.len() > wire::limits::TOKEN_BYTES_MAX {
        return Err(Error::Sign("the token would be too long for a header; ask for fewer scopes".to_owned()));
    }
    let (client, account) = (&order.client.id, &order.account.id);
    sql::put_access_token().bind(transaction, &claims.jti, &order.family, client, account, &now, &expires_at).await?;
    let mut answer =
        json!({ "access_token": token, "token_type": "Bearer", "expires_in": claims.exp.saturating_sub(claims.iat) });
    if !order.scopes.is_empty() {
        answer["scope"] = json!(claims.scope);
    }
    if let Some(id) = order.log_in.and_then(|log_in| token::id_claims(&access, log_in)) {
        answer["id_token"] = json!(signer.sign("JWT", &id)?);
    }
    if let (Some(family), Some(until)) = (order.family, order.refresh_until) {
        let refresh = secret::random()?;
        let ends = now.checked_add(token::REFRESH_LIFE).unwrap_or(now).min(until);
        sql::put_refresh_token().bind(transaction, &&secret::digest(&refresh)[..], &family, &now, &ends).await?;
        answer["refresh_token"] = json!(refresh);
    }
    let detail = json!({
        "grant": order.grant, "jti": claims.jti, "scope": claims.scope, "aud": claims.aud, "act": claims.act_chain(),
        "family": order.family, "session": claims.sid,
    });
    let event = Event { user: account, tenant: &claims.tenant, tier: claims.tier.code(), client, detail };
    record(app, EventKind::Login, "token_issued", true, event).await?;
    Ok(answer)
}

/// The answer of the token endpoint.
pub(super) fn answer(value: Value) -> Response {
    (no_store(), Json(value)).into_response()
}
