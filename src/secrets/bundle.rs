use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::generations::{Generations, Purposes, stored_as};
use super::seed::Seed;
use super::{PrivateKey, Secrets, WRONG_CLUSTER};
use crate::report::{Finding, Path, Report};

/// The `apiVersion` that this release writes and the only one that it reads.
pub const API_VERSION: &str = "hagen-secrets/v1";

/// The version of the derivation, part of every label. It never changes silently: a release
/// that derives otherwise writes the next number and goes on honouring this one.
pub const DERIVATION: u32 = 1;

/// The labels of the keys that a bundle may store.
pub const STORABLE: [&str; 4] =
    ["ca/kubernetes", "ca/front-proxy", "ca/etcd", "serviceAccount/key"];

/// The secrets bundle: what `x.secrets.yaml` holds. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Bundle {
    pub(super) cluster: String,
    pub(super) issued_at: OffsetDateTime,
    pub(super) purposes: Purposes,
    pub(super) seed: Seed,
    pub(super) keys: BTreeMap<String, PrivateKey>,
    pub(super) files: BTreeMap<String, SecretFile>,
}

/// The text of a private file. `Debug` does not show it.
#[derive(Clone)]
pub struct SecretFile(Zeroizing<String>);

impl SecretFile {
    /// Takes a text over.
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretFile(…)")
    }
}

impl Bundle {
    /// A bundle for `cluster` out of 32 random bytes, dated `issued_at` (cut to whole seconds).
    pub fn new(cluster: &str, entropy: [u8; 32], issued_at: OffsetDateTime) -> Self {
        Self {
            cluster: cluster.to_owned(),
            issued_at: whole_seconds(issued_at),
            purposes: Purposes::new(),
            seed: Seed::new(entropy),
            keys: BTreeMap::new(),
            files: BTreeMap::new(),
        }
    }

    /// The cluster that the bundle belongs to; part of every derivation.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The public id: 16 hex digits that follow from the seed and tell nothing about it.
    pub fn id(&self) -> String {
        self.seed.id()
    }

    /// When the bundle was made or last renewed, in UTC, whole seconds.
    pub fn issued_at(&self) -> OffsetDateTime {
        self.issued_at
    }

    /// The generations that hold, by purpose.
    pub fn generations(&self) -> &BTreeMap<String, Generations> {
        self.purposes.named()
    }

    /// Keys that are stored because they are not derived, by the label that they answer for: with
    /// `@<generation>` behind it where several generations hold.
    pub fn keys(&self) -> &BTreeMap<String, PrivateKey> {
        &self.keys
    }

    /// Private files of the site's own, by name.
    pub fn files(&self) -> &BTreeMap<String, SecretFile> {
        &self.files
    }

    /// Stores a private file, in the place of an earlier one of this name.
    pub fn put(&mut self, name: &str, file: SecretFile) {
        self.files.insert(name.to_owned(), file);
    }

    /// Forgets a private file; whether there was one.
    pub fn drop_file(&mut self, name: &str) -> bool {
        self.files.remove(name).is_some()
    }

    pub(super) fn seed(&self) -> &Seed {
        &self.seed
    }

    /// Dates every certificate anew; keys stay.
    pub fn renew(&mut self, issued_at: OffsetDateTime) {
        self.issued_at = whole_seconds(issued_at);
    }

    /// Replaces every derived secret whose label begins with `area`, such as `leaves` or `vrrp`; none
    /// of before is trusted any more. The new generation; `None`, and nothing is replaced, after the
    /// last one.
    pub fn rotate(&mut self, area: &str) -> Option<u32> {
        self.purposes.raise(area)
    }

    /// The labels of an area's stored keys: a new generation leaves them as they are.
    pub fn stored(&self, area: &str) -> Vec<&str> {
        let labels = self.keys.keys().map(String::as_str);
        labels.filter(|label| label.split('/').next() == Some(area)).collect()
    }

    /// Stores a key that takes the place of the one that signs under this label.
    pub fn store(&mut self, label: &str, key: PrivateKey) {
        let generations = self.purposes.of(label);
        let exact = stored_as(label, generations.issuing());
        if generations.all().count() > 1 {
            self.keys.insert(exact, key);
        } else {
            self.keys.remove(&exact);
            self.keys.insert(label.to_owned(), key);
        }
    }

    /// The derived view, for the cluster that the inventory names; reports
    /// `secrets/wrong-cluster` when the bundle belongs to another one.
    pub fn open(&self, cluster: &str, report: &mut Report) -> Option<Secrets> {
        if self.cluster == cluster {
            return Some(Secrets::new(self));
        }
        report.push(
            Finding::new(
                &WRONG_CLUSTER,
                Path::of(&["cluster", "name"]),
                format!(
                    "the inventory describes cluster {cluster}, the secrets bundle belongs to {}",
                    self.cluster
                ),
            )
            .label("not the bundle's cluster")
            .help("name the right bundle with --secrets FILE"),
        );
        None
    }

