//! `sp cloud auth`: logging in to a gateway in the browser (loopback redirect, RFC 8252) or with a code (RFC 8628), and
//! renewing what comes of it without a word. What is kept of a log-in is in `session.rs`.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Arg, ArgAction, ArgMatches, Command};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

use super::client::{Http, http};
use super::session::{Session, Tokens, now_s};
use super::target::Target;
use super::{Exit, fail};
use crate::oauth::params::Params;
use crate::oauth::token::DEVICE;
use crate::profile;

/// LIMIT: how long a person may take in the browser.
const PATIENCE: Duration = Duration::from_secs(600);

/// Tokens that end this soon are refreshed first.
const AHEAD_S: u64 = 60;

/// LIMIT: bytes of an answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// `sp cloud`.
pub fn command() -> Command {
    let login = Command::new("login")
        .about("Log in to the gateway: in the browser, or with a code on a machine that has none")
        .arg(Arg::new("device").long("device").action(ArgAction::SetTrue).help("Show a code to type in a browser elsewhere"))
        .after_help("Example:\n  sp cloud auth login --url https://gateway.example");
    let auth = Command::new("auth")
        .about("Who you are at a gateway")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(login)
        .subcommand(Command::new("logout").about("Give the tokens back and forget them"))
        .subcommand(Command::new("whoami").about("Say who is logged in, and for how long"));
    Command::new("cloud")
        .about("Gateways elsewhere: logging in and out")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(auth)
}

/// Endpoints of a gateway (RFC 8414).
#[derive(Deserialize)]
struct Server {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    registration_endpoint: String,
    revocation_endpoint: String,
    userinfo_endpoint: String,
    device_authorization_endpoint: String,
}

/// The access token of the log-in of this profile at this gateway, renewed when it is about to end.
///
/// # Errors
/// Nobody is logged in there, the log-in has ended, or what is kept of it cannot be used.
pub async fn token_for(profile: &str, url: &str) -> anyhow::Result<String> {
    Ok(fresh(kept(profile, url)?).await?.1.access_token)
}

/// Another access token of that log-in than this one, which the gateway does not take any more.
///
/// # Errors
/// The log-in has ended, or what is kept of it cannot be used.
pub async fn token_after(refused: &str, profile: &str, url: &str) -> anyhow::Result<String> {
    let _one = kept(profile, url)?.renewing()?;
    // Whoever had it before us may have renewed it.
    let session = kept(profile, url)?;
    let tokens = session.tokens().await?;
    if tokens.access_token != refused {
        return Ok(tokens.access_token);
    }
    Ok(renew(session, tokens).await?.1.access_token)
}

fn kept(profile: &str, url: &str) -> anyhow::Result<Session> {
    Session::read(profile, url)?.with_context(|| format!("nobody is logged in at {url}; run `{}`", again(profile, url)))
}

/// The command line that logs in there.
fn again(profile: &str, url: &str) -> String {
    match profile {
        "" => format!("sp cloud auth login --url {url}"),
        profile => format!("sp cloud auth login --profile {profile}"),
    }
}

async fn fresh(session: Session) -> anyhow::Result<(Session, Tokens)> {
    if session.expires_at > now_s() + AHEAD_S {
        let tokens = session.tokens().await?;
        return Ok((session, tokens));
    }
    let _one = session.renewing()?;
    // Whoever had it before us may have renewed it.
    let session = kept(&session.profile, &session.url)?;
    let tokens = session.tokens().await?;
    if session.expires_at > now_s() + AHEAD_S {
        return Ok((session, tokens));
    }
    renew(session, tokens).await
}

/// Shows the refresh token, which is good once; whoever calls this holds [`Session::renewing`].
async fn renew(mut session: Session, tokens: Tokens) -> anyhow::Result<(Session, Tokens)> {
    let ended = || format!("the log-in at {} has ended; run `{}`", session.url, again(&session.profile, &session.url));
    let refresh = tokens.refresh_token.with_context(ended)?;
    let http = http()?;
    let server = discover(&http, &session.url).await?;
    ensure!(server.issuer == session.issuer, "the gateway at {} is not the one of the log-in any more", session.url);
    let pairs = [("grant_type", "refresh_token"), ("client_id", &session.client_id), ("refresh_token", &refresh)];
    let (status, answer) = form(&http, &server.token_endpoint, &pairs).await?;
    ensure!(status.is_success(), ended());
    let tokens = given(&answer)?;
    session.expires_at = expiry(&answer);
    session.keep(tokens.clone()).await?;
    Ok((session, tokens))
}

