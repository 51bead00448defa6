use super::plan::KubeVipPlan;
use super::{LEASE_TIMES, WHOLE_SECONDS};
use crate::inventory::values::Duration;
use crate::report::{Finding, Path, Report};

/// Reports times that kube-vip does not start with.
pub(super) fn lint(plan: &KubeVipPlan, report: &mut Report) {
    let times = [
        ("leaseDuration", &plan.settings.lease_duration),
        ("renewDeadline", &plan.settings.renew_deadline),
        ("retryPeriod", &plan.settings.retry_period),
    ];
    let broken: Vec<_> = times.into_iter().filter(|(_, time)| !is_whole(time)).collect();
    for (key, time) in &broken {
        let message = format!("kube-vip counts whole seconds, at least one, not {time}");
        let finding = Finding::new(&WHOLE_SECONDS, section(key), message);
        report.push(finding.help("leave it out, or write whole seconds, such as `5s`"));
    }
    if broken.is_empty() {
        order(times, report);
    }
}

fn section(key: &str) -> Path {
    Path::of(&["kubeVip"]).key(key)
}

fn is_whole(time: &Duration) -> bool {
    time.millis() > 0 && time.millis().is_multiple_of(1000)
}

/// `NewLeaderElector` in k8s.io/client-go/tools/leaderelection: a holder has given up before its lease
/// may be taken, and has tried more than once. A try comes up to a fifth late (`JitterFactor`).
fn order([lease, renew, retry]: [(&str, &Duration); 3], report: &mut Report) {
    let (lease_key, lease) = lease;
    let (renew_key, renew) = renew;
    let (retry_key, retry) = retry;
    let help = "leave all three out for 5s, 3s and 1s";
    if renew >= lease {
        let message = format!(
            "a holder would try for {renew} to renew a lease that another may take after {lease}"
        );
        report.push(
            Finding::new(&LEASE_TIMES, section(renew_key), message)
                .label("kube-vip does not start")
                .because(section(lease_key), format!("{lease}, also where it is left out"))
                .help(help),
        );
    }
    if renew.millis() * 10 <= retry.millis() * 12 {
        let message =
            format!("with {retry} between two tries, {renew} are too short for a second one");
        report.push(
            Finding::new(&LEASE_TIMES, section(retry_key), message)
                .label("kube-vip does not start")
                .because(section(renew_key), format!("{renew}, also where it is left out"))
                .help(help),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::kubevip::KubeVip;
    use crate::rooms::overlaid::complaints;

    /// What is said of these settings of the section.
    fn said(settings: Value) -> Vec<String> {
        let endpoint = json!({"holder": "kubeVip", "port": null});
        let found = complaints(&KubeVip, &json!({"endpoint": endpoint, "kubeVip": settings}));
        let short = |one: String| one.replace("kubevip/", "").replace("kubeVip.", "");
        found.into_iter().map(short).collect()
    }

    #[test]
    fn times_are_those_that_an_election_starts_with() {
        let times = |lease: &str, renew: &str, retry: &str| {
            said(json!({"leaseDuration": lease, "renewDeadline": renew, "retryPeriod": retry}))
        };
        assert_eq!(times("15s", "10s", "2s"), [""; 0]);
        assert_eq!(times("3s", "2s", "1s"), [""; 0]);
        assert_eq!(times("5s", "5s", "1s"), ["lease-times at renewDeadline"]);
        assert_eq!(times("9s", "6s", "5s"), ["lease-times at retryPeriod"]);
        assert_eq!(times("9s", "7s", "5s"), [""; 0]);
        assert_eq!(times("500ms", "3s", "1s"), ["whole-seconds at leaseDuration"]);
        assert_eq!(said(json!({"renewDeadline": "8s"})), ["lease-times at renewDeadline"]);
        assert_eq!(said(json!({})), [""; 0]);
    }
}
