//! The server's first process: one that we spawned, or one that a killed predecessor of ours left running. Both are
//! held by pidfd, so that a signal never reaches a stranger who got the same number.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::unix::AsyncFd;

use super::PostgresError;

/// LIMIT: a fast shutdown writes a checkpoint; after this long the cluster is stopped hard and recovers at the next start.
const FAST_STOP: Duration = Duration::from_secs(60);
/// LIMIT: an immediate shutdown has nothing to write.
const HARD_STOP: Duration = Duration::from_secs(10);

/// A running postmaster. Dropped without [`Postmaster::stop`] (a runtime that shuts down under us), it is asked to stop: no
/// server stays behind that nobody knows of.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: u32,
    fd: AsyncFd<OwnedFd>,
    /// Present when it is our child and must be reaped.
    child: Option<Child>,
}

impl Postmaster {
    pub(super) fn of_child(child: Child) -> io::Result<Postmaster> {
        let pid = child.id();
        Ok(Postmaster { pid, fd: watch(open(pid)?)?, child: Some(child) })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns when the process has ended, with how it did when we can know.
    pub(super) async fn exited(&mut self) -> String {
        // A pidfd becomes readable when its process ends, and stays so. Not being able to wait means that the runtime is
        // going away.
        let watched = self.fd.readable().await.is_ok();
        match self.child.as_mut().filter(|_| watched).map(Child::wait) {
            Some(Ok(status)) => status.to_string(),
            _ => "ended".to_owned(),
        }
    }

    /// Fast shutdown: clients are cut off, a checkpoint is written. Hard after [`FAST_STOP`].
    pub(super) async fn stop(mut self) {
        for (signal, patience) in [(Signal::INT, FAST_STOP), (Signal::QUIT, HARD_STOP), (Signal::KILL, HARD_STOP)] {
            self.signal(signal);
            if tokio::time::timeout(patience, self.exited()).await.is_ok() {
                return;
            }
            tracing::warn!(pid = self.pid, ?signal, "PostgreSQL did not stop in time");
        }
    }

    fn signal(&self, signal: Signal) {
        // The only failure left is that it has ended already, which is what a stop wants.
        let _ = pidfd_send_signal(self.fd.get_ref(), signal);
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        self.signal(Signal::INT);
    }
}

/// What `postmaster.pid` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LockFile {
    pub(super) pid: u32,
    pub(super) data_dir: PathBuf,
    pub(super) port: u16,
    pub(super) socket_dir: PathBuf,
    pub(super) ready: bool,
}

impl LockFile {
    /// Source: `src/include/utils/pidfile.h`: pid, data dir, start time, port, socket dir, listen address, shared memory, status.
    pub(super) fn parse(text: &str) -> Option<LockFile> {
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let data_dir = PathBuf::from(lines.next()?);
        let port = lines.nth(1)?.trim().parse().ok()?;
        let socket_dir = PathBuf::from(lines.next()?);
        let ready = lines.nth(2).is_some_and(|status| status.trim() == "ready");
        Some(LockFile { pid, data_dir, port, socket_dir, ready })
    }
}

/// The server that a killed predecessor left running on `cluster`, if any, with its lock file.
///
/// # Errors
/// [`PostgresError::Occupied`] when a live process holds the lock file and is not a postmaster of this cluster run by `uid`.
pub(super) fn left_running(cluster: &Path, uid: u32) -> Result<Option<(Postmaster, LockFile)>, PostgresError> {
    let path = cluster.join("postmaster.pid");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(PostgresError::io("read", &path)(error)),
    };
    let Some(lock) = LockFile::parse(&text) else {
        return Ok(None);
    };
    // The pidfd comes first: whatever is found out afterwards is about the process it holds.
    let Ok(fd) = open(lock.pid) else {
        return Ok(None);
    };
    let proc = PathBuf::from(format!("/proc/{}", lock.pid));
    let serves = std::fs::read_link(proc.join("cwd")).is_ok_and(|cwd| cwd == cluster);
    let owned = std::fs::metadata(&proc).is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == uid);
    match (serves, owned) {
        (true, true) => {
            let fd = watch(fd).map_err(PostgresError::io("watch", &proc))?;
            Ok(Some((Postmaster { pid: lock.pid, fd, child: None }, lock)))
        }
        (true, false) => Err(PostgresError::Occupied { dir: cluster.to_owned(), pid: lock.pid }),
        // The number was reused by something else after a reboot: the server itself knows how to replace a stale file.
        (false, _) => Ok(None),
    }
}

#[allow(deprecated, reason = "the replacement is unsafe for types whose descriptor may change; an OwnedFd's does not")]
fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(fd)
}

fn open(pid: u32) -> io::Result<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_files() {
        let full = "4242\n/data/postgres\n1700000000\n5432\n/data/run\n\n  5432001         7\nready   \n";
        let want = |ready| {
            Some(LockFile { pid: 4242, data_dir: "/data/postgres".into(), port: 5432, socket_dir: "/data/run".into(), ready })
        };
        for (text, want) in [
            (full, want(true)),
            (&full.replace("ready   ", "starting"), want(false)),
            ("4242\n/data/postgres\n1700000000\n5432\n/data/run\n", want(false)),
            ("4242\n/data/postgres\n", None),
            ("-4242\n/data/postgres\n1700000000\n5432\n/data/run\n", None),
            ("", None),
        ] {
            assert_eq!(LockFile::parse(text), want, "{text:?}");
        }
    }
}
