//! The walk along one stream: each row against the chain before it, the chain against what was signed. No I/O: rows and
//! checkpoints come in, findings come out.
//!
//! A row that does not fit may be altered, or stand where another belongs, or have been put in; which of them is decided
//! from the rows that do not fit, when the walk is through. A row is never called altered because of its neighbour: the
//! chain that a row carries is what the next one is checked against, and what was signed vouches for those.

use std::collections::VecDeque;

use dataplane::journal::StreamPosition;
use rkyv::util::AlignedVec;
use schema::audit::{AuditRow, ReadError};
use serde::Serialize;
use wire::checkpoint::{Checkpoint, Gap};
use wire::frame::Chain;
use wire::ids::SeqNo;

/// Rows that do not fit are kept up to this many, to tell moved ones from altered ones. LIMIT: each is compared with each.
const SUSPECTS_MAX: usize = 200;

/// What is wrong with a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// A row says something else than what was recorded.
    Altered {
        /// Which.
        seq: u64,
        /// What does not fit.
        what: String,
    },
    /// Rows are gone, and no tombstone says so.
    Missing {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// A row was never recorded.
    Inserted {
        /// The number that it claims.
        seq: i64,
    },
    /// A row stands where another one belongs.
    Reordered {
        /// The place.
        seq: u64,
        /// Where the row stands that belongs there.
        found_at: u64,
    },
    /// The rows fit together and not the signature: they were made anew.
    Rewritten {
        /// The last row before them that is proven.
        after: u64,
        /// The row that was signed.
        through: u64,
        /// The number of the checkpoint.
        checkpoint: u64,
    },
    /// More rows do not fit than are told apart.
    More {
        /// How many.
        count: u64,
    },
}

/// What the walk along a stream found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Walked {
    /// Rows looked at.
    pub row_count: u64,
    /// The first row of the range.
    pub first: u64,
    /// The last row.
    pub last: u64,
    /// The chain after it.
    #[serde(skip)]
    pub chain: Chain,
    /// Everything up to here that is not named in a finding is proven by a signature.
    pub signed_through: u64,
    /// When that was signed, in microseconds since 1970; 0 where nothing is.
    pub signed_at_us: u64,
    /// Rows that retention removed.
    pub dropped_count: u64,
    /// What is wrong, in order.
    pub findings: Vec<Finding>,
}

/// A row that does not fit.
struct Suspect {
    seq: SeqNo,
    before: Chain,
    stored: Chain,
    kind: u8,
    record: Vec<u8>,
    what: String,
    is_resolved: bool,
}

/// The row that was looked at last.
struct Last {
    seq: SeqNo,
    before: Chain,
    fits: bool,
}

/// The walk.
pub struct Walk {
    at: StreamPosition,
    /// Whether `at.chain` says anything: after rows that are missing it does not.
    is_linked: bool,
    first: SeqNo,
    through: SeqNo,
    last: Option<Last>,
    gaps: VecDeque<Gap>,
    checkpoints: VecDeque<Checkpoint>,
    signed: Option<(SeqNo, u64)>,
    /// A checkpoint that the row at its place does not fit.
    unmatched: Option<Checkpoint>,
    suspects: Vec<Suspect>,
    more_count: u64,
    row_count: u64,
    dropped_count: u64,
    findings: Vec<(u64, Finding)>,
    scratch: AlignedVec,
}

impl Walk {
    /// Begins behind `base`, whose chain may not be known, and ends at `through`: the watermark, or the end of the range that was
    /// asked for. `checkpoints` have been verified, and so have those who say that there are `gaps`.
    pub fn new(
        (base, chain): (SeqNo, Option<Chain>),
        through: SeqNo,
        mut gaps: Vec<Gap>,
        mut checkpoints: Vec<Checkpoint>,
    ) -> Walk {
        gaps.retain(|gap| gap.last > base);
        gaps.sort_unstable_by_key(|gap| (gap.first, gap.last));
        checkpoints.retain(|checkpoint| checkpoint.seq > base);
        checkpoints.sort_by_key(|checkpoint| checkpoint.seq);
        Walk {
            at: StreamPosition { seq: base, chain: chain.unwrap_or(Chain([0; 32])) },
            is_linked: chain.is_some(),
            first: SeqNo(base.0.saturating_add(1)),
            through,
            last: None,
            gaps: gaps.into(),
            checkpoints: checkpoints.into(),
            signed: None,
            unmatched: None,
            suspects: Vec::new(),
            more_count: 0,
            row_count: 0,
            dropped_count: 0,
            findings: Vec::new(),
            scratch: AlignedVec::with_capacity(1024),
        }
    }

