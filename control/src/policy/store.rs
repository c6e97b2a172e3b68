//! The snapshot on disk: what the next start decides by before Postgres or any declaration has been read.
//!
//! A file is either whole or not there: it is written beside, synced, and renamed over the last one, which is kept
//! under its generation. Files are never trusted: each is validated, and a damaged one is passed over with its reason.

use std::fs::{DirBuilder, File};
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use wire::snapshot::{Snapshot, SnapshotBytes, SnapshotError};

use crate::disk;

/// LIMIT: a larger file is not a policy; a thousand servers with fifty tools each stay below 8 MiB.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// LIMIT: earlier generations that are kept; one to fall back to, and some to look at.
const KEPT_MAX: usize = 4;

const CURRENT: &str = "snapshot.sp";
const TEMP: &str = "snapshot.new";

/// The folder that holds snapshots. One process writes; the lock of the data folder sees to that.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    /// The highest generation that was written or found.
    generation: u64,
}

/// Why a snapshot could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error("`{path}` cannot be written or read; see that the disk has room and the folder is ours")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A generation that does not count up.
    #[error("generation {given} does not come after {newest}, which is stored already; compile it again")]
    Stale {
        /// What was given.
        given: u64,
        /// What is there.
        newest: u64,
    },
    /// The snapshot cannot be encoded.
    #[error("the snapshot cannot be encoded")]
    Encode(#[from] SnapshotError),
}

/// What was found on disk.
pub struct Found {
    /// The newest snapshot that is whole.
    pub snapshot: Option<SnapshotBytes>,
    /// Files that were passed over, and why.
    pub refused: Vec<(PathBuf, Refusal)>,
}

/// Why a file was passed over.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It could not be read.
    #[error("it cannot be read")]
    Io(#[from] std::io::Error),
    /// It is not a snapshot to decide by.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// It is larger than any policy.
    #[error("it is larger than {} MiB", FILE_BYTES_MAX >> 20)]
    TooLarge,
}

impl Store {
    /// Opens `<data_dir>/policy`, and reads the newest snapshot that is whole.
    ///
    /// # Errors
    /// The folder cannot be used. A damaged file is not an error; it stands in [`Found::refused`].
    pub fn open(data_dir: &Path) -> Result<(Store, Found), StoreError> {
        let dir = data_dir.join("policy");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
        made.map_err(|source| StoreError::Io { path: dir.clone(), source })?;
        let mut store = Store { dir, generation: 0 };
        let mut found = Found { snapshot: None, refused: Vec::new() };
        let kept = store.kept()?;
        store.generation = kept.first().map_or(0, |(generation, _)| *generation);
        let current = store.dir.join(CURRENT);
        let candidates = current.exists().then_some(current).into_iter().chain(kept.into_iter().map(|(_, path)| path));
        for path in candidates {
            match read(&path) {
                Ok(bytes) => {
                    let generation = bytes.access().map_or(0, |snapshot| snapshot.generation.to_native());
                    store.generation = store.generation.max(generation);
                    found.snapshot = Some(bytes);
                    break;
                }
                Err(refusal) => found.refused.push((path, refusal)),
            }
        }
        Ok((store, found))
    }

    /// The generation that comes next on this node.
    pub fn next_generation(&self) -> u64 {
        self.generation.saturating_add(1)
    }

    /// Encodes and stores `snapshot`; when this returns, it survives a crash of the machine. What comes back is what the
    /// shards decide by.
    ///
    /// # Errors
    /// Nothing was replaced.
    pub fn save(&mut self, snapshot: &Snapshot) -> Result<SnapshotBytes, StoreError> {
        let (bytes, file) = SnapshotBytes::encode(snapshot)?;
        self.write(snapshot.generation, &file)?;
        Ok(bytes)
    }

    /// The same for one that is encoded already.
    ///
    /// # Errors
    /// Nothing was replaced.
    pub fn write(&mut self, generation: u64, file: &[u8]) -> Result<(), StoreError> {
        if generation <= self.generation {
            return Err(StoreError::Stale { given: generation, newest: self.generation });
        }
        let temp = self.dir.join(TEMP);
        let current = self.dir.join(CURRENT);
        let kept = self.dir.join(kept_name(generation));
        let write = || -> std::io::Result<()> {
            disk::replace(&kept, file)?;
            // Both names hold the same file, so keeping the generation costs no second copy.
            disk::remove(&temp)?;
            std::fs::hard_link(&kept, &temp)?;
            std::fs::rename(&temp, &current)?;
            disk::sync_folder(&current)
        };
        write().map_err(|source| StoreError::Io { path: current.clone(), source })?;
        self.generation = generation;
        self.forget_old();
        Ok(())
    }

