//! The tag on a message that was let through with something in it: `_meta` of the result, of the parameters, or of the
//! tool in a listing.

use serde_json::json;
use simd_json::Node;
use std::ops::Range;

use super::text::{self, Edit};

/// The member of `_meta` that holds the finds.
pub(super) const KEY: &str = "sp/findings";

/// LIMIT: finds that one tag names; more say no more.
const FINDS_MAX: usize = 16;

/// A find that is named and left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    /// The node of the object that is tagged.
    pub(super) object: usize,
    /// The class's word.
    pub(super) class: &'static str,
    /// The rule; empty where the class has none.
    pub(super) rule: String,
    /// Where in the message.
    pub(super) pointer: String,
}

/// The edits that write the tags.
pub(super) fn write(nodes: &[Node<'_>], places: &[Range<usize>], tags: &[Tag]) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut objects: Vec<usize> = tags.iter().map(|tag| tag.object).collect();
    objects.sort_unstable();
    objects.dedup();
    for object in objects {
        let finds: Vec<_> = tags
            .iter()
            .filter(|tag| tag.object == object)
            .take(FINDS_MAX)
            .map(|tag| json!({ "class": tag.class, "rule": tag.rule, "at": tag.pointer }))
            .collect();
        let member = format!("{}:{}", text::quoted(KEY), serde_json::Value::from(finds));
        let metas: Vec<usize> = text::members(nodes, object).filter(|(key, _)| *key == "_meta").map(|(_, value)| value).collect();
        if metas.is_empty() {
            edits.extend(put_in(nodes, places, object, &format!("\"_meta\":{{{member}}}")));
        }
        for meta in metas {
            if !matches!(nodes.get(meta), Some(Node::Object { .. })) {
                edits.extend(places.get(meta).map(|place| Edit { at: place.clone(), with: format!("{{{member}}}") }));
                continue;
            }
            edits.extend(put_in(nodes, places, meta, &member));
            // What the server wrote under our name is not ours.
            let forged = text::members(nodes, meta).filter(|(key, _)| *key == KEY);
            edits.extend(forged.filter_map(|(_, value)| {
                Some(Edit { at: places.get(value - 1)?.clone(), with: text::quoted(&format!("{KEY}.upstream")) })
            }));
        }
    }
    edits
}

/// A member put at the front of an object.
fn put_in(nodes: &[Node<'_>], places: &[Range<usize>], object: usize, member: &str) -> Option<Edit> {
    let at = places.get(object)?.start + 1;
    let comma = match nodes.get(object)? {
        Node::Object { len: 0, .. } => "",
        _ => ",",
    };
    Some(Edit { at: at..at, with: format!("{member}{comma}") })
}
