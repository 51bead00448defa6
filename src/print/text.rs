use std::collections::BTreeSet;
use std::ops::Range;

use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet,
};

use super::{Judged, Place, Source};
use crate::report::{Finding, Severity, redacted};
use crate::yaml::hides;

/// Two annotations that are further apart, in lines, are shown as two snippets, so that the cost
/// of a finding does not grow with the inventory.
const NEAR: usize = 100;

/// A longer line, in bytes, is named and not shown: such text was made by a program.
const LONG: usize = 4096;

/// All findings as people read them, one after the other. `strict` shows warnings as the
/// errors that they count as.
pub fn text(judged: &[Judged<'_>], strict: bool, color: bool) -> String {
    let renderer = renderer(color);
    let mut explained = BTreeSet::new();
    let mut out = String::new();
    for judged in judged {
        for (finding, place) in judged.sorted() {
            let explain = explained.insert(finding.code.id);
            let group = group(&judged.source, finding, place, strict, explain);
            out += &renderer.render(&[group]);
            out += "\n\n";
        }
    }
    out
}

/// What is said beside the findings, in their form: no code, no place.
pub fn remark(severity: Severity, message: &str, help: Option<&str>, color: bool) -> String {
    let title = Group::with_title(level(severity).primary_title(visible(&redacted(message))));
    let help = help.map(|help| Group::with_title(Level::HELP.secondary_title(visible_lines(help))));
    let groups: Vec<Group<'_>> = [title].into_iter().chain(help).collect();
    format!("{}\n", renderer(color).render(&groups))
}

/// The last line: `2 errors, 1 note`; empty where nothing was found.
pub fn summary(judged: &[Judged<'_>], strict: bool) -> String {
    let count = |severity: Severity| {
        let findings = judged.iter().flat_map(|judged| judged.report.findings());
        findings.filter(|finding| finding.code.severity.effective(strict) == severity).count()
    };
    [Severity::Error, Severity::Warning, Severity::Note]
        .map(|severity| (severity, count(severity)))
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| {
            format!("{count} {severity}{}", if *count == 1 { "" } else { "s" })
        })
        .collect::<Vec<_>>()
        .join(", ")
}

fn renderer(color: bool) -> Renderer {
    if color { Renderer::styled().hyperlink(false) } else { Renderer::plain() }
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

fn group<'a>(
    source: &'a Source<'_>,
    finding: &Finding,
    place: Option<Place>,
    strict: bool,
    explain: bool,
) -> Group<'a> {
    let level = level(finding.code.severity.effective(strict));
    let mut group =
        Group::with_title(level.primary_title(visible(&finding.message)).id(finding.code.id));
    let mut marks = Marks::default();
    let label = finding.label.as_deref();
    match place {
        Some(place) => marks.add(source, place, AnnotationKind::Primary, label),
        None => {
            group = group.element(Origin::path(visible(source.name)));
            marks.notes.extend(label.map(visible));
        }
    }
    for (path, label) in &finding.related {
        match source.path(path) {
            Some(place) => marks.add(source, place, AnnotationKind::Context, Some(label)),
            None => marks.notes.push(visible(label)),
        }
    }
    group = group.elements(marks.snippets(source));
    group = group.elements(marks.notes.into_iter().map(|note| Level::NOTE.message(note)));
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(visible_lines(help)));
    }
    if explain {
        group = group.element(Level::NOTE.message(format!("hagen explain {}", finding.code.id)));
    }
    group
}

/// What is to be pointed at in one finding.
#[derive(Default)]
struct Marks {
    /// Runs of lines that are shown together, the primary one first.
    windows: Vec<Window>,
    /// Places on lines that are too long to be shown: line, column, label.
    unshown: Vec<(usize, usize, Option<String>)>,
    notes: Vec<String>,
}

struct Window {
    lines: Range<usize>,
    annotations: Vec<(AnnotationKind, Range<usize>, Option<String>)>,
}

impl Marks {
    fn add(
        &mut self,
        source: &Source<'_>,
        place: Place,
        kind: AnnotationKind,
        label: Option<&str>,
    ) {
        let label = label.map(visible);
        if source.line(place.line).len() > LONG {
            self.unshown.push((place.line, place.column, label));
            return;
        }
        let near = self.windows.iter_mut().find(|window| {
            place.line + NEAR >= window.lines.start && place.line <= window.lines.end + NEAR
        });
        let annotation = (kind, place.span, label);
        match near {
            Some(window) => {
                window.lines.start = window.lines.start.min(place.line);
                window.lines.end = window.lines.end.max(place.end_line + 1);
                window.annotations.push(annotation);
            }
            None => self.windows.push(Window {
                lines: place.line..place.end_line + 1,
                annotations: vec![annotation],
            }),
        }
    }

    fn snippets<'a>(&mut self, source: &'a Source<'_>) -> Vec<Element<'a>> {
        let mut elements = Vec::new();
        for (line, column, label) in self.unshown.drain(..) {
            let origin = Origin::path(visible(source.name)).line(line).char_column(column);
            elements.push(origin.into());
            self.notes.extend(label);
        }
        for window in self.windows.drain(..) {
            let start = source.line(window.lines.start).start;
            let end = source.line(window.lines.end - 1).end;
            let mut snippet = Snippet::source(shown(&source.text[start..end]))
                .line_start(window.lines.start)
                .path(visible(source.name));
            for (kind, span, label) in window.annotations {
                let span = span.start - start..span.end.min(end).max(span.start) - start;
                let annotation: Annotation<'_> = kind.span(span);
                snippet = snippet.annotation(annotation.label(label));
            }
            elements.push(snippet.into());
        }
        elements
    }
}

impl Source<'_> {
    fn line(&self, line: usize) -> Range<usize> {
        self.positions.line(&self.text, line)
    }
}

/// The renderer shows the control characters of ASCII as pictures, but lets others through that
/// steer a terminal or are not seen at all. Their pictures here have their length in bytes, so that
/// offsets stay right.
fn shown(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c.len_utf8() {
            2 if hides(c) => out.push('·'),
            3 if hides(c) => out.push('\u{fffd}'),
            4 if hides(c) => out.push_str("··"),
            _ => out.push(c),
        }
        out
    })
}

/// Lines that others wrote, for a terminal: nothing in them steers it, line ends and tabs aside.
pub fn printable(text: &str) -> String {
    let parts = text.split_inclusive(['\n', '\t']);
    parts.fold(String::with_capacity(text.len()), |mut out, part| {
        let words = part.trim_end_matches(['\n', '\t']);
        out += &visible(words);
        out += &part[words.len()..];
        out
    })
}

/// The user's words inside a sentence: nothing in them may steer a terminal.
fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c.is_control() || hides(c) {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
        out
    })
}

/// The same for text that may have several lines.
fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}
