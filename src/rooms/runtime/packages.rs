//! Which packages bring the runtime, and how exactly their version is asked for.

use crate::catalog::{Version, builds_of, docker_package_version, is_newest_containerd};
use crate::claims::{Package, Repository, WrittenFor};
use crate::inventory::values::ProgramVersion;
use crate::report::Path;
use crate::site::{Cluster, Host, RuntimeKind};

/// What decides the version of the runtime, where it is said.
const RELEASE: &[&str] = &["runtime", "version"];

/// The runtime's packages on this node. `said` is the version in the inventory.
pub(super) fn of(
    node: &Host,
    said: Option<&ProgramVersion>,
    cluster: &Cluster<'_>,
) -> Vec<Package> {
    let at = match said {
        Some(_) => Path::of(RELEASE),
        None => Path::of(&["cluster", "kubernetes"]),
    };
    let exact = said.is_some_and(ProgramVersion::is_exact);
    match cluster.runtime.kind {
        RuntimeKind::Containerd => vec![containerd(node, exact, at, cluster)],
        RuntimeKind::Docker => docker(node, exact, cluster),
    }
}

/// The distribution's own package where it is of the wanted series; Docker's elsewhere.
fn containerd(node: &Host, exact: bool, at: Path, cluster: &Cluster<'_>) -> Package {
    let wanted = cluster.runtime.version;
    if node.os.has_containerd(wanted, exact) {
        let containerd = package("containerd", None, Repository::Distribution, "containerd");
        return of_series(containerd, wanted, at);
    }
    // The newest series is the newest that the repository has, which may lag behind upstream.
    let version = (exact || !is_newest_containerd(wanted))
        .then(|| builds_of("containerd.io", wanted, exact, node.os.family));
    of_series(package("containerd.io", version, Repository::Runtime, "containerd"), wanted, at)
}

/// Its configuration file is of this series.
fn of_series(package: Package, version: Version, at: Path) -> Package {
    let release = version.series();
    Package { written_for: Some(WrittenFor { release, key: RELEASE, at }), ..package }
}

fn docker(node: &Host, exact: bool, cluster: &Cluster<'_>) -> Vec<Package> {
    let version = docker_package_version(cluster.runtime.version, exact, node.os.family);
    let docker = |name, program| package(name, Some(version.clone()), Repository::Runtime, program);
    let mut packages = vec![
        docker("docker-ce", "dockerd"),
        docker("docker-ce-cli", "docker"),
        package("containerd.io", None, Repository::Runtime, "containerd"),
    ];
    if cluster.runtime.cri_dockerd {
        // In no repository: where it is not preinstalled, that is reported.
        packages.push(package("cri-dockerd", None, Repository::Runtime, "cri-dockerd"));
    }
    packages
}

/// Held: an upgrade restarts the runtime, which is not an unattended matter.
fn package(name: &str, version: Option<String>, repository: Repository, program: &str) -> Package {
    Package {
        name: name.to_owned(),
        version,
        written_for: None,
        repository,
        hold: true,
        program: Some(program.to_owned()),
        serves: true,
    }
}
