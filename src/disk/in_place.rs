//! File by file, for folders that cannot be exchanged: a mount point, a foreign subfolder.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::DiskError;
use super::plan::Plan;
use super::stage::{GIT_IGNORE, IN_PLACE, Stage, make_folder, sync_folder};
use super::survey::Target;
use super::{signal, stage};
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
    let root = &target.path;
    let stage = Stage::new(root, IN_PLACE, 0o700)?;
    let folders = stage.make_folders(plan.fresh.iter().map(|(path, _)| *path))?;
    stage.create(&plan.fresh)?;
    let ignore = ignore_both(target, plan, &stage)?;
    stage.sync(&folders)?;
    signal::turn_back(root)?;
    if let Some(ignore) = ignore {
        let place = root.join(GIT_IGNORE);
        fs::rename(ignore, &place).map_err(|error| DiskError::io("replace", &place, &error))?;
    }
    remove(target, plan)?;
    for folder in &folders {
        make_folder(&root.join(folder))?;
    }
    let last = [GIT_IGNORE, manifest::PATH];
    let (last, first): (Vec<&str>, Vec<&str>) =
        plan.fresh.iter().map(|(path, _)| *path).partition(|path| last.contains(path));
    for paths in [first, last] {
        for path in paths {
            let place = root.join(path);
            fs::rename(stage.place(path), &place)
                .map_err(|error| DiskError::io("replace", &place, &error))?;
        }
        for folder in folders.iter().map(|folder| root.join(folder)).chain([root.clone()]) {
            sync_folder(&folder).map_err(|error| DiskError::io("sync", &folder, &error))?;
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
    let old = fs::read(target.path.join(GIT_IGNORE)).unwrap_or_default();
    let place = stage.path.join(".both.gitignore");
    stage::create_public(&place, &[old.as_slice(), b"\n", &new.bytes].concat())
        .map_err(|error| DiskError::io("write", &place, &error))?;
    Ok(Some(place))
}

/// Removes files of the old tree and the folders that this empties.
fn remove(target: &Target, plan: &Plan<'_>) -> Result<(), DiskError> {
    for path in &plan.removed {
        let place = target.path.join(path);
        fs::remove_file(&place).map_err(|error| DiskError::io("remove", &place, &error))?;
    }
    let folders: BTreeSet<&str> =
        plan.removed.iter().flat_map(|path| TreePath::folders(path)).collect();
    for folder in folders.into_iter().rev() {
        // Fails where something is left inside, which is then to stay.
        let _ = fs::remove_dir(target.path.join(folder));
    }
    Ok(())
}
