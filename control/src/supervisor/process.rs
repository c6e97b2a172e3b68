//! Child processes: started from one thread, stopped step by step, reaped always, with their whole process group.
//!
//! A child ends when its input ends; if not, at `SIGTERM`; if not, at `SIGKILL` to its group. Should this process
//! be killed, the kernel closes the child's input and, where `setpriv` knows how, sends it `SIGTERM`. That signal is
//! bound to the *thread* that started the child, hence the thread of its own, which lives as long as the [`Spawner`].

use std::fmt;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::launch::{Launch, LaunchError};
use super::limits;
use super::strays;
use super::wrappers::Wrappers;

/// Starts children. Cheap to clone; the last clone dropped ends the thread, and with it what is left of the children.
#[derive(Clone, Debug)]
pub(super) struct Spawner {
    jobs: std::sync::mpsc::Sender<Job>,
    mark: Arc<str>,
    /// Children of one server that are not reaped yet.
    alive: watch::Sender<usize>,
    orphans: mpsc::UnboundedSender<String>,
}

#[derive(Debug)]
struct Job {
    launch: Arc<Launch>,
    mark: String,
    reply: oneshot::Sender<io::Result<tokio::process::Child>>,
}

/// A running child.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) handle: Leash,
}

/// What remains of a child once its pipes are in use: how to stop it and how to know that it ended.
#[derive(Clone, Debug)]
pub(super) struct ChildHandle {
    pub(super) pid: u32,
    stop: CancellationToken,
    exit: watch::Receiver<Option<Ended>>,
    last_words: Arc<Mutex<String>>,
}

/// The end of a child.
#[derive(Clone, Copy, Debug)]
struct Ended {
    how: Exit,
    by_itself: bool,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Status(i32),
    Signal(i32),
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "exited with status {code}"),
            Self::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "was killed by {signal}"),
                Err(_) => write!(f, "was killed by signal {number}"),
            },
            Self::Unknown => f.write_str("ended"),
        }
    }
}

impl From<io::Result<ExitStatus>> for Exit {
    fn from(status: io::Result<ExitStatus>) -> Self {
        let Ok(status) = status else {
            return Self::Unknown;
        };
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Status(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Unknown,
        }
    }
}

