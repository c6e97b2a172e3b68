//! What the database says about policy: roles, grants, bans, revocations and keys, read at one moment. It goes into the
//! snapshot with the time at which each part ends, so that the next start, or an outage, forgets nothing and keeps
//! nothing for longer than it was meant.

use std::collections::HashMap;
use std::time::Duration;

use dataplane::chain::blocklist::is_network;
use dataplane::chain::glob::Glob;
use jiff::{SignedDuration, Timestamp};
use schema::queries::{identity, operate, policy as sql};
use wire::decision::Tier;
use wire::snapshot::{ApiKey, Effect, Grant, KeyAlgorithm, Revoked, Snapshot, Stored, Subject, VerifyKey};

use crate::postgres::{Database, DatabaseState, PostgresError};

/// LIMIT: reading takes milliseconds; a database that hangs is given up after this, and the last facts stay.
const READ_TIME_MAX: Duration = Duration::from_secs(3);

/// LIMIT: whoever uses a key that expired is told so for this long; afterwards there is no such key.
const EXPIRED_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What the database says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Roles and grants.
    pub stored: Stored,
    /// What was taken back, and who is shut out.
    pub revoked: Revoked,
    /// API keys by their public id.
    pub api_keys: HashMap<String, ApiKey>,
}

/// Why the database could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// It is away.
    #[error("the database is away: {0}")]
    Away(String),
    /// It does not answer.
    #[error("the database did not answer within {READ_TIME_MAX:?}")]
    Slow,
    /// It refuses.
    #[error("the database cannot be read: {0}")]
    Refused(String),
}

impl From<PostgresError> for FactsError {
    fn from(error: PostgresError) -> FactsError {
        FactsError::Away(error.to_string())
    }
}

impl From<tokio_postgres::Error> for FactsError {
    fn from(error: tokio_postgres::Error) -> FactsError {
        FactsError::Refused(crate::postgres::error_chain(&error))
    }
}

impl Facts {
    /// Those that a snapshot was compiled from.
    pub fn of(snapshot: &Snapshot) -> Facts {
        Facts { stored: snapshot.stored.clone(), revoked: snapshot.revoked.clone(), api_keys: snapshot.api_keys.clone() }
    }

    /// Reads them, all as of one moment.
    ///
    /// # Errors
    /// The facts known before stay right to decide by.
    pub async fn read(database: &Database, now: Timestamp) -> Result<Facts, FactsError> {
        if let DatabaseState::Down { reason } = &*database.state().borrow() {
            return Err(FactsError::Away(reason.clone()));
        }
        let read = tokio::time::timeout(READ_TIME_MAX, async {
            let mut client = database.get().await?;
            let transaction = client
                .build_transaction()
                .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
                .read_only(true)
                .start()
                .await?;
            let facts = read_in(&transaction, now).await?;
            transaction.commit().await?;
            Ok(facts)
        });
        read.await.unwrap_or(Err(FactsError::Slow))
    }

    /// What of them still holds.
    #[must_use]
    pub fn at(&self, now_s: u64) -> Facts {
        let lives = |until_s: u64| until_s == 0 || until_s > now_s;
        let mut facts = self.clone();
        facts.stored.grants.retain(|(_, until_s)| lives(*until_s));
        facts.stored.keys.retain(|(_, until_s)| lives(*until_s));
        facts.revoked.banned.retain(|_, until_s| lives(*until_s));
        facts.revoked.networks.retain(|_, until_s| lives(*until_s));
        facts.revoked.tokens.retain(|_, until_s| lives(*until_s));
        facts
    }

    /// When the next part of them ends that shards cannot tell by themselves.
    pub fn next_end_s(&self, now_s: u64) -> Option<u64> {
        let grants = self.stored.grants.iter().map(|(_, until_s)| *until_s);
        let keys = self.stored.keys.iter().map(|(_, until_s)| *until_s);
        let ends = grants.chain(keys).chain(self.revoked.networks.values().copied());
        ends.filter(|until_s| *until_s > now_s && *until_s != u64::MAX).min()
    }
}

async fn read_in(client: &tokio_postgres::Transaction<'_>, now: Timestamp) -> Result<Facts, tokio_postgres::Error> {
    let mut facts = Facts { stored: Stored { is_known: true, ..Stored::default() }, ..Facts::default() };
    for role in sql::roles().bind(client).all().await? {
        facts.stored.roles.insert(role.name, role.scopes);
    }
    for row in operate::live_grants().bind(client, &now).all().await? {
        if let Some(grant) = grant(&row) {
            facts.stored.grants.push((grant, row.expires_at.map_or(0, second)));
        }
    }
    for row in identity::signing_keys().bind(client, &now).all().await? {
        if let Some(key) = verify_key(&row) {
            facts.stored.keys.push((key, second(row.verifies_until)));
        }
    }
    for row in sql::revocations().bind(client, &now).all().await? {
        facts.revoked.epoch = facts.revoked.epoch.max(u64::try_from(row.epoch).unwrap_or(0));
        let before = second(row.issued_before);
        let revoked = &mut facts.revoked;
        match row.kind.as_str() {
            "user" => latest(&mut revoked.users, row.subject, before),
            "session" => latest(&mut revoked.sessions, row.subject, before),
            _ => latest(&mut revoked.tokens, row.subject, u64::MAX),
        }
    }
    for id in operate::disabled_accounts().bind(client).all().await? {
        facts.revoked.disabled.insert(id);
    }
    let since = now.checked_sub(EXPIRED_KEPT).unwrap_or(now);
    for row in operate::live_keys().bind(client, &since).all().await? {
        if let Some((id, key)) = api_key(row) {
            facts.api_keys.insert(id, key);
        }
    }
    for row in sql::bans().bind(client, &now).all().await? {
        let until = row.until.map_or(u64::MAX, second);
        match row.kind.as_str() {
            "user" => drop(facts.revoked.banned.insert(row.subject, until)),
            _ if is_network(&row.subject) => drop(facts.revoked.networks.insert(row.subject, until)),
            // Written past the command that checks it; whom it should keep out nobody can say.
            _ => {
                tracing::error!(subject = %row.subject, "a ban in the database names no network; remove it with `sp admin bans remove`")
            }
        }
    }
    Ok(facts)
}

