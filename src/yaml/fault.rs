use std::ops::Range;

use saphyr_parser::ScanError;

use super::{MAX_DEPTH, Positions, codes};
use crate::report::{Finding, Path};

/// Why no document can be made of a text. Boxed: it is large and rare.
pub(super) type Fault = Box<Finding>;

/// What the reader found to be no YAML.
pub(super) fn syntax(text: &str, positions: &Positions, error: &ScanError) -> Fault {
    let at = positions.byte(text, error.marker().index());
    // The reader's own limit for brackets; met before ours, as it reads ahead.
    if error.info() == "recursion limit exceeded" {
        return too_deep(at..at);
    }
    if let Some(tab) = indenting_tab(text, positions, at, error.info().contains("found a tab")) {
        return Finding::new(&codes::SYNTAX, Path::root(), "a tab indents this line")
            .span(tab..tab + 1)
            .label("a tab")
            .help("indent with spaces: YAML forbids tabs there")
            .into();
    }
    let (message, help) = in_words(error.info());
    let span = match error.info() {
        // Noticed only once the line is over.
        "simple key expect ':'" => last_line(text, at),
        _ => at..at,
    };
    let finding = Finding::new(&codes::SYNTAX, Path::root(), message).span(span);
    match help {
        Some(help) => finding.help(help).into(),
        None => finding.into(),
    }
}

/// The last line before `at` that is not blank.
fn last_line(text: &str, at: usize) -> Range<usize> {
    let before = text[..at].trim_end();
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    before.len() - before[line..].trim_start().len()..before.len()
}

/// A tab in the indentation of the line where the reader stopped, of the one before, or,
/// where the reader says that it met a tab, further on in the value where it stopped.
fn indenting_tab(text: &str, positions: &Positions, at: usize, met: bool) -> Option<usize> {
    let (line, _) = positions.line_column(text, at);
    let indented = [line, line - 1].into_iter().filter(|line| *line > 0).find_map(|line| {
        let line = positions.line(text, line);
        let written = &text[line.clone()];
        let indentation = written.len() - written.trim_start_matches([' ', '\t', '-']).len();
        written[..indentation].find('\t').map(|tab| line.start + tab)
    });
    indented.or_else(|| text[at..].find('\t').filter(|_| met).map(|tab| at + tab))
}

pub(super) fn too_deep(span: Range<usize>) -> Fault {
    let message = format!("lists and maps nest deeper than {MAX_DEPTH} levels");
    Finding::new(&codes::BUDGET, Path::root(), message).span(span).into()
}

/// Tags would let the text choose types; only those that say what is so anyway are known.
pub(super) fn known_tag(tag: Option<&str>, name: &str, span: &Range<usize>) -> Result<(), Fault> {
    match tag.map(|tag| (tag, tag.strip_prefix("tag:yaml.org,2002:!"))) {
        None => Ok(()),
        Some((_, Some(known))) if known == name => Ok(()),
        Some((tag, _)) => {
            let written = tag.replace("tag:yaml.org,2002:!", "!!");
            let message = format!("the tag `{written}` means nothing here");
            Err(Finding::new(&codes::SYNTAX, Path::root(), message)
                .span(span.clone())
                .help("delete the tag; quote the value where text is meant")
                .into())
        }
    }
}

/// The reader's terse messages for the mistakes that people make, with the edit.
fn in_words(info: &str) -> (&str, Option<&'static str>) {
    match info {
        "mapping values are not allowed in this context" => (
            "this `:` stands where no key can be",
            Some("put each key on a line of its own, or quote a value that contains `: `"),
        ),
        "simple key expect ':'" | "simple key expected" => (
            "this line has no `:` after its key",
            Some("write `key: value`, with a space after the colon"),
        ),
        "invalid indentation" | "while parsing a block mapping, did not find expected key" => (
            "this line's indentation fits nothing above it",
            Some("give the keys of one map the same indentation"),
        ),
        "while parsing a block collection, did not find expected '-' indicator" => (
            "this line belongs to a list but does not start with `-`",
            Some("give the items of one list the same indentation, each with its `- `"),
        ),
        "block sequence entries are not allowed in this context" => (
            "a list cannot start on the line of its key",
            Some("put each `- item` on a line of its own, or write `[item, item]`"),
        ),
        "while parsing node, found unknown anchor" => (
            "this alias repeats an anchor that is not defined above it",
            Some("quote the value if it only starts with `*`"),
        ),
        "while parsing a flow sequence, expected ',' or ']'"
        | "while parsing a flow mapping, did not find expected ',' or '}'"
        | "illegal placement of ':' indicator" => {
            ("a `,` or the closing bracket is missing before this", None)
        }
        "while parsing a node, did not find expected node content" => {
            ("a value is missing here", None)
        }
        "misplaced bracket" => ("this bracket closes nothing", None),
        "while scanning a quoted scalar, found unexpected end of stream"
        | "invalid indentation in quoted scalar" => {
            ("these quotes are not closed", Some("close them on the same line"))
        }
        "invalid trailing content after double-quoted scalar" => (
            "more text follows the closing quote",
            Some("write a quote inside single quotes twice: `'it''s'`"),
        ),
        "while parsing a quoted scalar, found unknown escape character" => (
            "double quotes do not know this escape",
            Some("write `\\\\` for a backslash, or use single quotes"),
        ),
        other if other.starts_with("unexpected character") => {
            (other, Some("quote a value that starts with this character"))
        }
        other => (other, None),
    }
}
