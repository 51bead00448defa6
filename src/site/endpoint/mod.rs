//! Where something is reached that no single machine need have: who answers there, who passes
//! sessions on, and to whom.

mod api;
pub mod codes;
mod lint;
#[cfg(test)]
mod tests;
mod ways;

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Host, LoadBalancerKind, host_port};
use crate::pki::Authority;
use crate::report::Path;

pub(super) use self::api::of_api;
pub(super) use self::lint::{in_range, lint};
pub(super) use self::ways::Ways;
pub(crate) use self::ways::without_role;

/// An address and a port under which something is reached, wherever it runs at the moment.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// What balancers and VRRP instances are called after.
    pub name: &'static str,
    /// Its section of the inventory.
    pub at: Path,
    /// What clients ask for.
    pub reached: Reached,
    /// The port that clients use.
    pub port: u16,
    /// A DNS name for it.
    pub dns_name: Option<String>,
    /// Who answers under the address.
    pub holder: Holder,
    /// Who passes sessions on to what is behind it; `None` where the servers themselves, or
    /// somebody else's machines, are what clients reach.
    pub balancer: Option<Balancer>,
    /// What is behind it.
    pub backends: Vec<Backend>,
    /// How one of these is known to be alive.
    pub alive: Alive,
    /// Other doors, address and port, that tell a machine without a [`Backend::quorum`] that it is
    /// not cut off.
    pub witnesses: Vec<(IpAddr, u16)>,
}

/// What clients ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// An address.
    Address(IpAddr),
    /// A name that DNS knows.
    Name(String),
}

/// Who answers under an endpoint's address.
#[derive(Clone, Debug)]
pub enum Holder {
    /// One of these machines at a time, as they agree by VRRP.
    Vrrp(Virtual),
    /// One of these machines at a time, as they agree by a lease in the API itself.
    KubeVip(Virtual),
    /// The machine whose own address it is.
    Host,
    /// Each machine, on its loopback address.
    Loopback,
    /// Nobody of this site.
    External,
}

/// An address that moves.
#[derive(Clone, Debug)]
pub struct Virtual {
    /// The address.
    pub address: IpAddr,
    /// The subnet that it lives in, with the network's own address.
    pub subnet: IpNet,
    /// The machines of which one at a time holds it, by their places in
    /// [`Site::hosts`](super::Site::hosts).
    pub hosts: Vec<usize>,
}

impl Virtual {
    /// Whether this machine may hold it.
    pub fn may_be_on(&self, host: &Host) -> bool {
        self.hosts.contains(&host.index)
    }
}

/// Who listens on an endpoint's port.
#[derive(Clone, Debug)]
pub struct Balancer {
    /// The program.
    pub kind: LoadBalancerKind,
    /// The machines that run it, by their places.
    pub hosts: Vec<usize>,
    /// Where haproxy answers `GET /healthz` on loopback: 200 while a backend is alive.
    pub status_port: u16,
}

/// One server behind an endpoint.
#[derive(Clone, Debug)]
pub struct Backend {
    /// The machine, by its place.
    pub host: usize,
    /// The machine's name.
    pub name: String,
    /// Its address.
    pub address: IpAddr,
    /// The server's own port.
    pub port: u16,
    /// A file of the machine from whose appearance on the server may be expected to run.
    pub starts_with: &'static str,
    /// A URL on the machine's own loopback that answers only while what the server stands on has
    /// its quorum.
    pub quorum: Option<String>,
    /// What can be lost while the server goes on accepting sessions, so that a balancer has to ask.
    pub hollow: Option<Hollow>,
}

/// What a server may stand on alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hollow {
    /// The member of a stacked etcd on its own machine.
    StackedMember,
    /// The member of an external etcd on its own machine, for it is told of no other.
    LocalMember,
}

/// How a server is known to be alive.
#[derive(Clone, Debug)]
pub enum Alive {
    /// It answers 200 to a GET over TLS.
    Get {
        /// The path.
        path: String,
        /// The name in its certificate.
        server_name: &'static str,
        /// Who signed that.
        authority: Authority,
        /// Where a machine with such a server has the authority's certificate.
        ca: String,
    },
    /// It accepts connections.
    Connect,
}

impl Endpoint {
    /// The address, where it is known.
    pub fn address(&self) -> Option<IpAddr> {
        match self.reached {
            Reached::Address(address) => Some(address),
            Reached::Name(_) => None,
        }
    }

    /// The address, where it is one that moves.
    pub fn vip(&self) -> Option<&Virtual> {
        match &self.holder {
            Holder::Vrrp(held) | Holder::KubeVip(held) => Some(held),
            Holder::Host | Holder::Loopback | Holder::External => None,
        }
    }

    /// The same, where its machines agree on it by VRRP.
    pub fn vrrp(&self) -> Option<&Virtual> {
        match &self.holder {
            Holder::Vrrp(held) => Some(held),
            _ => None,
        }
    }

    /// The address, and the place that says it; none where it is a machine's own.
    pub fn said_at(&self) -> Option<Path> {
        match &self.holder {
            Holder::Vrrp(_) | Holder::KubeVip(_) => Some(self.at.key("vip")),
            Holder::External => Some(self.at.key("address")),
            Holder::Host | Holder::Loopback => None,
        }
    }

    /// A DNS name for it, whether clients ask for that or not.
    pub fn name(&self) -> Option<&str> {
        match &self.reached {
            Reached::Name(name) => Some(name),
            Reached::Address(_) => self.dns_name.as_deref(),
        }
    }

    /// What clients ask for, bare: an address without brackets, or a name.
    pub fn host(&self) -> String {
        match &self.reached {
            Reached::Address(address) => address.to_string(),
            Reached::Name(name) => name.clone(),
        }
    }

    /// Whether its servers have IPv6 addresses: whoever passes sessions on listens in that family.
    pub fn is_ipv6(&self) -> bool {
        self.backends.first().is_some_and(|server| server.address.is_ipv6())
    }

    /// `192.168.1.33:12567`, brackets around IPv6: kubeadm's controlPlaneEndpoint.
    pub fn host_port(&self) -> String {
        match &self.reached {
            Reached::Address(address) => host_port(*address, self.port),
            Reached::Name(name) => format!("{name}:{}", self.port),
        }
    }

    /// `https://192.168.1.33:12567`: the server of kubeconfigs.
    pub fn url(&self) -> String {
        format!("https://{}", self.host_port())
    }

    /// The server on this machine.
    pub fn backend_on(&self, host: &Host) -> Option<&Backend> {
        self.backends.iter().find(|backend| backend.host == host.index)
    }

    /// Who passes its sessions on, on this machine.
    pub fn balancer_on(&self, host: &Host) -> Option<&Balancer> {
        self.balancer.as_ref().filter(|balancer| balancer.hosts.contains(&host.index))
    }

    /// Whether this program passes its sessions on, wherever.
    pub fn is_balanced_by(&self, kind: LoadBalancerKind) -> bool {
        self.balancer.as_ref().is_some_and(|balancer| balancer.kind == kind)
    }

    /// Whether clients come from the machine itself only.
    pub fn is_local(&self) -> bool {
        matches!(self.holder, Holder::Loopback)
    }
}

impl Backend {
    /// `192.168.1.11:6443`, brackets around IPv6.
    pub fn host_port(&self) -> String {
        host_port(self.address, self.port)
    }
}
