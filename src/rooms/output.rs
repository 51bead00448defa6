//! Where a room's files go: collects artifacts, renders templates, merges patches.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Serialize;
use serde_json::Value;

use crate::cluster::codes::PATCH_TARGET;
use crate::cluster::{Cluster, Node};
use crate::document::{self, Assignments, Merged};
use crate::pki::Leaf;
use crate::report::{Finding, Path, Report};
use crate::secrets::rfc3339;
use crate::template::{TemplateError, Templates};
use crate::tree::{Apply, Artifact, Destination, Issue, Kind, Origin};

/// Where a file stands.
#[derive(Clone, Debug)]
enum Place {
    /// Installed on a node at this absolute path.
    Node(String, String),
    /// Beside a node's `rootfs`: run or read, never installed.
    Beside(String, String),
    /// Relative to the tree's root.
    Cluster(String),
}

/// A file before its content: where, whose, and what reads it. Public, 0644, root:root and
/// managed until said otherwise.
#[derive(Clone, Debug)]
pub struct File {
    place: Place,
    mode: u32,
    owner: Cow<'static, str>,
    group: Cow<'static, str>,
    secret: bool,
    verbatim: bool,
    kind: Kind,
    unit: Option<(String, Apply)>,
    phase: Option<u8>,
    reads: Vec<Path>,
}

impl File {
    fn new(place: Place) -> Self {
        Self {
            place,
            mode: 0o644,
            owner: "root".into(),
            group: "root".into(),
            secret: false,
            verbatim: false,
            kind: Kind::Managed,
            unit: None,
            phase: None,
            reads: Vec::new(),
        }
    }

    /// A file installed on `node` at an absolute path.
    pub fn on(node: &Node, path: impl Into<String>) -> Self {
        Self::new(Place::Node(node.name.clone(), path.into()))
    }

    /// A file beside the node's `rootfs`, such as `node.sh`.
    pub fn beside(node: &Node, name: impl Into<String>) -> Self {
        Self::new(Place::Beside(node.name.clone(), name.into()))
    }

    /// A file of the whole cluster, relative to the tree's root.
    pub fn cluster(path: impl Into<String>) -> Self {
        Self::new(Place::Cluster(path.into()))
    }

    fn node(&self) -> Option<&str> {
        match &self.place {
            Place::Node(node, _) | Place::Beside(node, _) => Some(node),
            Place::Cluster(_) => None,
        }
    }

    /// Permission bits.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Owner and group by name on the node.
    #[must_use]
    pub fn owner(
        mut self,
        owner: impl Into<Cow<'static, str>>,
        group: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.owner = owner.into();
        self.group = group.into();
        self
    }

    /// Private: 0600, ignored by Git, pinned by HMAC.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self.mode = 0o600;
        self
    }

    /// The user's own bytes, taken over as they are.
    #[must_use]
    pub fn verbatim(mut self) -> Self {
        self.verbatim = true;
        self
    }

    /// Placed only where absent.
    #[must_use]
    pub fn seed(mut self) -> Self {
        self.kind = Kind::Seed;
        self
    }

    /// Follows the bundle, as this certificate and its key do.
    #[must_use]
    pub fn issued(mut self, leaf: &Leaf) -> Self {
        self.kind = Kind::Issued(Issue {
            authority: leaf.authority_generation,
            key: leaf.key_generation,
            issued_at: rfc3339(leaf.issued_at),
        });
        self
    }

    /// The unit that reads the file, and what makes it read again.
    #[must_use]
    pub fn read_by(mut self, unit: impl Into<String>, apply: Apply) -> Self {
        self.unit = Some((unit.into(), apply));
        self
    }

    /// The phase that first needs the file.
    #[must_use]
    pub fn phase(mut self, phase: crate::claims::Phase) -> Self {
        self.phase = Some(phase.number());
        self
    }

    /// The places in the inventory that shape it (for `hagen why`).
    #[must_use]
    pub fn reads(mut self, paths: impl IntoIterator<Item = Path>) -> Self {
        self.reads.extend(paths);
        self
    }
}

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
pub struct Made {
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
    pub made: Vec<Made>,
    /// What went wrong.
    pub report: Report,
}

impl Rendered {
    /// Adds what was rendered elsewhere.
    pub fn append(&mut self, other: Self) {
        let Self { files, made, report } = other;
        self.files.extend(files);
        self.made.extend(made);
        self.report.append(report);
    }
}

/// Collects what one room renders.
pub struct Output<'a> {
    room: &'static str,
    cluster: &'a Cluster,
    templates: &'a Templates,
    rendered: Rendered,
}

impl<'a> Output<'a> {
    /// An empty output of this room.
    pub fn new(room: &'static str, cluster: &'a Cluster, templates: &'a Templates) -> Self {
        Self { room, cluster, templates, rendered: Rendered::default() }
    }

    /// All of it.
    pub fn finish(self) -> Rendered {
        self.rendered
    }

    /// What is wrong with what was to be rendered.
    pub fn finding(&mut self, finding: Finding) {
        self.rendered.report.push(finding);
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
                let patch = self.cluster.patches.iter().find(|patch| patch.document == name);
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
        let patched = self.cluster.patches_of(name, file.node()).next().is_some();
        match written.get_or_init(|| form.write(value)) {
            Some(bytes) if !patched => {
                let node = file.node().map(str::to_owned);
                self.rendered.made.push(Made { document: name, node, patched: BTreeMap::new() });
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
        for patch in self.cluster.patches_of(document, node.as_deref()) {
            patched.insert(patch.index, document::merge_checked(&mut value, &patch.patch));
        }
        self.rendered.made.push(Made { document, node, patched });
        value
    }

    fn push(&mut self, file: File, template: Option<&'static str>, mut bytes: Vec<u8>) {
        // It stays until the tree is written, and has been longer while it grew.
        bytes.shrink_to_fit();
        let File { place, mode, owner, group, secret, verbatim, kind, unit, phase, reads } = file;
        let (path, destination) = match place {
            Place::Node(node, path) => {
                let destination = Destination { nodes: vec![node], path, kind, unit };
                (destination.tree_path(), Some(destination))
            }
            Place::Beside(node, name) => (format!("nodes/{node}/{name}"), None),
            Place::Cluster(path) => (path, None),
        };
        let origin = Origin { room: self.room, template, reads };
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
    use crate::rooms::trial;
    use crate::tree::Tree;

    #[test]
    fn an_issued_file_says_what_it_was_issued_from() {
        let (cluster, claims) = trial::claimed(&json!({}));
        let (_, bundle) = trial::inputs("{}");
        let text = bundle
            .to_yaml()
            .replace("  leaves: 1", "  ca/etcd: {issuing: 2, trusted: [1]}\n  leaves: 3");
        let mut report = Report::new();
        let bundle = crate::secrets::Bundle::read("x", text.as_bytes(), &mut report).unwrap();
        let secrets = crate::secrets::Secrets::new(&bundle);
        let policy = &cluster.certificates;
        let (authorities, specs) = (&cluster.authorities, &claims.certificates);
        let issued = pki::issue(authorities, specs, policy, &secrets, &mut report).unwrap();
        let templates = Templates::new([], BTreeMap::new()).unwrap();
        let mut out = Output::new("test", &cluster, &templates);
        let node = &cluster.nodes[0];
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
