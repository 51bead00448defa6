use std::collections::BTreeSet;

use super::flannel;
use super::manifest;
use crate::cluster::{Cluster, Node, layout};
use crate::inventory::cni::{Backend, CniSection};
use crate::report::Path;
use crate::rooms::claims::{Bind, OwnedPath, Phase, Port, Protocol, Reach};
use crate::rooms::output::File;
use crate::rooms::{Claims, Output, Plan, Rendering};

/// The manifest's file name; the number puts it behind what joins need.
const MANIFEST: &str = "10-flannel.yaml";

/// What is decided about flannel.
pub(super) struct Flannel {
    /// How packets are carried.
    pub(super) backend: Backend,
    /// flanneld's flags that choose the interface.
    pub(super) interface: Vec<String>,
    /// flanneld's image.
    pub(super) image: String,
    /// The image with the CNI plugin.
    pub(super) plugin_image: String,
}

impl Flannel {
    pub(super) fn new(section: &CniSection, cluster: &Cluster) -> Self {
        // `plugin` and `network` were looked at by the room and its lint.
        let CniSection { plugin: _, backend, network: _, interface, image, plugin_image } = section;
        let interface = match interface {
            Some(interface) => vec![format!("--iface={interface}")],
            None => interface_flags(cluster),
        };
        let or = |said: &Option<_>, default: &str| {
            said.as_ref().map_or_else(|| default.to_owned(), ToString::to_string)
        };
        Self {
            backend: *backend,
            interface,
            image: or(image, flannel::IMAGE),
            plugin_image: or(plugin_image, flannel::PLUGIN_IMAGE),
        }
    }

    /// States ports, images, folders and the kernel's module.
    pub(super) fn claim(&self, cluster: &Cluster, claims: &mut Claims) {
        let families = Families::of(cluster);
        for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
            let claims = claims.node(node.index);
            claims.ports.extend(self.ports(families));
            for image in [&self.image, &self.plugin_image] {
                claims.images.insert(image.clone(), "cni");
            }
            // flanneld stops where /proc/sys/net/bridge is missing.
            claims.modules.entry("br_netfilter".into()).or_insert("cni");
            claims.paths.extend(["/etc/cni/net.d", "/run/flannel"].map(|path| OwnedPath {
                room: "cni",
                path: path.into(),
                remove_on_reset: true,
                at: Path::of(&["cni"]),
            }));
        }
    }

    fn ports(&self, families: Families) -> Vec<Port> {
        let port = |protocol, bind, port, reach, what| Port {
            room: "cni",
            protocol,
            bind,
            port,
            reach,
            what,
            at: Path::of(&["cni", "backend"]),
        };
        let carried = |number, what| port(Protocol::Udp, Bind::Any, number, Reach::Nodes, what);
        let health = port(
            Protocol::Tcp,
            Bind::Loopback,
            flannel::HEALTH_PORT,
            Reach::Host,
            "flannel's health",
        );
        let mut ports = vec![health];
        match self.backend {
            Backend::Vxlan => ports.push(carried(flannel::VXLAN_PORT, "pod traffic in VXLAN")),
            Backend::HostGw => {}
            Backend::Wireguard => {
                if families.v4 {
                    let what = "pod traffic in WireGuard";
                    ports.push(carried(flannel::WIREGUARD_PORT, what));
                }
                if families.v6 {
                    let what = "IPv6 pod traffic in WireGuard";
                    ports.push(carried(flannel::WIREGUARD_PORT_V6, what));
                }
            }
        }
        ports
    }
}

/// Which families pods have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Families {
    pub(super) v4: bool,
    pub(super) v6: bool,
}

impl Families {
    pub(super) fn of(cluster: &Cluster) -> Self {
        let v4 = cluster.pod_subnets.iter().any(|network| network.addr().is_ipv4());
        let v6 = cluster.pod_subnets.iter().any(|network| network.addr().is_ipv6());
        Self { v4, v6 }
    }
}

/// By the node's own address, which the kubelet was given as `--node-ip`: the interface's name may
/// differ from node to node, and an interface may carry the VIP as well. flanneld cannot look an
/// IPv6 address up while it serves both families (`pkg/ipmatch/match.go`); there the interfaces'
/// names are tried in turn.
fn interface_flags(cluster: &Cluster) -> Vec<String> {
    let families = Families::of(cluster);
    let v6_nodes = cluster.nodes.iter().any(|node| node.address.is_ipv6());
    if families.v4 && families.v6 && v6_nodes {
        let names: BTreeSet<&str> = cluster
            .nodes
            .iter()
            .map(|node| node.interface.as_str())
            .filter(|name| !name.is_empty())
            .collect();
        return names.into_iter().map(|name| format!("--iface={name}")).collect();
    }
    vec![format!("--iface=$({})", flannel::NODE_IP)]
}

impl Plan for Flannel {
    fn settled(&self) -> serde_json::Value {
        serde_json::json!({"cni": {"image": self.image, "pluginImage": self.plugin_image}})
    }

    fn render_node(&self, node: &Node, with: &Rendering<'_>, out: &mut Output<'_>) {
        if with.cluster.is_first_control_plane(node) {
            let path = format!("{}/{MANIFEST}", layout::ADDONS);
            let file = File::on(node, path).phase(Phase::Kubernetes);
            out.yaml(file.reads(reads()), manifest::documents(self, with.cluster));
        }
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        let file = File::cluster("cluster/manifests/flannel.yaml");
        out.yaml(file.reads(reads()), manifest::documents(self, with.cluster));
    }
}

fn reads() -> [Path; 2] {
    [Path::of(&["cni"]), Path::of(&["cluster", "podSubnet"])]
}
