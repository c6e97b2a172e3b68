//! The text of a JSON message beside its tape: where each node stands, and how it reads with parts of it replaced.
//!
//! A message is changed where something has to go, and stays to the byte elsewhere: numbers keep their digits, objects
//! the order of their keys.

use std::ops::Range;

use arrayvec::ArrayVec;
use simd_json::Node;
use wire::limits::JSON_DEPTH_MAX;

/// Why a text is not taken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextError {
    /// Nested deeper than [`JSON_DEPTH_MAX`].
    TooDeep,
}

/// Where each node of the tape stands: a text with its quotes, a number, a word, or an object or array with both its
/// brackets. Only the brackets are counted here; whether it is JSON at all, the parser says.
pub(super) fn places(text: &[u8], out: &mut Vec<Range<usize>>) -> Result<(), TextError> {
    out.clear();
    let mut open = ArrayVec::<usize, JSON_DEPTH_MAX>::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let start = at;
        match byte {
            b'{' | b'[' => {
                open.try_push(out.len()).map_err(|_| TextError::TooDeep)?;
                at += 1;
            }
            b'}' | b']' => {
                at += 1;
                if let Some(place) = open.pop().and_then(|node| out.get_mut(node)) {
                    place.end = at;
                }
                continue;
            }
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'"' => at = after_quoted(text, at + 1),
            _ => {
                let length =
                    text.get(at..).unwrap_or_default().iter().take_while(|byte| !b"{}[],: \t\n\r\"".contains(byte)).count();
                at += length;
            }
        }
        out.push(start..at);
    }
    Ok(())
}

/// Behind the quote that ends the text whose first byte is at `at`.
fn after_quoted(text: &[u8], mut at: usize) -> usize {
    loop {
        match memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
            None => return text.len(),
            Some(found) if text.get(at + found) == Some(&b'"') => return at + found + 1,
            Some(found) => at = (at + found + 2).min(text.len()),
        }
    }
}

/// A part of the text that is to read otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// Which bytes; empty for something that is put in.
    pub(super) at: Range<usize>,
    /// What stands there instead.
    pub(super) with: String,
}

/// The text with its edits made. Edits must not overlap; their order does not matter.
pub(super) fn edited(text: &[u8], mut edits: Vec<Edit>) -> Vec<u8> {
    edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
    let grown: usize = edits.iter().map(|edit| edit.with.len()).sum();
    let mut out = Vec::with_capacity(text.len() + grown);
    let mut from = 0;
    for edit in edits {
        out.extend_from_slice(text.get(from..edit.at.start).unwrap_or_default());
        out.extend_from_slice(edit.with.as_bytes());
        from = edit.at.end.max(from);
    }
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    out
}

/// A text with the ranges replaced, as JSON writes it. Ranges may overlap and reach into characters: each then covers
/// the whole of them. Also says how many stretches went.
pub(super) fn without(text: &str, mut cuts: Vec<(Range<usize>, String)>) -> (String, u32) {
    cuts.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let (mut until, mut count) = (0, 0);
    for (range, mark) in cuts {
        let start = text.floor_char_boundary(range.start.min(text.len()));
        let end = text.ceil_char_boundary(range.end.min(text.len()));
        // What begins within the last cut goes with it.
        if start >= until {
            out.push_str(text.get(until..start).unwrap_or_default());
            out.push_str(&mark);
            count += 1;
        }
        until = until.max(end);
    }
    out.push_str(text.get(until..).unwrap_or_default());
    (quoted(&out), count)
}

/// A text as JSON writes it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// How many nodes the value at `at` has, itself included.
pub(super) fn span(nodes: &[Node<'_>], at: usize) -> usize {
    wire::jsonrpc::span(nodes.get(at..).unwrap_or_default())
}

/// The members of the object at `at`: the name, and where the value is.
pub(super) fn members<'n>(nodes: &'n [Node<'n>], at: usize) -> impl Iterator<Item = (&'n str, usize)> {
    let count = match nodes.get(at) {
        Some(Node::Object { len, .. }) => *len,
        _ => 0,
    };
    let mut next = at + 1;
    (0..count).map_while(move |_| {
        let Some(Node::String(key)) = nodes.get(next) else { return None };
        let value = next + 1;
        next = value + span(nodes, value).max(1);
        Some((*key, value))
    })
}

/// The items of the array at `at`.
pub(super) fn items<'n>(nodes: &'n [Node<'n>], at: usize) -> impl Iterator<Item = usize> + 'n {
    let count = match nodes.get(at) {
        Some(Node::Array { len, .. }) => *len,
        _ => 0,
    };
    let mut next = at + 1;
    (0..count).map(move |_| {
        let item = next;
        next += span(nodes, item).max(1);
        item
    })
}

/// The JSON pointer (RFC 6901) of a node.
pub(super) fn pointer(nodes: &[Node<'_>], node: usize) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at != node {
        let holds = |value: &usize| (*value..value + span(nodes, *value)).contains(&node);
        let step = match nodes.get(at) {
            // A key is called by the member it names.
            Some(Node::Object { .. }) => members(nodes, at)
                .find(|(_, value)| holds(value) || value - 1 == node)
                .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)),
            Some(Node::Array { .. }) => {
                items(nodes, at).enumerate().find(|(_, item)| holds(item)).map(|(ix, item)| (ix.to_string(), item))
            }
            _ => None,
        };
        let Some((name, value)) = step else { break };
        out.push('/');
        out.push_str(&name);
        if value - 1 == node {
            break;
        }
        at = value;
    }
    out
}

