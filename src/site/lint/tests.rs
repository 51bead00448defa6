use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, Time};

use super::lint;
use crate::report::Report;
use crate::rooms::overlaid::{outcome, resolved};
use crate::site::codes;

/// What the model says of such an inventory: `code at place: message`, and the help.
fn said(overlay: &Value) -> Vec<(String, String)> {
    let outcome = outcome(&overlay.to_string());
    let found = outcome.report.findings().iter();
    let found = found.filter(|finding| finding.code.id.starts_with("cluster/"));
    found
        .map(|finding| {
            let what = format!("{} at {}: {}", &finding.code.id[8..], finding.at, finding.message);
            (what, finding.help.clone().unwrap_or_default())
        })
        .collect()
}

/// This alone is said.
fn one(found: &str, help: &str) -> Vec<(String, String)> {
    vec![(found.to_owned(), help.to_owned())]
}

#[test]
fn networks_overlap_in_whichever_the_other_is() {
    let pods = |range: &str, kind: &str| {
        said(&json!({
            "cluster": {"podSubnet": range},
            "runtime": {"kind": kind, "criDockerd": kind == "docker"},
        }))
    };
    let at = "networks-overlap at cluster";
    let help = "choose a private network that nothing else uses";
    for range in ["10.96.0.0/16", "10.0.0.0/8"] {
        let services = format!(
            "{at}.serviceSubnet: the services network 10.96.0.0/12 overlaps the pods network {range}"
        );
        assert_eq!(pods(range, "containerd"), one(&services, help));
    }
    for range in ["192.168.0.0/16", "192.168.1.0/26"] {
        let nodes = format!(
            "{at}.podSubnet: the pods network {range} overlaps the nodes' subnet 192.168.1.0/24"
        );
        assert_eq!(pods(range, "containerd")[0], one(&nodes, help)[0]);
    }
    for range in ["172.17.0.0/16", "172.16.0.0/12"] {
        let bridge = format!(
            "{at}.podSubnet: the pods network {range} overlaps docker's own bridge 172.17.0.0/16"
        );
        assert_eq!(pods(range, "docker"), one(&bridge, help));
        assert_eq!(pods(range, "containerd"), []);
    }
}

#[test]
fn each_node_has_a_part_of_the_pods_network_and_no_more_than_the_controller_manager_counts() {
    let pods = |range: &str| said(&json!({"cluster": {"podSubnet": range}}));
    let at = "pod-range-too-small at cluster.podSubnet:";
    assert_eq!(pods("10.0.0.0/8").len(), 1, "it overlaps the services, and is not too large");
    assert_eq!(pods("10.244.0.0/22"), []);
    let help = "choose a network between /8 and /22";
    let few = format!("{at} 10.244.0.0/23 has a /24 for 2 nodes, but there are 4");
    assert_eq!(pods("10.244.0.0/23"), one(&few, help));
    let none = format!("{at} 10.244.0.0/25 is smaller than the /24 that one node needs");
    assert_eq!(pods("10.244.0.0/25"), one(&none, help));
    let alone = json!({
        "cluster": {"podSubnet": "10.244.0.0/24"},
        "nodes": [{"name": "cp1", "address": "192.168.1.11", "roles": ["control-plane"]}],
    });
    let found = said(&alone);
    assert!(found.iter().all(|(what, _)| what.starts_with("single-control-plane ")), "{found:?}");
}

#[test]
fn services_have_a_tenth_address_and_no_more_than_the_api_server_takes() {
    let services = |range: &str| said(&json!({"cluster": {"serviceSubnet": range}}));
    for range in ["10.96.0.0/12", "10.96.0.0/28"] {
        assert_eq!(services(range), [], "{range}");
    }
    let at = "service-range-too-small at cluster.serviceSubnet:";
    for (range, is) in [
        ("10.96.0.0/11", "is larger than kubeadm and the API server accept"),
        ("10.96.0.0/29", "has no tenth address, which the DNS service takes"),
    ] {
        let found = format!("{at} {range} {is}");
        assert_eq!(services(range), one(&found, "choose a network between /12 and /28"));
    }
}

/// Control planes with these last octets.
fn control_planes(octets: &[u8]) -> Value {
    let node = |octet| {
        let address = format!("192.168.1.{octet}");
        json!({"name": format!("cp{octet}"), "address": address, "roles": ["control-plane"]})
    };
    octets.iter().map(node).collect()
}

