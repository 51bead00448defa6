//! What clusters are made of: a release of Kubernetes, on systems.

use std::fs;
use std::path::{Path, PathBuf};

use hagen::catalog::{self, KubernetesVersion};

use crate::topologies::{RELEASES, SYSTEMS};

/// A release of Kubernetes that clusters can have.
pub(crate) struct Release {
    /// Such as 1.37.
    pub(crate) minor: &'static str,
    /// What builds its programs; see `tests/real/go/build`.
    pub(crate) module: &'static str,
    /// What inventories say for it on this kind of host.
    pub(crate) more: &'static str,
    /// Further arguments of `hagen secrets new`.
    pub(crate) secrets: &'static [&'static str],
}

/// A system that machines can have.
#[derive(Debug)]
pub(crate) struct System {
    /// Its name in the catalog, such as `rocky-9`.
    pub(crate) name: &'static str,
    /// The folder of the site's mirror that has its packages.
    pub(crate) repository: &'static str,
    /// The program that installs packages.
    pub(crate) manager: &'static str,
    /// The one minor of Kubernetes that it runs, where that is not any.
    pub(crate) only: Option<&'static str>,
}

impl Release {
    /// The release of a minor.
    pub(crate) fn of(minor: &str) -> &'static Self {
        let found = RELEASES.iter().find(|release| release.minor == minor);
        found.unwrap_or_else(|| panic!("Kubernetes {minor} is not in topologies.rs"))
    }

    /// The exact version, such as 1.37.1: the one whose programs are built.
    pub(crate) fn version(&self) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/go").join(self.module);
        // Of a Go module, or of the script that builds Debian's source package.
        let said = [("go.mod", "k8s.io/kubernetes v"), ("build", "version=v")];
        let found = said.iter().find_map(|(file, before)| {
            let text = fs::read_to_string(folder.join(file)).ok()?;
            let (_, rest) = text.split_once(before)?;
            rest.split_whitespace().next().map(str::to_owned)
        });
        found.unwrap_or_else(|| panic!("{} says no version of Kubernetes", folder.display()))
    }

    fn facts(&self) -> (&'static catalog::Release, catalog::VersionPart) {
        let version: KubernetesVersion = self.version().parse().unwrap();
        (version.release().unwrap(), version.patch)
    }

    /// The version of etcd that goes with it.
    pub(crate) fn etcd(&self) -> String {
        let (facts, patch) = self.facts();
        facts.etcd_version(patch).to_string()
    }

    /// The Go modules, beside those of every release, that its programs are built from: itself,
    /// etcd and CoreDNS. `tests/real/supply/make` compares the last two with what kubeadm wants.
    pub(crate) fn modules(&self) -> [String; 3] {
        let (facts, patch) = self.facts();
        let series = |version: &str| {
            let numbers: Vec<&str> = version.trim_start_matches('v').split('.').collect();
            numbers[..2].join(".")
        };
        let [etcd, coredns] = [&self.etcd(), facts.coredns(patch)].map(series);
        [self.module.to_owned(), format!("etcd-{etcd}"), format!("coredns-{coredns}")]
    }
}

impl System {
    /// The system of a name.
    pub(crate) fn of(name: &str) -> &'static Self {
        let found = SYSTEMS.iter().find(|system| system.name == name);
        found.unwrap_or_else(|| panic!("the system {name} is not in topologies.rs"))
    }

    /// Whether its packages are RPMs.
    pub(crate) fn has_rpms(&self) -> bool {
        self.manager != "apt-get"
    }

    /// Where a freshly installed one is.
    pub(crate) fn base(&self, supply: &Path) -> PathBuf {
        match self.has_rpms() {
            false => supply.join("base"),
            true => supply.join(format!("base-{}", self.name)),
        }
    }

    /// What inventories say for it.
    pub(crate) fn said(&self) -> String {
        let (distribution, release) = self.name.split_once('-').unwrap();
        format!("os: {{distribution: {distribution}, release: \"{release}\"}}")
    }
}
