//! The page on which people see what they can log in with, where they are logged in and what acts for them, and change it.
//! Whatever changes a credential takes a fresh log-in.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use maud::{Markup, html};
use schema::queries::{identity, oauth};
use serde::Deserialize;
use serde_json::json;

use super::page::{Page, hidden, problem};
use super::{
    Error, Visitor, connect, cookie, forms, local_path, login_location, passkey, password, record, recovery, relogin_location,
    session, visitor, webauthn,
};
use crate::app::App;

/// The account page and its forms.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(|| async { forms::go("/account", Vec::new()) }))
        .route("/account", get(show))
        .route("/account/passkeys/rename", post(rename_passkey))
        .route("/account/passkeys/revoke", post(revoke_passkey))
        .route("/account/password", post(set_password))
        .route("/account/password/remove", post(remove_password))
        .route("/account/recovery-codes", post(new_codes))
        .route("/account/sessions/end", post(end_session))
        .route("/account/applications/revoke", post(revoke_application))
}

#[derive(Deserialize, Default)]
struct Done {
    #[serde(default)]
    done: String,
    #[serde(default)]
    return_to: String,
}

/// What was just done, in words. From a list: nobody writes on this page by a link.
fn said(done: &str) -> Option<&'static str> {
    Some(match done {
        "welcome" => "You are logged in. Add a passkey now: the link that brought you here is used up.",
        "recovered" => "You are logged in, and the code is used up. Add a passkey for this device.",
        "passkey_added" => "The passkey was added.",
        "passkey_renamed" => "The passkey has its new name.",
        "passkey_revoked" => "The passkey was revoked.",
        "password_set" => "The password was set.",
        "password_removed" => "The password was removed.",
        "session_ended" => "That session was ended.",
        "application_revoked" => "The application was disconnected.",
        "connected" => "The identity was connected.",
        _ => return None,
    })
}

async fn show(State(app): State<Arc<App>>, headers: HeaderMap, Query(asked): Query<Done>) -> Result<Response, Error> {
    let Some(visitor) = visitor(&app, &headers).await? else { return Ok(forms::go(&login_location("/account"), Vec::new())) };
    let says = Says { done: said(&asked.done), why: None, return_to: local_path(&asked.return_to) };
    page(&app, &visitor, says, StatusCode::OK).await
}

/// What stands above what somebody has.
#[derive(Default)]
struct Says<'a> {
    done: Option<&'static str>,
    why: Option<&'static str>,
    /// What they came for, and have not got to yet.
    return_to: Option<&'a str>,
}

