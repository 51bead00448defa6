//! The few lines at the end of a run.

use std::path::Path;

use super::compiled::Compiled;
use super::console::Console;
use crate::disk::{Comparison, Written};
use crate::manifest::Manifest;
use crate::print::{self, Judged};
use crate::tree::Tree;

/// What is said of a file that no tree has.
pub(super) const NOT_OF_THIS_TREE: &str = "not of this tree";

/// What is said of a private file.
pub(super) const READABLE: &str = "readable by others";

/// What a build made, and what of it was new on disk.
pub(super) fn of_build(
    folder: &Path,
    compiled: &Compiled,
    tree: &Tree,
    manifest: &Manifest,
    written: &Written,
    console: &Console,
) -> String {
    let nodes = compiled.outcome.site.as_ref().map_or(0, |site| site.hosts.len());
    // `hagen.json` does not list itself.
    let files = manifest.files.len() + 1;
    let private = manifest.files.iter().filter(|entry| entry.secret).count();
    let bytes: usize = tree.iter().map(|(_, artifact)| artifact.bytes.len()).sum();
    let bytes = bytes + manifest.to_bytes().len();
    let mut lines = vec![format!(
        "{}: cluster {}, {}, {}, {} ({} private), {}",
        folder.display(),
        manifest.cluster,
        counted(nodes, "node"),
        counted(manifest.certificates.len(), "certificate"),
        counted(files, "file"),
        private,
        size(bytes as u64),
    )];
    if let Some(first) = manifest.certificates.iter().min_by_key(|entry| &entry.not_after) {
        lines.push(format!("  first to expire: {} on {}", first.id, day(&first.not_after)));
    }
    let Written { files, bytes, unchanged, removed } = written;
    lines.push(match (files, removed) {
        (0, 0) => "  up to date, nothing written".to_owned(),
        _ => format!(
            "  {} written ({}), {unchanged} unchanged, {removed} removed",
            files,
            size(*bytes)
        ),
    });
    if console.verbose() {
        lines.push(format!("  bundle {}", manifest.bundle));
    }
    lines.join("\n") + "\n"
}

/// What `--check` found: one path per line, with what is the matter.
pub(super) fn of_comparison(folder: &Path, comparison: &Comparison) -> String {
    let Comparison { added, before: _, removed, changed, foreign, readable, mode_changed: _ } =
        comparison;
    let added = added.iter().map(|path| ("missing", path));
    let removed = removed.iter().map(|path| ("no longer made", path));
    let changed = changed.iter().map(|change| ("differs", &change.path));
    let foreign = foreign.iter().map(|path| (NOT_OF_THIS_TREE, path));
    let readable = readable.iter().map(|path| (READABLE, path));
    let mut lines: Vec<_> =
        added.chain(removed).chain(changed).chain(foreign).chain(readable).collect();
    lines.sort_by_key(|(_, path)| *path);
    lines.iter().map(|(what, path)| format!("{}: {what}\n", folder.join(path).display())).collect()
}

/// How many errors, warnings and notes there were; whether there were any.
pub(super) fn of_findings(console: &Console, judged: &[Judged<'_>], strict: bool) -> bool {
    let counts = print::summary(judged, strict);
    if counts.is_empty() {
        return false;
    }
    console.tell(&format!("{counts}\n"));
    true
}

/// `1 node`, `3 nodes`, `2 inventories`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("{count} {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {noun}s"),
    }
}

/// The day of an RFC 3339 date.
pub(super) fn day(date: &str) -> &str {
    date.split_once('T').map_or(date, |(day, _)| day)
}

/// Bytes in the largest binary unit of which there is at least one.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
