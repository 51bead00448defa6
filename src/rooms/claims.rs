//! What rooms occupy and need on each node. `audit` finds claims that collide; the scripts are
//! written from them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::catalog::OsRelease;
use crate::pki::CertSpec;
use crate::report::Path;
use crate::tree::Apply;

/// Where a listener binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bind {
    /// Every address of the host.
    Any,
    /// `127.0.0.1` and `::1` only.
    Loopback,
    /// One address.
    Address(IpAddr),
}

impl Bind {
    /// Whether two listeners with one port cannot live on one host.
    pub fn overlaps(self, other: Self) -> bool {
        self == Self::Any || other == Self::Any || self == other
    }
}

/// Transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// VRRP, IP protocol 112; the port is 0.
    Vrrp,
}

/// Who has to reach a port; the firewall and the runbook say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The host itself.
    Host,
    /// Control planes.
    ControlPlanes,
    /// Members of etcd and control planes.
    Members,
    /// Every node.
    Nodes,
    /// Everybody who uses the cluster.
    Clients,
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The room that listens.
    pub room: &'static str,
    /// Transport.
    pub protocol: Protocol,
    /// Where it binds.
    pub bind: Bind,
    /// The number.
    pub port: u16,
    /// Who has to reach it.
    pub reach: Reach,
    /// What listens, in a few words: "the API server".
    pub what: &'static str,
    /// The place in the inventory that decided the number.
    pub at: Path,
}

impl Port {
    /// Whether everybody who uses the cluster reaches it.
    pub fn is_for_clients(&self) -> bool {
        self.bind != Bind::Loopback && self.reach == Reach::Clients
    }
}

/// The phase of the scripts in which something happens. Names and numbers are those of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// `10-prepare.sh`.
    Prepare,
    /// `20-install.sh`.
    Install,
    /// `30-balancer.sh`.
    Balancer,
    /// `40-etcd.sh`.
    Etcd,
    /// `50-init.sh` or `50-join.sh`.
    Kubernetes,
    /// `60-verify.sh`.
    Verify,
}

impl Phase {
    /// The number in the file's name.
    pub fn number(self) -> u8 {
        match self {
            Self::Prepare => 10,
            Self::Install => 20,
            Self::Balancer => 30,
            Self::Etcd => 40,
            Self::Kubernetes => 50,
            Self::Verify => 60,
        }
    }
}

/// One systemd unit that a node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The room that runs it.
    pub room: &'static str,
    /// Its name, such as `haproxy.service`.
    pub name: String,
    /// The phase that enables and starts it. Units of `Install` are started at its end.
    pub phase: Phase,
    /// A command that must succeed before the unit is (re)started: `haproxy -c -f …`. Words, never
    /// a shell line.
    pub check: Vec<String>,
    /// Whether starting waits (`false`: `--no-block`, the phase waits for its effect).
    pub wait: bool,
    /// Whether the script starts it (`false`: enabled only; kubeadm starts the kubelet).
    pub start: bool,
}

impl Unit {
    /// Whether it stays at a reset: the runtime, which `kubeadm reset` needs, and what belongs to
    /// the host. One whose file the tree brings goes with it.
    pub fn survives_reset(&self) -> bool {
        self.phase == Phase::Install && !self.name.starts_with("hagen-")
    }
}

/// The release of a program that files of the tree are written for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WrittenFor {
    /// `2.6`, or a whole version.
    pub release: String,
    /// The key of the inventory that would change it.
    pub key: &'static [&'static str],
    /// Where it was decided.
    pub at: Path,
}

/// Which repository a package comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repository {
    /// The distribution's own.
    Distribution,
    /// pkgs.k8s.io, or the mirror that the inventory names.
    Kubernetes,
    /// download.docker.com, or the mirror that the inventory names.
    Runtime,
}

/// One package that a node needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Its name in the node's package manager.
    pub name: String,
    /// The version as the package manager writes it, or a pattern; `None` takes the repository's.
    pub version: Option<String>,
    /// What files of the tree are written for; a pinned version has to be of it.
    pub written_for: Option<WrittenFor>,
    /// Where it comes from.
    pub repository: Repository,
    /// Whether upgrades are held back.
    pub hold: bool,
    /// A program that the package brings: what a script looks for where packages are preinstalled.
    pub program: Option<String>,
    /// The room that needs it.
    pub room: &'static str,
}

/// Programs that come as an archive of upstream's and not as a package. `10-prepare.sh` skips it
/// where [`Archive::version`] already prints [`Archive::prints`], and refuses an archive that is
/// another than its digest says; where packages are preinstalled it only checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// The room that needs it.
    pub room: &'static str,
    /// What it holds, in a word: `etcd`.
    pub name: &'static str,
    /// Where upstream keeps its releases; a mirror has the same paths below it.
    pub base: &'static str,
    /// One `.tar.gz` per kind of machine; none of a kind whose archive cannot be verified.
    pub sources: Vec<ArchiveSource>,
    /// The programs, at the top of the archive's folder.
    pub programs: Vec<&'static str>,
    /// Where they are installed, 0755 root:root.
    pub directory: &'static str,
    /// The command that prints the version, as words.
    pub version: Vec<String>,
    /// A whole line of what that command prints for the wanted release.
    pub prints: String,
}

