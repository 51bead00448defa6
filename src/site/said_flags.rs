//! Flags and fields that users add to a component: checked against the release, and against what
//! hagen itself decides. Rooms bring the table of what they own.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

use crate::catalog::flags::{self, Component, FlagKind, Status};
use crate::inventory::values::{FlagName, FlagValue};
use crate::report::{Finding, Path, Report, closest};

use super::{Cluster, Patch, codes, duration, quantity};

/// What hagen decides: the flag's or field's name, and the key of the inventory that decides it.
pub type Owned = &'static [(&'static str, &'static [&'static str])];

/// Reports each flag that the release does not have (`cluster/extra-arg-removed`) or that has an
/// owner (`cluster/extra-arg-owned`). `section` is where `said` stands.
pub fn lint(
    cluster: &Cluster<'_>,
    component: Component,
    section: &Path,
    said: &BTreeMap<FlagName, FlagValue>,
    owned: Owned,
    report: &mut Report,
) {
    for (flag, value) in said {
        let (flag, value) = (flag.as_str(), Some(value.as_str()));
        SaidFlag { name: flag, value, at: section.key(flag) }
            .lint(cluster, component, owned, false, report);
    }
}

/// Reports a flag that the release does not have (`cluster/extra-arg-removed`), or a value that it
/// does not take (`cluster/field-type`).
fn lint_flag(
    cluster: &Cluster<'_>,
    component: Component,
    flag: &str,
    value: Option<&str>,
    at: Path,
    report: &mut Report,
) {
    let minor = cluster.version.minor;
    if flags::flag_status(component, flag, minor).is_known()
        && let Some(value) = value
        && let Some(kind) = flags::flag_kind(component, flag)
        // Of the kubelet's, what has a blank is two flags, and is said to be.
        && !(component == Component::Kubelet && value.contains(char::is_whitespace))
    {
        let what = format!("--{flag} of {}", component.as_str());
        if let Some(finding) = misfit(kind, value, &what, &at) {
            report.push(finding);
            return;
        }
    }
    let status = flags::flag_status(component, flag, minor);
    let near = || closest(flag, flags::flags(component, minor)).map(|near| format!("--{near}"));
    let what = format!("{} has no flag --{flag}", component.as_str());
    report_absent(cluster, &what, status, near, at, report);
}

/// The finding that a setting of this kind does not take a value (`cluster/field-type`).
pub fn misfit(kind: FlagKind, value: &str, what: &str, at: &Path) -> Option<Finding> {
    if takes(kind, value) {
        return None;
    }
    let (must, help) = says(kind, value);
    let finding = Finding::new(&codes::FIELD_TYPE, at.clone(), format!("{what} takes {must}"));
    Some(finding.label(format!("must be {must}")).help(help))
}

/// Whether a flag of this kind takes the value, and in no other way than it is read here.
fn takes(kind: FlagKind, value: &str) -> bool {
    let digits = |text: &str| {
        text == "0" || !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    // With a 0 in front, Go reads octal numbers.
    let natural = |text: &str| !text.is_empty() && digits(text) && text.parse::<u64>().is_ok();
    match kind {
        FlagKind::Bool => matches!(value, "true" | "false"),
        FlagKind::Duration => duration::is_duration(value),
        FlagKind::Integer => {
            natural(value.strip_prefix('-').unwrap_or(value)) && value.parse::<i64>().is_ok()
        }
        FlagKind::Natural => natural(value),
        FlagKind::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
        FlagKind::Quantity => quantity::is_quantity(value),
        FlagKind::Ip => value.parse::<IpAddr>().is_ok(),
    }
}

/// What it takes, and what to write.
fn says(kind: FlagKind, value: &str) -> (&'static str, String) {
    match kind {
        FlagKind::Bool => {
            let is = match value {
                "1" | "t" | "T" | "TRUE" | "True" | "yes" | "on" => "write `\"true\"`",
                "0" | "f" | "F" | "FALSE" | "False" | "no" | "off" => "write `\"false\"`",
                _ => "write `\"true\"` or `\"false\"`",
            };
            ("true or false", is.to_owned())
        }
        FlagKind::Duration => (
            "a duration",
            match value.parse::<u64>() {
                Ok(number) => format!("write its unit as well: `{number}s`, or `{number}ms`"),
                Err(_) => "write numbers with their units, such as `30s` or `1h30m`".to_owned(),
            },
        ),
        FlagKind::Integer => ("a whole number", "write it in digits, such as `\"10\"`".to_owned()),
        FlagKind::Natural => (
            "a whole number that is not negative",
            "write it in digits, such as `\"10\"`".to_owned(),
        ),
        FlagKind::Number => ("a number", "write it in digits, such as `\"50\"`".to_owned()),
        FlagKind::Quantity => {
            ("a quantity", "write a number with its unit, such as `64Mi`".to_owned())
        }
        FlagKind::Ip => ("an address", "write one address, such as `0.0.0.0`".to_owned()),
    }
}

/// A flag as `extraArgs` or a patch of one of kubeadm's documents says it.
pub struct SaidFlag<'a> {
    /// Its name without dashes.
    pub name: &'a str,
    /// `None` takes the flag away.
    pub value: Option<&'a str>,
    /// Where it is said.
    pub at: Path,
}

