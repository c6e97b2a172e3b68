//! Records and segments for the tests of this module, made without the writer.

use std::path::{Path, PathBuf};

use wire::decision::{Channel, OutcomeStatus, Verdict};
use wire::frame::{FrameWriter, Header, RateCell};
use wire::ids::{NodeId, SeqNo};
use wire::record::{AgentContext, Decision, Identity, Outcome, Record};

use super::{StreamPosition, segment};

pub(super) const NODE: NodeId = NodeId([7; 16]);
pub(super) const SHARD: u16 = 3;

/// The decision that stands in the tests for call number `call`.
pub(super) fn decision(call: u64, channel: Channel, verdict: Verdict) -> Record<'static> {
    Record::Decision(Decision {
        at_us: 1_700_000_000_000_000 + call,
        trace: u128::from(call).to_le_bytes(),
        call: u128::from(call).to_be_bytes(),
        identity: Identity { user: "alice@example.org", tenant: "acme", roles: "developer reader", ..Identity::default() },
        agent: AgentContext { agent: "claude-code", session: "session-1", ..AgentContext::default() },
        channel: channel.code(),
        server: "files",
        tool: "read_text_file",
        method: "tools/call",
        args_digest: [9; 32],
        args_bytes: 120,
        args_preview: r#"{"path":"/srv/readme.md"}"#,
        verdict: verdict.code(),
        layer: 0,
        reason: 0,
        rule: "developers-read",
        evidence: "",
        observed: "",
        generation: 12,
        retry_after_ms: 0,
        decide_ns: 2_300,
    })
}

pub(super) fn allowed(call: u64) -> Record<'static> {
    decision(call, Channel::Mcp, Verdict::Allow)
}

pub(super) fn outcome(call: u64, decision_seq: SeqNo) -> Record<'static> {
    Record::Outcome(Outcome {
        at_us: 1_700_000_000_100_000 + call,
        trace: u128::from(call).to_le_bytes(),
        call: u128::from(call).to_be_bytes(),
        decision_seq: decision_seq.0,
        status: OutcomeStatus::Ok.code(),
        http_status: 200,
        rpc_code: 0,
        reply_bytes: 4_000,
        duration_us: 900,
        upstream: "files",
        attempts: 1,
        redactions: 0,
        cost_microusd: 0,
        error: "",
    })
}

/// Builds a stream segment by segment.
pub(super) struct Build {
    pub(super) dir: PathBuf,
    frames: FrameWriter,
    bytes: Vec<u8>,
    first: SeqNo,
}

impl Build {
    pub(super) fn new(journal_dir: &Path) -> Build {
        let dir = segment::stream_dir(journal_dir, SHARD);
        std::fs::create_dir_all(&dir).unwrap();
        let start = StreamPosition::genesis(NODE, SHARD);
        let mut build = Build { dir, frames: FrameWriter::new(start.seq, start.chain), bytes: Vec::new(), first: SeqNo(1) };
        build.begin();
        build
    }

    fn begin(&mut self) {
        let (seq, previous) = self.frames.position();
        self.first = SeqNo(seq.0 + 1);
        let header = Header { node: NODE, shard: SHARD, first: self.first, created_us: 1_700_000_000_000_000, previous };
        self.bytes = header.encode().to_vec();
        self.save();
    }

    fn save(&self) {
        std::fs::write(self.path(), &self.bytes).unwrap();
    }

    /// The newest segment.
    pub(super) fn path(&self) -> PathBuf {
        segment::segment_path(&self.dir, self.first)
    }

    pub(super) fn position(&self) -> StreamPosition {
        let (seq, chain) = self.frames.position();
        StreamPosition { seq, chain }
    }

    pub(super) fn append(&mut self, record: &Record<'_>, cells: &[RateCell]) -> SeqNo {
        let seq = self.frames.write(record, cells, &mut self.bytes).unwrap();
        self.save();
        seq
    }

    /// As many allowed decisions.
    pub(super) fn fill(&mut self, count: u64) -> &mut Build {
        for _ in 0..count {
            let seq = self.frames.position().0;
            self.frames.write(&allowed(seq.0 + 1), &[], &mut self.bytes).unwrap();
        }
        self.save();
        self
    }

    pub(super) fn rotate(&mut self) -> &mut Build {
        self.begin();
        self
    }

    /// Puts bytes behind the last frame.
    pub(super) fn litter(&mut self, bytes: &[u8]) -> &mut Build {
        let mut file = std::fs::read(self.path()).unwrap();
        file.extend_from_slice(bytes);
        std::fs::write(self.path(), file).unwrap();
        self
    }
}
