//! Machines without a browser (RFC 8628): the device gets two codes, a person types the short one somewhere else.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};
use schema::queries::oauth as sql;
use serde_json::json;
use wire::decision::EventKind;

use super::params::Params;
use super::refusal::{Code, Error, Refusal, no_store};
use super::scope::{self, Bounds};
use super::{Event, attempts, authorize, clients, grants, is_resource, metadata, record, scopes_of_roles, token};
use crate::app::App;
use crate::people::page::{Device, DeviceStep};
use crate::people::{self, Visitor, page as pages, secret};

/// LIMIT: how long a person may take.
const LIFE: SignedDuration = SignedDuration::from_mins(10);

/// How often a device asks.
const INTERVAL_S: i32 = 5;

/// Letters that are not mistaken for one another, and make no words (RFC 8628 section 6.1): 20^8 codes.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// A code as people read it.
fn user_code(random: [u8; 8]) -> String {
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
    let letters: Vec<char> = random.into_iter().map(letter).collect();
    let (left, right) = letters.split_at(4);
    left.iter().chain(&['-']).chain(right).collect()
}

/// What a person typed, as it is stored.
fn typed(text: &str) -> String {
    let letters: Vec<char> = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).take(20).collect();
    let (left, right) = letters.split_at(letters.len().min(4));
    left.iter().chain(&['-']).chain(right).collect()
}

