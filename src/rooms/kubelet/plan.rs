use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::lint::word;
use crate::catalog::{KUBERNETES_PACKAGES, OsFamily};
use crate::cluster::{Cluster, Node};
use crate::inventory::Inventory;
use crate::inventory::kubelet::KubeletSection;
use crate::report::Path;
use crate::rooms::claims::{
    Bind, OwnedPath, Package, Phase, Port, Protocol, Reach, Repository, Unit,
};
use crate::rooms::{Claims, DocumentName};

/// KubeletConfiguration of every node; the API is v1beta1 in every release of the catalog.
const DOCUMENT: &str = "kubelet/KubeletConfiguration";

pub(super) const DOCUMENTS: &[DocumentName] = &[DocumentName {
    name: DOCUMENT,
    owned: &["/apiVersion", "/kind", "/cgroupDriver", "/staticPodPath", "/clusterDNS"],
}];

/// States the configuration, flags, ports, unit, folder and packages.
pub(super) fn claim(said: &Inventory, cluster: &Cluster, claims: &mut Claims) {
    claims.kubeadm_documents.push((DOCUMENT, configuration(&said.kubelet, cluster)));
    for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
        let extra = &said.extra_args.kubelet;
        let extra = extra.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let packages = packages(cluster, node);
        let claims = claims.node(node.index);
        claims.kubelet_flags.extend(flags(node).into_iter().chain(extra));
        claims.ports.extend(ports());
        claims.units.push(Unit {
            room: "kubelet",
            name: "kubelet.service".into(),
            phase: Phase::Install,
            check: Vec::new(),
            wait: false,
            start: false,
        });
        claims.paths.push(OwnedPath {
            room: "kubelet",
            path: "/var/lib/kubelet".into(),
            remove_on_reset: true,
            at: Path::of(&["kubelet"]),
        });
        claims.images.insert(cluster.runtime.pause_image.clone(), "kubelet");
        claims.packages.extend(packages);
    }
}

/// Only what must not depend on the release's or kubeadm's default, and what the user said. The
/// driver is explicit: its default changed with 1.21, and the runtime's file names it as well.
fn configuration(section: &KubeletSection, cluster: &Cluster) -> Value {
    // `cgroup_driver` is only compared: runtime and kubelet share one.
    let KubeletSection { cgroup_driver: _, max_pods, config } = section;
    let mut document = Map::new();
    document.insert("apiVersion".into(), json!("kubelet.config.k8s.io/v1beta1"));
    document.insert("kind".into(), json!("KubeletConfiguration"));
    document.insert("cgroupDriver".into(), json!(word(cluster.runtime.cgroup_driver)));
    if let Some(pods) = max_pods {
        document.insert("maxPods".into(), json!(pods));
    }
    // kubeadm forces it as well; said here because joins without a token rest on it.
    document.insert("rotateCertificates".into(), json!(true));
    document.extend(config.iter().map(|(field, value)| (field.clone(), value.clone())));
    Value::Object(document)
}

/// A node with several addresses would otherwise choose by itself, and the VIP is one of them.
fn flags(node: &Node) -> BTreeMap<String, String> {
    let mut flags = BTreeMap::from([("node-ip".to_owned(), node.address.to_string())]);
    if !node.labels.is_empty() {
        let labels: Vec<String> =
            node.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        flags.insert("node-labels".into(), labels.join(","));
    }
    flags
}

/// The kubelet's own defaults:
/// <https://kubernetes.io/docs/reference/networking/ports-and-protocols/>.
fn ports() -> [Port; 2] {
    let port = |bind, port, reach, what| Port {
        room: "kubelet",
        protocol: Protocol::Tcp,
        bind,
        port,
        reach,
        what,
        at: Path::of(&["kubelet"]),
    };
    [
        port(Bind::Any, 10250, Reach::Nodes, "the kubelet"),
        port(Bind::Loopback, 10248, Reach::Host, "the kubelet's health"),
    ]
}

/// Programs that the packages bring, as far as a script can look for them.
const PROGRAMS: [(&str, Option<&str>); 5] = [
    ("kubeadm", Some("kubeadm")),
    ("kubectl", Some("kubectl")),
    ("kubelet", Some("kubelet")),
    ("cri-tools", None),
    ("kubernetes-cni", None),
];

/// All from one repository. The three that follow Kubernetes' version are held, since an upgrade
/// of a node is kubeadm's matter; the other two come in the version that the repository pairs
/// with them.
fn packages(cluster: &Cluster, node: &Node) -> Vec<Package> {
    let layout = cluster.release.package_layout;
    let version = match node.os.family {
        OsFamily::Debian => layout.deb_version(cluster.kubernetes),
        OsFamily::Rhel => layout.rpm_version(cluster.kubernetes),
    };
    PROGRAMS
        .iter()
        .map(|(name, program)| {
            let versioned = KUBERNETES_PACKAGES.contains(name);
            Package {
                name: (*name).to_owned(),
                version: versioned.then(|| version.clone()),
                repository: Repository::Kubernetes,
                hold: versioned,
                program: program.map(str::to_owned),
                room: "kubelet",
            }
        })
        .collect()
}
