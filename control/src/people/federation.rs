//! Logging in at an identity provider that `services/identity/` declares. What was begun is bound to the browser that
//! began it, so that nobody is logged in as somebody else by a link.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use schema::queries::{identity, operate, policy};
use schema::services::identity::IdentityFile;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use wire::decision::Reason;
use wire::ids::{DepartmentId, TenantId, TraceId, UserId};

use super::oidc::{self, Registration};
use super::page::message;
use super::{Account, Error, account, connect, cookie, forms, local_path, record, secret, session};
use crate::app::App;
use crate::app::publish::Wish;
use crate::operator::REVOCATION_LIFE;

/// LIMIT: how long a person may take at their provider.
const CEREMONY: SignedDuration = SignedDuration::from_mins(10);

/// Going to a provider and coming back.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/login/with/{provider}", get(begin)).route("/login/callback/{provider}", get(finish))
}

/// A provider, as the log-in page shows it.
pub(super) struct Provider {
    /// Its name in addresses.
    pub(super) name: String,
    /// What stands on its button.
    pub(super) title: String,
}

/// Those that are declared.
pub(super) async fn providers(app: &App) -> Vec<Provider> {
    let publisher = app.publishing.publisher().await;
    let all = publisher.services().identity.iter();
    all.map(|(name, file)| Provider { name: name.clone(), title: file.what.title.clone().unwrap_or_else(|| name.clone()) })
        .collect()
}

async fn declared(app: &App, name: &str) -> Option<IdentityFile> {
    let publisher = app.publishing.publisher().await;
    publisher.services().identity.iter().find(|(known, _)| known == name).map(|(_, file)| file.what.clone())
}

fn registration(app: &App, name: &str, file: &IdentityFile) -> Registration {
    Registration {
        issuer: file.issuer.value.clone(),
        client_id: file.client_id.value.clone(),
        client_secret: file.client_secret.as_ref().and_then(|reference| std::env::var(reference.name()).ok()),
        ca: file.ca.clone(),
        redirect_uri: format!("{}/login/callback/{name}", app.settings.public_url),
    }
}

fn unknown() -> Response {
    message(StatusCode::NOT_FOUND, "No such provider", "This gateway knows no identity provider of that name.")
}

fn failed() -> Response {
    let text = "Your identity provider did not answer as it should, or what it said cannot be believed. Try again; if it goes on, \
                an administrator finds the reason in the gateway's log.";
    message(StatusCode::BAD_GATEWAY, "That did not work", text)
}

#[derive(Deserialize, Default)]
struct Where {
    #[serde(default)]
    return_to: String,
}

async fn begin(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Query(asked): Query<Where>,
) -> Result<Response, Error> {
    let Some(file) = declared(&app, &name).await else { return Ok(unknown()) };
    let of = registration(&app, &name, &file);
    let metadata = match oidc::discover(&of).await {
        Ok(metadata) => metadata,
        Err(error) => {
            tracing::error!(provider = name, %error, "nobody can log in with an identity provider");
            return Ok(failed());
        }
    };
    let visit = forms::Visit::of(&app, &headers)?;
    let (state, nonce, verifier) = (secret::random()?, secret::random()?, secret::random()?);
    let return_to = local_path(&asked.return_to).unwrap_or("/account");
    let kept = json!({ "provider": name, "nonce": nonce, "verifier": verifier, "return_to": return_to, "visit": visit.csrf });
    let expires_at = Timestamp::now() + CEREMONY;
    let client = connect(&app).await?;
    let put = identity::put_ceremony();
    put.bind(&**client, &&secret::digest(&state)[..], &"oidc", &None::<&str>, &kept, &expires_at).await?;
    let scopes = file.scopes.unwrap_or_else(|| vec!["profile".to_owned(), "email".to_owned()]);
    let scope =
        ["openid".to_owned()].into_iter().chain(scopes.into_iter().filter(|one| one != "openid")).collect::<Vec<_>>().join(" ");
    match metadata.authorize(&of, &scope, &state, &nonce, &verifier) {
        Ok(url) => Ok(visit.with(forms::go(url.as_str(), Vec::new()))),
        Err(error) => {
            tracing::error!(provider = name, %error, "nobody can log in with an identity provider");
            Ok(failed())
        }
    }
}

