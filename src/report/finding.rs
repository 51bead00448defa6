use std::borrow::Cow;

use super::{Code, Path, Severity, redacted};

/// One thing that the compiler has to say about the inventory. Never holds a secret.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which rule spoke.
    pub code: &'static Code,
    /// The value that is wrong.
    pub at: Path,
    /// What was seen and what was expected, in one sentence without a final full stop.
    pub message: String,
    /// A few words under the value itself.
    pub label: Option<String>,
    /// The facts that the value contradicts, each with a few words.
    pub related: Vec<(Path, String)>,
    /// The edit that mends it.
    pub help: Option<String>,
    /// An exact byte range of the text, where the finding comes before any path exists (syntax).
    pub span: Option<std::ops::Range<usize>>,
}

impl Finding {
    /// A finding at `at`.
    pub fn new(code: &'static Code, at: Path, message: impl Into<String>) -> Self {
        Self {
            code,
            at,
            message: message.into(),
            label: None,
            related: Vec::new(),
            help: None,
            span: None,
        }
    }

    /// A few words under the value.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Another place that the value contradicts.
    #[must_use]
    pub fn because(mut self, at: Path, label: impl Into<String>) -> Self {
        self.related.push((at, label.into()));
        self
    }

    /// The edit that mends it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// An exact byte range instead of the path's own.
    #[must_use]
    pub fn span(mut self, span: std::ops::Range<usize>) -> Self {
        self.span = Some(span);
        self
    }
}

/// All findings of one run, in the order in which the stages met them.
#[derive(Clone, Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Nothing to say yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one finding, without what looks like a secret in its words.
    pub fn push(&mut self, mut finding: Finding) {
        let Finding { message, label, related, help, .. } = &mut finding;
        let labels = related.iter_mut().map(|(_, label)| label);
        for words in [message].into_iter().chain(label).chain(help).chain(labels) {
            if let Cow::Owned(hidden) = redacted(words) {
                *words = hidden;
            }
        }
        self.findings.push(finding);
    }

    /// Adds all findings of another report.
    pub fn append(&mut self, other: Self) {
        self.findings.extend(other.findings);
    }

    /// As [`Report::append`], but what was said already in the same words at the same place is not
    /// said again: one fault of the inventory shows in the files of every node.
    pub fn append_new(&mut self, other: Self) {
        for finding in other.findings {
            let same = |known: &Finding| {
                known.code == finding.code
                    && known.at == finding.at
                    && known.message == finding.message
            };
            if !self.findings.iter().any(same) {
                self.findings.push(finding);
            }
        }
    }

    /// Whether this was found at this place already.
    pub fn has(&self, code: &Code, at: &Path) -> bool {
        self.findings.iter().any(|finding| finding.code == code && finding.at == *at)
    }

    /// The findings so far.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Keeps the findings that `keep` accepts (`allow:`).
    pub fn retain(&mut self, keep: impl FnMut(&Finding) -> bool) {
        self.findings.retain(keep);
    }

    /// Whether a tree must not be built.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.code.severity == Severity::Error)
    }

    /// Whether the run counts as failed; `strict` is `--strict`.
    pub fn fails(&self, strict: bool) -> bool {
        let error = |finding: &Finding| finding.code.severity.effective(strict) == Severity::Error;
        self.findings.iter().any(error)
    }
}