impl ChildHandle {
    /// Begins to stop the child; returns at once.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether its end is wanted.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    pub(super) async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    pub(super) fn has_exited(&self) -> bool {
        self.exit.borrow().is_some()
    }

    /// Waits until the child is reaped.
    pub(super) async fn exited(&self) -> Exit {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await {
            Ok(exit) => exit.map_or(Exit::Unknown, |ended| ended.how),
            Err(_) => Exit::Unknown,
        }
    }

    /// Whether it ended without being asked to.
    pub(super) fn ended_by_itself(&self) -> bool {
        self.exit.borrow().is_some_and(|ended| ended.by_itself)
    }

    /// The last line it wrote to its standard error, for operators.
    pub(super) fn last_words(&self) -> String {
        self.last_words.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Holds a child: stops it when dropped.
#[derive(Debug)]
pub(super) struct Leash(ChildHandle);

impl std::ops::Deref for Leash {
    type Target = ChildHandle;
    fn deref(&self) -> &ChildHandle {
        &self.0
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Spawner {
    /// Starts the thread and kills what an earlier process with the same `run_dir` left behind.
    ///
    /// # Errors
    /// When the system gives us no thread.
    pub(super) async fn start(run_dir: &Path) -> io::Result<Self> {
        let mark: Arc<str> = Arc::from(&blake3::hash(run_dir.as_os_str().as_encoded_bytes()).to_hex()[..16]);
        let leftovers = mark.to_string();
        tokio::task::spawn_blocking(move || strays::kill_marked(&[leftovers])).await.map_err(io::Error::other)?;

        let (jobs, inbox) = std::sync::mpsc::channel::<Job>();
        let runtime = tokio::runtime::Handle::current();
        std::thread::Builder::new().name("sp-spawn".into()).spawn(move || {
            let _entered = runtime.enter();
            let wrappers = Wrappers::find();
            for job in inbox {
                let child = wrappers.start(&job.launch, &job.mark);
                // A caller that went away drops the child here, which kills it.
                drop(job.reply.send(child));
            }
        })?;
        let (orphans, dead) = mpsc::unbounded_channel();
        tokio::spawn(strays::sweep(dead));
        Ok(Self { jobs, mark, alive: watch::Sender::new(0), orphans })
    }

    /// The same thread for another server, whose children are counted apart.
    pub(super) fn for_another_server(&self) -> Self {
        Self { alive: watch::Sender::new(0), ..self.clone() }
    }

    /// Starts one child of `server`.
    pub(super) async fn spawn(&self, server: &Arc<str>, launch: &Arc<Launch>, grace: Duration) -> Result<Child, LaunchError> {
        let mark = format!("{}-{:032x}", self.mark, random_u128());
        let (reply, started) = oneshot::channel();
        let job = Job { launch: Arc::clone(launch), mark: mark.clone(), reply };
        self.jobs.send(job).map_err(|_| LaunchError::Stopping)?;
        let mut child = started.await.map_err(|_| LaunchError::Stopping)??;

        let broken = || LaunchError::Spawn(io::Error::other("the process has no pipes"));
        let pid = child.id().ok_or_else(broken)?;
        let stdin = child.stdin.take().ok_or_else(broken)?;
        let stdout = child.stdout.take().ok_or_else(broken)?;
        let stderr = child.stderr.take().ok_or_else(broken)?;

        let (exit, exited) = watch::channel(None);
        let handle = ChildHandle { pid, stop: CancellationToken::new(), exit: exited, last_words: Arc::default() };
        tokio::spawn(log_stderr(Arc::clone(server), pid, stderr, Arc::clone(&handle.last_words)));
        self.alive.send_modify(|count| *count += 1);
        let reaper = self.clone();
        let stop = handle.stop.clone();
        tokio::spawn(async move {
            let ended = reap(child, pid, stop, grace).await;
            drop(reaper.orphans.send(mark));
            exit.send_replace(Some(ended));
            reaper.alive.send_modify(|count| *count -= 1);
        });
        Ok(Child { stdin, stdout, handle: Leash(handle) })
    }

    /// Kills what is left of any child, whatever it did to hide.
    pub(super) async fn no_strays(&self) {
        let all = vec![self.mark.to_string()];
        drop(tokio::task::spawn_blocking(move || strays::kill_marked(&all)).await);
    }

    /// Waits until every child of this server is reaped.
    pub(super) async fn all_gone(&self) {
        // The sender is ours, so waiting cannot fail.
        drop(self.alive.subscribe().wait_for(|count| *count == 0).await);
    }
}

/// 128 bits nobody can guess.
pub(super) fn random_u128() -> u128 {
    uuid::Uuid::new_v4().as_u128()
}

/// Waits for the end of the child, or brings it about, and leaves nothing of its group behind.
async fn reap(mut child: tokio::process::Child, pid: u32, stop: CancellationToken, grace: Duration) -> Ended {
    let group = i32::try_from(pid).map(Pid::from_raw).ok();
    let signal = |signal| {
        if let Some(group) = group {
            // ESRCH: the group is gone, which is what we want.
            let _ = killpg(group, signal);
        }
    };
    let (status, by_itself) = tokio::select! {
        biased;
        status = child.wait() => (status, true),
        () = stop.cancelled() => (wind_down(&mut child, grace, signal).await, false),
    };
    // The kernel signals a group under the lock that fork needs: not even a fork bomb slips through.
    signal(Signal::SIGKILL);
    Ended { how: Exit::from(status), by_itself }
}

/// Waits for the end of a child that was asked to end, more and more firmly.
async fn wind_down(child: &mut tokio::process::Child, grace: Duration, signal: impl Fn(Signal)) -> io::Result<ExitStatus> {
    // Whoever holds the child's input has the same token and closes it: the end of input asks for the end.
    if let Ok(status) = tokio::time::timeout(grace, child.wait()).await {
        return status;
    }
    signal(Signal::SIGTERM);
    if let Ok(status) = tokio::time::timeout(grace, child.wait()).await {
        return status;
    }
    signal(Signal::SIGKILL);
    child.wait().await
}

/// Passes the child's complaints on to our log, bounded in length and rate.
async fn log_stderr(server: Arc<str>, pid: u32, mut stderr: impl AsyncRead + Unpin, last_words: Arc<Mutex<String>>) {
    let mut chunk = vec![0; 4096];
    let mut line = Vec::new();
    let (mut second, mut logged, mut suppressed) = (tokio::time::Instant::now(), 0, 0u64);
    loop {
        let read = stderr.read(&mut chunk).await.unwrap_or(0);
        let bytes = chunk.get(..read).unwrap_or_default();
        for &byte in bytes {
            if byte != b'\n' {
                if line.len() < limits::STDERR_LINE_BYTES_MAX {
                    line.push(byte);
                }
                continue;
            }
            let text = printable(&line);
            line.clear();
            if text.trim().is_empty() {
                continue;
            }
            if second.elapsed() >= Duration::from_secs(1) {
                if suppressed > 0 {
                    tracing::info!(server = &*server, pid, suppressed, "more standard error than is logged");
                }
                (second, logged, suppressed) = (tokio::time::Instant::now(), 0, 0);
            }
            if logged < limits::STDERR_LINES_PER_SECOND {
                logged += 1;
                tracing::info!(server = &*server, pid, "stderr: {text}");
            } else {
                suppressed += 1;
            }
            *last_words.lock().unwrap_or_else(PoisonError::into_inner) = text;
        }
        if read == 0 {
            return;
        }
    }
}

/// A child's bytes as one short line without control characters, so that they cannot forge log lines.
pub(super) fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..limits::STDERR_LINE_BYTES_MAX.min(bytes.len())).unwrap_or_default())
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(limits::LOGGED_CHARS)
        .collect()
}
