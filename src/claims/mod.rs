//! What rooms occupy and need on each node. A room states its own as a value; the merge adds whose
//! they are. `audit` finds claims that collide; the scripts are written from them.

mod files;
mod packages;
mod ports;
mod units;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::Deref;

use crate::catalog::OsRelease;
use crate::pki::{CertSpec, San};
use crate::report::Path;

pub use files::{NeededFile, OwnedPath, Stays};
pub use packages::{Archive, ArchiveSource, Package, Pin, Repository, WrittenFor};
pub use ports::{Bind, Port, Protocol, Reach, RouterId};
pub use units::{Phase, Role, Script, Unit};

/// What a kernel setting is set to, or that a module is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The value; empty for a module.
    pub value: String,
    /// Whether the inventory itself says so, and not the room.
    pub said: bool,
}

impl Setting {
    /// That a room has a module loaded.
    pub fn module() -> Self {
        Self { value: String::new(), said: false }
    }
}

/// What one room occupies and needs on one node.
#[derive(Clone, Debug, Default)]
pub struct NodeClaims {
    /// Listeners.
    pub ports: Vec<Port>,
    /// Scripts.
    pub scripts: Vec<Script>,
    /// Units, in start order within a phase.
    pub units: Vec<Unit>,
    /// Packages.
    pub packages: Vec<Package>,
    /// Programs from upstream's archives.
    pub archives: Vec<Archive>,
    /// Paths besides the tree's own files.
    pub paths: Vec<OwnedPath>,
    /// What stays at a reset until its name is said.
    pub stays: Option<Stays>,
    /// What has to be on the host for its programs to start.
    pub needed_files: Vec<NeededFile>,
    /// Kernel modules, loaded at boot and now.
    pub modules: BTreeMap<String, Setting>,
    /// Kernel settings.
    pub sysctls: BTreeMap<String, Setting>,
    /// Images that the node pulls.
    pub images: BTreeSet<String>,
    /// Names that the host itself knows, whatever DNS says.
    pub hosts: Vec<(IpAddr, String)>,
    /// Command lines that another room writes down: the program, and its flags by their names
    /// without dashes.
    pub command_lines: BTreeMap<&'static str, BTreeMap<String, String>>,
    /// What programs of Kubernetes run with, as far as the inventory says it: the program, the
    /// flag's name without dashes, the value.
    pub arguments: Vec<(&'static str, String, String)>,
}

/// The configuration of a program that travels in the file of another room: every node gets the same.
#[derive(Clone, Debug)]
pub struct Carried {
    /// The document's name for patches: `kubelet/KubeletConfiguration`.
    pub document: &'static str,
    /// The program that reads it: `kubelet`.
    pub program: &'static str,
    /// The document before patches.
    pub value: serde_json::Value,
}

/// A name or an address that clients use to reach the API.
#[derive(Clone, Debug)]
pub struct Name {
    /// As certificates have it.
    pub san: San,
    /// The place that says so.
    pub at: Path,
}

/// What one room occupies and needs.
#[derive(Clone, Debug, Default)]
pub struct RoomClaims {
    nodes: Vec<NodeClaims>,
    /// Certificates to issue.
    pub certificates: Vec<CertSpec>,
    /// Names that certificates have to have.
    pub names: Vec<Name>,
    /// Versions of packages that the inventory pins, whichever room needs them.
    pub pins: Vec<Pin>,
    /// Files and folders that the hosts have already, as the inventory says.
    pub host_files: Vec<String>,
    /// Router ids on the segments of the VIP.
    pub router_ids: Vec<RouterId>,
    /// Component configurations that another room's file carries.
    pub carried: Vec<Carried>,
}

impl RoomClaims {
    /// The claims on the node with this index in the inventory.
    pub fn node(&mut self, index: usize) -> &mut NodeClaims {
        if self.nodes.len() <= index {
            self.nodes.resize_with(index + 1, NodeClaims::default);
        }
        &mut self.nodes[index]
    }
}

/// A claim, and the room that makes it.
#[derive(Clone, Debug)]
pub struct Of<T> {
    /// The room.
    pub room: &'static str,
    claim: T,
}

impl<T> Deref for Of<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.claim
    }
}

