//! Any text as YAML of `services/`, in every folder of it, and as cases of a policy: is read, or what is wrong is told.
#![no_main]

use std::path::Path;

use schema::services::{Node, SourceFile, cases, parse};

libfuzzer_sys::fuzz_target!(|text: &str| {
    drop(Node::parse(text));
    drop(cases::parse(Path::new("cases.yaml"), text));
    for folder in ["access", "governance", "identity", "mcp", "sinks"] {
        let file = SourceFile { path: Path::new(folder).join("x.yaml"), text: text.to_owned() };
        let problems = parse(Path::new("services"), &[file]).err().unwrap_or_default();
        assert!(problems.iter().all(|problem| !problem.message.is_empty()));
    }
});
