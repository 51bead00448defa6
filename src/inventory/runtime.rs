//! `runtime`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::ProgramVersion;

/// The container runtime.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum RuntimeKind {
    /// containerd with its CRI plugin.
    #[default]
    Containerd,
    /// Docker: through the kubelet's dockershim up to Kubernetes 1.23, through cri-dockerd after.
    Docker,
}

/// Who divides memory and CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CgroupDriver {
    /// systemd.
    #[default]
    Systemd,
    /// The runtime itself; for hosts whose first process is not systemd.
    Cgroupfs,
}

/// The container runtime. More of its configuration: `patches` on `runtime/ContainerdConfig`, a
/// table that is merged into containerd's `config.toml`, or on `runtime/DockerDaemon`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuntimeSection {
    /// Which one. Default: `containerd`.
    #[serde(default)]
    pub kind: RuntimeKind,
    /// Its release, such as `"2.2"` or `"18.09.7"`. Default: the newest that the catalog knows to
    /// serve this Kubernetes release.
    pub version: Option<ProgramVersion>,
    /// Its cgroup driver; must equal the kubelet's. Default: `systemd`.
    #[serde(default)]
    pub cgroup_driver: CgroupDriver,
    /// Docker from Kubernetes 1.24 on: cri-dockerd is installed. Default: false.
    #[serde(default)]
    pub cri_dockerd: bool,
}
