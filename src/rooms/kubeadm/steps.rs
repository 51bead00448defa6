//! The steps that make and join the cluster, and what they and the checks are told.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::live;
use crate::claims::{AllOnNode, Phase, Script};
use crate::document::Assignments;
use crate::rooms::OfCluster;
use crate::site::{Cluster, Holder, Host};
use crate::template;
use crate::template::Template;

pub(super) static TEMPLATES: &[Template] = &[
    template!("kubeadm/steps/50-init.sh"),
    template!("kubeadm/steps/50-join.sh"),
    template!("kubeadm/steps/kubeadm.sh"),
    template!("kubeadm/steps/dns.sh"),
    template!("kubeadm/steps/pods.sh"),
    template!("kubeadm/steps/settings.sh"),
];

/// The number of the steps that make and join the cluster.
pub(super) const INIT: u8 = Phase::KUBERNETES.step;

/// What looks at a node, whichever of the two made it one.
const PARTS: [Script; 4] = [
    Script::part("kubeadm", INIT, "kubeadm/steps/kubeadm.sh"),
    Script::part("dns", INIT, "kubeadm/steps/dns.sh"),
    Script::part("pods", INIT, "kubeadm/steps/pods.sh"),
    Script::part("settings", INIT, "kubeadm/steps/settings.sh"),
];

/// Where kubeadm puts the operator's credential on a control plane.
const ADMIN: &str = "/etc/kubernetes/admin.conf";
/// From 1.29 on the first control plane's first steps need this one: admin.conf has no rights
/// before kubeadm binds its group.
const SUPER_ADMIN: &str = "/etc/kubernetes/super-admin.conf";
/// What kubeadm's init makes last, with kube-proxy and without: it is done where this is there.
const LAST_ADDON: [&str; 2] = ["daemonset/kube-proxy", "deployment/coredns"];

/// The steps of a node, and its parts.
pub(super) fn scripts(node: &Host, cluster: &Cluster<'_>) -> impl Iterator<Item = Script> {
    let init = Script::step("50-init", "kubeadm/steps/50-init.sh");
    let join = Script::step("50-join", "kubeadm/steps/50-join.sh");
    let first = cluster.is_first_control_plane(node).then_some(init);
    let parts = PARTS.into_iter().filter(|_| node.kubelet());
    first.into_iter().chain(cluster.joins(node).then_some(join)).chain(parts)
}

/// Where the API is reached.
pub(super) fn endpoint(with: &OfCluster<'_>) -> Assignments {
    let mut words = Assignments::default();
    words.word("endpoint", &with.cluster.endpoint.url());
    words
}

/// Who has to lead to the API before there is one: kubeadm talks to itself through the endpoint. Nobody
/// where the endpoint is the API server's own, nor where it is somebody else's, which may well wait for
/// a server before it accepts connections; kube-vip, which the kubelet of an init starts, waits for one.
fn leaders<'a>(node: &Host, cluster: &'a Cluster<'_>) -> Vec<&'a str> {
    let endpoint = cluster.endpoint;
    match endpoint.holder {
        Holder::External | Holder::KubeVip(_) => Vec::new(),
        Holder::Loopback => vec![cluster.nodes[node.index].name.as_str()],
        Holder::Vrrp(_) | Holder::Host => {
            let balancer = endpoint.balancer.iter();
            balancer.flat_map(|balancer| cluster.site.names_of(&balancer.hosts)).collect()
        }
    }
}

/// `PROGRAM WORD`: arguments that programs of Kubernetes run with.
fn arguments(claims: &AllOnNode) -> impl Iterator<Item = [String; 2]> {
    let all = claims.arguments.iter();
    all.map(|(program, name, value)| [(*program).to_owned(), format!("--{name}={value}")])
}

/// `PATH READER`: what has to be there before they start. What is in its own folder the kubelet makes.
fn needed(claims: &AllOnNode) -> BTreeSet<[String; 2]> {
    let outside =
        claims.needed_files.iter().filter(|file| !file.path.starts_with("/var/lib/kubelet/"));
    outside.map(|file| [file.path.clone(), file.reader.clone()]).collect()
}

/// What a node with a kubelet is of the cluster.
pub(super) fn kubernetes(node: &Host, with: &OfCluster<'_>) -> Assignments {
    let mut words = Assignments::default();
    let cluster = &with.cluster;
    if !node.kubelet() {
        return words;
    }
    words
        .flag("control_plane", node.control_plane())
        .word("kubernetes", &cluster.version.to_string())
        .word("cri_socket", &cluster.runtime.cri_socket)
        .word("health", &cluster.release.health_path)
        .word("first", cluster.control_planes().next().map_or("", |first| &first.name))
        .list("leaders", leaders(node, cluster));
    // What pods use, of the first network where there are two.
    let text =
        |addresses: Vec<IpAddr>| addresses.first().map_or_else(String::new, ToString::to_string);
    words
        .word("dns", &text(cluster.dns_addresses()))
        .word("dns_domain", &cluster.domain)
        .word("service", &text(cluster.api_service_addresses()))
        .rows("arguments", arguments(with.claims.of(node.index)))
        .rows("settings", live::settings(cluster, with.claims))
        .rows("needed", needed(with.claims.of(node.index)));
    if node.control_plane() {
        words.word("local_api", &cluster.api_url(node));
        // What kubeadm's last step of a control plane's join puts on the node.
        let label = cluster.release.control_plane_labels.first().map_or("", String::as_str);
        words.word("control_plane_label", label);
    }
    if cluster.is_first_control_plane(node) {
        // Where its configuration cannot say so.
        let skipped = match cluster.release.kubeadm.skip_phases_field {
            true => &[],
            false => cluster.skipped_init_phases(),
        };
        let skipped = skipped.iter().map(|phase| format!("--skip-phases={phase}"));
        let others = cluster.control_planes().filter(|other| other.index != node.index);
        let endpoint = cluster.endpoint;
        words
            .word("endpoint_host", &endpoint.host())
            .word("endpoint_port", &endpoint.port.to_string())
            .word("admin_conf", if cluster.release.super_admin { SUPER_ADMIN } else { ADMIN })
            .word("last_addon", LAST_ADDON[usize::from(!cluster.runs_kube_proxy())])
            .list("init_options", skipped)
            // Where one of them runs an API server, the cluster exists.
            .rows(
                "other_apis",
                others.map(|other| {
                    let [address, port] = [other.address.to_string(), cluster.api_port.to_string()];
                    [other.name.clone(), address, port]
                }),
            );
    }
    words
}
