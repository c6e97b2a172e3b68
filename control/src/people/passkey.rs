//! Passkeys: making one, logging in with one. The script of the page asks to begin, lets the authenticator answer, and brings
//! the answer; what was begun is kept in the database, is good once, and for five minutes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use schema::queries::identity;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::decision::Reason;

use super::webauthn::{self, ALGORITHMS, Asserted, Created, Credential, Party, Refused};
use super::{Account, Error, Visitor, account, connect, forms, local_path, record, relogin_location, secret, session, visitor};
use crate::app::App;

/// LIMIT: how long a person may take at their authenticator.
const CEREMONY: SignedDuration = SignedDuration::from_mins(5);

/// LIMIT: keys of one person.
const KEYS_MAX: usize = 20;

/// LIMIT: characters of a key's name.
pub(super) const NAME_CHARS: usize = 60;

/// What scripts ask for.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/login/passkey/begin", post(begin_login))
        .route("/login/passkey/finish", post(finish_login))
        .route("/account/passkeys/begin", post(begin_registration))
        .route("/account/passkeys/finish", post(finish_registration))
}

/// Whether passkeys work under the gateway's address.
pub(super) fn party(app: &App) -> Option<Party> {
    Party::of(&app.settings.public_url)
}

fn no_passkeys() -> Response {
    forms::refused(StatusCode::NOT_FOUND, "Passkeys do not work at this address: it takes HTTPS and a name, or localhost.")
}

fn too_old() -> Response {
    forms::refused(StatusCode::FORBIDDEN, "This page is too old. Load it again.")
}

/// Keeps what was begun; what the browser brings to finish it with, and the challenge.
async fn begin(app: &App, kind: &str, account: Option<&str>) -> Result<(String, String), Error> {
    let (ceremony, challenge) = (secret::random()?, secret::random()?);
    let expires_at = Timestamp::now() + CEREMONY;
    let client = connect(app).await?;
    let state = json!({ "challenge": challenge });
    identity::put_ceremony().bind(&**client, &&secret::digest(&ceremony)[..], &kind, &account, &state, &expires_at).await?;
    Ok((ceremony, challenge))
}

/// The challenge of what was begun, once, and whose it is.
async fn take(app: &App, kind: &str, ceremony: &str) -> Result<Option<(String, Option<String>)>, Error> {
    let client = connect(app).await?;
    let taken = identity::take_ceremony().bind(&**client, &&secret::digest(ceremony)[..], &kind, &Timestamp::now()).opt().await?;
    Ok(taken.and_then(|taken| Some((taken.state["challenge"].as_str()?.to_owned(), taken.account))))
}

#[derive(Deserialize)]
struct Begin {
    csrf: String,
}

/// Any passkey that this browser can reach: nobody says who they are before.
async fn begin_login(State(app): State<Arc<App>>, headers: HeaderMap, Json(asked): Json<Begin>) -> Result<Response, Error> {
    let Some(party) = party(&app) else { return Ok(no_passkeys()) };
    if !forms::is_from_visit(&app, &headers, &asked.csrf) {
        return Ok(too_old());
    }
    let (ceremony, challenge) = begin(&app, "passkey_login", None).await?;
    let public_key = json!({
        "challenge": challenge, "rpId": party.id, "userVerification": "required", "timeout": CEREMONY.as_secs() * 1000,
        "allowCredentials": [],
    });
    Ok(Json(json!({ "ceremony": ceremony, "publicKey": public_key })).into_response())
}

#[derive(Deserialize)]
struct FinishLogin {
    csrf: String,
    ceremony: String,
    #[serde(default)]
    return_to: String,
    credential: Asserted,
}

async fn finish_login(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(brought): Json<FinishLogin>,
) -> Result<Response, Error> {
    let Some(party) = party(&app) else { return Ok(no_passkeys()) };
    if !forms::is_from_visit(&app, &headers, &brought.csrf) {
        return Ok(too_old());
    }
    let wrong = "This passkey is not known here, or was revoked.";
    let Some((challenge, _)) = take(&app, "passkey_login", &brought.ceremony).await? else { return Ok(too_old()) };
    let account = match prove(&app, &party, &challenge, &brought.credential).await? {
        Ok(account) => account,
        Err((account, refused)) => {
            tracing::info!(%refused, "a passkey was refused");
            record::refused(&app, &headers, account.as_ref(), "passkey", Reason::CredentialWrong).await;
            return Ok(forms::refused(StatusCode::FORBIDDEN, wrong));
        }
    };
    let Some(cookies) = session::log_in(&app, &headers, &account, "passkey").await? else {
        return Ok(forms::refused(StatusCode::FORBIDDEN, wrong));
    };
    Ok(forms::go_by_script(local_path(&brought.return_to).unwrap_or("/account"), cookies))
}

