//! Operating systems: families, which share paths and package names, and their releases, which
//! differ in versions.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Version;
use super::version::{from_optional_text, from_text};

/// A family of distributions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OsFamily {
    /// Debian and Ubuntu.
    Debian,
    /// RHEL and its rebuilds: CentOS, Rocky Linux, AlmaLinux.
    Rhel,
}

/// The program that installs packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageManager {
    /// `apt-get`, versions pinned by `apt-mark hold`.
    Apt,
    /// `dnf`, versions pinned by the repository's `exclude`.
    Dnf,
    /// `yum` of CentOS 7, likewise.
    Yum,
}

/// What all releases of a family share.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamilyFacts {
    /// The package with nginx's stream module.
    pub nginx_stream_package: String,
    /// The pattern that nginx.conf must `include` at its top level so that the packaged modules
    /// are loaded. A fixed `load_module` line would fail where the module is built in.
    pub nginx_modules_include: String,
    /// The user that nginx's workers run as.
    pub nginx_user: String,
    /// The user and group that haproxy runs as.
    pub haproxy_user: String,
    /// The folder that the packaged haproxy chroots to.
    pub haproxy_chroot: String,
    /// What every node needs beside Kubernetes: preflight's programs and a clock.
    pub base_packages: Vec<String>,
    /// What kube-proxy's ipvs mode and its operators need.
    pub ipvs_packages: Vec<String>,
    /// The unit of chrony.
    pub time_unit: String,
}

/// A release of a distribution. Versions are those of its own repositories (EPEL for nginx on
/// CentOS 7), as far as a default installation gets them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OsRelease {
    /// Its name in the inventory: `ID` and `VERSION_ID` of os-release with a dash between,
    /// without the point release: `debian-12`, `ubuntu-24.04`, `rocky-9`.
    pub id: String,
    /// `ID` of /etc/os-release.
    pub distribution: String,
    /// `VERSION_ID` of /etc/os-release, or its first number where point releases follow.
    pub version: String,
    /// `VERSION_CODENAME`, which apt's repositories are named by.
    pub codename: Option<String>,
    /// What it shares with others.
    pub family: OsFamily,
    /// What installs packages.
    pub package_manager: PackageManager,
    /// The kernel of a default installation.
    #[serde(deserialize_with = "from_text")]
    pub kernel: Version,
    /// Whether it boots with cgroup v2 alone.
    pub cgroup_v2: bool,
    /// Its haproxy.
    #[serde(deserialize_with = "from_text")]
    pub haproxy: Version,
    /// Its keepalived.
    #[serde(deserialize_with = "from_text")]
    pub keepalived: Version,
    /// Its nginx.
    #[serde(deserialize_with = "from_text")]
    pub nginx: Version,
    /// Its own containerd package, `containerd`; none on the RHEL family, where Docker's
    /// repository has `containerd.io`.
    #[serde(deserialize_with = "from_optional_text")]
    containerd: Option<Version>,
    /// The base of Docker's package repository for it.
    /// <https://docs.docker.com/engine/install/>
    pub docker_repository: String,
    /// Whether nginx comes from EPEL, which must be enabled first.
    pub nginx_needs_epel: bool,
    /// What every node of it needs beside its family's base packages: `tc` is a package of its
    /// own from RHEL 8 on.
    pub extra_packages: Vec<String>,
}

impl OsRelease {
    /// Whether packages of the two distributions are the same builds: all of EL 9 have RHEL 9's.
    pub fn shares_builds(&self, other: &Self) -> bool {
        match (self.family, other.family) {
            (OsFamily::Rhel, OsFamily::Rhel) => self.version == other.version,
            _ => self.id == other.id,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    families: BTreeMap<OsFamily, FamilyFacts>,
    releases: Vec<OsRelease>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    serde_json::from_str(include_str!("os.json")).expect("embedded, and read by every test run")
});

/// The facts about the release named `id`, or `None` where the catalog has none.
pub fn os(id: &str) -> Option<&'static OsRelease> {
    TABLE.releases.iter().find(|release| release.id == id)
}

/// Every release, family by family.
pub fn oses() -> impl Iterator<Item = &'static OsRelease> {
    TABLE.releases.iter()
}

impl OsFamily {
    /// What the family's releases share.
    pub fn facts(self) -> &'static FamilyFacts {
        TABLE.families.get(&self).expect("every family has its facts; tested")
    }
}