    /// The next row in order of the numbers.
    pub fn row(&mut self, seq: i64, row: &Result<AuditRow<'_>, ReadError>) {
        self.row_count += 1;
        let number = u64::try_from(seq).unwrap_or(0);
        if number == 0 || number > self.through.0 {
            self.findings.push((number, Finding::Inserted { seq }));
            return;
        }
        let seq = SeqNo(number);
        if self.last.as_ref().is_some_and(|last| last.seq == seq) {
            self.second(seq, row);
            return;
        }
        if seq.0 <= self.at.seq.0 {
            self.findings.push((number, Finding::Inserted { seq: number.cast_signed() }));
            return;
        }
        if seq.0 > self.at.seq.0 + 1 {
            self.skip(SeqNo(self.at.seq.0 + 1), SeqNo(seq.0 - 1));
        }
        let before = self.at.chain;
        let fits = self.look(seq, before, row);
        self.last = Some(Last { seq, before, fits });
        self.arrive();
    }

    /// Looks at a row, and goes on behind it. Returns whether it fits.
    fn look(&mut self, seq: SeqNo, before: Chain, row: &Result<AuditRow<'_>, ReadError>) -> bool {
        match self.weigh(seq, before, row) {
            Ok(chain) => {
                self.at = StreamPosition { seq, chain };
                true
            }
            Err((stored, kind, what)) => {
                self.is_linked = stored.is_some();
                let stored = stored.unwrap_or(Chain([0; 32]));
                self.at = StreamPosition { seq, chain: stored };
                if what == UNLINKED {
                    // Nothing before it to compare with; the finding before speaks of that.
                    return true;
                }
                if self.suspects.len() < SUSPECTS_MAX {
                    let record = self.scratch.to_vec();
                    self.suspects.push(Suspect { seq, before, stored, kind, record, what, is_resolved: false });
                } else {
                    self.more_count += 1;
                }
                false
            }
        }
    }

    /// The chain after a row that fits; else what it carries, its kind, and what does not fit.
    fn weigh(
        &mut self,
        seq: SeqNo,
        before: Chain,
        row: &Result<AuditRow<'_>, ReadError>,
    ) -> Result<Chain, (Option<Chain>, u8, String)> {
        self.scratch.clear();
        let row = match row {
            Ok(row) => row,
            Err(error) => return Err((None, 0, error.to_string())),
        };
        let record = row.record().map_err(|error| (Some(row.chain()), 0, error.to_string()))?;
        let kind = record.kind().code();
        let unlike = !row.is_of(&record);
        self.scratch = match record.encode_in(std::mem::take(&mut self.scratch)) {
            Ok(bytes) => bytes,
            Err(error) => return Err((Some(row.chain()), kind, error.to_string())),
        };
        if unlike {
            return Err((Some(row.chain()), kind, "a column holds what its record does not".to_owned()));
        }
        if !self.is_linked {
            return Err((Some(row.chain()), kind, UNLINKED.to_owned()));
        }
        if before.next(seq, kind, &self.scratch) != row.chain() {
            return Err((Some(row.chain()), kind, "its contents or its chain hash do not fit the row before it".to_owned()));
        }
        Ok(row.chain())
    }

    /// Another row with the number of the last one: one of the two was put in.
    fn second(&mut self, seq: SeqNo, row: &Result<AuditRow<'_>, ReadError>) {
        let Some(last) = self.last.take() else { return };
        let intruder = (seq.0, Finding::Inserted { seq: seq.0.cast_signed() });
        let fits = match self.weigh(seq, last.before, row) {
            Ok(chain) if !last.fits => {
                // The one before is the intruder: it is not a suspect any more.
                self.suspects.retain(|suspect| suspect.seq != seq);
                self.at = StreamPosition { seq, chain };
                self.is_linked = true;
                if let Some(checkpoint) = self.unmatched.take_if(|unmatched| unmatched.seq == seq && unmatched.chain == chain) {
                    self.signed = Some((checkpoint.seq, checkpoint.at_us));
                }
                self.arrive();
                true
            }
            _ => last.fits,
        };
        self.findings.push(intruder);
        self.last = Some(Last { seq, before: last.before, fits });
    }

    /// The next checkpoint, if it speaks of a record up to `through`.
    fn next_checkpoint(&mut self, through: SeqNo) -> Option<Checkpoint> {
        if self.checkpoints.front()?.seq > through {
            return None;
        }
        self.checkpoints.pop_front()
    }

    /// Compares with what was signed here.
    fn arrive(&mut self) {
        while let Some(checkpoint) = self.next_checkpoint(self.at.seq) {
            if checkpoint.seq < self.at.seq {
                continue;
            }
            let suspect = self.suspects.last().filter(|suspect| suspect.seq == checkpoint.seq);
            let computed = suspect.map(|suspect| suspect.before.next(suspect.seq, suspect.kind, &suspect.record));
            if checkpoint.chain == self.at.chain || computed == Some(checkpoint.chain) {
                self.signed = Some((checkpoint.seq, checkpoint.at_us));
            } else if suspect.is_some() {
                // Another row may claim the same number, and be the one.
                self.unmatched = Some(checkpoint.clone());
            } else {
                let after = self.signed.map_or(self.first.0 - 1, |(seq, _)| seq.0);
                let finding = Finding::Rewritten { after, through: checkpoint.seq.0, checkpoint: checkpoint.number };
                self.findings.push((checkpoint.seq.0, finding));
            }
            // From here on what was signed is the truth.
            self.at.chain = checkpoint.chain;
            self.is_linked = true;
        }
    }

