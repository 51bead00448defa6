//! Decisions by release, and what the files promise each other.

use serde_json::{Value, json};

use super::config::{cluster_configuration, init, join};
use super::plan::KubeadmPlan;
use crate::catalog::{NEWEST_MINOR, OLDEST_MINOR};
use crate::inventory::Inventory;
use crate::rooms::overlaid::{claimed, complaints, files, resolved, text};
use crate::site::{Cluster, EtcdMode};

fn of_release(version: &str) -> Value {
    json!({"cluster": {"kubernetes": version}})
}

/// What is found where a release's component is given one flag.
pub(super) fn flagged(version: &str, part: &str, flag: &str, value: &str) -> Vec<String> {
    let flags = json!({part: {flag: value}});
    complaints(&super::Kubeadm, &json!({"cluster": {"kubernetes": version}, "extraArgs": flags}))
}

fn first(overlay: &Value) -> (Value, Value) {
    let (site, claims) = claimed(overlay);
    let cluster = &site.cluster().unwrap();
    let (said, _) = resolved(overlay);
    let node = cluster.control_planes().next().unwrap();
    (init(&KubeadmPlan::new(&said, cluster), cluster, node, &claims), shared(&said, cluster))
}

fn shared(said: &Inventory, cluster: &Cluster<'_>) -> Value {
    cluster_configuration(&KubeadmPlan::new(said, cluster), cluster)
}

fn joining(overlay: &Value, name: &str) -> Value {
    let (site, claims) = claimed(overlay);
    let cluster = &site.cluster().unwrap();
    let (said, _) = resolved(overlay);
    let node = cluster.nodes.iter().find(|node| node.name == name).unwrap();
    join(&KubeadmPlan::new(&said, cluster), cluster, node, &claims)
}

#[test]
fn every_release_gets_its_own_form() {
    for minor in OLDEST_MINOR..=NEWEST_MINOR {
        let overlay = json!({
            "cluster": {"kubernetes": format!("1.{minor}.0")},
            "extraArgs": {"apiServer": {"v": "2"}},
        });
        let (init, shared) = first(&overlay);
        let api = match minor {
            ..=21 => "kubeadm.k8s.io/v1beta2",
            22..=30 => "kubeadm.k8s.io/v1beta3",
            31.. => "kubeadm.k8s.io/v1beta4",
        };
        assert_eq!([&init["apiVersion"], &shared["apiVersion"]], [api, api]);
        let expected = match minor {
            ..=30 => json!({"v": "2"}),
            31.. => json!([{"name": "v", "value": "2"}]),
        };
        assert_eq!(shared["apiServer"]["extraArgs"], expected, "1.{minor}");
    }
}

#[test]
fn nothing_in_the_files_is_secret() {
    for minor in OLDEST_MINOR..=NEWEST_MINOR {
        let overlay = of_release(&format!("1.{minor}.0"));
        let (init, shared) = first(&overlay);
        let text = format!("{init}{shared}{}", joining(&overlay, "cp2")).to_lowercase();
        for word in ["token", "certificatekey", "private"] {
            assert!(!text.contains(word), "1.{minor}: {word}");
        }
    }
}

