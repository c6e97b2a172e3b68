//! Passwords, for those who want one: Argon2id, a few at a time, and as long for nobody as for somebody.

use std::sync::LazyLock;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, PasswordHash};
use tokio::sync::Semaphore;

use super::{Account, Error, secret};

/// LIMIT: NIST SP 800-63B-4 asks for 15 where a password alone is enough.
const CHARS_MIN: usize = 15;

/// LIMIT: longer ones only cost time.
const BYTES_MAX: usize = 512;

/// LIMIT: hashes at a time: each takes 19 MiB and a core for tens of milliseconds.
static AT_A_TIME: Semaphore = Semaphore::const_new(2);

/// What is compared with when there is nothing to compare with, so that this takes as long. Nobody knows its password.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash_now(&secret::random().ok()?));

fn hash_now(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash: PasswordHash| hash.to_string())
}

/// What is stored of a password.
pub(super) async fn hash(password: String) -> Result<String, Error> {
    let _turn = AT_A_TIME.acquire().await.map_err(|_| Error::Task)?;
    tokio::task::spawn_blocking(move || hash_now(&password)).await.ok().flatten().ok_or(Error::Random)
}

/// Whether it is the password of which this is stored; of nobody it never is.
pub(super) async fn is_right(password: String, phc: Option<String>) -> Result<bool, Error> {
    let _turn = AT_A_TIME.acquire().await.map_err(|_| Error::Task)?;
    let judged = tokio::task::spawn_blocking(move || {
        let is_somebody = phc.is_some();
        let nobody = NOBODY.as_deref();
        let phc = phc.as_deref().or(nobody)?;
        let is_right = password.len() <= BYTES_MAX && Argon2::default().verify_password(password.as_bytes(), phc).is_ok();
        Some(is_right && is_somebody)
    });
    judged.await.ok().flatten().ok_or(Error::Task)
}

/// Why somebody may not have this password, in words for them.
pub(super) fn objection(password: &str, account: &Account) -> Option<&'static str> {
    let same = password.to_lowercase();
    let own = [&account.id, &account.name, account.email.as_ref().unwrap_or(&account.id)];
    let different: std::collections::BTreeSet<char> = same.chars().collect();
    if password.chars().count() < CHARS_MIN {
        return Some("Use at least 15 characters; some words with spaces between them are easy to remember.");
    }
    if password.len() > BYTES_MAX {
        return Some("Use at most 512 bytes.");
    }
    if own.iter().any(|own| !own.is_empty() && own.to_lowercase() == same) || different.len() < 5 {
        return Some("That is easy to guess. Use some words that do not belong together.");
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[tokio::test]
    async fn only_the_password_is_the_password() {
        let phc = hash("correct horse battery".to_owned()).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(is_right("correct horse battery".to_owned(), Some(phc.clone())).await.unwrap());
        assert!(!is_right("correct horse batterz".to_owned(), Some(phc.clone())).await.unwrap());
        assert!(!is_right(String::new(), Some(phc)).await.unwrap());
        assert!(!is_right("correct horse battery".to_owned(), None).await.unwrap());
        assert!(!is_right("x".to_owned(), Some("nonsense".to_owned())).await.unwrap());
    }

    #[test]
    fn easy_ones_are_not_taken() {
        let account = Account {
            id: "ann".into(),
            tier: wire::decision::Tier::User,
            name: "Ann from Accounting".into(),
            email: Some("ann.of.accounting@example.com".into()),
            tenant: None,
            department: None,
            roles: vec![],
            handle: uuid::Uuid::nil(),
        };
        for (password, taken) in [
            ("short", false),
            ("aaaaaaaaaaaaaaaaaaaa", false),
            ("Ann From Accounting", false),
            ("ann.of.accounting@example.com", false),
            ("correct horse battery", true),
            ("длинный надёжный пароль", true),
        ] {
            assert_eq!(objection(password, &account).is_none(), taken, "{password}");
        }
        assert!(objection(&"ab cde".repeat(100), &account).is_some());
    }
}
