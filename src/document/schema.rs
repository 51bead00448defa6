use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The JSON Schema (draft 2020-12) of a type. Doc comments become descriptions, a paragraph per
/// line: where the source breaks its lines is nothing to a reader.
pub fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(unwrap_descriptions);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn unwrap_descriptions(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraphs = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>());
        *text = paragraphs.map(|words| words.join(" ")).collect::<Vec<_>>().join("\n");
    }
    transform_subschemas(&mut unwrap_descriptions, schema);
}
