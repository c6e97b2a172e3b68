//! Files that are there whole or not at all, and are ours alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Makes `bytes` what stands in the file at `path`, with mode 0600. Whoever reads sees what was there before or all of
/// it; when this returns well, it survives a crash of the machine. Not for two writers at once.
///
/// # Errors
/// The disk refuses; the file is as before.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path);
    remove(&new)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    sync_folder(path)
}

/// Where the file at `path` is written before it is put in place.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    path.with_file_name(name)
}

/// Removes a file that need not be there.
///
/// # Errors
/// The disk refuses.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// What happened to names in the folder of `path` survives a crash of the machine.
///
/// # Errors
/// The disk refuses.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Makes a folder that is ours alone, and those above it, where they are not there yet.
///
/// # Errors
/// The disk refuses.
pub fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_ours_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b.json");
        private_folder(path.parent().unwrap()).unwrap();
        replace(&path, b"one").unwrap();
        // What an interrupted write left is no obstacle.
        std::fs::write(beside(&path), "half").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert!(!beside(&path).exists());
        assert!(replace(&dir.path().join("nowhere/c"), b"x").is_err());
        remove(&path).unwrap();
        remove(&path).unwrap();
    }
}
