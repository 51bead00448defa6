//! Feature gates that the inventory sets: a component that cannot have them does not start.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Cluster, codes, said_flags};
use crate::catalog::VersionPart;
use crate::catalog::flags::Component;
use crate::catalog::gates::{
    gate_default, gate_locked, gate_needs, gate_prefix, gate_stage, gate_status, gates,
};
use crate::report::{Finding, Path, Report, closest, listed};

/// The field of every component's configuration.
const FIELD: &str = "featureGates";
/// Gates that turn others.
const GENERAL: [&str; 2] = ["AllAlpha", "AllBeta"];

/// A gate as a flag or a field says it.
#[derive(Clone)]
pub struct SaidGate {
    /// Its name.
    pub name: String,
    /// `None` where it is neither true nor false.
    pub on: Option<bool>,
    /// Where it is said.
    pub at: Path,
}

/// Every gate that one component is given.
#[derive(Default)]
pub struct SaidGates {
    gates: Vec<SaidGate>,
    /// Whether some nodes have others: what a gate needs is then not looked for.
    differ: bool,
}

impl SaidGates {
    /// Adds the gates of a flag, `A=true,B=false`, which win over those of fields.
    pub fn flag(&mut self, component: Component, value: &str, at: &Path, cluster: &Cluster<'_>) {
        let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let prefix = gate_prefix(component, cluster.version.minor).unwrap_or_default();
            let name = name.strip_prefix(prefix).unwrap_or(name).trim().to_owned();
            self.put(SaidGate { name, on: value.trim().parse().ok(), at: at.clone() });
        }
    }

    /// Adds the gates of the field `featureGates`.
    pub fn field(&mut self, value: &Value, at: &Path) {
        for (name, on) in value.as_object().into_iter().flatten() {
            match on {
                Value::Bool(on) => {
                    self.put(SaidGate { name: name.clone(), on: Some(*on), at: at.key(name) });
                }
                // In a patch, `null` takes a gate away. Other types are another finding.
                _ => self.gates.retain(|gate| gate.name != *name),
            }
        }
    }

    /// Adds the gates of patches of a document, which merge into it (RFC 7386).
    pub fn patches(&mut self, document: &str, cluster: &Cluster<'_>) {
        for patch in cluster.patches_of(document, None) {
            let Some(value) = patch.patch.get(FIELD) else { continue };
            let at = Path::of(&["patches"]).index(patch.index).key("patch").key(FIELD);
            if patch.nodes.is_none() {
                self.field(value, &at);
                continue;
            }
            self.differ = true;
            let mut some = Self::default();
            some.field(value, &at);
            self.gates.append(&mut some.gates);
        }
    }

    fn put(&mut self, gate: SaidGate) {
        self.gates.retain(|other| other.name != gate.name);
        self.gates.push(gate);
    }
}

/// Reports gates that the release does not have, or not with this value.
pub fn lint(component: Component, said: &SaidGates, cluster: &Cluster<'_>, report: &mut Report) {
    let minor = cluster.version.minor;
    let program = component.as_str();
    let mut accepted: Vec<&SaidGate> = Vec::new();
    for gate in &said.gates {
        let SaidGate { name, on, at } = gate;
        let general = GENERAL.contains(&name.as_str());
        let status = gate_status(component, name, minor);
        if !general && !status.is_known() {
            let near = || closest(name, gates(component, minor)).map(|near| format!("`{near}`"));
            let what = format!("{program} has no feature gate {name}");
            said_flags::report_absent(cluster, &what, status, near, at.clone(), report);
        } else if let Some(on) = on {
            if general || !gate_locked(name, minor) || gate_default(name, minor) == *on {
                accepted.push(gate);
                continue;
            }
            let is = if *on { "off" } else { "on" };
            let message = format!(
                "{name} is always {is} from this release on, and {program} would not start"
            );
            report.push(
                Finding::new(&codes::GATE_LOCKED, at.clone(), message)
                    .label(format!("always {is}"))
                    .because(Path::of(&["cluster", "kubernetes"]), "the release")
                    .help("remove it"),
            );
        } else {
            let message = format!("the gate {name} is written as neither true nor false");
            let finding = Finding::new(&codes::FIELD_TYPE, at.clone(), message);
            report.push(
                finding.label("no switch").help(format!("write `{name}=true` or `{name}=false`")),
            );
        }
    }
    if !said.differ {
        Turned { said: &accepted, component, minor }.lint(report);
    }
}

