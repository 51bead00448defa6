//! The reference plugins with fixed ranges: `bridge`, `host-local`, `portmap`
//! (<https://www.cni.dev/plugins/current/main/bridge/>). Pods of a node share the bridge `cni0`; a
//! unit keeps a route to every other node's range, and masquerades what leaves the pods' network.
//! The plugin's own `ipMasq` would masquerade towards the pods of other nodes as well: it knows
//! its own range only.

use ipnet::IpNet;
use serde::Serialize;
use serde_json::{Value, json};

use crate::claims::{OwnedPath, Package, Phase, Repository, RoomClaims, Unit};
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{Output, Plan, Rendering};
use crate::site::{Cluster, Host};
use crate::template;
use crate::template::Template;
use crate::tree::Apply;

const UNIT: &str = "hagen-pod-routes.service";
const UNIT_FILE: &str = "cni/etc/systemd/system/hagen-pod-routes.service.j2";
const ROUTES: &str = "cni/etc/hagen/pod-routes.j2";

pub(super) static TEMPLATES: &[Template] = &[
    template!("cni/etc/systemd/system/hagen-pod-routes.service.j2"),
    template!("cni/etc/hagen/pod-routes.j2"),
];

/// The node's network, the one file that the runtime looks for.
pub(super) const CONFLIST: &str = "cni/Conflist";

/// Where the runtime finds it.
pub(super) const CONFLIST_PATH: &str = "/etc/cni/net.d/10-hagen.conflist";

/// A protocol number that nobody else uses marks the routes (`/etc/iproute2/rt_protos`), so that
/// they can be taken back whatever they were.
const PROTOCOL: u8 = 104;
/// `ip -batch`, one route per line.
const ROUTES_PATH: &str = "/etc/hagen/pod-routes";

/// Nothing is decided beyond the nodes' ranges, which are facts of the cluster.
pub(super) struct Bridge;

/// States folders, the unit, and a program by which the plugins are known.
pub(super) fn claim(cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
        let claims = claims.node(node.index);
        claims.paths.extend(["/etc/cni/net.d", "/var/lib/cni"].map(|path| OwnedPath {
            path: path.into(),
            remove_on_reset: true,
            mounts: false,
            at: Path::of(&["cni"]),
        }));
        claims.units.push(Unit {
            name: UNIT.into(),
            phase: Phase::Install,
            check: Vec::new(),
            wait: true,
            start: true,
        });
        // The kubelet's own package depends on it; here all of the network rests on it.
        claims.packages.push(Package {
            name: "kubernetes-cni".into(),
            version: None,
            written_for: None,
            repository: Repository::Kubernetes,
            hold: false,
            program: Some("/opt/cni/bin/bridge".into()),
            serves: true,
        });
    }
}

/// Context of the unit.
#[derive(Serialize)]
struct UnitContext {
    /// `-4` or `-6`.
    family: &'static str,
    /// `iptables` or `ip6tables`.
    tables: &'static str,
    /// The mark of the routes.
    protocol: u8,
    /// The file with the routes.
    routes: &'static str,
    /// The addresses of this node's pods.
    range: String,
    /// The addresses of all pods.
    pods: String,
}

/// Context of the routes.
#[derive(Serialize)]
struct RoutesContext<'a> {
    /// The mark of the routes.
    protocol: u8,
    /// One per other node that runs pods.
    routes: Vec<Route<'a>>,
}

/// One route.
#[derive(Serialize)]
struct Route<'a> {
    /// The other node's name.
    node: &'a str,
    /// Its pods.
    range: String,
    /// Its address.
    via: String,
}

