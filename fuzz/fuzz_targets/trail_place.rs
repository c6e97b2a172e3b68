//! Any text as a place in the trail, or as what a trail is asked for by: is one and prints as it was, or is refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| control::logs::fuzz_place(text));
