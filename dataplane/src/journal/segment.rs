//! Names and places of the journal's files, and the walk through the frames of one of them.
//!
//! ```text
//! <journal>/shard-000/00000000000000000001.seg   frames 1 …
//!                     00000000000000081230.seg   frames 81230 …
//!                     synced                     how far fdatasync has come (see `marker`)
//!                     open                       calls that are open (see `open_calls`)
//!                     consumer-splunk            how far a sink has read (see `consumer`)
//!                     00000000000000150000.new   being made; it counts once it is renamed to `.seg`
//! ```
//! INVARIANT: a segment counts up to where the next one begins. What lies beyond is left over from a write that
//! failed and was answered with an error; the next segment's `previous` chain vouches for the part that counts.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use wire::frame::{FRAME_PREFIX_BYTES, Frame, HEADER_BYTES, Header, Read};
use wire::ids::{NodeId, SeqNo};
use wire::limits::FRAME_BYTES_MAX;

use super::{ReadError, StreamPosition};

/// What one read of a segment fetches. LIMIT: large enough to reach the disk's speed, small enough for every stream to
/// have one.
pub(super) const READ_BYTES: usize = 1 << 20;

const _: () = assert!(READ_BYTES >= 2 * FRAME_BYTES_MAX);

const SUFFIX: &str = "seg";
const SUFFIX_NEW: &str = "new";

/// The directory of one shard's stream.
pub fn stream_dir(journal_dir: &Path, shard: u16) -> PathBuf {
    journal_dir.join(format!("shard-{shard:03}"))
}

