//! What else can happen to a stream: restarts, rivals, absences, replaced and damaged journals.

use super::journal::Journal;
use super::proxy::Proxy;
use super::*;
use crate::postgres::throwaway;

fn node(byte: u8) -> NodeId {
    NodeId([byte; 16])
}

#[tokio::test]
async fn a_restart_goes_on_behind_the_watermark() {
    let server = throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let mut journal = Journal::new(tmp.path(), node(1), 0);
    let mut last = 0;
    for round in 0..4 {
        last = journal.append(101);
        let shipper = Shipper::start(&database, &config(journal.node), vec![journal.source()]);
        // Every other time it is dropped in the middle of whatever it does.
        if round % 2 == 0 {
            drop(shipper);
        } else {
            shipper.drain(PATIENCE).await;
            verify(&database, node(1), 0, last).await;
        }
    }
    assert_eq!(last, 404);
}

#[tokio::test]
async fn two_shippers_of_one_stream_do_not_double_it() {
    let server = throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let mut journal = Journal::new(tmp.path(), node(1), 0);
    let config = ShipperConfig { batch_bytes: 3_000, ..config(journal.node) };
    let first = Shipper::start(&database, &config, vec![journal.source()]);
    let second = Shipper::start(&database, &config, vec![journal.source()]);
    let mut last = 0;
    for _ in 0..30 {
        last = journal.append(40);
        tokio::task::yield_now().await;
    }
    let (first, second) = tokio::join!(first.drain(PATIENCE), second.drain(PATIENCE));
    verify(&database, node(1), 0, last).await;
    assert_eq!(first[0].row_count + second[0].row_count, last);
}

#[tokio::test]
async fn two_nodes_with_the_same_shards_do_not_mix() {
    let server = throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut journals = Vec::new();
    for (dir, node) in [(&one, node(1)), (&two, node(2))] {
        for shard in 0..3 {
            let mut journal = Journal::new(dir.path(), node, shard);
            journal.append(50 + u64::from(shard));
            journals.push(journal);
        }
    }
    let (ours, theirs) = journals.split_at(3);
    let start = |journals: &[Journal]| {
        Shipper::start(&database, &config(journals[0].node), journals.iter().map(Journal::source).collect())
    };
    let (first, second) = (start(ours), start(theirs));
    tokio::join!(first.drain(PATIENCE), second.drain(PATIENCE));
    for journal in &journals {
        verify(&database, journal.node, journal.shard, 50 + u64::from(journal.shard)).await;
    }
}

#[tokio::test]
async fn postgres_may_be_away_and_return() {
    let server = throwaway::database().await.unwrap();
    let direct = server.migrated().await.unwrap();
    let proxy = Proxy::before(&server.config());
    let through = proxy.config(&server.config());
    let database = Database::with_roles(through.clone(), through).unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let mut journal = Journal::new(tmp.path(), node(1), 0);
    proxy.refuse(true);
    journal.append(500);
    let shipper = Shipper::start(&database, &config(journal.node), vec![journal.source()]);
    let status = until(&shipper, |status| status.failure_count > 1).await;
    assert!(matches!(status.state, StreamState::Waiting { .. }), "{status:?}");
    for _ in 0..2 {
        proxy.refuse(false);
        let last = journal.append(500);
        until(&shipper, |status| status.shipped.0 == last).await;
        verify(&direct, node(1), 0, last).await;
        proxy.refuse(true);
        journal.append(500);
        let failures = shipper.status()[0].failure_count;
        until(&shipper, |status| status.failure_count > failures).await;
    }
}

#[tokio::test]
async fn a_schema_that_is_not_there_yet_is_waited_for() {
    let server = throwaway::database().await.unwrap();
    let database = Database::with_roles(server.config(), server.owner_config()).unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let mut journal = Journal::new(tmp.path(), node(1), 0);
    let last = journal.append(10);
    let shipper = Shipper::start(&database, &config(journal.node), vec![journal.source()]);
    let status = until(&shipper, |status| status.failure_count > 0).await;
    assert!(matches!(&status.state, StreamState::Waiting { reason } if reason.contains("stream")), "{status:?}");
    database.migrate().await.unwrap();
    until(&shipper, |status| status.shipped.0 == last).await;
    verify(&database, node(1), 0, last).await;
}