/// Whose key signed. Otherwise whose it would have been, and why it was not.
async fn prove(
    app: &App,
    party: &Party,
    challenge: &str,
    asserted: &Asserted,
) -> Result<Result<Account, (Option<Account>, Refused)>, Error> {
    let Ok(id) = webauthn::id(&asserted.id) else { return Ok(Err((None, Refused::Malformed))) };
    let client = connect(app).await?;
    let Some(key) = identity::passkey().bind(&**client, &id).opt().await? else {
        return Ok(Err((None, Refused::Foreign)));
    };
    let owner = account(&client, &key.account).await?;
    let handle = asserted.user_handle.as_ref().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let handle = handle.and_then(|bytes| uuid::Uuid::from_slice(&bytes).ok());
    let Some((owner, handle)) = owner.clone().zip(handle) else { return Ok(Err((owner, Refused::Foreign))) };
    let is_theirs = identity::passkey_of_handle().bind(&**client, &handle, &key.account).one().await?;
    let Some(known) = serde_json::from_value::<Credential>(key.credential).ok().filter(|_| is_theirs) else {
        return Ok(Err((Some(owner), Refused::Foreign)));
    };
    match webauthn::verify(party, challenge, &known, asserted) {
        Err(refused) => Ok(Err((Some(owner), refused))),
        Ok(used) => {
            let used = serde_json::to_value(used).unwrap_or_default();
            identity::use_passkey().bind(&**client, &used, &Timestamp::now(), &id).await?;
            Ok(Ok(owner))
        }
    }
}

/// Somebody who may change what they log in with, or what to answer.
async fn owner(app: &App, headers: &HeaderMap, csrf: &str) -> Result<Result<Visitor, Response>, Error> {
    let Some(visitor) = visitor(app, headers).await? else {
        return Ok(Err(forms::go_by_script("/login", Vec::new())));
    };
    if !forms::is_from_visitor(app, headers, &visitor, csrf) {
        return Ok(Err(too_old()));
    }
    if !super::is_fresh(&visitor) {
        return Ok(Err(forms::go_by_script(&relogin_location("/account"), Vec::new())));
    }
    Ok(Ok(visitor))
}

async fn begin_registration(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(asked): Json<Begin>,
) -> Result<Response, Error> {
    let Some(party) = party(&app) else { return Ok(no_passkeys()) };
    let visitor = match owner(&app, &headers, &asked.csrf).await? {
        Ok(visitor) => visitor,
        Err(answer) => return Ok(answer),
    };
    let account = &visitor.account;
    let known = identity::passkeys().bind(&**connect(&app).await?, &account.id).all().await?;
    if known.len() >= KEYS_MAX {
        return Ok(forms::refused(StatusCode::CONFLICT, "You have 20 passkeys. Revoke one that you do not use."));
    }
    let (ceremony, challenge) = begin(&app, "passkey_registration", Some(&account.id)).await?;
    let exclude: Vec<Value> = known.iter().map(|key| describe(&key.id, &key.credential)).collect();
    let algorithms = ALGORITHMS.map(|alg| json!({ "type": "public-key", "alg": alg }));
    let name = account.email.as_deref().unwrap_or(&account.id);
    let public_key = json!({
        "challenge": challenge,
        "rp": { "id": party.id, "name": "sp" },
        "user": { "id": URL_SAFE_NO_PAD.encode(account.handle.as_bytes()), "name": name, "displayName": account.shown() },
        "pubKeyCredParams": algorithms,
        "timeout": CEREMONY.as_secs() * 1000,
        "attestation": "none",
        "authenticatorSelection": { "residentKey": "required", "requireResidentKey": true, "userVerification": "required" },
        "excludeCredentials": exclude,
    });
    Ok(Json(json!({ "ceremony": ceremony, "publicKey": public_key })).into_response())
}

fn describe(id: &[u8], credential: &Value) -> Value {
    json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(id), "transports": credential["transports"] })
}

#[derive(Deserialize)]
struct FinishRegistration {
    csrf: String,
    ceremony: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    return_to: String,
    credential: Created,
}

async fn finish_registration(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(brought): Json<FinishRegistration>,
) -> Result<Response, Error> {
    let Some(party) = party(&app) else { return Ok(no_passkeys()) };
    let visitor = match owner(&app, &headers, &brought.csrf).await? {
        Ok(visitor) => visitor,
        Err(answer) => return Ok(answer),
    };
    let begun = take(&app, "passkey_registration", &brought.ceremony).await?;
    let Some((challenge, _)) = begun.filter(|(_, whose)| whose.as_deref() == Some(&*visitor.account.id)) else {
        return Ok(too_old());
    };
    let (id, credential) = match webauthn::register(&party, &challenge, &brought.credential) {
        Ok(made) => made,
        Err(refused) => {
            tracing::info!(%refused, "a new passkey was refused");
            return Ok(forms::refused(StatusCode::BAD_REQUEST, "What the device brought cannot be used. Try another one."));
        }
    };
    let name = named(&brought.name);
    record::changed(&app, &headers, &visitor.account, "passkey added", json!({ "name": name })).await?;
    let credential = serde_json::to_value(credential).unwrap_or_default();
    let put = identity::put_passkey();
    if put.bind(&**connect(&app).await?, &id, &visitor.account.id, &name, &credential).await? == 0 {
        return Ok(forms::refused(StatusCode::CONFLICT, "This passkey is known already."));
    }
    Ok(forms::go_by_script(local_path(&brought.return_to).unwrap_or("/account?done=passkey_added"), Vec::new()))
}

/// What a key is called.
pub(super) fn named(text: &str) -> String {
    let text: String = text.trim().chars().filter(|letter| !letter.is_control()).take(NAME_CHARS).collect();
    if text.is_empty() { "Passkey".to_owned() } else { text }
}
