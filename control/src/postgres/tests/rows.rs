//! Records survive the way through a table: the bytes that were hashed are made again from the row.

use bytes::{Bytes, BytesMut};
use futures_util::SinkExt;
use rkyv::util::AlignedVec;
use schema::audit::{AuditRow, COPY_HEADER, COPY_IN, COPY_TRAILER};
use schema::queries;
use wire::decision::EventKind;
use wire::frame::Chain;
use wire::ids::{NodeId, SeqNo};
use wire::record::{AgentContext, Decision, Identity, Notice, Outcome, Record};

use super::super::throwaway;

/// Records with the values that are hard to keep: NUL, the escape itself, numbers beyond 2^63, codes without a word.
fn hard_records() -> Vec<Record<'static>> {
    let identity = Identity {
        user: "ann\0\u{f8ff}0",
        tenant: "\u{f8ff}",
        department: "",
        tier: 200,
        auth_method: 0,
        roles: "a b",
        scopes: "files.read files.write",
        token_id: "\u{10ffff}é",
        client: "c",
        act_for: "x y",
        address: "::1",
    };
    let decision = Decision {
        at_us: 1_772_625_600_123_457,
        trace: [1; 16],
        call: [2; 16],
        identity,
        agent: AgentContext { agent: "a", session: "s", mcp_session: "0123456789abcdef", context: "c", task: "t" },
        channel: 1,
        server: "files",
        tool: "read\\N\t\n",
        method: "tools/call",
        args_digest: [0xff; 32],
        args_bytes: u32::MAX,
        args_preview: "{\"path\":\"\\u0000\"}",
        verdict: 1,
        layer: 0,
        reason: 0,
        rule: "#7",
        evidence: "",
        observed: "",
        generation: u64::MAX,
        retry_after_ms: u64::MAX - 1,
        decide_ns: u32::MAX,
    };
    let outcome = Outcome {
        at_us: 1_772_625_600_223_457,
        trace: [1; 16],
        call: [2; 16],
        decision_seq: u64::MAX,
        status: 1,
        http_status: u16::MAX,
        rpc_code: i32::MIN,
        reply_bytes: 1 << 63,
        duration_us: 0,
        upstream: "http://127.0.0.1:1",
        attempts: u8::MAX,
        redactions: u32::MAX,
        cost_microusd: u64::MAX,
        error: "\0",
    };
    let notice = Notice {
        at_us: 0,
        trace: [0; 16],
        identity: Identity::default(),
        verdict: 0,
        reason: 255,
        action: "publish",
        subject: "services",
        generation: 0,
        detail: "{\"a\": 1}",
    };
    vec![
        Record::Decision(decision),
        Record::Decision(Decision { call: [0; 16], args_digest: [0; 32], identity: Identity::default(), ..decision }),
        Record::Outcome(outcome),
        Record::Notice(EventKind::PolicyChange, notice),
        Record::Notice(EventKind::Process, Notice { at_us: 253_402_207_200_000_000, ..notice }),
    ]
}

#[tokio::test]
async fn records_come_back_from_the_table() {
    let throwaway = throwaway::database().await.unwrap();
    let database = throwaway.migrated().await.unwrap();
    let client = database.get().await.unwrap();
    let node = uuid::Uuid::from_bytes([7; 16]);
    let genesis = Chain::genesis(NodeId([7; 16]), 3);
    let stream = queries::stream::claim().bind(&**client, &node, &3, &genesis.0.as_slice()).one().await.unwrap();
    assert_eq!((stream.seq, stream.chain.as_slice()), (0, &genesis.0[..]));

    let records = hard_records();
    let mut rows = BytesMut::from(COPY_HEADER);
    let (mut chain, mut seq) = (genesis, SeqNo(0));
    for record in &records {
        seq = SeqNo(seq.0 + 1);
        chain = chain.next(seq, record.kind().code(), &record.encode_in(AlignedVec::new()).unwrap());
        let day = jiff::Timestamp::from_microsecond(record.at_us() as i64).unwrap().to_zoned(jiff::tz::TimeZone::UTC).date();
        queries::stream::ensure_partitions().bind(&**client, &day, &1).one().await.unwrap();
        AuditRow::new(stream.id, seq, chain, record).put(&mut rows);
    }
    rows.extend_from_slice(COPY_TRAILER);
    let mut sink = Box::pin(client.copy_in::<_, Bytes>(COPY_IN).await.unwrap());
    sink.send(rows.freeze()).await.unwrap();
    assert_eq!(sink.as_mut().finish().await.unwrap(), records.len() as u64);

    let stored = client.query("SELECT * FROM audit_event ORDER BY seq", &[]).await.unwrap();
    let (mut chain, mut place) = (genesis, SeqNo(0));
    for (row, want) in stored.iter().zip(&records) {
        let row = AuditRow::read(row).unwrap();
        let got = row.record().unwrap();
        assert_eq!(got, *want);
        place = SeqNo(place.0 + 1);
        chain = chain.next(place, got.kind().code(), &got.encode_in(AlignedVec::new()).unwrap());
        assert_eq!((row.seq(), row.chain()), (place, chain));
    }
    assert_eq!(stored.len(), records.len());
}

#[tokio::test]
async fn the_row_has_the_columns_of_the_table() {
    let throwaway = throwaway::database().await.unwrap();
    let client = throwaway.migrated().await.unwrap().get().await.unwrap();
    let statement = client.prepare("SELECT * FROM audit_event").await.unwrap();
    let mut table: Vec<_> = statement.columns().iter().map(|column| (column.name(), column.type_().clone())).collect();
    let mut row = AuditRow::COLUMNS.to_vec();
    table.sort_by_key(|column| column.0);
    row.sort_by_key(|column| column.0);
    assert_eq!(table, row);
}
