//! Starts the real process with a data directory of its own, talks to it, and ends it in every way there is.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// How long anything may take. LIMIT: two busy cores.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A program of the workspace, built beside the tests.
pub fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_sp")).with_file_name(name);
    assert!(path.exists(), "`{}` is not built; run `cargo build --workspace`", path.display());
    path
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits for a state, never for a time.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A fast MCP server over HTTP.
pub struct Upstream {
    child: Child,
    pub url: String,
}

impl Upstream {
    pub fn start(args: &[&str]) -> Upstream {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let child = Command::new(program("sp-upstream")).args(["--listen", &listen]).args(args).spawn().unwrap();
        eventually("the upstream listens", || std::net::TcpStream::connect(&listen).ok());
        Upstream { child, url: format!("http://{listen}/mcp") }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The gateway, and everything of it on disk.
pub struct Gateway {
    child: Option<Child>,
    dir: tempfile::TempDir,
    pub port: u16,
    args: Vec<String>,
    env: Vec<(String, String)>,
    profile: Option<PathBuf>,
}

impl Gateway {
    /// One that has not started; `services` are files below its `services/`.
    pub fn new(services: &[(&str, &str)], args: &[&str]) -> Gateway {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::Builder::new().prefix("sp-test-").tempdir_in("/tmp").unwrap();
        // The private Postgres runs as another user when we are root.
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        for folder in ["mcp", "access", "governance", "identity", "sinks"] {
            std::fs::create_dir_all(dir.path().join("services").join(folder)).unwrap();
        }
        let gateway = Gateway {
            child: None,
            dir,
            port: free_port(),
            args: args.iter().map(ToString::to_string).collect(),
            env: Vec::new(),
            profile: None,
        };
        services.iter().for_each(|(path, text)| gateway.declare(path, text));
        gateway
    }

    /// The same, running and ready.
    pub fn start(services: &[(&str, &str)], args: &[&str]) -> Gateway {
        let mut gateway = Gateway::new(services, args);
        gateway.run();
        gateway
    }

    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Gateway {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Started by this profile alone: no flag says where anything is.
    #[must_use]
    pub fn with_profile(mut self, text: &str) -> Gateway {
        let file = self.dir.path().join("gateway.yaml");
        std::fs::write(&file, text).unwrap();
        self.profile = Some(file);
        self
    }

    /// More arguments for the next start.
    pub fn add_args(&mut self, args: &[&str]) {
        self.args.extend(args.iter().map(ToString::to_string));
    }

    /// Writes a file of `services/`.
    pub fn declare(&self, path: &str, text: &str) {
        std::fs::write(self.dir.path().join("services").join(path), text).unwrap();
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn endpoint(&self, server: &str) -> String {
        format!("{}/api/v1/mcp/{server}/mcp", self.url())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sp-dataplane"));
        match &self.profile {
            Some(file) => command.arg("--profile").arg(file),
            None => command.arg("--data-dir").arg(self.data_dir()).arg("--services").arg(self.dir.path().join("services")),
        };
        for name in ["DATABASE_URL", "SP_DATA_DIR", "SP_PROFILE", "SP_PUBLIC_URL"] {
            command.env_remove(name);
        }
        command.args(&self.args).envs(self.env.iter().cloned());
        command
    }

    fn listening(&self) -> Command {
        let mut command = self.command();
        if self.profile.is_none() {
            command.args(["--listen", &format!("127.0.0.1:{}", self.port)]);
        }
        command
    }

    /// Starts the process and waits until it decides calls and every MCP server is healthy.
    pub fn run(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        self.child = Some(self.listening().stderr(log).spawn().unwrap());
        let port = self.port;
        eventually("the gateway is ready", || {
            let child = self.child.as_mut().unwrap();
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the gateway ended with {status}:\n{}", self.log());
            }
            let ready = get(port, "/readyz")?;
            let servers = &ready["mcp_servers"];
            (ready["database"] == "up" && servers["healthy"] == servers["declared"] && !servers["healthy"].is_null())
                .then_some(())
        });
        // Tools that were just discovered come into force a moment later.
        eventually("the tools are in force", || {
            let list: Value = serde_json::from_str(&self.sp(&["--json", "infra", "services", "list"])).ok()?;
            let declared = list["servers"].as_array()?.len() - 1;
            let page = get_text(port, "/metrics")?;
            let generation = page.lines().find_map(|line| line.strip_prefix("sp_policy_generation "))?.parse::<u64>().ok()?;
            (declared == 0 || generation > 1 || self.data_dir().join("restarted").exists()).then_some(())
        });
        std::fs::write(self.data_dir().join("restarted"), "").unwrap();
    }

    /// Starts the process and waits until it decides calls; Postgres may be away.
    pub fn run_degraded(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        self.child = Some(self.listening().stderr(log).spawn().unwrap());
        let port = self.port;
        eventually("the gateway answers", || get(port, "/readyz").map(drop));
        eventually("it says where it is", || self.data_dir().join("instance.json").exists().then_some(()));
    }

    /// Starts a process that serves with TLS, and waits until it says that it is ready.
    pub fn run_encrypted(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        self.child = Some(self.listening().stderr(log).spawn().unwrap());
        eventually("the gateway is ready", || self.log().contains("ready address=").then_some(()));
    }

    /// A second process on the same data directory, at another port.
    pub fn refused_second(&self) -> (i32, String) {
        let mut command = self.command();
        command.args(["--listen", &format!("127.0.0.1:{}", free_port())]);
        let output = command.stdout(Stdio::null()).output().unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Starts the process, which is expected to refuse; its exit code and last words.
    pub fn refused(&mut self) -> (i32, String) {
        let output = self.listening().stdout(Stdio::null()).output().unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    pub fn pid(&self) -> i32 {
        self.child.as_ref().unwrap().id() as i32
    }

    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        let mut child = self.child.take().unwrap();
        eventually("the gateway has stopped", || child.try_wait().unwrap())
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// What `sp` prints; it must succeed.
    pub fn sp(&self, args: &[&str]) -> String {
        let (code, out, err) = self.try_sp(args);
        assert_eq!(code, 0, "sp {args:?}: {err}");
        out
    }

    /// Exit code, standard output and standard error of `sp`.
    pub fn try_sp(&self, args: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_sp"))
            .args(args)
            .env("SP_DATA_DIR", self.data_dir())
            .env("XDG_CONFIG_HOME", self.dir.path().join("config"))
            .env_remove("SP_PROFILE")
            .envs(self.env.iter().cloned())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
    }

    /// A token, by the arguments of `sp admin session token`.
    pub fn token(&self, args: &[&str]) -> String {
        self.sp(&[&["admin", "session", "token"], args].concat()).trim().to_owned()
    }

    /// A file with tokens of `count` principals.
    pub fn tokens(&self, user: &str, role: &str, count: u32) -> PathBuf {
        let tokens = self.token(&["--user", user, "--role", role, "--count", &count.to_string()]);
        let path = self.dir.path().join(format!("tokens-{user}"));
        std::fs::write(&path, tokens).unwrap();
        path
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The process of its private Postgres.
    pub fn postmaster(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(self.postmaster_line(0).parse().unwrap())
    }

    fn postmaster_line(&self, line: usize) -> String {
        let text = std::fs::read_to_string(self.data_dir().join("postgres/postmaster.pid")).unwrap();
        text.lines().nth(line).unwrap().trim().to_owned()
    }

    /// A connection to its private Postgres.
    pub async fn postgres(&self) -> tokio_postgres::Client {
        let mut config = tokio_postgres::Config::new();
        config.host_path(self.postmaster_line(4)).port(self.postmaster_line(3).parse().unwrap()).user("sp").dbname("sp");
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Everything that is in the journal has reached Postgres: as many rows as the shards say they have written.
    pub fn wait_until_shipped(&self) {
        eventually("everything is shipped", || {
            let ready = readiness(self);
            let page = get_text(self.port, "/metrics")?;
            let gauge = |name: &str| page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
            (ready["database"] == "up" && gauge("sp_journal_seq ")? == gauge("sp_shipped_seq ")?).then_some(())
        });
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of the gateway\n{}", self.log());
        }
        if std::thread::panicking()
            && self.child.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_some()))
        {
            self.child = None;
        }
        if self.child.is_some() {
            let _ = self.stop();
        } else {
            // A Postgres that a killed gateway left behind.
            let pid = std::fs::read_to_string(self.data_dir().join("postgres/postmaster.pid")).ok();
            if let Some(pid) = pid.and_then(|text| text.lines().next()?.parse().ok()) {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGQUIT);
            }
        }
    }
}

fn get_text(port: u16, path: &str) -> Option<String> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

/// A page as text.
pub fn page(gateway: &Gateway, path: &str) -> String {
    get_text(gateway.port, path).unwrap()
}

fn get(port: u16, path: &str) -> Option<Value> {
    serde_json::from_str(&get_text(port, path)?).ok()
}

/// `/readyz`.
pub fn readiness(gateway: &Gateway) -> Value {
    get(gateway.port, "/readyz").unwrap_or_default()
}

/// The link that the gateway logs while there is no administrator.
pub fn first_link(gateway: &Gateway) -> String {
    eventually("the link is logged", || {
        let log = gateway.log();
        let link = log.split_whitespace().rfind(|word| word.contains("/enrol?code="))?;
        Some(link.to_owned())
    })
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

/// A plain HTTP client; whoever has one request at a time has one connection.
pub type HttpClient = Client<HttpConnector, Full<bytes::Bytes>>;

/// One of its own connections.
pub fn client() -> HttpClient {
    Client::builder(TokioExecutor::new()).build_http()
}

/// Posts JSON over a connection of its own.
pub async fn post(url: &str, token: Option<&str>, body: &str) -> Answer {
    post_with(&client(), url, token, body).await
}

/// Posts JSON over a connection that is there.
pub async fn post_with(client: &HttpClient, url: &str, token: Option<&str>, body: &str) -> Answer {
    let mut request =
        Request::post(url).header("content-type", "application/json").header("accept", "application/json, text/event-stream");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = client.request(request.body(Full::from(body.to_owned())).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Answer { status: parts.status, headers: parts.headers, body }
}

/// Why a call was denied, or what it failed for; empty when it was carried out.
pub fn reason(answer: &Answer) -> String {
    match &answer.body["error"]["data"]["reason"] {
        Value::String(reason) => reason.clone(),
        _ if answer.body["result"].is_object() => String::new(),
        _ => format!("{answer:?}"),
    }
}

/// Calls again and again until this is the reason for which it is denied; empty for until it is carried out.
pub async fn until_reason(endpoint: &str, token: &str, call: &str, wanted: &str) {
    let until = Instant::now() + PATIENCE;
    loop {
        let found = reason(&post(endpoint, Some(token), call).await);
        if found == wanted {
            return;
        }
        assert!(Instant::now() < until, "still `{found}`, not `{wanted}`");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A `tools/call`.
pub fn tool_call(tool: &str, arguments: Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments } }).to_string()
}

/// Roles and grants that most tests need: `developer` may call everything on `echo` but `forbidden`.
pub const ACCESS: &str = r#"
roles:
  developer: { description: Works, scopes: [tools:call] }
  visitor: { description: Looks, scopes: [] }
  operator: { description: Operates, scopes: [gateway:operate] }
grants:
  - { id: developers-call, effect: allow, subjects: { roles: [developer] }, servers: ["*"], scopes: [tools:call] }
  - { id: step-up, effect: allow, subjects: { roles: [visitor] }, servers: [echo], scopes: [echo:visit] }
  - { id: no-add, effect: deny, subjects: { departments: [sales] }, servers: [echo], tools: [add] }
  - { id: operators-operate, effect: allow, subjects: { roles: [operator] }, servers: [sp] }
"#;

/// The same where there are no servers but the built-in ones.
pub const OPERATORS: &str = r#"
roles:
  operator: { description: Operates, scopes: [gateway:operate] }
grants:
  - { id: operators-operate, effect: allow, subjects: { roles: [operator] }, servers: [sp] }
"#;

/// Declares `echo` at this URL.
pub fn echo_server(url: &str) -> String {
    format!("transport:\n  http:\n    url: {url}\n")
}

/// Runs `sp-load` and gives its report; it must end with one of `codes`.
pub fn load(args: &[&str], codes: &[i32]) -> Value {
    let output = Command::new(program("sp-load")).args(args).arg("--json").stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let code = output.status.code().unwrap_or(-1);
    assert!(codes.contains(&code), "sp-load ended with {code}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap()
}

/// Whether tests that run for minutes are left out.
pub fn quick() -> bool {
    std::env::var("SP_TEST_QUICK").is_ok_and(|value| value == "yes")
}

/// Lines of a file.
pub fn lines(path: &Path) -> Vec<String> {
    let file = std::fs::File::open(path).unwrap();
    BufReader::new(file).lines().map(Result::unwrap).filter(|line| !line.is_empty()).collect()
}
