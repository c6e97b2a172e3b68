//! Any text as an authorization request: nobody is sent to an address that is not the client's.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| control::oauth::fuzzing::authorize(text));
