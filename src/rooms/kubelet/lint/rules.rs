//! Fields of KubeletConfiguration that have to agree with each other, and with what a cluster needs
//! of every kubelet.

use serde_json::Value;

use crate::report::{Finding, Path, Report};
use crate::rooms::kubelet::CONTRADICTION;
use crate::rooms::kubelet::fields::Fields;

pub(super) fn lint(fields: &Fields<'_>, report: &mut Report) {
    let compared = RULES.iter().filter_map(|rule| rule(fields));
    let alone = NEEDED.iter().filter_map(|need| needed(need, fields));
    compared.chain(alone).for_each(|finding| report.push(finding));
}

/// Two things that cannot both be.
pub(super) fn contradiction(at: Path, message: impl Into<String>) -> Finding {
    Finding::new(&CONTRADICTION, at, message)
}

/// A field, what the cluster needs of it, and why.
type Need = (&'static str, fn(&Value) -> bool, &'static str);

/// Of every kubelet.
const NEEDED: [Need; 5] = [
    (
        "address",
        |value| value == "0.0.0.0" || value == "::",
        "every node would listen on this one address, which is at most one node's",
    ),
    (
        "enableServer",
        |value| value != false,
        "nobody would get logs or metrics, and no probe an answer",
    ),
    ("healthzPort", |value| value != 0, "kubeadm waits for the answer on this port"),
    ("registerNode", |value| value != false, "kubeadm waits for the node to appear"),
    ("runOnce", |value| value != true, "the kubelet would end before the control plane is up"),
];

fn needed((field, fits, why): &Need, fields: &Fields<'_>) -> Option<Finding> {
    let (at, value) = fields.get(field)?;
    (!fits(value))
        .then(|| contradiction(at, *why).label("the node does not work").help("remove it"))
}

