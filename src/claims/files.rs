use crate::report::Path;
use crate::tree::Apply;

/// A path outside the tree's own files that a room occupies: data folders, sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedPath {
    /// The absolute path.
    pub path: String,
    /// Whether `90-reset.sh` removes it.
    pub remove_on_reset: bool,
    /// Whether volumes are mounted below it, which a reset unmounts first.
    pub mounts: bool,
    /// The place in the inventory that decided it.
    pub at: Path,
}

/// A file or folder of the host that a program is told to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededFile {
    /// The absolute path on the host.
    pub path: String,
    /// Whether it is a folder.
    pub folder: bool,
    /// Who reads it, in a few words: "--audit-policy-file of kube-apiserver".
    pub reader: String,
    /// The unit or static pod that reads it, and what makes it read again.
    pub read_by: (&'static str, Apply),
    /// The place in the inventory that names it.
    pub at: Path,
}

/// What goes on at a reset of its node because others count on it, until the reset is told its name:
/// all units, folders and ports of the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stays {
    /// The name that the reset is told: `etcd`.
    pub name: &'static str,
    /// What it is on the host, in a few words: "its member of etcd".
    pub what: &'static str,
    /// Its files, as patterns of a shell's `case`.
    pub files: &'static [&'static str],
}
