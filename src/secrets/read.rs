use std::collections::BTreeMap;

use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use zeroize::Zeroizing;

use super::bundle::is_datable;
use super::faults::{corrupt, unknown_label};
use super::generations::{Purposes, contradiction, stored_as};
use super::seed::Seed;
use super::{
    API_VERSION, Bundle, DERIVATION, NEWER, PrivateKey, STORABLE, SecretFile, unusable_key,
};
use crate::report::{Finding, Path, Report, closest};
use crate::yaml;

/// Every field that a bundle may have.
const FIELDS: [&str; 9] = [
    "apiVersion",
    "cluster",
    "id",
    "issuedAt",
    "derivation",
    "generations",
    "seed",
    "keys",
    "files",
];

/// Whether a file is a secrets bundle, also one of another version or one that cannot be read:
/// given for something else, not a line of it may be shown.
pub fn is_bundle(bytes: &[u8]) -> bool {
    // UTF-16 has a NUL beside each letter of ASCII.
    let letters: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let says = |line: &[u8], word: &str| line.windows(word.len()).any(|at| at == word.as_bytes());
    letters
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .any(|line| says(line, "apiVersion") && says(line, "hagen-secrets/"))
}

impl Bundle {
    /// Reads the text of a bundle; `name` is its file's.
    ///
    /// Of what the YAML reader finds only the line is passed on: its messages and spans may show
    /// the text that they complain about.
    pub fn read(name: &str, bytes: &[u8], report: &mut Report) -> Option<Self> {
        let mut syntax = Report::new();
        if let Some(document) = yaml::read(name, bytes, &mut syntax)
            && !syntax.has_errors()
        {
            return Self::from_json(&document.to_json(), report);
        }
        let offset =
            syntax.findings().iter().find_map(|finding| Some(finding.span.as_ref()?.start));
        let before = offset.and_then(|offset| bytes.get(..offset));
        match before.map(|before| before.iter().filter(|byte| **byte == b'\n').count() + 1) {
            Some(line) => corrupt(report, &format!("line {line} is not valid YAML")),
            None => corrupt(report, "it is not valid YAML"),
        }
        None
    }

    /// Reads the values of a bundle's document. Findings name fields in words and point at no
    /// place, so that no printed line can ever show a secret.
    pub fn from_json(document: &Value, report: &mut Report) -> Option<Self> {
        let Some(fields) = document.as_object() else {
            corrupt(report, "it is not a map");
            return None;
        };
        if is_newer(fields, report) {
            return None;
        }
        let known = |name: &String| FIELDS.contains(&name.as_str());
        for name in fields.keys().filter(|name| !known(name)) {
            // Its name may be a line of a key that has lost its indentation.
            let near = closest(name, FIELDS.iter().copied());
            let near =
                near.map_or_else(String::new, |near| format!(", where `{near}` may be meant"));
            corrupt(report, &format!("it has a field that no bundle has{near}"));
        }

        // All fields are read before giving up: one run reports everything that is wrong.
        let cluster = text(fields, "cluster", report);
        let id = text(fields, "id", report);
        let issued_at = date(fields, report);
        let seed = seed(fields, report);
        let purposes = Purposes::read(fields.get("generations"), report);
        let keys = keys(fields, report);
        let files = files(fields, report);

        let bundle = Self {
            cluster: cluster?.to_owned(),
            issued_at: issued_at?,
            purposes: purposes?,
            seed: seed?,
            keys: keys?,
            files: files?,
        };
        if bundle.cluster.is_empty() || bundle.cluster.contains('/') {
            corrupt(report, "`cluster` is not the name of a cluster");
            return None;
        }
        if id? != bundle.id() {
            corrupt(report, "`id` and `seed` do not belong together");
            return None;
        }
        let clear = belong(&bundle.keys, &bundle.purposes, report);
        (clear && fields.keys().all(known)).then_some(bundle)
    }
}

