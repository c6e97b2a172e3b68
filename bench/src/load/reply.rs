//! HTTP/1.1 responses as they arrive: `Content-Length`, chunked, or up to the end of the connection; and the messages
//! of an event stream inside.

use std::borrow::Cow;

// LIMIT: a gateway that sends more header fields than this to a load test is broken.
const HEADERS_MAX: usize = 64;
// LIMIT: a reply beyond this fails the run instead of filling the memory.
pub(super) const REPLY_BYTES_MAX: usize = 256 << 20;

/// A complete response.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply<'a> {
    pub(super) status: u16,
    pub(super) event_stream: bool,
    pub(super) session: Option<&'a str>,
    pub(super) trace: Option<&'a str>,
    /// The server will end the connection behind this reply.
    pub(super) last: bool,
    pub(super) body: Cow<'a, [u8]>,
}

/// What the bytes so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress<'a> {
    /// Look again when there are at least this many bytes.
    Partial { need: usize },
    /// A response, and the bytes it took.
    Whole(Reply<'a>, usize),
}

/// The peer does not speak HTTP/1.1.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Malformed {
    #[error("response head: {0}")]
    Head(httparse::Error),
    #[error("no status")]
    Status,
    #[error("content-length is not a number")]
    Length,
    #[error("chunk size: not hexadecimal")]
    ChunkSize,
    #[error("a chunk does not end with a line break")]
    ChunkEnd,
    #[error("both content-length and transfer-encoding")]
    Ambiguous,
    #[error("the connection ended inside a response")]
    Cut,
    #[error("response larger than {REPLY_BYTES_MAX} bytes")]
    TooLarge,
}

/// Reads the response that `bytes` begin with. `ended` says that no more will come.
pub(super) fn parse(bytes: &[u8], ended: bool) -> Result<Progress<'_>, Malformed> {
    let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut fields);
    let body_start = match head.parse(bytes).map_err(Malformed::Head)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial if ended => return Err(Malformed::Cut),
        httparse::Status::Partial => {
            return Ok(Progress::Partial { need: bytes.len() + 1 });
        }
    };
    let mut reply = Reply {
        status: head.code.ok_or(Malformed::Status)?,
        event_stream: false,
        session: None,
        trace: None,
        last: head.version == Some(0),
        body: Cow::Borrowed(&[]),
    };
    let mut length = None;
    let mut chunked = false;
    for field in head.headers.iter() {
        let text = || std::str::from_utf8(field.value).ok();
        if field.name.eq_ignore_ascii_case("content-length") {
            length = Some(text().and_then(|text| text.trim().parse::<usize>().ok()).ok_or(Malformed::Length)?);
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = field.value.eq_ignore_ascii_case(b"chunked");
        } else if field.name.eq_ignore_ascii_case("content-type") {
            reply.event_stream = field.value.starts_with(b"text/event-stream");
        } else if field.name.eq_ignore_ascii_case("connection") {
            reply.last |= field.value.eq_ignore_ascii_case(b"close");
        } else if field.name.eq_ignore_ascii_case("mcp-session-id") {
            reply.session = text();
        } else if field.name.eq_ignore_ascii_case("sp-trace-id") {
            reply.trace = text();
        }
    }
    let rest = bytes.get(body_start..).unwrap_or_default();
    let bodiless = reply.status < 200 || reply.status == 204 || reply.status == 304;
    let (body, used) = match (chunked, length) {
        _ if bodiless => (Cow::Borrowed(&[][..]), 0),
        (true, Some(_)) => return Err(Malformed::Ambiguous),
        (true, None) => match unchunk(rest)? {
            Some((body, used)) => (Cow::Owned(body), used),
            None => return wait(bytes.len() + 1, ended),
        },
        (false, Some(length)) => match rest.get(..length) {
            Some(body) => (Cow::Borrowed(body), length),
            None => return wait(body_start.saturating_add(length), ended),
        },
        (false, None) if ended => (Cow::Borrowed(rest), rest.len()),
        (false, None) => return wait(bytes.len() + 1, ended),
    };
    reply.body = body;
    Ok(Progress::Whole(reply, body_start + used))
}

fn wait<'a>(need: usize, ended: bool) -> Result<Progress<'a>, Malformed> {
    if ended {
        return Err(Malformed::Cut);
    }
    if need > REPLY_BYTES_MAX {
        return Err(Malformed::TooLarge);
    }
    Ok(Progress::Partial { need })
}

/// The content of a chunked body and the bytes it took, or nothing while the last chunk is not there.
fn unchunk(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(line) = memchr::memchr(b'\n', rest) else {
            return Ok(None);
        };
        let size = rest.get(..line).unwrap_or_default();
        let size = size.split(|byte| *byte == b';').next().unwrap_or_default();
        let size = std::str::from_utf8(size).map_err(|_| Malformed::ChunkSize)?.trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| Malformed::ChunkSize)?;
        if size > REPLY_BYTES_MAX {
            return Err(Malformed::TooLarge);
        }
        at += line + 1;
        if size == 0 {
            return Ok(trailers_end(bytes, at).map(|end| (body, end)));
        }
        let Some(chunk) = bytes.get(at..at + size) else {
            return Ok(None);
        };
        let Some(end) = bytes.get(at + size..at + size + 2) else {
            return Ok(None);
        };
        if end != b"\r\n" {
            return Err(Malformed::ChunkEnd);
        }
        body.extend_from_slice(chunk);
        at += size + 2;
    }
}

