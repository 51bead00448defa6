use ipnet::IpNet;

use crate::inventory::cni::Plugin;
use crate::report::{Finding, Path, Report};
use crate::site::{Cluster, NodeNetwork, codes, endpoint};

/// Docker's default bridge, `docker0`: <https://docs.docker.com/engine/network/drivers/bridge/>.
const DOCKER_BRIDGE: &str = "172.17.0.0/16";
/// kubeadm's limits on host bits of a service network (`validation.ValidateIPNetFromString`).
const SERVICE_HOST_BITS: u8 = 20;
/// kubeadm wants ten addresses: the tenth is the DNS's.
const SERVICE_LEAST_BITS: u8 = 4;

struct Network {
    what: &'static str,
    at: Path,
    range: IpNet,
}

pub(super) fn lint(cluster: &Cluster<'_>, report: &mut Report) {
    let pods = Path::of(&["cluster", "podSubnet"]);
    let services = Path::of(&["cluster", "serviceSubnet"]);
    let networks: Vec<Network> = named("pods", &pods, &cluster.pod_subnets)
        .chain(named("services", &services, &cluster.service_subnets))
        .collect();
    overlaps(cluster, &networks, report);
    families(cluster, &pods, &services, report);
    for network in &networks {
        private(network, report);
    }
    for network in &cluster.site.networks {
        node_network(network, report);
    }
    for range in &cluster.pod_subnets {
        pod_range(cluster, range, &pods, report);
    }
    for range in &cluster.service_subnets {
        service_range(range, &services, report);
    }
}

fn named<'a>(
    what: &'static str,
    at: &'a Path,
    ranges: &'a [IpNet],
) -> impl Iterator<Item = Network> + 'a {
    ranges.iter().map(move |range| Network { what, at: at.clone(), range: *range })
}

fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

fn overlaps(cluster: &Cluster<'_>, networks: &[Network], report: &mut Report) {
    let mut clash = |network: &Network, other: &str, range: IpNet, at: Option<Path>| {
        let finding = Finding::new(
            &codes::NETWORKS_OVERLAP,
            network.at.clone(),
            format!("the {} network {} overlaps {other} {range}", network.what, network.range),
        )
        .label("packets would be lost on the way")
        .help("choose a private network that nothing else uses");
        report.push(match at {
            Some(at) => finding.because(at, other.trim_end_matches(',').to_owned()),
            None => finding,
        });
    };
    for (position, network) in networks.iter().enumerate() {
        for other in &networks[..position] {
            if overlap(&network.range, &other.range) {
                let name = format!("the {} network", other.what);
                clash(network, &name, other.range, Some(other.at.clone()));
            }
        }
        // A VIP that alone strays into a range is `endpoint/vip-in-cluster-range`.
        let vip = cluster.endpoint.vip();
        let astray = vip.and_then(|vip| endpoint::in_range(vip.address, cluster));
        let told = |theirs: &&NodeNetwork| {
            astray.is_some_and(|(.., range)| range == network.range)
                && theirs.at == Path::of(&["endpoint", "vip"])
        };
        let mut networks = cluster.site.networks.iter().filter(|theirs| !told(theirs));
        if let Some(theirs) = networks.find(|theirs| overlap(&network.range, &theirs.range)) {
            clash(network, "the nodes' subnet", theirs.range, Some(theirs.at.clone()));
        } else if let Some((address, at)) = cluster.nodes.iter().find_map(|node| {
            let keys = ["address", "secondAddress"].map(|key| node.path().key(key));
            node.addresses().zip(keys).find(|(address, _)| network.range.contains(address))
        }) {
            let address = IpNet::from(address);
            clash(network, "the address of a node,", address, Some(at));
        }
        let docker: Option<IpNet> = DOCKER_BRIDGE.parse().ok();
        if let Some(docker) = docker
            && cluster.runtime.kind == crate::site::RuntimeKind::Docker
            && overlap(&network.range, &docker)
        {
            clash(network, "docker's own bridge", docker, Some(Path::of(&["runtime", "kind"])));
        }
    }
}

