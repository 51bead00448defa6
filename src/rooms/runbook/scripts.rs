use serde::Serialize;

use super::firewall::{firewalld, vrrp};
use super::images::ImagesContext;
use super::packages::PackagesContext;
use super::plan::Planned;
use super::units::{UnitContext, of_phase};
use crate::catalog::OsFamily;
use crate::cluster::{EtcdMode, LoadBalancerKind, Node, layout, loopback};
use crate::rooms::claims::{NodeClaims, Phase};
use crate::rooms::output::File;
use crate::rooms::{Output, Rendering};

/// Where kubeadm puts the operator's credential on a control plane.
const ADMIN: &str = "/etc/kubernetes/admin.conf";
/// From 1.29 on the first control plane's first steps need this one: admin.conf has no rights
/// before kubeadm binds its group.
const SUPER_ADMIN: &str = "/etc/kubernetes/super-admin.conf";

/// What every script knows; `own` is the step's.
#[derive(Serialize)]
struct Script<'a, T> {
    /// `10-prepare`.
    step: &'static str,
    /// The node's name.
    node: &'a str,
    /// What the step does, for the reader.
    does: &'static str,
    #[serde(flatten)]
    own: T,
}

pub(super) fn script<T: Serialize>(
    node: &Node,
    step: &'static str,
    template: &'static str,
    does: &'static str,
    own: T,
    out: &mut Output<'_>,
) {
    let file = File::beside(node, format!("{step}.sh")).mode(0o755).reads([node.path()]);
    out.template(file, template, &Script { step, node: &node.name, does, own });
}

/// Whether systemd runs a member of etcd on this node.
pub(super) fn runs_member(node: &Node, with: &Rendering<'_>) -> bool {
    node.member && with.cluster.etcd.mode == EtcdMode::External
}

/// The kubelet's kubeconfig.
const KUBELET: &str = "/etc/kubernetes/kubelet.conf";

#[derive(Serialize)]
struct OsContext<'a> {
    id: &'a str,
    release: &'a str,
    /// Point releases come and go: only the first number is compared.
    major: &'a str,
}

#[derive(Serialize)]
struct Prepare<'a> {
    os: OsContext<'a>,
    set_hostname: bool,
    /// Empty where the node needs none.
    interface: &'a str,
    address: String,
    kubelet: bool,
    hosts_fragment: &'static str,
    rhel: bool,
    #[serde(flatten)]
    packages: PackagesContext<'a>,
}

pub(super) fn prepare(planned: &Planned, node: &Node, with: &Rendering<'_>, out: &mut Output<'_>) {
    let version = node.os.version.as_str();
    let own = Prepare {
        os: OsContext {
            id: &node.os.distribution,
            release: version,
            major: version.split('.').next().unwrap_or(version),
        },
        set_hostname: planned.set_hostname,
        interface: &node.interface,
        address: node.address.to_string(),
        kubelet: node.kubelet(),
        hosts_fragment: layout::HOSTS_FRAGMENT,
        rhel: node.os.family == OsFamily::Rhel,
        packages: PackagesContext::new(planned, with, node),
    };
    let does = "checks the host, turns swap off, writes the hosts block, installs packages";
    script(node, "10-prepare", "runbook/10-prepare.sh.j2", does, own, out);
}

/// Units that go when what runs them goes, in the order of their start.
fn stoppable(claims: &NodeClaims) -> Vec<&str> {
    let units = claims.units.iter().filter(|unit| !unit.survives_reset());
    units.map(|unit| unit.name.as_str()).collect()
}

#[derive(Serialize)]
struct Install<'a> {
    firewalld: bool,
    vrrp: bool,
    /// Networks whose packets firewalld lets through: a service knows ports only.
    pods: Vec<String>,
    units: Vec<UnitContext>,
    /// Units of the whole node that stop once the inventory no longer has them.
    stoppable: Vec<&'a str>,
    images: Option<ImagesContext<'a>>,
}

