//! The kubelet's flags and configuration, by minor.

use serde::Deserialize;

/// Which flags the kubelet has and how strict it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubeletFacts {
    /// Whether kubeadm looks on each node for systemd-resolved (`mutateResolverConfig` in
    /// `cmd/kubeadm/app/componentconfigs/kubelet_unix.go`, 1.31); before, what the first control
    /// plane has is every node's `resolvConf`.
    pub resolver_per_node: bool,
    /// Whether the kubelet refuses cgroup v1 unless `failCgroupV1: false` (1.35).
    pub cgroup_v2_required: bool,
    /// The values of `memorySwap.swapBehavior`; empty before 1.22. `UnlimitedSwap` went and
    /// `NoSwap` came with 1.30 (kubernetes/kubernetes#122745).
    pub swap_behaviors: Vec<String>,
}
