//! Texts in KubeletConfiguration that the kubelet reads further, and stops where it cannot
//! (`ValidateKubeletConfiguration` in `pkg/kubelet/apis/config/validation/validation.go`,
//! `ParseThresholdConfig` in `pkg/kubelet/eviction/helpers.go`, `parseResourceList` in
//! `cmd/kubelet/app/server.go`).

use serde_json::Value;

use super::rules::contradiction;
use crate::catalog::flag_words;
use crate::report::{Finding, Path, Report, closest};
use crate::rooms::kubelet::fields::Fields;
use crate::site::{codes, duration, quantity};

/// What pods are evicted by.
const SIGNALS: [&str; 9] = [
    "allocatableMemory.available",
    "containerfs.available",
    "containerfs.inodesFree",
    "imagefs.available",
    "imagefs.inodesFree",
    "memory.available",
    "nodefs.available",
    "nodefs.inodesFree",
    "pid.available",
];

/// What is kept for the system.
const RESOURCES: [&str; 4] = ["cpu", "ephemeral-storage", "memory", "pid"];

/// Fields with a choice of words.
const CHOICES: [(&str, &[&str]); 6] = [
    ("cpuManagerPolicy", &["none", "static"]),
    ("hairpinMode", &["hairpin-veth", "none", "promiscuous-bridge"]),
    ("memoryManagerPolicy", &["None", "Static"]),
    ("tlsMinVersion", &["VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13"]),
    ("topologyManagerPolicy", &["best-effort", "none", "restricted", "single-numa-node"]),
    ("topologyManagerScope", &["container", "pod"]),
];

pub(super) fn lint(fields: &Fields<'_>, report: &mut Report) {
    for field in ["evictionHard", "evictionMinimumReclaim", "evictionSoft"] {
        let amount = |text: &str| is_percentage(text) || quantity::is_quantity(text);
        let is_signal = |name: &str| SIGNALS.contains(&name);
        amounts(fields, field, (&SIGNALS, &is_signal), &amount, report);
    }
    for field in ["kubeReserved", "systemReserved"] {
        let is_resource = |name: &str| RESOURCES.contains(&name) || name.starts_with("hugepages-");
        amounts(fields, field, (&RESOURCES, &is_resource), &quantity::is_quantity, report);
    }
    for (field, words) in CHOICES {
        let Some((at, Value::String(word))) = fields.get(field) else { continue };
        if !words.contains(&word.as_str()) {
            let help = suggestion(word, words, "write one of");
            report.push(wrong(at, &format!("`{word}` is no {field}"), help));
        }
    }
    if let Some((at, Value::Array(said))) = fields.get("tlsCipherSuites") {
        let known = suites(fields);
        for (index, suite) in said.iter().enumerate() {
            let Some(suite) = suite.as_str().filter(|suite| !known.contains(suite)) else {
                continue;
            };
            let help = suggestion(suite, &known, "write one of");
            report.push(wrong(at.index(index), &format!("`{suite}` is no cipher suite"), help));
        }
    }
    flags(fields, report);
    if let Some((at, Value::String(text))) = fields.get("containerLogMaxSize")
        && !quantity::is_quantity(text)
    {
        report.push(no_quantity(at, text));
    }
    if let Some((at, files)) = fields.get("containerLogMaxFiles")
        && files.as_i64().is_some_and(|files| files < 2)
    {
        report.push(wrong(at, "a log is turned over between two files or more", "write 2 or more"));
    }
    critical_pods(fields, report);
}

