//! `cargo x eval secrets`: runs the compiled secrets layer over rows `{"text","is_secret","rule","kind","variant"}`
//! and prints recall, false alarms and time per size class.
//!
//! Encoded variants are made here from the rows that are secrets, so that any corpus measures the decodings too.

mod variants;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use dataplane::chain::secrets::{ScanScratch, SecretScanner, SecretsConfig, Side, Subject, Verdict};
use serde::Deserialize;
use serde_json::json;

/// Options of `cargo x eval secrets`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Corpora, one JSON object per line
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// How a row's text reaches the scanner
    #[arg(long, value_enum, default_value = "json")]
    wrap: Wrap,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// List the rows that were missed or wrongly flagged
    #[arg(long)]
    list: bool,
    /// Leave the encoded variants out
    #[arg(long)]
    plain: bool,
    /// Run this very build, though it was made without optimisation and its times mean nothing
    #[arg(long)]
    unoptimised: bool,
}

/// How a row's text reaches the scanner.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Wrap {
    /// As plain text, the way results are scanned
    Raw,
    /// As the `content` of a JSON arguments object; rows that are JSON arguments already stay as they are
    Json,
    /// The text is the JSON of the arguments
    None,
}

#[derive(Deserialize, Debug)]
struct Row {
    text: String,
    is_secret: bool,
    #[serde(default)]
    rule: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    variant: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    id: Option<serde_json::Value>,
}

impl Row {
    fn is_benign(&self) -> bool {
        !self.is_secret && !self.is_hard_negative()
    }

    /// A value that looks like a secret of its rule and is none.
    fn is_hard_negative(&self) -> bool {
        !self.is_secret && self.kind.as_deref().is_some_and(|kind| kind.contains("negative"))
    }
}

#[derive(Default, Clone, Copy)]
struct Share {
    hits: usize,
    of: usize,
}

impl Share {
    fn add(&mut self, hit: bool) {
        self.hits += usize::from(hit);
        self.of += 1;
    }

    fn rate(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.hits as f64 / self.of as f64 }
    }
}

/// Upper ends of the size classes, in bytes of arguments, and their names.
const SIZES: [(usize, &str); 4] = [(2_048, "1 KB"), (8_192, "4 KB"), (28_672, "16 KB"), (65_536, "42 KB")];

struct Bench {
    scanner: SecretScanner,
    scratch: ScanScratch,
}

struct Outcome {
    flagged: bool,
    rule: String,
}

impl Bench {
    fn new() -> Result<Bench> {
        let scanner = SecretScanner::compile(&SecretsConfig::default())?;
        let scratch = ScanScratch::new(&scanner);
        Ok(Bench { scanner, scratch })
    }

    fn scan(&mut self, text: &str, wrap: Wrap, arguments: bool) -> Outcome {
        let subject = Subject { side: Side::Arguments, tool: "eval", key: &[7; 32] };
        let verdict = match wrap {
            Wrap::Raw if !arguments => self.scanner.scan_text(&mut self.scratch, subject, text),
            Wrap::Raw | Wrap::Json | Wrap::None => {
                let mut bytes = wrapped(text, wrap, arguments);
                match simd_json::to_tape(&mut bytes) {
                    Ok(tape) => self.scanner.scan(&mut self.scratch, subject, &tape.0),
                    Err(_) => self.scanner.scan_text(&mut self.scratch, subject, text),
                }
            }
        };
        let rule = match verdict {
            Verdict::Clean => String::new(),
            Verdict::Unscannable(why) => format!("unscannable: {why:?}"),
            Verdict::Noted | Verdict::Denied(_) => self
                .scratch
                .findings()
                .iter()
                .filter_map(|f| Some(format!("{} at {} {:?}", self.scanner.rule(f.rule)?.id, f.pointer, f.span)))
                .collect::<Vec<_>>()
                .join(", "),
        };
        Outcome { flagged: verdict != Verdict::Clean, rule }
    }

    /// Median nanoseconds of a scan, the tape already made, as in the chain.
    fn time(&mut self, text: &str, wrap: Wrap) -> u64 {
        const TIMES: usize = 25;
        let subject = Subject { side: Side::Arguments, tool: "eval", key: &[7; 32] };
        let mut bytes = wrapped(text, wrap, true);
        let Ok(tape) = simd_json::to_tape(&mut bytes) else { return 0 };
        let mut samples = [0u64; TIMES];
        for sample in &mut samples {
            let start = Instant::now();
            let verdict = self.scanner.scan(&mut self.scratch, subject, &tape.0);
            std::hint::black_box(verdict);
            *sample = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        }
        samples.sort_unstable();
        samples[TIMES / 2]
    }
}

fn wrapped(text: &str, wrap: Wrap, arguments: bool) -> Vec<u8> {
    if wrap == Wrap::None || arguments {
        text.as_bytes().to_vec()
    } else {
        json!({"path": "/workspace/notes.txt", "content": text}).to_string().into_bytes()
    }
}

#[derive(Default)]
struct Report {
    recall: Share,
    by_rule: BTreeMap<String, Share>,
    by_kind: BTreeMap<String, Share>,
    by_variant: BTreeMap<String, Share>,
    benign: Share,
    hard_negative: Share,
    times: [Vec<u64>; SIZES.len()],
    bytes: usize,
    nanos: u64,
}

/// Runs the evaluation and prints its report.
///
/// # Errors
/// A file cannot be read or a row is not of the documented form.
pub fn run(args: &Args) -> Result<()> {
    if cfg!(debug_assertions) && !args.unoptimised {
        return run_optimised();
    }
    let mut bench = Bench::new()?;
    let mut report = Report::default();
    for file in &args.files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let row: Row = serde_json::from_str(line)
                .with_context(|| format!("`{}` line {}: not a row with text and is_secret", file.display(), number + 1))?;
            measure(&mut bench, &row, args, &mut report);
        }
    }
    if args.json {
        print_json(&report)
    } else {
        print_table(&report)
    }
    Ok(())
}

