//! One kubeconfig as a typed document.

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::pki::Leaf;

/// A kubeconfig with everything embedded: one cluster, one user, the context `<user>@<cluster>`
/// that kubeadm names as well. `ca` is in PEM all that the server's certificate may be signed by.
///
/// `kubeadm init` and `join --control-plane` compare it with `ca.crt`: before 1.31 with the first
/// certificate there and to the byte, so with two of them no control plane joins ("has got the wrong CA
/// cert"); since then they look for one in common
/// (<https://github.com/kubernetes/kubernetes/pull/123102>).
pub(super) fn kubeconfig(cluster: &str, server: &str, user: &str, ca: &str, leaf: &Leaf) -> Value {
    let context = format!("{user}@{cluster}");
    let embedded = |pem: &str| Base64::encode_string(pem.as_bytes());
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": cluster,
            "cluster": {
                "certificate-authority-data": embedded(ca),
                "server": server,
            },
        }],
        "contexts": [{
            "name": context,
            "context": {"cluster": cluster, "user": user},
        }],
        "current-context": context,
        "users": [{
            "name": user,
            "user": {
                "client-certificate-data": embedded(&leaf.certificate_pem),
                "client-key-data": embedded(&leaf.key_pem),
            },
        }],
    })
}
