//! What an old release needs so that nodes may join with their own certificate.

use serde_json::{Value, json};

/// Lets nodes read the ConfigMap `kube-proxy`, through the Role of that name that kubeadm makes
/// for bootstrap tokens (`cmd/kubeadm/app/phases/addons/proxy/proxy.go`, 1.15).
pub(super) fn nodes_read_kube_proxy() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "hagen:nodes-read-kube-proxy", "namespace": "kube-system"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": "kube-proxy",
        },
        "subjects": [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:nodes"},
        ],
    })
}
