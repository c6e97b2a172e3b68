//! What a server does that is there and yet no help: it refuses, it is slow, or it is another one than before.

use tokio_postgres::NoTls;

use super::journal::Journal;
use super::*;
use crate::postgres::throwaway::{self, ThrowawayDatabase};

fn node() -> NodeId {
    NodeId(uuid::Uuid::now_v7().into_bytes())
}

fn name_of(server: &ThrowawayDatabase) -> String {
    server.config().get_dbname().unwrap().to_owned()
}

/// Statements of the superuser, one after the other: `database` is that of `server`, or `postgres` to do things to it.
async fn as_superuser(server: &ThrowawayDatabase, database: &str, statements: &[&str]) {
    let mut config: tokio_postgres::Config = server.url().parse().unwrap();
    let (client, connection) = config.dbname(database).connect(NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    for sql in statements {
        client.batch_execute(sql).await.unwrap();
    }
    drop(client);
    connection.await.unwrap().unwrap();
}

fn disconnect(database: &str) -> String {
    format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{database}'")
}

#[tokio::test]
async fn what_the_server_refuses_is_waited_for() {
    let server = throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let name = name_of(&server);
    let tmp = tempfile::tempdir().unwrap();
    let mut journal = Journal::new(tmp.path(), node(), 0);
    let mut last = journal.append(10);
    let shipper = Shipper::start(&database, &config(journal.node), vec![journal.source()]);
    until(&shipper, |status| status.shipped.0 == last).await;

    // Full, out of memory, shutting down, and a lock that is not given.
    for state in ["53100", "53200", "57P01", "55P03"] {
        let refuse = format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$; \
             CREATE TRIGGER refuse BEFORE INSERT ON audit_event EXECUTE FUNCTION refuse()"
        );
        as_superuser(&server, &name, &[&refuse]).await;
        last = journal.append(10);
        let failures = shipper.status()[0].failure_count;
        let status = until(&shipper, |status| status.failure_count > failures).await;
        assert!(matches!(status.state, StreamState::Waiting { .. }), "{state}: {status:?}");
        as_superuser(&server, &name, &["DROP TRIGGER refuse ON audit_event; DROP FUNCTION refuse()"]).await;
        until(&shipper, |status| status.shipped.0 == last).await;
    }
    // Out of connections, and a standby that takes no writes.
    for (refuse, permit) in [
        ("CONNECTION LIMIT 0", "CONNECTION LIMIT -1"),
        ("SET default_transaction_read_only = on", "RESET default_transaction_read_only"),
    ] {
        let alter = |how: &str| format!("ALTER DATABASE {name} {how}");
        as_superuser(&server, "postgres", &[&alter(refuse), &disconnect(&name)]).await;
        last = journal.append(10);
        let failures = shipper.status()[0].failure_count;
        let status = until(&shipper, |status| status.failure_count > failures + 1).await;
        assert!(matches!(status.state, StreamState::Waiting { .. }), "{refuse}: {status:?}");
        as_superuser(&server, "postgres", &[&alter(permit), &disconnect(&name)]).await;
        until(&shipper, |status| status.shipped.0 == last).await;
    }
    verify(&database, journal.node, 0, last).await;
}

#[tokio::test]
async fn a_slow_server_gets_everything() {
    let server = throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$; \
                CREATE TRIGGER slow AFTER INSERT ON audit_event EXECUTE FUNCTION slow()";
    as_superuser(&server, &name_of(&server), &[slow]).await;
    let tmp = tempfile::tempdir().unwrap();
    let mut journal = Journal::new(tmp.path(), node(), 0);
    let last = journal.append(200);
    let config = ShipperConfig { batch_bytes: 20_000, ..config(journal.node) };
    let status = Shipper::start(&database, &config, vec![journal.source()]).drain(PATIENCE).await.remove(0);
    assert_eq!((status.shipped.0, status.failure_count), (last, 0), "{status:?}");
    verify(&database, journal.node, 0, last).await;
}

/// Puts `next` in the place of `server`, as a failover does: same address, other contents.
async fn fail_over(server: &ThrowawayDatabase, next: &str) {
    let name = name_of(server);
    let away = format!("ALTER DATABASE {name} RENAME TO {name}_lost");
    let come = format!("ALTER DATABASE {next} RENAME TO {name}");
    // Nobody connects between the two.
    let lock = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false");
    as_superuser(server, "postgres", &[&lock, &disconnect(&name), &disconnect(next), &away, &come]).await;
}

#[tokio::test]
async fn a_standby_that_lacks_the_last_rows_gets_them_again() {
    let server = throwaway::database().await.unwrap();
    let name = name_of(&server);
    let tmp = tempfile::tempdir().unwrap();
    let mut journal = Journal::new(tmp.path(), node(), 0);
    let config = ShipperConfig { retain_after: Duration::from_secs(3600), ..config(journal.node) };
    {
        let database = server.migrated().await.unwrap();
        journal.append(100);
        Shipper::start(&database, &config, vec![journal.source()]).drain(PATIENCE).await;
    }
    let copy = format!("CREATE DATABASE {name}_standby TEMPLATE {name}");
    as_superuser(&server, "postgres", &[&disconnect(&name), &copy]).await;
    let database = server.migrated().await.unwrap();
    journal.rotate();
    let lost = journal.append(100);
    let shipper = Shipper::start(&database, &config, vec![journal.source()]);
    until(&shipper, |status| status.shipped.0 == lost).await;
    fail_over(&server, &format!("{name}_standby")).await;
    let last = journal.append(10);
    until(&shipper, |status| status.shipped.0 == last).await;
    verify(&database, journal.node, 0, last).await;
}

#[tokio::test]
async fn an_empty_standby_gets_all_that_the_journal_has_or_says_what_is_missing() {
    for (retain_after, has_all) in [(Duration::from_secs(3600), true), (Duration::ZERO, false)] {
        let (server, standby) = (throwaway::database().await.unwrap(), throwaway::database().await.unwrap());
        standby.migrated().await.unwrap();
        let database = server.migrated().await.unwrap();
        let tmp = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(tmp.path(), node(), 0);
        journal.append(50);
        journal.rotate();
        let mut last = journal.append(50);
        let config = ShipperConfig { retain_after, ..config(journal.node) };
        let shipper = Shipper::start(&database, &config, vec![journal.source()]);
        until(&shipper, |status| status.shipped.0 == last).await;
        if !has_all {
            tokio::time::timeout(PATIENCE, async {
                while dataplane::journal::segment::list(&journal.dir).unwrap().len() > 1 {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            })
            .await
            .expect("the first segment to go");
        }
        fail_over(&server, &name_of(&standby)).await;
        last = journal.append(10);
        if has_all {
            until(&shipper, |status| status.shipped.0 == last).await;
            verify(&database, journal.node, 0, last).await;
        } else {
            let status = until(&shipper, |status| matches!(status.state, StreamState::Blocked { .. })).await;
            let StreamState::Blocked { reason } = &status.state else { unreachable!() };
            assert!(reason.contains("has no record 1") && reason.contains("node.id"), "{reason}");
            // As the message says: the rows that are lost stay lost, and what is decided from now on is another node's.
            let mut journal = Journal::new(tmp.path(), node(), 1);
            last = journal.append(10);
            Shipper::start(&database, &ShipperConfig { node: journal.node, ..config }, vec![journal.source()])
                .drain(PATIENCE)
                .await;
            verify(&database, journal.node, 1, last).await;
        }
    }
}
