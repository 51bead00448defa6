//! What [`super::write`] refuses, before it changes anything.

use std::collections::BTreeSet;

use super::Files;
use super::owned::{foreign, is_rolled_out};
use super::plan::same_bytes;
use super::survey::{Survey, Target};
use super::{DiskError, FOREIGN_CONTENT, FOREIGN_FOLDER, Mode, OTHER_BUNDLE, Options};
use crate::manifest::Manifest;
use crate::tree::TreePath;

/// What there is, and whose it is.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) target: &'a Target,
    pub(super) survey: &'a Survey,
    pub(super) owned: &'a BTreeSet<&'a str>,
}

/// Nothing of the user's may be lost, and no tree may take the place of another cluster's.
pub(super) fn judge(
    found: &Found<'_>,
    new: &Files<'_>,
    manifest: &Manifest,
    mode: Mode,
    options: Options,
) -> Result<(), DiskError> {
    let Found { target, survey, owned: _ } = found;
    let folder = target.path.display();
    if mode == Mode::Atomic && survey.manifest.is_none() && !survey.is_empty() {
        let message = format!("`{folder}` is not empty and holds no tree of hagen's");
        let help = "give a new or empty folder, or build with `--in-place`, which leaves foreign \
                    files alone but is not atomic";
        return Err(DiskError::new(&FOREIGN_FOLDER, message, help));
    }
    if let Some(old) = &survey.manifest
        && old.bundle != manifest.bundle
        && !options.other_bundle_ok
    {
        let (cluster, old, new) = (&old.cluster, &old.bundle, &manifest.bundle);
        let message = format!(
            "the tree in `{folder}` is cluster `{cluster}` made with the bundle `{old}`, \
             this one is made with `{new}`: every key would change"
        );
        let help = "give the bundle that made it, another output folder, or `--other-bundle` if \
                    all keys are meant to change";
        return Err(DiskError::new(&OTHER_BUNDLE, message, help));
    }
    rolled_out(found, new)?;
    if mode == Mode::Atomic
        && let Some((path, what)) = survey.odd.iter().next()
    {
        let message = format!("`{folder}` holds `{path}`, {what}, which an exchange would lose");
        return Err(DiskError::new(&FOREIGN_CONTENT, message, MOVE));
    }
    foreign_files(found, new, mode)?;
    odd_ways(found, new)
}

const MOVE: &str = "move it out of the output folder, or build with `--in-place`, which leaves it \
                    alone but is not atomic";

/// What is not of the tree is not rolled out with it.
fn rolled_out(found: &Found<'_>, new: &Files<'_>) -> Result<(), DiskError> {
    let Found { target, survey, owned } = found;
    let foreign = foreign(survey, |path| owned.contains(path) || new.contains_key(path));
    let mut foreign = foreign.iter().filter(|(path, _)| is_rolled_out(path));
    let Some((path, what)) = foreign.next() else { return Ok(()) };
    let folder = target.path.display();
    let more = match foreign.count() {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    };
    let message =
        format!("`{folder}` holds `{path}`, {what}, among what is rolled out with the tree{more}");
    let help = "remove it, or move it out of the output folder";
    Err(DiskError::new(&FOREIGN_CONTENT, message, help))
}

/// A file of the user's stays where it is, so its place must be free and its folder must stay.
fn foreign_files(found: &Found<'_>, new: &Files<'_>, mode: Mode) -> Result<(), DiskError> {
    let Found { target, survey, owned } = found;
    let folder = target.path.display();
    let folders: BTreeSet<&str> = new.keys().flat_map(|path| TreePath::folders(path)).collect();
    for (path, found) in &survey.files {
        if owned.contains(path.as_str()) {
            continue;
        }
        let wanted = match new.get(path.as_str()) {
            // An interrupted `--in-place` has put it there.
            Some(artifact) => !same_bytes(target, path, *found, artifact)?,
            None => folders.contains(path.as_str()),
        };
        if wanted {
            let message = format!(
                "`{folder}` holds the file `{path}`, which hagen did not make and which the new \
                 tree needs the place of"
            );
            return Err(DiskError::new(&FOREIGN_CONTENT, message, "move it elsewhere"));
        }
        let gone = |(parent, _): (&str, &str)| !folders.contains(parent);
        if mode == Mode::Atomic
            && !new.contains_key(path.as_str())
            && path.rsplit_once('/').is_some_and(gone)
        {
            let message = format!(
                "`{folder}` holds the file `{path}`, which hagen did not make and whose folder \
                 the new tree does not have"
            );
            return Err(DiskError::new(&FOREIGN_CONTENT, message, "move it elsewhere"));
        }
    }
    Ok(())
}

/// Nothing is written or removed through what is not ours, a symbolic link above all.
fn odd_ways(found: &Found<'_>, new: &Files<'_>) -> Result<(), DiskError> {
    let Found { target, survey, owned } = *found;
    for path in new.keys().chain(owned) {
        for part in TreePath::folders(path).chain([*path]) {
            if let Some(what) = survey.odd.get(part) {
                let folder = target.path.display();
                let message = format!("`{folder}` holds `{part}`, {what}, in the way of `{path}`");
                let help = "move it out of the output folder";
                return Err(DiskError::new(&FOREIGN_CONTENT, message, help));
            }
        }
    }
    Ok(())
}
