//! Asking a server what it offers: the handshake and every page of `tools/list`, over a pipe or over HTTP.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::{ChildStdin, ChildStdout};

use super::limits;
use super::lines::{LineError, Lines};
use super::message::{self, Id, Message, code};
use super::process::ChildHandle;
use super::state::{Eras, Health, ServerState, Tool, canonical_digest};

/// The legacy version we ask for.
pub(super) const LEGACY_VERSION: &str = "2025-11-25";
/// The modern version we ask for.
pub(super) const MODERN_VERSION: &str = "2026-07-28";

/// What a server said about itself.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// Version it agreed to, or the newest it supports.
    pub version: Arc<str>,
    /// `serverInfo`, as the server wrote it.
    pub server_info: Option<Arc<RawValue>>,
    /// Its tools, in its order, each name once.
    pub tools: Arc<[Tool]>,
    /// Eras it answered in.
    pub eras: Eras,
}

/// Why a server could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The URL or a header of the declaration cannot be used.
    #[error("{0}")]
    Target(String),
    /// No connection, or it broke.
    #[error("cannot reach it: {0}")]
    Unreachable(String),
    /// An HTTP status that is no success.
    #[error("it answered `{method}` with HTTP status {status}")]
    Status {
        /// Method that was sent.
        method: String,
        /// Status of the answer.
        status: u16,
    },
    /// A JSON-RPC error.
    #[error("it answered `{method}` with error {code}: {message}")]
    Refused {
        /// Method that was sent.
        method: String,
        /// JSON-RPC code.
        code: i64,
        /// The server's words, shortened.
        message: String,
    },
    /// No answer in time.
    #[error("it did not answer `{0}` in time")]
    TimedOut(String),
    /// The output ended.
    #[error("its output ended before it answered `{0}`")]
    Ended(String),
    /// An answer that is not what the protocol says.
    #[error("its answer to `{method}` cannot be used: {why}")]
    Unusable {
        /// Method that was sent.
        method: String,
        /// What is wrong.
        why: String,
    },
}

impl DiscoverError {
    /// Whether the peer went away, so that how it ended says more than this error.
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// Whether the server is there but does not know the method, as one of another era would not.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Unusable { .. } | Self::Status { status: 400 | 404..=406 | 415 | 422, .. })
    }
}

/// A connection requests can be sent over, one at a time.
pub(super) trait Link: Send {
    fn request(&mut self, method: &str, params: Value) -> impl Future<Output = Result<Box<RawValue>, DiscoverError>> + Send;
    fn notify(&mut self, method: &str) -> impl Future<Output = Result<(), DiscoverError>> + Send;
}

/// Initializes in the legacy way and lists the tools.
pub(super) async fn legacy(link: &mut impl Link) -> Result<Discovery, DiscoverError> {
    #[derive(Deserialize)]
    struct Initialized {
        #[serde(rename = "protocolVersion")]
        version: Arc<str>,
        #[serde(default)]
        capabilities: Value,
        #[serde(rename = "serverInfo", default)]
        server_info: Option<Arc<RawValue>>,
    }
    // Some servers offer more to a client that can do more.
    let params = json!({
        "protocolVersion": LEGACY_VERSION,
        "capabilities": { "roots": {}, "sampling": {}, "elicitation": {} },
        "clientInfo": { "name": "sp", "version": env!("CARGO_PKG_VERSION") },
    });
    let answer = link.request("initialize", params).await?;
    let initialized: Initialized = read("initialize", &answer)?;
    link.notify("notifications/initialized").await?;
    let tools = match initialized.capabilities.get("tools") {
        Some(_) => list_tools(link, &json!({})).await?,
        None => Vec::new(),
    };
    Ok(Discovery {
        version: initialized.version,
        server_info: initialized.server_info,
        tools: tools.into(),
        eras: Eras { legacy: true, modern: false },
    })
}

/// Asks in the modern way, without a session.
pub(super) async fn modern(link: &mut impl Link) -> Result<Discovery, DiscoverError> {
    #[derive(Deserialize)]
    struct Discovered {
        #[serde(rename = "supportedVersions")]
        versions: Vec<Arc<str>>,
        #[serde(default)]
        capabilities: Value,
        #[serde(rename = "_meta", default)]
        meta: std::collections::HashMap<String, Arc<RawValue>>,
    }
    let params = json!({ "_meta": modern_meta() });
    let answer = link.request("server/discover", params.clone()).await?;
    let mut discovered: Discovered = read("server/discover", &answer)?;
    let unusable = |why: String| DiscoverError::Unusable { method: "server/discover".into(), why };
    if !discovered.versions.iter().any(|version| &**version == MODERN_VERSION) {
        return Err(unusable(format!("`{MODERN_VERSION}` is not among its versions")));
    }
    let tools = match discovered.capabilities.get("tools") {
        Some(_) => list_tools(link, &params).await?,
        None => Vec::new(),
    };
    Ok(Discovery {
        version: Arc::from(MODERN_VERSION),
        server_info: discovered.meta.remove("io.modelcontextprotocol/serverInfo"),
        tools: tools.into(),
        eras: Eras { legacy: false, modern: true },
    })
}

