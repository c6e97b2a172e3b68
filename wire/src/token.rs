//! The claims of an access token (RFC 9068 and this gateway's own), as they stand in its payload.

use serde::{Deserialize, Serialize};

use crate::decision::Tier;

/// `typ` of an access token's header (RFC 9068 section 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The payload of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// For which resources: the gateway's URL for all servers, or the URLs of single ones (RFC 8707).
    pub aud: Audience,
    /// The user.
    pub sub: String,
    /// When it dies, in seconds since 1970.
    pub exp: u64,
    /// When it was issued.
    pub iat: u64,
    /// From when it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Its own id.
    pub jti: String,
    /// The OAuth client.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_id: String,
    /// Scopes, separated by spaces.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The log-in session.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sid: String,
    /// The organisation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// The department.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub department: String,
    /// What kind of caller.
    pub tier: Tier,
    /// Roles (RFC 9068 section 2.2.3.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The agent that acts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub agent: String,
    /// Who acts for whom (RFC 8693 section 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Actor>>,
    /// Its scopes are all that it carries: what somebody agreed to. Its roles add none, and only say which grants name it.
    #[serde(default, rename = "sp_bound", skip_serializing_if = "std::ops::Not::not")]
    pub is_bound: bool,
}

/// A link of an `act` chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The actor.
    pub sub: String,
    /// Who acted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Actor>>,
}

/// `aud`: one text or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Audience {
    /// Whether `resource` is meant.
    pub fn contains(&self, resource: &str) -> bool {
        match self {
            Audience::One(one) => one == resource,
            Audience::Many(many) => many.iter().any(|one| one == resource),
        }
    }

    /// Every resource that is meant.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Audience::One(one) => std::slice::from_ref(one),
            Audience::Many(many) => many.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

impl Claims {
    /// The `act` chain as one text: the current actor first, separated by spaces; empty where nobody acts for the subject.
    /// LIMIT: 8 links; a longer chain is nobody's honest delegation and is cut.
    pub fn act_chain(&self) -> String {
        let mut out = String::new();
        let mut link = self.act.as_deref();
        for _ in 0..8 {
            let Some(actor) = link else { break };
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(&actor.sub);
            link = actor.act.as_deref();
        }
        out
    }
}
