use std::collections::BTreeMap;

use crate::catalog::containerd;
use crate::inventory::images::MirrorSection;
use crate::inventory::values::Url;
use crate::report::{Finding, Path, Report};
use crate::rooms::runtime::plan::names_api_root;
use crate::rooms::runtime::{
    MIRROR_OVER_HTTP, MIRROR_TWICE, MIRROR_UNSUPPORTED, section_of_mirrors,
};
use crate::site::{Cluster, RuntimeKind};

/// Mirrors that nobody reads, that contradict each other, or that anybody can pose as.
pub(super) fn lint(said: &[MirrorSection], cluster: &Cluster<'_>, report: &mut Report) {
    if said.is_empty() {
        return;
    }
    unsupported(cluster, report);
    let mut seen = BTreeMap::new();
    for (index, mirror) in said.iter().enumerate() {
        let at = section_of_mirrors().index(index);
        let MirrorSection { registry, endpoints, only: _, ca: _ } = mirror;
        if let Some(first) = seen.insert(registry, at.clone()) {
            report.push(
                Finding::new(
                    &MIRROR_TWICE,
                    at.key("registry"),
                    format!("the mirrors of {registry} are named twice"),
                )
                .because(first.key("registry"), "named here as well")
                .help("write all its endpoints into one list"),
            );
        }
        paths(endpoints, &at, cluster, report);
        let plain =
            endpoints.iter().enumerate().filter(|(_, url)| url.as_str().starts_with("http:"));
        for (index, url) in plain {
            report.push(
                Finding::new(
                    &MIRROR_OVER_HTTP,
                    at.key("endpoints").index(index),
                    format!(
                        "whoever sits between a node and {url} can put images of their own there"
                    ),
                )
                .label("fetched unprotected")
                .help("give an https URL, with the certificate of its authority as `ca`"),
            );
        }
    }
}

/// A path in the API, for a containerd that cannot be told so.
fn paths(endpoints: &[Url], at: &Path, cluster: &Cluster<'_>, report: &mut Report) {
    let series = containerd(cluster.runtime.version);
    if !series.is_some_and(|series| series.registry_config_path && !series.registry_override_path) {
        return;
    }
    let inside = endpoints.iter().enumerate().filter(|(_, url)| names_api_root(url.as_str()));
    for (index, url) in inside {
        let is = &cluster.runtime.version_text;
        report.push(
            Finding::new(
                &MIRROR_UNSUPPORTED,
                at.key("endpoints").index(index),
                format!("containerd {is} would ask {url} for another /v2 below its path"),
            )
            .label("1.6 is the first that takes a path as it stands")
            .because(Path::of(&["runtime", "version"]), "this version")
            .help("choose containerd 1.6 or newer"),
        );
    }
}

fn unsupported(cluster: &Cluster<'_>, report: &mut Report) {
    let runtime = Path::of(&["runtime"]);
    let is = &cluster.runtime.version_text;
    let finding = match cluster.runtime.kind {
        RuntimeKind::Docker => Finding::new(
            &MIRROR_UNSUPPORTED,
            section_of_mirrors(),
            "docker knows mirrors of docker.io only, which no image of Kubernetes comes from",
        )
        .because(runtime.key("kind"), "docker")
        .help("name the mirror in `images.registry`; for docker.io, patch `registry-mirrors` into `runtime/DockerDaemon`"),
        RuntimeKind::Containerd
            if containerd(cluster.runtime.version).is_some_and(|series| !series.registry_config_path) =>
        {
            Finding::new(
                &MIRROR_UNSUPPORTED,
                section_of_mirrors(),
                format!("containerd {is} does not read hosts.toml; 1.5 is the first that does"),
            )
            .because(runtime.key("version"), "this version")
            .help("choose containerd 1.5 or newer, or name the mirror in `images.registry`")
        }
        RuntimeKind::Containerd => return,
    };
    report.push(finding);
}
