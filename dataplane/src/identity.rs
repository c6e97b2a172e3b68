//! From a bearer token to a principal: verified once per token and shard, then found by its digest until it expires,
//! is revoked, or another policy comes into force.
//! Lives on: one shard.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use hashbrown::HashMap;
use wire::decision::{AuthMethod, Reason, Tier};
use wire::record::Identity;
use wire::snapshot::Subject;
use wire::token::Claims;

use crate::chain::scope::Standing;
use crate::limits::TOKEN_CACHE_MAX;
use crate::policy::{Policy, Verifier};

mod key;
pub mod verify;

/// Who calls, as a verified credential says. Made only by [`Identities`].
pub struct Principal {
    /// The verified claims; those of nobody when nothing verified.
    pub(crate) claims: Claims,
    pub(crate) auth_method: AuthMethod,
    pub(crate) roles: String,
    /// The token's scopes and those that its roles stand for, separated by spaces, sorted.
    pub(crate) scopes: String,
    pub(crate) act_for: String,
    /// The only scopes that the credential carries; empty for all of those of its roles.
    bound: Vec<String>,
    /// What it may do; found when first asked, and again under another policy.
    standing: RefCell<Option<Rc<Standing>>>,
}

impl Principal {
    /// The principal of claims that were verified, on no shard: for asking what it may do, not for serving it.
    pub fn of_claims(claims: Claims, policy: &Policy) -> Principal {
        Principal::new(claims, AuthMethod::AccessToken, policy, &[])
    }

    /// The same under another policy, whose roles may stand for other scopes.
    pub(crate) fn under(&self, policy: &Policy) -> Principal {
        let bound: Vec<&str> = self.bound.iter().map(String::as_str).collect();
        Principal::new(self.claims.clone(), self.auth_method, policy, &bound)
    }

    fn new(claims: Claims, auth_method: AuthMethod, policy: &Policy, bound: &[&str]) -> Principal {
        let roles = claims.roles.join(" ");
        let act_for = claims.act_chain();
        let mut principal = Principal {
            scopes: String::new(),
            claims,
            auth_method,
            roles,
            act_for,
            bound: texts(bound),
            standing: RefCell::new(None),
        };
        principal.scopes = principal.effective_scopes(policy, bound);
        principal
    }

    /// Somebody whose credential did not verify.
    pub(crate) fn anonymous() -> Principal {
        let claims = Claims {
            iss: String::new(),
            aud: wire::token::Audience::Many(Vec::new()),
            sub: String::new(),
            exp: 0,
            iat: 0,
            nbf: None,
            jti: String::new(),
            client_id: String::new(),
            scope: String::new(),
            sid: String::new(),
            tenant: String::new(),
            department: String::new(),
            tier: Tier::Anonymous,
            roles: Vec::new(),
            agent: String::new(),
            act: None,
            is_bound: false,
        };
        Principal {
            claims,
            auth_method: AuthMethod::None,
            roles: String::new(),
            scopes: String::new(),
            act_for: String::new(),
            bound: Vec::new(),
            standing: RefCell::new(None),
        }
    }

    /// The principal of these claims, whose roles stand for no scopes.
    #[cfg(test)]
    pub(crate) fn for_tests(claims: Claims) -> Principal {
        Principal { scopes: claims.scope.clone(), claims, ..Principal::anonymous() }
    }

    /// The token's scopes and, unless it is bound to them, those of its roles; where `bound` names some, no others.
    fn effective_scopes(&self, policy: &Policy, bound: &[&str]) -> String {
        let snapshot = policy.snapshot();
        let mut scopes: Vec<&str> = self.claims.scope.split_ascii_whitespace().collect();
        let roles = if self.claims.is_bound { &[][..] } else { &self.claims.roles };
        for role in roles {
            if let Some(bundle) = snapshot.roles.get(role.as_str()) {
                scopes.extend(bundle.iter().map(|scope| scope.as_str()));
            }
        }
        scopes.retain(|scope| bound.is_empty() || bound.contains(scope));
        scopes.sort_unstable();
        scopes.dedup();
        scopes.join(" ")
    }

    /// What it may do under a policy. Cost: found at the first call under a policy, then one `Rc` clone.
    pub fn standing(&self, policy: &Policy) -> Rc<Standing> {
        let mut standing = self.standing.borrow_mut();
        match &*standing {
            Some(known) if known.generation() == policy.generation() => Rc::clone(known),
            _ => Rc::clone(standing.insert(Rc::new(Standing::new(policy, self)))),
        }
    }

    /// Whether a subject of a grant or limit includes it.
    pub(crate) fn is_in(&self, subject: &Subject) -> bool {
        self.differs_from(subject).is_none()
    }

