//! The page on which people log in: with a passkey, at their identity provider, with a password, or with a recovery code.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use maud::html;
use schema::queries::identity;
use serde::Deserialize;
use serde_json::json;
use url::Url;
use wire::decision::Reason;

use super::attempts::Guess;
use super::page::{Page, form_target, hidden, problem};
use super::{
    Account, Error, account, account_location, connect, cookie, federation, forms, local_path, passkey, password, peer, record,
    recovery, session, visitor,
};
use crate::app::App;

/// LIMIT: bytes of a name or a code that somebody types.
const TYPED_BYTES_MAX: usize = 512;

const WRONG: &str = "That does not fit. Check what you typed, or use another way.";
const LOCKED: &str = "Too many attempts. Wait a quarter of an hour, or log in with a passkey.";

/// Logging in and out.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/login", get(show).post(by_password))
        .route("/login/recovery", get(show_recovery).post(by_recovery_code))
        .route("/logout", post(log_out))
}

#[derive(Deserialize, Default)]
struct Where {
    #[serde(default)]
    return_to: String,
    #[serde(default)]
    again: String,
}

async fn show(State(app): State<Arc<App>>, headers: HeaderMap, Query(asked): Query<Where>) -> Result<Response, Error> {
    let known = visitor(&app, &headers).await?;
    if known.is_some() && asked.again.is_empty() {
        return Ok(forms::go(local_path(&asked.return_to).unwrap_or("/account"), Vec::new()));
    }
    let again = known.as_ref().map(|visitor| &visitor.account);
    page(&app, &headers, &asked.return_to, again, None, StatusCode::OK).await
}

/// Where its forms may lead in the end: the client's own address, when it is an authorization request that waits.
fn targets(return_to: &str) -> Vec<String> {
    let Ok(url) = Url::parse(&format!("http://localhost{return_to}")) else { return Vec::new() };
    let uri = url.query_pairs().find(|(name, _)| name == "redirect_uri").map(|(_, uri)| uri.into_owned());
    uri.as_deref().and_then(form_target).into_iter().collect()
}