fn refused(why: &'static str) -> Says<'static> {
    Says { why: Some(why), ..Says::default() }
}

/// What somebody has.
struct Has {
    passkeys: Vec<identity::Passkeys>,
    has_password: bool,
    codes: i64,
    identities: Vec<identity::FederatedIdentities>,
    sessions: Vec<identity::Session>,
    applications: Vec<oauth::Consents>,
}

impl Has {
    async fn of(app: &App, account: &str) -> Result<Has, Error> {
        let client = connect(app).await?;
        let client = &**client;
        let now = Timestamp::now();
        let sessions = identity::sessions().bind(client, &account, &now).all().await?;
        Ok(Has {
            passkeys: identity::passkeys().bind(client, &account).all().await?,
            has_password: identity::password().bind(client, &account).opt().await?.is_some(),
            codes: identity::recovery_codes_left().bind(client, &account).one().await?,
            identities: identity::federated_identities().bind(client, &account).all().await?,
            sessions: sessions.into_iter().filter(|one| one.method != "device").collect(),
            applications: oauth::consents().bind(client, &account).all().await?,
        })
    }

    /// Whether they could still log in without one of these ways.
    fn has_other_than(&self, passkeys: usize, password: usize) -> bool {
        let ways = self.passkeys.len() + usize::from(self.has_password) + self.identities.len();
        ways > passkeys + password
    }
}

async fn page(app: &App, visitor: &Visitor, says: Says<'_>, status: StatusCode) -> Result<Response, Error> {
    let has = Has::of(app, &visitor.account.id).await?;
    let account = &visitor.account;
    let main = html! {
        h1 { "Your account" }
        @if let Some(done) = says.done { p.done role="status" { (done) } }
        @if let Some(path) = says.return_to { p { a.button #go-on href=(path) { "Go on without a passkey" } } }
        (problem(says.why))
        p.problem #passkey-problem role="alert" hidden {}
        div.columns {
            section.card.across aria-labelledby="who" {
                h2 #who { (account.shown()) }
                dl.facts {
                    dt { "User" } dd { code { (account.id) } }
                    @if let Some(email) = &account.email { dt { "E-mail" } dd { (email) } }
                    @if let Some(tenant) = &account.tenant { dt { "Tenant" } dd { (tenant) } }
                    @if let Some(department) = &account.department { dt { "Department" } dd { (department) } }
                    dt { "Roles" } dd { @if account.roles.is_empty() { "none" } @else { (account.roles.join(", ")) } }
                }
            }
            (passkeys(app, visitor, &has, says.return_to))
            (other_ways(visitor, &has))
            (sessions(visitor, &has))
            (applications(visitor, &has))
        }
    };
    let page = Page { visitor: Some(visitor), has_script: true, is_wide: true, status, ..Page::new("Your account") };
    Ok(page.render(main))
}

/// A day, for people; the moment, for machines.
fn day(at: Timestamp) -> Markup {
    let text = at.strftime("%-d %b %Y").to_string();
    html! { time datetime=(at.to_string()) { (text) } }
}

fn passkeys(app: &App, visitor: &Visitor, has: &Has, return_to: Option<&str>) -> Markup {
    html! {
        section.card aria-labelledby="passkeys" {
            h2 #passkeys { "Passkeys" }
            p.dim { "A passkey is your fingerprint, face or PIN on a device, or a security key. Have at least two, on different devices." }
            @if has.passkeys.is_empty() { p { strong { "You have none yet." } } }
            ul.rows {
                @for key in &has.passkeys {
                    @let id = URL_SAFE_NO_PAD.encode(&key.id);
                    li {
                        div.what {
                            strong { (key.name) }
                            p {
                                "Added " (day(key.created_at))
                                @if let Some(used) = key.last_used_at { ", last used " (day(used)) } @else { ", not used yet" }
                                @if key.credential["is_backed_up"] == json!(true) { ", synchronised" }
                            }
                        }
                        div.actions {
                            details {
                                summary { "Rename" }
                                form.inline method="post" action="/account/passkeys/rename" {
                                    (hidden("csrf", &visitor.csrf)) (hidden("id", &id))
                                    div { label for=(format!("name-{id}")) { "Name" }
                                        input id=(format!("name-{id}")) name="name" value=(key.name) maxlength=(passkey::NAME_CHARS) required; }
                                    button { "Save" }
                                }
                            }
                            form method="post" action="/account/passkeys/revoke" {
                                (hidden("csrf", &visitor.csrf)) (hidden("id", &id))
                                button.danger aria-label=(format!("Revoke passkey {}", key.name)) { "Revoke" }
                            }
                        }
                    }
                }
            }
            @if passkey::party(app).is_some() {
                form.inline #passkey-add data-passkey="create" data-begin="/account/passkeys/begin" data-finish="/account/passkeys/finish"
                    data-csrf=(visitor.csrf) data-return-to=[return_to] hidden {
                    div { label for="passkey-name" { "Name of a new one" }
                        input #passkey-name name="name" placeholder="Laptop" maxlength=(passkey::NAME_CHARS); }
                    button.primary { "Add a passkey" }
                }
                p.dim data-no-passkey { "This browser has no passkeys, or runs no JavaScript." }
            } @else {
                p.warning { "Passkeys do not work at this address: browsers have them with HTTPS and a name, or on localhost." }
            }
        }
    }
}

fn other_ways(visitor: &Visitor, has: &Has) -> Markup {
    html! {
        section.card aria-labelledby="other" {
            h2 #other { "Other ways to log in" }
            ul.rows {
                @for one in &has.identities {
                    li { div.what { strong { (one.provider) } p { "Identity provider: " (one.subject) } } }
                }
                li {
                    div.what {
                        strong { "Recovery codes" }
                        p { @if has.codes == 0 { "You have none. Make a sheet and keep it on paper." } @else { (has.codes) " left. A new sheet replaces them." } }
                    }
                    form method="post" action="/account/recovery-codes" {
                        (hidden("csrf", &visitor.csrf))
                        button #new-codes { "Make a sheet" }
                    }
                }
                li {
                    div.what { strong { "Password" } p { @if has.has_password { "Set." } @else { "None. A passkey is safer and quicker." } } }
                    @if has.has_password {
                        form method="post" action="/account/password/remove" {
                            (hidden("csrf", &visitor.csrf))
                            button.danger aria-label="Remove the password" { "Remove" }
                        }
                    }
                }
            }
            details {
                summary { @if has.has_password { "Change the password" } @else { "Set a password" } }
                form method="post" action="/account/password" {
                    (hidden("csrf", &visitor.csrf))
                    // For password managers, which keep it under this name.
                    input type="text" name="username" value=(visitor.account.id) autocomplete="username" hidden;
                    label for="password" { "New password" }
                    input #password name="password" type="password" autocomplete="new-password" minlength="15" maxlength="512" required
                        aria-describedby="password-hint";
                    p.hint #password-hint { "At least 15 characters." }
                    div.buttons { button { "Save" } }
                }
            }
        }
    }
}

fn sessions(visitor: &Visitor, has: &Has) -> Markup {
    html! {
        section.card aria-labelledby="sessions" {
            h2 #sessions { "Where you are logged in" }
            ul.rows {
                @for one in &has.sessions {
                    li {
                        div.what {
                            strong { (browser(&one.user_agent)) } " "
                            @if one.id == visitor.session { span.tag { "this one" } }
                            p {
                                (method(&one.method)) " · " @if !one.address.is_empty() { (one.address) " · " }
                                "since " (day(one.created_at)) ", last seen " (day(one.last_seen_at))
                            }
                        }
                        @if one.id != visitor.session {
                            form method="post" action="/account/sessions/end" {
                                (hidden("csrf", &visitor.csrf)) (hidden("id", &one.id))
                                button.danger aria-label=(format!("End the session of {}", browser(&one.user_agent))) { "End" }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn applications(visitor: &Visitor, has: &Has) -> Markup {
    html! {
        section.card aria-labelledby="applications" {
            h2 #applications { "Applications that act for you" }
            @if has.applications.is_empty() { p.dim { "None." } }
            ul.rows {
                @for one in &has.applications {
                    li {
                        div.what {
                            strong { @if one.name.is_empty() { (one.client) } @else { (one.name) } }
                            p { (one.scopes.join(", ")) " · since " (day(one.granted_at)) }
                        }
                        form method="post" action="/account/applications/revoke" {
                            (hidden("csrf", &visitor.csrf)) (hidden("id", &one.client))
                            button.danger aria-label=(format!("Disconnect {}", one.name)) { "Disconnect" }
                        }
                    }
                }
            }
        }
    }
}

fn method(method: &str) -> String {
    match method {
        "passkey" => "passkey".to_owned(),
        "password" => "password".to_owned(),
        "recovery_code" => "recovery code".to_owned(),
        "link" => "link".to_owned(),
        other => other.strip_prefix("oidc:").unwrap_or(other).to_owned(),
    }
}

/// Which browser and system, as far as it says.
fn browser(user_agent: &str) -> String {
    let first = |known: &[(&str, &'static str)]| known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name);
    let browser =
        first(&[("Edg/", "Edge"), ("OPR/", "Opera"), ("Chrome/", "Chrome"), ("Firefox/", "Firefox"), ("Safari/", "Safari")]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => {
            user_agent.split(['/', ' ']).next().filter(|word| !word.is_empty()).unwrap_or("Unknown browser").to_owned()
        }
    }
}

/// Somebody who may change a credential, or what to answer.
async fn owner(app: &App, headers: &HeaderMap, csrf: &str) -> Result<Result<Visitor, Response>, Error> {
    let known = known(app, headers, csrf).await?;
    if known.as_ref().is_ok_and(|visitor| !super::is_fresh(visitor)) {
        return Ok(Err(forms::go(&relogin_location("/account"), Vec::new())));
    }
    Ok(known)
}

/// Somebody who is logged in and sent this from our page, or what to answer.
async fn known(app: &App, headers: &HeaderMap, csrf: &str) -> Result<Result<Visitor, Response>, Error> {
    let Some(visitor) = visitor(app, headers).await? else {
        return Ok(Err(forms::go(&login_location("/account"), cookie::drop_session(app).into_iter().collect())));
    };
    if !forms::is_from_visitor(app, headers, &visitor, csrf) {
        return Ok(Err(forms::stale()));
    }
    Ok(Ok(visitor))
}

/// Unwraps whom a form is from, or answers.
macro_rules! or_answer {
    ($found:expr) => {
        match $found {
            Ok(visitor) => visitor,
            Err(answer) => return Ok(answer),
        }
    };
}

fn done(what: &str) -> Response {
    forms::go(&format!("/account?done={what}"), Vec::new())
}

#[derive(Deserialize)]
struct Named {
    csrf: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
}

async fn rename_passkey(State(app): State<Arc<App>>, headers: HeaderMap, Form(form): Form<Named>) -> Result<Response, Error> {
    let visitor = or_answer!(known(&app, &headers, &form.csrf).await?);
    let id = webauthn::id(&form.id).unwrap_or_default();
    let name = passkey::named(&form.name);
    identity::rename_passkey().bind(&**connect(&app).await?, &name, &id, &visitor.account.id).await?;
    Ok(done("passkey_renamed"))
}

async fn revoke_passkey(State(app): State<Arc<App>>, headers: HeaderMap, Form(form): Form<Named>) -> Result<Response, Error> {
    let visitor = or_answer!(owner(&app, &headers, &form.csrf).await?);
    let id = webauthn::id(&form.id).unwrap_or_default();
    if !Has::of(&app, &visitor.account.id).await?.has_other_than(1, 0) {
        let why = "This is the only way in which you can log in. Add another passkey first.";
        return page(&app, &visitor, refused(why), StatusCode::CONFLICT).await;
    }
    record::changed(&app, &headers, &visitor.account, "passkey revoked", json!({ "passkey": form.id })).await?;
    identity::drop_passkey().bind(&**connect(&app).await?, &id, &visitor.account.id).await?;
    Ok(done("passkey_revoked"))
}

#[derive(Deserialize)]
struct NewPassword {
    csrf: String,
    password: String,
}

async fn set_password(State(app): State<Arc<App>>, headers: HeaderMap, Form(form): Form<NewPassword>) -> Result<Response, Error> {
    let visitor = or_answer!(owner(&app, &headers, &form.csrf).await?);
    if let Some(why) = password::objection(&form.password, &visitor.account) {
        return page(&app, &visitor, refused(why), StatusCode::BAD_REQUEST).await;
    }
    let phc = password::hash(form.password).await?;
    record::changed(&app, &headers, &visitor.account, "password set", json!({})).await?;
    identity::put_password().bind(&**connect(&app).await?, &visitor.account.id, &phc, &Timestamp::now()).await?;
    Ok(done("password_set"))
}

#[derive(Deserialize)]
struct Only {
    csrf: String,
}

async fn remove_password(State(app): State<Arc<App>>, headers: HeaderMap, Form(form): Form<Only>) -> Result<Response, Error> {
    let visitor = or_answer!(owner(&app, &headers, &form.csrf).await?);
    if !Has::of(&app, &visitor.account.id).await?.has_other_than(0, 1) {
        let why = "The password is the only way in which you can log in. Add a passkey first.";
        return page(&app, &visitor, refused(why), StatusCode::CONFLICT).await;
    }
    record::changed(&app, &headers, &visitor.account, "password removed", json!({})).await?;
    identity::drop_password().bind(&**connect(&app).await?, &visitor.account.id).await?;
    Ok(done("password_removed"))
}

/// Shows a new sheet, once.
async fn new_codes(State(app): State<Arc<App>>, headers: HeaderMap, Form(form): Form<Only>) -> Result<Response, Error> {
    let visitor = or_answer!(owner(&app, &headers, &form.csrf).await?);
    record::changed(&app, &headers, &visitor.account, "recovery codes made", json!({})).await?;
    let mut client = connect(&app).await?;
    let transaction = client.transaction().await?;
    let codes = recovery::renew(&transaction, &visitor.account.id).await?;
    transaction.commit().await?;
    let main = html! {
        section.card {
            h1 { "Your recovery codes" }
            p.lead { "Print this page or write them down, and keep them where you keep your passport. Nobody can show them again." }
            ul.codes { @for code in &codes { li { code { (code) } } } }
            p { "Each is good once. Sheets that you made before are good for nothing now." }
            div.buttons { a.button.primary href="/account" { "I have kept them" } }
        }
    };
    Ok(Page { visitor: Some(&visitor), ..Page::new("Recovery codes") }.render(main))
}

async fn end_session(State(app): State<Arc<App>>, headers: HeaderMap, Form(form): Form<Named>) -> Result<Response, Error> {
    let visitor = or_answer!(known(&app, &headers, &form.csrf).await?);
    let found = identity::session().bind(&**connect(&app).await?, &form.id).opt().await?;
    if found.is_some_and(|found| found.account == visitor.account.id) {
        record::allowed(&app, &headers, &visitor.account, "logout", json!({ "session": form.id })).await?;
        session::end(&app, &form.id, &visitor.account.id, "ended on the account page").await?;
    }
    Ok(done("session_ended"))
}

async fn revoke_application(State(app): State<Arc<App>>, headers: HeaderMap, Form(form): Form<Named>) -> Result<Response, Error> {
    let visitor = or_answer!(known(&app, &headers, &form.csrf).await?);
    record::changed(&app, &headers, &visitor.account, "application disconnected", json!({ "client": form.id })).await?;
    session::disconnect(&app, &visitor.account.id, &form.id).await?;
    Ok(done("application_revoked"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_have_names() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Version/19.0 Mobile Safari/604",
                "Safari on iPhone",
            ),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
            ("curl/8.5.0", "curl"),
            ("", "Unknown browser"),
        ] {
            assert_eq!(browser(user_agent), name);
        }
    }
}
