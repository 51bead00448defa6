//! Flags and fields that users add to a component: checked against the release, and against what
//! hagen itself decides. Rooms bring the table of what they own.

use std::collections::BTreeMap;

use crate::catalog::flags::{self, Component, Status};
use crate::inventory::values::{FlagName, FlagValue};
use crate::report::{Finding, Path, Report, closest};

use super::{Cluster, codes};

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
    let minor = cluster.kubernetes.minor;
    for flag in said.keys().map(FlagName::as_str) {
        let at = section.key(flag);
        if let Some(finding) = owner(flag, owned, &at) {
            report.push(finding);
            continue;
        }
        let status = flags::flag_status(component, flag, minor);
        let near = || closest(flag, flags::flags(component, minor)).map(|near| format!("--{near}"));
        let what = format!("{} has no flag --{flag}", component.as_str());
        report_absent(cluster, &what, status, near, at, report);
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
