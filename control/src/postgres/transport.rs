//! Whether a connection is encrypted, and whose certificates count. PostgreSQL's own `sslmode=prefer` and `require` take
//! any certificate, which stops nobody who can answer in the server's place; here a certificate always has to verify.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::PostgresError;

/// Where a database is, and how to get there.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.config.fmt(f)
    }
}

impl Target {
    /// `config` as it is, with TLS when it asks for it.
    pub(super) fn new(config: Config) -> Result<Target, PostgresError> {
        let roots = match config.get_ssl_mode() {
            SslMode::Disable => RootCertStore::empty(),
            _ => system_roots()?,
        };
        Target::trusting(config, roots)
    }

    /// `config` as it is; certificates that lead to `roots` verify.
    pub(super) fn trusting(config: Config, roots: RootCertStore) -> Result<Target, PostgresError> {
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| PostgresError::Url { problem: error.to_string() })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Target { config, tls: MakeRustlsConnect::new(tls) })
    }

    /// A connection of its own. The task ends with the client, or with the reason why the connection broke.
    pub(super) async fn connect(&self) -> Result<(Client, JoinHandle<Result<(), tokio_postgres::Error>>), tokio_postgres::Error> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        Ok((client, tokio::spawn(connection)))
    }
}

/// Nothing on this machine, unless asked for; TLS everywhere else, unless asked not to.
pub(super) fn mode(config: &Config) -> SslMode {
    let local = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
    };
    let stays_here = config.get_hosts().iter().all(local) && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
    match config.get_ssl_mode() {
        SslMode::Disable => SslMode::Disable,
        SslMode::Prefer if stays_here => SslMode::Disable,
        _ => SslMode::Require,
    }
}

/// What this machine trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` name something else.
fn system_roots() -> Result<RootCertStore, PostgresError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map_or_else(|| "the system has none".to_owned(), ToString::to_string);
        return Err(PostgresError::Url {
            problem: format!(
                "TLS needs certificates to trust and {why}; install ca-certificates, name a file in SSL_CERT_FILE, or add \
                 `sslmode=disable` where the network is trusted"
            ),
        });
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_used_wherever_others_could_listen() {
        for (url, want) in [
            ("postgresql://sp@db.internal/sp", SslMode::Require),
            ("postgresql://sp@db.internal/sp?sslmode=prefer", SslMode::Require),
            ("postgresql://sp@db.internal/sp?sslmode=require", SslMode::Require),
            ("postgresql://sp@db.internal/sp?sslmode=disable", SslMode::Disable),
            ("postgresql://sp@127.0.0.1/sp", SslMode::Disable),
            ("postgresql://sp@[::1]/sp", SslMode::Disable),
            ("postgresql://sp@localhost/sp", SslMode::Disable),
            ("postgresql://sp@localhost/sp?sslmode=require", SslMode::Require),
            ("postgresql://sp@localhost,db.internal/sp", SslMode::Require),
            ("postgresql:///sp?host=/run/postgresql", SslMode::Disable),
        ] {
            assert_eq!(mode(&url.parse().unwrap()), want, "{url}");
        }
    }
}
