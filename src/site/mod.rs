//! What is meant: the total model that every room may rely on. It holds the facts that two rooms
//! need, never one room's settings. [`resolve()`] is its one constructor and fills in every default.

mod archives;
pub mod authorities;
mod balancer;
pub mod codes;
mod component;
pub mod duration;
pub mod endpoint;
pub mod fields;
pub mod gates;
pub mod idle_timeout;
pub mod kube_proxy;
mod kubernetes;
pub mod layout;
mod lint;
mod os;
mod pod_range;
mod program;
mod proxy;
pub mod quantity;
mod resolve;
pub mod said_flags;
mod settled;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::catalog::OsRelease;
use crate::pki::{Authority, Policy};
use crate::report::Path;

pub use crate::inventory::LoadBalancerKind;
pub use crate::inventory::cni::Plugin;
pub use crate::inventory::etcd::EtcdMode;
pub use crate::inventory::kubeproxy::ProxyMode;
pub use crate::inventory::runtime::{CgroupDriver, RuntimeKind};
pub use component::{NodePorts, PodMasks, kubelet_field};
pub use endpoint::{Alive, Backend, Balancer, Endpoint, Holder, Hollow, Reached, Virtual};
pub use kubernetes::{
    CONTROL_PLANE, Cluster, Etcd, Kubernetes, LOAD_BALANCER, MEMBER, Runtime, WORKER,
};
pub use lint::lint;
pub use os::of_system_alone;
pub use pod_range::{DEFAULT_PODS, moved as moved_pod_ranges};
pub use program::Program;
pub use proxy::Proxy;
pub use resolve::resolve;
pub(crate) use resolve::selected;
pub use settled::settled;

/// The name of every node's KubeletConfiguration, for patches.
pub const KUBELET_CONFIGURATION: &str = "kubelet/KubeletConfiguration";

/// A whole site, every default filled in.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its name, which keys are derived with.
    pub name: String,
    /// The machines in the inventory's order.
    pub hosts: Vec<Host>,
    /// The networks that the machines are in, as far as they are known: they stand for machines that
    /// are there, and for those that will be.
    pub networks: Vec<NodeNetwork>,
    /// What is reached under addresses that no single machine need have.
    pub endpoints: Vec<Endpoint>,
    /// The Kubernetes on it, where there is one.
    pub kubernetes: Option<Kubernetes>,
    /// The way to registries, where it leads through a proxy.
    pub proxy: Option<Proxy>,
    /// Who signs certificates.
    pub authorities: Vec<Authority>,
    /// Algorithm and lifetimes of every certificate.
    pub certificates: Policy,
    /// Merge patches on generated documents.
    pub patches: Vec<Patch>,
}

/// A network that machines of the site are in.
#[derive(Clone, Debug)]
pub struct NodeNetwork {
    /// With the network's own address.
    pub range: IpNet,
    /// The place that says so.
    pub at: Path,
}

/// `address:port`, with brackets around IPv6.
pub fn host_port(address: IpAddr, port: u16) -> String {
    SocketAddr::new(address, port).to_string()
}

/// Loopback in the family of this address.
pub fn loopback(family_of: IpAddr) -> IpAddr {
    match family_of {
        IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    }
}

/// One machine.
#[derive(Clone, Debug)]
pub struct Host {
    /// Position in the inventory: `nodes[index]`.
    pub index: usize,
    /// Kubernetes node name, certificate CN, etcd member name.
    pub name: String,
    /// The cluster address.
    pub address: IpAddr,
    /// Its address of the other family.
    pub second_address: Option<IpAddr>,
    /// Where SSH reaches it.
    pub ssh: String,
    /// What it is there for.
    pub roles: BTreeSet<Role>,
    /// Its operating system.
    pub os: &'static OsRelease,
    /// The interface that carries the address and the VIP; empty where no room needs it.
    pub interface: String,
    /// Whether the inventory names that interface for this node, and not for carriers of the VIP.
    pub own_interface: bool,
    /// More names and addresses for its API server certificate.
    pub extra_sans: Vec<String>,
    /// Kubernetes labels.
    pub labels: BTreeMap<String, String>,
    /// Kubernetes taints (key, value, effect); `None` leaves the release's own.
    pub taints: Option<Vec<(String, String, String)>>,
    /// The addresses of its pods, where they are fixed; `None` where the controller manager
    /// allocates them, and on a machine without pods.
    pub pod_range: Option<IpNet>,
}