#[test]
fn what_an_even_number_of_control_planes_survives_is_counted() {
    for (octets, counts) in [
        (
            &[11, 12][..],
            "2 control planes needs 2 of them and survives the loss of none, as that of 1",
        ),
        (
            &[11, 12, 13, 14],
            "4 control planes needs 3 of them and survives the loss of 1, as that of 3",
        ),
    ] {
        let found = said(&json!({"nodes": control_planes(octets)}));
        let message = format!("even-control-planes at nodes: the etcd of {counts} would");
        assert_eq!(found[0].0, message);
        // Members elsewhere are counted by themselves.
        let elsewhere = json!({"nodes": control_planes(octets), "etcd": {"mode": "external"}});
        assert!(said(&elsewhere).iter().all(|(what, _)| !what.starts_with("even-")));
    }
}

#[test]
fn the_edges_of_a_subnet_are_no_machine_s_unless_it_has_two_addresses_alone() {
    let of = |vip: &str, octet: u8| {
        let found = said(&json!({"endpoint": {"vip": vip}, "nodes": control_planes(&[octet])}));
        found.iter().any(|(what, _)| what.starts_with("no-host-address at nodes[0].address"))
    };
    assert!(of("192.168.1.9/30", 11) && of("192.168.1.9/30", 8));
    assert!(!of("192.168.1.9/30", 10));
    assert!(!of("192.168.1.8/31", 9));
}

#[test]
fn a_release_is_out_of_support_from_the_day_of_its_end_on() {
    let (_, site) = resolved(&json!({"cluster": {"kubernetes": "1.30.4"}}));
    let end = site.cluster().expect("a cluster").release.end_of_life.expect("it is over");
    let end = OffsetDateTime::new_utc(end, Time::MIDNIGHT);
    let told = |issued_at: OffsetDateTime| {
        let mut report = Report::new();
        lint(&site, issued_at, &mut report);
        report.findings().iter().any(|finding| finding.code == &codes::END_OF_LIFE)
    };
    assert!(told(end));
    assert!(!told(end - Duration::seconds(1)));
}

#[test]
fn a_node_s_part_has_an_address_for_a_pod() {
    let of = |plugin: &str, mask: &str| {
        let flags = json!({"controllerManager": {"node-cidr-mask-size": mask}});
        said(&json!({"cni": {"plugin": plugin}, "extraArgs": flags}))
    };
    let at = "pod-range-too-small at extraArgs.controllerManager.node-cidr-mask-size:";
    let help = "write a number from 18 to 30";
    for plugin in ["bridge", "flannel"] {
        assert_eq!(of(plugin, "30"), []);
        for mask in ["31", "32"] {
            let full = format!("{at} a /{mask} of 10.244.0.0/16 has no address left for a pod");
            assert_eq!(of(plugin, mask), one(&full, help));
        }
    }
    // Another network's own affair.
    assert_eq!(of("none", "32"), []);
    let none = format!("{at} a /33 of 10.244.0.0/16 is no network");
    assert_eq!(of("none", "33"), one(&none, help));
}

#[test]
fn a_node_subnet_without_nodes_is_told_beside_nodes_without_one() {
    let of = |subnets: &[&str]| said(&json!({"cluster": {"nodeSubnets": subnets}}));
    let at = "empty-node-subnet at cluster.nodeSubnets[0]:";
    let empty = format!("{at} no node is in 192.168.11.0/24, and node cp1 in no such network");
    assert_eq!(of(&["192.168.11.0/24"]), one(&empty, "write the network that the nodes are in"));
    assert_eq!(of(&["192.168.1.0/24"]), []);
    // One that will have nodes.
    assert_eq!(of(&["192.168.11.0/24", "192.168.1.0/24"]), []);
    // Nodes elsewhere are named one by one.
    assert_eq!(of(&["192.168.1.0/28"]), []);
}

