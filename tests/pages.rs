//! Every code has a page; the page's failing example fails with that code, its fix passes.

use hagen::compile::all_codes;
use hagen::report::Severity;

use crate::compiled::{check, overlaid};

/// The fenced block below a heading, with its info string.
pub fn block<'a>(page: &'a str, heading: &str) -> Option<(&'a str, &'a str)> {
    let section = page.split_once(&format!("\n## {heading}\n"))?.1;
    let section = section.split("\n## ").next()?;
    let fence = section.split_once("```")?.1;
    let (info, rest) = fence.split_once('\n')?;
    Some((info, rest.split_once("```")?.0))
}

/// The whole inventory that an example stands for.
pub fn inventory(example: &str) -> String {
    // Faults of the text itself cannot be shown as an overlay: those pages hold whole inventories.
    let says = |key: &str| example.lines().any(|line| line.starts_with(key));
    if says("apiVersion:") && says("cluster:") { example.to_owned() } else { overlaid(example) }
}

#[test]
fn every_page_has_its_parts() {
    for code in all_codes() {
        let page = code.page;
        assert!(page.starts_with(&format!("# {}\n", code.id)), "{}: title", code.id);
        for heading in ["Why it matters", "Failing example", "Fix"] {
            assert!(page.contains(&format!("\n## {heading}\n")), "{}: no `{heading}`", code.id);
        }
    }
}

#[test]
fn codes_are_unique() {
    let mut seen = std::collections::BTreeSet::new();
    for code in all_codes() {
        assert!(seen.insert(code.id), "{} is declared twice", code.id);
    }
}

#[test]
fn every_failing_example_fails_and_every_fix_passes() {
    let mut wrong = Vec::new();
    for code in all_codes() {
        let (Some((info, failing)), Some((_, fixed))) =
            (block(code.page, "Failing example"), block(code.page, "Fix"))
        else {
            wrong.push(format!("{}: no examples", code.id));
            continue;
        };
        // Faults of files and folders are provoked by tests/refusals.rs, bytes by tests/input.rs.
        if info.trim() != "yaml" {
            continue;
        }
        let outcome = check(&inventory(failing));
        if !outcome.report.findings().iter().any(|finding| finding.code == code) {
            let found: Vec<&str> =
                outcome.report.findings().iter().map(|finding| finding.code.id).collect();
            wrong.push(format!("{}: the failing example yields {found:?}", code.id));
        }
        let outcome = check(&inventory(fixed));
        for finding in outcome.report.findings() {
            if finding.code == code || finding.code.severity == Severity::Error {
                wrong.push(format!(
                    "{}: the fix yields {} {}",
                    code.id, finding.code.id, finding.message
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
