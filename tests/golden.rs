//! Golden trees: whole clusters, single rooms, and what each release and each topology changes in the
//! tree of one cluster. Rewritten by `HAGEN_BLESS=1 cargo test`, reviewed like any other change.

mod change;
mod grid;
mod hunk;
mod view;
mod word;

use std::collections::{BTreeMap, BTreeSet};

use base16ct::lower::encode_string as hex;
use hagen::catalog::{NEWEST_MINOR, OLDEST_MINOR};
use hagen::compile::{Inputs, Outcome, compile};
use hagen::manifest::Manifest;
use hagen::report::{Report, Severity};
use hagen::secrets::Bundle;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use self::change::change;
use self::grid::{BASE, Cell, Topology, newest, version};
use self::view::{View, view};
use crate::compiled::{build, compare, compare_file, folders, overlaid, root, values};

/// How a change is to be read.
const LEGEND: &str = "\
# Paths with a leading / are those on hosts, and * is each node. What several nodes change in the same
# way, but for their names and addresses, stands once: `@@ NODES @@ the line that it belongs to`.
# The version reads 1.NN, certificates are told in words, long parts of the runbook are cut (…), and
# fingerprints, private files' contents, .gitignore and files.tsv are left out.
";

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

/// Fails where something differs, and shows the first differences in full.
fn settle(differing: &[String]) {
    let first_lines = differing.iter().skip(8).filter_map(|text| text.lines().next());
    let shown: Vec<&str> =
        differing.iter().take(8).map(String::as_str).chain(first_lines).collect();
    assert!(
        differing.is_empty(),
        "read the difference, then bless it with HAGEN_BLESS=1 cargo test:\n{}",
        shown.join("\n")
    );
}

/// Whether it has the same bytes in every tree: templates as they stand. One golden cluster has them, so
/// that a line of one of them is not a change of each cluster.
fn is_step(path: &str) -> bool {
    path.starts_with("steps/") && path.ends_with(".sh")
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
        let mut files = public_files(&outcome);
        if !case.ends_with("minimal") {
            let manifest = without_steps(outcome.manifest.clone().unwrap()).to_bytes();
            files.retain(|(path, _)| !is_step(path) && path != "hagen.json");
            files.push(("hagen.json".to_owned(), manifest));
        }
        differing.extend(compare(&case.join("out"), &files));
    }
    settle(&differing);
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
                .filter(|(path, _)| !is_step(path))
                .map(|(path, artifact)| (path.to_owned(), artifact.bytes.clone()))
                .collect();
            assert!(!files.is_empty(), "{}: the room made no public file", case.display());
            differing.extend(compare(&case.join("out"), &files));
        }
    }
    settle(&differing);
}

/// A cell's tree, to be read beside another.
fn seen(cell: &Cell) -> View {
    let outcome = build(&cell.text());
    assert!(outcome.tree.is_some(), "{:#?} in\n{}", complaints(&outcome), cell.text());
    view(&outcome, &cell.version)
}

#[test]
fn what_each_release_changes() {
    let cells =
        (OLDEST_MINOR..=NEWEST_MINOR).map(|minor| Cell::plain(version(minor), Topology::base()));
    let cells: Vec<Cell> = cells.collect();
    let views: Vec<View> = cells.par_iter().map(seen).collect();
    let nodes = cells[0].nodes();
    let files: Vec<(String, Vec<u8>)> = views
        .windows(2)
        .zip(OLDEST_MINOR + 1..)
        .map(|(views, minor)| {
            let change = change((&views[0], &nodes), (&views[1], &nodes));
            let title = format!("# What 1.{minor} changes in {BASE}, against 1.{}.\n", minor - 1);
            (format!("1.{minor}.diff"), (title + LEGEND + &change).into_bytes())
        })
        .collect();
    settle(&compare(&root().join("golden/versions"), &files));
}

#[test]
fn what_each_topology_changes() {
    let base = Cell::plain(newest(), Topology::base());
    let of_base = seen(&base);
    let files: Vec<(String, Vec<u8>)> = Topology::all()
        .into_par_iter()
        .flat_map(|topology| {
            let Topology { name, text, .. } = topology.clone();
            let cell = Cell::plain(newest(), topology);
            let change = change((&of_base, &base.nodes()), (&seen(&cell), &cell.nodes()));
            let title = format!("# What {name}.yaml changes in {BASE}.\n");
            let change = (title + LEGEND + &change).into_bytes();
            // It stands beside what it changes.
            [(format!("{name}.yaml"), text.into_bytes()), (format!("{name}.diff"), change)]
        })
        .collect();
    settle(&compare(&root().join("golden/topologies"), &files));
}

/// Too many trees to read: of each, whether it is the one that it was, private files included. What
/// its steps say is no part of it, so that a line changes only where more than a step does.
#[test]
fn every_cell_has_the_digest_that_it_had() {
    let lines: Vec<String> = Cell::all()
        .par_iter()
        .map(|cell| {
            let Cell { version, topology, system } = cell;
            let outcome = build(&cell.text());
            let findings = outcome.report.findings().iter();
            let found = findings.filter(|finding| finding.code.severity != Severity::Note);
            let codes: BTreeSet<&str> = found.map(|finding| finding.code.id).collect();
            let codes: Vec<&str> = codes.into_iter().collect();
            let digest = outcome.manifest.map_or("refused".to_owned(), digest);
            let [name, codes] = [topology.name.as_str(), &codes.join(" ")];
            format!("{version:<6} {name:<13} {:<12} {digest:<16}  {codes}", system.id)
        })
        .collect();
    let lines: String = lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect();
    let title = "# Release, topology, system: the digest of the tree but for its steps, and what hagen finds.\n";
    settle(&Vec::from_iter(compare_file(
        &root().join("golden/digests"),
        (title.to_owned() + &lines).as_bytes(),
    )));
}

/// A manifest that says which steps there are, and not what is in them.
fn without_steps(manifest: Manifest) -> Manifest {
    let mut own = Manifest { mac: None, ..manifest };
    for entry in own.files.iter_mut().filter(|entry| is_step(&entry.path)) {
        entry.fingerprint.clear();
    }
    own
}

/// The first digits of that of the manifest, which has those of every file.
fn digest(manifest: Manifest) -> String {
    let mut own = without_steps(manifest);
    // Another hagen that makes the same tree.
    own.generator.version.clear();
    hex(&Sha256::digest(own.to_bytes()))[..16].to_owned()
}
