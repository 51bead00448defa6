//! The authorities of a Kubernetes cluster: ids and names as kubeadm has them
//! (`cmd/kubeadm/app/phases/certs/certlist.go`).

use crate::pki::{Authority, Usage};

/// `/etc/kubernetes/pki/ca.crt`: API servers, kubelets and their clients.
pub const KUBERNETES: Authority = Authority {
    id: "ca/kubernetes",
    common_name: "kubernetes",
    signs: &[Usage::Server, Usage::Client],
};

/// `/etc/kubernetes/pki/front-proxy-ca.crt`: API servers, where they speak for a user to an extension.
pub const FRONT_PROXY: Authority =
    Authority { id: "ca/front-proxy", common_name: "front-proxy-ca", signs: &[Usage::Client] };

/// `/etc/kubernetes/pki/etcd/ca.crt`: the members of the store and its clients.
pub const ETCD: Authority =
    Authority { id: "ca/etcd", common_name: "etcd-ca", signs: &[Usage::Peer, Usage::Client] };
