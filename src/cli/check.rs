//! `hagen check`.

use std::path::PathBuf;

use clap::Args;

use super::compiled::Compiled;
use super::console::Console;
use super::exit::{Exit, Failure};
use super::options::Overrides;
use super::reporting::Reporting;
use super::summary;
use crate::print::Judged;

/// Find mistakes in inventories without building anything.
///
/// Checks everything that a build checks, up to the last generated file, and needs no secrets
/// bundle: certificates are made with throw-away keys. Of a bundle beside the inventory it says
/// whether Git would take it into a commit. Several inventories are also checked
/// against each other.
///
/// Findings are printed on standard error, or as JSON or SARIF on standard output. Exit code 1
/// means errors; with --strict warnings count as errors. `hagen explain` knows every code, and
/// `allow:` in the inventory silences a warning, with a reason.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  hagen check prod.yaml
  hagen check --strict *.yaml                   as a gate in a pipeline
  hagen check --format sarif prod.yaml >prod.sarif")]
pub(super) struct Check {
    /// Inventory files; `-` is standard input.
    #[arg(required = true, value_name = "INVENTORY")]
    inventories: Vec<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    #[command(flatten)]
    reporting: Reporting,
}

impl Check {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let compiled = Compiled::check_all(&self.inventories, &self.overrides)?;
        let judged: Vec<Judged<'_>> = compiled.iter().flat_map(Compiled::judged).collect();
        let exit = self.reporting.print(console, &judged)?;
        if !summary::of_findings(console, &judged, self.reporting.strict) {
            let count = summary::counted(compiled.len(), "inventory");
            console.tell(&format!("{count} checked, nothing found\n"));
        }
        Ok(exit)
    }
}