    /// No row has the numbers from `first` to `last`.
    fn skip(&mut self, first: SeqNo, last: SeqNo) {
        let mut wanted = first.0;
        let mut chain = None;
        // Gaps of later tombstones may lie around those of earlier ones.
        for gap in self.gaps.iter().filter(|gap| gap.first <= last && gap.last >= first) {
            if gap.first.0 > wanted {
                self.findings.push((wanted, Finding::Missing { first: wanted, last: gap.first.0 - 1 }));
            }
            let from = wanted.max(gap.first.0);
            let to = gap.last.0.min(last.0);
            if to >= from {
                self.dropped_count += to - from + 1;
                wanted = to + 1;
            }
            if gap.last == last {
                chain = Some(gap.chain);
            }
        }
        while self.gaps.front().is_some_and(|gap| gap.last <= last) {
            self.gaps.pop_front();
        }
        if wanted <= last.0 {
            self.findings.push((wanted, Finding::Missing { first: wanted, last: last.0 }));
        }
        while let Some(checkpoint) = self.next_checkpoint(last) {
            self.signed = Some((checkpoint.seq, checkpoint.at_us));
            if checkpoint.seq == last {
                chain = Some(checkpoint.chain);
            }
        }
        self.is_linked = chain.is_some();
        self.at = StreamPosition { seq: last, chain: chain.unwrap_or(Chain([0; 32])) };
    }

    /// Ends the walk.
    pub fn end(mut self) -> Walked {
        let signed_last = self.checkpoints.back().map_or(0, |checkpoint| checkpoint.seq.0);
        let last = self.through.0.max(signed_last);
        if self.at.seq.0 < last {
            self.skip(SeqNo(self.at.seq.0 + 1), SeqNo(last));
        }
        self.resolve();
        if self.more_count > 0 {
            self.findings.push((u64::MAX, Finding::More { count: self.more_count }));
        }
        self.findings.sort_by_key(|(seq, _)| *seq);
        let (signed_through, signed_at_us) = self.signed.map_or((0, 0), |(seq, at_us)| (seq.0, at_us));
        Walked {
            row_count: self.row_count,
            first: self.first.0,
            last: self.at.seq.0,
            chain: self.at.chain,
            signed_through,
            signed_at_us,
            dropped_count: self.dropped_count,
            findings: self.findings.into_iter().map(|(_, finding)| finding).collect(),
        }
    }

    /// Tells apart what happened to the rows that do not fit.
    fn resolve(&mut self) {
        let mut suspects = std::mem::take(&mut self.suspects);
        for at in 0..suspects.len() {
            if suspects[at].is_resolved {
                continue;
            }
            let (place, before, stored) = (suspects[at].seq, suspects[at].before, suspects[at].stored);
            let belongs = |row: &Suspect| {
                let chain = before.next(place, row.kind, &row.record);
                (!row.record.is_empty() && (chain == row.stored || chain == stored)).then_some(chain)
            };
            let found =
                (0..suspects.len()).filter(|other| *other != at).find_map(|other| Some((other, belongs(&suspects[other])?)));
            if let Some((other, chain)) = found {
                self.findings.push((place.0, Finding::Reordered { seq: place.0, found_at: suspects[other].seq.0 }));
                suspects[at].is_resolved = true;
                clear_next(&mut suspects, place, chain);
                self.resolve_other(&mut suspects, at, other);
                continue;
            }
            suspects[at].is_resolved = true;
            let mut what = std::mem::take(&mut suspects[at].what);
            let computed = before.next(place, suspects[at].kind, &suspects[at].record);
            if !suspects[at].record.is_empty() && clear_next(&mut suspects, place, computed) {
                "its chain hash was changed, its contents fit".clone_into(&mut what);
            }
            self.findings.push((place.0, Finding::Altered { seq: place.0, what }));
        }
    }

    /// The other row of a pair: what stands at its place belongs where the first one is, if the two were swapped.
    fn resolve_other(&mut self, suspects: &mut [Suspect], at: usize, other: usize) {
        let (place, before) = (suspects[other].seq, suspects[other].before);
        let chain = before.next(place, suspects[at].kind, &suspects[at].record);
        if chain != suspects[at].stored && chain != suspects[other].stored {
            return;
        }
        suspects[other].is_resolved = true;
        self.findings.push((place.0, Finding::Reordered { seq: place.0, found_at: suspects[at].seq.0 }));
        clear_next(suspects, place, chain);
    }
}

const UNLINKED: &str = "what precedes it is missing";

/// The row after `place` was weighed against what `place` carries; against the true `chain` there it may fit. Returns whether it
/// does.
fn clear_next(suspects: &mut [Suspect], place: SeqNo, chain: Chain) -> bool {
    let Some(next) = suspects.iter_mut().find(|suspect| suspect.seq.0 == place.0 + 1 && !suspect.is_resolved) else {
        return false;
    };
    next.before = chain;
    let fits = chain.next(next.seq, next.kind, &next.record) == next.stored;
    next.is_resolved |= fits;
    fits
}

#[cfg(test)]
mod tests;
