//! The processes of a comparison: started when first needed, watched, and ended with it.

use super::gateway::Gateway;
use super::scenario::{ALLOWED_ARGUMENTS, call};
use super::{Options, Scenario};
use anyhow::{Context, Result, bail};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Running servers.
pub(super) struct Stack {
    programs: PathBuf,
    cores: usize,
    principals: usize,
    echo: Option<Server>,
    upstream: Option<Server>,
    pass: Option<Server>,
    gateway: Option<Gateway>,
}

/// A server process that ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    pub(super) name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
}

/// How long a server may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may take to end before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);

impl Stack {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            programs: options.programs.clone(),
            cores: options.cores,
            principals: options.principals,
            echo: None,
            upstream: None,
            pass: None,
            gateway: None,
        }
    }

    /// Starts what `scenario` needs and is not running yet.
    pub(super) fn prepare(&mut self, scenario: Scenario) -> Result<()> {
        let cores = self.cores.to_string();
        if scenario == Scenario::Echo && self.echo.is_none() {
            self.echo = Some(Server::start(&self.programs, "sp-echo", &["--cores", &cores])?);
        }
        if scenario == Scenario::Echo {
            return Ok(());
        }
        let upstream = match &self.upstream {
            Some(upstream) => upstream.address,
            None => self.upstream.insert(Server::start(&self.programs, "sp-upstream", &["--cores", &cores])?).address,
        };
        if scenario == Scenario::Pass && self.pass.is_none() {
            let arguments = ["--cores", &cores, "--upstream", &upstream.to_string()];
            self.pass = Some(Server::start(&self.programs, "sp-pass", &arguments)?);
        }
        if scenario.is_governed() && self.gateway.is_none() {
            self.gateway = Some(Gateway::start(&self.programs, self.cores, self.principals, upstream)?);
        }
        Ok(())
    }

    /// Where the load of `scenario` goes.
    pub(super) fn address(&self, scenario: Scenario) -> Result<(SocketAddr, &str)> {
        let server = match scenario {
            Scenario::Echo => self.echo.as_ref(),
            Scenario::Pass => self.pass.as_ref(),
            Scenario::Deny | Scenario::Allow => self.gateway.as_ref().map(|gateway| &gateway.server),
        };
        let server = server.with_context(|| format!("{} is not running", scenario.process()))?;
        Ok((server.address, super::gateway::PATH))
    }

    /// The tokens of the load's principals. The baselines get them too, so that requests are equally long.
    pub(super) fn tokens(&self, _scenario: Scenario) -> &[String] {
        self.gateway.as_ref().map_or(&[], |gateway| &gateway.tokens)
    }

    /// Names and ids of the processes that work in `scenario`.
    pub(super) fn watched(&self, scenario: Scenario) -> Vec<(String, u32)> {
        let gateway = self.gateway.as_ref().map(|gateway| &gateway.server);
        let servers = match scenario {
            Scenario::Echo => [self.echo.as_ref(), None],
            Scenario::Pass => [self.pass.as_ref(), self.upstream.as_ref()],
            Scenario::Deny => [gateway, None],
            Scenario::Allow => [gateway, self.upstream.as_ref()],
        };
        servers.into_iter().flatten().map(|server| (server.name.to_owned(), server.child.id())).collect()
    }

    pub(super) fn allowed_call(&self) -> String {
        call("echo", ALLOWED_ARGUMENTS)
    }

    pub(super) fn denied_call(&self) -> String {
        call(super::gateway::BLOCKED_TOOL, ALLOWED_ARGUMENTS)
    }
}

impl Server {
    /// Starts `name` on a free port of the loopback and waits until it listens.
    ///
    /// # Errors
    /// It is not built, or it ends before it listens.
    pub fn start(programs: &Path, name: &'static str, arguments: &[&str]) -> Result<Self> {
        let mut server = Self::launch(programs, name, arguments)?;
        server.wait_for(START_TIMEOUT, |address| TcpStream::connect(address).is_ok())?;
        Ok(server)
    }

    /// Starts `name` on a free port of the loopback.
    pub(super) fn launch(programs: &Path, name: &'static str, arguments: &[&str]) -> Result<Self> {
        let address = free_address()?;
        let program = programs.join(name);
        let child = Command::new(&program)
            .arg("--listen")
            .arg(address.to_string())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("start `{}`; build it with `cargo build --release`", program.display()))?;
        Ok(Self { name, address, child })
    }

    /// Waits until `ready` says so.
    pub(super) fn wait_for(&mut self, timeout: Duration, ready: impl Fn(SocketAddr) -> bool) -> Result<()> {
        let deadline = Instant::now() + timeout;
        while !ready(self.address) {
            if let Some(status) = self.child.try_wait()? {
                bail!("`{}` ended before it was ready: {status}", self.name);
            }
            if Instant::now() > deadline {
                bail!("`{}` was not ready after {timeout:?}", self.name);
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let deadline = Instant::now() + STOP_TIMEOUT;
        // It may have ended by itself, and then there is nothing to signal or wait for.
        if let Ok(pid) = i32::try_from(self.child.id())
            && matches!(self.child.try_wait(), Ok(None))
        {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGTERM);
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(POLL);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("find a free port")?;
    Ok(listener.local_addr()?)
}
