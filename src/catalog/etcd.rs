//! What an etcd minor version means.
//!
//! The flag lists were read out of `server/etcdmain/config.go`, `server/embed/config.go` and
//! `help.go` of 3.3.27, 3.5.33, 3.6.14 and 3.7.1; 3.4's is 3.3's with what its changelog adds.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::flags::{FlagKind, Kinds, kind};
use super::{EtcdVersion, VersionPart};

/// How a setting that changed its form is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EtcdSetting {
    /// A flag (and key of the configuration file) of this name.
    Flag(String),
    /// A gate of `feature-gates`.
    Gate(String),
}

/// What an etcd minor version means. Sources:
/// <https://github.com/etcd-io/etcd/blob/main/CHANGELOG/> and the sources of each version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EtcdRelease {
    /// The `5` of 3.5.
    pub minor: VersionPart,
    /// Whether `pre-vote` can be set (3.4).
    pub pre_vote_setting: bool,
    /// The gates that `feature-gates` takes; empty where the setting does not exist (before 3.6).
    pub feature_gates: Vec<String>,
    /// How the check for corruption at start is asked for. 3.6 takes the old flag with a
    /// warning, 3.7 does not start with it.
    pub initial_corrupt_check: EtcdSetting,
    /// The setting's name, `experimental-` before 3.6; none in 3.3.
    pub watch_progress_notify_interval: Option<String>,
    /// Whether `logger` exists (3.4; zap alone from 3.5).
    pub logger_setting: bool,
    /// Whether `logger` is zap unless it is said (3.5): only that one knows files, and several
    /// outputs.
    pub zap_by_default: bool,
    /// Whether signed tokens are of RSA, with both keys and no `ttl` (3.3).
    pub rsa_tokens_only: bool,
    /// Whether the `etcdutl` program exists (3.5).
    pub etcdutl: bool,
    /// Whether `snapshot restore` and `snapshot status` are `etcdutl`'s alone (3.6 removed them
    /// from `etcdctl`).
    pub etcdutl_for_restore: bool,
    /// Whether `etcdctl` speaks the v2 API unless `ETCDCTL_API=3` is set (3.3).
    pub etcdctl_api_variable: bool,
    /// Whether arm64 needs `ETCD_UNSUPPORTED_ARCH=arm64` (until 3.4).
    pub arm64_unsupported: bool,
    /// The first patch release without a known loss of data: 3.5.0 to 3.5.2 may corrupt the
    /// store after a crash, and 3.5.6 fixed what followed
    /// (<https://groups.google.com/a/kubernetes.io/g/dev/c/B7gJs88XtQc>). 0 where none is known.
    safe_from_patch: u32,
    flags: Vec<String>,
    flags_since_patch: BTreeMap<String, u32>,
}

/// Whether a version of etcd knows a setting.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub enum EtcdFlag {
    /// It does.
    Known,
    /// A later version brought it.
    NotYet {
        /// The first version with it.
        since: EtcdVersion,
    },
    /// An earlier minor had it; on the command line it now stops etcd, and in the configuration
    /// file it is ignored without a word.
    Removed {
        /// The first minor of etcd 3 without it.
        in_minor: VersionPart,
        /// What to write now, as text for a message.
        instead: Option<&'static str>,
    },
    /// No version of the catalog has it.
    Unknown,
}

impl EtcdFlag {
    /// Whether the version has it.
    pub fn is_known(self) -> bool {
        matches!(self, Self::Known)
    }
}

const DATA: [&str; 5] = [
    include_str!("etcd/3.3.json"),
    include_str!("etcd/3.4.json"),
    include_str!("etcd/3.5.json"),
    include_str!("etcd/3.6.json"),
    include_str!("etcd/3.7.json"),
];

static RELEASES: LazyLock<Vec<EtcdRelease>> = LazyLock::new(|| {
    DATA.iter()
        .map(|text| serde_json::from_str(text).expect("embedded, and read by every test run"))
        .collect()
});

