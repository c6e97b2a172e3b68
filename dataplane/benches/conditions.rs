//! What judging one condition on the arguments of a call costs. Prints nanoseconds per condition: the best and the
//! median of many short rounds.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on must stop")]
#![allow(clippy::print_stdout, reason = "that is what a bench is for")]

use std::hint::black_box;
use std::time::Instant;

use dataplane::chain::scope::condition::Conditions;

const ROUNDS: usize = 300;
const CHECKS: u64 = 20_000;

const ARGUMENTS: &str = r#"{
    "repository": "example/project", "branch": "main", "message": "Fix the build on arm64", "dry_run": false, "limit": 50,
    "path": "/srv/data/reports/2026/q3/summary.md", "encoded": "/srv/data/reports/a%20b.md",
    "url": "https://api.example.com:8443/v1/items?page=2", "address": "10.20.30.40",
    "paths": ["/srv/data/a", "/srv/data/b", "/srv/data/c"], "author": {"name": "Ada", "mail": "ada@example.com"}
}"#;

fn main() {
    println!("{:<44} {:>8} {:>8}", "one condition", "best ns", "median");
    for (name, condition) in [
        ("eq text, first of 11 members", r#"{"arg": "/repository", "eq": "example/project"}"#),
        ("eq text, nested, last member", r#"{"arg": "/author/mail", "eq": "ada@example.com"}"#),
        ("le number", r#"{"arg": "/limit", "le": 100}"#),
        ("in, last of 4", r#"{"arg": "/branch", "in": ["a", "b", "c", "main"]}"#),
        ("prefix", r#"{"arg": "/message", "prefix": "Fix"}"#),
        ("glob", r#"{"arg": "/message", "glob": "Fix*build*64"}"#),
        ("length", r#"{"arg": "/message", "length": {"max": 200}}"#),
        ("within, 6 parts", r#"{"arg": "/path", "within": "/srv/data"}"#),
        ("within, percent-encoded", r#"{"arg": "/encoded", "within": "/srv/data"}"#),
        ("within, 3 items", r#"{"arg": "/paths/*", "within": "/srv/data"}"#),
        ("host", r#"{"arg": "/url", "host": ["*.example.org", "api.example.com"]}"#),
        ("cidr", r#"{"arg": "/address", "cidr": ["192.168.0.0/16", "10.0.0.0/8"]}"#),
        ("time of day", r#"{"time": {"from": "00:00", "to": "24:00", "utc_offset": "+02:00"}}"#),
        (
            "three: within, le, in",
            r#"[{"arg": "/path", "within": "/srv/data"}, {"arg": "/limit", "le": 100}, {"arg": "/branch", "in": ["main"]}]"#,
        ),
    ] {
        rounds(name, condition);
    }
}

fn rounds(name: &str, condition: &str) {
    let conditions = Conditions::from_json(condition).unwrap();
    let mut bytes = ARGUMENTS.as_bytes().to_vec();
    let tape = simd_json::to_tape(&mut bytes).unwrap();
    let mut ns: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for i in 0..CHECKS {
                assert!(black_box(&conditions).check(Some(black_box(&tape.0)), i).is_ok(), "{name} does not hold");
            }
            start.elapsed().as_nanos() as f64 / CHECKS as f64
        })
        .collect();
    ns.sort_by(f64::total_cmp);
    println!("{name:<44} {:>8.1} {:>8.1}", ns[0], ns[ROUNDS / 2]);
}
