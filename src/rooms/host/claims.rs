//! What each host has to have, whatever runs on it.

use std::net::IpAddr;

use super::plan::HostPlan;
use super::{steps, sysctls};
use crate::catalog::{FamilyFacts, KubeadmFacts};
use crate::claims::{Bind, Package, Phase, Port, Protocol, Reach, RoomClaims, Setting, Unit};
use crate::report::Path;
use crate::site::{Cluster, Host};

/// `overlay` carries images, `br_netfilter` shows bridged packets to netfilter:
/// <https://kubernetes.io/docs/setup/production-environment/container-runtimes/>.
const MODULES: [&str; 2] = ["overlay", "br_netfilter"];

/// What a machine without a kubelet, a member of etcd alone, needs: the archive is fetched, and
/// clocks agree.
const WITHOUT_KUBELET: [&str; 3] = ["ca-certificates", "chrony", "curl"];

pub(super) fn state(plan: &HostPlan, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    claims.pins.clone_from(&plan.pins);
    let servers: Vec<&Host> = cluster.nodes.iter().filter(|node| serves(node)).collect();
    for node in cluster.nodes {
        let needed = programs(node, cluster);
        let names = names(node, &servers, cluster).collect();
        let claims = claims.node(node.index);
        claims.hosts = names;
        claims.scripts.extend(steps::scripts(node));
        claims.packages.extend(needed);
        claims.ports.push(ssh());
        // Where it is installed, its service is held back, and takes the place of another one.
        if !plan.preinstalled {
            claims.units.push(clock(node.os.family_facts()));
        }
        if !node.kubelet() {
            continue;
        }
        for module in MODULES {
            claims.modules.insert(module.into(), Setting::module());
        }
        for module in &plan.modules {
            let said = Setting { said: true, ..Setting::module() };
            claims.modules.entry(module.clone()).or_insert(said);
        }
        claims.sysctls.extend(sysctls::of_node(&plan.sysctls, node, cluster));
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
    let endpoint = cluster.endpoint.address().zip(cluster.endpoint.dns_name.clone());
    let (before, after) =
        servers.split_at(servers.partition_point(|other| other.index < node.index));
    let itself = (!serves(node)).then_some(node);
    let nodes = before.iter().copied().chain(itself).chain(after.iter().copied());
    endpoint
        .into_iter()
        .chain(nodes.flat_map(|other| other.addresses().map(|at| (at, other.name.clone()))))
}

fn programs(node: &Host, cluster: &Cluster<'_>) -> impl Iterator<Item = Package> {
    let family = node.os.family_facts();
    let kubelet = node.kubelet();
    let names = family.base_packages.iter().chain(&node.os.extra_packages);
    names.filter(move |name| kubelet || WITHOUT_KUBELET.contains(&name.as_str())).map(|name| {
        let program = program(name, &cluster.release.kubeadm).map(str::to_owned);
        Package { program, ..Package::of_distribution(name) }
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
    Unit::started(&family.time_unit, Phase::INSTALL, [])
}
