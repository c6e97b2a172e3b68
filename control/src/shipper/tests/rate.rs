//! How fast rows arrive, next to a plain COPY of the same rows into the same table:
//! `cargo test --release -p control --lib -- --ignored --nocapture shipping_keeps_up`.

use std::time::Instant;

use dataplane::journal::StreamPosition;
use dataplane::journal::reader::Tail;
use futures_util::SinkExt;
use schema::audit::COPY_IN;

use super::super::rows;
use super::journal::Journal;
use super::*;
use crate::postgres::throwaway;

const RECORDS: u64 = 200_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, for release builds"]
async fn shipping_keeps_up_with_a_plain_copy() {
    let server = throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let mut copied = Journal::new(tmp.path(), NodeId([1; 16]), 0);
    let mut shipped = Journal::new(tmp.path(), NodeId([1; 16]), 1);
    for journal in [&mut copied, &mut shipped] {
        for _ in 0..4 {
            journal.append(RECORDS / 4);
            journal.rotate();
        }
    }
    let client = database.get().await.unwrap();
    client.batch_execute("SELECT ensure_partitions('2026-03-04', 3)").await.unwrap();
    client.batch_execute("INSERT INTO stream (node, shard, chain) VALUES (gen_random_uuid(), 9, sha256(''))").await.unwrap();

    let began = Instant::now();
    let mut tail = Tail::new(&copied.dir, copied.node, 0, StreamPosition::genesis(copied.node, 0));
    let rows = rows::read(&mut tail, SeqNo(RECORDS), 1, usize::MAX).unwrap().unwrap();
    let encoding = began.elapsed();
    let bytes: usize = rows.pieces.iter().map(bytes::Bytes::len).sum();

    client.batch_execute("CREATE TEMPORARY TABLE bare (LIKE audit_event)").await.unwrap();
    let bare = copy(&client, &rows, &COPY_IN.replace("audit_event", "bare")).await;
    let indexed = copy(&client, &rows, COPY_IN).await;

    let began = Instant::now();
    let shipper = Shipper::start(&database, &ShipperConfig::new(shipped.node, Duration::from_secs(60)), vec![shipped.source()]);
    until(&shipper, |status| status.shipped.0 == RECORDS).await;
    let ship = began.elapsed();
    verify(&database, shipped.node, 1, RECORDS).await;

    let rate = |time: Duration| RECORDS as f64 / time.as_secs_f64();
    println!("{RECORDS} rows of {} bytes", bytes as u64 / RECORDS);
    println!("reading and encoding alone: {:.0} rows/s", rate(encoding));
    println!("plain COPY, bare table:     {:.0} rows/s", rate(bare));
    println!("plain COPY, this table:     {:.0} rows/s", rate(indexed));
    println!("shipper, journal to commit: {:.0} rows/s", rate(ship));
}

async fn copy(client: &tokio_postgres::Client, rows: &rows::Rows, statement: &str) -> Duration {
    let began = Instant::now();
    let mut sink = Box::pin(client.copy_in::<_, bytes::Bytes>(statement).await.unwrap());
    for piece in &rows.pieces {
        sink.send(piece.clone()).await.unwrap();
    }
    assert_eq!(sink.as_mut().finish().await.unwrap(), RECORDS);
    began.elapsed()
}
