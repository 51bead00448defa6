//! The last look at what is about to leave the compiler: traces of an unfinished template, and
//! bytes that some consumer trips over.

use super::{Artifact, LEFTOVER, Tree};
use crate::report::{Finding, Path, Report};

/// Tags of HTML that Markdown lets through; README.md may fold and break lines with them.
const MARKDOWN_TAGS: [&str; 4] = ["br", "details", "summary", "sub"];

/// Audits every text file that hagen itself words; the user's own bytes
/// ([`Artifact::verbatim`]) and binary files are left alone. No finding repeats content: a
/// private file is audited, too.
pub fn leftovers(tree: &Tree, report: &mut Report) {
    for (path, artifact) in tree.iter().filter(|(_, artifact)| !artifact.verbatim) {
        let Ok(text) = std::str::from_utf8(&artifact.bytes) else { continue };
        for (line, what) in audit(path, text) {
            report.push(finding(path, artifact, line, what));
        }
    }
}

fn finding(path: &str, artifact: &Artifact, line: usize, what: &str) -> Finding {
    let at = artifact.origin.reads.first().cloned().unwrap_or_else(Path::root);
    let room = artifact.origin.room;
    let message = format!("`{path}`, line {line}, made by room `{room}`, {what}");
    let help = match artifact.origin.template {
        Some(id) => format!("mend the template `{id}`, or the value that it prints there"),
        None => "mend the value that it prints there; if there is none, this is a defect of hagen"
            .to_owned(),
    };
    Finding::new(&LEFTOVER, at, message).help(help)
}

/// The first line of each kind of leftover, from 1.
fn audit(path: &str, text: &str) -> Vec<(usize, &'static str)> {
    let name = path.to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let yaml = ends(&[".yaml", ".yml"]);
    let markdown = ends(&[".md"]);
    let markup = ends(&[".svg", ".html", ".xml"]);
    let mut found = Vec::new();
    let mut look = |what: &'static str, is_leftover: &dyn Fn(&str) -> bool| {
        if let Some(position) = text.split('\n').position(is_leftover) {
            found.push((position + 1, what));
        }
    };
    look("holds an unrendered `{{`", &|line| line.contains("{{"));
    look("holds an unrendered `{%`", &|line| line.contains("{%"));
    look("holds a `<placeholder>`", &|line| !markup && has_placeholder(line, markdown));
    look("holds a tab, which YAML forbids", &|line| yaml && line.contains('\t'));
    look("holds a carriage return", &|line| line.contains('\r'));
    look("ends in a blank", &|line| line.ends_with([' ', '\t']));
    if !text.is_empty() && !text.ends_with('\n') {
        found.push((text.split('\n').count(), "lacks the newline at its end"));
    }
    found
}

/// Whether a line holds `<words-for-somebody-to-replace>`. A shell's redirections have blanks or
/// no closing bracket, and a version range or an address holds other characters.
fn has_placeholder(line: &str, markdown: bool) -> bool {
    line.match_indices('<').any(|(start, _)| {
        let Some((inside, _)) = line[start + 1..].split_once('>') else { return false };
        let word = |letter: char| letter.is_ascii_alphanumeric() || "-_ ".contains(letter);
        let tag = inside.trim_start_matches('/');
        inside.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && inside.ends_with(|letter: char| letter.is_ascii_alphanumeric())
            && inside.chars().all(word)
            && !(markdown && MARKDOWN_TAGS.contains(&tag))
    })
}

#[cfg(test)]
mod tests {
    use super::{audit, leftovers};
    use crate::report::Report;
    use crate::tree::{Artifact, Origin, Tree};

    fn lines(path: &str, text: &str) -> Vec<usize> {
        audit(path, text).into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn leftovers_are_found_at_their_line() {
        assert_eq!(lines("a.cfg", "ok\nserver {{ name }}\n"), [2]);
        assert_eq!(lines("a.cfg", "{% if x %}\n"), [1]);
        assert_eq!(lines("a.cfg", "a\nb\nbind <your-vip>:6443\n"), [3]);
        assert_eq!(lines("a.sh", "ssh <node name>\n"), [1]);
        assert_eq!(lines("a.yaml", "a:\n\t- b\n"), [2]);
        assert_eq!(lines("a.cfg", "a\r\nb\n"), [1]);
        assert_eq!(lines("a.cfg", "a \nb\t\n"), [1]);
        assert_eq!(lines("a.cfg", "a\nb"), [2]);
    }

    #[test]
    fn honest_text_passes() {
        for (path, text) in [
            ("a.sh", "while read -r x; do :; done <in >out\ncat <<'EOF'\n[ \"$a\" \\< b ]\nEOF\n"),
            ("a.sh", "sort <\"$in\" >\"$out\"\nx=${y}\nawk '{ if ($1<2 && $2>3) print }'\n"),
            ("a.tsv", "a\tb\n"),
            ("Makefile", "\ttrue\n"),
            ("README.md", "a<br>b <details>\n"),
            ("a.svg", "<svg>\n"),
            ("a.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
            ("empty", ""),
        ] {
            assert_eq!(audit(path, text), [], "{path}");
        }
    }

    #[test]
    fn the_users_own_bytes_and_binary_files_are_not_audited() {
        let mut tree = Tree::new();
        let artifact = |bytes: &[u8]| Artifact::public(bytes, Origin::room("files"));
        tree.insert("dashboard.json", artifact(b"{{ legend }}").verbatim()).unwrap();
        tree.insert("binary", artifact(b"\xff{{")).unwrap();
        tree.insert("generated", artifact(b"{{")).unwrap();
        let mut report = Report::new();
        leftovers(&tree, &mut report);
        let messages: Vec<_> = report.findings().iter().map(|f| f.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "`generated`, line 1, made by room `files`, holds an unrendered `{{`",
                "`generated`, line 1, made by room `files`, lacks the newline at its end",
            ]
        );
    }
}
