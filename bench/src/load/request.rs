//! The bytes of a request, prepared once and then only renumbered.

/// Every request of a run carries a number of twelve digits: its JSON-RPC id, and `{n}` in its arguments. The width
/// never changes, so neither does the length of a request.
pub(super) const FIRST_NUMBER: u64 = 100_000_000_000;
const DIGITS: usize = 12;

/// A request of one principal.
#[derive(Debug)]
pub(super) struct Template {
    head: Vec<u8>,
    tail: Vec<u8>,
    body_bytes: usize,
    /// Where the numbers stand, counted from the end, so that a session header in between moves nothing.
    numbers: Vec<usize>,
}

/// What goes into a request besides its principal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape<'a> {
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    /// More header fields, each `name: value`.
    pub(super) headers: &'a [String],
    pub(super) protocol: Option<&'a str>,
    /// JSON, with `{n}` where the number of the request belongs.
    pub(super) body: &'a str,
}

impl Template {
    /// Prepares the request `shape` with the bearer `token`.
    pub(super) fn new(shape: Shape<'_>, token: Option<&str>) -> Self {
        let mut head = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n",
            shape.path, shape.host
        );
        let mut field = |name: &str, value: &str| {
            for part in [name, ": ", value, "\r\n"] {
                head.push_str(part);
            }
        };
        if let Some(token) = token {
            field("authorization", &format!("Bearer {token}"));
        }
        if let Some(protocol) = shape.protocol {
            field("mcp-protocol-version", protocol);
        }
        for header in shape.headers {
            if let Some((name, value)) = header.split_once(':') {
                field(name.trim(), value.trim());
            }
        }
        let body = shape.body.replace("{n}", &FIRST_NUMBER.to_string());
        let mut tail = format!("content-length: {}\r\n\r\n", body.len());
        let body_start = tail.len();
        tail.push_str(&body);
        let mut numbers = Vec::new();
        let mut skipped = 0;
        for (index, (at, _)) in shape.body.match_indices("{n}").enumerate() {
            let before = at - skipped + index * DIGITS;
            skipped += "{n}".len();
            numbers.push(tail.len() - body_start - before);
        }
        Self { head: head.into_bytes(), tail: tail.into_bytes(), body_bytes: body.len(), numbers }
    }

    /// The body within a request that this template has written.
    pub(super) fn body<'a>(&self, request: &'a [u8]) -> &'a [u8] {
        request.get(request.len().saturating_sub(self.body_bytes)..).unwrap_or_default()
    }

    /// Writes the request afresh.
    pub(super) fn write(&self, session: Option<&str>, number: u64, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.head);
        if let Some(session) = session {
            out.extend_from_slice(b"mcp-session-id: ");
            out.extend_from_slice(session.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(&self.tail);
        self.renumber(number, out);
    }

    /// Gives the request that `out` holds another number.
    pub(super) fn renumber(&self, number: u64, out: &mut [u8]) {
        let mut digits = [b'0'; DIGITS];
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let length = out.len();
        for from_end in &self.numbers {
            let start = length.saturating_sub(*from_end);
            if let Some(place) = out.get_mut(start..start + DIGITS) {
                place.copy_from_slice(&digits);
            }
        }
    }
}

/// A `tools/call` body with `{n}` for its id.
pub(super) fn tool_call(tool: &str, arguments: &str) -> String {
    // A string always serializes.
    let tool = serde_json::to_string(tool).unwrap_or_default();
    format!(r#"{{"jsonrpc":"2.0","id":{{n}},"method":"tools/call","params":{{"name":{tool},"arguments":{arguments}}}}}"#)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn requests() {
        let check = |body: &str, token: Option<&str>, session: Option<&str>, number: u64, expect: &str| {
            let headers = ["x-extra:  1".to_owned()];
            let shape = Shape { host: "h:1", path: "/p", headers: &headers, protocol: None, body };
            let template = Template::new(shape, token);
            let mut out = b"old".to_vec();
            template.write(session, number, &mut out);
            let text = String::from_utf8(out.clone()).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert_eq!(body, expect);
            assert!(head.starts_with("POST /p HTTP/1.1\r\nhost: h:1\r\n"), "{head}");
            assert!(head.contains("\r\nx-extra: 1\r\n"), "{head}");
            assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head}");
            assert_eq!(head.contains("authorization: Bearer "), token.is_some());
            assert_eq!(head.contains("mcp-session-id: "), session.is_some());

            template.renumber(FIRST_NUMBER, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text.replace(&number.to_string(), &FIRST_NUMBER.to_string()));
        };
        check("{}", None, None, 123_456_789_012, "{}");
        check(r#"{"id":{n}}"#, Some("t"), None, 123_456_789_012, r#"{"id":123456789012}"#);
        check(r#"{n}"#, Some("t"), Some("s"), 100_000_000_007, "100000000007");
        check(
            r#"{"id":{n},"a":"x{n}y{n}"}"#,
            None,
            Some("s"),
            999_999_999_999,
            r#"{"id":999999999999,"a":"x999999999999y999999999999"}"#,
        );
    }

    #[test]
    fn a_tool_call_is_json() {
        let body = tool_call("a\"b", r#"{"m":"{n}"}"#).replace("{n}", "100000000000");
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(json["params"]["name"], "a\"b");
        assert_eq!(json["params"]["arguments"]["m"], "100000000000");
    }
}
