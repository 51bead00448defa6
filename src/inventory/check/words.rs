//! What was seen and what was expected, in words.

use serde_json::Value as Json;

use super::Formats;
use super::shape::Shape;
use crate::report::{Path, redacted};
use crate::yaml::{Node, Value};

/// A longer text of the user, in characters, is cut in messages; the snippet shows it anyway.
const SHORT: usize = 60;

/// More words, such as all keys of the inventory, are cut.
const MANY: usize = 20;

/// The whole of several alternatives: `text or a list`.
pub(super) fn expected_any(shapes: &[Shape<'_>], formats: &Formats) -> String {
    let mut parts: Vec<String> = Vec::new();
    let choices: Vec<&str> =
        shapes.iter().flat_map(|shape| shape.choices()).filter_map(Json::as_str).collect();
    if !choices.is_empty() {
        parts.push(one_of(choices.iter().copied()));
    }
    let others = shapes.iter().filter(|shape| !shape.choices().iter().any(Json::is_string));
    for part in others.map(|shape| expected(shape, formats)) {
        if !parts.contains(&part) && part != "nothing" {
            parts.push(part);
        }
    }
    parts.join(" or ")
}

/// One alternative.
pub(super) fn expected(shape: &Shape<'_>, formats: &Formats) -> String {
    if !shape.choices().is_empty() {
        return list(shape.choices().iter().map(|choice| match choice {
            Json::String(word) => word.clone(),
            other => other.to_string(),
        }));
    }
    let types = shape.types();
    let words = types.iter().filter(|word| types.len() == 1 || **word != "null");
    words.map(|word| by_type(word, shape, formats)).collect::<Vec<_>>().join(" or ")
}

fn by_type(word: &str, shape: &Shape<'_>, formats: &Formats) -> String {
    match word {
        // A format's error says what it expects, whatever it is given.
        "string" => match shape.format(formats).and_then(|format| format("").err()) {
            Some(expected) => expected,
            None => text(shape),
        },
        "integer" => format!("a whole number{}", range(shape)),
        "number" => format!("a number{}", range(shape)),
        "boolean" => "`true` or `false`".to_owned(),
        "array" => "a list".to_owned(),
        "object" => "a map".to_owned(),
        _ => "nothing".to_owned(),
    }
}

fn text(shape: &Shape<'_>) -> String {
    match (shape.bound("minLength"), shape.bound("maxLength")) {
        (None | Some(0), None) => "text".to_owned(),
        (Some(1), None) => "a text that is not empty".to_owned(),
        (Some(least), None) => format!("text of at least {least} characters"),
        (least, Some(most)) => format!("text of {} to {most} characters", least.unwrap_or(0)),
    }
}

fn range(shape: &Shape<'_>) -> String {
    // The limits of 32 and 64 bits are no news to anybody.
    let most = shape.get("maximum").filter(|most| most.as_u64() < Some(u64::from(u32::MAX)));
    match (shape.get("minimum"), most) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(", {least} or more"),
        (None, Some(most)) => format!(", at most {most}"),
        (None, None) => String::new(),
    }
}

/// The kind of a value, for a label.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}

/// A value; `plain` is how it was spelt.
pub(super) fn seen(node: &Node, plain: Option<&str>) -> String {
    let spelt = |value: String| short(plain.unwrap_or(&value));
    match &node.value {
        Value::Bool(bool) => format!("`{}`", spelt(bool.to_string())),
        Value::Number(number) => format!("the number {}", spelt(number.to_string())),
        Value::String(text) => format!("the text `{}`", short(text)),
        value => kind(value).to_owned(),
    }
}

/// The edit that gives a value the type that is expected, where it is obvious.
pub(super) fn help(
    node: &Node,
    plain: Option<&str>,
    shapes: &[Shape<'_>],
    formats: &Formats,
) -> Option<String> {
    let of_type = |word: &str| shapes.iter().find(|shape| shape.types().contains(&word));
    match &node.value {
        Value::Bool(_) | Value::Number(_) => {
            let plain = plain?;
            if let Some(shape) = of_type("string") {
                let fits = shape.format(formats).is_none_or(|format| format(plain).is_ok())
                    && shape.choices().is_empty();
                return fits.then(|| format!("quote it: \"{plain}\""));
            }
            of_type("array").map(|_| format!("write a list: `[{plain}]`"))
        }
        Value::String(text) => {
            let number = of_type("integer").is_some() && text.parse::<i64>().is_ok();
            let truth = of_type("boolean").is_some() && matches!(text.as_str(), "true" | "false");
            if number || truth {
                return Some(format!("write it without quotes: {text}"));
            }
            if of_type("boolean").is_some() {
                // YAML 1.1's words, which the core schema dropped.
                return match text.to_ascii_lowercase().as_str() {
                    "yes" | "on" | "y" => Some("write `true`".to_owned()),
                    "no" | "off" | "n" => Some("write `false`".to_owned()),
                    _ => None,
                };
            }
            let word = plain.filter(|plain| !plain.contains([',', ' ']))?;
            of_type("array").map(|_| format!("write a list: `[{}]`", short(word)))
        }
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

/// A value to start from, as the right side of `key: …`.
pub(super) fn example(root: &Json, schema: &Json) -> String {
    let shapes = Shape::all(root, schema);
    let Some(shape) = shapes.first() else { return "…".to_owned() };
    let example = shape.get("examples").and_then(|examples| examples.get(0));
    match example.or_else(|| shape.get("default")).or_else(|| shape.choices().first()) {
        Some(Json::String(text)) if is_plain(text) => text.clone(),
        // JSON is YAML.
        Some(value) => value.to_string(),
        None => match shape.types().first() {
            Some(&"array") => "[…]".to_owned(),
            Some(&"object") => "{…}".to_owned(),
            _ => "…".to_owned(),
        },
    }
}

/// Whether a text means itself without quotes.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/'))
        && text.parse::<f64>().is_err()
        && !matches!(text, "true" | "false" | "null")
}

/// The map at a path.
pub(super) fn place(path: &Path) -> String {
    match path.steps().is_empty() {
        true => "the inventory".to_owned(),
        false => format!("`{}`", short(&path.to_string())),
    }
}

/// A text of the user within a sentence. Cut, a secret would no longer be known for one.
pub(super) fn short(text: &str) -> String {
    let text = redacted(text);
    match text.char_indices().nth(SHORT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.into_owned(),
    }
}

/// ``one of `a`, `b` ``, or the only one.
pub(super) fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    let prefix = if words.len() > 1 { "one of " } else { "" };
    format!("{prefix}{}", list(words.into_iter()))
}

/// `` `a`, `b` ``
pub(super) fn list(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut words = words.map(|word| format!("`{}`", word.as_ref()));
    let shown: Vec<String> = words.by_ref().take(MANY).collect();
    let more = if words.next().is_some() { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

pub(super) fn items(count: u64) -> String {
    format!("{count} item{}", if count == 1 { "" } else { "s" })
}
