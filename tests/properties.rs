//! Whatever inventory is accepted: nothing panics, no secret leaves its file, every build is the
//! same, and `check` says what `build` says. `HAGEN_CASES=1000 cargo test properties` looks
//! further than every test run does.

use std::collections::{BTreeMap, BTreeSet};

use base64ct::{Base64, Encoding};
use hagen::catalog::{NEWEST_MINOR, OLDEST_MINOR, oses};
use hagen::compile::Outcome;
use hagen::report::Severity;
use hagen::tree::{Artifact, Tree};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::compiled::{build, check, lay_over};

/// Inventories per test run.
const CASES: u32 = 32;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Family {
    V4,
    V6,
}

/// A part of an inventory, merged with the others.
fn either(parts: &[Value]) -> impl Strategy<Value = Value> + use<> {
    proptest::sample::select(parts.to_vec())
}

/// The machines: control planes, workers, members of an etcd of their own.
fn machines() -> impl Strategy<Value = Vec<Value>> {
    let role = either(&[json!(["control-plane"]), json!(["control-plane", "worker"])]);
    let workers = proptest::collection::vec(extras(), 0..5);
    (1..=7_usize, role, workers, proptest::sample::select(vec![0, 1, 3, 5])).prop_map(
        |(control_planes, role, workers, members)| {
            let plane = |_| json!({"roles": role});
            let member = |_| json!({"roles": ["etcd"]});
            let planes = (0..control_planes).map(plane);
            planes.chain(workers).chain((0..members).map(member)).collect()
        },
    )
}

/// A worker with what may be said of one node.
fn extras() -> impl Strategy<Value = Value> {
    let labels = either(&[json!({}), json!({"example.com/rack": "r1", "tier": ""})]);
    let taints = either(&[json!([]), json!(["example.com/own=storage:NoSchedule"])]);
    (labels, taints).prop_map(
        |(labels, taints)| json!({"roles": ["worker"], "labels": labels, "taints": taints}),
    )
}

/// The sections that decide by themselves.
fn sections() -> impl Strategy<Value = Vec<Value>> {
    let balancer = either(&[
        json!({}),
        json!({"loadBalancer": {"kind": "nginx"}}),
        json!({"loadBalancer": {"haproxy": {"version": "1.5", "balance": "roundrobin"}}}),
        json!({"loadBalancer": {"kind": "nginx", "nginx": {"version": "1.20", "maxFails": 3}}}),
    ]);
    let vrrp = either(&[
        json!({}),
        json!({"keepalived": {"version": 2}}),
        json!({"keepalived": {"preempt": true, "routerId": 77}}),
        json!({"keepalived": {"version": 2, "authentication": false, "advertInterval": "2s"}}),
    ]);
    let pods = either(&[
        json!({}),
        json!({"cni": {"plugin": "none"}}),
        json!({"cni": {"backend": "host-gw"}}),
        json!({"cni": {"plugin": "bridge"}}),
    ]);
    let keys = either(&[
        json!({}),
        json!({"pki": {"algorithm": "ecdsa-p384"}}),
        json!({"pki": {"leafLifetimeDays": 30}}),
    ]);
    let more = either(&[
        json!({}),
        json!({"extraArgs": {"apiServer": {"audit-log-maxage": "30"}}}),
        json!({"files": [{"path": "/etc/motd", "content": "hello\n", "mode": "0600"}]}),
        json!({"patches": [{"document": "kubelet/KubeletConfiguration", "patch": {"maxPods": 64}}]}),
    ]);
    let hatches = either(&[
        json!({}),
        json!({"kubeadm": {"ignorePreflightErrors": ["SystemVerification", "Port-6443"]}}),
        json!({"host": {
            "sysctls": {"vm.swappiness": "10", "kernel.keys.root_maxkeys": null},
            "modules": ["nbd"],
        }}),
    ]);
    (balancer, vrrp, pods, keys, more, hatches)
        .prop_map(|(a, b, c, d, e, f)| vec![a, b, c, d, e, f])
}

/// Whole inventories; nearly all of them are accepted.
fn inventories() -> impl Strategy<Value = Value> {
    let minors = OLDEST_MINOR..=NEWEST_MINOR;
    let systems: Vec<&str> = oses().map(|os| os.id.as_str()).collect();
    let family = prop_oneof![3 => Just(Family::V4), 1 => Just(Family::V6)];
    let external = any::<bool>();
    (minors, proptest::sample::select(systems), family, external, machines(), sections()).prop_map(
        |(minor, system, family, external, machines, sections)| {
            let address = |host: usize| match family {
                Family::V4 => format!("10.20.0.{host}"),
                Family::V6 => format!("fd00:20::{host:x}"),
            };
            let prefix = if family == Family::V4 { 24 } else { 64 };
            let mut nodes = Vec::new();
            for (index, machine) in machines.into_iter().enumerate() {
                // Members of their own are of no use to stacked etcd.
                if machine["roles"] == json!(["etcd"]) && !external {
                    continue;
                }
                let mut node = machine;
                node["name"] = format!("n{index}").into();
                node["address"] = address(index + 11).into();
                nodes.push(node);
            }
            let (distribution, release) = system.split_once('-').unwrap();
            let mut inventory = json!({
                "apiVersion": "hagen/v1",
                "cluster": {"name": "any", "kubernetes": format!("1.{minor}.1")},
                "endpoint": {"vip": format!("{}/{prefix}", address(10)), "port": 8443, "interface": "eth0"},
                "os": {"distribution": distribution, "release": release},
                "packages": {"source": "preinstalled"},
                "nodes": nodes,
            });
            if family == Family::V6 {
                inventory["cluster"]["podSubnet"] = "fd00:10:244::/56".into();
                inventory["cluster"]["serviceSubnet"] = "fd00:10:96::/112".into();
            }
            if external {
                inventory["etcd"] = json!({"mode": "external"});
            }
            for section in sections {
                lay_over(&mut inventory, &section);
            }
            inventory
        },
    )
}

