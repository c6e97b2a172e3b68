//! `sp infra logs sinks`.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::cli::table;
use crate::operator::{Caller, Command, CommandError, Entry};

/// How the sinks stand.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShowSinks {}

impl Command for ShowSinks {
    const PATH: &'static [&'static str] = &["infra", "logs", "sinks"];
    const ABOUT: &'static str = "Systems that get the audit trail: how far each is, and what it holds back";
    const READ_ONLY: bool = true;
    const SCOPES: &'static [&'static str] = crate::operator::AUDIT;
    const EXAMPLES: &'static str = "\
Examples:
  sp infra logs sinks
  sp infra logs sinks --json | jq '.sinks[] | select(.behind > 0)'

Sinks are declared in services/sinks/*.yaml. The same numbers are in /metrics as sp_sink_*.";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        Ok(json!({ "sinks": app.sinks.status().await }))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        let sinks = result["sinks"].as_array().map(Vec::as_slice).unwrap_or_default();
        if sinks.is_empty() {
            return writeln!(out, "no sink is declared; see services/README.md");
        }
        const COLUMNS: &[&str] = &["name", "kind", "state", "behind", "delivered", "refused", "lost", "delivered_at", "reason"];
        write!(out, "{}", table::of(COLUMNS, sinks))
    }
}

inventory::submit! { Entry::of::<ShowSinks>() }
