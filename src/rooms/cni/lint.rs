use super::{NO_SERVICES, NOT_ONE_SUBNET, ONE_FAMILY, RANGE_DIFFERS};
use crate::inventory::cni::{Backend, CniSection, Plugin};
use crate::inventory::values::Cidrs;
use crate::report::{Finding, Path, Report};
use crate::site::{Cluster, Host};

/// Whether the network that was said for the plugin is the pods'.
pub(super) fn range(said: Option<&Cidrs>, cluster: &Cluster<'_>, report: &mut Report) {
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
pub(super) fn services(plugin: Plugin, cluster: &Cluster<'_>, report: &mut Report) {
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
pub(super) fn routed(section: &CniSection, cluster: &Cluster<'_>, report: &mut Report) {
    let bridge = section.plugin == Plugin::Bridge;
    let (key, help) = if bridge {
        ("plugin", "use `plugin: flannel`, which carries packets across subnets")
    } else if section.plugin == Plugin::Flannel && section.backend == Backend::HostGw {
        ("backend", "use `backend: vxlan`, which carries packets across subnets")
    } else {
        return;
    };
    let at = Path::of(&["cni"]).key(key);
    let subnet = cluster.endpoint.subnet;
    // One that is a control plane is reported as no neighbour of the VIP.
    let elsewhere = |node: &&Host| !node.control_plane() && !subnet.contains(&node.address);
    for node in cluster.nodes.iter().filter(|node| node.kubelet()).filter(elsewhere) {
        report.push(
            Finding::new(
                &NOT_ONE_SUBNET,
                node.path().key("address"),
                format!("node {} is outside of {subnet}, where the control planes are", node.name),
            )
            .label("no route leads to its pods")
            .because(at.clone(), "routes from node to node, without a tunnel")
            .help(help),
        );
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
