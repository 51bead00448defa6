//! The pod, after the manifest that `kube-vip manifest pod` prints. What differs, and why: it is as
//! critical as the static pods of kubeadm and has a share of the processor, since a holder that does
//! not get to renew its lease loses the VIP; the kubelet waits for the kubeconfig instead of making a
//! folder in its place; metrics are bound to loopback; and the API server that it asks is named. Without a
//! name, 1.2.2 asks the one in the kubeconfig, which is the VIP: nobody would ever hold that
//! (`pkg/manager/manager.go`: `--k8sConfigPath` is never empty, so what is meant for control planes, the
//! host `kubernetes` by an alias, is not reached).

use serde_json::{Value, json};

use super::plan::KubeVipPlan;
use crate::inventory::values::Duration;
use crate::rooms::DocumentName;
use crate::site::{Cluster, Host, host_port, loopback};

pub(super) const POD: &str = "kubevip/Pod";

pub(super) const DOCUMENTS: &[DocumentName] = &[DocumentName {
    name: POD,
    // Lists are replaced as a whole, and these agree with the endpoint and the node.
    owned: &[
        "/apiVersion",
        "/kind",
        "/metadata/name",
        "/metadata/namespace",
        "/spec/containers",
        "/spec/hostNetwork",
        "/spec/volumes",
    ],
}];

/// kube-vip's own default, there on every address.
pub(super) const METRICS_PORT: u16 = 2112;
/// Of the control plane's VIP, in [`NAMESPACE`].
pub(super) const LEASE: &str = "plndr-cp-lock";
const NAMESPACE: &str = "kube-system";

/// Where kube-vip looks for a kubeconfig. Of that it takes the credential and the authority alone.
const KUBECONFIG: &str = "/etc/kubernetes/admin.conf";

/// Of the node, kubeadm's own file, so that its renewal is kubeadm's. The one that may ask before
/// `kubeadm init` has given the other any rights is on the first control plane only; the others ask
/// for nothing before they join.
fn kubeconfig(node: &Host, cluster: &Cluster<'_>) -> &'static str {
    match cluster.release.super_admin && cluster.is_first_control_plane(node) {
        true => "/etc/kubernetes/super-admin.conf",
        false => KUBECONFIG,
    }
}

pub(super) fn pod(plan: &KubeVipPlan, node: &Host, cluster: &Cluster<'_>) -> Value {
    let kubeconfig = kubeconfig(node, cluster);
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "kube-vip", "namespace": NAMESPACE},
        "spec": {
            "hostNetwork": true,
            "priorityClassName": "system-node-critical",
            "containers": [{
                "name": "kube-vip",
                "image": plan.settings.image,
                "imagePullPolicy": "IfNotPresent",
                "args": ["manager"],
                "env": environment(plan, node),
                "resources": {"requests": {"cpu": "100m", "memory": "50Mi"}},
                "securityContext": {
                    "capabilities": {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "kubeconfig", "mountPath": KUBECONFIG, "readOnly": true},
                ],
            }],
            "volumes": [
                {"name": "kubeconfig", "hostPath": {"path": kubeconfig, "type": "File"}},
            ],
        },
    })
}

fn environment(plan: &KubeVipPlan, node: &Host) -> Vec<Value> {
    let seconds = |time: &Duration| (time.millis() / 1000).to_string();
    let settings = &plan.settings;
    let here = |port| host_port(loopback(node.address), port);
    let on = || "true".to_owned();
    let node_name = json!({
        "name": "vip_nodename",
        "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}},
    });
    // The name is ARP's; an IPv6 address is advertised by NDP.
    let rest = [
        ("vip_arp", on()),
        // Milliseconds, the least that it takes. A new holder is known from the next one on
        // (`pkg/arp/arp.go`); of the default, 3 s, clients would wait for most.
        ("vip_arpRate", "500".to_owned()),
        ("vip_interface", node.interface.clone()),
        ("address", plan.vip.to_string()),
        ("vip_subnet", plan.prefix.to_string()),
        ("port", plan.port.to_string()),
        ("cp_enable", on()),
        ("cp_namespace", NAMESPACE.to_owned()),
        ("vip_leaderelection", on()),
        ("vip_leasename", LEASE.to_owned()),
        ("vip_leaseduration", seconds(&settings.lease_duration)),
        ("vip_renewdeadline", seconds(&settings.renew_deadline)),
        ("vip_retryperiod", seconds(&settings.retry_period)),
        ("kubernetes_addr", here(plan.port)),
        ("prometheus_server", here(METRICS_PORT)),
    ];
    let rest = rest.into_iter().map(|(name, value)| json!({"name": name, "value": value}));
    std::iter::once(node_name).chain(rest).collect()
}
