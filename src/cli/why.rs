//! `hagen why`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::console::Console;
use super::exit::{Exit, Failure};
use super::input::Inventory;
use crate::disk;
use crate::manifest::{Entry, Manifest};
use crate::report::{Path as Place, Report, closest, redacted};
use crate::yaml::{self, Document};

/// Say where a generated file comes from and what reads it.
///
/// Names the room that made it, its template, the places in the inventory that shaped it, the
/// node and path that it is installed at, and the unit that has to be told. Everything is read
/// from the tree's hagen.json; with INVENTORY the lines themselves are shown.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  hagen why out/nodes/cp1/rootfs/etc/keepalived/keepalived.conf
  hagen why /etc/haproxy/haproxy.cfg -o out              on every node that has it
  hagen why nodes/cp1/rootfs/etc/haproxy/haproxy.cfg -o out prod.yaml")]
pub(super) struct Why {
    /// A file of the tree, or its path on the nodes.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// The inventory, to show its lines.
    #[arg(value_name = "INVENTORY")]
    inventory: Option<PathBuf>,
    /// The folder that holds the tree. Default: the one above PATH with a hagen.json.
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// How many nodes of a file that many have are named.
const NAMED: usize = 8;

impl Why {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let (out, manifest) = self.tree()?;
        let entries = found(&manifest, &self.path, &out);
        if entries.is_empty() {
            let path = self.path.display().to_string();
            let failure = Failure::new(format!("the tree in `{}` has no `{path}`", out.display()));
            let guess = closest(&path, manifest.files.iter().map(|entry| entry.path.as_str()));
            return Err(match guess {
                Some(guess) => failure.help(format!("did you mean `{guess}`?")),
                None => failure.help("hagen.json lists every file"),
            });
        }
        let document = self.document()?;
        let texts: Vec<String> =
            entries.into_iter().map(|entry| described(entry, document.as_ref())).collect();
        console.result(&texts.join("\n"))?;
        Ok(Exit::Fine)
    }

    fn tree(&self) -> Result<(PathBuf, Manifest), Failure> {
        let folders: Vec<&Path> = match &self.out {
            Some(out) => vec![out],
            None => self.path.ancestors().skip(1).collect(),
        };
        for folder in folders {
            if let Some(manifest) = disk::read_manifest(folder)? {
                return Ok((folder.to_owned(), manifest));
            }
        }
        Err(match &self.out {
            Some(out) => Failure::new(format!("`{}` holds no tree of hagen's", out.display())),
            None => {
                Failure::new(format!("no folder above `{}` has a hagen.json", self.path.display()))
                    .help("name the folder that holds the tree with `-o DIR`")
            }
        })
    }

    fn document(&self) -> Result<Option<Document>, Failure> {
        let Some(path) = &self.inventory else { return Ok(None) };
        let inventory = Inventory::read(path)?;
        let name = inventory.name();
        let document = yaml::read(&name, &inventory.bytes, &mut Report::new());
        let unreadable = || {
            Failure::new(format!("`{name}` cannot be read as an inventory"))
                .help(format!("`hagen check {name}` says why"))
        };
        document.map(Some).ok_or_else(unreadable)
    }
}

/// The entries that a path means: below the folder, in the tree, or on the nodes.
fn found<'a>(manifest: &'a Manifest, path: &Path, out: &Path) -> Vec<&'a Entry> {
    let inside = path.strip_prefix(out).unwrap_or(path);
    // As if each node had a copy of what several have.
    let of_node = inside.strip_prefix("nodes").ok().and_then(|below| {
        let mut parts = below.iter();
        let node = parts.next()?.to_str()?;
        let path = parts.as_path().strip_prefix("rootfs").ok()?;
        Some((node.to_owned(), Path::new("/").join(path)))
    });
    let is = |entry: &&Entry| {
        let place = entry.destination.as_deref().map(Path::new);
        let of_node = of_node.as_ref().is_some_and(|(node, path)| {
            place == Some(path.as_path()) && entry.nodes.contains(node)
        });
        Path::new(&entry.path) == inside || place == Some(path) || of_node
    };
    manifest.files.iter().filter(is).collect()
}

fn described(entry: &Entry, document: Option<&Document>) -> String {
    let Entry { path, nodes, destination, mode, owner, group, kind, room, template, reads, .. } =
        entry;
    let mut facts = vec![("room", room.clone())];
    facts.extend(template.iter().map(|id| ("template", id.clone())));
    facts.extend(match nodes.as_slice() {
        [] => None,
        [node] => Some(("node", node.clone())),
        several => Some(("nodes", named(several))),
    });
    facts.extend(destination.iter().map(|place| ("installed at", place.clone())));
    let kind = kind.map(|kind| format!(", {}", kind.as_str())).unwrap_or_default();
    facts.push(("mode", format!("{mode} {owner}:{group}{kind}")));
    if let (Some(unit), Some(apply)) = (&entry.unit, entry.apply) {
        facts.push(("unit", format!("{unit}, {} on change", apply.as_str())));
    }
    facts.extend(entry.phase.map(|phase| ("phase", phase.to_string())));
    if entry.secret {
        facts.push(("private", "yes: never committed, pinned by HMAC".to_owned()));
    }
    for (position, place) in reads.iter().enumerate() {
        let name = if position == 0 { "shaped by" } else { "" };
        facts.push((name, shaped(place, document)));
    }
    let facts = facts.iter().map(|(name, fact)| format!("  {name:13} {fact}\n"));
    [format!("{path}\n")].into_iter().chain(facts).collect()
}

/// The names, or how many more there are.
fn named(nodes: &[String]) -> String {
    match nodes.split_at_checked(NAMED) {
        Some((first, rest)) if rest.len() > 1 => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => nodes.join(", "),
    }
}

/// `endpoint.port`, with line and text where the inventory is at hand.
fn shaped(place: &str, document: Option<&Document>) -> String {
    let Some(document) = document else { return place.to_owned() };
    let (span, exact) = document.span(&parsed(place));
    if !exact {
        return format!("{place} (not said: a default)");
    }
    let (line, _) = document.line_column(span.start);
    let text = document.text().lines().nth(line - 1).unwrap_or_default().trim();
    let at = format!("{place}, {}:{line}", document.name());
    // A section is longer than its first line, which only repeats its name.
    if text.ends_with(':') { at } else { format!("{at}: {}", redacted(text)) }
}

/// The path that a manifest spells as `nodes[2].address`.
fn parsed(place: &str) -> Place {
    place.split('.').fold(Place::root(), |path, part| {
        let mut steps = part.split('[');
        let path = match steps.next() {
            Some(key) if !key.is_empty() => path.key(key),
            _ => path,
        };
        steps
            .filter_map(|index| index.strip_suffix(']')?.parse().ok())
            .fold(path, |path, index| path.index(index))
    })
}
