//! What the runbook says of a cluster that kubeadm makes.

use serde::Serialize;

use super::steps;
use crate::rooms::{OfCluster, Output, Place};
use crate::site::{EtcdMode, Host, Plugin, host_port, layout, loopback};
use crate::template;
use crate::template::Template;

pub(super) static TEMPLATES: [Template; 6] = [
    template!("kubeadm/runbook/bring-up.md.j2"),
    template!("kubeadm/runbook/afterwards.md.j2"),
    template!("kubeadm/runbook/change.md.j2"),
    template!("kubeadm/runbook/version.md.j2"),
    template!("kubeadm/runbook/lost-control-plane.md.j2"),
    template!("kubeadm/runbook/certificates.md.j2"),
];

/// Real names, addresses and commands.
#[derive(Serialize)]
struct Context<'a> {
    cluster: &'a str,
    kubernetes: String,
    first: &'a str,
    other_control_planes: Vec<&'a str>,
    workers: Vec<&'a str>,
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
    let context = Context {
        cluster: &cluster.site.name,
        kubernetes: cluster.version.to_string(),
        first: &first.name,
        other_control_planes: names(&|node| node.control_plane() && node.index != first.index),
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
    let [bring_up, afterwards, change, version, lost, certificates] = &TEMPLATES;
    out.prose(Place::BringUp(steps::INIT), bring_up.id, &context);
    out.prose(Place::Afterwards, afterwards.id, &context);
    out.prose(Place::Change, change.id, &context);
    out.prose(Place::Version, version.id, &context);
    if !context.other_control_planes.is_empty() {
        out.prose(Place::Loss, lost.id, &context);
    }
    out.prose(Place::Certificates, certificates.id, &context);
}

fn summary(with: &OfCluster<'_>) -> String {
    let endpoint = with.cluster.endpoint;
    let balancer = endpoint.balancer.kind.as_str();
    format!(
        "Kubernetes {} behind {} ({balancer} on every control plane, the VIP {} held by keepalived)",
        with.cluster.version,
        endpoint.url(),
        endpoint.vip,
    )
}

fn survives(with: &OfCluster<'_>) -> String {
    let all = with.cluster.control_planes().count();
    let lost = all.saturating_sub(1);
    format!("the VIP and the balancers survive the loss of {lost} of {all} control planes")
}
