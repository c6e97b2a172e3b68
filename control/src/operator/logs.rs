//! `sp infra logs`: the audit trail, searched, followed, and reconstructed call by call.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use jiff::{Span, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::decision::{EventKind, Layer, Verdict};

use super::{Caller, Command, CommandError, Entry};
use crate::app::App;
use crate::cli::table::{self, printable};
use crate::logs::{self, Filter, Follow, LogsError};

/// How long a `stream` call waits for something to happen. LIMIT: shorter than the read time-outs of proxies.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// How often it looks. Rows are visible some 50 to 100 ms after the decision.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Events of one stream in one answer.
const FOLLOW_MAX: u16 = 500;

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
    /// The MCP server
    #[arg(long)]
    pub server: Option<String>,
    /// The tool, prompt or resource
    #[arg(long)]
    pub tool: Option<String>,
    /// The verdict: allow, deny, ask
    #[arg(long)]
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
            server: self.server,
            tool: self.tool,
            verdict: word("verdict", self.verdict, Verdict::from_word)?,
            layer: word("layer", self.layer, Layer::from_word)?,
            rule: self.rule,
            text: self.text,
        })
    }
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

/// Searches the audit trail, newest first.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
pub struct Search {
    #[command(flatten)]
    #[serde(flatten)]
    wanted: Wanted,
    /// How many events at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    #[serde(default = "fifty")]
    limit: u16,
    /// Go on where the page before ended: its `next`
    #[arg(long, value_name = "PLACE")]
    before: Option<String>,
}

fn fifty() -> u16 {
    50
}

impl Command for Search {
    const PATH: &'static [&'static str] = &["infra", "logs", "search"];
    const ABOUT: &'static str = "Search the audit trail, newest first";
    const READ_ONLY: bool = true;

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let before =
            self.before.map(|text| text.parse().map_err(|error: logs::PlaceError| CommandError::Usage(error.to_string())));
        let page = logs::search(&app.database, &self.wanted.filter()?, before.transpose()?, usize::from(self.limit)).await;
        let page = page.map_err(failed)?;
        Ok(json!({ "events": page.events, "next": page.next.map(|place| place.to_string()) }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        let events = rows(result);
        write!(out, "{}", table::of(COLUMNS, &events))?;
        if let Some(next) = result["next"].as_str() {
            let mut err = std::io::stderr();
            writeln!(err, "{} events; for older ones add --before {next}", events.len())?;
        }
        Ok(())
    }
}

const COLUMNS: &[&str] = &["at", "user_id", "agent", "server", "tool", "verdict", "layer", "rule", "status", "trace"];

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

/// What happens from now on, as it happens.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
pub struct Stream {
    #[command(flatten)]
    #[serde(flatten)]
    wanted: Wanted,
    /// Where the answer before ended: its `next`
    #[arg(skip)]
    #[serde(default)]
    after: Option<Follow>,
}

impl Command for Stream {
    const PATH: &'static [&'static str] = &["infra", "logs", "stream"];
    const ABOUT: &'static str = "Follow the audit trail as it grows; waits for events and says where to go on";
    const READ_ONLY: bool = true;

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let filter = self.wanted.filter()?;
        let mut follow = match self.after {
            Some(after) => after,
            None => Follow::from_now(&app.database).await.map_err(failed)?,
        };
        let until = Instant::now() + WAIT_MAX;
        loop {
            let mut events = follow.next(&app.database, FOLLOW_MAX).await.map_err(failed)?;
            // Asking is an event too; who follows would see little else.
            events.retain(|event| filter.admits(event) && event.tool.as_deref() != Some("infra_logs_stream"));
            if !events.is_empty() || Instant::now() >= until {
                return Ok(json!({ "events": events, "next": follow }));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        for event in rows(result) {
            let field = |name: &str| event[name].as_str().map(printable).unwrap_or_else(|| "-".to_owned());
            let words: Vec<String> = COLUMNS.iter().map(|name| field(name)).collect();
            writeln!(out, "{}", words.join("  "))?;
        }
        Ok(())
    }
}

/// Reconstructs what happened in one trace.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The trace, as `sp-trace-id` and search results have it
    trace: String,
}

impl Command for Audit {
    const PATH: &'static [&'static str] = &["infra", "logs", "audit"];
    const ABOUT: &'static str = "Reconstruct one trace: identity, agent context, permissions, execution, result";
    const READ_ONLY: bool = true;

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let trace = self.trace.parse().map_err(|error: wire::ids::IdError| CommandError::Usage(error.to_string()))?;
        let audit = logs::audit(&app.database, trace).await.map_err(failed)?;
        let audit =
            audit.ok_or_else(|| CommandError::NotFound(format!("no event of trace `{}` is in the database", self.trace)))?;
        serde_json::to_value(audit).map_err(|error| CommandError::Failed(error.to_string()))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "trace {}", result["trace"].as_str().unwrap_or("?"))?;
        for call in result["calls"].as_array().into_iter().flatten() {
            writeln!(out, "\ncall {}  {}", call["call"].as_str().unwrap_or("?"), call["at"].as_str().unwrap_or("?"))?;
            for (number, title, part) in [
                (1, "identity", "identity"),
                (2, "agent context", "agent"),
                (3, "permissions", "permissions"),
                (4, "tool execution", "execution"),
                (5, "result", "outcome"),
            ] {
                writeln!(out, "  {number} {title}")?;
                show_part(&call[part], out)?;
            }
        }
        for event in result["events"].as_array().into_iter().flatten() {
            let field = |name: &str| event[name].as_str().map(printable).unwrap_or_default();
            writeln!(out, "\n{}  {} {} {}", field("at"), field("kind"), field("action"), field("subject"))?;
        }
        Ok(())
    }
}

fn show_part(part: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let Some(members) = part.as_object() else { return writeln!(out, "      nothing was forwarded") };
    for (name, value) in members {
        let text = match value {
            Value::Null => continue,
            Value::Array(list) if list.is_empty() => continue,
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            Value::String(text) if text.is_empty() => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        writeln!(out, "      {:<16}{}", name.replace('_', " "), printable(&text))?;
    }
    Ok(())
}

inventory::submit! { Entry::of::<Search>() }
inventory::submit! { Entry::of::<Stream>() }
inventory::submit! { Entry::of::<Audit>() }

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
