//! What the runbook says of a cluster that kubeadm makes.

use std::net::IpAddr;

use serde::Serialize;

use super::steps;
use crate::rooms::{OfCluster, Output, Place};
use crate::site::{Cluster, EtcdMode, Holder, Host, Plugin, host_port, layout, loopback};
use crate::template;
use crate::template::Template;

pub(super) static TEMPLATES: [Template; 7] = [
    template!("kubeadm/runbook/bring-up.md.j2"),
    template!("kubeadm/runbook/afterwards.md.j2"),
    template!("kubeadm/runbook/change.md.j2"),
    template!("kubeadm/runbook/version.md.j2"),
    template!("kubeadm/runbook/lost-control-plane.md.j2"),
    template!("kubeadm/runbook/certificates.md.j2"),
    template!("kubeadm/runbook/in-front.md.j2"),
];

/// Real names, addresses and commands.
#[derive(Serialize)]
struct Context<'a> {
    cluster: &'a str,
    kubernetes: String,
    first: &'a str,
    other_control_planes: Vec<&'a str>,
    workers: Vec<&'a str>,
    leaders: Vec<&'a str>,
    /// Whether every control plane leads clients to the API, or else which ones do.
    all_lead: bool,
    some_lead: Vec<&'a str>,
    /// Whether somebody else brings the pod network.
    own_pod_network: bool,
    pod_subnets: Vec<String>,
    kubeadm_config: &'static str,
    kube_proxy: bool,
    certs_command: &'a str,
    pki: &'static str,
    discovery: &'static str,
    external_etcd: bool,
    members: Vec<&'a str>,
    /// Members that systemd runs without a kubelet, and with one.
    members_apart: Vec<&'a str>,
    members_beside: Vec<&'a str>,
    etcd_pki: &'static str,
    /// The member on a node, as that node reaches it.
    etcd_local: String,
    etcdctl_api_variable: bool,
}

pub(super) fn render(with: &OfCluster<'_>, out: &mut Output<'_>) {
    let cluster = &with.cluster;
    let Some(first) = cluster.control_planes().next() else { return };
    let names = |keep: &dyn Fn(&Host) -> bool| -> Vec<&str> {
        cluster.nodes.iter().filter(|node| keep(node)).map(|node| node.name.as_str()).collect()
    };
    let external = cluster.etcd.mode == EtcdMode::External;
    let runs_member = |node: &Host| external && node.member();
    let loopback = host_port(loopback(first.address), cluster.etcd.client_port);
    let leads = |node: &Host| node.control_plane() && cluster.site.leads(node);
    let all_lead = cluster.control_planes().all(leads);
    let context = Context {
        cluster: &cluster.site.name,
        kubernetes: cluster.version.to_string(),
        first: &first.name,
        other_control_planes: names(&|node| node.control_plane() && node.index != first.index),
        leaders: names(&|node| cluster.site.leads(node)),
        all_lead,
        some_lead: if all_lead { Vec::new() } else { names(&leads) },
        workers: names(&|node| node.worker() && !node.control_plane()),
        own_pod_network: cluster.pod_network == Plugin::None,
        pod_subnets: cluster.pod_subnets.iter().map(ToString::to_string).collect(),
        kubeadm_config: super::INIT_CONFIG,
        kube_proxy: cluster.runs_kube_proxy(),
        certs_command: &cluster.release.kubeadm.certs_command,
        pki: layout::PKI,
        discovery: layout::DISCOVERY,
        external_etcd: external,
        members: names(&runs_member),
        members_apart: names(&|node| runs_member(node) && !node.kubelet()),
        members_beside: names(&|node| runs_member(node) && node.kubelet()),
        etcd_pki: layout::ETCD_PKI,
        etcd_local: format!("https://{loopback}"),
        etcdctl_api_variable: cluster
            .etcd
            .version
            .release()
            .is_some_and(|f| f.etcdctl_api_variable),
    };
    out.phrase(Place::Purpose, summary(with));
    out.phrase(Place::Survives, survives(with));
    let [bring_up, afterwards, change, version, lost, certificates, in_front] = &TEMPLATES;
    if let Some(context) = InFront::new(cluster) {
        out.prose(Place::BringUp(steps::INIT - 1), in_front.id, &context);
    }
    out.prose(Place::BringUp(steps::INIT), bring_up.id, &context);
    out.prose(Place::Afterwards, afterwards.id, &context);
    out.prose(Place::Change, change.id, &context);
    out.prose(Place::Version, version.id, &context);
    if !context.other_control_planes.is_empty() {
        out.prose(Place::Loss, lost.id, &context);
    }
    out.prose(Place::Certificates, certificates.id, &context);
}

/// What somebody else's balancer has to know.
#[derive(Serialize)]
struct InFront<'a> {
    cluster: &'a str,
    /// What clients ask for.
    host: String,
    by_name: bool,
    port: u16,
    /// With their ports.
    servers: Vec<String>,
    /// Whether these are balancers in their turn.
    balanced: bool,
    health: &'a str,
    /// The same in tmsh's words, where a port is behind a dot if the address has colons.
    members: Vec<String>,
    destination: String,
}

