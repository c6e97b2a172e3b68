//! What sinks are to run, from the declarations and our environment.

use std::path::PathBuf;
use std::time::Duration;

use schema::services::sinks::{Begin, SinkFile, SinkFormat, SinkTarget, WebhookBody};
use schema::services::words::Reference;
use schema::services::{Declared, Place, Problem, Services};
use wire::decision::{EventKind, Verdict};

use crate::logs::event::AuditEvent;
use crate::siem::{cef, ecs, ocsf};

/// One sink, ready to run.
#[derive(Clone, PartialEq)]
pub struct SinkConfig {
    /// The name of its file.
    pub name: String,
    /// Where events go.
    pub target: TargetConfig,
    /// Kinds it gets; all where empty.
    pub kinds: Vec<EventKind>,
    /// Verdicts it gets; all where empty.
    pub verdicts: Vec<Verdict>,
    /// Where it begins when it is new.
    pub begin: Begin,
}

/// Where events go. Holds credentials: no `Debug`.
#[derive(Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of schema::services::sinks, references resolved")]
pub enum TargetConfig {
    Splunk { http: HttpConfig, index: Option<String>, sourcetype: String, format: SinkFormat },
    Elastic { http: HttpConfig, index: String, format: SinkFormat },
    Datadog { http: HttpConfig, tags: Option<String> },
    Http { http: HttpConfig, body: WebhookBody, format: SinkFormat },
    Syslog { address: String, is_tls: bool, ca: Option<PathBuf>, format: SinkFormat, facility: u8, settle: Duration },
    Otlp { http: HttpConfig },
    File { path: PathBuf, format: SinkFormat, bytes_max: u64, keep: u16 },
}

/// Where and with which headers.
#[derive(Clone, PartialEq)]
#[allow(missing_docs, reason = "says what it is")]
pub struct HttpConfig {
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub ca: Option<PathBuf>,
}

impl TargetConfig {
    /// The word of the declaration.
    pub fn kind(&self) -> &'static str {
        match self {
            TargetConfig::Splunk { .. } => "splunk",
            TargetConfig::Elastic { .. } => "elastic",
            TargetConfig::Datadog { .. } => "datadog",
            TargetConfig::Http { .. } => "http",
            TargetConfig::Syslog { .. } => "syslog",
            TargetConfig::Otlp { .. } => "otlp",
            TargetConfig::File { .. } => "file",
        }
    }
}

impl SinkConfig {
    /// Whether the sink gets this event.
    pub fn admits(&self, event: &AuditEvent) -> bool {
        let is_kind = self.kinds.is_empty() || self.kinds.iter().any(|kind| kind.as_str() == event.kind);
        let verdict = event.verdict.as_deref();
        let is_verdict = self.verdicts.is_empty()
            || verdict.is_none_or(|verdict| self.verdicts.iter().any(|wanted| wanted.as_str() == verdict));
        is_kind && is_verdict
    }
}

/// An event in the words that are wanted, as one line without its end.
pub(super) fn line(format: SinkFormat, event: &AuditEvent) -> String {
    let value = match format {
        SinkFormat::Json => serde_json::to_string(event),
        SinkFormat::Ocsf => serde_json::to_string(&ocsf::event(event)),
        SinkFormat::Ecs => serde_json::to_string(&ecs::event(event)),
        SinkFormat::Cef => return cef::line(event),
    };
    // Maps with texts as keys always encode.
    value.unwrap_or_default()
}

