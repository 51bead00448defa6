//! Which addresses each node's pods get, where that is fixed at compile time.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::component::{PodMasks, wrong_mask};
use super::{Cluster, Host, codes};
use crate::inventory::Inventory;
use crate::inventory::cni::Plugin;
use crate::inventory::values::Cidrs;
use crate::report::{Finding, Path, Report};

/// What the kubelet takes for [`Cluster::pod_addresses`] where nothing is said: its `maxPods`.
pub const DEFAULT_PODS: u32 = 110;

impl Cluster<'_> {
    /// How many pods of a node the pod network has addresses for; `None` where it is not ours.
    pub fn pod_addresses(&self, node: &Host) -> Option<u32> {
        match node.pod_range {
            Some(range) => Some(usable(range.max_prefix_len() - range.prefix_len())),
            None => self.pods_per_node(),
        }
    }

    /// The same of a node without a range of its own.
    pub fn pods_per_node(&self) -> Option<u32> {
        let of = |network: &IpNet| {
            usable(network.max_prefix_len().saturating_sub(self.pod_masks.prefix_len(network)))
        };
        let networks = (self.pod_network != Plugin::None).then(|| self.pod_subnets.iter());
        networks?.map(of).min()
    }
}

/// host-local gives out neither the network's own address nor the bridge's nor the last one.
fn usable(host_bits: u8) -> u32 {
    1u32.checked_shl(host_bits.into()).unwrap_or(u32::MAX).saturating_sub(3)
}

/// Gives each node that runs pods the range that was said for it, or the one at its place. Where
/// the network is too small for all, the last ones get none, which is reported elsewhere.
pub(super) fn assign(
    nodes: &mut [Host],
    said: &Inventory,
    networks: &[IpNet],
    masks: &PodMasks,
    report: &mut Report,
) {
    if let Some((at, reason, help)) = wrong_mask(said, networks) {
        report.push(
            Finding::new(
                &codes::POD_MASK,
                at,
                format!("the controller manager would not start with it: {reason}"),
            )
            .because(Path::of(&["cluster", "podSubnet"]), "the pods' networks")
            .help(help),
        );
    }
    if said.cni.plugin == Plugin::Bridge {
        let network = networks.first();
        let parts = network.and_then(|network| network.subnets(masks.prefix_len(network)).ok());
        let mut parts = parts.into_iter().flatten();
        for (node, section) in nodes.iter_mut().zip(&said.nodes).filter(|(node, _)| node.kubelet())
        {
            let at_its_place = parts.next();
            let said = section.pod_range.as_ref().and_then(|ranges| ranges.get().first().copied());
            node.pod_range = said.or(at_its_place);
        }
    }
    for (node, section) in nodes.iter().zip(&said.nodes) {
        let Some(ranges) = &section.pod_range else { continue };
        let fault = fault(node, ranges, said.cni.plugin, networks);
        if let Some(finding) = fault.or_else(|| overlap(node, nodes)) {
            report.push(finding);
        }
    }
}

/// What is wrong with a range that was said for a node, whatever the others have.
fn fault(node: &Host, said: &Cidrs, plugin: Plugin, networks: &[IpNet]) -> Option<Finding> {
    if plugin != Plugin::Bridge {
        let message = "the controller manager allocates the ranges of nodes";
        let plugin = Path::of(&["cni", "plugin"]);
        return Some(
            finding(node, message)
                .because(plugin, "only `bridge` has fixed ranges")
                .help("remove it, or use `plugin: bridge`"),
        );
    }
    let Some(range) = node.pod_range else {
        return Some(finding(node, format!("node {} runs no pods", node.name)).help("remove it"));
    };
    let network = networks.first()?;
    if said.get().len() > 1 || !network.contains(&range) {
        let message = format!("{said} is not one part of the pods' network {network}");
        return Some(
            finding(node, message)
                .because(Path::of(&["cluster", "podSubnet"]), "the addresses of all pods")
                .help(format!("choose a network inside of {network}")),
        );
    }
    // The network's own address, the bridge's and the last one are not for pods.
    let full = range.max_prefix_len() - range.prefix_len() < 2;
    full.then(|| {
        finding(node, format!("{range} has no address left for a pod"))
            .help("choose a network of /30 (IPv6: /126) or larger")
    })
}

