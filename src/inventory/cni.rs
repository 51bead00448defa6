//! `cni`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{Cidrs, ImageReference, Interface};

/// The pod network.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Plugin {
    /// flannel, its manifest written by hagen.
    #[default]
    Flannel,
    /// The reference plugins `bridge`, `host-local` and `portmap`: a range of addresses per node,
    /// fixed at compile time, and static routes. No daemon and no image; all nodes that run pods
    /// in one subnet, and pods of one address family.
    Bridge,
    /// Bring your own; the runbook says when.
    None,
}

/// How flannel carries packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// VXLAN over UDP 8472; works across subnets.
    #[default]
    Vxlan,
    /// Plain routes; all nodes in one subnet.
    HostGw,
    /// WireGuard over UDP 51820 (and 51821 for IPv6); encrypted.
    Wireguard,
}

/// The pod network.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CniSection {
    /// Which plugin. Default: `flannel`.
    #[serde(default)]
    pub plugin: Plugin,
    /// How flannel carries packets. Default: `vxlan`.
    #[serde(default)]
    pub backend: Backend,
    /// The plugin's network; must equal `cluster.podSubnet`. Default: that.
    pub network: Option<Cidrs>,
    /// The interface that flannel uses. Default: the node's interface that carries its address.
    pub interface: Option<Interface>,
    /// flannel's image. Default: the pinned one of this release of hagen.
    pub image: Option<ImageReference>,
    /// flannel's CNI plugin image. Default: the pinned one of this release of hagen.
    pub plugin_image: Option<ImageReference>,
}
