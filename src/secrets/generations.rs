use std::collections::BTreeMap;
use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::CONTRADICTION;
use super::faults::{corrupt, unknown_label};
use crate::report::{Finding, Path, Report};

/// What may have generations, and whether its readers can hold several at once: a list of authorities
/// or of keys that verify tokens can be told of more than the issuing one, a password or the key of a
/// leaf cannot.
const PURPOSES: [(&str, bool); 7] = [
    ("ca", true),
    ("ca/etcd", true),
    ("ca/front-proxy", true),
    ("ca/kubernetes", true),
    ("leaves", false),
    ("serviceAccount", true),
    ("vrrp", false),
];

/// The purposes that no bundle lacks: without its entry an area would fall back to its first keys.
const ALWAYS: [&str; 3] = ["ca", "leaves", "serviceAccount"];

/// Which generations of one purpose hold. A rotation with overlap goes through three states: 1 issues
/// and 2 is trusted as well, 2 issues and 1 is still trusted, 2 alone. So a trusted one may be newer
/// than the issuing one: it is about to issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generations {
    issuing: u32,
    trusted: Vec<u32>,
}

impl Generations {
    /// One generation that issues and alone is trusted.
    pub(super) const fn only(issuing: u32) -> Self {
        Self { issuing, trusted: Vec::new() }
    }

    /// The generation whose keys sign.
    pub fn issuing(&self) -> u32 {
        self.issuing
    }

    /// Every generation that is trusted: the issuing one first, the others as the bundle lists them.
    pub fn all(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.issuing).chain(self.trusted.iter().copied())
    }
}

impl fmt::Display for Generations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.issuing)?;
        self.trusted.iter().enumerate().try_for_each(|(index, trusted)| {
            write!(f, "{} {trusted}", if index == 0 { ", trusting" } else { "," })
        })
    }
}

/// As the bundle has it: a number, or a map where more than one is trusted.
impl Serialize for Generations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.trusted.is_empty() {
            return serializer.serialize_u32(self.issuing);
        }
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("issuing", &self.issuing)?;
        map.serialize_entry("trusted", &self.trusted)?;
        map.end()
    }
}

/// The generations of every purpose that the bundle names, by the beginning of the labels that follow
/// it: `ca` is every authority, `ca/etcd` that of etcd alone.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Purposes(BTreeMap<String, Generations>);

impl Purposes {
    /// Those of a new bundle.
    pub(super) fn new() -> Self {
        Self(ALWAYS.map(|purpose| (purpose.to_owned(), Generations::only(1))).into())
    }

    pub(super) fn named(&self) -> &BTreeMap<String, Generations> {
        &self.0
    }

    /// Those that a label follows: of the entries that it begins with, segment by segment, the longest.
    /// Without one it is at generation 1.
    pub(super) fn of(&self, label: &str) -> &Generations {
        static FIRST: Generations = Generations::only(1);
        std::iter::successors(Some(label), |it| it.rsplit_once('/').map(|(above, _)| above))
            .find_map(|purpose| self.0.get(purpose))
            .unwrap_or(&FIRST)
    }