/// The successors of removed settings that are not just the name without `experimental-`.
const SUCCESSORS: &[(&str, &str)] = &[
    ("ca-file", "trusted-ca-file and client-cert-auth"),
    ("peer-ca-file", "peer-trusted-ca-file and peer-client-cert-auth"),
    ("debug", "log-level: debug"),
    ("log-output", "log-outputs"),
    ("log-package-levels", "log-level"),
    ("discovery", "discovery-token and discovery-endpoints"),
    ("discovery-proxy", "discovery-endpoints"),
    ("experimental-backend-bbolt-freelist-type", "backend-bbolt-freelist-type"),
    ("experimental-initial-corrupt-check", "feature-gates: InitialCorruptCheck=true"),
    ("experimental-compact-hash-check-enabled", "feature-gates: CompactHashCheck=true"),
    ("experimental-enable-lease-checkpoint", "feature-gates: LeaseCheckpoint=true"),
    ("experimental-enable-lease-checkpoint-persist", "feature-gates: LeaseCheckpointPersist=true"),
    (
        "experimental-txn-mode-write-with-shared-buffer",
        "feature-gates: TxnModeWriteWithSharedBuffer=true",
    ),
    ("experimental-stop-grpc-service-on-defrag", "feature-gates: StopGRPCServiceOnDefrag=true"),
];

/// What a setting of etcd takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EtcdValue {
    /// A number, a switch or a time.
    Kind(FlagKind),
    /// One of these.
    Choice(&'static [String]),
}

/// The types of settings, from the calls that register them in `server/etcdmain/config.go` and
/// `server/embed/config.go` of 3.4.13, 3.5.21, 3.6.5 and 3.7.0, which agree; and the words that
/// these files compare others with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Values {
    kinds: Kinds,
    choices: BTreeMap<String, Vec<String>>,
}

static VALUES: LazyLock<Values> = LazyLock::new(|| {
    serde_json::from_str(include_str!("etcd/values.json"))
        .expect("embedded, and read by every test run")
});

/// What etcd takes as the value of `flag`; `None` for a text.
pub fn etcd_value(flag: &str) -> Option<EtcdValue> {
    if let Some(words) = VALUES.choices.get(flag) {
        return Some(EtcdValue::Choice(words));
    }
    kind(&VALUES.kinds, flag).map(EtcdValue::Kind)
}

/// The facts about etcd 3.`minor`, or `None` where the catalog has none.
pub(super) fn etcd(minor: u32) -> Option<&'static EtcdRelease> {
    RELEASES.iter().find(|release| release.minor.0 == minor)
}

/// Every etcd minor, oldest first.
pub fn etcds() -> impl Iterator<Item = &'static EtcdRelease> {
    RELEASES.iter()
}

/// Where etcd's releases are. <https://github.com/etcd-io/etcd/releases>
pub const ETCD_RELEASES: &str = "https://github.com/etcd-io/etcd/releases/download";

impl EtcdVersion {
    /// The facts about this version's minor.
    pub fn release(self) -> Option<&'static EtcdRelease> {
        if self.major.0 == 3 { etcd(self.minor.0) } else { None }
    }

    /// The release's archive for Linux on `architecture` (`amd64`, `arm64`) below
    /// [`ETCD_RELEASES`] or a mirror of it: a `.tar.gz` whose one folder is named as the archive
    /// without its ending.
    pub fn archive_path(self, architecture: &str) -> String {
        format!("v{self}/{}", self.archive_name(architecture))
    }
}

impl EtcdRelease {
    /// The settings that the newest patch release of this minor has, in alphabetical order. A
    /// setting is a flag, a key of the configuration file (TLS ones are nested there) and an
    /// environment variable `ETCD_…` alike.
    pub fn flags(&self) -> impl Iterator<Item = &str> {
        self.flags.iter().map(String::as_str)
    }

    /// The first release of this minor without a known loss of data, where this patch is older.
    pub fn safe_instead_of(&self, patch: VersionPart) -> Option<EtcdVersion> {
        let safe = self.safe_from_patch;
        (patch.0 < safe).then(|| EtcdVersion::new(3, self.minor.0, safe))
    }

    /// Whether this minor at `patch` has the setting `flag`.
    pub fn flag_status(&self, flag: &str, patch: VersionPart) -> EtcdFlag {
        let has =
            |release: &EtcdRelease| release.flags.binary_search_by(|f| (**f).cmp(flag)).is_ok();
        if has(self) {
            return match self.flags_since_patch.get(flag) {
                Some(&since) if patch.0 < since => {
                    EtcdFlag::NotYet { since: EtcdVersion::new(3, self.minor.0, since) }
                }
                _ => EtcdFlag::Known,
            };
        }
        if let Some(last) =
            etcds().take_while(|other| other.minor.0 < self.minor.0).filter(|r| has(r)).last()
        {
            return EtcdFlag::Removed {
                in_minor: VersionPart(last.minor.0 + 1),
                instead: self.successor(flag),
            };
        }
        match etcds().skip_while(|other| other.minor.0 <= self.minor.0).find(|r| has(r)) {
            Some(first) => EtcdFlag::NotYet {
                since: EtcdVersion::new(
                    3,
                    first.minor.0,
                    first.flags_since_patch.get(flag).copied().unwrap_or(0),
                ),
            },
            None => EtcdFlag::Unknown,
        }
    }

