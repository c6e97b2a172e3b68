//! `sp admin policy import`: policies of other products as files for `services/access/`. Works without a gateway.

use std::io::Read;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use super::{Exit, fail};

/// LIMIT: what is read of a file before it is refused as too large.
const READ_BYTES_MAX: u64 = 2 << 20;

/// `sp admin policy import`.
pub fn command() -> Command {
    let file = Arg::new("file").value_name("FILE").required(true).value_parser(clap::value_parser!(PathBuf));
    Command::new("import")
        .about("Translate the policies of another product")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("cedar")
                .about("Cedar policies as grants, or the first line that cannot be translated and why")
                .long_about(
                    "Translate Cedar policies into grants and print them as a file for services/access/.\n\
                     What is not of the subset is refused with its line and the reason; nothing is half understood.\n\
                     Check the result in its place with `sp check`.",
                )
                .arg(file.help("Cedar policies; `-` reads standard input")),
        )
}

/// Translates Cedar policies.
pub fn cedar(matches: &ArgMatches) -> Exit {
    let file = matches.get_one::<PathBuf>("file").cloned().unwrap_or_default();
    let text = match read(&file) {
        Ok(text) => text,
        Err(error) => return fail(Exit::Failure, format!("`{}` cannot be read: {error}", file.display())),
    };
    let translated = schema::cedar::translate(&text);
    if matches.get_flag("json") {
        let value = match &translated {
            Ok(yaml) => json!({ "ok": true, "yaml": yaml }),
            Err(problem) => {
                let at = json!({ "file": file.display().to_string(), "line": problem.line, "column": problem.column, "message": problem.message });
                json!({ "ok": false, "problems": [at] })
            }
        };
        println!("{value}");
    }
    match translated {
        Ok(yaml) => {
            if !matches.get_flag("json") {
                print!("{yaml}");
            }
            Exit::Success
        }
        Err(_) if matches.get_flag("json") => Exit::Failure,
        Err(problem) => {
            eprintln!("{}:{problem}", file.display());
            Exit::Failure
        }
    }
}

fn read(file: &PathBuf) -> std::io::Result<String> {
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().take(READ_BYTES_MAX).read_to_string(&mut text)?;
    } else {
        std::fs::File::open(file)?.take(READ_BYTES_MAX).read_to_string(&mut text)?;
    }
    Ok(text)
}