impl Plan for Bridge {
    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        let cluster = &with.cluster;
        let (Some(range), Some(pods)) = (node.pod_range, cluster.pod_subnets.first()) else {
            return;
        };
        let reads = || [Path::of(&["cni"]), Path::of(&["cluster", "podSubnet"])];
        let file = |path| File::on(node, path).phase(Phase::Install).reads(reads());
        out.json(file(CONFLIST_PATH), CONFLIST, conflist(range));
        let v4 = range.addr().is_ipv4();
        let context = UnitContext {
            family: if v4 { "-4" } else { "-6" },
            tables: if v4 { "iptables" } else { "ip6tables" },
            protocol: PROTOCOL,
            routes: ROUTES_PATH,
            range: range.to_string(),
            pods: pods.to_string(),
        };
        let place = format!("/etc/systemd/system/{UNIT}");
        out.template(file(&place).read_by(UNIT, Apply::Restart), UNIT_FILE, &context);
        let others = cluster.nodes.iter().filter(|other| other.index != node.index);
        let routes = others.filter_map(|other| {
            let Host { name, address, .. } = other;
            Some(Route {
                node: name,
                range: other.pod_range?.to_string(),
                via: address.to_string(),
            })
        });
        let context = RoutesContext { protocol: PROTOCOL, routes: routes.collect() };
        let file = file(ROUTES_PATH).read_by(UNIT, Apply::Restart);
        out.template(file.reads([Path::of(&["nodes"])]), ROUTES, &context);
    }
}

/// Version 0.3.1 of the form is read by every plugin and runtime of the catalog.
fn conflist(range: IpNet) -> Value {
    json!({
        "cniVersion": "0.3.1",
        "name": "hagen",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isDefaultGateway": true,
                // A pod reaches itself through its service.
                "hairpinMode": true,
                "ipam": {"type": "host-local", "ranges": [[{"subnet": range.to_string()}]]},
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    })
}