fn families(cluster: &Cluster<'_>, pods: &Path, services: &Path, report: &mut Report) {
    let v4 = |range: &IpNet| range.addr().is_ipv4();
    let Some(first) = cluster.nodes.first() else { return };
    let mut family = ("the first one", first.address, first.path().key("address"));
    if let (Some(address), Some(at)) = (cluster.endpoint.address(), cluster.endpoint.said_at()) {
        let what = if cluster.endpoint.vip().is_some() { "the VIP" } else { "the endpoint" };
        // Where some nodes are of its family, the others are the odd ones.
        if cluster.nodes.iter().any(|node| node.address.is_ipv4() == address.is_ipv4()) {
            family = (what, address, at);
        } else {
            let (.., node) = &family;
            let message = format!("{what} {address} is not of the nodes' address family");
            report.push(
                Finding::new(&codes::ADDRESS_FAMILY, at, message)
                    .because(node.clone(), "the family of the first one")
                    .help("write an address of the nodes' family"),
            );
        }
    }
    let (what, address, place) = family;
    let node_v4 = address.is_ipv4();
    let mismatch = |at: Path, message: String| {
        let label = format!("the family of {}", what.replace("VIP", "endpoint"));
        Finding::new(&codes::ADDRESS_FAMILY, at, message).because(place.clone(), label)
    };
    for node in cluster.nodes.iter().filter(|node| node.address.is_ipv4() != node_v4) {
        report.push(
            mismatch(
                node.path().key("address"),
                format!("node {} and {what} are of different address families", node.name),
            )
            .help(match what {
                "the VIP" => "give nodes and VIP addresses of one family",
                _ => "give all of them addresses of one family",
            }),
        );
    }
    let [of_pods, of_services] = match node_v4 {
        true => ["podSubnet: 10.244.0.0/16", "serviceSubnet: 10.96.0.0/12"],
        false => ["podSubnet: fd00:10:244::/56", "serviceSubnet: fd00:10:96::/112"],
    };
    for (ranges, at, example) in
        [(&cluster.pod_subnets, pods, of_pods), (&cluster.service_subnets, services, of_services)]
    {
        if ranges.first().is_some_and(|first| v4(first) != node_v4) {
            let finding = mismatch(
                at.clone(),
                "the first network is not of the nodes' address family".into(),
            );
            report.push(match ranges.iter().any(|range| v4(range) == node_v4) {
                true => finding.help("name the network of the nodes' family first"),
                false => finding.help(format!("write one of their family, such as `{example}`")),
            });
        }
        if ranges.len() > 1 && !cluster.release.dual_stack {
            report.push(
                Finding::new(
                    &codes::ADDRESS_FAMILY,
                    at.clone(),
                    format!(
                        "Kubernetes {} has no dual stack without feature gates",
                        cluster.version
                    ),
                )
                .because(Path::of(&["cluster", "kubernetes"]), "this release")
                .help("name one network, or use Kubernetes 1.21 or newer"),
            );
        }
    }
    if cluster.pod_subnets.len() != cluster.service_subnets.len() {
        report.push(
            Finding::new(
                &codes::ADDRESS_FAMILY,
                services.clone(),
                "pods and services do not have the same address families",
            )
            .because(pods.clone(), "the pods' networks")
            .help("give both one network, or both an IPv4 and an IPv6 network"),
        );
    }
}

/// The widest networks of nodes, IPv4 and IPv6: all of 10.0.0.0/8, and more than any provider is given.
const WIDEST: (u8, u8) = (8, 16);

/// The firewall lets in what is in a network of nodes, etcd and VRRP included, and no proxy sees it.
fn node_network(network: &NodeNetwork, report: &mut Report) {
    let NodeNetwork { range, at } = network;
    let widest = if range.addr().is_ipv4() { WIDEST.0 } else { WIDEST.1 };
    if range.prefix_len() < widest {
        report.push(
            Finding::new(
                &codes::NODE_NETWORK_TOO_WIDE,
                at.clone(),
                format!("{range} is no network that nodes are in: it is wider than /{widest}"),
            )
            .label("the firewall would let all of it in")
            .help("write the network of the nodes, such as 192.168.1.0/24"),
        );
    } else if !is_private(range) && at.steps().first() == Path::of(&["cluster"]).steps().first() {
        // A VIP among public addresses is where its machines are.
        report.push(
            Finding::new(
                &codes::PUBLIC_NETWORK,
                at.clone(),
                format!("the nodes' network {range} is public address space"),
            )
            .label("the firewall lets all of it in")
            .help("write the private network of the nodes; where they have none, `allow` this for the range that is yours alone"),
        );
    }
}

