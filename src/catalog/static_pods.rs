//! The manifests that kubeadm writes for the control plane's static pods, by minor, so that a
//! control plane without kubeadm can be the same. Source of every field: the sources of each
//! minor, `cmd/kubeadm/app/phases/controlplane/{manifests,volumes}.go` and
//! `cmd/kubeadm/app/util/staticpod/utils.go`.

use serde::Deserialize;

/// The paths of a component's probes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbePaths {
    /// The liveness probe's.
    pub liveness: String,
    /// The readiness probe's, where there is one.
    pub readiness: Option<String>,
    /// The startup probe's, where there is one (1.19).
    pub startup: Option<String>,
}

/// What the manifests of the control plane's static pods look like.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticPodFacts {
    /// The priority class: `system-cluster-critical`, from 1.19 `system-node-critical`.
    pub priority_class: String,
    /// The priority, spelled out since 1.25: the kubelet needs it when it evicts before it has
    /// reached an API server.
    pub priority: Option<i64>,
    /// Whether the pod's seccomp profile is `RuntimeDefault` (1.22).
    pub seccomp_runtime_default: bool,
    /// Whether probes name the container port `probe-port` and not a number (1.34).
    pub named_probe_port: bool,
    /// Whether the controller manager and the scheduler are probed over HTTPS, on 10257 and
    /// 10259 (1.16); before, over HTTP on 10252 and 10251.
    pub secure_probes: bool,
    /// The API server's probes: HTTPS on the advertised address.
    pub apiserver_probes: ProbePaths,
    /// The controller manager's probes.
    pub controller_manager_probes: ProbePaths,
    /// The scheduler's probes.
    pub scheduler_probes: ProbePaths,
    /// Whether the API server needs `--insecure-port=0` (until 1.21).
    pub insecure_port_flag: bool,
    /// Whether the controller manager and the scheduler get `--port=0` (1.16 to 1.22), which
    /// closes their HTTP port.
    pub port_flag: bool,
    /// Whether the API server gets `--service-account-issuer` and
    /// `--service-account-signing-key-file` (1.20, where they became required).
    pub service_account_issuer: bool,
    /// Whether the controller manager gets `--cluster-name` (1.18).
    pub cluster_name_flag: bool,
    /// Whether the controller manager gets `--service-cluster-ip-range` (1.16).
    pub service_cidr_flag: bool,
    /// Whether the scheduler gets `--authentication-kubeconfig` and
    /// `--authorization-kubeconfig` (1.16).
    pub scheduler_authentication: bool,
    /// Whether the controller manager has the flexvolume folder (until 1.35).
    pub flexvolume_folder: bool,
    /// The folders of RHEL's CA bundle that are mounted where they exist: `/etc/pki`, from 1.31
    /// two folders below it.
    pub system_pki_folders: Vec<String>,
}
