//! The endpoint against everything else: the VIP's subnet, ports, names.

use ipnet::IpNet;

use super::{Holder, Virtual, codes};
use crate::report::{Finding, Path, Report};
use crate::site::Cluster;

/// net.ipv4.ip_local_port_range default: `Documentation/networking/ip-sysctl.rst`.
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;

pub(in crate::site) fn lint(cluster: &Cluster<'_>, report: &mut Report) {
    if let Some(held) = cluster.endpoint.vip() {
        vip(held, cluster, report);
    }
    ranges(cluster, report);
    port(cluster, report);
    single_point(cluster, report);
    name(cluster, report);
}

fn name(cluster: &Cluster<'_>, report: &mut Report) {
    let Some(name) = cluster.endpoint.name() else { return };
    let node = cluster.nodes.iter().find(|node| node.name == name);
    if node.is_none() && name != "localhost" {
        return;
    }
    let finding = Finding::new(
        &codes::NAME_TAKEN,
        Path::of(&["endpoint", "name"]),
        format!("`{name}` would have two addresses, the endpoint's among them"),
    )
    .label("the name of one machine")
    .help("give the endpoint a name of its own, such as api.example.com");
    report.push(match node {
        Some(node) => finding.because(node.path().key("name"), "this node's name"),
        None => finding,
    });
}

fn vip(held: &Virtual, cluster: &Cluster<'_>, report: &mut Report) {
    let at = Path::of(&["endpoint", "vip"]);
    let Virtual { address: vip, subnet, hosts } = held;
    if let Some(node) = cluster.nodes.iter().find(|node| node.address == *vip) {
        report.push(
            Finding::new(
                &codes::VIP_IS_NODE,
                at.clone(),
                format!("the VIP {vip} is the address of node {}", node.name),
            )
            .label("must be free: it moves between machines")
            .because(node.path().key("address"), "this node's own address")
            .help("choose an address of the same subnet that no machine and no DHCP range uses"),
        );
    }
    let edge = match subnet {
        IpNet::V4(net) if net.prefix_len() < 31 => *vip == net.network() || *vip == net.broadcast(),
        _ => false,
    };
    if edge {
        report.push(
            Finding::new(
                &codes::VIP_OUTSIDE_SUBNET,
                at.clone(),
                format!("{vip} is the network or broadcast address of {subnet}"),
            )
            .help("choose a host address of the subnet"),
        );
    }
    let holders = hosts.iter().map(|place| &cluster.nodes[*place]);
    let label = match cluster.endpoint.holder {
        Holder::KubeVip(_) => "ARP finds an address in its own subnet only",
        _ => "VRRP cannot move an address between subnets",
    };
    for node in holders.filter(|node| !subnet.contains(&node.address)) {
        report.push(
            Finding::new(
                &codes::VIP_OUTSIDE_SUBNET,
                at.clone(),
                format!("node {} is not in the VIP's subnet {subnet}", node.name),
            )
            .label(label)
            .because(node.path().key("address"), "outside the subnet")
            .help(
                "put those that hold the VIP into its subnet, with its real prefix, or use \
                 `holder: nodeLocal`, which needs no common subnet",
            ),
        );
    }
}

/// Packets for the endpoint would go to pods or services.
fn ranges(cluster: &Cluster<'_>, report: &mut Report) {
    let (Some(address), Some(at)) = (cluster.endpoint.address(), cluster.endpoint.said_at()) else {
        return;
    };
    let what = if cluster.endpoint.vip().is_some() { "VIP" } else { "address" };
    let ranges = [
        ("podSubnet", "pods", &cluster.pod_subnets),
        ("serviceSubnet", "services", &cluster.service_subnets),
    ];
    for (key, whose, networks) in ranges {
        if let Some(range) = networks.iter().find(|range| range.contains(&address)) {
            report.push(
                Finding::new(
                    &codes::VIP_IN_CLUSTER_RANGE,
                    at.clone(),
                    format!("the {what} {address} lies inside the {whose} network {range}"),
                )
                .because(Path::of(&["cluster"]).key(key), format!("the {whose} network"))
                .help("choose a VIP in the nodes' subnet, and a network elsewhere"),
            );
        }
    }
}

fn port(cluster: &Cluster<'_>, report: &mut Report) {
    let at = Path::of(&["endpoint", "port"]);
    let port = cluster.endpoint.port;
    let beside = |place: &usize| cluster.nodes[*place].control_plane();
    let balancer = cluster.endpoint.balancer.as_ref();
    if port == cluster.api_port && balancer.is_some_and(|one| one.hosts.iter().any(beside)) {
        report.push(
            Finding::new(
                &codes::PORT_TAKEN,
                at.clone(),
                format!(
                    "the balancer and the API server both want port {port} on each control plane"
                ),
            )
            .label("one of the two cannot start")
            .because(
                Path::of(&["cluster", "apiPort"]),
                format!("the API server listens on {}", cluster.api_port),
            )
            .help(format!(
                "use another port for the endpoint, such as {}",
                if port == 8443 { 16443 } else { 8443 }
            )),
        );
    }
    // A range of the site's own is compared with every port at once.
    if !cluster.node_ports.said && cluster.node_ports.contains(port) {
        report.push(
            Finding::new(
                &codes::PORT_IN_NODEPORT_RANGE,
                at.clone(),
                format!("port {port} lies in the NodePort range {}", cluster.node_ports),
            )
            .label("a Service may take it")
            .help("choose a port below 30000"),
        );
    }
    if EPHEMERAL.contains(&port) {
        report.push(
            Finding::new(
                &codes::PORT_EPHEMERAL,
                at,
                format!(
                    "port {port} lies in the range of outgoing connections {}-{}",
                    EPHEMERAL.start(),
                    EPHEMERAL.end()
                ),
            )
            .label("an outgoing connection may hold it when the balancer starts")
            .help("choose a port below 30000"),
        );
    }
}

/// All clients lose the API with one machine, although several API servers run.
fn single_point(cluster: &Cluster<'_>, report: &mut Report) {
    let endpoint = cluster.endpoint;
    let Some([only]) = endpoint.balancer.as_ref().map(|balancer| balancer.hosts.as_slice()) else {
        return;
    };
    // One that holds a VIP, or that somebody else's balancer leads to, is no better.
    if endpoint.backends.len() < 2 || matches!(endpoint.holder, Holder::Loopback) {
        return;
    }
    let node = &cluster.nodes[*only];
    let message = format!("the API is gone with node {}, which alone leads to it", node.name);
    report.push(
        Finding::new(&codes::SINGLE_POINT, node.path().key("roles"), message)
            .label("the only load balancer")
            .help(
                "give the role `load-balancer` to a second node of its subnet and the endpoint a \
                 `vip`, or take the role away and write `holder: nodeLocal`",
            ),
    );
}
