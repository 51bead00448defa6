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
    pub(super) units: BTreeMap<String, Apply>,
}

/// The nodes that change, by name. `old` describes the files that are no longer made.
pub(super) fn impact(
    comparison: &Comparison,
    old: Option<&Manifest>,
    new: &Manifest,
) -> BTreeMap<String, Impact> {
    let changed = comparison.changed.iter().map(|change| change.path.as_str());
    let touched: BTreeSet<&str> =
        comparison.added.iter().map(String::as_str).chain(changed).collect();
    let removed: BTreeSet<&str> = comparison.removed.iter().map(String::as_str).collect();
    let of_new = new.files.iter().filter(|entry| touched.contains(entry.path.as_str()));
    let of_old = old.iter().flat_map(|old| &old.files);
    let of_old = of_old.filter(|entry| removed.contains(entry.path.as_str()));
    let mut nodes: BTreeMap<String, Impact> = BTreeMap::new();
    for entry in of_new.chain(of_old) {
        let Entry { node: Some(node), unit, apply, .. } = entry else { continue };
        let impact = nodes.entry(node.clone()).or_default();
        impact.files += 1;
        if let (Some(unit), Some(apply)) = (unit, apply) {
            let strongest = impact.units.entry(unit.clone()).or_insert(*apply);
            // A restart reads everything that a reload would.
            *strongest = (*strongest).max(*apply);
        }
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Change;
    use crate::manifest::About;
    use crate::tree::{Artifact, Destination, Origin, Tree};

    fn manifest(files: &[(&str, &str, Apply)]) -> Manifest {
        let mut tree = Tree::new();
        for (node, path, apply) in files {
            let place = Destination::new(*node, *path);
            let place = match apply {
                Apply::Reload => place.reloads("haproxy.service"),
                Apply::Restart => place.restarts("haproxy.service"),
                Apply::Pod => unreachable!("of no unit"),
            };
            tree.place(place, Artifact::public("x\n", Origin::room("haproxy"))).unwrap();
        }
        let about = About { cluster: "lab".into(), bundle: "b1".into(), certificates: Vec::new() };
        Manifest::from_tree(&tree, about, &|_| String::new())
    }

    fn path(node: &str, path: &str) -> String {
        format!("nodes/{node}/rootfs{path}")
    }

    #[test]
    fn a_restart_includes_a_reload_and_each_node_is_counted_for_itself() {
        let new = manifest(&[
            ("cp1", "/etc/a", Apply::Restart),
            ("cp1", "/etc/b", Apply::Reload),
            ("cp2", "/etc/b", Apply::Reload),
            ("cp3", "/etc/b", Apply::Reload),
        ]);
        let comparison = Comparison {
            added: vec![path("cp1", "/etc/a"), path("cp1", "/etc/b")],
            changed: vec![Change { path: path("cp2", "/etc/b"), old: None }],
            ..Comparison::default()
        };
        let found = impact(&comparison, None, &new);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["cp1", "cp2"]);
        assert_eq!((found["cp1"].files, found["cp2"].files), (2, 1));
        assert_eq!(found["cp1"].units["haproxy.service"], Apply::Restart);
        assert_eq!(found["cp2"].units["haproxy.service"], Apply::Reload);
    }

    #[test]
    fn a_file_that_goes_is_described_by_the_tree_that_had_it() {
        let old = manifest(&[("cp1", "/etc/a", Apply::Restart)]);
        let comparison =
            Comparison { removed: vec![path("cp1", "/etc/a")], ..Comparison::default() };
        let found = impact(&comparison, Some(&old), &manifest(&[]));
        assert_eq!(found["cp1"].units["haproxy.service"], Apply::Restart);
    }
}
