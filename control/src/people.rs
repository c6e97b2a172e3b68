//! People in browsers: who is logged in, how they log in, and the pages on which they do. What a browser shows is a cookie
//! whose digest alone is stored; what it posts carries a token that only a page of ours could have given it.
//!
//! INVARIANT: nobody is logged in before the log-in is in the journal.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use schema::queries::identity;
use wire::decision::{Reason, Tier};

use crate::app::App;
use crate::postgres::{Connection, DatabaseState, PostgresError};

mod account;
pub mod attempts;
pub mod cookie;
mod enrol;
mod federation;
mod forms;
mod login;
pub mod oidc;
pub mod page;
mod passkey;
mod password;
mod record;
mod recovery;
pub mod secret;
pub mod session;
pub mod webauthn;

pub use enrol::{EnrolError, announce_first_admin, first_admin_link, link_for};

/// LIMIT: how long a browser may do nothing before it has to log in again.
pub const IDLE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// LIMIT: a stolen cookie alone changes no credential after this.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// LIMIT: how often a session's last use is written.
const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// An account as pages and tokens need it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id: the subject of its tokens.
    pub id: String,
    /// What kind of caller.
    pub tier: Tier,
    /// What people call it.
    pub name: String,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Its tenant.
    pub tenant: Option<String>,
    /// Its department.
    pub department: Option<String>,
    /// Its roles.
    pub roles: Vec<String>,
    /// What an authenticator is told instead of the id (WebAuthn's user handle).
    pub handle: uuid::Uuid,
}

impl Account {
    /// Its name, or its id where it has none.
    pub fn shown(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }
}

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Who.
    pub account: Account,
    /// The log-in: the `sid` of tokens.
    pub session: String,
    /// When it was last proved who this is.
    pub authenticated_at: Timestamp,
    /// How: `passkey`, `password`, `recovery_code`, `link`, or `oidc:` and a provider.
    pub method: String,
    /// What forms of this visitor must carry.
    pub csrf: String,
}

