//! Wherever the connection breaks, each record arrives once and in order.

use futures_util::{StreamExt, stream};

use super::journal::Journal;
use super::proxy::{Cut, Proxy};
use super::*;
use crate::postgres::throwaway::{self, ThrowawayDatabase};

/// Ships 40 records, in several transactions and over midnight, through a proxy that cuts once; says how many messages
/// there were.
async fn ship_with_a_cut(server: &ThrowawayDatabase, direct: &Database, cut: Option<(u64, Cut)>) -> u64 {
    let tmp = tempfile::tempdir().unwrap();
    let mut journal = Journal::new(tmp.path(), NodeId(uuid::Uuid::now_v7().into_bytes()), 3);
    journal.append(15);
    journal.rotate();
    let last = journal.append(25);
    let proxy = Proxy::before(&server.config());
    if let Some((message, how)) = cut {
        proxy.cut_at(message, how);
    }
    let through = proxy.config(&server.config());
    let database = Database::with_roles(through.clone(), through).unwrap();
    let config = ShipperConfig { batch_bytes: 4_000, ..config(journal.node) };
    let shipper = Shipper::start(&database, &config, vec![journal.source()]);
    let status = shipper.drain(PATIENCE).await.remove(0);
    assert_eq!((status.shipped, status.synced), (SeqNo(last), SeqNo(last)), "{cut:?}: {status:?}");
    verify(direct, journal.node, journal.shard, last).await;
    proxy.seen()
}

#[tokio::test]
async fn a_cut_at_every_message_loses_and_doubles_nothing() {
    let server = throwaway::database().await.unwrap();
    let direct = server.migrated().await.unwrap();
    ship_with_a_cut(&server, &direct, None).await;
    let message_count = ship_with_a_cut(&server, &direct, None).await;
    assert!(message_count > 60, "only {message_count} messages");
    let cuts = (1..=message_count).flat_map(|message| [Cut::Before, Cut::Within, Cut::After].map(|how| (message, how)));
    let (server, direct) = (&server, &direct);
    stream::iter(cuts)
        .for_each_concurrent(6, |cut| async move {
            ship_with_a_cut(server, direct, Some(cut)).await;
        })
        .await;
}

#[tokio::test]
async fn a_connection_that_keeps_breaking_gets_everything_through() {
    let server = throwaway::database().await.unwrap();
    let direct = server.migrated().await.unwrap();
    for (every, how) in [(131, Cut::After), (149, Cut::Before), (211, Cut::Within)] {
        let tmp = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(tmp.path(), NodeId(uuid::Uuid::now_v7().into_bytes()), 0);
        let proxy = Proxy::before(&server.config());
        proxy.cut_every(every, how);
        let through = proxy.config(&server.config());
        let database = Database::with_roles(through.clone(), through).unwrap();
        let shipper =
            Shipper::start(&database, &ShipperConfig { batch_bytes: 20_000, ..config(journal.node) }, vec![journal.source()]);
        let mut last = 0;
        for _ in 0..20 {
            last = journal.append(50);
            until(&shipper, |status| status.shipped.0 >= last).await;
        }
        let status = shipper.drain(PATIENCE).await.remove(0);
        assert!(proxy.cut_count() > 2 && status.failure_count > 0, "{} cuts, {status:?}", proxy.cut_count());
        verify(&direct, journal.node, 0, last).await;
    }
}
