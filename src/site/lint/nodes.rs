use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::report::{Finding, Path, Report};
use crate::site::{Cluster, EtcdMode, Host, NodeNetwork, codes};

pub(super) fn lint(cluster: &Cluster<'_>, report: &mut Report) {
    unique(
        cluster,
        |node| node.name.clone(),
        |node, first, value| {
            Finding::new(
                &codes::DUPLICATE_NODE,
                node.path().key("name"),
                format!("two nodes have the name {value}"),
            )
            .label("the name is taken")
            .because(first.path().key("name"), "by this node")
            .help("give every node a name of its own: it is the Kubernetes node's name")
        },
        report,
    );
    addresses(cluster, report);
    for node in cluster.nodes {
        taints(node, report);
        second_address(node, cluster, report);
        edge(node, cluster, report);
        unread(node, report);
    }
    empty_subnets(cluster, report);
    forgotten_second_address(cluster, report);
    control_planes(cluster, report);
}

/// Each address is one machine's.
fn addresses(cluster: &Cluster<'_>, report: &mut Report) {
    let mut seen: BTreeMap<IpAddr, (&Host, Path)> = BTreeMap::new();
    for node in cluster.nodes {
        let keys = ["address", "secondAddress"].map(|key| node.path().key(key));
        for (address, at) in node.addresses().zip(keys) {
            if let Some((first, theirs)) = seen.get(&address) {
                let message =
                    format!("nodes {} and {} have the address {address}", first.name, node.name);
                report.push(
                    Finding::new(&codes::DUPLICATE_ADDRESS, at, message)
                        .label("the address is taken")
                        .because(theirs.clone(), format!("by {}", first.name))
                        .help("give every node its own address"),
                );
            } else {
                seen.insert(address, (node, at));
            }
        }
    }
}

/// The kubelet takes a pair of families in `--node-ip`, and nothing else
/// (`ParseNodeIPArgument` in k8s.io/component-helpers/node/util).
fn second_address(node: &Host, cluster: &Cluster<'_>, report: &mut Report) {
    let Some(second) = node.second_address else { return };
    let at = node.path().key("secondAddress");
    let finding = |message: String| Finding::new(&codes::SECOND_ADDRESS, at.clone(), message);
    if second.is_ipv4() == node.address.is_ipv4() {
        report.push(
            finding(format!("{second} is of the family of {}", node.address))
                .because(node.path().key("address"), "the first")
                .help("write the node's address of the other family, or remove it"),
        );
    } else if !node.kubelet() {
        report.push(
            finding(format!("node {} runs no kubelet, which would register it", node.name))
                .label("nobody reads it")
                .help("remove it"),
        );
    } else if !cluster.release.dual_stack {
        report.push(
            finding(format!("Kubernetes {} has no dual stack", cluster.version))
                .because(Path::of(&["cluster", "kubernetes"]), "this release")
                .help("remove it, or use Kubernetes 1.21 or newer"),
        );
    }
}

/// Some kubelets register two addresses and others one.
fn forgotten_second_address(cluster: &Cluster<'_>, report: &mut Report) {
    let kubelets = || cluster.nodes.iter().filter(|node| node.kubelet());
    let with = kubelets().find(|node| node.second_address.is_some());
    let without: Vec<&Host> = kubelets().filter(|node| node.second_address.is_none()).collect();
    let (Some(with), [first, rest @ ..]) = (with, &without[..]) else { return };
    let others = match rest.len() {
        0 => "has".to_owned(),
        more => format!("and {more} more have"),
    };
    let message = format!("node {} {others} no second address, which other nodes have", first.name);
    report.push(
        Finding::new(&codes::SECOND_ADDRESS_MISSING, first.path(), message)
            .label("registered with one address")
            .because(with.path().key("secondAddress"), format!("{} has two", with.name))
            .help("add `secondAddress: …` to each of them"),
    );
}

/// The API server refuses a node with two of one key and effect (`validateNodeTaints` in
/// `pkg/apis/core/validation/validation.go`).
fn taints(node: &Host, report: &mut Report) {
    let taints = node.taints.as_deref().unwrap_or_default();
    for (index, (key, _, effect)) in taints.iter().enumerate() {
        let same = |(other, _, its): &(String, String, String)| other == key && its == effect;
        let Some(first) = taints[..index].iter().position(same) else { continue };
        let at = node.path().key("taints");
        report.push(
            Finding::new(
                &codes::DUPLICATE_TAINT,
                at.index(index),
                format!("node {} has a taint {key}:{effect} already", node.name),
            )
            .label("the API server would refuse the node")
            .because(at.index(first), "the first")
            .help("remove one of the two"),
        );
    }
}