impl SaidFlag<'_> {
    /// Reports a flag that the release does not have, or that has an owner who says otherwise: a
    /// patch with a list has to repeat what is in it.
    pub fn lint(
        &self,
        cluster: &Cluster<'_>,
        component: Component,
        owned: Owned,
        repeats: bool,
        report: &mut Report,
    ) {
        match owner(self.name, owned, &self.at) {
            Some(_) if repeats => {}
            Some(finding) => report.push(finding),
            None => {
                lint_flag(cluster, component, self.name, self.value, self.at.clone(), report);
            }
        }
    }
}

/// The flags below these keys of a patch, in either of kubeadm's two forms.
pub fn of_patch<'a>(patch: &'a Patch, keys: &[&str]) -> Vec<SaidFlag<'a>> {
    let at = Path::of(&["patches"]).index(patch.index).key("patch");
    let at = keys.iter().fold(at, |at, key| at.key(*key));
    match keys.iter().try_fold(&patch.patch, |value, key| value.get(key)) {
        // Up to v1beta3.
        Some(Value::Object(flags)) => flags
            .iter()
            .map(|(name, value)| SaidFlag {
                name,
                value: (!value.is_null()).then(|| value.as_str().unwrap_or_default()),
                at: at.key(name),
            })
            .collect(),
        // From v1beta4 on.
        Some(Value::Array(flags)) => {
            let flags = flags.iter().enumerate().map(|(index, flag)| SaidFlag {
                name: flag["name"].as_str().unwrap_or_default(),
                value: Some(flag["value"].as_str().unwrap_or_default()),
                at: at.index(index).key("value"),
            });
            flags.collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a flag, field or setting has an owner, as a finding at `at`.
pub fn owner(name: &str, owned: Owned, at: &Path) -> Option<Finding> {
    let (_, key) = owned.iter().find(|(owned, _)| *owned == name)?;
    let key = Path::of(key);
    let message = format!("{name} is decided by `{key}`, because other files agree with it");
    Some(
        Finding::new(&codes::EXTRA_ARG_OWNED, at.clone(), message)
            .label("set a second time")
            .help(format!("remove it here and set `{key}`"))
            .because(key, "decided here"),
    )
}

/// Reports what the release does not have. `what` says so: "the kubelet has no flag --foo".
pub fn report_absent(
    cluster: &Cluster<'_>,
    what: &str,
    status: Status,
    near: impl FnOnce() -> Option<String>,
    at: Path,
    report: &mut Report,
) {
    let minor = cluster.version.minor;
    let (history, help) = match status {
        Status::Known => return,
        Status::NotYet { since } => (
            format!("; it came with 1.{since}"),
            format!("remove it, or use Kubernetes 1.{since} or newer"),
        ),
        Status::Removed { in_minor, instead } => (
            format!("; 1.{in_minor} removed it"),
            instead.map_or_else(|| "remove it".to_owned(), |instead| format!("use {instead}")),
        ),
        Status::Unknown => (
            String::new(),
            near().map_or_else(|| "remove it".to_owned(), |near| format!("did you mean {near}?")),
        ),
    };
    report.push(
        Finding::new(
            &codes::EXTRA_ARG_REMOVED,
            at,
            format!("{what} in Kubernetes 1.{minor}{history}"),
        )
        .label("unknown to this release")
        .because(Path::of(&["cluster", "kubernetes"]), "the release")
        .help(help),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rooms::overlaid::codes;

    #[test]
    fn a_value_is_taken_where_the_component_reads_it_so() {
        for (kind, right, wrong) in [
            (FlagKind::Bool, &["true", "false"][..], &["", "1", "True"][..]),
            (FlagKind::Natural, &["0", "10"], &["", "-1", "+1", "007", "00", "1e3", "ten"]),
            (
                FlagKind::Integer,
                &["0", "10", "-10"],
                &["", "-", "--1", "-07", "9223372036854775808"],
            ),
            (FlagKind::Number, &["0.5", "50", "-1"], &["", "inf", "NaN", "half"]),
            (FlagKind::Ip, &["0.0.0.0", "::"], &["", "localhost"]),
        ] {
            for value in right {
                assert!(takes(kind, value), "{kind:?} {value}");
            }
            for value in wrong {
                assert!(!takes(kind, value), "{kind:?} {value}");
            }
        }
    }

    #[test]
    fn a_blank_is_another_finding_of_the_kubelet_s_flags_alone() {
        let of = |component: &str, value: &str| {
            codes(&format!("extraArgs: {{{component}: {{v: '{value}'}}}}"))
        };
        for component in ["kubelet", "apiServer"] {
            assert_eq!(of(component, "4"), [""; 0], "{component}");
            assert_eq!(of(component, "four"), ["cluster/field-type"], "{component}");
        }
        assert_eq!(of("apiServer", "4 5"), ["cluster/field-type"]);
        assert!(!of("kubelet", "4 5").contains(&"cluster/field-type"));
    }
}
