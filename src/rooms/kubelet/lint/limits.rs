//! Numbers and times of KubeletConfiguration that the kubelet stops at, and fields that need a gate
//! (`ValidateKubeletConfiguration` in `pkg/kubelet/apis/config/validation/validation.go`).

use serde_json::Value;

use super::rules::contradiction;
use super::values::wrong;
use crate::catalog::flags::Component;
use crate::report::{Path, Report};
use crate::rooms::kubelet::fields::Fields;
use crate::site::duration;
use crate::site::gates::{self, SaidGates};

/// Whole numbers, the least and the most. 0 stands for the default where there is one.
const NUMBERS: [(&str, i64, i64); 18] = [
    ("containerLogMaxWorkers", 0, i64::MAX),
    ("eventBurst", 0, i64::MAX),
    ("eventRecordQPS", 0, i64::MAX),
    ("imageGCHighThresholdPercent", 0, 100),
    ("imageGCLowThresholdPercent", 0, 100),
    ("iptablesDropBit", 0, 31),
    ("iptablesMasqueradeBit", 0, 31),
    ("kubeAPIBurst", 0, i64::MAX),
    ("kubeAPIQPS", 0, i64::MAX),
    ("maxOpenFiles", 0, i64::MAX),
    ("maxParallelImagePulls", 1, i64::MAX),
    ("maxPods", 0, i64::MAX),
    ("nodeLeaseDurationSeconds", 0, i64::MAX),
    ("nodeStatusMaxImages", -1, i64::MAX),
    ("oomScoreAdj", -1000, 1000),
    ("podsPerCore", 0, i64::MAX),
    ("registryBurst", 0, i64::MAX),
    ("registryPullQPS", 0, i64::MAX),
];

const SECOND: i64 = 1_000_000_000;

/// Times in nanoseconds, the least and the most, and how both are written; 0 stands for the default.
const TIMES: [(&str, i64, i64, &str); 6] = [
    ("containerLogMonitorInterval", 3 * SECOND, i64::MAX, "3s or more"),
    ("cpuCFSQuotaPeriod", SECOND / 1000, SECOND, "1ms to 1s"),
    ("crashLoopBackOff.maxContainerRestartPeriod", SECOND, 300 * SECOND, "1s to 300s"),
    ("imageMinimumGCAge", 1, i64::MAX, "a time that is not negative"),
    ("shutdownGracePeriod", SECOND, i64::MAX, "1s or more"),
    ("shutdownGracePeriodCriticalPods", SECOND, i64::MAX, "1s or more"),
];

/// Fields that need a gate where they say anything.
const GATED: [(&str, &str); 11] = [
    ("cpuCFSQuotaPeriod", "CustomCPUCFSQuotaPeriod"),
    ("crashLoopBackOff.maxContainerRestartPeriod", "KubeletCrashLoopBackOffMax"),
    ("enableSystemLogQuery", "NodeLogQuery"),
    ("imageMaximumGCAge", "ImageMaximumGCAge"),
    ("imagePullCredentialsVerificationPolicy", "KubeletEnsureSecretPulledImages"),
    ("memorySwap.swapBehavior", "NodeSwap"),
    ("preloadedImagesVerificationAllowlist", "KubeletEnsureSecretPulledImages"),
    ("serverTLSBootstrap", "RotateKubeletServerCertificate"),
    ("shutdownGracePeriod", "GracefulNodeShutdown"),
    ("shutdownGracePeriodByPodPriority", "GracefulNodeShutdownBasedOnPodPriority"),
    ("shutdownGracePeriodCriticalPods", "GracefulNodeShutdown"),
];

/// What `cpuCFSQuotaPeriod` is unless it is said.
const USUAL_QUOTA_PERIOD: i64 = SECOND / 10;

/// `field`, or `field.below`.
fn get<'a>(fields: &Fields<'a>, name: &str) -> Option<(Path, &'a Value)> {
    let mut names = name.split('.');
    let first = fields.get(names.next()?)?;
    names.try_fold(first, |(at, value), name| Some((at.key(name), value.get(name)?)))
}

fn time(value: &Value) -> Option<i64> {
    value.as_str().and_then(duration::nanoseconds)
}

/// Empty, zero and false are what the kubelet has for a field that nobody says.
fn says_something(name: &str, value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => match time(value) {
            Some(time) => time != 0 && !(name == "cpuCFSQuotaPeriod" && time == USUAL_QUOTA_PERIOD),
            None => !text.is_empty(),
        },
        Value::Array(all) => !all.is_empty(),
        _ => true,
    }
}

