//! Commands as data: what must be caught, and what only looks like it.
#![allow(clippy::unwrap_used, reason = "a failed fixture should stop the test")]

use super::super::tests::{check_argument, check_value};

#[test]
fn destructive_commands_are_caught() {
    let missed: Vec<_> =
        include_str!("../testdata/destructive.txt").lines().filter(|line| check_argument("command", line).is_none()).collect();
    assert!(missed.is_empty(), "missed {}: {missed:#?}", missed.len());
}

#[test]
fn harmless_commands_pass() {
    let commands = include_str!("../testdata/harmless.txt");
    let prose = include_str!("../testdata/prose.txt");
    let flagged: Vec<_> = commands
        .lines()
        .map(|line| ("command", line))
        .chain(commands.lines().chain(prose.lines()).map(|line| ("input", line)))
        .filter_map(|(key, line)| check_argument(key, line).map(|rule| (rule, key, line)))
        .collect();
    assert!(flagged.is_empty(), "flagged {}: {flagged:#?}", flagged.len());
}

#[test]
fn commands_in_pieces_are_put_together() {
    let rows = [
        (r#"{"command":"rm","args":["-rf","/"]}"#, Some("shell.recursive-delete")),
        (r#"{"args":["-rf","/"],"command":"rm"}"#, Some("shell.recursive-delete")),
        (r#"{"cmd":["bash","-lc","rm -rf ~"]}"#, Some("shell.recursive-delete")),
        (r#"{"command":"rm","args":"-rf /"}"#, Some("shell.recursive-delete")),
        (r#"{"command":"git","args":["commit","-m","rm -rf /; it's gone"]}"#, None),
        (r#"{"command":"create","path":"/workspace/a","file_text":"rm -rf /"}"#, None),
    ];
    for (json, expect) in rows {
        assert_eq!(check_value(json).as_deref(), expect, "{json}");
    }
}
