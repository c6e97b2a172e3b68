//! A segment as it lay on a disk: it must stay readable, whatever becomes of the code. `SP_BLESS=1` writes it anew, which is
//! allowed only as long as no release has written such bytes.

use std::path::Path;

use dataplane::journal::recovery::recover_stream;
use dataplane::journal::segment::{segment_path, stream_dir};

use super::journal::Journal;
use super::*;
use crate::postgres::throwaway;

const NODE: NodeId = NodeId([0x5b; 16]);

#[tokio::test]
async fn a_segment_of_the_first_format_is_read_and_shipped() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/segment-1.seg");
    let tmp = tempfile::tempdir().unwrap();
    if std::env::var_os("SP_BLESS").is_some() {
        let mut journal = Journal::new(tmp.path(), NODE, 3);
        journal.append(11);
        journal.append_notices(1);
        std::fs::create_dir_all(fixture.parent().unwrap()).unwrap();
        std::fs::copy(journal.path(), &fixture).unwrap();
    }
    let dir = stream_dir(tmp.path(), 3);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::copy(&fixture, segment_path(&dir, SeqNo(1))).unwrap();
    let stream = recover_stream(&dir, NODE, 3, &|_| {}).unwrap();
    assert_eq!((stream.position.seq, stream.record_count, stream.cut), (SeqNo(12), 12, None));
    assert_eq!(stream.unfinished.len(), 1);

    let server = throwaway::database().await.unwrap();
    let database = server.migrated().await.unwrap();
    let last = stream.position;
    let source = Source { shard: 3, dir, synced: std::sync::Arc::new(move || last.seq), settled: last };
    Shipper::start(&database, &config(NODE), vec![source]).drain(PATIENCE).await;
    verify(&database, NODE, 3, 12).await;
}