#[test]
fn a_control_plane_is_tainted_unless_it_works_too() {
    let keys = |version| {
        let taints = first(&of_release(version)).0["nodeRegistration"]["taints"].clone();
        let taints = taints.as_array().unwrap().clone();
        taints.iter().map(|taint| taint["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (master, control_plane) =
        ("node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane");
    assert_eq!(keys("1.23.17"), [master]);
    let mut both = keys("1.24.17");
    both.sort();
    assert_eq!(both, [control_plane, master]);
    assert_eq!(keys("1.25.16"), [control_plane]);

    let node = |roles: Value, taints: Value| {
        json!({"nodes": [
            {"name": "cp1", "address": "192.168.1.11", "roles": roles, "taints": taints},
        ]})
    };
    let taints = |overlay| first(&overlay).0["nodeRegistration"]["taints"].clone();
    assert_eq!(taints(node(json!(["control-plane", "worker"]), Value::Null)), json!([]));
    assert_eq!(
        taints(node(json!(["control-plane"]), json!(["a.example/b=c:NoExecute", "d:NoSchedule"]))),
        json!([
            {"key": "a.example/b", "value": "c", "effect": "NoExecute"},
            {"key": "d", "effect": "NoSchedule"},
        ])
    );
}

#[test]
fn only_a_control_plane_joins_with_an_endpoint_of_its_own() {
    let overlay = of_release("1.37.1");
    let join = joining(&overlay, "cp2");
    let endpoint = json!({"advertiseAddress": "192.168.1.12", "bindPort": 6443});
    assert_eq!(join["controlPlane"]["localAPIEndpoint"], endpoint);
    let join = joining(&overlay, "w1");
    assert_eq!(join.get("controlPlane"), None);
    assert_eq!(join["nodeRegistration"]["taints"], json!([]));
    assert_eq!(join["discovery"]["file"]["kubeConfigPath"], "/etc/kubernetes/discovery.conf");
}

#[test]
fn all_api_servers_share_one_list_of_members() {
    let endpoints = |overlay| {
        let (_, shared) = first(&overlay);
        shared["etcd"]["external"]["endpoints"].clone()
    };
    let external = json!({"etcd": {"mode": "external"}});
    assert_eq!(endpoints(external), json!(["https://127.0.0.1:2379"]));
    let all = json!({"etcd": {"mode": "external", "endpoints": "all"}});
    let everyone = json!([
        "https://192.168.1.11:2379",
        "https://192.168.1.12:2379",
        "https://192.168.1.13:2379",
    ]);
    assert_eq!(endpoints(all), everyone);
    let apart = json!({
        "etcd": {"mode": "external", "endpoints": "local"},
        "nodes": [
            {"name": "cp1", "address": "192.168.1.11", "roles": ["control-plane", "etcd"]},
            {"name": "cp2", "address": "192.168.1.12", "roles": ["control-plane"]},
        ],
    });
    assert_eq!(endpoints(apart), json!(["https://192.168.1.11:2379"]));
}

#[test]
fn two_families_need_a_gate_while_it_exists_and_is_off() {
    let gates = |version: &str| {
        let overlay = json!({"cluster": {
            "kubernetes": version,
            "podSubnet": "10.244.0.0/16,fd00:10:244::/56",
            "serviceSubnet": "10.96.0.0/16,fd00:10:96::/112",
        }});
        first(&overlay).1.get("featureGates").cloned()
    };
    assert_eq!(gates("1.20.15"), Some(json!({"IPv6DualStack": true})));
    assert_eq!(gates("1.21.14"), None);
    assert_eq!(gates("1.37.1"), None);
    assert_eq!(first(&of_release("1.20.15")).1.get("featureGates"), None);
}

#[test]
fn renewal_makes_the_kind_of_key_that_the_tree_has() {
    let algorithm = |version: &str, pki: &str| {
        let overlay = json!({"cluster": {"kubernetes": version}, "pki": {"algorithm": pki}});
        first(&overlay).1.get("encryptionAlgorithm").cloned()
    };
    assert_eq!(algorithm("1.30.4", "ecdsa-p256"), None);
    assert_eq!(algorithm("1.31.0", "ecdsa-p256"), Some(json!("ECDSA-P256")));
    assert_eq!(algorithm("1.31.0", "ecdsa-p384"), Some(json!("ECDSA-P256")));
    assert_eq!(algorithm("1.34.0", "ecdsa-p384"), Some(json!("ECDSA-P384")));
}

#[test]
fn a_moved_metrics_port_reaches_the_member() {
    let overlay = json!({
        "cluster": {"kubernetes": "1.30.4"},
        "etcd": {"metricsPort": 12381, "settings": {"quota-backend-bytes": "4294967296"}},
    });
    let flags = &first(&overlay).1["etcd"]["local"]["extraArgs"];
    let expected = json!({
        "listen-metrics-urls": "http://127.0.0.1:12381",
        "quota-backend-bytes": "4294967296",
    });
    assert_eq!(flags, &expected);
}

#[test]
fn the_configuration_asks_for_the_names_that_are_said() {
    let overlay = json!({
        "endpoint": {"name": "api.corp.example"},
        "nodes": [{
            "name": "cp1",
            "address": "192.168.1.11",
            "roles": ["control-plane"],
            "extraSans": ["203.0.113.7"],
        }],
    });
    let (_, shared) = first(&overlay);
    let names = shared["apiServer"]["certSANs"].as_array().unwrap();
    assert!(names.contains(&json!("203.0.113.7")) && names.contains(&json!("api.corp.example")));
}

#[test]
fn an_external_store_keeps_its_authority_to_itself() {
    for (mode, stacked) in [("stacked", true), ("external", false)] {
        let overlay = json!({"etcd": {"mode": mode}});
        assert_eq!(
            resolved(&overlay).1.kubernetes.unwrap().etcd.mode == EtcdMode::Stacked,
            stacked
        );
        let files = files(&super::Kubeadm, &overlay);
        let has = |file: &str| {
            let path = format!("nodes/cp1/rootfs/etc/kubernetes/pki/{file}");
            files.iter().any(|(name, _)| *name == path)
        };
        assert!(has("etcd/ca.crt") && has("apiserver-etcd-client.key") && has("ca.key"));
        for file in ["etcd/ca.key", "etcd/server.key", "etcd/peer.crt"] {
            assert_eq!(has(file), stacked, "{mode}: {file}");
        }
    }
}

#[test]
fn keys_are_private_seeds_and_workers_have_none() {
    let files = files(&super::Kubeadm, &json!({}));
    for (path, artifact) in &files {
        assert_eq!(artifact.secret, path.ends_with(".key"), "{path}");
        assert!(!path.starts_with("nodes/w1/rootfs/etc/kubernetes/pki"), "{path}");
    }
    let joins = files.iter().filter(|(path, _)| path.ends_with("/kubeadm-join.yaml")).count();
    // The first control plane as well: it comes back by joining.
    assert_eq!(joins, 4);
}

#[test]
fn old_nodes_may_read_what_their_join_reads() {
    let path = "nodes/cp1/rootfs/etc/kubernetes/addons/00-join-rbac.yaml";
    let old = files(&super::Kubeadm, &of_release("1.15.1"));
    assert!(text(&old, path).contains("name: system:nodes"));
    let new = files(&super::Kubeadm, &of_release("1.16.15"));
    assert!(!new.iter().any(|(name, _)| name == path));
}

#[test]
fn flags_are_judged_by_release_and_owner() {
    let with = |version: &str, flag: &str| {
        let overlay = json!({
            "cluster": {"kubernetes": version},
            "extraArgs": {"apiServer": {flag: "0"}},
        });
        complaints(&super::Kubeadm, &overlay)
    };
    let removed = "cluster/extra-arg-removed at extraArgs.apiServer.insecure-port";
    assert_eq!(with("1.24.0", "insecure-port"), [removed]);
    assert!(with("1.23.17", "insecure-port").is_empty());
    let owned = "cluster/extra-arg-owned at extraArgs.apiServer.etcd-servers";
    assert_eq!(with("1.30.4", "etcd-servers"), [owned]);
}

#[test]
fn the_pull_policy_is_written_where_the_release_has_the_field() {
    let of = |version: &str| {
        let overlay = json!({
            "cluster": {"kubernetes": version},
            "images": {"pullPolicy": "Never"},
        });
        let registration =
            |document: Value| document["nodeRegistration"]["imagePullPolicy"].clone();
        (registration(first(&overlay).0), registration(joining(&overlay, "w1")))
    };
    assert_eq!(of("1.22.0"), (json!("Never"), json!("Never")));
    assert_eq!(of("1.21.14"), (Value::Null, Value::Null));
    let said = |policy: &str| {
        let overlay =
            json!({"cluster": {"kubernetes": "1.21.14"}, "images": {"pullPolicy": policy}});
        complaints(&super::Kubeadm, &overlay)
    };
    assert_eq!(said("Never"), ["kubeadm/pull-policy at images.pullPolicy"]);
    // What an old kubeadm does by itself.
    assert!(said("IfNotPresent").is_empty());
}
