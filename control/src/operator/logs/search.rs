//! `sp infra logs search`.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{COLUMNS, Wanted, failed, rows};
use crate::app::App;
use crate::cli::table;
use crate::logs::{self, PlaceError};
use crate::operator::{Caller, Command, CommandError, Entry};

/// Searches the audit trail, newest first.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
pub(super) struct Search {
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
    const SCOPES: &'static [&'static str] = crate::operator::AUDIT;
    const EXAMPLES: &'static str = "\
Examples:
  sp infra logs search --decision deny --since 1h           what was refused in the last hour
  sp infra logs search --user ann --tool 'git_push'         what one user did with one tool
  sp infra logs search --layer secrets --limit 1000         secrets that were stopped
  sp infra logs search --kind policy_change                 who changed the policy
  sp infra logs search --text /etc/passwd --since 7d        a text anywhere in an event
  sp infra logs search --json | jq -r '.events[].trace'     traces, for `sp infra logs audit`

A page ends with a line on standard error that says how to go on: --before PLACE (`next` with --json).";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let before = self.before.map(|text| text.parse().map_err(|error: PlaceError| CommandError::Usage(error.to_string())));
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

inventory::submit! { Entry::of::<Search>() }