fn suites(fields: &Fields<'_>) -> Vec<&'static str> {
    flag_words::cipher_suites(fields.minor()).collect()
}

/// The same words as flags.
fn flags(fields: &Fields<'_>, report: &mut Report) {
    let suites = suites(fields);
    let versions = CHOICES.iter().find(|(field, _)| *field == "tlsMinVersion");
    let versions = versions.map_or(&[][..], |(_, words)| words);
    for (flag, known) in [("tls-cipher-suites", &suites[..]), ("tls-min-version", versions)] {
        let Some((at, value)) = fields.flag(flag) else { continue };
        let mut words = value.split(',');
        if let Some(word) = words.find(|word| !known.contains(word)) {
            let help = suggestion(word, known, "write one of");
            report.push(wrong(at, &format!("--{flag} knows no `{word}`"), help));
        }
    }
}

/// The time of critical pods is a part of the whole.
fn critical_pods(fields: &Fields<'_>, report: &mut Report) {
    let time = |field: &str| {
        let (at, text) = fields.get(field)?;
        Some((at, duration::nanoseconds(text.as_str()?)?))
    };
    let whole = time("shutdownGracePeriod").map_or(0, |(_, time)| time);
    if let Some((at, critical)) = time("shutdownGracePeriodCriticalPods")
        && critical > whole
    {
        report.push(
            contradiction(at, "critical pods get more time than all pods together")
                .label("the kubelet does not start")
                .help("write a `shutdownGracePeriod` that is longer"),
        );
    }
}

type Names<'a> = (&'a [&'static str], &'a dyn Fn(&str) -> bool);

/// A map of amounts by names.
fn amounts(
    fields: &Fields<'_>,
    field: &str,
    (names, is_name): Names<'_>,
    is_amount: &dyn Fn(&str) -> bool,
    report: &mut Report,
) {
    let Some((at, Value::Object(said))) = fields.get(field) else { return };
    for (name, amount) in said {
        let at = at.key(name);
        if !is_name(name) {
            let help = suggestion(name, names, "names are:");
            report.push(wrong(at, &format!("`{name}` is nothing that {field} knows"), help));
        } else if let Some(amount) = amount.as_str()
            && !is_amount(amount)
        {
            report.push(no_quantity(at, amount));
        }
    }
}

/// The word that was meant, or all of them.
fn suggestion(word: &str, words: &[&str], otherwise: &str) -> String {
    closest(word, words.iter().copied()).map_or_else(
        || format!("{otherwise} {}", words.join(", ")),
        |near| format!("did you mean `{near}`?"),
    )
}

fn is_percentage(text: &str) -> bool {
    text.strip_suffix('%')
        .and_then(|number| number.parse::<f64>().ok())
        .is_some_and(|number| (0.0..=100.0).contains(&number))
}

fn no_quantity(at: Path, text: &str) -> Finding {
    wrong(at, &format!("`{text}` is no quantity"), "write a number with a unit such as Mi or Gi")
}

/// A value that stops the kubelet.
pub(super) fn wrong(at: Path, message: &str, help: impl Into<String>) -> Finding {
    Finding::new(&codes::FIELD_TYPE, at, message).label("the kubelet does not start").help(help)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::kubelet::Kubelet;
    use crate::rooms::overlaid::complaints;

    #[test]
    fn texts_are_those_that_the_kubelet_reads() {
        let config = |config: &Value| complaints(&Kubelet, &json!({"kubelet": {"config": config}}));
        for (field, wrong, right) in [
            (
                "evictionHard",
                json!({"memory.available": "500Mib"}),
                json!({"memory.available": "5%"}),
            ),
            ("evictionHard", json!({"memory.avail": "5%"}), json!({"nodefs.inodesFree": "500Mi"})),
            (
                "systemReserved",
                json!({"mem": "1Gi"}),
                json!({"memory": "1Gi", "hugepages-2Mi": "2Mi"}),
            ),
            ("kubeReserved", json!({"cpu": "5%"}), json!({"cpu": "100m"})),
            ("containerLogMaxSize", json!("10MB"), json!("10Mi")),
            ("containerLogMaxFiles", json!(1), json!(2)),
            ("tlsMinVersion", json!("TLS1.2"), json!("VersionTLS12")),
            ("tlsCipherSuites", json!(["TLS_A"]), json!(["TLS_AES_128_GCM_SHA256"])),
            ("topologyManagerPolicy", json!("best"), json!("best-effort")),
        ] {
            let found = config(&json!({field: wrong}));
            let at = format!("cluster/field-type at kubelet.config.{field}");
            assert!(found.len() == 1 && found[0].starts_with(&at), "{field}: {found:?}");
            assert!(config(&json!({field: right})).is_empty(), "{field}");
        }
        let times = |all: &str, critical: &str| {
            config(
                &json!({"shutdownGracePeriod": all, "shutdownGracePeriodCriticalPods": critical}),
            )
        };
        let more = ["kubelet/contradiction at kubelet.config.shutdownGracePeriodCriticalPods"];
        assert_eq!(times("10s", "30s"), more);
        assert!(times("1m", "30s").is_empty());
    }
}
