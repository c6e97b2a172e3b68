//! What an operator declares about an MCP server, checked before anything is started.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::limits;

/// Everything the supervisor looks after: the servers it spawns and the ones it only watches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Servers {
    /// Servers that are child processes of ours.
    pub stdio: Vec<StdioServer>,
    /// Servers reached by Streamable HTTP, whose tools and health are watched.
    pub http: Vec<HttpServer>,
}

/// An MCP server that speaks over its standard input and output. `Debug` leaves out values that may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct StdioServer {
    /// Unique name: lower case letters, digits, `-` and `_`.
    pub name: String,
    /// Program, absolute or found in the child's `PATH`.
    pub command: String,
    /// Arguments, passed as they are (no shell).
    pub args: Vec<String>,
    /// The child's whole environment but for a minimal `PATH`, `HOME` and `LANG`; nothing of ours is inherited.
    pub env: BTreeMap<String, String>,
    /// Working directory; `/` when absent.
    pub cwd: Option<PathBuf>,
    /// User (name or number) the child runs as; possible only when we are root.
    pub user: Option<String>,
    /// Time a child has to answer `initialize`, and to be ready in general.
    pub start_timeout: Duration,
    /// Time a call may go without an answer or progress.
    pub call_timeout: Duration,
    /// Time a call may take whatever progress it reports.
    pub call_timeout_total: Duration,
    /// A session without requests and streams ends after this.
    pub idle_ttl: Duration,
    /// Sessions, hence child processes, at once.
    pub max_sessions: usize,
    /// Units: bytes. A child that writes a longer line is stopped.
    pub max_line_bytes: usize,
    /// Keeps one started child in reserve, so that `initialize` need not wait for a process to start.
    pub warm_spare: bool,
    /// How often a server nobody calls is probed; zero turns it off.
    pub probe_interval: Duration,
    /// What happens when children die.
    pub backoff: Backoff,
    /// Resource limits of each child.
    pub limits: ChildLimits,
    /// Time each step of stopping a child takes at most: after end of input, and after `SIGTERM`.
    pub stop_grace: Duration,
}

impl StdioServer {
    /// A server with the defaults, which suit the public reference servers.
    pub fn new(name: impl Into<String>, command: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            command: command.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            cwd: None,
            user: None,
            start_timeout: Duration::from_secs(20),
            call_timeout: Duration::from_secs(120),
            call_timeout_total: Duration::from_secs(3600),
            idle_ttl: Duration::from_secs(900),
            max_sessions: 64,
            max_line_bytes: 16 << 20,
            warm_spare: true,
            probe_interval: Duration::from_secs(300),
            backoff: Backoff::default(),
            limits: ChildLimits::default(),
            stop_grace: Duration::from_secs(2),
        }
    }

    /// Checks what can be checked without starting anything.
    ///
    /// # Errors
    /// Names the field, what it holds and what would be accepted.
    pub fn validate(&self) -> Result<(), ConfigError> {
        validate_name(&self.name)?;
        let fail = |field: &'static str, why: String| Err(ConfigError::Field { server: self.name.clone(), field, why });
        if self.command.is_empty() {
            return fail("command", "is empty; give the program that is the MCP server".into());
        }
        if std::iter::once(&self.command).chain(&self.args).any(|text| text.contains('\0')) {
            return fail("command", "contains a zero byte".into());
        }
        for (key, value) in &self.env {
            if key.is_empty() || key.contains(['=', '\0']) || value.contains('\0') {
                return fail("env", format!("`{key}` cannot be the name of an environment variable with that value"));
            }
        }
        for (field, value) in [
            ("start_timeout", self.start_timeout),
            ("call_timeout", self.call_timeout),
            ("call_timeout_total", self.call_timeout_total),
            ("idle_ttl", self.idle_ttl),
            ("stop_grace", self.stop_grace),
            ("backoff.first", self.backoff.first),
            ("backoff.max", self.backoff.max),
        ] {
            if value.is_zero() || value > Duration::from_secs(366 * 86_400) {
                return fail(field, "must be more than nothing and less than a year".into());
            }
        }
        if self.max_sessions == 0 || self.max_sessions > 10_000 {
            return fail("max_sessions", format!("is {}; 1 to 10000 are possible", self.max_sessions));
        }
        if self.max_line_bytes < 4096 || self.max_line_bytes > 1 << 30 {
            return fail("max_line_bytes", format!("is {}; 4096 to 1073741824 are possible", self.max_line_bytes));
        }
        if self.backoff.crash_loop == 0 {
            return fail("backoff.crash_loop", "is 0; at least one failure must be allowed".into());
        }
        Ok(())
    }
}

/// An MCP server reached by Streamable HTTP. `Debug` leaves out values that may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpServer {
    /// Unique name, also among the stdio servers.
    pub name: String,
    /// `http://` or `https://` endpoint.
    pub url: String,
    /// Headers sent with each request of a discovery, as `(name, value)`.
    pub headers: Vec<(String, String)>,
    /// Certificates that the server's must lead to; `None` for those that the machine trusts.
    pub ca: Option<PathBuf>,
    /// How often the server is asked for its tools.
    pub probe_interval: Duration,
    /// Time one request of a discovery may take.
    pub timeout: Duration,
    /// How soon it is asked again after a failure, and how many failures make it unhealthy.
    pub backoff: Backoff,
}

impl HttpServer {
    /// A server with the defaults.
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            url: url.into(),
            headers: Vec::new(),
            ca: None,
            probe_interval: Duration::from_secs(60),
            timeout: Duration::from_secs(10),
            backoff: Backoff { crash_loop: 2, ..Backoff::default() },
        }
    }

    /// Checks what can be checked without a connection.
    ///
    /// # Errors
    /// Names the field, what it holds and what would be accepted.
    pub fn validate(&self) -> Result<(), ConfigError> {
        validate_name(&self.name)?;
        super::http_client::parse_target(&self.url, &self.headers).map(|_| ()).map_err(|error| ConfigError::Field {
            server: self.name.clone(),
            field: "url",
            why: error.to_string(),
        })
    }
}

