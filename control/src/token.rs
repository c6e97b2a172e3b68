//! Makes access tokens: for the OAuth server, and for the operator who mints one at the terminal.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use wire::decision::Tier;
use wire::ids::{AgentId, ClientId, DepartmentId, McpServerId, RoleName, ScopeName, SessionId, TenantId, UserId};
use wire::limits::TOKEN_BYTES_MAX;
use wire::token::{ACCESS_TOKEN_TYPE, Audience, Claims};

use crate::keys::SigningKey;

/// LIMIT: longest life of a token. Who needs longer logs in again, or uses an API key.
pub const TTL_MAX: Duration = Duration::from_secs(30 * 86_400);

/// Path of a server below the gateway's URL; with it, the server's resource identifier (RFC 8707).
pub fn server_path(server: &str) -> String {
    format!("/api/v1/mcp/{server}/mcp")
}

const _: () = assert!(TTL_MAX.as_secs() == 30 * 86_400, "the message of `TokenError::Ttl` names it");

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It would never be valid, or for too long.
    #[error("a token lives from 1s to 30d; this one would live {0:?}")]
    Ttl(Duration),
    /// Nobody would accept it.
    #[error("the token has {0} bytes, more than the {TOKEN_BYTES_MAX} that fit a header; give fewer scopes, roles or servers")]
    TooLong(usize),
    /// The signing library refused the key.
    #[error("the token cannot be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

/// Signs `claims`.
///
/// # Errors
/// Nobody would accept the token.
pub fn mint(key: &SigningKey, claims: &Claims) -> Result<String, TokenError> {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(ACCESS_TOKEN_TYPE.to_owned());
    header.kid = Some(key.kid().to_owned());
    let token = jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(key.pkcs8())).map_err(TokenError::Sign)?;
    if token.len() > TOKEN_BYTES_MAX { Err(TokenError::TooLong(token.len())) } else { Ok(token) }
}

/// What a token is asked for.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The subject.
    pub user: UserId,
    /// What kind of caller.
    pub tier: Tier,
    /// How long it lives.
    pub ttl: Duration,
    /// The OAuth client that asked.
    pub client: Option<ClientId>,
    /// The organisation.
    pub tenant: Option<TenantId>,
    /// The department.
    pub department: Option<DepartmentId>,
    /// Roles; their scopes are added by the policy, not written into the token.
    pub roles: Vec<RoleName>,
    /// Scopes of the token itself.
    pub scopes: Vec<ScopeName>,
    /// The agent that acts.
    pub agent: Option<AgentId>,
    /// The log-in; a new one when absent.
    pub session: Option<SessionId>,
    /// The only servers it is for; empty for all.
    pub servers: Vec<McpServerId>,
}

impl TokenRequest {
    /// A request for a token of `user` that lives an hour and carries nothing else.
    pub fn new(user: UserId, tier: Tier) -> TokenRequest {
        TokenRequest {
            user,
            tier,
            ttl: Duration::from_secs(3600),
            client: None,
            tenant: None,
            department: None,
            roles: Vec::new(),
            scopes: Vec::new(),
            agent: None,
            session: None,
            servers: Vec::new(),
        }
    }

    /// The claims, with ids of their own for the token and, unless given, the session.
    ///
    /// # Errors
    /// The life is out of range.
    pub fn claims(&self, issuer: &str, base_url: &str, now_s: u64) -> Result<Claims, TokenError> {
        if self.ttl < Duration::from_secs(1) || self.ttl > TTL_MAX {
            return Err(TokenError::Ttl(self.ttl));
        }
        let aud = match self.servers.as_slice() {
            [] => Audience::One(base_url.to_owned()),
            [one] => Audience::One(format!("{base_url}{}", server_path(one.as_str()))),
            many => Audience::Many(many.iter().map(|one| format!("{base_url}{}", server_path(one.as_str()))).collect()),
        };
        let scopes: Vec<&str> = self.scopes.iter().map(ScopeName::as_str).collect();
        Ok(Claims {
            iss: issuer.to_owned(),
            aud,
            sub: self.user.to_string(),
            exp: now_s.saturating_add(self.ttl.as_secs()),
            iat: now_s,
            nbf: None,
            jti: new_token_id(),
            client_id: text(&self.client),
            scope: scopes.join(" "),
            sid: self.session.as_ref().map_or_else(new_token_id, SessionId::to_string),
            tenant: text(&self.tenant),
            department: text(&self.department),
            tier: self.tier,
            roles: self.roles.iter().map(RoleName::to_string).collect(),
            agent: text(&self.agent),
            act: None,
            is_bound: false,
        })
    }
}

