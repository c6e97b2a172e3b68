//! `services/sinks/<name>.yaml`: a system besides Postgres that gets the audit trail. Its name is the name of the file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::decode::At;
use super::words::{Period, Reference, Size};

/// A system besides Postgres that gets the audit trail.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Sink")]
pub struct SinkFile {
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: Option<String>,
    /// Where events go, and how.
    pub to: SinkTarget,
    /// Which events. Left out: all.
    #[serde(default)]
    pub only: SinkFilter,
    /// Where a new sink begins: with what happens from now on (`now`, the default), or with the oldest event that is kept.
    #[serde(default)]
    pub begin: Begin,
}

/// Where a new sink begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Begin {
    /// With what happens from now on.
    #[default]
    Now,
    /// With the oldest event that is kept.
    Oldest,
}

/// Which events a sink gets: everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkFilter {
    /// Kinds: decision, outcome, login, command, job, policy_change, revocation, process, approval.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub kinds: Vec<At<String>>,
    /// Verdicts of decisions: allow, deny, ask. Events without a verdict pass.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub verdicts: Vec<At<String>>,
}

/// In which words events are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SinkFormat {
    /// Our own fields, as JSON.
    #[default]
    Json,
    /// OCSF 1.8, as JSON.
    Ocsf,
    /// The Elastic Common Schema, as JSON.
    Ecs,
    /// ArcSight's Common Event Format, one line.
    Cef,
}

/// Where events go, and how.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SinkTarget {
    /// Splunk's HTTP Event Collector.
    Splunk(SplunkTarget),
    /// Elasticsearch or OpenSearch, by its bulk API.
    Elastic(ElasticTarget),
    /// Datadog's log intake.
    Datadog(DatadogTarget),
    /// Any HTTP endpoint that takes JSON.
    Http(WebhookTarget),
    /// A syslog receiver: RFC 5424 over TCP or TLS, frames counted in octets.
    Syslog(SyslogTarget),
    /// An OpenTelemetry collector: OTLP logs over HTTP.
    Otlp(OtlpTarget),
    /// A file here, with rotation.
    File(FileTarget),
}

/// Splunk's HTTP Event Collector.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplunkTarget {
    /// The endpoint: `https://splunk.example:8088/services/collector/event`.
    #[schemars(with = "String", extend("format" = "uri"))]
    pub url: At<String>,
    /// The collector's token: `env:NAME`.
    pub token: Reference,
    /// The index. Left out: the token's own.
    #[serde(default)]
    pub index: Option<String>,
    /// The source type. Default: `sp:audit`.
    #[serde(default)]
    pub sourcetype: Option<String>,
    /// In which words. Default: `json`.
    #[serde(default)]
    pub format: SinkFormat,
    /// A file with the certificates to trust instead of the system's.
    #[serde(default)]
    pub ca: Option<String>,
}

/// Elasticsearch or OpenSearch.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ElasticTarget {
    /// The cluster: `https://elastic.example:9200`.
    #[schemars(with = "String", extend("format" = "uri"))]
    pub url: At<String>,
    /// The index or data stream. Default: `logs-sp.audit-default`.
    #[serde(default)]
    pub index: Option<String>,
    /// An API key, encoded as Elasticsearch gives it out: `env:NAME`.
    #[serde(default)]
    pub api_key: Option<Reference>,
    /// In which words. Default: `ecs`.
    #[serde(default)]
    pub format: Option<SinkFormat>,
    /// A file with the certificates to trust instead of the system's.
    #[serde(default)]
    pub ca: Option<String>,
}

/// Datadog's log intake.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatadogTarget {
    /// The intake. Default: `https://http-intake.logs.datadoghq.com/api/v2/logs`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub url: Option<At<String>>,
    /// The API key: `env:NAME`.
    pub api_key: Reference,
    /// Tags: `env:prod,team:platform`.
    #[serde(default)]
    pub tags: Option<String>,
}

/// Any HTTP endpoint that takes JSON.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookTarget {
    /// The endpoint.
    #[schemars(with = "String", extend("format" = "uri"))]
    pub url: At<String>,
    /// Headers, with credentials. Values are references: `env:NAME`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Reference>")]
    pub headers: BTreeMap<At<String>, Reference>,
    /// One event a line (`lines`, the default), or one JSON array (`array`).
    #[serde(default)]
    pub body: WebhookBody,
    /// In which words. Default: `json`.
    #[serde(default)]
    pub format: SinkFormat,
    /// A file with the certificates to trust instead of the system's.
    #[serde(default)]
    pub ca: Option<String>,
}

/// How a body holds its events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WebhookBody {
    /// One event a line.
    #[default]
    Lines,
    /// One JSON array.
    Array,
}

/// A syslog receiver.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyslogTarget {
    /// The receiver: `host:port`.
    #[schemars(with = "String")]
    pub address: At<String>,
    /// Over TLS (RFC 5425). Default: true.
    #[serde(default)]
    pub tls: Option<bool>,
    /// A file with the certificates to trust instead of the system's.
    #[serde(default)]
    pub ca: Option<String>,
    /// What the message holds besides its structured data. Default: `json`.
    #[serde(default)]
    pub format: SinkFormat,
    /// The facility, 0 to 23. Default: 13, log audit.
    #[serde(default)]
    #[schemars(range(min = 0, max = 23))]
    pub facility: Option<At<u8>>,
    /// Syslog confirms nothing: what was sent within this time before a connection broke is sent again. Default: 5s.
    #[serde(default)]
    pub settle: Option<Period>,
}

/// An OpenTelemetry collector.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtlpTarget {
    /// The endpoint for logs: `https://collector.example:4318/v1/logs`.
    #[schemars(with = "String", extend("format" = "uri"))]
    pub url: At<String>,
    /// Headers, with credentials. Values are references: `env:NAME`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Reference>")]
    pub headers: BTreeMap<At<String>, Reference>,
    /// A file with the certificates to trust instead of the system's.
    #[serde(default)]
    pub ca: Option<String>,
}

/// A file here, one event a line.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileTarget {
    /// Its absolute path. Older ones get `.1`, `.2` … behind their name.
    #[schemars(with = "String")]
    pub path: At<String>,
    /// In which words. Default: `json`.
    #[serde(default)]
    pub format: SinkFormat,
    /// When it has this size, the next one is begun. Default: 64MiB.
    #[serde(default)]
    pub max_size: Option<At<Size>>,
    /// How many older ones are kept. Default: 10.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1000))]
    pub keep: Option<At<u16>>,
}
