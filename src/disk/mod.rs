//! Trees on disk: the only module that creates, changes or removes files.

#![expect(clippy::disallowed_methods, reason = "the only module that touches files")]

mod atomic;
mod compare;
mod error;
mod folder;
mod in_place;
mod judge;
mod lock;
mod lone_file;
mod owned;
mod plan;
mod regular;
mod signal;
mod stage;
mod standing;
mod survey;

use std::collections::BTreeMap;
use std::path::Path;

pub use compare::{Change, Comparison, Verification, compare, verify};
pub use error::DiskError;
pub use folder::is_ours;
pub use lone_file::{append, create, remove, replace};
pub use regular::{MOST, open_regular, read_regular};
pub use signal::Deferred;
pub use standing::standing;
pub use survey::read_manifest;

use crate::manifest::{self, Mac, Manifest};
use crate::tree::{Artifact, Origin, Tree};

crate::codes! { "disk":
    FOREIGN_FOLDER = Error "foreign-folder",
    FOREIGN_CONTENT = Error "foreign-content",
    OTHER_BUNDLE = Error "other-bundle",
    UNWRITABLE = Error "unwritable",
    BUSY = Error "busy",
}

/// Every file that a folder is to hold, `hagen.json` among them.
type Files<'a> = BTreeMap<&'a str, &'a Artifact>;

/// How a tree takes the place of the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In one step: after a crash, a full disk or a signal there is the old tree or the new one.
    Atomic,
    /// File by file, for folders that cannot be exchanged. Each file is whole, the tree may not be.
    InPlace,
}

/// What [`write()`] may do that it refuses otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Replace a tree that was made with another secrets bundle.
    pub other_bundle_ok: bool,
}

/// What [`write()`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that are new or have new bytes or permission bits.
    pub files: usize,
    /// The size of those files, in bytes.
    pub bytes: u64,
    /// Files left as they were, with their modification time.
    pub unchanged: usize,
    /// Files of the tree before that this one does not have.
    pub removed: usize,
}

/// Makes the folder `out` hold exactly `tree` and `manifest` (and files that hagen never made,
/// outside of what is rolled out). `mac` checks whether the bundle vouches for the tree that is
/// there, as in [`Manifest::from_tree`].
///
/// # Errors
/// See [`CODES`]. Nothing has changed then, except in [`Mode::InPlace`].
pub fn write(
    tree: &Tree,
    manifest: &Manifest,
    mac: Option<&Mac<'_>>,
    out: &Path,
    mode: Mode,
    options: Options,
) -> Result<Written, DiskError> {
    let listed = listed(manifest);
    let new = files(tree, &listed);
    if mode == Mode::InPlace {
        in_place::make_root(out)?;
    }
    let target = survey::Target::resolve(out)?;
    let _lock = lock::Lock::of(&target)?;
    stage::clear_abandoned(&target.path, stage::IN_PLACE);
    atomic::clear_abandoned(&target);
    let survey = survey::Survey::of(&target, &new)?;
    let owned = owned::owned(&target, &survey, &new, mac)?;
    let found = judge::Found { target: &target, survey: &survey, owned: &owned };
    judge::judge(&found, &new, manifest, mode, options)?;
    let plan = plan::Plan::new(&target, &survey, &owned, &new)?;
    if !plan.is_done() {
        match mode {
            Mode::Atomic => atomic::replace(&target, &survey, &plan)?,
            Mode::InPlace => in_place::replace(&target, &plan)?,
        }
    }
    Ok(plan.written())
}

/// The manifest as a file of the tree.
fn listed(manifest: &Manifest) -> Artifact {
    Artifact::public(manifest.to_bytes(), Origin::room("manifest"))
}

/// Every file that the folder is to hold.
fn files<'a>(tree: &'a Tree, listed: &'a Artifact) -> Files<'a> {
    tree.iter().chain([(manifest::PATH, listed)]).collect()
}

#[cfg(test)]
mod tests;
