//! What each series of containerd and Docker means.

use std::sync::LazyLock;

use serde::Deserialize;

use super::feature::features;
use super::version::{from_optional_text, from_text};
use super::{OsFamily, Release, Version, VersionPart, builds_of};

/// The versions of containerd's configuration file that hagen writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContainerdConfig {
    /// `version = 2`, for 1.3 to 1.7: one CRI plugin.
    V2,
    /// `version = 3`, from 2.0: the CRI plugin is split in two. 2.3 and later also read it.
    V3,
}

impl ContainerdConfig {
    /// The value of `version`.
    pub fn number(self) -> u32 {
        match self {
            ContainerdConfig::V2 => 2,
            ContainerdConfig::V3 => 3,
        }
    }

    /// The plugin that holds `containerd` (runtimes) and `cni`.
    pub fn runtime_plugin(self) -> &'static str {
        match self {
            ContainerdConfig::V2 => "io.containerd.grpc.v1.cri",
            ContainerdConfig::V3 => "io.containerd.cri.v1.runtime",
        }
    }

    /// The plugin that holds `registry` and the sandbox image.
    pub fn images_plugin(self) -> &'static str {
        match self {
            ContainerdConfig::V2 => "io.containerd.grpc.v1.cri",
            ContainerdConfig::V3 => "io.containerd.cri.v1.images",
        }
    }

    /// Whether the sandbox image is `sandbox` in the images plugin's table `pinned_images`, and
    /// not `sandbox_image` in the plugin itself.
    pub fn pinned_sandbox(self) -> bool {
        self == ContainerdConfig::V3
    }
}

/// What a series (major.minor) of containerd means.
/// <https://github.com/containerd/containerd/blob/main/RELEASES.md>
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerdSeries {
    /// The first version of the series: `1.7.0`.
    #[serde(deserialize_with = "from_text")]
    series: Version,
    /// The configuration to write.
    pub config: ContainerdConfig,
    /// Whether `registry.config_path` and `hosts.toml` exist (1.5).
    pub registry_config_path: bool,
    /// Whether `hosts.toml` has `override_path` (1.6, `remotes/docker/config/hosts.go`): without
    /// it, `/v2` is added to a path that has the API's root in its middle.
    pub registry_override_path: bool,
    /// Whether the CNI directories are the list `bin_dirs` (2.1); `bin_dir` before.
    pub cni_bin_dirs: bool,
    /// The oldest Kubernetes minor that upstream tests it with; none named for early series.
    kubernetes_from: Option<u32>,
    /// The newest one so tested; none named while upstream goes on with the series.
    kubernetes_to: Option<u32>,
}

static CONTAINERD: LazyLock<Vec<ContainerdSeries>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("containerd.json"))
        .expect("embedded, and read by every test run")
});

/// The facts about the series that `version` belongs to, or `None` where the catalog has none.
pub fn containerd(version: Version) -> Option<&'static ContainerdSeries> {
    CONTAINERD.iter().find(|entry| entry.series.series_numbers() == version.series_numbers())
}

/// Whether this is the newest series, said as its first version.
pub fn is_newest_containerd(version: Version) -> bool {
    CONTAINERD.last().is_some_and(|newest| newest.series.numbers() == version.numbers())
}

impl ContainerdSeries {
    /// Whether upstream tests it with `1.<minor>`, or has no word about it.
    fn is_tested_with(&self, minor: VersionPart) -> bool {
        self.kubernetes_from.is_none_or(|from| from <= minor.0)
            && self.kubernetes_to.is_none_or(|to| minor.0 <= to)
    }
}

/// Which container runtimes serve a Kubernetes minor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeRange {
    /// The oldest containerd whose CRI this kubelet speaks: 1.26 needs CRI v1, hence 1.6
    /// (<https://kubernetes.io/blog/2022/11/18/upcoming-changes-in-kubernetes-1-26/>); 1.37 asks
    /// it for the cgroup driver, hence 2.0.
    #[serde(deserialize_with = "from_text")]
    containerd_min: Version,
    /// The first containerd that this kubelet cannot use: 2.0 dropped CRI v1alpha2, and the
    /// kubelet speaks v1 from 1.23 on.
    #[serde(deserialize_with = "from_optional_text")]
    containerd_below: Option<Version>,
    /// The oldest Docker that dockershim works with; absent where dockershim is.
    #[serde(deserialize_with = "from_optional_text")]
    docker_min: Option<Version>,
    /// The newest Docker series (18.9 is Docker's 18.09) that preflight has validated; a newer
    /// one is a warning.
    #[serde(deserialize_with = "from_optional_text")]
    docker_max: Option<Version>,
}

