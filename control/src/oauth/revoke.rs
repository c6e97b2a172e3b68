//! Taking back: by the client that has a token (RFC 7009), and by us when a code or refresh token shows up twice. When this
//! returns well, every shard refuses what was taken back.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schema::queries::{oauth as sql, policy};
use serde_json::json;
use tokio_postgres::Transaction;
use uuid::Uuid;
use wire::decision::EventKind;

use super::refusal::{Error, no_store};
use super::{Event, clients, grants, introspect, record};
use crate::app::App;
use crate::app::publish::Wish;
use crate::people::{self, secret};

/// Puts a revocation into the table that the policy is compiled from.
async fn void(
    transaction: &Transaction<'_>,
    kind: &str,
    subject: &str,
    until: Option<Timestamp>,
    why: &str,
    by: &str,
) -> Result<(), Error> {
    policy::revoke().bind(transaction, &kind, &subject, &Timestamp::now(), &until, &why, &by).one().await?;
    Ok(())
}

async fn in_force(app: &App, by: &str, why: &str) -> Result<(), Error> {
    let wish = Wish { user: by, ..Wish::own(why) };
    app.publishing.refresh(wish).await.map_err(people::Error::from)?;
    Ok(())
}

/// Ends a family and every token of it that is alive.
async fn end_family(transaction: &Transaction<'_>, family: Uuid, why: &str, by: &str) -> Result<usize, Error> {
    let now = Timestamp::now();
    sql::revoke_family().bind(transaction, &now, &why, &family).await?;
    let tokens = sql::revoke_access_tokens().bind(transaction, &now, &family).all().await?;
    for token in &tokens {
        void(transaction, "token", &token.jti, Some(token.expires_at), why, by).await?;
    }
    Ok(tokens.len())
}

/// A code or refresh token was used twice (OAuth 2.1 sections 4.1.3 and 4.3.1).
pub(super) async fn replayed(app: &App, family: Option<Uuid>, account: &str, client: &str, why: &str) -> Result<(), Error> {
    let detail = json!({ "why": why, "family": family });
    record(app, EventKind::Revocation, "family_revoked", true, Event { user: account, client, detail, ..Event::default() })
        .await?;
    let Some(family) = family else { return Ok(()) };
    let mut database = people::connect(app).await?;
    let transaction = database.transaction().await?;
    end_family(&transaction, family, why, "").await?;
    transaction.commit().await?;
    in_force(app, "", why).await
}

/// `POST /oauth/revoke`. What is not known is answered like what was revoked (RFC 7009 section 2.2).
pub async fn endpoint(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Result<Response, Error> {
    let params = grants::form(&headers, &body)?;
    let client = clients::authenticate(&app, &headers, &params).await?;
    let token = params.need("token")?;
    let mut database = people::connect(&app).await?;
    let transaction = database.transaction().await?;
    let why = "revoked by the client";
    let family = match sql::refresh_token().bind(&*transaction, &&secret::digest(token)[..]).opt().await? {
        Some(refresh) => sql::family().bind(&*transaction, &refresh.family).opt().await?,
        None => None,
    };
    let (user, what) = if let Some(family) = family.filter(|family| family.client == client.id) {
        end_family(&transaction, family.id, why, &client.id).await?;
        (family.account, json!({ "family": family.id }))
    } else if let Some(claims) = introspect::live(&app, token).await?.filter(|claims| claims.client_id == client.id) {
        sql::revoke_access_token().bind(&*transaction, &Timestamp::now(), &claims.jti).all().await?;
        let until = i64::try_from(claims.exp).ok().and_then(|second| Timestamp::from_second(second).ok());
        void(&transaction, "token", &claims.jti, until, why, &client.id).await?;
        (claims.sub, json!({ "jti": claims.jti }))
    } else {
        return Ok((StatusCode::OK, no_store()).into_response());
    };
    record(
        &app,
        EventKind::Revocation,
        "token_revoked",
        true,
        Event { user: &user, client: &client.id, detail: what, ..Event::default() },
    )
    .await?;
    transaction.commit().await?;
    in_force(&app, &user, why).await?;
    Ok((StatusCode::OK, no_store()).into_response())
}
