//! Audit rows are added and dropped by the day, never changed, and not by the gateway's own role.

use tokio_postgres::{Client, Config, NoTls};

use super::super::throwaway;
use schema::queries;

async fn connect(config: Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn scalar(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

const ROW: &str =
    "INSERT INTO audit_event (stream_id, seq, at, kind, chain) SELECT id, 1, '2026-03-04 12:00Z', 'decision', chain FROM stream";

#[tokio::test]
async fn nobody_changes_audit_rows() {
    let database = throwaway::database().await.unwrap();
    database.migrated().await.unwrap();
    let owner = connect(database.owner_config()).await;
    let application = connect(database.config()).await;
    application.batch_execute("INSERT INTO stream (node, shard, chain) VALUES (gen_random_uuid(), 0, sha256(''))").await.unwrap();
    let made = queries::stream::ensure_partitions().bind(&application, &"2026-03-04".parse().unwrap(), &2).one().await.unwrap();
    assert_eq!(made, 2);
    application.batch_execute(ROW).await.unwrap();

    let check = async |client: &Client, sql: &str, want: &str| {
        let error = client.batch_execute(sql).await.unwrap_err();
        let text = error.as_db_error().unwrap().message().to_owned();
        assert!(text.contains(want), "{sql}: {text}");
    };
    for (sql, owner_is_told) in [
        ("UPDATE audit_event SET verdict = 'allow'", "append-only: UPDATE"),
        ("DELETE FROM audit_event", "append-only: DELETE"),
        ("TRUNCATE audit_event", "append-only: TRUNCATE"),
        ("UPDATE audit_event_20260304 SET verdict = 'allow'", "append-only: UPDATE"),
        ("DELETE FROM audit_event_20260304", "append-only: DELETE"),
        ("TRUNCATE audit_event_20260304", "append-only: TRUNCATE"),
        ("MERGE INTO audit_event a USING stream s ON a.stream_id = s.id WHEN MATCHED THEN DELETE", "append-only: DELETE"),
    ] {
        check(&owner, sql, owner_is_told).await;
        check(&application, sql, "permission denied").await;
    }
    for sql in [
        "DROP TABLE audit_event_20260304",
        "ALTER TABLE audit_event DISABLE TRIGGER append_only",
        "SET session_replication_role = replica",
    ] {
        let error = application.batch_execute(sql).await.unwrap_err();
        let text = error.as_db_error().unwrap().message().to_owned();
        assert!(text.contains("must be owner") || text.contains("permission denied"), "{sql}: {text}");
    }
    check(&application, "INSERT INTO audit_tombstone VALUES (gen_random_uuid())", "permission denied").await;
    assert_eq!(scalar(&owner, "SELECT count(*) FROM audit_event").await, 1);
}

#[tokio::test]
async fn partitions_are_made_once_whoever_asks() {
    let database = throwaway::database().await.unwrap();
    database.migrated().await.unwrap();
    let owner = connect(database.owner_config()).await;
    let first = connect(database.config()).await;
    let second = connect(database.config()).await;
    // A clock or a session in another zone makes no difference: days are UTC.
    second.batch_execute("SET timezone = 'Pacific/Kiritimati'").await.unwrap();

    let day = "2026-12-31".parse().unwrap();
    let (a, b) = tokio::join!(ensure(&first, day, 3), ensure(&second, day, 3));
    assert_eq!(a + b, 3, "each is made by one of the two");
    assert_eq!(ensure(&second, day, 3).await, 0);
    let bounds: String = owner
        .query_one("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'audit_event_20270101'", &[])
        .await
        .unwrap()
        .get(0);
    assert!(bounds.contains("2027-01-01 00:00:00+00") && bounds.contains("2027-01-02 00:00:00+00"), "{bounds}");
    for days in [0, -1, 401] {
        assert!(queries::stream::ensure_partitions().bind(&first, &day, &days).one().await.is_err(), "{days}");
    }
}

async fn ensure(client: &Client, day: jiff::civil::Date, days: i32) -> i32 {
    queries::stream::ensure_partitions().bind(client, &day, &days).one().await.unwrap()
}

#[tokio::test]
async fn policy_changes_are_told() {
    let database = throwaway::database().await.unwrap();
    database.migrated().await.unwrap();
    let application = connect(database.config()).await;
    let (listener, mut connection) = database.config().connect(NoTls).await.unwrap();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            if let tokio_postgres::AsyncMessage::Notification(notification) = message {
                tell.send((notification.channel().to_owned(), notification.payload().to_owned())).unwrap();
            }
        }
    });
    listener.batch_execute("LISTEN sp_policy").await.unwrap();
    let now = jiff::Timestamp::now();
    queries::policy::put_role().bind(&application, &"reader", &vec!["files.read"], &"", &"test").await.unwrap();
    let first = queries::policy::revoke().bind(&application, &"user", &"ann", &now, &None, &"left", &"test").one().await.unwrap();
    let second = queries::policy::revoke().bind(&application, &"token", &"t1", &now, &None, &"", &"test").one().await.unwrap();
    assert!(second > first);
    for want in ["role", "revocation", "revocation"] {
        assert_eq!(told.recv().await.unwrap(), ("sp_policy".to_owned(), want.to_owned()));
    }
    let revocations = queries::policy::revocations().bind(&application, &now).all().await.unwrap();
    assert_eq!(
        revocations.iter().map(|r| (r.kind.as_str(), r.subject.as_str())).collect::<Vec<_>>(),
        [("user", "ann"), ("token", "t1")]
    );
    let roles = queries::policy::roles().bind(&application).all().await.unwrap();
    assert_eq!((roles[0].name.as_str(), roles[0].scopes.as_slice()), ("reader", &["files.read".to_owned()][..]));
    assert!(application.batch_execute("UPDATE revocation SET subject = 'bob'").await.is_err());
}

#[tokio::test]
async fn a_database_that_cannot_keep_every_text_is_refused() {
    let database = throwaway::database().await.unwrap();
    let owner = connect(database.url().parse().unwrap()).await;
    owner.batch_execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0 OWNER sp_owner").await.unwrap();
    let mut config = database.owner_config();
    let error =
        super::super::Database::with_roles(config.clone(), config.dbname("latin").clone()).unwrap().migrate().await.unwrap_err();
    assert!(super::super::error_chain(&error).contains("LATIN1"), "{error:?}");
}
