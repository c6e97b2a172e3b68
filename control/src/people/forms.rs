//! Whether a form came from a page of ours. A browser that is not logged in has a cookie for the time that it takes to
//! log in, so that nobody is logged in as somebody else by another site's form.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;

use super::{Error, Visitor, cookie, csrf_ok, page, secret};
use crate::app::App;

/// A browser that is about to log in.
pub(super) struct Visit {
    /// What its forms must carry.
    pub(super) csrf: String,
    set: Option<HeaderValue>,
}

impl Visit {
    /// The one that this browser has begun, or a new one.
    pub(super) fn of(app: &App, headers: &HeaderMap) -> Result<Visit, Error> {
        if let Some(value) = cookie::visit(app, headers) {
            return Ok(Visit { csrf: secret::csrf(value), set: None });
        }
        let value = secret::random()?;
        Ok(Visit { csrf: secret::csrf(&value), set: cookie::set_visit(app, &value) })
    }

    /// Gives the browser its cookie with this page.
    pub(super) fn with(self, mut response: Response) -> Response {
        if let Some(set) = self.set {
            response.headers_mut().append(header::SET_COOKIE, set);
        }
        response
    }
}

/// Whether a form of a browser that is about to log in came from our page.
pub(super) fn is_from_visit(app: &App, headers: &HeaderMap, csrf: &str) -> bool {
    let expected = cookie::visit(app, headers).map(secret::csrf);
    let is_known = expected.is_some_and(|of| verify_slices_are_equal(of.as_bytes(), csrf.as_bytes()).is_ok());
    is_known && is_same_origin(app, headers)
}

/// The same for one that is logged in.
pub(super) fn is_from_visitor(app: &App, headers: &HeaderMap, visitor: &Visitor, csrf: &str) -> bool {
    csrf_ok(visitor, csrf) && is_same_origin(app, headers)
}

/// What browsers say of where a request comes from, as far as they say it.
fn is_same_origin(app: &App, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let ours = Url::parse(&app.settings.public_url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    text("origin").is_none_or(|origin| origin == ours) && text("sec-fetch-site").is_none_or(|site| site == "same-origin")
}

/// What somebody sees whose form is too old, or not ours.
pub(super) fn stale() -> Response {
    page::message(
        StatusCode::FORBIDDEN,
        "This form is too old",
        "It was not sent from a page that this gateway has just shown to this browser. Go back, load the page again and try once more; \
         cookies have to be allowed, and the page has to be open under the gateway's own address.",
    )
}

/// The same for scripts.
pub(super) fn refused(status: StatusCode, message: &str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], axum::Json(serde_json::json!({ "message": message }))).into_response()
}

/// Sends a browser on, with a GET whatever it came with.
pub(super) fn go(location: &str, cookies: Vec<HeaderValue>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    with_cookies(response, cookies)
}

/// Sends a script on.
pub(super) fn go_by_script(location: &str, cookies: Vec<HeaderValue>) -> Response {
    with_cookies(axum::Json(serde_json::json!({ "location": location })).into_response(), cookies)
}

fn with_cookies(mut response: Response, cookies: Vec<HeaderValue>) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
