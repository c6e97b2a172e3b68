//! From journal frames to the bytes of one COPY: blocking work, away from the runtime's threads.

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use dataplane::journal::reader::Tail;
use dataplane::journal::recovery;
use dataplane::journal::{ReadError, StreamPosition};
use schema::audit::{AuditRow, COPY_HEADER, COPY_TRAILER, Micros};
use wire::frame::Frame;
use wire::ids::SeqNo;
use wire::record::{Record, RecordError};

use super::open::CallStep;

/// LIMIT: what goes to the connection at once; the connection encodes and sends one such piece after the other.
const PIECE_BYTES: usize = 256 << 10;

const DAY_US: u64 = 86_400_000_000;

/// The rows of one transaction.
#[derive(Debug)]
pub(super) struct Rows {
    /// A whole binary COPY, in pieces.
    pub(super) pieces: Vec<Bytes>,
    pub(super) count: u64,
    /// The watermark that these rows lead to.
    pub(super) to: StreamPosition,
    /// The days (since 1970) that they fall on.
    pub(super) days: BTreeSet<u64>,
    /// What they say about calls.
    pub(super) steps: Vec<CallStep>,
}

/// The journal cannot be shipped as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowsError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("record {} cannot be read", seq.0)]
    Record {
        seq: SeqNo,
        #[source]
        source: RecordError,
    },
}

/// Reads what follows the tail's position up to `through`, about `bytes_max` of it. `None` when there is nothing.
pub(super) fn read(tail: &mut Tail, through: SeqNo, stream_id: i32, bytes_max: usize) -> Result<Option<Rows>, RowsError> {
    let mut rows = Rows { pieces: Vec::new(), count: 0, to: tail.position(), days: BTreeSet::new(), steps: Vec::new() };
    let mut piece = BytesMut::with_capacity(PIECE_BYTES + PIECE_BYTES / 4);
    piece.extend_from_slice(COPY_HEADER);
    let mut bytes = 0;
    while bytes < bytes_max {
        let batch = tail.read(through)?;
        if batch.is_empty() {
            break;
        }
        for frame in batch.frames() {
            put(&frame, stream_id, &mut piece, &mut rows)?;
            if piece.len() >= PIECE_BYTES {
                rows.pieces.push(piece.split().freeze());
                piece.reserve(PIECE_BYTES + PIECE_BYTES / 4);
            }
        }
        rows.count += batch.len() as u64;
        rows.to = batch.last();
        bytes += batch.bytes();
    }
    if rows.count == 0 {
        return Ok(None);
    }
    piece.extend_from_slice(COPY_TRAILER);
    rows.pieces.push(piece.freeze());
    Ok(Some(rows))
}

/// What the records behind the tail's position up to `through` say about calls.
pub(super) fn steps(mut tail: Tail, through: SeqNo) -> Result<(Vec<CallStep>, StreamPosition), RowsError> {
    let mut steps = Vec::new();
    loop {
        let batch = tail.read(through)?;
        if batch.is_empty() {
            return Ok((steps, tail.position()));
        }
        for frame in batch.frames() {
            steps.extend(step(frame.seq, &decode(&frame)?));
        }
    }
}

fn decode<'a>(frame: &Frame<'a>) -> Result<Record<'a>, RowsError> {
    Record::decode(frame.kind, frame.record).map_err(|source| RowsError::Record { seq: frame.seq, source })
}

fn step(seq: SeqNo, record: &Record<'_>) -> Option<CallStep> {
    match record {
        Record::Decision(decision) => recovery::opens(seq, decision).map(CallStep::Opened),
        Record::Outcome(outcome) => Some(CallStep::Ended(outcome.call)),
        Record::Notice(..) => None,
    }
}

fn put(frame: &Frame<'_>, stream_id: i32, out: &mut BytesMut, rows: &mut Rows) -> Result<(), RowsError> {
    let record = decode(frame)?;
    AuditRow::new(stream_id, frame.seq, frame.chain, &record).put(out);
    rows.days.insert(Micros(record.at_us()).stored() / DAY_US);
    rows.steps.extend(step(frame.seq, &record));
    Ok(())
}
