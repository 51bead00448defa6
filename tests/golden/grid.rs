//! The cells of versions × topologies × systems, and the inventory of each: that of the readable base,
//! with what its cell is, and with what a site then has to say.

use hagen::catalog::{
    KubernetesVersion, NEWEST_MINOR, OLDEST_MINOR, OsFamily, OsRelease, os, oses,
};
use hagen::document;
use serde_json::{Value, json};

use super::change::Nodes;
use crate::compiled::{lay_over, root, values};

/// The tree that a person reads in full; all others are read as a change of it.
pub(super) const BASE: &str = "golden/clusters/minimal";

/// A system of each family.
const SYSTEMS: [&str; 2] = ["debian-12", "rocky-9"];

/// What every release is pinned with: the topologies whose files follow the release. The oldest and
/// the newest stand in for the others with the rest.
const EVERY_RELEASE: [(&str, &str); 9] = [
    ("base", "debian-12"),
    ("docker", "debian-12"),
    ("dual-stack", "debian-12"),
    ("external-etcd", "debian-12"),
    ("external-etcd", "rocky-9"),
    ("ipvs", "debian-12"),
    ("kube-vip", "debian-12"),
    ("nginx", "debian-12"),
    ("rocky-9", "rocky-9"),
];

/// What is laid over the base.
#[derive(Clone)]
pub(super) struct Topology {
    pub(super) name: String,
    /// As it stands in `golden/topologies/<name>.yaml`.
    pub(super) text: String,
    overlay: Value,
}

impl Topology {
    /// The base as it stands.
    pub(super) fn base() -> Self {
        Self { name: "base".to_owned(), text: String::new(), overlay: json!({}) }
    }

    /// All others, sorted.
    pub(super) fn all() -> Vec<Self> {
        let folder = std::fs::read_dir(root().join("golden/topologies")).unwrap();
        let paths = folder.map(|entry| entry.unwrap().path());
        let overlays = paths.filter(|path| path.extension().is_some_and(|end| end == "yaml"));
        let mut all: Vec<Self> = overlays
            .map(|path| {
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                let text = std::fs::read_to_string(path).unwrap();
                Self { name, overlay: values(&text), text }
            })
            .collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// Its own system, or one of each family.
    fn systems(&self) -> Vec<&'static OsRelease> {
        let Some(own) = self.overlay.get("os") else {
            return SYSTEMS.iter().filter_map(|id| os(id)).collect();
        };
        let word = |key: &str| own[key].as_str().unwrap();
        vec![os(&format!("{}-{}", word("distribution"), word("release"))).unwrap()]
    }
}

/// One line of `golden/digests`.
pub(super) struct Cell {
    pub(super) version: String,
    pub(super) topology: Topology,
    pub(super) system: &'static OsRelease,
}

impl Cell {
    /// On the system that needs no explanation.
    pub(super) fn plain(version: String, topology: Topology) -> Self {
        let system = topology.systems()[0];
        Self { version, topology, system }
    }

    /// All that are pinned; the oldest and the newest release on every system.
    pub(super) fn all() -> Vec<Self> {
        let mut topologies = Topology::all();
        topologies.insert(0, Topology::base());
        let mut cells = Vec::new();
        for minor in OLDEST_MINOR..=NEWEST_MINOR {
            let edge = [OLDEST_MINOR, NEWEST_MINOR].contains(&minor);
            for topology in &topologies {
                let systems = match topology.name.as_str() {
                    "base" => oses().collect(),
                    _ => topology.systems(),
                };
                let pinned = |system: &&OsRelease| {
                    edge || EVERY_RELEASE.contains(&(&topology.name, &system.id))
                };
                let topology = || topology.clone();
                let of = |system| Self { version: version(minor), topology: topology(), system };
                cells.extend(systems.into_iter().filter(pinned).map(of));
            }
        }
        cells
    }

    /// What a site writes to get it.
    pub(super) fn inventory(&self) -> Value {
        let mut inventory = base();
        inventory["cluster"]["kubernetes"] = self.version.as_str().into();
        let OsRelease { distribution, version: release, .. } = self.system;
        inventory["os"] = json!({"distribution": distribution, "release": release});
        lay_over(&mut inventory, &self.topology.overlay);
        let version: KubernetesVersion = self.version.parse().unwrap();
        let served = version.release().unwrap().package_layout.reachable();
        if !served && inventory.get("packages").is_none() {
            inventory["packages"] = json!({"repositories": {"kubernetes": mirror(self.system)}});
        }
        inventory
    }

    /// The same as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8(document::yaml(&[self.inventory()], false)).unwrap()
    }

    /// The names and addresses of its nodes.
    pub(super) fn nodes(&self) -> Nodes {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let inventory = self.inventory();
        let nodes = inventory["nodes"].as_array().unwrap().iter();
        nodes.map(|node| (text(&node["name"]), text(&node["address"]))).collect()
    }
}

/// The inventory of the base.
fn base() -> Value {
    values(&std::fs::read_to_string(root().join(BASE).join("inventory.yaml")).unwrap())
}

/// The release of the base.
pub(super) fn newest() -> String {
    base()["cluster"]["kubernetes"].as_str().unwrap().to_owned()
}

/// The patch release of a minor that stands for all of them.
pub(super) fn version(minor: u32) -> String {
    format!("1.{minor}.1")
}

/// What upstream served until 2024, at an address of the site's own.
fn mirror(system: &OsRelease) -> Value {
    let keys = json!([{
        "url": "https://mirror.example.com/kubernetes/key.gpg",
        "fingerprints": ["EAD7BC3E11D195FBF9BDACA0ED7CB83794505A5F"],
    }]);
    match system.family {
        OsFamily::Debian => json!({
            "url": "https://mirror.example.com/kubernetes/apt",
            "suite": "kubernetes-xenial",
            "components": ["main"],
            "keys": keys,
        }),
        OsFamily::Rhel => json!({"url": "https://mirror.example.com/kubernetes/yum", "keys": keys}),
    }
}