    /// The first list of a subject that does not name it.
    pub(crate) fn differs_from(&self, subject: &Subject) -> Option<&'static str> {
        let claims = &self.claims;
        let one_of = |list: &[String], value: &str| list.is_empty() || list.iter().any(|entry| entry == value);
        let named = [
            ("tiers", subject.tiers == 0 || subject.tiers & (1 << claims.tier.code()) != 0),
            ("users", one_of(&subject.users, &claims.sub)),
            ("roles", subject.roles.is_empty() || claims.roles.iter().any(|role| subject.roles.contains(role))),
            ("departments", one_of(&subject.departments, &claims.department)),
            ("tenants", one_of(&subject.tenants, &claims.tenant)),
            ("agents", one_of(&subject.agents, &claims.agent)),
        ];
        named.into_iter().find(|(_, included)| !included).map(|(list, _)| list)
    }

    /// As the audit row has it.
    pub(crate) fn identity<'a>(&'a self, address: &'a str) -> Identity<'a> {
        Identity {
            user: &self.claims.sub,
            tenant: &self.claims.tenant,
            department: &self.claims.department,
            tier: self.claims.tier.code(),
            auth_method: self.auth_method.code(),
            roles: &self.roles,
            scopes: &self.scopes,
            token_id: &self.claims.jti,
            client: &self.claims.client_id,
            act_for: &self.act_for,
            address,
        }
    }
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

/// The principals one shard knows.
pub(crate) struct Identities {
    known: HashMap<[u8; 32], Known>,
    /// What verified those that are known.
    verifier: Option<Arc<Verifier>>,
    /// Where the next search for something to forget begins; see [`Identities::make_room`].
    turn: u64,
}

struct Known {
    principal: Rc<Principal>,
    /// Under which generation it was last found good.
    generation: u64,
    last_used: u64,
}

impl Identities {
    pub(crate) fn new() -> Identities {
        Identities { known: HashMap::new(), verifier: None, turn: 0 }
    }

    /// Who sent this token.
    ///
    /// # Errors
    /// The reason for a 401.
    pub(crate) fn identify(&mut self, policy: &Policy, token: Option<&str>, now_us: u64) -> Result<Rc<Principal>, Reason> {
        let token = token.ok_or(Reason::TokenMissing)?;
        let now_s = now_us / 1_000_000;
        if !self.verifier.as_ref().is_some_and(|verifier| Arc::ptr_eq(verifier, &policy.verifier)) {
            // Other signing keys: each live token is verified once more, at 50 µs each.
            self.known.clear();
            self.verifier = Some(Arc::clone(&policy.verifier));
        }
        self.turn += 1;
        let digest: [u8; 32] = blake3::hash(token.as_bytes()).into();
        if let Some(known) = self.known.get_mut(&digest) {
            known.last_used = self.turn;
            let claims = &known.principal.claims;
            if now_s >= claims.exp {
                self.known.remove(&digest);
                return Err(Reason::TokenExpired);
            }
            if known.generation == policy.generation() {
                return Ok(Rc::clone(&known.principal));
            }
            // Roles, API keys and revocations may have changed; a signature that held still holds.
            let again = match known.principal.auth_method {
                AuthMethod::AccessToken => admit(policy, claims.clone(), now_s),
                AuthMethod::ApiKey | AuthMethod::None | AuthMethod::Internal => key::verify(policy, token, now_s),
            };
            match again {
                Ok(principal) => {
                    known.principal = Rc::new(principal);
                    known.generation = policy.generation();
                    return Ok(Rc::clone(&known.principal));
                }
                Err(reason) => {
                    self.known.remove(&digest);
                    return Err(reason);
                }
            }
        }
        let principal = match token.starts_with(wire::api_key::PREFIX) {
            true => key::verify(policy, token, now_s)?,
            false => admit(policy, verify::verify(token, &policy.verifier.keys, &policy.verifier.issuer, now_s)?, now_s)?,
        };
        let principal = Rc::new(principal);
        self.make_room();
        let known = Known { principal: Rc::clone(&principal), generation: policy.generation(), last_used: self.turn };
        self.known.insert(digest, known);
        Ok(principal)
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// Forgets the older half when full. Cost: one pass over the cache every 16 k new tokens.
    fn make_room(&mut self) {
        if self.known.len() < TOKEN_CACHE_MAX {
            return;
        }
        let mut uses: Vec<u64> = self.known.values().map(|known| known.last_used).collect();
        let middle = uses.len() / 2;
        let (_, median, _) = uses.select_nth_unstable(middle);
        let median = *median;
        self.known.retain(|_, known| known.last_used > median);
    }
}

/// Whether whoever a token names may still use it.
fn admit(policy: &Policy, claims: Claims, now_s: u64) -> Result<Principal, Reason> {
    refuse_shut_out(policy, &claims.sub, now_s)?;
    refuse_revoked(policy, &claims)?;
    Ok(Principal::new(claims, AuthMethod::AccessToken, policy, &[]))
}

/// Whether a user may come in at all, whatever the credential.
pub(crate) fn refuse_shut_out(policy: &Policy, user: &str, now_s: u64) -> Result<(), Reason> {
    let revoked = &policy.snapshot().revoked;
    if revoked.banned.get(user).is_some_and(|until| until.to_native() > now_s) {
        return Err(Reason::Banned);
    }
    if revoked.disabled.get(user).is_some() { Err(Reason::UserDisabled) } else { Ok(()) }
}

fn refuse_revoked(policy: &Policy, claims: &Claims) -> Result<(), Reason> {
    let revoked = &policy.snapshot().revoked;
    let dead_since = |at: Option<&rkyv::rend::unaligned::u64_ule>| at.is_some_and(|second| claims.iat <= second.to_native());
    let dead = revoked.tokens.contains_key(claims.jti.as_str())
        || dead_since(revoked.sessions.get(claims.sid.as_str()))
        || dead_since(revoked.users.get(claims.sub.as_str()));
    if dead { Err(Reason::TokenRevoked) } else { Ok(()) }
}
