use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::Serialize;

use super::RunbookPlan;
use crate::claims::{Bind, Port, Protocol, Reach};
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{OfCluster, Output};
use crate::site::{
    EtcdMode, Host, LoadBalancerKind, Plugin, RuntimeKind, host_port, layout, loopback,
};

/// The runbook's context: real names, addresses and commands.
#[derive(Serialize)]
struct Readme<'a> {
    cluster: &'a str,
    kubernetes: String,
    endpoint: String,
    vip: String,
    balancer: &'static str,
    etcd: String,
    external_etcd: bool,
    runtime: String,
    nodes: Vec<NodeRow<'a>>,
    all: Vec<&'a str>,
    /// Those that run containers.
    kubelets: Vec<&'a str>,
    /// What 20-install.sh looks for on them.
    image_archives: &'a [String],
    members: Vec<&'a str>,
    /// Those of them without a kubelet, and those with one.
    members_apart: Vec<&'a str>,
    members_beside: Vec<&'a str>,
    /// Folders of a member that systemd runs.
    etcd_data: BTreeSet<&'a str>,
    /// The folder of a stacked member's data.
    stacked_data: &'a str,
    /// The member on a node, as that node reaches it.
    etcd_local: String,
    /// Where members keep the snapshots that a timer takes.
    backup: Option<&'a str>,
    restore: Option<Restore<'a>>,
    /// The members' settings.
    etcd_conf: &'static str,
    /// Settings that win until the next boot.
    etcd_override: &'static str,
    etcdctl_env: &'static str,
    etcd_pki: &'static str,
    pki: &'static str,
    kubeadm_config: &'static str,
    kube_proxy: bool,
    /// Whether somebody else brings the pod network.
    own_pod_network: bool,
    pod_subnets: Vec<String>,
    discovery: &'static str,
    etcdctl_api_variable: bool,
    etcd_bin: &'static str,
    first: &'a str,
    other_control_planes: Vec<&'a str>,
    workers: Vec<&'a str>,
    certs_command: &'a str,
    ports: Vec<PortRow>,
    faults: Faults,
}

/// More than a cluster writes between two snapshots
/// (<https://etcd.io/docs/v3.6/op-guide/recovery/#restoring-with-revision-bump>).
const BUMPED: &str = " \\\n     --bump-revision=1000000000 --mark-compacted";

/// How external members start from a snapshot, with the program that this release of etcd does it with.
#[derive(Serialize)]
struct Restore<'a> {
    program: String,
    data: &'a str,
    /// What keeps revisions from going back, where the program knows it.
    revisions: &'static str,
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

/// How many losses what survives.
#[derive(Serialize)]
struct Faults {
    control_planes: usize,
    control_planes_lost: usize,
    members: usize,
    members_lost: usize,
}

pub(super) fn render(planned: &RunbookPlan, with: &OfCluster<'_>, out: &mut Output<'_>) {
    readme(planned, with, out);
}

fn readme(planned: &RunbookPlan, with: &OfCluster<'_>, out: &mut Output<'_>) {
    let cluster = &with.cluster;
    let names = |keep: &dyn Fn(&Host) -> bool| -> Vec<&str> {
        cluster.nodes.iter().filter(|node| keep(node)).map(|node| node.name.as_str()).collect()
    };
    let Some(first) = cluster.control_planes().next() else { return };
    let control_planes = cluster.control_planes().count();
    let members = cluster.etcd.members.len();
    let balancer = match cluster.endpoint.balancer.kind {
        LoadBalancerKind::Haproxy => "haproxy",
        LoadBalancerKind::Nginx => "nginx",
    };
    let context = Readme {
        cluster: &cluster.site.name,
        kubernetes: cluster.version.to_string(),
        endpoint: cluster.endpoint.url(),
        vip: cluster.endpoint.vip.to_string(),
        balancer,
        etcd: match cluster.etcd.mode {
            EtcdMode::External => format!("{} as systemd units", cluster.etcd.version),
            EtcdMode::Stacked => format!("{} as static pods", cluster.etcd.version),
        },
        external_etcd: cluster.etcd.mode == EtcdMode::External,
        runtime: match cluster.runtime.kind {
            RuntimeKind::Containerd => format!("containerd {}", cluster.runtime.version_text),
            RuntimeKind::Docker => format!("docker {}", cluster.runtime.version_text),
        },
        nodes: cluster.nodes.iter().map(|node| row(node, with)).collect(),
        all: names(&|_| true),
        kubelets: names(&Host::kubelet),
        image_archives: &planned.image_archives,
        members: names(&|node| runs_member(node, with)),
        members_apart: names(&|node| runs_member(node, with) && !node.kubelet()),
        members_beside: names(&|node| runs_member(node, with) && node.kubelet()),
        etcd_data: etcd_data(with),
        stacked_data: &cluster.etcd.data_dir,
        etcd_local: format!(
            "https://{}",
            host_port(loopback(first.address), cluster.etcd.client_port)
        ),
        backup: backup(with),
        restore: restore(with),
        etcd_conf: layout::ETCD_CONF,
        etcd_override: layout::ETCD_OVERRIDE,
        etcdctl_env: layout::ETCDCTL_ENV,
        etcd_pki: layout::ETCD_PKI,
        pki: layout::PKI,
        kubeadm_config: layout::KUBEADM_CONFIG,
        kube_proxy: cluster.runs_kube_proxy(),
        own_pod_network: cluster.pod_network == Plugin::None,
        pod_subnets: cluster.pod_subnets.iter().map(ToString::to_string).collect(),
        discovery: layout::DISCOVERY,
        etcdctl_api_variable: cluster
            .etcd
            .version
            .release()
            .is_some_and(|f| f.etcdctl_api_variable),
        etcd_bin: layout::ETCD_BIN,
        first: &first.name,
        other_control_planes: names(&|node| node.control_plane() && node.index != first.index),
        workers: names(&|node| node.worker() && !node.control_plane()),
        certs_command: &cluster.release.kubeadm.certs_command,
        ports: ports(with),
        faults: Faults {
            control_planes,
            control_planes_lost: control_planes.saturating_sub(1),
            members,
            members_lost: members.saturating_sub(1) / 2,
        },
    };
    out.template(File::cluster("README.md"), "runbook/README.md.j2", &context);
}

