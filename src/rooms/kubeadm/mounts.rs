//! What static pods must see of their host. kubeadm mounts what it knows of into each of them; a
//! flag of the user's may name more, and then a mount of our own leads there
//! (`extraVolumes`).
//!
//! A file's whole folder is mounted where that is the file's own: a file that is replaced, by
//! `20-install.sh` or a rotation, is another one than the one that was mounted.

use std::path::Path as FilePath;

use serde_json::{Value, json};

use super::args::Flags;
use crate::catalog::flags::Component;
use crate::catalog::{PathUse, Release, flag_paths};
use crate::inventory::values::AbsolutePath;
use crate::site::layout;

/// A component's key in ClusterConfiguration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    ApiServer,
    ControllerManager,
    Scheduler,
}

impl Part {
    pub(super) const ALL: [Self; 3] = [Self::ApiServer, Self::ControllerManager, Self::Scheduler];

    pub(super) fn key(self) -> &'static str {
        match self {
            Self::ApiServer => "apiServer",
            Self::ControllerManager => "controllerManager",
            Self::Scheduler => "scheduler",
        }
    }

    pub(super) fn component(self) -> Component {
        match self {
            Self::ApiServer => Component::KubeApiserver,
            Self::ControllerManager => Component::KubeControllerManager,
            Self::Scheduler => Component::KubeScheduler,
        }
    }

    pub(super) fn program(self) -> &'static str {
        self.component().as_str()
    }
}

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

/// The controller manager's folder of plugins: kubeadm mounts the one that its flag names.
const FLEXVOLUME: &str = "flex-volume-plugin-dir";

/// One mount, at the same path inside and outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    name: String,
    path: String,
    read_only: bool,
    kind: &'static str,
}

impl Mount {
    /// As `extraVolumes` has it.
    pub(super) fn written(&self) -> Value {
        let Self { name, path, read_only, kind } = self;
        let mut volume = json!({"name": name, "hostPath": path, "mountPath": path});
        if *read_only {
            volume["readOnly"] = json!(true);
        }
        volume["pathType"] = json!(kind);
        volume
    }
}

/// A path that a flag names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) flag: &'a str,
    pub(super) path: &'a str,
    pub(super) used: PathUse,
}

/// Every path that these flags name, but for a folder that kubeadm mounts by its flag.
fn all<'a>(flags: &'a Flags, release: &Release) -> impl Iterator<Item = Named<'a>> {
    let flexvolume = release.static_pods.flexvolume_folder;
    let flags = flags.iter().filter(move |(flag, _)| !(flexvolume && flag.as_str() == FLEXVOLUME));
    flags.flat_map(|(flag, value)| {
        let paths = flag_paths(flag, value).into_iter();
        paths.map(move |(used, path)| Named { flag, path, used })
    })
}

/// Every path that these flags name and kubeadm does not mount by itself.
pub(super) fn named<'a>(part: Part, flags: &'a Flags, release: &Release) -> Vec<Named<'a>> {
    all(flags, release).filter(|named| !by_kubeadm(part, named.path, release)).collect()
}

/// Those that kubeadm mounts, which are no more there for it.
pub(super) fn mounted<'a>(part: Part, flags: &'a Flags, release: &Release) -> Vec<Named<'a>> {
    all(flags, release).filter(|named| by_kubeadm(part, named.path, release)).collect()
}

/// Whether a component sees this path without our doing.
fn by_kubeadm(part: Part, path: &str, release: &Release) -> bool {
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

/// Why no pod can have this path.
pub(super) fn problem(named: &Named<'_>) -> Option<String> {
    let Named { path, used, .. } = named;
    if path.parse::<AbsolutePath>().is_err() || path.contains(':') {
        return Some(format!("`{path}` is not an absolute path that can be mounted"));
    }
    let folder = folder(named)?;
    let made = matches!(used, PathUse::Made | PathUse::MadeFolder);
    (made && shared(folder)).then(|| format!("all of `{folder}` would be the pod's"))
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
pub(super) fn mounts(part: Part, flags: &Flags, release: &Release) -> Vec<Mount> {
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

/// Where a path inside leads to outside, by the volumes of a finished document.
pub(super) fn outside(path: &str, volumes: &[Value]) -> Option<String> {
    let text =
        |volume: &Value, key: &str| volume.get(key).and_then(Value::as_str).map(str::to_owned);
    let path = FilePath::new(path);
    // The nearest mount is the one that is seen.
    let mut found: Vec<(usize, String)> = volumes
        .iter()
        .filter_map(|volume| {
            let (inside, outside) = (text(volume, "mountPath")?, text(volume, "hostPath")?);
            let rest = path.strip_prefix(&inside).ok()?;
            let outside = match rest.as_os_str().is_empty() {
                true => outside,
                false => FilePath::new(&outside).join(rest).to_str()?.to_owned(),
            };
            Some((inside.len(), outside))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, outside)| outside)
}
