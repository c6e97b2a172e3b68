//! `cargo x eval blocklist`: runs the compiled blocklist over rows `{"text","is_attack","class"}` and prints what it
//! catches and what it flags wrongly, per class.
//!
//! The layer is told nothing that a gateway would not know: a row that is a JSON object is taken as the arguments
//! of a call, any other text stands under one neutral key, whatever its class.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use dataplane::chain::blocklist::{BlockScratch, Blocklist, BlocklistConfig, Mode, Target};
use serde::Deserialize;
use serde_json::json;

/// Options of `cargo x eval blocklist`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Corpora, one JSON object per line
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The key that plain text stands under
    #[arg(long, default_value = "input")]
    key: String,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// List the rows that were missed or wrongly flagged
    #[arg(long)]
    list: bool,
}

/// A row without `is_attack` is benign: corpora for other layers can be measured for false alarms.
#[derive(Deserialize, Debug)]
struct Row {
    text: String,
    #[serde(default)]
    is_attack: bool,
    #[serde(default)]
    class: Option<String>,
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

    /// `None` when there is nothing to take a share of.
    fn rate(self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }
}

#[derive(Default)]
struct Class {
    caught: Share,
    flagged: Share,
    rules: BTreeMap<String, usize>,
}

struct Bench {
    blocklist: Blocklist,
    scratch: BlockScratch,
    key: String,
    nanos: u128,
    bytes: usize,
}

impl Bench {
    fn new(key: &str) -> Result<Self> {
        let blocklist = Blocklist::compile(&BlocklistConfig::default())?;
        let scratch = blocklist.scratch();
        Ok(Self { blocklist, scratch, key: key.to_owned(), nanos: 0, bytes: 0 })
    }

    /// The rule that stops or holds the call. What is only recorded counts as left alone.
    fn check(&mut self, text: &str) -> Result<Option<String>> {
        let mut bytes = self.arguments(text);
        let tape = simd_json::to_tape(&mut bytes).context("a row cannot be written as JSON")?;
        let target = Target { server: "eval", tool: "eval", method: "tools/call" };
        let start = Instant::now();
        let hit = self.blocklist.check(&mut self.scratch, target, &tape.0);
        self.nanos += start.elapsed().as_nanos();
        self.bytes += text.len();
        let hit = hit.filter(|hit| hit.mode != Mode::Observe);
        Ok(hit.and_then(|hit| self.blocklist.rule(hit.rule)).map(|rule| rule.id.to_string()))
    }

    fn arguments(&self, text: &str) -> Vec<u8> {
        match serde_json::from_str::<serde_json::Value>(text) {
            // A short object of operators is what an attacker sends as one argument: `{"$ne": null}`.
            Ok(value) if value.is_object() && (text.len() > 40 || text.contains("\":") && !has_operator(&value)) => {
                text.as_bytes().to_vec()
            }
            _ => json!({ self.key.as_str(): text }).to_string().into_bytes(),
        }
    }
}

fn has_operator(value: &serde_json::Value) -> bool {
    value.as_object().is_some_and(|object| object.iter().any(|(key, value)| key.starts_with('$') || has_operator(value)))
}

/// Runs the evaluation.
///
/// # Errors
/// A file cannot be read, or a line is no row.
pub fn run(args: &Args) -> Result<()> {
    let mut bench = Bench::new(&args.key)?;
    let mut classes: BTreeMap<String, Class> = BTreeMap::new();
    let mut total = Class::default();
    for file in &args.files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let row: Row = serde_json::from_str(line)
                .with_context(|| format!("`{}` line {}: expected a row with `text`", file.display(), number + 1))?;
            let rule = bench.check(&row.text)?;
            let name = row.class.as_deref().unwrap_or("benign");
            let class = classes.entry(name.to_owned()).or_default();
            let hit = rule.is_some();
            if args.list && hit != row.is_attack {
                let shown: String = row.text.chars().take(160).collect();
                println!("{name} {} {shown:?}", rule.as_deref().unwrap_or("missed"));
            }
            for class in [class, &mut total] {
                if row.is_attack {
                    class.caught.add(hit)
                } else {
                    class.flagged.add(hit)
                }
                if let Some(rule) = &rule {
                    *class.rules.entry(rule.clone()).or_default() += 1;
                }
            }
        }
    }
    if args.json {
        print_json(&bench, &classes, &total)
    } else {
        print_table(&bench, &classes, &total)
    }
    Ok(())
}

fn print_json(bench: &Bench, classes: &BTreeMap<String, Class>, total: &Class) {
    let shares = |class: &Class| {
        json!({
            "caught_rate": class.caught.rate(), "caught": class.caught.hits, "attacks": class.caught.of,
            "flagged_rate": class.flagged.rate(), "flagged": class.flagged.hits, "benign": class.flagged.of,
            "rules": class.rules,
        })
    };
    let mut report = shares(total);
    report["classes"] =
        classes.iter().map(|(name, class)| (name.clone(), shares(class))).collect::<serde_json::Map<_, _>>().into();
    report["ns_per_byte"] = json!(bench.nanos as f64 / bench.bytes.max(1) as f64);
    println!("{report}");
}

fn print_table(bench: &Bench, classes: &BTreeMap<String, Class>, total: &Class) {
    let show = |share: Share| share.rate().map_or("-".to_owned(), |rate| format!("{rate:.4} ({}/{})", share.hits, share.of));
    println!("{:<22} {:>22} {:>22}  strongest rules", "class", "caught", "flagged");
    for (name, class) in classes.iter().map(|(name, class)| (name.as_str(), class)).chain([("all", total)]) {
        let mut rules: Vec<_> = class.rules.iter().collect();
        rules.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let rules: Vec<_> = rules.iter().take(3).map(|(rule, count)| format!("{rule} {count}")).collect();
        println!("{name:<22} {:>22} {:>22}  {}", show(class.caught), show(class.flagged), rules.join(", "));
    }
    println!("{:.2} ns per byte over {} bytes", bench.nanos as f64 / bench.bytes.max(1) as f64, bench.bytes);
}
