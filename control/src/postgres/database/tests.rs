//! What `database` promises, as rows and properties.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_postgres::config::{Host, SslMode};

use super::super::throwaway;
use super::*;

#[test]
fn urls_are_refused_with_reasons_and_without_their_text() {
    let check = |url: &str, want: &str| match Database::external(url) {
        Ok(_) => panic!("{url} is accepted"),
        Err(error) => {
            let text = error_chain(&error);
            assert!(text.contains(want), "{url}: {text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    };
    check("postgresql:///sp", "names no host");
    check("postgresql://sp:hunter2@127.0.0.1/sp?nonsense=1", "nonsense");
    check("mysql://sp:hunter2@db.internal/sp", "invalid");
}

#[tokio::test]
async fn a_server_that_goes_away_is_seen() {
    let cluster = throwaway::ThrowawayCluster::start().await.unwrap();
    let database = cluster.database().await.unwrap();
    let handle = Database::external(database.url()).unwrap();
    handle.up().await;
    let one: i32 = handle.get().await.unwrap().query_one("SELECT 1", &[]).await.unwrap().get(0);
    assert_eq!(one, 1);

    drop(cluster);
    let mut state = handle.state();
    let down = state.wait_for(|state| matches!(state, DatabaseState::Down { .. })).await.unwrap().clone();
    let DatabaseState::Down { reason } = down else { panic!("not down") };
    assert!(!reason.is_empty());
    assert!(handle.get().await.is_err());
}

/// A server that answers PostgreSQL's question for TLS, and passes what comes over it to the real one.
async fn tls_before(server: &Config, key: rcgen::CertifiedKey<rcgen::KeyPair>) -> u16 {
    let [Host::Unix(dir)] = server.get_hosts() else { panic!("not a Unix socket") };
    let socket = dir.join(".s.PGSQL.5432");
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let (acceptor, socket) = (acceptor.clone(), socket.clone());
            tokio::spawn(async move {
                let mut question = [0; 8];
                client.read_exact(&mut question).await.unwrap();
                assert_eq!(question, [0, 0, 0, 8, 4, 210, 22, 47], "the client did not ask for TLS");
                client.write_all(b"S").await.unwrap();
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut server = tokio::net::UnixStream::connect(socket).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn another_machine_must_show_a_certificate_that_verifies() {
    let cluster = throwaway::ThrowawayCluster::start().await.unwrap();
    let server = cluster.database().await.unwrap();
    let key = rcgen::generate_simple_self_signed(["db.internal".to_owned()]).unwrap();
    let mut trusted = rustls::RootCertStore::empty();
    trusted.add(key.cert.der().clone()).unwrap();
    let port = tls_before(&server.config(), key).await;
    let url = |host: &str| format!("postgresql://sp@{host}:{port}/{}?hostaddr=127.0.0.1", server.config().get_dbname().unwrap());
    let ask = async |host: &str, roots: &rustls::RootCertStore| {
        let mut config: Config = url(host).parse().unwrap();
        config.ssl_mode(SslMode::Require);
        let target = Target::trusting(config, roots.clone()).unwrap();
        let database = Database::with_targets(target.clone(), target).unwrap();
        let client = database.get().await.map_err(|error| error_chain(&error))?;
        Ok::<i32, String>(client.query_one("SELECT 1", &[]).await.unwrap().get(0))
    };
    assert_eq!(ask("db.internal", &trusted).await, Ok(1));
    assert!(ask("other.internal", &trusted).await.unwrap_err().contains("not valid for name"));
    assert!(ask("db.internal", &rustls::RootCertStore::empty()).await.unwrap_err().contains("UnknownIssuer"));
}
