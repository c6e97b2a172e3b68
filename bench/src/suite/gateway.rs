//! The gateway of a comparison: its declarations, its process, and the tokens of the principals that call through it.

use super::stack::Server;
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Where the bench's MCP server is found behind the gateway.
pub const PATH: &str = "/api/v1/mcp/bench/mcp";
/// A tool that the block list refuses, so that a denied call passes the scope check and the secret scan first.
pub const BLOCKED_TOOL: &str = "upper";

/// How long the gateway may take to start, its private PostgreSQL included.
const READY_TIMEOUT: Duration = Duration::from_secs(90);
/// How long until tokens can be minted, once it is ready.
const MINT_TIMEOUT: Duration = Duration::from_secs(5);
// LIMIT: far more than a readiness answer has.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

const ACCESS: &str = "\
grants:
  - id: bench
    effect: allow
    servers: [bench]
";

// A limit that no run reaches: the rate layer works, and refuses nothing.
const GOVERNANCE: &str = "\
blocklist:
  rules:
    - id: bench-blocked
      reason: the bench wants a tool that is refused
      servers: [bench]
      tools: [upper]
limits:
  - id: bench-limit
    per: [principal]
    rate: 1000000/s
";

/// A running gateway. Its data is removed with it.
#[derive(Debug)]
pub struct Gateway {
    // Dropped first: the process must be gone before its data is.
    pub(super) server: Server,
    pub(super) tokens: Vec<String>,
    data_dir: PathBuf,
    _data: TempDir,
}

impl Gateway {
    /// Starts a gateway with `cores` shards in front of `upstream`, and mints a token for each principal.
    ///
    /// # Errors
    /// A program is missing, or the gateway does not become ready.
    pub fn start(programs: &Path, cores: usize, principals: usize, upstream: SocketAddr) -> Result<Self> {
        let data = tempfile::Builder::new().prefix("sp-bench-").tempdir().context("make a temporary directory")?;
        let services = data.path().join("services");
        declare(&services, upstream)?;
        let data_dir = data.path().join("data");
        let cores = cores.to_string();
        let arguments = ["--cores", &cores, "--data-dir", text(&data_dir)?, "--services", text(&services)?];
        let mut server = Server::launch(programs, "sp-dataplane", &arguments)?;
        server.wait_for(READY_TIMEOUT, is_ready)?;
        let tokens = mint(programs, &data_dir, principals)?;
        Ok(Self { server, tokens, data_dir, _data: data })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// One token for each principal.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// Where it keeps its data.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }
}

fn declare(services: &Path, upstream: SocketAddr) -> Result<()> {
    let server = format!("transport:\n  http:\n    url: http://{upstream}/mcp\ntools: [echo, upper, add, blob, fail]\n");
    for (folder, text) in [("mcp", server.as_str()), ("access", ACCESS), ("governance", GOVERNANCE)] {
        let folder = services.join(folder);
        std::fs::create_dir_all(&folder).with_context(|| format!("create `{}`", folder.display()))?;
        let file = folder.join("bench.yaml");
        std::fs::write(&file, text).with_context(|| format!("write `{}`", file.display()))?;
    }
    Ok(())
}

/// Whether `/readyz` says that everything runs, the database included.
fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""status":"ready""#))
    };
    ask().unwrap_or(false)
}

/// A token for each of `count` users.
fn mint(programs: &Path, data_dir: &Path, count: usize) -> Result<Vec<String>> {
    let program = programs.join("sp");
    let deadline = Instant::now() + MINT_TIMEOUT;
    loop {
        let output = Command::new(&program)
            .args(["admin", "session", "token", "--user", "bench", "--count", &count.to_string(), "--data-dir"])
            .arg(data_dir)
            .output()
            .with_context(|| format!("run `{}`", program.display()))?;
        let tokens: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        if output.status.success() && tokens.len() == count {
            return Ok(tokens);
        }
        // The shards answer a moment before the gateway has written down where it can be reached.
        if Instant::now() > deadline {
            bail!("`sp admin session token` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("`{}` is not UTF-8", path.display()))
}
