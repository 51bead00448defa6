//! Golden clusters, compiled.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::Value;
use walkdir::WalkDir;

use crate::documents::read_yaml;
use crate::machine::Machine;
use crate::network::Network;
use crate::programs::run;

/// The clusters under `golden/clusters` that real programs judge.
pub(crate) const MINIMAL: &str = "minimal";
/// Guide 001 as it stands: Kubernetes 1.15, external etcd 3.4.7.
pub(crate) const HAPROXY_1_15: &str = "haproxy-keepalived";
/// The same with the oldest kubeadm that can still be built.
pub(crate) const HAPROXY_1_21: &str = "haproxy-keepalived-1.21";
/// Guide 002: nginx in front, stacked etcd.
pub(crate) const NGINX_1_30: &str = "nginx-keepalived";

/// A compiled cluster.
pub(crate) struct Cluster {
    /// The golden case's name.
    pub(crate) case: &'static str,
    /// The output folder.
    pub(crate) out: PathBuf,
    /// In the inventory's order.
    pub(crate) nodes: Vec<Node>,
}

/// What the inventory says about one node, and the node's part of the tree.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) address: String,
    /// The prefix length of the network that holds the node and the VIP.
    pub(crate) prefix: String,
    pub(crate) interface: String,
    pub(crate) folder: PathBuf,
}

/// One row of a node's `files.tsv`.
pub(crate) struct FileRow {
    /// Absolute, on the node.
    pub(crate) path: String,
    pub(crate) mode: String,
    pub(crate) owner: String,
    pub(crate) group: String,
}

/// The golden inventory of a case.
pub(crate) fn inventory(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/clusters").join(case).join("inventory.yaml")
}

/// Makes a secrets bundle, dated today.
pub(crate) fn new_bundle(cluster_name: &str, file: &Path) {
    let mut command = hagen();
    command.args(["secrets", "new", "--cluster", cluster_name, "-o"]).arg(file);
    run(&mut command).succeeded();
}

/// `hagen build INVENTORY --secrets FILE -o FOLDER`.
pub(crate) fn build(inventory: &Path, bundle: &Path, out: &Path) -> Command {
    let mut command = hagen();
    command.arg("build").arg(inventory).arg("--secrets").arg(bundle).arg("-o").arg(out);
    command
}

fn hagen() -> Command {
    Command::new(env!("CARGO_BIN_EXE_hagen"))
}

/// The name that an inventory gives its cluster.
pub(crate) fn name(inventory: &Value) -> &str {
    text(&inventory["cluster"]["name"])
}

/// Compiles a golden case, once per run of the tests.
pub(crate) fn compiled(case: &'static str) -> Arc<Cluster> {
    static COMPILED: LazyLock<Mutex<BTreeMap<&'static str, Arc<Cluster>>>> =
        LazyLock::new(Mutex::default);
    // A test that panicked while compiling has left nothing half-made in the map.
    let mut compiled = COMPILED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    Arc::clone(compiled.entry(case).or_insert_with(|| Arc::new(compile(case))))
}

fn compile(case: &'static str) -> Cluster {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clusters").join(case);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    let bundle = folder.join("secrets.yaml");
    let out = folder.join("out");
    let source = inventory(case);
    let inventory = read_yaml(&source).remove(0);
    new_bundle(name(&inventory), &bundle);
    run(&mut build(&source, &bundle, &out)).succeeded();

    let endpoint = &inventory["endpoint"];
    let prefix = text(&endpoint["vip"]).rsplit('/').next().unwrap().to_owned();
    let nodes = inventory["nodes"].as_array().expect("an inventory lists its nodes");
    let nodes = nodes
        .iter()
        .map(|node| Node {
            name: text(&node["name"]).to_owned(),
            address: text(&node["address"]).to_owned(),
            prefix: prefix.clone(),
            interface: text(node.get("interface").unwrap_or(&endpoint["interface"])).to_owned(),
            folder: out.join("nodes").join(text(&node["name"])),
        })
        .collect();
    Cluster { case, out, nodes }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} should be a string"))
}

impl Cluster {
    /// Every file of the tree, sorted.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files_under(&self.out)
    }

    /// The nodes that get a file at this path; at least one.
    pub(crate) fn nodes_with(&self, path: &str) -> Vec<&Node> {
        let nodes: Vec<_> = self.nodes.iter().filter(|node| node.has(path)).collect();
        assert!(!nodes.is_empty(), "{}: no node has {path}", self.case);
        nodes
    }
}

impl Node {
    /// The node's files at their final paths.
    pub(crate) fn rootfs(&self) -> PathBuf {
        self.folder.join("rootfs")
    }

    /// Whether the node gets a file at this absolute path.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.rootfs().join(&path[1..]).is_file()
    }

    /// The text of one of the node's files.
    pub(crate) fn read(&self, path: &str) -> String {
        let file = self.rootfs().join(&path[1..]);
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// The rows of `files.tsv`.
    pub(crate) fn files(&self) -> Vec<FileRow> {
        let file = self.folder.join("files.tsv");
        let rows = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        // The first line names the columns.
        rows.lines()
            .skip(1)
            .map(|line| {
                let columns: Vec<_> = line.split('\t').map(str::to_owned).collect();
                let [path, mode, owner, group, ..] = &columns[..] else {
                    panic!("{}: {line:?} has too few columns", file.display());
                };
                FileRow {
                    path: path.clone(),
                    mode: mode.clone(),
                    owner: owner.clone(),
                    group: group.clone(),
                }
            })
            .collect()
    }

    /// Starts a machine that is this node: its name, its files, its address on the network.
    pub(crate) fn start(&self, network: &Network) -> Machine {
        let machine = Machine::start(&self.name);
        network.plug(&machine, &self.interface, &format!("{}/{}", self.address, self.prefix));
        machine.install(self);
        machine
    }
}

/// Every file under a folder, sorted by path.
pub(crate) fn files_under(folder: &Path) -> Vec<PathBuf> {
    WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}
