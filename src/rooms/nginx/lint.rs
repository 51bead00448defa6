//! What a valid inventory may still get wrong about nginx.

use crate::catalog;
use crate::report::{Finding, Path, Report};
use crate::site::{Hollow, Program, Site, idle_timeout};

use super::plan::{NginxPlan, Settings};
use super::{
    DIRECTIVE_VERSION, KIND, ONE_NODE, PASSIVE_CHECKS, TIMEOUTS_CUT_WATCHES, WHOLE_SECONDS,
};

pub(super) fn lint(plan: &NginxPlan, site: &Site, report: &mut Report) {
    versions(plan, report);
    times(plan, report);
    let kind = Path::of(&["loadBalancer", "kind"]);
    if let [program] = plan.instances.as_slice() {
        report.push(
            Finding::new(
                &ONE_NODE,
                kind.clone(),
                "the balancer runs on one node only, so the API is gone with that node",
            )
            .because(site.hosts[program.host].path(), "the only control plane")
            .help("give the role `control-plane` to three nodes"),
        );
        return;
    }
    let balanced = site.endpoints.iter().filter(|endpoint| endpoint.balancer.kind == KIND);
    let mut backends = balanced.flat_map(|endpoint| &endpoint.backends);
    if let Some(hollow) = backends.find_map(|backend| backend.hollow) {
        let etcd = Path::of(&["etcd"]);
        let (etcd, label) = match hollow {
            Hollow::StackedMember => (etcd.key("mode"), "stacked: each API server has one member"),
            Hollow::LocalMember => {
                (etcd.key("endpoints"), "each API server is given the member of its own node only")
            }
        };
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
    let too_old = |program: &&Program<catalog::Nginx>| {
        let can = program.can;
        !(can.stream_return && can.stream_access_log && can.worker_shutdown_timeout)
    };
    if let Some(Program { version, on, at, .. }) = plan.instances.iter().find(too_old) {
        report.push(
            Finding::new(
                &DIRECTIVE_VERSION,
                at.clone(),
                format!(
                    "nginx {version} on node {on} lacks `return`, `access_log` or `worker_shutdown_timeout` \
                     for streams"
                ),
            )
            .label("all three exist from 1.11.11 on")
            .help("install a newer nginx, or use `kind: haproxy`"),
        );
    }
}

fn times(plan: &NginxPlan, report: &mut Report) {
    let section = Path::of(&["loadBalancer", "nginx"]);
    let Settings { fail_timeout, idle_timeout: idle, .. } = &plan.settings;
    if !fail_timeout.millis().is_multiple_of(1000) {
        report.push(
            Finding::new(
                &WHOLE_SECONDS,
                section.key("failTimeout"),
                format!("nginx reads `fail_timeout` in whole seconds, not {fail_timeout}"),
            )
            .help("write `failTimeout: 1s` or more"),
        );
    }
    let at = section.key("idleTimeout");
    if let Some(finding) = idle_timeout::cut(&TIMEOUTS_CUT_WATCHES, at, idle) {
        report.push(finding);
    }
}
