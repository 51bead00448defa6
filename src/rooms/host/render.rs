use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::packages::Packages;
use super::plan::HostPlan;
use super::{FIREWALL, MODULES, NETWORK_MANAGER, PROXY, SYSCTL, firewall as firewalld, steps};
use crate::catalog::OsFamily;
use crate::claims::{AllOnNode, Of, Phase, Protocol, Setting};
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{OfCluster, Output, Plan, Rendering};
use crate::site::{Cluster, Host, Proxy};
use crate::tree::Apply;

/// Interfaces that flannel and other plugins, kube-proxy in ipvs mode and the usual DNS cache make.
const DEVICES: [&str; 6] = [
    "interface-name:cni*",
    "interface-name:flannel*",
    "interface-name:cali*",
    "interface-name:veth*",
    "interface-name:kube-ipvs0",
    "interface-name:nodelocaldns",
];

/// Context of the modules and of the settings.
#[derive(Serialize)]
struct KernelContext {
    /// By room, in the rooms' alphabetical order.
    groups: Vec<KernelGroup>,
}

/// What one room needs of the kernel.
#[derive(Serialize)]
struct KernelGroup {
    /// The room.
    room: &'static str,
    /// A module's name, or `key = value`.
    lines: Vec<String>,
}

/// Context of firewalld's service.
#[derive(Serialize)]
struct FirewallContext<'a> {
    /// The cluster's name.
    cluster: &'a str,
    /// Ports that everybody reaches, sorted.
    ports: BTreeSet<Opened>,
}

/// One port of firewalld's service.
#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Opened {
    /// The number, or a range.
    numbers: String,
    /// `tcp` or `udp`.
    protocol: &'static str,
    /// What listens.
    what: &'static str,
}

/// Context of a drop-in with the proxy.
#[derive(Serialize)]
struct ProxyContext<'a> {
    /// For http URLs.
    http: &'a str,
    /// For https URLs.
    https: &'a str,
    /// What is reached directly, separated by commas.
    direct: String,
}

/// Units that go to registries, or whose children do: the kubelet runs credential providers.
const TO_REGISTRIES: [&str; 3] = ["containerd.service", "docker.service", "kubelet.service"];

/// Context of NetworkManager's file.
#[derive(Serialize)]
struct NetworkManagerContext {
    /// Patterns of devices.
    devices: [&'static str; 6],
}

impl Plan for HostPlan {
    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        let claims = with.claims.of(node.index);
        let mut words = steps::words(self, node, with);
        let packages = Packages::new(self, node, with);
        packages.say(&mut words);
        packages.render_keys(out);
        out.words(10, words);
        out.words(20, firewalld::words(self, node, with));
        if let Some(words) = firewalld::of_staying(self, node, with) {
            out.words(90, words);
        }
        kernel(node, claims, out);
        proxy(node, with, out);
        if node.os.family != OsFamily::Rhel {
            return;
        }
        if node.kubelet() {
            let path = "/etc/NetworkManager/conf.d/90-hagen-kubernetes.conf";
            let file = File::on(node, path).phase(Phase::INSTALL).reads([node.path().key("os")]);
            out.template(file, NETWORK_MANAGER.id, &NetworkManagerContext { devices: DEVICES });
        }
        if self.open_firewall {
            firewall(node, claims, &with.cluster, out);
        }
    }
}

/// Whose it is.
fn heading(setting: &Of<Setting>) -> &'static str {
    if setting.said { "the site" } else { setting.room }
}

fn kernel(node: &Host, claims: &AllOnNode, out: &mut Output<'_>) {
    let modules = claims.modules.iter().map(|(module, setting)| (heading(setting), module.clone()));
    let settings = claims
        .sysctls
        .iter()
        .map(|(key, setting)| (heading(setting), format!("{key} = {}", setting.value)));
    let reads = || [node.path(), Path::of(&["host"]), Path::of(&["kubeProxy"]), Path::of(&["cni"])];
    let mut file = |path, template, groups: Vec<KernelGroup>| {
        if !groups.is_empty() {
            let file = File::on(node, path).phase(Phase::INSTALL).reads(reads());
            out.template(file, template, &KernelContext { groups });
        }
    };
    file("/etc/modules-load.d/90-hagen-kubernetes.conf", MODULES.id, by_room(modules));
    file("/etc/sysctl.d/90-hagen-kubernetes.conf", SYSCTL.id, by_room(settings));
}

/// kubeadm would copy the proxy of its own environment into static pods; nothing here sets one.
fn proxy(node: &Host, with: &OfCluster<'_>, out: &mut Output<'_>) {
    let Some(Proxy { http, https, direct }) = &with.cluster.site.proxy else { return };
    let context = ProxyContext { http, https, direct: direct.join(",") };
    let units = with.claims.of(node.index).units.iter();
    for unit in units.filter(|unit| TO_REGISTRIES.contains(&unit.name.as_str())) {
        let path = format!("/etc/systemd/system/{}.d/20-hagen-proxy.conf", unit.name);
        let reads = ["host", "endpoint", "cluster", "nodes"].map(|key| Path::of(&[key]));
        let file = File::on(node, path).phase(unit.phase).read_by(&unit.name, Apply::Restart);
        out.template(file.reads(reads), PROXY.id, &context);
    }
}

fn by_room(lines: impl Iterator<Item = (&'static str, String)>) -> Vec<KernelGroup> {
    let mut groups: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (room, line) in lines {
        groups.entry(room).or_default().push(line);
    }
    groups.into_iter().map(|(room, lines)| KernelGroup { room, lines }).collect()
}

/// A service says nothing of "from whom": ports for a few are rules of their own in `node.sh`.
fn firewall(node: &Host, claims: &AllOnNode, cluster: &Cluster<'_>, out: &mut Output<'_>) {
    let ports = claims.ports.iter().filter(|port| port.is_for_clients());
    let mut opened: BTreeSet<Opened> = ports
        .filter_map(|port| {
            let protocol = match port.protocol {
                Protocol::Tcp => "tcp",
                Protocol::Udp => "udp",
                // No port.
                Protocol::Vrrp => return None,
            };
            Some(Opened { numbers: port.port.to_string(), protocol, what: port.what })
        })
        .collect();
    if node.kubelet() {
        for protocol in ["tcp", "udp"] {
            opened.insert(Opened {
                numbers: cluster.node_ports.to_string(),
                protocol,
                what: "node ports",
            });
        }
    }
    if opened.is_empty() {
        return;
    }
    let file = File::on(node, "/etc/firewalld/services/hagen-kubernetes.xml")
        .phase(Phase::INSTALL)
        .reads([Path::of(&["host", "firewall"]), node.path()]);
    out.template(
        file,
        FIREWALL.id,
        &FirewallContext { cluster: &cluster.site.name, ports: opened },
    );
}