pub(super) fn install(planned: &Planned, node: &Node, with: &Rendering<'_>, out: &mut Output<'_>) {
    let claims = with.claims.of(node.index);
    let own = Install {
        firewalld: firewalld(planned, node),
        vrrp: vrrp(claims),
        pods: with.cluster.pod_subnets.iter().map(ToString::to_string).collect(),
        units: of_phase(claims, Phase::Install),
        stoppable: stoppable(claims),
        images: ImagesContext::new(planned, node, with),
    };
    let does = "verifies every file, places it, loads kernel modules and settings";
    script(node, "20-install", "runbook/20-install.sh.j2", does, own, out);
}

#[derive(Serialize)]
struct Balancer {
    vip: String,
    port: u16,
    balancer: &'static str,
    loopback: String,
    units: Vec<UnitContext>,
}

pub(super) fn balancer(node: &Node, with: &Rendering<'_>, out: &mut Output<'_>) {
    let cluster = with.cluster;
    let own = Balancer {
        vip: cluster.endpoint.vip.to_string(),
        port: cluster.endpoint.port,
        balancer: match cluster.balancer {
            LoadBalancerKind::Haproxy => "haproxy",
            LoadBalancerKind::Nginx => "nginx",
        },
        loopback: loopback(node.address).to_string(),
        units: of_phase(with.claims.of(node.index), Phase::Balancer),
    };
    let does = "starts the balancer and keepalived";
    script(node, "30-balancer", "runbook/30-balancer.sh.j2", does, own, out);
}

#[derive(Serialize)]
struct Etcd {
    version: String,
    bin: &'static str,
    pki: &'static str,
    endpoint: String,
    members: usize,
    quorum: usize,
    units: Vec<UnitContext>,
}

pub(super) fn etcd(node: &Node, with: &Rendering<'_>, out: &mut Output<'_>) {
    let etcd = &with.cluster.etcd;
    let own = Etcd {
        version: etcd.version.to_string(),
        bin: layout::ETCD_BIN,
        pki: layout::ETCD_PKI,
        endpoint: with.cluster.etcd_client_url(node),
        members: etcd.members.len(),
        quorum: etcd.members.len() / 2 + 1,
        units: of_phase(with.claims.of(node.index), Phase::Etcd),
    };
    let does = "starts this member of etcd and waits for a quorum";
    script(node, "40-etcd", "runbook/40-etcd.sh.j2", does, own, out);
}

/// A command that succeeds when etcd is healthy, with the node's own client certificate.
#[derive(Serialize)]
struct EtcdHealth {
    command: Vec<String>,
}

fn etcd_health(node: &Node, with: &Rendering<'_>) -> Option<EtcdHealth> {
    runs_member(node, with)
        .then(|| EtcdHealth { command: etcdctl(node, with, &["endpoint", "health"]) })
}

/// Asks the member on this node.
fn etcdctl(node: &Node, with: &Rendering<'_>, words: &[&str]) -> Vec<String> {
    let command = [
        "env".to_owned(),
        "ETCDCTL_API=3".to_owned(),
        format!("{}/etcdctl", layout::ETCD_BIN),
        "--command-timeout=5s".to_owned(),
        format!("--endpoints={}", with.cluster.etcd_client_url(node)),
        format!("--cacert={}/ca.crt", layout::ETCD_PKI),
        format!("--cert={}/client.crt", layout::ETCD_PKI),
        format!("--key={}/client.key", layout::ETCD_PKI),
    ];
    command.into_iter().chain(words.iter().map(ToString::to_string)).collect()
}

#[derive(Serialize)]
struct Init<'a> {
    admin: &'static str,
    local_api: String,
    vip: String,
    port: u16,
    config: &'static str,
    addons: &'static str,
    health: &'a str,
    etcd: Option<EtcdHealth>,
    /// A command that prints a key of an etcd that is not empty; where etcd is asked at all.
    any_key: Vec<String>,
    /// The other control planes: where one of them runs an API server, the cluster exists.
    others: Vec<OtherApi<'a>>,
}

