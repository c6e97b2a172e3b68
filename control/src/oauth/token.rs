//! The rules of the token endpoint. Pure: what is stored, what is asked and the time in, the answer out.
//!
//! Source: OAuth 2.1 sections 3.2, 4.1.3, 4.2, 4.3; RFC 7636 section 4.6; RFC 8628 section 3.5; RFC 8693; RFC 8707; RFC 9068.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use schema::queries::oauth::{Client, Family, LockCode, LockDevice, RefreshToken};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::token::{Actor, Audience, Claims};

use super::refusal::{Code, Refusal};
use super::scope;
use crate::people::Account;

/// `grant_type` of token exchange (RFC 8693 section 2.1).
pub const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// `grant_type` of devices (RFC 8628 section 3.4).
pub const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The token type of access tokens (RFC 8693 section 3).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The same for any JWT; our access tokens are.
pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// LIMIT: how long an access token lives. Revocation does not wait for it.
pub const ACCESS_LIFE: Duration = Duration::from_secs(3600);

/// LIMIT: how long a code waits for its client.
pub const CODE_LIFE: SignedDuration = SignedDuration::from_secs(60);

/// LIMIT: how long a refresh token may rest.
pub const REFRESH_LIFE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// LIMIT: how long all of it goes on without the person.
pub const FAMILY_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// LIMIT: links of an `act` chain; as many as audit rows show.
const ACTORS_MAX: usize = 8;

fn grant_refused(why: &'static str) -> Refusal {
    Refusal::new(Code::InvalidGrant, why)
}

/// Whether a client may use a grant.
///
/// # Errors
/// `unauthorized_client`.
pub fn may_use(client: &Client, grant: &str) -> Result<(), Refusal> {
    match client.grant_types.iter().any(|one| one == grant) {
        true => Ok(()),
        false => Err(Refusal::new(Code::UnauthorizedClient, "the client is not registered for this grant type")),
    }
}

/// Whether the verifier is what the challenge was made of (RFC 7636 section 4.6).
pub fn verifier_holds(challenge: &str, verifier: &str) -> bool {
    let is_verifier = (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'));
    let made = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    is_verifier && verify_slices_are_equal(made.as_bytes(), challenge.as_bytes()).is_ok()
}

/// Why a code or a refresh token is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spent {
    /// It was used before: somebody else has a copy, so what it led to is revoked.
    Replayed(Option<Uuid>),
    /// Anything else.
    Refused(Refusal),
}

/// What a client shows for a code.
#[derive(Debug, Clone, Copy)]
pub struct Redeem<'a> {
    /// Who, as it has proved.
    pub client_id: &'a str,
    /// Where it was answered.
    pub redirect_uri: Option<&'a str>,
    /// What the challenge was made of.
    pub verifier: Option<&'a str>,
}

/// Whether a code is redeemed (OAuth 2.1 section 4.1.3).
///
/// # Errors
/// [`Spent`].
pub fn redeem(code: &LockCode, shown: Redeem<'_>, now: Timestamp) -> Result<(), Spent> {
    if code.used_at.is_some() {
        return Err(Spent::Replayed(code.family));
    }
    let refuse = |why| Err(Spent::Refused(grant_refused(why)));
    if code.client != shown.client_id {
        return refuse("the code was given to another client");
    }
    if code.expires_at <= now {
        return refuse("the code has expired");
    }
    // OAuth 2.1 leaves the address out; clients of OAuth 2.0 send it, and then it must be the same.
    if shown.redirect_uri.is_some_and(|uri| uri != code.redirect_uri) {
        return refuse("`redirect_uri` is not the one that the code was sent to");
    }
    match shown.verifier {
        Some(verifier) if verifier_holds(&code.code_challenge, verifier) => Ok(()),
        Some(_) => refuse("`code_verifier` is not what the challenge was made of"),
        None => refuse("`code_verifier` is missing"),
    }
}

/// Whether a refresh token is taken (OAuth 2.1 section 4.3.1).
///
/// # Errors
/// [`Spent`].
pub fn refresh(token: &RefreshToken, family: &Family, client_id: &str, now: Timestamp) -> Result<(), Spent> {
    let refuse = |why| Err(Spent::Refused(grant_refused(why)));
    if family.client != client_id {
        return refuse("the refresh token was given to another client");
    }
    if token.used_at.is_some() {
        return Err(Spent::Replayed(Some(token.family)));
    }
    if family.revoked_at.is_some() {
        return refuse("the refresh token was revoked");
    }
    if token.expires_at <= now || family.expires_at <= now {
        return refuse("the refresh token has expired");
    }
    Ok(())
}

/// The scopes of a token that is made from something which carries `granted`: those that are asked for, or all, as far as
/// the account still has them.
///
/// # Errors
/// `invalid_scope`: more than what was granted.
pub fn narrow_scopes(asked: Option<&[String]>, granted: &[String], still: impl Fn(&str) -> bool) -> Result<Vec<String>, Refusal> {
    let asked = asked.unwrap_or(granted);
    if !scope::is_within(asked, granted) {
        return Err(Refusal::new(Code::InvalidScope, "`scope` asks for more than was granted"));
    }
    Ok(asked.iter().filter(|scope| still(scope)).cloned().collect())
}

/// The resources of such a token. One for the gateway as a whole may be narrowed to any server of it.
///
/// # Errors
/// `invalid_target`: not what was granted.
pub fn narrow_resources(asked: Vec<String>, granted: &[String], base: &str) -> Result<Vec<String>, Refusal> {
    if asked.is_empty() {
        return Ok(granted.to_vec());
    }
    let is_whole = granted.iter().any(|resource| resource == base);
    match is_whole || scope::is_within(&asked, granted) {
        true => Ok(asked),
        false => Err(Refusal::new(Code::InvalidTarget, "`resource` is not among those that were granted")),
    }
}

