use super::bridge::UNIT;
use super::flannel;
use super::plan::{CniPlan, Families, Flannel};
use crate::claims::{
    Bind, OwnedPath, Package, Phase, Port, Protocol, Reach, Repository, RoomClaims, Script,
    Setting, Unit,
};
use crate::inventory::cni::Backend;
use crate::report::Path;
use crate::site::Cluster;

/// States what takes away the devices of a network, whoever brought it.
pub(super) fn scripts(cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    let part = Script::part("cni", Phase::KUBERNETES.step, "cni/steps/cni.sh");
    for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
        claims.node(node.index).scripts.push(part);
    }
}

/// States what the network occupies and needs on each node with pods.
pub(super) fn state(plan: &CniPlan, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    match plan {
        CniPlan::Bridge => of_bridge(cluster, claims),
        CniPlan::Flannel(plan) => of_flannel(plan, cluster, claims),
    }
}

/// States folders, the unit, and a program by which the plugins are known.
fn of_bridge(cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
        let claims = claims.node(node.index);
        claims.paths.extend(["/etc/cni/net.d", "/var/lib/cni"].map(|path| OwnedPath {
            path: path.into(),
            remove_on_reset: true,
            mounts: false,
            at: Path::of(&["cni"]),
        }));
        claims.units.push(Unit::started(UNIT, Phase::INSTALL, []));
        // The kubelet's own package depends on it; here all of the network rests on it.
        claims.packages.push(Package {
            name: "kubernetes-cni".into(),
            version: None,
            written_for: None,
            repository: Repository::Kubernetes,
            hold: false,
            program: Some("/opt/cni/bin/bridge".into()),
            // The runtime runs the plugins; the routes need none of them.
            serves: false,
        });
    }
}

/// States ports, images, folders and the kernel's module.
fn of_flannel(plan: &Flannel, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    let families = Families::of(cluster);
    for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
        let claims = claims.node(node.index);
        claims.ports.extend(ports(plan.backend, families));
        for image in [&plan.image, &plan.plugin_image] {
            claims.images.insert(image.clone());
        }
        // flanneld stops where /proc/sys/net/bridge is missing.
        claims.modules.insert("br_netfilter".into(), Setting::module());
        if let Some(module) = tunnel(plan.backend) {
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

fn ports(backend: Backend, families: Families) -> Vec<Port> {
    let port = |protocol, bind, port, reach, what| Port {
        protocol,
        bind,
        port,
        reach,
        what,
        at: Path::of(&["cni", "backend"]),
    };
    let carried = |number, what| port(Protocol::Udp, Bind::Any, number, Reach::Nodes, what);
    let health =
        port(Protocol::Tcp, Bind::Loopback, flannel::HEALTH_PORT, Reach::Host, "flannel's health");
    let mut ports = vec![health];
    match backend {
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

/// The module of the interface that flanneld makes. The kernel loads it by itself where it may;
/// where it is not there at all, that shows before pods need it.
fn tunnel(backend: Backend) -> Option<&'static str> {
    match backend {
        Backend::Vxlan => Some("vxlan"),
        Backend::Wireguard => Some("wireguard"),
        Backend::HostGw => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::overlaid::claimed;

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
}
