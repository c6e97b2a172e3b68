//! What a running gateway leaves in its data directory for commands on the same machine, and the lock that keeps a
//! second gateway out.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::disk;

/// Where a gateway can be reached, and what its tokens say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Where it listens.
    pub url: String,
    /// `iss` and base audience of its tokens.
    pub issuer: String,
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
}

const FILE: &str = "instance.json";

impl Instance {
    /// Reads what the last gateway of this data directory wrote.
    ///
    /// # Errors
    /// None ever ran, or we may not read it.
    pub fn read(data_dir: &Path) -> anyhow::Result<Instance> {
        let path = data_dir.join(FILE);
        let text = std::fs::read(&path).with_context(|| {
            format!(
                "no gateway has run from `{}`; start one with sp-dataplane, or name another with --data-dir",
                data_dir.display()
            )
        })?;
        serde_json::from_slice(&text).with_context(|| format!("`{}` is damaged; start the gateway again", path.display()))
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write(&self, data_dir: &Path) -> std::io::Result<()> {
        disk::replace(&data_dir.join(FILE), &serde_json::to_vec_pretty(self)?)
    }
}

/// `SP_DATA_DIR`, else `/var/lib/sp` for root, else `~/.local/share/sp`.
pub fn default_data_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("SP_DATA_DIR").filter(|dir| !dir.is_empty()) {
        return dir.into();
    }
    if nix::unistd::Uid::effective().is_root() {
        return "/var/lib/sp".into();
    }
    let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    base.unwrap_or_else(|| ".".into()).join("sp")
}

/// Held for as long as the process owns the data directory.
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the data directory for this process; makes it when it is not there.
    ///
    /// # Errors
    /// Another process has it, or it cannot be made.
    pub fn take(data_dir: &Path) -> anyhow::Result<Lock> {
        use std::os::unix::fs::DirBuilderExt as _;
        // Others may pass through to what is theirs (the private Postgres runs as another user); each part guards itself.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(data_dir)
            .with_context(|| format!("data directory `{}` cannot be made; choose another with --data-dir", data_dir.display()))?;
        let path = data_dir.join("lock");
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).with_context(
                || format!("`{}` cannot be opened; choose a data directory of your own with --data-dir", path.display()),
            )?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let holder = std::fs::read_to_string(&path).unwrap_or_default();
                anyhow::bail!(
                    "data directory `{}` is in use by process {}; stop it, or choose another with --data-dir",
                    data_dir.display(),
                    holder.trim()
                );
            }
            Err(std::fs::TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("`{}` cannot be locked", path.display()));
            }
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Lock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_has_one_owner() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Lock::take(dir.path()).unwrap();
        let second = Lock::take(dir.path()).map(drop).unwrap_err().to_string();
        assert!(second.contains(&std::process::id().to_string()), "{second}");
        drop(lock);
        Lock::take(dir.path()).unwrap();
    }

    #[test]
    fn what_was_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let instance = Instance { url: "http://a".into(), issuer: "http://b".into(), pid: 1, version: "0".into() };
        instance.write(dir.path()).unwrap();
        assert_eq!(Instance::read(dir.path()).unwrap(), instance);
        assert!(Instance::read(Path::new("/nonexistent")).is_err());
    }
}
