//! Commands that look at the evidence itself, past the gateway: `verify`, `checkpoints export`, `journal`. They read the
//! database or the journal's files, change nothing, and need no gateway that runs or can be trusted.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command};
use dataplane::journal::inspect;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use serde_json::json;
use wire::checkpoint::Checkpoint;

use super::{Exit, fail};
use crate::cli::target::Target;
use crate::evidence::checkpoint::{self, Line};
use crate::evidence::trust::{Origin, Trust};
use crate::evidence::verify::{self, Progress, Range, Report};
use crate::evidence::walk::Finding;
use crate::postgres::{Database, private_config};

/// The subcommands of `sp infra logs` that are carried out here.
pub fn commands() -> Vec<Command> {
    let export = database_arg(Command::new("export").about("Print every checkpoint as a line of JSON, to keep elsewhere"));
    let checkpoints = Command::new("checkpoints")
        .about("What the gateway has signed about the audit trail")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(export);
    let journal = Command::new("journal")
        .about("Look into a journal directory, or one stream of it, without changing anything")
        .arg(
            Arg::new("dir")
                .value_name("DIR")
                .value_parser(clap::value_parser!(PathBuf))
                .help("The directory [default: the data directory's]"),
        )
        .arg(
            Arg::new("records")
                .long("records")
                .value_name("N")
                .value_parser(clap::value_parser!(usize))
                .default_value("0")
                .help("Print the last N records of each stream"),
        );
    vec![verify_command(), checkpoints, journal]
}

fn verify_command() -> Command {
    let command = Command::new("verify")
        .about("Prove from the database alone that the audit trail is what the gateway wrote")
        .long_about(
            "Prove from the database alone that the audit trail is what the gateway wrote.\n\
             Recomputes the hash chain of every stream and compares it with what was signed. Reports the first row that was \
             altered, removed, put in or moved, and up to where everything is proven. Ends with 1 when anything is wrong.",
        )
        .arg(
            Arg::new("key")
                .long("key")
                .value_name("KEY")
                .action(ArgAction::Append)
                .help("Public key: a JWK set file, or base64 [default: the data directory's, else the database's own]"),
        )
        .arg(
            Arg::new("checkpoints")
                .long("checkpoints")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("Checkpoints that were exported before: each must still hold"),
        )
        .arg(Arg::new("from").long("from").value_name("TIME").help("Rows since then: 2026-11-22, 2026-11-22T08:00:00Z or 2h"))
        .arg(Arg::new("to").long("to").value_name("TIME").help("Rows until then"));
    database_arg(command)
}

fn database_arg(command: Command) -> Command {
    command.arg(
        Arg::new("database-url")
            .long("database-url")
            .value_name("URL")
            .env("DATABASE_URL")
            .hide_env_values(true)
            .help("The database [default: the private one of the data directory, which must run]"),
    )
}

/// `sp infra logs verify`.
pub fn verify(matches: &ArgMatches) -> Exit {
    let as_json = matches.get_flag("json");
    let report = match on_runtime(verify_with(matches)) {
        Ok(report) => report,
        Err(error) => return fail(Exit::Failure, format!("{error:#}")),
    };
    let mut out = std::io::stdout().lock();
    let written = if as_json { writeln!(out, "{}", json!(report)) } else { show(&report, &mut out) };
    if let Err(error) = written {
        return fail(Exit::Failure, error);
    }
    if report.ok { Exit::Success } else { Exit::Failure }
}

async fn verify_with(matches: &ArgMatches) -> anyhow::Result<Report> {
    let time = |name: &str| matches.get_one::<String>(name).map(|text| moment(text)).transpose();
    let range = Range { from: time("from")?, to: time("to")? };
    let exported = match matches.get_one::<PathBuf>("checkpoints") {
        Some(path) => read_export(path)?,
        None => Vec::new(),
    };
    let trust = match matches.get_many::<String>("key") {
        Some(keys) => Some(Trust::given(keys)?),
        None => Trust::of_data_dir_if_there(&data_dir(matches)?)?,
    };
    let database = database(matches)?;
    let mut client = database.get().await.context("the database cannot be reached; name it with --database-url")?;
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} rows, {per_sec}, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut tell = |progress: Progress| {
        bar.set_length(progress.row_count_total.max(progress.row_count));
        bar.set_position(progress.row_count);
    };
    let report = verify::verify(&mut client, trust, range, &exported, &mut tell).await;
    bar.finish_and_clear();
    Ok(report?)
}

