//! Turns a [`Node`] into any type that serde can fill, and finds every fault on the way, not only the first.
//!
//! serde stops at the first error. So the faulty part is noted and left out, and the rest is read again, until it
//! reads or nothing is left. Keys that a struct does not have are faults even where its type would ignore them.

use std::collections::HashSet;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, EnumAccess, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};

use super::node::{Fault, Key, Mark, Node, Value};

/// LIMIT: faults reported for one file; whoever has more repairs these first.
const FAULTS_MAX: usize = 50;

/// Reads `node` as a `T`.
///
/// # Errors
/// Every fault that can be told from the others, in the order in which they were found.
pub(super) fn decode<T: DeserializeOwned>(node: &Node) -> Result<T, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut left_out = HashSet::new();
    loop {
        let error = match T::deserialize(Reader { node, left_out: &left_out }) {
            Ok(value) if faults.is_empty() => return Ok(value),
            Ok(_) => return Err(faults),
            Err(error) => error,
        };
        let at = error.at.unwrap_or(At { value: std::ptr::from_ref(node), line: node.mark.line, column: node.mark.column });
        if faults.is_empty() || !error.follows_from_others {
            let mark = Mark { line: at.line, column: at.column };
            faults.push(Fault { mark, message: error.what.to_string() });
        }
        if std::ptr::eq(at.value, node) || !left_out.insert(at.value) || faults.len() >= FAULTS_MAX {
            return Err(faults);
        }
    }
}

/// A value and where it stands. Only [`decode`] can fill it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl<T> At<T> {
    /// Where it stands.
    pub fn mark(&self) -> Mark {
        Mark { line: self.line, column: self.column }
    }
}

const AT: &str = "$At";
const AT_FIELDS: &[&str] = &["line", "column", "value"];

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<At<T>, D::Error> {
        struct AtVisitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for AtVisitor<T> {
            type Value = At<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with its place")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<At<T>, A::Error> {
                let absent = || de::Error::custom("no place is known here");
                Ok(At {
                    line: parts.next_element()?.ok_or_else(absent)?,
                    column: parts.next_element()?.ok_or_else(absent)?,
                    value: parts.next_element()?.ok_or_else(absent)?,
                })
            }
        }

        from.deserialize_struct(AT, AT_FIELDS, AtVisitor(std::marker::PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }
}

/// The serde view of a node.
#[derive(Clone, Copy)]
struct Reader<'a> {
    node: &'a Node,
    left_out: &'a HashSet<*const Node>,
}

/// Why reading stopped.
#[derive(Debug)]
struct DecodeError {
    /// The node to leave out, and the place to name.
    at: Option<At<*const Node>>,
    what: What,
    /// A consequence of something that was left out because it was faulty itself.
    follows_from_others: bool,
}

#[derive(Debug)]
enum What {
    Message(String),
    Missing(&'static str),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Message(text) => f.write_str(text),
            What::Missing(field) => write!(f, "`{field}` is missing"),
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}

impl std::error::Error for DecodeError {}

impl DecodeError {
    fn new(what: What) -> DecodeError {
        DecodeError { at: None, what, follows_from_others: false }
    }
}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> DecodeError {
        DecodeError::new(What::Message(message.to_string()))
    }