/// Whether a later release wrote the bundle; reported, or else anything but the known version is.
fn is_newer(fields: &Map<String, Value>, report: &mut Report) -> bool {
    let version = fields.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let derivation = fields.get("derivation").and_then(Value::as_u64).unwrap_or_default();
    let known = u64::from(DERIVATION);
    if version == API_VERSION && derivation == known {
        return false;
    }
    let later = |version: &str| {
        let number = |text: &str| text.strip_prefix("hagen-secrets/v")?.parse::<u32>().ok();
        number(version) > number(API_VERSION)
    };
    if later(version) || (version == API_VERSION && derivation > known) {
        report.push(
            Finding::new(
                &NEWER,
                Path::root(),
                format!(
                    "the secrets bundle is {version}, derivation {derivation}; \
                     this release reads {API_VERSION}, derivation {known}"
                ),
            )
            .help("use the release of hagen that wrote the bundle, or a later one"),
        );
    } else if version == API_VERSION {
        corrupt(report, &format!("`derivation` is not {known}"));
    } else {
        corrupt(report, &format!("`apiVersion` is not {API_VERSION}"));
    }
    true
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str, report: &mut Report) -> Option<&'a str> {
    let text = fields.get(name).and_then(Value::as_str);
    if text.is_none() {
        corrupt(report, &format!("`{name}` is missing or not a string"));
    }
    text
}

fn date(fields: &Map<String, Value>, report: &mut Report) -> Option<OffsetDateTime> {
    let date = OffsetDateTime::parse(text(fields, "issuedAt", report)?, &Rfc3339)
        .ok()
        .filter(|date| date.offset() == UtcOffset::UTC && date.nanosecond() == 0)
        .filter(|date| is_datable(*date));
    if date.is_none() {
        corrupt(
            report,
            "`issuedAt` is not a date in UTC from 1970 on, such as 2026-01-31T12:00:00Z",
        );
    }
    date
}

fn seed(fields: &Map<String, Value>, report: &mut Report) -> Option<Seed> {
    let seed = Seed::decode(text(fields, "seed", report)?);
    if seed.is_none() {
        corrupt(report, "`seed` is not the base64 of 32 bytes");
    }
    seed
}

fn keys(fields: &Map<String, Value>, report: &mut Report) -> Option<BTreeMap<String, PrivateKey>> {
    let Some(keys) = fields.get("keys") else { return Some(BTreeMap::new()) };
    let Some(keys) = keys.as_object() else {
        corrupt(report, "`keys` is not a map");
        return None;
    };
    let mut read = Some(BTreeMap::new());
    for (label, pem) in keys {
        if !STORABLE.contains(&labelled(label).0) {
            report.push(unknown_label(&format!("stores a key `{label}`"), label, &STORABLE));
            read = None;
            continue;
        }
        match PrivateKey::from_pem(pem.as_str().unwrap_or_default()) {
            Ok(key) => drop(read.as_mut().map(|read| read.insert(label.clone(), key))),
            Err(why) => {
                let key = format!("the key `{label}` of the secrets bundle");
                report.push(unusable_key(&key, why));
                read = None;
            }
        }
    }
    read
}

/// The label in an entry of `keys`, and the generation where it says one.
fn labelled(entry: &str) -> (&str, Option<u32>) {
    let (label, said) = entry.split_once('@').unwrap_or((entry, ""));
    let generation = said.parse().ok().filter(|said| stored_as(label, *said) == entry);
    if generation.is_some() { (label, generation) } else { (entry, None) }
}

/// Whether it is clear which generation each stored key is of, and of each one key only.
fn belong(keys: &BTreeMap<String, PrivateKey>, purposes: &Purposes, report: &mut Report) -> bool {
    let mut clear = true;
    for entry in keys.keys() {
        let (label, generation) = labelled(entry);
        let held: Vec<u32> = purposes.of(label).all().collect();
        let exact: Vec<String> = held.iter().map(|held| stored_as(label, *held)).collect();
        let (what, help) = match (generation, exact.as_slice()) {
            (Some(generation), _) if !held.contains(&generation) => (
                format!("it stores a key `{entry}`, and that generation does not hold"),
                format!("delete it, or name {generation} under `trusted` of `generations`"),
            ),
            (None, [only]) if keys.contains_key(only) => (
                format!("it stores two keys of one generation, `{entry}` and `{only}`"),
                "delete the one that no program has".to_owned(),
            ),
            (None, [_, _, ..]) => (
                format!("it stores a key `{entry}`, and does not say of which generation"),
                format!("write one of {}", exact.join(", ")),
            ),
            _ => continue,
        };
        report.push(contradiction(&what, &help));
        clear = false;
    }
    clear
}

