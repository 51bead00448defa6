//! A folder in which new files are made before anybody sees them.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::folder::Folder;
use super::{DiskError, signal};
use crate::tree::{Artifact, TreePath};

/// How the name of a staging folder inside the output folder begins; the process id follows.
pub(super) const IN_PLACE: &str = ".hagen-";

/// What Git ignores in a folder and below.
pub(super) const GIT_IGNORE: &str = ".gitignore";

/// Where the new tree's own `.gitignore` waits while the stage has one that hides everything.
const WAITING: &str = ".waiting.gitignore";

/// A private folder of this process, which Git ignores whole: whatever becomes of the process,
/// `git add .` finds no key in it. Removed when dropped; what a killed process leaves behind
/// is removed by the next one that stages at the same place.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) path: PathBuf,
    /// Held as long as the process lives: tells a living stage from an abandoned one, also
    /// across containers that share a folder but not their process ids.
    pub(super) folder: Folder,
}

impl Stage {
    /// A new folder `<prefix><process id>` in `parent`, with these permission bits.
    pub(super) fn new(parent: &Path, prefix: &str, mode: u32) -> Result<Self, DiskError> {
        clear_abandoned(parent, prefix);
        let id = rustix::process::getpid().as_raw_nonzero();
        let mut path = parent.join(format!("{prefix}{id}"));
        let mut turn = 0;
        // Two containers may both be process 1.
        while let Err(error) = DirBuilder::new().mode(0o700).create(&path) {
            if error.kind() != io::ErrorKind::AlreadyExists || turn == 99 {
                return Err(DiskError::io("create the folder", &path, &error));
            }
            turn += 1;
            path = parent.join(format!("{prefix}{id}.{turn}"));
        }
        let failed = |error: io::Error| DiskError::io("create the folder", &path, &error);
        let folder = Folder::open(&path).map_err(failed)?;
        // Where there are no locks (some network file systems), nobody clears abandoned stages.
        let _ = folder.file().try_lock();
        folder.file().set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
        let stage = Self { path, folder };
        hide(&stage.folder, &stage.path)?;
        Ok(stage)
    }

    /// Makes the folders of all these files, 0755.
    pub(super) fn make_folders<'a>(
        &self,
        files: impl Iterator<Item = &'a str>,
    ) -> Result<BTreeSet<&'a str>, DiskError> {
        let folders: BTreeSet<&str> = files.flat_map(TreePath::folders).collect();
        for folder in &folders {
            make_folder(&self.path.join(folder))?;
        }
        Ok(folders)
    }

    /// Where a file of the tree is in the stage.
    pub(super) fn place(&self, path: &str) -> PathBuf {
        self.path.join(if path == GIT_IGNORE { WAITING } else { path })
    }

    /// Puts the tree's own `.gitignore` in place, which names each private file.
    pub(super) fn show(&self) -> Result<(), DiskError> {
        let place = self.path.join(GIT_IGNORE);
        match fs::rename(self.path.join(WAITING), &place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::remove_file(&place),
            shown => shown,
        }
        .map_err(|error| DiskError::io("replace", &place, &error))
    }

    /// Creates every file, a private one 0600 from its first moment.
    pub(super) fn create(&self, files: &[(&str, &Artifact)]) -> Result<(), DiskError> {
        files.par_iter().try_for_each(|(path, artifact)| {
            signal::turn_back(&self.path)?;
            let path = self.place(path);
            create_file(&path, artifact).map_err(|error| DiskError::io("write", &path, &error))
        })
    }

    /// Gives the file at `from` a second name in the stage; its modification time stays.
    pub(super) fn link(&self, from: &Path, path: &str) -> io::Result<()> {
        fs::hard_link(from, self.place(path))
    }

    /// Waits until everything in the stage would survive a power cut. On Linux by one syncfs(2):
    /// it waits for other programs' dirty pages, too, but 200 files took 400 ms one by
    /// one and 25 ms together (ext4), and a large cluster has 100,000.
    pub(super) fn sync(&self, folders: &BTreeSet<&str>) -> Result<(), DiskError> {
        sync_stage(self, folders).map_err(|error| DiskError::io("sync", &self.path, &error))
    }

    /// Lets go of the folder without removing it; it stays locked as long as the stage lives.
    pub(super) fn release(&mut self) -> PathBuf {
        std::mem::take(&mut self.path)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.path != Path::new("") {
            discard(&self.folder, &self.path);
        }
    }
}

/// Makes Git ignore a folder, which is at `path`, that is no tree, or no longer one.
pub(super) fn hide(folder: &Folder, path: &Path) -> Result<(), DiskError> {
    let hidden = folder.create_public(WAITING, b"*\n");
    hidden.and_then(|()| folder.rename(WAITING, GIT_IGNORE)).map_err(|error| {
        // What is reported is why it could not be written.
        let _ = folder.remove_file(WAITING);
        DiskError::io("write", &path.join(GIT_IGNORE), &error)
    })
}

/// Removes a folder, which is at `path`, that Git ignores; what makes it do so goes last. Nothing
/// to be done about a failure: the next run tries again.
pub(super) fn discard(folder: &Folder, path: &Path) {
    folder.clear(GIT_IGNORE);
    let _ = folder.remove_file(GIT_IGNORE);
    // Of whatever stands there by now, an empty folder is all that this can take.
    let _ = fs::remove_dir(path);
}

/// A new folder, 0755 whatever the umask; fine if it is there.
pub(super) fn make_folder(path: &Path) -> Result<(), DiskError> {
    match fs::create_dir(path) {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o755)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
    .map_err(|error| DiskError::io("create the folder", path, &error))
}

fn create_file(path: &Path, artifact: &Artifact) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&artifact.bytes)?;
    // fchmod, since open(2) subtracts the umask.
    file.set_permissions(Permissions::from_mode(artifact.stored_mode()))?;
    if !cfg!(target_os = "linux") {
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn sync_stage(stage: &Stage, _: &BTreeSet<&str>) -> io::Result<()> {
    rustix::fs::syncfs(stage.folder.file()).map_err(io::Error::from)
}

/// syncfs(2) is Linux' own; elsewhere [`create_file`] has synced each file.
#[cfg(not(target_os = "linux"))]
fn sync_stage(stage: &Stage, folders: &BTreeSet<&str>) -> io::Result<()> {
    folders.iter().try_for_each(|folder| sync_folder(&stage.path.join(folder)))?;
    stage.folder.file().sync_all()
}

/// Makes a rename inside this folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Removes the stages in `parent` whose processes are gone: nobody holds their locks. Those of
/// other users are theirs to clear: what is in them could be exchanged at any moment.
pub(super) fn clear_abandoned(parent: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(prefix)).unwrap_or_default();
        let staged = id.starts_with(|c: char| c.is_ascii_digit())
            && id.chars().all(|c| c.is_ascii_digit() || c == '.');
        let path = entry.path();
        if staged
            && let Ok(folder) = Folder::open(&path)
            && folder.is_ours()
            && folder.file().try_lock().is_ok()
        {
            discard(&folder, &path);
        }
    }
}
