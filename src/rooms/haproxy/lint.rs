//! What a valid inventory may still get wrong about haproxy.

use crate::inventory::values::Duration;
use crate::report::{Finding, Path, Report};
use crate::site::idle_timeout;

use super::plan::HaproxyPlan;
use super::{DIRECTIVE_VERSION, SLOW_IS_DOWN, TIMEOUT_RANGE, TIMEOUTS_CUT_WATCHES};

/// haproxy keeps times as 31 bits of milliseconds (`TIMER_LOOK_BACK`, include/haproxy/ticks.h)
/// and refuses more as an overflow.
const LONGEST: Duration = Duration::from_millis((1 << 31) - 1);

/// How long an API server's `/readyz` itself waits for etcd: `--etcd-readycheck-timeout`, and
/// `--etcd-healthcheck-timeout` before it, both 2 s by default
/// (<https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/>).
const WAIT_FOR_ETCD: Duration = Duration::from_millis(2000);

/// TCP sends a connection's first packet again after this long (RFC 6298), so a check whose packet
/// is lost fails if its connection may take no longer.
const LOST_PACKET: Duration = Duration::from_millis(1000);

pub(super) fn lint(plan: &HaproxyPlan, report: &mut Report) {
    let section = Path::of(&["loadBalancer", "haproxy"]);
    for host in &plan.instances {
        let version = host.version;
        let name = &host.name;
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
        ("checkTimeout", &plan.check_timeout),
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
    slow_is_down(plan, &section, report);
    let idle = section.key("idleTimeout");
    if let Some(finding) = idle_timeout::cut(&TIMEOUTS_CUT_WATCHES, idle, &plan.idle_timeout) {
        report.push(finding);
    }
}

/// What makes haproxy take a slow API server, or a slow network, for a dead one.
fn slow_is_down(plan: &HaproxyPlan, section: &Path, report: &mut Report) {
    let HaproxyPlan { check_interval, check_timeout, fall, .. } = plan;
    if *check_timeout <= WAIT_FOR_ETCD {
        let message = format!(
            "an API server that answers after {check_timeout} is taken for a dead one, and all its \
             sessions are cut"
        );
        report.push(
            Finding::new(&SLOW_IS_DOWN, section.key("checkTimeout"), message)
                .label(format!("its own wait for etcd is up to {WAIT_FOR_ETCD}"))
                .help("leave `checkTimeout` out for 3s"),
        );
    }
    if *fall == 1 && *check_interval <= LOST_PACKET {
        report.push(
            Finding::new(
                &SLOW_IS_DOWN,
                section.key("fall"),
                "one lost packet takes an API server out, and all its sessions are cut",
            )
            .label("the first failed check is the last")
            .because(
                section.key("checkInterval"),
                format!("{check_interval}; TCP sends a lost packet again after {LOST_PACKET}"),
            )
            .help("leave `fall` out for 3"),
        );
    }
}
