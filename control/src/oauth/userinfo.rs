//! What a client may know about the person whose token it has (OpenID Connect Core section 5.3).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::refusal::{Code, Error, Refusal, no_store};
use super::{introspect, token};
use crate::app::App;
use crate::people;

/// `GET` or `POST /oauth/userinfo`; the token stands in the header and nowhere else.
pub async fn endpoint(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Error> {
    let invalid = || Refusal::new(Code::InvalidToken, "the access token is missing or does not hold");
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let claims = introspect::live(&app, token.ok_or_else(invalid)?).await?.ok_or_else(invalid)?;
    let scopes: Vec<String> = claims.scope.split_ascii_whitespace().map(str::to_owned).collect();
    if !scopes.iter().any(|scope| scope == "openid") {
        return Err(Refusal::new(Code::InsufficientScope, "the token was issued without the scope openid").into());
    }
    let database = people::connect(&app).await?;
    let account = people::account(&database, &claims.sub).await?.ok_or_else(invalid)?;
    Ok((no_store(), Json(token::about(&account, &scopes))).into_response())
}
