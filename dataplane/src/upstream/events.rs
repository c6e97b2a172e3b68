//! Server-sent events as they pass (<https://html.spec.whatwg.org/multipage/server-sent-events.html>): cut apart as they
//! arrive, read, and written again with other data.
//!
//! Lines may end with LF, CR LF or CR alone: a client that follows the standard reads all three, so we do.

use bytes::{Bytes, BytesMut};

/// What came of a stream and has not been taken yet.
#[derive(Default)]
pub struct Events {
    buffer: BytesMut,
    /// How far no event ended; what follows begins a line.
    searched: usize,
}

impl Events {
    /// Takes in what arrived.
    pub fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// The next whole event, its blank line included.
    pub fn next_event(&mut self) -> Option<Bytes> {
        loop {
            let line = self.buffer.get(self.searched..)?;
            let end = memchr::memchr2(b'\n', b'\r', line)?;
            let length = match line.get(end..)? {
                [b'\r', b'\n', ..] => 2,
                // An LF that belongs to it may still come.
                [b'\r'] => return None,
                _ => 1,
            };
            self.searched += end + length;
            if end == 0 {
                let event = self.buffer.split_to(self.searched).freeze();
                self.searched = 0;
                return Some(event);
            }
        }
    }

    /// How much waits for the end of its event.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// What is left of a stream that has ended; clients that follow the standard drop it.
    pub fn rest(&mut self) -> Bytes {
        self.searched = 0;
        self.buffer.split().freeze()
    }
}

fn lines(event: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(event);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = memchr::memchr2(b'\n', b'\r', text) else {
            rest = None;
            return Some(text);
        };
        let (line, behind) = text.split_at(end);
        rest = Some(behind.strip_prefix(b"\r\n").or_else(|| behind.get(1..)).unwrap_or_default());
        Some(line)
    })
}

/// The joined `data` of an event; `None` when it has none.
pub fn data(event: &[u8]) -> Option<Vec<u8>> {
    let mut data: Option<Vec<u8>> = None;
    // A stream may begin with a byte order mark.
    for line in lines(event.strip_prefix(b"\xef\xbb\xbf").unwrap_or(event)) {
        let rest = match line.strip_prefix(b"data") {
            Some(b"") => b"".as_slice(),
            Some([b':', rest @ ..]) => rest.strip_prefix(b" ").unwrap_or(rest),
            _ => continue,
        };
        match &mut data {
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(rest);
            }
            None => data = Some(rest.to_vec()),
        }
    }
    data
}

/// The fields of an event beside its data, one a line: its name, its id, when to come again. Comments and fields that
/// no client reads are left out.
pub fn heading(event: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines(event.strip_prefix(b"\xef\xbb\xbf").unwrap_or(event)) {
        if [b"event:".as_slice(), b"id:", b"retry:"].iter().any(|field| line.starts_with(field)) {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
    }
    out
}

/// An event of these fields and this data; without data, what keeps a connection alive.
pub fn event(heading: &[u8], data: Option<&[u8]>) -> Bytes {
    let mut out = BytesMut::with_capacity(heading.len() + data.map_or(0, <[u8]>::len) + 16);
    out.extend_from_slice(heading);
    for line in data.into_iter().flat_map(|data| data.split(|byte| *byte == b'\n')) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.extend_from_slice(b"\n");
    }
    if out.is_empty() {
        out.extend_from_slice(b":\n");
    }
    out.extend_from_slice(b"\n");
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(chunks: &[&[u8]]) -> Vec<Bytes> {
        let mut events = Events::default();
        let mut out = Vec::new();
        for chunk in chunks {
            events.push(chunk);
            out.extend(std::iter::from_fn(|| events.next_event()));
        }
        out
    }

    #[test]
    fn events_are_cut_at_blank_lines() {
        for (bytes, expect) in [
            (&b"data: a\n\nx"[..], &[&b"data: a\n\n"[..]][..]),
            (b"data: a\r\n\r\nx", &[b"data: a\r\n\r\n"]),
            (b"data: a\r\rx", &[b"data: a\r\r"]),
            (b"data: a\r\r", &[]),
            (b"data: a\n\rx", &[b"data: a\n\r"]),
            (b"data: a\n", &[]),
            (b"data: a", &[]),
            (b"\n\n", &[b"\n", b"\n"]),
            (b": ping\n\ndata\n\n", &[b": ping\n\n", b"data\n\n"]),
        ] {
            assert_eq!(cut(&[bytes]), expect, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn data_is_joined_and_replaced() {
        let bytes = b"\xef\xbb\xbfevent: message\r: talk\rid: 7\r\ndata: {\"a\":\ndata:1}\nnonsense\n\n";
        assert_eq!(data(bytes).as_deref(), Some(&b"{\"a\":\n1}"[..]));
        assert_eq!(heading(bytes), b"event: message\nid: 7\n");
        assert_eq!(&event(&heading(bytes), Some(b"{\n}"))[..], b"event: message\nid: 7\ndata: {\ndata: }\n\n");
        assert_eq!(data(b": ping\n\n"), None);
        assert_eq!(data(b"data\n\n").as_deref(), Some(&b""[..]));
        assert_eq!(&event(b"", None)[..], b":\n\n");
    }

    proptest::proptest! {
        /// However a stream arrives in pieces, its events and their data are the same.
        #[test]
        fn pieces_do_not_matter(
            parts in proptest::collection::vec("(data: ?[a-z{}\"]{0,6}|id: [a-z]{1,3}|:[a-z]{0,3}|)(\n|\r\n|\r)", 0..24),
            at in proptest::collection::vec(0_usize..400, 0..12),
        ) {
            let text = parts.concat() + "\n\n";
            let whole = cut(&[text.as_bytes()]);
            let mut cuts: Vec<usize> = at.into_iter().map(|at| at % (text.len() + 1)).collect();
            cuts.sort_unstable();
            let mut from = 0;
            let mut pieces = Vec::new();
            for at in cuts.into_iter().chain([text.len()]) {
                pieces.push(&text.as_bytes()[from..at]);
                from = at;
            }
            assert_eq!(cut(&pieces), whole);
        }
    }
}
