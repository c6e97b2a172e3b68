//! Any text as Cedar policies: translated or refused, and what is translated is YAML that reads.
#![no_main]

use schema::cedar::translate;
use schema::services::Node;

libfuzzer_sys::fuzz_target!(|text: &str| assert!(translate(text).map_or(true, |yaml| Node::parse(&yaml).is_ok())));