    /// What replaces a removed setting in this minor.
    fn successor(&self, flag: &str) -> Option<&'static str> {
        if let Some((_, successor)) = SUCCESSORS.iter().find(|(old, _)| *old == flag) {
            return Some(successor);
        }
        let plain = flag.strip_prefix("experimental-")?;
        etcd(self.minor.0)?.flags().find(|name| *name == plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(minor: u32, patch: u32, flag: &str) -> EtcdFlag {
        etcd(minor).expect("a known minor").flag_status(flag, VersionPart(patch))
    }

    fn at(minor: u32, patch: u32) -> EtcdVersion {
        EtcdVersion::new(3, minor, patch)
    }

    #[test]
    fn every_minor_is_there_and_its_flags_are_sorted() {
        let minors: Vec<u32> = etcds().map(|release| release.minor.0).collect();
        assert_eq!(minors, [3, 4, 5, 6, 7]);
        for release in etcds() {
            assert!(release.flags.is_sorted(), "3.{}", release.minor);
            for late in release.flags_since_patch.keys() {
                assert!(release.flags.contains(late), "3.{}: {late}", release.minor);
            }
        }
    }

    #[test]
    fn values_are_of_flags_that_some_minor_has() {
        let known = |flag: &str| etcds().any(|release| release.flags().any(|name| name == flag));
        let flags = VALUES.kinds.values().flatten().chain(VALUES.choices.keys());
        let unknown: Vec<_> = flags.filter(|flag| !known(flag)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn flags_come_and_go() {
        assert_eq!(status(3, 27, "pre-vote"), EtcdFlag::NotYet { since: at(4, 0) });
        assert_eq!(status(4, 45, "pre-vote"), EtcdFlag::Known);
        assert_eq!(status(5, 33, "feature-gates"), EtcdFlag::NotYet { since: at(6, 0) });
        assert_eq!(status(6, 0, "feature-gates"), EtcdFlag::Known);
        assert_eq!(status(5, 7, "listen-client-http-urls"), EtcdFlag::NotYet { since: at(5, 8) });
        assert_eq!(status(5, 8, "listen-client-http-urls"), EtcdFlag::Known);
        assert_eq!(
            status(5, 33, "debug"),
            EtcdFlag::Removed { in_minor: VersionPart(5), instead: Some("log-level: debug") }
        );
        assert_eq!(status(4, 0, "debug"), EtcdFlag::Known);
        assert_eq!(
            status(6, 0, "enable-v2"),
            EtcdFlag::Removed { in_minor: VersionPart(6), instead: None }
        );
        assert_eq!(
            status(7, 0, "experimental-initial-corrupt-check"),
            EtcdFlag::Removed {
                in_minor: VersionPart(7),
                instead: Some("feature-gates: InitialCorruptCheck=true")
            }
        );
        assert_eq!(
            status(7, 0, "experimental-watch-progress-notify-interval"),
            EtcdFlag::Removed {
                in_minor: VersionPart(7),
                instead: Some("watch-progress-notify-interval")
            }
        );
        assert_eq!(status(6, 0, "experimental-initial-corrupt-check"), EtcdFlag::Known);
        assert_eq!(status(5, 0, "listen-peer-url"), EtcdFlag::Unknown);
        for minor in 3..=7 {
            for flag in ["name", "listen-client-urls", "cipher-suites", "initial-cluster", "cors"] {
                assert_eq!(status(minor, 0, flag), EtcdFlag::Known, "3.{minor} {flag}");
            }
        }
    }

    #[test]
    fn facts_change_at_their_boundaries() {
        let fact = |minor| etcd(minor).expect("a known minor");
        assert_eq!((fact(3).pre_vote_setting, fact(4).pre_vote_setting), (false, true));
        assert_eq!((fact(5).etcdutl_for_restore, fact(6).etcdutl_for_restore), (false, true));
        let safe = |patch| fact(5).safe_instead_of(VersionPart(patch));
        assert_eq!((safe(5), safe(6)), (Some(at(5, 6)), None));
        assert!(fact(5).feature_gates.is_empty() && !fact(6).feature_gates.is_empty());
    }

    #[test]
    fn an_archive_has_an_address() {
        let archive = at(5, 21).archive_path("amd64");
        assert_eq!(archive, "v3.5.21/etcd-v3.5.21-linux-amd64.tar.gz");
    }
}
