//! The HTTP edge by raw sockets: what smugglers, rebinders and slow clients send, and TLS at both ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::json;

use crate::harness::{ACCESS, Gateway, OPERATORS, Upstream, echo_server, eventually, free_port, lines, post, tool_call};

fn operators(args: &[&str]) -> Gateway {
    Gateway::start(&[("access/access.yaml", OPERATORS)], args)
}

/// Everything that comes back until the gateway closes; the request must make it close.
fn exchange(gateway: &Gateway, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // It may be refused before all of it was sent.
    let _ = stream.write_all(request);
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8_lossy(&reply).into_owned()
}

#[test]
fn what_is_not_one_plain_request_is_refused_and_nothing_behind_it_is_read() {
    let gateway = operators(&["--cores", "1"]);
    // Behind each bad request stands a good one; answering it would be the smuggler's success.
    let behind = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let rows: &[(&str, &str)] = &[
        ("no host", "GET /healthz HTTP/1.1\r\n\r\n"),
        ("two hosts", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"),
        ("foreign host", "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
        ("host with a space", "GET /healthz HTTP/1.1\r\nHost: local host\r\n\r\n"),
        (
            "chunked twice",
            "POST /api/v1/decide HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "chunked in two lines",
            "POST /api/v1/decide HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        ),
        (
            "length and chunked",
            "POST /api/v1/decide HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("two lengths", "POST /api/v1/decide HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        ("length with a sign", "POST /api/v1/decide HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nhello"),
        ("negative length", "POST /api/v1/decide HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"),
        (
            "huge chunk",
            "POST /api/v1/decide HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx\r\n0\r\n\r\n",
        ),
        (
            "chunk with a sign",
            "POST /api/v1/decide HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n",
        ),
        ("header with a space", "GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n"),
        ("folded header", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n"),
        ("bare CR", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n"),
        ("NUL", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n"),
        ("no HTTP", "HELLO\r\n\r\n"),
        ("HTTP/3.7", "GET /healthz HTTP/3.7\r\nHost: localhost\r\n\r\n"),
        (
            "foreign origin",
            "POST /api/v1/decide HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            "two tokens",
            "POST /api/v1/decide HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\nContent-Length: 0\r\n\r\n",
        ),
    ];
    for (what, request) in rows {
        let reply = exchange(&gateway, format!("{request}{behind}").as_bytes());
        let status = reply.split(' ').nth(1).unwrap_or("").to_owned();
        assert!(reply.is_empty() || status.starts_with('4') || status == "505", "{what}: {reply}");
        assert_eq!(reply.matches("HTTP/1.1 ").count(), usize::from(!reply.is_empty()), "{what}: {reply}");
        assert!(!reply.contains("ok\n"), "{what}: {reply}");
    }
    // And the gateway is as it was.
    assert!(exchange(&gateway, behind.as_bytes()).ends_with("ok\n"));
}

#[test]
fn bounds_of_size_hold() {
    let gateway = operators(&["--cores", "1"]);
    let head = |headers: String| format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    for (what, request, expect) in [
        ("many headers", head((0..500).map(|n| format!("x{n}: 1\r\n")).collect()), "431"),
        ("a long header", head(format!("x: {}\r\n", "a".repeat(100_000))), "431"),
        ("a long path", format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(100_000)), "4"),
        (
            "a large body",
            "POST /api/v1/decide HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\n\r\n".to_owned(),
            "413",
        ),
    ] {
        let reply = exchange(&gateway, request.as_bytes());
        assert!(reply.split(' ').nth(1).unwrap_or("").starts_with(expect), "{what}: {reply}");
    }
}

#[test]
fn a_client_that_says_nothing_or_little_is_let_go() {
    let gateway = operators(&["--cores", "1"]);
    let began = Instant::now();
    let mut silent = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    let mut slow = TcpStream::connect(("127.0.0.1", gateway.port)).unwrap();
    slow.write_all(b"POST /api/v1/decide HTTP/1.1\r\nHost: localhost\r\n").unwrap();
    for stream in [&mut silent, &mut slow] {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        assert!(reply.is_empty() || reply.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&reply));
    }
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

/// Certificates that only this test trusts.
struct Pki {
    dir: tempfile::TempDir,
}

impl Pki {
    fn new() -> Pki {
        let pki = Pki { dir: tempfile::tempdir().unwrap() };
        pki.renew();
        pki
    }

    /// Another certificate of another authority.
    fn renew(&self) {
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let server = rcgen::CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let server = server.signed_by(&key, &issuer).unwrap();
        std::fs::write(self.path("ca.pem"), authority_pem).unwrap();
        std::fs::write(self.path("cert.pem"), server.pem()).unwrap();
        std::fs::write(self.path("key.pem"), key.serialize_pem()).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}

fn trusting(ca: &Path, protocol: &[u8]) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config)
}

/// GET `/healthz` over TLS, by HTTP/2 or HTTP/1.1.
async fn healthz(gateway: &Gateway, ca: &Path, protocol: &'static [u8]) -> std::io::Result<String> {
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", gateway.port)).await?;
    let connector = tokio_rustls::TlsConnector::from(trusting(ca, protocol));
    let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await?;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol));
    let request = hyper::Request::get("https://localhost/healthz").header("host", "localhost");
    let request = request.body(Full::<bytes::Bytes>::default()).unwrap();
    let response = if protocol == b"h2" {
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    };
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_served_with_tls_and_see_a_renewed_certificate() {
    let pki = Pki::new();
    let (cert, key) = (pki.text("cert.pem"), pki.text("key.pem"));
    let mut gateway =
        Gateway::new(&[("access/access.yaml", OPERATORS)], &["--cores", "2", "--tls-cert", &cert, "--tls-key", &key])
            .with_env("SSL_CERT_FILE", &pki.text("ca.pem"));
    gateway.run_encrypted();
    for protocol in [&b"h2"[..], b"http/1.1"] {
        assert_eq!(healthz(&gateway, &pki.path("ca.pem"), protocol).await.unwrap(), "ok\n");
    }
    // The operator's command speaks TLS too, and has to be convinced like any client.
    let list: serde_json::Value = serde_json::from_str(&gateway.sp(&["--json", "infra", "services", "list"])).unwrap();
    assert!(list["servers"][0]["url"].as_str().unwrap().starts_with("https://localhost:"), "{list}");

    std::fs::copy(pki.path("ca.pem"), pki.path("old-ca.pem")).unwrap();
    pki.renew();
    gateway.signal(nix::sys::signal::Signal::SIGHUP);
    let mut renewed = false;
    for _ in 0..600 {
        renewed = healthz(&gateway, &pki.path("ca.pem"), b"http/1.1").await.is_ok();
        if renewed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(renewed, "the renewed certificate is not shown");
    assert!(healthz(&gateway, &pki.path("old-ca.pem"), b"http/1.1").await.is_err());

    // A certificate that cannot be used changes nothing.
    std::fs::write(pki.path("cert.pem"), "nonsense").unwrap();
    gateway.signal(nix::sys::signal::Signal::SIGHUP);
    eventually("it says so", || gateway.log().contains("the certificate of before").then_some(()));
    assert_eq!(healthz(&gateway, &pki.path("ca.pem"), b"h2").await.unwrap(), "ok\n");
}

/// A request of a browser over TLS: status, the cookies that it sets, and the body.
async fn browse(gateway: &Gateway, ca: &Path, request: hyper::http::request::Builder, body: &str) -> (u16, Vec<String>, String) {
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", gateway.port)).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(trusting(ca, b"http/1.1"));
    let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = request.header("host", format!("localhost:{}", gateway.port)).body(Full::<bytes::Bytes>::from(body.to_owned()));
    let response = sender.send_request(request.unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let cookies = response.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, cookies, String::from_utf8_lossy(&body).into_owned())
}

/// RFC 6265bis section 4.1.3.2: no other host and no plain connection can set what begins with `__Host-`.
#[tokio::test(flavor = "multi_thread")]
async fn cookies_belong_to_this_host_alone_with_tls() {
    let pki = Pki::new();
    let (cert, key, ca) = (pki.text("cert.pem"), pki.text("key.pem"), pki.path("ca.pem"));
    let mut gateway =
        Gateway::new(&[("access/access.yaml", OPERATORS)], &["--cores", "1", "--tls-cert", &cert, "--tls-key", &key])
            .with_env("SSL_CERT_FILE", &pki.text("ca.pem"));
    gateway.run_encrypted();
    let link = eventually("the first administrator's link is logged", || {
        gateway.log().split_whitespace().rfind(|word| word.contains("/enrol?code=")).map(str::to_owned)
    });
    let base = format!("https://localhost:{}", gateway.port);
    let path = link.strip_prefix(&base).unwrap_or_else(|| panic!("{link}"));
    let strict = |cookie: &str, name: &str| {
        let words = ["; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure"];
        cookie.starts_with(name) && words.iter().all(|word| cookie.contains(word)) && !cookie.contains("Domain")
    };
    let (status, cookies, page) = browse(&gateway, &ca, hyper::Request::get(path), "").await;
    assert!(status == 200 && cookies.iter().all(|cookie| strict(cookie, "__Host-sp-")), "{cookies:?}");
    let visit = cookies[0].split(';').next().unwrap();
    let csrf = page.split_once(r#"name="csrf" value=""#).unwrap().1.split('"').next().unwrap();
    let code = path.split_once("code=").unwrap().1;
    let form = format!("csrf={csrf}&code={code}&user=ada&email=ada%40example.com");
    let post = hyper::Request::post("/enrol").header("content-type", "application/x-www-form-urlencoded");
    let (status, cookies, page) = browse(&gateway, &ca, post.header("origin", &base).header("cookie", visit), &form).await;
    let session = cookies.iter().find(|cookie| strict(cookie, "__Host-sp-session=") && !cookie.contains("Max-Age=0"));
    let session = session.unwrap_or_else(|| panic!("HTTP {status} {cookies:?} {page}")).split(';').next().unwrap();
    // The same value under a name that anybody could set is nobody's.
    let account = |cookie: &str| hyper::Request::get("/account").header("cookie", cookie);
    assert_eq!(browse(&gateway, &ca, account(session), "").await.0, 200);
    assert_eq!(browse(&gateway, &ca, account(&session.replace("__Host-", "")), "").await.0, 303);
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_at_the_start() {
    let pki = Pki::new();
    let (cert, key) = (pki.text("cert.pem"), pki.text("key.pem"));
    for (args, expect) in [
        (vec!["--tls-cert", &cert], "--tls-key"),
        (vec!["--tls-cert", "/nonexistent", "--tls-key", &key], "cannot be read"),
        (vec!["--tls-cert", &key, "--tls-key", &key], "no PEM certificate"),
        (vec!["--tls-cert", &cert, "--tls-key", &cert], "no PEM private key"),
    ] {
        let mut gateway = Gateway::new(&[("access/access.yaml", OPERATORS)], &args);
        let (code, err) = gateway.refused();
        assert!(code == 2 && err.contains(expect), "{args:?}: {code} {err}");
    }
}

/// Ends TLS before a server that speaks none.
async fn tls_front(pki: &Pki, upstream: &str) -> u16 {
    let chain = vec![CertificateDer::from_pem_file(pki.path("cert.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(pki.path("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let port = free_port();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let upstream = upstream.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, upstream) = (acceptor.clone(), upstream.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut behind = tokio::net::TcpStream::connect(upstream).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn upstreams_are_reached_by_tls_when_they_can_prove_who_they_are() {
    let pki = Pki::new();
    let upstream = Upstream::start(&[]);
    let port = tls_front(&pki, &upstream.url).await;
    let url = format!("https://localhost:{port}/mcp");
    let trusted = format!("{}    ca: {}\n", echo_server(&url), pki.text("ca.pem"));
    let gateway = Gateway::start(&[("mcp/echo.yaml", &trusted), ("access/access.yaml", ACCESS)], &["--cores", "1"]);
    let ann = gateway.token(&["--user", "ann", "--role", "developer"]);
    let answer = post(&gateway.endpoint("echo"), Some(&ann), &tool_call("echo", json!({"message": "hi"}))).await;
    assert_eq!(answer.body["result"]["content"][0]["text"], "hi", "{answer:?}");

    // The same server under an authority that did not sign its certificate.
    let other = Pki::new();
    std::fs::copy(other.path("ca.pem"), pki.path("ca.pem")).unwrap();
    gateway.declare("access/more.yaml", "roles:\n  other: { description: Makes the policy another, scopes: [] }\n");
    gateway.sp(&["infra", "services", "reload"]);
    let answer = post(&gateway.endpoint("echo"), Some(&ann), &tool_call("echo", json!({"message": "hi"}))).await;
    // A connection that proved itself before may still be open; the next new one has to prove itself again.
    if answer.status == hyper::StatusCode::OK {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let answer = post(&gateway.endpoint("echo"), Some(&ann), &tool_call("echo", json!({"message": "hi"}))).await;
        assert_eq!(answer.status, hyper::StatusCode::BAD_GATEWAY, "{answer:?}");
    }

    // A file that is not there is told where it was declared, and changes nothing.
    std::fs::remove_file(pki.path("ca.pem")).unwrap();
    gateway.declare("access/more.yaml", "roles:\n  more: { description: And another, scopes: [] }\n");
    let (code, _, err) = gateway.try_sp(&["infra", "services", "reload"]);
    assert!(code == 1 && err.contains("mcp/echo.yaml:4:") && err.contains("cannot be read"), "{code} {err}");
    assert!(lines(&gateway.path("log")).iter().all(|line| !line.contains("panicked")));
}
