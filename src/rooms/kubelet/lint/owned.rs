//! Who decides a field of KubeletConfiguration or a flag of the kubelet.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::report::{Finding, Path, Report};
use crate::rooms::kubelet::CLUSTER_DNS;
use crate::site::said_flags::{self, Owned};
use crate::site::{Cluster, KUBELET_CONFIGURATION, fields};

const CONFIG: &[&str] = &["kubelet", "config"];
const CGROUP_DRIVER: &[&str] = &["runtime", "cgroupDriver"];
const DOMAIN: &[&str] = &["cluster", "domain"];
const EXTRA_ARGS: &[&str] = &["extraArgs", "kubelet"];
const MAX_PODS: &[&str] = &["kubelet", "maxPods"];
const NODES: &[&str] = &["nodes"];
const PKI: &[&str] = &["pki"];
const RUNTIME: &[&str] = &["runtime", "kind"];

/// Flags that hagen or kubeadm sets, or that have a field which kubeadm sets.
pub(super) const FLAGS: Owned = &[
    ("address", CONFIG),
    ("bootstrap-kubeconfig", PKI),
    ("cgroup-driver", CGROUP_DRIVER),
    ("client-ca-file", PKI),
    ("cluster-dns", CONFIG),
    ("cluster-domain", DOMAIN),
    ("config", CONFIG),
    ("container-runtime", RUNTIME),
    ("container-runtime-endpoint", RUNTIME),
    ("enable-server", CONFIG),
    ("healthz-port", CONFIG),
    ("hostname-override", NODES),
    ("kubeconfig", PKI),
    ("max-pods", MAX_PODS),
    ("network-plugin", &["cni", "plugin"]),
    ("node-ip", NODES),
    ("node-labels", NODES),
    ("pod-infra-container-image", &["images", "registry"]),
    ("pod-manifest-path", NODES),
    ("register-node", CONFIG),
    ("register-with-taints", NODES),
    ("rotate-certificates", PKI),
    ("runonce", CONFIG),
];

/// Flags that other files follow where `extraArgs` says them; none follows a patch.
pub(super) const FOLLOWED: Owned = &[
    ("fail-swap-on", EXTRA_ARGS),
    ("port", EXTRA_ARGS),
    ("read-only-port", EXTRA_ARGS),
    ("resolv-conf", EXTRA_ARGS),
    ("rotate-server-certificates", EXTRA_ARGS),
];

/// Fields likewise.
const FIELDS: Owned = &[
    ("apiVersion", &["cluster", "kubernetes"]),
    ("cgroupDriver", CGROUP_DRIVER),
    ("clusterDomain", DOMAIN),
    ("containerRuntimeEndpoint", RUNTIME),
    ("kind", &["cluster", "kubernetes"]),
    ("maxPods", MAX_PODS),
    ("registerWithTaints", NODES),
    ("rotateCertificates", PKI),
    ("staticPodPath", NODES),
];

/// The authority that lets API servers in is the cluster's own.
const INNER_FIELDS: Owned = &[("authentication.x509.clientCAFile", PKI)];

/// Reports each field below `at` that is decided elsewhere, that the release lacks, or that holds
/// what it cannot take. From 1.17 on such a field stops the kubelet; before, it is ignored, which
/// nobody wants either.
pub(super) fn lint(
    cluster: &Cluster<'_>,
    said: &BTreeMap<String, Value>,
    at: &Path,
    report: &mut Report,
) {
    let mut free = Map::new();
    for (name, value) in said {
        match said_flags::owner(name, FIELDS, &at.key(name)) {
            Some(finding) => report.push(finding),
            None => drop(free.insert(name.clone(), value.clone())),
        }
    }
    let free = Value::Object(free);
    for (name, _) in INNER_FIELDS {
        if free.pointer(&format!("/{}", name.replace('.', "/"))).is_some() {
            let place = name.split('.').fold(at.clone(), |at, key| at.key(key));
            said_flags::owner(name, INNER_FIELDS, &place)
                .into_iter()
                .for_each(|found| report.push(found));
        }
    }
    fields::lint(cluster, KUBELET_CONFIGURATION, &free, at, report);
}

/// Pods ask the addresses of `clusterDNS` for every name: the DNS's service, which kubeadm writes
/// where nothing is said, or a cache on each node, such as NodeLocal DNSCache on 169.254.20.10
/// (<https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/>).
pub(super) fn dns(value: &Value, at: &Path, report: &mut Report) {
    let Some(addresses) = value.as_array() else { return };
    if addresses.is_empty() {
        report.push(
            Finding::new(&CLUSTER_DNS, at.clone(), "pods would resolve no name of the cluster")
                .label("asks nobody")
                .help("remove it: the address of the DNS's service is the default"),
        );
    }
    for (index, address) in addresses.iter().enumerate() {
        let Some(text) = address.as_str() else { continue };
        if text.parse::<std::net::IpAddr>().is_err() {
            report.push(
                Finding::new(&CLUSTER_DNS, at.index(index), format!("{text} is no IP address"))
                    .label("nobody could be asked at it")
                    .help("write the address at which a DNS answers, such as `169.254.20.10`"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::kubelet::Kubelet;
    use crate::rooms::overlaid::{claimed, complaints};

    #[test]
    fn fields_are_judged_by_release_and_owner() {
        let with = |version: &str, config: serde_json::Value| {
            let overlay =
                json!({"cluster": {"kubernetes": version}, "kubelet": {"config": config}});
            complaints(&Kubelet, &overlay)
        };
        let too_early = ["cluster/extra-arg-removed at kubelet.config.memorySwap"];
        assert_eq!(with("1.21.14", json!({"memorySwap": {}})), too_early);
        let swap = json!({"memorySwap": {"swapBehavior": "NoSwap"}, "evictionHard": {"nodefs.available": "5%"}});
        assert!(with("1.37.1", swap).is_empty());
        let misspelt = json!({"memorySwap": {"swapBehaviour": "NoSwap"}});
        let unknown = ["cluster/extra-arg-removed at kubelet.config.memorySwap.swapBehaviour"];
        assert_eq!(with("1.37.1", misspelt), unknown);
        let owned = ["cluster/extra-arg-owned at kubelet.config.maxPods"];
        assert_eq!(with("1.37.1", json!({"maxPods": 50})), owned);
    }

    #[test]
    fn pods_may_ask_a_cache_on_their_node() {
        let with = |addresses: serde_json::Value| json!({"kubelet": {"config": {"clusterDNS": addresses}}});
        let cache = with(json!(["169.254.20.10"]));
        assert!(complaints(&Kubelet, &cache).is_empty());
        let (_, claims) = claimed(&cache);
        assert_eq!(claims.carried[0].value["clusterDNS"], json!(["169.254.20.10"]));
        let at = |place: &str| vec![format!("kubelet/cluster-dns at {place}")];
        assert_eq!(complaints(&Kubelet, &with(json!([]))), at("kubelet.config.clusterDNS"));
        let name = with(json!(["10.96.0.10", "kube-dns"]));
        assert_eq!(complaints(&Kubelet, &name), at("kubelet.config.clusterDNS[1]"));
        let patched = json!({"patches": [{
            "document": "kubelet/KubeletConfiguration", "patch": {"clusterDNS": ["dns"]},
        }]});
        assert_eq!(complaints(&Kubelet, &patched), at("patches[0].patch.clusterDNS[0]"));
    }
}
