//! What a golden cannot show of a whole cluster: whether its files fit each other, and what stands in
//! its certificates. Most of it went wrong in public guides that the golden clusters follow.

use std::collections::{BTreeMap, BTreeSet};

use hagen::compile::Outcome;
use hagen::tree::{Artifact, Tree};
use serde_json::Value;
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, Pem, X509Certificate};

use crate::compiled::{build, folders, overlaid, root, values};

/// The golden clusters: each with its inventory, built here with all that is private.
fn clusters() -> BTreeMap<String, (Value, Tree)> {
    let cases = folders(&root().join("golden/clusters")).into_iter().map(|case| {
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(case.join("inventory.yaml")).unwrap();
        (name, (values(&text), tree(&text)))
    });
    let cases: BTreeMap<_, _> = cases.collect();
    assert!(cases.len() >= 4, "{:?}", cases.keys());
    cases
}

fn tree(inventory: &str) -> Tree {
    let Outcome { tree, report, .. } = build(inventory);
    tree.unwrap_or_else(|| panic!("{:#?}", report.findings()))
}

fn text(artifact: &Artifact) -> &str {
    std::str::from_utf8(&artifact.bytes).unwrap()
}

/// What each node has at this path, by the node's name.
fn on_nodes<'a>(tree: &'a Tree, path: &str) -> BTreeMap<&'a str, &'a str> {
    let placed = tree.iter().filter_map(|(_, artifact)| {
        let destination = artifact.destination.as_ref().filter(|at| at.path == path)?;
        Some(destination.nodes.iter().map(move |node| (node.as_str(), text(artifact))))
    });
    placed.flatten().collect()
}

/// A certificate in PEM. The text is leaked: a test may, and the certificate borrows from it.
fn parse(pem: &str) -> X509Certificate<'static> {
    let pem = Pem::iter_from_buffer(pem.as_bytes()).next().unwrap().unwrap();
    X509Certificate::from_der(Vec::leak(pem.contents)).unwrap().1
}

fn names(certificate: &X509Certificate<'_>) -> BTreeSet<String> {
    let extensions = certificate.extensions().iter().map(|extension| extension.parsed_extension());
    let names = extensions.filter_map(|extension| match extension {
        ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
        _ => None,
    });
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => (*name).to_owned(),
        GeneralName::IPAddress([a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
        other => other.to_string(),
    };
    names.flatten().map(text).collect()
}

const API_SERVER: &str = "/etc/kubernetes/pki/apiserver.crt";
const ETCD_CONF: &str = "/etc/etcd/etcd.conf";

#[test]
fn every_api_server_is_known_by_all_names_under_which_clients_come() {
    for (cluster, (inventory, tree)) in clusters() {
        let endpoint = &inventory["endpoint"];
        let led = [&endpoint["vip"], &endpoint["name"]].map(Value::as_str).into_iter().flatten();
        let led: Vec<&str> = led.filter_map(|said| said.split('/').next()).collect();
        let service = inventory["cluster"]["serviceSubnet"].as_str().unwrap_or("10.96.0.0/12");
        let service = service.replace(".0/", ".1/");
        let service = service.split('/').next().unwrap();
        let certificates = on_nodes(&tree, API_SERVER);
        let nodes = inventory["nodes"].as_array().unwrap();
        let planes = nodes.iter().filter(|node| node["roles"][0] == "control-plane");
        assert_eq!(certificates.len(), planes.count(), "{cluster}");
        for (node, pem) in certificates {
            let names = names(&parse(pem));
            let own = nodes.iter().find(|own| own["name"] == node).unwrap();
            let own = own["address"].as_str().unwrap();
            let fixed = [service, own, node, "127.0.0.1", "kubernetes.default.svc.cluster.local"];
            let mut wanted = led.iter().chain(&fixed);
            let missing: Vec<_> = wanted.by_ref().filter(|name| !names.contains(**name)).collect();
            assert!(missing.is_empty(), "{cluster}, {node}: {missing:?} not in {names:?}");
        }
    }
    let named = tree(&overlaid("endpoint: {name: api.example.com}"));
    for (node, pem) in on_nodes(&named, API_SERVER) {
        assert!(names(&parse(pem)).contains("api.example.com"), "{node}");
    }
}

/// A guide made them for 27 years.
#[test]
fn no_certificate_but_an_authority_s_lives_longer_than_a_year() {
    for (cluster, (_, tree)) in clusters() {
        let mut leaves = 0;
        for (path, artifact) in tree.iter().filter(|(path, _)| path.ends_with(".crt")) {
            let certificate = parse(text(artifact));
            let validity = certificate.validity();
            let seconds = validity.not_after.timestamp() - validity.not_before.timestamp();
            let days = seconds / 86_400;
            assert!(certificate.is_ca() || days <= 366, "{cluster}, {path}: {days} days");
            leaves += usize::from(!certificate.is_ca());
        }
        assert!(leaves > 5, "{cluster}: {leaves}");
    }
}

/// The value of a variable in an environment file.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("no {key} in {text}"))
}

