use std::collections::BTreeSet;

use super::flannel;
use crate::inventory::cni::{Backend, CniSection, Plugin};
use crate::site::Cluster;

/// Which network pods have.
pub(super) enum CniPlan {
    /// The reference plugins: nothing is decided beyond the nodes' ranges, which are facts of the
    /// cluster.
    Bridge,
    /// flannel.
    Flannel(Flannel),
}

impl CniPlan {
    /// `None` where somebody else brings the network.
    pub(super) fn new(section: &CniSection, cluster: &Cluster<'_>) -> Option<Self> {
        match section.plugin {
            Plugin::None => None,
            Plugin::Bridge => Some(Self::Bridge),
            Plugin::Flannel => Some(Self::Flannel(Flannel::new(section, cluster))),
        }
    }
}

/// What is decided about flannel.
pub(super) struct Flannel {
    /// How packets are carried.
    pub(super) backend: Backend,
    /// flanneld's flags that choose the interface.
    pub(super) interface: Vec<String>,
    /// flanneld's image.
    pub(super) image: String,
    /// The image with the CNI plugin.
    pub(super) plugin_image: String,
}

impl Flannel {
    fn new(section: &CniSection, cluster: &Cluster<'_>) -> Self {
        // `plugin` and `network` were looked at above and by the lint.
        let CniSection { plugin: _, backend, network: _, interface, image, plugin_image } = section;
        let interface = match interface {
            Some(interface) => vec![format!("--iface={interface}")],
            None => interface_flags(cluster),
        };
        let or = |said: &Option<_>, default: &str| {
            said.as_ref().map_or_else(|| default.to_owned(), ToString::to_string)
        };
        Self {
            backend: *backend,
            interface,
            image: or(image, flannel::IMAGE),
            plugin_image: or(plugin_image, flannel::PLUGIN_IMAGE),
        }
    }
}

/// Which families pods have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Families {
    pub(super) v4: bool,
    pub(super) v6: bool,
}

impl Families {
    pub(super) fn of(cluster: &Cluster<'_>) -> Self {
        let v4 = cluster.pod_subnets.iter().any(|network| network.addr().is_ipv4());
        let v6 = cluster.pod_subnets.iter().any(|network| network.addr().is_ipv6());
        Self { v4, v6 }
    }
}

/// By the node's own address, which the kubelet was given as `--node-ip`: the interface's name may
/// differ from node to node, and an interface may carry the VIP as well. flanneld cannot look an
/// IPv6 address up while it serves both families (`pkg/ipmatch/match.go`); there the interfaces'
/// names are tried in turn.
fn interface_flags(cluster: &Cluster<'_>) -> Vec<String> {
    let families = Families::of(cluster);
    let v6_nodes = cluster.nodes.iter().any(|node| node.address.is_ipv6());
    if families.v4 && families.v6 && v6_nodes {
        let names: BTreeSet<&str> = cluster
            .nodes
            .iter()
            .map(|node| node.interface.as_str())
            .filter(|name| !name.is_empty())
            .collect();
        return names.into_iter().map(|name| format!("--iface={name}")).collect();
    }
    vec![format!("--iface=$({})", flannel::NODE_IP)]
}
