//! Which calls of a stream are open as of its watermark: what [`dataplane::journal::reclaim`] notes before the decisions
//! leave the journal.

use std::collections::HashMap;

use dataplane::journal::StreamPosition;
use dataplane::journal::open_calls::OpenCalls;
use dataplane::journal::recovery::{KEPT_MAX, Unfinished};
use wire::ids::SeqNo;

/// What a record says about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallStep {
    /// It was allowed and is carried out.
    Opened(Unfinished),
    /// It ended.
    Ended([u8; 16]),
}

/// The open calls of one stream.
#[derive(Debug)]
pub(super) struct OpenSet {
    /// Calls that were decided up to here have ended.
    settled: SeqNo,
    /// The steps up to here have been taken; `None` before the watermark is known.
    at: Option<StreamPosition>,
    calls: HashMap<[u8; 16], Unfinished>,
}

impl OpenSet {
    pub(super) fn new(settled: SeqNo) -> OpenSet {
        OpenSet { settled, at: None, calls: HashMap::new() }
    }

    /// From where steps are missing, now that the watermark is found to be at `watermark`: a commit may have succeeded without
    /// its answer arriving.
    pub(super) fn behind(&mut self, watermark: StreamPosition) -> Option<StreamPosition> {
        let at = *self.at.get_or_insert(watermark);
        (at.seq < watermark.seq).then_some(at)
    }

    /// The records up to `to` are committed.
    pub(super) fn take(&mut self, steps: &[CallStep], to: StreamPosition) {
        for step in steps {
            match step {
                CallStep::Opened(call) if call.seq > self.settled && self.calls.len() < KEPT_MAX => {
                    self.calls.insert(call.call, *call);
                }
                CallStep::Opened(_) => {}
                CallStep::Ended(call) => {
                    self.calls.remove(call);
                }
            }
        }
        if self.at.is_none_or(|at| at.seq < to.seq) {
            self.at = Some(to);
        }
    }

    /// What is to be noted before segments below `watermark` go.
    pub(super) fn note(&self, watermark: SeqNo) -> OpenCalls {
        OpenCalls { through: watermark, calls: self.calls.values().copied().collect() }
    }
}

#[cfg(test)]
mod tests {
    use wire::frame::Chain;

    use super::*;

    fn at(seq: u64) -> StreamPosition {
        StreamPosition { seq: SeqNo(seq), chain: Chain([seq as u8; 32]) }
    }

    fn call(seq: u64) -> Unfinished {
        Unfinished { seq: SeqNo(seq), at_us: 0, trace: [0; 16], call: [seq as u8; 16] }
    }

    #[test]
    fn what_opened_and_did_not_end_is_open() {
        let mut open = OpenSet::new(SeqNo(5));
        assert_eq!(open.behind(at(4)), None);
        // Up to number 5 everything was completed at the start.
        open.take(&[CallStep::Opened(call(5)), CallStep::Opened(call(6)), CallStep::Opened(call(7))], at(7));
        open.take(&[CallStep::Ended(call(6).call), CallStep::Ended([99; 16])], at(9));
        assert_eq!(open.note(SeqNo(9)), OpenCalls { through: SeqNo(9), calls: vec![call(7)] });
        // A commit whose answer was lost; and a server that went back in time.
        assert_eq!(open.behind(at(12)), Some(at(9)));
        assert_eq!(open.behind(at(8)), None);
    }
}
