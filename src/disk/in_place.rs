//! File by file, for folders that cannot be exchanged: a mount point, a foreign subfolder.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::DiskError;
use super::folder::Folder;
use super::plan::Plan;
use super::regular::{MOST, read_regular};
use super::signal;
use super::stage::{GIT_IGNORE, IN_PLACE, Stage};
use super::survey::Target;
use crate::manifest;
use crate::tree::TreePath;

/// Makes the output folder, so that it can be locked.
pub(super) fn make_root(root: &Path) -> Result<(), DiskError> {
    fs::create_dir_all(root).map_err(|error| DiskError::io("create the folder", root, &error))
}

/// Makes the new files in a folder inside the target, where a full disk does no harm yet, then
/// removes what is no longer wanted and renames each file into place, `hagen.json` last: until
/// then the old manifest says what is hagen's. In between Git ignores what is private in the old
/// tree or in the new one.
pub(super) fn replace(target: &Target, plan: &Plan<'_>) -> Result<(), DiskError> {
    let path = &target.path;
    let root = Folder::open(path).map_err(|error| DiskError::io("open", path, &error))?;
    let stage = Stage::new(path, IN_PLACE, 0o700)?;
    let folders = stage.make_folders(plan.fresh.iter().map(|(path, _)| *path))?;
    stage.create(&plan.fresh)?;
    let ignore = ignore_both(target, plan, &stage)?;
    stage.sync(&folders)?;
    signal::turn_back(path)?;
    let failed = |what: &str, at: &str, error| DiskError::io(what, &path.join(at), &error);
    if let Some(ignore) = ignore {
        root.take(&ignore, GIT_IGNORE).map_err(|error| failed("replace", GIT_IGNORE, error))?;
    }
    remove(&root, target, plan)?;
    for folder in &folders {
        root.make(folder).map_err(|error| failed("create the folder", folder, error))?;
    }
    let last = [GIT_IGNORE, manifest::PATH];
    let (last, first): (Vec<&str>, Vec<&str>) =
        plan.fresh.iter().map(|(path, _)| *path).partition(|path| last.contains(path));
    for paths in [first, last] {
        for path in paths {
            root.take(&stage.place(path), path).map_err(|error| failed("replace", path, error))?;
        }
        for folder in folders.iter().copied().chain([""]) {
            let synced = root.below(folder).and_then(|folder| folder.file().sync_all());
            synced.map_err(|error| failed("sync", folder, error))?;
        }
    }
    Ok(())
}

/// What Git ignores while files of both trees are there; `None` where that is the same.
fn ignore_both(
    target: &Target,
    plan: &Plan<'_>,
    stage: &Stage,
) -> Result<Option<std::path::PathBuf>, DiskError> {
    let Some((_, new)) = plan.fresh.iter().find(|(path, _)| *path == GIT_IGNORE) else {
        return Ok(None);
    };
    let both = match read_regular(&target.path.join(GIT_IGNORE), MOST) {
        Ok(old) => [old.as_slice(), b"\n", &new.bytes].concat(),
        // The new one as it will be: a build that ends here has no manifest yet, and the next one
        // takes what stands there for its own by its bytes.
        Err(_) => new.bytes.to_vec(),
    };
    let name = ".both.gitignore";
    let place = stage.path.join(name);
    stage
        .folder
        .create_public(name, &both)
        .map_err(|error| DiskError::io("write", &place, &error))?;
    Ok(Some(place))
}

/// Removes files of the old tree and the folders that this empties.
fn remove(root: &Folder, target: &Target, plan: &Plan<'_>) -> Result<(), DiskError> {
    root.remove_files(&plan.removed)
        .map_err(|(path, error)| DiskError::io("remove", &target.path.join(path), &error))?;
    let folders: BTreeSet<&str> =
        plan.removed.iter().flat_map(|path| TreePath::folders(path)).collect();
    for folder in folders.into_iter().rev() {
        // Fails where something is left inside, which is then to stay.
        let _ = root.remove_folder(folder);
    }
    Ok(())
}
