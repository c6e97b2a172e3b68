//! ArcSight's Common Event Format, version 0 (ArcSight Common Event Format implementation guide, revision 26): one line per
//! event, a header in bars and `key=value` pairs.

use std::fmt::Write as _;

use wire::decision::Reason;

use super::{PRODUCT, Severity, ip, is_success, operation, sentence};
use crate::logs::event::AuditEvent;

/// LIMIT: bytes of any value, whatever the dictionary allows; a line stays below what a syslog receiver takes.
const VALUE_BYTES_MAX: usize = 1023;

/// An event as one line, without its end.
pub fn line(event: &AuditEvent) -> String {
    let severity = match Severity::of(event) {
        Severity::Informational => 1,
        Severity::Low => 4,
        Severity::Medium => 6,
        Severity::High => 8,
    };
    let signature = match (&event.verdict, &event.reason) {
        (_, Some(reason)) if event.kind == "decision" => format!("decision:{reason}"),
        (_, _) => event.kind.clone(),
    };
    let mut out = String::with_capacity(1024);
    out.push_str("CEF:0");
    for field in [PRODUCT, PRODUCT, env!("CARGO_PKG_VERSION"), &signature, &name(event), &severity.to_string()] {
        out.push('|');
        push_header(&mut out, field);
    }
    out.push('|');
    let mut pairs = Pairs { out, is_first: true };
    pairs.number("rt", event.at.as_millisecond());
    // The guide has room for 40 bytes: with `deviceExternalId`, which is the node, this names one event.
    pairs.text("externalId", Some(&format!("{}-{}", event.shard, event.seq)), 40);
    pairs.text("cat", Some(&event.kind), 1023);
    pairs.text("act", event.verdict.as_deref().or(event.action.as_deref()), 63);
    pairs.text("outcome", is_success(event).map(|is| if is { "success" } else { "failure" }), 63);
    pairs.text("reason", event.reason.as_deref().filter(|reason| *reason != Reason::Permitted.as_str()), 1023);
    pairs.text("suser", event.user.as_deref(), 1023);
    pairs.text("spriv", event.tier.as_deref(), 1023);
    match ip(event.address.as_deref()) {
        Some(std::net::IpAddr::V4(ip)) => pairs.text("src", Some(&ip.to_string()), 15),
        Some(std::net::IpAddr::V6(ip)) => pairs.labelled("c6a2", "Source IPv6 Address", Some(&ip.to_string())),
        None => pairs.text("shost", event.address.as_deref(), 1023),
    }
    pairs.text("destinationServiceName", event.server.as_deref(), 1023);
    pairs.text("requestMethod", event.method.as_deref(), 1023);
    pairs.text("sourceServiceName", event.agent.as_deref(), 1023);
    pairs.text("deviceExternalId", Some(&event.node), 255);
    pairs.labelled("cs1", "rule", event.rule.as_deref());
    pairs.labelled("cs2", "tool", event.tool.as_deref());
    pairs.labelled("cs3", "trace", event.trace.as_deref());
    pairs.labelled("cs4", "layer", event.layer.as_deref().filter(|layer| *layer != "none"));
    pairs.labelled("cs5", "call", event.call.as_deref());
    pairs.labelled("cs6", "session", event.session.as_deref().or(event.mcp_session.as_deref()));
    pairs.labelled_number("cn1", "generation", event.generation);
    pairs.labelled_number("cn2", "duration_us", event.duration_us);
    pairs.labelled_number("cn3", "http_status", event.http_status.filter(|status| *status != 0));
    pairs.labelled("flexString1", "upstream", event.upstream.as_deref());
    pairs.labelled("flexString2", "tenant", event.tenant.as_deref());
    // The guide counts bytes in 32 bits.
    pairs.number_maybe("in", event.args_bytes.filter(|bytes| i32::try_from(*bytes).is_ok()));
    pairs.number_maybe("out", event.reply_bytes.filter(|bytes| i32::try_from(*bytes).is_ok()));
    let detail = event.error.as_deref().or(event.evidence.as_deref()).or(event.detail.as_deref());
    let message = detail.map_or_else(|| sentence(event), |detail| format!("{}; {detail}", sentence(event)));
    pairs.text("msg", Some(&message), 1023);
    pairs.out
}

/// The header's name: the same for the same signature, so that a SIEM can count by it.
fn name(event: &AuditEvent) -> String {
    match (event.kind.as_str(), event.verdict.as_deref()) {
        ("decision", Some("allow")) => "tool call allowed".to_owned(),
        ("decision", Some("ask")) => "tool call needs approval".to_owned(),
        ("decision", _) => "tool call refused".to_owned(),
        ("outcome", _) => "tool call ended".to_owned(),
        (kind, _) => format!("{}: {}", kind.replace('_', " "), operation(event)),
    }
}

struct Pairs {
    out: String,
    is_first: bool,
}

impl Pairs {
    fn key(&mut self, key: &str) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(' ');
        }
        self.out.push_str(key);
        self.out.push('=');
    }

    fn text(&mut self, key: &str, value: Option<&str>, bytes_max: usize) {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return };
        self.key(key);
        push_value(&mut self.out, clip(value, bytes_max.min(VALUE_BYTES_MAX)));
    }

    fn number(&mut self, key: &str, value: i64) {
        self.key(key);
        // Writing to a String does not fail.
        let _ = write!(self.out, "{value}");
    }

    fn number_maybe(&mut self, key: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.number(key, value);
        }
    }

    fn labelled(&mut self, key: &str, label: &str, value: Option<&str>) {
        if value.is_some_and(|value| !value.is_empty()) {
            self.text(key, value, VALUE_BYTES_MAX);
            self.text(&format!("{key}Label"), Some(label), 1023);
        }
    }

    fn labelled_number(&mut self, key: &str, label: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.number(key, value);
            self.text(&format!("{key}Label"), Some(label), 1023);
        }
    }
}

fn clip(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A header's field: bars and backslashes are escaped, line ends cannot stand there.
fn push_header(out: &mut String, field: &str) {
    for c in field.chars() {
        match c {
            '|' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
}

/// A value: equal signs, backslashes and line ends are escaped; no other control character can stand there.
fn push_value(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '=' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
}
