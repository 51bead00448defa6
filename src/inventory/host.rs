//! `os` and `host`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{ModuleName, NoProxy, Release, SysctlKey, SysctlValue, Url, keyed};

/// A Linux distribution whose packages and paths the catalog knows.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    /// Debian 11, 12, 13.
    Debian,
    /// Ubuntu 20.04, 22.04, 24.04.
    Ubuntu,
    /// CentOS 7.
    Centos,
    /// Red Hat Enterprise Linux 8, 9, 10.
    Rhel,
    /// Rocky Linux 8, 9, 10.
    Rocky,
    /// AlmaLinux 8, 9, 10.
    Almalinux,
}

impl Distribution {
    /// `ID` of /etc/os-release, as far as the inventory's name for it goes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Ubuntu => "ubuntu",
            Self::Centos => "centos",
            Self::Rhel => "rhel",
            Self::Rocky => "rocky",
            Self::Almalinux => "almalinux",
        }
    }
}

/// An operating system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OsSection {
    /// The distribution.
    pub distribution: Distribution,
    /// Its release, quoted, such as `"12"` or `"24.04"`.
    pub release: Release,
}

impl OsSection {
    /// What the catalog calls it, such as `debian-12`.
    pub fn id(&self) -> String {
        format!("{}-{}", self.distribution.as_str(), self.release)
    }
}

/// What to do about the host's firewall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Firewall {
    /// Leave it alone; the runbook lists the ports to open.
    #[default]
    Leave,
    /// Tell firewalld (rhel family) exactly the ports of this cluster, and who may reach them:
    /// everybody the endpoint and the node ports, the endpoint's network and nodes outside of it
    /// what is among nodes, single machines etcd and VRRP.
    Open,
}

/// What to do about SELinux.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Selinux {
    /// Leave it as it is.
    #[default]
    Leave,
    /// Permissive, now and at boot, on nodes of the RHEL family that run pods, as
    /// <https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/> has
    /// it.
    Permissive,
}

/// How hosts are prepared.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HostSection {
    /// Whether `10-prepare.sh` sets the host's name to the node's name. Default: false, it stops
    /// with a message where they differ.
    #[serde(default)]
    pub set_hostname: bool,
    /// What to do about the firewall. Default: `leave`.
    #[serde(default)]
    pub firewall: Firewall,
    /// What to do about SELinux. Default: `leave`.
    #[serde(default)]
    pub selinux: Selinux,
    /// Kernel settings of nodes that run pods, beside those that Kubernetes needs; one that only
    /// hagen prefers is replaced. `null` leaves one of hagen's out, where the site sets it by
    /// other means or the kernel does not let it be set. Default: none.
    #[serde(default)]
    #[schemars(schema_with = "keyed::<SysctlKey, Option<SysctlValue>>")]
    pub sysctls: BTreeMap<SysctlKey, Option<SysctlValue>>,
    /// Kernel modules that nodes that run pods load, beside those that Kubernetes needs. Default:
    /// none.
    #[serde(default)]
    pub modules: Vec<ModuleName>,
    /// The way to registries, where it leads through a proxy. Default: none.
    pub proxy: Option<ProxySection>,
}

/// A proxy for the container runtime and the kubelet's helpers. What belongs to the cluster never
/// passes it: nodes, the endpoint, pods, services and the cluster's domain.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProxySection {
    /// Where requests of https URLs go. It is public, so it names no user.
    pub https: Url,
    /// Where requests of http URLs go. Default: the same.
    pub http: Option<Url>,
    /// What else is reached directly, such as a registry of the site's own. Default: none.
    #[serde(default)]
    pub no_proxy: Vec<NoProxy>,
}
