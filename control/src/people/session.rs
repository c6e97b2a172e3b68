//! Log-ins of browsers: begun, proved again, ended. Each log-in has a cookie of its own, so that one that somebody planted
//! before is worth nothing after.

use axum::http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use schema::queries::{identity, oauth, operate, policy};
use serde_json::json;
use wire::decision::Reason;
use wire::ids::TraceId;

use super::{Account, Error, connect, cookie, peer, record, secret};
use crate::app::App;
use crate::app::publish::Wish;
use crate::operator::REVOCATION_LIFE;

/// LIMIT: how long a session lasts, and what was issued in it; a browser that does nothing for
/// [`IDLE_MAX`](super::IDLE_MAX) has to log in before.
pub const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Logs somebody in who has proved who they are, and gives the cookies that say so. Somebody who was logged in as the same
/// account keeps the session, under another cookie; another account's is ended.
///
/// # Errors
/// The log-in could not be recorded or stored: it did not happen.
pub(super) async fn log_in(
    app: &App,
    headers: &HeaderMap,
    account: &Account,
    method: &str,
) -> Result<Option<Vec<HeaderValue>>, Error> {
    if is_banned(app, &account.id).await {
        record::refused(app, headers, Some(account), method, Reason::Banned).await;
        return Ok(None);
    }
    let client = connect(app).await?;
    let (now, value) = (Timestamp::now(), secret::random()?);
    let (digest, address, user_agent) = (secret::digest(&value), peer(headers), record::user_agent(headers));
    let before = match cookie::session(app, headers) {
        Some(cookie) => identity::session_by_digest().bind(&**client, &&secret::digest(cookie)[..], &now).opt().await?,
        None => None,
    };
    let kept = before.as_ref().filter(|before| before.account == account.id).map(|before| before.id.clone());
    let is_again = kept.is_some();
    let id = kept.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    record::allowed(app, headers, account, "login", json!({ "method": method, "session": id, "again": is_again })).await?;
    let mut changed = 0;
    if is_again {
        let proved = identity::prove_session();
        changed = proved.bind(&**client, &&digest[..], &method, &address, &user_agent, &now, &id).await?;
    }
    if changed == 0 {
        let expires_at = now + LIFE;
        identity::put_session()
            .bind(&**client, &id, &account.id, &Some(&digest[..]), &method, &address, &user_agent, &now, &expires_at)
            .await?;
    }
    drop(client);
    if let Some(other) = before.filter(|before| before.account != account.id) {
        end(app, &other.id, &other.account, "logged in as somebody else").await?;
    }
    Ok(Some([cookie::set_session(app, &value, LIFE.as_secs()), cookie::drop_visit(app)].into_iter().flatten().collect()))
}

/// Whether policy, from files or the database, keeps this user out.
async fn is_banned(app: &App, user: &str) -> bool {
    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or(0);
    let publisher = app.publishing.publisher().await;
    publisher.snapshot().is_some_and(|snapshot| snapshot.revoked.banned.get(user).is_some_and(|until| *until > now))
}

/// Ends a log-in and everything that was issued in it. When this returns well, its tokens are refused on every shard.
///
/// # Errors
/// It could not be stored, or not be put into force.
pub async fn end(app: &App, session: &str, by: &str, why: &str) -> Result<(), Error> {
    let mut client = connect(app).await?;
    let now = Timestamp::now();
    let transaction = client.transaction().await?;
    identity::end_session().bind(&*transaction, &now, &session).await?;
    operate::end_families_of_session().bind(&*transaction, &now, &why, &session).await?;
    let expires = now.checked_add(REVOCATION_LIFE).ok();
    policy::revoke().bind(&*transaction, &"session", &session, &now, &expires, &why, &by).one().await?;
    transaction.commit().await?;
    let wish = Wish { user: by, trace: TraceId(*uuid::Uuid::now_v7().as_bytes()), why: "session ended" };
    app.publishing.refresh(wish).await?;
    Ok(())
}

/// Takes back what somebody agreed to, and everything that came of it. When this returns well, the application's tokens are
/// refused on every shard.
///
/// # Errors
/// It could not be stored, or not be put into force.
pub(super) async fn disconnect(app: &App, account: &str, client_id: &str) -> Result<(), Error> {
    let mut client = connect(app).await?;
    let (now, why) = (Timestamp::now(), "application disconnected");
    let transaction = client.transaction().await?;
    oauth::drop_consent().bind(&*transaction, &account, &client_id).await?;
    for family in oauth::families_of_client().bind(&*transaction, &account, &client_id).all().await? {
        oauth::revoke_family().bind(&*transaction, &now, &why, &family).await?;
        for token in oauth::revoke_access_tokens().bind(&*transaction, &now, &family).all().await? {
            let expires = Some(token.expires_at);
            policy::revoke().bind(&*transaction, &"token", &token.jti, &now, &expires, &why, &account).one().await?;
        }
    }
    transaction.commit().await?;
    let wish = Wish { user: account, trace: TraceId(*uuid::Uuid::now_v7().as_bytes()), why };
    app.publishing.refresh(wish).await?;
    Ok(())
}
