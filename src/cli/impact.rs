//! What a difference between two trees means for the machines: which units of which node have to
//! notice it.

use std::collections::{BTreeMap, BTreeSet};

use crate::disk::Comparison;
use crate::manifest::{Entry, Manifest};
use crate::tree::Apply;

/// One node that changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Impact {
    /// How many of its installed files change.
    pub(super) files: usize,
    /// What has to be done to which unit.
    pub(super) units: BTreeMap<String, Need>,
    /// Whether the new tree has nothing for it: it is to be reset, not to notice anything.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) leaves: bool,
}

/// What a unit of a node needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(untagged)]
pub(super) enum Need {
    /// To notice what changed.
    Apply(Apply),
    /// Its files all leave the node.
    #[serde(serialize_with = "stop")]
    Stop(Apply),
}

fn stop<S: serde::Serializer>(_: &Apply, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str("stop")
}

/// The nodes that change, by name. `old` describes what they had: the copy of a file that several
/// have moves in the tree when one of them gets its own, and then changes nothing on the others.
pub(super) fn impact(
    comparison: &Comparison,
    old: Option<&Manifest>,
    new: &Manifest,
) -> BTreeMap<String, Impact> {
    let edited = comparison.changed.iter().map(|change| change.path.as_str());
    let edited: BTreeSet<&str> =
        comparison.added.iter().map(String::as_str).chain(edited).collect();
    let had = old.map(Manifest::places).unwrap_or_default();
    let has = new.places();
    let touched = has.iter().filter(|(place, new)| match had.get(*place) {
        None => true,
        Some(old) if old.path == new.path && edited.contains(new.path.as_str()) => true,
        Some(old) => !alike(old, new),
    });
    let gone = had.iter().filter(|(place, _)| !has.contains_key(*place));
    let stays: BTreeSet<&str> = has.keys().map(|(node, _)| *node).collect();
    let runs: BTreeSet<(&str, &str)> = has
        .iter()
        .flat_map(|((node, _), entry)| {
            entry.unit.iter().flat_map(|unit| unit.split(',')).map(|unit| (*node, unit))
        })
        .collect();
    let mut nodes: BTreeMap<String, Impact> = BTreeMap::new();
    for ((node, _), Entry { unit, apply, .. }) in touched.chain(gone) {
        let impact = nodes.entry((*node).to_owned()).or_default();
        impact.files += 1;
        impact.leaves = !stays.contains(node);
        if let (Some(unit), Some(apply), false) = (unit, apply, impact.leaves) {
            let need = match unit.split(',').any(|unit| runs.contains(&(*node, unit))) {
                true => Need::Apply(*apply),
                false => Need::Stop(*apply),
            };
            let strongest = impact.units.entry(unit.clone()).or_insert(need);
            // A restart reads everything that a reload would.
            *strongest = (*strongest).max(need);
        }
    }
    nodes
}