/// What an access token is made of.
#[derive(Debug, Clone)]
pub struct Access<'a> {
    /// Who issues it.
    pub issuer: &'a str,
    /// The subject.
    pub account: &'a Account,
    /// The client that gets it.
    pub client: &'a Client,
    /// Scopes.
    pub scopes: &'a [String],
    /// Resources.
    pub resources: &'a [String],
    /// The log-in; empty where there is none.
    pub session: &'a str,
    /// Who acts for the subject.
    pub act: Option<Box<Actor>>,
    /// When.
    pub now: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

impl Access<'_> {
    /// The claims (RFC 9068 section 2.2). Scopes are all that it carries: roles are there for grants that name them.
    pub fn claims(&self) -> Claims {
        let aud = match self.resources {
            [one] => Audience::One(one.clone()),
            many => Audience::Many(many.to_vec()),
        };
        // What an operator made is known by its id; what registers itself could call itself anything.
        let agent = if self.client.origin == "operator" { self.client.id.clone() } else { String::new() };
        Claims {
            iss: self.issuer.to_owned(),
            aud,
            sub: self.account.id.clone(),
            exp: second(self.expires_at),
            iat: second(self.now),
            nbf: None,
            jti: Uuid::now_v7().to_string(),
            client_id: self.client.id.clone(),
            scope: self.scopes.join(" "),
            sid: self.session.to_owned(),
            tenant: self.account.tenant.clone().unwrap_or_default(),
            department: self.account.department.clone().unwrap_or_default(),
            tier: self.account.tier,
            roles: self.account.roles.clone(),
            agent,
            act: self.act.clone(),
            is_bound: true,
        }
    }
}

/// Seconds since 1970.
pub fn second(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or(0)
}

/// What a client learns about a person who logged in (OpenID Connect Core section 2).
#[derive(Debug, Clone, Copy)]
pub struct LogIn<'a> {
    /// When.
    pub authenticated_at: Timestamp,
    /// The client's own.
    pub nonce: Option<&'a str>,
}

/// The claims of an ID token; nothing where it was not asked for.
pub fn id_claims(access: &Access<'_>, log_in: LogIn<'_>) -> Option<Value> {
    if !access.scopes.iter().any(|scope| scope == "openid") {
        return None;
    }
    let mut claims = json!({
        "iss": access.issuer, "aud": access.client.id, "exp": second(access.expires_at), "iat": second(access.now),
        "auth_time": log_in.authenticated_at.as_second(), "sid": access.session,
    });
    if let Some(nonce) = log_in.nonce {
        claims["nonce"] = json!(nonce);
    }
    if let (Some(claims), Value::Object(about)) = (claims.as_object_mut(), about(access.account, access.scopes)) {
        claims.extend(about);
    }
    Some(claims)
}

/// What a person lets a client know about them (OpenID Connect Core section 5.4).
pub fn about(account: &Account, scopes: &[String]) -> Value {
    let has = |scope: &str| scopes.iter().any(|one| one == scope);
    let mut about = json!({ "sub": account.id });
    if has("profile") {
        about["name"] = json!(account.shown());
        about["preferred_username"] = json!(account.id);
    }
    if let Some(email) = account.email.as_ref().filter(|_| has("email")) {
        about["email"] = json!(email);
    }
    about
}

/// Who acts for the subject once `actor` got a token for the one of `subject` (RFC 8693 section 4.1): the newest stands
/// outside, those before within.
///
/// # Errors
/// `invalid_request`: the chain is longer than audit rows show.
pub fn act(actor: &str, subject: &Claims) -> Result<Box<Actor>, Refusal> {
    let mut links = 1;
    let mut link = subject.act.as_deref();
    while let Some(inner) = link {
        links += 1;
        link = inner.act.as_deref();
    }
    if links > ACTORS_MAX {
        return Err(Refusal::new(Code::InvalidRequest, "too many have acted for one another already"));
    }
    Ok(Box::new(Actor { sub: actor.to_owned(), act: subject.act.clone() }))
}

/// What a device that polls is told (RFC 8628 section 3.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// Not yet. The interval holds from now on.
    Wait {
        /// In seconds.
        interval_s: i32,
        /// `authorization_pending` or `slow_down`.
        code: Code,
    },
    /// Never.
    Refused(Refusal),
    /// Somebody agreed.
    Ready,
}

/// What a device is told.
pub fn poll(device: &LockDevice, client_id: &str, now: Timestamp) -> Poll {
    let refuse = |code, why: &'static str| Poll::Refused(Refusal::new(code, why));
    if device.client != client_id {
        return refuse(Code::InvalidGrant, "the device code was given to another client");
    }
    if device.state == "used" {
        return refuse(Code::InvalidGrant, "the device code was used");
    }
    if device.expires_at <= now {
        return refuse(Code::ExpiredToken, "nobody answered in time; begin again");
    }
    match device.state.as_str() {
        "denied" => return refuse(Code::AccessDenied, "the person said no"),
        "approved" => return Poll::Ready,
        _ => {}
    }
    let interval = SignedDuration::from_secs(i64::from(device.interval_s));
    // A second of grace: networks are not even.
    let too_soon = device.polled_at.is_some_and(|at| now.duration_since(at) + SignedDuration::from_secs(1) < interval);
    match too_soon {
        true => Poll::Wait { interval_s: device.interval_s.saturating_add(5).min(120), code: Code::SlowDown },
        false => Poll::Wait { interval_s: device.interval_s, code: Code::AuthorizationPending },
    }
}

#[cfg(test)]
mod tests;
