//! `sp infra logs summary`.

use std::io::{IsTerminal as _, Write};
use std::sync::Arc;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Wanted, failed, shown};
use crate::app::App;
use crate::cli::table::printable;
use crate::logs;
use crate::operator::{Caller, Command, CommandError, Entry};

/// Adds up what happened.
#[derive(Debug, Args, Serialize, Deserialize, JsonSchema)]
pub(super) struct Summarize {
    #[command(flatten)]
    #[serde(flatten)]
    wanted: Wanted,
    /// How many users and tools are listed
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=100))]
    #[serde(default = "ten")]
    top: u8,
}

fn ten() -> u8 {
    10
}

impl Command for Summarize {
    const PATH: &'static [&'static str] = &["infra", "logs", "summary"];
    const ABOUT: &'static str = "Add up what happened: how much, what was refused and why, by whom, how fast";
    const READ_ONLY: bool = true;
    const SCOPES: &'static [&'static str] = crate::operator::AUDIT;
    const EXAMPLES: &'static str = "\
Examples:
  sp infra logs summary                                     the last day
  sp infra logs summary --since 1h --server git             one server, the last hour
  sp infra logs summary --user ann --since 7d --top 20
  sp infra logs summary --json | jq .refusals               numbers for a script

Percentiles are within one per cent.";

    async fn run(self, app: Arc<App>, _: Caller) -> Result<Value, CommandError> {
        let summary = logs::summary(&app.database, &self.wanted.filter()?, self.top).await.map_err(failed)?;
        serde_json::to_value(summary).map_err(|error| CommandError::Failed(error.to_string()))
    }

    fn show(result: &Value, out: &mut dyn Write) -> std::io::Result<()> {
        let drawn = std::io::stdout().is_terminal();
        writeln!(out, "{} to {}: {} events", shown(result, "since"), shown(result, "until"), result["events"])?;
        if drawn {
            for (title, name) in [("events", "events"), ("refused", "refused")] {
                let steps = result["steps"].as_array().into_iter().flatten();
                let values: Vec<i64> = steps.map(|step| step[name].as_i64().unwrap_or(0)).collect();
                writeln!(out, "{title:<10}{}  up to {}", sparkline(&values), values.iter().max().unwrap_or(&0))?;
            }
        }
        for (title, name) in [("kinds", "kinds"), ("verdicts", "verdicts"), ("outcomes", "outcomes")] {
            let counts = result[name].as_object().into_iter().flatten();
            let words: Vec<String> = counts.map(|(word, count)| format!("{} {count}", printable(word))).collect();
            if !words.is_empty() {
                writeln!(out, "{title:<10}{}", words.join(", "))?;
            }
        }
        for (title, name) in [("decided in", "decide"), ("took", "duration")] {
            show_latency(title, &result[name], out)?;
        }
        let reason = |row: &Value| format!("{}: {}", shown(row, "layer"), shown(row, "reason"));
        show_counts("refused because of", &result["refusals"], &reason, drawn, out)?;
        show_counts("users", &result["users"], &|row| shown(row, "name"), drawn, out)?;
        show_counts("tools", &result["tools"], &|row| shown(row, "name"), drawn, out)
    }
}

fn show_latency(title: &str, latency: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    if latency.is_null() {
        return Ok(());
    }
    let parts = ["p50", "p90", "p99", "p999", "max"].map(|name| {
        let us = latency[format!("{name}_us")].as_f64().unwrap_or(0.0);
        format!("{name} {}", duration(us))
    });
    writeln!(out, "{title:<11}{} ({} times)", parts.join(", "), latency["count"])
}

/// Three digits and a unit.
fn duration(us: f64) -> String {
    let (value, unit) = match us {
        us if us < 1_000.0 => (us, "us"),
        us if us < 1_000_000.0 => (us / 1e3, "ms"),
        us => (us / 1e6, "s"),
    };
    let digits = if value < 10.0 {
        2
    } else if value < 100.0 {
        1
    } else {
        0
    };
    format!("{value:.digits$} {unit}")
}

fn show_counts(
    title: &str,
    rows: &Value,
    name: &dyn Fn(&Value) -> String,
    drawn: bool,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    let names: Vec<String> =
        rows.iter().map(|row| Some(name(row)).filter(|name| !name.is_empty()).unwrap_or("-".into())).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(48);
    let most = rows.iter().filter_map(|row| row["events"].as_i64()).max().unwrap_or(1);
    for (row, name) in rows.iter().zip(names) {
        let events = row["events"].as_i64().unwrap_or(0);
        let refused = row["refused"].as_i64().filter(|refused| *refused > 0).map(|refused| format!("  {refused} refused"));
        let bar = if drawn { format!("  {}", bar(events, most)) } else { String::new() };
        writeln!(out, "  {name:<width$}  {events:>9}{bar}{}", refused.unwrap_or_default())?;
    }
    Ok(())
}

/// One character for each value.
fn sparkline(values: &[i64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let height = |value: i64| match value {
        0 => ' ',
        value => BARS[((value - 1) as f64 / most as f64 * BARS.len() as f64) as usize % BARS.len()],
    };
    values.iter().map(|value| height((*value).max(0))).collect()
}

/// Twenty characters for the most.
fn bar(value: i64, most: i64) -> String {
    let eighths = (value.max(0) as f64 / most.max(1) as f64 * 160.0).ceil() as usize;
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    format!("{:<20}", "█".repeat(eighths / 8) + PARTS[eighths % 8])
}

inventory::submit! { Entry::of::<Summarize>() }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_drawn_in_proportion() {
        assert_eq!(sparkline(&[0, 1, 4, 8]), " ▁▄█");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[i64::MAX, i64::MIN]).chars().count(), 2);
        assert_eq!(bar(1, 2).trim_end(), "█".repeat(10));
        assert_eq!(bar(0, 0).trim_end(), "");
    }

    #[test]
    fn durations_have_three_digits() {
        for (us, text) in [(1.234, "1.23 us"), (999.4, "999 us"), (12_345.0, "12.3 ms"), (2e6, "2.00 s")] {
            assert_eq!(duration(us), text);
        }
    }
}
