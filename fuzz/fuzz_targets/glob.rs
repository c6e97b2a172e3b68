//! Any text as a glob, on any text: compiles or says why not, and ends.
#![no_main]

use dataplane::chain::glob::Glob;

libfuzzer_sys::fuzz_target!(|input: (&str, &str)| drop(Glob::compile(input.0).map(|glob| glob.matches(input.1))));