impl<'a> InFront<'a> {
    fn new(cluster: &'a Cluster<'_>) -> Option<Self> {
        let endpoint = cluster.endpoint;
        let Holder::External = endpoint.holder else { return None };
        let destination = match endpoint.address() {
            Some(address) => in_tmsh(address, endpoint.port),
            None => format!("ADDRESS:{}", endpoint.port),
        };
        let servers: Vec<(IpAddr, u16)> = match &endpoint.balancer {
            Some(balancer) => {
                let hosts = balancer.hosts.iter();
                hosts.map(|place| (cluster.nodes[*place].address, endpoint.port)).collect()
            }
            None => endpoint.backends.iter().map(|one| (one.address, one.port)).collect(),
        };
        Some(Self {
            cluster: &cluster.site.name,
            host: endpoint.host(),
            by_name: endpoint.address().is_none(),
            port: endpoint.port,
            members: servers.iter().map(|(at, port)| in_tmsh(*at, *port)).collect(),
            servers: servers.into_iter().map(|(at, port)| host_port(at, port)).collect(),
            balanced: endpoint.balancer.is_some(),
            health: &cluster.release.health_path,
            destination,
        })
    }
}

/// <https://clouddocs.f5.com/cli/tmsh-reference/latest/modules/ltm/ltm_pool.html>.
fn in_tmsh(address: IpAddr, port: u16) -> String {
    match address {
        IpAddr::V4(address) => format!("{address}:{port}"),
        IpAddr::V6(address) => format!("{address}.{port}"),
    }
}

fn summary(with: &OfCluster<'_>) -> String {
    let endpoint = with.cluster.endpoint;
    let (version, url) = (with.cluster.version, endpoint.url());
    format!("Kubernetes {version} behind {url} ({})", led(&with.cluster).join(", "))
}

/// Who leads clients to API servers, in two phrases at most.
fn led(cluster: &Cluster<'_>) -> Vec<String> {
    let endpoint = cluster.endpoint;
    let balancer = endpoint.balancer.as_ref().map(|balancer| {
        let control_planes: Vec<usize> = cluster.control_planes().map(|host| host.index).collect();
        let whose = match endpoint.holder {
            Holder::Loopback => "every node's loopback".to_owned(),
            _ if balancer.hosts == control_planes => "every control plane".to_owned(),
            _ => names(cluster, &balancer.hosts),
        };
        format!("{} on {whose}", balancer.kind.as_str())
    });
    let holder = match &endpoint.holder {
        Holder::Vrrp(held) => Some(format!("the VIP {} held by keepalived", held.address)),
        Holder::External if balancer.is_some() => {
            Some("behind one that is not made here".to_owned())
        }
        Holder::External => Some("a balancer that is not made here".to_owned()),
        Holder::KubeVip(held) => Some(format!(
            "the API server of the control plane whose kube-vip holds the VIP {}",
            held.address
        )),
        Holder::Host if balancer.is_none() => Some("the control plane itself".to_owned()),
        Holder::Host | Holder::Loopback => None,
    };
    balancer.into_iter().chain(holder).collect()
}

fn survives(with: &OfCluster<'_>) -> String {
    let cluster = &with.cluster;
    let endpoint = cluster.endpoint;
    let all = cluster.control_planes().count();
    let gone = |what: &str| format!("the API is gone while {what} is");
    if let (1, Some(only)) = (all, cluster.control_planes().next()) {
        return gone(&only.name);
    }
    match &endpoint.holder {
        Holder::Vrrp(held) => {
            let [of, left] = [held.hosts.len(), held.hosts.len() - 1];
            let whose = match held.hosts.iter().filter(|host| beside(cluster)(host)).count() {
                0 => "load balancers".to_owned(),
                planes if planes == all && of == all => "control planes".to_owned(),
                _ => format!("machines that hold it ({})", names(cluster, &held.hosts)),
            };
            format!("the VIP and the balancers survive the loss of {left} of {of} {whose}")
        }
        Holder::KubeVip(_) => {
            format!(
                "the VIP survives that of {} of {all} control planes while etcd has its majority",
                all - 1
            )
        }
        Holder::Loopback => {
            format!(
                "each node finds an API server after the loss of {} of {all} control planes",
                all - 1
            )
        }
        Holder::External => {
            "whether clients find an API server after a loss is up to the balancer in front"
                .to_owned()
        }
        Holder::Host => gone(&endpoint.host_port()),
    }
}

fn names(cluster: &Cluster<'_>, places: &[usize]) -> String {
    cluster.site.names_of(places).collect::<Vec<_>>().join(", ")
}

fn beside<'a>(cluster: &'a Cluster<'_>) -> impl Fn(&usize) -> bool + 'a {
    |place| cluster.nodes[*place].control_plane()
}