/// What only a kubelet or an API server would read.
fn unread(node: &Host, report: &mut Report) {
    let kubelet = ("runs no kubelet", "neither `worker` nor `control-plane`");
    let server = ("runs no API server", "not `control-plane`");
    let keys = [
        ("labels", !node.labels.is_empty(), node.kubelet(), kubelet),
        ("taints", node.taints.is_some(), node.kubelet(), kubelet),
        ("extraSans", !node.extra_sans.is_empty(), node.control_plane(), server),
    ];
    for (key, said, read, (why, role)) in keys {
        if said && !read {
            let message = format!("node {} {why}, so nobody reads its `{key}`", node.name);
            report.push(
                Finding::new(&codes::UNUSED_NODE_KEY, node.path().key(key), message)
                    .label("without effect")
                    .because(node.path().key("roles"), role)
                    .help(format!("remove `{key}`")),
            );
        }
    }
}

/// A network may wait for nodes to come, but not beside nodes that are in none.
fn empty_subnets(cluster: &Cluster<'_>, report: &mut Report) {
    let networks = &cluster.site.networks;
    let outside = |node: &&Host| !cluster.site.is_in_networks(node.address);
    let Some(stranger) = cluster.nodes.iter().find(outside) else { return };
    let holds = |network: &NodeNetwork| {
        cluster.nodes.iter().flat_map(Host::addresses).any(|one| network.range.contains(&one))
    };
    // The VIP's is judged with the VIP.
    let said = networks.iter().filter(|network| network.at != Path::of(&["endpoint", "vip"]));
    for NodeNetwork { range, at } in said.filter(|network| !holds(network)) {
        let message =
            format!("no node is in {range}, and node {} in no such network", stranger.name);
        report.push(
            Finding::new(&codes::EMPTY_NODE_SUBNET, at.clone(), message)
                .label("firewalls and proxies would be told of it instead of the nodes")
                .because(stranger.path().key("address"), "in none of them")
                .help("write the network that the nodes are in"),
        );
    }
}

/// The nodes' subnet is known where the VIP is in it.
fn edge(node: &Host, cluster: &Cluster<'_>, report: &mut Report) {
    for NodeNetwork { range, at } in &cluster.site.networks {
        let IpNet::V4(subnet) = range else { continue };
        let edges = [("network", subnet.network()), ("broadcast", subnet.broadcast())];
        let edge = edges.iter().find(|(_, edge)| node.address == IpAddr::V4(*edge));
        if let Some((what, _)) = edge.filter(|_| subnet.prefix_len() < 31) {
            report.push(
                Finding::new(
                    &codes::NO_HOST_ADDRESS,
                    node.path().key("address"),
                    format!("{} is the {what} address of {subnet}", node.address),
                )
                .label("no machine can have it")
                .because(at.clone(), "the subnet")
                .help("write the machine's own address"),
            );
        }
    }
}

/// Reports every node whose `key` an earlier node has.
fn unique<K: Ord>(
    cluster: &Cluster<'_>,
    key: impl Fn(&Host) -> K,
    finding: impl Fn(&Host, &Host, &K) -> Finding,
    report: &mut Report,
) {
    let mut seen: BTreeMap<K, &Host> = BTreeMap::new();
    for node in cluster.nodes {
        let value = key(node);
        match seen.get(&value) {
            Some(first) => report.push(finding(node, first, &value)),
            None => {
                seen.insert(value, node);
            }
        }
    }
}

fn control_planes(cluster: &Cluster<'_>, report: &mut Report) {
    let count = cluster.control_planes().count();
    let at = Path::of(&["nodes"]);
    match count {
        0 => report.push(
            Finding::new(&codes::NO_CONTROL_PLANE, at, "no node has the role `control-plane`")
                .help("give at least one node `roles: [control-plane]`; three survive a loss"),
        ),
        // Behind its own address it is what was asked for.
        1 if cluster.endpoint.vip().is_none() => {}
        1 => report.push(
            Finding::new(
                &codes::SINGLE_CONTROL_PLANE,
                at,
                "a highly available endpoint over a single control plane",
            )
            .because(Path::of(&["endpoint", "vip"]), "the VIP has nowhere else to go")
            .help("add two nodes with `roles: [control-plane]`"),
        ),
        // Without members of etcd, control planes need no majority.
        _ if count.is_multiple_of(2) && cluster.etcd.mode == EtcdMode::Stacked => {
            let fewer = count - 1;
            let lost = match fewer / 2 {
                0 => "none".to_owned(),
                lost => lost.to_string(),
            };
            report.push(
                Finding::new(
                    &codes::EVEN_CONTROL_PLANES,
                    at,
                    format!(
                        "the etcd of {count} control planes needs {} of them and survives the loss of {lost}, as that of {fewer} would",
                        count / 2 + 1
                    ),
                )
                .label(format!("{count} control planes"))
                .help("use an odd number of control planes: 3 or 5"),
            );
        }
        _ => {}
    }
}
