//! What a valid inventory may still get wrong about the runtime.

mod mirrors;

use serde_json::Value;

use super::{CONFIG, DOCKER_UNVALIDATED, PASSWORD_PUBLIC};
use crate::catalog::{ContainerdFit, DockerFit, docker};
use crate::inventory::Inventory;
use crate::report::{Finding, Path, Report};
use crate::site::codes::{RUNTIME_TOO_NEW, RUNTIME_TOO_OLD};
use crate::site::{Cluster, RuntimeKind};

fn version() -> Path {
    Path::of(&["runtime", "version"])
}

fn kubernetes() -> Path {
    Path::of(&["cluster", "kubernetes"])
}

pub(super) fn lint(said: &Inventory, cluster: &Cluster<'_>, report: &mut Report) {
    release(cluster, report);
    hosts(cluster, report);
    passwords(cluster, report);
    mirrors::lint(&said.images.mirrors, cluster, report);
}

/// The runtime against the release.
fn release(cluster: &Cluster<'_>, report: &mut Report) {
    let found = match cluster.runtime.kind {
        RuntimeKind::Containerd => of_containerd(cluster),
        RuntimeKind::Docker if cluster.runtime.cri_dockerd => of_cri_dockerd(cluster),
        RuntimeKind::Docker => of_dockershim(cluster),
    };
    if let Some(finding) = found {
        report.push(finding);
    }
}

/// Fields of containerd's `AuthConfig` that are secret
/// (`internal/cri/config/config.go`, up to 1.7 `pkg/cri/config/config.go`); readers of TOML in Go
/// do not tell small letters from large ones.
const SECRET: [&str; 3] = ["auth", "identitytoken", "password"];

/// What a patch gives containerd to log in to a registry with: its file is public.
fn passwords(cluster: &Cluster<'_>, report: &mut Report) {
    for patch in cluster.patches_of(CONFIG, None) {
        let at = Path::of(&["patches"]).index(patch.index).key("patch");
        in_value(&patch.patch, &at, report);
    }
}

fn in_value(value: &Value, at: &Path, report: &mut Report) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let at = at.key(key);
                let secret = SECRET.contains(&key.to_lowercase().as_str());
                match value {
                    Value::String(text) if secret && !text.is_empty() => report.push(password(at)),
                    value => in_value(value, &at, report),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                in_value(item, &at.index(index), report);
            }
        }
        _ => {}
    }
}

fn password(at: Path) -> Finding {
    Finding::new(
        &PASSWORD_PUBLIC,
        at,
        "this logs containerd in to a registry, and its config.toml is a public file of the tree",
    )
    .label("whoever sees the repository has it")
    .help("remove it, and let an entry of `privateFiles` bring the kubelet its own: `{path: /.docker/config.json, secret: registry}`")
}

fn too_old(what: &str, cluster: &Cluster<'_>, least: &str) -> Finding {
    let is = &cluster.runtime.version_text;
    Finding::new(
        &RUNTIME_TOO_OLD,
        version(),
        format!("Kubernetes {} needs {what} {least} or newer, this is {is}", cluster.version),
    )
    .label(format!("older than {least}"))
    .because(kubernetes(), "this release")
    .help(format!("write `version: \"{least}\"` or newer, or leave it out"))
}

fn of_containerd(cluster: &Cluster<'_>) -> Option<Finding> {
    let is = &cluster.runtime.version_text;
    let finding = match cluster.release.runtimes.containerd(cluster.runtime.version) {
        ContainerdFit::Serves => return None,
        ContainerdFit::TooOld { least } => too_old("containerd", cluster, &least.series()),
        ContainerdFit::CriGone { since } => Finding::new(
            &RUNTIME_TOO_NEW,
            version(),
            format!(
                "Kubernetes {} speaks a CRI that containerd {} dropped, this is {is}",
                cluster.version,
                since.series()
            ),
        )
        .label(format!("older than {} is needed", since.series()))
        .because(kubernetes(), "this release")
        .help("write `version: \"1.7\"`, or leave it out"),
        ContainerdFit::Unknown => Finding::new(
            &RUNTIME_TOO_NEW,
            version(),
            format!("containerd {is} is outside the catalog, its configuration is unknown"),
        )
        .label("not in the catalog")
        .help("choose a series that the catalog knows, or leave it out"),
    };
    Some(finding)
}

fn of_dockershim(cluster: &Cluster<'_>) -> Option<Finding> {
    match cluster.release.runtimes.docker(cluster.runtime.version) {
        // That there is no dockershim at all is a finding of its own.
        DockerFit::Serves | DockerFit::NoDockershim => return None,
        DockerFit::TooOld { least } => {
            return Some(too_old("docker", cluster, &least.to_string()));
        }
        DockerFit::Unvalidated => {}
    }
    let is = &cluster.runtime.version_text;
    Some(
        Finding::new(
            &DOCKER_UNVALIDATED,
            version(),
            format!("docker {is} was never validated with Kubernetes {}", cluster.version),
        )
        .label("kubeadm's preflight warns")
        .because(kubernetes(), "this release")
        .help("choose an older docker, or leave `version` out"),
    )
}

fn of_cri_dockerd(cluster: &Cluster<'_>) -> Option<Finding> {
    let drives = docker(cluster.runtime.version).cri_dockerd;
    (!drives).then(|| too_old("cri-dockerd, which drives docker", cluster, "20.10"))
}

/// The runtime against each host's kernel interface; reported once, at the first such node.
fn hosts(cluster: &Cluster<'_>, report: &mut Report) {
    if cluster.runtime.kind != RuntimeKind::Docker || docker(cluster.runtime.version).cgroup_v2 {
        return;
    }
    let Some(node) = cluster.nodes.iter().find(|node| node.kubelet() && node.os.cgroup_v2) else {
        return;
    };
    let is = &cluster.runtime.version_text;
    report.push(
        Finding::new(
            &RUNTIME_TOO_OLD,
            version(),
            format!(
                "docker {is} starts no container under cgroup v2, which {} boots with",
                node.os.id
            ),
        )
        .label("20.10 is the first that does")
        .because(node.path().key("os"), format!("{} runs it", node.name))
        .help("write `version: \"20.10\"`, or choose an operating system with cgroup v1"),
    );
}
