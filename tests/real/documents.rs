//! Every JSON, YAML and TOML file of a tree, read by parsers that hagen does not use.

use std::path::Path;

use serde_json::Value;

use crate::cluster::{Case, HAPROXY_1_15, HAPROXY_1_21, MINIMAL, NGINX_1_30, compiled};
use crate::programs::run_installed;

/// Reads the file named by its last argument and prints its documents as one JSON list. The
/// loader refuses duplicate keys, which PyYAML lets pass.
const TO_JSON: &str = r"
import json, sys, tomllib, yaml

class Strict(yaml.SafeLoader):
    pass

def mapping(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.YAMLError(f'duplicate key {key!r} {node.start_mark}')
    return loader.construct_mapping(node, deep=True)

Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)

def unique(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError(f'duplicate key among {[key for key, _ in pairs]}')
    return dict(pairs)

kind, path = sys.argv[1:]
with open(path, 'rb') as file:
    match kind:
        case 'json':
            documents = [json.load(file, object_pairs_hook=unique)]
        case 'toml':
            documents = [tomllib.load(file)]
        case 'yaml':
            documents = list(yaml.load_all(file, Strict))
print(json.dumps(documents, default=str))
";

/// The documents of a file, by an independent reader.
fn read(kind: &str, file: &Path) -> Vec<Value> {
    let program = ["-c", TO_JSON, kind].map(Path::new);
    let ran = run_installed("python3", "python3 python3-yaml", program.into_iter().chain([file]));
    serde_json::from_str(&ran.succeeded().stdout).expect("python prints JSON")
}

/// The documents of a YAML file, by PyYAML.
pub(crate) fn read_yaml(file: &Path) -> Vec<Value> {
    read("yaml", file)
}

fn parse(case: &Case) {
    for file in compiled(case).files() {
        let kind = match file.extension().and_then(|extension| extension.to_str()) {
            Some("json" | "sarif") => "json",
            Some("toml") => "toml",
            Some("yaml" | "yml") => "yaml",
            // kubeconfigs
            Some("conf") if file.parent().unwrap().ends_with("etc/kubernetes") => "yaml",
            _ => continue,
        };
        let documents = read(kind, &file);
        assert!(
            !documents.is_empty() && documents.iter().all(Value::is_object),
            "{}: each document should be a map",
            file.display()
        );
    }
}

#[test]
fn of_minimal_parse() {
    parse(&MINIMAL);
}

#[test]
fn of_haproxy_keepalived_parse() {
    parse(&HAPROXY_1_15);
}

#[test]
fn of_haproxy_keepalived_1_21_parse() {
    parse(&HAPROXY_1_21);
}

#[test]
fn of_nginx_keepalived_parse() {
    parse(&NGINX_1_30);
}