fn given(answer: &Value) -> anyhow::Result<Tokens> {
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    let access_token = text("access_token").context("the gateway gave no token")?;
    Ok(Tokens { access_token, refresh_token: text("refresh_token") })
}

fn expiry(answer: &Value) -> u64 {
    now_s() + answer["expires_in"].as_u64().unwrap_or(0)
}

/// Carries out `sp cloud auth …`.
pub fn run(what: &str, matches: &ArgMatches) -> Exit {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return fail(Exit::Failure, "no runtime can be started");
    };
    let done = runtime.block_on(async {
        let target = Target::of(matches)?;
        let url = target.login_url()?;
        match what {
            "login" => login(target.profile(), &url, matches.get_flag("device")).await,
            "logout" => logout(target.profile(), &url).await,
            _ => whoami(target.profile(), &url).await,
        }
    });
    match done {
        Ok(value) if matches.get_flag("json") => println!("{value}"),
        Ok(value) => println!("{}", value["text"].as_str().unwrap_or_default()),
        Err(error) => return fail(Exit::Failure, format!("{error:#}")),
    }
    Exit::Success
}

/// Commands mean the gateway from then on.
async fn login(profile: &str, url: &str, with_code: bool) -> anyhow::Result<Value> {
    let http = http()?;
    let server = discover(&http, url).await?;
    let client_id = register(&http, &server).await?;
    let answer = if with_code { device(&http, &server, &client_id).await? } else { browser(&http, &server, &client_id).await? };
    let tokens = given(&answer)?;
    let user = who(&http, &server, &tokens).await?.context("the gateway does not know its own token")?;
    let mut session = Session::new((profile, url), &server.issuer, &client_id, &user, expiry(&answer));
    session.keep(tokens.clone()).await?;
    profile::activate(Some(&session.named()))?;
    Ok(described(&session, &tokens))
}

async fn logout(profile: &str, url: &str) -> anyhow::Result<Value> {
    let session = kept(profile, url)?;
    let given_back = async {
        let tokens = session.tokens().await?;
        let http = http()?;
        let server = discover(&http, url).await?;
        ensure!(server.issuer == session.issuer, "another gateway answers at {url}");
        let token = tokens.refresh_token.as_deref().unwrap_or(&tokens.access_token);
        let (status, _) =
            form(&http, &server.revocation_endpoint, &[("client_id", &session.client_id), ("token", token)]).await?;
        ensure!(status.is_success(), "the gateway answered with HTTP {status}");
        anyhow::Ok(())
    };
    let given_back = given_back.await;
    // Forgotten whatever the gateway says.
    session.forget().await?;
    given_back.context("the tokens are forgotten here, and may live until they expire")?;
    Ok(json!({ "text": format!("logged out of {url}"), "url": url }))
}

async fn whoami(profile: &str, url: &str) -> anyhow::Result<Value> {
    let (session, tokens) = fresh(kept(profile, url)?).await?;
    let http = http()?;
    let server = discover(&http, url).await?;
    let ended = || format!("the log-in at {url} does not hold any more; run `{}`", again(profile, url));
    ensure!(who(&http, &server, &tokens).await?.with_context(ended)? == session.user, "{}", ended());
    Ok(described(&session, &tokens))
}

/// Whose token it is; nothing where it does not hold.
async fn who(http: &Http, server: &Server, tokens: &Tokens) -> anyhow::Result<Option<String>> {
    let request = Request::get(&server.userinfo_endpoint).header("authorization", format!("Bearer {}", tokens.access_token));
    let (status, who) = send(http, request.body(Full::default())?).await?;
    Ok(who["sub"].as_str().filter(|_| status.is_success()).map(str::to_owned))
}