fn text<T: AsRef<str>>(id: &Option<T>) -> String {
    id.as_ref().map_or_else(String::new, |id| id.as_ref().to_owned())
}

/// Random and ordered by time, so that ids of one day stand together in an index.
fn new_token_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use dataplane::identity::verify::{Key, verify};
    use wire::decision::Reason;
    use wire::ids::TokenId;

    use super::*;

    const NOW_S: u64 = 1_800_000_000;

    fn request() -> TokenRequest {
        TokenRequest {
            tenant: Some("acme".parse().unwrap()),
            department: Some("R&D".parse().unwrap()),
            roles: vec!["developer".parse().unwrap()],
            scopes: vec!["tools:call".parse().unwrap(), "tools:list".parse().unwrap()],
            agent: Some("claude".parse().unwrap()),
            session: Some("s-1".parse().unwrap()),
            ..TokenRequest::new("ada".parse().unwrap(), Tier::User)
        }
    }

    #[test]
    fn what_is_minted_here_verifies_on_a_shard() {
        let key = SigningKey::generate().unwrap();
        let keys = [Key::new(key.kid(), key.verify_key().algorithm, key.public()).unwrap()];
        let claims = request().claims("https://gate", "https://gate", NOW_S).unwrap();
        let token = mint(&key, &claims).unwrap();
        assert_eq!(verify(&token, &keys, "https://gate", NOW_S), Ok(claims.clone()));
        assert_eq!(verify(&token, &keys, "https://gate", claims.exp), Err(Reason::TokenExpired));
        assert_eq!(verify(&token, &keys, "https://other", NOW_S), Err(Reason::TokenIssuer));
        let other = SigningKey::generate().unwrap();
        assert_eq!(verify(&mint(&other, &claims).unwrap(), &keys, "https://gate", NOW_S), Err(Reason::TokenKeyUnknown));
    }

    #[test]
    fn audiences_are_resources() {
        let aud = |servers: &[&str]| {
            let servers = servers.iter().map(|name| name.parse().unwrap()).collect();
            TokenRequest { servers, ..request() }.claims("i", "http://h:1", NOW_S).unwrap().aud
        };
        assert_eq!(aud(&[]), Audience::One("http://h:1".into()));
        assert_eq!(aud(&["time"]), Audience::One("http://h:1/api/v1/mcp/time/mcp".into()));
        assert!(aud(&["time", "git"]).contains("http://h:1/api/v1/mcp/git/mcp"));
        assert!(!aud(&["time", "git"]).contains("http://h:1"));
    }

    #[test]
    fn tokens_that_nobody_would_accept_are_not_made() {
        for (ttl, ok) in [(0, false), (1, true), (TTL_MAX.as_secs(), true), (TTL_MAX.as_secs() + 1, false)] {
            let request = TokenRequest { ttl: Duration::from_secs(ttl), ..request() };
            assert_eq!(request.claims("i", "b", NOW_S).is_ok(), ok, "{ttl}");
        }
        let scopes = (0..2000).map(|n| format!("scope:{n}").parse().unwrap()).collect();
        let claims = TokenRequest { scopes, ..request() }.claims("i", "b", NOW_S).unwrap();
        assert!(matches!(mint(&SigningKey::generate().unwrap(), &claims), Err(TokenError::TooLong(_))));
        let no_session = TokenRequest { session: None, ..request() };
        let (a, b) = (no_session.claims("i", "b", NOW_S).unwrap(), no_session.claims("i", "b", NOW_S).unwrap());
        assert!(a.sid != b.sid && a.jti != b.jti);
        assert!(a.jti.parse::<TokenId>().is_ok());
    }
}
