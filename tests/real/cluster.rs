//! Golden clusters, compiled.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

use hagen::catalog::KubernetesVersion;
use serde_json::Value;
use walkdir::WalkDir;

use crate::documents::read_yaml;
use crate::machine::Machine;
use crate::network::Network;
use crate::programs::{Ran, run};

/// What is compiled: a golden inventory, or one made from it.
pub(crate) struct Case {
    /// Names the case in messages and its folder.
    pub(crate) name: &'static str,
    /// The folder under `golden/clusters`.
    pub(crate) golden: &'static str,
    /// Makes the inventory from it.
    pub(crate) edit: fn(String) -> String,
}

/// Every default, stacked etcd.
pub(crate) const MINIMAL: Case = Case::golden("minimal");
/// The same over IPv6, with the newest etcd, on the control planes but run by systemd.
pub(crate) const MINIMAL_IPV6: Case = Case {
    name: "minimal-ipv6",
    edit: |text| {
        let text = text.replace("10.0.0.10/24", "fd00:10::10/64").replace("10.0.0.", "fd00:10::");
        let networks = "cluster:\n  podSubnet: fd00:244::/48\n  serviceSubnet: fd00:96::/112\n";
        text.replace("cluster:\n", networks) + "etcd: {mode: external, version: \"3.7.1\"}\n"
    },
    ..MINIMAL
};
/// Kubernetes 1.15 behind haproxy, with external etcd 3.4.
pub(crate) const HAPROXY_1_15: Case = Case::golden("haproxy-keepalived");
/// The same with the oldest kubeadm that can still be built.
pub(crate) const HAPROXY_1_21: Case = Case::golden("haproxy-keepalived-1.21");
/// nginx in front, stacked etcd.
pub(crate) const NGINX_1_30: Case = Case::golden("nginx-keepalived");
/// nginx on one control plane of three, in networks of their own.
pub(crate) const NGINX_STREAM: Case = Case::golden("nginx-stream");
/// Somebody else's balancer, by its name.
pub(crate) const EXTERNAL: Case = Case::golden("external-endpoint");
/// haproxy on each node's loopback.
pub(crate) const NODE_LOCAL: Case = Case::golden("node-local");
/// One control plane, and nothing before it.
pub(crate) const SINGLE: Case = Case::golden("single");
/// A table merged into the configuration of the newest containerd.
pub(crate) const PATCHED: Case = Case {
    name: "patched",
    edit: |text| text + include_str!("../../golden/runtime/patched/overlay.yaml"),
    ..MINIMAL
};
/// The same for containerd 1.6, whose plugins have other names.
pub(crate) const PATCHED_1_6: Case = Case {
    name: "patched-1.6",
    edit: |text| {
        let plugin = r#"patches:
  - document: runtime/ContainerdConfig
    patch:
      oom_score: -998
      plugins:
        io.containerd.grpc.v1.cri:
          restrict_oom_score_adj: true
          containerd:
            runtimes:
              gvisor: {runtime_type: io.containerd.runsc.v1}
"#;
        text + plugin
    },
    ..NGINX_1_30
};
/// Flags that name files of the host.
pub(crate) const HOST_FILES: Case = Case {
    name: "host-files",
    edit: |text| text + include_str!("../../golden/kubeadm/host-files/overlay.yaml"),
    ..MINIMAL
};
/// Drop-ins of the site's own, and pods that are routed by a unit.
pub(crate) const SITE_UNITS: Case = Case {
    name: "units",
    edit: |text| {
        text + include_str!("../../golden/units/site/overlay.yaml") + "cni: {plugin: bridge}\n"
    },
    ..MINIMAL
};

impl Case {
    const fn golden(name: &'static str) -> Self {
        Self { name, golden: name, edit: |text| text }
    }

    /// The inventory's text.
    pub(crate) fn inventory(&self) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/clusters");
        let file = folder.join(self.golden).join("inventory.yaml");
        let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        (self.edit)(text)
    }
}

/// A compiled cluster.
pub(crate) struct Cluster {
    /// Names it in messages.
    pub(crate) case: String,
    /// The address or the name at which everybody reaches the API.
    pub(crate) vip: String,
    pub(crate) port: String,
    /// The output folder.
    pub(crate) out: PathBuf,
    /// In the inventory's order.
    pub(crate) nodes: Vec<Node>,
    /// What the build warned of.
    pub(crate) warnings: String,
}

