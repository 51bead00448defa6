//! What is meant: the total model that every room may rely on. It holds the facts that two rooms
//! need, never one room's settings. [`resolve()`] is its one constructor and fills in every default.

mod archives;
pub mod authorities;
mod balancer;
pub mod codes;
mod component;
pub mod duration;
pub mod endpoint;
pub mod extra;
pub mod fields;
pub mod gates;
pub mod kube_proxy;
pub mod layout;
mod lint;
mod os;
mod pod_range;
mod proxy;
pub mod quantity;
mod resolve;
pub mod sessions;
mod settled;

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::catalog::{EtcdVersion, KubernetesVersion, OsRelease, Release, Version};
use crate::pki::{Authority, Policy};
use crate::report::Path;

pub use crate::inventory::LoadBalancerKind;
pub use crate::inventory::cni::Plugin;
pub use crate::inventory::etcd::EtcdMode;
pub use crate::inventory::kubeproxy::ProxyMode;
pub use crate::inventory::runtime::{CgroupDriver, RuntimeKind};
pub use component::{NodePorts, PodMasks, kubelet_field};
pub use lint::lint;
pub use os::of_system_alone;
pub use pod_range::{DEFAULT_PODS, moved as moved_pod_ranges};
pub use proxy::Proxy;
pub use resolve::resolve;
pub(crate) use resolve::selected;
pub use settled::settled;

/// The name of every node's KubeletConfiguration, for patches.
pub const KUBELET_CONFIGURATION: &str = "kubelet/KubeletConfiguration";

/// A whole cluster, every default filled in.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Name of kubeconfig contexts, of etcd's cluster token and of key derivation.
    pub name: String,
    /// The exact release.
    pub kubernetes: KubernetesVersion,
    /// What that release means.
    pub release: &'static Release,
    /// The DNS domain of services.
    pub domain: String,
    /// Pod networks, primary family first; one or two.
    pub pod_subnets: Vec<IpNet>,
    /// Service networks, primary family first; one or two.
    pub service_subnets: Vec<IpNet>,
    /// Who brings the pod network.
    pub pod_network: Plugin,
    /// How large each node's part of the pods' networks is.
    pub pod_masks: PodMasks,
    /// The ports that services may take on every node.
    pub node_ports: NodePorts,
    /// Whether kubelets run beside swap, so that hosts keep theirs.
    pub swap: bool,
    /// The port of each API server itself.
    pub api_port: u16,
    /// Where the control plane's images are pulled from.
    pub image_repository: String,
    /// The one address of the API.
    pub endpoint: Endpoint,
    /// What listens on the endpoint's port on each control plane.
    pub balancer: LoadBalancerKind,
    /// Where haproxy answers `GET /healthz` on loopback: 200 while an API server is ready.
    pub haproxy_status_port: u16,
    /// The store.
    pub etcd: Etcd,
    /// The container runtime.
    pub runtime: Runtime,
    /// How services are forwarded; decides kernel modules.
    pub proxy_mode: ProxyMode,
    /// The machines in the inventory's order.
    pub nodes: Vec<Node>,
    /// The way to registries, where it leads through a proxy.
    pub proxy: Option<Proxy>,
    /// Who signs certificates.
    pub authorities: Vec<Authority>,
    /// Algorithm and lifetimes of every certificate.
    pub certificates: Policy,
    /// Merge patches on generated documents.
    pub patches: Vec<Patch>,
}

/// The one address of the API.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The virtual address.
    pub vip: IpAddr,
    /// The subnet that the VIP lives in, with the network's own address.
    pub subnet: IpNet,
    /// The balancers' port.
    pub port: u16,
    /// A DNS name for it.
    pub name: Option<String>,
}

impl Endpoint {
    /// `192.168.1.33:12567`, brackets around IPv6: kubeadm's controlPlaneEndpoint.
    pub fn host_port(&self) -> String {
        host_port(self.vip, self.port)
    }

    /// `https://192.168.1.33:12567`: the server of kubeconfigs.
    pub fn url(&self) -> String {
        format!("https://{}", self.host_port())
    }
}

/// `address:port`, with brackets around IPv6.
pub fn host_port(address: IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}

/// Loopback in the family of this address.
pub fn loopback(family_of: IpAddr) -> IpAddr {
    match family_of {
        IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    }
}

/// The store.
#[derive(Clone, Debug)]
pub struct Etcd {
    /// kubeadm's static pods, or systemd units.
    pub mode: EtcdMode,
    /// The exact release.
    pub version: EtcdVersion,
    /// Indexes of the members in [`Cluster::nodes`].
    pub members: Vec<usize>,
    /// Whether each API server talks to the member on its own node only.
    pub local_endpoints: bool,
    /// The clients' port.
    pub client_port: u16,
    /// The peers' port.
    pub peer_port: u16,
    /// Plain HTTP metrics and health on loopback.
    pub metrics_port: u16,
    /// The data folder.
    pub data_dir: String,
    /// More settings of every member: flag name without dashes to value. Stacked members get
    /// them from kubeadm, external ones from [`layout::ETCD_CONF`].
    pub settings: BTreeMap<String, String>,
    /// The SHA-256 of the release's archives by architecture (`amd64`), as far as they are known.
    pub archives: BTreeMap<&'static str, String>,
}