/// What a minor makes of a version of containerd.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub enum ContainerdFit {
    /// It serves the minor.
    Serves,
    /// This one, or a newer one, would.
    TooOld {
        /// The oldest of the catalog that does.
        least: Version,
    },
    /// It no longer speaks the CRI that the minor speaks.
    CriGone {
        /// The first without it.
        since: Version,
    },
    /// The catalog does not know its series.
    Unknown,
}

/// What a minor makes of a version of Docker behind dockershim.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub enum DockerFit {
    /// It serves the minor, and upstream has validated its series with it.
    Serves,
    /// It serves, but upstream never validated it.
    Unvalidated,
    /// This one, or a newer one, would.
    TooOld {
        /// The oldest that does.
        least: Version,
    },
    /// The minor has no dockershim.
    NoDockershim,
}

impl RuntimeRange {
    /// Whether containerd `version` serves the minor.
    pub fn containerd(&self, version: Version) -> ContainerdFit {
        let oldest = CONTAINERD.first().map_or(self.containerd_min, |oldest| oldest.series);
        let least = match oldest.numbers() > self.containerd_min.numbers() {
            true => oldest,
            false => self.containerd_min,
        };
        match self.containerd_below {
            _ if version.numbers() < least.numbers() => ContainerdFit::TooOld { least },
            Some(since) if version.numbers() >= since.numbers() => ContainerdFit::CriGone { since },
            _ if containerd(version).is_none() => ContainerdFit::Unknown,
            _ => ContainerdFit::Serves,
        }
    }

    /// Whether Docker `version` serves the minor through dockershim.
    pub fn docker(&self, version: Version) -> DockerFit {
        let Some(least) = self.docker_min else { return DockerFit::NoDockershim };
        let newest = self.docker_max.map(Version::series_numbers);
        if version.numbers() < least.numbers() {
            DockerFit::TooOld { least }
        } else if newest.is_some_and(|newest| version.series_numbers() <= newest) {
            DockerFit::Serves
        } else {
            DockerFit::Unvalidated
        }
    }
}

impl Release {
    /// The newest series of containerd that serves the minor; upstream's own table decides where it
    /// has a word.
    ///
    /// # Panics
    /// Never: every minor has one.
    pub fn newest_containerd(&self) -> Version {
        let series = CONTAINERD.iter().rev().filter(|series| series.is_tested_with(self.minor));
        let mut versions = series.map(|series| series.series);
        versions
            .find(|version| matches!(self.runtimes.containerd(*version), ContainerdFit::Serves))
            .expect("containerd.json has a series for every minor; tested")
    }

    /// The newest series of Docker that serves the minor, behind cri-dockerd where there is no
    /// dockershim.
    pub fn newest_docker(&self) -> Version {
        self.runtimes.docker_max.unwrap_or(NEWEST_DOCKER)
    }
}

features! {
    /// What a version of Docker can do. <https://docs.docker.com/engine/release-notes/>
    Docker,
    /// The features of Docker `version`.
    docker, "docker.json",
    {
        /// overlay2 is what it takes by itself (18.09 on any kernel from 4.0; earlier, devicemapper
        /// or overlay on some distributions).
        overlay2_default,
        /// cgroup v2 (20.10).
        cgroup_v2,
        /// cri-dockerd can drive it (20.10).
        cri_dockerd,
        /// The client is a package of its own, `docker-ce-cli`, and versions carry an epoch (18.09).
        client_package,
    }
}

/// The Docker that is meant behind cri-dockerd where the inventory names none: the newest major
/// whose packages exist for every release of an operating system in the catalog from Debian 11 on.
/// <https://docs.docker.com/engine/release-notes/28/>
const NEWEST_DOCKER: Version = Version::new(28, 0, 0);

/// How Docker's repository writes the version of `docker-ce` and `docker-ce-cli`, as a pattern:
/// builds and codenames follow, which nobody knows beforehand. Not `exact` is any patch release
/// of the series. Debian's carry an epoch since 18.09; `yum` and `dnf` take the RPMs' without it.
/// <https://download.docker.com/linux/>
pub fn docker_package_version(version: Version, exact: bool, family: OsFamily) -> String {
    let Version { major, minor, patch } = version;
    if major.0 >= FIRST_NUMBERED_DOCKER {
        return builds_of("docker-ce", version, exact, family);
    }
    // Numbered by year and month until 20.10: 18.09.
    let series = format!("{major}.{:02}", minor.0);
    match (family, exact) {
        (OsFamily::Debian, false) => format!("5:{series}.*"),
        (OsFamily::Debian, true) => format!("5:{series}.{patch}~*"),
        (OsFamily::Rhel, false) => format!("{series}.*"),
        (OsFamily::Rhel, true) => format!("{series}.{patch}"),
    }
}

