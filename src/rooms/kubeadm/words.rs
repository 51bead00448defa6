//! Lists of words in flags: a component that does not know one of them does not start.

use super::mounts::Part;
use super::plan::Kubeadm;
use crate::catalog::flag_words;
use crate::catalog::flags::Status;
use crate::cluster::{Cluster, extra, gates};
use crate::report::{Report, closest};

const GATES: &str = "feature-gates";
const ADMISSION: [&str; 2] = ["enable-admission-plugins", "disable-admission-plugins"];

pub(super) fn lint(plan: &Kubeadm, cluster: &Cluster, report: &mut Report) {
    let minor = cluster.kubernetes.minor;
    for (part, flags) in plan.flags() {
        let gates = flags.get(GATES).map(|value| gates::of_flag(value, &plan.at(part, GATES)));
        gates::lint(part.program(), &gates.unwrap_or_default(), cluster, report);
        for (flag, value) in flags {
            let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
            for word in words {
                let (kind, status, near) = match (part, flag.as_str()) {
                    (Part::ApiServer, name) if ADMISSION.contains(&name) => (
                        "admission plugin",
                        flag_words::admission_plugin_status(word, minor),
                        closest(word, flag_words::admission_plugins(minor)),
                    ),
                    (Part::ControllerManager, "controllers") if word != "*" => {
                        let word = word.strip_prefix('-').unwrap_or(word);
                        let known = flag_words::controllers().any(|known| known == word);
                        ("controller", one_of(known), closest(word, flag_words::controllers()))
                    }
                    (_, "tls-cipher-suites") => {
                        let known = flag_words::cipher_suites().any(|known| known == word);
                        ("cipher suite", one_of(known), closest(word, flag_words::cipher_suites()))
                    }
                    _ => continue,
                };
                let what = format!("{} has no {kind} {word}", part.program());
                let near = || near.map(|near| format!("`{near}`"));
                extra::report_absent(cluster, &what, status, near, plan.at(part, flag), report);
            }
        }
    }
}

fn one_of(known: bool) -> Status {
    if known { Status::Known } else { Status::Unknown }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::kubeadm::Kubeadm;
    use crate::rooms::trial::complaints;

    #[test]
    fn gates_that_a_component_cannot_have_are_refused() {
        let found = |version: &str, gates: &str| {
            complaints(
                &Kubeadm,
                &json!({
                    "cluster": {"kubernetes": version},
                    "extraArgs": {"apiServer": {"feature-gates": gates}},
                }),
            )
        };
        let at = |code: &str| [format!("cluster/{code} at extraArgs.apiServer.feature-gates")];
        assert_eq!(found("1.27.16", "EphemeralContainers=true"), at("extra-arg-removed"));
        assert_eq!(found("1.26.15", "EphemeralContainers=true"), [""; 0]);
        assert_eq!(found("1.26.15", "EphemeralContainers=false"), at("gate-locked"));
        assert_eq!(found("1.37.1", "ContextualLogging=yes"), at("field-type"));
        let off = "kube:UserNamespacesHostNetworkSupport=true,NodeDeclaredFeatures=false";
        assert_eq!(found("1.36.0", off), at("gate-needs"));
        let on = "UserNamespacesHostNetworkSupport=true,NodeDeclaredFeatures=true";
        assert_eq!(found("1.36.0", on), [""; 0]);
        assert_eq!(found("1.37.1", "CompositePodGroup=true"), at("gate-needs"));
    }

    #[test]
    fn words_that_a_component_does_not_know_are_refused() {
        let found = |part: &str, flag: &str, value: &str| {
            complaints(
                &Kubeadm,
                &json!({"cluster": {"kubernetes": "1.30.4"}, "extraArgs": {part: {flag: value}}}),
            )
        };
        for (part, flag, wrong, right) in [
            (
                "apiServer",
                "enable-admission-plugins",
                "NodeRestriction,PodSecurityPolicy",
                "NodeRestriction,PodNodeSelector",
            ),
            ("apiServer", "disable-admission-plugins", "Podsecurity", "PodSecurity"),
            ("controllerManager", "controllers", "*,tokencleaners", "*,tokencleaner,-ttl"),
            (
                "scheduler",
                "feature-gates",
                "AllAlpha=false,MinDomainsInTopologySpreads=true",
                "AllAlpha=false,MinDomainsInPodTopologySpread=true",
            ),
            (
                "scheduler",
                "tls-cipher-suites",
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM",
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            ),
        ] {
            let refused = [format!("cluster/extra-arg-removed at extraArgs.{part}.{flag}")];
            assert_eq!(found(part, flag, wrong), refused, "{wrong}");
            assert_eq!(found(part, flag, right), [""; 0], "{right}");
        }
    }
}