impl Host {
    /// `nodes[index]` in the inventory.
    pub fn path(&self) -> Path {
        Path::of(&["nodes"]).index(self.index)
    }

    /// Its address, and the one of the other family where it has one.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        [self.address].into_iter().chain(self.second_address)
    }
}

/// What a machine is there for, by its name. Whoever gives one a meaning has a constant for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role(pub &'static str);

/// One merge patch.
#[derive(Clone, Debug)]
pub struct Patch {
    /// Position in the inventory: `patches[index]`.
    pub index: usize,
    /// The document's name.
    pub document: String,
    /// Names of the nodes whose documents are patched; `None` is all.
    pub nodes: Option<Vec<String>>,
    /// RFC 7386.
    pub patch: serde_json::Value,
}

impl Patch {
    /// Whether the documents of this node are patched.
    pub fn applies_to(&self, node: &str) -> bool {
        self.nodes.as_ref().is_none_or(|nodes| nodes.iter().any(|name| name == node))
    }
}

impl Site {
    /// Whether the address is in one of the [`Site::networks`].
    pub fn is_in_networks(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.range.contains(&address))
    }

    /// Its Kubernetes together with what it stands on.
    pub fn cluster(&self) -> Option<Cluster<'_>> {
        let facts = self.kubernetes.as_ref()?;
        Some(Cluster {
            site: self,
            nodes: &self.hosts,
            endpoint: self.endpoints.get(facts.endpoint)?,
            facts,
        })
    }

    /// The names of the machines at these places.
    pub fn names_of(&self, places: &[usize]) -> impl Iterator<Item = &str> {
        places.iter().map(|place| self.hosts[*place].name.as_str())
    }

    /// Whether it is known what the machine's interface is called: the one that is named for carriers of
    /// a VIP is theirs alone.
    pub fn knows_interface(&self, host: &Host) -> bool {
        let mut held = self.endpoints.iter().filter_map(Endpoint::vip);
        let carries = held.any(|vip| vip.may_be_on(host));
        !host.interface.is_empty() && (host.own_interface || carries)
    }

    /// Whether this machine leads clients to an endpoint, whatever is behind that: balances it, or may
    /// hold its address by VRRP.
    pub fn leads(&self, host: &Host) -> bool {
        let leads = |endpoint: &Endpoint| {
            let holds = endpoint.vrrp().is_some_and(|vip| vip.may_be_on(host));
            holds || endpoint.balancer_on(host).is_some()
        };
        self.endpoints.iter().any(leads)
    }

    /// The endpoints whose sessions this program passes on from this machine.
    pub fn balanced_by(
        &self,
        kind: LoadBalancerKind,
        host: &Host,
    ) -> impl Iterator<Item = (&Endpoint, &Balancer)> {
        let balanced = move |endpoint| {
            let balancer = Endpoint::balancer_on(endpoint, host)?;
            (balancer.kind == kind).then_some((endpoint, balancer))
        };
        self.endpoints.iter().filter_map(balanced)
    }

    /// Where this program takes sessions on this machine, whichever addresses it takes them at
    /// besides.
    pub fn balanced_at(
        &self,
        kind: LoadBalancerKind,
        host: &Host,
    ) -> impl Iterator<Item = SocketAddr> {
        let at = loopback(host.address);
        self.balanced_by(kind, host).map(move |(endpoint, _)| SocketAddr::new(at, endpoint.port))
    }

    /// The machines on which this program passes sessions on.
    pub fn balancers(&self, kind: LoadBalancerKind) -> impl Iterator<Item = &Host> {
        self.hosts.iter().filter(move |host| self.balanced_by(kind, host).next().is_some())
    }

    /// The patches of a document, in their order: of that of one node, or of the whole cluster's.
    pub fn patches_of<'a>(
        &'a self,
        document: &'a str,
        node: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Patch> + 'a {
        let patches = self.patches.iter().filter(move |patch| patch.document == document);
        patches.filter(move |patch| node.is_none_or(|node| patch.applies_to(node)))
    }
}
