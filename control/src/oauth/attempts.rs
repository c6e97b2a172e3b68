//! Lock-out: whoever shows wrong credentials too often waits, known by what is guessed at and where from. What is locked
//! answers the same whether the next guess is right or wrong.

use jiff::{SignedDuration, Timestamp};
use schema::queries::identity;
use tokio_postgres::Client;

use super::refusal::{Code, Error, Refusal};

/// A kind of attempt, and how many may fail.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    name: &'static str,
    allowed: i32,
    window: SignedDuration,
    locks: SignedDuration,
}

/// LIMIT: wrong secrets of one client from one address.
pub const CLIENT: Kind =
    Kind { name: "oauth_client", allowed: 10, window: SignedDuration::from_mins(5), locks: SignedDuration::from_mins(5) };

/// LIMIT: wrong secrets, codes and tokens of any client from one address; many people may be behind one.
pub const ADDRESS: Kind =
    Kind { name: "oauth_address", allowed: 100, window: SignedDuration::from_mins(5), locks: SignedDuration::from_mins(5) };

/// LIMIT: device codes that one person types wrong.
pub const DEVICE: Kind =
    Kind { name: "device_code", allowed: 10, window: SignedDuration::from_mins(10), locks: SignedDuration::from_mins(10) };

/// LIMIT: clients that are registered from one address.
pub const REGISTRATION: Kind =
    Kind { name: "registration", allowed: 60, window: SignedDuration::from_hours(1), locks: SignedDuration::from_mins(10) };

/// LIMIT: device authorizations that are begun from one address.
pub const DEVICE_BEGUN: Kind =
    Kind { name: "device_begun", allowed: 60, window: SignedDuration::from_mins(10), locks: SignedDuration::from_mins(10) };

/// LIMIT: documents that one address makes us fetch.
pub const DOCUMENT: Kind =
    Kind { name: "document", allowed: 30, window: SignedDuration::from_mins(5), locks: SignedDuration::from_mins(5) };

/// Refuses what is locked.
///
/// # Errors
/// `too_many_attempts`.
pub async fn check(client: &Client, kind: Kind, subject: &str) -> Result<(), Error> {
    let found = identity::attempts().bind(client, &kind.name, &subject).opt().await?;
    let is_locked = found.and_then(|attempts| attempts.locked_until).is_some_and(|until| until > Timestamp::now());
    if is_locked {
        Err(Refusal::new(Code::TooManyAttempts, "too many attempts; try again in a few minutes").into())
    } else {
        Ok(())
    }
}

/// Counts one. Whether this one locked.
///
/// # Errors
/// The database refuses.
pub async fn count(client: &Client, kind: Kind, subject: &str) -> Result<bool, Error> {
    let now = Timestamp::now();
    let window_start = now.checked_sub(kind.window).unwrap_or(now);
    let lock_until = now.checked_add(kind.locks).unwrap_or(now);
    let counted =
        identity::fail().bind(client, &kind.name, &subject, &now, &window_start, &kind.allowed, &lock_until).one().await?;
    Ok(counted.locked_until.is_some_and(|until| until > now))
}
