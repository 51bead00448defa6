use std::collections::BTreeMap;

use super::claims::{needed, preferred, spelt};
use super::{
    KEY_UNPINNED, PACKAGE_MISSING, PACKAGES_UNUSED, REPOSITORY_FORM, REPOSITORY_KEY, SYSCTL_NEEDED,
    SYSCTL_NOT_SET, archives,
};
use crate::catalog::{OsFamily, docker, key_fingerprint};
use crate::cluster::{Cluster, RuntimeKind};
use crate::inventory::packages::{
    PackageSource, PackagesSection, RepositoriesSection, RepositorySection,
};
use crate::inventory::values::{SysctlKey, SysctlValue};
use crate::report::{Finding, Path, Report, closest};

fn section() -> Path {
    Path::of(&["packages"])
}

const PREINSTALLED: &str = "install it yourself and write `packages: {source: preinstalled}`";

/// Packages that no repository has, and repositories that no package manager would take.
pub(super) fn packages(said: &PackagesSection, cluster: &Cluster, report: &mut Report) {
    // Versions are compared with what all rooms need.
    let PackagesSection { source, repositories, versions: _, archives: _, digests } = said;
    if *source == PackageSource::Preinstalled {
        unused(said, report);
        return;
    }
    archives::lint(digests, cluster, report);
    let RepositoriesSection { distribution, runtime, kubernetes } = repositories;
    let at = section().key("repositories");
    if kubernetes.is_none() && !cluster.release.package_layout.reachable() {
        report.push(
            Finding::new(
                &PACKAGE_MISSING,
                at.key("kubernetes"),
                format!(
                    "the repositories that had Kubernetes {} were taken down on 2024-03-04",
                    cluster.kubernetes
                ),
            )
            .label("no repository is named")
            .because(Path::of(&["cluster", "kubernetes"]), "this release")
            .help("name a mirror in `packages.repositories.kubernetes`, with its key, or write `packages: {source: preinstalled}`"),
        );
    }
    let named = [("distribution", distribution), ("runtime", runtime), ("kubernetes", kubernetes)];
    let named = named.map(|(name, said)| said.as_ref().map(|said| (at.key(name), said)));
    let named: Vec<(Path, &RepositorySection)> = named.into_iter().flatten().collect();
    for (at, said) in &named {
        key(at, said, report);
        form(at, said, cluster, report);
    }
    one_key(&named, report);
    if cluster.runtime.kind == RuntimeKind::Docker {
        of_docker(cluster, report);
    }
}

/// What only scripts that install something would read.
fn unused(said: &PackagesSection, report: &mut Report) {
    let PackagesSection { source: _, repositories, versions, archives, digests } = said;
    let RepositoriesSection { distribution, runtime, kubernetes } = repositories;
    let repositories = section().key("repositories");
    let named = [
        (repositories.key("distribution"), distribution.is_some()),
        (repositories.key("runtime"), runtime.is_some()),
        (repositories.key("kubernetes"), kubernetes.is_some()),
        (section().key("versions"), !versions.is_empty()),
        (section().key("archives"), archives.is_some()),
        (section().key("digests"), !digests.is_empty()),
    ];
    for (at, _) in named.into_iter().filter(|(_, named)| *named) {
        report.push(
            Finding::new(&PACKAGES_UNUSED, at, "the scripts install nothing, so none reads this")
                .label("without effect")
                .because(section().key("source"), "everything is there already")
                .help("remove it, or write `source: repository`"),
        );
    }
}