/// `POST /oauth/device_authorization` (section 3.1).
pub async fn begin(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Result<Response, Error> {
    let params = grants::form(&headers, &body)?;
    let client = clients::authenticate(&app, &headers, &params).await?;
    token::may_use(&client, token::DEVICE)?;
    let scopes = scope::parse(params.get("scope"))?.unwrap_or_default();
    let mut resources = authorize::resources(&params, |resource| is_resource(&app, resource))?;
    if resources.is_empty() {
        resources.push(app.settings.public_url.clone());
    }
    let (peer, now) = (people::peer(&headers), Timestamp::now());
    let database = people::connect(&app).await?;
    attempts::check(&database, attempts::DEVICE_BEGUN, &peer).await?;
    attempts::count(&database, attempts::DEVICE_BEGUN, &peer).await?;
    let device_code = secret::random()?;
    let expires_at = now.checked_add(LIFE).unwrap_or(now);
    let digest = secret::digest(&device_code);
    for _ in 0..4 {
        let code = user_code(secret::bytes::<8>()?);
        let stored = sql::put_device_authorization()
            .bind(&**database, &&digest[..], &code, &client.id, &scopes, &resources, &peer, &now, &expires_at, &INTERVAL_S)
            .await?;
        if stored == 1 {
            let uri = format!("{}{}", app.settings.public_url, metadata::DEVICE);
            let answer = json!({
                "device_code": device_code, "user_code": code, "verification_uri": uri,
                "verification_uri_complete": format!("{uri}?user_code={code}"), "expires_in": LIFE.as_secs(), "interval": INTERVAL_S,
            });
            return Ok((no_store(), Json(answer)).into_response());
        }
    }
    Err(Refusal::new(Code::TemporarilyUnavailable, "no code is free; try again").into())
}

fn show(visitor: &Visitor, step: DeviceStep<'_>) -> Response {
    pages::device(&Device { visitor, step, action: metadata::DEVICE })
}

/// `GET /device`: the person types the code, or comes with it in the address.
pub async fn page(State(app): State<Arc<App>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Response, people::Error> {
    let query = query.unwrap_or_default();
    let Some(visitor) = people::visitor(&app, &headers).await? else {
        let path = if query.is_empty() { metadata::DEVICE.to_owned() } else { format!("{}?{query}", metadata::DEVICE) };
        return Ok(Redirect::to(&people::login_location(&path)).into_response());
    };
    let code = Params::parse(&query).ok().and_then(|params| params.get("user_code").map(str::to_owned)).unwrap_or_default();
    Ok(show(&visitor, DeviceStep::Enter { problem: None, user_code: &code.chars().take(20).collect::<String>() }))
}

/// `POST /device`: the code, then the answer.
pub async fn answer(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    match answered(&app, &headers, &body).await {
        Ok(response) => response,
        Err(Error::Broken(error)) => error.into_response(),
        Err(error) => super::http::said(&error.refusal()),
    }
}

async fn answered(app: &App, headers: &HeaderMap, body: &Bytes) -> Result<Response, Error> {
    let params = grants::form(headers, body)?;
    let Some(visitor) = people::visitor(app, headers).await? else {
        return Ok(Redirect::to(&people::login_location(metadata::DEVICE)).into_response());
    };
    if !people::csrf_ok(&visitor, params.get("csrf").unwrap_or_default()) {
        return Err(Refusal::new(Code::InvalidRequest, "this form has not come from a page of ours; open it again").into());
    }
    let code = typed(params.get("user_code").unwrap_or_default());
    let database = people::connect(app).await?;
    attempts::check(&database, attempts::DEVICE, &visitor.account.id).await?;
    let now = Timestamp::now();
    let Some(device) = sql::device_by_user_code().bind(&**database, &code, &now).opt().await? else {
        attempts::count(&database, attempts::DEVICE, &visitor.account.id).await?;
        let problem = Some("There is no such code, or it has expired. Look at your device and type it again.");
        return Ok(show(&visitor, DeviceStep::Enter { problem, user_code: "" }));
    };
    let client = sql::client().bind(&**database, &device.client).one().await?;
    let of_roles = scopes_of_roles(app, &visitor.account.roles).await;
    let base = app.settings.public_url.as_str();
    let bounds = Bounds {
        of_roles: &of_roles,
        of_client: client.scopes.as_deref(),
        is_person: true,
        is_for_gateway: device.resources.iter().any(|resource| grants::is_of_gateway(resource, base)),
    };
    let asked = (!device.scopes.is_empty()).then_some(device.scopes.as_slice());
    let scopes = scope::grant(asked, &bounds)?;
    let (client_name, client_id) = (client.name.as_str(), client.id.as_str());
    match params.get("decision") {
        Some(decision @ ("allow" | "deny")) => {
            let approved = decision == "allow";
            settle(app, &database, &visitor, &device, (&scopes, approved)).await?;
            Ok(show(&visitor, DeviceStep::Done { approved }))
        }
        _ => Ok(show(
            &visitor,
            DeviceStep::Confirm {
                user_code: &code,
                client_name,
                client_id,
                address: &device.address,
                scopes: &scopes,
                resources: &device.resources,
            },
        )),
    }
}

async fn settle(
    app: &App,
    database: &tokio_postgres::Client,
    visitor: &Visitor,
    device: &sql::DeviceByUserCode,
    (scopes, approved): (&[String], bool),
) -> Result<(), Error> {
    let now = Timestamp::now();
    let state = if approved { "approved" } else { "denied" };
    let detail = json!({ "scopes": scopes, "address": device.address, "session": visitor.session });
    let event = Event {
        user: &visitor.account.id,
        tenant: visitor.account.tenant.as_deref().unwrap_or_default(),
        tier: visitor.account.tier.code(),
        client: &device.client,
        detail,
    };
    record(app, EventKind::Login, "device_answered", approved, event).await?;
    let scopes = scopes.to_vec();
    sql::answer_device()
        .bind(
            database,
            &state,
            &Some(&visitor.account.id),
            &Some(&visitor.session),
            &Some(visitor.authenticated_at),
            &scopes,
            &&device.digest[..],
            &now,
        )
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_typed_as_people_type() {
        let code = user_code([0, 1, 2, 3, 20, 255, 6, 7]);
        assert_eq!(code, "BCDF-BTJK");
        for text in ["BCDF-BTJK", "bcdfbtjk", " bcdf btjk ", "BCDF--BTJK"] {
            assert_eq!(typed(text), code, "{text}");
        }
        assert_eq!(typed(""), "-");
        assert!(typed(&"x".repeat(1000)).len() <= 21);
    }
}
