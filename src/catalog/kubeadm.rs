//! kubeadm's configuration API and behaviour, by minor.

use serde::Deserialize;

use super::Severity;

/// The version of kubeadm's configuration API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KubeadmApi {
    /// 1.15 to 1.21. <https://pkg.go.dev/k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/v1beta2>
    V1Beta2,
    /// 1.22 to 1.30. <https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta3/>
    V1Beta3,
    /// From 1.31. <https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/>
    V1Beta4,
}

impl KubeadmApi {
    /// The value of `apiVersion`.
    pub fn as_str(self) -> &'static str {
        match self {
            KubeadmApi::V1Beta2 => "kubeadm.k8s.io/v1beta2",
            KubeadmApi::V1Beta3 => "kubeadm.k8s.io/v1beta3",
            KubeadmApi::V1Beta4 => "kubeadm.k8s.io/v1beta4",
        }
    }
}

/// How `extraArgs` are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExtraArgsForm {
    /// `extraArgs: {name: value}`.
    Map,
    /// `extraArgs: [{name: …, value: …}]`, from v1beta4; a flag may be repeated.
    List,
}

/// Where kubeadm's waiting times are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeoutsForm {
    /// `apiServer.timeoutForControlPlane` and `discovery.timeout`.
    TimeoutForControlPlane,
    /// The `timeouts` structure of Init-, Join-, Reset- and UpgradeConfiguration (v1beta4).
    Timeouts,
}

/// kubeadm's configuration fields and behaviour.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubeadmFacts {
    /// The form of `extraArgs` and `kubeletExtraArgs`.
    pub extra_args: ExtraArgsForm,
    /// Where the timeouts are.
    pub timeouts: TimeoutsForm,
    /// Whether Init- and JoinConfiguration have `skipPhases` (v1beta3).
    pub skip_phases_field: bool,
    /// Whether they have `patches.directory` (v1beta3).
    pub patches_field: bool,
    /// Whether `nodeRegistration.imagePullPolicy` exists (v1beta3).
    pub image_pull_policy_field: bool,
    /// Whether `nodeRegistration.imagePullSerial` exists (v1beta4).
    pub image_pull_serial_field: bool,
    /// Whether `dryRun` exists in Init- and JoinConfiguration (v1beta4).
    pub dry_run_field: bool,
    /// Whether components have `extraEnvs` (v1beta4).
    pub extra_envs_field: bool,
    /// Whether `dns.type` exists (removed in v1beta3: CoreDNS is the only one).
    pub dns_type_field: bool,
    /// Whether `dns.disabled` and `proxy.disabled` exist (v1beta4); before, phases are skipped.
    pub addon_disabled_fields: bool,
    /// Whether `certificateValidityPeriod` and `caCertificateValidityPeriod` exist (v1beta4).
    pub certificate_validity_fields: bool,
    /// Whether `etcd.external.httpEndpoints` exists (1.35).
    pub external_etcd_http_endpoints: bool,
    /// The values that `encryptionAlgorithm` takes; empty where the field does not exist.
    /// `ECDSA-P384` came with 1.34.
    pub encryption_algorithms: Vec<String>,
    /// kubeadm's own feature gates that this minor accepts; any other name is an error.
    pub feature_gates: Vec<String>,

    /// The command that handles certificates: `kubeadm certs`, `kubeadm alpha certs` before 1.20.
    pub certs_command: String,
    /// Whether `kubeadm config validate` exists (1.28).
    pub config_validate: bool,
    /// Whether preflight demands a `crictl` program: up to 1.30 (kubernetes/kubernetes#124685
    /// talks to the runtime's socket instead).
    pub crictl_required: bool,
    /// Whether `config validate` takes `--allow-deprecated-api` (1.36).
    pub config_validate_allow_deprecated: bool,
    /// Whether an expired or not yet valid certificate found on disk stops kubeadm; since 1.20
    /// it only warns.
    pub certificate_period_fatal: bool,
    /// Whether preflight demands `net.bridge.bridge-nf-call-iptables` (until 1.29).
    pub bridge_nf_checked: bool,
    /// What preflight and the kubelet's own check make of swap.
    pub swap: Severity,
    /// Programs without which preflight fails, `crictl` included where it is one of them.
    pub required_programs: Vec<String>,
    /// Programs whose absence preflight warns of.
    pub wanted_programs: Vec<String>,
    /// The APIs that this kubeadm reads, oldest first, of those that the catalog knows.
    pub accepted_apis: Vec<KubeadmApi>,
    /// Whether kubeadm sets the kubelet's `cgroupDriver` to `systemd` by itself on every path
    /// (1.22).
    pub systemd_cgroup_default: bool,
    /// The ConfigMap with the cluster's KubeletConfiguration: `kubelet-config-1.23` and the
    /// like up to 1.23, then `kubelet-config`.
    pub kubelet_config_map: String,
    /// Whether a join by file discovery *without a bootstrap token* needs a RoleBinding that
    /// lets `system:nodes` read the `kube-proxy` ConfigMap. Every join reads it, and kubeadm
    /// itself binds the role to bootstrap tokens only; 1.15 takes "forbidden" and "not found" for
    /// an error, later ones go on without it (`app/componentconfigs/config.go`; 1.16 and 1.17 after ten
    /// seconds of retries).
    pub node_role_binding_needed: bool,
    /// The phase of `join phase control-plane-join` that adds the member: `etcd`, from 1.35 only
    /// `etcd-join` (1.31 to 1.34 have both, by feature gate).
    pub join_etcd_phase: String,
    /// Whether `kubeadm` can patch the CoreDNS Deployment (patch target `corednsdeployment`,
    /// 1.31).
    pub coredns_patch_target: bool,
}