/// Private ranges: RFC 1918, RFC 6598 (shared), RFC 4193 (unique local), documentation ranges
/// aside.
fn is_private(network: &IpNet) -> bool {
    let ranges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];
    ranges
        .iter()
        .filter_map(|range| range.parse::<IpNet>().ok())
        .any(|range| range.contains(network))
}

fn private(network: &Network, report: &mut Report) {
    if !is_private(&network.range) {
        report.push(
            Finding::new(
                &codes::PUBLIC_NETWORK,
                network.at.clone(),
                format!("the {} network {} is public address space", network.what, network.range),
            )
            .label("somebody else's addresses become unreachable")
            .help("use a range inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10 or fc00::/7"),
        );
    }
}

/// kubeadm and the controller manager refuse a larger one: a bitmap of 65,536 ranges.
const POD_RANGE_BITS: u8 = 16;

fn pod_range(cluster: &Cluster<'_>, range: &IpNet, at: &Path, report: &mut Report) {
    let node_mask = cluster.pod_masks.prefix_len(range);
    let bits = i32::from(node_mask) - i32::from(range.prefix_len());
    let kubelets = cluster.nodes.iter().filter(|node| node.kubelet()).count();
    let problem = if node_mask > range.max_prefix_len() {
        Some(format!("a /{node_mask} of {range} is no network"))
    } else if node_mask + 2 > range.max_prefix_len() && cluster.pod_network != Plugin::None {
        // The network's own address, the bridge's and the last one are not for pods.
        Some(format!("a /{node_mask} of {range} has no address left for a pod"))
    } else if bits < 0 {
        Some(format!("{range} is smaller than the /{node_mask} that one node needs"))
    } else if bits > i32::from(POD_RANGE_BITS) {
        Some(format!("{range} is more than 16 bits larger than the /{node_mask} of one node"))
    } else if kubelets > 1usize << bits {
        Some(format!(
            "{range} has a /{node_mask} for {} nodes, but there are {kubelets}",
            1 << bits
        ))
    } else {
        None
    };
    let Some(problem) = problem else { return };
    // The bits that number the nodes.
    let least = u8::try_from(kubelets.next_power_of_two().ilog2()).unwrap_or(POD_RANGE_BITS);
    let nodes = (Path::of(&["nodes"]), format!("{kubelets} nodes run pods"));
    let finding = match cluster.pod_masks.path(range) {
        Some(mask) => {
            let widest = range.prefix_len() + least;
            let narrowest = (range.prefix_len() + POD_RANGE_BITS).min(range.max_prefix_len() - 2);
            Finding::new(&codes::POD_RANGE_TOO_SMALL, mask, problem)
                .because(at.clone(), "the addresses of all pods")
                .help(format!("write a number from {widest} to {narrowest}"))
        }
        None => Finding::new(&codes::POD_RANGE_TOO_SMALL, at.clone(), problem).help(format!(
            "choose a network between /{} and /{}",
            node_mask - POD_RANGE_BITS,
            node_mask - least
        )),
    };
    report.push(finding.because(nodes.0, nodes.1));
}

fn service_range(range: &IpNet, at: &Path, report: &mut Report) {
    let host_bits = range.max_prefix_len() - range.prefix_len();
    let problem = if host_bits < SERVICE_LEAST_BITS {
        format!("{range} has no tenth address, which the DNS service takes")
    } else if host_bits > SERVICE_HOST_BITS {
        format!("{range} is larger than kubeadm and the API server accept")
    } else {
        return;
    };
    let (widest, narrowest) =
        (range.max_prefix_len() - SERVICE_HOST_BITS, range.max_prefix_len() - SERVICE_LEAST_BITS);
    report.push(
        Finding::new(&codes::SERVICE_RANGE_TOO_SMALL, at.clone(), problem)
            .help(format!("choose a network between /{widest} and /{narrowest}")),
    );
}
