//! External etcd, really started: each member on a machine of its own, with its generated
//! environment file and certificates, by the command and user of its generated unit.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::{Case, Cluster, HAPROXY_1_15, HAPROXY_1_21, MINIMAL_IPV6, Node, compiled};
use crate::documents::read_yaml;
use crate::machine::Machine;
use crate::network::Network;
use crate::programs::{Ran, built, installed};

const ENVIRONMENT: &str = "/etc/etcd/etcd.conf";
const UNIT: &str = "/etc/systemd/system/etcd.service";
const LOG: &str = "/var/log/etcd.log";

/// Time for three members to find each other and elect a leader.
const ELECTION: Duration = Duration::from_secs(60);

/// The programs of one etcd release.
struct Release {
    etcd: PathBuf,
    etcdctl: PathBuf,
}

impl Release {
    fn debian() -> Self {
        Self {
            etcd: installed("etcd", "etcd-server"),
            etcdctl: installed("etcdctl", "etcd-client"),
        }
    }

    fn newest() -> Self {
        let [etcd, etcdctl] = ["etcd", "etcdctl"].map(|program| built("etcd-3.7", program));
        Self { etcd, etcdctl }
    }
}

/// Starts a member in the background, as systemd would.
fn start_member(node: &Node, network: &Network, release: &Release) -> Machine {
    let unit = node.read(UNIT);
    let setting = |key: &str| {
        unit.lines()
            .find_map(|line| line.strip_prefix(key))
            .unwrap_or_else(|| panic!("{UNIT} has no {key}"))
            .to_owned()
    };
    let command = setting("ExecStart=");
    let user = setting("User=");
    assert_eq!(setting("EnvironmentFile="), ENVIRONMENT);
    let environment = environment(node);
    let data = variable(&environment, "ETCD_DATA_DIR");

    let machine = node.start(network);
    machine.place(&release.etcd, command.split(' ').next().unwrap());
    machine.place(&release.etcdctl, "/usr/local/bin/etcdctl");
    let owned = ["-d", "-o", &user, "-g", &user, "-m", "0700"];
    machine.run("install", &[&owned[..], &[&data]].concat()).succeeded();

    let [user_id, group_id] = ["--reuid", "--regid"].map(|option| format!("{option}={user}"));
    let mut words = vec!["setpriv", &user_id, &group_id, "--clear-groups", "env"];
    words.extend(environment.iter().map(String::as_str).chain(command.split(' ')));
    machine.background(LOG, &words);
    machine
}

/// The assignments of the member's environment file as systemd reads them, quotes taken off.
fn environment(node: &Node) -> Vec<String> {
    node.read(ENVIRONMENT)
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (key, value) = line.split_once('=').expect("KEY=value");
            format!("{key}={}", value.trim_matches('"'))
        })
        .collect()
}

fn variable(environment: &[String], key: &str) -> String {
    let assigned = environment.iter().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    assigned.unwrap_or_else(|| panic!("{ENVIRONMENT} has no {key}")).to_owned()
}

/// etcdctl with the API servers' own credential, and what else is given.
struct Client {
    endpoints: String,
    files: [(&'static str, String); 3],
}

impl Client {
    /// As the first control plane's kubeadm configuration has it.
    fn of_api_servers(cluster: &Cluster) -> Self {
        let config = cluster.nodes[0].rootfs.join("etc/kubernetes/kubeadm-config.yaml");
        let documents = read_yaml(&config);
        let external = documents
            .iter()
            .map(|document| &document["etcd"]["external"])
            .find(|external| external.is_object())
            .expect("the cluster has external etcd");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let members = cluster.nodes_with(ENVIRONMENT);
        Self {
            endpoints: members
                .iter()
                .map(|node| variable(&environment(node), "ETCD_ADVERTISE_CLIENT_URLS"))
                .collect::<Vec<_>>()
                .join(","),
            files: [
                ("--cacert", text(&external["caFile"])),
                ("--cert", text(&external["certFile"])),
                ("--key", text(&external["keyFile"])),
            ],
        }
    }

    fn run(&self, machine: &Machine, arguments: &[&str]) -> Ran {
        self.run_with(machine, &self.files, arguments)
    }

    fn run_without_certificate(&self, machine: &Machine, arguments: &[&str]) -> Ran {
        self.run_with(machine, &self.files[..1], arguments)
    }

    fn run_with(&self, machine: &Machine, files: &[(&str, String)], arguments: &[&str]) -> Ran {
        let mut words = vec!["ETCDCTL_API=3", "/usr/local/bin/etcdctl", "--command-timeout=5s"];
        words.extend(["--endpoints", &self.endpoints]);
        words.extend(files.iter().flat_map(|(flag, file)| [*flag, file.as_str()]));
        words.extend(arguments);
        machine.run("env", &words)
    }
}

fn serves_through_the_loss_of_a_member(case: &Case, release: &Release) {
    let cluster = compiled(case);
    let nodes = cluster.nodes_with(ENVIRONMENT);
    let network = Network::start();
    let mut members: Vec<_> =
        nodes.iter().map(|node| start_member(node, &network, release)).collect();
    let client = Client::of_api_servers(&cluster);
    let logs = |members: &[Machine]| -> String {
        members.iter().map(|m| fs::read_to_string(m.path(LOG)).unwrap_or_default()).collect()
    };

    let begun = Instant::now();
    loop {
        let health = client.run(&members[0], &["endpoint", "health", "--cluster"]);
        if health.ok() && health.text().matches("is healthy").count() == nodes.len() {
            break;
        }
        assert!(begun.elapsed() < ELECTION, "{health}\n{}", logs(&members));
        std::thread::sleep(Duration::from_millis(200));
    }
    client.run(&members[0], &["put", "key", "all members"]).succeeded();
    assert!(
        !client.run_without_certificate(&members[0], &["get", "key"]).ok(),
        "a client without a certificate was served"
    );
    for complaint in ["unrecognized environment", "conflicting", "deprecated", "unknown flag"] {
        let logs = logs(&members);
        assert!(!logs.contains(complaint), "etcd says {complaint:?}:\n{logs}");
    }

    // A power cut: its processes and its link are gone at once.
    drop(members.remove(0));
    let begun = Instant::now();
    loop {
        let put = client.run(&members[0], &["put", "key", "one member lost"]);
        if put.ok() {
            break;
        }
        assert!(begun.elapsed() < ELECTION, "{put}\n{}", logs(&members));
    }
    let get = client.run(&members[1], &["get", "key", "--print-value-only"]).succeeded();
    assert_eq!(get.stdout.trim(), "one member lost");
}

#[test]
fn of_haproxy_keepalived_survives() {
    serves_through_the_loss_of_a_member(&HAPROXY_1_15, &Release::debian());
}

#[test]
fn of_haproxy_keepalived_1_21_survives() {
    serves_through_the_loss_of_a_member(&HAPROXY_1_21, &Release::debian());
}

#[test]
fn of_minimal_ipv6_survives() {
    serves_through_the_loss_of_a_member(&MINIMAL_IPV6, &Release::newest());
}
