//! Whether Git would take a secrets bundle into a commit. Read from the checkout's own files: no
//! program is started.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::exit::Failure;
use crate::disk;

/// How a bundle can get into a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exposure {
    /// It is in the index.
    Tracked,
    /// `git add .` takes it.
    NotIgnored,
}

/// How the bundle at `path` can get into a commit; `None` outside a checkout as well.
pub(super) fn exposure(path: &Path) -> Option<Exposure> {
    // Git keeps a link as a link: what matters is where it leads.
    let path = fs::canonicalize(path).ok()?;
    let root = checkout(&path)?;
    let inside = inside(&path, root)?;
    let git = git_folder(root);
    if fs::read(git.join("index")).is_ok_and(|index| is_listed(&index, inside)) {
        return Some(Exposure::Tracked);
    }
    (!is_ignored(inside, &rules(root, &git, inside))).then_some(Exposure::NotIgnored)
}

/// Makes Git ignore the bundle that is about to stand at `path`, in a folder that may become a
/// checkout only later. The `.gitignore` that was written to; `None` where that was not needed.
pub(super) fn protect(path: &Path) -> Result<Option<PathBuf>, Failure> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let (Ok(folder), Some(name)) = (fs::canonicalize(folder), path.file_name()) else {
        // Writing the bundle itself will say what is wrong.
        return Ok(None);
    };
    let place = folder.join(name);
    let root = checkout(&place).unwrap_or(&folder);
    let ignored = inside(&place, root)
        .is_some_and(|inside| is_ignored(inside, &rules(root, &git_folder(root), inside)));
    if ignored {
        return Ok(None);
    }
    let ignore = path.with_file_name(".gitignore");
    let text =
        format!("# Every key of a cluster derives from its secrets bundle.\n{}\n", line(path));
    disk::append(&ignore, &text).map_err(|error| {
        Failure::new(format!("cannot write `{}`: {error}", ignore.display()))
            .help("a secrets bundle is only made where Git can be told to ignore it")
    })?;
    Ok(Some(ignore))
}

/// The line of a `.gitignore` for a bundle, and for what editors leave beside it.
pub(super) fn line(bundle: &Path) -> String {
    let name = bundle.file_name().unwrap_or_default().to_string_lossy();
    if name.ends_with(".secrets.yaml") {
        return "*.secrets.yaml*".to_owned();
    }
    let escaped = name.chars().flat_map(|c| {
        let pattern = matches!(c, '*' | '?' | '[' | '\\' | ' ');
        pattern.then_some('\\').into_iter().chain([c])
    });
    format!("/{}*", escaped.collect::<String>())
}

/// The folder above `path` that is a checkout.
fn checkout(path: &Path) -> Option<&Path> {
    path.ancestors().skip(1).find(|folder| folder.join(".git").exists())
}

/// As Git spells it.
fn inside<'a>(path: &'a Path, root: &Path) -> Option<&'a str> {
    path.strip_prefix(root).ok()?.to_str()
}

/// Where a checkout has its index: `.git`, or what that file names in a worktree or a submodule.
fn git_folder(root: &Path) -> PathBuf {
    let git = root.join(".git");
    let named = fs::read_to_string(&git).ok();
    match named.as_deref().and_then(|text| text.trim().strip_prefix("gitdir: ")) {
        Some(folder) => root.join(folder),
        None => git,
    }
}

/// Whether an index lists a path: two bytes of flags, whose lower twelve bits are the length, then
/// the path and a NUL. Version 4, which nobody has unasked, spells paths as differences: there
/// nothing is found.
/// Source: <https://git-scm.com/docs/index-format>.
fn is_listed(index: &[u8], path: &str) -> bool {
    let entry = [path.as_bytes(), b"\0"].concat();
    let flagged = |at: usize| {
        let flags = at.checked_sub(2).map(|start| [index[start], index[start + 1]]);
        flags.is_some_and(|flags| {
            usize::from(u16::from_be_bytes(flags) & 0xfff) == path.len().min(0xfff)
        })
    };
    let starts = index.windows(entry.len()).enumerate().filter(|(_, at)| *at == entry);
    // An extended entry has two more bytes between.
    starts.map(|(at, _)| at).any(|at| flagged(at) || at.checked_sub(2).is_some_and(flagged))
}

/// One line of a `.gitignore`.
struct Rule {
    /// The folder of its file, empty or with a slash at its end.
    base: String,
    pattern: String,
    /// Holds for the whole path below `base`, not for a name anywhere.
    anchored: bool,
    folders_only: bool,
    negated: bool,
}

