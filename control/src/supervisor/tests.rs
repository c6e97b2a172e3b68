//! The supervisor as a whole: real processes behind real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a surprise is a failed test")]

mod client;
mod http_servers;
mod lifecycle;
mod misbehaviour;
mod real_servers;
mod transport;

use std::path::PathBuf;
use std::time::Duration;

use super::*;
use client::Client;

/// A running supervisor in a directory of its own.
struct Bench {
    supervisor: Supervisor,
    _dir: tempfile::TempDir,
}

impl Bench {
    async fn start(servers: Vec<StdioServer>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let servers = Servers { stdio: servers, http: Vec::new() };
        let supervisor = Supervisor::start(servers, dir.path().join("run")).await.unwrap();
        Self { supervisor, _dir: dir }
    }

    /// The misbehaving server alone, under the name `bad`.
    async fn with(mode: &str, change: impl FnOnce(&mut StdioServer)) -> Self {
        let mut server = misbehaving("bad", mode);
        change(&mut server);
        Self::start(vec![server]).await
    }

    fn client(&self) -> Client {
        self.client_of("bad")
    }

    fn client_of(&self, name: &str) -> Client {
        Client::new(self.supervisor.socket(name))
    }

    async fn wait_for(&self, what: &str, mut until: impl FnMut(&ServerState) -> bool) -> ServerState {
        self.wait_for_server("bad", what, &mut until).await
    }

    async fn wait_for_server(&self, name: &str, what: &str, mut until: impl FnMut(&ServerState) -> bool) -> ServerState {
        let mut states = self.supervisor.states();
        let waited = states.wait_for(|states| states.get(name).is_some_and(&mut until));
        match tokio::time::timeout(Duration::from_secs(120), waited).await {
            Ok(states) => states.unwrap()[name].clone(),
            Err(_) => panic!("never {what}: {:?}", self.supervisor.states().borrow().get(name)),
        }
    }

    async fn healthy(&self) -> ServerState {
        self.wait_for("healthy", |state| state.health == Health::Healthy).await
    }

    async fn stop(self) {
        self.supervisor.stop(Duration::from_secs(5)).await;
    }
}

fn misbehaving(name: &str, mode: &str) -> StdioServer {
    let mut server = StdioServer::new(name, misbehaving_program().to_str().unwrap());
    server.args = vec![mode.to_owned()];
    server.backoff = Backoff { first: Duration::from_millis(20), max: Duration::from_millis(200), crash_loop: 3 };
    server.stop_grace = Duration::from_millis(500);
    server
}

/// Cargo puts examples beside the directory of the tests, and builds them before it runs all tests of a crate.
fn misbehaving_program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples/misbehaving_mcp_server");
    if !program.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = std::process::Command::new(cargo)
            .args(["build", "--quiet", "-p", "control", "--example", "misbehaving_mcp_server"])
            .status();
        assert!(built.unwrap().success());
    }
    program
}

/// Waits for something no channel tells about.
async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "never {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a process exists and is not a zombie.
fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest.starts_with('Z'));
        state == Some(false)
    })
}

/// Processes of the supervisor that uses `run_dir`, whoever their parent is.
fn processes_of(run_dir: &Path) -> Vec<u32> {
    let run_dir = run_dir.canonicalize().unwrap();
    let mark = &blake3::hash(run_dir.as_os_str().as_encoded_bytes()).to_hex()[..16];
    let mark = format!("{}={mark}", launch::MARK);
    let pids = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let environ = |pid: &u32| std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    pids.filter(|pid| environ(pid).split(|&byte| byte == 0).any(|entry| entry.starts_with(mark.as_bytes()))).collect()
}

/// Our children that ended and were not reaped.
fn zombies() -> Vec<u32> {
    let me = std::process::id();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
            return false;
        };
        let Some((_, rest)) = stat.rsplit_once(") ") else {
            return false;
        };
        let mut fields = rest.split(' ');
        fields.next() == Some("Z") && fields.next() == Some(&*me.to_string())
    })
    .collect()
}
