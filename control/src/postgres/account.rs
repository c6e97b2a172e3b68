//! Whom the private server runs as. PostgreSQL refuses to run as root, so when we are root it runs as the account
//! `postgres` or, failing that, `nobody`; otherwise as ourselves.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, User};

use super::PostgresError;

/// The account of the server's processes and files.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) name: String,
    uid: Uid,
    gid: Gid,
    /// We are root and this is someone else.
    switch: bool,
}

impl Account {
    /// Who serves the cluster in `cluster`: its owner when it exists, else whoever suits.
    ///
    /// # Errors
    /// When there is no such account, or the cluster belongs to somebody we cannot become.
    pub(super) fn choose(cluster: &Path) -> Result<Account, PostgresError> {
        let us = Uid::effective();
        let owner = match std::fs::metadata(cluster) {
            Ok(meta) => Some(Uid::from_raw(meta.uid())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(PostgresError::io("look at", cluster)(error)),
        };
        if let Some(owner) = owner
            && (owner.is_root() || (owner != us && !us.is_root()))
        {
            return Err(PostgresError::ForeignCluster { dir: cluster.to_owned(), owner: owner.as_raw(), us: us.as_raw() });
        }

        let lookup = |found: nix::Result<Option<User>>| found.ok().flatten().filter(|user| !user.uid.is_root());
        let user = match owner.or((!us.is_root()).then_some(us)) {
            Some(uid) => lookup(User::from_uid(uid)).ok_or(PostgresError::NamelessAccount { uid: uid.as_raw() })?,
            None => ["postgres", "nobody"]
                .into_iter()
                .find_map(|name| lookup(User::from_name(name)))
                .ok_or(PostgresError::NoAccount)?,
        };
        Ok(Account { name: user.name, uid: user.uid, gid: user.gid, switch: user.uid != us })
    }

    pub(super) fn uid(&self) -> u32 {
        self.uid.as_raw()
    }

    /// A command that runs as this account, away from our terminal's signals and from PG* settings meant for clients.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        if self.switch {
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw()).env_remove("HOME").env("USER", &self.name);
        }
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        // Its own process group: Ctrl-C reaches us alone, and we stop it after the last row is shipped.
        command.process_group(0).stdin(Stdio::null());
        command
    }

    /// Makes `dir` (if absent) and everything needed so that this account owns it and nobody else enters it.
    pub(super) fn own_dir(&self, dir: &Path) -> Result<(), PostgresError> {
        use std::os::unix::fs::DirBuilderExt;
        match std::fs::DirBuilder::new().mode(0o700).create(dir) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(PostgresError::io("create directory", dir)(error)),
        }
        if self.switch {
            std::os::unix::fs::chown(dir, Some(self.uid.as_raw()), Some(self.gid.as_raw()))
                .map_err(PostgresError::io("hand over", dir))?;
        }
        std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .map_err(PostgresError::io("protect", dir))
    }

    /// That this account can enter `dir`. Asks the kernel, not the permission bits, so that ACLs and mounts count too.
    ///
    /// # Errors
    /// Names the first directory on the way that refuses.
    pub(super) fn check_reach(&self, dir: &Path) -> Result<(), PostgresError> {
        let ancestors: Vec<&Path> = dir.ancestors().collect();
        // Most often the whole way is open: one probe, and the search only when it is not.
        if !self.switch || self.enters(dir) {
            return Ok(());
        }
        let refusing = ancestors.into_iter().rev().find(|ancestor| !self.enters(ancestor)).unwrap_or(dir);
        Err(PostgresError::Unreachable { account: self.name.clone(), dir: PathBuf::from(refusing) })
    }

    fn enters(&self, dir: &Path) -> bool {
        self.command("/bin/sh")
            .args(["-c", ":"])
            .current_dir(dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}
