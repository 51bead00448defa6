use std::fmt;
use std::path::Path;

use super::UNWRITABLE;
use crate::report::{Code, Finding};

/// Why the output folder was not read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskError {
    /// Which rule spoke.
    pub code: &'static Code,
    /// What is the matter, in one sentence without a final full stop.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl DiskError {
    pub(super) fn new(code: &'static Code, message: String, help: &str) -> Self {
        Self { code, message, help: help.to_owned() }
    }

    /// The operating system refused to do `what` with `path`.
    pub(super) fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        let message = format!("cannot {what} `{}`: {error}", path.display());
        Self::new(&UNWRITABLE, message, "mend what the operating system names, then build again")
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DiskError {}

impl From<DiskError> for Finding {
    /// The inventory is not to blame: the finding stands at its root.
    fn from(DiskError { code, message, help }: DiskError) -> Self {
        Self::new(code, crate::report::Path::root(), message).help(help)
    }
}
