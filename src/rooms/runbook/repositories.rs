use std::collections::BTreeSet;

use serde::Serialize;

use super::plan::{FetchedKey, Key, Mirror, Mirrors};
use crate::catalog::{OsRelease, PackageManager};
use crate::cluster::Cluster;
use crate::rooms::claims::Repository;

/// One repository that `10-prepare.sh` configures.
#[derive(Serialize)]
pub(super) struct RepositoryContext {
    /// Part of file names: `kubernetes`.
    id: &'static str,
    /// apt: what follows `deb [signed-by=…]`; rpm: the baseurl.
    url: String,
    /// Whether upgrades of Kubernetes' packages are left out of it.
    kubernetes: bool,
    /// The file with the keys; rpm: what `gpgkey` names.
    keyring: String,
    /// The text of that file, where the inventory has it.
    armored: Option<String>,
    /// Where the keys are fetched from.
    keys: Vec<String>,
}

/// The repositories of what is needed. One that several kinds of packages come from is configured
/// once: apt refuses one source with two keyrings.
pub(super) fn of(
    needed: &BTreeSet<Repository>,
    mirrors: &Mirrors,
    cluster: &Cluster,
    os: &OsRelease,
) -> Vec<RepositoryContext> {
    let apt = os.package_manager == PackageManager::Apt;
    let mut merged: Vec<(Repository, Mirror, bool)> = Vec::new();
    for repository in needed {
        let kubernetes = *repository == Repository::Kubernetes;
        let Some(mirror) = source(*repository, mirrors, cluster, os) else { continue };
        let known = merged.iter_mut().find(|(_, known, _)| known.is_same_source(&mirror));
        match known {
            Some((_, known, excluding)) => {
                known.components.extend(mirror.components);
                known.components.sort();
                known.components.dedup();
                *excluding |= kubernetes;
            }
            None => merged.push((*repository, mirror, kubernetes)),
        }
    }
    let contexts = merged.into_iter();
    contexts.map(|(id, mirror, kubernetes)| context(id, mirror, kubernetes, apt)).collect()
}

impl Mirror {
    /// Whether apt and dnf take the two for one.
    fn is_same_source(&self, other: &Self) -> bool {
        let address = |mirror: &Self| mirror.url.trim_end_matches('/').to_owned();
        address(self) == address(other) && self.suite == other.suite && self.key == other.key
    }
}

/// The site's mirror, else upstream's; `None` for what the host has configured itself.
fn source(
    repository: Repository,
    mirrors: &Mirrors,
    cluster: &Cluster,
    os: &OsRelease,
) -> Option<Mirror> {
    match repository {
        Repository::Distribution => mirrors.distribution.clone(),
        Repository::Kubernetes => {
            Some(mirrors.kubernetes.clone().unwrap_or_else(|| of_kubernetes(cluster, os)))
        }
        Repository::Runtime => Some(mirrors.runtime.clone().unwrap_or_else(|| of_docker(os))),
    }
}

fn of_kubernetes(cluster: &Cluster, os: &OsRelease) -> Mirror {
    let own = cluster.release.package_layout.repository(cluster.kubernetes.minor);
    let (source, key) = match os.package_manager {
        PackageManager::Apt => (own.apt_source, own.apt_key),
        PackageManager::Dnf | PackageManager::Yum => (own.rpm_baseurl, own.rpm_key),
    };
    let mut words = source.split(' ').map(str::to_owned);
    Mirror {
        url: words.next().unwrap_or_default(),
        suite: words.next().unwrap_or_default(),
        components: words.collect(),
        key: Key::Fetched(vec![FetchedKey::new(&key, &[])]),
    }
}

fn of_docker(os: &OsRelease) -> Mirror {
    let base = &os.docker_repository;
    let (url, suite, components) = match (os.package_manager, &os.codename) {
        (PackageManager::Apt, Some(codename)) => {
            (base.clone(), codename.clone(), vec!["stable".to_owned()])
        }
        _ => (format!("{base}/{}/$basearch/stable", os.version), String::new(), Vec::new()),
    };
    Mirror {
        url,
        suite,
        components,
        key: Key::Fetched(vec![FetchedKey::new(&format!("{base}/gpg"), &[])]),
    }
}

fn context(
    repository: Repository,
    mirror: Mirror,
    kubernetes: bool,
    apt: bool,
) -> RepositoryContext {
    let id = match repository {
        Repository::Distribution => "distribution",
        Repository::Kubernetes => "kubernetes",
        Repository::Runtime => "runtime",
    };
    let Mirror { url, suite, components, key } = mirror;
    let words: Vec<String> = [url.clone(), suite].into_iter().chain(components).collect();
    let own = if apt {
        format!("/etc/apt/keyrings/hagen-{id}.asc")
    } else {
        format!("/etc/pki/rpm-gpg/hagen-{id}.asc")
    };
    let (keyring, armored, keys) = match key {
        Key::Inline(text) => (own, Some(text), Vec::new()),
        Key::Fetched(keys) => (own, None, keys.into_iter().map(|key| key.url).collect()),
        Key::File(path) => (path, None, Vec::new()),
    };
    RepositoryContext {
        id,
        url: if apt { words.join(" ") } else { url },
        kubernetes,
        keyring,
        armored,
        keys,
    }
}
