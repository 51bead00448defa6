//! What the sections say, with every default filled in.

use std::collections::BTreeSet;

use crate::claims::AllOnNode;
use crate::inventory::{FileSection, Inventory, NodeSelector, OwnerName, PrivateFileSection};
use crate::report::{Path, Report};
use crate::site::{Host, selected};
use crate::tree::Apply;

/// What was decided about the user's files.
pub(super) struct FilesPlan {
    pub(super) files: Vec<UserFile>,
}

impl FilesPlan {
    pub(super) fn new(said: &Inventory, report: &mut Report) -> Self {
        let mut files = Vec::new();
        for (index, file) in said.files.iter().enumerate() {
            files.push(UserFile::public(index, file, said, report));
        }
        for (index, file) in said.private_files.iter().enumerate() {
            files.push(UserFile::private(index, file, said, report));
        }
        Self { files }
    }
}

/// What is in it.
pub(super) enum Content {
    /// These words of the inventory.
    Said(String),
    /// The file of this name in the secrets bundle.
    Secret(String),
}

/// One file of the user's.
pub(super) struct UserFile {
    /// `files[index]` or `privateFiles[index]`.
    pub(super) at: Path,
    pub(super) path: String,
    pub(super) content: Content,
    pub(super) mode: u32,
    pub(super) owner: String,
    pub(super) group: String,
    /// Names of the nodes that get it; `None` is all.
    pub(super) nodes: Option<Vec<String>>,
}

impl UserFile {
    fn public(index: usize, section: &FileSection, said: &Inventory, report: &mut Report) -> Self {
        let FileSection { path, content, mode, owner, group, nodes } = section;
        let at = Path::of(&["files"]).index(index);
        Self {
            path: path.to_string(),
            content: Content::Said(content.clone()),
            mode: mode.as_ref().map_or(0o644, |mode| *mode.get()),
            owner: name(owner.as_ref()),
            group: name(group.as_ref()),
            nodes: chosen(nodes.as_ref(), &at, said, report),
            at,
        }
    }

    fn private(
        index: usize,
        section: &PrivateFileSection,
        said: &Inventory,
        report: &mut Report,
    ) -> Self {
        let PrivateFileSection { path, secret, mode, owner, group, nodes } = section;
        let at = Path::of(&["privateFiles"]).index(index);
        Self {
            path: path.to_string(),
            content: Content::Secret(secret.to_string()),
            mode: mode.as_ref().map_or(0o600, |mode| *mode.get()),
            owner: name(owner.as_ref()),
            group: name(group.as_ref()),
            nodes: chosen(nodes.as_ref(), &at, said, report),
            at,
        }
    }

    /// The unit that a program of Kubernetes' or etcd's reads the file in, or the static pods.
    pub(super) fn read_by(&self, claims: &AllOnNode) -> Option<(String, Apply)> {
        let path = std::path::Path::new(&self.path);
        let readers = claims.needed_files.iter().filter(|needed| match needed.folder {
            true => path.starts_with(&needed.path),
            false => self.path == needed.path,
        });
        let readers: BTreeSet<_> = readers.map(|needed| needed.read_by).collect();
        let unit = readers.iter().find(|(_, apply)| *apply != Apply::Pod);
        let pods: Vec<&str> = readers.iter().map(|(name, _)| *name).collect();
        match unit {
            Some((unit, apply)) => Some(((*unit).to_owned(), *apply)),
            None if pods.is_empty() => None,
            None => Some((pods.join(","), Apply::Pod)),
        }
    }

    pub(super) fn is_on(&self, node: &Host) -> bool {
        self.nodes.as_ref().is_none_or(|names| names.contains(&node.name))
    }
}

fn name(said: Option<&OwnerName>) -> String {
    said.map_or_else(|| "root".to_owned(), ToString::to_string)
}

fn chosen(
    nodes: Option<&NodeSelector>,
    at: &Path,
    said: &Inventory,
    report: &mut Report,
) -> Option<Vec<String>> {
    nodes.map(|selector| selected(selector, said, &at.key("nodes"), report))
}