/// Whether a node that has one has the other.
fn alike(old: &Entry, new: &Entry) -> bool {
    fn of(entry: &Entry) -> [&str; 4] {
        let Entry { fingerprint, mode, owner, group, .. } = entry;
        [fingerprint, mode, owner, group].map(String::as_str)
    }
    of(old) == of(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Change;
    use crate::manifest::About;
    use crate::tree::{Artifact, Destination, Origin, Tree};

    /// Of `(node, path, the unit that reloads it)`.
    fn of_units(files: &[(&str, &str, Option<&str>)]) -> Manifest {
        let read = |unit: &str| (unit.to_owned(), Apply::Reload);
        of(files.iter().map(|(node, path, unit)| (*node, *path, "1", unit.map(read))))
    }

    /// Of `(node, path, bytes, what a change takes)`.
    fn manifest(files: &[(&str, &str, &str, Apply)]) -> Manifest {
        let read = |apply: Apply| Some(("haproxy.service".to_owned(), apply));
        of(files.iter().map(|(node, path, bytes, apply)| (*node, *path, *bytes, read(*apply))))
    }

    type File<'a> = (&'a str, &'a str, &'a str, Option<(String, Apply)>);

    fn of<'a>(files: impl Iterator<Item = File<'a>>) -> Manifest {
        let mut tree = Tree::new();
        for (node, path, bytes, unit) in files {
            let place = Destination { unit, ..Destination::new(node, path) };
            let at = place.tree_path();
            let file = Artifact::public(bytes, Origin::room("haproxy"));
            tree.insert(at, Artifact { destination: Some(place), ..file }).unwrap();
        }
        assert_eq!(tree.finish(), []);
        let about = About { cluster: "lab".into(), bundle: "b1".into(), certificates: Vec::new() };
        Manifest::from_tree(&tree, about, &|_| String::new())
    }

    #[test]
    fn a_restart_includes_a_reload_and_each_node_is_counted_for_itself() {
        let new = manifest(&[
            ("cp1", "/etc/a", "1", Apply::Restart),
            ("cp1", "/etc/b", "1", Apply::Reload),
            ("cp2", "/etc/b", "2", Apply::Reload),
            ("cp3", "/etc/b", "3", Apply::Reload),
        ]);
        let old = manifest(&[
            ("cp2", "/etc/b", "0", Apply::Reload),
            ("cp3", "/etc/b", "3", Apply::Reload),
        ]);
        let found = impact(&Comparison::default(), Some(&old), &new);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["cp1", "cp2"]);
        assert_eq!((found["cp1"].files, found["cp2"].files), (2, 1));
        assert_eq!(found["cp1"].units["haproxy.service"], Need::Apply(Apply::Restart));
        assert_eq!(found["cp2"].units["haproxy.service"], Need::Apply(Apply::Reload));
    }

    #[test]
    fn a_file_that_goes_is_described_by_the_tree_that_had_it() {
        let files = [("cp1", "/etc/a", "1", Apply::Restart), ("cp1", "/etc/b", "1", Apply::Reload)];
        let (old, new) = (manifest(&files), manifest(&files[1..]));
        let found = impact(&Comparison::default(), Some(&old), &new);
        assert_eq!(found["cp1"].units["haproxy.service"], Need::Apply(Apply::Restart));
    }

    #[test]
    fn a_unit_without_a_file_is_stopped_and_a_node_without_one_leaves() {
        let (unit, other) = (Some("haproxy.service"), Some("keepalived.service"));
        let files = [("cp1", "/etc/a", other), ("cp1", "/etc/b", unit), ("w1", "/etc/b", unit)];
        let (old, new) = (of_units(&files), of_units(&files[1..2]));
        let found = impact(&Comparison::default(), Some(&old), &new);
        let json = serde_json::to_value(&found).unwrap();
        let cp1 = serde_json::json!({"files": 1, "units": {"keepalived.service": "stop"}});
        assert_eq!(json["cp1"], cp1);
        assert_eq!(json["w1"], serde_json::json!({"files": 1, "units": {}, "leaves": true}));
    }

    #[test]
    fn a_copy_that_only_moves_in_the_tree_changes_no_node() {
        let alone = [("cp1", "/etc/a", "1", Apply::Reload)];
        let all = ["cp1", "cp2", "cp3"].map(|node| (node, "/etc/a", "1", Apply::Reload));
        let mut other = all;
        other[2].2 = "2";
        let nodes = |old: &[_], new: &[_]| {
            let (old, new) = (manifest(old), manifest(new));
            let paths = new.files.iter().map(|entry| entry.path.clone());
            let had = |path: &String| old.files.iter().any(|entry| entry.path == *path);
            let added = paths.filter(|path| !had(path)).collect();
            let comparison = Comparison { added, ..Comparison::default() };
            impact(&comparison, Some(&old), &new).into_keys().collect::<Vec<_>>()
        };
        assert_eq!(nodes(&alone, &all), ["cp2", "cp3"]);
        assert_eq!(nodes(&all, &alone), ["cp2", "cp3"]);
        assert_eq!(nodes(&all, &other), ["cp3"]);
        assert_eq!(nodes(&other, &all), ["cp3"]);
    }

    #[test]
    fn a_copy_that_was_edited_is_every_nodes_that_has_it() {
        let tree = manifest(&["cp1", "cp2"].map(|node| (node, "/etc/a", "1", Apply::Reload)));
        let edited = Change { path: "steps/shared/etc/a".to_owned(), old: None };
        let comparison = Comparison { changed: vec![edited], ..Comparison::default() };
        let found = impact(&comparison, Some(&tree), &tree);
        assert_eq!(found.into_keys().collect::<Vec<_>>(), ["cp1", "cp2"]);
    }
}