/// Where the trailers that begin at `at` end: behind the first empty line.
fn trailers_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let line = memchr::memchr(b'\n', bytes.get(at..)?)?;
        at += line + 1;
        if line <= 1 {
            return Some(at);
        }
    }
}

/// The data of each event of a complete event stream.
pub(super) fn events(stream: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let mut lines = stream.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    std::iter::from_fn(move || {
        let mut data: Option<Cow<'_, [u8]>> = None;
        for line in lines.by_ref() {
            if line.is_empty() && data.is_some() {
                return data;
            }
            let Some(value) = line.strip_prefix(b"data:") else {
                continue;
            };
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match &mut data {
                None => data = Some(Cow::Borrowed(value)),
                Some(data) => {
                    data.to_mut().push(b'\n');
                    data.to_mut().extend_from_slice(value);
                }
            }
        }
        // Whatever the stream ended with before an empty line is no event.
        None
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn responses() {
        let check = |bytes: &str, status: u16, body: &str, behind: usize| {
            let used = bytes.len() - behind;
            let Progress::Whole(reply, found) = parse(bytes.as_bytes(), false).unwrap() else { panic!("{bytes:?}") };
            assert_eq!((reply.status, &*reply.body, found), (status, body.as_bytes(), used), "{bytes:?}");
            // Every shorter prefix is incomplete, and a cut one is an error.
            for cut in 1..used {
                let part = bytes.get(..cut).unwrap().as_bytes();
                let Progress::Partial { need } = parse(part, false).unwrap() else { panic!("{cut} of {bytes:?}") };
                assert!(need > cut && need <= used, "{cut} of {bytes:?} wants {need}");
                assert_eq!(parse(part, true), Err(Malformed::Cut), "{cut} of {bytes:?}");
            }
        };
        check("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", 200, "hi", 0);
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1", 200, "hi", 8);
        check("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n", 202, "", 0);
        check("HTTP/1.1 204 No Content\r\n\r\n", 204, "", 0);
        check("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n1;x=y\r\n!\r\n0\r\n\r\n", 200, "hi!", 0);
        check("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\na: b\r\n\r\n", 200, "", 0);
    }

    #[test]
    fn broken_responses() {
        let check = |bytes: &str, expect: Malformed| assert_eq!(parse(bytes.as_bytes(), false), Err(expect), "{bytes:?}");
        check("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", Malformed::Length);
        check("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", Malformed::Ambiguous);
        check("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n", Malformed::ChunkSize);
        check("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc", Malformed::ChunkEnd);
        check("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", Malformed::TooLarge);
        assert!(matches!(parse(b"SSH-2.0-x\r\n", false), Err(Malformed::Head(_))));
    }

    #[test]
    fn headers_that_matter() {
        let bytes = b"HTTP/1.1 200 OK\r\nSP-Trace-Id: abc\r\nmcp-session-id: s1\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\ndata: x";
        let Progress::Whole(reply, used) = parse(bytes, true).unwrap() else { panic!() };
        assert_eq!((reply.trace, reply.session, reply.event_stream, reply.last), (Some("abc"), Some("s1"), true, true));
        assert_eq!((&*reply.body, used), (&b"data: x"[..], bytes.len()));
    }

    #[test]
    fn event_streams() {
        let check = |stream: &str, expect: &[&str]| {
            let found: Vec<String> = events(stream.as_bytes()).map(|data| String::from_utf8_lossy(&data).into()).collect();
            assert_eq!(found, expect, "{stream:?}");
        };
        check("", &[]);
        check("data: {}\n\n", &["{}"]);
        check(": keep-alive\n\nevent: message\r\nid: 1\r\ndata:{}\r\n\r\n", &["{}"]);
        check("data: a\ndata: b\n\ndata: c\n\n", &["a\nb", "c"]);
        check("data: cut", &[]);
        check("id: 0\ndata:\n\ndata: x\n\n", &["", "x"]);
    }

    proptest! {
        #[test]
        fn chunks_come_back_whole(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..8), extra in any::<[u8; 4]>()) {
            let mut bytes = Vec::new();
            for part in &parts {
                bytes.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
                bytes.extend_from_slice(part);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
            let length = bytes.len();
            prop_assert_eq!(unchunk(&bytes[..length - 1]).unwrap(), None);
            bytes.extend_from_slice(&extra);
            prop_assert_eq!(unchunk(&bytes).unwrap(), Some((parts.concat(), length)));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400), ended in any::<bool>()) {
            let _ = parse(&bytes, ended);
            let mut http = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
            http.extend_from_slice(&bytes);
            let _ = parse(&http, ended);
            let _ = events(&bytes).count();
        }
    }
}
