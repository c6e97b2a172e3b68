//! Days leave and the trail still verifies, whatever stays of them.

use std::path::Path;

use super::*;
use crate::evidence::checkpoint::Checkpointer;
use crate::evidence::verify::{Range, Report};
use crate::postgres::throwaway::{self, ThrowawayDatabase};
use crate::shipper::tests::journal::Journal;
use crate::shipper::{Shipper, ShipperConfig};

const PATIENCE: Duration = Duration::from_secs(60);

/// The journal's records begin a tenth of a second before the end of this day, one every millisecond.
const FIRST_DAY: Date = jiff::civil::date(2026, 3, 4);

struct House {
    server: ThrowawayDatabase,
    database: Database,
    keys: Arc<Keys>,
    _dir: tempfile::TempDir,
    journal: Journal,
}

impl House {
    async fn new() -> House {
        let server = throwaway::database().await.unwrap();
        let database = server.migrated().await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let keys = Arc::new(Keys::open(dir.path()).unwrap());
        let journal = Journal::new(&dir.path().join("journal"), keys.node, 0);
        House { server, database, keys, _dir: dir, journal }
    }

    fn shipper(&self) -> Shipper {
        let config = ShipperConfig { batch_bytes: 20_000, ..ShipperConfig::new(self.keys.node, Duration::from_secs(60)) };
        Shipper::start(&self.database, &config, vec![self.journal.source()])
    }

    async fn sign(&self, shipper: Shipper, journal_dir: &Path) {
        let streams = shipper.watch();
        shipper.drain(PATIENCE).await;
        Checkpointer::new(self.database.clone(), Arc::clone(&self.keys), journal_dir, streams).sign().await.unwrap();
    }

    async fn round(&self, retention: Retention, today: Date) -> Result<Round, RetentionError> {
        let (_tell, retention) = watch::channel(retention);
        Keeper::new(self.database.clone(), Arc::clone(&self.keys), retention).round(today).await
    }

    async fn verify(&self) -> Report {
        let trust = Trust::new(Origin::Given, [self.keys.signing.public().try_into().unwrap()]);
        let mut client = self.database.get().await.unwrap();
        verify::verify(&mut client, Some(trust), Range::default(), &[], &mut |_| {}).await.unwrap()
    }

    async fn count(&self) -> i64 {
        self.database.get().await.unwrap().query_one("SELECT count(*) FROM audit_event", &[]).await.unwrap().get(0)
    }
}

fn days(calls: u32) -> Retention {
    Retention { calls: Some(schema::services::words::Days(calls)), ..Retention::default() }
}

#[tokio::test]
async fn a_day_leaves_whole_when_it_is_old_enough_and_the_trail_still_closes() {
    let mut house = House::new().await;
    house.journal.append(250);
    let shipper = house.shipper();
    house.sign(shipper, &house.journal.dir.clone()).await;
    assert_eq!(house.count().await, 250);

    // A day stays as long as it says: the 4th is two days old on the 6th.
    let on = |day| jiff::civil::date(2026, 3, day);
    assert_eq!(house.round(days(2), on(6)).await.unwrap(), Round::default());
    let round = house.round(days(2), on(7)).await.unwrap();
    assert_eq!(round, Round { dropped: vec![FIRST_DAY], thinned: vec![], row_count: 99 });
    assert_eq!(house.count().await, 151);
    let report = house.verify().await;
    assert!(report.ok, "{report:?}");
    assert_eq!((report.streams[0].walked.dropped_count, report.streams[0].walked.signed_through), (99, 250));
    assert_eq!(house.round(days(2), on(7)).await.unwrap(), Round::default());

    // Late rows of a day that has left find a place, and leave with it the next time. Nothing stays but tombstones.
    house.round(days(1), on(30)).await.unwrap();
    assert_eq!(house.count().await, 0);
    let report = house.verify().await;
    assert!(report.ok && report.streams[0].walked.dropped_count == 250, "{report:?}");

    // A tombstone that is removed, and one that is altered, is not overlooked.
    let superuser = Database::external(house.server.url()).unwrap();
    let client = superuser.get().await.unwrap();
    client
        .batch_execute(
            "SET session_replication_role = replica; UPDATE audit_tombstone SET day = day + 1 WHERE day = '2026-03-04'",
        )
        .await
        .unwrap();
    let report = house.verify().await;
    assert!(!report.ok && report.problems.iter().any(|problem| problem.contains("tombstone")), "{report:?}");
}