    /// The next generation of a purpose and of all below it, trusted alone; `None`, and nothing
    /// changes, after the last one.
    pub(super) fn raise(&mut self, purpose: &str) -> Option<u32> {
        let below = |name: &str| {
            name.strip_prefix(purpose).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let named = self.0.iter().filter(|(name, _)| below(name)).map(|(_, found)| found);
        let newest = named.chain([self.of(purpose)]).flat_map(Generations::all).max()?;
        let next = newest.checked_add(1)?;
        self.0.retain(|name, _| !below(name));
        self.0.insert(purpose.to_owned(), Generations::only(next));
        Some(next)
    }

    /// Reads the field `generations`; everything that is wrong with it is reported.
    pub(super) fn read(field: Option<&Value>, report: &mut Report) -> Option<Self> {
        let Some(fields) = field.and_then(Value::as_object) else {
            corrupt(report, "`generations` is not a map of counters from 1");
            return None;
        };
        let mut read = Some(BTreeMap::new());
        for (purpose, value) in fields {
            match generations(purpose, value, report) {
                Some(found) => drop(read.as_mut().map(|read| read.insert(purpose.clone(), found))),
                None => read = None,
            }
        }
        for purpose in ALWAYS.iter().filter(|purpose| !fields.contains_key(**purpose)) {
            corrupt(report, &format!("`generations` has no `{purpose}`"));
            read = None;
        }
        read.map(Self)
    }
}

/// One entry: `2`, or `{issuing: 2, trusted: [1]}`.
fn generations(purpose: &str, value: &Value, report: &mut Report) -> Option<Generations> {
    let Some((_, several)) = PURPOSES.iter().find(|(known, _)| *known == purpose) else {
        let known = PURPOSES.map(|(known, _)| known);
        let what = format!("has a generation of `{purpose}`");
        report.push(unknown_label(&what, purpose, &known));
        return None;
    };
    let Some(found) = written(value) else {
        let form = "a counter from 1, nor a map of `issuing` and `trusted` counters";
        corrupt(report, &format!("`{purpose}` of `generations` is neither {form}"));
        return None;
    };
    if let Some(twice) = repeated(&found) {
        report.push(contradiction(
            &format!("`{purpose}` names generation {twice} twice"),
            "leave it out of `trusted`: the issuing one is trusted in any case",
        ));
        return None;
    }
    if !several && !found.trusted.is_empty() {
        report.push(contradiction(
            &format!(
                "`{purpose}` trusts generations beside the issuing one, and nobody reads more"
            ),
            &format!("write `{purpose}: {}`", found.issuing),
        ));
        return None;
    }
    Some(found)
}

fn written(value: &Value) -> Option<Generations> {
    let counter = |value: &Value| {
        value.as_u64().and_then(|value| u32::try_from(value).ok()).filter(|value| *value > 0)
    };
    let Some(fields) = value.as_object() else { return counter(value).map(Generations::only) };
    let trusted = fields.get("trusted")?.as_array()?.iter().map(counter).collect::<Option<_>>()?;
    let issuing = counter(fields.get("issuing")?)?;
    (fields.len() == 2).then_some(Generations { issuing, trusted })
}

fn repeated(found: &Generations) -> Option<u32> {
    let all: Vec<u32> = found.all().collect();
    all.iter()
        .enumerate()
        .find(|(at, generation)| all[..*at].contains(generation))
        .map(|(_, it)| *it)
}

/// Two things that the bundle says and that cannot both hold.
pub(super) fn contradiction(what: &str, help: &str) -> Finding {
    let message = format!("the secrets bundle contradicts itself: {what}");
    Finding::new(&CONTRADICTION, Path::root(), message).help(help)
}

/// How an entry of `keys` names a key of one generation among several.
pub(super) fn stored_as(label: &str, generation: u32) -> String {
    format!("{label}@{generation}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The purposes that this field yields, and what is reported.
    fn read(field: &Value) -> (Option<Purposes>, Vec<String>) {
        let mut report = Report::new();
        let read = Purposes::read(Some(field), &mut report);
        let found = report.findings().iter();
        (read, found.map(|found| format!("{}: {}", found.code.id, found.message)).collect())
    }

    /// A whole field with this entry in it.
    fn with(purpose: &str, value: Value) -> Value {
        let mut field = json!({"ca": 1, "leaves": 1, "serviceAccount": 1});
        field[purpose] = value;
        field
    }

    fn all(purposes: &Purposes, label: &str) -> Vec<u32> {
        purposes.of(label).all().collect()
    }

    #[test]
    fn a_label_follows_the_longest_purpose_that_it_begins_with() {
        let mut field = with("ca/etcd", json!({"issuing": 3, "trusted": [2, 4]}));
        field["ca"] = json!(2);
        let (purposes, _) = read(&field);
        let purposes = purposes.unwrap();
        assert_eq!(all(&purposes, "ca/etcd"), [3, 2, 4]);
        assert_eq!(all(&purposes, "ca/etcd/p256/0"), [3, 2, 4]);
        assert_eq!(all(&purposes, "ca/kubernetes"), [2]);
        for label in ["ca/etcdX", "caX", "vrrp/main", "fingerprint", ""] {
            let expected = if label.starts_with("ca/") { 2 } else { 1 };
            assert_eq!(all(&purposes, label), [expected], "{label}");
        }
    }

    #[test]
    fn raising_a_purpose_takes_all_below_it_along_and_trusts_nothing_older() {
        let field = with("ca/etcd", json!({"issuing": 3, "trusted": [4]}));
        let raised = |purpose: &str| {
            let mut purposes = read(&field).0.unwrap();
            let next = purposes.raise(purpose).unwrap();
            (next, all(&purposes, "ca/etcd"), all(&purposes, "ca/kubernetes"))
        };
        assert_eq!(raised("ca/etcd"), (5, vec![5], vec![1]));
        assert_eq!(raised("ca"), (5, vec![5], vec![5]), "no generation is used a second time");
        assert_eq!(raised("ca/kubernetes"), (2, vec![3, 4], vec![2]));
        assert_eq!(raised("leaves"), (2, vec![3, 4], vec![1]));
    }

    #[test]
    fn the_last_generation_has_no_next() {
        let mut purposes = read(&with("leaves", json!(u32::MAX))).0.unwrap();
        assert_eq!(purposes.raise("leaves"), None);
        assert_eq!(all(&purposes, "leaves"), [u32::MAX]);
    }

    #[test]
    fn every_state_of_a_rotation_reads_back_as_it_is_written() {
        for entry in [
            json!(1),
            json!({"issuing": 1, "trusted": [2]}),
            json!({"issuing": 2, "trusted": [1]}),
            json!({"issuing": 3, "trusted": [2, 1]}),
        ] {
            for purpose in ["ca", "ca/kubernetes", "ca/front-proxy", "ca/etcd", "serviceAccount"] {
                let field = with(purpose, entry.clone());
                let (purposes, found) = read(&field);
                assert_eq!(found, [""; 0]);
                assert_eq!(serde_json::to_value(purposes.unwrap()).unwrap(), field);
            }
        }
    }

    #[test]
    fn what_no_reader_can_hold_is_refused() {
        for (purpose, entry, said) in [
            (
                "ca/etcd",
                json!({"issuing": 2, "trusted": [2]}),
                "`ca/etcd` names generation 2 twice",
            ),
            ("ca", json!({"issuing": 3, "trusted": [1, 1]}), "`ca` names generation 1 twice"),
            (
                "leaves",
                json!({"issuing": 2, "trusted": [1]}),
                "`leaves` trusts generations beside the issuing one, and nobody reads more",
            ),
            (
                "vrrp",
                json!({"issuing": 2, "trusted": [1]}),
                "`vrrp` trusts generations beside the issuing one, and nobody reads more",
            ),
        ] {
            let (purposes, found) = read(&with(purpose, entry));
            assert!(purposes.is_none());
            let expected = "secrets/contradiction: the secrets bundle contradicts itself: ";
            assert_eq!(found, [format!("{expected}{said}")]);
        }
    }

    #[test]
    fn what_is_no_counter_is_damage() {
        for entry in [
            json!(0),
            json!(-1),
            json!("1"),
            json!(4_294_967_296_u64),
            json!([1]),
            json!({"issuing": 2}),
            json!({"trusted": [1]}),
            json!({"issuing": 2, "trusted": 1}),
            json!({"issuing": 0, "trusted": [1]}),
            json!({"issuing": 2, "trusted": [0]}),
            json!({"issuing": 2, "trusted": [1], "retired": []}),
        ] {
            let (purposes, found) = read(&with("ca/etcd", entry.clone()));
            assert!(purposes.is_none(), "{entry}");
            let said =
                "the secrets bundle is damaged: `ca/etcd` of `generations` is neither a counter";
            assert!(found[0].starts_with(&format!("secrets/corrupt: {said}")), "{found:?}");
        }
    }
}
