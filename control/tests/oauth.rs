//! The authorization server as clients and attackers meet it. Each test names the section that it holds to.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ACCESS, Gateway, Upstream, client, echo_server, post, reason, tool_call};

mod attacks;
mod grants;
mod signing;
mod terminal;

const CALLBACK: &str = "http://127.0.0.1:3121/callback";
// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What came back, whatever it is.
#[derive(Debug)]
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// A parameter of the address that the browser is sent to.
    fn param(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(self.header("location")).ok()?;
        url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

fn encode(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The gateway, a registered client, and a person who is logged in.
struct Scene {
    gateway: Gateway,
    issuer: String,
    client_id: String,
    cookie: String,
    session: String,
    _upstream: Upstream,
}

impl Scene {
    async fn start() -> Scene {
        Scene::start_with(&[]).await
    }

    /// The same with more arguments for the gateway.
    async fn start_with(args: &[&str]) -> Scene {
        let upstream = Upstream::start(&[]);
        let echo = echo_server(&upstream.url);
        let services =
            [("mcp/echo.yaml", echo.as_str()), ("access/access.yaml", ACCESS), ("governance/rules.yaml", "secrets: {}\n")];
        let usual: &[&str] = if args.contains(&"--cores") { &[] } else { &["--cores", "2"] };
        let gateway = Gateway::start(&services, &[usual, args].concat());
        let issuer = format!("http://localhost:{}", gateway.port);
        gateway.sp(&["admin", "users", "create", "ann", "--role", "developer", "--email", "ann@example.com"]);
        let mut scene = Scene {
            gateway,
            issuer,
            client_id: String::new(),
            cookie: String::new(),
            session: String::new(),
            _upstream: upstream,
        };
        (scene.cookie, scene.session) = scene.log_in("ann").await;
        scene.client_id = scene.register(&json!({})).await["client_id"].as_str().unwrap().to_owned();
        scene
    }

    /// A log-in, made where the pages make it.
    async fn log_in(&self, user: &str) -> (String, String) {
        let (cookie, session) = (format!("cookie-of-{user}-{}", rand()), format!("s-{user}-{}", rand()));
        let digest = blake3::hash(cookie.as_bytes());
        let database = self.gateway.postgres().await;
        let statement = "INSERT INTO session (id, account, digest, method, expires_at) VALUES ($1, $2, $3, 'passkey', now() + interval '1 day')";
        database.execute(statement, &[&session, &user, &&digest.as_bytes()[..]]).await.unwrap();
        (cookie, session)
    }

    async fn register(&self, more: &Value) -> Value {
        let mut metadata = json!({
            "client_name": "Test", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        });
        metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = self.send("POST", "/oauth/register", &[("content-type", "application/json")], &metadata.to_string()).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        reply.json()
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.gateway.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = client().request(request.body(Full::from(body.to_owned())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    async fn get(&self, path: &str, cookie: Option<&str>) -> Reply {
        let cookie = cookie.map(|value| format!("sp-session={value}"));
        let headers: Vec<(&str, &str)> = cookie.iter().map(|value| ("cookie", value.as_str())).collect();
        self.send("GET", path, &headers, "").await
    }

    async fn form(&self, path: &str, cookie: Option<&str>, pairs: &[(&str, &str)]) -> Reply {
        let cookie = cookie.map(|value| format!("sp-session={value}")).unwrap_or_default();
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("cookie", cookie.as_str())];
        self.send("POST", path, &headers, &encode(pairs)).await
    }

    /// An authorization request's parameters, some of them changed (an empty value leaves one out).
    fn request(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = [
            ("client_id", self.client_id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("state", "st"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("scope", "openid tools:call"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        for (name, value) in changes {
            pairs.retain(|(known, _)| known != name);
            if !value.is_empty() {
                pairs.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        pairs
    }

    async fn authorize(&self, cookie: Option<&str>, changes: &[(&str, &str)]) -> Reply {
        let pairs = self.request(changes);
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        self.get(&format!("/oauth/authorize?{query}"), cookie).await
    }

    /// What forms of the logged-in person carry: the same derivation, from the cookie.
    fn csrf(cookie: &str) -> String {
        URL_SAFE_NO_PAD
            .encode(blake3::derive_key("sp 2026-11-26 token of a form, from the cookie of its browser", cookie.as_bytes()))
    }

    async fn decide(&self, csrf: &str, decision: &str, changes: &[(&str, &str)]) -> Reply {
        let mut pairs = self.request(changes);
        pairs.extend([("csrf".to_owned(), csrf.to_owned()), ("decision".to_owned(), decision.to_owned())]);
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.form("/oauth/consent", Some(&self.cookie), &pairs).await
    }

    /// A code, as a person who agrees gets it.
    async fn code(&self, changes: &[(&str, &str)]) -> String {
        let reply = self.decide(&Scene::csrf(&self.cookie), "allow", changes).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{reply:?}");
        reply.param("code").unwrap_or_else(|| panic!("{reply:?}"))
    }

    async fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> Reply {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("client_id", self.client_id.as_str()),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in changes {
            pairs.retain(|(known, _)| known != name);
            if !value.is_empty() {
                pairs.push((name, value));
            }
        }
        self.form("/oauth/token", None, &pairs).await
    }

    async fn tokens(&self, changes: &[(&str, &str)]) -> Value {
        let code = self.code(changes).await;
        let reply = self.redeem(&code, &[]).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        reply.json()
    }

    async fn refresh(&self, token: &str) -> Reply {
        let pairs = [("grant_type", "refresh_token"), ("client_id", self.client_id.as_str()), ("refresh_token", token)];
        self.form("/oauth/token", None, &pairs).await
    }

    /// Why a call of a tool with this token is refused; empty when it is carried out.
    async fn call(&self, token: &str) -> String {
        reason(&post(&self.gateway.endpoint("echo"), Some(token), &tool_call("echo", json!({ "message": "x" }))).await)
    }
}

fn rand() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The claims of a token, unverified.
fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}