fn described(session: &Session, tokens: &Tokens) -> Value {
    let Session { user, url, issuer, profile, expires_at, .. } = session;
    let minutes = expires_at.saturating_sub(now_s()) / 60;
    let renewed = if tokens.refresh_token.is_some() { "and renewed without a word" } else { "and then over" };
    let text = format!("{user} at {url}; this token is good for {minutes} minutes, {renewed}");
    json!({ "text": text, "user": user, "url": url, "issuer": issuer, "profile": profile, "expires_at": expires_at })
}

/// RFC 8414. What the document says must be about who was asked (section 3.3), or another computer could answer for it.
async fn discover(http: &Http, url: &str) -> anyhow::Result<Server> {
    let address: Url = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
    ensure!(address.scheme() == "https" || is_here(&address), "tokens are sent with https only; `{url}` is not");
    let request = Request::get(format!("{url}/.well-known/oauth-authorization-server")).body(Full::default())?;
    let (status, document) = send(http, request).await?;
    ensure!(status.is_success(), "{url} is no gateway: HTTP {status}");
    let server: Server =
        serde_json::from_value(document).with_context(|| format!("{url} describes itself in a way that cannot be read"))?;
    let issuer: Url = server.issuer.parse().context("the gateway's issuer is not a URL")?;
    let is_same =
        issuer.origin() == address.origin() || (is_here(&issuer) && is_here(&address) && issuer.port() == address.port());
    ensure!(is_same, "{url} says that it is {}; log in there", server.issuer);
    for endpoint in
        [&server.token_endpoint, &server.registration_endpoint, &server.revocation_endpoint, &server.userinfo_endpoint]
    {
        ensure!(endpoint.starts_with(&format!("{}/", server.issuer)), "{url} sends tokens elsewhere: {endpoint}");
    }
    Ok(server)
}

fn is_here(url: &Url) -> bool {
    crate::oauth::redirect::is_loopback(url)
}

async fn register(http: &Http, server: &Server) -> anyhow::Result<String> {
    let metadata = json!({
        "client_name": "sp", "redirect_uris": ["http://127.0.0.1/callback"], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token", DEVICE], "application_type": "native",
    });
    let request = Request::post(&server.registration_endpoint).header("content-type", "application/json");
    let (status, answer) = send(http, request.body(Full::from(metadata.to_string()))?).await?;
    ensure!(status.is_success(), "the gateway does not register this program: {}", said(&answer));
    Ok(answer["client_id"].as_str().context("the gateway gave no client id")?.to_owned())
}

/// Commands are tools of server `sp`; the rest of what somebody may do is not for this program.
fn resource(server: &Server) -> String {
    format!("{}{}", server.issuer, crate::token::server_path(crate::policy::COMMAND_SERVER))
}

fn scopes() -> String {
    let all = ["openid", "offline_access"].into_iter().chain(crate::oauth::scope::OF_GATEWAY.iter().copied());
    all.collect::<Vec<_>>().join(" ")
}

/// Tells the person what to do. Whoever read as much of it as they need may have gone, and is logged in all the same.
fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

async fn device(http: &Http, server: &Server, client_id: &str) -> anyhow::Result<Value> {
    let (resource, scopes) = (resource(server), scopes());
    let pairs = [("client_id", client_id), ("scope", &scopes), ("resource", &resource)];
    let (status, begun) = form(http, &server.device_authorization_endpoint, &pairs).await?;
    ensure!(status.is_success(), "the gateway gives no code: {}", said(&begun));
    let text = |name: &str| begun[name].as_str().unwrap_or_default().to_owned();
    let (page, code, direct) = (text("verification_uri"), text("user_code"), text("verification_uri_complete"));
    say(&format!("Open {page} and type the code {code}\nor open {direct}\n"));
    let mut pause = Duration::from_secs(begun["interval"].as_u64().unwrap_or(5));
    let device_code = text("device_code");
    loop {
        tokio::time::sleep(pause).await;
        let pairs = [("grant_type", DEVICE), ("client_id", client_id), ("device_code", &device_code)];
        let (status, answer) = form(http, &server.token_endpoint, &pairs).await?;
        match answer["error"].as_str() {
            None if status.is_success() => return Ok(answer),
            Some("authorization_pending") => {}
            Some("slow_down") => pause += Duration::from_secs(5),
            _ => bail!("{}", said(&answer)),
        }
    }
}

