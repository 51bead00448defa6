//! Who decides a field of KubeletConfiguration or a flag of the kubelet.

use serde_json::Value;

use crate::catalog::flags;
use crate::cluster::Cluster;
use crate::cluster::extra::{self, Owned};
use crate::report::{Path, Report, closest};

const CGROUP_DRIVER: &[&str] = &["runtime", "cgroupDriver"];
const DOMAIN: &[&str] = &["cluster", "domain"];
const MAX_PODS: &[&str] = &["kubelet", "maxPods"];
const NODES: &[&str] = &["nodes"];
const PKI: &[&str] = &["pki"];
const RUNTIME: &[&str] = &["runtime", "kind"];
const SERVICES: &[&str] = &["cluster", "serviceSubnet"];

/// Flags that hagen or kubeadm sets, or that have a field which kubeadm sets.
pub(super) const FLAGS: Owned = &[
    ("bootstrap-kubeconfig", PKI),
    ("cgroup-driver", CGROUP_DRIVER),
    ("client-ca-file", PKI),
    ("cluster-dns", SERVICES),
    ("cluster-domain", DOMAIN),
    ("config", &["kubelet", "config"]),
    ("container-runtime", RUNTIME),
    ("container-runtime-endpoint", RUNTIME),
    ("hostname-override", NODES),
    ("kubeconfig", PKI),
    ("max-pods", MAX_PODS),
    ("network-plugin", &["cni", "plugin"]),
    ("node-ip", NODES),
    ("node-labels", NODES),
    ("pod-infra-container-image", &["images", "registry"]),
    ("pod-manifest-path", NODES),
    ("register-with-taints", NODES),
];

/// Fields likewise.
const FIELDS: Owned = &[
    ("apiVersion", &["cluster", "kubernetes"]),
    ("cgroupDriver", CGROUP_DRIVER),
    ("clusterDNS", SERVICES),
    ("clusterDomain", DOMAIN),
    ("containerRuntimeEndpoint", RUNTIME),
    ("kind", &["cluster", "kubernetes"]),
    ("maxPods", MAX_PODS),
    ("registerWithTaints", NODES),
    ("rotateCertificates", PKI),
    ("staticPodPath", NODES),
];

/// Reports each field below `at` that the release lacks or that is decided elsewhere. From 1.17
/// on an unknown field stops the kubelet; before, it is ignored, which nobody wants either.
pub(super) fn lint<'a>(
    cluster: &Cluster,
    fields: impl IntoIterator<Item = (&'a String, &'a Value)>,
    at: &Path,
    report: &mut Report,
) {
    for (name, value) in fields {
        let at = at.key(name);
        match extra::owner(name, FIELDS, &at) {
            Some(finding) => report.push(finding),
            None => field(cluster, name, value, &at, report),
        }
    }
}

/// Reports each field of a patch that the release lacks.
pub(super) fn known<'a>(
    cluster: &Cluster,
    fields: impl IntoIterator<Item = (&'a String, &'a Value)>,
    at: &Path,
    report: &mut Report,
) {
    let free = |(name, _): &(&String, &Value)| FIELDS.iter().all(|(owned, _)| owned != name);
    lint(cluster, fields.into_iter().filter(free), at, report);
}

fn field(cluster: &Cluster, name: &str, value: &Value, at: &Path, report: &mut Report) {
    let status = flags::kubelet_field(name, cluster.kubernetes.minor);
    if status != flags::Status::Known {
        let what = format!("KubeletConfiguration has no field {name}");
        extra::report_absent(cluster, &what, status, || near(name), at.clone(), report);
        return;
    }
    if let Value::Object(below) = value {
        for (key, value) in below {
            field(cluster, &format!("{name}.{key}"), value, &at.key(key), report);
        }
    }
}

/// The commonest fields, for did-you-mean.
fn near(name: &str) -> Option<String> {
    const COMMON: [&str; 16] = [
        "allowedUnsafeSysctls",
        "containerLogMaxFiles",
        "containerLogMaxSize",
        "evictionHard",
        "evictionSoft",
        "failSwapOn",
        "imageGCHighThresholdPercent",
        "imageGCLowThresholdPercent",
        "kubeReserved",
        "memorySwap",
        "podPidsLimit",
        "seccompDefault",
        "serializeImagePulls",
        "shutdownGracePeriod",
        "systemReserved",
        "topologyManagerPolicy",
    ];
    closest(name, COMMON).map(str::to_owned)
}
