//! Verifies an API key against the snapshot. Pure: no clock, no I/O.
//! Lives on: one shard, once per key and generation.

use wire::api_key;
use wire::decision::{AuthMethod, Reason, Tier};
use wire::snapshot::ArchivedApiKey;
use wire::token::{Audience, Claims};

use super::{Principal, refuse_shut_out};
use crate::policy::Policy;

/// Who calls with this key. What is not a key, what nobody made and what was revoked are told apart by nobody.
///
/// # Errors
/// The reason for a 401, or a 403 where the subject itself is shut out.
pub(super) fn verify(policy: &Policy, text: &str, now_s: u64) -> Result<Principal, Reason> {
    let snapshot = policy.snapshot();
    let id = api_key::id_of(text).ok_or(Reason::KeyUnknown)?;
    // Hashed whether the id is known or not, and compared in constant time: neither the id nor the hash can be felt out.
    let hash = api_key::hash(&policy.api_key_key, text);
    let found = snapshot.api_keys.get(id);
    let stored = blake3::Hash::from_bytes(found.map_or([0; 32], |key| key.hash));
    let key = found.filter(|_| hash == stored).ok_or(Reason::KeyUnknown)?;
    let expires_at_s = key.expires_at_s.to_native();
    if expires_at_s != 0 && expires_at_s <= now_s {
        return Err(Reason::TokenExpired);
    }
    refuse_shut_out(policy, key.user.as_str(), now_s)?;
    let bound: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let tier = Tier::from_code(key.tier).ok_or(Reason::KeyUnknown)?;
    Ok(Principal::new(claims(policy, id, key, tier), AuthMethod::ApiKey, policy, &bound))
}

/// What a token for the same would say.
fn claims(policy: &Policy, id: &str, key: &ArchivedApiKey, tier: Tier) -> Claims {
    let snapshot = policy.snapshot();
    let aud = match key.servers.is_empty() {
        true => Audience::One(snapshot.base_url.as_str().to_owned()),
        false => Audience::Many(key.servers.iter().filter_map(|server| policy.audience(server.as_str())).collect()),
    };
    Claims {
        iss: snapshot.issuer.as_str().to_owned(),
        aud,
        sub: key.user.as_str().to_owned(),
        exp: match key.expires_at_s.to_native() {
            0 => u64::MAX,
            expires => expires,
        },
        iat: key.created_at_s.to_native(),
        nbf: None,
        jti: id.to_owned(),
        client_id: String::new(),
        scope: String::new(),
        sid: String::new(),
        tenant: key.tenant.as_str().to_owned(),
        department: key.department.as_str().to_owned(),
        tier,
        roles: key.roles.iter().map(|role| role.as_str().to_owned()).collect(),
        agent: key.agent.as_str().to_owned(),
        act: None,
        is_bound: false,
    }
}
