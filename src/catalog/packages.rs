//! Where Kubernetes' packages are and how their versions are written.

use serde::Deserialize;

use super::{KubernetesVersion, OsFamily, OsRelease, Version, VersionPart};

/// Where a minor's packages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageLayout {
    /// apt.kubernetes.io and packages.cloud.google.com: one repository for all minors, taken
    /// down on 2024-03-04, so that a mirror or the plain binaries are needed.
    /// <https://kubernetes.io/blog/2023/08/31/legacy-package-repositories-deprecation/>
    Legacy,
    /// <https://pkgs.k8s.io>: one repository per minor, from 1.24.
    PkgsK8sIo,
}

/// The address of a minor's package repositories.
#[derive(Clone, Debug)]
pub struct PackageRepository {
    /// What follows `deb [signed-by=…] ` in a list of sources.
    pub apt_source: String,
    /// The key that signs it, ASCII-armoured: `gpg --dearmor` makes the keyring.
    pub apt_key: String,
    /// `baseurl` of the RPM repository.
    pub rpm_baseurl: String,
    /// `gpgkey` of the RPM repository.
    pub rpm_key: String,
}

/// Who signs packages: the start of the key's address, and the key's fingerprint.
///
/// * `isv:kubernetes OBS Project`, which signs every repository of pkgs.k8s.io.
/// * `Docker Release (CE deb)` and `Docker Release (CE rpm)`: docs.docker.com shows the first at
///   <https://docs.docker.com/engine/install/debian/> (until 2020, docker/docs#11990) and the second
///   at <https://docs.docker.com/engine/install/rhel/>.
///
/// All three stand in many public installers that refuse another key, such as puppetlabs' modules
/// for Kubernetes and Docker.
const SIGNERS: [(&str, &str); 6] = [
    ("https://pkgs.k8s.io/core:/stable:/", "DE15B14486CD377B9E876E1A234654DA9A296436"),
    ("https://download.docker.com/linux/debian/", "9DC858229FC7DD38854AE2D88D81803C0EBFCD88"),
    ("https://download.docker.com/linux/ubuntu/", "9DC858229FC7DD38854AE2D88D81803C0EBFCD88"),
    ("https://download.docker.com/linux/centos/", "060A61C51B558A7F742B77AAC52FEB6B621E9F35"),
    ("https://download.docker.com/linux/fedora/", "060A61C51B558A7F742B77AAC52FEB6B621E9F35"),
    ("https://download.docker.com/linux/rhel/", "060A61C51B558A7F742B77AAC52FEB6B621E9F35"),
];

/// The fingerprint of the one key at this address, where it is known.
pub fn key_fingerprint(url: &str) -> Option<&'static str> {
    let (_, fingerprint) = SIGNERS.iter().find(|(start, _)| url.starts_with(start))?;
    Some(fingerprint)
}

/// What stands in front of a version of this package of Debian's, Ubuntu's or Docker's: `1:2.2.7-1`.
/// The same in every release of the catalog; asked of Debian 12's own lists.
fn deb_epoch(package: &str) -> Option<u32> {
    match package {
        "conntrack" | "ethtool" | "ipvsadm" | "keepalived" => Some(1),
        "docker-ce" | "docker-ce-cli" => Some(5),
        _ => None,
    }
}

/// How a repository writes the version of a package, as a pattern: builds and codenames follow, which
/// nobody knows beforehand. Not `exact` is any patch release of the series; `dnf` takes a version
/// without its epoch.
pub fn builds_of(package: &str, version: Version, exact: bool, family: OsFamily) -> String {
    let Version { major, minor, patch } = version;
    let epoch = deb_epoch(package).map(|epoch| format!("{epoch}:")).unwrap_or_default();
    match (family, exact) {
        (OsFamily::Debian, true) => format!("{epoch}{major}.{minor}.{patch}-*"),
        (OsFamily::Debian, false) => format!("{epoch}{major}.{minor}.*"),
        (OsFamily::Rhel, true) => format!("{major}.{minor}.{patch}"),
        (OsFamily::Rhel, false) => format!("{major}.{minor}.*"),
    }
}

/// Packages that are Debian's own work: their versions have no revision behind a dash.
const NATIVE: [&str; 2] = ["apt-transport-https", "ca-certificates"];

impl OsRelease {
    /// A version or pattern as this system's package manager finds it, where what is said lacks an
    /// epoch or a revision. `dnf` needs neither.
    pub fn whole_version(&self, package: &str, said: &str) -> Option<String> {
        if self.family != OsFamily::Debian {
            return None;
        }
        let epoch = deb_epoch(package).filter(|_| !said.contains(':') && !said.starts_with('*'));
        let whole = epoch.map_or_else(|| said.to_owned(), |epoch| format!("{epoch}:{said}"));
        let has_revision = whole.contains(['*', '-']) || NATIVE.contains(&package);
        let whole = if has_revision { whole } else { format!("{whole}-*") };
        (whole != said).then_some(whole)
    }
}