/// The oldest kernel with which kube-proxy's nftables mode works.
/// <https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-nftables>
const NFTABLES_KERNEL: Version = Version::new(5, 13, 0);

/// The kernel that merged `nf_conntrack_ipv4` into `nf_conntrack`.
const MERGED_CONNTRACK_KERNEL: Version = Version::new(4, 19, 0);

/// The kernel whose ipvs loses no connection that reuses a port: kube-proxy's
/// `IPVSConnReuseModeFixedKernelVersion` (`pkg/util/kernel/constants.go`).
const CONN_REUSE_KERNEL: Version = Version::new(5, 9, 0);

impl OsRelease {
    /// Whether its own package `containerd` is of this version, or of its series where that is
    /// enough.
    pub fn has_containerd(&self, wanted: Version, exact: bool) -> bool {
        self.containerd.is_some_and(|own| match exact {
            true => own.numbers() == wanted.numbers(),
            false => own.series_numbers() == wanted.series_numbers(),
        })
    }

    /// What its family shares.
    pub fn family_facts(&self) -> &'static FamilyFacts {
        self.family.facts()
    }

    /// The file with the name servers of a default installation. Ubuntu alone has
    /// systemd-resolved on, whose `/etc/resolv.conf` names the host's own loopback.
    pub fn resolver(&self) -> &'static str {
        match self.distribution.as_str() {
            "ubuntu" => "/run/systemd/resolve/resolv.conf",
            _ => "/etc/resolv.conf",
        }
    }

    /// Whether its kernel is new enough for kube-proxy's nftables mode.
    pub fn nftables_mode(&self) -> bool {
        self.kernel.numbers() >= NFTABLES_KERNEL.numbers()
    }

    /// Whether kube-proxy may leave `net.ipv4.vs.conn_reuse_mode` as it is.
    pub fn conn_reuse_mended(&self) -> bool {
        self.kernel.numbers() >= CONN_REUSE_KERNEL.numbers()
    }

    /// The module that tracks IPv4 connections; ipvs needs it loaded. RHEL 8's 4.18 has the
    /// merged one backported.
    pub fn conntrack_module(&self) -> &'static str {
        let backported = self.family == OsFamily::Rhel && self.kernel.major.0 == 4;
        if backported || self.kernel.numbers() >= MERGED_CONNTRACK_KERNEL.numbers() {
            "nf_conntrack"
        } else {
            "nf_conntrack_ipv4"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{haproxy, keepalived};

    #[test]
    fn every_release_has_a_family_and_a_name_of_its_parts() {
        for release in oses() {
            assert_eq!(release.id, format!("{}-{}", release.distribution, release.version));
            assert!(!release.family_facts().base_packages.is_empty());
            assert_eq!(os(&release.id).map(|found| &found.id), Some(&release.id));
        }
        assert!(os("debian-9").is_none());
    }

    #[test]
    fn defaults_decide_what_can_be_written() {
        let http_check =
            |id: &str| haproxy(os(id).expect("a known release").haproxy).http_check_send;
        assert!(!http_check("centos-7") && !http_check("rhel-8") && !http_check("ubuntu-20.04"));
        assert!(http_check("debian-11") && http_check("rocky-9"));
        let unicast =
            |id: &str| keepalived(os(id).expect("a known release").keepalived).vrrp_v3_unicast;
        assert!(!unicast("centos-7") && unicast("almalinux-8"));
    }

    #[test]
    fn kernels_decide_modes_and_modules() {
        let module = |id: &str| os(id).expect("a known release").conntrack_module();
        assert_eq!(module("centos-7"), "nf_conntrack_ipv4");
        assert_eq!(module("rocky-8"), "nf_conntrack");
        assert_eq!(module("ubuntu-20.04"), "nf_conntrack");
        let nftables = |id: &str| os(id).expect("a known release").nftables_mode();
        assert!(!nftables("debian-11") && nftables("ubuntu-22.04") && nftables("rhel-9"));
        let v2 = |id: &str| os(id).expect("a known release").cgroup_v2;
        assert!(!v2("ubuntu-20.04") && v2("ubuntu-22.04") && !v2("rhel-8") && v2("rhel-9"));
    }

    #[test]
    fn families_keep_their_own_paths() {
        assert_eq!(OsFamily::Debian.facts().nginx_user, "www-data");
        assert_eq!(OsFamily::Rhel.facts().nginx_user, "nginx");
    }
}