fn latest(of: &mut HashMap<String, u64>, subject: String, second: u64) {
    let known = of.entry(subject).or_default();
    *known = (*known).max(second);
}

/// Seconds since 1970.
fn second(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or(0)
}

/// A signing key's public half. A row that is none was written past us, and verifies nothing.
fn verify_key(row: &identity::SigningKeys) -> Option<VerifyKey> {
    let algorithm = match (row.algorithm.as_str(), row.public.as_slice()) {
        ("EdDSA", point) if point.len() == 32 => KeyAlgorithm::EdDsa,
        ("ES256", [4, ..]) if row.public.len() == 65 => KeyAlgorithm::Es256,
        _ => {
            tracing::error!(kid = %row.kid, "a signing key in the database has no public half of its algorithm");
            return None;
        }
    };
    Some(VerifyKey { kid: row.kid.clone(), algorithm, public: row.public.clone() })
}

/// A key as shards know it. A row that is none was written past the command, and lets nobody in.
fn api_key(row: operate::LiveKeys) -> Option<(String, ApiKey)> {
    let hash = <[u8; 32]>::try_from(row.hash.as_slice()).ok()?;
    let tier = Tier::from_word(&row.tier)?;
    let key = ApiKey {
        hash,
        user: row.account,
        tier: tier.code(),
        tenant: row.tenant.unwrap_or_default(),
        department: row.department.unwrap_or_default(),
        agent: row.agent.unwrap_or_default(),
        roles: row.roles,
        scopes: row.scopes,
        servers: row.servers,
        created_at_s: second(row.created_at),
        expires_at_s: row.expires_at.map_or(0, second),
    };
    Some((row.id, key))
}

/// A grant as shards know it; `None` for one that gives and cannot be read. One that takes and cannot be read takes
/// everything of its subject: a policy must not be wider than it was meant, and not stand still for one bad row.
fn grant(row: &operate::LiveGrants) -> Option<Grant> {
    let readable = Glob::compile(&row.server).is_ok() && Glob::compile(&row.tool).is_ok();
    let effect = if row.effect == "deny" { Effect::Deny } else { Effect::Allow };
    if !readable {
        tracing::error!(grant = %row.id, "a grant in the database has a bad pattern; remove it with `sp admin grants remove`");
        if effect == Effect::Allow {
            return None;
        }
    }
    let (server, tool) = if readable { (row.server.as_str(), row.tool.as_str()) } else { ("*", "*") };
    let one = || vec![row.principal.clone()];
    let subject = match row.principal_kind.as_str() {
        "user" => Subject { users: one(), ..Subject::default() },
        "role" => Subject { roles: one(), ..Subject::default() },
        "department" => Subject { departments: one(), ..Subject::default() },
        "tenant" => Subject { tenants: one(), ..Subject::default() },
        _ => Subject { agents: one(), ..Subject::default() },
    };
    Some(Grant {
        id: format!("db:{}", row.id),
        effect,
        subject,
        servers: vec![server.to_owned()],
        tools: if tool == "*" { Vec::new() } else { vec![tool.to_owned()] },
        methods: Vec::new(),
        scopes: row.scopes.clone(),
        when: String::new(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn row(effect: &str, tool: &str) -> operate::LiveGrants {
        operate::LiveGrants {
            id: uuid::Uuid::nil(),
            principal_kind: "user".into(),
            principal: "ann".into(),
            server: "files".into(),
            tool: tool.into(),
            effect: effect.into(),
            scopes: Vec::new(),
            expires_at: None,
        }
    }

    #[test]
    fn a_bad_pattern_gives_nothing_and_takes_everything() {
        assert_eq!(grant(&row("allow", "[")), None);
        let taken = grant(&row("deny", "[")).unwrap();
        assert_eq!((taken.servers.join(","), taken.tools.len()), ("*".to_owned(), 0));
        let whole = grant(&row("allow", "*")).unwrap();
        assert_eq!((whole.servers.join(","), whole.tools.len()), ("files".to_owned(), 0));
        assert_eq!(grant(&row("allow", "read_*")).unwrap().tools, ["read_*"]);
    }

    #[test]
    fn what_has_ended_is_left_out_and_the_next_end_is_known() {
        let ends = |until_s| (grant(&row("allow", "x")).unwrap(), until_s);
        let mut facts = Facts::default();
        facts.stored.grants = vec![ends(0), ends(10), ends(20)];
        facts.revoked.networks.insert("192.0.2.0/24".into(), 15);
        facts.revoked.banned.insert("bob".into(), u64::MAX);
        assert_eq!(facts.next_end_s(0), Some(10));
        assert_eq!(facts.next_end_s(10), Some(15));
        assert_eq!(facts.next_end_s(20), None);
        let later = facts.at(15);
        assert_eq!((later.stored.grants.len(), later.revoked.networks.len(), later.revoked.banned.len()), (2, 0, 1));
        assert_eq!(facts.at(0), facts);
    }
}