#[derive(Deserialize, Default)]
struct Answer {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

async fn finish(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Result<Response, Error> {
    let Some(file) = declared(&app, &name).await else { return Ok(unknown()) };
    let taken = {
        let (client, now) = (connect(&app).await?, Timestamp::now());
        identity::take_ceremony().bind(&**client, &&secret::digest(&answer.state)[..], &"oidc", &now).opt().await?
    };
    // Begun here, with this provider (against mix-up), in this browser (against log-in CSRF).
    let visit = cookie::visit(&app, &headers).map(secret::csrf);
    let begun = taken
        .map(|taken| taken.state)
        .filter(|kept| kept["provider"] == json!(name) && visit.is_some() && kept["visit"].as_str() == visit.as_deref());
    let Some(kept) = begun else { return Ok(forms::stale()) };
    let method = format!("oidc:{name}");
    let Some(code) = answer.code.filter(|_| answer.error.is_none()) else {
        record::refused(&app, &headers, None, &method, Reason::CredentialWrong).await;
        return Ok(message(StatusCode::FORBIDDEN, "Not logged in", "Your identity provider did not log you in."));
    };
    let of = registration(&app, &name, &file);
    let text = |name: &str| kept[name].as_str().unwrap_or_default();
    let claims = async {
        let metadata = oidc::discover(&of).await?;
        if !metadata.is_from(answer.iss.as_deref()) {
            return Err(oidc::OidcError::Issuer(answer.iss.clone().unwrap_or_default()));
        }
        oidc::redeem(&of, &metadata, &code, text("verifier"), text("nonce")).await
    };
    let claims = match claims.await {
        Ok(claims) => claims,
        Err(error) => {
            tracing::warn!(provider = name, %error, "a log-in with an identity provider failed");
            record::refused(&app, &headers, None, &method, Reason::CredentialWrong).await;
            return Ok(failed());
        }
    };
    let Some(account) = accept(&app, &name, &file, &claims).await? else {
        record::refused(&app, &headers, None, &method, Reason::CredentialWrong).await;
        let text = "Your identity provider knows you, but there is no account here for you. Ask an administrator.";
        return Ok(message(StatusCode::FORBIDDEN, "No account", text));
    };
    match session::log_in(&app, &headers, &account, &method).await? {
        Some(cookies) => Ok(forms::go(local_path(text("return_to")).unwrap_or("/account"), cookies)),
        None => Ok(message(StatusCode::FORBIDDEN, "Not logged in", "This account may not log in. Ask an administrator.")),
    }
}

/// Whose account it is here, with the roles that the provider's groups give. New ones are made, and those that are there
/// are connected, as far as the declaration says so.
async fn accept(app: &App, provider: &str, file: &IdentityFile, claims: &Map<String, Value>) -> Result<Option<Account>, Error> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let Some(subject) = text("sub") else { return Ok(None) };
    let (mut client, now) = (connect(app).await?, Timestamp::now());
    let transaction = client.transaction().await?;
    let known = identity::federated_account().bind(&*transaction, &now, &provider, &subject).opt().await?;
    let is_verified = claims.get("email_verified") == Some(&Value::Bool(true));
    let email = text("email").filter(|_| is_verified);
    let id = match known {
        Some(id) => Some(id),
        None => {
            let found = match email.filter(|_| file.accounts.by_email) {
                Some(email) => identity::account_by_login().bind(&*transaction, &email).opt().await?,
                None => None,
            };
            let same =
                |found: &identity::Account| found.email.as_deref().zip(email).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
            let id = match found.filter(same) {
                Some(found) => Some(found.id),
                None if file.accounts.create => make(&transaction, provider, file, claims, email).await?,
                None => None,
            };
            if let Some(id) = &id {
                identity::put_federated_identity().bind(&*transaction, &provider, &subject, id, &now).await?;
            }
            id
        }
    };
    let Some(id) = id else { return Ok(None) };
    let changed = give_roles(&transaction, provider, file, claims, &id).await?;
    if changed {
        // Tokens say which roles somebody had: those of before are dead.
        let (expires, why) = (now.checked_add(REVOCATION_LIFE).ok(), "roles of the identity provider changed");
        policy::revoke().bind(&*transaction, &"user", &id, &now, &expires, &why, &provider).one().await?;
    }
    transaction.commit().await?;
    let wish = Wish { user: &id, trace: TraceId(*uuid::Uuid::now_v7().as_bytes()), why: "logged in with an identity provider" };
    app.publishing.refresh(wish).await?;
    account(&client, &id).await
}

/// A new account, called as the provider calls the person. None where the name is taken: it may be somebody else's.
async fn make(
    transaction: &tokio_postgres::Transaction<'_>,
    provider: &str,
    file: &IdentityFile,
    claims: &Map<String, Value>,
    email: Option<&str>,
) -> Result<Option<String>, Error> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let named = match &file.accounts.id_claim {
        Some(claim) => text(claim),
        None => text("preferred_username").or_else(|| text("email")).or_else(|| text("sub")),
    };
    let Some(id) = named.and_then(|text| text.parse::<UserId>().ok()) else {
        tracing::warn!(provider, "a person has no claim that can name an account; see `accounts.id_claim`");
        return Ok(None);
    };
    let (tenant, department) =
        (file.accounts.tenant.as_ref().map(TenantId::as_str), file.accounts.department.as_ref().map(DepartmentId::as_str));
    let (id, name, by) = (id.as_str(), text("name").unwrap_or_default(), format!("identity provider {provider}"));
    let made = identity::put_account().bind(transaction, &id, &"user", &name, &email, &tenant, &department, &by).await?;
    if made == 0 {
        tracing::warn!(provider, user = id, "an account of this name or address is somebody's already; see `accounts.by_email`");
        return Ok(None);
    }
    Ok(Some(id.to_owned()))
}

/// Gives and takes what the provider's groups stand for. Whether anything changed.
async fn give_roles(
    transaction: &tokio_postgres::Transaction<'_>,
    provider: &str,
    file: &IdentityFile,
    claims: &Map<String, Value>,
    id: &str,
) -> Result<bool, Error> {
    let Some(groups) = &file.groups else { return Ok(false) };
    let before = operate::user().bind(transaction, &id).opt().await?.map(|user| user.roles);
    let has: Vec<&str> = match claims.get(groups.claim.as_deref().unwrap_or("groups")) {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    };
    let roles: Vec<&str> = groups
        .roles
        .iter()
        .filter(|(group, _)| has.contains(&group.as_str()))
        .flat_map(|(_, roles)| roles.iter().map(|role| role.value.as_str()))
        .collect();
    let source = format!("oidc:{provider}");
    identity::drop_roles_of_source().bind(transaction, &id, &source, &roles).await?;
    for role in roles {
        identity::put_account_role().bind(transaction, &id, &role, &source, &source).await?;
    }
    let after = operate::user().bind(transaction, &id).opt().await?.map(|user| user.roles);
    Ok(before != after)
}
