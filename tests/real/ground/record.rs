//! Which records of whole clusters still hold: a run is of the tree and the harness that it had, and
//! is due again once either is another.

use std::fs;
use std::path::{Path, PathBuf};

use base16ct::lower::encode_string as hex;
use hagen::compile::{Inputs, compile};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::bundle::bundle;
use crate::report::Report;
use crate::topology::{Release, Site, System, Topology};

/// A key of a site that nobody has.
const KEY: &str = include_str!("../../../src/inventory/values/armor.asc");

/// What brings clusters up and breaks them.
const HARNESS: [&str; 4] =
    ["tests/real/ground", "tests/real/supply", "tests/real/go", "tests/real/programs.rs"];
/// Files of it that only read or print.
const READERS: [&str; 3] = ["record.rs", "report.rs", "traces.rs"];

/// The digest of all that a run of this topology measures: the tree, compiled with a fixed bundle and
/// fixed facts of the site, and the harness.
pub(crate) fn digest(topology: &Topology, release: &Release, system: &System) -> String {
    let version = release.version();
    // Which etcd is built is the harness's matter.
    let etcd = format!("etcd-v{}-linux-amd64.tar.gz: \"{}\"", release.etcd(), "0".repeat(64));
    let site = Site { key: KEY, etcd: &etcd, version: &version };
    let inventory = topology.inventory(release, system, &site);
    let said: serde_json::Value = serde_yaml::from_str(&inventory).unwrap();
    let outcome = compile(&Inputs {
        name: topology.name,
        inventory: inventory.as_bytes(),
        bundle: Some(&bundle(&said)),
        templates: Default::default(),
    });
    let findings = || outcome.report.findings().iter().map(|finding| &finding.message);
    let tree = outcome.tree.as_ref();
    let tree = tree.unwrap_or_else(|| panic!("{:?}", findings().collect::<Vec<_>>()));
    let mut digest = Sha256::new();
    let mut add = |name: &str, mode: u32, bytes: &[u8]| {
        digest.update(format!("{name}\n{mode:o} {}\n", bytes.len()));
        digest.update(bytes);
    };
    for (path, artifact) in tree.iter() {
        add(path, artifact.mode, &artifact.bytes);
    }
    for file in harness() {
        add(&file.display().to_string(), 0, &fs::read(root().join(&file)).unwrap());
    }
    add("scenarios", 0, topology.scenarios.join("\n").as_bytes());
    format!("sha256:{}", hex(&digest.finalize()))
}

/// Its files, sorted, relative to the repository.
fn harness() -> Vec<PathBuf> {
    let found = HARNESS.iter().flat_map(|part| WalkDir::new(root().join(part)));
    let files = found.map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    let reads = |path: &Path| READERS.iter().any(|reader| path.ends_with(reader));
    let mut files: Vec<PathBuf> = files
        .map(|entry| entry.path().strip_prefix(root()).unwrap().to_owned())
        .filter(|path| !reads(path))
        .collect();
    files.sort();
    files
}

/// Whether the repository's record of this topology is one of this tree.
pub(crate) fn holds(topology: &Topology, release: &Release, system: &System) -> bool {
    let json = fs::read_to_string(root().join("tests/real/report.json")).unwrap();
    let what = topology.what(release);
    let recorded = Report::parse(&json).runs.into_iter().find(|run| run.topology == what);
    recorded.is_some_and(|run| run.digest == digest(topology, release, system))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
