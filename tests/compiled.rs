//! Builds inventories inside a test.

use std::collections::BTreeSet;
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
/// what differs, a text for each file.
pub fn compare(folder: &Path, files: &[(String, Vec<u8>)]) -> Vec<String> {
    let wanted: BTreeSet<PathBuf> = files.iter().map(|(path, _)| folder.join(path)).collect();
    let there = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().flatten();
    let there = there.filter(|entry| entry.file_type().is_file());
    let stale = there.map(walkdir::DirEntry::into_path).filter(|path| !wanted.contains(path));
    let stale = stale.filter_map(|path| {
        if blessing() {
            std::fs::remove_file(path).unwrap();
            return None;
        }
        Some(format!("{} (no longer made)", named(&path)))
    });
    let mut differing: Vec<String> = stale.collect();
    differing
        .extend(files.iter().filter_map(|(path, bytes)| compare_file(&folder.join(path), bytes)));
    differing
}

/// Compares or rewrites one file.
pub fn compare_file(path: &Path, bytes: &[u8]) -> Option<String> {
    let there = std::fs::read(path).ok();
    if there.as_deref() == Some(bytes) {
        return None;
    }
    if blessing() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        return None;
    }
    let name = named(path);
    let Some(there) = there else { return Some(format!("{name} (is missing)")) };
    let [old, new] = [&there, bytes].map(String::from_utf8_lossy);
    let difference = similar::TextDiff::from_lines(&old, &new);
    let difference = difference.unified_diff().context_radius(1).to_string();
    let shown: Vec<&str> = difference.lines().take(40).collect();
    Some(format!("{name} (differs)\n{}", shown.join("\n")))
}

/// A file of the repository, as a person names it.
fn named(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(root()).unwrap_or(path).display()
}

/// Snapshots that people read in a review, in a folder of `golden`.
pub fn reviewed(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("golden").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
