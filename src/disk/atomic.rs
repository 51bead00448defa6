//! The whole new tree takes the place of the old one in a single step.

use std::fs;
use std::io;
use std::path::Path;

use rayon::prelude::*;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::folder::Folder;
use super::plan::Plan;
use super::stage::{self, GIT_IGNORE, Stage, sync_folder};
use super::survey::{Survey, Target};
use super::{DiskError, FOREIGN_CONTENT, UNWRITABLE, lock, signal};

/// The folder in which a target's new tree is made, and how the names of its stages begin there;
/// `None` for the root of the file system.
fn beside(target: &Target) -> Option<(&Path, String)> {
    let (parent, name) = (target.path.parent()?, target.path.file_name()?);
    Some((parent, format!(".{}.hagen-", name.to_string_lossy())))
}

/// Removes what killed builds have left beside the target: a new tree that is not whole, or the
/// old one after the exchange.
pub(super) fn clear_abandoned(target: &Target) {
    if let Some((parent, prefix)) = beside(target) {
        stage::clear_abandoned(parent, &prefix);
    }
}

/// Builds the tree beside the target, exchanges the two, removes the old one.
pub(super) fn replace(target: &Target, survey: &Survey, plan: &Plan<'_>) -> Result<(), DiskError> {
    let Some((parent, prefix)) = beside(target) else {
        return Err(not_exchangeable(&target.path, "it is the root of the file system"));
    };
    fs::create_dir_all(parent)
        .map_err(|error| DiskError::io("create the folder", parent, &error))?;
    let mut stage = Stage::new(parent, &prefix, target.mode.unwrap_or(0o755))?;
    fill(target, plan, &stage)?;
    signal::turn_back(&target.path)?;
    if target.mode.is_none() || survey.is_empty() {
        appear(&stage.path, target).map_err(|error| refused(&target.path, &error))?;
        stage.release();
        return durable(parent);
    }
    // The folder itself: wherever it is after the exchange, and whatever is there instead.
    let old =
        Folder::open(&target.path).map_err(|error| DiskError::io("open", &target.path, &error))?;
    renameat_with(CWD, &stage.path, CWD, &target.path, RenameFlags::EXCHANGE)
        .map_err(|errno| refused(&target.path, &errno.into()))?;
    let place = stage.release();
    durable(parent)?;
    // On a disk that is full by now, its own `.gitignore` covers what is private in it.
    let _ = stage::hide(&old, &place);
    remove_surveyed(&old, &place, survey)
}

/// Puts the first tree in its place: rename(2) takes that of an empty folder, too, but only of the
/// one that was there, and locked, from the beginning.
fn appear(stage: &Path, target: &Target) -> io::Result<()> {
    if target.mode.is_none() {
        match renameat_with(CWD, stage, CWD, &target.path, RenameFlags::NOREPLACE) {
            // Its file system does not know the flag.
            Err(Errno::INVAL | Errno::NOSYS) => {}
            renamed => return renamed.map_err(io::Error::from),
        }
    }
    fs::rename(stage, &target.path)
}

/// The new tree, with as many files of the old one as are still right.
fn fill(target: &Target, plan: &Plan<'_>, stage: &Stage) -> Result<(), DiskError> {
    let ours = plan.fresh.iter().chain(&plan.same).map(|(path, _)| *path);
    let folders = stage.make_folders(ours.chain(plan.foreign.iter().copied()))?;
    // Too many links, or somebody else may exchange what is linked: then it is written anew.
    let unlinked = plan
        .same
        .par_iter()
        .filter(|(path, _)| !target.ours || stage.link(&target.path.join(path), path).is_err())
        .copied();
    let fresh: Vec<_> = plan.fresh.par_iter().copied().chain(unlinked).collect();
    for path in &plan.foreign {
        stage.link(&target.path.join(path), path).map_err(|error| {
            let folder = target.path.display();
            let message =
                format!("`{folder}` holds the file `{path}`, which cannot be kept: {error}");
            DiskError::new(&FOREIGN_CONTENT, message, "move it out of the output folder")
        })?;
    }
    stage.create(&fresh)?;
    stage.show()?;
    stage.sync(&folders)
}

fn durable(parent: &Path) -> Result<(), DiskError> {
    sync_folder(parent).map_err(|error| DiskError::io("sync", parent, &error))
}

/// A file system that cannot exchange says so in many ways.
fn refused(target: &Path, error: &io::Error) -> DiskError {
    match Errno::from_io_error(error) {
        Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            not_exchangeable(target, "its file system offers no exchange of folders")
        }
        // Of a first build: by now there is a folder.
        Some(Errno::NOTEMPTY | Errno::EXIST) => lock::busy(target),
        Some(Errno::XDEV | Errno::BUSY) => not_exchangeable(target, "it is a mount point"),
        _ => DiskError::io("replace", target, error),
    }
}

fn not_exchangeable(target: &Path, reason: &str) -> DiskError {
    let message = format!("`{}` cannot be replaced in one step: {reason}", target.display());
    let help = "give a folder below it, or build with `--in-place`, which renames file by file and \
                is not atomic";
    DiskError::new(&UNWRITABLE, message, help)
}

/// Removes the old tree, which is at `place`: what was surveyed and nothing else, so that a file
/// that somebody saved there during the build is not lost.
fn remove_surveyed(old: &Folder, place: &Path, survey: &Survey) -> Result<(), DiskError> {
    let left = |path: &Path, error: &io::Error| {
        let what = "the new tree is in place, but it was not possible to remove";
        let message = format!("{what} `{}` of the old one: {error}", path.display());
        let help = "look at what is left there; the next build removes it";
        DiskError::new(&UNWRITABLE, message, help)
    };
    let files = survey.files.keys().map(String::as_str).filter(|path| *path != GIT_IGNORE);
    old.remove_files(&files.collect::<Vec<_>>())
        .map_err(|(path, error)| left(&place.join(path), &error))?;
    // Backwards: a folder sorts before what it holds.
    for path in survey.folders.iter().rev() {
        old.remove_folder(path).map_err(|error| left(&place.join(path), &error))?;
    }
    old.remove_file(GIT_IGNORE).map_err(|error| left(&place.join(GIT_IGNORE), &error))?;
    match fs::remove_dir(place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(left(place, &error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::survey::Found;
    use super::*;

    #[test]
    fn the_old_tree_is_removed_through_no_link() {
        let scratch = tempfile::tempdir().unwrap();
        let [old, mine] = ["old", "mine"].map(|name| scratch.path().join(name));
        for path in [old.join("a/b"), mine.join("b")] {
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("file"), "x").unwrap();
        }
        let mut survey = Survey::default();
        survey.files.insert("a/b/file".to_owned(), Found { mode: 0o644, size: 1, ours: true });
        // Somebody who may write there exchanges a folder after the survey.
        fs::rename(old.join("a"), scratch.path().join("away")).unwrap();
        std::os::unix::fs::symlink(&mine, old.join("a")).unwrap();
        let error = remove_surveyed(&Folder::open(&old).unwrap(), &old, &survey).unwrap_err();
        assert!(error.message.contains("a/b/file"), "{error}");
        assert!(mine.join("b/file").exists());
    }
}
