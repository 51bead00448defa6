//! What changes from one tree to another, as a unified diff for people. What changes on several nodes
//! in the same way, but for their names and addresses, stands there once, as the first of them has
//! it. Of what goes the name is enough, since the base shows what it says; of a node that goes,
//! nothing is said.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::hunk::{Hunk, hunks};
use super::view::{File, View};
use super::word::replace_word;

/// The names and addresses of nodes.
pub(super) type Nodes = Vec<(String, String)>;

/// How the name of a file reads before and after.
type Titles = [String; 2];

/// Two trees.
struct Change<'a> {
    old: &'a View,
    new: &'a View,
    /// Of both.
    nodes: Nodes,
    /// The names of those that stay or come.
    staying: BTreeSet<&'a str>,
}

/// The difference between two trees as text, each with its nodes.
pub(super) fn change((old, before): (&View, &Nodes), (new, after): (&View, &Nodes)) -> String {
    let staying = after.iter().map(|(name, _)| name.as_str()).chain([""]).collect();
    let change = Change { old, new, nodes: [before.clone(), after.clone()].concat(), staying };
    let mut out = String::new();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for path in paths {
        for ([from, to], hunks) in change.of(path) {
            let _ = writeln!(out, "--- {from}\n+++ {to}");
            let text: String = hunks.iter().map(|hunk| hunk.body.as_str()).collect();
            let first = *seen.entry(text.clone()).or_insert(path);
            if first == path || text.is_empty() {
                hunks.iter().for_each(|hunk| out.push_str(&hunk.text()));
            } else {
                let nodes: BTreeSet<String> =
                    hunks.into_iter().flat_map(|hunk| hunk.nodes).collect();
                let heading = format!("as in {first}");
                out.push_str(
                    &Hunk { heading, nodes: nodes.into_iter().collect(), ..Hunk::default() }.text(),
                );
            }
        }
    }
    out
}

impl Change<'_> {
    /// The hunks of one file on all nodes.
    fn of(&self, path: &str) -> BTreeMap<Titles, Vec<Hunk>> {
        let files = [self.old, self.new].map(|view| view.get(path));
        let nodes = files.iter().flatten().flat_map(|files| files.keys());
        let nodes: BTreeSet<&String> =
            nodes.filter(|node| self.staying.contains(node.as_str())).collect();
        let mut changed: BTreeMap<Titles, Vec<Hunk>> = BTreeMap::new();
        for node in nodes {
            let (titles, hunks) = self.on(path, node);
            for hunk in hunks {
                let file = changed.entry(titles.clone()).or_default();
                let alike = file.iter_mut().find(|known| {
                    !known.nodes.contains(node) && self.plain(known) == self.plain(&hunk)
                });
                match alike {
                    Some(known) => known.nodes.push(node.clone()),
                    None => file.push(Hunk { nodes: vec![node.clone()], ..hunk }),
                }
            }
        }
        changed
    }

    /// Those of one node.
    fn on(&self, path: &str, node: &str) -> (Titles, Vec<Hunk>) {
        let [old, new] = [self.old, self.new].map(|view| view.get(path)?.get(node));
        let titled = |file: &File| format!("{path}  {}", file.properties);
        let nothing = || "/dev/null".to_owned();
        match (old, new) {
            (Some(old), Some(new)) => {
                let mut hunks = hunks(path, &old.lines, &new.lines);
                if old.properties == new.properties {
                    return ([path.to_owned(), path.to_owned()], hunks);
                }
                if hunks.is_empty() {
                    hunks.push(Hunk::default());
                }
                ([titled(old), titled(new)], hunks)
            }
            (None, Some(new)) => ([nothing(), titled(new)], vec![self.added(path, node, new)]),
            (_, None) => ([path.to_owned(), nothing()], vec![Hunk::default()]),
        }
    }

    /// A file that a node gets: by where the node had it, as a change of what the first such node
    /// gets, or else all of it.
    fn added(&self, path: &str, node: &str, file: &File) -> Hunk {
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let moved = self.old.iter().find(|(before, files)| {
            let there = files.get(node).is_some_and(|old| old.lines == file.lines);
            there && !file.lines.is_empty() && name(before) == name(path)
        });
        if let Some((before, _)) = moved {
            return Hunk { heading: format!("as {before} was"), ..Hunk::default() };
        }
        let whole = Hunk::added(&file.lines);
        let had = |node: &str| self.old.get(path).is_some_and(|files| files.contains_key(node));
        match self.new[path].iter().find(|(other, _)| !had(other)) {
            Some((first, other))
                if self.plain(&Hunk::added(&other.lines)) != self.plain(&whole) =>
            {
                let body = hunks(path, &other.lines, &file.lines);
                let body = body.into_iter().map(|hunk| hunk.body).collect();
                Hunk { heading: format!("unlike {first}"), body, ..Hunk::default() }
            }
            _ => whole,
        }
    }

    /// What a hunk changes, the same for all nodes that change in the same way.
    fn plain(&self, hunk: &Hunk) -> String {
        let lines = hunk.body.lines().filter(|line| line.starts_with(['+', '-']));
        let text = lines.fold(hunk.heading.clone(), |text, line| text + "\n" + line);
        self.nodes.iter().fold(text, |text, (name, address)| {
            replace_word(&replace_word(&text, address, "ADDRESS"), name, "NODE")
        })
    }
}
