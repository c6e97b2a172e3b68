//! What every page has in common, and the pages that the authorization server shows: consent, devices, messages. `maud`
//! escapes whatever is put into them. No page runs a script of its own text, none can be framed, none is kept.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use url::Url;

use super::Visitor;
use crate::app::App;

const STYLE: &str = include_str!("assets/sp.css");
const PASSKEY_SCRIPT: &str = include_str!("assets/passkey.js");
const ICON: &str = include_str!("assets/icon.svg");

/// Changes with what it names, so that browsers may keep files for good.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all = [STYLE, PASSKEY_SCRIPT, ICON].concat();
    blake3::hash(all.as_bytes()).to_hex().as_str().get(..12).unwrap_or_default().to_owned()
});

/// A page that is about to be written.
pub(super) struct Page<'a> {
    /// Of the browser's window.
    pub(super) title: &'a str,
    /// Who looks at it, for the line at the top.
    pub(super) visitor: Option<&'a Visitor>,
    /// Whether it needs the script that talks to authenticators.
    pub(super) has_script: bool,
    /// Where its forms may lead besides this origin.
    pub(super) targets: Vec<String>,
    /// How it is answered.
    pub(super) status: StatusCode,
    /// Whether it shows lists, and needs the room.
    pub(super) is_wide: bool,
}

impl<'a> Page<'a> {
    pub(super) fn new(title: &'a str) -> Page<'a> {
        Page { title, visitor: None, has_script: false, targets: Vec::new(), status: StatusCode::OK, is_wide: false }
    }

    pub(super) fn render(self, main: Markup) -> Response {
        let asset = |name: &str| format!("/assets/{name}?v={}", *VERSION);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · sp" }
                    link rel="icon" type="image/svg+xml" href=(asset("icon.svg"));
                    link rel="stylesheet" href=(asset("sp.css"));
                    @if self.has_script { script src=(asset("passkey.js")) defer {} }
                }
                body {
                    a.skip href="#main" { "Skip to content" }
                    header.top {
                        a.brand href="/account" aria-label="sp, your account" { img src=(asset("icon.svg")) alt="" width="28" height="28"; span { "sp" } }
                        @if let Some(visitor) = self.visitor {
                            nav aria-label="Account" {
                                a.who href="/account" { (visitor.account.shown()) }
                                form method="post" action="/logout" {
                                    (hidden("csrf", &visitor.csrf))
                                    button.quiet { "Log out" }
                                }
                            }
                        }
                    }
                    main #main .wide[self.is_wide] tabindex="-1" { (main) }
                }
            }
        };
        let mut response = (self.status, page.into_string()).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        harden(&mut response, &self.targets);
        response
    }
}

/// What keeps a page from being framed, kept, sniffed, or told to others by the address that it was opened with.
/// `same-origin` and not `no-referrer`: with the latter browsers post `Origin: null`.
fn harden(response: &mut Response, targets: &[String]) {
    let targets: String = targets.iter().flat_map(|target| [" ", target]).collect();
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'{targets}; \
         frame-ancestors 'none'; base-uri 'none'"
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert(
        "permissions-policy",
        HeaderValue::from_static("publickey-credentials-get=(self), publickey-credentials-create=(self)"),
    );
}

/// Where a form may lead whose answer sends the browser to this address: browsers hold redirects to `form-action` too.
pub(super) fn form_target(redirect_uri: &str) -> Option<String> {
    let url = Url::parse(redirect_uri).ok()?;
    match url.scheme() {
        "https" | "http" => Some(url.origin().ascii_serialization()),
        // Browsers run what stands in these.
        "javascript" | "data" | "blob" | "vbscript" | "file" => None,
        other => Some(format!("{other}:")),
    }
}

/// A form's field that nobody sees.
pub(super) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// Something that went wrong, said above a form and to whoever cannot see.
pub(super) fn problem(text: Option<&str>) -> Markup {
    html! { @if let Some(text) = text { p.problem role="alert" { (text) } } }
}

/// A page that says one thing.
pub fn message(status: StatusCode, title: &str, text: &str) -> Response {
    let main = html! { section.card { h1 { (title) } p { (text) } } };
    Page { status, ..Page::new(title) }.render(main)
}

/// Says that what an application asked for is not done. `why` is a sentence as programs say it, `code` what they call it.
pub fn refused(status: StatusCode, why: &str, code: &str) -> Response {
    let mut letters = why.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let main = html! {
        section.card {
            h1 { "This cannot go on" }
            p { (first) (letters.as_str()) "." }
            p.small { "Go back to the application and begin again. If it happens again, its makers want to know this: " code { (code) } }
        }
    };
    Page { status, ..Page::new("This cannot go on") }.render(main)
}

/// Says that nobody is logged in any more.
pub fn logged_out() -> Response {
    let main = html! {
        section.card {
            h1 { "Logged out" }
            p { "You are logged out of the gateway, and so is everything that used it in this log-in." }
            div.buttons { a.button href="/login" { "Log in again" } }
        }
    };
    Page::new("Logged out").render(main)
}

