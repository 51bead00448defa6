//! What a valid inventory may still get wrong about nginx.

use crate::report::{Finding, Path, Report};
use crate::site::{Endpoint, LoadBalancerKind, Site, idle_timeout};

use super::plan::NginxPlan;
use super::{DIRECTIVE_VERSION, ONE_NODE, PASSIVE_CHECKS, TIMEOUTS_CUT_WATCHES, WHOLE_SECONDS};

pub(super) fn lint(plan: &NginxPlan, site: &Site, report: &mut Report) {
    versions(plan, report);
    times(plan, report);
    let kind = Path::of(&["loadBalancer", "kind"]);
    // One balancer for several servers is `endpoint/single-point`.
    let moves = site.endpoints.iter().any(|one| one.vip().is_some() && one.backends.len() == 1);
    if let ([instance], true) = (plan.instances.as_slice(), moves) {
        report.push(
            Finding::new(
                &ONE_NODE,
                kind.clone(),
                "the balancer runs on one node only, so the API is gone with that node",
            )
            .because(site.hosts[instance.index].path(), "the only control plane")
            .help("give the role `control-plane` to three nodes"),
        );
        return;
    }
    let balanced = |endpoint: &&Endpoint| endpoint.is_balanced_by(LoadBalancerKind::Nginx);
    let mut backends = site.endpoints.iter().filter(balanced).flat_map(|one| &one.backends);
    if let Some((etcd, label)) = backends.find_map(|backend| backend.hollow.clone()) {
        report.push(
            Finding::new(
                &PASSIVE_CHECKS,
                kind,
                "nginx keeps sending clients to an API server whose etcd member is down",
            )
            .label("notices refused connections only")
            .because(etcd, label)
            .help("use `kind: haproxy`, which asks each API server whether it is ready"),
        );
    }
}

fn versions(plan: &NginxPlan, report: &mut Report) {
    let too_old = |host: &&super::plan::Instance| {
        !(host.can.stream_return && host.can.stream_access_log && host.can.worker_shutdown_timeout)
    };
    if let Some(host) = plan.instances.iter().find(too_old) {
        report.push(
            Finding::new(
                &DIRECTIVE_VERSION,
                host.version_at.clone(),
                format!(
                    "nginx {} on node {} lacks `return`, `access_log` or `worker_shutdown_timeout` \
                     for streams",
                    host.version, host.name
                ),
            )
            .label("all three exist from 1.11.11 on")
            .help("install a newer nginx, or use `kind: haproxy`"),
        );
    }
}

fn times(plan: &NginxPlan, report: &mut Report) {
    let section = Path::of(&["loadBalancer", "nginx"]);
    if !plan.fail_timeout.millis().is_multiple_of(1000) {
        report.push(
            Finding::new(
                &WHOLE_SECONDS,
                section.key("failTimeout"),
                format!("nginx reads `fail_timeout` in whole seconds, not {}", plan.fail_timeout),
            )
            .help("write `failTimeout: 1s` or more"),
        );
    }
    let idle = section.key("idleTimeout");
    if let Some(finding) = idle_timeout::cut(&TIMEOUTS_CUT_WATCHES, idle, &plan.idle_timeout) {
        report.push(finding);
    }
}
