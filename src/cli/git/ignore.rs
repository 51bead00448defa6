//! What Git ignores in a checkout, by the rules that stand in it.
//! Sources: <https://git-scm.com/docs/gitignore>, and `dir.c` and `wildmatch.c` of Git where that page
//! leaves off.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::disk::{is_ours, read_regular};

/// One line of a `.gitignore`.
struct Rule {
    /// The folder of its file, empty or with a slash at its end.
    base: String,
    pattern: Vec<u8>,
    /// Holds for the whole path below `base`, not for a name anywhere.
    anchored: bool,
    folders_only: bool,
    negated: bool,
}

/// The rules for one path, the strongest last.
pub(super) struct Rules(Vec<Rule>);

impl Rules {
    /// Those of the checkout `root`, whose own folder is `git`, for the path `inside` it. The user's
    /// own for all checkouts are left out: others who have this one do not have them. So is what
    /// another user says, unless the checkout is `trusted`.
    pub(super) fn read(root: &Path, git: &Path, inside: &str, trusted: bool) -> Self {
        let common = String::from_utf8(read(&git.join("commondir"))).unwrap_or_default();
        let common = if common.is_empty() { git.to_owned() } else { git.join(common.trim()) };
        let own = if trusted { read(&common.join("info/exclude")) } else { Vec::new() };
        let above = inside.match_indices('/').map(|(at, _)| &inside[..=at]);
        let files = [""].into_iter().chain(above);
        let files = files.map(|base| (base, text(&root.join(base).join(".gitignore"), trusted)));
        Self(
            [("", own)]
                .into_iter()
                .chain(files)
                .flat_map(|(base, text)| rules(base, &text).collect::<Vec<_>>())
                .collect(),
        )
    }

    /// Nothing comes back out of a folder that is ignored.
    pub(super) fn ignore(&self, inside: &str) -> bool {
        let folders = inside.match_indices('/').map(|(at, _)| (&inside[..at], true));
        folders.chain([(inside, false)]).any(|(path, is_folder)| {
            let last = self.0.iter().rev().find(|rule| rule.fits(path, is_folder));
            last.is_some_and(|rule| !rule.negated)
        })
    }
}

/// Whether this is a link in place of a `.gitignore`: Git follows none from 2.32 on.
pub(super) fn is_link(ignore: &Path) -> bool {
    fs::symlink_metadata(ignore).is_ok_and(|metadata| metadata.is_symlink())
}

/// As Git reads a `.gitignore` that stands among the files.
fn text(ignore: &Path, trusted: bool) -> Vec<u8> {
    let ours = || fs::symlink_metadata(ignore).is_ok_and(|metadata| is_ours(&metadata));
    if is_link(ignore) || !(trusted || ours()) { Vec::new() } else { read(ignore) }
}

/// Empty where it cannot be read, or is no list that anybody wrote: then nothing is ignored.
fn read(path: &Path) -> Vec<u8> {
    const MOST: u64 = 4 << 20;
    read_regular(path, MOST).unwrap_or_default()
}

fn rules<'a>(base: &'a str, text: &'a [u8]) -> impl Iterator<Item = Rule> + 'a {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    text.split(|byte| *byte == b'\n').filter_map(move |line| rule(base, line))
}

fn rule(base: &str, line: &[u8]) -> Option<Rule> {
    if line.starts_with(b"#") {
        return None;
    }
    let line = without_spaces(line.strip_suffix(b"\r").unwrap_or(line));
    let (negated, line) = line.strip_prefix(b"!").map_or((false, line), |rest| (true, rest));
    let (folders_only, line) = line.strip_suffix(b"/").map_or((false, line), |rest| (true, rest));
    if line.is_empty() {
        return None;
    }
    let anchored = line.contains(&b'/');
    let pattern = line.strip_prefix(b"/").unwrap_or(line).to_owned();
    Some(Rule { base: base.to_owned(), pattern, anchored, folders_only, negated })
}

/// Without the spaces at its end, but for one that a backslash keeps. Other blanks stay.
fn without_spaces(line: &[u8]) -> &[u8] {
    let mut end = 0;
    let mut at = 0;
    while at < line.len() {
        let escape = line[at] == b'\\';
        at += if escape { 2 } else { 1 };
        if escape || line[at - 1] != b' ' {
            end = at;
        }
    }
    &line[..end.min(line.len())]
}

