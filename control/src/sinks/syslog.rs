//! Syslog: RFC 5424 messages over TCP (RFC 6587, octet counting) or TLS (RFC 5425).
//!
//! A receiver confirms nothing, and what lies in its socket is lost when it dies. So what was sent counts as arrived only
//! when the connection has stood for a while longer (`settle`); when it breaks before that, it is sent again on the next
//! one. What the receiver's kernel does not confirm for half that time breaks the connection too.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use schema::services::sinks::SinkFormat;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::config::line;
use super::http;
use super::target::SendError;
use crate::logs::event::AuditEvent;
use crate::siem::{PRODUCT, Severity};

/// LIMIT: how long connecting, a handshake, or writing one batch may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// LIMIT: bytes that wait to be settled. More of them wait for the receiver.
const UNSETTLED_BYTES_MAX: usize = 16 << 20;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) struct Syslog {
    address: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    format: SinkFormat,
    facility: u8,
    settle: Duration,
    connection: Option<Box<dyn Stream>>,
    unsettled: VecDeque<(Instant, Vec<u8>)>,
}

impl Syslog {
    pub(super) fn new(
        address: String,
        is_tls: bool,
        ca: Option<&Path>,
        format: SinkFormat,
        facility: u8,
        settle: Duration,
    ) -> Result<Syslog, SendError> {
        let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host).trim_matches(['[', ']']).to_owned();
        let tls = match is_tls {
            true => {
                let unusable = |why: String| SendError::Later { why, after: None, is_blocked: true };
                let name = ServerName::try_from(host).map_err(|error| unusable(format!("`{address}`: {error}")))?;
                Some((TlsConnector::from(Arc::new(http::tls(ca)?)), name))
            }
            false => None,
        };
        Ok(Syslog { address, tls, format, facility, settle, connection: None, unsettled: VecDeque::new() })
    }

    pub(super) async fn send(&mut self, events: &[AuditEvent]) -> Result<(), SendError> {
        let waiting: usize = self.unsettled.iter().map(|(_, bytes)| bytes.len()).sum();
        if waiting > UNSETTLED_BYTES_MAX {
            return Err(SendError::Later {
                why: "the receiver does not keep up".to_owned(),
                after: Some(self.settle.min(Duration::from_secs(1))),
                is_blocked: false,
            });
        }
        let mut batch = Vec::new();
        for event in events {
            let message = self.message(event);
            batch.extend_from_slice(format!("{} ", message.len()).as_bytes());
            batch.extend_from_slice(message.as_bytes());
        }
        let sent = self.write(&batch).await;
        if sent.is_err() {
            self.connection = None;
        }
        sent?;
        self.unsettled.push_back((Instant::now(), batch));
        Ok(())
    }

    /// Batches that are not certain to have arrived. Finds out whether the connection still stands, and when it does not,
    /// sends them on another one.
    pub(super) async fn unsettled(&mut self) -> Result<usize, SendError> {
        if self.unsettled.is_empty() {
            return Ok(0);
        }
        let checked = self.check().await;
        if checked.is_err() {
            self.connection = None;
            checked?;
        }
        while self.unsettled.front().is_some_and(|(sent, _)| sent.elapsed() >= self.settle) {
            self.unsettled.pop_front();
        }
        Ok(self.unsettled.len())
    }

    async fn check(&mut self) -> Result<(), SendError> {
        let stands = match &mut self.connection {
            Some(connection) => stands(connection).await,
            None => false,
        };
        // A new connection gets everything that is not settled.
        if stands { Ok(()) } else { self.connect().await.map(drop) }
    }

    async fn write(&mut self, batch: &[u8]) -> Result<(), SendError> {
        if let Some(connection) = &mut self.connection
            && !stands(connection).await
        {
            self.connection = None;
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        write_all(connection, batch).await
    }

    async fn connect(&mut self) -> Result<&mut Box<dyn Stream>, SendError> {
        self.connection = None;
        let connecting = async {
            let tcp = TcpStream::connect(&self.address).await?;
            tcp.set_nodelay(true)?;
            let silence_ms = u32::try_from(self.settle.as_millis() / 2).unwrap_or(u32::MAX).max(1_000);
            rustix::net::sockopt::set_tcp_user_timeout(&tcp, silence_ms)?;
            Ok::<Box<dyn Stream>, io::Error>(match &self.tls {
                Some((connector, name)) => Box::new(connector.connect(name.clone(), tcp).await?),
                None => Box::new(tcp),
            })
        };
        let connected = tokio::time::timeout(TIMEOUT, connecting).await;
        let connected = connected.map_err(|_| SendError::later(format!("`{}` does not answer", self.address)))?;
        let mut connection = connected.map_err(|error| SendError::later(format!("`{}`: {error}", self.address)))?;
        let now = Instant::now();
        for (sent, batch) in &mut self.unsettled {
            write_all(&mut connection, batch).await?;
            *sent = now;
        }
        Ok(self.connection.insert(connection))
    }

    /// One message: `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [SD] MSG` (RFC 5424, section 6).
    fn message(&self, event: &AuditEvent) -> String {
        let severity = match Severity::of(event) {
            Severity::Informational => 6,
            Severity::Low => 5,
            Severity::Medium => 4,
            Severity::High => 3,
        };
        let mut out = String::with_capacity(1024);
        let at = event.at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ");
        // Writing to a String does not fail.
        let _ = write!(out, "<{}>1 {at} {} {PRODUCT} - {} ", u16::from(self.facility) * 8 + severity, event.node, event.kind);
        // 32473 is the number that RFC 5612 sets aside for those who have none of their own.
        out.push_str("[sp@32473");
        let params = [
            ("id", Some(event.id.as_str())),
            ("trace", event.trace.as_deref()),
            ("call", event.call.as_deref()),
            ("user", event.user.as_deref()),
            ("agent", event.agent.as_deref()),
            ("server", event.server.as_deref()),
            ("tool", event.tool.as_deref()),
            ("verdict", event.verdict.as_deref()),
            ("layer", event.layer.as_deref()),
            ("reason", event.reason.as_deref()),
            ("rule", event.rule.as_deref()),
            ("status", event.status.as_deref()),
        ];
        for (name, value) in params {
            if let Some(value) = value {
                let _ = write!(out, " {name}=\"");
                push_param(&mut out, value);
                out.push('"');
            }
        }
        out.push_str("] ");
        out.push_str(&line(self.format, event));
        out
    }
}

