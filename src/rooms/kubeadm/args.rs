//! Which flags of the control plane hagen or kubeadm decides, and how flags are written.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::catalog::ExtraArgsForm;
use crate::site::extra::Owned;

/// Flags as a component gets them: name without dashes to value.
pub(super) type Flags = BTreeMap<String, String>;

const API_PORT: &[&str] = &["cluster", "apiPort"];
const ETCD: &[&str] = &["etcd", "mode"];
const NAME: &[&str] = &["cluster", "name"];
const NODES: &[&str] = &["nodes"];
const PKI: &[&str] = &["pki"];
const PODS: &[&str] = &["cluster", "podSubnet"];
const SERVICES: &[&str] = &["cluster", "serviceSubnet"];

/// What kubeadm passes to the API server and other files agree with. Not here: flags whose
/// default kubeadm sets but a user may well change (`authorization-mode`,
/// `enable-admission-plugins`, `service-account-issuer` beside the cluster's own).
pub(super) const API_SERVER: Owned = &[
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
pub(super) const CONTROLLER_MANAGER: Owned = &[
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
pub(super) const SCHEDULER: Owned = &[
    ("authentication-kubeconfig", PKI),
    ("authorization-kubeconfig", PKI),
    ("client-ca-file", PKI),
    ("kubeconfig", PKI),
    ("requestheader-client-ca-file", PKI),
];

/// Flags that other files follow where `extraArgs` says them; none follows a patch.
pub(super) const FOLLOWED: Owned = &[
    ("node-cidr-mask-size", &["extraArgs", "controllerManager"]),
    ("node-cidr-mask-size-ipv4", &["extraArgs", "controllerManager"]),
    ("node-cidr-mask-size-ipv6", &["extraArgs", "controllerManager"]),
    ("service-node-port-range", &["extraArgs", "apiServer"]),
];

/// Flags in the form of the release: a map of texts, or a list of names and values (v1beta4).
pub(super) fn written(form: ExtraArgsForm, flags: &Flags) -> Value {
    match form {
        ExtraArgsForm::Map => flags
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect::<Map<_, _>>()
            .into(),
        ExtraArgsForm::List => {
            flags.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_texts_in_both_forms() {
        let flags = BTreeMap::from([("v".to_owned(), "2".to_owned())]);
        assert_eq!(written(ExtraArgsForm::Map, &flags), json!({"v": "2"}));
        assert_eq!(written(ExtraArgsForm::List, &flags), json!([{"name": "v", "value": "2"}]));
    }
}
