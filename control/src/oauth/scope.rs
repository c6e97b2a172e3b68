//! Which scopes a client gets: those that were asked for, as far as the person's roles, and what the client may have,
//! reach. Roles bundle scopes; agreeing gives no more than one has.

use std::collections::BTreeSet;

use wire::ids::ScopeName;
use wire::limits::SCOPES_MAX;

use super::refusal::{Code, Refusal};

/// What every person may give about themselves (OpenID Connect Core section 5.4 and 11).
pub const OF_OPENID: &[&str] = &["openid", "profile", "email", "offline_access"];

/// What operates the gateway itself: given when it is asked for, never by default.
pub const OF_GATEWAY: &[&str] = &["gateway:operate", "gateway:read", "audit:read"];

/// Reads `scope`.
///
/// # Errors
/// `invalid_scope`: not a list of scopes.
pub fn parse(text: Option<&str>) -> Result<Option<Vec<String>>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let mut scopes: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if word.parse::<ScopeName>().is_err() {
            return Err(Refusal::new(Code::InvalidScope, "`scope` has characters that scopes do not have"));
        }
        if !scopes.iter().any(|known| known == word) {
            scopes.push(word.to_owned());
        }
    }
    match scopes.len() {
        0 => Ok(None),
        count if count > SCOPES_MAX => Err(Refusal::new(Code::InvalidScope, "`scope` has too many scopes")),
        _ => Ok(Some(scopes)),
    }
}

/// What bounds a grant.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// Scopes of the subject's roles.
    pub of_roles: &'a BTreeSet<String>,
    /// The most that the client may have; nothing for whatever the person may give.
    pub of_client: Option<&'a [String]>,
    /// Whether the subject is a person, who may say who they are.
    pub is_person: bool,
    /// Whether the gateway's own commands are what the token is for.
    pub is_for_gateway: bool,
}

impl Bounds<'_> {
    fn reaches(&self, scope: &str) -> bool {
        if OF_OPENID.contains(&scope) {
            return self.is_person;
        }
        self.of_roles.contains(scope) && self.of_client.is_none_or(|most| most.iter().any(|one| one == scope))
    }
}

/// What is given of what was asked for; where nothing was asked for, what the subject's roles stand for.
///
/// # Errors
/// `invalid_scope`: nothing of it can be given.
pub fn grant(asked: Option<&[String]>, bounds: &Bounds<'_>) -> Result<Vec<String>, Refusal> {
    let Some(asked) = asked else {
        let usual = bounds.of_roles.iter().filter(|scope| bounds.is_for_gateway || !OF_GATEWAY.contains(&scope.as_str()));
        return Ok(usual.filter(|scope| bounds.reaches(scope)).cloned().collect());
    };
    let given: Vec<String> = asked.iter().filter(|scope| bounds.reaches(scope)).cloned().collect();
    if given.is_empty() {
        return Err(Refusal::new(Code::InvalidScope, "none of these scopes can be given: no role of this account has them"));
    }
    Ok(given)
}

/// Whether all of `some` are in `all`.
pub fn is_within(some: &[String], all: &[String]) -> bool {
    some.iter().all(|one| all.contains(one))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lists_are_read() {
        assert_eq!(parse(None).unwrap(), None);
        assert_eq!(parse(Some("  ")).unwrap(), None);
        assert_eq!(parse(Some("b a b")).unwrap(), Some(texts(&["b", "a"])));
        assert!(parse(Some("a\"b")).is_err());
        assert!(parse(Some("ä")).is_err());
        let many: Vec<String> = (0..65).map(|n| format!("s{n}")).collect();
        assert!(parse(Some(&many.join(" "))).is_err());
    }

    #[test]
    fn nobody_gives_what_they_do_not_have() {
        let of_roles: BTreeSet<String> = texts(&["tools:call", "tools:list", "gateway:operate"]).into_iter().collect();
        let bounds = Bounds { of_roles: &of_roles, of_client: None, is_person: true, is_for_gateway: false };
        let given = |asked: Option<&[&str]>, bounds: &Bounds<'_>| {
            let asked = asked.map(texts);
            grant(asked.as_deref(), bounds).map_err(|refusal| refusal.code)
        };
        assert_eq!(given(None, &bounds), Ok(texts(&["tools:call", "tools:list"])));
        assert_eq!(given(None, &Bounds { is_for_gateway: true, ..bounds }).unwrap().len(), 3);
        assert_eq!(given(Some(&["openid", "tools:call", "db:admin"]), &bounds), Ok(texts(&["openid", "tools:call"])));
        assert_eq!(given(Some(&["gateway:operate"]), &bounds), Ok(texts(&["gateway:operate"])));
        assert_eq!(given(Some(&["db:admin"]), &bounds), Err(Code::InvalidScope));
        let most = texts(&["tools:list"]);
        let bounded = Bounds { of_client: Some(&most), ..bounds };
        assert_eq!(given(None, &bounded), Ok(texts(&["tools:list"])));
        assert_eq!(given(Some(&["tools:call"]), &bounded), Err(Code::InvalidScope));
        let machine = Bounds { is_person: false, ..bounds };
        assert_eq!(given(Some(&["openid"]), &machine), Err(Code::InvalidScope));
    }
}
