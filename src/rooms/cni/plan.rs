use std::collections::BTreeSet;

use super::flannel;
use super::manifest;
use crate::claims::{Bind, OwnedPath, Phase, Port, Protocol, Reach, RoomClaims, Setting};
use crate::inventory::cni::{Backend, CniSection};
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{Output, Plan, Rendering};
use crate::site::{Cluster, Host, layout};

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
    pub(super) fn new(section: &CniSection, cluster: &Cluster<'_>) -> Self {
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
    pub(super) fn claim(&self, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
        let families = Families::of(cluster);
        for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
            let claims = claims.node(node.index);
            claims.ports.extend(self.ports(families));
            for image in [&self.image, &self.plugin_image] {
                claims.images.insert(image.clone());
            }
            // flanneld stops where /proc/sys/net/bridge is missing.
            claims.modules.insert("br_netfilter".into(), Setting::module());
            if let Some(module) = tunnel(self.backend) {
                claims.modules.insert(module.into(), Setting::module());
            }
            claims.paths.extend(["/etc/cni/net.d", "/run/flannel"].map(|path| OwnedPath {
                path: path.into(),
                remove_on_reset: true,
                mounts: false,
                at: Path::of(&["cni"]),
            }));
        }
    }

    fn ports(&self, families: Families) -> Vec<Port> {
        let port = |protocol, bind, port, reach, what| Port {
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

/// The module of the interface that flanneld makes. The kernel loads it by itself where it may;
/// where it is not there at all, that shows before pods need it.
fn tunnel(backend: Backend) -> Option<&'static str> {
    match backend {
        Backend::Vxlan => Some("vxlan"),
        Backend::Wireguard => Some("wireguard"),
        Backend::HostGw => None,
    }
}

/// Which families pods have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Families {
    pub(super) v4: bool,
    pub(super) v6: bool,
}

impl Families {
    pub(super) fn of(cluster: &Cluster<'_>) -> Self {
        let v4 = cluster.pod_subnets.iter().any(|network| network.addr().is_ipv4());
        let v6 = cluster.pod_subnets.iter().any(|network| network.addr().is_ipv6());
        Self { v4, v6 }
    }
}

/// By the node's own address, which the kubelet was given as `--node-ip`: the interface's name may
/// differ from node to node, and an interface may carry the VIP as well. flanneld cannot look an
/// IPv6 address up while it serves both families (`pkg/ipmatch/match.go`); there the interfaces'
/// names are tried in turn.
fn interface_flags(cluster: &Cluster<'_>) -> Vec<String> {
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

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        if with.cluster.is_first_control_plane(node) {
            let path = format!("{}/{MANIFEST}", layout::ADDONS);
            let file = File::on(node, path).phase(Phase::Kubernetes);
            out.yaml(file.reads(reads()), manifest::documents(self, &with.cluster));
        }
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        let file = File::cluster("cluster/manifests/flannel.yaml");
        out.yaml(file.reads(reads()), manifest::documents(self, &with.cluster));
    }
}

fn reads() -> [Path; 2] {
    [Path::of(&["cni"]), Path::of(&["cluster", "podSubnet"])]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::cni::Cni;
    use crate::rooms::trial::{claimed, complaints, files, text};

    fn manifest(overlay: &Value) -> String {
        let files = files(&Cni, overlay);
        let node = "nodes/cp1/rootfs/etc/kubernetes/addons/10-flannel.yaml";
        let manifest = text(&files, "cluster/manifests/flannel.yaml");
        assert_eq!(text(&files, node), manifest);
        manifest.to_owned()
    }

    #[test]
    fn the_network_is_the_pods_in_every_family() {
        let one = manifest(&json!({"cluster": {"podSubnet": "10.20.0.0/16"}}));
        assert!(one.contains(r#""Network": "10.20.0.0/16""#) && !one.contains("EnableIPv6"));
        let two = json!({"cluster": {
            "podSubnet": "10.244.0.0/16,fd00:10:244::/56",
            "serviceSubnet": "10.96.0.0/16,fd00:10:96::/112",
        }});
        let two = manifest(&two);
        assert!(two.contains(r#""IPv6Network": "fd00:10:244::/56""#));
        assert!(two.contains(r#""EnableIPv4": true"#) && two.contains(r#""EnableIPv6": true"#));
        let six = json!({"cluster": {
            "podSubnet": "fd00:10:244::/56",
            "serviceSubnet": "fd00:10:96::/112",
        }});
        assert!(manifest(&six).contains(r#""EnableIPv4": false"#));
    }

    #[test]
    fn the_interface_is_the_one_with_the_nodes_address() {
        assert!(manifest(&json!({})).contains("- --iface=$(NODE_IP)\n"));
        let said = json!({"cni": {"interface": "bond0"}});
        assert!(manifest(&said).contains("- --iface=bond0\n"));
    }

    #[test]
    fn an_old_release_refuses_critical_pods_outside_kube_system() {
        let of = |version: &str| manifest(&json!({"cluster": {"kubernetes": version}}));
        assert!(!of("1.16.15").contains("priorityClassName"));
        assert!(of("1.17.17").contains("priorityClassName: system-node-critical"));
    }

    #[test]
    fn ports_follow_the_backend() {
        let ports = |backend: &str| {
            let (_, claims) = claimed(&json!({"cni": {"backend": backend}}));
            let ports = claims.of(3).ports.iter().filter(|port| port.room == "cni");
            ports.map(|port| port.port).collect::<Vec<_>>()
        };
        assert_eq!(ports("vxlan"), [10246, 8472]);
        assert_eq!(ports("host-gw"), [10246]);
        assert_eq!(ports("wireguard"), [10246, 51820]);
    }

    #[test]
    fn the_tunnel_s_module_is_loaded() {
        let modules = |cni: Value| {
            let (_, claims) = claimed(&json!({"cni": cni}));
            let modules = claims.of(3).modules.keys();
            modules
                .filter(|name| *name != "overlay" && *name != "br_netfilter")
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(modules(json!({})), ["vxlan"]);
        assert_eq!(modules(json!({"backend": "wireguard"})), ["wireguard"]);
        assert!(modules(json!({"backend": "host-gw"})).is_empty());
        assert!(modules(json!({"plugin": "none"})).is_empty());
    }

    #[test]
    fn the_network_runs_on_a_node_whatever_its_taints() {
        let all = "      tolerations:\n      - operator: Exists\n      serviceAccountName";
        assert!(manifest(&json!({})).contains(all));
    }

    #[test]
    fn a_network_of_its_own_is_refused() {
        let differs = json!({"cni": {"network": "10.245.0.0/16"}});
        assert_eq!(complaints(&Cni, &differs), ["cni/range-differs at cni.network"]);
        assert!(complaints(&Cni, &json!({"cni": {"network": "10.244.0.0/16"}})).is_empty());
        let none = json!({"cni": {"plugin": "none"}});
        assert!(files(&Cni, &none).is_empty());
    }
}
