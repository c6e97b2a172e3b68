//! A superuser against the trail: whatever he does to the rows is found and named, from the database and the public key alone.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::evidence::checkpoint::Checkpointer;
use crate::evidence::walk::Finding;
use crate::keys::Keys;
use crate::postgres::Database;
use crate::postgres::throwaway::{self, ThrowawayDatabase};
use crate::shipper::tests::journal::Journal;
use crate::shipper::{Shipper, ShipperConfig};

const PATIENCE: Duration = Duration::from_secs(60);

/// Half of the records of two streams are shipped and signed, then the other half.
struct Trail {
    server: ThrowawayDatabase,
    database: Database,
    keys: Arc<Keys>,
    dir: tempfile::TempDir,
    journals: Vec<Journal>,
}

impl Trail {
    async fn new() -> Trail {
        let server = throwaway::database().await.unwrap();
        let database = server.migrated().await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let keys = Arc::new(Keys::open(dir.path()).unwrap());
        let journals = (0..2).map(|shard| Journal::new(&journal_dir(dir.path()), keys.node, shard)).collect();
        Trail { server, database, keys, dir, journals }
    }

    async fn grow(&mut self, count: u64) {
        self.journals.iter_mut().for_each(|journal| {
            journal.append(count);
        });
        let sources = self.journals.iter().map(Journal::source).collect();
        let shipper = Shipper::start(&self.database, &ShipperConfig::new(self.keys.node, Duration::from_secs(60)), sources);
        let streams = shipper.watch();
        shipper.drain(PATIENCE).await;
        let keys = Arc::clone(&self.keys);
        let signer = Checkpointer::new(self.database.clone(), keys, &journal_dir(self.dir.path()), streams);
        assert_eq!(signer.sign().await.unwrap(), 2);
        assert_eq!(signer.sign().await.unwrap(), 0, "nothing is new");
    }

    fn trust(&self) -> Trust {
        Trust::new(Origin::Given, [self.keys.signing.public().try_into().unwrap()])
    }

    async fn verify(&self) -> Report {
        self.verify_with(Range::default(), &[]).await
    }

    async fn verify_with(&self, range: Range, exported: &[Checkpoint]) -> Report {
        let mut client = self.database.get().await.unwrap();
        verify(&mut client, Some(self.trust()), range, exported, &mut |_| {}).await.unwrap()
    }

    /// As a superuser who switches the triggers off.
    async fn tamper(&self, sql: &str) {
        let superuser = Database::external(self.server.url()).unwrap();
        let client = superuser.get().await.unwrap();
        client.batch_execute(&format!("SET session_replication_role = replica; {sql}")).await.unwrap();
    }
}

fn journal_dir(data_dir: &Path) -> std::path::PathBuf {
    data_dir.join("journal")
}

const OF_FIRST: &str = "stream_id = (SELECT id FROM stream WHERE shard = 0)";

#[tokio::test]
async fn whatever_a_superuser_changes_is_found_and_named() {
    let mut trail = Trail::new().await;
    trail.grow(300).await;
    trail.grow(300).await;
    let clean = trail.verify().await;
    assert!(clean.ok, "{clean:?}");
    assert_eq!(clean.row_count, 1200);
    assert!(clean.streams.iter().all(|stream| stream.walked.signed_through == 600 && stream.walked.last == 600));

    // Each is undone by restoring the rows as they were.
    trail.tamper("CREATE TABLE backup AS SELECT * FROM audit_event").await;
    let kept = "at, seq, generation, retry_after_ms, decide_ns, args_bytes, decision_seq, reply_bytes, duration_us, redactions, \
                cost_microusd, trace, call, stream_id, http_status, rpc_code, attempts, chain, kind, user_id, tenant";
    let cases: Vec<(&str, String, Vec<Finding>)> = vec![
        (
            "one byte altered",
            format!("UPDATE audit_event SET tool = 'write_text_file' WHERE {OF_FIRST} AND seq = 101"),
            vec![altered(101)],
        ),
        (
            "a column that the kind does not have",
            format!("UPDATE audit_event SET user_id = 'mallory' WHERE {OF_FIRST} AND seq = 102"),
            vec![Finding::Altered { seq: 102, what: "a column holds what its record does not".to_owned() }],
        ),
        (
            "the time",
            format!("UPDATE audit_event SET at = at + interval '1 microsecond' WHERE {OF_FIRST} AND seq = 600"),
            vec![altered(600)],
        ),
        (
            "one row deleted",
            format!("DELETE FROM audit_event WHERE {OF_FIRST} AND seq = 250"),
            vec![Finding::Missing { first: 250, last: 250 }],
        ),
        (
            "the end deleted, and the watermark with it",
            format!("DELETE FROM audit_event WHERE {OF_FIRST} AND seq > 590; UPDATE stream SET seq = 590 WHERE shard = 0"),
            vec![Finding::Missing { first: 591, last: 600 }],
        ),
        (
            "two rows swapped",
            format!(
                "UPDATE audit_event SET seq = CASE seq WHEN 41 THEN -1 ELSE -2 END WHERE {OF_FIRST} AND seq IN (41, 77); \
                 UPDATE audit_event SET seq = CASE seq WHEN -1 THEN 77 ELSE 41 END WHERE {OF_FIRST} AND seq < 0"
            ),
            vec![Finding::Reordered { seq: 41, found_at: 77 }, Finding::Reordered { seq: 77, found_at: 41 }],
        ),
        (
            "one row inserted",
            format!(
                "INSERT INTO audit_event ({kept}) SELECT {} FROM audit_event WHERE {OF_FIRST} AND seq = 333",
                kept.replacen("at,", "at + interval '1 microsecond',", 1)
            ),
            vec![Finding::Inserted { seq: 333 }],
        ),
        (
            "one row inserted behind the last",
            format!(
                "INSERT INTO audit_event ({kept}) SELECT {} FROM audit_event WHERE {OF_FIRST} AND seq = 599",
                kept.replacen("seq,", "601,", 1)
            ),
            vec![Finding::Inserted { seq: 601 }],
        ),
    ];
    for (name, sql, expect) in cases {
        trail.tamper(&sql).await;
        let report = trail.verify().await;
        assert!(!report.ok, "{name}: not noticed");
        let first = report.streams.iter().find(|stream| stream.shard == 0).unwrap();
        assert_eq!(first.walked.findings, expect, "{name}");
        let other = report.streams.iter().find(|stream| stream.shard == 1).unwrap();
        assert_eq!(other.walked.findings, [], "{name}");
        trail
            .tamper(
                "DELETE FROM audit_event; INSERT INTO audit_event SELECT * FROM backup; UPDATE stream SET seq = 600 WHERE shard = 0",
            )
            .await;
        assert!(trail.verify().await.ok, "{name}: not undone");
    }
}

