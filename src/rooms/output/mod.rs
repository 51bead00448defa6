//! Where a room's files go: collects artifacts, renders templates, merges patches.

mod file;
mod parts;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Serialize;
use serde_json::Value;

use crate::document::{self, Assignments, Merged};
use crate::report::{Finding, Path, Report};
use crate::site::Site;
use crate::site::codes::PATCH_TARGET;
use crate::template::{TemplateError, Templates};
use crate::tree::{Artifact, Destination, Origin};

pub use file::File;
use file::Spot;
pub use parts::{Place, Prose, Words};

/// A document that is the same on every node, until a patch names it for some of them: it is
/// written once.
pub struct Alike {
    name: &'static str,
    value: Value,
    form: Form,
    /// `None` inside where it has no such form.
    written: OnceLock<Option<Vec<u8>>>,
}

enum Form {
    Yaml,
    /// Under this comment.
    Toml(&'static str),
}

impl Form {
    fn write(&self, value: &Value) -> Option<Vec<u8>> {
        match self {
            Self::Yaml => Some(document::yaml(std::slice::from_ref(value), true)),
            Self::Toml(comment) => document::toml(value, comment).ok(),
        }
    }
}

impl Alike {
    fn new(name: &'static str, value: Value, form: Form) -> Self {
        Self { name, value, form, written: OnceLock::new() }
    }

    /// A YAML file holding this document.
    pub fn yaml(name: &'static str, value: Value) -> Self {
        Self::new(name, value, Form::Yaml)
    }

    /// A TOML file holding this document, under a comment that says why it is so.
    pub fn toml(name: &'static str, comment: &'static str, value: Value) -> Self {
        Self::new(name, value, Form::Toml(comment))
    }
}

/// A document that patches may name, as one file has it.
#[derive(Debug)]
pub struct MadeDocument {
    /// Its name.
    pub document: &'static str,
    /// The node whose file it is in; `None` is a file of the whole cluster.
    pub node: Option<String>,
    /// The patches that were merged into it, by index.
    pub patched: BTreeMap<usize, Merged>,
}

/// What was rendered.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The files in the order of rendering.
    pub files: Vec<(String, Artifact)>,
    /// The documents in them.
    pub made: Vec<MadeDocument>,
    /// What the steps are told.
    pub words: Vec<Words>,
    /// What the runbook says.
    pub prose: Vec<Prose>,
    /// What went wrong.
    pub report: Report,
}

impl Rendered {
    /// Adds what was rendered elsewhere.
    pub fn append(&mut self, other: Self) {
        let Self { files, made, words, prose, report } = other;
        self.files.extend(files);
        self.made.extend(made);
        self.words.extend(words);
        self.prose.extend(prose);
        self.report.append(report);
    }
}

/// Collects what one room renders.
pub struct Output<'a> {
    room: &'static str,
    site: &'a Site,
    templates: &'a Templates,
    rendered: Rendered,
}

impl<'a> Output<'a> {
    /// An empty output of this room.
    pub fn new(room: &'static str, site: &'a Site, templates: &'a Templates) -> Self {
        Self { room, site, templates, rendered: Rendered::default() }
    }

    /// All of it.
    pub fn finish(self) -> Rendered {
        self.rendered
    }

    /// What is wrong with what was to be rendered.
    pub fn finding(&mut self, finding: Finding) {
        self.rendered.report.push(finding);
    }

    /// Words for the step of this number, and those after it.
    pub fn words(&mut self, step: u8, said: Assignments) {
        self.rendered.words.push(Words { step, room: self.room, said });
    }

    /// A part of the runbook in a few words.
    pub fn phrase(&mut self, place: Place, text: String) {
        self.rendered.prose.push(Prose { place, room: self.room, text });
    }

    /// A part of the runbook, rendered from a template.
    pub fn prose(&mut self, place: Place, id: &'static str, context: &impl Serialize) {
        match self.templates.render(id, context) {
            Ok(text) => self.phrase(place, text.trim_matches('\n').to_owned()),
            Err(error) => self.rendered.report.push(error.into()),
        }
    }

    /// A file with these bytes.
    pub fn bytes(&mut self, file: File, bytes: impl Into<Vec<u8>>) {
        self.push(file, None, bytes.into());
    }

    /// A file rendered from a template. A template that fails is a finding, not a file.
    pub fn template(&mut self, file: File, id: &'static str, context: &impl Serialize) {
        match self.templates.render(id, context) {
            Ok(text) => self.push(file, Some(id), text.into_bytes()),
            Err(error) => self.rendered.report.push(error.into()),
        }
    }

    /// A file that is a text of `templates/` as it is.
    pub fn verbatim(&mut self, file: File, id: &'static str) {
        let bytes = self.templates.verbatim(id).as_bytes().to_vec();
        self.push(file, Some(id), bytes);
    }

    /// A script: its words, then a text of `templates/` as it is, the same on every node.
    pub fn script(&mut self, file: File, words: Assignments, id: &'static str) {
        let script = self.templates.verbatim(id).as_bytes();
        let text = |words: Vec<u8>| [b"#!/bin/bash\n", &words[..], b"\n", script].concat();
        match words.finish() {
            Ok(words) => self.push(file, Some(id), text(words)),
            Err(name) => self.unfit(name),
        }
    }

    /// A file of words that a shell reads. A word that no shell can hold is a finding, not a file.
    pub fn assignments(&mut self, file: File, assignments: Assignments) {
        match assignments.finish() {
            Ok(bytes) => self.push(file, None, bytes),
            Err(name) => self.unfit(name),
        }
    }

