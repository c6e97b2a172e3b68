//! Lock-out. What can be guessed (passwords, recovery codes) is counted by the account and by the address that guesses; a
//! passkey cannot be guessed, so nobody is kept from theirs by somebody else's guessing.
//!
//! An attempt is counted before it is judged, so that many at once are not more than many one after the other. Names
//! that do not exist are counted like those that do: the answer tells nothing.

use jiff::{SignedDuration, Timestamp};
use schema::queries::identity;
use tokio_postgres::Client;

use super::{Error, secret};

/// LIMIT: wrong guesses at one account within the window.
const PER_ACCOUNT: i32 = 10;

/// LIMIT: wrong guesses from one address within the window; an office behind one address mistypes now and then.
const PER_ADDRESS: i32 = 50;

/// LIMIT: what is counted together, and how long a lock holds.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// What is guessed at, and from where.
pub(super) struct Guess {
    account: String,
    address: String,
}

impl Guess {
    /// Whoever typed this name, or whose account it is, from this address.
    pub(super) fn new(name: &str, address: &str) -> Guess {
        // Digests: of bounded length whatever is typed, and not a list of what people mistyped.
        let account = blake3::Hash::from_bytes(secret::digest(&name.trim().to_lowercase())).to_hex().to_string();
        Guess { account, address: address.to_owned() }
    }

    /// Whether it may be judged; counts it against the account.
    pub(super) async fn is_open(&self, client: &Client, now: Timestamp) -> Result<bool, Error> {
        for (kind, subject) in [("account", &self.account), ("address", &self.address)] {
            let found = identity::attempts().bind(client, &kind, subject).opt().await?;
            if found.and_then(|of| of.locked_until).is_some_and(|until| until > now) {
                return Ok(false);
            }
        }
        Ok(count(client, "account", &self.account, PER_ACCOUNT, now).await? <= PER_ACCOUNT)
    }

    /// It was wrong.
    pub(super) async fn was_wrong(&self, client: &Client, now: Timestamp) -> Result<(), Error> {
        count(client, "address", &self.address, PER_ADDRESS, now).await.map(drop)
    }

    /// It was right: the account's failures are forgotten. Those of the address are not, or whoever has an account of
    /// their own could guess at others without end.
    pub(super) async fn was_right(&self, client: &Client) -> Result<(), Error> {
        identity::forgive().bind(client, &"account", &self.account).await?;
        Ok(())
    }
}

async fn count(client: &Client, kind: &str, subject: &str, allowed: i32, now: Timestamp) -> Result<i32, Error> {
    let (begin, until) = (now - WINDOW, now + WINDOW);
    let counted = identity::fail().bind(client, &kind, &subject, &now, &begin, &allowed, &until).one().await?;
    Ok(counted.failures)
}
