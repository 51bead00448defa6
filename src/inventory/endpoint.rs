//! `endpoint`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{Address, DnsName, Interface, InterfaceAddress, Port};

/// Who answers under the endpoint's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HolderKind {
    /// The control planes, or the nodes with the role `load-balancer`, hold `vip` in turn, by VRRP;
    /// a balancer runs on each of them.
    Keepalived,
    /// The control planes hold `vip` in turn, by a lease in the cluster's own API: kube-vip runs there
    /// as a static pod. Nobody balances: all clients reach the API server of the one that holds it.
    KubeVip,
    /// Somebody else: a balancer in front of the API servers that is not in this inventory, or DNS.
    /// It is called `address` or `name`.
    External,
    /// Each node itself: a balancer on its loopback address leads to all API servers. For nodes in
    /// several subnets, where no VIP can move.
    NodeLocal,
    /// One machine, under its own address: the only control plane, without a balancer, or the only
    /// node with the role `load-balancer`.
    Host,
}

impl HolderKind {
    /// As the inventory writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keepalived => "keepalived",
            Self::KubeVip => "kubeVip",
            Self::External => "external",
            Self::NodeLocal => "nodeLocal",
            Self::Host => "host",
        }
    }
}

/// The one address under which everybody reaches the API.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndpointSection {
    /// Who answers there. Default: `keepalived` with `vip`, `external` with `address`, else `host`.
    pub holder: Option<HolderKind>,
    /// The virtual address with the prefix of its subnet, such as `192.168.1.33/24`. Default: none.
    pub vip: Option<InterfaceAddress>,
    /// The address of somebody else's balancer. Default: none, it is found by `name`.
    pub address: Option<Address>,
    /// The port that clients use. With balancers on the control planes it must differ from
    /// `cluster.apiPort`, and without a balancer of this inventory's it is that one, which is the
    /// default then. No default where balancers run.
    #[schemars(extend("examples" = [8443]))]
    pub port: Option<Port>,
    /// The interface that carries the VIP on every node that does not name its own. No default.
    pub interface: Option<Interface>,
    /// A DNS name for the endpoint. It becomes a certificate name; where the address is known it is
    /// an entry of each node's hosts block, and kubeconfigs use the address all the same. Default:
    /// none.
    pub name: Option<DnsName>,
}
