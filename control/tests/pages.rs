//! People at their browsers: the first administrator's link, log-ins, what is refused and how it is recorded.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ACCESS, Gateway, OPERATORS, Upstream, client, echo_server, first_link, post, reason, tool_call};

const PASSWORD: &str = "correct horse battery staple";

fn gateway(upstream: &Upstream) -> Gateway {
    let echo = echo_server(&upstream.url);
    let services = [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", "secrets: {}\n")];
    Gateway::start(&services, &["--cores", "2"])
}

/// A browser without JavaScript: it keeps cookies and sends forms.
#[derive(Default, Clone)]
struct Browser {
    base: String,
    cookies: BTreeMap<String, String>,
    origin: Option<String>,
}

struct Seen {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Seen {
    fn location(&self) -> &str {
        self.headers.get("location").map_or("", |value| value.to_str().unwrap())
    }

    /// What the page's forms carry.
    fn csrf(&self) -> String {
        let (_, rest) = self.text.split_once(r#"name="csrf" value=""#).unwrap_or_else(|| panic!("no form: {}", self.text));
        rest.split('"').next().unwrap().to_owned()
    }
}

impl Browser {
    fn new(gateway: &Gateway) -> Browser {
        let base = format!("http://localhost:{}", gateway.port);
        Browser { origin: Some(base.clone()), base, ..Browser::default() }
    }

    async fn send(&mut self, method: &str, path: &str, body: String) -> Seen {
        let path = path.strip_prefix(&self.base).unwrap_or(path);
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request =
            Request::builder().method(method).uri(format!("{}{path}", self.base)).header("cookie", cookies.join("; "));
        if method == "POST" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
            if let Some(origin) = &self.origin {
                request = request.header("origin", origin);
            }
        }
        let (parts, body) = client().request(request.body(Full::from(body)).unwrap()).await.unwrap().into_parts();
        for set in parts.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name)
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned())
            };
        }
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Seen { status: parts.status, headers: parts.headers, text }
    }

    async fn get(&mut self, path: &str) -> Seen {
        self.send("GET", path, String::new()).await
    }

    async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", path, body).await
    }

    /// Becomes the first administrator, with a password.
    async fn set_up(&mut self, link: &str) {
        let page = self.get(link).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let (_, code) = link.split_once("code=").unwrap();
        let done =
            self.submit("/enrol", &[("csrf", &page.csrf()), ("code", code), ("user", "ada"), ("email", "ada@example.com")]).await;
        assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/account?done=welcome"), "{}", done.text);
        let csrf = self.get("/account").await.csrf();
        let done = self.submit("/account/password", &[("csrf", &csrf), ("password", PASSWORD)]).await;
        assert_eq!(done.location(), "/account?done=password_set", "{}", done.text);
    }

    async fn log_in(&mut self, login: &str, password: &str, return_to: &str) -> Seen {
        let csrf = self.get("/login?again=yes").await.csrf();
        self.submit("/login", &[("csrf", &csrf), ("login", login), ("password", password), ("return_to", return_to)]).await
    }

    fn session(&self) -> String {
        self.cookies.get("sp-session").cloned().unwrap_or_default()
    }
}