#[test]
fn what_a_machine_without_kubelet_or_api_server_would_read_is_told() {
    let of = |role: &str| {
        let mut nodes = control_planes(&[11, 12, 13]);
        nodes.as_array_mut().unwrap().push(json!({
            "name": "x", "address": "192.168.1.31", "roles": [role],
            "labels": {"a": "b"}, "taints": ["x=y:NoSchedule"], "extraSans": ["x.example.com"],
        }));
        let etcd = if role == "etcd" { "external" } else { "stacked" };
        let found = said(&json!({"nodes": nodes, "etcd": {"mode": etcd}}));
        let found = found.into_iter().filter_map(|(what, help)| {
            Some((what.strip_prefix("unused-node-key at nodes[3].")?.to_owned(), help))
        });
        found.map(|(what, help)| (what.split(':').next().unwrap().to_owned(), help)).collect()
    };
    let all = ["labels", "taints", "extraSans"];
    let told = |keys: &[&str]| -> Vec<(String, String)> {
        keys.iter().map(|key| ((*key).to_owned(), format!("remove `{key}`"))).collect()
    };
    let found: Vec<(String, String)> = of("load-balancer");
    assert_eq!(found, told(&all));
    assert_eq!(of("etcd"), told(&all));
    assert_eq!(of("worker"), told(&all[2..]));
    assert_eq!(of("control-plane"), []);
}

#[test]
fn the_firewall_is_not_opened_to_strangers_in_silence() {
    let of = |network: &str| {
        let found = said(&json!({"cluster": {"nodeSubnets": ["192.168.1.0/24", network]}}));
        let place = |(found, _): (String, String)| found.split(": ").next().map(str::to_owned);
        found.into_iter().filter_map(place).collect::<Vec<_>>()
    };
    for wide in ["128.0.0.0/1", "10.0.0.0/7", "0.0.0.0/0", "2000::/3", "fd00::/8"] {
        let found = of(wide);
        assert!(
            found.iter().any(|found| found.starts_with("node-network-too-wide")),
            "{wide}: {found:?}"
        );
        assert!(
            !found.iter().any(|found| found.starts_with("public-network")),
            "{wide}: {found:?}"
        );
    }
    for public in ["203.0.113.0/24", "172.32.0.0/16", "2001:db8::/32"] {
        assert_eq!(of(public), ["public-network at cluster.nodeSubnets[1]"], "{public}");
    }
    for private in ["10.0.0.0/10", "172.16.0.0/12", "fd00:1::/48"] {
        assert_eq!(of(private), [""; 0], "{private}");
    }
    // The subnet of a VIP is opened as well; public addresses are where its machines are.
    let of_vip = |vip: &str| said(&json!({"endpoint": {"vip": vip}}));
    let found = of_vip("192.168.1.90/1");
    assert!(found.iter().any(|(found, _)| found.starts_with("node-network-too-wide")), "{found:?}");
}

#[test]
fn of_two_families_the_odd_one_is_told() {
    let of = |vip: &str, addresses: &[&str], ranges: Value| {
        let node = |(index, address): (usize, &&str)| json!({"name": format!("n{index}"), "address": address, "roles": ["control-plane"]});
        let nodes: Value = addresses.iter().enumerate().map(node).collect();
        let found = said(&json!({"endpoint": {"vip": vip}, "nodes": nodes, "cluster": ranges}));
        let found = found.into_iter().filter_map(|(what, help)| {
            let place = what.strip_prefix("address-family at ")?.split(':').next()?;
            Some(format!("{place}: {help}"))
        });
        found.collect::<Vec<_>>()
    };
    let (old, new) = ("192.168.1.33/24", "fd00::33/64");
    let one_family = "give nodes and VIP addresses of one family";
    let odd = ["192.168.1.11", "192.168.1.12", "fd00::13"];
    assert_eq!(of(old, &odd, json!({})), [format!("nodes[2].address: {one_family}")]);
    let v4 = ["192.168.1.11", "192.168.1.12", "192.168.1.13"];
    assert_eq!(of(new, &v4, json!({})), ["endpoint.vip: write an address of the nodes' family"]);
    let v6 = ["fd00::11", "fd00::12", "fd00::13"];
    let (pods, services) = ("fd00:10:244::/56", "fd00:10:96::/112");
    let missing = |key: &str, range: &str| {
        format!("cluster.{key}: write one of their family, such as `{key}: {range}`")
    };
    let found = of(new, &v6, json!({}));
    assert_eq!(found, [missing("podSubnet", pods), missing("serviceSubnet", services)]);
    assert_eq!(of(new, &v6, json!({"podSubnet": pods, "serviceSubnet": services})), [""; 0]);
    let both = json!({
        "podSubnet": format!("10.244.0.0/16,{pods}"),
        "serviceSubnet": format!("{services},10.96.0.0/12"),
    });
    let first = "cluster.podSubnet: name the network of the nodes' family first";
    assert_eq!(of(new, &v6, both), [first]);
}