/// Runs the same command in a build with optimisation: the times of another one say nothing.
fn run_optimised() -> Result<()> {
    eprintln!("building with optimisation first; `--unoptimised` runs without, and its times mean nothing");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = std::process::Command::new(cargo)
        .args(["run", "-q", "--release", "--locked", "-p", "tools", "--bin", "x", "--"])
        .args(std::env::args_os().skip(1))
        .status()
        .context("cannot run cargo to build with optimisation; pass --unoptimised to run this build")?;
    anyhow::ensure!(status.success(), "the optimised build, or what it ran, failed; see above");
    Ok(())
}

fn measure(bench: &mut Bench, row: &Row, args: &Args, report: &mut Report) {
    // Benign rows are arguments already.
    let arguments = row.is_benign() && serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&row.text).is_ok();
    let outcome = bench.scan(&row.text, args.wrap, arguments);
    if args.list && outcome.flagged != row.is_secret && !row.is_hard_negative() {
        let what = if row.is_secret { "missed" } else { "flagged" };
        println!(
            "{what}\t{}\t{}\t{}\t{}",
            row.id.as_ref().unwrap_or(&serde_json::Value::Null),
            row.rule,
            outcome.rule,
            json!(row.text.chars().take(600).collect::<String>())
        );
    }
    if row.is_hard_negative() {
        report.hard_negative.add(outcome.flagged);
    } else if row.is_secret {
        report.recall.add(outcome.flagged);
        let source = row.source.as_deref().unwrap_or_default();
        report.by_rule.entry(format!("{source}/{}", row.rule)).or_default().add(outcome.flagged);
        report.by_kind.entry(row.kind.clone().unwrap_or_else(|| "-".to_owned())).or_default().add(outcome.flagged);
        if let Some(variant) = &row.variant {
            report.by_variant.entry(variant.clone()).or_default().add(outcome.flagged);
        } else if !args.plain && outcome.flagged {
            for (name, text) in variants::of(&row.text) {
                let found = bench.scan(&text, args.wrap, name.starts_with("split") || name == "json-escapes");
                report.by_variant.entry(name.to_owned()).or_default().add(found.flagged);
                if args.list && !found.flagged {
                    println!("missed {name}\t{}\t{}", row.rule, json!(text.chars().take(200).collect::<String>()));
                }
            }
        }
    } else {
        report.benign.add(outcome.flagged);
        if let Some(class) = SIZES.iter().position(|(end, _)| row.text.len() <= *end) {
            let nanos = bench.time(&row.text, args.wrap);
            report.times[class].push(nanos);
            report.bytes += row.text.len();
            report.nanos += nanos;
        }
    }
}

fn macro_recall(report: &Report) -> f64 {
    let rules = report.by_rule.len();
    if rules == 0 { 0.0 } else { report.by_rule.values().map(|s| s.rate()).sum::<f64>() / rules as f64 }
}

fn percentile(times: &[u64], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).map_or(0.0, |n| *n as f64 / 1000.0)
}

fn mb_per_s(report: &Report) -> f64 {
    if report.nanos == 0 { 0.0 } else { report.bytes as f64 * 1000.0 / report.nanos as f64 }
}

fn print_json(report: &Report) {
    let rates = |map: &BTreeMap<String, Share>| {
        map.iter().map(|(k, v)| (k.clone(), json!({"recall": v.rate(), "rows": v.of}))).collect::<serde_json::Map<_, _>>()
    };
    let sizes: serde_json::Map<_, _> = SIZES
        .iter()
        .zip(&report.times)
        .map(|((_, name), times)| {
            ((*name).to_owned(), json!({"rows": times.len(), "p50_us": percentile(times, 50), "p99_us": percentile(times, 99)}))
        })
        .collect();
    println!(
        "{}",
        json!({
            "secrets": report.recall.of,
            "recall": report.recall.rate(),
            "macro_recall": macro_recall(report),
            "kinds": rates(&report.by_kind),
            "variants": rates(&report.by_variant),
            "benign": report.benign.of,
            "flagged": report.benign.hits,
            "flagged_rate": report.benign.rate(),
            "hard_negatives": report.hard_negative.of,
            "hard_negative_rate": report.hard_negative.rate(),
            "sizes": sizes,
            "mb_per_s": mb_per_s(report),
        })
    );
}

fn print_table(report: &Report) {
    println!("recall          {:.4}  ({} of {})", report.recall.rate(), report.recall.hits, report.recall.of);
    println!("macro recall    {:.4}  ({} rules)", macro_recall(report), report.by_rule.len());
    for (name, share) in &report.by_kind {
        println!("  kind {name:<20} {:.4}  ({} of {})", share.rate(), share.hits, share.of);
    }
    for (name, share) in &report.by_variant {
        println!("  variant {name:<17} {:.4}  ({} of {})", share.rate(), share.hits, share.of);
    }
    println!("benign flagged  {:.5} ({} of {})", report.benign.rate(), report.benign.hits, report.benign.of);
    println!(
        "hard negatives  {:.4}  ({} of {})",
        report.hard_negative.rate(),
        report.hard_negative.hits,
        report.hard_negative.of
    );
    for ((_, name), times) in SIZES.iter().zip(&report.times) {
        println!(
            "  {name:<6} p50 {:>8.2} µs  p99 {:>8.2} µs  ({} rows)",
            percentile(times, 50),
            percentile(times, 99),
            times.len()
        );
    }
    println!("throughput      {:.0} MB/s", mb_per_s(report));
}
