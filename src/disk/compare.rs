use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::owned::{foreign, is_rolled_out, owned};
use super::plan::{State, states};
use super::survey::{Found, Survey, Target};
use super::{DiskError, Files};
use crate::manifest::{self, Entry, Mac, Manifest};
use crate::report::holds_secret;
use crate::tree::{Artifact, Destination, Tree};

/// A file that is in the folder and in the tree, with other bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Relative to the output folder.
    pub path: String,
    /// What the folder holds; `None` for a file that is private or was, which no diff shows.
    pub old: Option<Vec<u8>>,
}

/// How a folder differs from a tree. Every list is sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// In the tree, not in the folder.
    pub added: Vec<String>,
    /// Of what is added: the copy that its first node has had elsewhere in the folder.
    pub before: BTreeMap<String, Change>,
    /// Listed by the folder's manifest and there, not in the tree.
    pub removed: Vec<String>,
    /// In both, with other bytes.
    pub changed: Vec<Change>,
    /// In neither, but in a folder that is rolled out whole.
    pub foreign: Vec<String>,
    /// Private, but others than its owner may read it.
    pub readable: Vec<String>,
    /// In both with the same bytes, but with permission bits or an owner that [`super::write`]
    /// would mend. Git keeps only one of them: no difference by itself.
    pub mode_changed: Vec<String>,
}

impl Comparison {
    /// Whether every file has the bytes of the tree, private ones for their owner alone, and
    /// there is none to remove.
    pub fn is_same(&self) -> bool {
        let Self { added, before: _, removed, changed, foreign, readable, mode_changed: _ } = self;
        let differing = [added, removed, foreign, readable];
        changed.is_empty() && differing.iter().all(|paths| paths.is_empty())
    }
}

/// Compares the folder `out` with `tree` and `manifest`; changes nothing. With `public_only`,
/// private files that are absent are no difference: a checkout never has them. `mac` is as in
/// [`super::write()`].
///
/// # Errors
/// When `out` cannot be read.
pub fn compare(
    tree: &Tree,
    manifest: &Manifest,
    mac: Option<&Mac<'_>>,
    out: &Path,
    public_only: bool,
) -> Result<Comparison, DiskError> {
    let listed = super::listed(manifest);
    let new = super::files(tree, &listed);
    let target = Target::resolve(out)?;
    let survey = Survey::of(&target, &new)?;
    let mut comparison = Comparison::default();
    let entries = survey.manifest.iter().flat_map(|manifest| &manifest.files);
    let entries: BTreeMap<&str, &Entry> =
        entries.map(|entry| (entry.path.as_str(), entry)).collect();
    let places = survey.manifest.as_ref().map(Manifest::places).unwrap_or_default();
    for ((path, artifact), state) in new.iter().zip(states(&target, &survey, &new)?) {
        let path = (*path).to_owned();
        let found = survey.files.get(&path);
        if artifact.secret && found.is_some_and(Found::is_open) {
            comparison.readable.push(path.clone());
        }
        match state {
            State::Same => {}
            State::Absent if public_only && artifact.secret => {}
            State::Absent => {
                let had = had(artifact).and_then(|place| places.get(&place));
                if let Some(entry) = had.filter(|entry| survey.files.contains_key(&entry.path)) {
                    let bytes = target.read(&entry.path)?;
                    let old = is_public(Some(entry), false, &bytes).then_some(bytes);
                    comparison
                        .before
                        .insert(path.clone(), Change { path: entry.path.clone(), old });
                }
                comparison.added.push(path);
            }
            State::OtherMode => comparison.mode_changed.push(path),
            State::OtherBytes => {
                let bytes = target.read(&path)?;
                let entry = entries.get(path.as_str()).copied();
                let open = found.is_some_and(Found::is_open);
                let public = !artifact.secret && is_public(entry, open, &bytes);
                comparison.changed.push(Change { path, old: public.then_some(bytes) });
            }
        }
    }
    let owned = owned(&target, &survey, &new, mac)?;
    let gone = |path: &&String| owned.contains(path.as_str()) && !new.contains_key(path.as_str());
    comparison.removed = survey.files.keys().filter(gone).cloned().collect();
    let foreign = foreign(&survey, |path| owned.contains(path) || new.contains_key(path));
    let foreign = foreign.iter().filter(|(path, _)| is_rolled_out(path));
    comparison.foreign = foreign.map(|(path, _)| (*path).to_owned()).collect();
    Ok(comparison)
}

/// Where the first node of a file that may be shown has it.
fn had(artifact: &Artifact) -> Option<(&str, &str)> {
    let Destination { nodes, path, .. } =
        artifact.destination.as_ref().filter(|_| !artifact.secret)?;
    Some((nodes.first()?, path))
}

/// Whether old bytes may be shown. They are what their manifest pins as public; or nobody pins
/// them, and then all may read them anyway and there is no key in them.
fn is_public(entry: Option<&Entry>, open: bool, bytes: &[u8]) -> bool {
    match entry {
        Some(entry) if entry.secret => false,
        Some(entry) if entry.fits(bytes, None) == Some(true) => true,
        _ => open && !holds_secret(&String::from_utf8_lossy(bytes)),
    }
}

/// How a folder differs from its own manifest. Every list is sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Listed, but not there as a regular file.
    pub missing: Vec<String>,
    /// There, but without the listed fingerprint.
    pub changed: Vec<String>,
    /// Private files that are there but could not be checked: no key was given. Then `hagen.json`
    /// is not checked either.
    pub unchecked: Vec<String>,
    /// Private and there, but others than its owner may read it.
    pub readable: Vec<String>,
    /// There, but not listed.
    pub foreign: Vec<String>,
}

impl Verification {
    /// Whether every file that could be checked is as listed, private ones for their owner alone,
    /// and nothing else would be rolled out.
    pub fn is_whole(&self) -> bool {
        let Self { missing, changed, readable, foreign, unchecked: _ } = self;
        let whole = [missing, changed, readable].iter().all(|paths| paths.is_empty());
        whole && !foreign.iter().any(|path| is_rolled_out(path))
    }
}

/// Compares the folder `out` with the `manifest` that [`super::read_manifest`] found in it; `mac`
/// checks private files, as in [`Manifest::from_tree`].
///
/// # Errors
/// When `out` cannot be read.
pub fn verify(
    out: &Path,
    manifest: &Manifest,
    mac: Option<&Mac<'_>>,
) -> Result<Verification, DiskError> {
    let target = Target::resolve(out)?;
    let survey = Survey::of(&target, &Files::new())?;
    let mut verification = Verification::default();
    for entry in &manifest.files {
        let path = entry.path.clone();
        let Some(found) = survey.files.get(&path) else {
            verification.missing.push(path);
            continue;
        };
        if entry.secret && found.is_open() {
            verification.readable.push(path.clone());
        }
        match entry.fits(&target.read(&path)?, mac) {
            Some(true) => {}
            Some(false) => verification.changed.push(path),
            None => verification.unchecked.push(path),
        }
    }
    if let Some(mac) = mac
        && !manifest.is_genuine(&target.read(manifest::PATH)?, mac)
    {
        verification.changed.push(manifest::PATH.to_owned());
        verification.changed.sort_unstable();
    }
    let listed = manifest.files.iter().map(|entry| entry.path.as_str());
    let listed: BTreeSet<&str> = listed.chain([manifest::PATH]).collect();
    let foreign = foreign(&survey, |path| listed.contains(path));
    verification.foreign = foreign.iter().map(|(path, _)| (*path).to_owned()).collect();
    Ok(verification)
}