/// A guide made the list one member three times.
#[test]
fn each_member_of_etcd_knows_itself_and_all_know_the_same_members() {
    for (cluster, (_, tree)) in clusters() {
        let members = on_nodes(&tree, ETCD_CONF);
        let all = |text| value(text, "ETCD_INITIAL_CLUSTER").split(',').collect::<BTreeSet<_>>();
        let lists: BTreeSet<_> = members.values().map(|text| all(text)).collect();
        assert!(lists.len() <= 1, "{cluster}: {lists:?}");
        for (node, text) in &members {
            let peer = value(text, "ETCD_INITIAL_ADVERTISE_PEER_URLS");
            let own = format!("{}={peer}", value(text, "ETCD_NAME"));
            assert!(all(text).contains(own.as_str()), "{cluster}, {node}: {own}");
            assert_eq!(all(text).len(), members.len(), "{cluster}, {node}");
        }
    }
}

/// A guide made certificates in one folder and had them read from another, and gave all members one.
#[test]
fn each_member_of_etcd_has_the_files_that_it_is_told_of_and_certificates_of_its_own() {
    let mut members = 0;
    for (cluster, (_, tree)) in clusters() {
        let configured = on_nodes(&tree, ETCD_CONF);
        members += configured.len();
        for (node, text) in &configured {
            let named = text.lines().filter_map(|line| line.split_once("_FILE=")).map(|(_, at)| at);
            let named: Vec<&str> = named.collect();
            assert_eq!(named.len(), 6, "{cluster}, {node}: {named:?}");
            for path in named {
                assert!(tree.on(node, path).is_some(), "{cluster}: {node} has no {path}");
            }
        }
        for name in ["server.crt", "peer.crt", "client.crt"] {
            let made = on_nodes(&tree, &format!("/etc/etcd/pki/{name}"));
            let distinct: BTreeSet<_> = made.values().collect();
            assert_eq!(distinct.len(), configured.len(), "{cluster}: {name}");
        }
    }
    assert!(members > 3, "{members} in all golden clusters");
}

/// A guide's script had no first line, and was run by whatever shell called it.
#[test]
fn what_is_run_names_its_interpreter() {
    for (cluster, (_, tree)) in clusters() {
        let run = tree.iter().filter(|(_, artifact)| artifact.mode & 0o111 != 0);
        let silent: Vec<_> = run.filter(|(_, file)| !file.bytes.starts_with(b"#!/")).collect();
        assert!(silent.is_empty(), "{cluster}: {silent:?}");
    }
}

/// A guide copied one from machine to machine; then it signed others without their purposes, under
/// `CN=kube-apiserver,` with the comma.
#[test]
fn each_api_server_has_a_certificate_of_its_own_and_for_nothing_else() {
    for (cluster, (_, tree)) in clusters() {
        let made = on_nodes(&tree, API_SERVER);
        assert_eq!(made.values().collect::<BTreeSet<_>>().len(), made.len(), "{cluster}");
        for (node, pem) in made {
            let certificate = parse(pem);
            assert_eq!(certificate.subject().to_string(), "CN=kube-apiserver", "{cluster}, {node}");
            let usage = certificate.extended_key_usage().unwrap().unwrap().value;
            assert!(usage.server_auth && !usage.client_auth && !usage.any, "{cluster}, {node}");
            assert!(!certificate.is_ca(), "{cluster}, {node}");
        }
    }
}