/// Asks a person whom a client sent here to log out. The form brings back `fields` and `csrf`.
pub fn log_out(visitor: &Visitor, fields: &[(String, String)], leads_to: Option<&str>, action: &str) -> Response {
    let main = html! {
        section.card {
            h1 { "Log out?" }
            p.lead { "You are " strong { (visitor.account.shown()) } ". An application asks you to log out of the gateway; applications that act for you in this log-in stop." }
            form method="post" action=(action) {
                @for (field, value) in fields { (hidden(field, value)) }
                (hidden("csrf", &visitor.csrf))
                div.buttons {
                    button.primary #leave { "Log out" }
                    a.button href="/account" { "Stay logged in" }
                }
            }
        }
    };
    let targets = leads_to.and_then(form_target).into_iter().collect();
    Page { visitor: Some(visitor), targets, ..Page::new("Log out") }.render(main)
}

/// Nothing is at this address: a page for people, JSON for programs.
pub async fn not_found(headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        return message(StatusCode::NOT_FOUND, "Nothing is here", "This gateway has no page at this address.");
    }
    (StatusCode::NOT_FOUND, axum::Json(serde_json::json!({ "error": "not_found" }))).into_response()
}

/// What a client asks of a person.
#[derive(Debug, Clone)]
pub struct Consent<'a> {
    /// Who is asked.
    pub visitor: &'a Visitor,
    /// What the client calls itself.
    pub client_name: &'a str,
    /// The client's id; for a document, its address.
    pub client_id: &'a str,
    /// Where the browser goes afterwards.
    pub redirect_uri: &'a str,
    /// Whether it runs on this machine, so that nothing proves which program it is.
    pub loopback_only: bool,
    /// What it wants.
    pub scopes: &'a [String],
    /// For which resources.
    pub resources: &'a [String],
    /// Fields that the form brings back.
    pub fields: &'a [(String, String)],
    /// Where the form goes.
    pub action: &'a str,
}

/// Asks a person whether a client may act for them. The form brings back `fields`, `csrf`, and `decision`: `allow` or
/// `deny`.
pub fn consent(ask: &Consent<'_>) -> Response {
    let name = if ask.client_name.is_empty() { ask.client_id } else { ask.client_name };
    let url = Url::parse(ask.redirect_uri).ok();
    let host = url.as_ref().and_then(Url::host_str).map_or_else(|| ask.redirect_uri.to_owned(), str::to_owned);
    let main = html! {
        section.card {
            h1 { "Allow “" (name) "” to act for you?" }
            p.lead { "You are " strong { (ask.visitor.account.shown()) } ". If you agree, this application may use the gateway in your name." }
            p.target { "It gets your answer at " strong { (host) } }
            @if ask.loopback_only {
                p.warning { "That is your own computer, so nothing proves which program this is. Agree only if you have just started it yourself." }
            }
            (asked_for(ask.scopes, ask.resources))
            dl.facts { dt { "Application" } dd { code { (ask.client_id) } } }
            form method="post" action=(ask.action) {
                @for (field, value) in ask.fields { (hidden(field, value)) }
                (hidden("csrf", &ask.visitor.csrf))
                div.buttons {
                    button.primary #allow name="decision" value="allow" { "Allow" }
                    button #deny name="decision" value="deny" { "Cancel" }
                }
            }
            p.small { "You can take it back at any time on " a href="/account" { "your account page" } "." }
        }
    };
    let targets = form_target(ask.redirect_uri).into_iter().collect();
    Page { visitor: Some(ask.visitor), targets, ..Page::new("Allow access") }.render(main)
}

fn asked_for(scopes: &[String], resources: &[String]) -> Markup {
    html! {
        @if !scopes.is_empty() {
            h2 { "What it may do" }
            ul.scopes { @for scope in scopes { li .heavy[scope == "gateway:operate"] { (meaning(scope)) " " code { (scope) } } } }
        }
        @if !resources.is_empty() {
            h2 { "Where" }
            ul.scopes { @for resource in resources { li { (place(resource)) " " code { (resource) } } } }
        }
    }
}

/// Words for a resource of ours: the gateway as a whole, or one of its servers.
fn place(resource: &str) -> String {
    match resource.rsplit_once("/api/v1/mcp/").and_then(|(_, rest)| rest.strip_suffix("/mcp")) {
        Some(server) => format!("The server {server}"),
        None => "Every server of this gateway".to_owned(),
    }
}

/// Words for the scopes that every gateway has.
fn meaning(scope: &str) -> &'static str {
    match scope {
        "openid" => "Know who you are",
        "profile" => "See your name",
        "email" => "See your e-mail address",
        "offline_access" => "Stay connected while you are away",
        "mcp:tools" | "tools:call" => "Call tools that you may call",
        "tools:list" => "See which tools you may call",
        "gateway:read" => "Look at how the gateway is set up",
        "gateway:operate" => "Operate the gateway: users, policy, everything",
        "audit:read" => "Read the audit trail",
        _ => "Use",
    }
}

