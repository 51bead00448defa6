//! What etcd's release archives have to be, bit for bit.
//!
//! `etcd/digests.json` holds the SHA-256 of each archive, out of tables that public installers keep
//! of them: kubespray's (`roles/kubespray_defaults/vars/main/checksums.yml` and its predecessors
//! under `roles/download`), kubekey's (`version/components.json`), etcd-manager's (`WORKSPACE`),
//! andrewrothstein/ansible-etcd's (`defaults/main.yml`), kolla's (`kolla/common/sources.py`) and the
//! etcd cookbook's of sous-chefs (`resources/etcd_installation_binary.rb`). Most digests stand in two
//! to four of them. Where two tables disagree (3.4.15, 3.5.2), or none has a release (3.3.15,
//! 3.7.0), there is no digest here: the inventory has to say it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::EtcdVersion;

/// The kinds of machines that etcd is released for here: as `uname -m` names them, and as the
/// archives do.
pub const ETCD_MACHINES: [(&str, &str); 2] = [("x86_64", "amd64"), ("aarch64", "arm64")];

type Digests = BTreeMap<String, BTreeMap<String, String>>;

static DIGESTS: LazyLock<Digests> = LazyLock::new(|| {
    serde_json::from_str(include_str!("etcd/digests.json"))
        .expect("embedded, and read by every test run")
});

impl EtcdVersion {
    /// The file name of the release's archive for Linux on `architecture` (`amd64`, `arm64`).
    pub fn archive_name(self, architecture: &str) -> String {
        format!("etcd-v{self}-linux-{architecture}.tar.gz")
    }

    /// The archive's SHA-256 in hexadecimal, where it is known.
    pub fn archive_digest(self, architecture: &str) -> Option<&'static str> {
        Some(DIGESTS.get(&self.to_string())?.get(architecture)?.as_str())
    }

    /// The releases of this minor whose archives can be verified, oldest first.
    fn verifiable(self) -> Vec<Self> {
        let known = DIGESTS.keys().filter_map(|version| version.parse().ok());
        let mut known: Vec<Self> = known.filter(|known| self.is_same_minor(known)).collect();
        known.sort_unstable_by_key(|known| known.numbers());
        known
    }

    /// This release, or the next one of its minor, that can be.
    fn next_verifiable(self) -> Option<Self> {
        self.verifiable().into_iter().find(|known| known.numbers() >= self.numbers())
    }

    fn is_same_minor(self, other: &Self) -> bool {
        self.numbers()[..2] == other.numbers()[..2]
    }

    /// This release, or the next patch release whose archive can be verified; this one where there
    /// is none.
    pub fn or_next_verifiable(self) -> Self {
        self.next_verifiable().unwrap_or(self)
    }

    /// The release to use where this one's archive cannot be verified: the next patch release that
    /// can be, else the last.
    pub fn verifiable_instead(self) -> Option<Self> {
        self.next_verifiable().or(self.verifiable().last().copied())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalog::{VersionPart, releases};

    #[test]
    fn each_digest_is_one_and_stands_once() {
        let mut seen = BTreeSet::new();
        for (version, archives) in DIGESTS.iter() {
            let version: EtcdVersion = version.parse().expect("a version");
            assert!(version.release().is_some(), "{version}");
            assert!(archives.contains_key("amd64"), "{version}");
            for (architecture, digest) in archives {
                assert!(ETCD_MACHINES.iter().any(|(_, known)| known == architecture));
                let hex = digest.len() == 64
                    && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                assert!(hex && seen.insert(digest), "{version} {architecture}");
            }
        }
    }

    /// Copied from the table of another installer than the rest.
    #[test]
    fn digests_are_those_of_upstream() {
        for (version, digest) in [
            ("3.3.10", "1620a59150ec0a0124a65540e23891243feb2d9a628092fb1edcc23974724a45"),
            ("3.4.13", "2ac029e47bab752dacdb7b30032f230f49e2f457cbc32e8f555c2210bb5ff107"),
            ("3.5.6", "4db32e3bc06dd0999e2171f76a87c1cffed8369475ec7aa7abee9023635670fb"),
            ("3.6.6", "887afaa4a99f22d802ccdfbe65730a5e79aa5c9ce2c8799c67e9d804c50ecedb"),
        ] {
            let version: EtcdVersion = version.parse().expect("a version");
            assert_eq!(version.archive_digest("amd64"), Some(digest), "{version}");
        }
    }

    #[test]
    fn each_release_of_kubernetes_has_an_etcd_that_can_be_verified() {
        for release in releases() {
            for patch in 0..20 {
                let own = release.etcd_version(VersionPart(patch));
                let chosen = own.or_next_verifiable();
                assert!(chosen.archive_digest("amd64").is_some(), "{own}");
                assert!(
                    chosen.is_same_minor(&own) && chosen.numbers() >= own.numbers(),
                    "{own}, {chosen}"
                );
            }
        }
    }

    #[test]
    fn the_next_patch_release_stands_in() {
        let at = |text: &str| text.parse::<EtcdVersion>().expect("a version");
        assert_eq!(at("3.6.8").or_next_verifiable(), at("3.6.8"));
        assert_eq!(at("3.7.0").or_next_verifiable(), at("3.7.1"));
        assert_eq!(at("3.5.2").verifiable_instead(), Some(at("3.5.3")));
        assert_eq!(at("3.7.9").or_next_verifiable(), at("3.7.9"));
        assert_eq!(at("3.7.9").verifiable_instead(), Some(at("3.7.1")));
        assert_eq!(at("3.9.0").verifiable_instead(), None);
    }
}
