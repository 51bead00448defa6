use super::bridge::{
    CONFLIST, CONFLIST_PATH, ROUTES, ROUTES_PATH, RoutesContext, UNIT, UNIT_FILE, UnitContext,
    conflist,
};
use super::manifest;
use super::plan::{CniPlan, Flannel};
use crate::claims::Phase;
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{Output, Plan, Rendering};
use crate::site::{Cluster, Host, layout};
use crate::tree::Apply;

/// The manifest's file name; the number puts it behind what joins need.
const MANIFEST: &str = "10-flannel.yaml";

impl Plan for CniPlan {
    fn settled(&self) -> serde_json::Value {
        match self {
            Self::Bridge => serde_json::json!({}),
            Self::Flannel(Flannel { image, plugin_image, .. }) => {
                serde_json::json!({"cni": {"image": image, "pluginImage": plugin_image}})
            }
        }
    }

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        match self {
            Self::Bridge => bridge(node, &with.cluster, out),
            Self::Flannel(plan) if with.cluster.is_first_control_plane(node) => {
                let path = format!("{}/{MANIFEST}", layout::ADDONS);
                let file = File::on(node, path).phase(Phase::KUBERNETES);
                out.yaml(file.reads(reads()), manifest::documents(plan, &with.cluster));
            }
            Self::Flannel(_) => {}
        }
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        let (Self::Flannel(plan), Some(with)) = (self, &with.of_cluster()) else { return };
        let file = File::cluster("cluster/manifests/flannel.yaml");
        out.yaml(file.reads(reads()), manifest::documents(plan, &with.cluster));
    }
}

fn reads() -> [Path; 2] {
    [Path::of(&["cni"]), Path::of(&["cluster", "podSubnet"])]
}

/// The node's network, the unit, and its routes.
fn bridge(node: &Host, cluster: &Cluster<'_>, out: &mut Output<'_>) {
    let (Some(range), Some(pods)) = (node.pod_range, cluster.pod_subnets.first()) else {
        return;
    };
    let file = |path| File::on(node, path).phase(Phase::INSTALL).reads(reads());
    out.json(file(CONFLIST_PATH), CONFLIST, conflist(range));
    let context = UnitContext::new(range, pods);
    let place = format!("/etc/systemd/system/{UNIT}");
    out.template(file(&place).read_by(UNIT, Apply::Restart), UNIT_FILE, &context);
    let file = file(ROUTES_PATH).read_by(UNIT, Apply::Restart);
    out.template(file.reads([Path::of(&["nodes"])]), ROUTES, &RoutesContext::new(node, cluster));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::cni::Cni;
    use crate::rooms::overlaid::{claimed, complaints, file, files, outcome, text};

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
}
