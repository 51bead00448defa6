//! Whose the files in an output folder are.

use std::collections::BTreeSet;

use super::survey::{Survey, Target};
use super::{DiskError, Files};
use crate::manifest::{self, Mac};

/// Folders whose content reaches hosts and the cluster as it stands there, where root runs it:
/// nobody else's file may be among it.
const ROLLED_OUT: [&str; 3] = ["cluster", "nodes", "steps"];

/// Whether what is at `path` is rolled out along with the tree.
pub(super) fn is_rolled_out(path: &str) -> bool {
    ROLLED_OUT.contains(&path.split('/').next().unwrap_or_default())
}

/// The files that a build may replace and remove: those of the tree that is there. What a manifest
/// lists is believed where the holder of the bundle wrote it. Anybody may have edited another one,
/// or it is of another bundle; then a file is owned where the new tree has one of that path, and
/// where it has the listed fingerprint in a folder that nobody keeps files of his own in.
pub(super) fn owned<'a>(
    target: &Target,
    survey: &'a Survey,
    new: &Files<'_>,
    mac: Option<&Mac<'_>>,
) -> Result<BTreeSet<&'a str>, DiskError> {
    let mut owned = BTreeSet::new();
    let Some(manifest) = &survey.manifest else { return Ok(owned) };
    owned.insert(manifest::PATH);
    let genuine = mac.is_some_and(|mac| manifest.is_genuine(&survey.listing, mac));
    for entry in &manifest.files {
        let path = entry.path.as_str();
        let fits = || match survey.files.contains_key(path) && is_rolled_out(path) {
            true => Ok(entry.fits(&target.read(path)?, mac) == Some(true)),
            false => Ok(false),
        };
        if genuine || new.contains_key(path) || fits()? {
            owned.insert(path);
        }
    }
    Ok(owned)
}

/// What is there and not `known`, by path, with what it is.
pub(super) fn foreign(survey: &Survey, known: impl Fn(&str) -> bool) -> Vec<(&str, &'static str)> {
    let entries = survey.manifest.iter().flat_map(|manifest| &manifest.files);
    let listed: BTreeSet<&str> = entries.map(|entry| entry.path.as_str()).collect();
    let files = survey.files.keys().map(|path| match listed.contains(path.as_str()) {
        true => (path.as_str(), "a file that hagen.json lists, but not as this bundle made it"),
        false => (path.as_str(), "a file that hagen did not make"),
    });
    let odd = survey.odd.iter().map(|(path, what)| (path.as_str(), *what));
    let mut foreign: Vec<_> = files.chain(odd).filter(|(path, _)| !known(path)).collect();
    foreign.sort_unstable();
    foreign
}
