//! The way back: a resolved cluster as an inventory that leaves nothing unsaid.

use serde_json::{Value, json};

use super::{Balancer, Endpoint, Holder, Host, Kubernetes, LoadBalancerKind, Site};
use crate::document::merge;
use crate::inventory::Inventory;
use crate::inventory::endpoint::HolderKind;
use crate::inventory::etcd::EtcdMode;
use crate::pki::Policy;

/// What was said, with every default of the spine written in; rooms add their own with
/// [`crate::rooms::Plan::settled`]. What the inventory left out and nothing decides stays out.
pub fn settled(said: &Inventory, site: &Site) -> Value {
    // The types of the inventory have no map with keys that are not text.
    let mut whole = serde_json::to_value(said).unwrap_or_default();
    if let Some(nodes) = whole.get_mut("nodes").and_then(Value::as_array_mut) {
        for (section, node) in nodes.iter_mut().zip(&site.hosts) {
            merge(section, &of_node(node, site));
        }
    }
    merge(&mut whole, &of_certificates(&site.certificates));
    if let Some(endpoint) = site.endpoints.first() {
        merge(&mut whole, &json!({"endpoint": of_endpoint(endpoint)}));
        if let Some(balancer) = &endpoint.balancer {
            merge(&mut whole, &of_balancer(balancer));
        }
    }
    if let Some(kubernetes) = &site.kubernetes {
        merge(&mut whole, &of_kubernetes(kubernetes));
    }
    whole
}

fn of_endpoint(endpoint: &Endpoint) -> Value {
    let holder = match endpoint.holder {
        Holder::Vrrp(_) => HolderKind::Keepalived,
        Holder::KubeVip(_) => HolderKind::KubeVip,
        Holder::Host => HolderKind::Host,
        Holder::Loopback => HolderKind::NodeLocal,
        Holder::External => HolderKind::External,
    };
    json!({"holder": holder, "port": endpoint.port})
}

fn of_balancer(balancer: &Balancer) -> Value {
    match balancer.kind {
        LoadBalancerKind::Haproxy => {
            json!({"loadBalancer": {"haproxy": {"statsPort": balancer.status_port}}})
        }
        LoadBalancerKind::Nginx => json!({}),
    }
}

fn of_certificates(certificates: &Policy) -> Value {
    json!({"pki": {
        "caLifetimeDays": certificates.ca_lifetime_days,
        "leafLifetimeDays": certificates.leaf_lifetime_days,
    }})
}

fn of_kubernetes(kubernetes: &Kubernetes) -> Value {
    let Kubernetes { domain, api_port, image_repository, etcd, runtime, .. } = kubernetes;
    let mut patch = json!({
        "cluster": {
            "domain": domain,
            "podSubnet": joined(&kubernetes.pod_subnets),
            "serviceSubnet": joined(&kubernetes.service_subnets),
            "apiPort": api_port,
        },
        "images": {"registry": image_repository},
        "etcd": {"dataDir": etcd.data_dir, "metricsPort": etcd.metrics_port},
        // Not its version: said, it is a pin; left out, it is what the repository brings.
        "kubelet": {"cgroupDriver": runtime.cgroup_driver},
    });
    // kubeadm decides these of stacked members, and they cannot be said.
    if etcd.mode == EtcdMode::External {
        merge(
            &mut patch,
            &json!({"etcd": {
                "version": etcd.version.to_string(),
                "clientPort": etcd.client_port,
                "peerPort": etcd.peer_port,
            }}),
        );
    }
    patch
}

fn of_node(node: &Host, site: &Site) -> Value {
    let Host { ssh, os, interface, pod_range, .. } = node;
    let mut patch = json!({
        "ssh": ssh,
        "os": {"distribution": os.distribution, "release": os.version},
    });
    if site.knows_interface(node) {
        patch["interface"] = json!(interface);
    }
    if let Some(range) = pod_range {
        patch["podRange"] = json!(range.to_string());
    }
    patch
}

fn joined(networks: &[ipnet::IpNet]) -> String {
    networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::settled;
    use crate::rooms::overlaid::resolved;

    /// Said for itself, it would be known, and IPv6's routes would be kept on it.
    #[test]
    fn the_interface_of_the_vip_is_no_other_node_s() {
        let (said, site) = resolved(&json!({}));
        let shown = settled(&said, &site);
        let known = |name: &str| {
            let host = site.hosts.iter().find(|host| host.name == name).unwrap();
            !shown["nodes"][host.index]["interface"].is_null()
        };
        assert!(known("cp1") && !known("w1"));
    }

    #[test]
    fn an_interface_is_shown_where_one_is_known() {
        let (said, mut site) = resolved(&json!({}));
        assert_eq!(settled(&said, &site)["nodes"][0]["interface"], "eth0");
        site.hosts[0].interface.clear();
        assert!(settled(&said, &site)["nodes"][0]["interface"].is_null());
    }
}
