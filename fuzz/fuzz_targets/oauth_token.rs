//! Any text as a token request: nobody proves to be a client whose secret they do not have.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| control::oauth::fuzzing::token(text));
