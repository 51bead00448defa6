//! `hagen secrets show`.

use std::collections::BTreeMap;

use clap::Args;

use super::change::Which;
use crate::cli::compiled::Compiled;
use crate::cli::console::Console;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::Sources;
use crate::cli::summary;
use crate::manifest::Certificate;
use crate::secrets::rfc3339;

/// Print the public facts of a bundle: no secret among them.
///
/// Its id, which the manifest of every tree names; its date; the generation of each area; the
/// keys that are stored instead of derived; the names of private files; and, where the inventory has no error, when
/// certificates expire (-v names each).
#[derive(Args, Debug)]
pub(super) struct Show {
    #[command(flatten)]
    which: Which,
}

impl Show {
    pub(in crate::cli) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let sources = Sources { secrets: Some(self.which.path()?), ..Sources::default() };
        let compiled = Compiled::build(&self.which.inventory, &sources)?;
        let Some(found) = &compiled.found else { return Ok(Exit::Failed) };
        let bundle = match found.open(console)? {
            Ok(bundle) => bundle,
            Err(exit) => return Ok(exit),
        };
        let mut lines = vec![
            format!("cluster: {}", bundle.cluster()),
            format!("id: {}", bundle.id()),
            format!("issuedAt: {}", rfc3339(bundle.issued_at())),
            "generations:".to_owned(),
        ];
        let generations = bundle.generations().iter();
        lines.extend(generations.map(|(purpose, held)| format!("  {purpose}: {held}")));
        if !bundle.keys().is_empty() {
            lines.push("stored:".to_owned());
            lines.extend(bundle.keys().keys().map(|label| format!("  - {label}")));
        }
        if !bundle.files().is_empty() {
            lines.push("files:".to_owned());
            lines.extend(bundle.files().keys().map(|name| format!("  - {name}")));
        }
        if let Some((_, manifest)) = compiled.tree() {
            lines.push("expiry:".to_owned());
            lines.extend(calendar(&manifest.certificates, console.verbose()));
        }
        console.result(&(lines.join("\n") + "\n"))?;
        Ok(Exit::Fine)
    }
}

/// How many certificates expire on which day, and which.
fn calendar(certificates: &[Certificate], verbose: bool) -> Vec<String> {
    let mut days: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Certificate { id, not_after, .. } in certificates {
        days.entry(summary::day(not_after)).or_default().push(id);
    }
    let line = |(day, ids): (&&str, &Vec<&str>)| match ids.as_slice() {
        ids if verbose || ids.len() <= 3 => format!("  {day}: {}", ids.join(", ")),
        ids => format!("  {day}: {}", summary::counted(ids.len(), "certificate")),
    };
    days.iter().map(line).collect()
}
