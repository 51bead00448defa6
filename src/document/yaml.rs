//! YAML through serde_yaml, with quotes where YAML 1.1 readers need them.
//!
//! serde_yaml 0.9 quotes what YAML 1.2 would read as something else, but leaves `on`, `12:34:56`
//! or `1_000` bare, which PyYAML (Ansible) and go-yaml (Kubernetes) read as true, 45296 and 1000.
//! It offers no way to ask for quotes. So such a text is written between two marks, a character
//! that occurs nowhere in the document, and the marks become quotes afterwards. That is sound:
//! an ambiguous text never holds what would have to be escaped between single quotes.
//!
//! Certificates and keys are the bulk of every kubeconfig, and serde_yaml looks at each of their
//! letters several times. A long text of base64's letters needs no quotes: another mark stands for
//! it until the rest is written.

use std::collections::BTreeSet;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::Value;

/// Appends one document, ending in a newline.
pub(super) fn write(document: &Value, out: &mut String) {
    let (marks, long) = Marks::of(document);
    let text = serde_yaml::to_string(&Marked { value: document, marks })
        .expect("a value in memory always has a YAML form");
    let Some(Marks { quote, stand_in }) = marks else { return out.push_str(&text) };
    let mut long = long.into_iter();
    for (position, part) in text.split(stand_in).enumerate() {
        if position > 0 {
            out.push_str(long.next().expect("each text is visited before it is written"));
        }
        for (position, part) in part.split(quote).enumerate() {
            out.push_str(if position > 0 { "'" } else { "" });
            out.push_str(part);
        }
    }
}

/// Two characters of Unicode's Private Use Area that the document does not hold.
#[derive(Clone, Copy)]
struct Marks {
    /// Stands where a single quote is to be.
    quote: char,
    /// Stands for a long text of base64's letters.
    stand_in: char,
}

impl Marks {
    const CANDIDATES: std::ops::RangeInclusive<char> = '\u{e000}'..='\u{f8ff}';

    /// `None` where none is needed; also where the document holds nearly all 6,400 candidates, and
    /// ambiguous texts stay bare. Beside them the texts that have a stand-in, in their order.
    fn of(document: &Value) -> (Option<Self>, Vec<&str>) {
        let (mut needed, mut taken, mut long) = (false, BTreeSet::new(), Vec::new());
        visit(document, &mut |text, place| {
            if place == Place::Value && is_long_base64(text) {
                long.push(text);
            } else if text.is_ascii() {
                needed |= is_ambiguous(text);
            } else {
                taken.extend(text.chars().filter(|letter| Self::CANDIDATES.contains(letter)));
            }
        });
        let mut free = Self::CANDIDATES.filter(|letter| !taken.contains(letter));
        let marks = (needed || !long.is_empty()).then(|| Some((free.next()?, free.next()?)));
        let marks = marks.flatten().map(|(quote, stand_in)| Self { quote, stand_in });
        (marks, long)
    }
}

/// Where a text stands in its document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Key,
    Value,
}

/// Every text, in the order in which it is written.
fn visit<'a>(value: &'a Value, see: &mut impl FnMut(&'a str, Place)) {
    match value {
        Value::String(text) => see(text, Place::Value),
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        Value::Object(fields) => {
            for (key, item) in fields {
                see(key, Place::Key);
                visit(item, see);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A value whose ambiguous texts stand between marks, and whose long ones behind one.
#[derive(Clone, Copy)]
struct Marked<'a> {
    value: &'a Value,
    marks: Option<Marks>,
}

/// A text, as it is given to serde_yaml.
struct Text<'a>(&'a str, Place, Option<Marks>);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self(text, Place::Value, Some(marks)) if is_long_base64(text) => {
                serializer.serialize_str(marks.stand_in.encode_utf8(&mut [0; 4]))
            }
            Self(text, _, Some(Marks { quote, .. })) if is_ambiguous(text) => {
                serializer.serialize_str(&format!("{quote}{text}{quote}"))
            }
            Self(text, ..) => serializer.serialize_str(text),
        }
    }
}

impl Serialize for Marked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { value, marks } = *self;
        match value {
            Value::String(text) => Text(text, Place::Value, marks).serialize(serializer),
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for value in items {
                    list.serialize_element(&Self { value, marks })?;
                }
                list.end()
            }
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(&Text(key, Place::Key, marks), &Self { value, marks })?;
                }
                map.end()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.serialize(serializer),
        }
    }
}

/// Whether the text is bare in every reader's eyes, and long enough to be worth a stand-in.
fn is_long_base64(text: &str) -> bool {
    text.len() > 200
        && text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
}

