//! `services/mcp/<name>.yaml`: an MCP server behind the gateway. Its name is the name of the file.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};

use super::decode::At;
use super::words::{Period, Reference, Setting, Size, Template, Variable};

/// An MCP server behind the gateway.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "MCP server")]
pub struct McpFile {
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: Option<String>,
    /// How it is reached.
    pub transport: Transport,
    /// Which of its tools may be called at all: those it lists (`discovered`, the default), any name (`open`), or these.
    #[serde(default)]
    pub tools: Tools,
    /// How long a call may take before the gateway gives up. Default: 2m.
    #[serde(default)]
    pub call_timeout: Option<At<Period>>,
}

/// How an MCP server is reached.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Streamable HTTP.
    Http(HttpTransport),
    /// A child process that speaks over its standard input and output.
    Stdio(Box<StdioTransport>),
}

/// An MCP server reached by Streamable HTTP.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpTransport {
    /// The endpoint: `http://host[:port]/path` or `https://…`, without credentials.
    #[schemars(with = "String", extend("format" = "uri"))]
    pub url: At<String>,
    /// Headers with the server's own credential. Values are references: `env:NAME`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Reference>")]
    pub headers: BTreeMap<At<String>, Reference>,
    /// A PEM file (absolute path) of certificates that the server's must lead to. Default: those the machine trusts.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub ca: Option<At<String>>,
    /// How often the server is asked for its tools. Default: 1m.
    #[serde(default)]
    pub probe_interval: Option<Period>,
}

/// An MCP server that is a child process.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StdioTransport {
    /// The program: a path, or a name to find in `PATH`. `${NAME}` and `${NAME:-otherwise}` stand for our environment.
    pub command: At<Template>,
    /// Its arguments, passed as they are; no shell. `${NAME}` as above.
    #[serde(default)]
    pub args: Vec<Template>,
    /// Its environment: texts, or `env:NAME` for a variable of ours. Nothing else of ours is inherited.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Setting>")]
    pub env: BTreeMap<Variable, Setting>,
    /// Its working directory. `${NAME}` as above. Default: `/`.
    #[serde(default)]
    pub cwd: Option<Template>,
    /// The user it runs as; possible only where the gateway is root.
    #[serde(default)]
    pub user: Option<String>,
    /// How long a child may take to answer `initialize`. Default: 20s.
    #[serde(default)]
    pub start_timeout: Option<Period>,
    /// How long a call may take in all, whatever progress it reports. Default: 1h.
    #[serde(default)]
    pub call_timeout_total: Option<Period>,
    /// A session nobody uses ends after this. Default: 15m.
    #[serde(default)]
    pub idle_ttl: Option<Period>,
    /// Sessions, hence child processes, at once. Default: 64.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10000))]
    pub max_sessions: Option<At<u32>>,
    /// A child that writes a longer line is stopped. Default: 16MiB.
    #[serde(default)]
    pub max_line: Option<At<Size>>,
    /// Keep one started child in reserve. Default: true.
    #[serde(default)]
    pub warm: Option<bool>,
    /// How often a server nobody calls is probed. Default: 5m.
    #[serde(default)]
    pub probe_interval: Option<Period>,
    /// Resource limits of each child.
    #[serde(default)]
    pub limits: ChildLimits,
}

/// Resource limits of a child process.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChildLimits {
    /// Open files of each process. Default: 4096.
    #[serde(default)]
    pub open_files: Option<u64>,
    /// Writable private memory of each process. Default: no limit.
    #[serde(default)]
    pub memory: Option<Size>,
    /// Processes and threads of the child's user; counts only with `user`. Default: 512.
    #[serde(default)]
    pub processes: Option<u64>,
}

/// Which tools of a server may be called at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Tools {
    /// Those that the server lists.
    #[default]
    Discovered,
    /// Any name.
    Open,
    /// These and no others, whatever the server lists.
    Only(Vec<At<String>>),
}

impl<'de> Deserialize<'de> for Tools {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Tools, D::Error> {
        struct ToolsVisitor;

        impl<'de> Visitor<'de> for ToolsVisitor {
            type Value = Tools;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`discovered`, `open` or a list of tool names")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Tools, E> {
                match word {
                    "discovered" => Ok(Tools::Discovered),
                    "open" => Ok(Tools::Open),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tools, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                Ok(Tools::Only(names))
            }
        }

        from.deserialize_any(ToolsVisitor)
    }
}

impl JsonSchema for Tools {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Tools".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "oneOf": [
                { "enum": ["discovered", "open"] },
                { "type": "array", "items": { "type": "string" } },
            ]
        })
    }
}
