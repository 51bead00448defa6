//! How findings are judged and printed.

use clap::{Args, ValueEnum};

use super::console::Console;
use super::exit::{Exit, Failure};
use crate::print::{self, Judged};

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people, on standard error.
    #[default]
    Text,
    /// One JSON array of findings, on standard output.
    Json,
    /// One SARIF 2.1.0 log, as code scanning services read it, on standard output.
    Sarif,
}

/// How findings are judged and printed.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Reporting {
    /// Print findings as text on standard error, or for programs on standard output.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Treat warnings as errors.
    #[arg(long)]
    pub(super) strict: bool,
}

impl Reporting {
    /// Findings as text.
    pub(super) fn strict(strict: bool) -> Self {
        Self { format: Format::Text, strict }
    }

    /// Prints what was found and says how the run ends because of it.
    pub(super) fn print(&self, console: &Console, judged: &[Judged<'_>]) -> Result<Exit, Failure> {
        let fails = judged.iter().any(|judged| judged.report.fails(self.strict));
        match self.format {
            Format::Text => {
                let text = print::text(judged, self.strict, console.colors_remarks());
                console.findings(&text, fails);
            }
            Format::Json => console.result(&print::json(judged, self.strict))?,
            Format::Sarif => console.result(&print::sarif(judged, self.strict))?,
        }
        Ok(if fails { Exit::Found } else { Exit::Fine })
    }
}