/// The rules for a path, the strongest last. The user's own for all checkouts are left out: others
/// who have this one do not have them.
fn rules(root: &Path, git: &Path, inside: &str) -> Vec<Rule> {
    let common = fs::read_to_string(git.join("commondir")).ok();
    let common = common.map_or_else(|| git.to_owned(), |text| git.join(text.trim()));
    let above = inside.match_indices('/').map(|(at, _)| &inside[..=at]);
    let files = [("", common.join("info/exclude")), ("", root.join(".gitignore"))];
    let files =
        files.into_iter().chain(above.map(|base| (base, root.join(base).join(".gitignore"))));
    files
        .flat_map(|(base, file)| {
            let text = fs::read_to_string(file).unwrap_or_default();
            text.lines().filter_map(|line| rule(base, line)).collect::<Vec<_>>()
        })
        .collect()
}

/// Source: <https://git-scm.com/docs/gitignore>.
fn rule(base: &str, line: &str) -> Option<Rule> {
    let line = line.trim_end();
    let (negated, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
    let (folders_only, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let anchored = line.contains('/');
    let pattern = line.strip_prefix('/').unwrap_or(line).to_owned();
    Some(Rule { base: base.to_owned(), pattern, anchored, folders_only, negated })
}

/// Nothing comes back out of a folder that is ignored.
fn is_ignored(inside: &str, rules: &[Rule]) -> bool {
    let folders = inside.match_indices('/').map(|(at, _)| (&inside[..at], true));
    folders.chain([(inside, false)]).any(|(path, is_folder)| {
        let last = rules.iter().rev().find(|rule| rule.fits(path, is_folder));
        last.is_some_and(|rule| !rule.negated)
    })
}

impl Rule {
    fn fits(&self, path: &str, is_folder: bool) -> bool {
        let Some(below) = path.strip_prefix(&self.base) else { return false };
        let name = below.rsplit('/').next().unwrap_or(below);
        let text = if self.anchored { below } else { name };
        (is_folder || !self.folders_only) && matches(self.pattern.as_bytes(), text.as_bytes())
    }
}

/// Sets in brackets are taken for text: a bundle that only they cover counts as not ignored.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    matches_rest(pattern, text, &mut BTreeSet::new())
}

/// `failed` are the rests, by their lengths, that are known not to match: of many stars, each place
/// is tried once.
fn matches_rest(pattern: &[u8], text: &[u8], failed: &mut BTreeSet<(usize, usize)>) -> bool {
    let rests = (pattern.len(), text.len());
    if failed.contains(&rests) {
        return false;
    }
    let matched = match (pattern, text) {
        ([], _) => text.is_empty(),
        ([b'*', b'*', b'/', rest @ ..], _) => {
            let below = text.iter().enumerate().filter(|(_, byte)| **byte == b'/');
            matches_rest(rest, text, failed)
                || below.map(|(at, _)| at).any(|at| matches_rest(rest, &text[at + 1..], failed))
        }
        ([b'*', b'*'], _) => true,
        ([b'*', rest @ ..], _) => {
            let end = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=end).any(|at| matches_rest(rest, &text[at..], failed))
        }
        ([b'?', rest @ ..], [first, more @ ..]) => {
            *first != b'/' && matches_rest(rest, more, failed)
        }
        ([b'\\', letter, rest @ ..] | [letter, rest @ ..], [first, more @ ..]) => {
            letter == first && matches_rest(rest, more, failed)
        }
        (_, []) => false,
    };
    if !matched {
        failed.insert(rests);
    }
    matched
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(path: &str, lines: &[(&str, &str)]) -> bool {
        let rules: Vec<Rule> = lines.iter().filter_map(|(base, line)| rule(base, line)).collect();
        is_ignored(path, &rules)
    }

    #[test]
    fn the_lines_that_people_write_are_understood() {
        let path = "sites/prod/prod.secrets.yaml";
        for line in [
            "*.secrets.yaml",
            "*.secrets.yaml*",
            "prod.secrets.yaml",
            "/sites/",
            "sites/*/prod.secrets.yaml",
            "**/prod.secrets.yaml",
            "sites/**/prod.secrets.yaml",
            "sites/**",
            "prod/",
            "*",
            "prod?secrets.yaml",
        ] {
            assert!(ignored(path, &[("", line)]), "{line}");
        }
        for line in
            ["", "# *", "/prod.secrets.yaml", "secrets", "prod.secrets.yaml/", "sites/*.yaml"]
        {
            assert!(!ignored(path, &[("", line)]), "{line}");
        }
        assert!(ignored(path, &[("sites/prod/", "/prod.secrets.yaml")]));
        assert!(!ignored(path, &[("", "*.yaml"), ("sites/", "!*.secrets.yaml")]));
        assert!(ignored(path, &[("", "sites/"), ("sites/", "!*.secrets.yaml")]));
    }

    #[test]
    fn the_line_that_is_written_covers_the_bundle_and_its_copies() {
        for name in ["prod.secrets.yaml", "odd [1] name*", "rsa.yaml"] {
            let line = line(Path::new(name));
            for left in ["", "~", ".4711.new"] {
                assert!(ignored(&format!("{name}{left}"), &[("", &line)]), "{name}{left}: {line}");
            }
        }
        assert!(!ignored("prod.yaml", &[("", &line(Path::new("prod.secrets.yaml")))]));
    }
}