/// The findings that a person has to act on.
fn complaints(outcome: &Outcome) -> Vec<String> {
    let findings = outcome.report.findings().iter();
    findings
        .filter(|finding| finding.code.severity != Severity::Note)
        .map(|finding| format!("{}: {} at {}", finding.code.id, finding.message, finding.at))
        .collect()
}

/// The line of a private key that holds its secret: the first one. The public point follows, and
/// may well stand in a public file.
fn private_scalar(pem: &str) -> Option<String> {
    let (_, body) = pem.split_once("PRIVATE KEY-----\n")?;
    body.lines().next().map(str::to_owned)
}

/// What nobody but the reader of this private file may see.
fn secrets(path: &str, artifact: &Artifact) -> Vec<String> {
    let text = std::str::from_utf8(&artifact.bytes).unwrap();
    let mut found = Vec::new();
    found.extend(private_scalar(text));
    for line in text.lines().map(str::trim) {
        if let Some(word) = line.strip_prefix("auth_pass ") {
            found.push(word.trim_matches('"').to_owned());
        }
        if let Some(data) = line.strip_prefix("client-key-data: ") {
            let pem = String::from_utf8(Base64::decode_vec(data).unwrap()).unwrap();
            found.extend(private_scalar(&pem));
            found.push(data.to_owned());
        }
    }
    // These lead to keys, or are pinned beside them, and hold none.
    let guides = ["files.tsv", "discovery.conf", "bootstrap.conf", "kubelet.conf", "motd"];
    let known = !found.is_empty() || guides.iter().any(|name| path.ends_with(name));
    assert!(known, "{path} is private, and this test does not know what is secret in it");
    found
}

fn holds_no_secret_in_public(tree: &Tree) {
    let public: Vec<(&str, String)> = tree
        .iter()
        .filter(|(_, artifact)| !artifact.secret)
        .map(|(path, artifact)| (path, String::from_utf8_lossy(&artifact.bytes).into_owned()))
        .collect();
    let mut words = BTreeMap::new();
    for (path, artifact) in tree.iter().filter(|(_, artifact)| artifact.secret) {
        words.extend(secrets(path, artifact).into_iter().map(|word| (word, path)));
    }
    assert!(words.len() > 15, "a cluster has more keys than that");
    for (word, origin) in words {
        for (path, text) in &public {
            assert!(!text.contains(&word), "{path} shows what belongs into {origin}");
        }
    }
}

fn is_well_formed(tree: &Tree) {
    let mut places = BTreeSet::new();
    for (path, artifact) in tree.iter() {
        assert!(!artifact.secret || artifact.mode == 0o600, "{path}: {:o}", artifact.mode);
        assert_eq!(artifact.mode & 0o022, 0, "{path}: anybody may write it");
        if let Some(place) = &artifact.destination {
            assert!(places.insert((&place.node, &place.path)), "{path}: placed twice");
        }
    }
}

#[test]
fn accepted_inventories_keep_every_promise() {
    let cases = std::env::var("HAGEN_CASES").ok().and_then(|text| text.parse().ok());
    let config =
        Config { cases: cases.unwrap_or(CASES), failure_persistence: None, ..Config::default() };
    // The same inventories in every run, unless more are asked for.
    let mut runner = match cases {
        None => TestRunner::new_with_rng(
            config,
            proptest::test_runner::TestRng::deterministic_rng(
                proptest::test_runner::RngAlgorithm::ChaCha,
            ),
        ),
        Some(_) => TestRunner::new(config),
    };
    let counts = std::cell::Cell::new((0, 0));
    let refusals = std::cell::RefCell::new(BTreeMap::<String, u32>::new());
    let result = runner.run(&inventories(), |inventory| {
        let text = String::from_utf8(hagen::document::yaml(&[inventory], false)).unwrap();
        let built = build(&text);
        assert_eq!(complaints(&check(&text)), complaints(&built), "check and build disagree");
        let (accepted, all) = counts.get();
        counts.set((accepted + u32::from(built.tree.is_some()), all + 1));
        let Some(tree) = &built.tree else {
            assert!(built.report.has_errors(), "refused without a reason");
            for finding in
                built.report.findings().iter().filter(|f| f.code.severity == Severity::Error)
            {
                *refusals.borrow_mut().entry(finding.code.id.to_owned()).or_default() += 1;
            }
            return Ok(());
        };
        is_well_formed(tree);
        holds_no_secret_in_public(tree);
        let again = build(&text);
        let bytes = |outcome: &Outcome| outcome.manifest.as_ref().unwrap().to_bytes();
        assert_eq!(bytes(&again), bytes(&built), "another manifest");
        let files = |outcome: &Outcome| -> Vec<(String, Vec<u8>)> {
            let tree = outcome.tree.as_ref().unwrap();
            tree.iter().map(|(path, artifact)| (path.to_owned(), artifact.bytes.clone())).collect()
        };
        assert!(files(&again) == files(&built), "another tree");
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let (accepted, all) = counts.get();
    assert!(
        accepted * 3 > all * 2,
        "{accepted} of {all} accepted; refused: {:#?}",
        refusals.borrow()
    );
}
