use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Deref;

use ipnet::IpNet;

use super::{
    CgroupDriver, Endpoint, EtcdMode, Host, NodePorts, Patch, Plugin, PodMasks, ProxyMode, Role,
    RuntimeKind, Site, host_port, loopback,
};
use crate::catalog::{EtcdVersion, KubernetesVersion, Release, Version};

/// What is known of the Kubernetes on a site.
#[derive(Clone, Debug)]
pub struct Kubernetes {
    /// The exact release.
    pub version: KubernetesVersion,
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
    /// The endpoint of the API, by its place in [`Site::endpoints`].
    pub endpoint: usize,
    /// The store.
    pub etcd: Etcd,
    /// The container runtime.
    pub runtime: Runtime,
    /// How services are forwarded; decides kernel modules.
    pub proxy_mode: ProxyMode,
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
    /// them from kubeadm, external ones from a file of their own.
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

/// Runs an API server.
pub const CONTROL_PLANE: Role = Role("control-plane");
/// Runs ordinary pods.
pub const WORKER: Role = Role("worker");
/// Is a member of etcd, stacked or external.
pub const MEMBER: Role = Role("etcd");
/// Passes clients of the API on to control planes.
pub const LOAD_BALANCER: Role = Role("load-balancer");

impl Host {
    /// Whether it runs an API server.
    pub fn control_plane(&self) -> bool {
        self.roles.contains(&CONTROL_PLANE)
    }

    /// Whether it runs ordinary pods.
    pub fn worker(&self) -> bool {
        self.roles.contains(&WORKER)
    }

    /// Whether it is a member of etcd (stacked or external).
    pub fn member(&self) -> bool {
        self.roles.contains(&MEMBER)
    }

    /// Whether it passes clients on to the control planes, instead of these themselves.
    pub fn load_balancer(&self) -> bool {
        self.roles.contains(&LOAD_BALANCER)
    }

    /// Whether it runs a kubelet; a machine that is only a member of etcd does not.
    pub fn kubelet(&self) -> bool {
        self.control_plane() || self.worker()
    }
}

/// A site's Kubernetes, and what of the site it stands on.
#[derive(Clone, Copy, Debug)]
pub struct Cluster<'a> {
    /// All of the site.
    pub site: &'a Site,
    /// The machines, those among them that run nothing of Kubernetes.
    pub nodes: &'a [Host],
    /// The one address of the API.
    pub endpoint: &'a Endpoint,
    pub(super) facts: &'a Kubernetes,
}

impl Deref for Cluster<'_> {
    type Target = Kubernetes;

    fn deref(&self) -> &Kubernetes {
        self.facts
    }
}

impl<'a> Cluster<'a> {
    /// The patches of a document, in their order: of that of one node, or of the whole cluster's.
    pub fn patches_of(
        &self,
        document: &'a str,
        node: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Patch> + use<'a> {
        self.site.patches_of(document, node)
    }

    /// The nodes that run an API server, in order. The first runs `kubeadm init`.
    pub fn control_planes(&self) -> impl Iterator<Item = &'a Host> + use<'a> {
        self.nodes.iter().filter(|node| node.control_plane())
    }

    /// Whether this node runs `kubeadm init`.
    pub fn is_first_control_plane(&self, node: &Host) -> bool {
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
    pub fn joins(&self, node: &Host) -> bool {
        node.kubelet()
            && (!self.is_first_control_plane(node) || self.control_planes().nth(1).is_some())
    }

    /// The nodes that are members of etcd, in order.
    pub fn members(&self) -> impl Iterator<Item = &'a Host> + use<'a> {
        let nodes = self.nodes;
        self.facts.etcd.members.iter().map(move |index| &nodes[*index])
    }

    /// The first address of each service network: the API's own (kubeadm's GetAPIServerVirtualIP).
    pub fn api_service_addresses(&self) -> Vec<IpAddr> {
        self.facts.service_subnets.iter().filter_map(|network| nth(network, 1)).collect()
    }

    /// The tenth address of each service network: the DNS's (kubeadm's GetDNSIP).
    pub fn dns_addresses(&self) -> Vec<IpAddr> {
        self.facts.service_subnets.iter().filter_map(|network| nth(network, 10)).collect()
    }

    /// `https://<address>:<api port>` of one control plane.
    pub fn api_url(&self, node: &Host) -> String {
        format!("https://{}", host_port(node.address, self.api_port))
    }

    /// Client URL of one member, as certificates and `etcdctl` see it.
    pub fn etcd_client_url(&self, member: &Host) -> String {
        format!("https://{}", host_port(member.address, self.etcd.client_port))
    }

    /// The member URLs that the API server of `node` is given. Local: loopback, since every
    /// member's certificate names it.
    pub fn etcd_endpoints(&self, node: &Host) -> Vec<String> {
        if self.etcd.local_endpoints && node.member() {
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
