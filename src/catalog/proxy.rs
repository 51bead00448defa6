//! kube-proxy, static pods and packages, by minor.

use serde::Deserialize;

/// kube-proxy's modes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubeProxyFacts {
    /// The values of `mode` that work without a feature gate.
    pub modes: Vec<String>,
    /// Whether ipvs is deprecated (1.35): it still works, with a warning.
    pub ipvs_deprecated: bool,
    /// How far nftables mode is.
    pub nftables: Stage,
}

/// How far a feature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It does not exist.
    Absent,
    /// It needs its feature gate.
    Alpha,
    /// It works and may still change.
    Beta,
    /// It is there to stay.
    Stable,
}

/// What the manifests of the control plane's static pods look like.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticPodFacts {
    /// The priority class: `system-cluster-critical`, from 1.19 `system-node-critical`.
    pub priority_class: String,
}

/// Where a minor's packages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageLayout {
    /// apt.kubernetes.io and packages.cloud.google.com: taken down on 2024-03-04
    /// (<https://kubernetes.io/blog/2023/08/31/legacy-package-repositories-deprecation/>), so a
    /// mirror is needed.
    Legacy,
    /// <https://pkgs.k8s.io>: one repository per minor, from 1.24.
    PkgsK8sIo,
}
