use std::collections::BTreeMap;
use std::path::Path;

use super::regular::{MOST, read_regular};
use super::survey::read_manifest;
use super::{DiskError, Manifest};

/// What each node has at the place `destination` in the tree that stands in the folder `out`, if
/// that is a tree of the same bundle: with another one, the cluster is set up anew. A file that
/// the folder lacks is left out.
///
/// # Errors
/// See [`read_manifest`].
pub fn standing(
    manifest: &Manifest,
    out: &Path,
    destination: &str,
) -> Result<BTreeMap<String, Vec<u8>>, DiskError> {
    let old = read_manifest(out)?.filter(|old| old.bundle == manifest.bundle);
    let entries = old.iter().flat_map(|old| &old.files);
    let there = entries.filter(|entry| entry.destination.as_deref() == Some(destination));
    let read =
        there.filter_map(|entry| Some((entry, read_regular(&out.join(&entry.path), MOST).ok()?)));
    Ok(read
        .flat_map(|(entry, bytes)| {
            entry.nodes.iter().map(move |node| (node.clone(), bytes.clone()))
        })
        .collect())
}
