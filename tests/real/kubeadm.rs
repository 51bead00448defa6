//! kubeadm itself: it takes the configuration, and on every control plane it finds each
//! certificate and kubeconfig already there and leaves it as it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cluster::{
    Case, HAPROXY_1_21, MINIMAL, MINIMAL_IPV6, NGINX_1_30, Node, compiled, files_under,
};
use crate::machine::Machine;
use crate::network::Network;
use crate::programs::{Ran, built};

const CONFIG: &str = "/etc/kubernetes/kubeadm-config.yaml";
const JOIN: &str = "/etc/kubernetes/kubeadm-join.yaml";

/// Printed whenever the endpoint's port is not the API server's, which is the point of a balancer.
const INEVITABLE: &str = "port specified in controlPlaneEndpoint overrides bindPort";

/// Up to 1.23 kubeadm asks Docker, where that is the runtime, for its cgroup driver.
const DOCKER: &str = "#!/bin/sh\necho systemd\n";

/// Whether `kubeadm config validate` exists (1.28 and newer).
#[derive(Clone, Copy, PartialEq)]
enum Validate {
    Yes,
    No,
}

fn takes_everything(case: &Case, module: &str, validate: Validate) {
    let kubeadm = built(module, "kubeadm");
    let cluster = compiled(case);
    let first = cluster.nodes_with(CONFIG)[0];
    for node in cluster.nodes_with("/etc/kubernetes/pki/apiserver.crt") {
        let network = Network::start();
        let machine = node.start(&network);
        machine.place(&kubeadm, "/usr/bin/kubeadm");
        // First in the PATH.
        machine.place_script("/usr/local/sbin/docker", DOCKER);
        if validate == Validate::Yes {
            let own = if node.has(CONFIG) { CONFIG } else { JOIN };
            quiet(machine.run("kubeadm", &["config", "validate", "--config", own]));
        }
        if !node.has(CONFIG) {
            fs::write(machine.path(CONFIG), as_if_first(&first.read(CONFIG), node)).unwrap();
        }
        let before = contents(&machine);
        phases(&machine, node.has(CONFIG));
        let after = contents(&machine);
        for (path, bytes) in &before {
            assert!(after.get(path) == Some(bytes), "{}, {}: {path} changed", case.name, node.name);
        }
    }
}

/// The phases of `kubeadm init` that write files.
fn phases(machine: &Machine, first: bool) {
    let init = |phase: &[&str]| {
        let arguments = [&["init", "phase"][..], phase, &["--config", CONFIG]].concat();
        quiet(machine.run("kubeadm", &arguments))
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

/// Succeeded, and warned of nothing.
fn quiet(ran: Ran) -> Ran {
    let ran = ran.succeeded();
    let text = ran.text();
    let complaint = text.lines().filter(|line| !line.contains(INEVITABLE)).find(|line| {
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
    let others: Vec<_> = config
        .split("\n---\n")
        .filter(|document| !document.contains("kind: InitConfiguration"))
        .collect();
    let Node { name, address, .. } = node;
    format!(
        "{api}\nkind: InitConfiguration\nlocalAPIEndpoint: {{advertiseAddress: \"{address}\"}}\n\
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
    takes_everything(&MINIMAL, "kubernetes-1.37", Validate::Yes);
}

#[test]
fn takes_minimal_ipv6_1_37() {
    takes_everything(&MINIMAL_IPV6, "kubernetes-1.37", Validate::Yes);
}

#[test]
fn takes_nginx_keepalived_1_30() {
    takes_everything(&NGINX_1_30, "kubernetes-1.30", Validate::Yes);
}

#[test]
fn takes_haproxy_keepalived_1_21() {
    takes_everything(&HAPROXY_1_21, "kubernetes-1.21", Validate::No);
}
