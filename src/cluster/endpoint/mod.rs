//! The endpoint against everything else: the VIP's subnet, the ports on the control planes, the
//! names in certificates.

use ipnet::IpNet;

use super::Cluster;
use crate::pki::{CertSpec, San};
use crate::report::{Finding, Path, Report};

crate::codes! { "endpoint":
    VIP_IS_NODE = Error "vip-is-node",
    VIP_OUTSIDE_SUBNET = Error "vip-outside-subnet",
    VIP_IN_CLUSTER_RANGE = Error "vip-in-cluster-range",
    PORT_TAKEN = Error "port-taken",
    PORT_IN_NODEPORT_RANGE = Error "port-in-nodeport-range",
    PORT_EPHEMERAL = Warning "port-ephemeral",
    NAME_TAKEN = Error "name-taken",
    NO_SAN = Error "no-san",
}

/// net.ipv4.ip_local_port_range default: `Documentation/networking/ip-sysctl.rst`.
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;

pub(super) fn lint(cluster: &Cluster, report: &mut Report) {
    vip(cluster, report);
    port(cluster, report);
    name(cluster, report);
}

fn name(cluster: &Cluster, report: &mut Report) {
    let Some(name) = cluster.endpoint.name.as_deref() else { return };
    let node = cluster.nodes.iter().find(|node| node.name == name);
    if node.is_none() && name != "localhost" {
        return;
    }
    let finding = Finding::new(
        &NAME_TAKEN,
        Path::of(&["endpoint", "name"]),
        format!("`{name}` would have two addresses, the VIP among them"),
    )
    .label("the name of one machine")
    .help("give the endpoint a name of its own, such as api.example.com");
    report.push(match node {
        Some(node) => finding.because(node.path().key("name"), "this node's name"),
        None => finding,
    });
}

fn vip(cluster: &Cluster, report: &mut Report) {
    let at = Path::of(&["endpoint", "vip"]);
    let vip = cluster.endpoint.vip;
    let subnet = cluster.endpoint.subnet;
    if let Some(node) = cluster.nodes.iter().find(|node| node.address == vip) {
        report.push(
            Finding::new(
                &VIP_IS_NODE,
                at.clone(),
                format!("the VIP {vip} is the address of node {}", node.name),
            )
            .label("must be free: it moves between control planes")
            .because(node.path().key("address"), "this node's own address")
            .help("choose an address of the same subnet that no machine and no DHCP range uses"),
        );
    }
    let edge = match subnet {
        IpNet::V4(net) if net.prefix_len() < 31 => vip == net.network() || vip == net.broadcast(),
        _ => false,
    };
    if edge {
        report.push(
            Finding::new(
                &VIP_OUTSIDE_SUBNET,
                at.clone(),
                format!("{vip} is the network or broadcast address of {subnet}"),
            )
            .help("choose a host address of the subnet"),
        );
    }
    for node in cluster.control_planes().filter(|node| !subnet.contains(&node.address)) {
        report.push(
            Finding::new(
                &VIP_OUTSIDE_SUBNET,
                at.clone(),
                format!("node {} is not in the VIP's subnet {subnet}", node.name),
            )
            .label("VRRP cannot move an address between subnets")
            .because(node.path().key("address"), "outside the subnet")
            .help("put the control planes and the VIP into one subnet, with its real prefix"),
        );
    }
    let ranges = [
        ("podSubnet", "pods", &cluster.pod_subnets),
        ("serviceSubnet", "services", &cluster.service_subnets),
    ];
    for (key, what, networks) in ranges {
        if let Some(range) = networks.iter().find(|range| range.contains(&vip)) {
            report.push(
                Finding::new(
                    &VIP_IN_CLUSTER_RANGE,
                    at.clone(),
                    format!("the VIP {vip} lies inside the {what} network {range}"),
                )
                .because(Path::of(&["cluster"]).key(key), format!("the {what} network"))
                .help("choose a VIP in the nodes' subnet, and a network elsewhere"),
            );
        }
    }
}

fn port(cluster: &Cluster, report: &mut Report) {
    let at = Path::of(&["endpoint", "port"]);
    let port = cluster.endpoint.port;
    if port == cluster.api_port {
        report.push(
            Finding::new(
                &PORT_TAKEN,
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
                &PORT_IN_NODEPORT_RANGE,
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
                &PORT_EPHEMERAL,
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

/// Every name and address that clients use must be in every API server's certificate. Rooms see to
/// it; this proves it.
pub fn names(
    cluster: &Cluster,
    certificates: &[CertSpec],
    wanted: &[(San, Path)],
    report: &mut Report,
) {
    for node in cluster.control_planes() {
        let id = format!("nodes/{}/apiserver", node.name);
        let Some(spec) = certificates.iter().find(|spec| spec.id == id) else { continue };
        for (name, at) in wanted.iter().filter(|(name, _)| !spec.sans.contains(name)) {
            let shown = match name {
                San::Dns(name) => name.clone(),
                San::Ip(address) => address.to_string(),
            };
            report.push(
                Finding::new(
                    &NO_SAN,
                    at.clone(),
                    format!("{shown} is not in the certificate of the API server on {}", node.name),
                )
                .help("this is a defect of hagen: please report it with the inventory"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rooms::trial::claimed;

    #[test]
    fn a_name_that_a_certificate_lacks_is_told_of_each_api_server_without_it() {
        let (cluster, claims) = claimed(&json!({}));
        let mut certificates = claims.certificates;
        let vip = San::Ip(cluster.endpoint.vip);
        let found = |certificates: &[CertSpec]| -> Vec<String> {
            let mut report = Report::new();
            names(&cluster, certificates, &[(vip.clone(), Path::root())], &mut report);
            report.findings().iter().map(|finding| finding.message.clone()).collect()
        };
        assert_eq!(found(&certificates), [""; 0]);
        let second = certificates.iter_mut().find(|spec| spec.id == "nodes/cp2/apiserver");
        second.unwrap().sans.remove(&vip);
        let of_cp2 = "192.168.1.33 is not in the certificate of the API server on cp2";
        assert_eq!(found(&certificates), [of_cp2]);
    }
}
