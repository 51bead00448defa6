//! Paths on a node that more than one room relies on.

/// kubeadm's certificatesDir (its own default).
pub const PKI: &str = "/etc/kubernetes/pki";
/// The configuration of `kubeadm init`, on the first control plane.
pub const KUBEADM_CONFIG: &str = "/etc/kubernetes/kubeadm-config.yaml";
/// The configuration of `kubeadm join`, on every node that may join.
pub const KUBEADM_JOIN: &str = "/etc/kubernetes/kubeadm-join.yaml";
/// The discovery file of a joining node: CA, endpoint and the node's own credential.
pub const DISCOVERY: &str = "/etc/kubernetes/discovery.conf";
/// The manifest of a control plane's API server, from its init or join on.
pub const API_SERVER: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml";
/// Manifests that the first control plane applies after `kubeadm init`, in name order.
pub const ADDONS: &str = "/etc/kubernetes/addons";
/// Certificates of an external member: `ca.crt`, `server.{crt,key}`, `peer.{crt,key}`,
/// `client.{crt,key}` (etcdctl and backups).
pub const ETCD_PKI: &str = "/etc/etcd/pki";
/// The external member's environment file.
pub const ETCD_CONF: &str = "/etc/etcd/etcd.conf";
/// All files of an external member, as patterns of a shell's `case`: they stay with the member where
/// a reset leaves it.
pub const ETCD_FILES: &[&str] = &[
    "/etc/etcd/*",
    "/etc/systemd/system/etcd.service",
    "/etc/systemd/system/etcd.service.d/*",
    "/etc/systemd/system/etcd-backup.*",
    "/etc/sysusers.d/hagen-etcd.conf",
    "/etc/tmpfiles.d/hagen-etcd.conf",
    "/usr/local/lib/hagen/etcd-backup",
];
/// Settings that win over [`ETCD_CONF`] until the next boot, where the file exists: a member that
/// takes the place of a lost one is started with `ETCD_INITIAL_CLUSTER_STATE=existing`, and the
/// last survivor of a lost quorum with `ETCD_FORCE_NEW_CLUSTER=true`.
pub const ETCD_OVERRIDE: &str = "/run/hagen/etcd.env";
/// What `etcdctl` reads: `set -a; . /etc/etcd/etcdctl.env; set +a; etcdctl member list`.
pub const ETCDCTL_ENV: &str = "/etc/etcd/etcdctl.env";
/// Where an external member's programs are: etcd, etcdctl, etcdutl.
pub const ETCD_BIN: &str = "/usr/local/bin";
/// Kernel settings.
pub const SYSCTL: &str = "/etc/sysctl.d/90-hagen-kubernetes.conf";
/// Kernel modules loaded at boot.
pub const MODULES: &str = "/etc/modules-load.d/90-hagen-kubernetes.conf";