/// Writes a report for a person.
fn show(report: &Report, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    for stream in &report.streams {
        let walked = &stream.walked;
        let state = if walked.findings.is_empty() { "ok" } else { "NOT OK" };
        writeln!(out, "stream {}/{}: {state}", stream.node, stream.shard)?;
        writeln!(
            out,
            "  rows {} to {}: {} checked, {} dropped by retention",
            walked.first, walked.last, walked.row_count, walked.dropped_count
        )?;
        match walked.signed_through {
            0 => writeln!(out, "  nothing is signed yet")?,
            through => {
                let at = Timestamp::from_microsecond(walked.signed_at_us.cast_signed()).unwrap_or_default();
                writeln!(out, "  proven up to row {through}, signed at {at}")?;
                if through < walked.last {
                    writeln!(out, "  rows {} to {} are linked and not signed yet", through + 1, walked.last)?;
                }
            }
        }
        for finding in &walked.findings {
            writeln!(out, "  {}", sentence(finding))?;
        }
    }
    for problem in &report.problems {
        writeln!(out, "problem: {problem}")?;
    }
    for warning in &report.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    if report.keys == Origin::Database {
        writeln!(out, "warning: the keys come from the database itself; give the gateway's with --key")?;
    }
    let rate = report.rows_per_second();
    writeln!(
        out,
        "{}: {} rows in {} ms, {rate:.0} rows/s",
        if report.ok { "verified" } else { "NOT VERIFIED" },
        report.row_count,
        report.elapsed_ms
    )
}

fn sentence(finding: &Finding) -> String {
    match finding {
        Finding::Altered { seq, what } => format!("row {seq} was altered: {what}"),
        Finding::Missing { first, last } if first == last => format!("row {first} is missing"),
        Finding::Missing { first, last } => format!("rows {first} to {last} are missing"),
        Finding::Inserted { seq } => format!("a row with number {seq} was put in: it was never recorded"),
        Finding::Reordered { seq, found_at } => format!("row {seq} was moved: it stands in the place of row {found_at}"),
        Finding::Rewritten { after, through, checkpoint } => {
            format!("rows {} to {through} were made anew: they do not lead to what checkpoint {checkpoint} signed", after + 1)
        }
        Finding::More { count } => format!("{count} more rows do not fit"),
    }
}

/// `sp infra logs checkpoints export`.
pub fn export(matches: &ArgMatches) -> Exit {
    let export = async {
        let database = database(matches)?;
        let mut client = database.get().await.context("the database cannot be reached; name it with --database-url")?;
        anyhow::Ok(checkpoint::export(&mut client).await?)
    };
    match on_runtime(export) {
        Ok(checkpoints) => {
            let mut out = std::io::stdout().lock();
            let write = |checkpoint: &Checkpoint| writeln!(out, "{}", json!(Line::from(checkpoint)));
            match checkpoints.iter().try_for_each(write) {
                Ok(()) => Exit::Success,
                Err(error) => fail(Exit::Failure, error),
            }
        }
        Err(error) => fail(Exit::Failure, format!("{error:#}")),
    }
}

fn read_export(path: &Path) -> anyhow::Result<Vec<Checkpoint>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let line = |(number, line): (usize, &str)| {
        let what = || format!("`{}`, line {}", path.display(), number + 1);
        let line: Line = serde_json::from_str(line).with_context(what)?;
        line.checkpoint().map_err(anyhow::Error::msg).with_context(what)
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(line).collect()
}