fn modern_meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN_VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "sp", "version": env!("CARGO_PKG_VERSION") },
    })
}

/// Follows the pages of `tools/list`.
async fn list_tools(link: &mut impl Link, params: &Value) -> Result<Vec<Tool>, DiscoverError> {
    #[derive(Deserialize)]
    struct Page {
        tools: Vec<Arc<RawValue>>,
        #[serde(rename = "nextCursor", default)]
        next: Option<String>,
    }
    let unusable = |why: String| DiscoverError::Unusable { method: "tools/list".into(), why };
    let (mut tools, mut names, mut bytes) = (Vec::new(), BTreeSet::new(), 0);
    let mut params = params.clone();
    for _ in 0..limits::TOOL_PAGES_MAX {
        let answer = link.request("tools/list", params.clone()).await?;
        let page: Page = read("tools/list", &answer)?;
        for definition in page.tools {
            bytes += definition.get().len();
            let tool = read_tool(definition).map_err(unusable)?;
            if !names.insert(tool.name.clone()) {
                return Err(unusable(format!("two tools are called `{}`", tool.name)));
            }
            tools.push(tool);
        }
        if tools.len() > limits::TOOLS_MAX || bytes > limits::TOOL_BYTES_MAX {
            return Err(unusable(format!("more than {} tools or {} bytes", limits::TOOLS_MAX, limits::TOOL_BYTES_MAX)));
        }
        match page.next {
            Some(cursor) => params["cursor"] = cursor.into(),
            None => return Ok(tools),
        }
    }
    Err(unusable(format!("more than {} pages", limits::TOOL_PAGES_MAX)))
}

fn read_tool(definition: Arc<RawValue>) -> Result<Tool, String> {
    #[derive(Deserialize)]
    struct Declared {
        name: Box<str>,
        #[serde(default)]
        description: Option<Box<str>>,
        #[serde(rename = "inputSchema")]
        input_schema: Arc<RawValue>,
    }
    let declared: Declared = serde_json::from_str(definition.get()).map_err(|error| format!("a tool: {error}"))?;
    let value: Value = serde_json::from_str(definition.get()).map_err(|error| format!("a tool: {error}"))?;
    if !value.get("inputSchema").is_some_and(Value::is_object) {
        return Err(format!("`inputSchema` of `{}` is not an object", declared.name));
    }
    Ok(Tool {
        digest: canonical_digest(&value),
        name: declared.name,
        description: declared.description,
        input_schema: declared.input_schema,
        definition,
    })
}

fn read<'a, T: Deserialize<'a>>(method: &str, answer: &'a RawValue) -> Result<T, DiscoverError> {
    serde_json::from_str(answer.get()).map_err(|error| DiscoverError::Unusable { method: method.into(), why: error.to_string() })
}

impl Discovery {
    /// Makes this the state of a server.
    pub(super) fn store(&self, state: &mut ServerState, now: SystemTime) {
        if state.health != Health::Healthy {
            state.health = Health::Healthy;
            state.since = now;
        }
        state.tools = Arc::clone(&self.tools);
        state.protocol_version = Some(Arc::clone(&self.version));
        state.server_info.clone_from(&self.server_info);
        state.eras = self.eras;
        state.discovered = Some(now);
    }
}

/// Reads the result out of a response to a request of ours; `None` if the message is something else.
pub(super) fn result_of(method: &str, expected: u64, text: &[u8]) -> Option<Result<Box<RawValue>, DiscoverError>> {
    #[derive(Deserialize)]
    struct Failure {
        #[serde(default)]
        error: Option<Reported>,
    }
    #[derive(Deserialize, Default)]
    struct Reported {
        #[serde(default)]
        code: i64,
        #[serde(default)]
        message: String,
    }
    match message::parse(text) {
        Ok(Message::Response { id, result }) if id == Id::Number(expected.into()) => Some(match result {
            Some(result) => Ok(result.to_owned()),
            None => {
                let failure: Option<Failure> = serde_json::from_slice(text).ok();
                let error = failure.and_then(|failure| failure.error).unwrap_or_default();
                let message = super::process::printable(error.message.as_bytes());
                Err(DiscoverError::Refused { method: method.into(), code: error.code, message })
            }
        }),
        _ => None,
    }
}

