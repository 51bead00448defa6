//! Files of the user's own, placed as they are.

mod system;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::claims::{AllOnNode, Claims, Phase, RoomClaims};
use crate::inventory::{FileSection, Inventory, NodeSelector, OwnerName, PrivateFileSection};
use crate::report::{Code, Finding, Path, Report};
use crate::rooms::output::File;
use crate::rooms::{Checking, Output, Plan, Planned, Rendering, Room};
use crate::secrets;
use crate::site::codes::FILE_CLASH;
use crate::site::{Host, Site, selected};
use crate::tree::Apply;

crate::codes! { "files":
    SYSTEM_PATH = Error "system-path",
}

/// The room.
pub struct Files;

/// Files that the host shares with others: the scripts keep a block of their own in them.
const SHARED: [&str; 2] = ["/etc/hosts", "/etc/fstab"];

impl Room for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn plan(&self, said: &Inventory, _: &Site, report: &mut Report) -> Option<Planned> {
        let mut files = Vec::new();
        for (index, file) in said.files.iter().enumerate() {
            files.push(Extra::public(index, file, said, report));
        }
        for (index, file) in said.private_files.iter().enumerate() {
            files.push(Extra::private(index, file, said, report));
        }
        files.iter().for_each(|file| shared(file, report));
        Some(Planned::new(FilesPlan { files }, RoomClaims::default()))
    }
}

/// What was decided about the user's files.
struct FilesPlan {
    files: Vec<Extra>,
}

/// What is in it.
enum Content {
    /// These words of the inventory.
    Said(String),
    /// The file of this name in the secrets bundle.
    Secret(String),
}

/// One file of the user's.
struct Extra {
    /// `files[index]` or `privateFiles[index]`.
    at: Path,
    path: String,
    content: Content,
    mode: u32,
    owner: String,
    group: String,
    /// Names of the nodes that get it; `None` is all.
    nodes: Option<Vec<String>>,
}

impl Extra {
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
    fn read_by(&self, claims: &AllOnNode) -> Option<(String, Apply)> {
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

    fn is_on(&self, node: &Host) -> bool {
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

fn shared(file: &Extra, report: &mut Report) {
    if SHARED.contains(&file.path.as_str()) {
        report.push(
            Finding::new(
                &FILE_CLASH,
                file.at.key("path"),
                format!(
                    "`{}` belongs to the host; hagen keeps to a block or a line in it",
                    file.path
                ),
            )
            .label("would replace all of it")
            .help("choose another path, or edit the file on the host"),
        );
    }
}

/// A folder that is wiped at a reset, or that a daemon takes for its own.
fn inside_a_folder(file: &Extra, site: &Site, claims: &Claims, report: &mut Report) {
    let owned = site
        .hosts
        .iter()
        .filter(|node| file.is_on(node))
        .flat_map(|node| &claims.of(node.index).paths)
        .find(|owned| std::path::Path::new(&file.path).starts_with(&owned.path));
    if let Some(owned) = owned {
        report.push(
            Finding::new(
                &FILE_CLASH,
                file.at.key("path"),
                format!("`{}` belongs to the room `{}`", owned.path, owned.room),
            )
            .label("inside that folder")
            .because(owned.at.clone(), "decided here")
            .help("choose a path outside of it"),
        );
    }
}

impl Plan for FilesPlan {
    fn check(&self, with: &Checking<'_>, report: &mut Report) {
        for file in &self.files {
            inside_a_folder(file, with.site, with.claims, report);
            system::lint(file, with.site, with.claims, report);
        }
    }

    /// What the bundle lacks is missing once, however many nodes were to get it.
    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        for file in &self.files {
            if let Content::Secret(name) = &file.content
                && with.secrets.file(name).is_none()
            {
                out.finding(secrets::no_file(file.at.key("secret"), name));
            }
        }
    }

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        for file in self.files.iter().filter(|file| file.is_on(node)) {
            let mut place = File::on(node, &file.path)
                .owner(file.owner.clone(), file.group.clone())
                .verbatim()
                .phase(Phase::Install)
                .reads([file.at.key("path")]);
            if let Some((unit, apply)) = file.read_by(with.claims.of(node.index)) {
                place = place.read_by(unit, apply);
            }
            match &file.content {
                Content::Said(text) => out.bytes(place.mode(file.mode), text.as_bytes()),
                Content::Secret(name) => {
                    let text = with.secrets.file(name).unwrap_or_default();
                    out.bytes(place.secret().mode(file.mode), text.as_bytes());
                }
            }
        }
    }
}
