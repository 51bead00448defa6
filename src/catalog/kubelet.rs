//! The kubelet's flags and configuration, by minor.

use serde::Deserialize;

/// Which flags the kubelet has and how strict it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubeletFacts {
    /// Whether kubeadm looks on each node for systemd-resolved (`mutateResolverConfig` in
    /// `cmd/kubeadm/app/componentconfigs/kubelet_unix.go`, 1.31); before, what the first control
    /// plane has is every node's `resolvConf`.
    pub resolver_per_node: bool,
    /// Whether `--network-plugin=cni` is needed and known: dockershim's, gone in 1.24.
    pub network_plugin_flag: bool,
    /// Whether `--container-runtime=remote` is needed: 1.24 made `remote` the only value, the
    /// flag went in 1.27.
    pub container_runtime_flag: bool,
    /// Whether kubeadm passes `--pod-infra-container-image`; the kubelet of 1.35 refuses to
    /// start with it.
    pub pod_infra_container_image_flag: bool,
    /// Whether KubeletConfiguration has `containerRuntimeEndpoint` (1.27); before, the flag
    /// `--container-runtime-endpoint` is the only way.
    pub container_runtime_endpoint_field: bool,
    /// Whether an unknown field in KubeletConfiguration stops the kubelet
    /// (1.17, kubernetes/kubernetes#83204); ignored before.
    pub unknown_fields_fatal: bool,
    /// Whether KubeletConfiguration has `failCgroupV1` (1.31).
    pub fail_cgroup_v1_field: bool,
    /// Whether the kubelet refuses cgroup v1 unless `failCgroupV1: false` (1.35).
    pub cgroup_v2_required: bool,
    /// The values of `memorySwap.swapBehavior`; empty before 1.22. `UnlimitedSwap` went and
    /// `NoSwap` came with 1.30 (kubernetes/kubernetes#122745).
    pub swap_behaviors: Vec<String>,
    /// Whether static pods that name ConfigMaps, Secrets or ServiceAccounts are refused (1.34).
    pub static_pod_references_refused: bool,
    /// Whether `eventRecordQPS: 0` means no limit (1.37); before, it means the default.
    pub zero_event_qps_unlimited: bool,
}
