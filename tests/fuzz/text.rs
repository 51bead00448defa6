//! Any bytes as an inventory's text: `hagen check` ends, does not panic, points into the text, and
//! can print what it found in every way.

#![no_main]

use hagen::compile::{Inputs, compile};
use hagen::print::{Judged, Source, json, sarif, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let inputs =
        Inputs { name: "fuzz", inventory: bytes, bundle: None, templates: Default::default() };
    let outcome = compile(&inputs);
    let source =
        outcome.document.as_ref().map_or_else(|| Source::unread("fuzz", bytes), Source::read);
    let length = outcome.document.as_ref().map_or(bytes.len(), |document| document.text().len());
    for finding in outcome.report.findings() {
        let pointed = outcome.document.as_ref().map(|document| document.span(&finding.at).0);
        for span in finding.span.iter().chain(&pointed) {
            assert!(span.start <= span.end && span.end <= length, "{span:?} of {length}");
        }
    }
    let judged = [Judged { source, report: &outcome.report }];
    text(&judged, false, true);
    json(&judged, false);
    sarif(&judged, false);
});
