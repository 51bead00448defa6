//! The digest of all that a run measures. Two runs with the same digest measure the same, so a
//! record holds for as long as its digest is that of this checkout.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base16ct::lower::encode_string as hex;
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::bundle::bundle;
use crate::measured::counts;
use crate::release::{Release, System};
use crate::runbook;
use crate::topologies::SYSTEMS;
use crate::topology::{Site, Topology};
use crate::tree::{self, TAKEN, Tree};

/// A key of a site that nobody has.
const KEY: &str = include_str!("../../../src/inventory/values/armor.asc");

/// Of what a run of this topology has: what the hagen of this build makes of it, with a fixed bundle
/// and fixed facts of the site, and takes to machines; what is done with that; and of what the
/// machines are made. Another topology, release or system makes no other digest.
pub(crate) fn digest(topology: &Topology, release: &Release) -> String {
    // Destructured: whoever adds a field decides whether it is measured.
    let Topology {
        name: _,
        what: _,
        on_request: _,
        scenarios,
        starts_over,
        endpoint: _,
        nodes: _,
        more: _,
        balancer,
    } = topology;
    let Release { minor: _, module: _, more: _, secrets } = release;
    let systems: Vec<&System> = topology.systems(&SYSTEMS[0]).collect();

    // Which etcd is built is the harness's matter.
    let etcd = format!("etcd-v{}-linux-amd64.tar.gz: \"{}\"", release.etcd(), "0".repeat(64));
    let site = Site { key: KEY, etcd: &etcd, version: &release.version() };
    let inventory = topology.inventory(release, &SYSTEMS[0], &site);
    let said: serde_json::Value = serde_yaml::from_str(&inventory).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(tree::bundle(folder.path()), bundle(&said).to_yaml()).unwrap();
    let tree = Tree::build(topology, &inventory, folder.path());

    let mut digest = Sum::default();
    for part in TAKEN {
        for (path, bytes) in files(&tree.part(part)) {
            digest.add(&format!("{part}/{path}"), &bytes);
        }
    }
    for (sentence, script) in runbook::followed(&tree.runbook()) {
        digest.add(&sentence, script.as_bytes());
    }
    // Their order says whose turn is first.
    digest.add("nodes", said["nodes"].to_string().as_bytes());
    let chosen = format!("{scenarios:?} {starts_over:?} {balancer} {secrets:?} {systems:?}");
    digest.add("chosen", chosen.as_bytes());
    let (modules, rpms) = (modules(release), systems.iter().any(|system| system.has_rpms()));
    for (path, bytes) in files(&real()) {
        if counts(&path, &modules, rpms) {
            digest.add(&path, &bytes);
        }
    }
    format!("sha256:{}", hex(&digest.0.finalize()))
}

/// The Go modules of a cluster's programs: the release's, and those that `make` or the release's own
/// script names.
fn modules(release: &Release) -> BTreeSet<String> {
    let built = release.modules();
    let scripts = ["supply/make".to_owned(), format!("go/{}/build", release.module)];
    let scripts = scripts.map(|script| fs::read_to_string(real().join(script)).unwrap_or_default());
    let folders = fs::read_dir(real().join("go")).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name != "build")
        .filter(|name| built.contains(name) || scripts.iter().any(|script| script.contains(name)))
        .collect()
}

/// The files below a folder, sorted, by their paths there.
fn files(folder: &Path) -> impl Iterator<Item = (String, Vec<u8>)> {
    let found = WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    found.filter(|entry| entry.file_type().is_file()).map(move |entry| {
        let path = entry.path().strip_prefix(folder).unwrap().to_str().unwrap();
        (path.to_owned(), fs::read(entry.path()).unwrap())
    })
}

/// The folder `tests/real`.
fn real() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real")
}

/// Of names and bytes, each with its length.
#[derive(Default)]
struct Sum(Sha256);

impl Sum {
    fn add(&mut self, name: &str, bytes: &[u8]) {
        self.0.update(format!("{} {}\n{name}", name.len(), bytes.len()));
        self.0.update(bytes);
    }
}
