use serde_json::{Value, json};

use crate::rooms::overlaid::outcome;

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
