//! Any bytes as an upstream's event stream, in any pieces: the events are the same, none is longer than what came, and what
//! is written of one reads as it did.
#![no_main]

use dataplane::upstream::events::{Events, data, event, heading};

fn cut(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut events = Events::default();
    let mut found = Vec::new();
    for piece in pieces {
        events.push(piece);
        found.extend(std::iter::from_fn(|| events.next_event()).map(|event| event.to_vec()));
    }
    found
}

libfuzzer_sys::fuzz_target!(|pieces: Vec<&[u8]>| {
    let whole = pieces.concat();
    let found = cut(&[&whole]);
    assert_eq!(cut(&pieces), found);
    assert!(whole.starts_with(&found.concat()));
    for found in &found {
        let (heading_of, data_of) = (heading(found), data(found));
        let written = event(&heading_of, data_of.as_deref());
        assert_eq!(cut(&[&written]), [written.to_vec()]);
        assert_eq!((heading(&written), data(&written)), (heading_of, data_of));
    }
});
