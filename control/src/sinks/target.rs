//! What a system can say to a batch of events, and the systems there are.

use std::time::Duration;

use super::config::{SinkConfig, TargetConfig};
use super::{datadog, elastic, file, otlp, splunk, syslog, webhook};
use crate::logs::event::AuditEvent;

/// What became of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Places in the batch to send again.
    pub(super) again: Vec<usize>,
    /// Places in the batch that were refused for what they are, and why.
    pub(super) refused: Vec<(usize, String)>,
}

/// Why nothing was taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SendError {
    /// The system is away, busy, or does not let us in: the same again later.
    #[error("{why}")]
    Later {
        /// What it said.
        why: String,
        /// How long it asked us to wait.
        after: Option<Duration>,
        /// Whether time alone will not mend it.
        is_blocked: bool,
    },
    /// The batch is refused for what it is: smaller ones show which event it is.
    #[error("{0}")]
    Refused(String),
}

impl SendError {
    pub(super) fn later(why: impl Into<String>) -> SendError {
        SendError::Later { why: why.into(), after: None, is_blocked: false }
    }
}

/// A system that takes events.
#[allow(clippy::large_enum_variant, reason = "one per sink, for as long as it runs")]
pub(super) enum Target {
    Splunk(splunk::Splunk),
    Elastic(elastic::Elastic),
    Datadog(datadog::Datadog),
    Http(webhook::Webhook),
    Syslog(syslog::Syslog),
    Otlp(otlp::Otlp),
    File(file::RotatingFile),
}

impl Target {
    /// Ready to send; connects when it first does.
    ///
    /// # Errors
    /// What is declared cannot be used, such as a file of certificates that is not there.
    pub(super) fn new(config: &SinkConfig) -> Result<Target, SendError> {
        Ok(match config.target.clone() {
            TargetConfig::Splunk { http, index, sourcetype, format } => {
                Target::Splunk(splunk::Splunk::new(&http, index, sourcetype, format)?)
            }
            TargetConfig::Elastic { http, index, format } => Target::Elastic(elastic::Elastic::new(&http, index, format)?),
            TargetConfig::Datadog { http, tags } => Target::Datadog(datadog::Datadog::new(&http, tags)?),
            TargetConfig::Http { http, body, format } => Target::Http(webhook::Webhook::new(&http, body, format)?),
            TargetConfig::Syslog { address, is_tls, ca, format, facility, settle } => {
                Target::Syslog(syslog::Syslog::new(address, is_tls, ca.as_deref(), format, facility, settle)?)
            }
            TargetConfig::Otlp { http } => Target::Otlp(otlp::Otlp::new(&http)?),
            TargetConfig::File { path, format, bytes_max, keep } => {
                Target::File(file::RotatingFile::new(path, format, bytes_max, keep))
            }
        })
    }

    /// Sends a batch.
    pub(super) async fn send(&mut self, events: &[AuditEvent]) -> Result<Taken, SendError> {
        match self {
            Target::Splunk(to) => to.send(events).await,
            Target::Elastic(to) => to.send(events).await,
            Target::Datadog(to) => to.send(events).await,
            Target::Http(to) => to.send(events).await,
            Target::Syslog(to) => to.send(events).await.map(|()| Taken::default()),
            Target::Otlp(to) => to.send(events).await,
            Target::File(to) => to.send(events).await.map(|()| Taken::default()),
        }
    }

    /// Batches that were sent and are not certain to have arrived. Most systems confirm each.
    pub(super) async fn unsettled(&mut self) -> Result<usize, SendError> {
        match self {
            Target::Syslog(to) => to.unsettled().await,
            _ => Ok(0),
        }
    }
}
