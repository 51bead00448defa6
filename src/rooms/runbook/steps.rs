//! The steps: scripts that are the same on every host, and what differs between hosts as words.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::catalog::{OsFamily, PackageManager};
use crate::claims::{AllOnNode, Unit};
use crate::document::Assignments;
use crate::rooms::output::File;
use crate::rooms::{OfCluster, Output};
use crate::site::{EtcdMode, Host, LoadBalancerKind, RuntimeKind, host_port, loopback};
use crate::template;
use crate::template::Template;

use super::firewall;
use super::images::Images;
use super::live;
use super::packages::Packages;
use super::plan::RunbookPlan;
use super::reset::Reset;

/// What the steps read besides each other, and how 10-prepare.sh installs packages.
const SHARED: [&str; 3] = ["lib", "apt", "rpm"];
/// The steps, in their order.
const STEPS: [&str; 8] = [
    "10-prepare",
    "20-install",
    "30-balancer",
    "40-etcd",
    "50-init",
    "50-join",
    "60-verify",
    "90-reset",
];

pub(super) static TEMPLATES: [Template; 11] = [
    template!("runbook/steps/10-prepare.sh"),
    template!("runbook/steps/20-install.sh"),
    template!("runbook/steps/30-balancer.sh"),
    template!("runbook/steps/40-etcd.sh"),
    template!("runbook/steps/50-init.sh"),
    template!("runbook/steps/50-join.sh"),
    template!("runbook/steps/60-verify.sh"),
    template!("runbook/steps/90-reset.sh"),
    template!("runbook/steps/apt.sh"),
    template!("runbook/steps/lib.sh"),
    template!("runbook/steps/rpm.sh"),
];

/// Where kubeadm puts the operator's credential on a control plane.
const ADMIN: &str = "/etc/kubernetes/admin.conf";
/// From 1.29 on the first control plane's first steps need this one: admin.conf has no rights
/// before kubeadm binds its group.
const SUPER_ADMIN: &str = "/etc/kubernetes/super-admin.conf";
/// What kubeadm's init makes last, with kube-proxy and without: it is done where this is there.
const LAST_ADDON: [&str; 2] = ["daemonset/kube-proxy", "deployment/coredns"];

/// `steps/`: what some host of the cluster runs.
pub(super) fn render_shared(with: &OfCluster<'_>, out: &mut Output<'_>) {
    let nodes = &with.cluster.nodes;
    let used = |step: &str| nodes.iter().any(|node| of(node, with).contains(&step));
    let family = |name: &str| nodes.iter().any(|node| package_family(node) == name);
    for template in &TEMPLATES {
        let name = template.id.trim_start_matches("runbook/steps/").trim_end_matches(".sh");
        let shared = SHARED.contains(&name);
        if if shared { name == "lib" || family(name) } else { used(name) } {
            let file = File::cluster(format!("steps/{name}.sh"));
            let file = file.mode(if shared { 0o644 } else { 0o755 });
            out.verbatim(file, template.id);
        }
    }
}

/// The steps of a node, in their order.
pub(super) fn of(node: &Host, with: &OfCluster<'_>) -> Vec<&'static str> {
    let first = with.cluster.is_first_control_plane(node);
    let runs = |step: &&&str| match **step {
        "30-balancer" => node.control_plane(),
        "40-etcd" => runs_member(node, with),
        "50-init" => first,
        "50-join" => with.cluster.joins(node),
        _ => true,
    };
    STEPS.iter().filter(runs).copied().collect()
}

/// Whether systemd runs a member of etcd on this node.
pub(super) fn runs_member(node: &Host, with: &OfCluster<'_>) -> bool {
    node.member() && with.cluster.etcd.mode == EtcdMode::External
}

/// The file that knows the node's package manager.
fn package_family(node: &Host) -> &'static str {
    match node.os.package_manager {
        PackageManager::Apt => "apt",
        PackageManager::Dnf | PackageManager::Yum => "rpm",
    }
}

/// Units that go when what runs them goes, in the order of their start.
fn stoppable(claims: &AllOnNode) -> impl Iterator<Item = &str> {
    claims.units.iter().filter(|unit| !unit.survives_reset()).map(|unit| unit.name.as_str())
}

