//! Whatever inventory is accepted, the programs that read its tree accept that, too. The same
//! random inventories in every run; `HAGEN_CASES=500 cargo test --test real random` looks further.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::cluster::{Cluster, Node, compile, files_under};
use crate::inventories::{Inventory, Verdict, each};
use crate::network::Network;
use crate::{haproxy, keepalived, kubeadm, nginx, openssl, scripts, systemd};

/// Inventories per test run.
const CASES: u32 = 24;
/// The same for each kubeadm.
const CASES_OF_KUBEADM: u32 = 8;
/// Builds after a failure, to find a smaller inventory that fails.
const PATIENCE: u32 = 60;
/// Inventories of which one is given to shellcheck, which takes longer than all others together.
const STYLE: u32 = 4;

/// The nodes that differ in more than names and addresses: the first of each that get the same
/// files.
fn kinds(cluster: &Cluster) -> Vec<&Node> {
    let mut seen = BTreeSet::new();
    let files =
        |node: &Node| -> Vec<_> { node.files().into_iter().map(|file| file.path).collect() };
    cluster.nodes.iter().filter(|node| seen.insert(files(node))).collect()
}

/// Whether a node has what the installed program reads: that of Debian 12, unless another version
/// is named.
fn is_installed(inventory: &Value, node: &Node, version: &str, installed: &str) -> bool {
    let nodes = inventory["nodes"].as_array().unwrap();
    let said = nodes.iter().find(|said| said["name"] == *node.name).unwrap();
    let os = said.get("os").unwrap_or(&inventory["os"]);
    let named = inventory.pointer(version).and_then(Value::as_str);
    *os == json!({"distribution": "debian", "release": "12"})
        && named.is_none_or(|named| named == installed)
}

fn compiled(name: &str, inventory: &Inventory) -> Result<Cluster, Verdict> {
    compile(name, &inventory.text()).map_err(|refused| Verdict::Refused(refused.stderr))
}

#[test]
fn inventories_are_accepted_by_the_programs_that_read_them() {
    let judged = AtomicU32::new(0);
    each(CASES, PATIENCE, None, |inventory| {
        let cluster = match compiled("random", &inventory) {
            Ok(cluster) => cluster,
            Err(refused) => return refused,
        };
        let number = judged.fetch_add(1, Ordering::Relaxed);
        let nodes = kinds(&cluster);
        let files: Vec<PathBuf> = nodes.iter().flat_map(|node| files_under(&node.folder)).collect();
        openssl::judge(&cluster, &files);
        for script in scripts::scripts(files) {
            scripts::judge(&script);
            if number.is_multiple_of(STYLE) {
                scripts::judge_style(&script);
            }
        }
        for node in nodes {
            let network = Network::start();
            let machine = node.start(&network);
            let reads = |path: &str, version: &str, installed: &str| {
                node.has(path) && is_installed(&inventory.0, node, version, installed)
            };
            if reads(haproxy::CONFIGURATION, "/loadBalancer/haproxy/version", "2.6") {
                haproxy::judge(&machine);
            }
            if reads(nginx::CONFIGURATION, "/loadBalancer/nginx/version", "1.22") {
                nginx::judge(&machine);
            }
            if reads(keepalived::CONFIGURATION, "/keepalived/programVersion", "2.2.7") {
                keepalived::judge(&machine);
            }
            systemd::judge(node, &machine);
        }
        Verdict::Accepted
    });
}

fn are_taken_by(release: &kubeadm::Release) {
    each(CASES_OF_KUBEADM, PATIENCE, Some(release.version), |inventory| {
        match compiled(&format!("random-{}", release.version), &inventory) {
            Ok(cluster) => {
                kubeadm::judge(&cluster, &kinds(&cluster), release);
                Verdict::Accepted
            }
            Err(refused) => refused,
        }
    });
}

#[test]
fn inventories_are_taken_by_kubeadm_1_37() {
    are_taken_by(&kubeadm::V1_37);
}

#[test]
fn inventories_are_taken_by_kubeadm_1_30() {
    are_taken_by(&kubeadm::V1_30);
}

#[test]
fn inventories_are_taken_by_kubeadm_1_21() {
    are_taken_by(&kubeadm::V1_21);
}