type Rule = fn(&Fields<'_>) -> Option<Finding>;

/// What the kubelet checks of its own fields at start (`ValidateKubeletConfiguration` in
/// `pkg/kubelet/apis/config/validation/validation.go`, `NewManager` in `pkg/kubelet/cm/cpumanager`
/// and `memorymanager`).
const RULES: [Rule; 6] = [
    |fields| {
        let (at, soft) = fields.get("evictionSoft")?;
        let periods = fields.get("evictionSoftGracePeriod");
        let has =
            |signal: &String| periods.as_ref().is_some_and(|(_, all)| all.get(signal).is_some());
        let signal = soft.as_object()?.keys().find(|signal| !has(signal))?;
        Some(
            contradiction(at.key(signal), format!("no grace period is given for {signal}"))
                .label("the kubelet does not start")
                .help(format!("add `{signal}: 1m30s` to `evictionSoftGracePeriod`")),
        )
    },
    |fields| {
        let percent = |field: &str| Some(fields.get(field)?.1.as_u64());
        let (low, high) = ("imageGCLowThresholdPercent", "imageGCHighThresholdPercent");
        let (at, _) = fields.get(low).or_else(|| fields.get(high))?;
        let usual = if fields.keeps_images() { 100 } else { 85 };
        let (lower, upper) =
            (percent(low).unwrap_or(Some(80))?, percent(high).unwrap_or(Some(usual))?);
        (lower >= upper).then(|| {
            contradiction(at, format!("images are deleted from {upper} % down to {lower} %"))
                .label("the kubelet does not start")
                .help(format!("write a `{low}` below `{high}`"))
        })
    },
    |fields| {
        let (at, parallel) = fields.get("maxParallelImagePulls")?;
        let serial =
            fields.get("serializeImagePulls").is_none_or(|(_, value)| *value != Value::Bool(false));
        (serial && parallel.as_u64()? > 1).then(|| {
            contradiction(at, "images are pulled one after the other")
                .label("the kubelet does not start")
                .help("add `serializeImagePulls: false` beside it")
        })
    },
    |fields| {
        let (at, enforced) = fields.get("enforceNodeAllocatable")?;
        let groups =
            [("system-reserved", "systemReservedCgroup"), ("kube-reserved", "kubeReservedCgroup")];
        let has =
            |word: &str| enforced.as_array().is_some_and(|all| all.iter().any(|one| one == word));
        let (word, field) =
            groups.into_iter().find(|(word, field)| has(word) && fields.get(field).is_none())?;
        Some(
            contradiction(at, format!("{word} is enforced on no control group"))
                .label("the kubelet does not start")
                .help(format!("add `{field}`, or remove {word}")),
        )
    },
    |fields| {
        let (at, _) = fields.get("cpuManagerPolicy").filter(|(_, policy)| **policy == "static")?;
        let cpus = |field: &str| fields.get(field).is_some_and(|(_, all)| all.get("cpu").is_some());
        let reserved = cpus("kubeReserved") || cpus("systemReserved");
        (!reserved && fields.get("reservedSystemCPUs").is_none()).then(|| {
            contradiction(at, "no CPU is kept for the system, and all may be given to pods")
                .label("the kubelet does not start")
                .help("add `reservedSystemCPUs: \"0\"` beside it")
        })
    },
    |fields| {
        let (at, _) =
            fields.get("memoryManagerPolicy").filter(|(_, policy)| **policy == "Static")?;
        fields.get("reservedMemory").is_none().then(|| {
            contradiction(at, "no memory of any NUMA node is kept for the system")
                .label("the kubelet does not start")
                .help("add `reservedMemory`, or remove it")
        })
    },
];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::kubelet::Kubelet;
    use crate::rooms::overlaid::complaints;

    fn config(config: Value) -> Vec<String> {
        complaints(&Kubelet, &json!({"kubelet": {"config": config}}))
    }

    #[test]
    fn fields_that_the_kubelet_compares_agree() {
        for (wrong, right) in [
            (
                json!({"evictionSoft": {"memory.available": "1Gi"}}),
                json!({"evictionSoftGracePeriod": {"memory.available": "1m"}}),
            ),
            (json!({"imageGCHighThresholdPercent": 70}), json!({"imageGCLowThresholdPercent": 60})),
            (json!({"maxParallelImagePulls": 4}), json!({"serializeImagePulls": false})),
            (
                json!({"enforceNodeAllocatable": ["pods", "kube-reserved"]}),
                json!({"kubeReservedCgroup": "/kube.slice"}),
            ),
            (json!({"cpuManagerPolicy": "static"}), json!({"kubeReserved": {"cpu": "1"}})),
            (json!({"memoryManagerPolicy": "Static"}), json!({"reservedMemory": []})),
        ] {
            let found = config(wrong.clone());
            assert!(found.len() == 1 && found[0].starts_with("kubelet/contradiction"), "{found:?}");
            let mut both = wrong;
            crate::document::merge(&mut both, &right);
            assert!(config(both.clone()).is_empty(), "{both}");
        }
    }

    #[test]
    fn a_kubelet_that_serves_nobody_is_refused() {
        for (field, wrong, right) in [
            ("address", json!("192.168.1.11"), json!("0.0.0.0")),
            ("enableServer", json!(false), json!(true)),
            ("healthzPort", json!(0), json!(10348)),
            ("registerNode", json!(false), json!(true)),
            ("runOnce", json!(true), json!(false)),
        ] {
            let refused = [format!("kubelet/contradiction at kubelet.config.{field}")];
            assert_eq!(config(json!({field: wrong})), refused);
            assert!(config(json!({field: right})).is_empty(), "{field}");
        }
        let authority = json!({"authentication": {"x509": {"clientCAFile": "/srv/ca.crt"}}});
        let owned = ["cluster/extra-arg-owned at kubelet.config.authentication.x509.clientCAFile"];
        assert_eq!(config(authority), owned);
    }
}
