use super::endpoint::Ways;
use super::{Endpoint, Holder, Host, codes};
use crate::inventory::haproxy::HaproxySection;
use crate::inventory::keepalived::KeepalivedSection;
use crate::inventory::kubevip::KubeVipSection;
use crate::inventory::nginx::NginxSection;
use crate::inventory::{Inventory, LoadBalancerKind, LoadBalancerSection};
use crate::report::{Finding, Path, Report};

/// Settings of a program that does not run.
pub(super) fn lint(said: &Inventory, api: &Endpoint, hosts: &[Host], report: &mut Report) {
    let Inventory { load_balancer, keepalived, kube_vip, .. } = said;
    let unused = |program: &str, at: Path| {
        let message = format!("{program} does not run, so nobody reads its settings");
        Finding::new(&codes::BALANCER_UNUSED, at, message).label("without effect")
    };
    // A VIP is read where nothing says that somebody else answers.
    let help = match (&api.holder, said.endpoint.holder) {
        (Holder::Host, None) => {
            let api_port = api.backends.first().map_or(api.port, |one| one.port);
            let ways = Ways::beside(&said.endpoint, api_port, hosts);
            format!("remove it, or have the nodes hold the endpoint: add {}", ways.keepalived())
        }
        _ => "remove it".to_owned(),
    };
    let elsewhere = |finding: Finding| {
        finding.because(api.at.key("holder"), "decides who answers, also where it is left out")
    };
    if !matches!(api.holder, Holder::Vrrp(_)) && *keepalived != KeepalivedSection::default() {
        report.push(elsewhere(unused("keepalived", Path::of(&["keepalived"]))).help(&help));
    }
    if !matches!(api.holder, Holder::KubeVip(_)) && *kube_vip != KubeVipSection::default() {
        report.push(elsewhere(unused("kube-vip", Path::of(&["kubeVip"]))).help("remove it"));
    }
    if api.balancer.is_none() {
        if *load_balancer != LoadBalancerSection::default() {
            report.push(elsewhere(unused("a balancer", Path::of(&["loadBalancer"]))).help(&help));
        }
        return;
    }
    let LoadBalancerSection { kind, haproxy, nginx } = load_balancer;
    let (name, of_other) = match kind {
        LoadBalancerKind::Haproxy => ("nginx", *nginx != NginxSection::default()),
        LoadBalancerKind::Nginx => ("haproxy", *haproxy != HaproxySection::default()),
    };
    if of_other {
        let section = Path::of(&["loadBalancer"]);
        report.push(
            unused(name, section.key(name))
                .because(section.key("kind"), "decides which one runs")
                .help(format!("remove it, or write `kind: {name}`")),
        );
    }
}
