//! The two cookies: a log-in, and a browser that is about to log in. With HTTPS their names begin with `__Host-`, so that no
//! other host and no plain connection can set them.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::app::App;

/// LIMIT: how long a browser may take to log in.
const VISIT_S: i64 = 3600;

/// The log-in's value.
pub fn session<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    value(headers, name(app, "session"))
}

/// The value of a browser that is about to log in.
pub fn visit<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    value(headers, name(app, "visit"))
}

/// Sets the log-in. It goes when the session does; how long that is the server decides.
pub fn set_session(app: &App, value: &str, life_s: i64) -> Option<HeaderValue> {
    set(app, "session", value, life_s)
}

/// Sets what marks a browser that is about to log in.
pub fn set_visit(app: &App, value: &str) -> Option<HeaderValue> {
    set(app, "visit", value, VISIT_S)
}

/// Takes the log-in away.
pub fn drop_session(app: &App) -> Option<HeaderValue> {
    set(app, "session", "", 0)
}

/// Takes the other one away.
pub fn drop_visit(app: &App) -> Option<HeaderValue> {
    set(app, "visit", "", 0)
}

fn is_encrypted(app: &App) -> bool {
    app.settings.public_url.starts_with("https://")
}

fn name(app: &App, what: &'static str) -> &'static str {
    match (what, is_encrypted(app)) {
        ("session", true) => "__Host-sp-session",
        ("session", false) => "sp-session",
        (_, true) => "__Host-sp-visit",
        (_, false) => "sp-visit",
    }
}

/// `Lax`: whoever comes from a client's link to log in or to consent is still known; nobody who posts from elsewhere is.
fn set(app: &App, what: &'static str, value: &str, life_s: i64) -> Option<HeaderValue> {
    let secure = if is_encrypted(app) { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; Max-Age={life_s}; HttpOnly; SameSite=Lax{secure}", name(app, what));
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// The one cookie of this name. Two of them mean that somebody else set one: neither counts.
fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut found = lines.flat_map(|line| line.split(';')).filter_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name && !value.is_empty()).then_some(value)
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_is_there_twice_does_not_count() {
        let headers = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            headers
        };
        for (lines, expect) in [
            (&["a=1; sp-session=x; b=2"][..], Some("x")),
            (&["a=1", "sp-session=x"], Some("x")),
            (&["sp-session=x; sp-session=y"], None),
            (&["sp-session=x", "sp-session=x"], None),
            (&["sp-session="], None),
            (&["xsp-session=x"], None),
            (&[], None),
        ] {
            assert_eq!(value(&headers(lines), "sp-session"), expect, "{lines:?}");
        }
    }
}