/// A guide copied kubeconfigs that named the first machine, and gave others a name with the port of
/// an API server where its balancer had another.
#[test]
fn every_kubeconfig_of_a_host_leads_to_the_endpoint_or_to_itself() {
    for (cluster, (_, tree)) in clusters() {
        let mut kubeconfigs = 0;
        for (path, artifact) in tree.iter().filter(|(path, _)| path.ends_with("/node.sh")) {
            let node = path.split('/').nth(1).unwrap();
            let words = text(artifact);
            let endpoint = value(words, "endpoint").trim_matches('\'');
            let own = format!("https://{}:6443", value(words, "address"));
            for name in ["admin", "controller-manager", "discovery", "kubelet", "scheduler"] {
                let Some(file) = tree.on(node, &format!("/etc/kubernetes/{name}.conf")) else {
                    continue;
                };
                let server = values(text(file))["clusters"][0]["cluster"]["server"].clone();
                assert!(
                    server == endpoint || server == *own,
                    "{cluster}, {node}, {name}: {server}"
                );
                kubeconfigs += 1;
            }
        }
        assert!(kubeconfigs >= 5, "{cluster}: {kubeconfigs}");
    }
}

/// Minutes of `4h`, `90m`, `30s`.
fn minutes(text: &str) -> u32 {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: u32 = number.parse().unwrap_or_else(|_| panic!("{text} is no duration"));
    match unit {
        "h" => number * 60,
        "m" => number,
        _ => number / 60,
    }
}

/// A guide's closed every session that was quiet for three seconds: each watch, each `kubectl exec`.
#[test]
fn balancers_leave_quiet_sessions_open() {
    let mut balancers = 0;
    for (cluster, (_, tree)) in clusters() {
        for (path, keys) in [
            ("/etc/nginx/nginx.conf", &["proxy_timeout"][..]),
            ("/etc/haproxy/haproxy.cfg", &["timeout client", "timeout server"]),
        ] {
            for (node, text) in on_nodes(&tree, path) {
                for key in keys {
                    let lines = text.lines().map(str::trim);
                    let said =
                        lines.clone().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
                    let said = said.unwrap_or_else(|| panic!("{cluster}, {node}: no {key}"));
                    assert!(minutes(said.trim_end_matches(';')) >= 10, "{cluster}, {node}: {said}");
                }
                balancers += 1;
            }
        }
    }
    assert!(balancers > 10, "{balancers}");
}

/// A guide gave the API's name inside of the cluster the address of a balancer, so that hosts and pods
/// meant different machines by it.
#[test]
fn no_host_gives_a_name_of_the_cluster_s_own_another_address() {
    for (cluster, (_, tree)) in clusters() {
        for (path, artifact) in tree.iter().filter(|(path, _)| path.ends_with("/node.sh")) {
            let (_, hosts) = text(artifact).split_once("\nhosts=(\n").unwrap();
            let (hosts, _) = hosts.split_once("\n)").unwrap();
            assert!(!hosts.contains("kubernetes.default"), "{cluster}, {path}: {hosts}");
        }
    }
}

/// A guide installed etcd, nginx and keepalived on workers, which have no use for them.
#[test]
fn a_worker_runs_nothing_of_the_control_planes() {
    let (inventory, tree) = &clusters()["nginx-keepalived"];
    let nodes = inventory["nodes"].as_array().unwrap();
    let workers = nodes.iter().filter(|node| node["roles"][0] == "worker");
    let workers: Vec<_> = workers.map(|node| node["name"].as_str().unwrap()).collect();
    assert_eq!(workers.len(), 3);
    for worker in workers {
        let words = text(tree.get(&format!("nodes/{worker}/node.sh")).unwrap());
        for program in ["etcd", "nginx", "keepalived"] {
            assert!(!words.contains(&format!("\n  {program} ")), "{worker} installs {program}");
            assert!(!words.contains(&format!(" {program}.service ")), "{worker} runs {program}");
        }
    }
}
