//! What is fetched and what is not: a server of ours with a certificate of ours, and addresses that nobody may reach.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

#[test]
fn ids_that_are_addresses() {
    for id in ["https://app.example/client.json", "https://app.example/", "https://app.example:8443/a/b"] {
        assert!(address(id).is_ok(), "{id}");
    }
    for id in [
        "http://app.example/client.json",
        "https://app.example",
        "https://127.0.0.1/client.json",
        "https://[::1]/client.json",
        "https://2130706433/client.json",
        "https://0x7f.1/client.json",
        "https://localhost/client.json",
        "https://user@app.example/x",
        "https://app.example/a/../x",
        "https://app.example/x#y",
        "https://APP.example/x",
        "https://app.example:443/x",
    ] {
        assert!(address(id).is_err(), "{id}");
    }
    assert!(address(&format!("https://app.example/{}", "x".repeat(200))).is_err());
}

/// RFC 9700 and section 6.5 of the draft: nothing inside is reached through us.
#[test]
fn addresses_of_the_inside_are_not_public() {
    for ip in [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2002:7f00:1::",
        "2001:0:1::",
        "2001:db8::1",
        "64:ff9b::7f00:1",
    ] {
        assert!(!is_public(ip.parse().unwrap()), "{ip}");
    }
    for ip in ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2001:4860:4860::8888"] {
        assert!(is_public(ip.parse().unwrap()), "{ip}");
    }
}

#[test]
fn ages_stay_within_bounds() {
    for (text, age_s) in [
        ("", 3600),
        ("max-age=1", 300),
        ("public, max-age=7200", 7200),
        ("max-age=99999999", 86_400),
        ("no-store, max-age=7200", 300),
        ("max-age=x", 3600),
    ] {
        assert_eq!(age(text).as_secs(), age_s, "{text}");
    }
}

/// A server that answers once with these bytes, and a fetcher that trusts it.
async fn server(answer: Vec<u8>) -> (u16, Fetcher) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(socket).await else { return };
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).await;
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
    });
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    (port, Fetcher { tls: with_roots(roots).map(Arc::new), is_public: |_| true })
}

fn http(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

/// By `localhost`, the one name that every resolver knows: what ids may be called is checked before.
async fn get(fetcher: &Fetcher, port: u16) -> Result<(Bytes, SignedDuration), String> {
    let url = Url::parse(&format!("https://localhost:{port}/client.json")).unwrap();
    fetcher.get(&url).await.map_err(|refusal| refusal.why.into_owned())
}

#[tokio::test]
async fn documents_are_fetched_and_nothing_else() {
    let (port, fetcher) = server(http("200 OK\r\ncontent-type: application/json\r\ncache-control: max-age=600", "{}")).await;
    let (body, age) = get(&fetcher, port).await.unwrap();
    assert_eq!((&body[..], age.as_secs()), (&b"{}"[..], 600));
    for (head, body, why) in [
        ("302 Found\r\nlocation: https://169.254.169.254/", "", "HTTP 302"),
        ("404 Not Found", "", "HTTP 404"),
        ("200 OK\r\ncontent-type: text/html", "<html>", "not JSON"),
        ("200 OK\r\ncontent-type: application/json", &"x".repeat(register::BYTES_MAX + 1), "too long"),
    ] {
        let (port, fetcher) = server(http(head, body)).await;
        let said = get(&fetcher, port).await.unwrap_err();
        assert!(said.contains(why), "{said}");
    }
    let (port, fetcher) = server(http("200 OK", "{}")).await;
    let strict = Fetcher { is_public, ..fetcher };
    assert!(get(&strict, port).await.unwrap_err().contains("not public"));
    let (port, _) = server(http("200 OK", "{}")).await;
    let distrusting = Fetcher { tls: with_roots(rustls::RootCertStore::empty()).map(Arc::new), is_public: |_| true };
    assert!(get(&distrusting, port).await.unwrap_err().contains("certificate"));
}
