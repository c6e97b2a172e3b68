//! `sp admin approvals`: calls that wait for a person, and what the person says.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use dataplane::approval::{AnswerError, Answering, WaitingCall};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::ids::{CallId, IdError};

use super::{Caller, Command, CommandError, Entry};
use crate::app::App;
use crate::cli::table;

/// Longest comment. LIMIT: it becomes part of one audit row.
const COMMENT_BYTES_MAX: usize = 1_000;

/// Lists the calls that wait for a person.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {}

impl Command for List {
    const PATH: &'static [&'static str] = &["admin", "approvals", "list"];
    const ABOUT: &'static str = "List the calls that wait for a person, the oldest first";
    const READ_ONLY: bool = true;

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let waiting: Vec<Value> = app.plane.waiting().await.into_iter().map(row).collect();
        Ok(json!({ "waiting": waiting }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        let rows = result["waiting"].as_array().cloned().unwrap_or_default();
        let columns = ["id", "asked_at", "expires_at", "user", "agent", "server", "tool", "rule", "evidence", "arguments"];
        write!(out, "{}", table::of(&columns, &rows))
    }
}

/// A waiting call with times that people read.
fn row(waiting: WaitingCall) -> Value {
    let time = |us: u64| i64::try_from(us).ok().and_then(|us| Timestamp::from_microsecond(us).ok()).map(|at| at.to_string());
    let (asked_at, expires_at) = (time(waiting.asked_at_us), time(waiting.expires_at_us));
    let mut row = serde_json::to_value(waiting).unwrap_or_default();
    if let Some(members) = row.as_object_mut() {
        members.remove("asked_at_us");
        members.remove("expires_at_us");
        members.insert("asked_at".to_owned(), asked_at.into());
        members.insert("expires_at".to_owned(), expires_at.into());
    }
    row
}

/// Lets a waiting call go on; the limits have the last word.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// The call: its `id` in `sp admin approvals list`
    id: String,
    /// Why; stands in the audit trail
    #[arg(long, value_name = "TEXT", default_value = "")]
    #[serde(default)]
    comment: String,
}

impl Command for Approve {
    const PATH: &'static [&'static str] = &["admin", "approvals", "approve"];
    const ABOUT: &'static str = "Let one waiting call go on; your name stands in its audit row";
    const READ_ONLY: bool = false;

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        answer(&app, caller, &self.id, true, self.comment).await
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        show_answered("approved", result, out)
    }
}

/// Refuses a waiting call.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deny {
    /// The call: its `id` in `sp admin approvals list`
    id: String,
    /// Why; whoever called is told, and it stands in the audit trail
    #[arg(long, value_name = "TEXT", default_value = "")]
    #[serde(default)]
    comment: String,
}

impl Command for Deny {
    const PATH: &'static [&'static str] = &["admin", "approvals", "deny"];
    const ABOUT: &'static str = "Refuse one waiting call";
    const READ_ONLY: bool = false;

    async fn run(self, app: Arc<App>, caller: Caller) -> Result<Value, CommandError> {
        answer(&app, caller, &self.id, false, self.comment).await
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        show_answered("refused", result, out)
    }
}

async fn answer(app: &App, caller: Caller, id: &str, approve: bool, comment: String) -> Result<Value, CommandError> {
    let call: CallId = id.parse().map_err(|error: IdError| CommandError::Usage(error.to_string()))?;
    if comment.len() > COMMENT_BYTES_MAX {
        return Err(CommandError::Usage(format!("a comment has at most {COMMENT_BYTES_MAX} bytes; shorten it")));
    }
    let answering = Answering { call, approve, claims: caller.claims, comment, trace: caller.trace };
    match app.plane.answer(answering).await {
        Ok(waiting) => Ok(json!({ "approved": approve, "call": row(waiting) })),
        Err(error @ AnswerError::NotWaiting) => Err(CommandError::NotFound(error.to_string())),
        Err(error) => Err(CommandError::Failed(error.to_string())),
    }
}

fn show_answered(word: &str, result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let field = |name: &str| table::printable(result["call"][name].as_str().unwrap_or("?"));
    writeln!(out, "{word}: {} of {} on {} (trace {})", field("tool"), field("user"), field("server"), field("trace"))
}

inventory::submit!(Entry::of::<List>());
inventory::submit!(Entry::of::<Approve>());
inventory::submit!(Entry::of::<Deny>());