/// Where a person stands who connects a device.
#[derive(Debug, Clone)]
pub enum DeviceStep<'a> {
    /// Types the code that the device shows.
    Enter {
        /// Why the last one was not taken.
        problem: Option<&'a str>,
        /// What was typed before.
        user_code: &'a str,
    },
    /// Says whether it is theirs.
    Confirm {
        /// The code, as the device shows it.
        user_code: &'a str,
        /// What the client calls itself.
        client_name: &'a str,
        /// The client's id.
        client_id: &'a str,
        /// Where the device asked from.
        address: &'a str,
        /// What it wants.
        scopes: &'a [String],
        /// For which resources.
        resources: &'a [String],
    },
    /// Has said so.
    Done {
        /// What.
        approved: bool,
    },
}

/// A page of the device flow (RFC 8628).
#[derive(Debug, Clone)]
pub struct Device<'a> {
    /// Who looks at it.
    pub visitor: &'a Visitor,
    /// Where they stand.
    pub step: DeviceStep<'a>,
    /// Where the form goes.
    pub action: &'a str,
}

/// Asks for the code that a device shows, then whether the device is theirs. The forms bring `csrf`, `user_code`, and in
/// the second step `decision`: `allow` or `deny`.
pub fn device(ask: &Device<'_>) -> Response {
    let form = |inner: Markup| {
        html! { form method="post" action=(ask.action) { (hidden("csrf", &ask.visitor.csrf)) (inner) } }
    };
    let main = match &ask.step {
        DeviceStep::Enter { problem: why, user_code } => html! {
            section.card {
                h1 { "Connect a device" }
                p.lead { "Type the code that your terminal or device shows." }
                (problem(*why))
                (form(html! {
                    label for="user_code" { "Code" }
                    input.code #user_code name="user_code" value=(user_code) autocomplete="off" autocapitalize="characters"
                        spellcheck="false" maxlength="20" required autofocus;
                    div.buttons { button.primary { "Continue" } }
                }))
            }
        },
        DeviceStep::Confirm { user_code, client_name, client_id, address, scopes, resources } => html! {
            section.card {
                h1 { "Is this your device?" }
                p.lead { "It shows the code " strong.code { (user_code) } " and will act as " strong { (ask.visitor.account.shown()) } "." }
                (asked_for(scopes, resources))
                dl.facts {
                    dt { "Application" } dd { @if !client_name.is_empty() { (client_name) " " } code { (client_id) } }
                    @if !address.is_empty() { dt { "Asks from" } dd { code { (address) } } }
                }
                p.warning { "Agree only if you started this yourself and the device is in front of you. Whoever sent you this code would get your access." }
                (form(html! {
                    (hidden("user_code", user_code))
                    div.buttons {
                        button.primary #allow name="decision" value="allow" { "Connect" }
                        button #deny name="decision" value="deny" { "Cancel" }
                    }
                }))
            }
        },
        DeviceStep::Done { approved } => html! {
            section.card {
                @if *approved {
                    h1 { "Connected" }
                    p { "Go back to your device: it goes on by itself." }
                } @else {
                    h1 { "Not connected" }
                    p { "The device got nothing." }
                }
            }
        },
    };
    Page { visitor: Some(ask.visitor), ..Page::new("Connect a device") }.render(main)
}

/// Style, script and icon.
pub(super) fn assets() -> Router<Arc<App>> {
    let file = |content_type: &'static str, text: &'static str| {
        let headers = [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        get(move || async move { (headers, text) })
    };
    Router::new()
        .route("/assets/sp.css", file("text/css; charset=utf-8", STYLE))
        .route("/assets/passkey.js", file("text/javascript; charset=utf-8", PASSKEY_SCRIPT))
        .route("/assets/icon.svg", file("image/svg+xml", ICON))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn pages_cannot_be_framed_kept_or_scripted() {
        let response = message(StatusCode::BAD_REQUEST, "<b>no</b>", "\"quoted\" <script>alert(1)</script>");
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[header::X_FRAME_OPTIONS], "DENY");
    }

    #[tokio::test]
    async fn what_is_put_into_a_page_is_text() {
        let response = message(StatusCode::OK, "<b>no</b>", "<script>alert(1)</script>");
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(!text.contains("<script>") && text.contains("&lt;script&gt;"), "{text}");
    }

    #[test]
    fn forms_lead_where_the_client_is() {
        for (uri, target) in [
            ("http://127.0.0.1:3121/callback?x=1", Some("http://127.0.0.1:3121")),
            ("https://app.example/cb", Some("https://app.example")),
            ("cursor://anysphere/cb", Some("cursor:")),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("https://a.example; script-src *", None),
            ("nonsense", None),
        ] {
            assert_eq!(form_target(uri).as_deref(), target, "{uri}");
        }
    }
}
