//! What Git would take into a commit: a secrets bundle, private files of a tree. Read from the
//! checkout's own files: no program is started.

mod ignore;
mod index;

use std::fs;
use std::path::{Path, PathBuf};

use self::ignore::Rules;
use self::index::Tracked;
use super::exit::Failure;
use crate::disk;

/// How a bundle can get into a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exposure {
    /// It is in the index.
    Tracked,
    /// `git add .` takes it; whether the `.gitignore` beside it is a link, which Git passes over.
    NotIgnored { link: bool },
    /// Whether it is in the index cannot be told.
    Unknown(Unknown),
}

/// Why it cannot be told what Git tracks, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    /// `its index has version 5`.
    pub(super) reason: String,
    pub(super) help: &'static str,
}

impl From<index::Unknown> for Unknown {
    fn from(unknown: index::Unknown) -> Self {
        Self { reason: unknown.to_string(), help: unknown.help() }
    }
}

/// How the bundle at `path` can get into a commit; in no way outside a checkout as well.
pub(super) fn exposures(path: &Path) -> Vec<Exposure> {
    // Git keeps a link as a link: what matters is where it leads.
    let Ok(path) = fs::canonicalize(path) else { return Vec::new() };
    let Some((root, inside)) = place(&path) else { return Vec::new() };
    let git = git_folder(root);
    let trusted = is_trusted(root, &git);
    let unknown = match tracked_by(&git, trusted) {
        Ok(tracked) if tracked.has(inside) => return vec![Exposure::Tracked],
        Ok(_) => None,
        Err(unknown) => Some(Exposure::Unknown(unknown.into())),
    };
    let ignored = Rules::read(root, &git, inside, trusted).ignore(inside);
    let link = ignore::is_link(&path.with_file_name(".gitignore"));
    let exposed = (!ignored).then_some(Exposure::NotIgnored { link });
    exposed.into_iter().chain(unknown).collect()
}

/// Which of these paths below `folder`, which may not be there yet, Git tracks.
pub(super) fn tracked<'a>(
    folder: &Path,
    paths: impl Iterator<Item = &'a str>,
) -> Result<Vec<&'a str>, Unknown> {
    // Below what is there no link leads elsewhere.
    let above = if folder.is_relative() { Path::new(".").join(folder) } else { folder.to_owned() };
    let there = above.ancestors().find_map(|there| {
        Some(fs::canonicalize(there).ok()?.join(above.strip_prefix(there).ok()?))
    });
    let Some(folder) = there else { return Ok(Vec::new()) };
    let some = folder.join("file");
    let Some((root, some)) = place(&some) else { return Ok(Vec::new()) };
    let below = some.strip_suffix("file").unwrap_or(some);
    let git = git_folder(root);
    let tracked = tracked_by(&git, is_trusted(root, &git))?;
    Ok(paths.filter(|path| tracked.has(&format!("{below}{path}"))).collect())
}

/// Makes Git ignore the bundle that is about to stand at `path`, in a folder that may become a
/// checkout only later. The `.gitignore` that was written to; `None` where that was not needed.
pub(super) fn protect(path: &Path) -> Result<Option<PathBuf>, Failure> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let (Ok(folder), Some(name)) = (fs::canonicalize(folder), path.file_name()) else {
        // Writing the bundle itself will say what is wrong.
        return Ok(None);
    };
    let bundle = folder.join(name);
    let root = checkout(&bundle).unwrap_or(&folder);
    let git = git_folder(root);
    let trusted = checkout(&bundle).is_none() || is_trusted(root, &git);
    let ignored = || {
        inside(&bundle, root)
            .is_some_and(|inside| Rules::read(root, &git, inside, trusted).ignore(inside))
    };
    if ignored() {
        return Ok(None);
    }
    let ignore = path.with_file_name(".gitignore");
    let shown = ignore.display();
    if ignore::is_link(&ignore) {
        return Err(Failure::new(format!("`{shown}` is a link, and Git follows none of that name"))
            .help("put a file in its place; a secrets bundle is only made where Git can be told to ignore it"));
    }
    let text =
        format!("# Every key of a cluster derives from its secrets bundle.\n{}\n", line(path));
    disk::append(&ignore, &text).map_err(|error| {
        Failure::new(format!("cannot write `{shown}`: {error}"))
            .help("a secrets bundle is only made where Git can be told to ignore it")
    })?;
    if !ignored() {
        let name = path.display();
        return Err(Failure::new(format!("Git ignores `{name}` by no line of `{shown}`"))
            .help("choose a name of letters, digits, dots and dashes"));
    }
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

/// The checkout that a path is in, and its place there.
fn place(path: &Path) -> Option<(&Path, &str)> {
    let root = checkout(path)?;
    Some((root, inside(path, root)?))
}

/// The folder above `path` that is a checkout.
fn checkout(path: &Path) -> Option<&Path> {
    path.ancestors().skip(1).find(|folder| folder.join(".git").exists())
}

/// As Git spells it.
fn inside<'a>(path: &'a Path, root: &Path) -> Option<&'a str> {
    path.strip_prefix(root).ok()?.to_str()
}

/// Whether nobody else says what Git does in a checkout: Git itself works in no other one.
/// Source: <https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory>.
fn is_trusted(root: &Path, git: &Path) -> bool {
    let ours =
        |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| disk::is_ours(&metadata));
    ours(root) && ours(&root.join(".git")) && ours(git)
}

fn tracked_by(git: &Path, trusted: bool) -> Result<Tracked, index::Unknown> {
    if trusted { Tracked::read(git) } else { Err(index::Unknown::Foreign) }
}

/// Where a checkout has its index: `.git`, or what that file names in a worktree or a submodule.
fn git_folder(root: &Path) -> PathBuf {
    let git = root.join(".git");
    const MOST: u64 = 1 << 20;
    let named = disk::read_regular(&git, MOST).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match named.as_deref().and_then(|text| text.trim().strip_prefix("gitdir: ")) {
        Some(folder) => root.join(folder),
        None => git,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a file beside which Git looks")]
    fn the_line_that_is_written_covers_the_bundle_and_its_copies() {
        let ignored = |bundle: &str, path: &str| {
            let scratch = tempfile::tempdir().unwrap();
            let line = line(Path::new(bundle));
            fs::write(scratch.path().join(".gitignore"), format!("{line}\n")).unwrap();
            Rules::read(scratch.path(), &scratch.path().join(".git"), path, true).ignore(path)
        };
        for name in ["prod.secrets.yaml", "odd [1] name*", "rsa.yaml"] {
            for left in ["", "~", ".4711.new"] {
                assert!(ignored(name, &format!("{name}{left}")), "{name}{left}");
            }
        }
        assert!(!ignored("prod.secrets.yaml", "prod.yaml"));
    }
}