/// What the inventory says about one node, and the node's part of the tree.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) address: String,
    /// The prefix length of the network that holds the node and the VIP.
    pub(crate) prefix: String,
    pub(crate) interface: String,
    pub(crate) folder: PathBuf,
    /// What it gets, at the final paths: its own files and those that several have.
    pub(crate) rootfs: PathBuf,
}

/// One row of a node's `files.tsv`.
pub(crate) struct FileRow {
    /// Absolute, on the node.
    pub(crate) path: String,
    pub(crate) mode: String,
    pub(crate) owner: String,
    pub(crate) group: String,
    /// Where the tree has it.
    pub(crate) copy: String,
}

/// Makes a secrets bundle, dated today; with RSA keys where kubeadm joins with no others.
fn new_bundle(cluster: &Value, file: &Path) {
    let mut command = hagen();
    command.args(["secrets", "new", "--cluster", text(&cluster["name"]), "-o"]).arg(file);
    let version: KubernetesVersion = text(&cluster["kubernetes"]).parse().unwrap();
    if version.release().is_some_and(|release| !release.service_account_ecdsa(version.patch)) {
        command.args(["--rsa", "2048"]);
    }
    run(&mut command).succeeded();
}

/// `hagen build INVENTORY --secrets FILE -o FOLDER`.
pub(crate) fn build(sources: &Sources, out: &Path) -> Command {
    let mut command = hagen();
    let Sources { inventory, bundle } = sources;
    command.arg("build").arg(inventory).arg("--secrets").arg(bundle).arg("-o").arg(out);
    command
}

fn hagen() -> Command {
    Command::new(env!("CARGO_BIN_EXE_hagen"))
}

/// An inventory and a bundle for it.
pub(crate) struct Sources {
    pub(crate) inventory: PathBuf,
    pub(crate) bundle: PathBuf,
}

/// Writes a case's inventory and a new bundle into a folder.
pub(crate) fn prepare(case: &Case, folder: &Path) -> Sources {
    prepare_text(&case.inventory(), folder)
}

fn prepare_text(inventory_text: &str, folder: &Path) -> Sources {
    let [inventory, bundle] = ["inventory.yaml", "secrets.yaml"].map(|name| folder.join(name));
    fs::write(&inventory, inventory_text).unwrap();
    let said = read_yaml(&inventory).remove(0);
    new_bundle(&said["cluster"], &bundle);
    if said.get("privateFiles").is_some() {
        let file = folder.join("token");
        fs::write(&file, "of-the-site-alone\n").unwrap();
        let mut put = hagen();
        put.args(["secrets", "put"]).arg(&inventory).arg("site").arg(&file);
        run(put.arg("--secrets").arg(&bundle)).succeeded();
    }
    Sources { inventory, bundle }
}

/// Compiles a case, once per run of the tests.
pub(crate) fn compiled(case: &Case) -> Arc<Cluster> {
    static COMPILED: LazyLock<Mutex<BTreeMap<&'static str, Arc<Cluster>>>> =
        LazyLock::new(Mutex::default);
    // A test that panicked while compiling has left nothing half-made in the map.
    let mut compiled = COMPILED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    Arc::clone(compiled.entry(case.name).or_insert_with(|| {
        let cluster = compile(case.name, &case.inventory());
        Arc::new(cluster.unwrap_or_else(|refused| panic!("{}: {refused}", case.name)))
    }))
}

/// Compiles an inventory into a folder of this name; how the build ended where it was refused.
pub(crate) fn compile(name: &str, inventory: &str) -> Result<Cluster, Ran> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clusters").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    let sources = prepare_text(inventory, &folder);
    let out = folder.join("out");
    let ran = run(&mut build(&sources, &out));
    if ran.code == Some(1) {
        return Err(ran);
    }
    let warnings = ran.succeeded().stderr;

    let inventory = read_yaml(&sources.inventory).remove(0);
    let endpoint = &inventory["endpoint"];
    // Where no address moves, none is shared, and any prefix will do.
    let prefix = match endpoint["vip"].as_str() {
        Some(vip) => vip.split_once('/').expect("address/prefix").1,
        None if text(&inventory["nodes"][0]["address"]).contains(':') => "64",
        None => "24",
    };
    let nodes = inventory["nodes"].as_array().expect("an inventory lists its nodes");
    let nodes: Vec<_> = nodes
        .iter()
        .map(|node| Node {
            name: text(&node["name"]).to_owned(),
            address: text(&node["address"]).to_owned(),
            prefix: prefix.to_owned(),
            interface: interface(node, endpoint).to_owned(),
            folder: out.join("nodes").join(text(&node["name"])),
            rootfs: folder.join("rootfs").join(text(&node["name"])),
        })
        .collect();
    for node in &nodes {
        for FileRow { path, copy, .. } in node.files() {
            let [from, to] = [out.join(copy), node.rootfs.join(&path[1..])];
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::hard_link(from, to).unwrap();
        }
    }
    let (vip, port) = led_to(&nodes[0]);
    Ok(Cluster { case: name.to_owned(), vip, port, out, nodes, warnings })
}

