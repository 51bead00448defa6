use serde_json::{Map, Number, Value as Json};

use super::{Format, Formats};
use crate::yaml::Value;

/// Bounds a chain of `$ref`s that leads back to itself.
const MAX_REFERENCES: usize = 32;

/// What a value is, in the terms of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::List(_) => Self::Array,
            Value::Map(_) => Self::Object,
        }
    }

    fn is(self, word: &str) -> bool {
        match self {
            Self::Null => word == "null",
            Self::Boolean => word == "boolean",
            Self::Integer => matches!(word, "integer" | "number"),
            Self::Number => word == "number",
            Self::String => word == "string",
            Self::Array => word == "array",
            Self::Object => word == "object",
        }
    }
}

/// One thing that a schema allows, with `$ref`, `allOf`, `anyOf` and `oneOf` resolved: the
/// keywords that hold together, the outermost first. No keyword at all allows everything.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape<'a>(Vec<&'a Map<String, Json>>);

impl<'a> Shape<'a> {
    /// All alternatives of `schema`, which is part of `root`.
    pub(super) fn all(root: &'a Json, schema: &'a Json) -> Vec<Self> {
        Self::default().expand(root, schema, MAX_REFERENCES)
    }

    fn expand(mut self, root: &'a Json, schema: &'a Json, references: usize) -> Vec<Self> {
        let Some(keywords) = schema.as_object().filter(|_| references > 0) else {
            return vec![self];
        };
        self.0.push(keywords);
        let mut shapes = vec![self];
        let reference = keywords.get("$ref").and_then(Json::as_str);
        let target = reference.and_then(|at| root.pointer(at.trim_start_matches('#')));
        let all = keywords.get("allOf").and_then(Json::as_array).into_iter().flatten();
        for part in target.into_iter().chain(all) {
            shapes = expand_each(shapes, |shape| shape.expand(root, part, references - 1));
        }
        for keyword in ["anyOf", "oneOf"] {
            let Some(branches) = keywords.get(keyword).and_then(Json::as_array) else { continue };
            shapes = expand_each(shapes, |shape| {
                let expand = |branch| shape.clone().expand(root, branch, references - 1);
                branches.iter().flat_map(expand).collect()
            });
        }
        shapes
    }

    /// The value of a keyword.
    pub(super) fn get(&self, keyword: &str) -> Option<&'a Json> {
        self.0.iter().find_map(|keywords| keywords.get(keyword))
    }

    pub(super) fn bound(&self, keyword: &str) -> Option<u64> {
        self.get(keyword)?.as_u64()
    }

    pub(super) fn format(&self, formats: &Formats) -> Option<Format> {
        formats.get(self.get("format")?.as_str()?).copied()
    }

    /// The type words; empty allows every kind.
    pub(super) fn types(&self) -> Vec<&'a str> {
        match self.get("type") {
            Some(Json::String(word)) => vec![word],
            Some(Json::Array(words)) => words.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn accepts(&self, kind: Kind) -> bool {
        let types = self.types();
        types.is_empty() || types.iter().any(|word| kind.is(word))
    }

    /// The only values allowed (`const`, `enum`); empty where there are no such.
    pub(super) fn choices(&self) -> &'a [Json] {
        match (self.get("const"), self.get("enum")) {
            (Some(only), _) => std::slice::from_ref(only),
            (None, Some(Json::Array(choices))) => choices,
            _ => &[],
        }
    }

    /// Whether a number is within the bounds.
    pub(super) fn holds(&self, number: &Number) -> bool {
        let choices = self.choices();
        if !choices.is_empty() {
            return choices.iter().any(|choice| choice.as_number() == Some(number));
        }
        // A double tells all integers up to 2^53 apart; schemars writes no bound beyond.
        let Some(value) = number.as_f64() else { return false };
        let bound = |keyword| self.get(keyword).and_then(Json::as_f64);
        bound("minimum").is_none_or(|least| value >= least)
            && bound("maximum").is_none_or(|most| value <= most)
            && bound("exclusiveMinimum").is_none_or(|least| value > least)
            && bound("exclusiveMaximum").is_none_or(|most| value < most)
    }

    /// The keys that a map must have.
    pub(super) fn required(&self) -> impl Iterator<Item = &'a str> {
        let lists = self.0.iter().filter_map(|keywords| keywords.get("required")?.as_array());
        lists.flatten().filter_map(Json::as_str)
    }

    /// The keys that a map is known to have.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.properties().flat_map(Map::keys).map(String::as_str)
    }

    /// The schema of a key's value; `None` where the key is not allowed.
    pub(super) fn value_of(&self, key: &str) -> Option<&'a Json> {
        let known = self.properties().find_map(|properties| properties.get(key));
        // Patterns are not looked at: the keys of our maps are told by `propertyNames`.
        let pattern = || self.get("patternProperties")?.as_object()?.values().next();
        known.or_else(pattern).or_else(|| match self.get("additionalProperties") {
            Some(Json::Bool(false)) => None,
            Some(schema) => Some(schema),
            None => Some(&Json::Bool(true)),
        })
    }

    /// The keys whose value is one fixed word.
    pub(super) fn tags(&self) -> impl Iterator<Item = &'a str> {
        let fixed = |(_, schema): &(&String, &Json)| schema["const"].is_string();
        self.properties().flatten().filter(fixed).map(|(key, _)| key.as_str())
    }

    /// The word that a key is fixed to.
    pub(super) fn tag(&self, key: &str) -> Option<&'a str> {
        self.properties().find_map(|properties| properties.get(key)?["const"].as_str())
    }

    fn properties(&self) -> impl Iterator<Item = &'a Map<String, Json>> {
        self.0.iter().filter_map(|keywords| keywords.get("properties")?.as_object())
    }
}

fn expand_each<'a>(
    shapes: Vec<Shape<'a>>,
    expand: impl FnMut(Shape<'a>) -> Vec<Shape<'a>>,
) -> Vec<Shape<'a>> {
    shapes.into_iter().flat_map(expand).collect()
}
