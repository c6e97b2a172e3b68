//! Policies on trial: cases that users write, and calls of the past that another policy would have judged otherwise.
//!
//! What a row of the audit trail does not hold cannot be judged, and is said so: arguments that are kept as a digest or as a
//! beginning only, scopes that a token carried by itself and a role gave as well, and what was used of a limit before the
//! first call that is looked at.

pub mod cases;
pub mod diff;

use std::collections::BTreeMap;

use wire::decision::Tier;
use wire::token::{Audience, Claims};

/// Who calls, without a token.
pub(crate) fn claims(user: &str, tier: Tier, roles: Vec<String>, scopes: &[String]) -> Claims {
    Claims {
        iss: String::new(),
        aud: Audience::Many(Vec::new()),
        sub: user.to_owned(),
        exp: u64::MAX,
        iat: u64::MAX,
        nbf: None,
        jti: String::new(),
        client_id: String::new(),
        scope: scopes.join(" "),
        sid: String::new(),
        tenant: String::new(),
        department: String::new(),
        tier,
        roles,
        agent: String::new(),
        act: None,
        is_bound: false,
    }
}

/// How often each of some words was met, the most frequent first.
pub(crate) fn tally<'a>(words: impl Iterator<Item = &'a str>) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    let mut all: Vec<(String, usize)> = counts.into_iter().map(|(word, count)| (word.to_owned(), count)).collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all
}
