//! `hagen diff`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use similar::TextDiff;

use super::compiled::Compiled;
use super::console::Console;
use super::exit::{Exit, Failure};
use super::impact::{Impact, Need, impact};
use super::options::Sources;
use super::reporting::Reporting;
use super::summary;
use crate::disk::{self, Comparison};
use crate::manifest;
use crate::print;
use crate::tree::{Apply, Tree};

/// Compare a tree on disk with what the inventory says now.
///
/// Prints the text of public files that change, private and new files by name only (-v: new
/// public files in full), and which units of which node have to be reloaded, restarted or
/// stopped. Names, too, what hagen did not make below steps/, nodes/ and cluster/, which are
/// rolled out whole, and private files that others may read. Nothing is written.
///
/// Exit code 0 means the same, 1 different, 2 that it cannot be said: errors in the input, wrong
/// usage, an unreadable folder.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  hagen diff prod.yaml -o out
  hagen diff prod.yaml -o out --public      in a checkout, which has no private files
  hagen diff prod.yaml -o out --output json | jq .impact")]
pub(super) struct Diff {
    /// The inventory; `-` is standard input.
    #[arg(value_name = "INVENTORY")]
    inventory: PathBuf,
    /// The folder that holds the tree.
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    sources: Sources,
    /// Private files that DIR lacks are no difference, as in a Git checkout.
    #[arg(long)]
    public: bool,
    /// How the difference is printed.
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    output: Form,
    /// Treat warnings as errors.
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Form {
    /// A unified diff and a list of nodes, for people.
    #[default]
    Text,
    /// One JSON object with `files` and `impact`, for programs.
    Json,
}

impl Diff {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let mut compiled = Compiled::build(&self.inventory, &self.sources)?;
        compiled.replaces(&self.out);
        let judged = compiled.judged();
        let found = Reporting::strict(self.strict).print(console, &judged)?;
        summary::of_findings(console, &judged, self.strict);
        let Some((tree, manifest)) = compiled.tree().filter(|_| found == Exit::Fine) else {
            return Ok(Exit::Failed);
        };
        let old = disk::read_manifest(&self.out)?;
        let comparison =
            compiled.with_mac(|mac| disk::compare(tree, manifest, mac, &self.out, self.public))?;
        let impact = impact(&comparison, old.as_ref(), manifest);
        let entries = old.iter().chain([manifest]).flat_map(|manifest| &manifest.files);
        let private: BTreeSet<&str> =
            entries.filter(|entry| entry.secret).map(|entry| entry.path.as_str()).collect();
        match self.output {
            Form::Text => {
                console.painted(&text(&comparison, tree, &private, console))?;
                console.result(&consequences(&impact))?;
            }
            Form::Json => console.result(&machine(&comparison, &private, &impact))?,
        }
        Ok(if comparison.is_same() { Exit::Fine } else { Exit::Found })
    }
}

/// What happened to one file.
enum Change<'a> {
    /// With the copy that its node has had elsewhere in the tree.
    Added(Option<&'a disk::Change>),
    Removed,
    /// With the old bytes, unless it is private.
    Changed(Option<&'a [u8]>),
    /// No tree has it, and yet it would be rolled out.
    Foreign,
    /// It is private, and others may read it.
    Readable,
}

impl Change<'_> {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Added(_) => "added",
            Self::Removed => "removed",
            Self::Changed(_) => "changed",
            Self::Foreign => "foreign",
            Self::Readable => "readable",
        }
    }
}

/// Everything that differs, by path; the files of one node stand together.
fn changes(comparison: &Comparison) -> Vec<(&str, Change<'_>)> {
    let Comparison { added, before, removed, changed, foreign, readable, mode_changed: _ } =
        comparison;
    let added = added.iter().map(|path| (path.as_str(), Change::Added(before.get(path))));
    let removed = removed.iter().map(|path| (path.as_str(), Change::Removed));
    let changed =
        changed.iter().map(|change| (change.path.as_str(), Change::Changed(change.old.as_deref())));
    let foreign = foreign.iter().map(|path| (path.as_str(), Change::Foreign));
    let readable = readable.iter().map(|path| (path.as_str(), Change::Readable));
    let mut changes: Vec<_> =
        added.chain(removed).chain(changed).chain(foreign).chain(readable).collect();
    changes.sort_by_key(|(path, _)| *path);
    changes
}

