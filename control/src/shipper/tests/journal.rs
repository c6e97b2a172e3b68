//! A stream on disk, made without the data plane.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dataplane::journal::StreamPosition;
use dataplane::journal::segment::{segment_path, stream_dir};
use wire::decision::{Channel, EventKind, OutcomeStatus, Verdict};
use wire::frame::{Chain, FrameWriter, Header};
use wire::ids::{NodeId, SeqNo};
use wire::record::{AgentContext, Decision, Identity, Notice, Outcome, Record};

use crate::shipper::Source;

/// A tenth of a second before midnight, so that streams cross it.
const START_US: u64 = 1_772_668_799_900_000;

/// Every odd record is a decision, the next one its outcome.
pub(crate) fn record(seq: u64) -> Record<'static> {
    let call = seq.div_ceil(2);
    let (trace, id) = (u128::from(call).to_le_bytes(), u128::from(call).to_be_bytes());
    if seq % 2 == 1 {
        return Record::Decision(Decision {
            at_us: START_US + seq * 1_000,
            trace,
            call: id,
            identity: Identity {
                user: "alice@example.org",
                tenant: "acme",
                department: "research",
                tier: 2,
                auth_method: 1,
                roles: "developer reader",
                scopes: "files.read files.write",
                token_id: "0198c0de-0000-7000-8000-000000000001",
                ..Identity::default()
            },
            agent: AgentContext { agent: "claude-code", session: "session-1", ..AgentContext::default() },
            channel: Channel::Mcp.code(),
            server: "files",
            tool: "read_text_file",
            method: "tools/call",
            args_digest: [9; 32],
            args_bytes: 120,
            args_preview: r#"{"path":"/srv/readme.md"}"#,
            verdict: Verdict::Allow.code(),
            layer: 0,
            reason: 0,
            rule: "developers-read",
            evidence: "",
            observed: "",
            generation: 12,
            retry_after_ms: 0,
            decide_ns: 2_300,
        });
    }
    Record::Outcome(Outcome {
        at_us: START_US + seq * 1_000,
        trace,
        call: id,
        decision_seq: seq - 1,
        status: OutcomeStatus::Ok.code(),
        http_status: 200,
        rpc_code: 0,
        reply_bytes: 4_000,
        duration_us: 900,
        upstream: "http://127.0.0.1:9000/mcp",
        attempts: 1,
        redactions: 0,
        cost_microusd: 0,
        error: "",
    })
}

/// One stream of a data directory.
pub(crate) struct Journal {
    pub(crate) node: NodeId,
    pub(crate) shard: u16,
    pub(crate) dir: PathBuf,
    frames: FrameWriter,
    segment: Vec<u8>,
    first: SeqNo,
    synced: Arc<AtomicU64>,
}

impl Journal {
    pub(crate) fn new(journal_dir: &Path, node: NodeId, shard: u16) -> Journal {
        let dir = stream_dir(journal_dir, shard);
        std::fs::create_dir_all(&dir).unwrap();
        let frames = FrameWriter::new(SeqNo(0), Chain::genesis(node, shard));
        let mut journal = Journal { node, shard, dir, frames, segment: Vec::new(), first: SeqNo(1), synced: Arc::default() };
        journal.rotate();
        journal
    }

    /// Begins another segment.
    pub(crate) fn rotate(&mut self) {
        let (last, previous) = self.frames.position();
        self.first = SeqNo(last.0 + 1);
        let header = Header { node: self.node, shard: self.shard, first: self.first, created_us: START_US, previous };
        self.segment = header.encode().to_vec();
        std::fs::write(self.path(), &self.segment).unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        segment_path(&self.dir, self.first)
    }

    /// Appends as many records and says which is the last.
    pub(crate) fn append(&mut self, count: u64) -> u64 {
        let mut seq = self.frames.position().0;
        for _ in 0..count {
            seq = self.frames.write(&record(seq.0 + 1), &[], &mut self.segment).unwrap();
        }
        std::fs::write(self.path(), &self.segment).unwrap();
        self.synced.store(seq.0, Ordering::Release);
        seq.0
    }

    /// Appends as many notices, of the time of the calls around them.
    pub(crate) fn append_notices(&mut self, count: u64) {
        for _ in 0..count {
            let seq = self.frames.position().0;
            let notice = Notice {
                at_us: START_US + seq.0 * 1_000,
                trace: [1; 16],
                identity: Identity::default(),
                verdict: Verdict::Allow.code(),
                reason: 0,
                action: "publish",
                subject: "policy",
                generation: 1,
                detail: "",
            };
            self.frames.write(&Record::Notice(EventKind::PolicyChange, notice), &[], &mut self.segment).unwrap();
        }
        self.append(0);
    }

    pub(crate) fn source(&self) -> Source {
        let synced = Arc::clone(&self.synced);
        Source {
            shard: self.shard,
            dir: self.dir.clone(),
            synced: Arc::new(move || SeqNo(synced.load(Ordering::Acquire))),
            settled: StreamPosition::genesis(self.node, self.shard),
        }
    }
}
