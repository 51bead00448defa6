//! Trees on disk: the only module that creates, changes or removes files.

mod compare;
mod error;

use std::path::Path;

pub use compare::{Change, Comparison, compare};
pub use error::DiskError;

use crate::manifest::Manifest;
use crate::tree::Tree;

crate::codes! { "disk":
    FOREIGN_FOLDER = Error "foreign-folder",
    FOREIGN_CONTENT = Error "foreign-content",
    OTHER_BUNDLE = Error "other-bundle",
    UNWRITABLE = Error "unwritable",
}

/// How a tree takes the place of the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In one step: after a crash, a full disk or a signal there is the old tree or the new one.
    Atomic,
    /// File by file, for folders that cannot be exchanged. Each file is whole, the tree may not be.
    InPlace,
}

/// What [`write`] may do that it refuses otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Replace a tree that was made with another secrets bundle.
    pub other_bundle_ok: bool,
}

/// What [`write`] did.
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

/// Makes the folder `out` hold exactly `tree` and `manifest` (and files that hagen never made).
///
/// # Errors
/// See [`CODES`]. Nothing has changed then, except in [`Mode::InPlace`].
pub fn write(
    _tree: &Tree,
    _manifest: &Manifest,
    _out: &Path,
    _mode: Mode,
    _options: Options,
) -> Result<Written, DiskError> {
    Ok(Written::default())
}
