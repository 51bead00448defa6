//! Kernel settings: what Kubernetes needs, what hagen prefers, and what the site says.

use std::collections::BTreeMap;

use crate::claims::Setting;
use crate::inventory::values::{SysctlKey, SysctlValue};
use crate::site::{Cluster, Host};

/// What every node with a kubelet needs of its kernel: without it packets of pods are lost, or the
/// kubelet sets it by itself a moment later.
const NEEDED: &[(&str, &str)] = &[
    // Packets between pods and nodes are forwarded; kubeadm's preflight demands it.
    ("net.ipv4.ip_forward", "1"),
    ("net.bridge.bridge-nf-call-iptables", "1"),
    ("net.bridge.bridge-nf-call-ip6tables", "1"),
    // What the kubelet sets by itself, and refuses to start without under protectKernelDefaults
    // (pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables).
    ("kernel.panic", "10"),
    ("kernel.panic_on_oops", "1"),
    ("vm.overcommit_memory", "1"),
    ("vm.panic_on_oom", "0"),
    ("kernel.keys.root_maxkeys", "1000000"),
    ("kernel.keys.root_maxbytes", "25000000"),
];

/// What a node of a cluster is better off with; a site may know better.
const PREFERRED: &[(&str, &str)] = &[
    // Every pod watches files; the kernel's 128 instances are used up by a few dozen.
    ("fs.inotify.max_user_instances", "8192"),
    ("fs.inotify.max_user_watches", "1048576"),
    // A dead peer is noticed within a quarter of an hour, not two hours, and before ipvs forgets
    // the connection (15 min).
    ("net.ipv4.tcp_keepalive_time", "600"),
    ("net.ipv4.tcp_keepalive_intvl", "30"),
    ("net.ipv4.tcp_keepalive_probes", "10"),
];

/// Node ports: no outgoing connection takes one.
const RESERVED_PORTS: &str = "net.ipv4.ip_local_reserved_ports";

/// Where pods have IPv6 addresses. Hardened systems turn IPv6 off; whoever has it off by the
/// kernel's command line hears of it.
const NEEDED_V6: &[(&str, &str)] =
    &[("net.ipv6.conf.all.disable_ipv6", "0"), ("net.ipv6.conf.all.forwarding", "1")];

/// A host that forwards IPv6 takes no default route from routers any more, unless it is told to
/// (`accept_ra` in `Documentation/networking/ip-sysctl.rst`); each interface has a value of its
/// own, which it takes from `default` when it appears.
const ACCEPT_RA: &str = "2";

const ACCEPT_RA_DEFAULT: &str = "net.ipv6.conf.default.accept_ra";

/// What Kubernetes needs of the kernel of each node with a kubelet.
pub(super) fn needed(cluster: &Cluster<'_>) -> impl Iterator<Item = (&'static str, &'static str)> {
    let v6 = if has_ipv6(cluster) { NEEDED_V6 } else { &[] };
    NEEDED.iter().chain(v6).copied()
}

/// What hagen sets unless the site says otherwise, on some node at least.
pub(super) fn preferred(cluster: &Cluster<'_>) -> BTreeMap<String, String> {
    let mut settings = preferred_anywhere(cluster);
    for node in cluster.nodes {
        settings.extend(preferred_here(node, cluster));
    }
    settings
}

/// The same, on every node.
fn preferred_anywhere(cluster: &Cluster<'_>) -> BTreeMap<String, String> {
    let fixed = PREFERRED.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let ports = (RESERVED_PORTS.to_owned(), cluster.node_ports.to_string());
    let routes = (ACCEPT_RA_DEFAULT.to_owned(), ACCEPT_RA.to_owned());
    fixed.chain([ports]).chain(has_ipv6(cluster).then_some(routes)).collect()
}

/// The same, on this node alone.
fn preferred_here(node: &Host, cluster: &Cluster<'_>) -> Option<(String, String)> {
    // A setting of one that is not there fails.
    (has_ipv6(cluster) && cluster.site.knows_interface(node))
        .then(|| (accept_ra(&node.interface), ACCEPT_RA.to_owned()))
}

/// The setting of an interface, whose name may have dots.
fn accept_ra(interface: &str) -> String {
    format!("net.ipv6.conf.{}.accept_ra", interface.replace('.', "/"))
}

fn has_ipv6(cluster: &Cluster<'_>) -> bool {
    cluster.pod_subnets.iter().any(|network| network.addr().is_ipv6())
}

/// Every setting of a node, with its heading.
pub(super) fn of_node(
    said: &BTreeMap<SysctlKey, Option<SysctlValue>>,
    node: &Host,
    cluster: &Cluster<'_>,
) -> BTreeMap<String, Setting> {
    let needed = needed(cluster).map(|(key, value)| (key.to_owned(), value.to_owned()));
    let preferred = preferred_anywhere(cluster).into_iter().chain(preferred_here(node, cluster));
    let mut settings: BTreeMap<String, Setting> =
        needed.chain(preferred).map(|(key, value)| (key, Setting { value, said: false })).collect();
    for (key, value) in said {
        let key = spelt(key.as_str());
        match value {
            None => drop(settings.remove(&key)),
            Some(value) if settings.get(&key).is_some_and(|ours| ours.value == value.as_str()) => {}
            Some(value) => {
                drop(settings.insert(key, Setting { value: value.to_string(), said: true }))
            }
        }
    }
    settings
}

/// A setting's name with dots, as hagen writes its own: sysctl(8) takes whichever separator comes
/// first for the separator, and the other one for a part of a name.
pub(super) fn spelt(key: &str) -> String {
    match key.find(['.', '/']) {
        Some(first) if key[first..].starts_with('/') => key
            .chars()
            .map(|letter| match letter {
                '/' => '.',
                '.' => '/',
                letter => letter,
            })
            .collect(),
        _ => key.to_owned(),
    }
}
