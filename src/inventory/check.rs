//! Compares a document with the inventory's JSON Schema and reports everything at once, where
//! serde would stop at its first error. It knows the part of draft 2020-12 that schemars writes
//! for our types, and no `pattern`: forms are told by `format`.

mod meant;
mod shape;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use self::shape::{Kind, Shape};
use super::codes;
use crate::report::{Code, Finding, Path, Report, closest};
use crate::yaml::{Document, Key, Node, Value};

/// Whether a text has a form. The error says what is expected, as a noun without the value:
/// `an IPv4 address such as 192.168.1.11`.
pub type Format = fn(&str) -> Result<(), String>;

/// The forms by the `format` of their schema, such as `hagen-node-name`.
pub type Formats = BTreeMap<&'static str, Format>;

/// Reports every place where the document does not have the form that the schema describes, and
/// returns the misspelt keys together with what each was meant as, where its value has the form of
/// that. Nothing is reported of a document that serde can read with the types behind the schema.
/// A list of nodes that is too long is not looked into.
pub fn check(
    document: &Document,
    schema: &Json,
    formats: &Formats,
    report: &mut Report,
) -> Vec<(Path, String)> {
    let mut check = Check { document, schema, formats, report, misspelt: Vec::new() };
    check.visit(document.root(), schema, &Path::root());
    check.misspelt
}

struct Check<'a> {
    document: &'a Document,
    schema: &'a Json,
    formats: &'a Formats,
    report: &'a mut Report,
    misspelt: Vec<(Path, String)>,
}