    fn missing_field(field: &'static str) -> DecodeError {
        DecodeError::new(What::Missing(field))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> DecodeError {
        DecodeError::custom(format_args!("expected {expected}, found {}", found_words(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> DecodeError {
        DecodeError::custom(format_args!("expected {expected}, found {}", found_words(found)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> DecodeError {
        DecodeError::custom(format_args!("`{variant}` is not known here; expected {}", one_of(expected)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> DecodeError {
        DecodeError::custom(format_args!("`{field}` is not known here; expected {}", one_of(expected)))
    }
}

fn found_words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Str(text) => format!("`{text}`"),
        Unexpected::Unsigned(number) => format!("`{number}`"),
        Unexpected::Signed(number) => format!("`{number}`"),
        Unexpected::Float(number) => format!("`{number}`"),
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unit => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        other => other.to_string(),
    }
}

/// The words an operator may write, as a sentence part.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => format!("`{only}`"),
        [many @ .., last] => {
            let many: Vec<String> = many.iter().map(|word| format!("`{word}`")).collect();
            format!("{} or `{last}`", many.join(", "))
        }
    }
}

impl<'a> Reader<'a> {
    fn child(self, node: &'a Node) -> Reader<'a> {
        Reader { node, left_out: self.left_out }
    }

    fn is_left_out(self, node: &Node) -> bool {
        self.left_out.contains(&std::ptr::from_ref(node))
    }

    fn fault(self, mark: Mark, node: &Node, message: String) -> DecodeError {
        DecodeError {
            at: Some(At { value: std::ptr::from_ref(node), line: mark.line, column: mark.column }),
            ..DecodeError::new(What::Message(message))
        }
    }

    fn expected(self, what: &str) -> DecodeError {
        let quote = if what == "text" && matches!(self.node.value, Value::Bool(_) | Value::Number(_) | Value::Float(_)) {
            "; put it in quotes"
        } else {
            ""
        };
        self.fault(self.node.mark, self.node, format!("expected {what}, found {}{quote}", self.node.kind()))
    }

    /// Names this node where the error has no place yet.
    fn locate(self, mut error: DecodeError) -> DecodeError {
        if error.at.is_none() {
            error.at =
                Some(At { value: std::ptr::from_ref(self.node), line: self.node.mark.line, column: self.node.mark.column });
            error.follows_from_others = match &error.what {
                What::Missing(field) => self.node.get(field).is_some(),
                What::Message(_) => match &self.node.value {
                    Value::List(items) => items.iter().any(|item| self.is_left_out(item)),
                    Value::Map(entries) => entries.iter().any(|(_, node)| self.is_left_out(node)),
                    _ => false,
                },
            };
        }
        error
    }

    fn items(self) -> Result<Items<'a>, DecodeError> {
        match &self.node.value {
            Value::List(items) => Ok(Items { reader: self, items: items.iter() }),
            _ => Err(self.expected("a list")),
        }
    }

    fn entries(self, expected: &str) -> Result<Entries<'a>, DecodeError> {
        match &self.node.value {
            Value::Map(entries) => Ok(Entries { reader: self, entries: entries.iter(), value: None }),
            // A file without content is a mapping without keys; anywhere else a key without a value is a mistake.
            Value::Null if self.node.mark == (Mark { line: 1, column: 1 }) => {
                Ok(Entries { reader: self, entries: [].iter(), value: None })
            }
            _ => Err(self.expected(expected)),
        }
    }

    fn whole_number<'de, V: Visitor<'de>>(self, max: u64, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.value {
            Value::Number(number) if number <= max => visitor.visit_u64(number).map_err(|error| self.locate(error)),
            Value::Number(number) => {
                Err(self.fault(self.node.mark, self.node, format!("`{number}` is too large; at most {max} is possible")))
            }
            _ => Err(self.expected("a whole number")),
        }
    }
}

macro_rules! whole_numbers {
    ($($method:ident $type:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.whole_number(u64::try_from(<$type>::MAX).unwrap_or(u64::MAX), visitor)
        }
    )*};
}

impl<'de> serde::Deserializer<'de> for Reader<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Negative(number) => visitor.visit_i64(*number),
            Value::Number(number) => visitor.visit_u64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(_) => visitor.visit_seq(self.items()?),
            Value::Map(_) => visitor.visit_map(self.entries("a mapping")?),
        }
        .map_err(|error| self.locate(error))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.value {
            Value::Bool(value) => visitor.visit_bool(value).map_err(|error| self.locate(error)),
            _ => Err(self.expected("`true` or `false`")),
        }
    }

    whole_numbers! {
        deserialize_u8 u8;
        deserialize_u16 u16;
        deserialize_u32 u32;
        deserialize_u64 u64;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.value {
            Value::Float(_) | Value::Number(_) | Value::Negative(_) => self.deserialize_any(visitor),
            _ => Err(self.expected("a number")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Text(text) => visitor.visit_str(text).map_err(|error| self.locate(error)),
            _ => Err(self.expected("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        // A key whose list was commented out must not mean "no restriction".
        if self.node.value == Value::Null {
            return Err(self.fault(self.node.mark, self.node, "nothing stands here; give a value or leave the key out".into()));
        }
        visitor.visit_some(self).map_err(|error| self.locate(error))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self).map_err(|error| self.locate(error))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_seq(self.items()?).map_err(|error| self.locate(error))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_map(self.entries("a mapping")?).map_err(|error| self.locate(error))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == AT {
            return visitor
                .visit_seq(AtParts { reader: self, mark: self.node.mark, part: 0 })
                .map_err(|error| self.locate(error));
        }
        let entries = self.entries(&format!("a mapping with {}", one_of(fields)))?;
        let unknown = entries.entries.clone().find(|(key, node)| !self.is_left_out(node) && !fields.contains(&key.text.as_str()));
        if let Some((key, node)) = unknown {
            let message = format!("`{}` is not known here; expected {}", key.text, one_of(fields));
            return Err(self.fault(key.mark, node, message));
        }
        visitor.visit_map(entries).map_err(|error| self.locate(error))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Value::Map(entries) if let [(key, node)] = entries.as_slice() => {
                visitor.visit_enum(Variant { key, reader: self.child(node) })
            }
            Value::Map(_) => {
                let message = format!("expected exactly one of {}", one_of(variants));
                return Err(self.fault(self.node.mark, self.node, message));
            }
            _ => return Err(self.expected(&one_of(variants))),
        }
        .map_err(|error| self.locate(error))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { i8 i16 i32 i64 i128 u128 char bytes byte_buf unit unit_struct tuple_struct identifier }
}

struct Items<'a> {
    reader: Reader<'a>,
    items: std::slice::Iter<'a, Node>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        let reader = self.reader;
        let Some(item) = self.items.find(|item| !reader.is_left_out(item)) else { return Ok(None) };
        let item = reader.child(item);
        seed.deserialize(item).map(Some).map_err(|error| item.locate(error))
    }
}

struct Entries<'a> {
    reader: Reader<'a>,
    entries: std::slice::Iter<'a, (Key, Node)>,
    value: Option<&'a Node>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        let reader = self.reader;
        let Some((key, node)) = self.entries.find(|(_, node)| !reader.is_left_out(node)) else { return Ok(None) };
        self.value = Some(node);
        let key = KeyReader { key, reader: reader.child(node) };
        seed.deserialize(key).map(Some).map_err(|error| key.locate(error))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let node = self.value.take().ok_or_else(|| de::Error::custom("a value was asked for before its key"))?;
        let value = self.reader.child(node);
        seed.deserialize(value).map_err(|error| value.locate(error))
    }
}

/// A key: its faults stand at the key and cost the entry.
#[derive(Clone, Copy)]
struct KeyReader<'a> {
    key: &'a Key,
    reader: Reader<'a>,
}

