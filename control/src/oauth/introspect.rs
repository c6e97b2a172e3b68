//! Whether a token holds now: for introspection (RFC 7662), user information, exchange and revocation.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use dataplane::identity::verify::{Key, verify};
use jiff::Timestamp;
use schema::queries::oauth as sql;
use serde_json::{Value, json};
use wire::token::Claims;

use super::refusal::{Code, Error, Refusal, no_store};
use super::{clients, grants, token};
use crate::app::App;
use crate::people::{self, secret};

/// The claims of an access token that every shard would take now; nothing for any other text.
///
/// # Errors
/// The database is away: nobody knows.
pub async fn live(app: &App, text: &str) -> Result<Option<Claims>, Error> {
    let now = Timestamp::now();
    let claims = {
        let publisher = app.publishing.publisher().await;
        let Some(snapshot) = publisher.snapshot() else { return Ok(None) };
        let keys: Vec<Key> = snapshot.keys.iter().filter_map(|key| Key::new(&key.kid, key.algorithm, &key.public).ok()).collect();
        let Ok(claims) = verify(text, &keys, &app.settings.public_url, token::second(now)) else { return Ok(None) };
        let revoked = &snapshot.revoked;
        let is_banned = revoked.banned.get(&claims.sub).is_some_and(|until| *until > token::second(now));
        if is_banned || revoked.disabled.contains(&claims.sub) || revoked.tokens.contains_key(&claims.jti) {
            return Ok(None);
        }
        claims
    };
    let database = people::connect(app).await?;
    if let Some(stored) = sql::access_token().bind(&**database, &claims.jti).opt().await? {
        let family = match stored.family {
            Some(family) => sql::family().bind(&**database, &family).opt().await?,
            None => None,
        };
        if stored.revoked_at.is_some() || family.is_some_and(|family| family.revoked_at.is_some()) {
            return Ok(None);
        }
    }
    let Some(issued_at) = i64::try_from(claims.iat).ok().and_then(|second| Timestamp::from_second(second).ok()) else {
        return Ok(None);
    };
    let is_revoked = sql::revoked_since().bind(&**database, &issued_at, &claims.sub, &claims.sid).one().await?;
    Ok((!is_revoked).then_some(claims))
}

fn described(claims: &Claims) -> Value {
    let mut answer = json!({
        "active": true, "iss": claims.iss, "sub": claims.sub, "aud": claims.aud, "exp": claims.exp, "iat": claims.iat, "jti": claims.jti,
        "client_id": claims.client_id, "scope": claims.scope, "token_type": "Bearer", "username": claims.sub,
    });
    if let Some(act) = &claims.act {
        answer["act"] = json!(act);
    }
    answer
}

/// `POST /oauth/introspect`. Who may ask: the client a token was issued to, and those that an operator lets.
pub async fn endpoint(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Result<Response, Error> {
    let params = grants::form(&headers, &body)?;
    let client = clients::authenticate(&app, &headers, &params).await?;
    if client.auth_method == "none" && !client.may_introspect {
        return Err(Refusal::new(Code::InvalidClient, "a client that proves nothing cannot ask about tokens").into());
    }
    let text = params.need("token")?;
    let may_see = |owner: &str| client.may_introspect || owner == client.id;
    let answer = match live(&app, text).await? {
        Some(claims) if may_see(&claims.client_id) => described(&claims),
        Some(_) => json!({ "active": false }),
        None => refresh(&app, text, may_see).await?.unwrap_or_else(|| json!({ "active": false })),
    };
    Ok((no_store(), Json(answer)).into_response())
}

async fn refresh(app: &App, text: &str, may_see: impl Fn(&str) -> bool) -> Result<Option<Value>, Error> {
    let database = people::connect(app).await?;
    let Some(stored) = sql::refresh_token().bind(&**database, &&secret::digest(text)[..]).opt().await? else { return Ok(None) };
    let family = sql::family().bind(&**database, &stored.family).opt().await?;
    let now = Timestamp::now();
    let lives = |family: &sql::Family| {
        stored.used_at.is_none() && stored.expires_at > now && family.revoked_at.is_none() && family.expires_at > now
    };
    Ok(family.filter(|family| lives(family) && may_see(&family.client)).map(|family| {
        json!({
            "active": true, "sub": family.account, "client_id": family.client, "scope": family.scopes.join(" "),
            "exp": stored.expires_at.as_second(), "iss": app.settings.public_url,
        })
    }))
}