#[tokio::test]
async fn a_dropped_day_is_made_again() {
    let server = throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let owner = Database::with_roles(server.owner_config(), server.owner_config()).unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let mut journal = Journal::new(tmp.path(), node(1), 0);
    let shipper = Shipper::start(&database, &config(journal.node), vec![journal.source()]);
    let first = journal.append(10);
    until(&shipper, |status| status.shipped.0 == first).await;
    let client = owner.get().await.unwrap();
    // By hand and without a tombstone, as nobody should.
    client.batch_execute("DROP TABLE audit_event_20260304, audit_event_20260305, audit_event_20260306").await.unwrap();
    let last = journal.append(10);
    until(&shipper, |status| status.shipped.0 == last).await;
    let kept: i64 = client.query_one("SELECT count(*) FROM audit_event", &[]).await.unwrap().get(0);
    assert_eq!(kept, 10);
}

#[tokio::test]
async fn shipped_segments_go_when_they_are_old_enough() {
    let server = throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let segments = |dir: &std::path::Path| dataplane::journal::segment::list(dir).unwrap().len();
    let check = async |shard: u16, retain_after: Duration, want: usize| {
        let mut journal = Journal::new(tmp.path(), node(1), shard);
        for _ in 0..4 {
            journal.append(20);
            journal.rotate();
        }
        let shipper = Shipper::start(&database, &ShipperConfig { retain_after, ..config(journal.node) }, vec![journal.source()]);
        until(&shipper, |status| status.shipped.0 == 80).await;
        tokio::time::timeout(PATIENCE, async {
            // Reclaiming comes a second after shipping.
            while segments(&journal.dir) > want {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .expect("segments to go");
        // What stays is enough to go on with.
        let last = journal.append(20);
        shipper.drain(PATIENCE).await;
        verify(&database, node(1), shard, last).await;
        assert_eq!(segments(&journal.dir), want);
    };
    check(0, Duration::ZERO, 1).await;
    check(1, Duration::from_secs(3600), 5).await;
}

#[tokio::test]
async fn a_journal_older_than_the_database_is_not_shipped() {
    let server = throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let (newer, older) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut journal = Journal::new(newer.path(), node(1), 0);
    journal.append(100);
    Shipper::start(&database, &config(node(1)), vec![journal.source()]).drain(PATIENCE).await;
    let mut journal = Journal::new(older.path(), node(1), 0);
    journal.append(60);
    let shipper = Shipper::start(&database, &config(node(1)), vec![journal.source()]);
    let status = until(&shipper, |status| status.failure_count > 0).await;
    assert!(
        matches!(&status.state, StreamState::Blocked { reason } if reason.contains("records up to 100") && reason.contains("ends at 60")),
        "{status:?}"
    );
    verify(&database, node(1), 0, 100).await;
}

#[tokio::test]
async fn damage_stops_the_stream_and_nothing_is_deleted() {
    let server = throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let mut journal = Journal::new(tmp.path(), node(1), 0);
    journal.append(50);
    journal.rotate();
    journal.append(50);
    let mut bytes = std::fs::read(journal.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(journal.path(), &bytes).unwrap();
    let shipper = Shipper::start(&database, &ShipperConfig { batch_bytes: 1, ..config(node(1)) }, vec![journal.source()]);
    let status = until(&shipper, |status| status.failure_count > 0).await;
    assert!(matches!(&status.state, StreamState::Blocked { reason } if reason.contains("damaged at byte")), "{status:?}");
    verify(&database, node(1), 0, 50).await;
    assert_eq!(std::fs::read_dir(&journal.dir).unwrap().count(), 2);

    // Restored, it goes on by itself.
    bytes[middle] ^= 1;
    std::fs::write(journal.path(), &bytes).unwrap();
    until(&shipper, |status| status.shipped.0 == 100).await;
    verify(&database, node(1), 0, 100).await;
}

#[tokio::test]
async fn a_call_that_outlives_its_segment_is_noted_before_the_segment_goes() {
    let server = throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let mut journal = Journal::new(tmp.path(), node(1), 4);
    let last = journal.append(7);
    journal.rotate();
    let shipper = Shipper::start(&database, &config(node(1)), vec![journal.source()]);
    let first = dataplane::journal::segment::segment_path(&journal.dir, SeqNo(1));
    tokio::time::timeout(PATIENCE, async {
        while first.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the segment to go");
    shipper.drain(PATIENCE).await;
    let found = dataplane::journal::recovery::recover_stream(&journal.dir, node(1), 4, &|_| {}).unwrap();
    assert_eq!(found.unfinished.iter().map(|call| call.seq).collect::<Vec<_>>(), vec![SeqNo(last)]);
}
