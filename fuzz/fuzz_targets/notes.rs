//! Any bytes as the small files beside a journal's segments: refused, or exactly what they say.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dataplane::journal::fuzzing::notes(bytes));
