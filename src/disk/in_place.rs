//! File by file, for folders that cannot be exchanged: a mount point, a foreign subfolder.

use std::collections::BTreeSet;
use std::fs;

use super::DiskError;
use super::plan::Plan;
use super::stage::{IN_PLACE, Stage, make_folder, sync_folder};
use super::survey::Target;
use crate::manifest;
use crate::tree::TreePath;

/// Makes the new files in a folder inside the target, where a full disk does no harm yet, then
/// removes what is no longer wanted and renames each file into place, `hagen.json` last: until
/// then the old manifest says what is hagen's.
pub(super) fn replace(target: &Target, plan: &Plan<'_>) -> Result<(), DiskError> {
    let root = &target.path;
    fs::create_dir_all(root).map_err(|error| DiskError::io("create the folder", root, &error))?;
    let stage = Stage::new(root, IN_PLACE, 0o700)?;
    let folders = stage.make_folders(plan.fresh.iter().map(|(path, _)| *path))?;
    stage.create(&plan.fresh)?;
    stage.sync(&folders)?;
    remove(target, plan)?;
    for folder in &folders {
        make_folder(&root.join(folder))?;
    }
    let (last, first): (Vec<&str>, Vec<&str>) =
        plan.fresh.iter().map(|(path, _)| *path).partition(|path| *path == manifest::PATH);
    for paths in [first, last] {
        for path in paths {
            let place = root.join(path);
            fs::rename(stage.path.join(path), &place)
                .map_err(|error| DiskError::io("replace", &place, &error))?;
        }
        for folder in folders.iter().map(|folder| root.join(folder)).chain([root.clone()]) {
            sync_folder(&folder).map_err(|error| DiskError::io("sync", &folder, &error))?;
        }
    }
    Ok(())
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
