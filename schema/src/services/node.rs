//! A YAML document as a tree that remembers where each part stands, so that every later complaint can name its line.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::decode::At;

/// LIMIT: values in one file, aliases expanded; a thousand grants of thirty values each.
const NODES_MAX: usize = 30_000;

/// LIMIT: levels of nesting; the kinds need six.
const DEPTH_MAX: usize = 32;

/// A place in a file; lines and columns count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mark {
    /// The line; 0 where none is known.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

/// One node of a document. Editors and people write it, so nothing about it is trusted.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub mark: Mark,
    /// What it is.
    pub value: Value,
}

/// What a node can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number below zero.
    Negative(i64),
    /// A whole number.
    Number(u64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Where it stands.
    pub mark: Mark,
    /// The key.
    pub text: String,
}

/// What is wrong at a place of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub mark: Mark,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl Node {
    /// Reads one document. An empty one is [`Value::Null`].
    ///
    /// # Errors
    /// The first place that is not YAML, holds a key twice, or nests, repeats or aliases more than anybody writes by hand.
    pub fn parse(text: &str) -> Result<Node, Fault> {
        let start = Mark { line: 1, column: 1 };
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_nodes: NODES_MAX, max_depth: DEPTH_MAX },
            strict_booleans: true,
            reject_unsupported_tags: true,
            leading_zero_numbers_as_strings: true,
            underscored_numbers_as_strings: true,
            with_snippet: false,
        };
        match serde_saphyr::from_str_with_options::<Option<Parsed>>(text, options) {
            Ok(parsed) => Ok(parsed.map_or(Node { mark: start, value: Value::Null }, |parsed| parsed.0)),
            Err(error) => Err(Fault { mark: error.location().map_or(start, Mark::from), message: explain(&error) }),
        }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Negative(_) | Value::Number(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The value under `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(at, _)| at.text == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// Where `needle` stands as a whole text or key; the first place, in the order of the file.
    pub fn find(&self, needle: &str) -> Option<Mark> {
        match &self.value {
            Value::Text(text) => (text == needle).then_some(self.mark),
            Value::List(items) => items.iter().find_map(|item| item.find(needle)),
            Value::Map(entries) => {
                entries.iter().find_map(|(key, node)| if key.text == needle { Some(key.mark) } else { node.find(needle) })
            }
            _ => None,
        }
    }
}

/// The YAML crate speaks to programmers in some of its messages; this speaks to whoever wrote the file.
fn explain(error: &serde_saphyr::Error) -> String {
    match error.without_snippet() {
        serde_saphyr::Error::DuplicateMappingKey { key, .. } => {
            format!("the key `{}` stands here twice; keep one of them", key.as_deref().unwrap_or("?"))
        }
        serde_saphyr::Error::MultipleDocuments { .. } => "a second document begins here; write one per file".to_owned(),
        serde_saphyr::Error::Budget { .. } => {
            format!("too much for one file: at most {NODES_MAX} values, aliases expanded, and {DEPTH_MAX} levels")
        }
        other => {
            // The crate appends its own ` at line 3, column 7`, which the mark already says.
            let text = other.to_string();
            format!("not YAML: {}", text.split(" at line ").next().unwrap_or(&text).trim_end_matches(['.', ':']))
        }
    }
}

impl From<Location> for Mark {
    fn from(location: Location) -> Mark {
        let clamp = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Mark { line: clamp(location.line()), column: clamp(location.column()) }
    }
}

/// What the YAML crate fills: it alone knows how to hand out locations.
struct Parsed(Node);

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Parsed, D::Error> {
        let spanned = Spanned::<Body<Spanned<String>, Parsed>>::deserialize(from)?;
        Ok(Parsed(Node { mark: spanned.referenced.into(), value: spanned.value.value }))
    }
}

/// A part that somebody else reads later is kept as it is, places included.
impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Node, D::Error> {
        let at = At::<Body<At<String>, Node>>::deserialize(from)?;
        Ok(Node { mark: at.mark(), value: at.value.value })
    }
}

impl From<Parsed> for Node {
    fn from(parsed: Parsed) -> Node {
        parsed.0
    }
}

impl From<Spanned<String>> for Key {
    fn from(spanned: Spanned<String>) -> Key {
        Key { mark: spanned.referenced.into(), text: spanned.value }
    }
}

impl From<At<String>> for Key {
    fn from(at: At<String>) -> Key {
        Key { mark: at.mark(), text: at.value }
    }
}

/// What stands at a node, from a source whose keys are `K` and whose nodes are `N`.
struct Body<K, N> {
    value: Value,
    source: PhantomData<(K, N)>,
}

impl<'de, K: Deserialize<'de> + Into<Key>, N: Deserialize<'de> + Into<Node>> Deserialize<'de> for Body<K, N> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Body<K, N>, D::Error> {
        let value = from.deserialize_any(ValueVisitor::<K, N>(PhantomData))?;
        Ok(Body { value, source: PhantomData })
    }
}

struct ValueVisitor<K, N>(PhantomData<(K, N)>);

impl<'de, K: Deserialize<'de> + Into<Key>, N: Deserialize<'de> + Into<Node>> Visitor<'de> for ValueVisitor<K, N> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(u64::try_from(value).map_or(Value::Negative(value), Value::Number))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element::<N>()? {
            items.push(item.into());
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, node)) = map.next_entry::<K, N>()? {
            entries.push((key.into(), node.into()));
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_part_knows_its_place() {
        let node = Node::parse("# c\na: 1\nlist:\n  - x\n  - {k: -2}\nt: yes\nf: 1.5\nn: ~\n").unwrap();
        let rows = [
            (node.find("a"), Some(Mark { line: 2, column: 1 })),
            (node.get("a").map(|n| n.mark), Some(Mark { line: 2, column: 4 })),
            (node.find("x"), Some(Mark { line: 4, column: 5 })),
            (node.find("k"), Some(Mark { line: 5, column: 6 })),
            (node.find("missing"), None),
        ];
        for (have, expect) in rows {
            assert_eq!(have, expect, "{node:?}");
        }
        assert_eq!(node.get("t").unwrap().value, Value::Text("yes".into()));
        assert_eq!(node.get("f").unwrap().value, Value::Float(1.5));
        assert_eq!(node.get("n").unwrap().value, Value::Null);
        assert_eq!(Node::parse("").unwrap().value, Value::Null);
        assert_eq!(Node::parse("# only this\n").unwrap().value, Value::Null);
    }

    #[test]
    fn what_is_not_one_document_is_refused_with_its_place() {
        let rows = [
            ("a: 1\na: 2\n", 2, "twice"),
            ("a: [1\nb: 2\n", 2, ""),
            ("a: 'x\n", 0, ""),
            ("a: 1\n---\nb: 2\n", 0, "document"),
            ("a: *nowhere\n", 1, ""),
        ];
        for (text, line, word) in rows {
            let error = Node::parse(text).unwrap_err();
            assert!(line == 0 || error.mark.line == line, "{text:?}: {error:?}");
            assert!(error.message.to_lowercase().contains(word), "{text:?}: {error:?}");
        }
        let bomb = (1..30).fold("a0: &a0 [x]\n".to_owned(), |text, n| {
            format!("{text}a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "))
        });
        for text in [bomb, "[".repeat(100_000), "{a: ".repeat(1000), "- 1\n".repeat(NODES_MAX + 1)] {
            assert!(Node::parse(&text).is_err_and(|fault| !fault.message.is_empty()));
        }
    }
}
