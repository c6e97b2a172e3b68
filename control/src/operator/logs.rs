//! `sp infra logs`: the audit trail, searched, followed, added up, exported, and reconstructed call by call.

use clap::Args;
use jiff::{Span, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::decision::{EventKind, Layer, Verdict};

use super::CommandError;
use crate::cli::table::printable;
use crate::logs::{Filter, LogsError};

mod audit;
mod export;
mod search;
mod sinks;
mod stream;
mod summary;

pub use export::Format;

/// What to look for: everything that is given must hold.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Wanted {
    /// Not before: a time (2026-11-22T08:00Z) or how long ago (15m, 2h, 7d)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Before: a time, or how long ago
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Kind of event: decision, outcome, login, command, job, policy_change, revocation, process, approval
    #[arg(long)]
    pub kind: Option<String>,
    /// The user
    #[arg(long)]
    pub user: Option<String>,
    /// The agent
    #[arg(long)]
    pub agent: Option<String>,
    /// The log-in session
    #[arg(long)]
    pub session: Option<String>,
    /// The MCP server
    #[arg(long)]
    pub server: Option<String>,
    /// The tool, prompt or resource
    #[arg(long)]
    pub tool: Option<String>,
    /// The verdict: allow, deny, ask
    #[arg(long, visible_alias = "decision")]
    pub verdict: Option<String>,
    /// The layer that refused: identity, scope, secrets, blocklist, rate, system
    #[arg(long)]
    pub layer: Option<String>,
    /// The grant, rule or limit
    #[arg(long)]
    pub rule: Option<String>,
    /// Text anywhere in the event
    #[arg(long)]
    pub text: Option<String>,
}

impl Wanted {
    fn filter(self) -> Result<Filter, CommandError> {
        fn word<T>(name: &str, given: Option<String>, find: fn(&str) -> Option<T>) -> Result<Option<T>, CommandError> {
            let unknown = |text: &str| CommandError::Usage(format!("`--{name} {text}` is not one of the words in the help"));
            given.map(|text| find(&text).ok_or_else(|| unknown(&text))).transpose()
        }
        Ok(Filter {
            since: self.since.map(|text| time(&text)).transpose()?,
            until: self.until.map(|text| time(&text)).transpose()?,
            kind: word("kind", self.kind, EventKind::from_word)?,
            user: self.user,
            agent: self.agent,
            session: self.session,
            server: self.server,
            tool: self.tool,
            verdict: word("verdict", self.verdict, Verdict::from_word)?,
            layer: word("layer", self.layer, Layer::from_word)?,
            rule: self.rule,
            text: self.text,
        })
    }
}

/// Reads any JSON as the arguments of a search. For the fuzzer.
pub fn fuzz_filter(json: &[u8]) {
    drop(serde_json::from_slice::<Wanted>(json).ok().and_then(|wanted| wanted.filter().ok()));
}

/// A moment, or how long ago it was.
fn time(text: &str) -> Result<Timestamp, CommandError> {
    let wrong =
        || CommandError::Usage(format!("`{text}` is not a time; write 2026-11-22T08:00Z, or 15m, 2h, 7d for how long ago"));
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let span: Span = text.parse().map_err(|_| wrong())?;
    let ago = jiff::SignedDuration::try_from(span.days_fix()).map_err(|_| wrong())?;
    Timestamp::now().checked_sub(ago).map_err(|_| wrong())
}

trait DaysFix {
    fn days_fix(self) -> Span;
}

impl DaysFix for Span {
    /// Days of 24 hours: an audit trail knows no time zone.
    fn days_fix(self) -> Span {
        let days = i64::from(self.get_days()) + 7 * i64::from(self.get_weeks());
        let hours = i64::from(self.get_hours()) + 24 * days;
        self.days(0).weeks(0).try_hours(hours).unwrap_or(self)
    }
}

fn failed(error: LogsError) -> CommandError {
    CommandError::Failed(error.to_string())
}

const COLUMNS: &[&str] = &["at", "user_id", "agent", "server", "tool", "verdict", "layer", "rule", "status", "trace"];

/// Events as rows for people.
fn rows(result: &Value) -> Vec<Value> {
    let mut events = result["events"].as_array().cloned().unwrap_or_default();
    for event in &mut events {
        // What is not a call says what was done in the columns of one.
        if event["verdict"].is_null() || event["server"].is_null() {
            event["tool"] = event["action"].clone();
            event["server"] = event["kind"].clone();
        } else if event["tool"].is_null() {
            event["tool"] = event["method"].clone();
        }
    }
    events
}

/// A text of an event, safe for a terminal.
fn shown(event: &Value, name: &str) -> String {
    event[name].as_str().map(printable).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_moments_or_how_long_ago() {
        assert!(time("2026-11-22T08:00:00Z").is_ok());
        for (text, seconds) in [("15m", 900), ("2h", 7200), ("7d", 604_800), ("1d2h", 93_600)] {
            let ago = Timestamp::now().duration_since(time(text).unwrap()).as_secs();
            assert!((seconds - 2..=seconds + 2).contains(&ago), "{text}: {ago}");
        }
        for text in ["", "yesterday", "m", "15"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