/// Walks a tape from front to back and tells of each node whether it is a key, and under which key it stands.
pub(super) struct Walk {
    /// Nodes still to come in each container, keys included; whether it is an object; the last key in it.
    open: ArrayVec<(usize, bool, usize), { JSON_DEPTH_MAX + 1 }>,
}

/// No key.
pub(super) const NO_KEY: usize = usize::MAX;

impl Walk {
    pub(super) fn new() -> Walk {
        Walk { open: ArrayVec::new() }
    }

    /// Whether the next node is a key, and the key that it stands under. Call it for every node in turn.
    pub(super) fn next(&mut self, at: usize, node: &Node<'_>) -> (bool, usize) {
        while self.open.last().is_some_and(|(left, _, _)| *left == 0) {
            self.open.pop();
        }
        let (mut is_key, mut key) = (false, NO_KEY);
        if let Some((left, is_object, last)) = self.open.last_mut() {
            *left -= 1;
            is_key = *is_object && *left % 2 == 1;
            if is_key {
                *last = at;
            }
            key = *last;
        }
        let opened = match node {
            Node::Object { len, .. } => Some((len * 2, true)),
            Node::Array { len, .. } => Some((*len, false)),
            _ => None,
        };
        if let Some((left, is_object)) = opened {
            // The depth was checked before; what does not fit is then a fault of ours, and its keys read as values.
            let _ = self.open.try_push((left, is_object, key));
        }
        (is_key, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_has_its_place() {
        let text = br#" {"a\"b": [1.50, -2e3,true,{"c":null}], "d" : "e\\" } "#;
        let mut places_found = Vec::new();
        places(text, &mut places_found).unwrap();
        let mut bytes = text.to_vec();
        let tape = simd_json::to_tape(&mut bytes).unwrap();
        let shown: Vec<_> = places_found.iter().map(|place| String::from_utf8_lossy(&text[place.clone()]).into_owned()).collect();
        let list = r#"[1.50, -2e3,true,{"c":null}]"#;
        assert_eq!(
            shown[1..],
            [r#""a\"b""#, list, "1.50", "-2e3", "true", r#"{"c":null}"#, r#""c""#, "null", r#""d""#, r#""e\\""#]
        );
        assert_eq!(shown[0], String::from_utf8_lossy(text).trim());
        assert_eq!(tape.0.len(), shown.len());
        assert_eq!(pointer(&tape.0, 8), "/a\"b/3/c");
        assert_eq!(pointer(&tape.0, 7), "/a\"b/3/c");
        assert_eq!(pointer(&tape.0, 10), "/d");
        let mut walk = Walk::new();
        let keys: Vec<_> = tape.0.iter().enumerate().map(|(at, node)| walk.next(at, node)).collect();
        let is_key: Vec<usize> = (0..keys.len()).filter(|at| keys[*at].0).collect();
        assert_eq!(is_key, [1, 7, 9]);
        assert_eq!((keys[3].1, keys[8].1, keys[10].1), (1, 7, 9));
        assert_eq!(places(&[b'['; 200], &mut places_found), Err(TextError::TooDeep));
    }

    #[test]
    fn edits_and_cuts_leave_the_rest() {
        let edits = vec![Edit { at: 4..6, with: "X".into() }, Edit { at: 1..1, with: "++".into() }];
        assert_eq!(edited(b"0123456789", edits), b"0++123X6789");
        let cuts = vec![(5..9, "[b]".to_owned()), (2..6, "[a]".to_owned()), (10..10, "[c]".to_owned())];
        assert_eq!(without("0123456789", cuts), (r#""01[a]9[c]""#.to_owned(), 2));
        assert_eq!(without("aäb", vec![(2..3, "-".to_owned())]), (r#""a-b""#.to_owned(), 1));
        assert_eq!(without("äb", vec![(0..1, "-".to_owned())]), (r#""-b""#.to_owned(), 1));
    }
}