/// `sp infra logs journal`.
pub fn journal(matches: &ArgMatches) -> Exit {
    let dir = match matches.get_one::<PathBuf>("dir") {
        Some(dir) => dir.clone(),
        None => match data_dir(matches) {
            Ok(dir) => dir.join("journal"),
            Err(error) => return fail(Exit::Failure, format!("{error:#}")),
        },
    };
    let records = matches.get_one::<usize>("records").copied().unwrap_or(0);
    let streams = match inspect::inspect(&dir, records) {
        Ok(streams) if streams.is_empty() => return fail(Exit::Failure, format!("`{}` holds no journal", dir.display())),
        Ok(streams) => streams,
        Err(error) => return fail(Exit::Failure, crate::postgres::error_chain(&error)),
    };
    let mut out = std::io::stdout().lock();
    let written = if matches.get_flag("json") {
        writeln!(out, "{}", json!(streams))
    } else {
        streams.iter().try_for_each(|stream| show_stream(stream, &mut out))
    };
    match written {
        Ok(()) if streams.iter().all(|stream| stream.damage.is_none()) => Exit::Success,
        Ok(()) => Exit::Failure,
        Err(error) => fail(Exit::Failure, error),
    }
}

fn show_stream(stream: &inspect::Stream, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    writeln!(out, "{}: node {}, shard {}", stream.dir.display(), stream.node.as_deref().unwrap_or("?"), stream.shard)?;
    for segment in &stream.segments {
        let name = segment.path.file_name().unwrap_or_default().to_string_lossy();
        let torn =
            if segment.tail_bytes > 0 { format!(", {} bytes behind the last frame", segment.tail_bytes) } else { String::new() };
        writeln!(out, "  {name}  records {} to {}, {} bytes{torn}", segment.first, segment.last, segment.bytes)?;
    }
    if let Some(synced) = stream.synced {
        writeln!(out, "  synced up to record {synced}")?;
    }
    for (name, seq) in &stream.consumers {
        writeln!(out, "  {name} has read up to record {seq}")?;
    }
    writeln!(out, "  {} calls noted as open up to record {}", stream.open_calls, stream.open_through)?;
    for record in &stream.records {
        writeln!(out, "  {}", super::table::printable(&record.to_string()))?;
    }
    match &stream.damage {
        Some(damage) => writeln!(out, "  DAMAGED: {damage}"),
        None => Ok(()),
    }
}

fn database(matches: &ArgMatches) -> anyhow::Result<Database> {
    let target = Target::of(matches)?;
    let of_profile = target.chosen.profile().map_or(Ok(None), |profile| profile.database_url());
    match matches.get_one::<String>("database-url").cloned().map_or(of_profile, |url| Ok(Some(url)))? {
        Some(url) => Ok(Database::external(&url)?),
        None => {
            let config = private_config(&target.data_dir).with_context(|| {
                let dir = target.data_dir.display();
                format!("no private PostgreSQL runs in `{dir}`; name the database with --database-url or --profile")
            })?;
            Ok(Database::with_roles(config.clone(), config)?)
        }
    }
}

fn data_dir(matches: &ArgMatches) -> anyhow::Result<PathBuf> {
    Ok(Target::of(matches)?.data_dir)
}

fn on_runtime<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime can be started")?.block_on(work)
}

/// A moment, a day (its beginning, UTC), or how long ago.
fn moment(text: &str) -> anyhow::Result<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        return Ok(day.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp());
    }
    let ago: Option<jiff::SignedDuration> = text.parse().ok();
    let at = ago.and_then(|ago| Timestamp::now().checked_sub(ago).ok());
    at.with_context(|| format!("`{text}` is not a time: write 2026-11-22, 2026-11-22T08:00:00Z or how long ago, such as 2h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_moments_days_or_how_long_ago() {
        assert_eq!(moment("2026-11-22T08:00:00Z").unwrap().as_second(), 1_795_334_400);
        assert_eq!(moment("2026-11-22").unwrap().as_second(), 1_795_305_600);
        assert!((Timestamp::now().as_second() - moment("2h").unwrap().as_second() - 7_200).abs() < 5);
        for text in ["", "yesterday", "2026-13-40"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