/// An archive for one kind of machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveSource {
    /// The machine as `uname -m` names it: `x86_64`, `aarch64`.
    pub machine: &'static str,
    /// The path below [`Archive::base`].
    pub path: String,
    /// The archive's SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// The archive's one folder.
    pub folder: String,
}

/// A path outside the tree's own files that a room occupies: data folders, sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedPath {
    /// The room.
    pub room: &'static str,
    /// The absolute path.
    pub path: String,
    /// Whether `90-reset.sh` removes it.
    pub remove_on_reset: bool,
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

/// A VRRP router id on a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterId {
    /// 1–255.
    pub id: u8,
    /// The subnet that the VIP lives in.
    pub segment: ipnet::IpNet,
    /// The place in the inventory that decided it.
    pub at: Path,
}

/// What happens on one node.
#[derive(Clone, Debug, Default)]
pub struct NodeClaims {
    /// Listeners.
    pub ports: Vec<Port>,
    /// Units, in start order within a phase.
    pub units: Vec<Unit>,
    /// Packages.
    pub packages: Vec<Package>,
    /// Programs from upstream's archives.
    pub archives: Vec<Archive>,
    /// Paths besides the tree's own files.
    pub paths: Vec<OwnedPath>,
    /// What has to be on the host for its programs to start.
    pub needed_files: Vec<NeededFile>,
    /// Kernel modules, with the room; loaded at boot and now.
    pub modules: BTreeMap<String, &'static str>,
    /// Kernel settings: key to (value, room).
    pub sysctls: BTreeMap<String, (String, &'static str)>,
    /// Images that the node pulls, with the room.
    pub images: BTreeMap<String, &'static str>,
    /// Names that the host itself knows, whatever DNS says.
    pub hosts: Vec<(IpAddr, String)>,
    /// Flags for nodeRegistration.kubeletExtraArgs: name without dashes to value.
    pub kubelet_flags: BTreeMap<String, String>,
    /// What programs of Kubernetes run with, as far as the inventory says it: the program, the
    /// flag's name without dashes, the value.
    pub arguments: Vec<(&'static str, String, String)>,
}

/// The configuration of a program that every node gets from kubeadm.
#[derive(Clone, Debug)]
pub struct Carried {
    /// The document's name for patches: `kubelet/KubeletConfiguration`.
    pub document: &'static str,
    /// The program that reads it: `kubelet`.
    pub program: &'static str,
    /// The document before patches.
    pub value: serde_json::Value,
}

/// A version of a package that the inventory pins.
#[derive(Clone, Debug)]
pub struct Pin {
    /// The package.
    pub package: String,
    /// The version or pattern, as the package manager writes it.
    pub version: String,
    /// The system whose nodes take it, as the catalog calls it; `None` for all that have no pin of
    /// their own.
    pub system: Option<String>,
    /// Where it is said.
    pub at: Path,
}

/// What every room occupies, by node (in the inventory's order).
#[derive(Clone, Debug, Default)]
pub struct Claims {
    nodes: Vec<NodeClaims>,
    /// Certificates to issue.
    pub certificates: Vec<CertSpec>,
    /// Every name and address that clients use to reach the API, with the place that says so.
    pub api_names: Vec<(crate::pki::San, Path)>,
    /// Versions of packages that the inventory pins, whichever room needs them.
    pub pins: Vec<Pin>,
    /// Files and folders that the hosts have already, as the inventory says.
    pub host_files: Vec<String>,
    /// Router ids on the segments of the VIP.
    pub router_ids: Vec<RouterId>,
    /// Component configurations that travel inside kubeadm's file.
    pub kubeadm_documents: Vec<Carried>,
}

impl Claims {
    /// Empty claims for that many nodes.
    pub fn new(nodes: usize) -> Self {
        Self { nodes: vec![NodeClaims::default(); nodes], ..Self::default() }
    }

    /// Gives back what the lists of a large cluster reserve, once every room has stated its claims.
    pub fn settle(&mut self) {
        for node in &mut self.nodes {
            let NodeClaims { ports, units, packages, paths, .. } = node;
            ports.shrink_to_fit();
            units.shrink_to_fit();
            packages.shrink_to_fit();
            paths.shrink_to_fit();
        }
    }

    /// The claims of the node with this index in the inventory.
    ///
    /// # Panics
    /// Where the index is not a node's.
    pub fn node(&mut self, index: usize) -> &mut NodeClaims {
        &mut self.nodes[index]
    }

    /// The claims of the node with this index, to read.
    ///
    /// # Panics
    /// Where the index is not a node's.
    pub fn of(&self, index: usize) -> &NodeClaims {
        &self.nodes[index]
    }

    /// What nodes of a system take of a package, where it is pinned.
    pub fn pin(&self, package: &str, os: &OsRelease) -> Option<&Pin> {
        let of = |system: Option<&str>| {
            let mut pins = self.pins.iter();
            pins.find(|pin| pin.package == package && pin.system.as_deref() == system)
        };
        of(Some(&os.id)).or_else(|| of(None))
    }
}