fn interface<'a>(node: &'a Value, endpoint: &'a Value) -> &'a str {
    node.get("interface").or(endpoint.get("interface")).map_or("eth0", text)
}

/// The host and the port of the API, as the node's steps know them.
fn led_to(node: &Node) -> (String, String) {
    let words = fs::read_to_string(node.folder.join("node.sh")).unwrap();
    let said = words.lines().find_map(|line| line.strip_prefix("endpoint="));
    let url = said.and_then(|url| url.trim_matches('\'').strip_prefix("https://"));
    let (host, port) = url.and_then(|url| url.rsplit_once(':')).expect("the steps know the API");
    (host.trim_matches(['[', ']']).to_owned(), port.to_owned())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} should be a string"))
}

impl Cluster {
    /// Every file that a node gets, beside the others of its kind; then those that stay in the tree.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let installed = self.nodes.iter().flat_map(|node| files_under(&node.rootfs));
        let own = self.nodes.iter().map(|node| node.folder.join("rootfs"));
        let copies: Vec<_> = own.chain([self.out.join("steps/shared")]).collect();
        let rest = files_under(&self.out).into_iter();
        let rest = rest.filter(|file| !copies.iter().any(|folder| file.starts_with(folder)));
        installed.chain(rest).collect()
    }

    /// The nodes that get a file at this path; at least one.
    pub(crate) fn nodes_with(&self, path: &str) -> Vec<&Node> {
        let nodes: Vec<_> = self.nodes.iter().filter(|node| node.has(path)).collect();
        assert!(!nodes.is_empty(), "{}: no node has {path}", self.case);
        nodes
    }

    /// Lets a program judge each node that gets a file at this path, on a machine that is it.
    pub(crate) fn judge(&self, path: &str, judge: impl Fn(&Machine)) {
        for node in self.nodes_with(path) {
            let network = Network::start();
            judge(&node.start(&network));
        }
    }
}

impl Node {
    /// Whether the node gets a file at this absolute path.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.rootfs.join(&path[1..]).is_file()
    }

    /// The text of one of the node's files.
    pub(crate) fn read(&self, path: &str) -> String {
        let file = self.rootfs.join(&path[1..]);
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// The rows of `files.tsv`.
    pub(crate) fn files(&self) -> Vec<FileRow> {
        let file = self.folder.join("files.tsv");
        let rows = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        // The first line names the columns, the last one says that the list is whole.
        rows.lines()
            .skip(1)
            .filter(|line| !line.starts_with("end\t"))
            .map(|line| {
                let columns: Vec<_> = line.split('\t').map(str::to_owned).collect();
                let [path, mode, owner, group, .., below] = &columns[..] else {
                    panic!("{}: {line:?} has too few columns", file.display());
                };
                let folder = match below.as_str() {
                    "shared" => "steps".to_owned(),
                    _ => format!("nodes/{}", self.name),
                };
                FileRow {
                    path: path.clone(),
                    mode: mode.clone(),
                    owner: owner.clone(),
                    group: group.clone(),
                    copy: format!("{folder}/{below}{path}"),
                }
            })
            .collect()
    }

    /// Starts a machine that is this node: its name, its files, its address on the network.
    pub(crate) fn start(&self, network: &Network) -> Machine {
        let machine = self.start_bare(network);
        machine.install(self);
        machine
    }

    /// The same before any file is installed.
    pub(crate) fn start_bare(&self, network: &Network) -> Machine {
        let machine = Machine::start(&self.name);
        network.plug(&machine, &self.interface, &format!("{}/{}", self.address, self.prefix));
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