    /// The YAML text of the bundle. Secret as a whole: write it 0600, never into a tree.
    pub fn to_yaml(&self) -> Zeroizing<String> {
        let keys: BTreeMap<&str, Zeroizing<String>> =
            self.keys.iter().map(|(label, key)| (label.as_str(), key.to_pem())).collect();
        let seed = self.seed.encode();
        let text = Text {
            api_version: API_VERSION,
            cluster: &self.cluster,
            id: self.id(),
            issued_at: rfc3339(self.issued_at),
            derivation: DERIVATION,
            generations: &self.purposes,
            seed: &seed,
            keys: keys.iter().map(|(label, pem)| (*label, pem.as_str())).collect(),
            files: self.files.iter().map(|(name, file)| (name.as_str(), file.text())).collect(),
        };
        let body = Zeroizing::new(serde_yaml::to_string(&text).expect("strings always serialize"));
        Zeroizing::new(format!("{HEADER}{}", *body))
    }
}

/// Tells whoever opens the file what it is.
const HEADER: &str = "\
# The secrets of one cluster: every key and password derives from this file.
# Keep it private (0600) and keep a copy; `hagen secrets` edits it.
";

/// The bundle as it is written, field by field.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Text<'a> {
    api_version: &'a str,
    cluster: &'a str,
    id: String,
    issued_at: String,
    derivation: u32,
    generations: &'a Purposes,
    seed: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    keys: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<&'a str, &'a str>,
}

/// Whether certificates can be dated by it, an hour back included: their years have four digits.
/// Nothing that is signed today is from before 1970.
pub(crate) fn is_datable(date: OffsetDateTime) -> bool {
    date.unix_timestamp() >= 0
}

fn whole_seconds(date: OffsetDateTime) -> OffsetDateTime {
    date.to_offset(time::UtcOffset::UTC).truncate_to_second()
}

pub(crate) fn rfc3339(date: OffsetDateTime) -> String {
    let (year, month, day) = date.to_calendar_date();
    let (hour, minute, second) = date.to_hms();
    let month = u8::from(month);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::secrets::Curve;

    fn bundle() -> Bundle {
        Bundle::new("demo", [7; 32], datetime!(2026-01-31 13:00:00.9 +1))
    }

    #[test]
    fn a_new_bundle_reads_as_documented() {
        assert_eq!(
            *bundle().to_yaml(),
            "\
# The secrets of one cluster: every key and password derives from this file.
# Keep it private (0600) and keep a copy; `hagen secrets` edits it.
apiVersion: hagen-secrets/v1
cluster: demo
id: 297ebd1a1b8f6d64
issuedAt: 2026-01-31T12:00:00Z
derivation: 1
generations:
  ca: 1
  leaves: 1
  serviceAccount: 1
seed: BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=
"
        );
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut bundle = bundle();
        bundle.rotate("vrrp");
        bundle.renew(datetime!(2027-01-31 00:00 UTC));
        bundle.store("ca/etcd", Secrets::new(&bundle).signing_key("any", Curve::P384));
        bundle.put("encryption", SecretFile::new(Zeroizing::new("a: b\n# \u{fffd}\n".to_owned())));
        let text = bundle.to_yaml();
        let document = serde_yaml::from_str(&text).unwrap();
        let mut report = Report::new();
        let again = Bundle::from_json(&document, &mut report).unwrap();
        assert!(!report.has_errors());
        assert_eq!(*again.to_yaml(), *text);
    }

    fn read(text: &str) -> Bundle {
        let mut report = Report::new();
        let bundle = Bundle::read("demo.secrets.yaml", text.as_bytes(), &mut report);
        bundle.unwrap_or_else(|| panic!("{:?}", report.findings()))
    }

    #[test]
    fn a_stored_key_takes_the_place_of_the_issuing_one() {
        let key = |label: &str| Secrets::new(&bundle()).signing_key(label, Curve::P256);
        let several = "  ca:\n    issuing: 2\n    trusted: [1]\n";
        for (state, entry) in [("  ca: 1\n", "ca/etcd"), (several, "ca/etcd@2")] {
            let mut bundle = read(&bundle().to_yaml().replace("  ca: 1\n", state));
            let before = Secrets::new(&bundle).trusted_keys("ca/etcd", Curve::P256);
            bundle.store("ca/etcd", key("first"));
            bundle.store("ca/etcd", key("second"));
            let bundle = read(&bundle.to_yaml());
            assert_eq!(bundle.keys().keys().collect::<Vec<_>>(), [entry]);
            let after = Secrets::new(&bundle).trusted_keys("ca/etcd", Curve::P256);
            assert_eq!(*after[0].1.to_pem(), *key("second").to_pem());
            assert_eq!(after.len(), before.len());
            for ((_, before), (_, after)) in before.iter().zip(&after).skip(1) {
                assert_eq!(*before.to_pem(), *after.to_pem(), "the older ones stay");
            }
        }
    }

    #[test]
    fn another_cluster_s_bundle_is_refused() {
        let mut report = Report::new();
        assert!(bundle().open("demo", &mut report).is_some());
        assert!(report.findings().is_empty());
        assert!(bundle().open("prod", &mut report).is_none());
        assert_eq!(report.findings()[0].code.id, "secrets/wrong-cluster");
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut bundle = bundle();
        bundle.store("ca/etcd", Secrets::new(&bundle).signing_key("any", Curve::P256));
        bundle.put("token", SecretFile::new(Zeroizing::new("PRIVATE KEY".to_owned())));
        let shown = format!("{bundle:?}");
        assert!(!shown.contains("7, 7") && !shown.contains("BwcH"), "{shown}");
        assert!(!shown.contains("PRIVATE KEY"), "{shown}");
    }
}
