//! Any bytes as a message: is refused, or is read; and what is written of it reads as the same again.
#![no_main]

use std::cell::RefCell;

use simd_json::Tape;
use wire::jsonrpc::{Message, Parser, digest, write_bounded};

thread_local!(static PARSER: RefCell<Parser> = RefCell::default());

libfuzzer_sys::fuzz_target!(|data: &[u8]| PARSER.with_borrow_mut(|parser| {
    let mut bytes = data.to_vec();
    let mut tape = Tape::null();
    if parser.json(&mut bytes, &mut tape).is_err() {
        return;
    }
    let _ = Message::read(&tape.0);
    let mut written = String::new();
    if write_bounded(&tape.0, &mut written, 1 << 20) {
        let mut again = written.into_bytes();
        let mut read = Tape::null();
        parser.json(&mut again, &mut read).expect("what was written reads");
        assert_eq!(digest(&tape.0, &[7; 32]), digest(&read.0, &[7; 32]));
    }
}));
