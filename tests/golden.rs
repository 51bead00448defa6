//! Golden trees: whole clusters, single rooms, and the version × topology grid. Rewritten by
//! `HAGEN_BLESS=1 cargo test`, reviewed like any other change.

use std::collections::BTreeMap;

use hagen::compile::{Inputs, Outcome, compile};
use hagen::report::{Report, Severity};
use hagen::secrets::Bundle;

use crate::compiled::{build, compare, folders, overlaid, root, values};

/// What a person would see: every finding that is no note.
fn complaints(outcome: &Outcome) -> Vec<String> {
    outcome
        .report
        .findings()
        .iter()
        .filter(|finding| finding.code.severity != Severity::Note)
        .map(|finding| format!("{}: {} at {}", finding.code.id, finding.message, finding.at))
        .collect()
}

/// The public part of the tree and its manifest: what a golden holds.
fn public_files(outcome: &Outcome) -> Vec<(String, Vec<u8>)> {
    let tree = outcome.tree.as_ref().unwrap_or_else(|| panic!("{:#?}", complaints(outcome)));
    let manifest = outcome.manifest.as_ref().unwrap();
    tree.iter()
        .filter(|(_, artifact)| !artifact.secret)
        .map(|(path, artifact)| (path.to_owned(), artifact.bytes.clone()))
        .chain([("hagen.json".to_owned(), manifest.to_bytes())])
        .collect()
}

#[test]
fn whole_clusters_equal_their_golden_trees() {
    let mut differing = Vec::new();
    for case in folders(&root().join("golden/clusters")) {
        let inventory = std::fs::read(case.join("inventory.yaml")).unwrap();
        let secrets = std::fs::read_to_string(case.join("inventory.secrets.yaml")).unwrap();
        let mut report = Report::new();
        let bundle = Bundle::from_json(&values(&secrets), &mut report)
            .unwrap_or_else(|| panic!("{:#?}", report.findings()));
        let outcome = compile(&Inputs {
            name: "inventory.yaml",
            inventory: &inventory,
            bundle: Some(&bundle),
            templates: BTreeMap::new(),
        });
        let found = complaints(&outcome);
        assert!(found.is_empty(), "{}: {found:#?}", case.display());
        let out = case.join("out");
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let differences = compare(&out, &public_files(&outcome));
        differing.extend(differences.into_iter().map(|path| format!("{name}/out/{path}")));
    }
    assert!(
        differing.is_empty(),
        "these files differ from golden/clusters; read the difference, then bless it with \
         HAGEN_BLESS=1 cargo test:\n{}",
        differing.join("\n")
    );
}

#[test]
fn rooms_equal_their_golden_cases() {
    let mut differing = Vec::new();
    for room in hagen::rooms::ROOMS {
        for case in folders(&root().join("golden").join(room.name())) {
            let Ok(overlay) = std::fs::read_to_string(case.join("overlay.yaml")) else { continue };
            let outcome = build(&overlaid(&overlay));
            let found: Vec<String> = complaints(&outcome);
            let tree =
                outcome.tree.as_ref().unwrap_or_else(|| panic!("{}: {found:#?}", case.display()));
            let files: Vec<(String, Vec<u8>)> = tree
                .iter()
                .filter(|(_, artifact)| !artifact.secret && artifact.origin.room == room.name())
                .map(|(path, artifact)| (path.to_owned(), artifact.bytes.clone()))
                .collect();
            assert!(!files.is_empty(), "{}: the room made no public file", case.display());
            let differences = compare(&case.join("out"), &files);
            let name = format!("{}/{}", room.name(), case.file_name().unwrap().to_string_lossy());
            differing.extend(differences.into_iter().map(|path| format!("{name}/out/{path}")));
        }
    }
    assert!(differing.is_empty(), "golden cases differ:\n{}", differing.join("\n"));
}

/// Every release against every topology: too many trees to read, so only their hashes are kept.
#[test]
fn every_release_and_topology_is_pinned() {
    let topologies: [(&str, &str); 6] = [
        ("stacked-haproxy", "{}"),
        ("stacked-nginx", "{loadBalancer: {kind: nginx}}"),
        ("external-haproxy", "{etcd: {mode: external}}"),
        ("external-nginx", "{loadBalancer: {kind: nginx}, etcd: {mode: external}}"),
        ("rhel", "{os: {distribution: rocky, release: \"9\"}}"),
        ("no-cni", "{cni: {plugin: none}}"),
    ];
    let mut files = Vec::new();
    for minor in hagen::catalog::OLDEST_MINOR..=hagen::catalog::NEWEST_MINOR {
        for (topology, overlay) in topologies {
            let mut inventory = values(&overlaid(overlay));
            inventory["cluster"]["kubernetes"] = format!("1.{minor}.1").into();
            inventory["packages"] = serde_json::json!({"source": "preinstalled"});
            let text = String::from_utf8(hagen::document::yaml(&[inventory], false)).unwrap();
            let outcome = build(&text);
            let manifest = outcome
                .manifest
                .as_ref()
                .unwrap_or_else(|| panic!("1.{minor} {topology}: {:#?}", complaints(&outcome)));
            let lines: Vec<String> = manifest
                .files
                .iter()
                .map(|entry| format!("{}  {}", entry.fingerprint, entry.path))
                .collect();
            files.push((format!("1.{minor}-{topology}"), (lines.join("\n") + "\n").into_bytes()));
        }
    }
    let differing = compare(&root().join("golden/matrix"), &files);
    assert!(differing.is_empty(), "the matrix differs:\n{}", differing.join("\n"));
}
