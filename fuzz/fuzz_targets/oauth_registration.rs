//! Any bytes as client metadata: what is taken leads only where clients may lead.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| control::oauth::fuzzing::registration(bytes));