/// Why a page cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away.
    #[error("the database is away: {0}")]
    Away(String),
    /// The database refused.
    #[error("the database refused: {}", crate::postgres::error_chain(.0))]
    Refused(#[from] tokio_postgres::Error),
    /// The machine has no randomness.
    #[error("the machine has no randomness")]
    Random,
    /// What happened could not be recorded, so it did not happen.
    #[error("the journal takes no records: {}", .0.as_str())]
    Record(Reason),
    /// What was changed is stored and not in force yet.
    #[error("{0}")]
    Publish(#[from] crate::app::publish::PublishError),
    /// A task of ours ended early.
    #[error("a task ended early")]
    Task,
}

impl From<PostgresError> for Error {
    fn from(error: PostgresError) -> Error {
        Error::Away(error.to_string())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        tracing::error!(error = %self, "a page could not be given");
        page::message(
            StatusCode::SERVICE_UNAVAILABLE,
            "Not now",
            "Something that this page needs does not work at the moment. Try again in a minute.",
        )
    }
}

/// A connection, at once or not at all.
pub async fn connect(app: &App) -> Result<Connection, Error> {
    if let DatabaseState::Down { reason } = &*app.database.state().borrow() {
        return Err(Error::Away(reason.clone()));
    }
    Ok(app.database.get().await?)
}

/// Who sends this request, when they are logged in.
///
/// # Errors
/// The database is away: nobody knows.
pub async fn visitor(app: &App, headers: &HeaderMap) -> Result<Option<Visitor>, Error> {
    let Some(value) = cookie::session(app, headers) else { return Ok(None) };
    let client = connect(app).await?;
    let now = Timestamp::now();
    let digest = secret::digest(value);
    let found = identity::session_by_digest().bind(&**client, &&digest[..], &now).opt().await?;
    let Some(session) = found.filter(|session| now.duration_since(session.last_seen_at) < IDLE_MAX) else { return Ok(None) };
    let Some(account) = account(&client, &session.account).await? else { return Ok(None) };
    if now.duration_since(session.last_seen_at) >= SEEN_EVERY {
        identity::seen_session().bind(&**client, &now, &session.id).await?;
    }
    Ok(Some(Visitor {
        account,
        session: session.id,
        authenticated_at: session.authenticated_at,
        method: session.method,
        csrf: secret::csrf(value),
    }))
}

/// An account that may log in.
///
/// # Errors
/// The database refuses.
pub async fn account(client: &tokio_postgres::Client, id: &str) -> Result<Option<Account>, Error> {
    let Some(row) = identity::account().bind(client, &id).opt().await? else { return Ok(None) };
    let Some(tier) = Tier::from_word(&row.tier).filter(|_| row.disabled_at.is_none()) else { return Ok(None) };
    let roles = identity::account_roles().bind(client, &id).all().await?;
    Ok(Some(Account {
        id: row.id,
        tier,
        name: row.name,
        email: row.email,
        tenant: row.tenant,
        department: row.department,
        roles,
        handle: row.handle,
    }))
}

/// Whether a form of this visitor came from a page that we gave them.
pub fn csrf_ok(visitor: &Visitor, form_value: &str) -> bool {
    verify_slices_are_equal(visitor.csrf.as_bytes(), form_value.as_bytes()).is_ok()
}

/// Where to send a browser that has to log in; it comes back to `return_to`, a path of ours.
pub fn login_location(return_to: &str) -> String {
    location("/login", return_to)
}

/// The same for somebody who is logged in and has to prove again who they are.
pub fn relogin_location(return_to: &str) -> String {
    location("/login?again=yes", return_to)
}

/// The account page, which says what was `done` and leads on to what somebody came for.
fn account_location(done: &str, return_to: &str) -> String {
    location(&format!("/account?done={done}"), return_to)
}

fn location(page: &str, return_to: &str) -> String {
    let sign = if page.contains('?') { '&' } else { '?' };
    match local_path(return_to) {
        Some("/account") | None => page.to_owned(),
        Some(path) => {
            let path: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
            format!("{page}{sign}return_to={path}")
        }
    }
}

/// LIMIT: bytes of a path to come back to; an authorization request with all its parameters fits.
const RETURN_BYTES_MAX: usize = 8192;

/// A path of this origin and nothing else: no other host by `//host`, `/\host`, a scheme or control characters that
/// browsers leave out.
pub fn local_path(text: &str) -> Option<&str> {
    let plain = text.len() <= RETURN_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    (plain && text.starts_with('/') && !text.starts_with("//")).then_some(text)
}

/// Whether somebody has proved who they are lately enough to change how they do so.
fn is_fresh(visitor: &Visitor) -> bool {
    Timestamp::now().duration_since(visitor.authenticated_at) < FRESH
}

/// The address that a shard saw.
pub fn peer(headers: &HeaderMap) -> String {
    headers.get("sp-peer").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// Pages of people.
pub fn router() -> Router<Arc<App>> {
    page::assets()
        .merge(login::router())
        .merge(passkey::router())
        .merge(account::router())
        .merge(enrol::router())
        .merge(federation::router())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere_after_logging_in() {
        for (path, ours) in [
            ("/account", true),
            ("/oauth/authorize?client_id=a&redirect_uri=https%3A%2F%2Fx", true),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("https://evil.example", false),
            ("/\t/evil.example", false),
            ("", false),
            ("account", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(local_path(path).is_some(), ours, "{path}");
        }
        assert_eq!(login_location("/a?b=c&d"), "/login?return_to=%2Fa%3Fb%3Dc%26d");
        assert_eq!(login_location("//evil.example"), "/login");
        assert_eq!(relogin_location("/a"), "/login?again=yes&return_to=%2Fa");
        assert_eq!(account_location("welcome", "/a"), "/account?done=welcome&return_to=%2Fa");
        assert_eq!(account_location("welcome", "https://evil.example"), "/account?done=welcome");
    }
}
