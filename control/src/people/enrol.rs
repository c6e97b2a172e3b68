//! Links that are good once: the first administrator's, which the gateway logs while there is none, and those that an
//! administrator gives to people so that they can add a passkey. Looking at one uses nothing up: mail programs look too.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use maud::html;
use schema::queries::{identity, operate};
use serde::Deserialize;
use tokio_postgres::Client;
use wire::decision::Reason;
use wire::ids::{Email, TraceId, UserId};

use super::page::{Page, hidden, message, problem};
use super::{Account, Error, account, account_location, connect, forms, record, secret, session};
use crate::app::App;
use crate::app::publish::{PublishError, Wish};
use crate::postgres::PostgresError;

/// LIMIT: how long the first administrator's link holds; the next start, or `sp admin setup`, makes another.
const FIRST_ADMIN: SignedDuration = SignedDuration::from_hours(24);

/// LIMIT: how long a link for somebody holds; a mail may wait over a weekend.
const ENROL: SignedDuration = SignedDuration::from_hours(72);

/// How soon the first administrator's link is tried again that could not be made.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// The scope that somebody must be able to give commands with.
const OPERATE: &str = "gateway:operate";

/// Following links.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/enrol", get(show).post(follow))
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The machine has no randomness.
    #[error("the machine has no randomness for a link")]
    Random,
    /// The database refused.
    #[error("the database refused: {}", crate::postgres::error_chain(.0))]
    Refused(#[from] tokio_postgres::Error),
    /// The database is away.
    #[error("the database is away: {}", crate::postgres::error_chain(.0))]
    Away(#[from] PostgresError),
}

/// A link for whoever is to be the first administrator; none where there is one. The link before it is good for nothing.
///
/// # Errors
/// [`EnrolError`]
pub async fn first_admin_link(client: &Client, public_url: &str, by: &str) -> Result<Option<String>, EnrolError> {
    if identity::administrators().bind(client).one().await? > 0 {
        return Ok(None);
    }
    identity::drop_links().bind(client, &"first_admin", &None::<&str>).await?;
    make(client, public_url, None, by, FIRST_ADMIN).await.map(Some)
}

/// A link with which somebody logs in once, to add a credential.
///
/// # Errors
/// [`EnrolError`]
pub async fn link_for(client: &Client, public_url: &str, account: &str, by: &str) -> Result<String, EnrolError> {
    identity::drop_links().bind(client, &"enrol", &Some(account)).await?;
    make(client, public_url, Some(account), by, ENROL).await
}

async fn make(
    client: &Client,
    public_url: &str,
    account: Option<&str>,
    by: &str,
    life: SignedDuration,
) -> Result<String, EnrolError> {
    let code = secret::random().map_err(|_| EnrolError::Random)?;
    let purpose = if account.is_some() { "enrol" } else { "first_admin" };
    let expires_at = Timestamp::now() + life;
    identity::put_link().bind(client, &&secret::digest(&code)[..], &purpose, &account, &by, &expires_at).await?;
    Ok(format!("{public_url}/enrol?code={code}"))
}

/// Says in the log how to become the first administrator, as long as there is none.
pub async fn announce_first_admin(app: Arc<App>) {
    loop {
        app.database.up().await;
        let link = async {
            app.database.migrate().await?;
            let client = app.database.get().await?;
            first_admin_link(&client, &app.settings.public_url, "sp-dataplane").await
        };
        match link.await {
            Ok(None) => return,
            Ok(Some(link)) => {
                tracing::warn!("there is no administrator yet; open this link to become the first, within 24 hours: {link}");
                return;
            }
            Err(error) => tracing::error!(%error, "no link for a first administrator could be made; trying again"),
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

#[derive(Deserialize, Default)]
struct Code {
    #[serde(default)]
    code: String,
    /// Where somebody wants to go who has to have a credential first.
    #[serde(default)]
    return_to: String,
}

/// Whose link it is: of nobody yet, of an account, or not good any more.
enum Whose {
    FirstAdmin,
    Of(Account),
    Dead,
}

async fn whose(client: &Client, code: &str) -> Result<Whose, Error> {
    let digest = secret::digest(code);
    let Some(link) = identity::link().bind(client, &&digest[..], &Timestamp::now()).opt().await? else { return Ok(Whose::Dead) };
    Ok(match link.account {
        Some(id) => account(client, &id).await?.map_or(Whose::Dead, Whose::Of),
        None if identity::administrators().bind(client).one().await? == 0 => Whose::FirstAdmin,
        None => Whose::Dead,
    })
}

fn dead() -> Response {
    message(
        StatusCode::GONE,
        "This link is not good any more",
        "It was used, has expired, or was replaced by a newer one. Ask an administrator for another; where there is none yet, \
         run “sp admin setup” on the gateway's machine.",
    )
}

async fn show(State(app): State<Arc<App>>, headers: HeaderMap, Query(asked): Query<Code>) -> Result<Response, Error> {
    let client = connect(&app).await?;
    match whose(&client, &asked.code).await? {
        Whose::Dead => Ok(dead()),
        Whose::FirstAdmin => first_admin_page(&app, &headers, &Admin { code: asked.code, ..Admin::default() }, None),
        Whose::Of(account) => welcome_page(&app, &headers, &asked, &account),
    }
}

#[derive(Deserialize, Default)]
struct Admin {
    #[serde(default)]
    csrf: String,
    code: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    return_to: String,
}

fn first_admin_page(app: &App, headers: &HeaderMap, typed: &Admin, why: Option<&str>) -> Result<Response, Error> {
    let visit = forms::Visit::of(app, headers)?;
    let main = html! {
        section.card {
            h1 { "Set up this gateway" }
            p.lead { "You become its first administrator. Next, you add a passkey." }
            (problem(why))
            form method="post" action="/enrol" {
                (hidden("csrf", &visit.csrf)) (hidden("code", &typed.code))
                label for="user" { "User" }
                input #user name="user" value=(typed.user) autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64"
                    required autofocus aria-describedby="user-hint";
                p.hint #user-hint { "Short, such as ann. It stands in the audit trail and never changes." }
                label for="name" { "Name " span.dim { "(optional)" } }
                input #name name="name" value=(typed.name) autocomplete="name" maxlength="100";
                label for="email" { "E-mail address " span.dim { "(optional)" } }
                input #email name="email" type="email" value=(typed.email) autocomplete="email" maxlength="254";
                div.buttons.block { button.primary #enrol { "Become administrator" } }
            }
        }
    };
    let status = if why.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(visit.with(Page { status, ..Page::new("Set up") }.render(main)))
}

fn welcome_page(app: &App, headers: &HeaderMap, asked: &Code, account: &Account) -> Result<Response, Error> {
    let visit = forms::Visit::of(app, headers)?;
    let main = html! {
        section.card {
            h1 { "Welcome, " (account.shown()) }
            p.lead { "This link logs you in once, so that you can add a passkey for this device." }
            form method="post" action="/enrol" {
                (hidden("csrf", &visit.csrf)) (hidden("code", &asked.code)) (hidden("return_to", &asked.return_to))
                div.buttons.block { button.primary #enrol { "Go on" } }
            }
            p.small { "Not you? Close this page; the link stays good for whom it was made." }
        }
    };
    Ok(visit.with(Page::new("Welcome").render(main)))
}

async fn follow(State(app): State<Arc<App>>, headers: HeaderMap, Form(typed): Form<Admin>) -> Result<Response, Error> {
    if !forms::is_from_visit(&app, &headers, &typed.csrf) {
        return Ok(forms::stale());
    }
    let client = connect(&app).await?;
    let of = whose(&client, &typed.code).await?;
    drop(client);
    let account = match of {
        Whose::Dead => {
            record::refused(&app, &headers, None, "link", Reason::CredentialWrong).await;
            return Ok(dead());
        }
        Whose::Of(account) => use_up(&app, &typed.code).await?.then_some(account),
        Whose::FirstAdmin => match make_first_admin(&app, &typed).await? {
            Ok(account) => account,
            Err(why) => return first_admin_page(&app, &headers, &typed, Some(why)),
        },
    };
    let Some(account) = account else { return Ok(dead()) };
    match session::log_in(&app, &headers, &account, "link").await? {
        Some(cookies) => Ok(forms::go(&account_location("welcome", &typed.return_to), cookies)),
        None => Ok(dead()),
    }
}

async fn use_up(app: &App, code: &str) -> Result<bool, Error> {
    let used = identity::use_link().bind(&**connect(app).await?, &Timestamp::now(), &&secret::digest(code)[..]).await?;
    Ok(used == 1)
}

/// Makes the account with every role that may operate the gateway; or says what is wrong with what was typed. Nothing of it
/// when somebody else was first.
async fn make_first_admin(app: &App, typed: &Admin) -> Result<Result<Option<Account>, &'static str>, Error> {
    // What people are called here is typed again and again: less may stand in it than in a subject of somebody else's.
    let is_plain = typed.user.trim().bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b));
    let Some(id) = typed.user.trim().parse::<UserId>().ok().filter(|_| is_plain) else {
        return Ok(Err("This cannot be a user: use letters, digits and the signs . _ - @"));
    };
    let email = Some(typed.email.trim()).filter(|text| !text.is_empty()).map(str::parse::<Email>);
    let Ok(email) = email.transpose() else { return Ok(Err("This is not an e-mail address.")) };
    let roles = operating_roles(app).await;
    let mut client = connect(app).await?;
    let transaction = client.transaction().await?;
    // Of two who have the link, one is first.
    operate::lock_accounts().bind(&*transaction).one().await?;
    let used = identity::use_link().bind(&*transaction, &Timestamp::now(), &&secret::digest(&typed.code)[..]).await?;
    if used == 0 || identity::administrators().bind(&*transaction).one().await? > 0 {
        return Ok(Ok(None));
    }
    let none = None::<&str>;
    let (id, email) = (id.as_str(), email.as_ref().map(Email::as_str));
    let made = identity::put_account()
        .bind(&*transaction, &id, &"admin", &typed.name.trim(), &email, &none, &none, &"first administrator")
        .await?;
    if made == 0 {
        return Ok(Err("There is a user of this name or address already; ids are never given twice."));
    }
    for role in &roles {
        identity::put_account_role().bind(&*transaction, &id, &role.as_str(), &"local", &"first administrator").await?;
    }
    transaction.commit().await?;
    let wish = Wish { user: id, trace: TraceId(*uuid::Uuid::now_v7().as_bytes()), why: "first administrator" };
    app.publishing.refresh(wish).await.map(drop).or_else(stored)?;
    Ok(Ok(account(&client, id).await?))
}

/// It is stored, and comes into force with the next policy.
fn stored(error: PublishError) -> Result<(), Error> {
    tracing::warn!(%error, "the new administrator is not in force yet");
    Ok(())
}

async fn operating_roles(app: &App) -> Vec<String> {
    let publisher = app.publishing.publisher().await;
    let roles = publisher.snapshot().into_iter().flat_map(|snapshot| &snapshot.roles);
    let mut roles: Vec<String> =
        roles.filter(|(_, scopes)| scopes.iter().any(|scope| scope == OPERATE)).map(|(name, _)| name.clone()).collect();
    roles.sort();
    roles
}
