//! Streamable HTTP as a client, as much of it as discovery needs: one request at a time, answered as JSON or as events.

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sse_stream::SseStream;

use super::discover::{self, DiscoverError, Discovery, LEGACY_VERSION, Link, MODERN_VERSION};
use super::limits;

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");

/// Where to ask and with which headers.
#[derive(Clone, Debug)]
pub(super) struct Target {
    uri: Uri,
    headers: HeaderMap,
}

/// Checks the URL and headers of a declaration.
pub(super) fn parse_target(url: &str, headers: &[(String, String)]) -> Result<Target, DiscoverError> {
    let bad = |why: String| DiscoverError::Target(why);
    let uri: Uri = url.parse().map_err(|_| bad(format!("`{url}` is not a URL")))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
        return Err(bad(format!("`{url}` is not an `http://` or `https://` URL with a host")));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(bad("the URL must not contain a user or password: use a header".into()));
    }
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let parsed = name.parse::<HeaderName>().ok().zip(HeaderValue::from_str(value).ok());
        let Some((name, mut value)) = parsed else {
            return Err(bad(format!("header `{name}` is not a valid header")));
        };
        value.set_sensitive(true);
        map.append(name, value);
    }
    Ok(Target { uri, headers: map })
}

/// Asks a Streamable HTTP server, of either era, for its version and tools.
///
/// # Errors
/// The error of the legacy handshake, unless the server refused that and failed in the modern way too.
pub async fn discover_http(
    url: &str,
    headers: &[(String, String)],
    ca: Option<&Path>,
    timeout: Duration,
) -> Result<Discovery, DiscoverError> {
    let target = parse_target(url, headers)?;
    let client = client(ca)?;
    let mut old = HttpLink::new(client.clone(), target.clone(), timeout, LEGACY_VERSION);
    let legacy = discover::legacy(&mut old).await;
    old.close().await;
    if let Err(error) = &legacy
        && !error.is_refusal()
    {
        return legacy;
    }
    let mut new = HttpLink::new(client, target, timeout, MODERN_VERSION);
    match (legacy, discover::modern(&mut new).await) {
        (Ok(mut legacy), modern) => {
            legacy.eras.modern = modern.is_ok();
            Ok(legacy)
        }
        (Err(_), modern) => modern,
    }
}

type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

fn client(ca: Option<&Path>) -> Result<HttpClient, DiscoverError> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let connector = match ca {
        None => HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)
            .map_err(|error| DiscoverError::Target(format!("no CA certificates (package ca-certificates): {error}")))?,
        Some(file) => HttpsConnectorBuilder::new().with_tls_config(trusting(file, provider)?),
    };
    let connector = connector.https_or_http().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

/// TLS that accepts what leads to a certificate of this file.
fn trusting(file: &Path, provider: rustls::crypto::CryptoProvider) -> Result<rustls::ClientConfig, DiscoverError> {
    let unusable = |why: String| DiscoverError::Target(format!("`{}`: {why}", file.display()));
    let mut roots = rustls::RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    let config = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

struct HttpLink {
    client: HttpClient,
    target: Target,
    timeout: Duration,
    version: HeaderValue,
    session: Option<HeaderValue>,
    requests: u64,
}

impl HttpLink {
    fn new(client: HttpClient, target: Target, timeout: Duration, version: &'static str) -> Self {
        Self { client, target, timeout, version: HeaderValue::from_static(version), session: None, requests: 0 }
    }

    fn build(&self, http_method: Method, method: Option<&str>, body: Bytes) -> Result<Request<Full<Bytes>>, DiscoverError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = http_method;
        *request.uri_mut() = self.target.uri.clone();
        let headers = request.headers_mut();
        headers.clone_from(&self.target.headers);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        // Before `initialize` is answered there is no version that both sides agree on.
        if method != Some("initialize") {
            headers.insert(PROTOCOL_VERSION, self.version.clone());
        }
        if let Some(session) = &self.session {
            headers.insert(SESSION_ID, session.clone());
        }
        if let Some(method) = method.filter(|_| self.version == MODERN_VERSION) {
            let value = HeaderValue::from_str(method).map_err(|error| DiscoverError::Target(error.to_string()))?;
            headers.insert(MCP_METHOD, value);
        }
        Ok(request)
    }

    async fn send(&self, http_method: Method, method: Option<&str>, body: &Value) -> Result<Response<Incoming>, DiscoverError> {
        let body = if http_method == Method::DELETE { Bytes::new() } else { body.to_string().into() };
        let request = self.build(http_method, method, body)?;
        let sent = self.client.request(request).await;
        sent.map_err(|error| DiscoverError::Unreachable(with_causes(&error)))
    }

    async fn exchange(&mut self, method: &str, params: Value) -> Result<Box<RawValue>, DiscoverError> {
        self.requests += 1;
        let expected = self.requests;
        let body = json!({"jsonrpc": "2.0", "id": expected, "method": method, "params": params});
        let response = self.send(Method::POST, Some(method), &body).await?;
        if let Some(session) = response.headers().get(SESSION_ID)
            && method == "initialize"
        {
            self.session = Some(session.clone());
        }
        let status = response.status();
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_stream = kind.starts_with("text/event-stream");
        let body = Limited::new(response.into_body(), limits::DISCOVERY_BODY_BYTES_MAX);
        let answer = if is_stream && status.is_success() {
            from_events(method, expected, body).await?
        } else {
            let text = body.collect().await.map_err(|error| unusable(method, error.to_string()))?.to_bytes();
            discover::result_of(method, expected, &text)
        };
        match answer {
            Some(answer) => {
                self.agree(method, &answer);
                answer
            }
            None if status.is_success() => Err(unusable(method, "no JSON-RPC response to it".into())),
            None => Err(DiscoverError::Status { method: method.into(), status: status.as_u16() }),
        }
    }

    /// After `initialize`, requests carry the version the server chose.
    fn agree(&mut self, method: &str, answer: &Result<Box<RawValue>, DiscoverError>) {
        if let ("initialize", Ok(result)) = (method, answer)
            && let Some(version) = super::message::negotiated_version(result)
            && let Ok(version) = HeaderValue::from_str(&version)
        {
            self.version = version;
        }
    }

    /// Ends the session, if there is one; a server that minds keeps it until it is idle.
    async fn close(&mut self) {
        if self.session.is_some() {
            let ended = self.send(Method::DELETE, None, &Value::Null);
            drop(tokio::time::timeout(self.timeout, ended).await);
            self.session = None;
        }
    }
}

