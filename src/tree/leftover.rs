//! The last look at what is about to leave the compiler: traces of an unfinished template, bytes
//! that some consumer trips over, and a private key in a file that is public.

use rayon::prelude::*;

use super::{Artifact, LEFTOVER, Tree};
use crate::report::{Finding, Path, Report, holds_private_key};

/// Tags of HTML that Markdown lets through; README.md may fold and break lines with them.
const MARKDOWN_TAGS: [&str; 4] = ["br", "details", "summary", "sub"];

/// Audits every text file that hagen itself words; the user's own bytes
/// ([`Artifact::verbatim`]) and binary files are left alone. A document that no template made is
/// written from values: there is nothing to render, and braces and blanks in it are the user's. No
/// finding repeats content: a private file is audited, too.
pub fn leftovers(tree: &Tree, report: &mut Report) {
    let files: Vec<_> = tree.iter().filter(|(_, artifact)| !artifact.verbatim).collect();
    let found: Vec<Finding> = files
        .into_par_iter()
        .flat_map_iter(|(path, artifact)| {
            let text = std::str::from_utf8(&artifact.bytes).unwrap_or_default();
            let leftovers = audit(path, text, artifact.origin.template.is_some()).into_iter();
            let key = (!artifact.secret).then(|| private_key(text)).flatten();
            leftovers.chain(key).map(move |(line, what)| finding(path, artifact, line, what))
        })
        .collect();
    found.into_iter().for_each(|finding| report.push(finding));
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
fn audit(path: &str, text: &str, rendered: bool) -> Vec<(usize, &'static str)> {
    let incomplete = !text.is_empty() && !text.ends_with('\n');
    let everywhere = [
        ("holds a carriage return", text.find('\r')),
        ("lacks the newline at its end", incomplete.then_some(text.len())),
    ];
    let traces = rendered.then(|| traces(path, text));
    let found = traces.into_iter().flatten().chain(everywhere);
    let found = found.filter_map(|(what, place)| Some((place?, what)));
    found.map(|(place, what)| (text[..place].matches('\n').count() + 1, what)).collect()
}

/// What a template may have left behind, and where.
fn traces(path: &str, text: &str) -> [(&'static str, Option<usize>); 5] {
    let name = path.to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let yaml = ends(&[".yaml", ".yml"]);
    let markup = ends(&[".svg", ".html", ".xml"]);
    let placeholder = placeholder(text, ends(&[".md"]));
    [
        ("holds an unrendered `{{`", text.find("{{")),
        ("holds an unrendered `{%`", text.find("{%")),
        ("holds a `<placeholder>`", placeholder.filter(|_| !markup)),
        ("holds a tab, which YAML forbids", text.find('\t').filter(|_| yaml)),
        ("ends in a blank", blank_end(text)),
    ]
}

/// The line of a private key, which has no place in what is public.
fn private_key(text: &str) -> Option<(usize, &'static str)> {
    holds_private_key(text).then(|| {
        let place = text.find("PRIVATE KEY").unwrap_or(0);
        (text[..place].matches('\n').count() + 1, "holds a private key, and is public")
    })
}

/// Where the first line ends in a blank.
fn blank_end(text: &str) -> Option<usize> {
    let last = text.ends_with([' ', '\t']).then_some(text.len());
    [text.find(" \n"), text.find("\t\n"), last].into_iter().flatten().min()
}

/// Where the first `<words-for-somebody-to-replace>` stands. A shell's redirections have blanks
/// or no closing bracket, and a version range or an address holds other characters.
fn placeholder(text: &str, markdown: bool) -> Option<usize> {
    let word = |letter: char| letter.is_ascii_alphanumeric() || "-_ ".contains(letter);
    let mut places = text.match_indices('<').map(|(start, _)| start);
    places.find(|start| {
        let rest = &text[start + 1..];
        let inside = &rest[..rest.find(|letter| !word(letter)).unwrap_or(0)];
        rest[inside.len()..].starts_with('>')
            && inside.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && inside.ends_with(|letter: char| letter.is_ascii_alphanumeric())
            && !(markdown && MARKDOWN_TAGS.contains(&inside))
    })
}

#[cfg(test)]
mod tests {
    use super::{audit, leftovers};
    use crate::report::Report;
    use crate::tree::{Artifact, Origin, Tree};

    fn lines(path: &str, text: &str) -> Vec<usize> {
        audit(path, text, true).into_iter().map(|(line, _)| line).collect()
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
            assert_eq!(audit(path, text, true), [], "{path}");
        }
    }

    #[test]
    fn the_users_own_bytes_documents_and_binary_files_are_not_audited() {
        let mut tree = Tree::new();
        let origin = || Origin { template: Some("files/x.j2"), ..Origin::room("files") };
        let artifact = |bytes: &[u8]| Artifact::public(bytes, origin());
        let document = Artifact::public(b"a: '{{.Name}} <x>'\n", Origin::room("runtime"));
        tree.insert("daemon.yaml", document).unwrap();
        tree.insert("dashboard.json", Artifact { verbatim: true, ..artifact(b"{{ legend }}") })
            .unwrap();
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