impl Rule {
    fn fits(&self, path: &str, is_folder: bool) -> bool {
        let Some(below) = path.strip_prefix(&self.base) else { return false };
        if !is_folder && self.folders_only {
            return false;
        }
        if !self.anchored {
            let name = below.rsplit('/').next().unwrap_or(below);
            return matches(&self.pattern, name.as_bytes());
        }
        // Git compares what comes before the first wildcard as it stands, and begins after it.
        let literal = self.pattern.iter().position(|byte| b"*?[\\".contains(byte));
        let (literal, pattern) = self.pattern.split_at(literal.unwrap_or(self.pattern.len()));
        below.as_bytes().strip_prefix(literal).is_some_and(|rest| matches(pattern, rest))
    }
}

/// Whether a pattern with wildcards stands for all of a text.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    Match { pattern, text, failed: BTreeSet::new() }.from(0, 0)
}

struct Match<'a> {
    pattern: &'a [u8],
    text: &'a [u8],
    /// The places in both from which on they are known not to match: of many stars, each is tried
    /// once.
    failed: BTreeSet<(usize, usize)>,
}

impl Match<'_> {
    fn from(&mut self, at: usize, to: usize) -> bool {
        if self.failed.contains(&(at, to)) {
            return false;
        }
        let matched = self.tried(at, to);
        if !matched {
            self.failed.insert((at, to));
        }
        matched
    }

    fn tried(&mut self, at: usize, to: usize) -> bool {
        let (pattern, text) = (self.pattern, self.text);
        match (pattern.get(at), text.get(to)) {
            (None, letter) => letter.is_none(),
            (Some(b'*'), _) => self.stars(at, to),
            (Some(_), None) => false,
            (Some(b'?'), Some(letter)) => *letter != b'/' && self.from(at + 1, to + 1),
            (Some(b'['), Some(letter)) => match set(pattern, at, *letter) {
                Some((true, end)) => *letter != b'/' && self.from(end, to + 1),
                Some((false, _)) | None => false,
            },
            // A backslash at the end stands for nothing.
            (Some(b'\\'), Some(letter)) => {
                pattern.get(at + 1) == Some(letter) && self.from(at + 2, to + 1)
            }
            (Some(wanted), Some(letter)) => wanted == letter && self.from(at + 1, to + 1),
        }
    }

    /// One star stops at a slash; two do not where they are all there is between slashes.
    fn stars(&mut self, at: usize, to: usize) -> bool {
        let end = at + self.pattern[at..].iter().take_while(|byte| **byte == b'*').count();
        let after = &self.pattern[end..];
        let begins = at.checked_sub(1).is_none_or(|before| self.pattern[before] == b'/');
        let ends = after.is_empty() || after.starts_with(b"/") || after.starts_with(b"\\/");
        let whole = end - at > 1 && begins && ends;
        // `a/**/b` is `a/b` as well.
        if whole && after.starts_with(b"/") && self.from(end + 1, to) {
            return true;
        }
        let rest = &self.text[to..];
        let slash = rest.iter().position(|byte| *byte == b'/').filter(|_| !whole);
        (0..=slash.unwrap_or(rest.len())).any(|skipped| self.from(end, to + skipped))
    }
}

/// Whether the set in brackets at this place has the letter, and where it ends; `None` where it does
/// not end, or names a class that there is not: then Git matches nothing.
fn set(pattern: &[u8], start: usize, letter: u8) -> Option<(bool, usize)> {
    let mut at = start + 1;
    let negated = matches!(pattern.get(at)?, b'!' | b'^');
    at += usize::from(negated);
    let mut found = false;
    // What a range that a dash goes on with begins with.
    let mut before = None;
    // The first one is a letter, even where it is a closing bracket.
    loop {
        let byte = *pattern.get(at)?;
        let class = (byte == b'[').then(|| class(pattern, at)).flatten();
        match (byte, before) {
            (b'-', Some(first)) if !matches!(pattern.get(at + 1), None | Some(b']')) => {
                at += 1;
                if pattern[at] == b'\\' {
                    at += 1;
                }
                found |= (first..=*pattern.get(at)?).contains(&letter);
                before = None;
            }
            _ if class.is_some() => {
                let (name, end) = class?;
                found |= in_class(name, letter)?;
                at = end;
                before = None;
            }
            (b'\\', _) => {
                at += 1;
                let byte = *pattern.get(at)?;
                found |= byte == letter;
                before = Some(byte);
            }
            (byte, _) => {
                found |= byte == letter;
                before = Some(byte);
            }
        }
        at += 1;
        if *pattern.get(at)? == b']' {
            return Some((found != negated, at + 1));
        }
    }
}

