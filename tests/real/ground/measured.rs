//! Which files of the harness can change what a run measures.

use std::collections::BTreeSet;
use std::path::Path;

/// Files of the ground that cannot change what a run measures: they choose what is run, judge
/// something else or write down what was found. Inventories, which are in the tree, and hidden files,
/// which are an editor's, are left out as well. Whatever else comes to be there counts.
const BESIDE: [&str; 11] = [
    "arguments.rs",
    "digest.rs",
    "el.rs",
    "lone.rs",
    "main.rs",
    "measured.rs",
    "record.rs",
    "report.rs",
    "stand_in.py",
    "topologies.rs",
    "traces.rs",
];
/// What only machines of the RPM family are made of.
const RPMS: [&str; 3] = ["supply/el", "supply/rpms", "supply/files/el"];

/// Whether a file below `tests/real` can change what is measured of a cluster that has programs of
/// these modules, and perhaps machines of the RPM family.
pub(crate) fn counts(path: &str, modules: &BTreeSet<String>, rpms: bool) -> bool {
    if path.split('/').any(|part| part.starts_with('.')) {
        return false;
    }
    match path.split_once('/') {
        Some(("ground", file)) => !BESIDE.contains(&file) && !file.ends_with(".yaml"),
        Some(("supply", _)) => rpms || !RPMS.iter().any(|part| Path::new(path).starts_with(part)),
        Some(("go", "build")) => true,
        Some(("go", file)) => {
            file.split_once('/').is_some_and(|(module, _)| modules.contains(module))
        }
        _ => path == "programs.rs",
    }
}