/// The first Docker that is numbered 23.0 and so on, not by year and month.
const FIRST_NUMBERED_DOCKER: u32 = 23;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{release, releases};

    fn at(text: &str) -> Version {
        text.parse().expect("a version")
    }

    #[test]
    fn containerd_series_are_found_by_any_of_their_versions() {
        let config = |text| containerd(at(text)).map(|series| series.config);
        assert_eq!(config("1.6.20"), Some(ContainerdConfig::V2));
        assert_eq!(config("1.7.28"), Some(ContainerdConfig::V2));
        assert_eq!(config("2.0.0"), Some(ContainerdConfig::V3));
        assert_eq!(config("2.4.2"), Some(ContainerdConfig::V3));
        assert_eq!(config("3.0.0"), None);
        assert!(CONTAINERD.iter().map(|entry| entry.series.numbers()).is_sorted());
    }

    #[test]
    fn every_minor_has_a_series_of_containerd() {
        for release in releases() {
            let newest = release.newest_containerd();
            let fit = release.runtimes.containerd(newest);
            assert_eq!(fit, ContainerdFit::Serves, "1.{}: {newest}", release.minor);
        }
    }

    #[test]
    fn settings_move_with_the_configuration_version() {
        assert_eq!(ContainerdConfig::V2.runtime_plugin(), ContainerdConfig::V2.images_plugin());
        assert_eq!(ContainerdConfig::V3.images_plugin(), "io.containerd.cri.v1.images");
        let bin_dirs = |text| containerd(at(text)).expect("a known series").cni_bin_dirs;
        assert!(!bin_dirs("2.0.5") && bin_dirs("2.1.0"));
        let hosts = |text| containerd(at(text)).expect("a known series").registry_config_path;
        assert!(!hosts("1.4.13") && hosts("1.5.0"));
    }

    #[test]
    fn a_kubelet_needs_a_runtime_that_speaks_its_cri() {
        let fit =
            |minor, text| release(minor).expect("a known minor").runtimes.containerd(at(text));
        let serves = |minor, text| fit(minor, text) == ContainerdFit::Serves;
        assert!(serves(22, "1.7.0") && !serves(22, "2.0.0"));
        assert!(serves(23, "2.0.0"));
        assert!(serves(25, "1.5.0") && !serves(26, "1.5.18") && serves(26, "1.6.0"));
        assert!(serves(36, "1.7.28") && !serves(37, "1.7.28") && serves(37, "2.0.0"));
        assert_eq!(fit(22, "2.1.0"), ContainerdFit::CriGone { since: at("2.0.0") });
        assert_eq!(fit(26, "1.5.18"), ContainerdFit::TooOld { least: at("1.6.0") });
        assert_eq!(fit(37, "3.0.0"), ContainerdFit::Unknown);
    }

    #[test]
    fn packages_are_asked_for_as_their_repository_names_them() {
        let docker = |text, exact, family| docker_package_version(at(text), exact, family);
        assert_eq!(docker("18.09.7", true, OsFamily::Rhel), "18.09.7");
        assert_eq!(docker("18.09.7", true, OsFamily::Debian), "5:18.09.7~*");
        assert_eq!(docker("18.09", false, OsFamily::Debian), "5:18.09.*");
        assert_eq!(docker("24.0.7", true, OsFamily::Debian), "5:24.0.7-*");
        let containerd =
            |text, exact| builds_of("containerd.io", at(text), exact, OsFamily::Debian);
        assert_eq!(containerd("1.7.28", true), "1.7.28-*");
        assert_eq!(containerd("1.7", false), "1.7.*");
    }

    #[test]
    fn docker_is_driven_until_dockershim_ends() {
        let fit = |minor, text| release(minor).expect("a known minor").runtimes.docker(at(text));
        let validated = |minor, text| fit(minor, text) == DockerFit::Serves;
        assert!(validated(15, "18.09.9") && !validated(15, "19.03.15"));
        assert!(!validated(16, "19.03.15") && validated(17, "19.03.15"));
        assert!(!validated(20, "20.10.24") && validated(21, "20.10.24"));
        assert_eq!(fit(15, "19.03.15"), DockerFit::Unvalidated);
        assert!(matches!(fit(15, "1.11.2"), DockerFit::TooOld { .. }));
        assert!(validated(23, "20.10.7"));
        assert_eq!(fit(24, "20.10.7"), DockerFit::NoDockershim);
        assert!(!docker(at("19.03.15")).cgroup_v2 && docker(at("20.10.0")).cgroup_v2);
    }
}
