//! Repositories as a package manager has them.

use std::collections::BTreeSet;

use super::plan::{FetchedKey, Key, Mirror, Mirrors};
use crate::catalog::{OsRelease, PackageManager};
use crate::claims;
use crate::site::Cluster;

/// One repository that `10-prepare.sh` configures.
pub(super) struct Repository {
    /// Part of file names: `kubernetes`.
    pub(super) id: String,
    /// apt: what follows `deb [signed-by=…]`; rpm: the baseurl.
    pub(super) source: String,
    /// The file with the keys.
    pub(super) keyring: String,
    /// The text of that file, where the inventory has it.
    pub(super) armored: Option<String>,
    /// Where the keys are fetched from.
    pub(super) keys: Vec<FetchedKey>,
}

/// The repositories of what is needed. One that several kinds of packages come from is configured
/// once: apt refuses one source with two keyrings.
pub(super) fn of(
    needed: &BTreeSet<claims::Repository>,
    mirrors: &Mirrors,
    cluster: &Cluster<'_>,
    os: &OsRelease,
) -> Vec<Repository> {
    let apt = os.package_manager == PackageManager::Apt;
    let mut merged: Vec<(String, Mirror)> = Vec::new();
    let named = needed.iter().flat_map(|repository| {
        let mirrors = sources(*repository, mirrors, cluster, os).into_iter().enumerate();
        mirrors.map(|(index, mirror)| (id(*repository, index), mirror))
    });
    for (id, mirror) in named {
        match merged.iter_mut().find(|(_, known)| known.is_same_source(&mirror)) {
            Some((_, known)) => {
                known.components.extend(mirror.components);
                known.components.sort();
                known.components.dedup();
            }
            None => merged.push((id, mirror)),
        }
    }
    merged.into_iter().map(|(id, mirror)| repository(id, mirror, apt)).collect()
}

/// The name of one in files of the host; the distribution's first has the plain one.
fn id(repository: claims::Repository, index: usize) -> String {
    let name = match repository {
        claims::Repository::Distribution => "distribution",
        claims::Repository::Kubernetes => "kubernetes",
        claims::Repository::Runtime => "runtime",
    };
    match index {
        0 => name.to_owned(),
        index => format!("{name}-{}", index + 1),
    }
}

impl Mirror {
    /// Whether apt and dnf take the two for one.
    fn is_same_source(&self, other: &Self) -> bool {
        let address = |mirror: &Self| mirror.url.trim_end_matches('/').to_owned();
        address(self) == address(other) && self.suite == other.suite && self.key == other.key
    }
}

/// The site's mirrors, else upstream's; none for what the host has configured itself.
fn sources(
    repository: claims::Repository,
    mirrors: &Mirrors,
    cluster: &Cluster<'_>,
    os: &OsRelease,
) -> Vec<Mirror> {
    match repository {
        claims::Repository::Distribution => mirrors.distribution.clone(),
        claims::Repository::Kubernetes => {
            vec![mirrors.kubernetes.clone().unwrap_or_else(|| of_kubernetes(cluster, os))]
        }
        claims::Repository::Runtime => {
            vec![mirrors.runtime.clone().unwrap_or_else(|| of_docker(os))]
        }
    }
}

fn of_kubernetes(cluster: &Cluster<'_>, os: &OsRelease) -> Mirror {
    let own = cluster.release.package_layout.repository(cluster.version.minor);
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

fn repository(id: String, mirror: Mirror, apt: bool) -> Repository {
    let Mirror { url, suite, components, key } = mirror;
    let words: Vec<String> = [url.clone(), suite].into_iter().chain(components).collect();
    let own = if apt {
        format!("/etc/apt/keyrings/hagen-{id}.asc")
    } else {
        format!("/etc/pki/rpm-gpg/hagen-{id}.asc")
    };
    let (keyring, armored, keys) = match key {
        Key::Inline(text) => (own, Some(text), Vec::new()),
        Key::Fetched(keys) => (own, None, keys),
        Key::File(path) => (path, None, Vec::new()),
    };
    let source = if apt { words.join(" ") } else { url };
    Repository { id, source, keyring, armored, keys }
}
