//! `packages`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{
    self, AbsolutePath, AptComponent, AptSuite, ArmoredKey, PackageName, PackageVersion, Url,
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
    /// A mirror of etcd's releases, with the folders, archives and `SHA256SUMS` of upstream below
    /// it: `v3.6.8/etcd-v3.6.8-linux-amd64.tar.gz`. Default:
    /// `https://github.com/etcd-io/etcd/releases/download`.
    pub archives: Option<Url>,
}

/// Mirrors of the site, by what they have.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RepositoriesSection {
    /// The distribution's packages. Where it is named, the scripts ask no repository that the
    /// host has configured by itself. Default: what the host has configured.
    pub distribution: Option<RepositorySection>,
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
    /// URLs of the signing keys, ASCII-armoured; `10-prepare.sh` fetches them. Default: none.
    #[serde(default)]
    pub keys: Vec<Url>,
    /// The file with the signing keys that the host has already, such as
    /// `/usr/share/keyrings/debian-archive-keyring.gpg`. Default: none.
    pub keyring: Option<AbsolutePath>,
}
