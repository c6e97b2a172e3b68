//! TLS at both ends: what clients are shown, and whom upstreams have to convince.
//! Lives on: all shards, as `Arc`s that never change; the control plane makes another one when a certificate is renewed.

use std::sync::Arc;

use futures_rustls::{TlsAcceptor, TlsConnector};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file.
    #[error("the certificate file has no PEM certificate; expected the server's certificate first, then those that issued it")]
    Certificate,
    /// The key file.
    #[error("the key file has no PEM private key; expected PKCS#8, SEC1 or PKCS#1")]
    Key,
    /// Both, together.
    #[error("certificate and key cannot be used: {0}")]
    Pair(rustls::Error),
    /// The roots file.
    #[error("the file of certificates to trust has no PEM certificate")]
    Roots,
    /// A name that no certificate can be for.
    #[error("`{0}` is neither a host name nor an address")]
    Name(String),
    /// Our own provider lacks what we ask of it.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

/// What clients are shown: a certificate and what it proves.
#[derive(Clone)]
pub struct ServerTls(TlsAcceptor);

impl ServerTls {
    /// From PEM texts. TLS 1.2 and 1.3; HTTP/2 and HTTP/1.1 are offered.
    ///
    /// # Errors
    /// [`TlsError`] says which file to mend.
    pub fn new(certificates_pem: &[u8], key_pem: &[u8]) -> Result<ServerTls, TlsError> {
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(certificates_pem).collect::<Result<_, _>>().map_err(|_| TlsError::Certificate)?;
        if chain.is_empty() {
            return Err(TlsError::Certificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| TlsError::Key)?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(TlsError::Pair)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(ServerTls(TlsAcceptor::from(Arc::new(config))))
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.0
    }
}

/// Whom an upstream has to convince that it is the one we asked for.
#[derive(Clone)]
pub struct ClientTls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ClientTls").field(&self.name).finish()
    }
}

impl ClientTls {
    /// For the server of this host, whose certificate must lead to one of `roots`.
    ///
    /// # Errors
    /// The host is none.
    pub fn new(host: &str, roots: &TrustedRoots) -> Result<ClientTls, TlsError> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| TlsError::Name(host.to_owned()))?;
        Ok(ClientTls { connector: TlsConnector::from(Arc::clone(&roots.0)), name })
    }

    /// A handshake on a fresh connection.
    pub(crate) fn connect<S: futures_lite::AsyncRead + futures_lite::AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> futures_rustls::Connect<S> {
        self.connector.connect(self.name.clone(), stream)
    }
}

/// Certificates that upstreams' certificates must lead to.
#[derive(Clone)]
pub struct TrustedRoots(Arc<ClientConfig>);

impl TrustedRoots {
    /// These certificates, in DER; what cannot be read is left out, as there is always some in a system's store.
    ///
    /// # Errors
    /// Only when our own provider lacks what we ask of it.
    pub fn of(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Result<TrustedRoots, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(TrustedRoots(Arc::new(config)))
    }

    /// The certificates of a PEM text.
    ///
    /// # Errors
    /// There is none in it.
    pub fn from_pem(pem: &[u8]) -> Result<TrustedRoots, TlsError> {
        let found: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| TlsError::Roots)?;
        if found.is_empty() {
            return Err(TlsError::Roots);
        }
        TrustedRoots::of(found)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_pair_is_named() {
        let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (certificate, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
        let new = |certificate: &str, key: &str| ServerTls::new(certificate.as_bytes(), key.as_bytes()).map(drop);
        assert!(new(&certificate, &key).is_ok());
        assert!(matches!(new("", &key), Err(TlsError::Certificate)));
        assert!(matches!(new("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", &key), Err(TlsError::Certificate)));
        assert!(matches!(new(&certificate, &certificate), Err(TlsError::Key)));
        assert!(matches!(new(&certificate, &other.signing_key.serialize_pem()), Err(TlsError::Pair(_))));
        assert!(matches!(TrustedRoots::from_pem(b"nothing"), Err(TlsError::Roots)));
        let roots = TrustedRoots::from_pem(certificate.as_bytes()).unwrap();
        for (host, expect) in [("localhost", true), ("[::1]", true), ("127.0.0.1", true), ("a b", false), ("", false)] {
            assert_eq!(ClientTls::new(host, &roots).is_ok(), expect, "{host}");
        }
    }
}