fn altered(seq: u64) -> Finding {
    Finding::Altered { seq, what: "its contents or its chain hash do not fit the row before it".to_owned() }
}

#[tokio::test]
async fn checkpoints_are_missed_and_forged_ones_refused() {
    let mut trail = Trail::new().await;
    trail.grow(20).await;
    trail.grow(20).await;
    let exported = {
        let mut client = trail.database.get().await.unwrap();
        checkpoint::export(&mut client).await.unwrap()
    };
    assert_eq!(exported.len(), 4);
    assert!(trail.verify_with(Range::default(), &exported).await.ok);

    // In the middle: later ones vouch for the rows.
    trail.tamper("DELETE FROM audit_checkpoint WHERE shard = 0 AND number = 1").await;
    let report = trail.verify().await;
    assert!(report.ok && report.warnings.len() == 1, "{report:?}");
    // At the end: who kept a copy knows.
    trail.tamper("DELETE FROM audit_checkpoint WHERE shard = 0").await;
    let report = trail.verify_with(Range::default(), &exported).await;
    assert!(report.problems.iter().any(|problem| problem.contains("exported and is not in the database")), "{report:?}");
    // The gateway puts its last one back.
    trail.grow(2).await;
    let report = trail.verify().await;
    assert!(report.ok && report.warnings.len() == 1, "{report:?}");
    assert!(report.streams.iter().all(|stream| stream.walked.signed_through == 42));

    trail.tamper("UPDATE audit_checkpoint SET chain = sha256('x') WHERE shard = 1 AND number = 1").await;
    let report = trail.verify().await;
    assert!(report.problems.iter().any(|problem| problem.contains("does not verify")), "{report:?}");

    // Another key proves nothing.
    let mut client = trail.database.get().await.unwrap();
    let stranger = Trust::new(Origin::Given, [[7; 32]]);
    let report = verify(&mut client, Some(stranger), Range::default(), &[], &mut |_| {}).await.unwrap();
    assert!(!report.ok && report.streams.iter().all(|stream| stream.walked.signed_through == 0), "{report:?}");
}

#[tokio::test]
async fn a_range_of_time_is_proven_by_the_next_signature() {
    let mut trail = Trail::new().await;
    trail.grow(300).await;
    trail.grow(300).await;
    let client = trail.database.get().await.unwrap();
    let row = client.query_one("SELECT min(at), max(at) FROM audit_event WHERE seq BETWEEN 100 AND 200", &[]).await.unwrap();
    let range = Range { from: Some(row.get(0)), to: Some(row.get(1)) };
    drop(client);
    let report = trail.verify_with(range, &[]).await;
    assert!(report.ok, "{report:?}");
    for stream in &report.streams {
        assert_eq!((stream.walked.first, stream.walked.last, stream.walked.signed_through), (100, 300, 300));
    }
    // What lies outside is not looked at; what lies inside is.
    trail.tamper(&format!("UPDATE audit_event SET tool = 'x' WHERE {OF_FIRST} AND seq = 501")).await;
    assert!(trail.verify_with(range, &[]).await.ok);
    trail.tamper(&format!("UPDATE audit_event SET tool = 'x' WHERE {OF_FIRST} AND seq = 151")).await;
    assert!(!trail.verify_with(range, &[]).await.ok);
}

#[tokio::test]
async fn the_gateways_role_cannot_change_what_is_written() {
    let mut trail = Trail::new().await;
    trail.grow(4).await;
    for database in [&trail.database, &Database::with_roles(trail.server.owner_config(), trail.server.owner_config()).unwrap()] {
        let client = database.get().await.unwrap();
        for sql in [
            "UPDATE audit_event SET tool = 'x'",
            "DELETE FROM audit_event",
            "TRUNCATE audit_event",
            "UPDATE audit_checkpoint SET seq = 1",
            "DELETE FROM audit_checkpoint",
            "TRUNCATE audit_checkpoint",
        ] {
            let refused = client.batch_execute(sql).await.unwrap_err();
            assert_eq!(refused.code().unwrap().code(), "42501", "{sql}: {refused:?}");
        }
    }
}
