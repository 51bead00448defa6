use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::plan::HostPlan;
use crate::catalog::OsFamily;
use crate::claims::{AllOnNode, Bind, Port, Protocol, Reach};
use crate::document::Assignments;
use crate::rooms::OfCluster;
use crate::site::{Cluster, Host};

/// The zone that firewalld lets everything through in.
const TRUSTED: &str = "trusted";

/// What firewalld is told, as `ZONE WHAT`, `-` for the default zone; nothing where it is left alone.
pub(super) fn words(planned: &HostPlan, node: &Host, with: &OfCluster<'_>) -> Assignments {
    let mut rules = Vec::new();
    if is_told(planned, node) {
        let ports = &with.claims.of(node.index).ports;
        if node.kubelet() || ports.iter().any(|port| port.is_for_clients()) {
            rules.push(["-".to_owned(), "service=hagen-kubernetes".to_owned()]);
        }
        let all = ports.iter().map(|port| &**port);
        let limited = limited(all, node, &with.cluster, &planned.outside);
        rules.extend(limited.into_iter().map(|rule| ["-".to_owned(), format!("rich-rule={rule}")]));
        // A service knows ports only, and packets of pods come from and go to any.
        let networks = with.cluster.pod_subnets.iter().filter(|_| node.kubelet());
        rules.extend(networks.map(|net| [TRUSTED.to_owned(), format!("source={net}")]));
    }
    let mut words = Assignments::default();
    words.rows("firewall", rules);
    words
}

fn is_told(planned: &HostPlan, node: &Host) -> bool {
    planned.open_firewall && node.os.family == OsFamily::Rhel
}

/// The rules without which others lose what stays at a reset; `None` where nothing does.
pub(super) fn of_staying(
    planned: &HostPlan,
    node: &Host,
    with: &OfCluster<'_>,
) -> Option<Assignments> {
    let AllOnNode { ports, stays, .. } = with.claims.of(node.index);
    let staying = ports.iter().filter(|port| stays.iter().any(|stays| stays.room == port.room));
    let rules = match is_told(planned, node) {
        true => limited(staying.map(|port| &**port), node, &with.cluster, &planned.outside),
        false => BTreeSet::new(),
    };
    let mut words = Assignments::default();
    words.list("staying_firewall", rules.into_iter().map(|rule| format!("rich-rule={rule}")));
    (!stays.is_empty()).then_some(words)
}

/// Rules for what only some may reach, in the language of firewalld.richlanguage(5).
fn limited<'a>(
    ports: impl Iterator<Item = &'a Port> + Clone,
    node: &Host,
    cluster: &Cluster<'_>,
    outside: &[IpAddr],
) -> BTreeSet<String> {
    let everybodys: BTreeSet<u16> =
        ports.clone().filter(|port| port.is_for_clients()).map(|port| port.port).collect();
    let mut rules = BTreeSet::new();
    for port in ports.filter(|port| port.bind != Bind::Loopback) {
        let element = match port.protocol {
            Protocol::Vrrp => r#"protocol value="vrrp""#.to_owned(),
            Protocol::Tcp | Protocol::Udp if everybodys.contains(&port.port) => continue,
            Protocol::Tcp => format!(r#"port port="{}" protocol="tcp""#, port.port),
            Protocol::Udp => format!(r#"port port="{}" protocol="udp""#, port.port),
        };
        for source in sources(port.reach, node, cluster, outside) {
            let family = if source.addr().is_ipv4() { "ipv4" } else { "ipv6" };
            rules.insert(format!(
                r#"rule family="{family}" source address="{source}" {element} accept"#
            ));
        }
    }
    rules
}

/// Where they come from: single machines, but for the nodes, of which there may be thousands. They
/// come from the site's networks, and those outside of these from their own addresses.
fn sources(
    reach: Reach,
    node: &Host,
    cluster: &Cluster<'_>,
    outside: &[IpAddr],
) -> BTreeSet<IpNet> {
    let others = |addresses: &mut dyn Iterator<Item = IpAddr>| -> BTreeSet<IpNet> {
        let own: Vec<IpAddr> = node.addresses().collect();
        addresses.filter(|address| !own.contains(address)).map(IpNet::from).collect()
    };
    match reach {
        Reach::Host | Reach::Clients => BTreeSet::new(),
        Reach::Holders => {
            let hosts = cluster.endpoint.vip().into_iter().flat_map(|held| &held.hosts);
            others(&mut hosts.flat_map(|place| cluster.nodes[*place].addresses()))
        }
        Reach::ControlPlanes => others(&mut cluster.control_planes().flat_map(Host::addresses)),
        Reach::Members => {
            others(&mut cluster.control_planes().chain(cluster.members()).flat_map(Host::addresses))
        }
        Reach::Nodes => {
            let mut sources = others(&mut outside.iter().copied());
            sources.extend(cluster.site.networks.iter().map(|network| network.range));
            sources
        }
    }
}
