//! What the schema alone says may be said: a switch, one of a few words, a number with bounds.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

static SCHEMA: LazyLock<Value> = LazyLock::new(hagen::inventory::schema);

/// The ordinary keys of a section, `/loadBalancer/haproxy`, each with values to draw from.
pub(super) fn ordinary(section: &str) -> Map<String, Value> {
    let names = section.split('/').skip(1);
    let part = names.fold(&*SCHEMA, |part, name| &referred(part)["properties"][name]);
    let Value::Object(keys) = &referred(part)["properties"] else { panic!("no section {section}") };
    keys.iter().filter_map(|(key, part)| Some((key.clone(), values(part)?))).collect()
}

/// The definition that a part names, whether it may be left out or not; else the part itself.
fn referred(part: &Value) -> &Value {
    let choices = part["anyOf"].as_array().into_iter().flatten();
    let named = choices.chain([part]).find_map(|part| part["$ref"].as_str());
    let pointer = named.and_then(|reference| reference.strip_prefix('#'));
    pointer.map_or(part, |pointer| SCHEMA.pointer(pointer).unwrap())
}

fn values(part: &Value) -> Option<Value> {
    let is = |name: &str| match &part["type"] {
        Value::Array(types) => types.contains(&json!(name)),
        one => one == name,
    };
    if is("boolean") {
        return Some(json!([false, true]));
    }
    // A number with a type of its own, such as a port, has more to it than its bounds.
    if let (true, Value::Number(least), Value::Number(most)) =
        (is("integer"), &part["minimum"], &part["maximum"])
    {
        return Some(json!([least, most]));
    }
    let words = referred(part);
    if words["enum"].is_array() {
        return Some(words["enum"].clone());
    }
    let words = words["oneOf"].as_array()?.iter().map(|word| word.get("const").cloned());
    words.collect()
}
