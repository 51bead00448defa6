//! kubeadm itself: it takes the configuration, and on every control plane it finds each
//! certificate and kubeconfig already there, leaves it as it is, and says of each the day that
//! the manifest's calendar says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::cluster::{
    Case, Cluster, EXTERNAL, HAPROXY_1_21, HOST_FILES, MINIMAL, MINIMAL_IPV6, NGINX_1_30,
    NGINX_STREAM, NODE_LOCAL, Node, SINGLE, compiled, files_under,
};
use crate::machine::Machine;
use crate::network::Network;
use crate::programs::{Ran, built};

const CONFIG: &str = "/etc/kubernetes/kubeadm-config.yaml";
const JOIN: &str = "/etc/kubernetes/kubeadm-join.yaml";

/// Warnings of what an inventory asks for in so many words.
const INEVITABLE: &[&str] = &[
    // Whenever the endpoint's port is not the API server's, which is the point of a balancer.
    "port specified in controlPlaneEndpoint overrides bindPort",
    // Lifetimes of more than a year, or ten for an authority.
    "is more than the recommended default for",
];

/// Other warnings, each with the code by which hagen has warned of the same.
const KNOWN: &[(&str, &str)] =
    &[(r#"is set to "ipvs" which has been deprecated"#, "kubeproxy/ipvs-deprecated")];

/// Up to 1.23 kubeadm asks Docker, where that is the runtime, for its cgroup driver.
const DOCKER: &str = "#!/bin/sh
if grep -qs native.cgroupdriver=cgroupfs /etc/docker/daemon.json; then
  echo cgroupfs
else
  echo systemd
fi
";

/// A release of kubeadm that is built here.
pub(crate) struct Release {
    /// What it is the kubeadm of.
    pub(crate) version: &'static str,
    /// The module that builds it.
    pub(crate) module: &'static str,
    /// The arguments before the name of a file, of init or of join, that it is to validate.
    reads: [&'static str; 3],
}

/// 1.28 and newer.
const VALIDATE: [&str; 3] = ["config", "validate", "--config"];
/// Older: reads as init and join do, refuses what they refuse, and logs a warning of each field
/// that it does not know.
const MIGRATE: [&str; 3] = ["config", "migrate", "--old-config"];

pub(crate) const V1_37: Release =
    Release { version: "1.37.1", module: "kubernetes-1.37", reads: VALIDATE };
pub(crate) const V1_30: Release =
    Release { version: "1.30.4", module: "kubernetes-1.30", reads: VALIDATE };
pub(crate) const V1_21: Release =
    Release { version: "1.21.14", module: "kubernetes-1.21", reads: MIGRATE };

impl Release {
    /// The one that is built here of a cluster's minor version.
    pub(crate) fn of(kubernetes: &str) -> Option<&'static Self> {
        let minor = |version: &str| version.rsplit_once('.').unwrap().0.to_owned();
        [&V1_37, &V1_30, &V1_21].into_iter().find(|own| minor(own.version) == minor(kubernetes))
    }
}

/// What kubeadm reads on a node; `None` on a member of etcd alone, which has no kubelet.
pub(crate) fn configuration(node: &Node) -> Option<&'static str> {
    [CONFIG, JOIN].into_iter().find(|path| node.has(path))
}

/// A node of a cluster of this release, on a machine that has its files.
pub(crate) fn judge(cluster: &Cluster, node: &Node, machine: &Machine, release: &Release) {
    let own = configuration(node).expect("kubeadm runs on this node");
    machine.place(&built(release.module, "kubeadm"), "/usr/bin/kubeadm");
    // First in the PATH.
    machine.place_script("/usr/local/sbin/docker", DOCKER);
    quiet(machine.run("kubeadm", &[&release.reads[..], &[own]].concat()), cluster);
    if !node.has("/etc/kubernetes/pki/apiserver.crt") {
        // A worker: its kubeadm makes nothing beforehand.
        return;
    }
    if own != CONFIG {
        let first = cluster.nodes_with(CONFIG)[0].read(CONFIG);
        fs::write(machine.path(CONFIG), as_if_first(&first, node)).unwrap();
    }
    let before = contents(machine);
    phases(machine, own == CONFIG, cluster);
    expirations(cluster, node, machine);
    let after = contents(machine);
    for (path, bytes) in &before {
        let kept = after.get(path) == Some(bytes);
        assert!(kept, "{}, {}: {path} changed", cluster.case, node.name);
    }
}

fn takes_everything(case: &Case, release: &Release) {
    let cluster = compiled(case);
    for node in cluster.nodes.iter().filter(|node| configuration(node).is_some()) {
        let network = Network::start();
        judge(&cluster, node, &node.start(&network), release);
    }
}

/// The manifest's certificates that kubeadm does not care for: the kubelet's, those that joins
/// begin with, and those of an etcd that is not its own.
const NOT_KUBEADMS: &[&str] =
    &["kubelet.conf", "discovery.conf", "etcd-client", "etcd-peer", "etcd-server"];

/// `kubeadm certs check-expiration` equals the manifest's calendar.
fn expirations(cluster: &Cluster, node: &Node, machine: &Machine) {
    let ran = machine.run("kubeadm", &["certs", "check-expiration", "--config", CONFIG]);
    let ran = ran.succeeded();
    let listed: BTreeMap<_, _> =
        ran.stdout.lines().filter_map(|line| expiration(line, &node.name)).collect();
    let ours = calendar(cluster, &node.name);
    assert!(ours.len() >= 8 && listed == ours, "{}: {ours:#?}\n{ran}", node.name);
}

/// A row of kubeadm's table, as the manifest would say it; `None` where there is no certificate.
fn expiration(line: &str, node: &str) -> Option<(String, String)> {
    let (name, rest) = line.split_once(' ')?;
    let (day, _) = rest.split_once(" UTC ")?;
    let id = match name {
        "ca" => "ca/kubernetes".to_owned(),
        "etcd-ca" => "ca/etcd".to_owned(),
        "front-proxy-ca" => "ca/front-proxy".to_owned(),
        other => {
            let parts = ["server", "peer", "healthcheck-client"];
            let of_etcd = other.strip_prefix("etcd-").filter(|part| parts.contains(part));
            let file = of_etcd.map_or_else(|| other.to_owned(), |part| format!("etcd/{part}"));
            format!("nodes/{node}/{file}")
        }
    };
    Some((id, day.trim().to_owned()))
}

/// What the manifest says of a node's certificates and of their authorities, its dates as
/// kubeadm writes them.
fn calendar(cluster: &Cluster, node: &str) -> BTreeMap<String, String> {
    let manifest = fs::read(cluster.out.join("hagen.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let shape = format_description!("[month repr:short] [day], [year] [hour]:[minute]");
    let entries = manifest["certificates"].as_array().unwrap().iter().map(|entry| {
        let end = OffsetDateTime::parse(entry["notAfter"].as_str().unwrap(), &Rfc3339).unwrap();
        (entry["id"].as_str().unwrap().to_owned(), end.format(shape).unwrap())
    });
    let mut calendar: BTreeMap<_, _> = entries.collect();
    // Of an external etcd kubeadm knows paths only.
    let stacked = calendar.contains_key(&format!("nodes/{node}/etcd/server"));
    calendar.retain(|id, _| match id.split_once('/').unwrap() {
        ("ca", authority) => authority != "etcd" || stacked,
        ("nodes", rest) => {
            rest.strip_prefix(node).and_then(|rest| rest.strip_prefix('/')).is_some_and(|file| {
                !NOT_KUBEADMS.contains(&file) && (stacked || file != "apiserver-etcd-client")
            })
        }
        _ => false,
    });
    calendar
}

/// The phases of `kubeadm init` that write files.
fn phases(machine: &Machine, first: bool, cluster: &Cluster) {
    let init = |phase: &[&str]| {
        let arguments = [&["init", "phase"][..], phase, &["--config", CONFIG]].concat();
        quiet(machine.run("kubeadm", &arguments), cluster)
    };
    let certificates = init(&["certs", "all"]);
    assert!(!certificates.text().contains("Generating"), "{certificates}");
    // super-admin.conf (1.29 and newer) is the first control plane's alone.
    let kubeconfigs: &[&str] =
        if first { &["all"] } else { &["admin", "controller-manager", "scheduler"] };
    for kubeconfig in kubeconfigs {
        let written = init(&["kubeconfig", kubeconfig]);
        assert!(!written.text().contains("Writing"), "{written}");
    }
    init(&["control-plane", "all"]);
    init(&["etcd", "local"]);
}

/// Succeeded, and warned of nothing that hagen has not warned of.
fn quiet(ran: Ran, cluster: &Cluster) -> Ran {
    let ran = ran.succeeded();
    // Quotation marks inside the quotation marks of the log.
    let text = ran.text().replace('\\', "");
    let is_known = |line: &&str| {
        let mut known = KNOWN.iter().filter(|(_, code)| cluster.warnings.contains(code));
        INEVITABLE.iter().any(|words| line.contains(words))
            || known.any(|(words, _)| line.contains(words))
    };
    let complaint = text.lines().filter(|line| !is_known(line)).find(|line| {
        let klog = line.strip_prefix(['W', 'E']).is_some_and(|rest| {
            rest.len() > 4 && rest.bytes().take(4).all(|byte| byte.is_ascii_digit())
        });
        klog || ["WARNING", "deprecated", "unknown field"].iter().any(|word| line.contains(word))
    });
    assert!(complaint.is_none(), "kubeadm complains: {complaint:?}\n{ran}");
    ran
}

/// The first control plane's configuration with another node's name and address: `kubeadm init
/// phase` wants an InitConfiguration, which a joining node does not have.
fn as_if_first(config: &str, node: &Node) -> String {
    let api = config
        .lines()
        .find(|line| line.starts_with("apiVersion: kubeadm.k8s.io/"))
        .expect("a kubeadm document");
    let port = config.lines().find_map(|line| line.trim().strip_prefix("bindPort: "));
    let port = port.expect("the port of this node's API server");
    let others: Vec<_> = config
        .split("\n---\n")
        .filter(|document| !document.contains("kind: InitConfiguration"))
        .collect();
    let Node { name, address, .. } = node;
    format!(
        "{api}\nkind: InitConfiguration\n\
         localAPIEndpoint: {{advertiseAddress: \"{address}\", bindPort: {port}}}\n\
         nodeRegistration: {{name: {name}, criSocket: \"unix:///run/containerd/containerd.sock\"}}\n\
         ---\n{}",
        others.join("\n---\n")
    )
}

/// Every file under `/etc/kubernetes`.
fn contents(machine: &Machine) -> BTreeMap<String, Vec<u8>> {
    files_under(&machine.path("/etc/kubernetes"))
        .into_iter()
        .map(|file: PathBuf| {
            let bytes = fs::read(&file).unwrap();
            (relative(&file), bytes)
        })
        .collect()
}

/// The path as the machine sees it.
fn relative(file: &Path) -> String {
    let text = file.to_str().unwrap();
    text[text.find("/etc/kubernetes").unwrap()..].to_owned()
}

#[test]
fn takes_minimal_1_37() {
    takes_everything(&MINIMAL, &V1_37);
}

#[test]
fn takes_external_endpoint_1_37() {
    takes_everything(&EXTERNAL, &V1_37);
}

#[test]
fn takes_node_local_1_37() {
    takes_everything(&NODE_LOCAL, &V1_37);
}

#[test]
fn takes_nginx_stream_1_37() {
    takes_everything(&NGINX_STREAM, &V1_37);
}

#[test]
fn takes_single_1_37() {
    takes_everything(&SINGLE, &V1_37);
}

#[test]
fn takes_minimal_ipv6_1_37() {
    takes_everything(&MINIMAL_IPV6, &V1_37);
}

#[test]
fn takes_nginx_keepalived_1_30() {
    takes_everything(&NGINX_1_30, &V1_30);
}

#[test]
fn takes_haproxy_keepalived_1_21() {
    takes_everything(&HAPROXY_1_21, &V1_21);
}

#[test]
fn mounts_what_flags_name_1_37() {
    let cluster = compiled(&HOST_FILES);
    let node = cluster.nodes_with(CONFIG)[0];
    let network = Network::start();
    let machine = node.start(&network);
    judge(&cluster, node, &machine, &V1_37);
    for (component, path) in [
        ("kube-apiserver", "/var/log/kubernetes"),
        ("kube-apiserver", "/etc/kubernetes/audit"),
        ("kube-apiserver", "/etc/kubernetes/encryption.yaml"),
        ("kube-scheduler", "/etc/kubernetes/scheduler"),
    ] {
        let file = machine.path(&format!("/etc/kubernetes/manifests/{component}.yaml"));
        let manifest = fs::read_to_string(file).unwrap();
        for line in [format!("- mountPath: {path}\n"), format!("  path: {path}\n")] {
            assert!(manifest.contains(&line), "{component}: {line}{manifest}");
        }
    }
}