fn overlap(node: &Host, nodes: &[Host]) -> Option<Finding> {
    let range = node.pod_range?;
    let others = nodes.iter().filter(|other| other.index != node.index);
    let (other, theirs) = others
        .filter_map(|other| Some((other, other.pod_range?)))
        .find(|(_, theirs)| theirs.contains(&range) || range.contains(theirs))?;
    let message = format!("{range} overlaps {theirs}, the range of node {}", other.name);
    Some(
        finding(node, message)
            .because(other.path(), "has it by its place, or by its own `podRange`")
            .help("choose a range that no other node has; `hagen show` lists them"),
    )
}

/// Reports nodes whose range is another than `standing` has for their names: their pods keep the
/// addresses they have, while every other node has a route to the new ones.
pub fn moved(cluster: &Cluster<'_>, standing: &BTreeMap<String, IpNet>) -> Option<Finding> {
    let moved: Vec<(&Host, IpNet)> = cluster
        .nodes
        .iter()
        .filter_map(|node| {
            let was = *standing.get(&node.name)?;
            (was != node.pod_range?).then_some((node, was))
        })
        .collect();
    let (first, was) = moved.first()?;
    let network = cluster.pod_subnets.first()?;
    if let Some((node, was)) = moved.iter().find(|(_, was)| !network.contains(was)) {
        let message = format!("{network} does not hold {was}, the range of node {}", node.name);
        let subnet = Path::of(&["cluster", "podSubnet"]);
        return Some(
            Finding::new(&codes::POD_RANGE_MOVED, subnet, message)
                .because(node.path(), "has it in the tree of the output folder")
                .help(format!(
                    "write the `podSubnet` that {was} is a part of; for a cluster that is set up \
                     anew, build into an empty folder"
                )),
        );
    }
    let now = first.pod_range.map(|range| range.to_string()).unwrap_or_default();
    let others = match moved.len() - 1 {
        0 => String::new(),
        1 => ", and that of another node moves too".to_owned(),
        more => format!(", and those of {more} other nodes move too"),
    };
    let message = format!("the pods of node {} would move from {was} to {now}{others}", first.name);
    let at = first.path().key("podRange");
    let pins: Vec<String> = pinned(cluster, *network, &moved)
        .into_iter()
        .map(|(node, range)| format!("`podRange: {range}` at {}", node.name))
        .collect();
    Some(
        Finding::new(&codes::POD_RANGE_MOVED, at, message)
            .label("without `podRange`, a range is given by the place in the list")
            .help(format!("write {}", pins.join(", "))),
    )
}

