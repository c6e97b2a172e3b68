//! A small file beside a stream's segments that speaks for what is no longer in them: replaced whole, synced before it counts.
//!
//! ```text
//! magic 8 · body · crc u32
//! ```

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::ReadError;

const CRC_BYTES: usize = 4;

/// One kind of note.
#[derive(Debug)]
pub(super) struct Kind {
    /// Its file's name.
    pub(super) name: &'static str,
    /// What the file begins with.
    pub(super) magic: [u8; 8],
    /// What it is about, for whoever reads that it is torn.
    pub(super) about: &'static str,
}

impl Kind {
    /// What was noted last, read by `decode` from the body; the default where there is no note.
    ///
    /// # Errors
    /// [`ReadError::Damaged`]: the note is synced before it counts, so this is no crash's doing.
    pub(super) fn load<T: Default>(&self, dir: &Path, decode: impl FnOnce(&[u8]) -> Option<T>) -> Result<T, ReadError> {
        let path = dir.join(self.name);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(T::default()),
            Err(source) => return Err(ReadError::Io { doing: "read", path, source }),
        };
        let why = || format!("the note of {} is torn", self.about);
        self.body(&bytes).and_then(decode).ok_or_else(|| ReadError::Damaged { segment: path, offset: 0, why: why() })
    }

    /// Notes it, durably. What was noted before stays in force if this fails.
    ///
    /// # Errors
    /// [`ReadError::Io`]: do not delete the segments that it would have spoken for.
    pub(super) fn store(&self, dir: &Path, body: &[u8]) -> Result<(), ReadError> {
        let path = dir.join(self.name);
        let temp = path.with_extension("tmp");
        let bytes = [&self.magic[..], body].concat();
        let crc = crc32fast::hash(&bytes).to_le_bytes();
        let write = || -> io::Result<()> {
            let mut file = File::create(&temp)?;
            file.write_all(&bytes)?;
            file.write_all(&crc)?;
            file.sync_all()?;
            std::fs::rename(&temp, &path)?;
            File::open(dir)?.sync_all()
        };
        write().map_err(|source| ReadError::Io { doing: "write", path: path.clone(), source })
    }

    fn body<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (all, crc) = bytes.split_last_chunk::<CRC_BYTES>()?;
        if u32::from_le_bytes(*crc) != crc32fast::hash(all) { None } else { all.strip_prefix(&self.magic) }
    }
}