/// The packages whose versions follow Kubernetes'.
pub const KUBERNETES_PACKAGES: [&str; 3] = ["kubeadm", "kubectl", "kubelet"];

/// Where pkgs.k8s.io is, without the minor.
const PKGS: &str = "https://pkgs.k8s.io/core:/stable:";

impl PackageLayout {
    /// Whether upstream still serves it.
    pub fn reachable(self) -> bool {
        self == PackageLayout::PkgsK8sIo
    }

    /// The repository of `1.<minor>`; for [`PackageLayout::Legacy`] where it used to be, which
    /// is what a mirror mirrors.
    pub fn repository(self, minor: VersionPart) -> PackageRepository {
        match self {
            PackageLayout::PkgsK8sIo => {
                let deb = format!("{PKGS}/v1.{minor}/deb/");
                let rpm = format!("{PKGS}/v1.{minor}/rpm/");
                PackageRepository {
                    apt_key: format!("{deb}Release.key"),
                    apt_source: format!("{deb} /"),
                    rpm_key: format!("{rpm}repodata/repomd.xml.key"),
                    rpm_baseurl: rpm,
                }
            }
            PackageLayout::Legacy => PackageRepository {
                apt_source: "https://apt.kubernetes.io/ kubernetes-xenial main".into(),
                apt_key: "https://packages.cloud.google.com/apt/doc/apt-key.gpg".into(),
                rpm_baseurl: "https://packages.cloud.google.com/yum/repos/kubernetes-el7-x86_64"
                    .into(),
                rpm_key: "https://packages.cloud.google.com/yum/doc/rpm-package-key.gpg".into(),
            },
        }
    }

    /// The Debian packages' version: `1.31.4-1.1`, `1.15.1-00` in the old repository.
    pub fn deb_version(self, version: KubernetesVersion) -> String {
        match self {
            PackageLayout::PkgsK8sIo => format!("{version}-1.1"),
            PackageLayout::Legacy => format!("{version}-00"),
        }
    }

    /// The RPMs' version and release: `1.31.4-150500.1.1`, `1.15.1-0` in the old repository.
    pub fn rpm_version(self, version: KubernetesVersion) -> String {
        match self {
            PackageLayout::PkgsK8sIo => format!("{version}-150500.1.1"),
            PackageLayout::Legacy => format!("{version}-0"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{PackageManager, oses, release, releases};

    #[test]
    fn versions_are_written_as_their_repository_writes_them() {
        let written = |minor, patch| {
            let layout = release(minor).expect("a known minor").package_layout;
            let version = format!("1.{minor}.{patch}").parse().expect("a version");
            (layout.deb_version(version), layout.rpm_version(version), layout.reachable())
        };
        assert_eq!(written(31, 4), ("1.31.4-1.1".into(), "1.31.4-150500.1.1".into(), true));
        assert_eq!(written(24, 0), ("1.24.0-1.1".into(), "1.24.0-150500.1.1".into(), true));
        assert_eq!(written(23, 17), ("1.23.17-00".into(), "1.23.17-0".into(), false));
        assert_eq!(written(15, 1), ("1.15.1-00".into(), "1.15.1-0".into(), false));
    }

    #[test]
    fn each_minor_has_its_repository() {
        let repository = PackageLayout::PkgsK8sIo.repository(VersionPart(30));
        assert_eq!(repository.apt_source, "https://pkgs.k8s.io/core:/stable:/v1.30/deb/ /");
        assert_eq!(
            repository.rpm_key,
            "https://pkgs.k8s.io/core:/stable:/v1.30/rpm/repodata/repomd.xml.key"
        );
    }

    #[test]
    fn the_keys_of_every_repository_that_is_served_are_known() {
        let kubernetes = releases().filter(|release| release.package_layout.reachable());
        for release in kubernetes {
            let own = release.package_layout.repository(release.minor);
            for key in [own.apt_key, own.rpm_key] {
                assert!(key_fingerprint(&key).is_some(), "{key}");
            }
        }
        for os in oses() {
            let key = format!("{}/gpg", os.docker_repository);
            let apt = os.package_manager == PackageManager::Apt;
            let fingerprint = key_fingerprint(&key).expect("a known key");
            assert_eq!(fingerprint.starts_with("9DC8"), apt, "{key}");
        }
        for other in ["http://pkgs.k8s.io/core:/stable:/v1.30/deb/Release.key", "https://x/gpg"] {
            assert_eq!(key_fingerprint(other), None, "{other}");
        }
    }
}