/// Adds what a child said last on its standard error, for operators.
pub(super) fn with_last_words(reason: String, child: &ChildHandle) -> String {
    let words = child.last_words();
    if words.is_empty() { reason } else { format!("{reason}; its last line on stderr: {words}") }
}

/// A pipe to a child that serves nobody else.
#[derive(Debug)]
pub(super) struct StdioLink {
    stdin: ChildStdin,
    lines: Lines<ChildStdout>,
    timeout: Duration,
    requests: u64,
}

impl StdioLink {
    pub(super) fn new(stdin: ChildStdin, stdout: ChildStdout, line_bytes_max: usize, timeout: Duration) -> Self {
        Self { stdin, lines: Lines::new(stdout, line_bytes_max), timeout, requests: 0 }
    }

    /// Ends the input and reads on until the output ends, so that a child that still writes is not met by a broken pipe.
    pub(super) async fn finish(self) {
        let Self { stdin, mut lines, .. } = self;
        drop(stdin);
        while let Ok(Some(_)) = lines.next().await {}
    }

    async fn write(&mut self, method: &str, message: &Value) -> Result<(), DiscoverError> {
        let line = format!("{message}\n");
        let written = async {
            self.stdin.write_all(line.as_bytes()).await?;
            self.stdin.flush().await
        };
        written.await.map_err(|_| DiscoverError::Ended(method.into()))
    }

    async fn exchange(&mut self, method: &str, params: Value) -> Result<Box<RawValue>, DiscoverError> {
        self.requests += 1;
        let expected = self.requests;
        self.write(method, &json!({"jsonrpc": "2.0", "id": expected, "method": method, "params": params})).await?;
        for _ in 0..limits::JUNK_LINES_MAX {
            let line = match self.lines.next().await {
                Ok(Some(line)) => line,
                Ok(None) | Err(LineError::Io(_)) => {
                    return Err(DiscoverError::Ended(method.into()));
                }
                Err(error @ LineError::TooLong(_)) => {
                    return Err(DiscoverError::Unusable { method: method.into(), why: error.to_string() });
                }
            };
            if let Some(result) = result_of(method, expected, &line) {
                return result;
            }
            if let Ok(Message::Request { id, method: asked, .. }) = message::parse(&line) {
                let reply = match &*asked {
                    "ping" => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#).into_bytes(),
                    "roots/list" => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"roots":[]}}}}"#).into_bytes(),
                    _ => message::error(Some(&id), code::METHOD_NOT_FOUND, "this client only looks around", None),
                };
                let written = async {
                    self.stdin.write_all(&reply).await?;
                    self.stdin.write_all(b"\n").await?;
                    self.stdin.flush().await
                };
                written.await.map_err(|_| DiscoverError::Ended(method.into()))?;
            }
        }
        let why = format!("{} lines went by without it", limits::JUNK_LINES_MAX);
        Err(DiscoverError::Unusable { method: method.into(), why })
    }
}

impl Link for StdioLink {
    async fn request(&mut self, method: &str, params: Value) -> Result<Box<RawValue>, DiscoverError> {
        match tokio::time::timeout(self.timeout, self.exchange(method, params)).await {
            Ok(result) => result,
            Err(_) => Err(DiscoverError::TimedOut(method.into())),
        }
    }

