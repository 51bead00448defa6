//! Under which names and addresses the servers of a control plane are reached.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::pki::San;
use crate::report::Path;
use crate::site::{Cluster, Holder, Host};

/// A name or an address, as the inventory's text has it.
fn san(text: &str) -> San {
    text.parse().map_or_else(|_| San::Dns(text.to_owned()), San::Ip)
}

/// As `certSANs` writes it.
pub fn text(san: &San) -> String {
    match san {
        San::Dns(name) => name.clone(),
        San::Ip(address) => address.to_string(),
    }
}

/// What clients outside the cluster use, and where the inventory says so: the endpoint, then each
/// control plane's name, address and extra SANs. The order is the file's.
pub fn of_clients(cluster: &Cluster<'_>) -> Vec<(San, Path)> {
    let endpoint = cluster.endpoint;
    let said = endpoint.address().zip(endpoint.said_at());
    let mut names: Vec<(San, Path)> =
        said.map(|(address, at)| (San::Ip(address), at)).into_iter().collect();
    names.extend(endpoint.name().map(|name| (San::Dns(name.to_owned()), endpoint.at.key("name"))));
    // Where a balancer listens that is no control plane itself, under its own address.
    let own = endpoint.address().filter(|_| matches!(endpoint.holder, Holder::Host));
    let own = own.and_then(|own| cluster.nodes.iter().find(|node| node.address == own));
    names.extend(own.map(|node| (San::Ip(node.address), node.path().key("address"))));
    for node in cluster.control_planes() {
        let at = node.path();
        names.push((san(&node.name), at.key("name")));
        names.push((San::Ip(node.address), at.key("address")));
        names
            .extend(node.second_address.map(|address| (San::Ip(address), at.key("secondAddress"))));
        let extra = at.key("extraSans");
        names.extend(
            node.extra_sans.iter().enumerate().map(|(index, name)| (san(name), extra.index(index))),
        );
    }
    let mut seen = BTreeSet::new();
    names.retain(|(name, _)| seen.insert(name.clone()));
    names
}

/// What pods use, and what programs on the node use: the names and addresses of the service
/// `kubernetes` (kubeadm's GetAPIServerAltNames), and loopback.
pub fn of_services(cluster: &Cluster<'_>) -> Vec<San> {
    let domain = &cluster.domain;
    let names = [
        "kubernetes".to_owned(),
        "kubernetes.default".to_owned(),
        "kubernetes.default.svc".to_owned(),
        format!("kubernetes.default.svc.{domain}"),
    ];
    let addresses = cluster.api_service_addresses();
    names.into_iter().map(San::Dns).chain(addresses.into_iter().map(San::Ip)).collect()
}

/// `localhost` and both its addresses.
pub fn loopback() -> [San; 3] {
    [
        San::Dns("localhost".to_owned()),
        San::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        San::Ip(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ]
}

/// A member's beside its API server, as server and as peer (kubeadm's getAltNames for etcd).
pub fn of_member(node: &Host) -> BTreeSet<San> {
    let own = [san(&node.name), San::Ip(node.address)];
    own.into_iter().chain(loopback()).collect()
}
