//! `sp infra logs export`: the tool gives pages of events; the command line asks for one after the other and writes them in
//! the format that is wanted (`cli/export.rs`).

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Wanted, failed};
use crate::app::App;
use crate::logs::{self, EXPORT_PAGE_MAX, PlaceError};
use crate::operator::{Caller, Command, CommandError, Entry};

/// In which form events are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// JSON Lines: every field, one event a line
    #[default]
    Jsonl,
    /// RFC 4180, with a header
    Csv,
    /// Apache Parquet, compressed
    Parquet,
    /// OCSF 1.8, one JSON event a line
    Ocsf,
    /// Elastic Common Schema 9.4, one JSON event a line
    Ecs,
    /// ArcSight Common Event Format
    Cef,
}

/// Exports the audit trail, oldest first.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
pub(super) struct Export {
    #[command(flatten)]
    #[serde(flatten)]
    wanted: Wanted,
    /// Go on behind this place: `next` of the page before
    #[arg(long, value_name = "PLACE")]
    after: Option<String>,
    /// Events of one page
    #[arg(long, value_name = "N", default_value_t = EXPORT_PAGE_MAX, hide = true)]
    #[serde(default = "page")]
    page: u16,
    /// In which form
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    #[serde(skip)]
    format: Format,
    /// Into this file; without it, to standard output
    #[arg(long, short, value_name = "FILE")]
    #[serde(skip)]
    output: Option<PathBuf>,
}

fn page() -> u16 {
    1_000
}

impl Command for Export {
    const PATH: &'static [&'static str] = &["infra", "logs", "export"];
    const ABOUT: &'static str = "Export the audit trail, oldest first: for a SIEM, a warehouse or an auditor";
    const READ_ONLY: bool = true;
    const SCOPES: &'static [&'static str] = crate::operator::AUDIT;
    const EXAMPLES: &'static str = "\
Examples:
  sp infra logs export --since 2026-11-01T00:00Z --until 2026-12-01T00:00Z -o november.jsonl
  sp infra logs export --since 1d --format csv | gzip > yesterday.csv.gz
  sp infra logs export --since 30d --format parquet -o month.parquet
  sp infra logs export --verdict deny --format ocsf | vector --config siem.toml

Memory holds one page, however much is exported. An export that breaks off says where to go on: --after PLACE with the
same filter. Events of a time range are complete once the gateway has shipped them (`sp_records_behind` is 0).";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let after = self.after.map(|text| text.parse().map_err(|error: PlaceError| CommandError::Usage(error.to_string())));
        let page = logs::export(&app.database, &self.wanted.filter()?, after.transpose()?, self.page).await.map_err(failed)?;
        Ok(json!({ "events": page.events, "next": page.next.map(|place| place.to_string()) }))
    }
}

inventory::submit! { Entry::of::<Export>() }
