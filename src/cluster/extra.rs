//! Flags and fields that users add to a component: checked against the release, and against what
//! hagen itself decides. Rooms bring the table of what they own.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::catalog::flags::{self, Component, Status};
use crate::inventory::values::{FlagName, FlagValue};
use crate::report::{Finding, Path, Report, closest};

use super::{Cluster, Patch, codes};

/// What hagen decides: the flag's or field's name, and the key of the inventory that decides it.
pub type Owned = &'static [(&'static str, &'static [&'static str])];

/// Reports each flag that the release does not have (`cluster/extra-arg-removed`) or that has an
/// owner (`cluster/extra-arg-owned`). `section` is where `said` stands.
pub fn lint(
    cluster: &Cluster,
    component: Component,
    section: &Path,
    said: &BTreeMap<FlagName, FlagValue>,
    owned: Owned,
    report: &mut Report,
) {
    for flag in said.keys().map(FlagName::as_str) {
        let at = section.key(flag);
        match owner(flag, owned, &at) {
            Some(finding) => report.push(finding),
            None => lint_flag(cluster, component, flag, at, report),
        }
    }
}

/// Reports a flag that the release does not have (`cluster/extra-arg-removed`).
pub fn lint_flag(
    cluster: &Cluster,
    component: Component,
    flag: &str,
    at: Path,
    report: &mut Report,
) {
    let minor = cluster.kubernetes.minor;
    let status = flags::flag_status(component, flag, minor);
    let near = || closest(flag, flags::flags(component, minor)).map(|near| format!("--{near}"));
    let what = format!("{} has no flag --{flag}", component.as_str());
    report_absent(cluster, &what, status, near, at, report);
}

/// A flag as a patch of one of kubeadm's documents says it.
pub struct PatchedFlag<'a> {
    /// Its name without dashes.
    pub name: &'a str,
    /// `None` takes the flag away.
    pub value: Option<&'a str>,
    /// Where it is said.
    pub at: Path,
}

impl PatchedFlag<'_> {
    /// Reports a flag that the release does not have, or that has an owner who says otherwise: a
    /// patch with a list has to repeat what is in it.
    pub fn lint(
        &self,
        cluster: &Cluster,
        component: Component,
        owned: Owned,
        repeats: bool,
        report: &mut Report,
    ) {
        match owner(self.name, owned, &self.at) {
            Some(_) if repeats => {}
            Some(finding) => report.push(finding),
            None => lint_flag(cluster, component, self.name, self.at.clone(), report),
        }
    }
}

/// The flags below these keys of a patch, in either of kubeadm's two forms.
pub fn of_patch<'a>(patch: &'a Patch, keys: &[&str]) -> Vec<PatchedFlag<'a>> {
    let at = Path::of(&["patches"]).index(patch.index).key("patch");
    let at = keys.iter().fold(at, |at, key| at.key(*key));
    match keys.iter().try_fold(&patch.patch, |value, key| value.get(key)) {
        // Up to v1beta3.
        Some(Value::Object(flags)) => flags
            .iter()
            .map(|(name, value)| PatchedFlag {
                name,
                value: (!value.is_null()).then(|| value.as_str().unwrap_or_default()),
                at: at.key(name),
            })
            .collect(),
        // From v1beta4 on.
        Some(Value::Array(flags)) => {
            let flags = flags.iter().enumerate().map(|(index, flag)| PatchedFlag {
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
    cluster: &Cluster,
    what: &str,
    status: Status,
    near: impl FnOnce() -> Option<String>,
    at: Path,
    report: &mut Report,
) {
    let minor = cluster.kubernetes.minor;
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
