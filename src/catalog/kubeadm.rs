//! kubeadm's configuration API and behaviour, by minor.

use serde::Deserialize;

use super::Severity;

/// The version of kubeadm's configuration API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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

/// kubeadm's configuration fields and behaviour.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubeadmFacts {
    /// The form of `extraArgs` and `kubeletExtraArgs`.
    pub extra_args: ExtraArgsForm,
    /// Whether Init- and JoinConfiguration have `skipPhases` (v1beta3).
    pub skip_phases_field: bool,
    /// Whether `nodeRegistration.imagePullPolicy` exists (v1beta3).
    pub image_pull_policy_field: bool,
    /// Whether `dns.disabled` and `proxy.disabled` exist (v1beta4); before, phases are skipped.
    pub addon_disabled_fields: bool,
    /// Whether `certificateValidityPeriod` and `caCertificateValidityPeriod` exist (v1beta4).
    pub certificate_validity_fields: bool,
    /// The values that `encryptionAlgorithm` takes; empty where the field does not exist.
    /// `ECDSA-P384` came with 1.34.
    pub encryption_algorithms: Vec<String>,

    /// The command that handles certificates: `kubeadm certs`, `kubeadm alpha certs` before 1.20.
    pub certs_command: String,
    /// What preflight and the kubelet's own check make of swap.
    pub swap: Severity,
    /// Programs without which preflight fails, `crictl` included where it is one of them.
    pub required_programs: Vec<String>,
    /// Whether a join by file discovery *without a bootstrap token* needs a RoleBinding that
    /// lets `system:nodes` read the `kube-proxy` ConfigMap. Every join reads it, and kubeadm
    /// itself binds the role to bootstrap tokens only; 1.15 takes "forbidden" and "not found" for
    /// an error, later ones go on without it (`app/componentconfigs/config.go`; 1.16 and 1.17 after ten
    /// seconds of retries).
    pub node_role_binding_needed: bool,
}
