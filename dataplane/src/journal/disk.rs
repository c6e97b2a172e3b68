//! The file operations of the journal, all in one place, so that tests can make each of them fail, fall short, or be
//! the last thing that happens before a crash. In production there is nothing in between.
//!
//! *Lives on* the shard (writes) and its keeper (everything else).

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is about to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op<'a> {
    /// Make a directory.
    CreateDir(&'a Path),
    /// Make a file, or empty a segment that is being made.
    Create(&'a Path),
    /// Write bytes at an offset.
    Write {
        /// The file, by the name it was made with.
        path: &'a Path,
        /// Where.
        at: u64,
        /// What.
        bytes: &'a [u8],
    },
    /// Cut a file to a length.
    Truncate {
        /// The file, by the name it was made with.
        path: &'a Path,
        /// The new length.
        bytes: u64,
    },
    /// Make a file's contents durable.
    Sync(&'a Path),
    /// Give a file its final name.
    Rename {
        /// The old name.
        from: &'a Path,
        /// The new name.
        to: &'a Path,
    },
    /// Make a directory's names durable.
    SyncDir(&'a Path),
}

/// What a test wants to happen instead.
#[derive(Debug)]
pub enum Fault {
    /// Nothing: do it.
    None,
    /// A write stops after so many bytes, as a full disk makes it, and then fails.
    Short(usize, io::Error),
    /// It fails without effect.
    Fail(io::Error),
}

/// Asked before each operation, on the thread that does it.
pub trait Faults: Send + Sync {
    /// What shall happen.
    fn before(&self, op: Op<'_>) -> Fault;

    /// It has happened, without error.
    fn after(&self, op: Op<'_>) {
        let _ = op;
    }
}

/// Where the journal does its file operations.
#[derive(Clone, Default)]
pub struct Disk {
    faults: Option<Arc<dyn Faults>>,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.faults.is_some() { "Disk(faulty)" } else { "Disk" })
    }
}

impl Disk {
    /// The file system as it is.
    pub fn real() -> Disk {
        Disk { faults: None }
    }

    /// The file system, with `faults` in between.
    pub fn faulty(faults: Arc<dyn Faults>) -> Disk {
        Disk { faults: Some(faults) }
    }

    pub(super) fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.with(Op::CreateDir(path), || std::fs::create_dir_all(path))
    }

    pub(super) fn create(&self, path: &Path) -> io::Result<DiskFile> {
        self.with(Op::Create(path), || {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
            Ok(DiskFile { file, path: path.to_owned(), disk: self.clone(), spoiled: AtomicBool::new(false) })
        })
    }

    /// Keeps what the file holds, if there is one.
    pub(super) fn open_or_create(&self, path: &Path) -> io::Result<DiskFile> {
        self.with(Op::Create(path), || {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
            Ok(DiskFile { file, path: path.to_owned(), disk: self.clone(), spoiled: AtomicBool::new(false) })
        })
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.with(Op::Rename { from, to }, || std::fs::rename(from, to))
    }

    pub(super) fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.with(Op::SyncDir(path), || File::open(path)?.sync_all())
    }

    fn with<T>(&self, op: Op<'_>, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let Some(faults) = &self.faults else { return run() };
        match faults.before(op) {
            Fault::None => {}
            Fault::Short(_, error) | Fault::Fail(error) => return Err(error),
        }
        let done = run()?;
        faults.after(op);
        Ok(done)
    }
}

/// An open file of the journal.
#[derive(Debug)]
pub(super) struct DiskFile {
    file: File,
    /// The name it was made with; it may have another one since.
    path: PathBuf,
    disk: Disk,
    /// Set by the first sync that fails. The kernel reports such a failure once and then calls the lost pages clean, so
    /// asking again would give a success that means nothing.
    spoiled: AtomicBool,
}

impl DiskFile {
    /// Writes all of `bytes`, or fails; then any part of them may have been written.
    pub(super) fn write_all_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let Some(faults) = &self.disk.faults else { return self.file.write_all_at(bytes, at) };
        let op = Op::Write { path: &self.path, at, bytes };
        match faults.before(op) {
            Fault::None => {}
            Fault::Fail(error) => return Err(error),
            Fault::Short(length, error) => {
                let bytes = &bytes[..length.min(bytes.len())];
                self.file.write_all_at(bytes, at)?;
                faults.after(Op::Write { path: &self.path, at, bytes });
                return Err(error);
            }
        }
        self.file.write_all_at(bytes, at)?;
        faults.after(op);
        Ok(())
    }

    pub(super) fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.disk.with(Op::Truncate { path: &self.path, bytes }, || self.file.set_len(bytes))
    }

    /// fdatasync. Once it has failed it fails for ever.
    pub(super) fn sync(&self) -> io::Result<()> {
        if self.spoiled.load(Ordering::Relaxed) {
            return Err(io::Error::other("an earlier sync of this file failed"));
        }
        let done = self.disk.with(Op::Sync(&self.path), || self.file.sync_data());
        self.spoiled.store(done.is_err(), Ordering::Relaxed);
        done
    }
}