fn random() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| anyhow::anyhow!("the machine has no randomness"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

async fn browser(http: &Http, server: &Server, client_id: &str) -> anyhow::Result<Value> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("no port is free for the browser's answer")?;
    let redirect_uri = format!("http://127.0.0.1:{}/callback", listener.local_addr()?.port());
    let (verifier, state) = (random()?, random()?);
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    let (resource, scopes) = (resource(server), scopes());
    let pairs = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", &redirect_uri),
        ("state", &state),
        ("scope", &scopes),
        ("resource", &resource),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let address = crate::oauth::redirect::with_params(&server.authorization_endpoint, &pairs);
    say(&format!("Open this address if no browser does:\n{address}\n"));
    open(&address);
    let answered = tokio::time::timeout(PATIENCE, callback(&listener, &state, &server.issuer)).await;
    let code = answered.context("nobody answered in the browser; on a machine without one, add --device")??;
    let pairs = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("code", &code),
        ("redirect_uri", &redirect_uri),
        ("code_verifier", &verifier),
        ("resource", &resource),
    ];
    let (status, answer) = form(http, &server.token_endpoint, &pairs).await?;
    ensure!(status.is_success(), "{}", said(&answer));
    Ok(answer)
}

/// By `$BROWSER`, else by what the system opens addresses with. Where there is no browser, the address that was printed is enough.
fn open(address: &str) {
    let named = std::env::var_os("BROWSER").filter(|program| !program.is_empty());
    let program = named.unwrap_or_else(|| "xdg-open".into());
    let quiet = std::process::Stdio::null;
    let _ = std::process::Command::new(program).arg(address).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
}

/// Waits for the browser. What does not carry our state is somebody else's (RFC 9700 section 4.7) and changes nothing; what carries
/// another issuer is refused (RFC 9207).
async fn callback(listener: &tokio::net::TcpListener, state: &str, issuer: &str) -> anyhow::Result<String> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut head = vec![0; 16 << 10];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut head)).await;
        let Ok(Ok(count)) = read else { continue };
        let head = String::from_utf8_lossy(head.get(..count).unwrap_or_default()).into_owned();
        let query =
            head.lines().next().and_then(|line| line.strip_prefix("GET /callback?")).and_then(|rest| rest.split(' ').next());
        let params = query.and_then(|query| Params::parse(query).ok()).filter(|params| params.get("state") == Some(state));
        let page = |text: &str| {
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                text.len()
            )
        };
        let Some(params) = params else {
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            continue;
        };
        let outcome = match (params.get("code"), params.get("iss")) {
            (Some(code), Some(iss)) if iss == issuer => Ok(code.to_owned()),
            (Some(_), _) => Err(anyhow::anyhow!("the answer in the browser came from another gateway")),
            (None, _) => {
                let why = params.get("error_description").or_else(|| params.get("error")).unwrap_or("no reason given");
                Err(anyhow::anyhow!("the gateway said no: {}", super::table::printable(why)))
            }
        };
        let text = if outcome.is_ok() { "You are logged in. You can close this page.\n" } else { "You are not logged in.\n" };
        let _ = stream.write_all(page(text).as_bytes()).await;
        let _ = stream.shutdown().await;
        return outcome;
    }
}

fn said(answer: &Value) -> String {
    let text = answer["error_description"].as_str().or_else(|| answer["error"].as_str()).unwrap_or("no reason given");
    super::table::printable(text)
}

async fn form(http: &Http, url: &str, pairs: &[(&str, &str)]) -> anyhow::Result<(StatusCode, Value)> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let request = Request::post(url).header("content-type", "application/x-www-form-urlencoded").body(Full::from(body))?;
    send(http, request).await
}

async fn send(http: &Http, request: Request<Full<bytes::Bytes>>) -> anyhow::Result<(StatusCode, Value)> {
    let url = request.uri().to_string();
    let response = http.request(request).await.with_context(|| format!("{url} does not answer"))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("the answer of {url} broke off: {error}"))?.to_bytes();
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}
