use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::DiskError;
use super::plan::{Files, State, states};
use super::survey::{Survey, Target};
use crate::manifest::{self, Entry, Mac, Manifest};
use crate::report::holds_secret;
use crate::tree::Tree;

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
    /// Listed by the folder's manifest and there, not in the tree.
    pub removed: Vec<String>,
    /// In both, with other bytes.
    pub changed: Vec<Change>,
    /// In both with the same bytes, but with permission bits or an owner that [`super::write`]
    /// would mend. Git keeps only one of them: no difference by itself.
    pub mode_changed: Vec<String>,
}

impl Comparison {
    /// Whether every file has the bytes of the tree and there is none to remove.
    pub fn is_same(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// Compares the folder `out` with `tree` and `manifest`; changes nothing. With `public_only`,
/// private files that are absent are no difference: a checkout never has them.
///
/// # Errors
/// When `out` cannot be read.
pub fn compare(
    tree: &Tree,
    manifest: &Manifest,
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
    for ((path, artifact), state) in new.iter().zip(states(&target, &survey, &new)?) {
        let path = (*path).to_owned();
        match state {
            State::Same => {}
            State::Absent if public_only && artifact.secret => {}
            State::Absent => comparison.added.push(path),
            State::OtherMode => comparison.mode_changed.push(path),
            State::OtherBytes => {
                let bytes = read(&target, &path)?;
                let entry = entries.get(path.as_str()).copied();
                let mode = survey.files.get(&path).map_or(0, |found| found.mode);
                let public = !artifact.secret && is_public(entry, mode, &bytes);
                comparison.changed.push(Change { path, old: public.then_some(bytes) });
            }
        }
    }
    let owned = survey.owned();
    let gone = |path: &&String| owned.contains(path.as_str()) && !new.contains_key(path.as_str());
    comparison.removed = survey.files.keys().filter(gone).cloned().collect();
    Ok(comparison)
}

/// Whether old bytes may be shown. They are what their manifest pins as public; or nobody pins
/// them, and then all may read them anyway and there is no key in them.
fn is_public(entry: Option<&Entry>, mode: u32, bytes: &[u8]) -> bool {
    match entry {
        Some(entry) if entry.secret => false,
        Some(entry) if entry.fits(bytes, None) == Some(true) => true,
        _ => mode & 0o077 != 0 && !holds_secret(&String::from_utf8_lossy(bytes)),
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
    /// There, but not listed.
    pub foreign: Vec<String>,
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
        if !survey.files.contains_key(&path) {
            verification.missing.push(path);
            continue;
        }
        match entry.fits(&read(&target, &path)?, mac) {
            Some(true) => {}
            Some(false) => verification.changed.push(path),
            None => verification.unchecked.push(path),
        }
    }
    if let Some(mac) = mac
        && !manifest.is_genuine(&read(&target, manifest::PATH)?, mac)
    {
        verification.changed.push(manifest::PATH.to_owned());
        verification.changed.sort_unstable();
    }
    let owned = survey.owned();
    let there = survey.files.keys().chain(survey.odd.keys());
    verification.foreign = there.filter(|path| !owned.contains(path.as_str())).cloned().collect();
    verification.foreign.sort_unstable();
    Ok(verification)
}

fn read(target: &Target, path: &str) -> Result<Vec<u8>, DiskError> {
    let file = target.path.join(path);
    fs::read(&file).map_err(|error| DiskError::io("read", &file, &error))
}
