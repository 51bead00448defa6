//! Builds inventories inside a test.

use std::path::{Path, PathBuf};

use hagen::compile::{Inputs, Outcome, compile};
use hagen::document;
use hagen::report::Report;
use hagen::yaml;
use serde_json::Value;

use crate::bundle::bundle;

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Whether this run rewrites goldens instead of comparing them.
pub fn blessing() -> bool {
    std::env::var_os("HAGEN_BLESS").is_some_and(|value| value == "1")
}

/// A YAML file as values.
pub fn values(text: &str) -> Value {
    let mut report = Report::new();
    let document = yaml::read("test", text.as_bytes(), &mut report);
    let problems = || report.findings().iter().map(|finding| &finding.message).collect::<Vec<_>>();
    document.unwrap_or_else(|| panic!("{:?} in\n{text}", problems())).to_json()
}

/// As a merge patch, but what the base lacks is taken over as it stands, `null`s included: in some
/// places they mean something to hagen.
pub fn lay_over(base: &mut Value, overlay: &Value) {
    let (Value::Object(fields), Value::Object(said)) = (&mut *base, overlay) else {
        *base = overlay.clone();
        return;
    };
    for (key, value) in said {
        match fields.get_mut(key) {
            Some(_) if value.is_null() => drop(fields.shift_remove(key)),
            Some(field) => lay_over(field, value),
            None => drop(fields.insert(key.clone(), value.clone())),
        }
    }
}

/// `golden/base.yaml` with an overlay on top, as YAML text.
pub fn overlaid(overlay: &str) -> String {
    let base = std::fs::read_to_string(root().join("golden/base.yaml")).unwrap();
    let mut inventory = values(&base);
    lay_over(&mut inventory, &values(overlay));
    String::from_utf8(document::yaml(&[inventory], false)).unwrap()
}

/// Compiles a text with the fixed bundle of its cluster.
pub fn build(text: &str) -> Outcome {
    let bundle = bundle(&values(text));
    compile(&Inputs {
        name: "inventory.yaml",
        inventory: text.as_bytes(),
        bundle: Some(&bundle),
        templates: Default::default(),
    })
}

/// Compiles a text without a bundle, as `hagen check` does.
pub fn check(text: &str) -> Outcome {
    compile(&Inputs {
        name: "inventory.yaml",
        inventory: text.as_bytes(),
        bundle: None,
        templates: Default::default(),
    })
}

/// The folders directly inside `folder`, sorted.
pub fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

/// Compares a set of files with what stands in `folder`, or rewrites it while blessing. Returns
/// the paths that differ.
pub fn compare(folder: &Path, files: &[(String, Vec<u8>)]) -> Vec<String> {
    let mut differing = Vec::new();
    let wanted: std::collections::BTreeSet<&str> =
        files.iter().map(|(path, _)| path.as_str()).collect();
    for entry in walkdir::WalkDir::new(folder).into_iter().flatten() {
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if !wanted.contains(path.as_str()) {
                if blessing() {
                    std::fs::remove_file(entry.path()).unwrap();
                } else {
                    differing.push(format!("{path} (no longer made)"));
                }
            }
        }
    }
    for (path, bytes) in files {
        let target = folder.join(path);
        let there = std::fs::read(&target).ok();
        if there.as_deref() == Some(bytes) {
            continue;
        }
        if blessing() {
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::write(&target, bytes).unwrap();
        } else {
            let what = if there.is_some() { "differs" } else { "is missing" };
            differing.push(format!("{path} ({what})"));
        }
    }
    differing
}

/// Snapshots that people read in a review, in a folder of `golden`.
pub fn reviewed(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("golden").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
