//! The endpoint against everything else: the VIP's subnet, the ports on the control planes, the
//! names in certificates.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{
    Cluster, EtcdMode, Host, Kubernetes, LoadBalancerKind, authorities, host_port, layout, loopback,
};
use crate::inventory::{EndpointSection, Inventory};
use crate::pki::Authority;
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

/// An address under which something is reached, wherever it runs at the moment.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// What balancers and VRRP instances are called after.
    pub name: &'static str,
    /// Its section of the inventory.
    pub at: Path,
    /// The virtual address.
    pub vip: IpAddr,
    /// The subnet that the VIP lives in, with the network's own address.
    pub subnet: IpNet,
    /// The port that clients use.
    pub port: u16,
    /// A DNS name for it.
    pub dns_name: Option<String>,
    /// The machines of which one at a time holds the address, by their places in
    /// [`Site::hosts`](super::Site::hosts); they agree by VRRP.
    pub holders: Vec<usize>,
    /// Who passes sessions on to what is behind it.
    pub balancer: Balancer,
    /// What is behind it.
    pub backends: Vec<Backend>,
    /// How one of these is known to be alive.
    pub alive: Alive,
    /// Other doors, address and port, that tell a machine without a [`Backend::quorum`] that it is
    /// not cut off.
    pub witnesses: Vec<(IpAddr, u16)>,
}

/// Who listens on an endpoint's port.
#[derive(Clone, Debug)]
pub struct Balancer {
    /// The program.
    pub kind: LoadBalancerKind,
    /// The machines that run it, by their places.
    pub hosts: Vec<usize>,
    /// Where haproxy answers `GET /healthz` on loopback: 200 while a backend is alive.
    pub status_port: u16,
}

/// One server behind an endpoint.
#[derive(Clone, Debug)]
pub struct Backend {
    /// The machine, by its place.
    pub host: usize,
    /// The machine's name.
    pub name: String,
    /// Its address.
    pub address: IpAddr,
    /// The server's own port.
    pub port: u16,
    /// A file of the machine from whose appearance on the server may be expected to run.
    pub starts_with: &'static str,
    /// A URL on the machine's own loopback that answers only while what the server stands on has
    /// its quorum.
    pub quorum: Option<String>,
    /// Why a balancer has to ask: what can be lost while the server goes on accepting sessions.
    pub hollow: Option<(Path, &'static str)>,
}

/// How a server is known to be alive.
#[derive(Clone, Debug)]
pub enum Alive {
    /// It answers 200 to a GET over TLS.
    Get {
        /// The path.
        path: String,
        /// The name in its certificate.
        server_name: &'static str,
        /// Who signed that.
        authority: Authority,
        /// Where a machine with such a server has the authority's certificate.
        ca: String,
    },
    /// It accepts connections.
    Connect,
}

impl Endpoint {
    /// `192.168.1.33:12567`, brackets around IPv6: kubeadm's controlPlaneEndpoint.
    pub fn host_port(&self) -> String {
        host_port(self.vip, self.port)
    }

    /// `https://192.168.1.33:12567`: the server of kubeconfigs.
    pub fn url(&self) -> String {
        format!("https://{}", self.host_port())
    }

    /// The server on this machine.
    pub fn backend_on(&self, host: &Host) -> Option<&Backend> {
        self.backends.iter().find(|backend| backend.host == host.index)
    }

