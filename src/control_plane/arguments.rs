//! What the programs of a control plane run with: which flags are decided, by what, and what the
//! decided ones are that other files agree with.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::Part;
use crate::site::said_flags::Owned;
use crate::site::{Cluster, Host};

/// Flags as a component gets them: name without dashes to value.
pub type Flags = BTreeMap<String, String>;

const API_PORT: &[&str] = &["cluster", "apiPort"];
const ETCD: &[&str] = &["etcd", "mode"];
const NAME: &[&str] = &["cluster", "name"];
const NODES: &[&str] = &["nodes"];
const PKI: &[&str] = &["pki"];
const PODS: &[&str] = &["cluster", "podSubnet"];
const SERVICES: &[&str] = &["cluster", "serviceSubnet"];

/// What the API server is given and other files agree with. Not here: flags whose
/// default kubeadm sets but a user may well change (`authorization-mode`,
/// `enable-admission-plugins`, `service-account-issuer` beside the cluster's own).
const API_SERVER: Owned = &[
    ("advertise-address", NODES),
    ("client-ca-file", PKI),
    ("etcd-cafile", ETCD),
    ("etcd-certfile", ETCD),
    ("etcd-keyfile", ETCD),
    ("etcd-servers", &["etcd", "endpoints"]),
    ("kubelet-certificate-authority", PKI),
    ("kubelet-client-certificate", PKI),
    ("kubelet-client-key", PKI),
    ("proxy-client-cert-file", PKI),
    ("proxy-client-key-file", PKI),
    ("requestheader-client-ca-file", PKI),
    ("secure-port", API_PORT),
    ("service-account-key-file", PKI),
    ("service-account-signing-key-file", PKI),
    ("service-cluster-ip-range", SERVICES),
    ("tls-cert-file", PKI),
    ("tls-private-key-file", PKI),
];

/// The controller manager's.
const CONTROLLER_MANAGER: Owned = &[
    ("allocate-node-cidrs", PODS),
    ("authentication-kubeconfig", PKI),
    ("authorization-kubeconfig", PKI),
    ("client-ca-file", PKI),
    ("cluster-cidr", PODS),
    ("cluster-name", NAME),
    ("cluster-signing-cert-file", PKI),
    ("cluster-signing-key-file", PKI),
    ("kubeconfig", PKI),
    ("requestheader-client-ca-file", PKI),
    ("root-ca-file", PKI),
    ("service-account-private-key-file", PKI),
    ("service-cluster-ip-range", SERVICES),
];

/// The scheduler's.
const SCHEDULER: Owned = &[
    ("authentication-kubeconfig", PKI),
    ("authorization-kubeconfig", PKI),
    ("client-ca-file", PKI),
    ("kubeconfig", PKI),
    ("requestheader-client-ca-file", PKI),
];

/// The flags of a component that the site decides.
pub fn owned(part: Part) -> Owned {
    match part {
        Part::ApiServer => API_SERVER,
        Part::ControllerManager => CONTROLLER_MANAGER,
        Part::Scheduler => SCHEDULER,
    }
}

/// Flags that other files follow where `extraArgs` says them; none follows a patch.
pub const FOLLOWED: Owned = &[
    ("node-cidr-mask-size", &["extraArgs", "controllerManager"]),
    ("node-cidr-mask-size-ipv4", &["extraArgs", "controllerManager"]),
    ("node-cidr-mask-size-ipv6", &["extraArgs", "controllerManager"]),
    ("service-node-port-range", &["extraArgs", "apiServer"]),
];

/// What is said of the controller manager's flags, and what follows from pod ranges that are fixed:
/// it would allocate others, in the order in which nodes register.
pub fn of_controller_manager(mut said: Flags, cluster: &Cluster<'_>) -> Flags {
    if cluster.fixed_pod_ranges() {
        said.insert("allocate-node-cidrs".into(), "false".into());
    }
    said
}

/// The flags on a node that other files agree with.
pub fn agreed(cluster: &Cluster<'_>, node: &Host) -> Vec<(Part, &'static str, String)> {
    let all = [
        (Part::ApiServer, "advertise-address", node.address.to_string()),
        (Part::ApiServer, "secure-port", cluster.api_port.to_string()),
        (Part::ApiServer, "service-cluster-ip-range", joined(&cluster.service_subnets)),
        (Part::ControllerManager, "cluster-cidr", joined(&cluster.pod_subnets)),
    ];
    all.into_iter().filter(|(_, _, value)| !value.is_empty()).collect()
}

/// Networks as flags have them.
pub fn joined(networks: &[IpNet]) -> String {
    networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
