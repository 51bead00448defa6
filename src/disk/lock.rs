//! One process at a time builds a tree.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::survey::Target;
use super::{BUSY, DiskError};

/// A lock on the output folder itself, held as long as this lives: nothing is left behind, however
/// the process ends. Of a folder that is not there yet nothing is locked: whoever is the first to
/// put one in its place has won.
#[derive(Debug)]
pub(super) struct Lock {
    _folder: Option<File>,
}

impl Lock {
    pub(super) fn of(target: &Target) -> Result<Self, DiskError> {
        let path = &target.path;
        loop {
            let folder = match File::open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                opened => opened.map_err(|error| DiskError::io("open", path, &error))?,
            };
            match folder.try_lock() {
                Err(TryLockError::WouldBlock) => return Err(busy(path)),
                // Some network file systems have no locks.
                Err(TryLockError::Error(_)) => break,
                Ok(()) => {}
            }
            // An exchange may have put another folder in its place before it was locked.
            if is_at(&folder, path) {
                return Ok(Self { _folder: Some(folder) });
            }
        }
        Ok(Self { _folder: None })
    }
}

/// Whether the open folder is the one that stands at `path` now.
fn is_at(folder: &File, path: &Path) -> bool {
    let same = |open: fs::Metadata, there: fs::Metadata| {
        (open.dev(), open.ino()) == (there.dev(), there.ino())
    };
    folder.metadata().ok().zip(fs::symlink_metadata(path).ok()).is_some_and(|(a, b)| same(a, b))
}

/// Somebody else has the lock, or was the first to put a tree in place.
pub(super) fn busy(path: &Path) -> DiskError {
    let message = format!("another hagen is building into `{}`", path.display());
    DiskError::new(&BUSY, message, "wait until it has ended, then build again")
}
