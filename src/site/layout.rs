//! Paths on a node that more than one room relies on.

/// kubeadm's certificatesDir (its own default).
pub const PKI: &str = "/etc/kubernetes/pki";
/// The discovery file of a joining node: CA, endpoint and the node's own credential.
pub const DISCOVERY: &str = "/etc/kubernetes/discovery.conf";
/// The manifest of a control plane's API server, from its init or join on.
pub const API_SERVER: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml";
/// Manifests that the first control plane applies after `kubeadm init`, in name order.
pub const ADDONS: &str = "/etc/kubernetes/addons";
/// Certificates of an external member: `ca.crt`, `server.{crt,key}`, `peer.{crt,key}`,
/// `client.{crt,key}` (etcdctl and backups).
pub const ETCD_PKI: &str = "/etc/etcd/pki";