/// The container runtime.
#[derive(Clone, Debug)]
pub struct Runtime {
    /// containerd or docker.
    pub kind: RuntimeKind,
    /// Its release.
    pub version: Version,
    /// The same as it is written: docker numbers months with a leading zero (18.09.7). A default
    /// names a series, such as `2.4`.
    pub version_text: String,
    /// Whether docker is reached through cri-dockerd.
    pub cri_dockerd: bool,
    /// The socket as kubeadm's criSocket writes it.
    pub cri_socket: String,
    /// The cgroup driver of runtime and kubelet alike.
    pub cgroup_driver: CgroupDriver,
    /// The sandbox image, as the runtime and kubeadm must agree on it.
    pub pause_image: String,
}

/// One machine.
#[derive(Clone, Debug)]
pub struct Node {
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
    /// Whether it runs an API server.
    pub control_plane: bool,
    /// Whether it runs ordinary pods.
    pub worker: bool,
    /// Whether it is a member of etcd (stacked or external).
    pub member: bool,
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

impl Node {
    /// `nodes[index]` in the inventory.
    pub fn path(&self) -> Path {
        Path::of(&["nodes"]).index(self.index)
    }

    /// Its address, and the one of the other family where it has one.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        [self.address].into_iter().chain(self.second_address)
    }

    /// Whether the node runs a kubelet; a machine that is only a member of etcd does not.
    pub fn kubelet(&self) -> bool {
        self.control_plane || self.worker
    }
}

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

impl Cluster {
    /// The patches of a document, in their order: of that of one node, or of the whole cluster's.
    pub fn patches_of<'a>(
        &'a self,
        document: &'a str,
        node: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Patch> + 'a {
        let patches = self.patches.iter().filter(move |patch| patch.document == document);
        patches.filter(move |patch| node.is_none_or(|node| patch.applies_to(node)))
    }

    /// The nodes that run an API server, in order. The first runs `kubeadm init`.
    pub fn control_planes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.control_plane)
    }

    /// Whether this node runs `kubeadm init`.
    pub fn is_first_control_plane(&self, node: &Node) -> bool {
        self.control_planes().next().is_some_and(|first| first.index == node.index)
    }

    /// Whether the addresses of each node's pods are decided here and not by the controller
    /// manager.
    pub fn fixed_pod_ranges(&self) -> bool {
        self.nodes.iter().any(|node| node.pod_range.is_some())
    }

    /// Whether kubeadm installs kube-proxy.
    pub fn runs_kube_proxy(&self) -> bool {
        self.proxy_mode != ProxyMode::None
    }

    /// The phases that `kubeadm init` leaves out: in its configuration where the release has
    /// [`skip_phases_field`](crate::catalog::KubeadmFacts::skip_phases_field), and with
    /// `--skip-phases` where it has not.
    pub fn skipped_init_phases(&self) -> &'static [&'static str] {
        if self.runs_kube_proxy() { &[] } else { &["addon/kube-proxy"] }
    }

    /// Whether this node ever runs `kubeadm join`: each but a lone control plane. The first one
    /// does when it comes back empty to a cluster that goes on without it.
    pub fn joins(&self, node: &Node) -> bool {
        node.kubelet()
            && (!self.is_first_control_plane(node) || self.control_planes().nth(1).is_some())
    }

    /// The nodes that are members of etcd, in order.
    pub fn members(&self) -> impl Iterator<Item = &Node> {
        self.etcd.members.iter().map(|index| &self.nodes[*index])
    }

    /// The first address of each service network: the API's own (kubeadm's GetAPIServerVirtualIP).
    pub fn api_service_addresses(&self) -> Vec<IpAddr> {
        self.service_subnets.iter().filter_map(|network| nth(network, 1)).collect()
    }

    /// The tenth address of each service network: the DNS's (kubeadm's GetDNSIP).
    pub fn dns_addresses(&self) -> Vec<IpAddr> {
        self.service_subnets.iter().filter_map(|network| nth(network, 10)).collect()
    }

    /// `https://<address>:<api port>` of one control plane.
    pub fn api_url(&self, node: &Node) -> String {
        format!("https://{}", host_port(node.address, self.api_port))
    }

    /// Client URL of one member, as certificates and `etcdctl` see it.
    pub fn etcd_client_url(&self, member: &Node) -> String {
        format!("https://{}", host_port(member.address, self.etcd.client_port))
    }

    /// The member URLs that the API server of `node` is given. Local: loopback, since every
    /// member's certificate names it.
    pub fn etcd_endpoints(&self, node: &Node) -> Vec<String> {
        if self.etcd.local_endpoints && node.member {
            let member = host_port(loopback(node.address), self.etcd.client_port);
            return vec![format!("https://{member}")];
        }
        self.members().map(|member| self.etcd_client_url(member)).collect()
    }
}

/// The address at this offset of a network; `None` beyond its end.
fn nth(network: &IpNet, offset: u32) -> Option<IpAddr> {
    let address = match network.network() {
        IpAddr::V4(base) => IpAddr::V4(u32::from(base).checked_add(offset)?.into()),
        IpAddr::V6(base) => IpAddr::V6(u128::from(base).checked_add(offset.into())?.into()),
    };
    network.contains(&address).then_some(address)
}