/// How restarts are spaced, and when a server counts as broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Wait after the first failure; doubled for each further one.
    pub first: Duration,
    /// Longest wait.
    pub max: Duration,
    /// Failures in a row, with no answered call in between, that make the server unhealthy.
    pub crash_loop: u32,
}

impl Backoff {
    /// The wait after this many failures in a row.
    pub fn delay(&self, failures: u32) -> Duration {
        if failures == 0 {
            return Duration::ZERO;
        }
        let doubled = self.first.saturating_mul(1u32.checked_shl(failures - 1).unwrap_or(u32::MAX));
        doubled.min(self.max)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), max: Duration::from_secs(30), crash_loop: 5 }
    }
}

/// Resource limits of a child and of what it spawns. No core files are ever written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildLimits {
    /// Open files of each process.
    pub open_files: Option<u64>,
    /// Units: bytes of writable private memory of each process (`RLIMIT_DATA`, which JavaScript engines survive).
    pub memory_bytes: Option<u64>,
    /// Processes and threads of the child's user; counts only with `user`, since root is exempt and our own user is shared.
    pub processes: Option<u64>,
}

impl Default for ChildLimits {
    fn default() -> Self {
        Self { open_files: Some(4096), memory_bytes: None, processes: Some(512) }
    }
}

/// A declared server that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The name is not one.
    #[error("`{0}` is no server name: use 1 to 64 of `a-z`, `0-9`, `-`, `_`, starting with a letter or digit")]
    Name(String),
    /// Two servers share a name.
    #[error("two MCP servers are called `{0}`: rename one")]
    Duplicate(String),
    /// A field of a server.
    #[error("MCP server `{server}`: `{field}` {why}")]
    Field {
        /// Which server.
        server: String,
        /// Which of its fields.
        field: &'static str,
        /// What is wrong and what would be right.
        why: String,
    },
}

impl fmt::Debug for StdioServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let env: Vec<_> = self.env.keys().collect();
        f.debug_struct("StdioServer")
            .field("name", &self.name)
            .field("command", &self.command)
            .field("env", &env)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("HttpServer")
            .field("name", &self.name)
            .field("url", &self.url)
            .field("headers", &headers)
            .finish_non_exhaustive()
    }
}

fn validate_name(name: &str) -> Result<(), ConfigError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let first = name.bytes().next().is_some_and(plain);
    let rest = name.bytes().all(|byte| plain(byte) || byte == b'-' || byte == b'_');
    if first && rest && name.len() <= limits::NAME_BYTES_MAX { Ok(()) } else { Err(ConfigError::Name(name.to_owned())) }
}

impl Servers {
    /// Checks every server and that no name is used twice.
    ///
    /// # Errors
    /// The first fault found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut names = std::collections::BTreeSet::new();
        for server in &self.stdio {
            server.validate()?;
        }
        for server in &self.http {
            server.validate()?;
        }
        for name in self.stdio.iter().map(|s| &s.name).chain(self.http.iter().map(|s| &s.name)) {
            if !names.insert(name) {
                return Err(ConfigError::Duplicate(name.clone()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a declaration that is judged wrongly is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_judged() {
        let stdio = |change: fn(&mut StdioServer)| {
            let mut server = StdioServer::new("a", "x");
            change(&mut server);
            Servers { stdio: vec![server], http: vec![] }
        };
        let http =
            |name: &str, url: &str| Servers { stdio: vec![StdioServer::new("a", "x")], http: vec![HttpServer::new(name, url)] };
        let long = "a".repeat(limits::NAME_BYTES_MAX + 1);
        for (servers, expect) in [
            (stdio(|_| ()), ""),
            (stdio(|s| s.name = "9-b_c".into()), ""),
            (stdio(|s| s.name = String::new()), "`` is no server name"),
            (stdio(|s| s.name = "../x".into()), "`../x` is no server name"),
            (stdio(|s| s.name = "A".into()), "`A` is no server name"),
            (stdio(|s| s.name = "-a".into()), "`-a` is no server name"),
            (http(&long, "http://h/"), "is no server name"),
            (stdio(|s| s.command = String::new()), "MCP server `a`: `command` is empty"),
            (stdio(|s| s.args = vec!["a\0b".into()]), "`command` contains a zero byte"),
            (stdio(|s| drop(s.env.insert("A=B".into(), String::new()))), "`env` `A=B` cannot be the name"),
            (stdio(|s| s.call_timeout = Duration::ZERO), "`call_timeout` must be more than nothing"),
            (stdio(|s| s.idle_ttl = Duration::MAX), "`idle_ttl` must be more than nothing and less than a year"),
            (stdio(|s| s.max_sessions = 0), "`max_sessions` is 0"),
            (stdio(|s| s.max_line_bytes = 1), "`max_line_bytes` is 1"),
            (stdio(|s| s.backoff.crash_loop = 0), "`backoff.crash_loop` is 0"),
            (http("b", "http://h/"), ""),
            (http("a", "http://h/"), "two MCP servers are called `a`"),
            (http("b", "file:///etc"), "MCP server `b`: `url` `file:///etc` is not"),
        ] {
            match servers.validate() {
                Ok(()) => assert_eq!(expect, "", "{servers:?}"),
                Err(error) => {
                    let text = error.to_string();
                    assert!(!expect.is_empty() && text.contains(expect), "{text}");
                }
            }
        }
    }
}
