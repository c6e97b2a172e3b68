//! Any text as conditions, on any JSON, at any time: compiles or says why not, and is judged.
#![no_main]

use dataplane::chain::scope::condition::Conditions;

libfuzzer_sys::fuzz_target!(|input: (&str, Vec<u8>, u64)| {
    let (json, mut arguments, now_us) = input;
    let (Ok(conditions), Ok(tape)) = (Conditions::from_json(json), simd_json::to_tape(&mut arguments)) else { return };
    let _ = conditions.check(Some(&tape.0), now_us);
});
