//! Feature gates that the inventory sets: a component that cannot have them does not start.

use serde_json::Value;

use super::{Cluster, codes, extra};
use crate::catalog::flags::{Component, Status};
use crate::catalog::gates::{
    gate_default, gate_locked, gate_needs, gate_prefix, gate_status, gates,
};
use crate::report::{Finding, Path, Report, closest};

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
    pub fn flag(&mut self, component: Component, value: &str, at: &Path, cluster: &Cluster) {
        let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let prefix = gate_prefix(component, cluster.kubernetes.minor).unwrap_or_default();
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
    pub fn patches(&mut self, document: &str, cluster: &Cluster) {
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
pub fn lint(component: Component, said: &SaidGates, cluster: &Cluster, report: &mut Report) {
    let minor = cluster.kubernetes.minor;
    let component = component.as_str();
    let mut accepted: Vec<&SaidGate> = Vec::new();
    for gate in &said.gates {
        let SaidGate { name, on, at } = gate;
        // These set many others.
        let general = GENERAL.contains(&name.as_str());
        let status = gate_status(name, minor);
        if !general && status != Status::Known {
            let near = || closest(name, gates(minor)).map(|near| format!("`{near}`"));
            let what = format!("{component} has no feature gate {name}");
            extra::report_absent(cluster, &what, status, near, at.clone(), report);
        } else if let Some(on) = on {
            if general || !gate_locked(name, minor) || gate_default(name, minor) == *on {
                accepted.push(gate);
                continue;
            }
            let is = if *on { "off" } else { "on" };
            let message = format!(
                "{name} is always {is} from this release on, and {component} would not start"
            );
            report.push(
                Finding::new(&codes::GATE_LOCKED, at.clone(), message)
                    .label(format!("always {is}"))
                    .because(Path::of(&["cluster", "kubernetes"]), "the release")
                    .help("remove it"),
            );
        } else {
            let message = format!("the gate {name} is neither on nor off");
            let finding = Finding::new(&codes::FIELD_TYPE, at.clone(), message);
            report.push(
                finding.label("no switch").help(format!("write `{name}=true` or `{name}=false`")),
            );
        }
    }
    // Off is what alpha gates are.
    let turned = |gate: &&SaidGate| gate.name != GENERAL[0] || gate.on == Some(true);
    let general = accepted.iter().filter(|gate| GENERAL.contains(&gate.name.as_str()));
    if !said.differ && !general.copied().any(|gate| turned(&gate)) {
        needs(component, &accepted, minor, report);
    }
}

/// What is on has to have what it needs on as well.
fn needs(component: &str, said: &[&SaidGate], minor: u32, report: &mut Report) {
    let of = |name: &str| said.iter().find(|gate| gate.name == name);
    let is_on =
        |name: &str| of(name).and_then(|gate| gate.on).unwrap_or_else(|| gate_default(name, minor));
    let missing = |gate: &str| {
        let needs = gate_needs(gate, minor).iter().map(String::as_str);
        needs.filter(|need| !is_on(need)).collect::<Vec<_>>()
    };
    let all = |names: &[&str], value: &str| {
        let words: Vec<String> = names.iter().map(|name| format!("{name}={value}")).collect();
        words.join(",")
    };
    for SaidGate { name, at, .. } in said {
        let (message, help) = if is_on(name) {
            // What is turned off by hand is said where that is.
            let unsaid: Vec<_> =
                missing(name).into_iter().filter(|need| of(need).is_none()).collect();
            if unsaid.is_empty() {
                continue;
            }
            let needs = unsaid.join(" and ");
            let help = format!("set as well: `{}`", all(&unsaid, "true"));
            (format!("{name} needs {needs}, off by default"), help)
        } else {
            let on = gates(minor).filter(|gate| is_on(gate));
            let left: Vec<_> = on.filter(|gate| missing(gate).contains(&name.as_str())).collect();
            if left.is_empty() {
                continue;
            }
            let (those, need) =
                (left.join(" and "), if left.len() == 1 { "needs" } else { "need" });
            let help = match left.iter().any(|gate| gate_locked(gate, minor)) {
                true => "remove it".to_owned(),
                false => format!("set as well: `{}`", all(&left, "false")),
            };
            (format!("{name} is off, and {those} {need} it"), help)
        };
        report.push(
            Finding::new(&codes::GATE_NEEDS, at.clone(), message)
                .label(format!("{component} would not start"))
                .help(help),
        );
    }
}
