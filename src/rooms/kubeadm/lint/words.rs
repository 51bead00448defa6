//! Lists of words in flags: a component that does not know one of them does not start.

use crate::catalog::VersionPart;
use crate::catalog::flag_words;
use crate::catalog::flags::Status;
use crate::control_plane::Part;
use crate::report::{Finding, Report, closest};
use crate::rooms::kubeadm::FLAG_BREAKS;
use crate::rooms::kubeadm::plan::KubeadmPlan;
use crate::site::gates::{self, SaidGates};
use crate::site::{Cluster, said_flags};

const GATES: &str = "feature-gates";
const ON: &str = "enable-admission-plugins";
const OFF: &str = "disable-admission-plugins";

pub(super) fn lint(plan: &KubeadmPlan, cluster: &Cluster<'_>, report: &mut Report) {
    for (part, flags) in plan.flags() {
        let mut said = SaidGates::default();
        if let Some(value) = flags.get(GATES) {
            said.flag(part.component(), value, &plan.at(part, GATES), cluster);
        }
        gates::lint(part.component(), &said, cluster, report);
        for (flag, value) in flags {
            for word in words(value) {
                let minor = cluster.version.minor;
                let Some((kind, word, status, known)) = judged(part, flag, word, minor) else {
                    continue;
                };
                let what = format!("{} has no {kind} `{word}`", part.program());
                let near = || closest(word, known).map(|near| format!("`{near}`"));
                said_flags::report_absent(
                    cluster,
                    &what,
                    status,
                    near,
                    plan.at(part, flag),
                    report,
                );
            }
        }
    }
    overlap(plan, report);
}

/// As the components split them: a blank is a part of a word.
fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').filter(move |_| !value.is_empty())
}

/// A list that a flag is made of: what its words are called, the word itself, whether the release
/// has it, and the words that it has.
type Judged<'a> = (&'static str, &'a str, Status, Box<dyn Iterator<Item = &'static str>>);

fn judged<'a>(part: Part, flag: &str, word: &'a str, minor: VersionPart) -> Option<Judged<'a>> {
    match (part, flag) {
        (Part::ApiServer, ON | OFF) => Some((
            "admission plugin",
            word,
            flag_words::admission_plugin_status(word, minor),
            Box::new(flag_words::admission_plugins(minor)),
        )),
        (Part::ControllerManager, "controllers") if word != "*" => {
            let word = word.strip_prefix('-').unwrap_or(word);
            let known = Box::new(flag_words::controllers(minor));
            Some(("controller", word, flag_words::controller_status(word, minor), known))
        }
        (_, "tls-cipher-suites") => {
            let known = Box::new(flag_words::cipher_suites(minor));
            Some(("cipher suite", word, flag_words::cipher_suite_status(word, minor), known))
        }
        _ => None,
    }
}

/// The API server refuses a plugin that is turned on and off
/// (`AdmissionOptions.Validate` in apiserver's `pkg/server/options/admission.go`).
fn overlap(plan: &KubeadmPlan, report: &mut Report) {
    for (part, flags) in plan.flags() {
        let (Some(on), Some(off)) = (flags.get(ON), flags.get(OFF)) else { continue };
        // What kubeadm turns on is judged wherever it is turned off.
        let mut both = words(off).filter(|plugin| *plugin != "NodeRestriction");
        if let Some(plugin) = both.find(|plugin| words(on).any(|other| other == *plugin)) {
            let message = format!("the API server refuses {plugin}, which is turned on as well");
            report.push(
                Finding::new(&FLAG_BREAKS, plan.at(part, OFF), message)
                    .label("on and off")
                    .because(plan.at(part, ON), "on")
                    .help(format!("name {plugin} in one of the two")),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::kubeadm::Kubeadm;
    use crate::rooms::kubeadm::tests::flagged;
    use crate::rooms::overlaid::complaints;

    #[test]
    fn gates_that_a_component_cannot_have_are_refused() {
        let found = |version: &str, gates| flagged(version, "apiServer", "feature-gates", gates);
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
        assert_eq!(found("1.37.1", "GangScheduling=true"), at("extra-arg-removed"));
        assert_eq!(found("1.37.1", "DynamicResourceAllocation=false"), at("gate-locked"));
        assert_eq!(found("1.37.1", "Nonsense"), at("extra-arg-removed"));
        assert_eq!(found("1.37.1", "AllAlpha=maybe"), at("field-type"));
        assert_eq!(found("1.37.1", "AllAlpha=false,CompositePodGroup=true"), at("gate-needs"));
        // One turns many, and what they need is of another stage.
        assert_eq!(found("1.37.1", "AllAlpha=true"), at("gate-needs"));
        assert_eq!(found("1.37.1", "AllAlpha=true,GenericWorkload=true"), [""; 0]);
        // Off by hand is the one cause.
        assert_eq!(
            found("1.37.1", "GenericWorkload=false,CompositePodGroup=true"),
            at("gate-needs")
        );
        assert_eq!(found("1.37.1", "AllAlpha=true,AllBeta=true"), [""; 0]);
        assert_eq!(found("1.37.1", "AllBeta=false"), [""; 0]);
        let lock = "ControllerManagerReleaseLeaderElectionLockOnExit=true";
        assert_eq!(found("1.37.1", lock), [""; 0]);
        assert_eq!(
            flagged("1.37.1", "scheduler", "feature-gates", lock),
            ["cluster/extra-arg-removed at extraArgs.scheduler.feature-gates"]
        );
        assert_eq!(found("1.37.1", "DRAConsumableCapacity=false"), [""; 0]);
        assert_eq!(found("1.30.4", "kube:ContextualLogging=true"), at("extra-arg-removed"));
        // A fix that patch releases brought.
        assert_eq!(found("1.28.15", "UnauthenticatedHTTP2DOSMitigation=true"), [""; 0]);
    }

    #[test]
    fn a_plugin_is_on_or_off() {
        let found = |off: &str| {
            let flags = json!({
                "enable-admission-plugins": "NodeRestriction,AlwaysPullImages",
                "disable-admission-plugins": off,
            });
            complaints(&Kubeadm, &json!({"extraArgs": {"apiServer": flags}}))
        };
        let refused = ["kubeadm/flag-breaks at extraArgs.apiServer.disable-admission-plugins"];
        assert_eq!(found("AlwaysPullImages"), refused);
        assert_eq!(found("NodeRestriction"), refused);
        assert_eq!(found("PodSecurity"), [""; 0]);
    }

    #[test]
    fn words_that_a_component_does_not_know_are_refused() {
        for (part, flag, wrong, right) in [
            (
                "apiServer",
                "enable-admission-plugins",
                "NodeRestriction,PodSecurityPolicy",
                "NodeRestriction,PodNodeSelector",
            ),
            ("apiServer", "disable-admission-plugins", "Podsecurity", "PodSecurity"),
            ("controllerManager", "controllers", "*,tokencleaners", "*,tokencleaner,-ttl"),
            ("controllerManager", "controllers", "*,-service-lb", "*,-service-lb-controller"),
            ("controllerManager", "controllers", "*, -ttl", "*,-ttl"),
            ("apiServer", "disable-admission-plugins", "PodSecurity,", "PodSecurity"),
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
            assert_eq!(flagged("1.30.4", part, flag, wrong), refused, "{wrong}");
            assert_eq!(flagged("1.30.4", part, flag, right), [""; 0], "{right}");
        }
    }
}