/// Whether some YAML reader takes the bare text for a boolean, null, number, time, date, merge
/// key or default key. Wider than the sum of <https://yaml.org/type/>, YAML 1.2's core schema
/// and go-yaml's additions: quotes too many do no harm. IPv6 addresses are always quoted.
fn is_ambiguous(text: &str) -> bool {
    const WORDS: [&str; 16] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<", ".inf",
        ".nan", "+.inf", "-.inf",
    ];
    if WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return true;
    }
    let plain = text.chars().all(|letter| letter.is_ascii_hexdigit() || ":./".contains(letter));
    if plain && (text.contains("::") || text.starts_with(':') || text.ends_with(':')) {
        return true;
    }
    // Digits in any base, with separators, exponents, base 60, dates and times; but not an IPv4
    // address or a version of three parts, which no reader takes for a number.
    text.starts_with(|letter: char| letter.is_ascii_digit() || "+-.".contains(letter))
        && text.contains(|letter: char| letter.is_ascii_digit())
        && text
            .chars()
            .all(|letter| letter.is_ascii_hexdigit() || "xXoO_+-.:TtZz ".contains(letter))
        && !text.starts_with("- ")
        && !text.ends_with(' ')
        && !text.contains(": ")
        && text.matches('.').count() < 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{HEADER, Value, yaml};

    fn text(document: Value) -> String {
        String::from_utf8(yaml(&[document], false)).unwrap()
    }

    #[test]
    fn what_a_yaml_1_1_reader_would_misread_is_quoted() {
        for word in [
            "1.30",
            "0644",
            "yes",
            "no",
            "On",
            "OFF",
            "y",
            "N",
            "true",
            "null",
            "~",
            "<<",
            "=",
            "12:34:56",
            "190:20:30.15",
            "1e3",
            "+1",
            "-.INF",
            ".nan",
            ".5",
            "5.",
            "0o644",
            "0x1F",
            "0b1",
            "1_000",
            "123456.0123456789012345",
            "2001-12-14",
            "2001-12-14 21:59:43.10 -5",
            "2001-12-14t21:59:43Z",
            "00:1a:2b:3c:4d:5e",
            "",
            "fd00::",
            "fd00::1",
            "::1",
            "::",
            "2001:db8::/64",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "- a",
            "a: b",
            "a #b",
            "[a]",
        ] {
            assert_eq!(text(json!({ "x": word })), format!("x: '{word}'\n"));
        }
        assert_eq!(text(json!({ "on": 1 })), "'on': 1\n");
    }

    #[test]
    fn what_no_reader_misreads_stays_bare() {
        for word in [
            "10.0.0.1",
            "10.244.0.0/16",
            "10.0.0.1:6443",
            "1.33.2",
            "v1.33.2",
            "24h0m0s",
            "100Mi",
            "registry.k8s.io/pause:3.10",
            "/etc/kubernetes",
            "deadbeef",
            "RSA",
            "online",
        ] {
            assert_eq!(text(json!({ "x": word })), format!("x: {word}\n"));
        }
    }

    #[test]
    fn a_text_that_holds_the_mark_is_left_alone() {
        let document = json!(["on", "\u{e000}", "\u{e001}on"]);
        assert_eq!(text(document), "- 'on'\n- \u{e000}\n- \u{e001}on\n");
    }

    #[test]
    fn a_certificate_stays_bare_and_whole_wherever_it_stands() {
        let [first, second] =
            ["LS0t", "MIIB+/"].map(|start| format!("{start}{}==", "A".repeat(300)));
        let document = json!({ "on": [first, { "off": second }], first.clone(): "\u{e001}" });
        let expected = format!("'on':\n- {first}\n- 'off': {second}\n? {first}\n: \u{e001}\n");
        assert_eq!(text(document), expected);
    }

    #[test]
    fn documents_are_separated_and_the_header_comes_first() {
        let bytes = yaml(&[json!({"a": 1}), json!({"b": ["x\ny\n"]})], true);
        let expected = format!("{HEADER}a: 1\n---\nb:\n- |\n  x\n  y\n");
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let word = prop_oneof!["[-+0-9._:eExXoTZ~<= ]{0,8}", "[ -~\n\t]{0,12}", any::<String>(),];
        let long = "[A-Za-z0-9+/]{150,260}={0,2}";
        let leaf = prop_oneof![
            long.prop_map(Value::from),
            word.clone().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((word.clone(), inner), 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_document_reads_back(document in any_value()) {
            let written = text(document.clone());
            prop_assert!(!written.contains('\t') && written.ends_with('\n'));
            let read: Value = serde_yaml::from_str(&written).unwrap();
            prop_assert_eq!(read, document);
        }
    }
}