/// The name in `[:alpha:]`, and where its own closing bracket is.
fn class(pattern: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let inner = pattern.get(at + 1..)?.strip_prefix(b":")?;
    let length = inner.iter().position(|byte| *byte == b']')?;
    let name = inner[..length].strip_suffix(b":")?;
    Some((name, at + 2 + length))
}

fn in_class(name: &[u8], letter: u8) -> Option<bool> {
    Some(match name {
        b"alnum" => letter.is_ascii_alphanumeric(),
        b"alpha" => letter.is_ascii_alphabetic(),
        b"blank" => matches!(letter, b' ' | b'\t'),
        b"cntrl" => letter.is_ascii_control(),
        b"digit" => letter.is_ascii_digit(),
        b"graph" => letter.is_ascii_graphic(),
        b"lower" => letter.is_ascii_lowercase(),
        b"print" => letter.is_ascii_graphic() || letter == b' ',
        b"punct" => letter.is_ascii_punctuation(),
        b"space" => letter.is_ascii_whitespace() || letter == b'\x0b',
        b"upper" => letter.is_ascii_uppercase(),
        b"xdigit" => letter.is_ascii_hexdigit(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(path: &str, files: &[(&str, &str)]) -> bool {
        let rules = files.iter().flat_map(|(base, text)| rules(base, text.as_bytes()));
        Rules(rules.collect()).ignore(path)
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

    /// The oracle is Git: each line alone, and each as an exception from all of it.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "only Git knows what Git ignores")]
    fn git_s_own_verdict_on_a_line_is_hagen_s() {
        let scratch = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let mut git = std::process::Command::new("git");
            git.args(arguments).current_dir(scratch.path());
            git.env("GIT_CONFIG_GLOBAL", "/dev/null").status().unwrap().success()
        };
        assert!(git(&["init", "--quiet", "."]));
        let path = "sites/prod/p-1].secrets.yaml";
        fs::create_dir_all(scratch.path().join("sites/prod")).unwrap();
        fs::write(scratch.path().join(path), "").unwrap();
        let lines = [
            "*.secrets.yaml\t",
            "*.secrets.yaml  ",
            "*.secrets.yaml \r",
            "*.secrets.yaml\r",
            "*.secrets.yaml\r\r",
            "*.secrets.yaml\\ ",
            "*.secrets.yaml\x0b",
            "*.secrets.yaml\\",
            "[p]-1?.secrets.yaml",
            "[!p]*",
            "[^a]-*",
            "[a-z]-*",
            "[z-a]-*",
            "p-[[:digit:]]*",
            "p-[[:nonsense:]]*",
            "p-[[:digit:]",
            "p-[0-9]]*",
            "p-1[]]*",
            "p-1[!]]*",
            "p-1[]-]*",
            "p-1[\\]]*",
            "p[-]1*",
            "p[+--]1*",
            "p[a-]1*",
            "p-[[:]1]*",
            "p-[[1:]*",
            "p-[\\1]*",
            "[",
            "[]",
            "p-[]1]*",
            "sites/[!/]*/p*",
            "sites[/]prod/*",
            "sites/[a-z]*",
            "sites/pro**",
            "sites/**d/*",
            "sites/p**",
            "**/p-*",
            "/**/p-*",
            "**/prod/**",
            "sites/**/**/p-*",
            "**",
            "***",
            "s**",
            "*/*/*",
            "/*",
            "*/",
            "sites/*/",
            "//sites",
            "sites//",
            "/",
            "!",
            "\\#*",
            "#*",
            "\\*.yaml",
            "*\\.yaml",
            "p-1\\].secrets.yaml",
            "sites/prod/p-1].secrets.yaml",
            "/sites/prod",
            "prod/p*",
            " *.yaml",
            "*.yaml #",
            "**yaml",
            "sites/*prod",
            "sites/**/",
            "\u{feff}*.yaml",
            "*.YAML",
            "p-[[:alpha:][:digit:]]*",
            "p-[^[:alpha:]]*",
            "?????.*",
        ];
        for line in lines {
            for text in [line.to_owned(), format!("*\n!{line}\n"), format!("p*\n!{line}\n{line}x")]
            {
                fs::write(scratch.path().join(".gitignore"), &text).unwrap();
                let verdict = git(&["check-ignore", "--quiet", path]);
                assert_eq!(ignored(path, &[("", &text)]), verdict, "{text:?}");
            }
        }
    }
}
