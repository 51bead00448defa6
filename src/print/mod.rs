//! A report for people ([`text()`]) and for programs ([`json()`], [`sarif()`]). Here paths become
//! places: nothing before this knows a line number.

mod json;
mod sarif;
mod text;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::Range;

use crate::report::{Finding, Path, Report, holds_secret, redacted, redacted_with};
use crate::yaml::{Document, Positions, Value, hides};

pub use json::json;
pub use sarif::sarif;
pub use text::{printable, remark, summary, text};

/// The text that a report speaks of.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    name: &'a str,
    text: Cow<'a, str>,
    positions: Cow<'a, Positions>,
    document: Option<&'a Document>,
}

impl<'a> Source<'a> {
    /// A text that was read.
    pub fn read(document: &'a Document) -> Self {
        Self {
            name: document.name(),
            text: redacted_with(document.text(), escaped_secrets(document)),
            positions: Cow::Borrowed(document.positions()),
            document: Some(document),
        }
    }

    /// A file that could not be read: only findings with a span of their own have a place.
    pub fn unread(name: &'a str, bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let text = String::from_utf8_lossy(bytes);
        let positions = Cow::Owned(Positions::new(&text));
        let text = match redacted(&text) {
            Cow::Owned(hidden) => Cow::Owned(hidden),
            Cow::Borrowed(_) => text,
        };
        Self { name, text, positions, document: None }
    }

    /// Where a finding is. `None` is the file as a whole.
    fn place(&self, finding: &Finding) -> Option<Place> {
        match &finding.span {
            Some(span) => Some(self.at(span.clone())),
            None => self.path(&finding.at),
        }
    }

    fn path(&self, path: &Path) -> Option<Place> {
        let document = self.document.filter(|_| !path.steps().is_empty())?;
        Some(self.at(document.span(path).0))
    }

    fn at(&self, span: Range<usize>) -> Place {
        let start = self.text.floor(span.start);
        let end = self.text.ceil(span.end).max(start);
        let (line, column) = self.positions.line_column(&self.text, start);
        let (end_line, end_column) = self.positions.line_column(&self.text, end);
        Place { span: start..end, line, column, end_line, end_column }
    }
}

/// Where secrets stand that only the value shows: its text has escapes, such as `\n` before a name.
fn escaped_secrets(document: &Document) -> Vec<Range<usize>> {
    let mut nodes = vec![document.root()];
    let mut secrets = Vec::new();
    while let Some(node) = nodes.pop() {
        match &node.value {
            Value::String(value) => {
                let spelt = document.text().get(node.span()).unwrap_or_default();
                if spelt.contains('\\') && holds_secret(value) {
                    secrets.push(node.span());
                }
            }
            Value::List(items) => nodes.extend(items),
            Value::Map(entries) => nodes.extend(entries.iter().map(|(_, value)| value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    secrets
}

/// Offsets that may be inside a character: a byte that is not UTF-8 was replaced by a longer one.
trait Boundary {
    fn floor(&self, at: usize) -> usize;
    fn ceil(&self, at: usize) -> usize;
}

impl Boundary for str {
    fn floor(&self, at: usize) -> usize {
        (0..=at.min(self.len())).rev().find(|at| self.is_char_boundary(*at)).unwrap_or(0)
    }

    fn ceil(&self, at: usize) -> usize {
        (at..self.len()).find(|at| self.is_char_boundary(*at)).unwrap_or(self.len())
    }
}

/// A stretch of text. Lines and columns count from one, columns in characters; the end is the
/// first character that no longer belongs to it.
struct Place {
    span: Range<usize>,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

/// JSON whose texts, the only place for them, hold no character that steers a terminal or is not
/// seen: each is its escape (RFC 8259, section 7).
pub fn printable_json(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        match hides(c) {
            true => {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out += &format!("\\u{unit:04x}"))
            }
            false => out.push(c),
        }
        out
    })
}

/// One inventory and what was found in it.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// The inventory.
    pub source: Source<'a>,
    /// What was found.
    pub report: &'a Report,
}

impl Judged<'_> {
    /// The findings in the order of the text, those about the whole file first; the graver one
    /// first where two are at one place.
    fn sorted(&self) -> Vec<(&Finding, Option<Place>)> {
        let mut findings: Vec<_> = self
            .report
            .findings()
            .iter()
            .map(|finding| (finding, self.source.place(finding)))
            .collect();
        findings.sort_by_key(|(finding, place)| {
            (place.as_ref().map(|place| place.span.start), Reverse(finding.code.severity))
        });
        findings
    }
}

#[cfg(test)]
mod tests;