/// What a member that has lost its data starts without.
fn etcd_data<'a>(with: &'a OfCluster<'_>) -> BTreeSet<&'a str> {
    let nodes = with.cluster.nodes.iter().map(|node| with.claims.of(node.index));
    let staying = nodes.flat_map(|claims| {
        let stays = |room: &str| claims.stays.iter().any(|stays| stays.room == room);
        claims.paths.iter().filter(move |path| stays(path.room) && path.remove_on_reset)
    });
    staying.map(|path| path.path.as_str()).collect()
}

/// The folder of a member's snapshots.
fn backup<'a>(with: &'a OfCluster<'_>) -> Option<&'a str> {
    let members = with.cluster.nodes.iter().filter(|node| runs_member(node, with));
    members
        .flat_map(|node| &with.claims.of(node.index).paths)
        .find(|path| path.at == Path::of(&["etcd", "backup", "directory"]))
        .map(|path| path.path.as_str())
}

/// `None` where a member keeps its log in a folder of its own, which takes other commands.
fn restore<'a>(with: &'a OfCluster<'_>) -> Option<Restore<'a>> {
    let etcd = &with.cluster.etcd;
    let folders: Vec<&str> = etcd_data(with).into_iter().collect();
    let [data] = folders[..] else { return None };
    let facts = etcd.version.release();
    let program = match facts {
        Some(facts) if facts.etcdutl => format!("{}/etcdutl", layout::ETCD_BIN),
        _ => format!("ETCDCTL_API=3 {}/etcdctl", layout::ETCD_BIN),
    };
    let bumps = facts.is_some_and(|facts| facts.etcdutl_for_restore);
    Some(Restore { program, data, revisions: if bumps { BUMPED } else { "" } })
}

fn row<'a>(node: &'a Host, with: &OfCluster<'_>) -> NodeRow<'a> {
    let mut roles = Vec::new();
    if node.control_plane() {
        roles.push("control plane");
    }
    if runs_member(node, with) {
        roles.push("etcd");
    }
    if node.worker() {
        roles.push("worker");
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
fn ports(with: &OfCluster<'_>) -> Vec<PortRow> {
    let mut listeners: BTreeMap<(Protocol, u16, Reach, &'static str), BTreeSet<usize>> =
        BTreeMap::new();
    for node in with.cluster.nodes {
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
                Reach::ControlPlanes => "control planes",
                Reach::Members => "etcd members and control planes",
                Reach::Nodes => "all nodes",
                Reach::Clients => "everybody who uses the cluster",
            },
            what,
        })
        .collect()
}

/// "all nodes", "control planes", or the names.
fn who(indexes: &BTreeSet<usize>, with: &OfCluster<'_>) -> String {
    let cluster = &with.cluster;
    let set = |keep: &dyn Fn(&Host) -> bool| -> BTreeSet<usize> {
        cluster.nodes.iter().filter(|node| keep(node)).map(|node| node.index).collect()
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
    let names: Vec<&str> =
        indexes.iter().map(|index| cluster.nodes[*index].name.as_str()).collect();
    names.join(", ")
}

/// Whether systemd runs a member of etcd on this node.
fn runs_member(node: &Host, with: &OfCluster<'_>) -> bool {
    node.member() && with.cluster.etcd.mode == EtcdMode::External
}
