//! Where Kubernetes' packages are and how their versions are written.

use serde::Deserialize;

use super::KubernetesVersion;

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
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// The packages whose versions follow Kubernetes'.
pub const KUBERNETES_PACKAGES: [&str; 3] = ["kubeadm", "kubectl", "kubelet"];

/// The packages of the same repository with versions of their own; kubelet depends on the
/// second, and kubeadm depended on the first until 1.31.
pub const COMPANION_PACKAGES: [&str; 2] = ["cri-tools", "kubernetes-cni"];

/// Where pkgs.k8s.io is, without the minor.
const PKGS: &str = "https://pkgs.k8s.io/core:/stable:";

impl PackageLayout {
    /// Whether upstream still serves it.
    pub fn reachable(self) -> bool {
        self == PackageLayout::PkgsK8sIo
    }

    /// The repository of `1.<minor>`; for [`PackageLayout::Legacy`] where it used to be, which
    /// is what a mirror mirrors.
    pub fn repository(self, minor: u32) -> PackageRepository {
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

impl KubernetesVersion {
    /// The address of one of its programs for Linux on `architecture` (`amd64`, `arm64`); its
    /// checksum is at the same address with `.sha256` behind.
    /// <https://kubernetes.io/releases/download/>
    pub fn binary_url(self, program: &str, architecture: &str) -> String {
        format!("https://dl.k8s.io/release/v{self}/bin/linux/{architecture}/{program}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::release;

    #[test]
    fn versions_are_written_as_their_repository_writes_them() {
        let written = |minor, patch| {
            let layout = release(minor).expect("a known minor").package_layout;
            let version = KubernetesVersion { minor, patch };
            (layout.deb_version(version), layout.rpm_version(version), layout.reachable())
        };
        assert_eq!(written(31, 4), ("1.31.4-1.1".into(), "1.31.4-150500.1.1".into(), true));
        assert_eq!(written(24, 0), ("1.24.0-1.1".into(), "1.24.0-150500.1.1".into(), true));
        assert_eq!(written(23, 17), ("1.23.17-00".into(), "1.23.17-0".into(), false));
        assert_eq!(written(15, 1), ("1.15.1-00".into(), "1.15.1-0".into(), false));
    }

    #[test]
    fn each_minor_has_its_repository() {
        let repository = PackageLayout::PkgsK8sIo.repository(30);
        assert_eq!(repository.apt_source, "https://pkgs.k8s.io/core:/stable:/v1.30/deb/ /");
        assert_eq!(
            repository.rpm_key,
            "https://pkgs.k8s.io/core:/stable:/v1.30/rpm/repodata/repomd.xml.key"
        );
        assert_eq!(
            KubernetesVersion { minor: 15, patch: 1 }.binary_url("kubeadm", "amd64"),
            "https://dl.k8s.io/release/v1.15.1/bin/linux/amd64/kubeadm"
        );
    }
}
