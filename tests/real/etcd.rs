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
use crate::runbook::blocks;

const ENVIRONMENT: &str = "/etc/etcd/etcd.conf";
const UNIT: &str = "/etc/systemd/system/etcd.service";
const LOG: &str = "/var/log/etcd.log";

/// Time for three members to find each other and elect a leader.
const ELECTION: Duration = Duration::from_secs(60);

/// The programs of one etcd release.
struct Release {
    etcd: PathBuf,
    etcdctl: PathBuf,
    /// What restores a snapshot, where the release has it.
    etcdutl: Option<PathBuf>,
}

impl Release {
    fn debian() -> Self {
        Self {
            etcd: installed("etcd", "etcd-server"),
            etcdctl: installed("etcdctl", "etcd-client"),
            etcdutl: None,
        }
    }

    fn newest() -> Self {
        let [etcd, etcdctl, etcdutl] =
            ["etcd", "etcdctl", "etcdutl"].map(|program| built("etcd-3.7", program));
        Self { etcd, etcdctl, etcdutl: Some(etcdutl) }
    }
}

/// A machine that is this node, with its member running.
fn start_member(node: &Node, network: &Network, release: &Release, more: &[&str]) -> Machine {
    let machine = node.start(network);
    machine.place(&release.etcd, "/usr/local/bin/etcd");
    machine.place(&release.etcdctl, "/usr/local/bin/etcdctl");
    start(node, &machine, more);
    machine
}

/// Starts the member in the background, as systemd would, with more in its environment.
fn start(node: &Node, machine: &Machine, more: &[&str]) {
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

    assert!(command.starts_with("/usr/local/bin/etcd"), "{command}");
    let owned = ["-d", "-o", &user, "-g", &user, "-m", "0700"];
    machine.run("install", &[&owned[..], &[&data]].concat()).succeeded();

    let [user_id, group_id] = ["--reuid", "--regid"].map(|option| format!("{option}={user}"));
    let mut words = vec!["setpriv", &user_id, &group_id, "--clear-groups", "env"];
    words.extend(environment.iter().map(String::as_str).chain(more.iter().copied()));
    words.extend(command.split(' '));
    machine.background(LOG, &words);
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
        machine.run("env", &[&self.words(files)[..], arguments].concat())
    }

    /// A script that has etcdctl as its words.
    fn shell(&self, machine: &Machine, script: &str) -> Ran {
        let words = self.words(&self.files);
        machine.run("bash", &[&["-c", script, "bash", "env"], &words[..]].concat())
    }

    fn words<'a>(&'a self, files: &'a [(&str, String)]) -> Vec<&'a str> {
        let mut words = vec!["ETCDCTL_API=3", "/usr/local/bin/etcdctl", "--command-timeout=5s"];
        words.extend(["--endpoints", &self.endpoints]);
        words.extend(files.iter().flat_map(|(flag, file)| [*flag, file.as_str()]));
        words
    }
}

fn logs(members: &[Machine]) -> String {
    members.iter().map(|m| fs::read_to_string(m.path(LOG)).unwrap_or_default()).collect()
}

/// Waits until all of them are.
fn healthy(client: &Client, members: &[Machine]) {
    let begun = Instant::now();
    loop {
        let health = client.run(&members[0], &["endpoint", "health", "--cluster"]);
        if health.ok() && health.text().matches("is healthy").count() == members.len() {
            return;
        }
        assert!(begun.elapsed() < ELECTION, "{health}\n{}", logs(members));
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn serves_through_the_loss_of_a_member(case: &Case, release: &Release) {
    let cluster = compiled(case);
    let nodes = cluster.nodes_with(ENVIRONMENT);
    let network = Network::start();
    let mut members: Vec<_> =
        nodes.iter().map(|node| start_member(node, &network, release, &[])).collect();
    let client = Client::of_api_servers(&cluster);
    healthy(&client, &members);
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

/// A quota that is soon reached; hagen lets nobody say so little.
const SMALL: [&str; 1] = ["ETCD_QUOTA_BACKEND_BYTES=16777216"];

/// Follows two chapters of the runbook to the letter: what fills etcd makes room again, and most
/// members come back from a snapshot, with revisions that nobody has seen yet where the release can.
fn is_full_and_comes_back(case: &Case, release: &Release) {
    let cluster = compiled(case);
    let nodes = cluster.nodes_with(ENVIRONMENT);
    let network = Network::start();
    let members: Vec<_> =
        nodes.iter().map(|node| start_member(node, &network, release, &SMALL)).collect();
    let client = Client::of_api_servers(&cluster);
    healthy(&client, &members);
    let fill = r#"for i in {1..60}; do head -c 400000 /dev/zero | tr '\0' x | "$@" put filler || exit; done"#;
    let full = || client.shell(&members[0], fill);
    let ran = full();
    assert!(ran.text().contains("database space exceeded"), "{ran}");
    let put = |value: &str| client.run(&members[1], &["put", "key", value]);
    assert!(!put("full").ok());

    let run = |machine: &Machine, script: &str| {
        machine.run("bash", &["-eo", "pipefail", "-c", script]).succeeded();
    };
    let runbook = fs::read_to_string(cluster.out.join("README.md")).unwrap();
    let [(_, compact), (_, defragment), (_, disarm)] = &blocks(&runbook, "A full etcd")[..] else {
        panic!("three blocks")
    };
    // Twice: it may be run again.
    for _ in 0..2 {
        run(&members[0], compact);
    }
    members.iter().for_each(|member| run(member, defragment));
    run(&members[0], disarm);
    put("room").succeeded();
    let before = revision(&client, &members[0]);

    let save = ["snapshot", "save", "/root/snapshot.db"];
    let first = variable(&environment(nodes[0]), "ETCD_ADVERTISE_CLIENT_URLS");
    let one = Client { endpoints: first, files: client.files.clone() };
    one.run(&members[0], &save).succeeded();
    put("lost").succeeded();
    let snapshot = fs::read(members[0].path("/root/snapshot.db")).unwrap();
    let chapter = blocks(&runbook, "Etcd from a snapshot");
    for member in &members {
        fs::write(member.path("/root/snapshot.db"), &snapshot).unwrap();
        member.place_script("/usr/bin/systemctl", "#!/bin/sh\npkill -KILL -x etcd\n");
        if let Some(program) = &release.etcdutl {
            member.place(program, "/usr/local/bin/etcdutl");
        }
        run(member, &chapter[1].1);
    }
    nodes.iter().zip(&members).for_each(|(node, member)| start(node, member, &SMALL));
    healthy(&client, &members);
    let get = client.run(&members[1], &["get", "key", "--print-value-only"]).succeeded();
    assert_eq!(get.stdout.trim(), "room");
    let after = revision(&client, &members[0]);
    let bumped = chapter[1].1.contains("--bump-revision");
    assert!(after >= before && (!bumped || after > before + 999_999_999), "{before} {after}");
}

/// The newest revision of the keys.
fn revision(client: &Client, machine: &Machine) -> u64 {
    let ran = client.run(machine, &["get", "key", "--write-out=json"]).succeeded();
    let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
    answer["header"]["revision"].as_u64().unwrap()
}

#[test]
fn of_release_3_4_is_full_and_comes_back() {
    is_full_and_comes_back(&HAPROXY_1_15, &Release::debian());
}

#[test]
fn of_release_3_7_is_full_and_comes_back() {
    is_full_and_comes_back(&MINIMAL_IPV6, &Release::newest());
}
