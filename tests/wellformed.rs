//! What holds of every tree, whoever drew its inventory.

use std::collections::BTreeSet;

use hagen::tree::Tree;

/// No path is placed twice, nobody but its owner may write a file, and what is private is closed.
pub(crate) fn is_well_formed(tree: &Tree) {
    let mut places = BTreeSet::new();
    for (path, artifact) in tree.iter() {
        // The site may let a group read what is its own.
        let open = if path.ends_with("/etc/site/token") { 0o007 } else { 0o077 };
        assert!(!artifact.secret || artifact.mode & open == 0, "{path}: {:o}", artifact.mode);
        assert_eq!(artifact.mode & 0o022, 0, "{path}: anybody may write it");
        if let Some(place) = &artifact.destination {
            for node in &place.nodes {
                assert!(places.insert((node, &place.path)), "{path}: placed twice on {node}");
            }
        }
    }
}
