//! Version numbers as upstream writes them, and their order, which is the catalog's alone.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// One number of a version. Everybody may show it and hand it back to the catalog; it has no order
/// and no equality outside, so that what a version means can be decided here alone, under a name.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(PartialEq, Eq))]
#[serde(transparent)]
pub struct VersionPart(pub(super) u32);

impl fmt::Display for VersionPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A Kubernetes version. The major version has been 1 since 2015 and is not kept.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub struct KubernetesVersion {
    /// The `30` of 1.30.4.
    pub minor: VersionPart,
    /// The `4` of 1.30.4.
    pub patch: VersionPart,
}

/// An etcd version, `3.5.21`.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub struct EtcdVersion {
    /// The `3` of 3.5.21.
    pub(super) major: VersionPart,
    /// The `5` of 3.5.21.
    pub(super) minor: VersionPart,
    /// The `21` of 3.5.21.
    pub patch: VersionPart,
}

/// The version of any other program: haproxy, nginx, keepalived, containerd, Docker, a kernel.
/// A missing patch level reads as 0, so `2.6` is the first release of the 2.6 series, and
/// Docker's `18.09` is 18.9.0.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub struct Version {
    /// The first number.
    pub(super) major: VersionPart,
    /// The second number.
    pub(super) minor: VersionPart,
    /// The third number, 0 where it was not written.
    pub(super) patch: VersionPart,
}

impl EtcdVersion {
    pub(super) const fn new(major: u32, minor: u32, patch: u32) -> Self {
        let [major, minor, patch] = [VersionPart(major), VersionPart(minor), VersionPart(patch)];
        Self { major, minor, patch }
    }

    /// By which it is compared.
    pub(super) fn numbers(self) -> [u32; 3] {
        [self.major.0, self.minor.0, self.patch.0]
    }
}

impl Version {
    pub(super) const fn new(major: u32, minor: u32, patch: u32) -> Self {
        let [major, minor, patch] = [VersionPart(major), VersionPart(minor), VersionPart(patch)];
        Self { major, minor, patch }
    }

    /// By which it is compared.
    pub(super) fn numbers(self) -> [u32; 3] {
        [self.major.0, self.minor.0, self.patch.0]
    }

    /// By which its series is compared.
    pub(super) fn series_numbers(self) -> [u32; 2] {
        [self.major.0, self.minor.0]
    }

    /// Its first two numbers, `2.6`.
    pub fn series(self) -> String {
        format!("{}.{}", self.major, self.minor)
    }
}

/// Why a text is not a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionError {
    /// It is not made of three numbers separated by dots (or two, where two are enough).
    Form,
    /// A Kubernetes version that does not begin with `1.`.
    Major,
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            VersionError::Form => "expected a version such as 1.30.4",
            VersionError::Major => "expected a Kubernetes version of the form 1.MINOR.PATCH",
        })
    }
}

impl std::error::Error for VersionError {}

/// A decimal number without sign or leading zero; zeros are allowed where Docker writes `18.09`.
fn number(text: &str, leading_zero: bool) -> Result<VersionPart, VersionError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    if digits && (canonical || leading_zero) {
        text.parse().map(VersionPart).map_err(|_| VersionError::Form)
    } else {
        Err(VersionError::Form)
    }
}

/// Three numbers, with an optional leading `v`.
fn three(text: &str) -> Result<[VersionPart; 3], VersionError> {
    let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
    let mut next = || number(parts.next().ok_or(VersionError::Form)?, false);
    let numbers = [next()?, next()?, next()?];
    if parts.next().is_some() { Err(VersionError::Form) } else { Ok(numbers) }
}

impl FromStr for KubernetesVersion {
    type Err = VersionError;

    /// Reads `1.30.4` or `v1.30.4`. Pre-releases are not accepted: the catalog knows none.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let [major, minor, patch] = three(text)?;
        if major.0 == 1 { Ok(Self { minor, patch }) } else { Err(VersionError::Major) }
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}.{}", self.minor, self.patch)
    }
}

impl FromStr for EtcdVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let [major, minor, patch] = three(text)?;
        Ok(Self { major, minor, patch })
    }
}

impl fmt::Display for EtcdVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let major = number(parts.next().unwrap_or_default(), false)?;
        let minor = number(parts.next().unwrap_or_default(), true)?;
        let patch = parts.next().map_or(Ok(VersionPart(0)), |part| number(part, true))?;
        if parts.next().is_some() {
            return Err(VersionError::Form);
        }
        Ok(Self { major, minor, patch })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Reads a version written as a string in a data file; for serde's `deserialize_with`. The
/// version types have no `Deserialize` of their own: how a *user* writes one is the inventory's
/// matter.
pub(super) fn from_text<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: FromStr<Err = VersionError>,
{
    let text = String::deserialize(from)?;
    text.parse().map_err(|error| serde::de::Error::custom(format!("{error}: {text}")))
}

/// As [`from_text`], with `null` for "no such bound".
pub(super) fn from_optional_text<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: FromStr<Err = VersionError>,
{
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubernetes_version_is_read_with_or_without_its_v() {
        let version = KubernetesVersion { minor: VersionPart(30), patch: VersionPart(4) };
        assert_eq!("1.30.4".parse(), Ok(version));
        assert_eq!("v1.30.4".parse(), Ok(version));
        assert_eq!(version.to_string(), "1.30.4");
        let refused = |text: &str| text.parse::<KubernetesVersion>().err();
        for text in ["1.30", "1.30.4.1", "1.30.x", "1.30.4-rc.0", "1.030.4", "", "vv1.30.4"] {
            assert_eq!(refused(text), Some(VersionError::Form), "{text}");
        }
        assert_eq!(refused("2.0.0"), Some(VersionError::Major));
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let other = |text: &str| text.parse::<Version>().ok().map(Version::numbers);
        assert!(other("1.9.11") < other("1.10.0") && other("1.30.9") < other("1.30.10"));
        assert!(other("2.6") < other("2.6.12"));
        assert_eq!("18.09".parse(), Ok(Version::new(18, 9, 0)));
        assert_eq!("3.5.21".parse(), Ok(EtcdVersion::new(3, 5, 21)));
    }
}