#[tokio::test]
async fn kinds_that_stay_longer_stay() {
    let mut house = House::new().await;
    house.journal.append_notices(3);
    house.journal.append(250);
    house.journal.append_notices(2);
    let shipper = house.shipper();
    house.sign(shipper, &house.journal.dir.clone()).await;
    let round = house.round(days(2), jiff::civil::date(2026, 3, 30)).await.unwrap();
    assert_eq!(round.row_count, 250, "{round:?}");
    assert!(!round.thinned.is_empty(), "{round:?}");
    assert_eq!(house.count().await, 5);
    let report = house.verify().await;
    assert!(report.ok, "{report:?}");
    assert_eq!(report.streams[0].walked.dropped_count, 250);
    // The smaller day is as append-only as the others, and rows can still come.
    let owner = house.database.owner().await.unwrap();
    for sql in ["DELETE FROM audit_event", "TRUNCATE audit_event_20260304", "UPDATE audit_event SET tool = 'x'"] {
        assert!(owner.client.batch_execute(sql).await.is_err(), "{sql}");
    }
    // Then those are due too.
    let all = Retention { default: days(3).calls, ..Retention::default() };
    let round = house.round(all, jiff::civil::date(2026, 3, 30)).await.unwrap();
    assert_eq!((round.row_count, round.thinned.len()), (5, 0), "{round:?}");
    assert!(house.verify().await.ok);
}

#[tokio::test]
async fn what_does_not_verify_is_kept_as_evidence() {
    let mut house = House::new().await;
    house.journal.append(250);
    let shipper = house.shipper();
    house.sign(shipper, &house.journal.dir.clone()).await;
    let superuser = Database::external(house.server.url()).unwrap();
    let client = superuser.get().await.unwrap();
    let tamper = "SET session_replication_role = replica; UPDATE audit_event SET tool = 'x' WHERE seq = 51";
    client.batch_execute(tamper).await.unwrap();
    let refused = house.round(days(2), jiff::civil::date(2026, 3, 30)).await.unwrap_err();
    assert!(matches!(&refused, RetentionError::Unproven { what, .. } if what.contains("51")), "{refused:?}");
    assert_eq!(house.count().await, 250);
}

#[tokio::test]
async fn a_crash_between_two_steps_is_made_good() {
    for step in ["", "DETACH"] {
        let mut house = House::new().await;
        house.journal.append(250);
        let shipper = house.shipper();
        house.sign(shipper, &house.journal.dir.clone()).await;
        let (_tell, retention) = watch::channel(days(2));
        let keeper = Keeper::new(house.database.clone(), Arc::clone(&house.keys), retention);
        let owner = house.database.owner().await.unwrap();
        // As after the first step, and perhaps the second one.
        let mut client = house.database.owner().await.unwrap();
        let transaction = client.client.transaction().await.unwrap();
        let walked =
            walk_day(&transaction, &keeper.trust().unwrap(), "audit_event_20260304", FIRST_DAY, EventKind::ALL).await.unwrap();
        for ((node, shard), gaps) in walked.gaps {
            keeper.bury(&transaction, node, shard, FIRST_DAY, gaps).await.unwrap();
        }
        let close = "ALTER TABLE audit_event_20260304 ADD CONSTRAINT closed CHECK (false) NOT VALID";
        transaction.batch_execute(close).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(house.verify().await.ok, "rows and tombstone may both be there");
        if step == "DETACH" {
            let detach = "ALTER TABLE audit_event DETACH PARTITION audit_event_20260304";
            owner.client.batch_execute(detach).await.unwrap();
        }
        house.round(days(2), jiff::civil::date(2026, 3, 7)).await.unwrap();
        assert_eq!(house.count().await, 151);
        let left = "SELECT to_regclass('audit_event_20260304') IS NULL";
        assert!(owner.client.query_one(left, &[]).await.unwrap().get::<_, bool>(0));
        assert!(house.verify().await.ok);
    }
}

#[tokio::test]
async fn midnight_passes_under_load_while_old_days_leave() {
    let mut house = House::new().await;
    let shipper = house.shipper();
    let mut last = 0;
    for _ in 0..20 {
        // Twenty times fifty milliseconds: over midnight in the second.
        last = house.journal.append(50);
        let mut stream = shipper.watch().remove(0);
        // The day before is due at once; its late rows come all the same.
        let round = house.round(days(1), jiff::civil::date(2026, 3, 6)).await;
        assert!(round.is_ok(), "{round:?}");
        tokio::time::timeout(PATIENCE, stream.wait_for(|status| status.shipped.0 >= last)).await.unwrap().unwrap();
    }
    house.sign(shipper, &house.journal.dir.clone()).await;
    house.round(days(1), jiff::civil::date(2026, 3, 6)).await.unwrap();
    let report = house.verify().await;
    assert!(report.ok, "{report:?}");
    assert_eq!(house.count().await as u64 + report.streams[0].walked.dropped_count, last);
}
