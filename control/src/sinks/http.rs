//! One HTTP request after the other to one endpoint, and what its answer means for what was sent.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::config::HttpConfig;
use super::target::SendError;
use crate::postgres::error_chain;

/// LIMIT: how long one request may take in all.
const TIMEOUT: Duration = Duration::from_secs(30);
/// LIMIT: bytes of an answer that are read; a bulk answer has some hundred bytes for each event.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// How much of an answer is shown in a status.
const SHOWN_CHARS: usize = 200;

/// One endpoint.
pub(super) struct Endpoint {
    uri: Uri,
    headers: HeaderMap,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// An answer that was read.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
}

impl Endpoint {
    pub(super) fn new(config: &HttpConfig) -> Result<Endpoint, SendError> {
        let unusable = |why: String| SendError::Later { why, after: None, is_blocked: true };
        let uri = config.url.parse().map_err(|error| unusable(format!("`{}` is not a URL: {error}", config.url)))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let parsed = name.parse::<HeaderName>().ok().zip(HeaderValue::from_str(value).ok());
            let (name, mut value) = parsed.ok_or_else(|| unusable(format!("the header `{name}` cannot hold its credential")))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let tls = tls(config.ca.as_deref())?;
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        Ok(Endpoint { uri, headers, client: Client::builder(TokioExecutor::new()).build(https) })
    }

    /// Posts a body and reads the answer.
    pub(super) async fn post(&self, content_type: &'static str, body: String) -> Result<Answer, SendError> {
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| SendError::later(error_chain(&error)))?;
            let status = response.status();
            let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| SendError::later(format!("the answer broke off: {error}")))?.to_bytes();
            Ok(Answer { status, retry_after: retry_after.map(Duration::from_secs), body })
        };
        let late = || SendError::later(format!("no answer for {} s", TIMEOUT.as_secs()));
        tokio::time::timeout(TIMEOUT, exchange).await.map_err(|_| late())?
    }
}

impl Answer {
    /// Nothing, when everything was taken. What is wrong with the batch is told from what is wrong with the way: only
    /// 400, 413, 415 and 422 speak of the body, and of these 413 of its size.
    pub(super) fn taken(&self) -> Result<(), SendError> {
        match self.status.as_u16() {
            200..=299 => Ok(()),
            400 | 413 | 415 | 422 => Err(SendError::Refused(self.shown())),
            status => Err(SendError::Later {
                why: self.shown(),
                after: self.retry_after,
                // Credentials, addresses and methods do not mend themselves.
                is_blocked: (300..500).contains(&status) && status != 408 && status != 429,
            }),
        }
    }

    /// Status and the beginning of the body, for people.
    pub(super) fn shown(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        let body: String = body.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN_CHARS).collect();
        format!("HTTP {}: {body}", self.status.as_u16())
    }
}

/// Trusts these certificates, or the system's.
pub(super) fn tls(ca: Option<&Path>) -> Result<rustls::ClientConfig, SendError> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    let unusable = |why: String| SendError::Later { why, after: None, is_blocked: true };
    let mut roots = rustls::RootCertStore::empty();
    match ca {
        Some(path) => {
            let failed =
                |error: &dyn std::fmt::Display| unusable(format!("certificates in `{}` cannot be used: {error}", path.display()));
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))? {
                let certificate = certificate.map_err(|error| failed(&error))?;
                roots.add(certificate).map_err(|error| failed(&error))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(|error| unusable(error.to_string()))?.with_root_certificates(roots).with_no_client_auth())
}
