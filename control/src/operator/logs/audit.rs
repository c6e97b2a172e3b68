//! `sp infra logs audit`.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{failed, shown};
use crate::app::App;
use crate::cli::table::printable;
use crate::logs::{self, Subject};
use crate::operator::{Caller, Command, CommandError, Entry};

/// Reconstructs what happened in one trace, call or session.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Audit {
    /// A trace (`sp-trace-id` of a reply, or a `traceparent`), a call, a session, an Mcp-Session-Id, or an event's id
    #[serde(alias = "trace")]
    id: String,
}

impl Command for Audit {
    const PATH: &'static [&'static str] = &["infra", "logs", "audit"];
    const ABOUT: &'static str = "Reconstruct a call: identity, agent context, permissions, execution, result";
    const READ_ONLY: bool = true;
    const SCOPES: &'static [&'static str] = crate::operator::AUDIT;
    const EXAMPLES: &'static str = "\
Examples:
  sp infra logs audit 4bf92f3577b34da6a3ce929d0e0e4736      a trace: what a denial and every reply name
  sp infra logs audit 00-4bf92f35…-00f067aa0ba902b7-01      a traceparent header, as it stands in a log
  sp infra logs audit \"$MCP_SESSION_ID\"                   everything of an MCP session
  sp infra logs audit \"$(sp infra logs search --verdict deny --limit 1 --json | jq -r '.events[0].trace')\"

The same in SQL: query `trail` in schema/queries/logs.sql.";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        if self.id.trim().is_empty() {
            return Err(CommandError::Usage("name a trace, call, session or event".to_owned()));
        }
        let trail = logs::audit(&app.database, &Subject::from(self.id.as_str())).await.map_err(failed)?;
        let trail = trail.ok_or_else(|| {
            let text: String = self.id.chars().take(80).collect();
            CommandError::NotFound(format!(
                "no event of trace, call or session `{text}` is in the database; what just happened is there within a second"
            ))
        })?;
        serde_json::to_value(trail).map_err(|error| CommandError::Failed(error.to_string()))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "{} {}", shown(result, "matched"), shown(result, "asked"))?;
        let calls = result["calls"].as_array().map(Vec::as_slice).unwrap_or_default();
        let events = result["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        // Both are in order of time; people read one story.
        let (mut calls, mut events) = (calls.iter().peekable(), events.iter().peekable());
        loop {
            match (calls.peek(), events.peek()) {
                (Some(call), Some(event)) if shown(event, "at") < shown(call, "at") => show_event(event, out)?,
                (None, Some(event)) => show_event(event, out)?,
                (Some(call), _) => {
                    show_call(call, out)?;
                    calls.next();
                    continue;
                }
                (None, None) => break,
            }
            events.next();
        }
        if result["truncated"] == true {
            writeln!(std::io::stderr(), "there is more; see `sp infra logs search --session`")?;
        }
        Ok(())
    }
}

fn show_call(call: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "\n{}  call {}  trace {}", shown(call, "at"), shown(call, "call"), shown(call, "trace"))?;
    for (number, title, part) in [
        (1, "identity", "identity"),
        (2, "agent context", "agent"),
        (3, "permissions", "permissions"),
        (4, "tool execution", "execution"),
        (5, "result", "result"),
    ] {
        writeln!(out, "  {number} {title}")?;
        show_part(&call[part], out)?;
    }
    Ok(())
}

fn show_event(event: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let words = ["at", "kind", "action", "subject", "verdict", "status", "user", "detail"].map(|name| shown(event, name));
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    writeln!(out, "\n{}", words.join("  "))
}

fn show_part(part: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let Some(members) = part.as_object() else { return writeln!(out, "      nothing was forwarded, or it has not ended yet") };
    for (name, value) in members {
        if name == "layers" {
            show_layers(value, out)?;
            continue;
        }
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

fn show_layers(layers: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    for said in layers.as_array().into_iter().flatten() {
        let rule = Some(shown(said, "rule")).filter(|rule| !rule.is_empty()).map(|rule| format!("  by {rule}"));
        let verdict = shown(said, "verdict").replace('_', " ");
        writeln!(out, "      {:<16}{verdict}{}", shown(said, "layer"), rule.unwrap_or_default())?;
    }
    Ok(())
}

inventory::submit! { Entry::of::<Audit>() }
