//! Any arguments of a search, as they come from a client: a filter, or a refusal.
#![no_main]

libfuzzer_sys::fuzz_target!(|json: &[u8]| control::operator::logs::fuzz_filter(json));
