//! Whatever inventory is accepted: nothing panics, no secret leaves its file, every build is the
//! same, and `check` says what `build` says. `HAGEN_CASES=1000 cargo test properties` looks
//! further than every test run does.

use std::collections::{BTreeMap, BTreeSet};

use base64ct::{Base64, Encoding};
use hagen::compile::Outcome;
use hagen::report::Severity;
use hagen::tree::{Artifact, Tree};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::compiled::{build, check};
use crate::inventories::{Inventory, Verdict, each, inventories};
use crate::wellformed::is_well_formed;

/// Inventories per test run.
const CASES: u32 = 32;

/// Builds after a failure, to find a smaller inventory that fails.
const PATIENCE: u32 = 500;

/// The findings that a person has to act on.
fn complaints(outcome: &Outcome) -> Vec<String> {
    let findings = outcome.report.findings().iter();
    findings
        .filter(|finding| finding.code.severity != Severity::Note)
        .map(|finding| format!("{}: {} at {}", finding.code.id, finding.message, finding.at))
        .collect()
}

/// A line of a private key that holds nothing but its secret. What is public may well stand in a
/// public file: an EC key begins with the scalar, and the point follows; an RSA key begins with
/// the modulus, and ends with what follows from the primes.
fn private_line(pem: &str) -> Option<String> {
    let (before, body) = pem.split_once("PRIVATE KEY-----\n")?;
    let lines: Vec<&str> = body.lines().take_while(|line| !line.starts_with('-')).collect();
    let at = if before.ends_with("RSA ") { lines.len().checked_sub(2)? } else { 0 };
    lines.get(at).map(|line| (*line).to_owned())
}

/// What nobody but the reader of this private file may see.
fn secrets(path: &str, artifact: &Artifact) -> Vec<String> {
    let text = std::str::from_utf8(&artifact.bytes).unwrap();
    let mut found = Vec::new();
    found.extend(private_line(text));
    if path.ends_with("/etc/site/token") {
        found.push(text.trim().to_owned());
    }
    for line in text.lines().map(str::trim) {
        if let Some(word) = line.strip_prefix("auth_pass ") {
            found.push(word.trim_matches('"').to_owned());
        }
        if let Some(data) = line.strip_prefix("client-key-data: ") {
            let pem = String::from_utf8(Base64::decode_vec(data).unwrap()).unwrap();
            found.extend(private_line(&pem));
            found.push(data.to_owned());
        }
    }
    // These lead to keys, or are pinned beside them, and hold none.
    let guides = ["files.tsv", "discovery.conf", "bootstrap.conf", "kubelet.conf", "motd"];
    let known = !found.is_empty() || guides.iter().any(|name| path.ends_with(name));
    assert!(known, "{path} is private, and this test does not know what is secret in it");
    found
}

fn holds_no_secret_in_public(tree: &Tree) {
    let public: Vec<(&str, String)> = tree
        .iter()
        .filter(|(_, artifact)| !artifact.secret)
        .map(|(path, artifact)| (path, String::from_utf8_lossy(&artifact.bytes).into_owned()))
        .collect();
    let mut words = BTreeMap::new();
    for (path, artifact) in tree.iter().filter(|(_, artifact)| artifact.secret) {
        words.extend(secrets(path, artifact).into_iter().map(|word| (word, path)));
    }
    assert!(words.len() > 15, "a cluster has more keys than that");
    for (word, origin) in words {
        for (path, text) in &public {
            assert!(!text.contains(&word), "{path} shows what belongs into {origin}");
        }
    }
}

/// The errors, of which there must be one.
fn refusal(outcome: &Outcome) -> Verdict {
    let findings = outcome.report.findings().iter();
    let errors = findings.filter(|finding| finding.code.severity == Severity::Error);
    let errors: Vec<_> =
        errors.map(|finding| format!("{}: {}", finding.code.id, finding.message)).collect();
    assert!(!errors.is_empty(), "refused without a reason");
    Verdict::Refused(errors.join("; "))
}

fn keeps_every_promise(inventory: Inventory) -> Verdict {
    let text = inventory.text();
    let built = build(&text);
    assert_eq!(complaints(&check(&text)), complaints(&built), "check and build disagree");
    let Some(tree) = &built.tree else { return refusal(&built) };
    is_well_formed(tree);
    holds_no_secret_in_public(tree);
    let again = build(&text);
    let bytes = |outcome: &Outcome| outcome.manifest.as_ref().unwrap().to_bytes();
    assert_eq!(bytes(&again), bytes(&built), "another manifest");
    let files = |outcome: &Outcome| -> Vec<(String, Vec<u8>)> {
        let tree = outcome.tree.as_ref().unwrap();
        tree.iter().map(|(path, artifact)| (path.to_owned(), artifact.bytes.clone())).collect()
    };
    assert!(files(&again) == files(&built), "another tree");
    Verdict::Accepted
}

#[test]
fn accepted_inventories_keep_every_promise() {
    each(0, CASES, PATIENCE, None, keeps_every_promise);
}

/// Adds the path of every key that a schema knows.
fn known(part: &Value, whole: &Value, path: &str, keys: &mut BTreeSet<String>) {
    if let Some(reference) = part["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').unwrap();
        known(whole.pointer(pointer).unwrap(), whole, path, keys);
    }
    for (key, value) in part["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        known(value, whole, &path, keys);
        keys.insert(path);
    }
    for choice in part["anyOf"].as_array().into_iter().flatten() {
        known(choice, whole, path, keys);
    }
    if part["items"].is_object() {
        known(&part["items"], whole, path, keys);
    }
}

/// Takes away the path of every key that an inventory uses.
fn used(part: &Value, path: &str, keys: &mut BTreeSet<String>) {
    for (key, value) in part.as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        keys.remove(&path);
        used(value, &path, keys);
    }
    for item in part.as_array().into_iter().flatten() {
        used(item, path, keys);
    }
}

#[test]
fn random_inventories_use_every_key() {
    let schema = hagen::inventory::schema();
    let mut keys = BTreeSet::new();
    known(&schema, &schema, "", &mut keys);
    assert!(keys.len() > 100);
    let mut runner = TestRunner::deterministic();
    for _ in 0..500 {
        let inventory = inventories(None).new_tree(&mut runner).unwrap().current();
        used(&inventory.0, "", &mut keys);
    }
    assert!(keys.is_empty(), "tests/inventories/sections.rs leaves these out: {keys:?}");
}