#[derive(Serialize)]
struct OtherApi<'a> {
    name: &'a str,
    address: String,
    port: u16,
}

#[derive(Serialize)]
struct Join<'a> {
    discovery: &'static str,
    endpoint: String,
    first: &'a str,
    config: &'static str,
    health: &'a str,
    /// What kubeadm's last step of a control plane's join puts on the node; none on a worker.
    label: Option<&'a str>,
    /// The kubeconfig that 20-install.sh places for an init: a join makes its own.
    made_for_init: Option<&'static str>,
    /// What to do about a join that cannot go on.
    start_over: String,
}

pub(super) fn kubernetes(node: &Node, with: &Rendering<'_>, out: &mut Output<'_>) {
    let cluster = with.cluster;
    let health = cluster.release.health_path.as_str();
    if cluster.is_first_control_plane(node) {
        let own = Init {
            admin: if cluster.release.super_admin { SUPER_ADMIN } else { ADMIN },
            local_api: cluster.api_url(node),
            vip: cluster.endpoint.vip.to_string(),
            port: cluster.endpoint.port,
            config: layout::KUBEADM_CONFIG,
            addons: layout::ADDONS,
            health,
            etcd: etcd_health(node, with),
            any_key: etcdctl(node, with, &["get", "", "--prefix", "--keys-only", "--limit=1"]),
            others: cluster
                .control_planes()
                .filter(|other| other.index != node.index)
                .map(|other| OtherApi {
                    name: &other.name,
                    address: other.address.to_string(),
                    port: cluster.api_port,
                })
                .collect(),
        };
        let does = "initialises the cluster and applies its add-ons";
        script(node, "50-init", "runbook/50-init.sh.j2", does, own, out);
    }
    if !cluster.joins(node) {
        return;
    }
    let own = Join {
        discovery: layout::DISCOVERY,
        endpoint: cluster.endpoint.url(),
        first: cluster.control_planes().next().map_or("", |first| &first.name),
        config: layout::KUBEADM_JOIN,
        health,
        label: cluster
            .release
            .control_plane_labels
            .first()
            .filter(|_| node.control_plane)
            .map(String::as_str),
        made_for_init: cluster.is_first_control_plane(node).then_some(KUBELET),
        start_over: if node.control_plane {
            "start this node over as README.md says under \"A lost control plane\"".to_owned()
        } else {
            format!(
                "delete the node on a control plane (kubectl delete node {}), run 90-reset.sh --yes here, then 10-prepare.sh and the steps after it",
                node.name
            )
        },
    };
    script(node, "50-join", "runbook/50-join.sh.j2", "joins the cluster", own, out);
}

#[derive(Serialize)]
struct Verify<'a> {
    /// Units that must be running.
    active: Vec<&'a str>,
    /// Only where the node holds or may hold the VIP.
    vip: Option<String>,
    port: u16,
    kubelet: bool,
    kubernetes: String,
    kubeconfig: &'static str,
    endpoint: String,
    health: &'a str,
    etcd: Option<EtcdHealth>,
}

pub(super) fn verify(node: &Node, with: &Rendering<'_>, out: &mut Output<'_>) {
    let cluster = with.cluster;
    let own = Verify {
        active: with
            .claims
            .of(node.index)
            .units
            .iter()
            .filter(|unit| unit.start)
            .map(|unit| unit.name.as_str())
            .collect(),
        vip: node.control_plane.then(|| cluster.endpoint.vip.to_string()),
        port: cluster.endpoint.port,
        kubelet: node.kubelet(),
        kubernetes: cluster.kubernetes.to_string(),
        kubeconfig: KUBELET,
        endpoint: cluster.endpoint.url(),
        health: &cluster.release.health_path,
        etcd: etcd_health(node, with),
    };
    let does = "checks that everything of this node works";
    script(node, "60-verify", "runbook/60-verify.sh.j2", does, own, out);
}
