//! The rules of the authorization endpoint. Pure: a request, a client and what is known of the browser in, what to do out.
//!
//! Source: OAuth 2.1 sections 4.1 and 7; RFC 7636 (S256 alone); RFC 8707; RFC 9207; OpenID Connect Core section 3.1.2.

use jiff::{SignedDuration, Timestamp};
use schema::queries::oauth::Client;

use super::params::Params;
use super::refusal::{Code, Refusal};
use super::{redirect, scope};

/// What comes back to us after a log-in that had to be new; the browser may change it, and only deceives itself: clients
/// see in `auth_time` when it was.
pub const LOGGED_IN_SINCE: &str = "sp_since";

/// LIMIT: characters of `state` and `nonce`.
const STATE_CHARS_MAX: usize = 1024;

/// A request that may be answered at its redirect URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where the browser goes with the answer: registered, letter for letter.
    pub redirect_uri: String,
    /// The client's own.
    pub state: Option<String>,
    /// For the ID token.
    pub nonce: Option<String>,
    /// The S256 challenge.
    pub challenge: String,
    /// What it asks for; nothing for what is usual.
    pub scopes: Option<Vec<String>>,
    /// For which resources; none for the gateway as a whole.
    pub resources: Vec<String>,
    /// What may be shown.
    pub prompt: Prompt,
    /// The person must have logged in after this.
    pub since: Option<Timestamp>,
}

/// `prompt` (OpenID Connect Core section 3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prompt {
    /// Nothing may be shown.
    pub none: bool,
    /// The person logs in again.
    pub login: bool,
    /// The person is asked again.
    pub consent: bool,
}

/// Why a request is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Said on a page of ours: nobody may be sent to an address that is not known to be the client's.
    Page(Refusal),
    /// Said to the client.
    Client {
        /// Where.
        redirect_uri: String,
        /// The client's own.
        state: Option<String>,
        /// What.
        refusal: Refusal,
    },
}

/// Where the answer goes, and the client's state.
///
/// # Errors
/// [`Stop::Page`]: the browser is sent nowhere.
fn address(params: &Params, client: &Client) -> Result<String, Stop> {
    let page = |why: &'static str| Stop::Page(Refusal::new(Code::InvalidRequest, why));
    match params.get("redirect_uri") {
        Some(uri) if redirect::is_registered(&client.redirect_uris, uri) => Ok(uri.to_owned()),
        Some(_) => Err(page("the application asks to be answered at an address that is not registered for it")),
        None => match client.redirect_uris.as_slice() {
            [only] => Ok(only.clone()),
            _ => Err(page("the application does not say where it wants to be answered")),
        },
    }
}

/// Reads a request. `is_resource` knows the resources there are.
///
/// # Errors
/// [`Stop`].
pub fn read(params: &Params, client: &Client, is_resource: impl Fn(&str) -> bool, now: Timestamp) -> Result<Request, Stop> {
    let redirect_uri = address(params, client)?;
    let state = params.get("state").filter(|state| state.chars().count() <= STATE_CHARS_MAX).map(str::to_owned);
    let refused = |refusal: Refusal| Stop::Client { redirect_uri: redirect_uri.clone(), state: state.clone(), refusal };
    if params.get("state").is_some() && state.is_none() {
        return Err(refused(Refusal::new(Code::InvalidRequest, "`state` is too long")));
    }
    let nonce = nonce(params).map_err(refused)?;
    let challenge = challenge(params, client).map_err(refused)?;
    let scopes = scope::parse(params.get("scope")).map_err(refused)?;
    let resources = resources(params, is_resource).map_err(refused)?;
    let prompt = prompt(params).map_err(refused)?;
    let since = since(params, prompt, now).map_err(refused)?;
    Ok(Request { redirect_uri, state, nonce, challenge, scopes, resources, prompt, since })
}

fn nonce(params: &Params) -> Result<Option<String>, Refusal> {
    match params.get("nonce") {
        Some(nonce) if nonce.chars().count() > STATE_CHARS_MAX => Err(Refusal::new(Code::InvalidRequest, "`nonce` is too long")),
        nonce => Ok(nonce.map(str::to_owned)),
    }
}

