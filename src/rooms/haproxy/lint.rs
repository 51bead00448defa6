//! What a valid inventory may still get wrong about haproxy.

use crate::cluster::{Cluster, sessions};
use crate::inventory::values::Duration;
use crate::report::{Finding, Path, Report};

use super::plan::HaproxyPlan;
use super::{DIRECTIVE_VERSION, TIMEOUT_RANGE, TIMEOUTS_CUT_WATCHES};

/// haproxy keeps times as 31 bits of milliseconds (`TIMER_LOOK_BACK`, include/haproxy/ticks.h)
/// and refuses more as an overflow.
const LONGEST: Duration = Duration::from_millis((1 << 31) - 1);

pub(super) fn lint(plan: &HaproxyPlan, cluster: &Cluster, report: &mut Report) {
    let section = Path::of(&["loadBalancer", "haproxy"]);
    for host in &plan.hosts {
        let version = host.version;
        let name = &cluster.nodes[host.index].name;
        if !host.can.tls_checks {
            report.push(
                Finding::new(
                    &DIRECTIVE_VERSION,
                    host.version_at.clone(),
                    format!("haproxy {version} on node {name} cannot check an API server over TLS"),
                )
                .label("`check-ssl` came with 1.5")
                .help("install haproxy 1.5 or newer"),
            );
            break;
        }
        if plan.metrics == Some(true) && !host.can.prometheus_exporter {
            report.push(
                Finding::new(
                    &DIRECTIVE_VERSION,
                    section.key("metrics"),
                    format!("haproxy {version} on node {name} has no `prometheus-exporter`"),
                )
                .label("needs a newer haproxy")
                .because(host.version_at.clone(), format!("decides on haproxy {version}"))
                .help("leave `metrics` out, so that they are served where the version can"),
            );
            break;
        }
    }
    let times = [
        ("idleTimeout", &plan.idle_timeout),
        ("connectTimeout", &plan.connect_timeout),
        ("checkInterval", &plan.check_interval),
    ];
    for (key, time) in times.into_iter().filter(|(_, time)| **time > LONGEST) {
        report.push(
            Finding::new(
                &TIMEOUT_RANGE,
                section.key(key),
                format!("haproxy cannot wait for {time}; it counts milliseconds in 31 bits"),
            )
            .label("24 days at most")
            .help(format!("write `{key}: 576h` or less")),
        );
    }
    let idle = section.key("idleTimeout");
    if let Some(finding) = sessions::cut(&TIMEOUTS_CUT_WATCHES, idle, &plan.idle_timeout) {
        report.push(finding);
    }
}