    async fn notify(&mut self, method: &str) -> Result<(), DiscoverError> {
        let message = json!({"jsonrpc": "2.0", "method": method});
        match tokio::time::timeout(self.timeout, self.write(method, &message)).await {
            Ok(result) => result,
            Err(_) => Err(DiscoverError::TimedOut(method.into())),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a definition that does not parse is a failed test")]
mod tests {
    use super::*;

    /// Answers from a script.
    struct Script(Vec<(&'static str, Value)>, Vec<Value>);

    impl Link for Script {
        async fn request(&mut self, method: &str, params: Value) -> Result<Box<RawValue>, DiscoverError> {
            self.1.push(params);
            if self.0.is_empty() {
                return Err(DiscoverError::TimedOut(method.into()));
            }
            let (expected, answer) = self.0.remove(0);
            assert_eq!(method, expected);
            Ok(RawValue::from_string(answer.to_string()).unwrap())
        }

        async fn notify(&mut self, method: &str) -> Result<(), DiscoverError> {
            assert_eq!(method, "notifications/initialized");
            Ok(())
        }
    }

    fn hello() -> (&'static str, Value) {
        ("initialize", json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "x"}}))
    }

    fn tool(name: &str) -> Value {
        json!({"name": name, "inputSchema": {"type": "object"}})
    }

    #[tokio::test]
    async fn all_pages_are_read() {
        let mut link = Script(
            vec![
                hello(),
                ("tools/list", json!({"tools": [tool("b"), tool("a")], "nextCursor": "2"})),
                ("tools/list", json!({"tools": [tool("c")]})),
            ],
            vec![],
        );
        let found = legacy(&mut link).await.unwrap();
        let names: Vec<_> = found.tools.iter().map(|tool| &*tool.name).collect();
        assert_eq!((names, &*found.version), (vec!["b", "a", "c"], "2025-06-18"));
        assert_eq!(found.tools[0].input_schema.get(), r#"{"type":"object"}"#);
        assert_eq!(link.1[2], json!({"cursor": "2"}));
    }

    #[tokio::test]
    async fn a_server_without_tools_is_not_asked_for_them() {
        let mut link = Script(vec![("initialize", json!({"protocolVersion": "2025-11-25", "capabilities": {}}))], vec![]);
        assert_eq!(legacy(&mut link).await.unwrap().tools.len(), 0);
    }

    #[tokio::test]
    async fn the_modern_way_repeats_its_meta() {
        let discovered = json!({"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
            "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "y"}}});
        let mut link = Script(vec![("server/discover", discovered), ("tools/list", json!({"tools": [tool("a")]}))], vec![]);
        let found = modern(&mut link).await.unwrap();
        assert_eq!(found.server_info.unwrap().get(), r#"{"name":"y"}"#);
        assert_eq!(link.1[1]["_meta"]["io.modelcontextprotocol/protocolVersion"], MODERN_VERSION);
        let old = json!({"supportedVersions": ["2027-01-01"]});
        assert!(modern(&mut Script(vec![("server/discover", old)], vec![])).await.unwrap_err().is_refusal());
    }

    #[tokio::test]
    async fn bad_lists_are_refused_with_a_reason() {
        for (page, expect) in [
            (json!({"tools": [tool("a"), tool("a")]}), "two tools are called `a`"),
            (json!({"tools": [{"name": "a"}]}), "missing field `inputSchema`"),
            (json!({"tools": [{"name": "a", "inputSchema": true}]}), "`inputSchema` of `a` is not an object"),
            (json!({"tools": 3}), "invalid type"),
            (json!({}), "missing field `tools`"),
        ] {
            let error = legacy(&mut Script(vec![hello(), ("tools/list", page)], vec![])).await.unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        }
        let endless = || ("tools/list", json!({"tools": [], "nextCursor": "again"}));
        let mut script = vec![hello()];
        script.extend(std::iter::repeat_with(endless).take(limits::TOOL_PAGES_MAX));
        let error = legacy(&mut Script(script, vec![])).await.unwrap_err().to_string();
        assert!(error.contains("more than 100 pages"), "{error}");
    }

    #[test]
    fn the_digest_sees_meaning_and_not_form() {
        let digest = |text: &str| read_tool(RawValue::from_string(text.into()).unwrap().into()).unwrap().digest;
        let plain = digest(r#"{"name":"a","description":"d","inputSchema":{"type":"object","required":["x"]}}"#);
        let reordered = digest(r#"{ "inputSchema":{"required":["x"], "type":"object"},"description":"\u0064","name":"a"}"#);
        assert_eq!(plain, reordered);
        for changed in [
            r#"{"name":"a","description":"e","inputSchema":{"type":"object","required":["x"]}}"#,
            r#"{"name":"a","description":"d","inputSchema":{"type":"object","required":["x",null]}}"#,
            r#"{"name":"a","description":"d","inputSchema":{"type":"object","required":["x"]},"annotations":{}}"#,
        ] {
            assert_ne!(plain, digest(changed), "{changed}");
        }
    }

    #[test]
    fn only_the_awaited_answer_counts() {
        for (text, expect) in [
            (r#"{"jsonrpc":"2.0","id":3,"result":{"a":1}}"#, Some("{\"a\":1}")),
            (r#"{"jsonrpc":"2.0","id":4,"result":{}}"#, None),
            (r#"{"jsonrpc":"2.0","id":"3","result":{}}"#, None),
            (r#"{"jsonrpc":"2.0","method":"notifications/message"}"#, None),
            ("Listening", None),
            (r#"{"jsonrpc":"2.0","id":3,"error":{"code":-32601,"message":"no"}}"#, Some("it answered `m` with error -32601: no")),
            (r#"{"jsonrpc":"2.0","id":3,"error":"odd"}"#, Some("it answered `m` with error 0: ")),
        ] {
            let seen = result_of("m", 3, text.as_bytes());
            let seen = seen.map(|r| r.map_or_else(|error| error.to_string(), |raw| raw.get().to_owned()));
            assert_eq!(seen.as_deref(), expect, "{text}");
        }
    }
}