/// `nodes/<node>/node.sh`: what the steps know of this host.
pub(super) fn render_node(
    planned: &RunbookPlan,
    node: &Host,
    with: &OfCluster<'_>,
    out: &mut Output<'_>,
) {
    let mut words = Assignments::new(&format!("What the steps know of {}: words only.", node.name));
    host(planned, node, with, &mut words);
    Packages::new(planned, node, with).say(&mut words);
    units(with.claims.of(node.index), &mut words);
    firewall::say(planned, node, with, &mut words);
    Images::new(planned, node, with).say(&mut words);
    endpoint(node, with, &mut words);
    etcd(node, with, &mut words);
    kubernetes(node, with, &mut words);
    Reset::new(planned, node, with).say(&mut words);
    out.assignments(File::beside(node, "node.sh").reads([node.path()]), words);
}

fn host(planned: &RunbookPlan, node: &Host, with: &OfCluster<'_>, words: &mut Assignments) {
    let claims = with.claims.of(node.index);
    let permissive =
        planned.selinux_permissive && node.kubelet() && node.os.family == OsFamily::Rhel;
    words
        .word("cluster", &with.cluster.site.name)
        .word("bundle", with.secrets.id())
        .word("node", &node.name)
        .word("address", &node.address.to_string())
        // Empty where the node needs none.
        .word("interface", &node.interface)
        .list("steps", of(node, with))
        .word("os_id", &node.os.distribution)
        .word("os_release", &node.os.version)
        .word(
            "renew_before",
            &renew_before(with.cluster.site.certificates.leaf_lifetime_days).to_string(),
        )
        .flag("set_hostname", planned.set_hostname)
        // The kubelet does not start beside swap, unless it is told to.
        .flag("swap_goes", node.kubelet() && !with.cluster.swap)
        .word("selinux", if permissive { "permissive" } else { "leave" })
        .rows("hosts", claims.hosts.iter().map(|(at, name)| [at.to_string(), name.clone()]));
}

/// `PHASE NAME WAIT START CHECK`; the words of a check are a list of their own.
fn units(claims: &AllOnNode, words: &mut Assignments) {
    let yes = |it: bool| if it { "yes" } else { "no" }.to_owned();
    let array = |unit: &Unit| match unit.check.is_empty() {
        true => "-".to_owned(),
        false => format!(
            "check_{}",
            unit.name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_")
        ),
    };
    words.rows(
        "units",
        claims.units.iter().map(|unit| {
            let phase = unit.phase.number().to_string();
            [phase, unit.name.clone(), yes(unit.wait), yes(unit.start), array(unit)]
        }),
    );
    for unit in claims.units.iter().filter(|unit| !unit.check.is_empty()) {
        words.list(&array(unit), &unit.check);
    }
    words.list("stoppable", stoppable(claims));
}

fn endpoint(node: &Host, with: &OfCluster<'_>, words: &mut Assignments) {
    let endpoint = &with.cluster.endpoint;
    words
        .word("endpoint", &endpoint.url())
        .word("vip", &endpoint.vip.to_string())
        .word("port", &endpoint.port.to_string())
        .word("loopback", &loopback(node.address).to_string())
        .word(
            "balancer",
            match with.cluster.endpoint.balancer.kind {
                LoadBalancerKind::Haproxy => "haproxy",
                LoadBalancerKind::Nginx => "nginx",
            },
        );
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

/// From so many seconds before its end on, 60-verify.sh names a certificate: 30 days, or a third of
/// the life of those that are shorter than that.
fn renew_before(leaf_lifetime_days: u32) -> u64 {
    u64::from((leaf_lifetime_days / 3).min(30)) * 24 * 60 * 60
}

fn etcd(node: &Host, with: &OfCluster<'_>, words: &mut Assignments) {
    let etcd = &with.cluster.etcd;
    let metrics = host_port(loopback(node.address), etcd.metrics_port);
    // Empty without a member.
    words.word("member", &if node.member() { format!("http://{metrics}") } else { String::new() });
    if runs_member(node, with) {
        words
            .word("etcd_version", &etcd.version.to_string())
            .word("etcd_endpoint", &with.cluster.etcd_client_url(node))
            .word("etcd_members", &etcd.members.len().to_string());
    }
}

fn kubernetes(node: &Host, with: &OfCluster<'_>, words: &mut Assignments) {
    let cluster = &with.cluster;
    words.flag("kubelet", node.kubelet());
    if !node.kubelet() {
        return;
    }
    let docker = cluster.runtime.kind == RuntimeKind::Docker;
    words
        .flag("control_plane", node.control_plane())
        .word("kubernetes", &cluster.version.to_string())
        .word("runtime", if docker { "docker" } else { "containerd" })
        .word("cri_socket", &cluster.runtime.cri_socket)
        .word("health", &cluster.release.health_path)
        .word("first", cluster.control_planes().next().map_or("", |first| &first.name));
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
        words
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
}