/// The sinks that are declared. `lookup` reads our environment.
///
/// # Errors
/// Every variable that is named and not set, each with its file.
pub fn configs(services: &Services, lookup: impl Fn(&str) -> Option<String>) -> Result<Vec<SinkConfig>, Vec<Problem>> {
    let mut problems = Vec::new();
    let sinks = services.sinks.iter().map(|(name, Declared { place, what })| {
        let mut filler = Filler { lookup: &lookup, place, problems: &mut problems };
        SinkConfig {
            name: name.clone(),
            target: filler.target(what),
            kinds: what.only.kinds.iter().filter_map(|word| EventKind::from_word(&word.value)).collect(),
            verdicts: what.only.verdicts.iter().filter_map(|word| Verdict::from_word(&word.value)).collect(),
            begin: what.begin,
        }
    });
    let sinks: Vec<SinkConfig> = sinks.collect();
    if problems.is_empty() { Ok(sinks) } else { Err(problems) }
}

struct Filler<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    place: &'a Place,
    problems: &'a mut Vec<Problem>,
}

impl Filler<'_> {
    fn target(&mut self, file: &SinkFile) -> TargetConfig {
        let ca = |ca: &Option<String>| ca.as_ref().map(PathBuf::from);
        match &file.to {
            SinkTarget::Splunk(to) => {
                let headers = vec![("authorization".to_owned(), format!("Splunk {}", self.reference(&to.token)))];
                TargetConfig::Splunk {
                    http: HttpConfig { url: to.url.value.clone(), headers, ca: ca(&to.ca) },
                    index: to.index.clone(),
                    sourcetype: to.sourcetype.clone().unwrap_or_else(|| "sp:audit".to_owned()),
                    format: to.format,
                }
            }
            SinkTarget::Elastic(to) => {
                let key = to.api_key.as_ref().map(|key| ("authorization".to_owned(), format!("ApiKey {}", self.reference(key))));
                let url = format!("{}/_bulk", to.url.value.trim_end_matches('/'));
                TargetConfig::Elastic {
                    http: HttpConfig { url, headers: key.into_iter().collect(), ca: ca(&to.ca) },
                    index: to.index.clone().unwrap_or_else(|| "logs-sp.audit-default".to_owned()),
                    format: to.format.unwrap_or(SinkFormat::Ecs),
                }
            }
            SinkTarget::Datadog(to) => {
                let intake = || "https://http-intake.logs.datadoghq.com/api/v2/logs".to_owned();
                let url = to.url.as_ref().map_or_else(intake, |url| url.value.clone());
                let headers = vec![("dd-api-key".to_owned(), self.reference(&to.api_key))];
                TargetConfig::Datadog { http: HttpConfig { url, headers, ca: None }, tags: to.tags.clone() }
            }
            SinkTarget::Http(to) => {
                let headers = to.headers.iter().map(|(name, value)| (name.value.clone(), self.reference(value))).collect();
                let http = HttpConfig { url: to.url.value.clone(), headers, ca: ca(&to.ca) };
                TargetConfig::Http { http, body: to.body, format: to.format }
            }
            SinkTarget::Otlp(to) => {
                let headers = to.headers.iter().map(|(name, value)| (name.value.clone(), self.reference(value))).collect();
                TargetConfig::Otlp { http: HttpConfig { url: to.url.value.clone(), headers, ca: ca(&to.ca) } }
            }
            SinkTarget::Syslog(to) => TargetConfig::Syslog {
                address: to.address.value.clone(),
                is_tls: to.tls.unwrap_or(true),
                ca: ca(&to.ca),
                format: to.format,
                facility: to.facility.map_or(13, |facility| facility.value),
                settle: to.settle.map_or(Duration::from_secs(5), |settle| settle.0),
            },
            SinkTarget::File(to) => TargetConfig::File {
                path: PathBuf::from(&to.path.value),
                format: to.format,
                bytes_max: to.max_size.map_or(64 << 20, |size| size.value.0),
                keep: to.keep.map_or(10, |keep| keep.value),
            },
        }
    }

    fn reference(&mut self, reference: &Reference) -> String {
        (self.lookup)(reference.name()).unwrap_or_else(|| {
            let name = reference.name();
            let message = format!("the environment variable `{name}` is not set; set it before the gateway is started");
            self.problems.push(self.place.problem(message));
            String::new()
        })
    }
}
