//! The shipper against a real server, through a connection that breaks wherever it can.

mod cuts;
mod failures;
mod golden;
pub(crate) mod journal;
mod proxy;
mod troubles;

use std::time::Duration;

use rkyv::util::AlignedVec;
use schema::audit::AuditRow;
use wire::frame::Chain;
use wire::ids::{NodeId, SeqNo};

use super::*;

/// LIMIT: a test that hangs says so instead.
const PATIENCE: Duration = Duration::from_secs(60);

fn config(node: NodeId) -> ShipperConfig {
    ShipperConfig {
        poll_busy: Duration::from_millis(1),
        poll_idle: Duration::from_millis(5),
        ..ShipperConfig::new(node, Duration::ZERO)
    }
}

/// That Postgres holds exactly the records 1 to `last` of a stream, chained, and that the watermark says so.
async fn verify(database: &Database, node: NodeId, shard: u16, last: u64) {
    let client = database.get().await.unwrap();
    let uuid = uuid::Uuid::from_bytes(node.0);
    let sql = "SELECT id, seq, chain FROM stream WHERE node = $1 AND shard = $2";
    let stream = client.query_one(sql, &[&uuid, &i32::from(shard)]).await.unwrap();
    let (id, watermark, watermark_chain): (i32, i64, Vec<u8>) = (stream.get(0), stream.get(1), stream.get(2));
    let rows = client.query("SELECT * FROM audit_event WHERE stream_id = $1 ORDER BY seq", &[&id]).await.unwrap();
    let (mut chain, mut seq) = (Chain::genesis(node, shard), SeqNo(0));
    for row in &rows {
        let row = AuditRow::read(row).unwrap();
        let record = row.record().unwrap();
        seq = SeqNo(seq.0 + 1);
        chain = chain.next(seq, record.kind().code(), &record.encode_in(AlignedVec::new()).unwrap());
        assert_eq!((row.seq(), row.chain()), (seq, chain), "of stream {id}");
    }
    assert_eq!((seq.0, watermark as u64), (last, last), "of stream {id}");
    assert_eq!(watermark_chain, chain.0);
}

/// Waits until a stream's status is as wished.
async fn until(shipper: &Shipper, wish: impl FnMut(&StreamStatus) -> bool) -> StreamStatus {
    let mut stream = shipper.watch().remove(0);
    tokio::time::timeout(PATIENCE, stream.wait_for(wish)).await.expect("in time").unwrap().clone()
}
