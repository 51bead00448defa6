//! What is wrong with a bundle, whichever part of it is read.

use super::{CORRUPT, UNKNOWN_LABEL};
use crate::report::{Finding, Path, Report, closest};

pub(super) fn corrupt(report: &mut Report, what: &str) {
    report.push(
        Finding::new(&CORRUPT, Path::root(), format!("the secrets bundle is damaged: {what}"))
            .help("restore it from a copy; a new bundle would mean a new cluster"),
    );
}

/// A label or a purpose that this release derives nothing for: misspelt, it would leave the keys
/// that it means as they are without it.
pub(super) fn unknown_label(what: &str, label: &str, known: &[&str]) -> Finding {
    let message = format!("the secrets bundle {what}, which nothing is derived for");
    let finding = Finding::new(&UNKNOWN_LABEL, Path::root(), message);
    match closest(label, known.iter().copied()) {
        Some(known) => finding.help(format!("did you mean `{known}`?")),
        None => finding.help(format!("use one of {}, or delete the entry", known.join(", "))),
    }
}