pub(super) fn lint(fields: &Fields<'_>, given: &SaidGates, report: &mut Report) {
    for (name, least, most) in NUMBERS {
        let Some((at, value)) = get(fields, name) else { continue };
        if value.as_i64().is_some_and(|number| !(least..=most).contains(&number)) {
            let range = match most {
                i64::MAX => format!("{least} or more"),
                most => format!("{least} to {most}"),
            };
            report.push(wrong(at, &format!("`{name}` takes {range}"), format!("write {range}")));
        }
    }
    for (name, least, most, range) in TIMES {
        let Some((at, value)) = get(fields, name) else { continue };
        if time(value).is_some_and(|time| time != 0 && !(least..=most).contains(&time)) {
            report.push(wrong(at, &format!("`{name}` takes {range}"), format!("write {range}")));
        }
    }
    ages(fields, report);
    for (name, gate) in GATED {
        let Some((at, value)) = get(fields, name) else { continue };
        if says_something(name, value) && fields.has_gate(given, gate) == Some(false) {
            let message = format!("`{name}` needs the feature gate {gate}, which is off");
            report.push(
                contradiction(at, message)
                    .label("the kubelet does not start")
                    .help(format!("remove it, or turn {gate} on in `kubelet.config.featureGates`")),
            );
        }
    }
}

/// The oldest unused image is older than what is kept in any case.
fn ages(fields: &Fields<'_>, report: &mut Report) {
    const USUAL_LEAST: i64 = 120 * SECOND;
    let least = get(fields, "imageMinimumGCAge").and_then(|(_, value)| time(value));
    let least = least.filter(|least| *least != 0).unwrap_or(USUAL_LEAST);
    let Some((at, value)) = get(fields, "imageMaximumGCAge") else { return };
    if time(value).is_some_and(|most| most != 0 && most <= least) {
        report.push(
            contradiction(at, "images would be deleted while they have to be kept")
                .label("the kubelet does not start")
                .help("write a time that is longer than `imageMinimumGCAge`, which is 2m unless it is said"),
        );
    }
}

impl Fields<'_> {
    /// Whether a kubelet has a gate on; `None` where its release has no such gate.
    fn has_gate(&self, given: &SaidGates, gate: &str) -> Option<bool> {
        gates::is_on(Component::Kubelet, given, gate, self.minor())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::kubelet::Kubelet;
    use crate::rooms::overlaid::complaints;

    fn config(version: &str, config: Value) -> Vec<String> {
        complaints(
            &Kubelet,
            &json!({"cluster": {"kubernetes": version}, "kubelet": {"config": config}}),
        )
    }

    #[test]
    fn numbers_and_times_are_those_that_the_kubelet_takes() {
        for (field, wrong, right) in [
            ("oomScoreAdj", json!(-2000), json!(-999)),
            ("eventRecordQPS", json!(-1), json!(0)),
            ("maxParallelImagePulls", json!(0), json!(1)),
            ("nodeStatusMaxImages", json!(-2), json!(-1)),
            ("containerLogMonitorInterval", json!("1s"), json!("5s")),
            ("shutdownGracePeriod", json!("500ms"), json!("30s")),
        ] {
            let at = [format!("cluster/field-type at kubelet.config.{field}")];
            assert_eq!(config("1.37.1", json!({field: wrong})), at);
            assert_eq!(config("1.37.1", json!({field: right})), [""; 0], "{field}");
        }
        let restart = |period: &str| {
            config("1.37.1", json!({"crashLoopBackOff": {"maxContainerRestartPeriod": period}}))
        };
        let at = "kubelet.config.crashLoopBackOff.maxContainerRestartPeriod";
        assert_eq!(restart("1h"), [format!("cluster/field-type at {at}")]);
        assert_eq!(restart("60s"), [""; 0]);
        let young = json!({"imageMinimumGCAge": "2m", "imageMaximumGCAge": "1m"});
        assert_eq!(
            config("1.37.1", young),
            ["kubelet/contradiction at kubelet.config.imageMaximumGCAge"]
        );
    }

    #[test]
    fn a_field_has_the_gate_that_it_needs() {
        let of = |version: &str, value: &Value, gates: &Value| {
            let mut all = value.clone();
            all["featureGates"] = gates.clone();
            config(version, all)
        };
        let at = |field: &str| [format!("kubelet/contradiction at kubelet.config.{field}")];
        let (on, off) =
            (json!({"CustomCPUCFSQuotaPeriod": true}), json!({"CustomCPUCFSQuotaPeriod": false}));
        let quota = json!({"cpuCFSQuotaPeriod": "10ms"});
        assert_eq!(of("1.35.0", &quota, &off), at("cpuCFSQuotaPeriod"));
        assert_eq!(of("1.35.0", &quota, &json!({})), at("cpuCFSQuotaPeriod"), "off by default");
        assert_eq!(of("1.35.0", &quota, &on), [""; 0]);
        assert_eq!(of("1.35.0", &json!({"cpuCFSQuotaPeriod": "100ms"}), &json!({})), [""; 0]);
        let period = json!({"crashLoopBackOff": {"maxContainerRestartPeriod": "30s"}});
        let gate = json!({"KubeletCrashLoopBackOffMax": false});
        assert_eq!(of("1.35.0", &period, &gate), at("crashLoopBackOff.maxContainerRestartPeriod"));
        assert_eq!(of("1.35.0", &period, &json!({})), [""; 0]);
        assert_eq!(
            of("1.37.1", &period, &json!({"AllBeta": false})),
            at("crashLoopBackOff.maxContainerRestartPeriod")
        );
    }
}
