//! Those besides Postgres who read a stream, each with a watermark of its own on disk: push sinks above all.
//!
//! *Lives on* any thread, one [`Consumer`] per stream and sink; blocking reads.
//!
//! ```text
//! let mut consumer = Consumer::open(&dir, node, shard, "splunk", Start::Oldest)?;
//! loop {
//!     let batch = consumer.read(progress.synced())?;     // what follows the watermark, or what follows the last read
//!     for frame in batch.frames() { … }                  // deliver; node, shard and seq are the event's stable id
//!     consumer.commit()?;                                // only what the other side has acknowledged
//! }
//! ```
//! What is true after `commit` gave `Ok`: a restart goes on behind what was read, and [`super::reclaim`] may delete it. The
//! mark is written, and synced before a segment goes that it speaks of: the machine's crash may bring an older mark back,
//! so delivery is at least once.
//!
//! A consumer holds segments back only as far as the journal's budget allows. One that falls behind farther is
//! overtaken: [`Consumer::read`] says so once, names what it missed, and [`Consumer::skip`] goes on; the rows that were
//! missed are in Postgres.
//!
//! ```text
//! <journal>/shard-000/consumer-splunk     magic 8 · seq u64 · chain 32 · zero 12 · crc u32
//! ```

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use wire::frame::Chain;
use wire::ids::{NodeId, SeqNo};

use super::reader::{Batch, Tail};
use super::segment::{self, SegmentReader};
use super::{ReadError, StreamPosition};

const MAGIC: [u8; 8] = *b"SPCONS01";
const BYTES: usize = 64;
const PREFIX: &str = "consumer-";

/// LIMIT: a name is part of a file's name and of a metric's.
const NAME_BYTES_MAX: usize = 64;

/// Where a consumer begins that has no watermark yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the oldest record that still lies in the journal.
    Oldest,
    /// With what follows this place.
    After(StreamPosition),
}

