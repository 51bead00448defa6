//! What static pods must see of their host. Each of them has its usual mounts, those of kubeadm's
//! manifests; a flag of the user's may name more, and then a mount of our own leads there.
//!
//! A file's whole folder is mounted where that is the file's own: a file that is replaced, by
//! `20-install.sh` or a rotation, is another one than the one that was mounted.

use std::path::Path as FilePath;

use super::Part;
use super::arguments::Flags;
use crate::catalog::{PathUse, Release, flag_paths};
use crate::site::layout;

/// Root's own, and folders in which others keep theirs: never mounted as a whole.
const SHARED: [&str; 30] = [
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/etc/kubernetes",
    "/etc/ssl",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/lib",
    "/usr/local",
    "/usr/local/share",
    "/usr/share",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/run",
    "/var/spool",
];

/// Of every distribution's CA bundle (`caCertsExtraVolumePaths` in
/// `cmd/kubeadm/app/phases/controlplane/volumes.go`); mounted where they exist.
const AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
];

/// The controller manager's folder of plugins: the one that its flag names is mounted.
const FLEXVOLUME: &str = "flex-volume-plugin-dir";

/// One mount, at the same path inside and outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The volume's name.
    pub name: String,
    /// Inside and outside.
    pub path: String,
    /// Whether nothing is written to it.
    pub read_only: bool,
    /// What has to be there: `hostPath.type`.
    pub kind: &'static str,
}

/// A path that a flag names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    /// The flag.
    pub flag: &'a str,
    /// The path.
    pub path: &'a str,
    /// How.
    pub used: PathUse,
}

/// Every path that these flags name, but for a folder that is mounted by its flag.
fn all<'a>(flags: &'a Flags, release: &Release) -> impl Iterator<Item = Named<'a>> {
    let flexvolume = release.static_pods.flexvolume_folder;
    let flags = flags.iter().filter(move |(flag, _)| !(flexvolume && flag.as_str() == FLEXVOLUME));
    flags.flat_map(|(flag, value)| {
        let paths = flag_paths(flag, value).into_iter();
        paths.map(move |(used, path)| Named { flag, path, used })
    })
}

/// Every path that these flags name and no usual mount leads to.
pub fn named<'a>(part: Part, flags: &'a Flags, release: &Release) -> Vec<Named<'a>> {
    all(flags, release).filter(|named| !is_usual(part, named.path, release)).collect()
}

/// Those that usual mounts lead to, which are no more there for it.
pub fn usual<'a>(part: Part, flags: &'a Flags, release: &Release) -> Vec<Named<'a>> {
    all(flags, release).filter(|named| is_usual(part, named.path, release)).collect()
}

/// Whether a component sees this path without our doing.
fn is_usual(part: Part, path: &str, release: &Release) -> bool {
    let path = FilePath::new(path);
    let within = |folder: &str| path.starts_with(folder);
    match part {
        Part::Scheduler => path == FilePath::new("/etc/kubernetes/scheduler.conf"),
        Part::ControllerManager
            if path == FilePath::new("/etc/kubernetes/controller-manager.conf") =>
        {
            true
        }
        Part::ApiServer | Part::ControllerManager => {
            within(layout::PKI)
                || AUTHORITIES.iter().any(|folder| within(folder))
                || release.static_pods.system_pki_folders.iter().any(|folder| within(folder))
        }
    }
}

/// The folder of others that would be this pod's as a whole, if what it writes were mounted.
pub fn taken<'a>(named: &Named<'a>) -> Option<&'a str> {
    let folder = folder(named)?;
    let made = matches!(named.used, PathUse::Made | PathUse::MadeFolder);
    (made && shared(folder)).then_some(folder)
}

/// The folder that a mount would lead to.
fn folder<'a>(named: &Named<'a>) -> Option<&'a str> {
    match named.used {
        PathUse::Folder | PathUse::MadeFolder => Some(named.path),
        PathUse::File | PathUse::Made => match named.path.rsplit_once('/')? {
            ("", _) => Some("/"),
            (folder, _) => Some(folder),
        },
    }
}

fn shared(folder: &str) -> bool {
    let folder = FilePath::new(folder);
    SHARED.iter().any(|shared| FilePath::new(shared) == folder)
        || folder.starts_with(layout::PKI)
        || ["/var/lib/kubelet", "/etc/kubernetes/manifests"]
            .iter()
            .any(|own| folder.starts_with(own))
}

/// The mounts of one component: one per path, named after the first flag that needs it.
pub fn mounts(part: Part, flags: &Flags, release: &Release) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = Vec::new();
    for named in named(part, flags, release) {
        let Some(folder) = folder(&named) else { continue };
        let writes = matches!(named.used, PathUse::Made | PathUse::MadeFolder);
        let (path, kind) = match (shared(folder), writes) {
            (true, _) => (named.path, "File"),
            (false, true) => (folder, "DirectoryOrCreate"),
            (false, false) => (folder, "Directory"),
        };
        match mounts.iter_mut().find(|mount| mount.path == path) {
            Some(mount) if writes => (mount.read_only, mount.kind) = (false, kind),
            Some(_) => {}
            None => {
                // A pair of files in two folders has one flag.
                let taken = mounts.iter().any(|mount| mount.name == named.flag);
                let name = if taken { format!("{}-2", named.flag) } else { named.flag.to_owned() };
                mounts.push(Mount { name, path: path.to_owned(), read_only: !writes, kind });
            }
        }
    }
    mounts
}
