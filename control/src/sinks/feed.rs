//! One stream, as one sink reads it: from the journal, or from Postgres what the journal no longer holds.

use std::path::Path;

use dataplane::journal::reader::Tail;
use dataplane::journal::segment::{self, Next, SegmentReader};
use dataplane::journal::{ReadError, StreamPosition};
use schema::queries::logs as sql;
use wire::frame::Chain;
use wire::ids::{NodeId, SeqNo};
use wire::record::Record;

use crate::logs::event::{AuditEvent, EventId};
use crate::postgres::{Database, error_chain};

/// LIMIT: rows that are read from Postgres at once.
const ROWS_MAX: i32 = 1_000;

/// Some events of a stream, in its order.
pub(super) struct Lot {
    pub(super) events: Vec<AuditEvent>,
    /// Where they lead to.
    pub(super) to: StreamPosition,
    /// Records that are neither in the journal nor in Postgres any more.
    pub(super) lost: u64,
}

/// Reads one stream.
pub(super) struct Feed {
    node: NodeId,
    shard: u16,
    dir: std::path::PathBuf,
    position: StreamPosition,
    /// Absent while a blocking thread has it, and while Postgres is read.
    tail: Option<Tail>,
}

impl Feed {
    pub(super) fn new(node: NodeId, shard: u16, dir: &Path, position: StreamPosition) -> Feed {
        Feed { node, shard, dir: dir.to_owned(), position, tail: None }
    }

    pub(super) fn shard(&self) -> u16 {
        self.shard
    }

    pub(super) fn position(&self) -> StreamPosition {
        self.position
    }

    /// The next events up to `through`; `None` when there are none.
    ///
    /// # Errors
    /// The journal or Postgres cannot be read, in words; the next call tries again at the same place.
    pub(super) async fn read(&mut self, through: SeqNo, database: &Database) -> Result<Option<Lot>, String> {
        if through <= self.position.seq {
            return Ok(None);
        }
        let (node, shard, position) = (self.node, self.shard, self.position);
        let mut tail = self.tail.take().unwrap_or_else(|| Tail::new(&self.dir, node, shard, position));
        let work = move || {
            let lot = read_journal(&mut tail, through, node, shard);
            (lot, tail)
        };
        let (lot, tail) = tokio::task::spawn_blocking(work).await.map_err(|_| "reading the journal was cut off".to_owned())?;
        let lot = match lot {
            Ok(lot) => {
                self.tail = Some(tail);
                lot
            }
            Err(JournalError::Read(ReadError::Missing { .. })) => self.read_database(database).await?,
            Err(error) => return Err(error_chain(&error)),
        };
        self.position = lot.to;
        Ok(Some(lot))
    }

    async fn read_database(&self, database: &Database) -> Result<Lot, String> {
        let client = database.get().await.map_err(|error| error_chain(&error))?;
        let node = uuid::Uuid::from_bytes(self.node.0);
        let after = self.position.seq.0.cast_signed();
        let rows = sql::of_stream()
            .bind(&**client, &after, &ROWS_MAX, &node, &i32::from(self.shard))
            .all()
            .await
            .map_err(|error| error_chain(&error))?;
        let place = |row: &sql::Row| {
            let chain = <[u8; 32]>::try_from(row.chain.as_slice()).unwrap_or_default();
            StreamPosition { seq: SeqNo(row.seq.cast_unsigned()), chain: Chain(chain) }
        };
        let Some(to) = rows.last().map(place) else { return self.skip_to_the_journal() };
        let expected = to.seq.0 - self.position.seq.0;
        let lost = expected.saturating_sub(rows.len() as u64);
        Ok(Lot { events: rows.into_iter().map(AuditEvent::from).collect(), to, lost })
    }

    /// Retention dropped what comes next: goes on with the oldest record of the journal.
    fn skip_to_the_journal(&self) -> Result<Lot, String> {
        let to = oldest(&self.dir, self.node, self.shard).map_err(|error| error_chain(&error))?;
        let to = to.filter(|to| to.seq > self.position.seq);
        let to = to.ok_or_else(|| "the journal has no record behind the watermark, and neither has the database".to_owned())?;
        Ok(Lot { events: Vec::new(), to, lost: to.seq.0 - self.position.seq.0 })
    }
}

#[derive(Debug, thiserror::Error)]
enum JournalError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("record {0} cannot be read")]
    Record(u64, #[source] wire::record::RecordError),
}

fn read_journal(tail: &mut Tail, through: SeqNo, node: NodeId, shard: u16) -> Result<Lot, JournalError> {
    let before = tail.position();
    let batch = tail.read(through)?;
    let mut events = Vec::with_capacity(batch.len());
    let mut failed = None;
    for frame in batch.frames() {
        match Record::decode(frame.kind, frame.record) {
            Ok(record) => events.push(AuditEvent::of_record(EventId { node, shard, seq: frame.seq }, frame.chain, &record)),
            Err(error) => {
                failed = Some(JournalError::Record(frame.seq.0, error));
                break;
            }
        }
    }
    let to = batch.last();
    match failed {
        Some(error) => {
            tail.seek(before);
            Err(error)
        }
        None => Ok(Lot { events, to, lost: 0 }),
    }
}

/// Before the oldest record that the journal holds; `None` where there is no segment.
fn oldest(dir: &Path, node: NodeId, shard: u16) -> Result<Option<StreamPosition>, ReadError> {
    let listed = segment::list(dir)?;
    let reader = listed.first().map(|listed| SegmentReader::open(listed, node, shard)).transpose()?;
    Ok(reader.map(|reader| reader.position()))
}

/// Where a stream stands at record `through`, which must be synced.
pub(super) fn position_at(dir: &Path, node: NodeId, shard: u16, through: SeqNo) -> Result<StreamPosition, ReadError> {
    if through.0 == 0 {
        return Ok(StreamPosition::genesis(node, shard));
    }
    let listed = segment::list(dir)?;
    let Some(newest) = listed.iter().rfind(|listed| listed.first.0 <= through.0 + 1) else {
        return Ok(StreamPosition::genesis(node, shard));
    };
    let mut reader = SegmentReader::open(newest, node, shard)?;
    while reader.position().seq < through {
        match reader.next_frame()? {
            Next::Frame(_) => {}
            // What follows is read again, with all its checks, when it is sent.
            Next::End | Next::Bad(_) => break,
        }
    }
    Ok(reader.position())
}
