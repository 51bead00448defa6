use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Planned;
use crate::catalog::{OsRelease, PackageManager};
use crate::cluster::{Cluster, Node};
use crate::rooms::claims::{Archive, NodeClaims, Package, Repository};

/// What `10-prepare.sh` installs.
#[derive(Serialize)]
pub(super) struct PackagesContext {
    /// Nothing is installed, programs are looked for.
    preinstalled: bool,
    /// `apt-get`, `dnf` or `yum`.
    manager: &'static str,
    repositories: Vec<RepositoryContext>,
    /// Names, with the exact version in the manager's own form where one is pinned.
    packages: Vec<String>,
    /// Names whose upgrades are held back.
    held: Vec<String>,
    /// What is looked for where packages are preinstalled.
    programs: BTreeSet<String>,
    archives: Vec<ArchiveContext>,
}

#[derive(Serialize)]
struct RepositoryContext {
    /// Part of file names: `kubernetes`, `docker`.
    id: &'static str,
    /// apt: what follows `deb [signed-by=…]`; rpm: the baseurl.
    url: String,
    keys: Vec<String>,
}

#[derive(Serialize)]
struct ArchiveContext {
    name: &'static str,
    version: Vec<String>,
    prints: String,
    sources: Vec<SourceContext>,
    checksums: String,
    programs: Vec<&'static str>,
    directory: &'static str,
}

#[derive(Serialize)]
struct SourceContext {
    machine: &'static str,
    url: String,
    folder: String,
}

impl PackagesContext {
    pub(super) fn new(
        planned: &Planned,
        cluster: &Cluster,
        node: &Node,
        claims: &NodeClaims,
    ) -> Self {
        // One room may ask for what another asks for more exactly.
        let mut wanted: BTreeMap<&str, &Package> = BTreeMap::new();
        for package in &claims.packages {
            let known = wanted.entry(&package.name).or_insert(package);
            if known.version.is_none() {
                *known = package;
            }
        }
        let apt = node.os.package_manager == PackageManager::Apt;
        let used: BTreeSet<Repository> =
            wanted.values().map(|package| package.repository).collect();
        Self {
            preinstalled: planned.preinstalled,
            manager: match node.os.package_manager {
                PackageManager::Apt => "apt-get",
                PackageManager::Dnf => "dnf",
                PackageManager::Yum => "yum",
            },
            repositories: used
                .into_iter()
                .filter_map(|repository| {
                    RepositoryContext::new(repository, planned, cluster, node.os)
                })
                .collect(),
            packages: wanted.values().map(|package| exact(package, apt)).collect(),
            held: wanted
                .values()
                .filter(|package| package.hold)
                .map(|package| package.name.clone())
                .collect(),
            programs: claims
                .packages
                .iter()
                .filter_map(|package| package.program.clone())
                .collect(),
            archives: claims.archives.iter().map(ArchiveContext::from).collect(),
        }
    }
}

/// `kubeadm=1.30.4-1.1` or `kubeadm-1.30.4-150500.1.1`.
fn exact(package: &Package, apt: bool) -> String {
    match &package.version {
        Some(version) if apt => format!("{}={version}", package.name),
        Some(version) => format!("{}-{version}", package.name),
        None => package.name.clone(),
    }
}

impl RepositoryContext {
    fn new(
        repository: Repository,
        planned: &Planned,
        cluster: &Cluster,
        os: &OsRelease,
    ) -> Option<Self> {
        let apt = os.package_manager == PackageManager::Apt;
        match repository {
            Repository::Distribution => None,
            Repository::Kubernetes => {
                let own = cluster.release.package_layout.repository(cluster.kubernetes.minor);
                let (url, key) = if apt {
                    (own.apt_source, own.apt_key)
                } else {
                    (own.rpm_baseurl, own.rpm_key)
                };
                Some(match &planned.kubernetes_repository {
                    // A flat apt repository, as pkgs.k8s.io itself is.
                    Some(mirror) => Self {
                        id: "kubernetes",
                        url: if apt { format!("{mirror} /") } else { mirror.clone() },
                        keys: planned.kubernetes_keys.clone(),
                    },
                    None => Self { id: "kubernetes", url, keys: vec![key] },
                })
            }
            Repository::Docker => {
                let base = &os.docker_repository;
                Some(Self {
                    id: "docker",
                    url: match &os.codename {
                        Some(codename) if apt => format!("{base} {codename} stable"),
                        _ => format!("{base}/{}/$basearch/stable", os.version),
                    },
                    keys: vec![format!("{base}/gpg")],
                })
            }
        }
    }
}

impl From<&Archive> for ArchiveContext {
    fn from(archive: &Archive) -> Self {
        let Archive { room: _, name, sources, checksums, programs, directory, version, prints } =
            archive;
        Self {
            name,
            version: version.clone(),
            prints: prints.clone(),
            sources: sources
                .iter()
                .map(|source| SourceContext {
                    machine: source.machine,
                    url: source.url.clone(),
                    folder: source.folder.clone(),
                })
                .collect(),
            checksums: checksums.clone(),
            programs: programs.clone(),
            directory,
        }
    }
}
