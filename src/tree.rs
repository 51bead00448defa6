//! The output as a value: a map from paths to [`Artifact`]s.

use std::collections::BTreeMap;

use crate::report::Path;

/// When a file is put in place again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A re-run restores it.
    Managed,
    /// Placed only where absent: kubeadm or the kubelet rewrites it later.
    Seed,
}

/// What it takes to make a running unit notice a changed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Apply {
    /// `systemctl reload`.
    Reload,
    /// `systemctl restart`.
    Restart,
}

/// Where a file comes from; printed by `hagen why`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The room that made it.
    pub room: &'static str,
    /// The template's id, where there is one.
    pub template: Option<&'static str>,
    /// The places in the inventory that shaped it.
    pub reads: Vec<Path>,
}

/// Where on a node a file ends up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The node's name.
    pub node: String,
    /// The absolute path on that node.
    pub path: String,
    /// Managed or seed.
    pub kind: Kind,
    /// The unit that reads it, and what makes it read again.
    pub unit: Option<(String, Apply)>,
}

/// One file of the tree.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The whole content.
    pub bytes: Vec<u8>,
    /// Permission bits, such as 0o644.
    pub mode: u32,
    /// Owner by name, on the node.
    pub owner: String,
    /// Group by name, on the node.
    pub group: String,
    /// Private: never committed, 0600 from creation, pinned by HMAC.
    pub secret: bool,
    /// Where it is installed; `None` for files that people read or run.
    pub destination: Option<Destination>,
    /// The phase of the runbook that first needs it, such as 20.
    pub phase: Option<u8>,
    /// Provenance.
    pub origin: Origin,
}

/// A whole output tree. Paths are relative, `/`-separated, without `.` or `..`.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, Artifact>,
}