    /// Kept generations, the newest first.
    fn kept(&self) -> Result<Vec<(u64, PathBuf)>, StoreError> {
        let entries = std::fs::read_dir(&self.dir).map_err(|source| StoreError::Io { path: self.dir.clone(), source })?;
        let mut kept: Vec<(u64, PathBuf)> = entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let digits = path.file_name()?.to_str()?.strip_prefix("snapshot.")?.strip_suffix(".sp")?;
                Some((digits.parse().ok()?, path))
            })
            .collect();
        kept.sort_unstable_by(|a, b| b.cmp(a));
        Ok(kept)
    }

    /// What cannot be deleted now is deleted after the next save.
    fn forget_old(&self) {
        for (_, path) in self.kept().unwrap_or_default().into_iter().skip(KEPT_MAX) {
            drop(std::fs::remove_file(path));
        }
    }
}

fn kept_name(generation: u64) -> String {
    format!("snapshot.{generation:020}.sp")
}

fn read(path: &Path) -> Result<SnapshotBytes, Refusal> {
    let mut file = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut file)?;
    if file.len() as u64 > FILE_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    Ok(SnapshotBytes::from_file(&file)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn snapshot(generation: u64) -> Snapshot {
        Snapshot { generation, issuer: format!("issuer {generation}"), ..Snapshot::default() }
    }

    fn found(data: &Path) -> (Option<u64>, usize, u64) {
        let (store, found) = Store::open(data).unwrap();
        (found.snapshot.map(|bytes| bytes.thaw().unwrap().generation), found.refused.len(), store.next_generation())
    }

    #[test]
    fn the_newest_generation_comes_back() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(found(data.path()), (None, 0, 1));
        let (mut store, _) = Store::open(data.path()).unwrap();
        for generation in [1, 2, 3, 7, 8, 9] {
            assert_eq!(store.save(&snapshot(generation)).unwrap().thaw().unwrap(), snapshot(generation));
        }
        for stale in [0, 8, 9] {
            assert!(matches!(store.save(&snapshot(stale)), Err(StoreError::Stale { newest: 9, .. })));
        }
        assert_eq!(found(data.path()), (Some(9), 0, 10));
        let names = std::fs::read_dir(data.path().join("policy")).unwrap().count();
        assert_eq!(names, KEPT_MAX + 1);
    }

    #[test]
    fn a_damaged_file_is_passed_over() {
        let data = tempfile::tempdir().unwrap();
        let (mut store, _) = Store::open(data.path()).unwrap();
        for generation in 1..=3 {
            store.save(&snapshot(generation)).unwrap();
        }
        let dir = data.path().join("policy");
        let path = |generation| dir.join(kept_name(generation));
        let whole = std::fs::read(path(3)).unwrap();
        // Written in place, so that both names of the newest generation are damaged.
        for (content, damaged) in [
            ([&whole[..60], &[whole[60] ^ 1], &whole[61..]].concat(), 2),
            (whole[..whole.len() / 2].to_vec(), 2),
            (Vec::new(), 2),
            (b"SPSNAP99 of another version, perhaps, with some more bytes".to_vec(), 2),
        ] {
            std::fs::write(path(3), content).unwrap();
            assert_eq!(found(data.path()), (Some(2), damaged, 4));
        }
        std::fs::write(path(2), b"gone too").unwrap();
        std::fs::write(path(1), b"and this").unwrap();
        assert_eq!(found(data.path()), (None, 4, 4));
        std::fs::write(path(3), &whole).unwrap();
        assert_eq!(found(data.path()), (Some(3), 0, 4));
    }

    #[test]
    fn an_interrupted_save_leaves_the_last_one() {
        let data = tempfile::tempdir().unwrap();
        let (mut store, _) = Store::open(data.path()).unwrap();
        store.save(&snapshot(1)).unwrap();
        let dir = data.path().join("policy");
        std::fs::write(dir.join(TEMP), b"half").unwrap();
        // Linked under its generation, but not renamed yet.
        let (_, file) = SnapshotBytes::encode(&snapshot(2)).unwrap();
        std::fs::write(dir.join(kept_name(2)), file).unwrap();
        assert_eq!(found(data.path()), (Some(1), 0, 3));
        let (mut store, _) = Store::open(data.path()).unwrap();
        store.save(&snapshot(3)).unwrap();
        assert_eq!(found(data.path()), (Some(3), 0, 4));
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_named() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("policy"), b"a file").unwrap();
        let error = Store::open(data.path()).err().unwrap();
        assert!(error.to_string().contains("policy"));
    }
}
