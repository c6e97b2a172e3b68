//! Lock-out. What can be guessed (passwords, recovery codes) is counted by the account and by the address that guesses; a
//! passkey cannot be guessed, so nobody is kept from theirs by somebody else's guessing.
//!
//! An attempt is counted before it is judged, so that many at once are not more than many one after the other. Names
//! that do not exist are counted like those that do: the answer tells nothing.

use jiff::{SignedDuration, Timestamp};
use schema::queries::identity;
use tokio_postgres::Client;

use super::{Error, secret};

/// A kind of attempt, and how many may fail.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// As the table has it.
    pub name: &'static str,
    /// How many may fail within the window.
    pub allowed: i32,
    /// What is counted together.
    pub window: SignedDuration,
    /// How long a lock holds.
    pub locks: SignedDuration,
}

/// LIMIT: wrong guesses at one account.
const ACCOUNT: Kind =
    Kind { name: "account", allowed: 10, window: SignedDuration::from_mins(15), locks: SignedDuration::from_mins(15) };

/// LIMIT: wrong guesses from one address; an office behind one address mistypes now and then.
const ADDRESS: Kind =
    Kind { name: "address", allowed: 50, window: SignedDuration::from_mins(15), locks: SignedDuration::from_mins(15) };

impl Kind {
    /// Whether whoever this is about has to wait.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn is_locked(self, client: &Client, subject: &str, now: Timestamp) -> Result<bool, tokio_postgres::Error> {
        let found = identity::attempts().bind(client, &self.name, &subject).opt().await?;
        Ok(found.and_then(|attempts| attempts.locked_until).is_some_and(|until| until > now))
    }

    /// Counts one more, and says how many failed within the window.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn count(self, client: &Client, subject: &str, now: Timestamp) -> Result<i32, tokio_postgres::Error> {
        let window_start = now.checked_sub(self.window).unwrap_or(now);
        let lock_until = now.checked_add(self.locks).unwrap_or(now);
        let fail = identity::fail();
        let counted = fail.bind(client, &self.name, &subject, &now, &window_start, &self.allowed, &lock_until).one().await?;
        Ok(counted.failures)
    }
}

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
        for (kind, subject) in [(ACCOUNT, &self.account), (ADDRESS, &self.address)] {
            if kind.is_locked(client, subject, now).await? {
                return Ok(false);
            }
        }
        Ok(ACCOUNT.count(client, &self.account, now).await? <= ACCOUNT.allowed)
    }

    /// It was wrong.
    pub(super) async fn was_wrong(&self, client: &Client, now: Timestamp) -> Result<(), Error> {
        ADDRESS.count(client, &self.address, now).await?;
        Ok(())
    }

    /// It was right: the account's failures are forgotten. Those of the address are not, or whoever has an account of
    /// their own could guess at others without end.
    pub(super) async fn was_right(&self, client: &Client) -> Result<(), Error> {
        identity::forgive().bind(client, &ACCOUNT.name, &self.account).await?;
        Ok(())
    }
}
