use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::plan::Planned;
use super::repositories::{self, RepositoryContext};
use crate::catalog::PackageManager;
use crate::cluster::Node;
use crate::rooms::Rendering;
use crate::rooms::claims::{Archive, NodeClaims, Package, Repository};

/// What `10-prepare.sh` installs.
#[derive(Serialize)]
pub(super) struct PackagesContext<'a> {
    /// Nothing is installed, programs are looked for.
    preinstalled: bool,
    /// `apt-get`, `dnf` or `yum`.
    manager: &'static str,
    repositories: Vec<RepositoryContext>,
    /// Whether these are all; otherwise the host's own serve as well.
    only_named: bool,
    /// Names, with the exact version in the manager's own form where one is pinned.
    packages: Vec<String>,
    /// Names whose upgrades are held back.
    held: Vec<String>,
    /// What runs on as it was until it is restarted.
    restarts: Vec<Restarts<'a>>,
    /// What is looked for where packages are preinstalled.
    programs: BTreeSet<String>,
    archives: Vec<ArchiveContext<'a>>,
}

/// The units of the room that asked for a package.
#[derive(Serialize)]
struct Restarts<'a> {
    /// As in [`PackagesContext::packages`].
    package: String,
    units: Vec<&'a str>,
}

#[derive(Serialize)]
struct ArchiveContext<'a> {
    name: &'static str,
    /// Units that run its programs.
    units: Vec<&'a str>,
    version: Vec<String>,
    prints: String,
    sources: Vec<SourceContext>,
    programs: Vec<&'static str>,
    directory: &'static str,
}

#[derive(Serialize)]
struct SourceContext {
    machine: &'static str,
    url: String,
    sha256: String,
    folder: String,
}

impl<'a> PackagesContext<'a> {
    pub(super) fn new(planned: &Planned, with: &'a Rendering<'_>, node: &Node) -> Self {
        let claims = with.claims.of(node.index);
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
            repositories: repositories::of(&used, &planned.mirrors, with.cluster, node.os),
            only_named: planned.mirrors.distribution.is_some(),
            packages: wanted
                .values()
                .map(|package| exact(package, &with.claims.package_versions, apt))
                .collect(),
            held: wanted
                .values()
                .filter(|package| package.hold)
                .map(|package| package.name.clone())
                .collect(),
            restarts: wanted
                .values()
                .map(|package| Restarts {
                    package: exact(package, &with.claims.package_versions, apt),
                    units: services(package.room, claims),
                })
                .filter(|restarts| !restarts.units.is_empty())
                .collect(),
            programs: claims
                .packages
                .iter()
                .filter_map(|package| package.program.clone())
                .collect(),
            archives: claims
                .archives
                .iter()
                .map(|archive| {
                    let units = services(archive.room, claims);
                    ArchiveContext::new(archive, units, planned.mirrors.archives.as_deref())
                })
                .collect(),
        }
    }
}

/// The daemons that a room runs. The host's tools are no part of its clock.
fn services<'a>(room: &str, claims: &'a NodeClaims) -> Vec<&'a str> {
    let units = claims.units.iter().filter(|unit| unit.room == room && room != "host");
    units.map(|unit| unit.name.as_str()).filter(|name| name.ends_with(".service")).collect()
}

/// `kubeadm=1.30.4-1.1` or `kubeadm-1.30.4-150500.1.1`. What the inventory pins comes first.
fn exact(package: &Package, pinned: &BTreeMap<String, String>, apt: bool) -> String {
    match pinned.get(&package.name).or(package.version.as_ref()) {
        Some(version) if apt => format!("{}={version}", package.name),
        Some(version) => format!("{}-{version}", package.name),
        None => package.name.clone(),
    }
}

impl<'a> ArchiveContext<'a> {
    fn new(archive: &Archive, units: Vec<&'a str>, mirror: Option<&str>) -> Self {
        let Archive { room: _, name, base, sources, programs, directory, version, prints } =
            archive;
        let below = |path: &str| format!("{}/{path}", mirror.unwrap_or(base));
        Self {
            name,
            units,
            version: version.clone(),
            prints: prints.clone(),
            sources: sources
                .iter()
                .map(|source| SourceContext {
                    machine: source.machine,
                    url: below(&source.path),
                    sha256: source.sha256.clone(),
                    folder: source.folder.clone(),
                })
                .collect(),
            programs: programs.clone(),
            directory,
        }
    }
}
