use std::collections::BTreeMap;

use super::claims::{needed, preferred, spelt};
use super::{PACKAGE_MISSING, REPOSITORY_KEY, SYSCTL_NEEDED, SYSCTL_NOT_SET};
use crate::catalog::docker;
use crate::cluster::{Cluster, RuntimeKind};
use crate::inventory::host::{PackageSource, PackagesSection};
use crate::inventory::values::{SysctlKey, SysctlValue};
use crate::report::{Finding, Path, Report, closest};

fn section() -> Path {
    Path::of(&["packages"])
}

const PREINSTALLED: &str = "install it yourself and write `packages: {source: preinstalled}`";

/// Packages that no repository has.
pub(super) fn packages(said: &PackagesSection, cluster: &Cluster, report: &mut Report) {
    let PackagesSection { source, kubernetes_repository, kubernetes_keys } = said;
    if *source == PackageSource::Preinstalled {
        return;
    }
    let repository = section().key("kubernetesRepository");
    if kubernetes_repository.is_none() && !cluster.release.package_layout.reachable() {
        report.push(
            Finding::new(
                &PACKAGE_MISSING,
                repository.clone(),
                format!(
                    "the repositories that had Kubernetes {} were taken down on 2024-03-04",
                    cluster.kubernetes
                ),
            )
            .label("no repository is named")
            .because(Path::of(&["cluster", "kubernetes"]), "this release")
            .help("name a mirror in `packages.kubernetesRepository`, with its `kubernetesKeys`, or write `packages: {source: preinstalled}`"),
        );
    }
    if kubernetes_repository.is_some() && kubernetes_keys.is_empty() {
        report.push(
            Finding::new(
                &REPOSITORY_KEY,
                repository,
                "packages of a repository without a key cannot be told from forged ones",
            )
            .label("no key is named for it")
            .help("name the URL of its signing key in `packages.kubernetesKeys`"),
        );
    }
    if cluster.runtime.kind == RuntimeKind::Docker {
        of_docker(cluster, report);
    }
}

fn of_docker(cluster: &Cluster, report: &mut Report) {
    let runtime = Path::of(&["runtime"]);
    if cluster.runtime.cri_dockerd {
        report.push(
            Finding::new(
                &PACKAGE_MISSING,
                runtime.key("criDockerd"),
                "cri-dockerd is in no package repository",
            )
            .label("nothing to install it from")
            .help(PREINSTALLED),
        );
    }
    if !docker(cluster.runtime.version).client_package {
        let is = &cluster.runtime.version_text;
        report.push(
            Finding::new(
                &PACKAGE_MISSING,
                runtime.key("version"),
                format!("docker {is} has no package `docker-ce-cli`; 18.09 is the first with one"),
            )
            .label("packaged otherwise")
            .help(PREINSTALLED),
        );
    }
}

/// Settings of the site's own that contradict what Kubernetes needs, or that leave out what is
/// not there.
pub(super) fn sysctls(
    said: &BTreeMap<SysctlKey, Option<SysctlValue>>,
    cluster: &Cluster,
    report: &mut Report,
) {
    for (key, value) in said {
        let at = Path::of(&["host", "sysctls", key.as_str()]);
        let name = spelt(key.as_str());
        let need = needed(cluster).find(|(needed, _)| *needed == name);
        match (value, need) {
            (Some(value), Some((_, need))) if value.as_str() != need => {
                report.push(needs(key, value, need, at));
            }
            (None, None) if preferred().all(|(ours, _)| ours != name) => {
                report.push(not_set(key, &name, cluster, at));
            }
            _ => {}
        }
    }
}

fn needs(key: &SysctlKey, value: &SysctlValue, need: &str, at: Path) -> Finding {
    let (room, why) = match key.as_str() {
        key if key.starts_with("net") => ("cni", "carries the packets of pods"),
        _ => ("kubelet", "sets it to its own value at every start"),
    };
    let message = format!("{key} would be {value}, but a node of Kubernetes needs {need}");
    Finding::new(&SYSCTL_NEEDED, at, message)
        .label(format!("needs {need}"))
        .because(Path::of(&[room]), why)
        .help("remove it, or write `null` where this host sets it by other means")
}

fn not_set(key: &SysctlKey, name: &str, cluster: &Cluster, at: Path) -> Finding {
    let finding = Finding::new(&SYSCTL_NOT_SET, at, format!("hagen does not set {key}"))
        .label("nothing to leave out");
    let ours = needed(cluster).chain(preferred()).map(|(ours, _)| ours);
    match closest(name, ours) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("remove it"),
    }
}