/// What all rooms occupy and need on one node.
#[derive(Clone, Debug, Default)]
pub struct AllOnNode {
    /// Listeners.
    pub ports: Vec<Of<Port>>,
    /// Scripts, by their names.
    pub scripts: Vec<Of<Script>>,
    /// Units: those that are started, in the order in which they are, then the others.
    pub units: Vec<Of<Unit>>,
    /// Packages.
    pub packages: Vec<Of<Package>>,
    /// Programs from upstream's archives.
    pub archives: Vec<Of<Archive>>,
    /// Paths besides the tree's own files.
    pub paths: Vec<Of<OwnedPath>>,
    /// What stays at a reset until its name is said.
    pub stays: Vec<Of<Stays>>,
    /// What has to be on the host for its programs to start.
    pub needed_files: Vec<NeededFile>,
    /// Kernel modules; one that several rooms need, under the last of their names.
    pub modules: BTreeMap<String, Of<Setting>>,
    /// Kernel settings.
    pub sysctls: BTreeMap<String, Of<Setting>>,
    /// Images that the node pulls.
    pub images: BTreeSet<String>,
    /// Names that the host itself knows, whatever DNS says.
    pub hosts: Vec<(IpAddr, String)>,
    /// Command lines that another room writes down, by the program.
    pub command_lines: BTreeMap<&'static str, BTreeMap<String, String>>,
    /// What programs of Kubernetes run with: the program, the flag's name, the value.
    pub arguments: Vec<(&'static str, String, String)>,
}

impl AllOnNode {
    /// The steps, in their order.
    pub fn steps(&self) -> impl Iterator<Item = &'static str> {
        let steps = self.scripts.iter().filter(|script| script.role == Role::Step);
        steps.map(|script| script.name)
    }

    /// What the steps read besides, in their order.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> {
        let parts = self.scripts.iter().filter_map(|script| match script.role {
            Role::Part(step) => Some((step, script.name)),
            Role::Step | Role::Library => None,
        });
        parts.collect::<BTreeSet<_>>().into_iter().map(|(_, name)| name)
    }

    fn add(&mut self, room: &'static str, claims: NodeClaims) {
        let NodeClaims {
            ports,
            scripts,
            units,
            packages,
            archives,
            paths,
            stays,
            needed_files,
            modules,
            sysctls,
            images,
            hosts,
            command_lines,
            arguments,
        } = claims;
        extend(&mut self.ports, room, ports);
        extend(&mut self.scripts, room, scripts);
        extend(&mut self.units, room, units);
        extend(&mut self.packages, room, packages);
        extend(&mut self.archives, room, archives);
        extend(&mut self.paths, room, paths);
        extend(&mut self.stays, room, stays);
        self.needed_files.extend(needed_files);
        settle(&mut self.modules, room, modules);
        settle(&mut self.sysctls, room, sysctls);
        self.images.extend(images);
        self.hosts.extend(hosts);
        self.command_lines.extend(command_lines);
        self.arguments.extend(arguments);
    }
}

fn extend<T>(all: &mut Vec<Of<T>>, room: &'static str, more: impl IntoIterator<Item = T>) {
    let more = more.into_iter().map(|claim| Of { room, claim });
    // There are many nodes, and nothing comes after the few rooms of one.
    all.reserve_exact(more.size_hint().0);
    all.extend(more);
}

/// What a room needs comes before what the inventory says beside it.
fn settle(
    all: &mut BTreeMap<String, Of<Setting>>,
    room: &'static str,
    more: BTreeMap<String, Setting>,
) {
    for (key, claim) in more {
        if claim.said && all.contains_key(&key) {
            continue;
        }
        all.insert(key, Of { room, claim });
    }
}

/// What every room occupies and needs. The order in which rooms were asked leaves no trace.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    nodes: Vec<AllOnNode>,
    /// Certificates to issue.
    pub certificates: Vec<CertSpec>,
    /// Every name and address that clients use to reach the API.
    pub names: Vec<Name>,
    /// Versions of packages that the inventory pins, whichever room needs them.
    pub pins: Vec<Pin>,
    /// Files and folders that the hosts have already, as the inventory says.
    pub host_files: Vec<String>,
    /// Router ids on the segments of the VIP.
    pub router_ids: Vec<RouterId>,
    /// Component configurations that another room's file carries.
    pub carried: Vec<Carried>,
}

impl Claims {
    /// Adds to each claim the room that makes it.
    pub fn merge(nodes: usize, mut rooms: Vec<(&'static str, RoomClaims)>) -> Self {
        rooms.sort_by_key(|(room, _)| *room);
        let mut all = Self { nodes: vec![AllOnNode::default(); nodes], ..Self::default() };
        for (room, claims) in rooms {
            let RoomClaims { nodes, certificates, names, pins, host_files, router_ids, carried } =
                claims;
            for (node, claims) in all.nodes.iter_mut().zip(nodes) {
                node.add(room, claims);
            }
            all.certificates.extend(certificates);
            all.names.extend(names);
            all.pins.extend(pins);
            all.host_files.extend(host_files);
            all.router_ids.extend(router_ids);
            all.carried.extend(carried);
        }
        for node in &mut all.nodes {
            node.scripts.sort_by_key(|script| script.name);
            node.units.sort_by_key(|unit| (!unit.start, unit.phase));
        }
        all
    }

    /// Leaves only what clusters are compared by: of a large one, the rest is large.
    pub fn forget_nodes(&mut self) {
        self.nodes = Vec::new();
        self.certificates = Vec::new();
    }

    /// The claims on the node with this index.
    ///
    /// # Panics
    /// Where the index is not a node's.
    pub fn of(&self, index: usize) -> &AllOnNode {
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
