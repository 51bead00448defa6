//! The endpoint against everything else: the VIP's subnet, ports, names.

use std::net::IpAddr;

use ipnet::IpNet;

use super::ways::{Ways, another_port, without_role};
use super::{Holder, Virtual, codes};
use crate::report::{Finding, Path, Report, listed};
use crate::site::{Cluster, Host};

/// net.ipv4.ip_local_port_range default: `Documentation/networking/ip-sysctl.rst`.
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;

pub(in crate::site) fn lint(cluster: &Cluster<'_>, report: &mut Report) {
    of_a_node(cluster, report);
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

/// Nobody else can have the address of a node.
fn of_a_node(cluster: &Cluster<'_>, report: &mut Report) {
    let endpoint = cluster.endpoint;
    let (Some(address), Some(at)) = (endpoint.address(), endpoint.said_at()) else { return };
    let Some((node, key)) = cluster.nodes.iter().find_map(|node| {
        let mut keys = node.addresses().zip(["address", "secondAddress"]);
        keys.find_map(|(own, key)| (own == address).then_some((node, key)))
    }) else {
        return;
    };
    let name = &node.name;
    let answers = |place: &usize| *place == node.index;
    let alone = match &endpoint.balancer {
        Some(balancer) => balancer.hosts.iter().all(answers),
        None => endpoint.backends.iter().all(|backend| answers(&backend.host)),
    };
    let (message, label, help) = match endpoint.vip() {
        Some(_) => (
            format!("the VIP {address} is the address of node {name}"),
            "must be free: it moves between machines",
            "choose an address of the same subnet that no machine and no DHCP range uses",
        ),
        None => (
            format!("somebody else's balancer has the address of node {name}, {address}"),
            "no node answers for it",
            match alone {
                true => {
                    "remove `address`, and `holder` where it stands: the node's own address is the endpoint then"
                }
                false => {
                    "write the address of the balancer in front, which is none of the nodes: one that balances has the role `load-balancer`"
                }
            },
        ),
    };
    report.push(
        Finding::new(&codes::VIP_IS_NODE, at, message)
            .label(label)
            .because(node.path().key(key), "this node's own address")
            .help(help),
    );
}

fn vip(held: &Virtual, cluster: &Cluster<'_>, report: &mut Report) {
    let at = Path::of(&["endpoint", "vip"]);
    let Virtual { address: vip, subnet, hosts } = held;
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
    // In a range of pods or services it is `endpoint/vip-in-cluster-range`, of another family than
    // the nodes `cluster/address-family`.
    if in_range(*vip, cluster).is_some() {
        return;
    }
    let strays =
        |node: &&Host| node.address.is_ipv4() == vip.is_ipv4() && !subnet.contains(&node.address);
    let outside: Vec<&Host> =
        hosts.iter().map(|place| &cluster.nodes[*place]).filter(strays).collect();
    if outside.is_empty() {
        return;
    }
    let (nodes, are) = if outside.len() == 1 { ("node", "is") } else { ("nodes", "are") };
    let names = listed(outside.iter().map(|node| &node.name));
    let help = match outside.iter().any(|node| node.load_balancer()) {
        true => "put all load balancers into the VIP's subnet, with its real prefix".to_owned(),
        false => format!(
            "put those that hold the VIP into its subnet, with its real prefix, or write {} \
             instead of `vip`, which needs no common subnet",
            ways(cluster).node_local()
        ),
    };
    let finding = Finding::new(
        &codes::VIP_OUTSIDE_SUBNET,
        at,
        format!("{nodes} {names} {are} not in the VIP's subnet {subnet}"),
    )
    .label(match cluster.endpoint.holder {
        Holder::KubeVip(_) => "ARP finds an address in its own subnet only",
        _ => "VRRP cannot move an address between subnets",
    })
    .help(help);
    report.push(outside.iter().fold(finding, |finding, node| {
        finding.because(node.path().key("address"), "outside the subnet")
    }));
}

/// What there is to another way than the one that is said.
fn ways<'a>(cluster: &Cluster<'a>) -> Ways<'a> {
    Ways {
        hosts: cluster.nodes,
        api_port: cluster.api_port,
        port: Some(cluster.endpoint.port),
        vip: cluster.endpoint.vip().is_some(),
    }
}

/// The range of pods or services that takes the endpoint's address in, and no node: where nodes are
/// in it, `cluster/networks-overlap` speaks of all of them.
pub(in crate::site) fn in_range(
    address: IpAddr,
    cluster: &Cluster<'_>,
) -> Option<(&'static str, &'static str, IpNet)> {
    let pods = cluster.pod_subnets.iter().map(|range| ("podSubnet", "pods", *range));
    let services = cluster.service_subnets.iter();
    let services = services.map(|range| ("serviceSubnet", "services", *range));
    let nodes = |range: &IpNet| {
        cluster.nodes.iter().flat_map(Host::addresses).any(|address| range.contains(&address))
    };
    pods.chain(services).find(|(.., range)| range.contains(&address) && !nodes(range))
}

/// Packets for the endpoint would go to pods or services.
fn ranges(cluster: &Cluster<'_>, report: &mut Report) {
    let (Some(address), Some(at)) = (cluster.endpoint.address(), cluster.endpoint.said_at()) else {
        return;
    };
    let Some((key, whose, range)) = in_range(address, cluster) else { return };
    let (what, help) = match cluster.endpoint.vip() {
        Some(_) => ("VIP", "choose a VIP in the nodes' subnet, or a network elsewhere"),
        None => ("address", "write the balancer's real address, or choose a network elsewhere"),
    };
    report.push(
        Finding::new(
            &codes::VIP_IN_CLUSTER_RANGE,
            at,
            format!("the {what} {address} lies inside the {whose} network {range}"),
        )
        .because(Path::of(&["cluster"]).key(key), format!("the {whose} network"))
        .help(help),
    );
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
            .help(format!("use another port for the endpoint, such as {}", another_port(port))),
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
    // Where no API server listens on the endpoint's port already.
    let alone = endpoint.port == cluster.api_port && !node.control_plane();
    let where_else = if alone { " that is no control plane" } else { "" };
    let ways = ways(cluster);
    let node_local =
        || format!("{} and write {}", without_role("load-balancer", [node]), ways.node_local());
    let with = if node.own_interface { ", with its `interface`" } else { "" };
    let help = match endpoint.holder {
        Holder::External => {
            format!("give the role `load-balancer` to a second node{where_else}")
        }
        Holder::Vrrp(_) => format!(
            "give the role `load-balancer` to a second node of the VIP's subnet{where_else}{with}, \
             or {} instead of `vip`",
            node_local()
        ),
        Holder::Host | Holder::Loopback | Holder::KubeVip(_) => format!(
            "give the role `load-balancer` to a second node of its subnet{where_else}{with}, and the \
             endpoint {}, or {}",
            ways.keepalived(),
            node_local()
        ),
    };
    report.push(
        Finding::new(&codes::SINGLE_POINT, node.path().key("roles"), message)
            .label("the only load balancer")
            .help(help),
    );
}
