//! Folders by their handles. Where others may write above it, a path may lead elsewhere a moment
//! later; what is done through a handle is done in the folder that was opened.

use std::fs::{File, Metadata};
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rayon::prelude::*;
use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::path::Arg;

/// An open folder. Paths below it lead through folders only, never through a link.
#[derive(Debug)]
pub(super) struct Folder(File);

impl Folder {
    /// The folder at `path`; a link there is none.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        open(CWD, path)
    }

    /// What locks, syncs and permission bits are about.
    pub(super) fn file(&self) -> &File {
        &self.0
    }

    /// Whether nobody else owns it.
    pub(super) fn is_ours(&self) -> bool {
        self.0.metadata().is_ok_and(|metadata| is_ours(&metadata))
    }

    /// The folder at `path`, itself where that is empty.
    pub(super) fn below(&self, path: &str) -> io::Result<Self> {
        let mut parts = path.split('/');
        let Some(first) = parts.next().filter(|part| !part.is_empty()) else {
            return Ok(Self(self.0.try_clone()?));
        };
        parts.try_fold(open(&self.0, first)?, |folder, part| open(&folder.0, part))
    }

    /// Makes a folder, 0755 whatever the umask; fine if it is there.
    pub(super) fn make(&self, path: &str) -> io::Result<()> {
        let (parent, name) = split(path);
        let parent = self.below(parent)?;
        let bits = Mode::from_raw_mode(0o755);
        match mkdirat(&parent.0, name, bits) {
            Ok(()) => Ok(rustix::fs::fchmod(&open(&parent.0, name)?.0, bits)?),
            Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A new file in this folder that may be read by all.
    pub(super) fn create_public(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        File::from(openat(&self.0, name, flags, Mode::from_raw_mode(0o644))?).write_all(bytes)
    }

    /// Gives a file in this folder another name in it.
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.0, from, &self.0, to)?)
    }

    /// Puts what is at `from` elsewhere at `path`.
    pub(super) fn take(&self, from: &Path, path: &str) -> io::Result<()> {
        let (parent, name) = split(path);
        Ok(renameat(CWD, from, &self.below(parent)?.0, name)?)
    }

    /// Removes a file of this folder; fine if it is gone.
    pub(super) fn remove_file(&self, name: &str) -> io::Result<()> {
        gone(unlink(&self.0, name, AtFlags::empty()))
    }

    /// Removes these files, which are sorted; fine where one is gone. The error is of the path.
    pub(super) fn remove_files(&self, paths: &[&str]) -> Result<(), (String, io::Error)> {
        let folders: Vec<&[&str]> =
            paths.chunk_by(|one, other| split(one).0 == split(other).0).collect();
        folders.par_iter().try_for_each(|paths| {
            let first = paths.first().copied().unwrap_or_default();
            let folder = match self.below(split(first).0) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                opened => opened.map_err(|error| (first.to_owned(), error))?,
            };
            paths.iter().try_for_each(|path| {
                folder.remove_file(split(path).1).map_err(|error| ((*path).to_owned(), error))
            })
        })
    }

    /// Removes an empty folder; fine if it is gone.
    pub(super) fn remove_folder(&self, path: &str) -> io::Result<()> {
        let (parent, name) = split(path);
        gone(self.below(parent).and_then(|parent| unlink(&parent.0, name, AtFlags::REMOVEDIR)))
    }

    /// Removes everything but the entry `kept`, as far as that is possible.
    pub(super) fn clear(&self, kept: &str) {
        let entries = Dir::read_from(&self.0).into_iter().flatten().map_while(Result::ok);
        // All before the first is removed: what a folder lists while it shrinks is up to the
        // file system.
        let names: Vec<_> = entries.map(|entry| entry.file_name().to_owned()).collect();
        let others = [".", "..", kept];
        for name in
            names.iter().filter(|name| !others.map(str::as_bytes).contains(&name.to_bytes()))
        {
            // Nothing to be done about a failure: the next run tries again.
            let _ = match open(&self.0, name) {
                Ok(folder) => {
                    folder.clear("");
                    unlink(&self.0, name, AtFlags::REMOVEDIR)
                }
                Err(_) => unlink(&self.0, name, AtFlags::empty()),
            };
        }
    }
}

/// Whether nobody else owns it, who could change it at any moment.
pub fn is_ours(metadata: &Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw()
}

fn open(folder: impl AsFd, path: impl Arg) -> io::Result<Folder> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(Folder(File::from(openat(folder, path, flags, Mode::empty())?)))
}

fn unlink(folder: &File, name: impl Arg, flags: AtFlags) -> io::Result<()> {
    Ok(unlinkat(folder, name, flags)?)
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The folder of a path, empty for the root, and its name there.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
