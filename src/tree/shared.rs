//! One copy of what several hosts have alike: a reader sees it once, and so does a diff.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Artifact, Destination, Kind, Origin, Refused, Tree};

/// Where the files stand that several hosts have alike. They go to every host along with the steps;
/// `files.tsv` says which of them are the host's.
pub(super) const FOLDER: &str = "steps/shared";

/// All that has to be equal, so that one copy of a path can stand for another.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Version<'a> {
    bytes: &'a [u8],
    mode: u32,
    owner: [&'a str; 2],
    how: (&'a Kind, Option<(&'a str, &'static str)>, bool, Option<u8>),
    made_by: (&'static str, Option<&'static str>),
}

impl<'a> Version<'a> {
    fn of(artifact: &'a Artifact, destination: &'a Destination) -> Self {
        let Artifact { bytes, mode, owner, group, verbatim, phase, origin, .. } = artifact;
        let Destination { nodes: _, path: _, kind, unit } = destination;
        let Origin { room, template, reads: _ } = origin;
        let unit = unit.as_ref().map(|(name, apply)| (name.as_str(), apply.as_str()));
        Self {
            bytes,
            mode: *mode,
            owner: [owner, group],
            how: (kind, unit, *verbatim, *phase),
            made_by: (room, *template),
        }
    }
}

/// Of each path on the hosts, the version that most of them have moves to [`FOLDER`]; of two that
/// are as frequent, the one of the first host. What is private stays with its hosts: nobody else
/// may have it. So does what cannot stand beside other files there, such as a name that differs
/// only in case. What the tree refused is returned.
pub(super) fn share(tree: &mut Tree) -> Vec<Refused> {
    let mut refused = Vec::new();
    for places in alike(tree) {
        let files: Vec<Artifact> =
            places.iter().filter_map(|place| tree.files.remove(place)).collect();
        match merged(&files).filter(|(path, _)| tree.in_the_way(path).is_none()) {
            Some((path, one)) => refused.extend(tree.insert(path, one).err()),
            None => tree.files.extend(places.into_iter().zip(files)),
        }
    }
    refused
}

/// The places in the tree of equal files: of each path on the hosts the most frequent version.
fn alike(tree: &Tree) -> Vec<Vec<String>> {
    let mut paths: BTreeMap<&str, BTreeMap<Version<'_>, Vec<&str>>> = BTreeMap::new();
    for (place, artifact) in tree.iter() {
        if let Some(destination) = artifact.destination.as_ref().filter(|_| !artifact.secret) {
            let versions = paths.entry(&destination.path).or_default();
            versions.entry(Version::of(artifact, destination)).or_default().push(place);
        }
    }
    let most = paths.into_values().filter_map(|versions| {
        versions.into_values().max_by_key(|places| (places.len(), Reverse(places.first().copied())))
    });
    let several = most.filter(|places| places.len() > 1);
    several.map(|places| places.into_iter().map(str::to_owned).collect()).collect()
}

/// One file for all of these, and its place.
fn merged(files: &[Artifact]) -> Option<(String, Artifact)> {
    let mut one = files.first()?.clone();
    let destination = one.destination.as_mut()?;
    let places = files.iter().filter_map(|file| file.destination.as_ref());
    destination.nodes = places.flat_map(|place| place.nodes.iter().cloned()).collect();
    let path = destination.tree_path();
    let mut seen = BTreeSet::new();
    let reads = files.iter().flat_map(|file| &file.origin.reads);
    one.origin.reads = reads.filter(|read| seen.insert(*read)).cloned().collect();
    Some((path, one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Artifact {
        Artifact::public(text, Origin::room("test"))
    }

    fn finished(files: &[(&str, &str, Artifact)]) -> Tree {
        let mut tree = Tree::new();
        for (node, path, artifact) in files {
            let destination = Destination::new(*node, *path);
            let path = destination.tree_path();
            let placed = Artifact { destination: Some(destination), ..artifact.clone() };
            tree.insert(path, placed).unwrap();
        }
        assert_eq!(tree.finish(), []);
        tree
    }

    fn placed(tree: &Tree) -> Vec<&str> {
        let installed = tree.iter().filter(|(_, artifact)| artifact.destination.is_some());
        installed.map(|(path, _)| path).collect()
    }

    #[test]
    fn what_most_hosts_have_stands_once_and_the_others_keep_their_own() {
        let files =
            [("a", "b"), ("b", "x"), ("c", "x")].map(|(node, text)| (node, "/etc/f", file(text)));
        let tree = finished(&files);
        assert_eq!(placed(&tree), ["nodes/a/rootfs/etc/f", "steps/shared/etc/f"]);
        assert_eq!(tree.get("steps/shared/etc/f").unwrap().bytes, b"x");
        let on = |node| tree.on(node, "/etc/f").map(|artifact| artifact.bytes.as_slice());
        assert_eq!(on("a"), Some(&b"b"[..]));
        assert_eq!(on("c"), Some(&b"x"[..]));
        assert_eq!(on("d"), None);
    }

    #[test]
    fn the_first_host_decides_between_two_halves() {
        let files = [("a", "z"), ("b", "x"), ("c", "x"), ("d", "z")];
        let tree = finished(&files.map(|(node, text)| (node, "/etc/f", file(text))));
        assert_eq!(tree.get("steps/shared/etc/f").unwrap().bytes, b"z");
    }

    #[test]
    fn a_private_file_stays_with_its_hosts() {
        let tree = finished(&["a", "b"].map(|node| (node, "/etc/f", file("x").secret())));
        assert_eq!(placed(&tree), ["nodes/a/rootfs/etc/f", "nodes/b/rootfs/etc/f"]);
    }

    #[test]
    fn another_mode_or_owner_is_another_version() {
        let tree = finished(&[
            ("a", "/etc/f", file("x")),
            ("b", "/etc/f", Artifact { mode: 0o600, ..file("x") }),
            ("c", "/etc/f", Artifact { owner: "etcd".into(), ..file("x") }),
        ]);
        assert_eq!(placed(&tree).len(), 3);
    }

    #[test]
    fn what_cannot_stand_side_by_side_stays_with_its_hosts() {
        let tree = finished(&[
            ("a", "/etc/f", file("x")),
            ("b", "/etc/f", file("x")),
            ("c", "/etc/F", file("x")),
            ("d", "/etc/F", file("x")),
            ("e", "/etc/f/g", file("x")),
            ("f", "/etc/f/g", file("x")),
        ]);
        assert_eq!(placed(&tree).len(), 5);
        assert!(tree.on("d", "/etc/F").is_some() && tree.on("f", "/etc/f/g").is_some());
    }

    #[test]
    fn all_that_shaped_one_of_them_shaped_it() {
        use crate::report::Path;
        let shaped = |index: usize| {
            let node = Path::of(&["nodes"]).index(index);
            let reads = vec![Path::of(&["os"]), node];
            Artifact::public("x", Origin { reads, ..Origin::room("test") })
        };
        let tree = finished(&[("a", "/etc/f", shaped(0)), ("b", "/etc/f", shaped(1))]);
        let reads = &tree.get("steps/shared/etc/f").unwrap().origin.reads;
        let reads: Vec<String> = reads.iter().map(ToString::to_string).collect();
        assert_eq!(reads, ["os", "nodes[0]", "nodes[1]"]);
    }
}