fn text(
    comparison: &Comparison,
    tree: &Tree,
    private: &BTreeSet<&str>,
    console: &Console,
) -> String {
    let color = console.colors_results();
    let mut out = String::new();
    for (path, change) in changes(comparison) {
        let note = match change {
            Change::Foreign => format!(" ({})", summary::NOT_OF_THIS_TREE),
            Change::Readable => format!(" (private, {})", summary::READABLE),
            Change::Changed(None) => " (private)".to_owned(),
            _ if private.contains(path) => " (private)".to_owned(),
            _ => String::new(),
        };
        let title = format!("{} {path}{note}", change.as_str());
        out += &painted(&print::printable(&title), BOLD, color);
        let (was, old) = match change {
            Change::Changed(old) => (path, old),
            Change::Added(Some(disk::Change { path, old })) => (path.as_str(), old.as_deref()),
            Change::Added(None) if console.verbose() && !private.contains(path) => {
                (path, Some(&[][..]))
            }
            Change::Added(None) | Change::Removed | Change::Foreign | Change::Readable => {
                (path, None)
            }
        };
        // The manifest repeats in fingerprints what the other files say in words.
        if let Some(old) = old.filter(|_| path != manifest::PATH) {
            let new = tree.get(path).map(|artifact| artifact.bytes.as_slice()).unwrap_or_default();
            out += &unified([was, path], old, new, color);
        }
    }
    out
}

/// The changed lines of one file with three lines around them.
fn unified([was, path]: [&str; 2], old: &[u8], new: &[u8], color: bool) -> String {
    let (Ok(old), Ok(new)) = (std::str::from_utf8(old), std::str::from_utf8(new)) else {
        return "  binary\n".to_owned();
    };
    let diff = TextDiff::from_lines(old, new);
    let text = diff
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{was}"), &format!("b/{path}"))
        .to_string();
    // Not by `lines`, which would hide a carriage return.
    text.split_terminator('\n')
        .map(print::printable)
        .map(|line| match line.as_bytes().first() {
            Some(b'+') => painted(&line, GREEN, color),
            Some(b'-') => painted(&line, RED, color),
            Some(b'@') => painted(&line, CYAN, color),
            _ => format!("{line}\n"),
        })
        .collect()
}

/// A node that the tree has no more would go on running what nobody knows of.
const LEAVES: &str = "leaves the cluster: first run 90-reset.sh there, from its old folder";

/// The nodes that change and what their units need.
fn consequences(impact: &BTreeMap<String, Impact>) -> String {
    if impact.is_empty() {
        return String::new();
    }
    let width = impact.keys().map(String::len).max().unwrap_or(0);
    let lines = impact.iter().map(|(node, Impact { files, units, leaves })| {
        let units = units.iter().map(|(unit, need)| match need {
            Need::Apply(Apply::Pod | Apply::Kubelet) => format!("restart of the static pod {unit}"),
            Need::Apply(apply) => format!("{} {unit}", apply.as_str()),
            Need::Stop(Apply::Pod | Apply::Kubelet) => format!("end of the static pod {unit}"),
            Need::Stop(_) => format!("stop {unit}"),
        });
        let units = match units.collect::<Vec<_>>().join(", ") {
            _ if *leaves => LEAVES.to_owned(),
            none if none.is_empty() => "no unit to restart".to_owned(),
            units => units,
        };
        format!("  {node:width$}  {}: {units}\n", summary::counted(*files, "file"))
    });
    ["\nImpact, one node after the other:\n".to_owned()].into_iter().chain(lines).collect()
}

fn machine(
    comparison: &Comparison,
    private: &BTreeSet<&str>,
    impact: &BTreeMap<String, Impact>,
) -> String {
    let files: Vec<_> = changes(comparison)
        .into_iter()
        .map(|(path, change)| {
            let private = private.contains(path);
            json!({"path": path, "change": change.as_str(), "private": private})
        })
        .collect();
    let document = json!({"same": comparison.is_same(), "files": files, "impact": impact});
    print::printable_json(&format!("{document:#}\n"))
}

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const CYAN: &str = "36";

/// One line, in a colour of ANSI where there are colours.
fn painted(line: &str, code: &str, color: bool) -> String {
    if color { format!("\u{1b}[{code}m{line}\u{1b}[0m\n") } else { format!("{line}\n") }
}
