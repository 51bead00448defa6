//! `README.md`: put together from what every room says.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::Serialize;

use super::README;
use crate::claims::{Bind, Port, Protocol, Reach};
use crate::rooms::output::File;
use crate::rooms::{Output, Place, Prose, Rendering};
use crate::site::{EtcdMode, Host, LOAD_BALANCER, MEMBER};

/// The frame's context.
#[derive(Serialize)]
struct Readme<'a> {
    cluster: &'a str,
    nodes: Vec<NodeRow<'a>>,
    all: Vec<&'a str>,
    ports: Vec<PortRow>,
    summary: String,
    survives: String,
    copy: String,
    bring_up: String,
    afterwards: String,
    change: String,
    chapters: String,
}

#[derive(Serialize)]
struct NodeRow<'a> {
    name: &'a str,
    address: String,
    ssh: &'a str,
    /// Where rsync puts its folder.
    copy_to: String,
    roles: String,
    os: String,
    steps: String,
}

#[derive(Serialize)]
struct PortRow {
    nodes: String,
    port: String,
    from: &'static str,
    what: &'static str,
}

pub(super) fn assemble(mut said: Vec<Prose>, with: &Rendering<'_>, out: &mut Output<'_>) {
    said.sort_by_key(|prose| (prose.place, prose.room));
    let all = |wanted: &dyn Fn(Place) -> bool, between: &str| -> String {
        let said = said.iter().filter(|prose| wanted(prose.place) && !prose.text.is_empty());
        said.map(|prose| prose.text.as_str()).collect::<Vec<_>>().join(between)
    };
    let at = |place: Place, between: &str| all(&|other| other == place, between);
    let is_bring_up = |place: Place| matches!(place, Place::BringUp(_));
    let hosts = &with.site.hosts;
    let context = Readme {
        cluster: &with.site.name,
        nodes: hosts.iter().map(|host| row(host, with)).collect(),
        all: hosts.iter().map(|host| host.name.as_str()).collect(),
        ports: ports(with),
        summary: all(&|place| place <= Place::Ground, ", "),
        survives: capital(&at(Place::Survives, "; ")),
        copy: at(Place::Copy, "\n\n"),
        bring_up: numbered(&all(&is_bring_up, "\n\n")),
        afterwards: all(&|place| [Place::Use, Place::Afterwards].contains(&place), "\n"),
        change: at(Place::Change, "\n\n"),
        chapters: all(&|place| place >= Place::Version, "\n\n"),
    };
    out.template(File::cluster("README.md"), README.id, &context);
}

/// The items' numbers, after the first one of the frame.
fn numbered(items: &str) -> String {
    let mut number = 1;
    let lines = items.lines().map(|line| match line.strip_prefix("1. ") {
        Some(text) => {
            number += 1;
            format!("{number}. {text}")
        }
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn row<'a>(node: &'a Host, with: &Rendering<'_>) -> NodeRow<'a> {
    // kubeadm's members come with the control planes.
    let external =
        with.site.kubernetes.as_ref().is_some_and(|facts| facts.etcd.mode == EtcdMode::External);
    let mut roles = Vec::new();
    if node.control_plane() {
        roles.push("control plane");
    }
    if node.roles.contains(&MEMBER) && external {
        roles.push("etcd");
    }
    if node.worker() {
        roles.push("worker");
    }
    if node.roles.contains(&LOAD_BALANCER) {
        roles.push("load balancer");
    }
    NodeRow {
        name: &node.name,
        address: node.address.to_string(),
        ssh: &node.ssh,
        copy_to: match node.ssh.parse() {
            Ok(IpAddr::V6(address)) => format!("root@[{address}]:/root/hagen/"),
            _ => format!("root@{}:/root/hagen/", node.ssh),
        },
        roles: roles.join(", "),
        os: format!("{} {}", node.os.distribution, node.os.version),
        steps: with.claims.of(node.index).steps().collect::<Vec<_>>().join(", "),
    }
}

/// Every port that somebody else has to reach, with the nodes that listen.
fn ports(with: &Rendering<'_>) -> Vec<PortRow> {
    let mut listeners: BTreeMap<(Protocol, u16, Reach, &'static str), BTreeSet<usize>> =
        BTreeMap::new();
    for node in &with.site.hosts {
        for port in &with.claims.of(node.index).ports {
            let Port { protocol, bind, port: number, reach, what, at: _ } = &**port;
            if *bind != Bind::Loopback && *reach != Reach::Host {
                listeners.entry((*protocol, *number, *reach, what)).or_default().insert(node.index);
            }
        }
    }
    listeners
        .into_iter()
        .map(|((protocol, number, reach, what), nodes)| PortRow {
            nodes: who(&nodes, with),
            port: match protocol {
                Protocol::Tcp => format!("{number}/tcp"),
                Protocol::Udp => format!("{number}/udp"),
                Protocol::Vrrp => "IP protocol 112".to_owned(),
            },
            from: match reach {
                Reach::Host => "the host itself",
                Reach::Holders => "those that hold the VIP",
                Reach::ControlPlanes => "control planes",
                Reach::Members => "etcd members",
                Reach::Store => "etcd members and control planes",
                Reach::Nodes => "all nodes",
                Reach::Clients => "everybody who uses the cluster",
            },
            what,
        })
        .collect()
}

/// "all nodes", "control planes", or the names.
fn who(indexes: &BTreeSet<usize>, with: &Rendering<'_>) -> String {
    let hosts = &with.site.hosts;
    let set = |keep: &dyn Fn(&Host) -> bool| -> BTreeSet<usize> {
        hosts.iter().filter(|node| keep(node)).map(|node| node.index).collect()
    };
    if *indexes == set(&|_| true) {
        return "all nodes".to_owned();
    }
    if *indexes == set(&|node| node.control_plane()) {
        return "control planes".to_owned();
    }
    if *indexes == set(&Host::kubelet) {
        return "control planes and workers".to_owned();
    }
    let names: Vec<&str> = indexes.iter().map(|index| hosts[*index].name.as_str()).collect();
    names.join(", ")
}
