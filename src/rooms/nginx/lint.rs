//! What a valid inventory may still get wrong about nginx.

use crate::cluster::{Cluster, EtcdMode, sessions};
use crate::report::{Finding, Path, Report};

use super::plan::NginxPlan;
use super::{DIRECTIVE_VERSION, ONE_NODE, PASSIVE_CHECKS, TIMEOUTS_CUT_WATCHES, WHOLE_SECONDS};

pub(super) fn lint(plan: &NginxPlan, cluster: &Cluster, report: &mut Report) {
    versions(plan, cluster, report);
    times(plan, report);
    let kind = Path::of(&["loadBalancer", "kind"]);
    if let [host] = plan.hosts.as_slice() {
        report.push(
            Finding::new(
                &ONE_NODE,
                kind.clone(),
                "the balancer runs on one node only, so the API is gone with that node",
            )
            .because(cluster.nodes[host.index].path(), "the only control plane")
            .help("give the role `control-plane` to three nodes"),
        );
    }
    if cluster.etcd.local_endpoints && plan.hosts.len() > 1 {
        let etcd = Path::of(&["etcd"]);
        let (etcd, label) = match cluster.etcd.mode {
            EtcdMode::Stacked => (etcd.key("mode"), "stacked: each API server has one member"),
            EtcdMode::External => {
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

fn versions(plan: &NginxPlan, cluster: &Cluster, report: &mut Report) {
    let too_old = |host: &&super::plan::Host| {
        !(host.can.stream_return && host.can.stream_access_log && host.can.worker_shutdown_timeout)
    };
    if let Some(host) = plan.hosts.iter().find(too_old) {
        report.push(
            Finding::new(
                &DIRECTIVE_VERSION,
                host.version_at.clone(),
                format!(
                    "nginx {} on node {} lacks `return`, `access_log` or `worker_shutdown_timeout` \
                     for streams",
                    host.version, cluster.nodes[host.index].name
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
    if let Some(finding) = sessions::cut(&TIMEOUTS_CUT_WATCHES, idle, &plan.idle_timeout) {
        report.push(finding);
    }
}
