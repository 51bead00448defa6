use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::catalog::{FamilyFacts, KubeadmFacts};
use crate::claims::{
    Bind, Package, Phase, Port, Protocol, Reach, Repository, RoomClaims, Setting, Unit,
};
use crate::inventory::host::HostSection;
use crate::inventory::values::{SysctlKey, SysctlValue};
use crate::report::Path;
use crate::site::{Cluster, Host};

/// `overlay` carries images, `br_netfilter` shows bridged packets to netfilter:
/// <https://kubernetes.io/docs/setup/production-environment/container-runtimes/>.
const MODULES: [&str; 2] = ["overlay", "br_netfilter"];

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
    (has_ipv6(cluster) && has_interface(node))
        .then(|| (accept_ra(&node.interface), ACCEPT_RA.to_owned()))
}

/// Whether it is known what a node's interface is called: a setting of one that is not there fails.
fn has_interface(node: &Host) -> bool {
    !node.interface.is_empty() && (node.control_plane() || node.own_interface)
}

/// The setting of an interface, whose name may have dots.
fn accept_ra(interface: &str) -> String {
    format!("net.ipv6.conf.{}.accept_ra", interface.replace('.', "/"))
}

fn has_ipv6(cluster: &Cluster<'_>) -> bool {
    cluster.pod_subnets.iter().any(|network| network.addr().is_ipv6())
}

/// What a machine without a kubelet, a member of etcd alone, needs: the archive is fetched, and
/// clocks agree.
const WITHOUT_KUBELET: [&str; 3] = ["ca-certificates", "chrony", "curl"];

/// `installs` says whether the scripts install packages: then the clock is installed with its
/// service held back, and takes the place of another one.
pub(super) fn state(
    installs: bool,
    host: &HostSection,
    cluster: &Cluster<'_>,
    claims: &mut RoomClaims,
) {
    let servers: Vec<&Host> = cluster.nodes.iter().filter(|node| serves(node)).collect();
    for node in cluster.nodes {
        let needed = programs(node, cluster);
        let names = names(node, &servers, cluster).collect();
        let claims = claims.node(node.index);
        claims.hosts = names;
        claims.scripts.extend(super::steps::scripts(node));
        claims.packages.extend(needed);
        claims.ports.push(ssh());
        if installs {
            claims.units.push(clock(node.os.family_facts()));
        }
        if !node.kubelet() {
            continue;
        }
        for module in MODULES {
            claims.modules.insert(module.into(), Setting::module());
        }
        for module in &host.modules {
            let said = Setting { said: true, ..Setting::module() };
            claims.modules.entry(module.to_string()).or_insert(said);
        }
        claims.sysctls.extend(sysctls(&host.sysctls, node, cluster));
    }
}

/// Whether other nodes go to it by name.
fn serves(node: &Host) -> bool {
    node.control_plane() || node.member()
}

/// The endpoint, the control planes, the members and the node itself; never everyone, so that a node
/// more leaves the other nodes as they are.
fn names<'a>(
    node: &'a Host,
    servers: &'a [&Host],
    cluster: &'a Cluster<'a>,
) -> impl Iterator<Item = (IpAddr, String)> + 'a {
    let endpoint = cluster.endpoint.dns_name.iter();
    let (before, after) =
        servers.split_at(servers.partition_point(|other| other.index < node.index));
    let itself = (!serves(node)).then_some(node);
    let nodes = before.iter().copied().chain(itself).chain(after.iter().copied());
    endpoint
        .map(|name| (cluster.endpoint.vip, name.clone()))
        .chain(nodes.flat_map(|other| other.addresses().map(|at| (at, other.name.clone()))))
}

/// Every setting of a node, with its heading.
fn sysctls(
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

fn programs(node: &Host, cluster: &Cluster<'_>) -> impl Iterator<Item = Package> {
    let family = node.os.family_facts();
    let kubelet = node.kubelet();
    let names = family.base_packages.iter().chain(&node.os.extra_packages);
    names.filter(move |name| kubelet || WITHOUT_KUBELET.contains(&name.as_str())).map(|name| {
        Package {
            name: name.clone(),
            version: None,
            written_for: None,
            repository: Repository::Distribution,
            hold: false,
            program: program(name, &cluster.release.kubeadm).map(str::to_owned),
            serves: false,
        }
    })
}

/// The program by which a preinstalled package is known, where kubeadm's preflight of this
/// release demands it.
fn program(package: &str, kubeadm: &KubeadmFacts) -> Option<&'static str> {
    let program = match package {
        "conntrack" | "conntrack-tools" => "conntrack",
        "ebtables" => "ebtables",
        "ethtool" => "ethtool",
        "iproute" | "iproute2" => "ip",
        "iproute-tc" => "tc",
        "iptables" => "iptables",
        "socat" => "socat",
        _ => return None,
    };
    kubeadm.required_programs.iter().any(|name| name == program).then_some(program)
}

/// How people reach the host; it is not the cluster's to open.
fn ssh() -> Port {
    Port {
        protocol: Protocol::Tcp,
        bind: Bind::Any,
        port: 22,
        reach: Reach::Host,
        what: "SSH",
        at: Path::of(&["nodes"]),
    }
}

/// Certificates and leases need clocks that agree.
fn clock(family: &FamilyFacts) -> Unit {
    Unit {
        name: family.time_unit.clone(),
        phase: Phase::Install,
        check: Vec::new(),
        wait: true,
        start: true,
    }
}
