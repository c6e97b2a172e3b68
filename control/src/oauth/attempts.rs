//! Lock-out: whoever shows wrong credentials too often waits, known by what is guessed at and where from. What is locked
//! answers the same whether the next guess is right or wrong.

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::Client;

use super::refusal::{Code, Error, Refusal};
use crate::people::attempts::Kind;

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
    if kind.is_locked(client, subject, Timestamp::now()).await? {
        Err(Refusal::new(Code::TooManyAttempts, "too many attempts; try again in a few minutes").into())
    } else {
        Ok(())
    }
}

/// Counts one.
///
/// # Errors
/// The database refuses.
pub async fn count(client: &Client, kind: Kind, subject: &str) -> Result<(), Error> {
    kind.count(client, subject, Timestamp::now()).await?;
    Ok(())
}