async fn page(
    app: &App,
    headers: &HeaderMap,
    return_to: &str,
    again: Option<&Account>,
    why: Option<&str>,
    status: StatusCode,
) -> Result<Response, Error> {
    let visit = forms::Visit::of(app, headers)?;
    let return_to = local_path(return_to).unwrap_or("/account");
    let has_passkeys = passkey::party(app).is_some();
    let providers = federation::providers(app).await;
    let recovery = format!("/login/recovery?return_to={}", encoded(return_to));
    let main = html! {
        section.card {
            h1 { @if again.is_some() { "Confirm that it is you" } @else { "Log in" } }
            @match again {
                Some(account) => p.lead { "You are logged in as " strong { (account.shown()) } ". What you are about to do takes a fresh log-in." },
                None => p.lead { "to work with the gateway, or to let an application use it for you." },
            }
            (problem(why))
            p.problem #passkey-problem role="alert" hidden {}
            div.stack.block {
                @if has_passkeys {
                    button.primary #passkey-login data-passkey="get" data-begin="/login/passkey/begin" data-finish="/login/passkey/finish"
                        data-csrf=(visit.csrf) data-return-to=(return_to) hidden { "Log in with a passkey" }
                    p.dim data-no-passkey { "Passkeys need a browser that has them, and JavaScript. Everything else here works without." }
                }
                @for provider in &providers {
                    a.button href=(format!("/login/with/{}?return_to={}", provider.name, encoded(return_to))) { "Log in with " (provider.title) }
                }
            }
            div.or { "or with a password" }
            form method="post" action="/login" {
                (hidden("csrf", &visit.csrf)) (hidden("return_to", return_to))
                label for="login" { "User or e-mail address" }
                input #login name="login" autocomplete="username webauthn" autocapitalize="none" spellcheck="false" maxlength="256" required
                    value=[again.map(|account| account.id.as_str())];
                label for="password" { "Password" }
                input #password name="password" type="password" autocomplete="current-password" maxlength="512" required;
                div.buttons.block { button #password-login { "Log in" } }
            }
            p.small { "Lost your passkey? " a href=(recovery) { "Use a recovery code" } ", or ask an administrator for a link." }
        }
    };
    let page = Page { has_script: has_passkeys, targets: targets(return_to), status, ..Page::new("Log in") };
    Ok(visit.with(page.render(main)))
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[derive(Deserialize)]
struct ByPassword {
    csrf: String,
    #[serde(default)]
    return_to: String,
    login: String,
    password: String,
}

async fn by_password(State(app): State<Arc<App>>, headers: HeaderMap, Form(typed): Form<ByPassword>) -> Result<Response, Error> {
    if !forms::is_from_visit(&app, &headers, &typed.csrf) {
        return Ok(forms::stale());
    }
    let client = connect(&app).await?;
    let who = find(&client, &typed.login).await?;
    let guess = Guess::new(who.as_ref().map_or(&typed.login, |who| &who.id), &peer(&headers));
    let now = Timestamp::now();
    if !guess.is_open(&client, now).await? {
        record::refused(&app, &headers, who.as_ref(), "password", Reason::RateLimited).await;
        return page(&app, &headers, &typed.return_to, None, Some(LOCKED), StatusCode::TOO_MANY_REQUESTS).await;
    }
    let stored = match &who {
        Some(who) => identity::password().bind(&**client, &who.id).opt().await?,
        None => None,
    };
    drop(client);
    let is_right = password::is_right(typed.password, stored).await?;
    finish(&app, &headers, (who, is_right), &guess, "password", &typed.return_to).await
}

/// Whose account is named. Nobody's when it is disabled, as when there is none.
async fn find(client: &tokio_postgres::Client, login: &str) -> Result<Option<Account>, Error> {
    let login = login.trim();
    if login.is_empty() || login.len() > TYPED_BYTES_MAX || login.contains('\0') {
        return Ok(None);
    }
    match identity::account_by_login().bind(client, &login).opt().await? {
        Some(found) => account(client, &found.id).await,
        None => Ok(None),
    }
}

/// Logs in who has typed the right thing.
async fn finish(
    app: &App,
    headers: &HeaderMap,
    (who, is_right): (Option<Account>, bool),
    guess: &Guess,
    method: &str,
    return_to: &str,
) -> Result<Response, Error> {
    let client = connect(app).await?;
    let logged_in = match who {
        Some(who) if is_right => {
            guess.was_right(&client).await?;
            session::log_in(app, headers, &who, method).await?
        }
        who => {
            guess.was_wrong(&client, Timestamp::now()).await?;
            record::refused(app, headers, who.as_ref(), method, Reason::CredentialWrong).await;
            None
        }
    };
    match logged_in {
        Some(cookies) if method == "recovery_code" => Ok(forms::go(&account_location("recovered", return_to), cookies)),
        Some(cookies) => Ok(forms::go(local_path(return_to).unwrap_or("/account"), cookies)),
        None if method == "recovery_code" => recovery_page(app, headers, return_to, Some(WRONG), StatusCode::FORBIDDEN),
        None => page(app, headers, return_to, None, Some(WRONG), StatusCode::FORBIDDEN).await,
    }
}

async fn show_recovery(State(app): State<Arc<App>>, headers: HeaderMap, Query(asked): Query<Where>) -> Result<Response, Error> {
    recovery_page(&app, &headers, &asked.return_to, None, StatusCode::OK)
}

fn recovery_page(
    app: &App,
    headers: &HeaderMap,
    return_to: &str,
    why: Option<&str>,
    status: StatusCode,
) -> Result<Response, Error> {
    let visit = forms::Visit::of(app, headers)?;
    let return_to = local_path(return_to).unwrap_or("/account");
    let main = html! {
        section.card {
            h1 { "Use a recovery code" }
            p.lead { "Each code of your sheet is good once. Afterwards, add a passkey for this device." }
            (problem(why))
            form method="post" action="/login/recovery" {
                (hidden("csrf", &visit.csrf)) (hidden("return_to", return_to))
                label for="login" { "User or e-mail address" }
                input #login name="login" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="256" required autofocus;
                label for="code" { "Recovery code" }
                input.code #code name="code" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="64"
                    placeholder="0000-0000-0000-0000" required;
                div.buttons.block { button.primary { "Log in" } }
            }
            p.small { a href=(super::login_location(return_to)) { "Back to the other ways" } }
        }
    };
    Ok(visit.with(Page { status, targets: targets(return_to), ..Page::new("Recovery code") }.render(main)))
}

#[derive(Deserialize)]
struct ByCode {
    csrf: String,
    #[serde(default)]
    return_to: String,
    login: String,
    code: String,
}

async fn by_recovery_code(State(app): State<Arc<App>>, headers: HeaderMap, Form(typed): Form<ByCode>) -> Result<Response, Error> {
    if !forms::is_from_visit(&app, &headers, &typed.csrf) {
        return Ok(forms::stale());
    }
    let client = connect(&app).await?;
    let who = find(&client, &typed.login).await?;
    let guess = Guess::new(who.as_ref().map_or(&typed.login, |who| &who.id), &peer(&headers));
    let now = Timestamp::now();
    if !guess.is_open(&client, now).await? {
        record::refused(&app, &headers, who.as_ref(), "recovery_code", Reason::RateLimited).await;
        return recovery_page(&app, &headers, &typed.return_to, Some(LOCKED), StatusCode::TOO_MANY_REQUESTS);
    }
    // Asked for nobody too, so that it takes as long.
    let name = who.as_ref().map_or("", |who| &who.id);
    let digest = recovery::digest(name, &typed.code);
    let is_right = identity::use_recovery_code().bind(&**client, &now, &&digest[..], &name).await? == 1;
    drop(client);
    finish(&app, &headers, (who, is_right), &guess, "recovery_code", &typed.return_to).await
}

#[derive(Deserialize)]
struct LogOut {
    csrf: String,
}

/// Ends this browser's log-in, and what was issued in it.
async fn log_out(State(app): State<Arc<App>>, headers: HeaderMap, Form(form): Form<LogOut>) -> Result<Response, Error> {
    let cookies = cookie::drop_session(&app).into_iter().collect();
    let Some(visitor) = visitor(&app, &headers).await? else { return Ok(forms::go("/login", cookies)) };
    if !forms::is_from_visitor(&app, &headers, &visitor, &form.csrf) {
        return Ok(forms::stale());
    }
    record::allowed(&app, &headers, &visitor.account, "logout", json!({ "session": visitor.session })).await?;
    session::end(&app, &visitor.session, &visitor.account.id, "logged out").await?;
    Ok(forms::go("/login", cookies))
}
