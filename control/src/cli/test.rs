//! `sp admin policy test`: cases of a file against the policy of a tree. Works without a gateway, for pipelines.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use schema::services::Problem;
use serde_json::json;

use super::{Exit, fail};
use crate::trial::cases;

/// `sp admin policy test`.
pub fn command() -> Command {
    let path = || clap::value_parser!(PathBuf);
    Command::new("test")
        .about("Judge the calls of a file by the policy of a tree, and compare with what the file expects")
        .long_about(
            "Judge the calls of a file by the policy of a tree, and compare with what the file expects.\n\
             Works without a gateway. Ends with 0 if every call is judged as expected, with 1 if not.",
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .action(ArgAction::Append)
                .value_parser(path())
                .help("Cases, as YAML"),
        )
        .arg(
            Arg::new("services")
                .long("services")
                .value_name("DIR")
                .default_value("services")
                .value_parser(path())
                .help("The tree of the policy"),
        )
        .after_help(
            "A file:\n  cases:\n    - name: developers read files\n      as: { user: ann, roles: [developer] }\n      \
             call: { server: files, tool: read_file, arguments: { path: /srv/x } }\n      expect: { verdict: allow }\n\n\
             `expect` also takes layer, reason, rule and observed; `times: N` makes the call N times and judges the last;\n\
             `at` is the time of the call.",
        )
}

/// Judges every case of every file.
pub fn test(matches: &ArgMatches) -> Exit {
    let dir = matches.get_one::<PathBuf>("services").cloned().unwrap_or_default();
    let as_json = matches.get_flag("json");
    let (mut all, mut failed) = (Vec::new(), 0);
    for file in matches.get_many::<PathBuf>("file").unwrap_or_default() {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => return fail(Exit::Failure, format!("`{}` cannot be read: {error}", file.display())),
        };
        let tried = match cases::run(&dir, file, &text) {
            Ok(tried) => tried,
            Err(problems) => return refuse(&problems, as_json),
        };
        for case in &tried {
            failed += usize::from(!case.differs.is_empty());
            if as_json {
                let mut row = case.to_json();
                row["file"] = json!(file.display().to_string());
                all.push(row);
            } else if case.differs.is_empty() {
                println!("ok      {}", case.name);
            } else {
                println!("FAILED  {} ({}:{})", case.name, file.display(), case.line);
                case.differs.iter().for_each(|differs| println!("        {differs}"));
            }
        }
        if !as_json {
            println!("{}: {} cases", file.display(), tried.len());
        }
    }
    if as_json {
        println!("{}", json!({ "ok": failed == 0, "failed": failed, "cases": all }));
    } else if failed > 0 {
        println!("{failed} failed");
    }
    if failed == 0 { Exit::Success } else { Exit::Failure }
}

fn refuse(problems: &[Problem], as_json: bool) -> Exit {
    if as_json {
        let list: Vec<_> = problems
            .iter()
            .map(|p| json!({"file": p.file.display().to_string(), "line": p.line, "column": p.column, "message": p.message}))
            .collect();
        println!("{}", json!({ "ok": false, "problems": list }));
    } else {
        problems.iter().for_each(|problem| eprintln!("{problem}"));
    }
    Exit::Failure
}
