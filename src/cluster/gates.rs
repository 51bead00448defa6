//! Feature gates that the inventory sets: a component that cannot have them does not start.

use super::{Cluster, codes, extra};
use crate::catalog::flags::Status;
use crate::catalog::gates::{gate_default, gate_locked, gate_needs, gate_status, gates};
use crate::report::{Finding, Path, Report, closest};

/// A gate as a flag or a field says it.
pub struct SaidGate {
    /// Its name.
    pub name: String,
    /// `None` where it is neither true nor false.
    pub on: Option<bool>,
    /// Where it is said.
    pub at: Path,
}

/// The gates of a flag, `A=true,B=false`, at the flag's place. From 1.31 on, a gate may have the
/// name of its component in front.
pub fn of_flag(value: &str, at: &Path) -> Vec<SaidGate> {
    let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let name = name.strip_prefix("kube:").unwrap_or(name).trim();
            SaidGate { name: name.to_owned(), on: value.trim().parse().ok(), at: at.clone() }
        })
        .collect()
}

/// The gates of the field `featureGates`.
pub fn of_field(value: &serde_json::Value, at: &Path) -> Vec<SaidGate> {
    let gates = value.as_object().into_iter().flatten();
    // `null` takes a gate away.
    let gates = gates.filter(|(_, on)| !on.is_null());
    gates
        .map(|(name, on)| SaidGate { name: name.clone(), on: on.as_bool(), at: at.key(name) })
        .collect()
}

/// Reports gates that the release does not have, or not with this value.
pub fn lint(component: &str, said: &[SaidGate], cluster: &Cluster, report: &mut Report) {
    let minor = cluster.kubernetes.minor;
    // These set many others.
    let general = |gate: &SaidGate| ["AllAlpha", "AllBeta"].contains(&gate.name.as_str());
    for SaidGate { name, on, at } in said.iter().filter(|gate| !general(gate)) {
        let status = gate_status(name, minor);
        let known = status == Status::Known;
        let near = || closest(name, gates(minor)).map(|near| format!("`{near}`"));
        let what = format!("{component} has no feature gate {name}");
        extra::report_absent(cluster, &what, status, near, at.clone(), report);
        let Some(on) = on else {
            let message = format!("the gate {name} is neither on nor off");
            let finding = Finding::new(&codes::FIELD_TYPE, at.clone(), message);
            report.push(finding.label("no switch").help(format!("write `{name}=true` or `false`")));
            continue;
        };
        if known && gate_locked(name, minor) && gate_default(name, minor) != *on {
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
        }
    }
    if !said.iter().any(general) {
        needs(component, said, minor, report);
    }
}

/// What is on has to have what it needs on as well.
fn needs(component: &str, said: &[SaidGate], minor: u32, report: &mut Report) {
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
            (format!("{name} needs {needs}, off by default"), all(&unsaid, "true"))
        } else {
            let on = gates(minor).filter(|gate| is_on(gate));
            let left: Vec<_> = on.filter(|gate| missing(gate).contains(&name.as_str())).collect();
            if left.is_empty() {
                continue;
            }
            let (those, need) =
                (left.join(" and "), if left.len() == 1 { "needs" } else { "need" });
            (format!("{name} is off, and {those} {need} it"), all(&left, "false"))
        };
        report.push(
            Finding::new(&codes::GATE_NEEDS, at.clone(), message)
                .label(format!("{component} would not start"))
                .help(format!("set as well: `{help}`")),
        );
    }
}