impl<'a> Check<'a> {
    fn visit(&mut self, node: &Node, schema: &'a Json, path: &Path) {
        let shapes = Shape::all(self.schema, schema);
        let kind = Kind::of(&node.value);
        let fitting: Vec<&Shape<'a>> = shapes.iter().filter(|shape| shape.accepts(kind)).collect();
        let Some(first) = fitting.first() else {
            self.wrong_type(node, &shapes, path);
            return;
        };
        match &node.value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(_) => self.number(node, first, path),
            Value::String(text) => self.text(text, &fitting, path),
            Value::List(items) => self.list(items, first, path),
            Value::Map(entries) => {
                if let Some(shape) = self.variant(node, &fitting, path) {
                    self.map(entries, shape, path);
                }
            }
        }
    }

    fn wrong_type(&mut self, node: &Node, shapes: &[Shape<'a>], path: &Path) {
        let expected = words::expected_any(shapes, self.formats);
        let plain = self.document.plain(node);
        let seen = words::seen(node, plain);
        let finding = finding(&codes::TYPE, path, format!("expected {expected}, found {seen}"));
        let finding = finding.label(words::kind(&node.value));
        let help = words::help(node, plain, shapes, self.formats);
        self.report.push(match help {
            Some(help) => finding.help(help),
            None => finding,
        });
    }

    fn number(&mut self, node: &Node, shape: &Shape<'a>, path: &Path) {
        let Value::Number(number) = &node.value else { return };
        if shape.holds(number) {
            return;
        }
        let expected = words::expected(shape, self.formats);
        let seen = self.document.plain(node).map_or_else(|| number.to_string(), str::to_owned);
        let finding = finding(&codes::TYPE, path, format!("expected {expected}, found {seen}"));
        self.report.push(finding.label("out of range"));
    }

    fn text(&mut self, text: &str, shapes: &[&Shape<'a>], path: &Path) {
        if let Some(finding) = self.text_fault(text, shapes, path) {
            self.report.push(finding);
        }
    }

    /// What is wrong with a text or with a map's key, both of which must have one of the forms.
    fn text_fault(&self, text: &str, shapes: &[&Shape<'a>], path: &Path) -> Option<Finding> {
        let open: Vec<_> = shapes.iter().filter(|shape| shape.choices().is_empty()).collect();
        let choices: Vec<&str> =
            shapes.iter().flat_map(|shape| shape.choices()).filter_map(Json::as_str).collect();
        if choices.contains(&text) || open.iter().any(|shape| self.has_form(text, shape)) {
            return None;
        }
        let format = open.first().and_then(|shape| shape.format(self.formats));
        let expected = match open.first() {
            // The form's own words about this very text.
            Some(shape) => format
                .and_then(|format| format(text).err())
                .unwrap_or_else(|| words::expected(shape, self.formats)),
            None => words::one_of(choices.iter().copied()),
        };
        let message = format!("expected {expected}, found `{}`", words::short(text));
        let finding = finding(&codes::TYPE, path, message);
        if let Some(choice) = closest(text, choices) {
            return Some(finding.help(format!("did you mean `{choice}`?")));
        }
        let help = format.and_then(|format| meant::help(self.document, text, path, format));
        Some(match help {
            Some(help) => finding.help(help),
            None => finding,
        })
    }

    fn has_form(&self, text: &str, shape: &Shape<'a>) -> bool {
        let length = text.chars().count() as u64;
        shape.bound("minLength").is_none_or(|least| length >= least)
            && shape.bound("maxLength").is_none_or(|most| length <= most)
            && shape.format(self.formats).is_none_or(|format| format(text).is_ok())
    }

    fn list(&mut self, items: &[Node], shape: &Shape<'a>, path: &Path) {
        let length = items.len() as u64;
        if let Some(most) = shape.bound("maxItems").filter(|most| length > *most) {
            self.too_long(length, most, path);
            return;
        }
        if let Some(least) = shape.bound("minItems").filter(|least| length < *least) {
            let message = format!("expected at least {}, found {length}", words::items(least));
            self.report.push(finding(&codes::TYPE, path, message));
        }
        if shape.get("uniqueItems") == Some(&Json::Bool(true)) {
            self.unique(items, path);
        }
        if let Some(schema) = shape.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.visit(item, schema, &path.index(index));
            }
        }
    }

    fn too_long(&mut self, length: u64, most: u64, path: &Path) {
        let message = format!("expected at most {}, found {length}", words::items(most));
        self.report.push(match *path == Path::of(&["nodes"]) {
            true => finding(&codes::TOO_MANY_NODES, path, message)
                .label("Kubernetes supports no more in one cluster")
                .help("split the machines over several clusters, one inventory each"),
            false => finding(&codes::TYPE, path, message),
        });
    }

    fn unique(&mut self, items: &[Node], path: &Path) {
        let mut seen = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            let first = *seen.entry(item.to_json().to_string()).or_insert(index);
            if first != index {
                let message = format!("{} stands here twice", words::seen(item, None));
                let finding = finding(&codes::TYPE, &path.index(index), message);
                self.report.push(finding.because(path.index(first), "first given here"));
            }
        }
    }

    /// Which of several kinds of map is meant: by the key that all of them fix to a word of
    /// their own (`kind: external`), or else by a key that only one of them requires.
    fn variant<'s>(
        &mut self,
        node: &Node,
        shapes: &[&'s Shape<'a>],
        path: &Path,
    ) -> Option<&'s Shape<'a>> {
        let [first, others @ ..] = shapes else { return None };
        if others.is_empty() {
            return Some(first);
        }
        let tag = first.tags().find(|tag| others.iter().all(|shape| shape.tag(tag).is_some()));
        let Some(tag) = tag else {
            let keys = || shapes.iter().flat_map(|shape| shape.required());
            let chosen =
                shapes.iter().find(|shape| shape.required().any(|key| node.get(key).is_some()));
            if chosen.is_none() {
                let message = format!("expected {} as a key", words::one_of(keys()));
                self.report.push(finding(&codes::MISSING_KEY, path, message));
            }
            return chosen.copied();
        };
        let choices = || shapes.iter().filter_map(|shape| shape.tag(tag));
        let expected = words::one_of(choices());
        let at = path.key(tag);
        let Some(given) = node.get(tag) else {
            let message = format!("{} lacks `{tag}`", words::place(path));
            let help = format!("add `{tag}:` with {expected}");
            self.report.push(finding(&codes::MISSING_KEY, &at, message).help(help));
            return None;
        };
        let word = match &given.value {
            Value::String(word) => word,
            _ => "",
        };
        let chosen = shapes.iter().find(|shape| shape.tag(tag) == Some(word));
        if chosen.is_none() {
            let seen = words::seen(given, self.document.plain(given));
            let finding = finding(&codes::TYPE, &at, format!("expected {expected}, found {seen}"));
            self.report.push(match closest(word, choices()) {
                Some(choice) => finding.help(format!("did you mean `{choice}`?")),
                None => finding,
            });
        }
        chosen.copied()
    }

    fn map(&mut self, entries: &[(Key, Node)], shape: &Shape<'a>, path: &Path) {
        let given: BTreeSet<&str> = entries.iter().map(|(key, _)| key.name.as_str()).collect();
        let mut missing: Vec<&str> = shape.required().filter(|key| !given.contains(key)).collect();
        for (key, node) in entries {
            let at = path.key(key.name.as_str());
            if let Some(schema) = shape.value_of(&key.name) {
                self.key(key, shape, &at);
                self.visit(node, schema, &at);
                continue;
            }
            let meant = closest(&key.name, shape.keys().filter(|key| !given.contains(key)));
            // A misspelt key is one mistake, not two.
            missing.retain(|missing| Some(*missing) != meant);
            if let Some(meant) = meant.filter(|meant| self.fits(node, shape, meant, &at)) {
                self.misspelt.push((at.clone(), meant.to_owned()));
            }
            let help = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if shape.keys().next().is_none() => "delete it".to_owned(),
                None => format!("the keys known here are {}", words::list(shape.keys())),
            };
            let message =
                format!("{} has no key `{}`", words::place(path), words::short(&key.name));
            let finding = finding(&codes::UNKNOWN_KEY, &at, message);
            self.report.push(finding.span(key.span()).label("unknown key").help(help));
        }
        for key in missing {
            let message = format!("{} lacks `{key}`", words::place(path));
            let example = shape.value_of(key).map(|schema| words::example(self.schema, schema));
            let line = format!("{key}: {}", example.as_deref().unwrap_or("…"));
            let finding = finding(&codes::MISSING_KEY, &path.key(key), message);
            let label = format!("`{key}` is missing here");
            self.report.push(finding.label(label).help(format!("add `{line}`")));
        }
    }

    /// Whether this value could be that of another key.
    fn fits(&self, node: &Node, shape: &Shape<'a>, key: &str, at: &Path) -> bool {
        let Some(schema) = shape.value_of(key) else { return false };
        let mut unheard = Report::new();
        let Self { document, schema: root, formats, .. } = self;
        let report = &mut unheard;
        Check { document, schema: root, formats, report, misspelt: Vec::new() }
            .visit(node, schema, at);
        !unheard.has_errors()
    }

    fn key(&mut self, key: &Key, shape: &Shape<'a>, at: &Path) {
        let Some(schema) = shape.get("propertyNames") else { return };
        let shapes = Shape::all(self.schema, schema);
        let shapes: Vec<_> = shapes.iter().collect();
        if let Some(finding) = self.text_fault(&key.name, &shapes, at) {
            self.report.push(finding.span(key.span()).label("this key"));
        }
    }
}

fn finding(code: &'static Code, path: &Path, message: String) -> Finding {
    Finding::new(code, path.clone(), message)
}

#[cfg(test)]
mod tests;