/// What kind of answer is asked for, and the challenge that binds it to who asks.
fn challenge(params: &Params, client: &Client) -> Result<String, Refusal> {
    let refuse = |code, why: &'static str| Err(Refusal::new(code, why));
    if params.get("request").is_some() {
        return refuse(Code::RequestNotSupported, "request objects are not supported");
    }
    if params.get("request_uri").is_some() {
        return refuse(Code::RequestUriNotSupported, "request objects are not supported");
    }
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => return refuse(Code::UnsupportedResponseType, "only `response_type=code` is supported"),
        None => return refuse(Code::InvalidRequest, "`response_type` is missing"),
    }
    if params.get("response_mode").is_some_and(|mode| mode != "query") {
        return refuse(Code::InvalidRequest, "only `response_mode=query` is supported");
    }
    if !client.grant_types.iter().any(|grant| grant == "authorization_code") {
        return refuse(Code::UnauthorizedClient, "the client is not registered for authorization codes");
    }
    match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (Some(challenge), Some("S256")) if is_challenge(challenge) => Ok(challenge.to_owned()),
        (Some(_), Some("S256")) => refuse(Code::InvalidRequest, "`code_challenge` is not a SHA-256 digest in base64url"),
        (Some(_), _) => refuse(Code::InvalidRequest, "only `code_challenge_method=S256` is supported"),
        (None, _) => refuse(Code::InvalidRequest, "`code_challenge` is missing: PKCE is required"),
    }
}

/// A SHA-256 digest in base64url (RFC 7636 section 4.2).
pub fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The resources that are asked for (RFC 8707 section 2).
///
/// # Errors
/// `invalid_target`: one of them is none of ours.
pub fn resources(params: &Params, is_resource: impl Fn(&str) -> bool) -> Result<Vec<String>, Refusal> {
    let mut resources: Vec<String> = Vec::new();
    for resource in params.all("resource") {
        if !is_resource(resource) {
            return Err(Refusal::new(Code::InvalidTarget, "`resource` names nothing that this gateway protects"));
        }
        if !resources.iter().any(|known| known == resource) {
            resources.push(resource.to_owned());
        }
    }
    Ok(resources)
}

fn prompt(params: &Params) -> Result<Prompt, Refusal> {
    let mut prompt = Prompt::default();
    for word in params.get("prompt").unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
        match word {
            "none" => prompt.none = true,
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return Err(Refusal::new(Code::InvalidRequest, "`prompt` has a word that is not known")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent) {
        return Err(Refusal::new(Code::InvalidRequest, "`prompt=none` stands alone"));
    }
    Ok(prompt)
}

fn since(params: &Params, prompt: Prompt, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let number = |name: &str| match params.get(name).map(str::parse::<i64>) {
        None => Ok(None),
        Some(Ok(number)) if (0..=i64::from(u32::MAX)).contains(&number) => Ok(Some(number)),
        Some(_) => Err(Refusal::new(Code::InvalidRequest, format!("`{name}` is not a number of seconds"))),
    };
    if let Some(second) = number(LOGGED_IN_SINCE)? {
        return Ok(Timestamp::from_second(second).ok().map(|since| since.min(now)));
    }
    if prompt.login {
        return Ok(Some(now));
    }
    Ok(number("max_age")?.and_then(|age| now.checked_sub(SignedDuration::from_secs(age)).ok()))
}

/// The same request after a log-in that had to be new.
pub fn after_login(params: &Params, since: Timestamp) -> Params {
    let prompt = params.get("prompt").unwrap_or_default().split(' ');
    let prompt: Vec<&str> = prompt.filter(|word| !matches!(*word, "login" | "select_account" | "")).collect();
    let rest = params.without(&["prompt", "max_age", LOGGED_IN_SINCE]);
    let rest = if prompt.is_empty() { rest } else { rest.with("prompt", &prompt.join(" ")) };
    rest.with(LOGGED_IN_SINCE, &since.as_second().to_string())
}

/// What a person agreed to before.
#[derive(Debug, Clone, Copy)]
pub struct Agreed<'a> {
    /// To these scopes.
    pub scopes: &'a [String],
    /// For these resources.
    pub resources: &'a [String],
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The person logs in.
    LogIn {
        /// Though they are logged in.
        again: bool,
    },
    /// The client is told why nothing can go on without a page.
    Refuse(Code),
    /// The person is asked.
    Ask,
    /// The client gets its code.
    Grant,
}

/// What comes next for a request. `logged_in` is when the browser's person logged in, `given` what they would give.
pub fn next(request: &Request, logged_in: Option<Timestamp>, agreed: Option<Agreed<'_>>, given: &[String], base: &str) -> Step {
    let fresh = |at: Timestamp| request.since.is_none_or(|since| at.as_second() >= since.as_second());
    match logged_in {
        Some(at) if fresh(at) => {}
        _ if request.prompt.none => return Step::Refuse(Code::LoginRequired),
        at => return Step::LogIn { again: at.is_some() },
    }
    let whole = [base.to_owned()];
    let resources = if request.resources.is_empty() { &whole } else { request.resources.as_slice() };
    let has_agreed =
        agreed.is_some_and(|agreed| scope::is_within(given, agreed.scopes) && scope::is_within(resources, agreed.resources));
    match (has_agreed && !request.prompt.consent, request.prompt.none) {
        (true, _) => Step::Grant,
        (false, true) => Step::Refuse(Code::ConsentRequired),
        (false, false) => Step::Ask,
    }
}

#[cfg(test)]
mod tests;
