use std::net::IpAddr;

use crate::report::Path;
use crate::site::Endpoint;

/// Where a listener binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bind {
    /// Every address of the host.
    Any,
    /// `127.0.0.1` and `::1` only.
    Loopback,
    /// One address.
    Address(IpAddr),
}

impl Bind {
    /// Whether two listeners with one port cannot live on one host.
    pub fn overlaps(self, other: Self) -> bool {
        self == Self::Any || other == Self::Any || self == other
    }
}

/// Transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// VRRP, IP protocol 112; the port is 0.
    Vrrp,
}

/// Who has to reach a port; the firewall and the runbook say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The host itself.
    Host,
    /// The machines that hold a VIP in turn.
    Holders,
    /// Control planes.
    ControlPlanes,
    /// Members of etcd.
    Members,
    /// Members of etcd and control planes.
    Store,
    /// Every node.
    Nodes,
    /// Everybody who uses the cluster.
    Clients,
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Transport.
    pub protocol: Protocol,
    /// Where it binds.
    pub bind: Bind,
    /// The number.
    pub port: u16,
    /// Who has to reach it.
    pub reach: Reach,
    /// What listens, in a few words: "the API server".
    pub what: &'static str,
    /// The place in the inventory that decided the number.
    pub at: Path,
}

impl Port {
    /// Where clients find an endpoint, on a machine that balances it.
    pub fn of(endpoint: &Endpoint) -> Self {
        Self {
            protocol: Protocol::Tcp,
            bind: if endpoint.is_local() { Bind::Loopback } else { Bind::Any },
            port: endpoint.port,
            reach: if endpoint.is_local() { Reach::Host } else { Reach::Clients },
            what: "the balancer",
            at: endpoint.at.key("port"),
        }
    }

    /// Whether everybody who uses the cluster reaches it.
    pub fn is_for_clients(&self) -> bool {
        self.bind != Bind::Loopback && self.reach == Reach::Clients
    }
}

/// A VRRP router id on a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterId {
    /// 1–255.
    pub id: u8,
    /// The subnet that the VIP lives in.
    pub segment: ipnet::IpNet,
    /// The VIP, where the id follows from it.
    pub from: Option<IpAddr>,
    /// The place in the inventory that decided it.
    pub at: Path,
}