fn json(gateway: &Gateway, args: &[&str]) -> Value {
    serde_json::from_str(&gateway.sp(&[&["--json"], args].concat())).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_comes_by_a_link_that_is_good_once() {
    let gateway = Gateway::start(&[("access/access.yaml", OPERATORS)], &["--cores", "2"]);
    let logged = first_link(&gateway);
    // The command makes another, and ends the one before.
    let setup = json(&gateway, &["admin", "setup"]);
    let link = setup["first_administrator"].as_str().unwrap().to_owned();
    let mut browser = Browser::new(&gateway);
    assert_eq!(browser.get(&logged).await.status, StatusCode::GONE);
    browser.set_up(&link).await;
    assert_eq!(browser.get(&link).await.status, StatusCode::GONE);
    let ada = json(&gateway, &["admin", "users", "show", "ada"]);
    assert_eq!((&ada["tier"], &ada["roles"]), (&json!("admin"), &json!(["operator"])), "{ada}");
    assert!(json(&gateway, &["admin", "setup"])["first_administrator"].is_null());
    // A person without credentials is let in by a link of their own.
    gateway.sp(&["admin", "users", "create", "bob"]);
    let link = json(&gateway, &["admin", "users", "link", "bob"])["link"].as_str().unwrap().to_owned();
    let mut bob = Browser::new(&gateway);
    let page = bob.get(&link).await;
    let code = link.split_once("code=").unwrap().1;
    let done = bob.submit("/enrol", &[("csrf", &page.csrf()), ("code", code)]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(bob.get("/account").await.text.contains("bob"));
    assert_eq!(Browser::new(&gateway).get(&link).await.status, StatusCode::GONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_in_is_recorded_and_gets_a_cookie_of_their_own() {
    let upstream = Upstream::start(&[]);
    let gateway = gateway(&upstream);
    let mut browser = Browser::new(&gateway);
    browser.set_up(&first_link(&gateway)).await;
    let before = browser.session();

    // Session fixation: whatever cookie was there before, another is there after, and the old one is worth nothing.
    let mut planted = Browser::new(&gateway);
    planted.cookies.insert("sp-session".to_owned(), "planted-by-somebody-else".to_owned());
    let done = planted.log_in("ADA@example.com", PASSWORD, "/account").await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/account"));
    assert!(planted.session() != "planted-by-somebody-else" && planted.session() != before);
    // Again in the same browser: the session stays, its cookie does not.
    assert_eq!(browser.log_in("ada", PASSWORD, "/account").await.status, StatusCode::SEE_OTHER);
    assert_ne!(browser.session(), before);
    let mut old = Browser::new(&gateway);
    old.cookies.insert("sp-session".to_owned(), before);
    assert!(old.get("/account").await.location().starts_with("/login"));

    // Nobody is sent elsewhere.
    for elsewhere in ["https://evil.example/", "//evil.example/", "/\\evil.example"] {
        let done = planted.log_in("ada", PASSWORD, elsewhere).await;
        assert_eq!(done.location(), "/account", "{elsewhere}");
    }

    gateway.wait_until_shipped();
    let rows = gateway.postgres().await;
    let rows =
        rows.query("SELECT user_id, verdict, detail FROM audit_event WHERE kind = 'login' ORDER BY at", &[]).await.unwrap();
    assert!(rows.len() >= 6, "{}", rows.len());
    assert!(rows.iter().all(|row| row.get::<_, Option<String>>(0).as_deref() == Some("ada")));

    // Logging out ends what was issued in the session, on every shard, when the answer comes.
    let list = json(&gateway, &["admin", "sessions", "list", "--user", "ada"]);
    let sessions = list["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2, "{list}");
    let sid = sessions.iter().map(|of| of["id"].as_str().unwrap()).max().unwrap();
    let token = gateway.token(&["--user", "ada", "--tier", "admin", "--role", "developer", "--session", sid]);
    let call = tool_call("echo", json!({"message": "x"}));
    assert_eq!(reason(&post(&gateway.endpoint("echo"), Some(&token), &call).await), "");
    let csrf = planted.get("/account").await.csrf();
    let began = Instant::now();
    let done = planted.submit("/logout", &[("csrf", &csrf)]).await;
    let took = began.elapsed();
    assert_eq!(done.location(), "/login", "{}", done.text);
    for _ in 0..12 {
        assert_eq!(reason(&post(&gateway.endpoint("echo"), Some(&token), &call).await), "token_revoked");
    }
    assert!(took < Duration::from_secs(2), "logging out took {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_from_our_page_changes_nothing() {
    let gateway = Gateway::start(&[("access/access.yaml", OPERATORS)], &["--cores", "2"]);
    let mut browser = Browser::new(&gateway);
    browser.set_up(&first_link(&gateway)).await;
    let page = browser.get("/account").await;
    for (name, value) in [("x-frame-options", "DENY"), ("cache-control", "no-store"), ("referrer-policy", "same-origin")] {
        assert_eq!(page.headers[name], value);
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    // CSRF: no token, another's token, or another site's page.
    let csrf = page.csrf();
    let mut other = Browser::new(&gateway);
    let others = other.get("/login").await.csrf();
    for wrong in ["", "x", others.as_str()] {
        assert_eq!(browser.submit("/account/password/remove", &[("csrf", wrong)]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.submit("/logout", &[("csrf", wrong)]).await.status, StatusCode::FORBIDDEN);
    }
    let mut forged = browser.clone();
    forged.origin = Some("http://127.0.0.1:1".to_owned());
    assert_eq!(forged.submit("/logout", &[("csrf", &csrf)]).await.status, StatusCode::FORBIDDEN);
    // A log-in by another site's form: without the browser's own cookie nothing happens.
    let mut victim = Browser::new(&gateway);
    let done = victim.submit("/login", &[("csrf", &others), ("login", "ada"), ("password", PASSWORD)]).await;
    assert_eq!((done.status, victim.session()), (StatusCode::FORBIDDEN, String::new()));
    assert!(browser.get("/account").await.status.is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_counted_and_tells_nothing() {
    let gateway = Gateway::start(&[("access/access.yaml", OPERATORS)], &["--cores", "2"]);
    let mut browser = Browser::new(&gateway);
    browser.set_up(&first_link(&gateway)).await;
    gateway.sp(&["admin", "users", "create", "gone"]);
    gateway.sp(&["admin", "users", "disable", "gone"]);
    let mut guesser = Browser::new(&gateway);
    // Whether somebody exists, has no password, or is disabled: the same page.
    let masked = |seen: &Seen| (seen.status, seen.text.len());
    let known = guesser.log_in("ada", "wrong horse battery staple", "/account").await;
    for login in ["nobody", "gone"] {
        let seen = guesser.log_in(login, "wrong horse battery staple", "/account").await;
        assert_eq!(masked(&seen), masked(&known), "{login}");
    }
    // The same name is counted however it is written, and whether or not it exists.
    for login in ["ada", "nobody"] {
        let mut status = StatusCode::OK;
        for _ in 0..11 {
            status = guesser.log_in(login, "wrong horse battery staple", "/account").await.status;
        }
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{login}");
    }
    let locked = guesser.log_in("Ada@Example.com", PASSWORD, "/account").await;
    assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS);
    gateway.wait_until_shipped();
    let rows = gateway.postgres().await;
    let query = "SELECT count(*) FROM audit_event WHERE kind = 'login' AND verdict = 'deny' AND reason = $1";
    for (reason, least) in [("credential_wrong", 15), ("rate_limited", 2)] {
        let found: i64 = rows.query_one(query, &[&reason]).await.unwrap().get(0);
        assert!(found >= least, "{reason}: {found}");
    }
}
