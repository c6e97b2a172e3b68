//! Exporting: asks for page after page and writes each in the format that is wanted. Memory holds one page.

use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::{Exit, ended, fail, unwritten};
use crate::logs::event::AuditEvent;
use crate::operator::Entry;
use crate::operator::logs::Format;
use crate::siem::{cef, ecs, ocsf};

mod columns;
mod parquet;

/// How often a page is tried again before the export ends.
const TRIES: u32 = 5;

/// Writes events in one format.
enum Writer {
    Lines { out: Out, format: Format },
    Csv(Box<columns::Csv<Out>>),
    Parquet(Box<parquet::Parquet<Out>>),
}

type Out = BufWriter<Box<dyn Write + Send>>;

impl Writer {
    fn new(format: Format, out: Box<dyn Write + Send>) -> std::io::Result<Writer> {
        let out = BufWriter::with_capacity(256 << 10, out);
        Ok(match format {
            Format::Csv => Writer::Csv(Box::new(columns::Csv::new(out)?)),
            Format::Parquet => Writer::Parquet(Box::new(parquet::Parquet::new(out)?)),
            Format::Jsonl | Format::Ocsf | Format::Ecs | Format::Cef => Writer::Lines { out, format },
        })
    }

    fn write(&mut self, events: &[AuditEvent]) -> std::io::Result<()> {
        match self {
            Writer::Csv(writer) => writer.write(events),
            Writer::Parquet(writer) => writer.write(events),
            Writer::Lines { out, format } => {
                for event in events {
                    match format {
                        Format::Ocsf => serde_json::to_writer(&mut *out, &ocsf::event(event))?,
                        Format::Ecs => serde_json::to_writer(&mut *out, &ecs::event(event))?,
                        Format::Cef => out.write_all(cef::line(event).as_bytes())?,
                        Format::Jsonl | Format::Csv | Format::Parquet => serde_json::to_writer(&mut *out, event)?,
                    }
                    out.write_all(b"\n")?;
                }
                // Whoever reads a pipe sees whole pages.
                out.flush()
            }
        }
    }

    /// What was written is whole; without this a Parquet file cannot be read.
    fn finish(self) -> std::io::Result<()> {
        match self {
            Writer::Csv(writer) => writer.finish(),
            Writer::Parquet(writer) => writer.finish(),
            Writer::Lines { mut out, .. } => out.flush(),
        }
    }
}

/// Exports everything that the command line asks for.
pub(super) async fn export(entry: &Entry, client: Client, mut arguments: Value, leaf: &ArgMatches) -> Exit {
    let format = leaf.get_one::<Format>("format").copied().unwrap_or_default();
    let target = leaf.get_one::<PathBuf>("output").cloned();
    if target.is_none() && format == Format::Parquet && std::io::stdout().is_terminal() {
        return fail(Exit::Usage, "Parquet is not for a terminal; write it to a file with --output FILE");
    }
    // Pages of one export end at the same moment; what the export itself adds to the trail comes later.
    if arguments["until"].is_null() {
        arguments["until"] = json!(jiff::Timestamp::now().to_string());
    }
    let part = target.as_deref().map(part_of);
    let out: Box<dyn Write + Send> = match &part {
        Some(part) => match File::create(part) {
            Ok(file) => Box::new(file),
            Err(error) => return fail(Exit::Failure, format!("`{}` cannot be made: {error}", part.display())),
        },
        None => Box::new(std::io::stdout()),
    };
    let writer = match Writer::new(format, out) {
        Ok(writer) => writer,
        Err(error) => return unwritten(&error),
    };
    let mut run = Run { entry, client, leaf, arguments, event_count: 0, progress: progress() };
    let exit = run.all(writer).await;
    run.progress.finish_and_clear();
    let (Some(target), Some(part)) = (target, part) else { return exit };
    if exit != Exit::Success {
        let _ = writeln!(std::io::stderr(), "sp: what was exported so far is in `{}`", part.display());
        return exit;
    }
    if let Err(error) = std::fs::rename(&part, &target) {
        return fail(Exit::Failure, format!("`{}` cannot be renamed to `{}`: {error}", part.display(), target.display()));
    }
    let report = json!({ "events": run.event_count, "file": target.display().to_string() });
    let mut out = std::io::stdout().lock();
    let said = if leaf.get_flag("json") {
        writeln!(out, "{report}")
    } else {
        writeln!(out, "{} events in {}", run.event_count, target.display())
    };
    said.map_or_else(|error| unwritten(&error), |()| Exit::Success)
}

/// A file that is not whole yet has another name.
fn part_of(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    target.with_file_name(name)
}

/// What is shown on a terminal while it goes on; nothing anywhere else.
fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} events, {per_sec}, up to {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

struct Run<'a> {
    entry: &'a Entry,
    client: Client,
    leaf: &'a ArgMatches,
    arguments: Value,
    event_count: u64,
    progress: ProgressBar,
}

impl Run<'_> {
    async fn all(&mut self, mut writer: Writer) -> Exit {
        loop {
            let (events, next) = match self.page().await {
                Ok(page) => page,
                Err(error) => {
                    // What is there is left whole, and can be gone on from.
                    let finished = writer.finish();
                    let after = self.arguments["after"].as_str().map(|place| format!("; go on with --after {place}"));
                    let _ = writeln!(
                        std::io::stderr(),
                        "sp: the export broke off after {} events{}",
                        self.event_count,
                        after.unwrap_or_default()
                    );
                    return finished.map_or_else(|error| unwritten(&error), |()| ended(&error));
                }
            };
            if let Err(error) = writer.write(&events) {
                return unwritten(&error);
            }
            self.event_count += events.len() as u64;
            self.progress.set_position(self.event_count);
            if let Some(last) = events.last() {
                self.progress.set_message(last.at.strftime("%F %T").to_string());
            }
            match next {
                Some(next) => self.arguments["after"] = json!(next),
                None => return writer.finish().map_or_else(|error| unwritten(&error), |()| Exit::Success),
            }
        }
    }

    /// One page. It can be asked for again, so a gateway that is away for a moment ends nothing.
    async fn page(&mut self) -> Result<(Vec<AuditEvent>, Option<String>), ClientError> {
        let mut tries = 0;
        let mut result = loop {
            tries += 1;
            match self.client.call_tool(&self.entry.tool(), &self.arguments).await {
                Ok(result) => break result,
                // Our own token lives for some minutes; a new one shows whether that was the reason.
                Err(ClientError::Denied(_) | ClientError::Unidentified(_)) if self.event_count > 0 && tries == 1 => {
                    self.client = Client::from_args(self.leaf).await?;
                }
                Err(ClientError::Unreachable { .. }) if self.event_count > 0 && tries < TRIES => {
                    tokio::time::sleep(Duration::from_secs(1 << tries)).await;
                }
                Err(error) => return Err(error),
            }
        };
        let next = result["next"].as_str().map(str::to_owned);
        let events = serde_json::from_value(result["events"].take())
            .map_err(|error| ClientError::Protocol(format!("a page of events is not one: {error}")))?;
        Ok((events, next))
    }
}