fn files(fields: &Map<String, Value>, report: &mut Report) -> Option<BTreeMap<String, SecretFile>> {
    let Some(files) = fields.get("files") else { return Some(BTreeMap::new()) };
    let file = |(name, text): (&String, &Value)| {
        let text = Zeroizing::new(text.as_str()?.to_owned());
        Some((name.clone(), SecretFile::new(text)))
    };
    let files = files.as_object().and_then(|files| files.iter().map(file).collect());
    if files.is_none() {
        corrupt(report, "`files` is not a map of texts");
    }
    files
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::CORRUPT;
    use super::*;

    /// Reads a good bundle after `damage`; the findings as `code: message`.
    fn read(damage: impl FnOnce(&mut Map<String, Value>)) -> (Option<Bundle>, Vec<String>) {
        let bundle = Bundle::new("demo", [7; 32], OffsetDateTime::UNIX_EPOCH);
        let mut document: Value = serde_yaml::from_str(&bundle.to_yaml()).unwrap();
        damage(document.as_object_mut().unwrap());
        let mut report = Report::new();
        let read = Bundle::from_json(&document, &mut report);
        let lines = report.findings().iter().map(|finding| {
            assert_eq!(finding.at, Path::root(), "a place would print the line");
            format!("{}: {}", finding.code.id, finding.message)
        });
        (read, lines.collect())
    }

    /// The one finding of a bundle with one field replaced.
    fn complaint(field: &str, value: Value) -> String {
        let (bundle, mut findings) = read(|fields| {
            fields.insert(field.to_owned(), value);
        });
        assert!(bundle.is_none());
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings.remove(0)
    }

    #[test]
    fn a_later_format_is_not_damage() {
        for (field, value) in [("apiVersion", json!("hagen-secrets/v2")), ("derivation", json!(2))]
        {
            assert!(complaint(field, value).starts_with("secrets/newer: "));
        }
        assert_eq!(
            complaint("apiVersion", json!("hagen/v1")),
            "secrets/corrupt: the secrets bundle is damaged: `apiVersion` is not hagen-secrets/v1"
        );
        assert!(complaint("derivation", json!("1")).starts_with("secrets/corrupt: "));
    }

    #[test]
    fn every_damage_is_named() {
        for (field, value, said) in [
            ("seed", json!("BwcH"), "`seed` is not the base64 of 32 bytes"),
            ("seed", json!(7), "`seed` is missing or not a string"),
            ("id", json!("0000000000000000"), "`id` and `seed` do not belong together"),
            ("issuedAt", json!("2026-01-31"), "`issuedAt` is not a date in UTC"),
            ("issuedAt", json!("2026-01-31T12:00:00+01:00"), "`issuedAt` is not a date in UTC"),
            ("issuedAt", json!("0000-06-01T00:00:00Z"), "`issuedAt` is not a date in UTC"),
            ("generations", json!(2), "`generations` is not a map of counters from 1"),
            ("cluster", json!("a/b"), "`cluster` is not the name of a cluster"),
            ("generations", json!({"ca": 1, "leaves": 1}), "`generations` has no `serviceAccount`"),
            ("files", json!({"token": 7}), "`files` is not a map of texts"),
            ("sead", json!("x"), "it has a field that no bundle has, where `seed` may be meant"),
            ("hunter2-Passw0rd", json!("y"), "it has a field that no bundle has"),
        ] {
            let complaint = complaint(field, value);
            let expected = format!("secrets/corrupt: the secrets bundle is damaged: {said}");
            assert!(complaint.starts_with(&expected), "{complaint}");
        }
    }

    #[test]
    fn what_nothing_is_derived_for_is_named() {
        let generations = json!({"Ca": 2, "ca": 1, "leaves": 1, "serviceAccount": 1});
        assert_eq!(
            complaint("generations", generations),
            "secrets/unknown-label: the secrets bundle has a generation of `Ca`, which nothing is \
             derived for"
        );
        let pem = include_str!("testdata/rsa-2048.pem");
        assert_eq!(
            complaint("keys", json!({"ca/kubernets": pem})),
            "secrets/unknown-label: the secrets bundle stores a key `ca/kubernets`, which nothing \
             is derived for"
        );
    }

    #[test]
    fn a_key_that_cannot_be_used_is_named() {
        for (pem, why) in [
            ("hunter2", "it is not an EC key"),
            (include_str!("testdata/rsa-1024.pem"), "the RSA key has fewer than 2048 bits"),
            (include_str!("testdata/rsa-equal-primes.pem"), "the factors of the RSA key are not"),
        ] {
            let complaint = complaint("keys", json!({"ca/etcd": pem}));
            let expected = "secrets/unusable-key: the key `ca/etcd` of the secrets bundle cannot be \
                            used: ";
            assert!(complaint.starts_with(&format!("{expected}{why}")), "{complaint}");
        }
    }

    #[test]
    fn a_stored_key_is_of_one_generation() {
        let pem = include_str!("testdata/rsa-2048.pem");
        let judged = |etcd: Value, entries: &[&str]| -> Vec<String> {
            let (bundle, findings) = read(|fields| {
                fields["generations"]["ca/etcd"] = etcd;
                let keys = entries.iter().map(|entry| ((*entry).to_owned(), json!(pem)));
                fields.insert("keys".to_owned(), keys.collect());
            });
            assert_eq!(bundle.is_none(), !findings.is_empty());
            findings.into_iter().map(|found| found.replace("the secrets bundle ", "")).collect()
        };
        let fine: Vec<String> = Vec::new();
        let two = json!({"issuing": 2, "trusted": [1]});
        assert_eq!(judged(json!(2), &["ca/etcd"]), fine);
        assert_eq!(judged(json!(2), &["ca/etcd@2"]), fine);
        assert_eq!(judged(two.clone(), &["ca/etcd@1", "ca/etcd@2"]), fine);
        assert_eq!(judged(two.clone(), &["ca/etcd@1", "ca/kubernetes"]), fine);
        let contradiction = "secrets/contradiction: contradicts itself: it stores";
        assert_eq!(
            judged(two.clone(), &["ca/etcd"]),
            [format!("{contradiction} a key `ca/etcd`, and does not say of which generation")]
        );
        assert_eq!(
            judged(two, &["ca/etcd@3"]),
            [format!("{contradiction} a key `ca/etcd@3`, and that generation does not hold")]
        );
        assert_eq!(
            judged(json!(2), &["ca/etcd", "ca/etcd@2"]),
            [format!("{contradiction} two keys of one generation, `ca/etcd` and `ca/etcd@2`")]
        );
        for entry in ["ca/etcd@", "ca/etcd@02", "ca/etcd@+2", "ca/etcd@0x2", "ca@2"] {
            let found = judged(json!(2), &[entry]);
            assert_eq!(
                found,
                [format!(
                    "secrets/unknown-label: stores a key `{entry}`, which nothing is derived for"
                )]
            );
        }
    }

    #[test]
    fn a_bundle_is_known_whatever_else_is_wrong_with_it() {
        let text = Bundle::new("demo", [7; 32], OffsetDateTime::UNIX_EPOCH).to_yaml();
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [
            text.as_bytes(),
            &wide,
            b"{\"apiVersion\": \"hagen-secrets/v9\", \"seed\"",
            b"\xff\r\napiVersion: hagen-secrets/v1\r\nseed",
        ] {
            assert!(is_bundle(bytes));
        }
        assert!(!is_bundle(b"apiVersion: hagen/v1\n# hagen-secrets/ are elsewhere\n"));
    }

    #[test]
    fn all_damages_are_reported_at_once() {
        let (bundle, findings) = read(|fields| {
            fields.remove("seed");
            fields.remove("cluster");
            fields.remove("generations");
        });
        assert!(bundle.is_none());
        assert_eq!(findings.len(), 3, "{findings:?}");
    }

    #[test]
    fn what_is_written_reads_back_through_the_yaml_reader() {
        let mut bundle = Bundle::new("demo", [7; 32], OffsetDateTime::UNIX_EPOCH);
        let key =
            crate::secrets::Secrets::new(&bundle).signing_key("x", crate::secrets::Curve::P256);
        bundle.store("ca/etcd", key);
        let mut report = Report::new();
        let again = Bundle::read("demo.secrets.yaml", bundle.to_yaml().as_bytes(), &mut report);
        assert_eq!(again.map(|again| again.to_yaml()), Some(bundle.to_yaml()));
        assert!(report.findings().is_empty());
    }

    #[test]
    fn broken_yaml_is_blamed_by_line_without_its_text() {
        for (text, line) in [
            ("apiVersion: hagen-secrets/v1\nseed: 'hunter2\n", "line"),
            ("seed: hunter2\nseed: hunter2\n", "line 2 is not valid YAML"),
        ] {
            let mut report = Report::new();
            assert!(Bundle::read("demo.secrets.yaml", text.as_bytes(), &mut report).is_none());
            let [finding] = report.findings() else { panic!("{:?}", report.findings()) };
            assert_eq!(finding.code, &CORRUPT);
            assert!(finding.message.contains(line), "{}", finding.message);
            assert!(!format!("{finding:?}").contains("hunter2"));
            assert!(finding.span.is_none());
        }
    }

    #[test]
    fn findings_never_repeat_a_secret() {
        let complaint = complaint("seed", json!("hunter2hunter2"));
        assert!(!complaint.contains("hunter2"));
    }
}