/// Whether a component has a gate on; `None` where `1.<minor>` has no such gate.
pub fn is_on(
    component: Component,
    said: &SaidGates,
    name: &str,
    minor: VersionPart,
) -> Option<bool> {
    let said: Vec<&SaidGate> = said.gates.iter().collect();
    let known = gate_status(component, name, minor).is_known();
    known.then(|| Turned { said: &said, component, minor }.is_on(name))
}

/// Every gate of a component, on or off.
struct Turned<'a> {
    said: &'a [&'a SaidGate],
    component: Component,
    minor: VersionPart,
}

impl Turned<'_> {
    fn said(&self, name: &str) -> Option<&SaidGate> {
        self.said.iter().find(|gate| gate.name == name).copied()
    }

    /// What turns a gate of which nothing is said itself.
    fn general(&self, name: &str) -> Option<&SaidGate> {
        self.said(gate_stage(name, self.minor)?.general())
    }

    fn is_on(&self, name: &str) -> bool {
        let said = self.said(name).or_else(|| self.general(name));
        said.and_then(|gate| gate.on).unwrap_or_else(|| gate_default(name, self.minor))
    }

    fn on(&self) -> impl Iterator<Item = &'static str> {
        gates(self.component, self.minor).filter(|gate| self.is_on(gate))
    }

    /// What is on and needs a gate.
    fn users(&self, need: &str) -> Vec<&'static str> {
        let needs = |gate: &&str| gate_needs(gate, self.minor).iter().any(|other| other == need);
        self.on().filter(needs).collect()
    }

    /// What a gate needs and is off.
    fn missing(&self, gate: &str) -> Vec<&'static str> {
        let needs = gate_needs(gate, self.minor).iter().map(String::as_str);
        needs.filter(|need| !self.is_on(need)).collect()
    }

    /// What is on has to have what it needs on as well.
    fn lint(&self, report: &mut Report) {
        // By what is said: the gates that need others because of it, and those.
        let mut found: Vec<(&SaidGate, BTreeSet<&'static str>, BTreeSet<&'static str>)> =
            Vec::new();
        for gate in self.on() {
            let missing = self.missing(gate);
            // What is turned off by hand is said where that is, and is reason enough.
            let by_hand: Vec<_> =
                missing.iter().copied().filter(|need| self.said(need).is_some()).collect();
            for need in if by_hand.is_empty() { missing } else { by_hand } {
                let causes =
                    [self.said(need), self.said(gate), self.general(gate), self.general(need)];
                let Some(cause) = causes.into_iter().flatten().next() else { continue };
                let index = found.iter().position(|(other, ..)| other.name == cause.name);
                let index = index.unwrap_or_else(|| {
                    found.push((cause, BTreeSet::new(), BTreeSet::new()));
                    found.len() - 1
                });
                let (_, gates, needs) = &mut found[index];
                gates.insert(gate);
                needs.insert(need);
            }
        }
        for (cause, gates, needs) in found {
            let program = self.component.as_str();
            let (gates, needs) = (gates.into_iter().collect(), needs.into_iter().collect());
            let (message, help) = self.words(cause, gates, needs);
            report.push(
                Finding::new(&codes::GATE_NEEDS, cause.at.clone(), message)
                    .label(format!("{program} would not start"))
                    .help(help),
            );
        }
    }

    /// What is wrong with what is said, and the edit.
    fn words(
        &self,
        cause: &SaidGate,
        gates: Vec<&'static str>,
        needs: Vec<&'static str>,
    ) -> (String, String) {
        let name = &cause.name;
        let need = if gates.len() == 1 { "needs" } else { "need" };
        let those = (listed(&gates), listed(&needs));
        let message = match (cause.on == Some(true), GENERAL.contains(&name.as_str())) {
            (true, false) => format!("{name} needs {}, which {} off", those.1, are(&needs)),
            (true, true) => {
                let are = are(&needs);
                format!("{name} turns on {}, which {need} {}, which {are} off", those.0, those.1)
            }
            (false, true) => format!("{name} turns off {}, and {} {need} it", those.1, those.0),
            (false, false) => format!("{name} is off, and {} {need} it", those.0),
        };
        if needs.iter().any(|need| *need == name) {
            let off = closure(gates, |off| self.users(off));
            return match off.iter().any(|gate| gate_locked(gate, self.minor)) {
                true => (message, "remove it".to_owned()),
                false => (message, format!("write as well: `{}`", all(&off, "false"))),
            };
        }
        let on = closure(needs, |on| self.missing(on));
        (message, format!("write as well: `{}`", all(&on, "true")))
    }
}

