//! `packages`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::host::OsSection;
use super::values::{
    self, AbsolutePath, AptComponent, AptSuite, ArchiveName, ArmoredKey, Fingerprint, PackageName,
    PackageVersion, Sha256, Url,
};

/// Where the scripts get packages from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PackageSource {
    /// The distribution's repositories, the container runtime's and Kubernetes' own.
    #[default]
    Repository,
    /// Everything is installed already; the scripts only check that it is there.
    Preinstalled,
}

/// Where packages come from.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackagesSection {
    /// Whether scripts install packages or only check for them. Default: `repository`.
    #[serde(default)]
    pub source: PackageSource,
    /// Mirrors of the site, by what they have. Several may be one and the same repository.
    #[serde(default)]
    pub repositories: RepositoriesSection,
    /// Exact versions by package name, or patterns with `*`, as the package manager writes them:
    /// `2.6.*`, `1.37.1-1.1`. Default: what each component's own `version` asks for, else the
    /// newest that the repository has.
    #[serde(default)]
    #[schemars(schema_with = "values::keyed::<PackageName, PackageVersion>")]
    pub versions: BTreeMap<PackageName, PackageVersion>,
    /// What is another for nodes of one system, where a cluster has several. Default: none.
    #[serde(default)]
    pub systems: Vec<SystemPackages>,
    /// A mirror of etcd's releases, with the folders and archives of upstream below it:
    /// `v3.6.8/etcd-v3.6.8-linux-amd64.tar.gz`. What comes from it is compared with the digest
    /// that hagen knows, or with `digests`. Default:
    /// `https://github.com/etcd-io/etcd/releases/download`.
    pub archives: Option<Url>,
    /// SHA-256 digests of release archives by file name: of those that hagen does not know, and of
    /// those that a mirror has made itself. They come before hagen's own. Default: none.
    #[serde(default)]
    #[schemars(schema_with = "values::keyed::<ArchiveName, Sha256>")]
    pub digests: BTreeMap<ArchiveName, Sha256>,
}

/// Packages of the nodes of one system.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SystemPackages {
    /// The system, as `os` or a node's own `os` says it.
    pub os: OsSection,
    /// Mirrors that its nodes ask. Default, for each: what `packages.repositories` says.
    #[serde(default)]
    pub repositories: RepositoriesSection,
    /// Exact versions or patterns for its nodes. Default, for each package: what
    /// `packages.versions` says.
    #[serde(default)]
    #[schemars(schema_with = "values::keyed::<PackageName, PackageVersion>")]
    pub versions: BTreeMap<PackageName, PackageVersion>,
}

/// Mirrors of the site, by what they have.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RepositoriesSection {
    /// The distribution's packages. Where it is named, the scripts ask no repository that the
    /// host has configured by itself. Default: what the host has configured.
    pub distribution: Option<RepositorySection>,
    /// Further repositories of the distribution: AppStream beside BaseOS, `bookworm-security` beside
    /// `bookworm`. Default: none.
    #[serde(default)]
    pub others: Vec<RepositorySection>,
    /// The container runtime's packages. Default: download.docker.com.
    pub runtime: Option<RepositorySection>,
    /// Kubernetes' packages. Needed below Kubernetes 1.24, whose official repositories were
    /// removed on 2024-03-04. Default: pkgs.k8s.io.
    pub kubernetes: Option<RepositorySection>,
}

/// One package repository, and exactly one way to the key that signs it: `key`, `keys` or
/// `keyring`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RepositorySection {
    /// Its address: apt's URI, or dnf's `baseurl`.
    pub url: Url,
    /// apt: the suite, such as `bookworm`; one that ends in `/` names a flat repository.
    /// Default: `/`.
    pub suite: Option<AptSuite>,
    /// apt: the components of the suite; none of a flat repository. Default: none.
    #[serde(default)]
    pub components: Vec<AptComponent>,
    /// The signing key itself, ASCII-armoured. Nothing has to be fetched, and nobody between the
    /// node and the mirror can exchange it. Default: none.
    pub key: Option<ArmoredKey>,
    /// The signing keys, ASCII-armoured, that `10-prepare.sh` fetches and compares with their
    /// fingerprints. Default: none.
    #[serde(default)]
    pub keys: Vec<FetchedKey>,
    /// The file with the signing keys that the host has already, such as
    /// `/usr/share/keyrings/debian-archive-keyring.gpg`. Default: none.
    pub keyring: Option<AbsolutePath>,
}

/// A file of signing keys that is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FetchedKey {
    /// The URL alone, where hagen knows the fingerprint: under <https://pkgs.k8s.io> and
    /// <https://download.docker.com>.
    Known(Url),
    /// The URL and what it has to lead to.
    Pinned(PinnedKey),
}

/// A file of signing keys, and which keys these are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PinnedKey {
    /// Where the file is.
    pub url: Url,
    /// The fingerprints of all keys in it, from a source that can be trusted: the publisher's
    /// documentation, a host that has the key.
    #[schemars(length(min = 1))]
    pub fingerprints: Vec<Fingerprint>,
}

impl FetchedKey {
    /// Where the file is.
    pub fn url(&self) -> &Url {
        match self {
            Self::Known(url) | Self::Pinned(PinnedKey { url, fingerprints: _ }) => url,
        }
    }

    /// The fingerprints that are said.
    pub fn fingerprints(&self) -> &[Fingerprint] {
        match self {
            Self::Known(_) => &[],
            Self::Pinned(PinnedKey { url: _, fingerprints }) => fingerprints,
        }
    }
}
