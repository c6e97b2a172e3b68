//! JSON-RPC 2.0 messages as MCP uses them: a view over a simd-json tape, nothing copied.
//!
//! INVARIANT: a message that passes has no duplicate key anywhere, so whoever reads it after us reads the same.

use simd_json::prelude::*;
use simd_json::{Buffers, Node, StaticNode, Tape};

use crate::limits::{JSON_DEPTH_MAX, MESSAGE_BYTES_MAX, NAME_BYTES_MAX};

/// The nodes of one JSON value: the value itself first, then everything within it.
pub type Nodes<'t, 'i> = &'t [Node<'i>];

/// A request's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id<'i> {
    /// A number.
    Number(i64),
    /// A text.
    Text(&'i str),
}

/// One message from a client.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Message<'t, 'i> {
    /// Asks for an answer.
    Request {
        /// To be repeated in the answer.
        id: Id<'i>,
        /// What is asked.
        method: &'i str,
        /// With what; absent when the message has none.
        params: Option<Nodes<'t, 'i>>,
    },
    /// Tells something.
    Notification {
        /// What is told.
        method: &'i str,
        /// With what.
        params: Option<Nodes<'t, 'i>>,
    },
    /// Answers a request of the server (sampling, elicitation, roots).
    Response {
        /// Whose answer.
        id: Id<'i>,
        /// The answer itself: the `result`, or the `error`.
        body: Nodes<'t, 'i>,
    },
}

/// Why bytes are not one JSON-RPC message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Not JSON: JSON-RPC error -32700.
    #[error("the body is not valid JSON")]
    Json,
    /// More than [`MESSAGE_BYTES_MAX`].
    #[error("the body has more than {MESSAGE_BYTES_MAX} bytes")]
    TooLarge,
    /// Deeper than [`JSON_DEPTH_MAX`].
    #[error("the body is nested deeper than {JSON_DEPTH_MAX} levels")]
    TooDeep,
    /// The same key twice in one object.
    #[error("the body has the same key twice in one object")]
    DuplicateKey,
    /// JSON, but not a JSON-RPC message: -32600.
    #[error("the body is not one JSON-RPC 2.0 message: {0}")]
    Invalid(&'static str),
}

impl MessageError {
    /// The JSON-RPC error code.
    pub const fn rpc_code(self) -> i32 {
        match self {
            MessageError::Json => -32700,
            MessageError::TooLarge | MessageError::TooDeep | MessageError::DuplicateKey | MessageError::Invalid(_) => -32600,
        }
    }
}

/// Buffers that parsing needs, kept from message to message so that parsing does not allocate once warm.
#[derive(Default)]
pub struct Parser {
    buffers: Buffers,
    key_hashes: Vec<u64>,
}

impl Parser {
    /// Parses `bytes` in place: texts are unescaped where they stand. `tape` is cleared first.
    ///
    /// # Errors
    /// [`MessageError`]: answer with its code, forward nothing.
    pub fn json<'i>(&mut self, bytes: &'i mut [u8], tape: &mut Tape<'i>) -> Result<(), MessageError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(MessageError::TooLarge);
        }
        if deeper_than(bytes, JSON_DEPTH_MAX) {
            return Err(MessageError::TooDeep);
        }
        simd_json::fill_tape(bytes, &mut self.buffers, tape).map_err(|_| MessageError::Json)?;
        self.refuse_duplicate_keys(&tape.0)
    }

    fn refuse_duplicate_keys(&mut self, nodes: Nodes<'_, '_>) -> Result<(), MessageError> {
        for (at, node) in nodes.iter().enumerate() {
            let Node::Object { len, .. } = node else { continue };
            match *len {
                0 | 1 => {}
                // Pairs are cheaper than hashes for what real messages look like.
                2..=16 => {
                    for (i, (key, _)) in members(&nodes[at..]).enumerate() {
                        if members(&nodes[at..]).take(i).any(|(other, _)| other == key) {
                            return Err(MessageError::DuplicateKey);
                        }
                    }
                }
                _ => {
                    self.key_hashes.clear();
                    self.key_hashes.extend(members(&nodes[at..]).map(|(key, _)| hash(key)));
                    self.key_hashes.sort_unstable();
                    // Two different keys may share a 64-bit hash; refusing them is the safe side of a rare accident.
                    if self.key_hashes.windows(2).any(|pair| pair[0] == pair[1]) {
                        return Err(MessageError::DuplicateKey);
                    }
                }
            }
        }
        Ok(())
    }
}