/// Which node needs which `podRange`: the moved ones what they had, and those that now have a part
/// of it by their place one that nobody ever had.
fn pinned<'a>(
    cluster: &'a Cluster<'a>,
    network: IpNet,
    moved: &[(&'a Host, IpNet)],
) -> Vec<(&'a Host, IpNet)> {
    let overlap = |a: &IpNet, b: &IpNet| a.contains(b) || b.contains(a);
    let stays = |node: &Host| !moved.iter().any(|(moved, _)| moved.index == node.index);
    let now = cluster.nodes.iter().filter_map(|node| node.pod_range);
    let taken: Vec<IpNet> = moved.iter().map(|(_, was)| *was).chain(now).collect();
    let parts = network.subnets(cluster.pod_masks.prefix_len(&network)).into_iter().flatten();
    let mut free = parts.filter(|part| !taken.iter().any(|taken| overlap(taken, part)));
    let in_the_way = cluster.nodes.iter().filter(|node| stays(node)).filter(|node| {
        node.pod_range.is_some_and(|range| moved.iter().any(|(_, was)| overlap(was, &range)))
    });
    let others: Vec<_> = in_the_way.filter_map(|node| Some((node, free.next()?))).collect();
    moved.iter().copied().chain(others).collect()
}

fn finding(node: &Host, message: impl Into<String>) -> Finding {
    Finding::new(&codes::POD_RANGE, node.path().key("podRange"), message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rooms::overlaid::{codes, resolved};

    #[test]
    fn nodes_keep_the_ranges_that_their_pods_have() {
        let (_, site) = resolved(&json!({"cni": {"plugin": "bridge"}}));
        let told = |standing: &[(&str, &str)]| {
            let standing = standing
                .iter()
                .map(|(node, range)| ((*node).to_owned(), range.parse::<IpNet>().unwrap()));
            let finding = moved(&site.cluster().expect("a cluster"), &standing.collect())?;
            Some((finding.message, finding.help.unwrap_or_default()))
        };
        let of = |message: &str, help: &str| Some((message.to_owned(), help.to_owned()));
        assert_eq!(told(&[("cp1", "10.244.0.0/24"), ("gone", "10.244.1.0/24")]), None);
        assert_eq!(
            told(&[("w1", "10.244.9.0/24")]),
            of(
                "the pods of node w1 would move from 10.244.9.0/24 to 10.244.3.0/24",
                "write `podRange: 10.244.9.0/24` at w1"
            )
        );
        assert_eq!(
            told(&[("cp2", "10.244.2.0/24"), ("cp3", "10.244.1.0/24")]),
            of(
                "the pods of node cp2 would move from 10.244.2.0/24 to 10.244.1.0/24, and that of \
                 another node moves too",
                "write `podRange: 10.244.2.0/24` at cp2, `podRange: 10.244.1.0/24` at cp3"
            )
        );
        // Whoever has a part of it by the place gets another.
        assert_eq!(
            told(&[("w1", "10.244.0.0/23")]),
            of(
                "the pods of node w1 would move from 10.244.0.0/23 to 10.244.3.0/24",
                "write `podRange: 10.244.0.0/23` at w1, `podRange: 10.244.4.0/24` at cp1, \
                 `podRange: 10.244.5.0/24` at cp2"
            )
        );
    }

    #[test]
    fn ranges_that_were_said_are_judged() {
        let refused = |range: &str, plugin: &str| {
            codes(&format!(
                "{{cni: {{plugin: {plugin}}}, nodes: [{{name: cp1, address: 192.168.1.11, roles: [control-plane]}}, {{name: w1, address: 192.168.1.21, roles: [worker], podRange: '{range}'}}]}}"
            ))
            .contains(&"cluster/pod-range")
        };
        for range in ["10.244.9.0/24", "10.244.9.0/30"] {
            assert!(!refused(range, "bridge"), "{range}");
        }
        for range in ["10.245.0.0/24", "10.244.0.0/23", "10.244.9.0/31", "10.244.9.0/24,fd00::/64"]
        {
            assert!(refused(range, "bridge"), "{range}");
        }
        assert!(refused("10.244.9.0/24", "flannel"));
    }

    #[test]
    fn the_size_of_a_range_and_the_number_of_nodes_agree() {
        let found = |mask: &str, workers: usize, networks: &str| {
            let workers = (0..workers).map(|index| {
                format!("{{name: w{index}, address: 192.168.1.{}, roles: [worker]}}", 40 + index)
            });
            let nodes = ["{name: cp1, address: 192.168.1.11, roles: [control-plane]}".to_owned()];
            let nodes: Vec<String> = nodes.into_iter().chain(workers).collect();
            let overlay = format!(
                "{{extraArgs: {{controllerManager: {{{mask}}}}}, nodes: [{}]{networks}}}",
                nodes.join(", ")
            );
            let outcome = crate::rooms::overlaid::outcome(&overlay);
            let found = outcome.report.findings().iter();
            let found = found.filter(|finding| finding.code.id.starts_with("cluster/pod-"));
            found
                .map(|finding| (finding.at.to_string(), finding.help.clone().unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        let place = |flag: &str| format!("extraArgs.controllerManager.{flag}");
        let wide = (place("node-cidr-mask-size"), "write a number from 23 to 30".to_owned());
        assert_eq!(found("node-cidr-mask-size: '22'", 82, ""), [wide]);
        assert!(found("node-cidr-mask-size: '23'", 82, "").is_empty());
        assert!(found("node-cidr-mask-size: '22'", 63, "").is_empty());
        // Outside of the network.
        assert_eq!(found("node-cidr-mask-size: '12'", 1, "").len(), 1);
        assert_eq!(found("node-cidr-mask-size: '40'", 1, "").len(), 1);
        let two = ", cluster: {podSubnet: '10.244.0.0/16,fd00:10:244::/56', serviceSubnet: '10.96.0.0/16,fd00:10:96::/112'}";
        let of_one = (
            place("node-cidr-mask-size"),
            "use `node-cidr-mask-size-ipv4` and `node-cidr-mask-size-ipv6`".to_owned(),
        );
        assert_eq!(found("node-cidr-mask-size: '24'", 1, two), [of_one]);
        assert!(
            found("node-cidr-mask-size-ipv4: '25', node-cidr-mask-size-ipv6: '72'", 1, two)
                .is_empty()
        );
        let absent = (place("node-cidr-mask-size-ipv6"), "remove it".to_owned());
        assert_eq!(found("node-cidr-mask-size-ipv6: '64'", 1, ""), [absent]);
    }
}
