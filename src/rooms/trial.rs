//! Compiles `golden/base.yaml` with an overlay merged into it, for the tests of rooms.

use serde_json::Value;
use time::macros::datetime;

use crate::compile::{Inputs, Outcome, compile};
use crate::report::Code;
use crate::secrets::Bundle;

const BASE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/base.yaml"));

/// The whole pipeline over the base and this overlay (YAML; lists replace wholesale).
pub(crate) fn outcome(overlay: &str) -> Outcome {
    let read = |text: &str| -> Value { serde_yaml::from_str(text).unwrap() };
    let mut inventory = read(BASE);
    crate::document::merge(&mut inventory, &read(overlay));
    let name = inventory["cluster"]["name"].as_str().unwrap().to_owned();
    let bundle = Bundle::new(&name, [7; 32], datetime!(2026-11-01 0:00 UTC));
    compile(&Inputs {
        name: "inventory.yaml",
        inventory: inventory.to_string().as_bytes(),
        bundle: Some(&bundle),
        templates: [].into(),
    })
}

/// The ids of everything that was found, in order.
pub(crate) fn codes(overlay: &str) -> Vec<&'static str> {
    outcome(overlay).report.findings().iter().map(|finding| finding.code.id).collect()
}

/// The text of one file of the tree.
pub(crate) fn file(outcome: &Outcome, path: &str) -> String {
    let Some(tree) = &outcome.tree else { panic!("{:#?}", outcome.report.findings()) };
    let artifact = tree.get(path).unwrap_or_else(|| panic!("no file {path}"));
    String::from_utf8(artifact.bytes.clone()).unwrap()
}

/// Runs the pages of these codes: the failing example yields the code; the fix does not, and has
/// no error.
pub(crate) fn pages(all: &[&Code]) {
    for code in all {
        let blocks: Vec<&str> = code
            .page
            .split("```yaml\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .collect();
        let [failing, fixed] = blocks[..] else { panic!("{}: two examples", code.id) };
        assert!(codes(failing).contains(&code.id), "{}: {:?}", code.id, codes(failing));
        let outcome = outcome(fixed);
        let findings = outcome.report.findings();
        assert!(!findings.iter().any(|finding| &finding.code == code), "{}: fix", code.id);
        assert!(!outcome.report.has_errors(), "{}: {findings:#?}", code.id);
    }
}
