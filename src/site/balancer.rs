use super::{Endpoint, Holder, codes};
use crate::inventory::haproxy::HaproxySection;
use crate::inventory::keepalived::KeepalivedSection;
use crate::inventory::kubevip::KubeVipSection;
use crate::inventory::nginx::NginxSection;
use crate::inventory::{Inventory, LoadBalancerKind, LoadBalancerSection};
use crate::report::{Finding, Path, Report};

/// Settings of a program that does not run.
pub(super) fn lint(said: &Inventory, api: &Endpoint, report: &mut Report) {
    let Inventory { load_balancer, keepalived, kube_vip, .. } = said;
    let unused = |program: &str, at: Path| {
        let message = format!("{program} does not run, so nobody reads its settings");
        Finding::new(&codes::BALANCER_UNUSED, at, message).label("without effect")
    };
    let because = |finding: Finding| {
        finding.because(api.at.key("holder"), "decides who answers, also where it is left out")
    };
    let elsewhere = |finding: Finding| {
        because(finding).help(match api.holder {
            Holder::KubeVip(_) => "remove it, or write `holder: keepalived`",
            _ => "remove it, or have the nodes hold the endpoint: `vip: …`",
        })
    };
    if !matches!(api.holder, Holder::Vrrp(_)) && *keepalived != KeepalivedSection::default() {
        report.push(elsewhere(unused("keepalived", Path::of(&["keepalived"]))));
    }
    if !matches!(api.holder, Holder::KubeVip(_)) && *kube_vip != KubeVipSection::default() {
        let finding = because(unused("kube-vip", Path::of(&["kubeVip"])));
        report.push(finding.help("remove it, or write `holder: kubeVip`"));
    }
    if api.balancer.is_none() {
        if *load_balancer != LoadBalancerSection::default() {
            report.push(elsewhere(unused("a balancer", Path::of(&["loadBalancer"]))));
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
