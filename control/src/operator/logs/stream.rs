//! `sp infra logs stream`.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{COLUMNS, Wanted, failed, rows, shown};
use crate::app::App;
use crate::logs::Follow;
use crate::operator::{Caller, Command, CommandError, Entry};

/// How long a `stream` call waits for something to happen. LIMIT: shorter than the read time-outs of proxies.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// How often it looks. Rows are visible some 50 to 100 ms after the decision.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Events of one stream in one answer.
const FOLLOW_MAX: u16 = 500;

/// What happens from now on, as it happens.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
pub(super) struct Stream {
    #[command(flatten)]
    #[serde(flatten)]
    wanted: Wanted,
    /// Go on behind this place: the `place` of an event, or `next` of an answer
    #[arg(long, value_name = "PLACE")]
    #[serde(default)]
    after: Option<Follow>,
}

impl Command for Stream {
    const PATH: &'static [&'static str] = &["infra", "logs", "stream"];
    const ABOUT: &'static str = "Follow the audit trail as it grows; waits for events and says where to go on";
    const READ_ONLY: bool = true;
    const SCOPES: &'static [&'static str] = crate::operator::AUDIT;
    const EXAMPLES: &'static str = "\
Examples:
  sp infra logs stream                                      everything, as it happens
  sp infra logs stream --verdict deny --server git          refusals of one server
  sp infra logs stream --since 15m                          the last quarter of an hour, and on from there
  sp infra logs stream --json >> trail.jsonl                one event a line; each has a `place`
  sp infra logs stream --json --after \"$(tail -1 trail.jsonl | jq -r .place)\"
                                                            go on where the file ends, with nothing left out

A gateway that goes away is waited for, and nothing that happened meanwhile is left out.";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let filter = self.wanted.filter()?;
        let mut follow = match (self.after, filter.since) {
            (Some(after), _) => after,
            (None, Some(since)) => Follow::from_time(&app.database, since).await.map_err(failed)?,
            (None, None) => {
                // Answered at once: whoever is cut off while waiting would not know where to go on.
                let follow = Follow::from_now(&app.database).await.map_err(failed)?;
                return Ok(json!({ "events": [], "next": follow }));
            }
        };
        let until = Instant::now() + WAIT_MAX;
        loop {
            let batch = follow.next(&app.database, FOLLOW_MAX).await.map_err(failed)?;
            let more = batch.len() >= usize::from(FOLLOW_MAX);
            let events: Vec<Value> = batch
                .into_iter()
                // Asking is an event too; who follows would see little else.
                .filter(|(event, _)| filter.admits(event) && event.tool.as_deref() != Some("infra_logs_stream"))
                .map(|(event, place)| with_place(json!(event), &place))
                .collect();
            let now = Instant::now();
            if !events.is_empty() || now >= until {
                return Ok(json!({ "events": events, "next": follow }));
            }
            if !more {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        for event in rows(result) {
            let field = |name: &&str| Some(shown(&event, name)).filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
            let words: Vec<String> = COLUMNS.iter().map(field).collect();
            writeln!(out, "{}", words.join("  "))?;
        }
        Ok(())
    }
}

fn with_place(mut event: Value, place: &Follow) -> Value {
    event["place"] = json!(place);
    event
}

inventory::submit! { Entry::of::<Stream>() }
