//! `nodes`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::host::OsSection;
use super::values::{
    Address, Cidrs, DnsNameOrAddress, Interface, LabelKey, LabelValue, NodeName, Taint, keyed,
};

/// What a node does.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// API server, controller manager, scheduler; the balancer and keepalived, unless a node is a
    /// `load-balancer`. With stacked etcd also a member.
    ControlPlane,
    /// Runs pods. Control planes that are also workers carry no taint.
    Worker,
    /// A member of an external etcd. With `etcd.mode: external` and no node in this role, every
    /// control plane is a member.
    Etcd,
    /// Passes clients of the API on to the control planes, instead of these themselves; alone or
    /// beside other roles.
    LoadBalancer,
}

/// One machine.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeSection {
    /// The Kubernetes node name, certificate CN and etcd member name. Scripts stop when the
    /// host's name differs, unless `host.setHostname` tells them to set it.
    pub name: NodeName,
    /// The cluster address: advertise address, node IP, etcd, VRRP source, balancer backend.
    pub address: Address,
    /// The node's address of the other family, where pods have addresses of both: the kubelet
    /// registers it as the node's second address, and a control plane's certificate names it. All
    /// parts of the cluster go on meeting at `address`. Kubernetes 1.21 or newer. Default: none.
    pub second_address: Option<Address>,
    /// What the node does; at least one role.
    #[schemars(length(min = 1), extend("examples" = [["control-plane"]]))]
    pub roles: Vec<Role>,
    /// Address or name for SSH, where it differs from `address`. Default: `address`.
    pub ssh: Option<DnsNameOrAddress>,
    /// More names and addresses for this node's API server certificate. Default: none.
    #[serde(default)]
    pub extra_sans: Vec<DnsNameOrAddress>,
    /// The operating system. Default: the inventory's `os`.
    pub os: Option<OsSection>,
    /// The interface that carries `address`, and the VIP where the node may hold it. Default:
    /// `endpoint.interface`.
    pub interface: Option<Interface>,
    /// Kubernetes labels, set when the node registers. Default: none.
    #[serde(default)]
    #[schemars(schema_with = "keyed::<LabelKey, LabelValue>")]
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// Kubernetes taints, `key=value:Effect`, set when the node registers. Default: the release's
    /// own for a control plane that is not a worker, else none.
    pub taints: Option<Vec<Taint>>,
    /// The addresses of this node's pods under `cni.plugin: bridge`, within `cluster.podSubnet`.
    /// Default: the /24 (IPv6: /64) at the node's place among those that run pods; `build`
    /// and `diff` refuse one that is not what the tree in the output folder has, and name the
    /// `podRange` to write.
    pub pod_range: Option<Cidrs>,
}