/// Exactly one way to the key.
fn key(at: &Path, said: &RepositorySection, report: &mut Report) {
    let RepositorySection { url: _, suite: _, components: _, key, keys, keyring } = said;
    let ways = [("key", key.is_some()), ("keys", !keys.is_empty()), ("keyring", keyring.is_some())];
    let ways: Vec<&str> = ways.iter().filter(|(_, said)| *said).map(|(name, _)| *name).collect();
    match ways[..] {
        [] => report.push(
            Finding::new(
                &REPOSITORY_KEY,
                at.clone(),
                "packages of a repository without a key cannot be told from forged ones",
            )
            .label("no key is named for it")
            .help("write the signing key itself as `key`, its URL in `keys`, or as `keyring` the file that hosts have already"),
        ),
        [_] => {}
        [first, second, ..] => report.push(
            Finding::new(
                &REPOSITORY_KEY,
                at.key(second),
                format!("`{first}` and `{second}` both say which key signs the repository"),
            )
            .label("one too many")
            .because(at.key(first), "the other")
            .help("keep one of them"),
        ),
    }
    for (index, key) in keys.iter().enumerate() {
        let url = key.url().as_str();
        if key.fingerprints().is_empty() && key_fingerprint(url).is_none() {
            report.push(unpinned(url, at.key("keys").index(index)));
        }
    }
}

fn unpinned(url: &str, at: Path) -> Finding {
    let message = format!("whoever sits between a node and {url} can put a key of their own there");
    Finding::new(&KEY_UNPINNED, at, message)
        .label("nothing tells the right key from another")
        .help(format!(
            "write the key itself as `key`, or its fingerprint beside its URL: `{{url: \"{url}\", fingerprints: [\"…\"]}}`"
        ))
}

/// What sources.list(5) and a `.repo` file have words for.
fn form(at: &Path, said: &RepositorySection, cluster: &Cluster, report: &mut Report) {
    let RepositorySection { suite, components, .. } = said;
    let apt = cluster.nodes.iter().any(|node| node.os.family == OsFamily::Debian);
    let flat = suite.as_ref().is_none_or(|suite| suite.as_str().ends_with('/'));
    let finding = if !apt && (suite.is_some() || !components.is_empty()) {
        let key = if suite.is_some() { "suite" } else { "components" };
        let text = "dnf and yum know neither suites nor components, and no node has apt";
        Finding::new(&REPOSITORY_FORM, at.key(key), text)
            .label("nobody reads it")
            .help("remove it, and write the whole baseurl as `url`")
    } else if flat && !components.is_empty() {
        let text = "a flat repository has no components";
        let finding = Finding::new(&REPOSITORY_FORM, at.key("components"), text)
            .help("name the `suite`, such as bookworm, or remove `components`");
        match suite {
            Some(_) => finding.because(at.key("suite"), "ends in `/`: a flat repository"),
            None => finding.label("no suite is named, so it is one folder"),
        }
    } else if !flat && components.is_empty() {
        let suite = suite.as_ref().map_or("", |suite| suite.as_str());
        let text = format!("apt wants to know which components of the suite {suite} to take");
        Finding::new(&REPOSITORY_FORM, at.key("suite"), text)
            .label("without components")
            .help("add `components: [main]`, or end it in `/` if it is a folder")
    } else {
        return;
    };
    report.push(finding);
}

/// apt refuses one source that is signed in two ways.
fn one_key(named: &[(Path, &RepositorySection)], report: &mut Report) {
    let mut seen: BTreeMap<(&str, &str), &(Path, &RepositorySection)> = BTreeMap::new();
    for entry in named {
        let (at, said) = entry;
        let suite = said.suite.as_ref().map_or("/", |suite| suite.as_str());
        let source = (said.url.as_str().trim_end_matches('/'), suite);
        let (other, first) = seen.entry(source).or_insert(entry);
        let keys =
            |said: &RepositorySection| (said.key.clone(), said.keys.clone(), said.keyring.clone());
        if keys(first) != keys(said) {
            let text = "the same repository is named twice, with different keys";
            report.push(
                Finding::new(&REPOSITORY_KEY, at.key("url"), text)
                    .because(other.key("url"), "named here as well")
                    .help("write the same key for both"),
            );
        }
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
            (None, None) if !preferred(cluster).contains_key(&name) => {
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
    let preferred = preferred(cluster);
    let ours = needed(cluster).map(|(ours, _)| ours).chain(preferred.keys().map(String::as_str));
    match closest(name, ours) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("remove it"),
    }
}
