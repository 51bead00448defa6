//! Whatever inventory is accepted, all the programs that read its tree accept that, too. The same
//! random inventories in every run; `HAGEN_CASES=500 cargo test --test real random` looks further.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cluster::{Cluster, Node, compile, files_under};
use crate::inventories::{Inventory, Verdict, each};
use crate::network::Network;
use crate::{haproxy, keepalived, kubeadm, nginx, openssl, scripts, systemd};

/// Inventories per test run.
const CASES: u32 = 12;
/// The same of the release of each kubeadm that is built here.
const CASES_OF_KUBEADM: u32 = 6;
/// As many again, where those have not given every program enough to judge.
const ROUNDS: u32 = 4;
/// Builds after a failure, to find a smaller inventory that fails.
const PATIENCE: u32 = 60;
/// Inventories of which one is given to shellcheck, which takes longer than all others together.
const STYLE: usize = 4;
/// Files that a program has judged at the least, for every eight accepted inventories. A generator
/// that no longer draws what a program reads proves nothing of it.
const LEAST: &[(&str, usize)] =
    &[("openssl", 100), ("bash", 40), ("shellcheck", 8), ("systemd", 20)];
/// The same where there are inventories enough for each of these to be drawn.
const LEAST_OF_ANY: &[(&str, usize)] = &[("haproxy", 1), ("nginx", 1), ("keepalived", 2)];
/// The same where all inventories are of a release whose kubeadm is built here.
const LEAST_OF_KUBEADM: &[(&str, usize)] =
    &[("/etc/kubernetes/kubeadm-config.yaml", 8), ("/etc/kubernetes/kubeadm-join.yaml", 12)];

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

/// How many files each program has judged.
type Judged = BTreeMap<&'static str, usize>;

/// Gives a tree to every program that reads it, each kind of node on a machine that is one. It is
/// kubeadm's turn where one of this minor version is built.
fn judge(cluster: &Cluster, Inventory(inventory): &Inventory, style: bool) -> Judged {
    let mut judged = Judged::new();
    let mut count = |program, files| *judged.entry(program).or_default() += files;
    let nodes = kinds(cluster);
    let files: Vec<PathBuf> = nodes
        .iter()
        .flat_map(|node| files_under(&node.rootfs).into_iter().chain([node.folder.join("node.sh")]))
        .collect();
    count("openssl", openssl::judge(cluster, &files));
    for script in scripts::scripts(files) {
        scripts::judge(&script);
        count("bash", 1);
        if style {
            scripts::judge_style(&script);
            count("shellcheck", 1);
        }
    }
    let release = kubeadm::Release::of(inventory["cluster"]["kubernetes"].as_str().unwrap());
    for node in nodes {
        let network = Network::start();
        let machine = node.start(&network);
        let reads = |path: &str, version: &str, installed: &str| {
            node.has(path) && is_installed(inventory, node, version, installed)
        };
        if reads(haproxy::CONFIGURATION, "/loadBalancer/haproxy/version", "2.6") {
            haproxy::judge(&machine);
            count("haproxy", 1);
        }
        if reads(nginx::CONFIGURATION, "/loadBalancer/nginx/version", "1.22") {
            nginx::judge(&machine);
            count("nginx", 1);
        }
        if reads(keepalived::CONFIGURATION, "/keepalived/programVersion", "2.2.7") {
            keepalived::judge(&machine);
            count("keepalived", 1);
        }
        count("systemd", systemd::judge(node, &machine));
        if let (Some(release), Some(own)) = (release, kubeadm::configuration(node)) {
            kubeadm::judge(cluster, node, &machine, release);
            count(own, 1);
        }
    }
    judged
}

/// Compiles and judges random inventories, of this release or of any; more of them while a program
/// has had too few files to judge.
fn are_accepted(name: &str, cases: u32, release: Option<&kubeadm::Release>) {
    let total = RefCell::new(Judged::new());
    let accepted = Cell::new(0_usize);
    let more = if release.is_some() { LEAST_OF_KUBEADM } else { LEAST_OF_ANY };
    let short = || {
        let total = total.borrow();
        let mut least = LEAST.iter().chain(more);
        least.find_map(|(program, least)| {
            let files = total.get(program).copied().unwrap_or_default();
            let least = least * accepted.get() / 8;
            (files < least)
                .then(|| format!("{program} has judged {files} files, at least {least} due"))
        })
    };
    for round in 0..ROUNDS {
        each(round * cases, cases, PATIENCE, release.map(|release| release.version), |inventory| {
            let cluster = match compile(name, &inventory.text()) {
                Ok(cluster) => cluster,
                Err(refused) => return Verdict::Refused(refused.stderr),
            };
            let style = accepted.get().is_multiple_of(STYLE);
            for (program, files) in judge(&cluster, &inventory, style) {
                *total.borrow_mut().entry(program).or_default() += files;
            }
            accepted.set(accepted.get() + 1);
            Verdict::Accepted
        });
        if short().is_none() {
            break;
        }
    }
    eprintln!("{name}: {} accepted; files judged: {:?}", accepted.get(), total.borrow());
    if let Some(short) = short() {
        panic!("{name}: {short}");
    }
}

#[test]
fn inventories_of_any_release_are_accepted() {
    are_accepted("random", CASES, None);
}

#[test]
fn inventories_of_1_37_are_accepted() {
    are_accepted("random-1.37", CASES_OF_KUBEADM, Some(&kubeadm::V1_37));
}

#[test]
fn inventories_of_1_30_are_accepted() {
    are_accepted("random-1.30", CASES_OF_KUBEADM, Some(&kubeadm::V1_30));
}

#[test]
fn inventories_of_1_21_are_accepted() {
    are_accepted("random-1.21", CASES_OF_KUBEADM, Some(&kubeadm::V1_21));
}
