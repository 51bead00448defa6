//! What an output folder holds now. Looks, never touches; follows no symbolic link.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::folder::is_ours;
use super::regular::{MOST, read_regular};
use super::stage::IN_PLACE;
use super::{DiskError, FOREIGN_FOLDER, Files, UNWRITABLE};
use crate::manifest::{self, Manifest};
use crate::tree::TreePath;

/// An output folder, there or not yet.
#[derive(Debug)]
pub(super) struct Target {
    /// Absolute, without symbolic links: where `out` is one itself, it is resolved once here.
    pub(super) path: PathBuf,
    /// The permission bits of the folder; `None` while it does not exist.
    pub(super) mode: Option<u32>,
    /// Whether nobody else owns it, who could exchange what is in it at any moment.
    pub(super) ours: bool,
}

impl Target {
    pub(super) fn resolve(out: &Path) -> Result<Self, DiskError> {
        let failed = |error: std::io::Error| DiskError::io("open", out, &error);
        match fs::symlink_metadata(out) {
            Ok(_) => {
                let path = fs::canonicalize(out).map_err(failed)?;
                let metadata = fs::metadata(&path).map_err(failed)?;
                if !metadata.is_dir() {
                    let message = format!("`{}` is not a folder", out.display());
                    return Err(DiskError::new(&UNWRITABLE, message, "give another output folder"));
                }
                let mode = metadata.permissions().mode() & 0o7777;
                Ok(Self { path, mode: Some(mode), ours: is_ours(&metadata) })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self { path: std::path::absolute(out).map_err(failed)?, mode: None, ours: true })
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The bytes of a file in it.
    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, DiskError> {
        let file = self.path.join(path);
        read_regular(&file, MOST).map_err(|error| DiskError::io("read", &file, &error))
    }
}

/// A regular file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Permission bits.
    pub(super) mode: u32,
    /// In bytes.
    pub(super) size: u64,
    /// Whether nobody else owns it, who could change it at any moment.
    pub(super) ours: bool,
}

impl Found {
    /// Whether others than its owner may look into it.
    pub(super) fn is_open(&self) -> bool {
        self.mode & 0o077 != 0
    }
}

/// What an output folder holds. Paths are relative and sorted.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Of the tree that is there.
    pub(super) manifest: Option<Manifest>,
    /// The bytes that it was read from.
    pub(super) listing: Vec<u8>,
    /// Every regular file that is reached through folders of the old tree or the new one.
    pub(super) files: BTreeMap<String, Found>,
    /// Every folder of the old tree or the new one.
    pub(super) folders: BTreeSet<String>,
    /// Everything else that no tree of ours holds, with what it is. Not looked into.
    pub(super) odd: BTreeMap<String, &'static str>,
}

impl Survey {
    /// Surveys `target`; `new` are the paths that a tree is about to have there.
    pub(super) fn of(target: &Target, new: &Files<'_>) -> Result<Self, DiskError> {
        if target.mode.is_none() {
            return Ok(Self::default());
        }
        let (manifest, listing) = read(&target.path)?.unzip();
        let old = manifest.iter().flat_map(|manifest| &manifest.files);
        let listed = old.map(|entry| entry.path.as_str());
        let all = listed.chain(new.keys().copied());
        let folders: BTreeSet<&str> = all.flat_map(TreePath::folders).collect();
        let mut survey = Self::default();
        survey.walk(&target.path, &folders)?;
        Ok(Self { manifest, listing: listing.unwrap_or_default(), ..survey })
    }

    fn walk(&mut self, root: &Path, folders: &BTreeSet<&str>) -> Result<(), DiskError> {
        let device = fs::metadata(root).map_err(|e| DiskError::io("read", root, &e))?.dev();
        let mut entries = WalkDir::new(root).min_depth(1).follow_links(false).into_iter();
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(|error| walk_error(root, error))?;
            let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let Some(path) = relative.to_str() else {
                self.odd
                    .insert(relative.to_string_lossy().into_owned(), "a name that is not UTF-8");
                if entry.file_type().is_dir() {
                    entries.skip_current_dir();
                }
                continue;
            };
            if entry.file_type().is_file() {
                let metadata = entry.metadata().map_err(|error| walk_error(root, error))?;
                let mode = metadata.permissions().mode() & 0o7777;
                let found = Found { mode, size: metadata.len(), ours: is_ours(&metadata) };
                self.files.insert(path.to_owned(), found);
            } else if let Some(what) = oddity(&entry, path, device, folders) {
                self.odd.insert(path.to_owned(), what);
                if entry.file_type().is_dir() {
                    entries.skip_current_dir();
                }
            } else {
                self.folders.insert(path.to_owned());
            }
        }
        Ok(())
    }

    /// Whether nothing is there.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.folders.is_empty() && self.odd.is_empty()
    }
}

/// What is strange about something that is not a regular file.
fn oddity(
    entry: &DirEntry,
    path: &str,
    device: u64,
    folders: &BTreeSet<&str>,
) -> Option<&'static str> {
    let kind = entry.file_type();
    if kind.is_symlink() {
        Some("a symbolic link")
    } else if !kind.is_dir() {
        Some("neither a file nor a folder")
    } else if is_mount_point(entry, device) {
        Some("a mount point")
    } else if entry.file_name() == ".git" {
        Some("a Git repository")
    } else if entry.depth() == 1 && path.starts_with(IN_PLACE) {
        Some("what another hagen writes right now")
    } else if !folders.contains(path) {
        Some("a folder that hagen did not make")
    } else {
        None
    }
}

fn is_mount_point(entry: &DirEntry, device: u64) -> bool {
    // Another device says it everywhere; a bind mount of the same one only through statx(2).
    entry.metadata().is_ok_and(|metadata| metadata.dev() != device) || is_bind_mount(entry.path())
}

#[cfg(target_os = "linux")]
fn is_bind_mount(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(not(target_os = "linux"))]
fn is_bind_mount(_: &Path) -> bool {
    false
}

/// The manifest of the tree in the folder `out`; `None` where there is none.
///
/// # Errors
/// `disk/foreign-folder` when `hagen.json` is not a manifest, `disk/unwritable` when it cannot
/// be read.
pub fn read_manifest(out: &Path) -> Result<Option<Manifest>, DiskError> {
    Ok(read(out)?.map(|(manifest, _)| manifest))
}

/// The same with its bytes.
fn read(out: &Path) -> Result<Option<(Manifest, Vec<u8>)>, DiskError> {
    let path = out.join(manifest::PATH);
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DiskError::io("read", &path, &error)),
    }
    let bytes = read_regular(&path, MOST).map_err(|error| DiskError::io("read", &path, &error))?;
    let manifest = Manifest::read(&bytes).map_err(|error| {
        let message = format!("`{}` is no manifest of this hagen: {error}", path.display());
        let help = "restore it from version control, build with the hagen that wrote it, or give \
                    an empty output folder";
        DiskError::new(&FOREIGN_FOLDER, message, help)
    })?;
    Ok(Some((manifest, bytes)))
}

fn walk_error(root: &Path, error: walkdir::Error) -> DiskError {
    let path = error.path().unwrap_or(root).to_owned();
    DiskError::io("read", &path, &error.into())
}