    /// Whether this machine passes its sessions on.
    pub fn is_balanced_on(&self, host: &Host) -> bool {
        self.balancer.hosts.contains(&host.index)
    }
}

/// A name in every API server's certificate, whichever way it was issued: kubeadm's list begins
/// with the node's name and this one
/// (<https://kubernetes.io/docs/setup/best-practices/certificates/>).
const API_SERVER_NAME: &str = "kubernetes";

/// The API's: on every control plane a balancer, and behind each all API servers.
pub(super) fn of_api(said: &Inventory, facts: &Kubernetes, hosts: &[Host]) -> Endpoint {
    let EndpointSection { vip, port, interface: _, name } = &said.endpoint;
    let control_planes = || hosts.iter().filter(|host| host.control_plane());
    let members = facts.etcd.members.iter().map(|index| &hosts[*index]);
    let hollow = || {
        let etcd = Path::of(&["etcd"]);
        facts.etcd.local_endpoints.then(|| match facts.etcd.mode {
            EtcdMode::Stacked => (etcd.key("mode"), "stacked: each API server has one member"),
            EtcdMode::External => {
                (etcd.key("endpoints"), "each API server is given the member of its own node only")
            }
        })
    };
    Endpoint {
        name: "apiserver",
        at: Path::of(&["endpoint"]),
        vip: vip.get().addr(),
        subnet: vip.get().trunc(),
        port: port.get(),
        dns_name: name.as_ref().map(ToString::to_string),
        holders: control_planes().map(|host| host.index).collect(),
        balancer: Balancer {
            kind: said.load_balancer.kind,
            hosts: control_planes().map(|host| host.index).collect(),
            // The port of haproxy's own examples for its exporter.
            status_port: said.load_balancer.haproxy.stats_port.map_or(8404, |port| port.get()),
        },
        backends: control_planes()
            .map(|host| Backend {
                host: host.index,
                name: host.name.clone(),
                address: host.address,
                port: facts.api_port,
                starts_with: layout::API_SERVER,
                quorum: host.member().then(|| {
                    let metrics = host_port(loopback(host.address), facts.etcd.metrics_port);
                    format!("http://{metrics}/health")
                }),
                hollow: hollow(),
            })
            .collect(),
        alive: Alive::Get {
            path: facts.release.health_path.clone(),
            server_name: API_SERVER_NAME,
            authority: authorities::KUBERNETES,
            ca: format!("{}/ca.crt", layout::PKI),
        },
        witnesses: members.map(|member| (member.address, facts.etcd.client_port)).collect(),
    }
}

/// net.ipv4.ip_local_port_range default: `Documentation/networking/ip-sysctl.rst`.
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;

pub(super) fn lint(cluster: &Cluster<'_>, report: &mut Report) {
    vip(cluster, report);
    port(cluster, report);
    name(cluster, report);
}

fn name(cluster: &Cluster<'_>, report: &mut Report) {
    let Some(name) = cluster.endpoint.dns_name.as_deref() else { return };
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

fn vip(cluster: &Cluster<'_>, report: &mut Report) {
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

fn port(cluster: &Cluster<'_>, report: &mut Report) {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::overlaid::outcome;

    /// What is said of an endpoint like this, with the places below it.
    fn said(overlay: serde_json::Value) -> Vec<String> {
        let outcome = outcome(&overlay.to_string());
        let found = outcome.report.findings().iter();
        let found = found.filter_map(|found| {
            let code = found.code.id.strip_prefix("endpoint/")?;
            Some(format!("{code} at {}", found.at.to_string().replace("endpoint.", "")))
        });
        found.collect()
    }

    #[test]
    fn the_vip_is_a_free_address_of_its_subnet() {
        let alone = |address: &str, vip: &str| {
            let node = json!({"name": "a", "address": address, "roles": ["control-plane"]});
            said(json!({"endpoint": {"vip": vip}, "nodes": [node]}))
        };
        let of = |vip: &str| said(json!({"endpoint": {"vip": vip}}));
        assert_eq!(of("192.168.1.33/24"), [""; 0]);
        assert_eq!(of("192.168.1.12/24"), ["vip-is-node at vip"]);
        for edge in ["192.168.1.0/24", "192.168.1.255/24"] {
            assert_eq!(of(edge), ["vip-outside-subnet at vip"], "{edge}");
        }
        assert_eq!(of("192.168.2.33/24"), ["vip-outside-subnet at vip"; 3]);
        assert_eq!(alone("192.168.1.9", "192.168.1.10/30"), [""; 0]);
        assert_eq!(alone("192.168.1.9", "192.168.1.8/30"), ["vip-outside-subnet at vip"]);
        // The two addresses of a /31 are both of hosts (RFC 3021).
        assert_eq!(alone("192.168.1.9", "192.168.1.8/31"), [""; 0]);
        let within = json!({"cluster": {"serviceSubnet": "192.168.0.0/16"}});
        assert_eq!(said(within), ["vip-in-cluster-range at vip"]);
    }

    #[test]
    fn the_port_is_the_balancer_s_alone() {
        let of = |port: u16, range: &str| {
            let flags = match range {
                "" => json!({}),
                range => json!({"apiServer": {"service-node-port-range": range}}),
            };
            said(json!({"endpoint": {"port": port}, "extraArgs": flags}))
        };
        assert_eq!(of(6443, ""), ["port-taken at port"]);
        for (port, range) in [(6444, ""), (29_999, ""), (31_000, "20000-40000"), (61_000, "")] {
            assert_eq!(of(port, range), [""; 0], "{port} {range}");
        }
        assert_eq!(of(32_767, ""), ["port-in-nodeport-range at port"]);
        assert_eq!(of(32_768, ""), ["port-ephemeral at port"]);
    }

    #[test]
    fn the_name_is_no_machine_s() {
        let of = |name: &str| said(json!({"endpoint": {"name": name}}));
        for taken in ["cp2", "localhost"] {
            assert_eq!(of(taken), ["name-taken at name"], "{taken}");
        }
        assert_eq!(of("api.example.com"), [""; 0]);
    }
}