fn hash(key: &str) -> u64 {
    blake3::hash(key.as_bytes()).as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Whether brackets nest deeper than `depth_max`, strings aside. Asked before parsing, so that no parser's stack is at risk.
fn deeper_than(bytes: &[u8], depth_max: usize) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for byte in bytes {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > depth_max {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// How many nodes the value at the front has, itself included.
pub fn span(nodes: Nodes<'_, '_>) -> usize {
    match nodes.first() {
        Some(Node::Object { count, .. } | Node::Array { count, .. }) => count + 1,
        Some(Node::String(_) | Node::Static(_)) => 1,
        None => 0,
    }
}

/// The members of the object at the front: key and value; nothing when it is not an object.
pub fn members<'t, 'i>(nodes: Nodes<'t, 'i>) -> impl Iterator<Item = (&'i str, Nodes<'t, 'i>)> {
    let (count, mut rest) = match nodes.split_first() {
        Some((Node::Object { len, .. }, rest)) => (*len, rest),
        _ => (0, &[][..]),
    };
    (0..count).map_while(move |_| {
        let (Node::String(key), after) = rest.split_first()? else { return None };
        let (value, next) = after.split_at_checked(span(after))?;
        rest = next;
        Some((*key, value))
    })
}

/// The member `key` of the object at the front.
pub fn member<'t, 'i>(nodes: Nodes<'t, 'i>, key: &str) -> Option<Nodes<'t, 'i>> {
    members(nodes).find_map(|(name, value)| (name == key).then_some(value))
}

/// The text at the front.
pub fn text<'i>(nodes: Nodes<'_, 'i>) -> Option<&'i str> {
    match nodes.first() {
        Some(Node::String(text)) => Some(text),
        _ => None,
    }
}

fn id<'i>(nodes: Nodes<'_, 'i>) -> Option<Id<'i>> {
    match nodes.first()? {
        Node::String(text) if text.len() <= NAME_BYTES_MAX => Some(Id::Text(text)),
        Node::Static(number @ (StaticNode::I64(_) | StaticNode::U64(_))) => number.as_i64().map(Id::Number),
        _ => None,
    }
}

impl<'t, 'i> Message<'t, 'i> {
    /// Reads the one message on a tape.
    ///
    /// # Errors
    /// [`MessageError::Invalid`] names what is missing or wrong.
    pub fn read(tape: Nodes<'t, 'i>) -> Result<Message<'t, 'i>, MessageError> {
        use MessageError::Invalid;
        match tape.first() {
            Some(Node::Object { .. }) => {}
            Some(Node::Array { .. }) => return Err(Invalid("batches were removed from MCP in 2025-06-18; send one message")),
            _ => return Err(Invalid("expected an object")),
        }
        if member(tape, "jsonrpc").and_then(text) != Some("2.0") {
            return Err(Invalid("`jsonrpc` must be \"2.0\""));
        }
        let params = match member(tape, "params") {
            Some(params) if matches!(params.first(), Some(Node::Object { .. })) => Some(params),
            Some(_) => return Err(Invalid("`params` must be an object")),
            None => None,
        };
        let given_id = member(tape, "id");
        if let Some(method) = member(tape, "method") {
            let method = text(method).ok_or(Invalid("`method` must be a text"))?;
            if method.is_empty() || method.len() > NAME_BYTES_MAX {
                return Err(Invalid("`method` must have 1 to 256 bytes"));
            }
            return match given_id {
                Some(given) => {
                    let id = id(given).ok_or(Invalid("`id` must be a text of at most 256 bytes or an integer"))?;
                    Ok(Message::Request { id, method, params })
                }
                None => Ok(Message::Notification { method, params }),
            };
        }
        let id = given_id.and_then(id).ok_or(Invalid("expected a `method`, or an `id` with a `result` or an `error`"))?;
        match (member(tape, "result"), member(tape, "error")) {
            (Some(body), None) | (None, Some(body)) => Ok(Message::Response { id, body }),
            _ => Err(Invalid("expected a `method`, or an `id` with a `result` or an `error`")),
        }
    }
}

/// Writes the value at the front as compact JSON that reads as the same value, but stops before more than `bytes_max` bytes.
/// Returns whether everything was written.
pub fn write_bounded(nodes: Nodes<'_, '_>, out: &mut String, bytes_max: usize) -> bool {
    let mut at = 0;
    write_value(nodes, &mut at, out, bytes_max)
}

fn write_value(nodes: Nodes<'_, '_>, at: &mut usize, out: &mut String, bytes_max: usize) -> bool {
    let Some(node) = nodes.get(*at) else { return true };
    *at += 1;
    match node {
        Node::String(text) => write_text(text, out, bytes_max),
        // With a fraction or an exponent, as it came: 2500.0 is another number than 2500 to whoever reads it.
        Node::Static(StaticNode::F64(number)) => push(&format!("{number:?}"), out, bytes_max),
        Node::Static(value) => push(&value.to_string(), out, bytes_max),
        Node::Array { len, .. } => {
            push("[", out, bytes_max)
                && (0..*len).all(|i| (i == 0 || push(",", out, bytes_max)) && write_value(nodes, at, out, bytes_max))
                && push("]", out, bytes_max)
        }
        Node::Object { len, .. } => {
            push("{", out, bytes_max)
                && (0..*len).all(|i| {
                    (i == 0 || push(",", out, bytes_max))
                        && write_value(nodes, at, out, bytes_max)
                        && push(":", out, bytes_max)
                        && write_value(nodes, at, out, bytes_max)
                })
                && push("}", out, bytes_max)
        }
    }
}

fn write_text(text: &str, out: &mut String, bytes_max: usize) -> bool {
    if !push("\"", out, bytes_max) {
        return false;
    }
    for c in text.chars() {
        let mut utf8 = [0; 4];
        let written = match c {
            '"' => push("\\\"", out, bytes_max),
            '\\' => push("\\\\", out, bytes_max),
            '\n' => push("\\n", out, bytes_max),
            '\t' => push("\\t", out, bytes_max),
            c if c.is_control() => push(&format!("\\u{:04x}", u32::from(c)), out, bytes_max),
            c => push(c.encode_utf8(&mut utf8), out, bytes_max),
        };
        if !written {
            return false;
        }
    }
    push("\"", out, bytes_max)
}

fn push(text: &str, out: &mut String, bytes_max: usize) -> bool {
    let fits = out.len() + text.len() <= bytes_max;
    if fits {
        out.push_str(text);
    }
    fits
}

/// Feeds the value at the front to a hash: equal values give equal digests, whatever their white space and escapes.
pub fn digest(nodes: Nodes<'_, '_>, key: &[u8; 32]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for node in &nodes[..span(nodes).min(nodes.len())] {
        match node {
            Node::String(text) => {
                hasher.update(b"s").update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
            }
            Node::Object { len, .. } => {
                hasher.update(b"o").update(&(*len as u64).to_le_bytes());
            }
            Node::Array { len, .. } => {
                hasher.update(b"a").update(&(*len as u64).to_le_bytes());
            }
            Node::Static(StaticNode::I64(n)) => {
                hasher.update(b"i").update(&n.to_le_bytes());
            }
            Node::Static(StaticNode::U64(n)) => {
                hasher.update(b"i").update(&n.to_le_bytes());
            }
            Node::Static(StaticNode::F64(n)) => {
                hasher.update(b"f").update(&n.to_bits().to_le_bytes());
            }
            Node::Static(StaticNode::Bool(b)) => {
                hasher.update(if *b { b"t" } else { b"b" });
            }
            Node::Static(StaticNode::Null) => {
                hasher.update(b"n");
            }
        }
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests;
