use super::codes;
use crate::inventory::haproxy::HaproxySection;
use crate::inventory::nginx::NginxSection;
use crate::inventory::{LoadBalancerKind, LoadBalancerSection};
use crate::report::{Finding, Path, Report};

/// Settings of a balancer that does not run.
pub(super) fn lint(said: &LoadBalancerSection, report: &mut Report) {
    let LoadBalancerSection { kind, haproxy, nginx } = said;
    let (name, unused) = match kind {
        LoadBalancerKind::Haproxy => ("nginx", *nginx != NginxSection::default()),
        LoadBalancerKind::Nginx => ("haproxy", *haproxy != HaproxySection::default()),
    };
    if unused {
        let section = Path::of(&["loadBalancer"]);
        let message = format!("{name} does not run, so nobody reads its settings");
        report.push(
            Finding::new(&codes::BALANCER_UNUSED, section.key(name), message)
                .label("without effect")
                .because(section.key("kind"), "decides which one runs")
                .help(format!("remove it, or write `kind: {name}`")),
        );
    }
}