/// These and all that follow from them.
fn closure(
    mut names: Vec<&'static str>,
    follow: impl Fn(&str) -> Vec<&'static str>,
) -> Vec<&'static str> {
    let mut index = 0;
    while let Some(name) = names.get(index) {
        let mut more = follow(name);
        more.retain(|more| !names.contains(more));
        names.extend(more);
        index += 1;
    }
    names
}

fn all(names: &[&str], value: &str) -> String {
    let words: Vec<String> = names.iter().map(|name| format!("{name}={value}")).collect();
    words.join(",")
}

fn are(names: &[&str]) -> &'static str {
    if names.len() == 1 { "is" } else { "are" }
}

#[cfg(test)]
mod tests {
    use crate::rooms::overlaid::{codes, outcome};

    /// What is said of these gates of the API server, with the edit.
    fn said(gates: &str) -> Vec<(String, String)> {
        let overlay = format!(
            "{{cluster: {{kubernetes: 1.36.0}}, extraArgs: {{apiServer: {{feature-gates: '{gates}'}}}}}}"
        );
        let outcome = outcome(&overlay);
        let found = outcome.report.findings().iter();
        let found = found.filter(|finding| finding.code.id == "cluster/gate-needs");
        found
            .map(|finding| (finding.message.clone(), finding.help.clone().unwrap_or_default()))
            .collect()
    }

    fn one(message: &str, help: &str) -> Vec<(String, String)> {
        vec![(message.to_owned(), format!("write as well: `{help}`"))]
    }

    #[test]
    fn what_a_gate_needs_is_written_as_well() {
        assert!(said("AllAlpha=true").is_empty());
        assert_eq!(
            said("GangScheduling=true"),
            one("GangScheduling needs GenericWorkload, which is off", "GenericWorkload=true")
        );
        // And what that needs in turn.
        assert_eq!(
            said("WorkloadAwarePreemption=true"),
            one(
                "WorkloadAwarePreemption needs GangScheduling, which is off",
                "GangScheduling=true,GenericWorkload=true"
            )
        );
        assert_eq!(
            said("AllAlpha=true,AllBeta=false"),
            one(
                "AllAlpha turns on PodLevelResourceManagers, StorageVersionAPI and \
                 UserNamespacesHostNetworkSupport, which need APIServerIdentity, \
                 NodeDeclaredFeatures and PodLevelResources, which are off",
                "APIServerIdentity=true,NodeDeclaredFeatures=true,PodLevelResources=true"
            )
        );
    }

    #[test]
    fn what_needs_a_gate_that_is_off_is_turned_off_as_well() {
        assert_eq!(
            said("ResourceHealthStatus=false"),
            one(
                "ResourceHealthStatus is off, and ResourceHealthStatusMessage needs it",
                "ResourceHealthStatusMessage=false"
            )
        );
        // And what needs that in turn.
        assert_eq!(
            said("AllAlpha=true,GenericWorkload=false"),
            one(
                "GenericWorkload is off, and DRAWorkloadResourceClaims, GangScheduling, \
                 TopologyAwareWorkloadScheduling and WorkloadWithJob need it",
                "DRAWorkloadResourceClaims=false,GangScheduling=false,\
                 TopologyAwareWorkloadScheduling=false,WorkloadWithJob=false,\
                 WorkloadAwarePreemption=false"
            )
        );
    }

    #[test]
    fn gates_of_a_patch_count_where_it_is_of_all_nodes() {
        let codes = |nodes: &str| {
            let gates = "featureGates: {ResourceHealthStatus: false}";
            let document = "document: kubelet/KubeletConfiguration";
            codes(&format!(
                "{{cluster: {{kubernetes: 1.36.0}}, patches: [{{{document}, {nodes} patch: {{{gates}}}}}]}}"
            ))
        };
        assert_eq!(codes(""), ["cluster/gate-needs"]);
        // What is wrong with that is another finding.
        assert_eq!(codes("nodes: {names: [cp1]},"), ["cluster/patch-target"]);
    }
}