/// The range that a node's [`CONFLIST_PATH`] hands out.
pub(super) fn range(conflist: &[u8]) -> Option<IpNet> {
    let conflist: Value = serde_json::from_slice(conflist).ok()?;
    conflist.pointer("/plugins/0/ipam/ranges/0/0/subnet")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::cni::Cni;
    use crate::rooms::trial::{claimed, complaints, file, files, outcome, text};

    fn bridge(overlay: Value) -> Value {
        let mut bridge = json!({"cni": {"plugin": "bridge"}});
        crate::document::merge(&mut bridge, &overlay);
        bridge
    }

    #[test]
    fn every_node_has_a_range_and_a_route_to_each_of_the_others() {
        let files = files(&Cni, &bridge(json!({})));
        let conflist = text(&files, "nodes/cp2/rootfs/etc/cni/net.d/10-hagen.conflist");
        let conflist: Value = serde_json::from_str(conflist).unwrap();
        assert_eq!(
            conflist["plugins"][0]["ipam"]["ranges"],
            json!([[{"subnet": "10.244.1.0/24"}]])
        );
        let routes = text(&files, "nodes/cp2/rootfs/etc/hagen/pod-routes");
        let routes: Vec<&str> = routes.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            routes,
            [
                "route replace 10.244.0.0/24 via 192.168.1.11 proto 104",
                "route replace 10.244.2.0/24 via 192.168.1.13 proto 104",
                "route replace 10.244.3.0/24 via 192.168.1.21 proto 104",
            ]
        );
    }

    #[test]
    fn a_machine_without_pods_has_no_part_in_it() {
        let overlay = bridge(json!({"etcd": {"mode": "external"}, "nodes": [
            {"name": "cp1", "address": "192.168.1.11", "roles": ["control-plane"]},
            {"name": "e1", "address": "192.168.1.31", "roles": ["etcd"]},
            {"name": "w1", "address": "192.168.1.21", "roles": ["worker"], "podRange": "10.244.77.0/25"},
            {"name": "w2", "address": "192.168.1.22", "roles": ["worker"]},
        ]}));
        let (site, _) = claimed(&overlay);
        let cluster = &site.cluster().unwrap();
        let ranges = cluster.nodes.iter().map(|node| node.pod_range.map(|range| range.to_string()));
        let said = |range: &str| Some(range.to_owned());
        assert_eq!(
            ranges.collect::<Vec<_>>(),
            [said("10.244.0.0/24"), None, said("10.244.77.0/25"), said("10.244.2.0/24")]
        );
        let files = files(&Cni, &overlay);
        assert!(!files.iter().any(|(path, _)| path.starts_with("nodes/e1/")));
        assert!(!text(&files, "nodes/w2/rootfs/etc/hagen/pod-routes").contains("192.168.1.31"));
    }

    #[test]
    fn the_controller_manager_allocates_nothing_beside_it() {
        let config = "nodes/cp1/rootfs/etc/kubernetes/kubeadm-config.yaml";
        let own = file(&outcome("cni: {plugin: bridge}"), config);
        let flag = "  - name: allocate-node-cidrs\n    value: 'false'\n";
        assert!(own.contains(flag), "{own}");
        assert!(!file(&outcome("{}"), config).contains("allocate-node-cidrs"));
    }

    #[test]
    fn a_reset_takes_the_unit_and_the_addresses_away() {
        let words = file(&outcome("cni: {plugin: bridge}"), "nodes/w1/node.sh");
        let list = |name: &str| {
            let mut lines = words.lines();
            lines.find(|line| line.starts_with(&format!("{name}=("))).unwrap().to_owned()
        };
        assert!(list("stoppable").contains("hagen-pod-routes.service"), "{words}");
        // What kubeadm reset needs.
        assert!(!list("stoppable").contains("containerd.service"), "{words}");
        assert!(list("emptied").contains("/var/lib/cni "), "{words}");
    }

    #[test]
    fn pods_of_ipv6_are_routed_alike() {
        let overlay = bridge(json!({
            "cluster": {"podSubnet": "fd00:10:244::/56", "serviceSubnet": "fd00:10:96::/112"},
            "endpoint": {"vip": "fd00:20::10/64"},
            "nodes": [
                {"name": "cp1", "address": "fd00:20::11", "roles": ["control-plane"]},
                {"name": "w1", "address": "fd00:20::21", "roles": ["worker"]},
            ],
        }));
        assert!(complaints(&Cni, &overlay).is_empty());
        let files = files(&Cni, &overlay);
        let routes = text(&files, "nodes/cp1/rootfs/etc/hagen/pod-routes");
        assert!(routes.contains("route replace fd00:10:244:1::/64 via fd00:20::21 proto 104\n"));
        let unit = text(&files, "nodes/cp1/rootfs/etc/systemd/system/hagen-pod-routes.service");
        assert!(unit.contains("/usr/sbin/ip6tables -w -t nat"), "{unit}");
    }

    #[test]
    fn somebody_has_to_forward_services() {
        let nobody = ["cni/no-services at cni.plugin"];
        let with = |cni: Value| json!({"kubeProxy": {"mode": "none"}, "cni": cni});
        assert_eq!(complaints(&Cni, &with(json!({}))), nobody);
        assert_eq!(complaints(&Cni, &with(json!({"plugin": "bridge"}))), nobody);
        assert!(complaints(&Cni, &with(json!({"plugin": "none"}))).is_empty());
    }

    #[test]
    fn nodes_and_families_are_judged() {
        let elsewhere = |cni: Value| {
            let overlay = json!({"cni": cni, "nodes": [
                {"name": "cp1", "address": "192.168.1.11", "roles": ["control-plane"]},
                {"name": "w1", "address": "192.168.2.21", "roles": ["worker"]},
            ]});
            complaints(&Cni, &overlay)
        };
        let apart = ["cni/not-one-subnet at nodes[1].address"];
        assert_eq!(elsewhere(json!({"plugin": "bridge"})), apart);
        assert_eq!(elsewhere(json!({"backend": "host-gw"})), apart);
        assert!(elsewhere(json!({})).is_empty());
        let two = bridge(json!({"cluster": {
            "podSubnet": "10.244.0.0/16,fd00:10:244::/56",
            "serviceSubnet": "10.96.0.0/16,fd00:10:96::/112",
        }}));
        assert_eq!(complaints(&Cni, &two), ["cni/one-family at cluster.podSubnet"]);
    }
}
