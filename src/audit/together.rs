//! Two clusters of one run: what both would have.

use std::net::IpAddr;

use super::{ADDRESS_IN_RANGE, ADDRESS_SHARED, NAME_SHARED, VIP_SHARED};
use crate::report::{Finding, Path};
use crate::site::{Endpoint, Holder, Site};

/// What `mine` has that `other` has as well: a VIP, the address of a node. Whoever answers for
/// an address first has it, in both clusters.
pub fn together(mine: &Site, other: &Site) -> Vec<Finding> {
    let whose =
        |address| other.hosts.iter().find(move |node| node.addresses().any(|at| at == address));
    let is_vip = |address| vips(other).any(|(vip, _)| vip == address);
    let mut found = Vec::new();
    for (vip, at) in vips(mine) {
        if is_vip(vip) {
            let message = format!("the VIP {vip} is also that of cluster {}", other.name);
            found.push((&VIP_SHARED, at, message));
        } else if let Some(node) = whose(vip) {
            let whose = format!("node {} of cluster {}", node.name, other.name);
            found.push((&VIP_SHARED, at, format!("the VIP {vip} is the address of {whose}")));
        }
    }
    let addresses = mine.hosts.iter().flat_map(|node| {
        let keys = ["address", "secondAddress"].into_iter();
        node.addresses().zip(keys).map(move |(address, key)| (node, address, key))
    });
    for (node, address, key) in addresses {
        let message = if let Some(twin) = whose(address) {
            format!("{address} is also the address of node {} of cluster {}", twin.name, other.name)
        } else if is_vip(address) {
            format!("{address} is the VIP of cluster {}", other.name)
        } else {
            continue;
        };
        found.push((&ADDRESS_SHARED, node.path().key(key), message));
    }
    found
        .into_iter()
        .map(|(code, at, message)| {
            Finding::new(code, at, message)
                .label("in two clusters of this run")
                .help("give one of the two another address; clusters that never meet are built by calls of their own")
        })
        .chain(names(mine, other))
        .chain(out_of_reach(mine, other))
        .collect()
}

/// The addresses that machines of a site hold in turn.
fn vips(site: &Site) -> impl Iterator<Item = (IpAddr, Path)> {
    let endpoints = site.endpoints.iter();
    endpoints.filter_map(|endpoint| Some((endpoint.vip()?.address, endpoint.at.key("vip"))))
}

/// Where clients of both would be led to one of the two: a name has one address, and a port of a
/// balancer in front one pool.
fn names<'a>(mine: &'a Site, other: &'a Site) -> impl Iterator<Item = Finding> + 'a {
    let same = |one: &&Endpoint| {
        let mut theirs = other.endpoints.iter();
        theirs.any(|another| match (&one.holder, &another.holder) {
            (Holder::External, Holder::External) => one.host_port() == another.host_port(),
            _ => one.name().is_some() && one.name() == another.name(),
        })
    };
    mine.endpoints.iter().filter(same).map(|endpoint| {
        let (what, key) = match endpoint.name() {
            Some(name) => (name.to_owned(), "name"),
            None => (endpoint.host_port(), "address"),
        };
        let message = format!("{what} is also the endpoint of cluster {}", other.name);
        Finding::new(&NAME_SHARED, endpoint.at.key(key), message)
            .label("leads to one of the two")
            .help("give each cluster a name of its own, or a port of its own at a balancer that both share")
    })
}

/// Ranges of `mine` that take in a VIP or a node of `other`.
fn out_of_reach<'a>(mine: &'a Site, other: &'a Site) -> impl Iterator<Item = Finding> + 'a {
    let ranges = mine.kubernetes.iter().flat_map(|kubernetes| {
        [
            (&kubernetes.pod_subnets, "podSubnet", "pods"),
            (&kubernetes.service_subnets, "serviceSubnet", "services"),
        ]
    });
    let ranges = ranges.flat_map(|(networks, key, whose)| {
        networks.iter().map(move |network| (network, key, whose))
    });
    ranges.filter_map(|(network, key, whose)| {
        let nodes = other.hosts.iter();
        let nodes = nodes.flat_map(|node| {
            node.addresses().map(move |address| (address, format!("the node {}", node.name)))
        });
        let vips = vips(other).map(|(vip, _)| (vip, "the VIP".to_owned()));
        let mut theirs = nodes.chain(vips);
        let (address, what) = theirs.find(|(address, _)| network.contains(address))?;
        let message = format!(
            "nothing in this cluster reaches {what} of cluster {}: {address} is among its {whose}",
            other.name
        );
        Some(
            Finding::new(&ADDRESS_IN_RANGE, Path::of(&["cluster"]).key(key), message)
                .label(format!("takes in {address}"))
                .help("choose a range that no other cluster's machines are in; clusters that never meet are built by calls of their own"),
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::together;
    use crate::rooms::overlaid::resolved;
    use crate::site::Site;

    fn cluster(vip: &str, first: &str) -> Site {
        let overlay: Value = json!({
            "endpoint": {"vip": vip},
            "nodes": [{"name": "cp1", "address": first, "roles": ["control-plane"]}],
        });
        resolved(&overlay).1
    }

    #[test]
    fn each_cluster_is_called_differently() {
        let found = |first: Value, second: Value| {
            let site = |endpoint: Value| {
                let endpoint = json!({"endpoint": endpoint});
                let elsewhere = json!({"vip": null, "port": null, "interface": null});
                let mut overlay = json!({"endpoint": elsewhere});
                crate::document::merge(&mut overlay, &endpoint);
                resolved(&overlay).1
            };
            let [first, second] = [site(first), site(second)];
            let found = super::names(&first, &second);
            found.map(|finding| finding.at.to_string()).collect::<Vec<_>>()
        };
        let external =
            |name: &str, port: u16| json!({"holder": "external", "name": name, "port": port});
        let mine = || external("a.example.com", 6443);
        assert_eq!(found(mine(), mine()), ["endpoint.name"]);
        assert!(found(mine(), external("a.example.com", 7443)).is_empty());
        assert!(found(mine(), external("b.example.com", 6443)).is_empty());
        let address = |port: u16| json!({"address": "192.0.2.7", "port": port});
        assert_eq!(found(address(6443), address(6443)), ["endpoint.address"]);
        assert!(found(address(6443), address(7443)).is_empty());
    }

    #[test]
    fn no_address_is_in_two_clusters() {
        let mine = cluster("192.168.1.33/24", "192.168.1.11");
        let found = |vip: &str, first: &str| {
            let other = cluster(vip, first);
            let found = together(&mine, &other).into_iter();
            found
                .map(|finding| format!("{} at {}", finding.code.id, finding.at))
                .collect::<Vec<_>>()
        };
        assert!(found("192.168.1.34/24", "192.168.1.12").is_empty());
        let vip = "audit/vip-shared at endpoint.vip";
        let node = "audit/address-shared at nodes[0].address";
        assert_eq!(found("192.168.1.33/24", "192.168.1.12"), [vip]);
        assert_eq!(found("192.168.1.34/24", "192.168.1.11"), [node]);
        assert_eq!(found("192.168.1.34/24", "192.168.1.33"), [vip]);
        assert_eq!(found("192.168.1.11/24", "192.168.1.12"), [node]);
        let range = |range: &str| format!("audit/address-in-range at cluster.{range}");
        assert_eq!(found("10.244.9.33/24", "10.244.9.11"), [range("podSubnet")]);
        assert_eq!(found("10.96.0.33/24", "10.96.0.11"), [range("serviceSubnet")]);
    }
}
