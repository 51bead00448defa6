//! What the sections say, with every default filled in.

mod pins;

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::catalog::{OsRelease, key_fingerprint};
use crate::claims::Pin;
use crate::inventory::Inventory;
use crate::inventory::host::{Firewall, HostSection, Selinux};
use crate::inventory::packages::{
    PackageSource, PackagesSection, RepositoriesSection, RepositorySection,
};
use crate::inventory::values::{Fingerprint, SysctlKey, SysctlValue};
use crate::site::{Cluster, Host};

/// What is decided about hosts.
pub(super) struct HostPlan {
    pub(super) set_hostname: bool,
    /// Whether firewalld is told the cluster's ports.
    pub(super) open_firewall: bool,
    /// Nodes' addresses beyond the endpoint's network.
    pub(super) outside: Vec<IpAddr>,
    pub(super) selinux_permissive: bool,
    pub(super) preinstalled: bool,
    mirrors: Mirrors,
    /// Of systems that have their own, by the catalog's name.
    mirrors_of_systems: Vec<(String, Mirrors)>,
    /// The site's folder of etcd's releases.
    pub(super) archives: Option<String>,
    /// Versions of packages, whichever room needs them.
    pub(super) pins: Vec<Pin>,
    /// Kernel modules of the site's own.
    pub(super) modules: Vec<String>,
    /// Kernel settings of the site's own; none where hagen is to set nothing.
    pub(super) sysctls: BTreeMap<SysctlKey, Option<SysctlValue>>,
}

/// The site's own sources; none takes upstream's.
pub(super) struct Mirrors {
    /// The distribution's first, then its others.
    pub(super) distribution: Vec<Mirror>,
    pub(super) runtime: Option<Mirror>,
    pub(super) kubernetes: Option<Mirror>,
}

/// A package repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mirror {
    pub(super) url: String,
    /// apt: what follows the address. Components of one suite may be asked for separately.
    pub(super) suite: String,
    pub(super) components: Vec<String>,
    pub(super) key: Key,
}

/// Where the key that signs a repository comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A file of the tree.
    Inline(String),
    /// Fetched by `10-prepare.sh`.
    Fetched(Vec<FetchedKey>),
    /// A file on the node.
    File(String),
}

/// A file of keys that is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FetchedKey {
    pub(super) url: String,
    /// Of all keys in it, in upper case without blanks. None is known where the lint has refused
    /// the inventory.
    pub(super) fingerprints: Vec<String>,
}

impl FetchedKey {
    /// What the inventory says of it, else what the catalog knows.
    pub(super) fn new(url: &str, said: &[Fingerprint]) -> Self {
        let said = said.iter().map(ToString::to_string);
        let known = key_fingerprint(url).map(str::to_owned).filter(|_| said.len() == 0);
        Self { url: url.to_owned(), fingerprints: said.chain(known).collect() }
    }
}

impl HostPlan {
    /// Where nodes of a system get packages from.
    pub(super) fn mirrors(&self, os: &OsRelease) -> &Mirrors {
        let own = self.mirrors_of_systems.iter().find(|(id, _)| *id == os.id);
        own.map_or(&self.mirrors, |(_, own)| own)
    }

    pub(super) fn new(said: &Inventory, cluster: &Cluster<'_>) -> Self {
        // The proxy is a fact of the site.
        let HostSection { set_hostname, firewall, selinux, sysctls, modules, proxy: _ } =
            &said.host;
        let PackagesSection { source, repositories, versions: _, systems, archives, digests: _ } =
            &said.packages;
        Self {
            set_hostname: *set_hostname,
            open_firewall: *firewall == Firewall::Open,
            outside: cluster
                .nodes
                .iter()
                .flat_map(Host::addresses)
                .filter(|address| !cluster.site.is_in_networks(*address))
                .collect(),
            selinux_permissive: *selinux == Selinux::Permissive,
            preinstalled: *source == PackageSource::Preinstalled,
            mirrors: Mirrors::new(repositories, repositories),
            mirrors_of_systems: systems
                .iter()
                .map(|system| (system.os.id(), Mirrors::new(&system.repositories, repositories)))
                .collect(),
            archives: archives.as_ref().map(|url| url.as_str().trim_end_matches('/').into()),
            pins: pins::of(&said.packages),
            modules: modules.iter().map(ToString::to_string).collect(),
            sysctls: sysctls.clone(),
        }
    }
}

impl Mirrors {
    /// What nodes of a system ask: their own, else what is said for all.
    fn new(own: &RepositoriesSection, all: &RepositoriesSection) -> Self {
        let RepositoriesSection { distribution, others, runtime, kubernetes } = own;
        // Those of a system stand together.
        let (distribution, others) = match distribution {
            Some(_) => (distribution, others),
            None => (&all.distribution, &all.others),
        };
        let mirror =
            |own: &Option<_>, all: &Option<_>| own.as_ref().or(all.as_ref()).map(Mirror::from);
        Self {
            distribution: distribution.iter().chain(others).map(Mirror::from).collect(),
            runtime: mirror(runtime, &all.runtime),
            kubernetes: mirror(kubernetes, &all.kubernetes),
        }
    }
}

impl From<&RepositorySection> for Mirror {
    fn from(section: &RepositorySection) -> Self {
        let RepositorySection { url, suite, components, key, keys, keyring } = section;
        Self {
            url: url.to_string(),
            suite: suite.as_ref().map_or_else(|| "/".to_owned(), ToString::to_string),
            components: components.iter().map(ToString::to_string).collect(),
            // Two of them, or none, are refused by the lint.
            key: match (key, keyring) {
                (Some(key), _) => Key::Inline(key.to_string()),
                (None, Some(file)) => Key::File(file.to_string()),
                (None, None) => Key::Fetched(
                    keys.iter()
                        .map(|key| FetchedKey::new(key.url().as_str(), key.fingerprints()))
                        .collect(),
                ),
            },
        }
    }
}
