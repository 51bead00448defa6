use std::process::ExitCode;

use crate::disk::DiskError;

/// How a run ends. The graver one wins where a run does several things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    /// 0: everything is fine.
    Fine,
    /// 1: what was read has errors, or what was compared differs.
    Found,
    /// 2: wrong usage, or the operating system stood in the way.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Fine => Self::SUCCESS,
            Exit::Found => Self::from(1),
            Exit::Failed => Self::from(2),
        }
    }
}

/// Why a verb could not do its work at all. Always exit code 2.
#[derive(Debug)]
pub(super) struct Failure {
    /// One sentence without a final full stop.
    pub(super) message: String,
    /// What to do about it.
    pub(super) help: Option<String>,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl From<DiskError> for Failure {
    fn from(DiskError { code, message, help }: DiskError) -> Self {
        Self::new(format!("{message} [{}]", code.id)).help(help)
    }
}
