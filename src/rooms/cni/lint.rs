use super::{NO_SERVICES, NOT_ONE_SUBNET, ONE_FAMILY, RANGE_DIFFERS};
use crate::inventory::cni::{Backend, CniSection, Plugin};
use crate::inventory::values::Cidrs;
use crate::report::{Finding, Path, Report};
use crate::site::{Cluster, Host};

/// Reports what a valid inventory still gets wrong about the pod network.
pub(super) fn lint(section: &CniSection, cluster: &Cluster<'_>, report: &mut Report) {
    range(section.network.as_ref(), cluster, report);
    routed(section, cluster, report);
    services(section.plugin, cluster, report);
}

/// Whether the network that was said for the plugin is the pods'.
fn range(said: Option<&Cidrs>, cluster: &Cluster<'_>, report: &mut Report) {
    let Some(network) = said.filter(|network| *network.get() != cluster.pod_subnets) else {
        return;
    };
    let pods: Vec<String> = cluster.pod_subnets.iter().map(ToString::to_string).collect();
    let pods = pods.join(",");
    report.push(
        Finding::new(
            &RANGE_DIFFERS,
            Path::of(&["cni", "network"]),
            format!("the pod network would be {network}, but pods get addresses of {pods}"),
        )
        .label(format!("must be {pods}"))
        .because(Path::of(&["cluster", "podSubnet"]), "the pods' addresses")
        .help("remove `cni.network`: it follows `cluster.podSubnet`"),
    );
}

/// Whether anything of hagen's forwards services, flannel's way to the API among them.
fn services(plugin: Plugin, cluster: &Cluster<'_>, report: &mut Report) {
    if cluster.runs_kube_proxy() || plugin == Plugin::None {
        return;
    }
    report.push(
        Finding::new(
            &NO_SERVICES,
            Path::of(&["cni", "plugin"]),
            "a pod network alone forwards no service, and there is no kube-proxy",
        )
        .label("pods reach neither the API's service nor the DNS's")
        .because(Path::of(&["kubeProxy", "mode"]), "nothing else does")
        .help(
            "use `cni: {plugin: none}` and apply a network that replaces kube-proxy; where \
             another program does, accept this warning",
        ),
    );
}

/// Plain routes lead to neighbours only, and to addresses of the nodes' own family.
fn routed(section: &CniSection, cluster: &Cluster<'_>, report: &mut Report) {
    let bridge = section.plugin == Plugin::Bridge;
    let (key, help) = if bridge {
        ("plugin", "use `plugin: flannel`, which carries packets across subnets")
    } else if section.plugin == Plugin::Flannel && section.backend == Backend::HostGw {
        ("backend", "use `backend: vxlan`, which carries packets across subnets")
    } else {
        return;
    };
    let at = Path::of(&["cni"]).key(key);
    // Where the first node is; that all of them are there is for the inventory to say.
    let home = cluster.nodes.iter().find(|node| node.kubelet()).and_then(|first| {
        let mut networks = cluster.site.networks.iter();
        networks.find(|network| network.range.contains(&first.address))
    });
    // One that may hold the VIP is reported as no neighbour of it.
    let held = cluster.endpoint.vip();
    let reported = |node: &&Host| held.is_some_and(|held| held.may_be_on(node));
    let elsewhere = |node: &&Host| home.is_none_or(|home| !home.range.contains(&node.address));
    let kubelets = cluster.nodes.iter().filter(|node| node.kubelet());
    match home {
        Some(home) => {
            for node in kubelets.filter(elsewhere).filter(|node| !reported(node)) {
                let message = format!(
                    "node {} is outside of {}, where the first one is",
                    node.name, home.range
                );
                report.push(
                    Finding::new(&NOT_ONE_SUBNET, node.path().key("address"), message)
                        .label("no route leads to its pods")
                        .because(at.clone(), "routes from node to node, without a tunnel")
                        .help(help),
                );
            }
        }
        None => report.push(
            Finding::new(
                &NOT_ONE_SUBNET,
                at.clone(),
                "nothing says that all nodes are in one subnet",
            )
            .label("routes from node to node, without a tunnel")
            .help(format!("name it in `cluster.nodeSubnets`, or {help}")),
        ),
    }
    if bridge && cluster.pod_subnets.len() > 1 {
        report.push(
            Finding::new(
                &ONE_FAMILY,
                Path::of(&["cluster", "podSubnet"]),
                "pods would have two address families, but a node has an address of one",
            )
            .label("the second one has no routes")
            .because(at, "routes lead to the nodes' own addresses")
            .help("name one network here and one in `serviceSubnet`, or use `plugin: flannel`"),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::cni::Cni;
    use crate::rooms::overlaid::{complaints, files};

    #[test]
    fn a_network_of_its_own_is_refused() {
        let differs = json!({"cni": {"network": "10.245.0.0/16"}});
        assert_eq!(complaints(&Cni, &differs), ["cni/range-differs at cni.network"]);
        assert!(complaints(&Cni, &json!({"cni": {"network": "10.244.0.0/16"}})).is_empty());
        let none = json!({"cni": {"plugin": "none"}});
        assert!(files(&Cni, &none).is_empty());
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
        let two = json!({"cni": {"plugin": "bridge"}, "cluster": {
            "podSubnet": "10.244.0.0/16,fd00:10:244::/56",
            "serviceSubnet": "10.96.0.0/16,fd00:10:96::/112",
        }});
        assert_eq!(complaints(&Cni, &two), ["cni/one-family at cluster.podSubnet"]);
    }
}