    fn unfit(&mut self, name: String) {
        let message = "a word of a shell cannot hold a NUL".to_owned();
        let error = TemplateError { id: name, line: None, message, help: None };
        self.rendered.report.push(error.into());
    }

    /// A YAML file of named documents; patches that name one are merged into it.
    pub fn yaml(&mut self, file: File, documents: Vec<(&'static str, Value)>) {
        let patched: Vec<Value> =
            documents.into_iter().map(|(name, value)| self.patched(&file, name, value)).collect();
        self.push(file, None, document::yaml(&patched, true));
    }

    /// A JSON file holding one named document.
    pub fn json(&mut self, file: File, name: &'static str, value: Value) {
        let patched = self.patched(&file, name, value);
        self.push(file, None, document::json(&patched));
    }

    /// A TOML file holding one named document, under a comment that says why it is so. What a patch
    /// brought and TOML has no form for is a finding, not a file.
    pub fn toml(&mut self, file: File, name: &'static str, comment: &str, value: Value) {
        let patched = self.patched(&file, name, value);
        match document::toml(&patched, comment) {
            Ok(bytes) => self.push(file, None, bytes),
            Err(error) => {
                let patch = self.site.patches.iter().find(|patch| patch.document == name);
                let at = Path::of(&["patches"]).index(patch.map_or(0, |patch| patch.index));
                self.rendered.report.push(
                    Finding::new(
                        &PATCH_TARGET,
                        at.key("patch"),
                        format!("{name} is written as TOML, which has no form for this: {error}"),
                    )
                    .help("write texts, booleans, lists of them, tables and 64-bit numbers only"),
                );
            }
        }
    }

    /// A file holding the document. Where a patch names it for the file's node, it is one of its own.
    pub fn alike(&mut self, file: File, document: &Alike) {
        let Alike { name, value, form, written } = document;
        let patched = self.site.patches_of(name, file.node()).next().is_some();
        match written.get_or_init(|| form.write(value)) {
            Some(bytes) if !patched => {
                let node = file.node().map(str::to_owned);
                self.rendered.made.push(MadeDocument {
                    document: name,
                    node,
                    patched: BTreeMap::new(),
                });
                self.push(file, None, bytes.clone());
            }
            _ => match form {
                Form::Yaml => self.yaml(file, vec![(name, value.clone())]),
                Form::Toml(comment) => self.toml(file, name, comment, value.clone()),
            },
        }
    }

    fn patched(&mut self, file: &File, document: &'static str, mut value: Value) -> Value {
        let node = file.node().map(str::to_owned);
        let mut patched = BTreeMap::new();
        for patch in self.site.patches_of(document, node.as_deref()) {
            patched.insert(patch.index, document::merge_checked(&mut value, &patch.patch));
        }
        self.rendered.made.push(MadeDocument { document, node, patched });
        value
    }

    fn push(&mut self, file: File, template: Option<&'static str>, mut bytes: Vec<u8>) {
        // It stays until the tree is written, and has been longer while it grew.
        bytes.shrink_to_fit();
        let File { spot, mode, owner, group, secret, verbatim, kind, unit, phase, reads, room } =
            file;
        let (path, destination) = match spot {
            Spot::Node(node, path) => {
                let destination = Destination { nodes: vec![node], path, kind, unit };
                (destination.tree_path(), Some(destination))
            }
            Spot::Beside(node, name) => (format!("nodes/{node}/{name}"), None),
            Spot::Cluster(path) => (path, None),
        };
        let origin = Origin { room: room.unwrap_or(self.room), template, reads };
        let artifact =
            Artifact { bytes, mode, owner, group, secret, verbatim, destination, phase, origin };
        self.rendered.files.push((path, artifact));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pki;
    use crate::rooms::overlaid;
    use crate::tree::Tree;

    #[test]
    fn an_issued_file_says_what_it_was_issued_from() {
        let (site, claims) = overlaid::claimed(&json!({}));
        let (_, bundle) = overlaid::inputs("{}");
        let text = bundle
            .to_yaml()
            .replace("  leaves: 1", "  ca/etcd: {issuing: 2, trusted: [1]}\n  leaves: 3");
        let mut report = Report::new();
        let bundle = crate::secrets::Bundle::read("x", text.as_bytes(), &mut report).unwrap();
        let secrets = crate::secrets::Secrets::new(&bundle);
        let policy = &site.certificates;
        let (authorities, specs) = (&site.authorities, &claims.certificates);
        let issued = pki::issue(authorities, specs, policy, &secrets, &mut report).unwrap();
        let templates = Templates::new([], BTreeMap::new()).unwrap();
        let mut out = Output::new("test", &site, &templates);
        let node = &site.hosts[0];
        for name in ["etcd/peer", "apiserver"] {
            let leaf = issued.leaf(&format!("nodes/{}/{name}", node.name));
            let file = File::on(node, format!("/etc/{name}.crt")).issued(leaf);
            out.bytes(file, leaf.certificate_pem.as_bytes());
        }
        let mut tree = Tree::new();
        for (path, artifact) in out.finish().files {
            tree.insert(path, artifact).unwrap();
        }
        assert_eq!(tree.finish(), []);
        let list = &tree.get(&format!("nodes/{}/files.tsv", node.name)).unwrap().bytes;
        let rows = String::from_utf8_lossy(list);
        let kinds: Vec<&str> = rows.lines().filter_map(|row| row.split('\t').nth(5)).collect();
        assert_eq!(
            kinds,
            ["kind", "issued:1:3:2026-11-01T00:00:00Z", "issued:2:3:2026-11-01T00:00:00Z", "-"]
        );
    }
}
