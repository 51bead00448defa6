//! What rooms say, and the runbook puts together.

use crate::document::Assignments;

/// What a room says in the runbook.
#[derive(Debug)]
pub struct Prose {
    /// Where it stands.
    pub place: Place,
    /// The room.
    pub room: &'static str,
    /// Markdown, without blank lines around it.
    pub text: String,
}

/// A place in the runbook. In each, rooms speak in the order of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// What the site is for, in a few words.
    Purpose,
    /// What that stands on, in a few words.
    Ground,
    /// Which losses it survives, in a few words.
    Survives,
    /// What else is copied to the machines before the first step.
    Copy,
    /// Items of the bring-up, each starting with `1. `, by the number of their step.
    BringUp(u8),
    /// Items on how people use it.
    Use,
    /// Items of what is good to know afterwards.
    Afterwards,
    /// What else a changed inventory takes.
    Change,
    /// A chapter on another version.
    Version,
    /// A chapter on something that is lost.
    Loss,
    /// A chapter on certificates.
    Certificates,
    /// Chapters on what is stored.
    Data,
}

/// What a room tells the steps of one node.
#[derive(Debug)]
pub struct Words {
    /// The number of the first step that reads them.
    pub step: u8,
    /// The room.
    pub room: &'static str,
    /// The words.
    pub said: Assignments,
}
