//! Client ID metadata documents: a client whose id is an `https` address is described by what lies there. Whoever sends us
//! an id thereby makes us fetch, so: only addresses of the public internet, looked up once and connected to as looked up,
//! no redirects, little time, few bytes.
//!
//! Source: draft-ietf-oauth-client-id-metadata-document-00; RFC 9700; OWASP on server-side request forgery.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::refusal::{Code, Refusal};
use super::register::{self, Registration};

/// LIMIT: how long all of it may take.
const TIME_MAX: Duration = Duration::from_secs(5);

/// LIMIT: how long a document is believed, whatever its headers say.
const AGE_MIN: SignedDuration = SignedDuration::from_mins(5);
const AGE_MAX: SignedDuration = SignedDuration::from_hours(24);
const AGE_USUAL: SignedDuration = SignedDuration::from_hours(1);

/// LIMIT: bytes of such an id: it stands in every row and token.
const ID_BYTES_MAX: usize = 200;

/// Whether this id is the address of a document.
pub fn is_address(client_id: &str) -> bool {
    client_id.starts_with("https://")
}

/// Fetches documents.
pub struct Fetcher {
    tls: Result<Arc<ClientConfig>, String>,
    is_public: fn(IpAddr) -> bool,
}

/// A document that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What it says.
    pub registration: Registration,
    /// For how long it is believed.
    pub age: SignedDuration,
}

fn refuse(why: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(Code::InvalidClient, why)
}

impl Default for Fetcher {
    fn default() -> Fetcher {
        Fetcher { tls: trusted().map(Arc::new), is_public }
    }
}

fn trusted() -> Result<ClientConfig, String> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_native_certs::load_native_certs().certs {
        // One that cannot be read proves nothing, and takes nothing away.
        let _ = roots.add(certificate);
    }
    with_roots(roots)
}

fn with_roots(roots: rustls::RootCertStore) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

impl Fetcher {
    /// Fetches the document at `client_id`.
    ///
    /// # Errors
    /// `invalid_client`, with the reason.
    pub async fn fetch(&self, client_id: &str) -> Result<Document, Refusal> {
        let url = address(client_id)?;
        let fetched = tokio::time::timeout(TIME_MAX, self.get(&url)).await;
        let (body, age) = fetched.map_err(|_| refuse("the client's document did not come in time"))??;
        let registration = register::read_document(client_id, &body)
            .map_err(|refusal| refuse(format!("the client's document cannot be used: {}", refusal.why)))?;
        Ok(Document { registration, age })
    }

    async fn get(&self, url: &Url) -> Result<(Bytes, SignedDuration), Refusal> {
        let tls = self.tls.as_ref().map_err(|_| refuse("this machine trusts no certificates, so no document can be read"))?;
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or(443);
        let socket = self.connect(host, port).await?;
        let failed = |_| refuse("the client's document cannot be fetched");
        let name = ServerName::try_from(host.to_owned()).map_err(|_| refuse("the client's document is at no host name"))?;
        let stream = TlsConnector::from(Arc::clone(tls))
            .connect(name, socket)
            .await
            .map_err(|_| refuse("the client's document is not served with a certificate that this machine trusts"))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await.map_err(failed)?;
        let running = tokio::spawn(connection);
        let authority = if port == 443 { host.to_owned() } else { format!("{host}:{port}") };
        let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let request = Request::get(path)
            .header(header::HOST, authority)
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, concat!("sp/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())
            .map_err(|_| refuse("the client's document cannot be asked for"))?;
        let answer = sender.send_request(request).await.map_err(failed);
        let read = match answer {
            Ok(answer) => read(answer).await,
            Err(refusal) => Err(refusal),
        };
        running.abort();
        read
    }

    /// Every address that the name has must be public: of one that has both, nobody knows which is meant.
    async fn connect(&self, host: &str, port: u16) -> Result<tokio::net::TcpStream, Refusal> {
        let found = tokio::net::lookup_host((host, port))
            .await
            .map_err(|_| refuse("the client's document is at a host that is not found"))?;
        let addresses: Vec<SocketAddr> = found.collect();
        if addresses.is_empty() || !addresses.iter().all(|address| (self.is_public)(address.ip())) {
            return Err(refuse("the client's document is at a host that is not public"));
        }
        for address in addresses {
            if let Ok(socket) = tokio::net::TcpStream::connect(address).await {
                return Ok(socket);
            }
        }
        Err(refuse("the client's document is at a host that does not answer"))
    }
}

async fn read(answer: hyper::Response<hyper::body::Incoming>) -> Result<(Bytes, SignedDuration), Refusal> {
    if answer.status() != hyper::StatusCode::OK {
        return Err(refuse(format!("the client's document was answered with HTTP {}", answer.status().as_u16())));
    }
    let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let kind = text(header::CONTENT_TYPE);
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json")) {
        return Err(refuse("the client's document is not JSON"));
    }
    let age = age(&text(header::CACHE_CONTROL));
    let body = Limited::new(answer.into_body(), register::BYTES_MAX).collect().await;
    let body = body.map_err(|_| refuse("the client's document is too long, or broke off"))?;
    Ok((body.to_bytes(), age))
}

/// How long a document is believed (RFC 9111 section 5.2.2, within our bounds).
fn age(cache_control: &str) -> SignedDuration {
    let mut age = AGE_USUAL;
    for directive in cache_control.split(',').map(str::trim) {
        match directive.split_once('=') {
            Some(("max-age", seconds)) => age = seconds.trim_matches('"').parse().map_or(age, SignedDuration::from_secs),
            None if matches!(directive, "no-store" | "no-cache") => return AGE_MIN,
            _ => {}
        }
    }
    age.clamp(AGE_MIN, AGE_MAX)
}

/// Reads an id that is an address (section 3 of the draft).
fn address(client_id: &str) -> Result<Url, Refusal> {
    if client_id.len() > ID_BYTES_MAX {
        return Err(refuse("the client id is too long"));
    }
    let wrong = || refuse("the client id is not an address of a document: https, a host name, a path, and nothing else");
    super::redirect::check(client_id).map_err(|_| wrong())?;
    let url = Url::parse(client_id).map_err(|_| wrong())?;
    let is_named = matches!(url.host(), Some(Host::Domain(name)) if name.contains('.'));
    let has_path = client_id.get("https://".len()..).is_some_and(|rest| rest.contains('/'));
    if url.scheme() != "https" || !is_named || !has_path || url.as_str() != client_id { Err(wrong()) } else { Ok(url) }
}

/// Whether an address is one of the public internet.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

/// RFC 6890 and the registry that follows it.
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224.., ..)
    );
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(inner) = ip.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let [a, b, ..] = ip.segments();
    // Only global unicast, and of it nothing that stands for an IPv4 address or is set aside: 6to4, Teredo, documentation.
    (0x2000..0x4000).contains(&a) && a != 0x2002 && !(a == 0x2001 && (b < 0x0200 || b == 0x0db8)) && !(a == 0x3fff && b < 0x1000)
}

#[cfg(test)]
mod tests;
