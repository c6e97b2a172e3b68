//! Conditions of a grant: what stands under its `when`, one or a list of them.
//!
//! Their words and types are checked here, so that a broken one fails the build; whether a folder, host or network is one
//! is said by the data plane, which compiles them, and told at the same place.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use wire::condition::ConditionSource;

use super::decode;
use super::node::{Fault, Mark, Node, Value};

impl super::access::Grant {
    /// The conditions of the grant, in the order of the file.
    ///
    /// # Errors
    /// Every fault, with its place.
    pub(super) fn read_conditions(&self) -> Result<Vec<ConditionSource>, Vec<Fault>> {
        let Some(node) = &self.when else { return Ok(Vec::new()) };
        match &node.value {
            Value::Map(_) => decode::decode(node).map(|one| vec![one]),
            Value::List(items) if items.is_empty() => {
                let message = "`when` is an empty list, which could mean always or never; leave it out to mean always";
                Err(vec![Fault { mark: node.mark, message: message.to_owned() }])
            }
            _ => decode::decode(node),
        }
    }

    /// The conditions of the grant; none where there are none.
    pub fn conditions(&self) -> Vec<ConditionSource> {
        self.read_conditions().unwrap_or_default()
    }

    /// Where a condition stands, by its path from `when`: `2`, or `1.any.2` for one within another; counted from 1.
    pub fn condition_mark(&self, path: &str) -> Option<Mark> {
        let when = self.when.as_ref()?;
        let mut steps = path.split('.');
        let first = steps.next()?;
        let mut node = if matches!(when.value, Value::Map(_)) { when } else { item(when, first)? };
        for step in steps {
            node = node.get(step).or_else(|| item(node, step)).unwrap_or(node);
        }
        Some(node.mark)
    }
}

fn item<'n>(node: &'n Node, number: &str) -> Option<&'n Node> {
    let Value::List(items) = &node.value else { return None };
    items.get(number.parse::<usize>().ok()?.checked_sub(1)?)
}

/// What stands under `when`, for the JSON Schema.
pub(super) struct When;

impl JsonSchema for When {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "When".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let condition = generator.subschema_for::<Condition>();
        json_schema!({ "anyOf": [condition, { "type": "array", "items": condition, "minItems": 1 }] })
    }
}

/// One condition, for the JSON Schema.
struct Condition;

impl JsonSchema for Condition {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let condition = generator.subschema_for::<Condition>();
        let scalar = json_schema!({ "type": ["string", "number", "boolean"] });
        let scalars = json_schema!({ "type": "array", "items": scalar, "minItems": 1 });
        let number = json_schema!({ "type": "number" });
        let text = json_schema!({ "type": "string", "minLength": 1 });
        let texts = |what: &str| json_schema!({ "description": what, "anyOf": [text, { "type": "array", "items": text, "minItems": 1 }] });
        let conditions = |what: &str| json_schema!({ "description": what, "type": "array", "items": condition, "minItems": 1 });
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let kinds = ["null", "boolean", "number", "integer", "string", "array", "object"];
        let described = |what: &str, schema: &Schema| {
            let mut schema = schema.clone();
            schema.insert("description".to_owned(), what.into());
            schema
        };
        json_schema!({
            "description": "One condition: exactly one question, asked of `arg` unless it is `time`, `all`, `any` or `not`.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "arg": { "type": "string", "description": "A JSON pointer into the arguments; a step `*` is every item of an array." },
                "items": { "enum": ["every", "some"], "description": "With a `*` in `arg`: whether every item must pass (the default), or some." },
                "eq": described("Is this value. Another type cannot be judged.", &scalar),
                "ne": described("Is another value of the same type.", &scalar),
                "lt": described("Is a smaller number.", &number),
                "le": described("Is a number at most this.", &number),
                "gt": described("Is a greater number.", &number),
                "ge": described("Is a number at least this.", &number),
                "in": described("Is one of these values.", &scalars),
                "not_in": described("Is none of these values, but has the type of one.", &scalars),
                "prefix": texts("Is a text that begins so."),
                "suffix": texts("Is a text that ends so."),
                "glob": texts("Is a text that a glob covers."),
                "within": texts("Is a path that lies in one of these folders, however it is written."),
                "host": texts("Is a URL or host with one of these hosts; `*.example.com` is every name below."),
                "cidr": texts("Is a URL or host whose host is an address in one of these networks."),
                "length": {
                    "description": "Is so long: characters of a text, items of an array, members of an object.",
                    "type": "object", "additionalProperties": false, "minProperties": 1,
                    "properties": { "min": { "type": "integer", "minimum": 0 }, "max": { "type": "integer", "minimum": 0 } }
                },
                "is": { "description": "Is of this type.", "enum": kinds },
                "exists": { "description": "Is there at all, or is not.", "type": "boolean" },
                "time": {
                    "description": "The call is made in this window of the day.",
                    "type": "object", "additionalProperties": false, "required": ["from", "to"],
                    "properties": {
                        "from": { "type": "string", "description": "`09:00`; included." },
                        "to": { "type": "string", "description": "`17:30`; not included. Before `from`: on the next day." },
                        "days": { "type": "array", "items": { "enum": days }, "minItems": 1, "description": "On which the window begins. Left out: every day." },
                        "utc_offset": { "type": "string", "description": "`+02:00`. Left out: UTC." }
                    }
                },
                "all": conditions("All of these hold."),
                "any": conditions("One of these holds."),
                "not": condition
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_json_schema_knows_every_question_and_no_other() {
        let schema = Condition::json_schema(&mut SchemaGenerator::default());
        let known: Vec<&String> = schema.get("properties").unwrap().as_object().unwrap().keys().collect();
        let mut expect: Vec<&str> = ConditionSource::QUESTIONS.iter().copied().chain(["arg", "items"]).collect();
        expect.sort_unstable();
        let mut found: Vec<&str> = known.into_iter().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, expect);
    }
}