/// Every stream that lies in a journal directory, whether or not a shard of today writes it; in order of the shard.
///
/// # Errors
/// [`ReadError::Io`] when the directory cannot be listed; one that does not exist holds no streams.
pub fn streams(journal_dir: &Path) -> Result<Vec<(u16, PathBuf)>, ReadError> {
    let mut found = Vec::new();
    for (name, path) in entries(journal_dir)? {
        let shard = name.strip_prefix("shard-").and_then(|digits| digits.parse::<u16>().ok());
        if let Some(shard) = shard
            && stream_dir(journal_dir, shard) == path
        {
            found.push((shard, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Where the segment lies that begins with `first`.
pub fn segment_path(dir: &Path, first: SeqNo) -> PathBuf {
    dir.join(format!("{:020}.{SUFFIX}", first.0))
}

/// Where a segment is made before it counts.
pub(super) fn segment_path_new(dir: &Path, first: SeqNo) -> PathBuf {
    dir.join(format!("{:020}.{SUFFIX_NEW}", first.0))
}

/// A segment as the directory names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its first frame.
    pub first: SeqNo,
    /// Where it lies.
    pub path: PathBuf,
}

/// The segments of a stream's directory, oldest first. A directory that does not exist has none.
///
/// # Errors
/// [`ReadError::Io`] when the directory cannot be listed.
pub fn list(dir: &Path) -> Result<Vec<Listed>, ReadError> {
    let mut found = Vec::new();
    for (name, path) in entries(dir)? {
        if let Some(first) = numbered(&name, SUFFIX) {
            found.push(Listed { first, path });
        }
    }
    found.sort_unstable_by_key(|listed| listed.first);
    Ok(found)
}

/// Files that a crash left half made.
pub(super) fn list_new(dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
    Ok(entries(dir)?.into_iter().filter(|(name, _)| numbered(name, SUFFIX_NEW).is_some()).map(|(_, path)| path).collect())
}

pub(super) fn entries(dir: &Path) -> Result<Vec<(String, PathBuf)>, ReadError> {
    let failed = |source| ReadError::Io { doing: "list", path: dir.to_owned(), source };
    let listing = match std::fs::read_dir(dir) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in listing {
        let entry = entry.map_err(failed)?;
        if let Ok(name) = entry.file_name().into_string() {
            found.push((name, entry.path()));
        }
    }
    Ok(found)
}

fn numbered(name: &str, suffix: &str) -> Option<SeqNo> {
    let digits = name.strip_suffix(suffix)?.strip_suffix('.')?;
    if digits.len() != 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().map(SeqNo)
}

/// What stands next in a segment.
#[derive(Debug)]
pub enum Next<'a> {
    /// A frame that continues the chain.
    Frame(Frame<'a>),
    /// The file ends here, between two frames.
    End,
    /// From here on the bytes are no frame of this stream.
    Bad(&'static str),
}

/// Walks through the frames of one segment in order; each frame's CRC and place in the chain have been checked when it
/// comes out. Lives on any thread; plain blocking reads.
#[derive(Debug)]
pub struct SegmentReader {
    file: File,
    path: PathBuf,
    header: Header,
    position: StreamPosition,
    /// `buffer[from..to]` has been read and not yet given out; `offset` is where `from` lies in the file.
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    offset: u64,
}

impl SegmentReader {
    /// Opens a segment and checks that its header belongs to this stream and to the file's name.
    ///
    /// # Errors
    /// [`ReadError::Io`], or [`ReadError::Damaged`] when the header is not the one that belongs there.
    pub fn open(listed: &Listed, node: NodeId, shard: u16) -> Result<SegmentReader, ReadError> {
        let path = listed.path.clone();
        let io_error = |doing| {
            let path = path.clone();
            move |source| ReadError::Io { doing, path, source }
        };
        let damaged = |why: String| ReadError::Damaged { segment: path.clone(), offset: 0, why };
        let file = File::open(&path).map_err(io_error("open"))?;
        let mut buffer = vec![0; READ_BYTES];
        let to = read_full(&file, &mut buffer[..HEADER_BYTES], 0).map_err(io_error("read"))?;
        let header = Header::decode(&buffer[..to]).map_err(|error| damaged(error.to_string()))?;
        if header.node != node {
            return Err(damaged(format!("it belongs to node {}, not to node {node} of this data directory", header.node)));
        }
        if header.shard != shard {
            return Err(damaged(format!("it belongs to shard {}, not to shard {shard}", header.shard)));
        }
        if header.first != listed.first {
            return Err(damaged(format!("its header says that it begins with {}", header.first.0)));
        }
        let before = StreamPosition { seq: SeqNo(header.first.0.saturating_sub(1)), chain: header.previous };
        if before.seq.0 == 0 && before != StreamPosition::genesis(node, shard) {
            return Err(damaged("it does not begin with the chain of this node and shard".to_owned()));
        }
        Ok(SegmentReader { file, path, header, position: before, buffer, from: 0, to: 0, offset: HEADER_BYTES as u64 })
    }

    /// The segment's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last frame that was given out; before the first one, what the header says precedes it.
    pub fn position(&self) -> StreamPosition {
        self.position
    }

    /// Where in the file the next frame begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next frame. After [`Next::End`] or [`Next::Bad`] it stays where it is, so that a file that grows can be asked
    /// again after [`SegmentReader::forget_read_ahead`].
    ///
    /// # Errors
    /// [`ReadError::Io`] when the file cannot be read.
    pub fn next_frame(&mut self) -> Result<Next<'_>, ReadError> {
        self.fill_frame()?;
        if self.from == self.to {
            return Ok(Next::End);
        }
        match Frame::read(&self.buffer[self.from..self.to]) {
            Read::Frame(frame) if frame.follows(self.position.seq, self.position.chain) => {
                self.position = StreamPosition { seq: frame.seq, chain: frame.chain };
                self.from += frame.bytes;
                self.offset += frame.bytes as u64;
                Ok(Next::Frame(frame))
            }
            Read::Frame(_) => Ok(Next::Bad("the frame does not continue the chain")),
            Read::Incomplete => Ok(Next::Bad("the frame ends before its length")),
            Read::Corrupt(why) => Ok(Next::Bad(why)),
        }
    }

    /// Reads the frames again that have been read from the file but not given out: they may have changed since.
    pub fn forget_read_ahead(&mut self) {
        self.from = 0;
        self.to = 0;
    }

    pub(super) fn metadata(&self) -> Result<Metadata, ReadError> {
        self.file.metadata().map_err(|source| ReadError::Io { doing: "stat", path: self.path.clone(), source })
    }

    /// Whether `path` still names the file that is open here.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        let of_path = std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
        let of_file = self.file.metadata().ok().map(|meta| (meta.dev(), meta.ino()));
        of_path.is_some() && of_path == of_file
    }

    /// Whether any whole frame with a number above `seq` lies at or after the place where reading stopped. Slow: it tries
    /// every byte.
    pub(super) fn any_frame_beyond(&mut self, seq: SeqNo) -> Result<bool, ReadError> {
        loop {
            self.fill_frame()?;
            if self.from == self.to {
                return Ok(false);
            }
            if let Read::Frame(frame) = Frame::read(&self.buffer[self.from..self.to])
                && frame.seq > seq
            {
                return Ok(true);
            }
            self.from += 1;
            self.offset += 1;
        }
    }

    pub(super) fn damaged(&self, why: impl Into<String>) -> ReadError {
        ReadError::Damaged { segment: self.path.clone(), offset: self.offset, why: why.into() }
    }

    /// Moves what has not been given out to the front, so that as much as possible fits behind it.
    pub(super) fn compact(&mut self) {
        self.buffer.copy_within(self.from..self.to, 0);
        self.to -= self.from;
        self.from = 0;
    }

    /// Fills the buffer as far as it goes. Returns whether anything came.
    pub(super) fn fill(&mut self) -> Result<bool, ReadError> {
        let at = self.offset + (self.to - self.from) as u64;
        let read = read_full(&self.file, &mut self.buffer[self.to..], at).map_err(|source| ReadError::Io {
            doing: "read",
            path: self.path.clone(),
            source,
        })?;
        self.to += read;
        Ok(read > 0)
    }

    /// Sees to it that the next frame is in the buffer whole, if the file has it whole.
    fn fill_frame(&mut self) -> Result<(), ReadError> {
        if !self.holds_frame() {
            if self.to + FRAME_BYTES_MAX > self.buffer.len() {
                self.compact();
            }
            self.fill()?;
        }
        Ok(())
    }

    /// Whether the buffer holds the next frame whole.
    pub(super) fn holds_frame(&self) -> bool {
        let held = &self.buffer[self.from..self.to];
        let length = held.first_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize);
        held.len() >= length.clamp(FRAME_PREFIX_BYTES, FRAME_BYTES_MAX)
    }

    /// Bytes of the buffer, for [`super::reader::Batch`].
    pub(super) fn held(&self, from: usize, to: usize) -> &[u8] {
        &self.buffer[from..to]
    }

    /// Where in the buffer the next frame begins.
    pub(super) fn cursor(&self) -> usize {
        self.from
    }
}

fn read_full(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < into.len() {
        match file.read_at(&mut into[done..], at + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