/// Why a consumer cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// The name cannot be part of a file's name.
    #[error("`{0}` cannot name a consumer: use 1 to {NAME_BYTES_MAX} lower-case letters, digits and `-`")]
    Name(String),
    /// The journal's budget did not let the segments wait any longer.
    #[error(
        "records {} to {} left the journal before they were read; fetch them from the database, or go on without them",
        missed_first.0,
        missed_last.0
    )]
    Overtaken {
        /// The first record that was missed.
        missed_first: SeqNo,
        /// The last one.
        missed_last: SeqNo,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// One reader of one stream.
#[derive(Debug)]
pub struct Consumer {
    dir: PathBuf,
    node: NodeId,
    shard: u16,
    path: PathBuf,
    file: File,
    committed: StreamPosition,
    tail: Tail,
}

impl Consumer {
    /// Goes on at the consumer's watermark; where there is none, or none that can be trusted, at `start`. From now on the
    /// stream's segments wait for it.
    ///
    /// # Errors
    /// [`ConsumerError::Name`], or the file system refuses.
    pub fn open(dir: &Path, node: NodeId, shard: u16, name: &str, start: Start) -> Result<Consumer, ConsumerError> {
        let path = path_of(dir, name)?;
        let kept = std::fs::read(&path).ok().and_then(|bytes| decode(&bytes));
        let committed = match (kept, start) {
            (Some(kept), _) => kept,
            (None, Start::Oldest) => oldest(dir, node, shard)?,
            (None, Start::After(position)) => position,
        };
        std::fs::create_dir_all(dir).map_err(failed("make a directory", dir))?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(failed("open", &path))?;
        let tail = Tail::new(dir, node, shard, committed);
        let mut consumer = Consumer { dir: dir.to_owned(), node, shard, path, file, committed, tail };
        if kept.is_none() {
            consumer.write(committed)?;
            consumer.file.sync_all().map_err(failed("sync", &consumer.path))?;
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed("sync", dir))?;
        }
        Ok(consumer)
    }

    /// What follows the last read, as [`Tail::read`] gives it; `through` must not lie above what is synced.
    ///
    /// # Errors
    /// [`ConsumerError::Overtaken`] until [`Consumer::skip`] is called, or the journal cannot be read.
    pub fn read(&mut self, through: SeqNo) -> Result<Batch<'_>, ConsumerError> {
        let (dir, node, shard) = (&self.dir, self.node, self.shard);
        match self.tail.read(through) {
            Ok(batch) => Ok(batch),
            Err(ReadError::Missing { wanted, dir: of, why }) => {
                let before = oldest(dir, node, shard)?.seq;
                if before < wanted {
                    // Nothing was taken away: what is missing was never there, or lies in the middle.
                    return Err(ReadError::Missing { wanted, dir: of, why }.into());
                }
                Err(ConsumerError::Overtaken { missed_first: wanted, missed_last: before })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Everything that was read is delivered.
    ///
    /// # Errors
    /// The watermark cannot be written; it is delivered again after a restart.
    pub fn commit(&mut self) -> Result<(), ConsumerError> {
        self.commit_at(self.tail.position())
    }

    /// Everything up to `position`, which was read, is delivered.
    ///
    /// # Errors
    /// As [`Consumer::commit`].
    pub fn commit_at(&mut self, position: StreamPosition) -> Result<(), ConsumerError> {
        if position != self.committed {
            self.write(position)?;
            self.committed = position;
        }
        Ok(())
    }

    /// Goes back to the watermark, after a delivery that failed.
    pub fn rewind(&mut self) {
        self.tail.seek(self.committed);
    }

    /// Goes on with the oldest record that still lies in the journal, after the consumer was overtaken.
    ///
    /// # Errors
    /// As [`Consumer::commit`].
    pub fn skip(&mut self) -> Result<(), ConsumerError> {
        let position = oldest(&self.dir, self.node, self.shard)?;
        if position.seq > self.committed.seq {
            self.commit_at(position)?;
        }
        self.rewind();
        Ok(())
    }

    /// The watermark.
    pub fn committed(&self) -> StreamPosition {
        self.committed
    }

    fn write(&mut self, position: StreamPosition) -> Result<(), ConsumerError> {
        self.file.write_all_at(&encode(position), 0).map_err(failed("write", &self.path))?;
        Ok(())
    }
}

/// A consumer's mark, as a stream's directory shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its name.
    pub name: String,
    /// How far it has come; `None` where that cannot be read: it then begins anew and holds nothing back.
    pub committed: Option<StreamPosition>,
    path: PathBuf,
}

/// The consumers of a stream, in order of their names.
///
/// # Errors
/// [`ReadError::Io`] when the directory cannot be listed.
pub fn marks(dir: &Path) -> Result<Vec<Mark>, ReadError> {
    let mut found = Vec::new();
    for (name, path) in segment::entries(dir)? {
        if let Some(name) = name.strip_prefix(PREFIX) {
            let committed = std::fs::read(&path).ok().and_then(|bytes| decode(&bytes));
            found.push(Mark { name: name.to_owned(), committed, path });
        }
    }
    found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Forgets the consumers of a journal that `keep` does not name, so that nothing waits for a sink that is not declared any
/// more. Call it before the first [`Consumer::open`].
///
/// # Errors
/// [`ReadError::Io`]; what could not be deleted holds segments back, within the budget.
pub fn retire(journal_dir: &Path, keep: &dyn Fn(&str) -> bool) -> Result<(), ReadError> {
    for (_, dir) in segment::streams(journal_dir)? {
        for mark in marks(&dir)?.iter().filter(|mark| !keep(&mark.name)) {
            std::fs::remove_file(&mark.path).map_err(failed("delete", &mark.path))?;
        }
    }
    Ok(())
}

/// The lowest watermark of a stream's consumers, on disk when this returns; `None` where there are none.
pub(super) fn lowest(dir: &Path) -> Result<Option<SeqNo>, ReadError> {
    let mut lowest: Option<SeqNo> = None;
    for mark in marks(dir)? {
        let Some(committed) = mark.committed else { continue };
        let synced = File::open(&mark.path).and_then(|file| file.sync_data());
        match synced {
            Ok(()) => {}
            // Retired in between.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed("sync", &mark.path)(error)),
        }
        lowest = Some(lowest.map_or(committed.seq, |lowest| lowest.min(committed.seq)));
    }
    Ok(lowest)
}

/// Before the first record that lies in a stream's directory.
fn oldest(dir: &Path, node: NodeId, shard: u16) -> Result<StreamPosition, ReadError> {
    match segment::list(dir)?.first() {
        Some(listed) => Ok(SegmentReader::open(listed, node, shard)?.position()),
        None => Ok(StreamPosition::genesis(node, shard)),
    }
}

fn path_of(dir: &Path, name: &str) -> Result<PathBuf, ConsumerError> {
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits { Ok(dir.join(format!("{PREFIX}{name}"))) } else { Err(ConsumerError::Name(name.to_owned())) }
}

pub(super) fn encode(position: StreamPosition) -> [u8; BYTES] {
    let mut out = [0; BYTES];
    out[0..8].copy_from_slice(&MAGIC);
    out[8..16].copy_from_slice(&position.seq.0.to_le_bytes());
    out[16..48].copy_from_slice(&position.chain.0);
    let crc = crc32fast::hash(&out[..60]);
    out[60..64].copy_from_slice(&crc.to_le_bytes());
    out
}

pub(super) fn decode(bytes: &[u8]) -> Option<StreamPosition> {
    let bytes: &[u8; BYTES] = bytes.try_into().ok()?;
    let crc = bytes[60..].first_chunk().map(|chunk| u32::from_le_bytes(*chunk));
    if bytes[0..8] != MAGIC || crc != Some(crc32fast::hash(&bytes[..60])) {
        return None;
    }
    let seq = bytes[8..].first_chunk().map(|chunk| SeqNo(u64::from_le_bytes(*chunk)))?;
    Some(StreamPosition { seq, chain: Chain(*bytes[16..].first_chunk()?) })
}

fn failed<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> ReadError + use<'a> {
    move |source| ReadError::Io { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
