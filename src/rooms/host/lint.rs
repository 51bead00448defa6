use super::{PACKAGE_MISSING, REPOSITORY_KEY};
use crate::catalog::docker;
use crate::cluster::{Cluster, RuntimeKind};
use crate::inventory::host::{PackageSource, PackagesSection};
use crate::report::{Finding, Path, Report};

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
