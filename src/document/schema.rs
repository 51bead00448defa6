use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The JSON Schema (draft 2020-12) of a type, fit to be read by people.
pub fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(readable);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Where the source breaks the lines of a doc comment is nothing to a reader: a paragraph per
/// line. A section that is left out stands for the defaults of its own keys, each of which says
/// its own; a copy of the empty section adds nothing.
fn readable(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraphs = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>());
        *text = paragraphs.map(|words| words.join(" ")).collect::<Vec<_>>().join("\n");
    }
    if matches!(schema.get("default"), Some(Value::Object(_) | Value::Null)) {
        schema.remove("default");
    }
    transform_subschemas(&mut readable, schema);
}