/// A PARAM-VALUE: `"`, `\` and `]` are escaped (RFC 5424, section 6.3.3).
fn push_param(out: &mut String, value: &str) {
    for c in value.chars() {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(c);
    }
}

async fn write_all(connection: &mut Box<dyn Stream>, bytes: &[u8]) -> Result<(), SendError> {
    let writing = async {
        connection.write_all(bytes).await?;
        connection.flush().await
    };
    let written = tokio::time::timeout(TIMEOUT, writing).await;
    let written = written.map_err(|_| SendError::later("the receiver takes nothing"))?;
    written.map_err(|error| SendError::later(format!("the connection broke: {error}")))
}

/// Whether the other end is still there. It has nothing to say, so anything but silence is its end.
async fn stands(connection: &mut Box<dyn Stream>) -> bool {
    let mut said = [0; 256];
    loop {
        let now = futures_util::FutureExt::now_or_never(connection.read(&mut said));
        match now {
            None => return true,
            Some(Ok(0) | Err(_)) => return false,
            // Whatever it said, it is there.
            Some(Ok(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Undoes the escapes of a PARAM-VALUE and finds its end.
    fn read_param(text: &str) -> (String, &str) {
        let (mut value, mut chars) = (String::new(), text.chars());
        loop {
            match chars.next() {
                Some('\\') => value.extend(chars.next()),
                Some('"') => return (value, chars.as_str()),
                Some(c) => value.push(c),
                None => panic!("no end in {text:?}"),
            }
        }
    }

    proptest! {
        #[test]
        fn every_value_reads_back(value in any::<String>()) {
            let mut out = String::new();
            push_param(&mut out, &value);
            out.push_str("\"] rest");
            prop_assert_eq!(read_param(&out), (value, "] rest"));
        }
    }

    #[test]
    fn a_message_has_the_parts_of_rfc_5424() {
        let sink = Syslog::new("127.0.0.1:1".into(), false, None, SinkFormat::Cef, 13, Duration::ZERO).unwrap();
        let event = AuditEvent {
            id: "n-0-1".into(),
            at: "2026-11-22T08:00:00.000001Z".parse().unwrap(),
            node: "n".into(),
            kind: "decision".into(),
            user: Some("a\"]\\b".into()),
            ..AuditEvent::default()
        };
        let message = sink.message(&event);
        let expected = "<110>1 2026-11-22T08:00:00.000001Z n sp - decision [sp@32473 id=\"n-0-1\" user=\"a\\\"\\]\\\\b\"] CEF:0|";
        assert!(message.starts_with(expected), "{message}");
    }
}
