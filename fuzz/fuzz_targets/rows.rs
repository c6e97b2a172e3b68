//! Records of any texts and numbers come back from the rows they are copied as; any bytes are a row, or refused.
#![no_main]

use schema::audit::fuzzing::{record, row};

libfuzzer_sys::fuzz_target!(|input: ([String; 21], [u64; 14], &[u8])| {
    let (texts, numbers, bytes) = input;
    record(&texts, &numbers);
    row(bytes);
});