fn unusable(method: &str, why: String) -> DiscoverError {
    DiscoverError::Unusable { method: method.into(), why }
}

/// Reads events until the answer is among them; what the server asks or tells meanwhile is not for us.
async fn from_events(
    method: &str,
    expected: u64,
    body: Limited<Incoming>,
) -> Result<Option<Result<Box<RawValue>, DiscoverError>>, DiscoverError> {
    let mut events = pin!(SseStream::new(body.map_err(std::io::Error::other)));
    while let Some(event) = events.next().await {
        let event = event.map_err(|error| unusable(method, error.to_string()))?;
        if let Some(answer) = event.data.and_then(|data| discover::result_of(method, expected, data.as_bytes())) {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl Link for HttpLink {
    async fn request(&mut self, method: &str, params: Value) -> Result<Box<RawValue>, DiscoverError> {
        match tokio::time::timeout(self.timeout, self.exchange(method, params)).await {
            Ok(result) => result,
            Err(_) => Err(DiscoverError::TimedOut(method.into())),
        }
    }

    async fn notify(&mut self, method: &str) -> Result<(), DiscoverError> {
        let body = json!({"jsonrpc": "2.0", "method": method});
        let sent = tokio::time::timeout(self.timeout, self.send(Method::POST, Some(method), &body)).await;
        match sent {
            Err(_) => Err(DiscoverError::TimedOut(method.into())),
            Ok(Ok(response)) if response.status() != StatusCode::ACCEPTED && !response.status().is_success() => {
                Err(DiscoverError::Status { method: method.into(), status: response.status().as_u16() })
            }
            Ok(sent) => sent.map(drop),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a target that parses where it must not is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn targets_are_checked() {
        for (url, headers, expect) in [
            ("http://127.0.0.1:3000/mcp", vec![("Authorization", "Bearer x")], None),
            ("https://example.com/mcp?x=1", vec![], None),
            ("ftp://example.com", vec![], Some("is not an `http://` or `https://` URL")),
            ("/mcp", vec![], Some("is not an `http://` or `https://` URL")),
            ("http://", vec![], Some("is not")),
            ("not a url", vec![], Some("is not a URL")),
            ("http://user:pw@host/", vec![], Some("must not contain a user")),
            ("http://host/", vec![("a b", "c")], Some("header `a b`")),
            ("http://host/", vec![("a", "c\r\nd: e")], Some("header `a`")),
        ] {
            let headers: Vec<_> = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            match (parse_target(url, &headers), expect) {
                (Ok(_), None) => {}
                (Err(error), Some(expect)) => {
                    assert!(error.to_string().contains(expect), "{url}: {error}")
                }
                (other, _) => unreachable!("{url}: {other:?}"),
            }
        }
    }
}
