//! Where the cluster's DNS can run.

use crate::report::{Finding, Report};
use crate::rooms::kubeadm::DNS_NOWHERE;
use crate::site::{Cluster, Host};

/// What kubeadm's Deployment of CoreDNS tolerates beside the taints of control planes
/// (`cmd/kubeadm/app/phases/addons/dns/manifests.go`).
const CRITICAL: &str = "CriticalAddonsOnly";

/// Reports a cluster of which no node takes CoreDNS: each has a taint that it does not tolerate.
pub(super) fn lint(cluster: &Cluster<'_>, report: &mut Report) {
    let nodes = || cluster.nodes.iter().filter(|node| node.kubelet());
    let Some(first) = nodes().next() else { return };
    if !nodes().all(|node| refusing(node, cluster).next().is_some()) {
        return;
    }
    let taints: Vec<(usize, &str)> = refusing(first, cluster).collect();
    let names: Vec<String> = taints.iter().map(|(_, key)| format!("`{key}`")).collect();
    report.push(
        Finding::new(
            &DNS_NOWHERE,
            first.path().key("taints").index(taints[0].0),
            "no node takes the cluster's DNS: each has a taint that CoreDNS does not tolerate",
        )
        .label("of the first node")
        .help(format!("remove {} here, or all such taints of another node", names.join(" and "))),
    );
}

/// The taints of a node that keep CoreDNS away: their places and keys.
fn refusing<'a>(
    node: &'a Host,
    cluster: &'a Cluster<'a>,
) -> impl Iterator<Item = (usize, &'a str)> + 'a {
    let tolerated = |key: &str, effect: &str| {
        key == CRITICAL
            || effect == "PreferNoSchedule"
            || effect == "NoSchedule"
                && cluster.release.control_plane_taints.iter().any(|own| own == key)
    };
    let taints = node.taints.iter().flatten().enumerate();
    taints
        .filter(move |(_, (key, _, effect))| !tolerated(key, effect))
        .map(|(index, (key, _, _))| (index, key.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::kubeadm::Kubeadm;
    use crate::rooms::overlaid::complaints;

    #[test]
    fn some_node_takes_the_dns() {
        let of = |plane: Value, worker: Value| {
            complaints(
                &Kubeadm,
                &json!({"nodes": [
                    {"name": "cp1", "address": "192.168.1.11", "roles": ["control-plane"], "taints": plane},
                    {"name": "w1", "address": "192.168.1.21", "roles": ["worker"], "taints": worker},
                ]}),
            )
        };
        let own = json!(["example.com/own=db:NoSchedule"]);
        let nowhere = ["kubeadm/dns-nowhere at nodes[0].taints[0]"];
        assert_eq!(of(json!(["drained:NoExecute"]), own.clone()), nowhere);
        assert!(of(Value::Null, own.clone()).is_empty());
        let usual = json!(["node-role.kubernetes.io/control-plane:NoSchedule"]);
        assert!(of(usual, own.clone()).is_empty());
        assert!(of(own, json!([])).is_empty());
    }
}