impl KeyReader<'_> {
    fn locate(self, mut error: DecodeError) -> DecodeError {
        let Mark { line, column } = self.key.mark;
        error.at.get_or_insert(At { value: self.reader.node, line, column });
        error
    }
}

impl<'de> serde::Deserializer<'de> for KeyReader<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_str(&self.key.text).map_err(|error| self.locate(error))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name != AT {
            return self.deserialize_any(visitor);
        }
        visitor.visit_seq(AtParts { reader: self, mark: self.key.mark, part: 0 }).map_err(|error| self.locate(error))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self).map_err(|error| self.locate(error))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_some(self).map_err(|error| self.locate(error))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_enum(self.key.text.as_str().into_deserializer()).map_err(|error| self.locate(error))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// The three parts of an [`At`].
struct AtParts<R> {
    reader: R,
    mark: Mark,
    part: u8,
}

impl<'de, R: serde::Deserializer<'de, Error = DecodeError> + Copy> SeqAccess<'de> for AtParts<R> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        self.part += 1;
        match self.part {
            1 => seed.deserialize(self.mark.line.into_deserializer()).map(Some),
            2 => seed.deserialize(self.mark.column.into_deserializer()).map(Some),
            // A type made by `try_from` fails outside of every method of the reader; the caller names the place then.
            3 => seed.deserialize(self.reader).map(Some),
            _ => Ok(None),
        }
    }
}

/// A mapping with one key that chooses a variant.
struct Variant<'a> {
    key: &'a Key,
    reader: Reader<'a>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = DecodeError;
    type Variant = Reader<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Reader<'a>), DecodeError> {
        let value = seed.deserialize(KeyReader { key: self.key, reader: self.reader })?;
        Ok((value, self.reader))
    }
}

impl<'de> VariantAccess<'de> for Reader<'_> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        match self.node.value {
            Value::Null => Ok(()),
            _ => Err(self.expected("nothing")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DecodeError> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        serde::Deserializer::deserialize_seq(self, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, DecodeError> {
        serde::Deserializer::deserialize_struct(self, "", fields, visitor)
    }
}
