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

/// Where clients of both would be led to one of the two: a name has one address, and a port one
/// pool behind it.
fn names<'a>(mine: &'a Site, other: &'a Site) -> impl Iterator<Item = Finding> + 'a {
    let one_each = |endpoint: &'a Endpoint| {
        let twin = other.endpoints.iter().find(|another| leads_to_one(endpoint, another))?;
        let (what, key) = match endpoint.name() {
            Some(name) if is_called_as(endpoint, twin) => (name.to_owned(), "name"),
            _ => (endpoint.host_port(), "address"),
        };
        let message = format!("{what} is also the endpoint of cluster {}", other.name);
        let external = |one: &Endpoint| matches!(one.holder, Holder::External);
        let help = match (external(endpoint) && external(twin), key) {
            (true, _) if endpoint.host_port() == twin.host_port() => {
                "give each cluster a name of its own, or a port of its own at a balancer that both share"
            }
            (_, "name") => "give each cluster a name of its own",
            _ => OF_ITS_OWN,
        };
        Some((endpoint, key, message, help))
    };
    let part = |endpoint: &'a Endpoint| {
        let what = listener(endpoint, other)?;
        Some((endpoint, "address", format!("{} is {what}", endpoint.host_port()), OF_ITS_OWN))
    };
    let found = mine.endpoints.iter().filter_map(move |one| one_each(one).or_else(|| part(one)));
    found.map(|(endpoint, key, message, help)| {
        Finding::new(&NAME_SHARED, endpoint.at.key(key), message)
            .label("leads to one of the two")
            .help(help)
    })
}

const OF_ITS_OWN: &str = "write the address of a balancer that leads to this cluster's API servers";

/// Whether what one is called by is what the other is called by.
fn leads_to_one(mine: &Endpoint, other: &Endpoint) -> bool {
    let at_one_port = mine.host_port() == other.host_port();
    match (&mine.holder, &other.holder) {
        // A name in DNS may be that of a balancer that tells them apart by the port.
        (Holder::External, Holder::External) => {
            let addresses = mine.address().zip(other.address());
            let two = addresses.is_some_and(|(mine, other)| mine != other);
            at_one_port || two && is_called_as(mine, other)
        }
        (Holder::External, _) => at_one_port || is_called_as(mine, other),
        _ => is_called_as(mine, other),
    }
}

fn is_called_as(mine: &Endpoint, other: &Endpoint) -> bool {
    mine.name().is_some() && mine.name() == other.name()
}

/// What of the other cluster listens where somebody else's balancer is said to.
fn listener(endpoint: &Endpoint, other: &Site) -> Option<String> {
    let (Some(address), Holder::External) = (endpoint.address(), &endpoint.holder) else {
        return None;
    };
    let of = |what: &str, place: usize| {
        format!("{what} of node {} of cluster {}", other.hosts[place].name, other.name)
    };
    other.endpoints.iter().find_map(|theirs| {
        let mut servers = theirs.backends.iter();
        let server = servers.find(|one| (one.address, one.port) == (address, endpoint.port));
        let balancer = theirs.balancer.as_ref();
        let balancer = balancer.filter(|_| theirs.port == endpoint.port && !theirs.is_local());
        let mut places = balancer.into_iter().flat_map(|balancer| &balancer.hosts);
        let place = places.find(|place| other.hosts[**place].address == address);
        server
            .map(|one| of("the API server", one.host))
            .or_else(|| Some(of("the balancer", *place?)))
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
        let named = || json!({"vip": "192.168.1.33/24", "name": "a.example.com", "port": 8443, "interface": "eth0"});
        assert_eq!(found(named(), named()), ["endpoint.name"]);
        assert_eq!(found(named(), mine()), ["endpoint.name"]);
        // A name has one address.
        let called = |address: &str| json!({"address": address, "name": "a.example.com"});
        assert_eq!(found(called("192.0.2.7"), called("192.0.2.8")), ["endpoint.name"]);
    }

    #[test]
    fn nobody_else_s_balancer_is_part_of_another_cluster() {
        let site = |endpoint: Value, more: Value| {
            let mut overlay = json!({"endpoint": {"vip": null, "port": null, "interface": null}});
            crate::document::merge(&mut overlay, &json!({"endpoint": endpoint, "nodes": more}));
            resolved(&overlay).1
        };
        let plane = |name: &str, address: &str| json!({"name": name, "address": address, "roles": ["control-plane"]});
        let mine = |address: &str, port: u16| {
            let nodes = json!([plane("cp1", "10.5.0.11")]);
            site(json!({"address": address, "port": port}), nodes)
        };
        let planes = || ["192.168.1.11", "192.168.1.12"].map(|address| plane("cp", address));
        let lone = json!({"name": "lb1", "address": "192.168.1.31", "roles": ["load-balancer"]});
        let lone = site(json!({"port": 8443}), planes().into_iter().chain([lone]).collect());
        let vip = json!({"vip": "192.168.1.33/24", "port": 8443, "interface": "eth0"});
        let vip = site(vip, json!(planes()));
        let local = site(json!({"holder": "nodeLocal", "port": 8443}), json!(planes()));
        for (address, port, other, found) in [
            (
                "192.168.1.33",
                8443,
                &vip,
                Some("192.168.1.33:8443 is also the endpoint of cluster demo"),
            ),
            ("192.168.1.33", 9443, &vip, None),
            (
                "192.168.1.31",
                8443,
                &lone,
                Some("192.168.1.31:8443 is also the endpoint of cluster demo"),
            ),
            (
                "192.168.1.11",
                6443,
                &vip,
                Some("192.168.1.11:6443 is the API server of node cp of cluster demo"),
            ),
            (
                "192.168.1.12",
                8443,
                &vip,
                Some("192.168.1.12:8443 is the balancer of node cp of cluster demo"),
            ),
            ("192.168.1.12", 8443, &local, None),
            ("192.168.1.40", 8443, &vip, None),
        ] {
            let mine = mine(address, port);
            let told: Vec<_> = super::names(&mine, other).collect();
            let told: Vec<&str> = told.iter().map(|told| told.message.as_str()).collect();
            assert_eq!(told, found.into_iter().collect::<Vec<_>>(), "{address}:{port}");
        }
    }

    #[test]
    fn a_port_of_its_own_is_advised_where_a_balancer_may_tell_them_apart() {
        let help = |endpoint: Value| {
            let (_, site) = resolved(&json!({"endpoint": endpoint}));
            let help = super::names(&site, &site).next().and_then(|found| found.help);
            help.is_some_and(|help| help.contains("a port of its own"))
        };
        assert!(!help(json!({"name": "a.example.com"})));
        assert!(help(json!({"vip": null, "address": "192.0.2.7", "port": 6443})));
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
