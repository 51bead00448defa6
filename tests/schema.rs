//! The published JSON Schemas: equal to the types, complete as a manual, and true, judged by a
//! validator that knows nothing of hagen.

use std::collections::BTreeSet;

use hagen::inventory;
use hagen::manifest::Manifest;
use jsonschema::Validator;
use serde_json::Value;

use crate::compiled::{blessing, build, check, folders, root, values};
use crate::pages::{block, inventory as example};

/// An independent validator of the inventory that asks hagen's own parsers about the forms.
fn validator() -> Validator {
    let formats = inventory::formats().into_iter();
    formats
        .fold(jsonschema::options(), |options, (name, format)| {
            options.with_format(name, move |text: &str| format(text).is_ok())
        })
        .should_validate_formats(true)
        .build(&inventory::schema())
        .unwrap()
}

/// Every inventory of the repository that is meant to be good.
fn good_inventories() -> Vec<(String, String)> {
    let cases = folders(&root().join("golden/clusters"));
    let files = cases.iter().map(|case| case.join("inventory.yaml"));
    [root().join("golden/base.yaml")]
        .into_iter()
        .chain(files)
        .map(|file| (file.display().to_string(), std::fs::read_to_string(&file).unwrap()))
        .collect()
}

#[test]
fn the_published_schemas_are_those_of_the_types() {
    let schemas = [("inventory", inventory::schema()), ("manifest", Manifest::schema())];
    for (name, schema) in schemas {
        let file = root().join(format!("schema/{name}.schema.json"));
        let wanted = String::from_utf8(hagen::document::json(&schema)).unwrap();
        let published = std::fs::read_to_string(&file).unwrap_or_default();
        if blessing() && published != wanted {
            std::fs::write(&file, &wanted).unwrap();
        } else {
            assert!(published == wanted, "schema/{name}.schema.json: HAGEN_BLESS=1 writes it anew");
        }
    }
}

#[test]
fn every_property_says_what_it_means_and_what_it_defaults_to() {
    let mut silent = Vec::new();
    let schema = inventory::schema();
    let definitions = schema["$defs"].as_object().unwrap();
    let types = definitions.iter().map(|(name, schema)| (name.as_str(), schema));
    for (name, object) in types.chain([("Inventory", &schema)]) {
        let required: BTreeSet<&str> =
            object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (key, property) in object["properties"].as_object().into_iter().flatten() {
            let text = property["description"].as_str().unwrap_or_default();
            // A section says it of each of its own keys.
            let section = property["$ref"].as_str().is_some_and(|at| at.ends_with("Section"));
            let told = required.contains(key.as_str()) || section || text.contains("efault");
            if text.is_empty() || !told {
                silent.push(format!("{name}.{key}: {text}"));
            }
        }
    }
    assert!(silent.is_empty(), "no description, or none of the default:\n{}", silent.join("\n"));
    for schema in [schema, Manifest::schema()] {
        for (name, definition) in schema["$defs"].as_object().unwrap() {
            assert!(definition["description"].is_string(), "{name} has no description");
            for (key, property) in definition["properties"].as_object().into_iter().flatten() {
                assert!(property["description"].is_string(), "{name}.{key} has no description");
            }
        }
    }
}

#[test]
fn every_form_is_checked_and_its_examples_have_it() {
    let formats = inventory::formats();
    let mut used = BTreeSet::new();
    for (name, definition) in inventory::schema()["$defs"].as_object().unwrap() {
        let Some(form) = definition["format"].as_str().filter(|form| form.starts_with("hagen-"))
        else {
            continue;
        };
        let parse = formats.get(form).unwrap_or_else(|| panic!("nothing checks {form}"));
        let examples = definition["examples"].as_array().unwrap_or_else(|| panic!("{name}"));
        for text in examples {
            assert_eq!(parse(text.as_str().unwrap()), Ok(()), "{name}: {text}");
        }
        used.insert(form.to_owned());
    }
    let known: BTreeSet<String> = formats.keys().map(|form| (*form).to_owned()).collect();
    assert_eq!(used, known, "each form that is checked belongs to some key");
}

#[test]
fn an_independent_validator_accepts_every_good_inventory() {
    let validator = validator();
    for (name, text) in good_inventories() {
        let errors: Vec<String> =
            validator.iter_errors(&values(&text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn an_independent_validator_and_hagen_agree_on_every_example() {
    let validator = validator();
    let structural = ["unknown-key", "missing-key", "type", "api-version", "too-many-nodes"];
    let structural = structural.map(|name| format!("inventory/{name}"));
    for code in hagen::compile::all_codes() {
        for heading in ["Failing example", "Fix"] {
            let Some(("yaml", text)) = block(code.page, heading) else { continue };
            let outcome = check(&example(text));
            let Some(document) = &outcome.document else { continue };
            let found: Vec<&str> = outcome.report.findings().iter().map(|f| f.code.id).collect();
            let refused = structural.iter().any(|id| found.contains(&id.as_str()));
            let valid = validator.is_valid(&document.to_json());
            assert_eq!(valid, !refused, "{}, {heading}: hagen found {found:?}", code.id);
        }
    }
}

#[test]
fn every_manifest_fits_its_schema() {
    let validator = jsonschema::validator_for(&Manifest::schema()).unwrap();
    for (name, text) in good_inventories() {
        let outcome = build(&text);
        let manifest = outcome.manifest.unwrap_or_else(|| panic!("{name}"));
        let value = serde_json::from_slice(&manifest.to_bytes()).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn five_thousand_nodes_are_accepted_and_one_more_is_not() {
    let mut inventory = values(&crate::compiled::overlaid("{}"));
    let node = inventory["nodes"][3].clone();
    let workers = (3..5000).map(|index| {
        let mut worker = node.clone();
        worker["name"] = format!("w{index}").into();
        worker["address"] = format!("10.1.{}.{}", index / 200, index % 200 + 1).into();
        worker
    });
    let nodes: Vec<Value> = inventory["nodes"].as_array().unwrap()[..3].to_vec();
    let mut nodes: Vec<Value> = nodes.into_iter().chain(workers).collect();
    for (codes, more) in [(vec![], None), (vec!["inventory/too-many-nodes"], Some(node))] {
        nodes.extend(more);
        inventory["nodes"] = Value::from(nodes.clone());
        let text = String::from_utf8(hagen::document::yaml(&[inventory.clone()], false)).unwrap();
        let mut report = hagen::report::Report::new();
        let document = hagen::yaml::read("inventory.yaml", text.as_bytes(), &mut report).unwrap();
        inventory::read(&document, &mut report);
        let found: Vec<&str> = report.findings().iter().map(|finding| finding.code.id).collect();
        assert_eq!(found, codes, "{} nodes", nodes.len());
    }
}
