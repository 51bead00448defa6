use serde_json::json;

use crate::rooms::overlaid::{claimed, file, outcome};

const SITE: &str = "url: 'http://10.0.0.1/apt', keyring: /etc/apt/keyrings/site.gpg";

/// What the steps know of a node.
fn words(overlay: &str, node: &str) -> String {
    file(&outcome(overlay), &format!("nodes/{node}/node.sh"))
}

/// The rows of one list.
fn rows<'a>(words: &'a str, name: &str) -> Vec<&'a str> {
    let (_, list) = words.split_once(&format!("\n{name}=(")).unwrap_or_default();
    let (list, _) = list.split_once(")\n").unwrap_or_default();
    list.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[test]
fn one_repository_for_everything_is_configured_once() {
    let words = words(
        &format!(
            "packages: {{repositories: {{distribution: {{{SITE}}}, runtime: {{{SITE}}}, kubernetes: {{{SITE}}}}}}}"
        ),
        "w1",
    );
    assert_eq!(
        rows(&words, "repositories"),
        ["distribution 'http://10.0.0.1/apt /' /etc/apt/keyrings/site.gpg"]
    );
    // No other source is asked, not even those that the host has.
    assert!(words.contains("\nonly_named=yes\n"), "{words}");
    for upstream in ["pkgs.k8s.io", "download.docker.com", "https://10"] {
        assert!(!words.contains(upstream), "{upstream} in {words}");
    }
}

#[test]
fn the_hosts_own_repositories_serve_where_no_other_is_named() {
    let words = words(&format!("packages: {{repositories: {{kubernetes: {{{SITE}}}}}}}"), "w1");
    assert!(words.contains("\nonly_named=no\n"), "{words}");
    assert_eq!(rows(&words, "repositories").len(), 2, "the mirror, and docker's for containerd");
}

#[test]
fn components_of_one_suite_are_one_source() {
    let of = |component: &str| format!("{{{SITE}, suite: stable, components: [{component}]}}");
    let words = words(
        &format!(
            "packages: {{repositories: {{runtime: {}, kubernetes: {}}}}}",
            of("runtime"),
            of("kubernetes")
        ),
        "w1",
    );
    let [source] = rows(&words, "repositories")[..] else { panic!("{words}") };
    assert!(source.contains(" stable kubernetes runtime' "), "{source}");
}

#[test]
fn each_system_asks_its_own_repositories_for_its_own_versions() {
    let own = "url: 'http://10.0.0.1/rpm', keyring: /etc/pki/rpm-gpg/site.asc";
    let overlay = format!(
        "{{nodes: [{{name: cp1, address: 192.168.1.11, roles: [control-plane]}},
          {{name: cp2, address: 192.168.1.12, roles: [control-plane]}},
          {{name: cp3, address: 192.168.1.13, roles: [control-plane]}},
          {{name: w1, address: 192.168.1.21, roles: [worker], os: {{distribution: rocky, release: '9'}}}}],
          packages: {{
            repositories: {{distribution: {{{SITE}}}, runtime: {{{SITE}}}, kubernetes: {{{SITE}}}}},
            versions: {{kubelet: 1.37.1-1.1}},
            systems: [{{os: {{distribution: rocky, release: '9'}},
              repositories: {{distribution: {{{own}}}, runtime: {{{own}}}}},
              versions: {{kubelet: 1.37.1-150500.1.1}}}}]}}}}"
    );
    let [debian, rocky] = ["cp1", "w1"].map(|node| words(&overlay, node));
    let site = "distribution 'http://10.0.0.1/apt /' /etc/apt/keyrings/site.gpg";
    assert_eq!(rows(&debian, "repositories"), [site]);
    assert!(rows(&debian, "packages").contains(&"kubelet 1.37.1-1.1 yes"), "{debian}");
    let sources = [
        "distribution http://10.0.0.1/rpm /etc/pki/rpm-gpg/site.asc",
        // What it does not say for itself is what is said for all.
        "kubernetes http://10.0.0.1/apt /etc/apt/keyrings/site.gpg",
    ];
    let mut named = rows(&rocky, "repositories");
    named.sort_unstable();
    assert_eq!(named, sources);
    assert!(rows(&rocky, "packages").contains(&"kubelet 1.37.1-150500.1.1 yes"), "{rocky}");
}

#[test]
fn a_distribution_of_several_repositories_has_them_all_asked() {
    let of = |name: &str| {
        format!("{{url: 'http://10.0.0.1/{name}', keyring: /etc/pki/rpm-gpg/RPM-GPG-KEY-Rocky-9}}")
    };
    let overlay = format!(
        "{{os: {{distribution: rocky, release: '9'}}, packages: {{repositories: {{
          distribution: {}, others: [{}]}}}}}}",
        of("BaseOS"),
        of("AppStream")
    );
    let words = words(&overlay, "cp1");
    let repositories = rows(&words, "repositories");
    let key = "/etc/pki/rpm-gpg/RPM-GPG-KEY-Rocky-9";
    for row in [
        format!("distribution http://10.0.0.1/BaseOS {key}"),
        format!("distribution-2 http://10.0.0.1/AppStream {key}"),
    ] {
        assert!(repositories.contains(&row.as_str()), "{row} in {repositories:?}");
    }
    assert!(words.contains("\nonly_named=yes\n"), "{words}");
}

#[test]
fn what_the_inventory_pins_comes_before_what_a_component_asks_for() {
    let words = words("packages: {versions: {kubeadm: 1.37.1-2.1, haproxy: '2.6.*'}}", "cp1");
    let packages = rows(&words, "packages");
    for row in ["haproxy '2.6.*' yes", "kubeadm 1.37.1-2.1 yes", "kubectl 1.37.1-1.1 yes"] {
        assert!(packages.contains(&row), "{row} in {packages:?}");
    }
}

#[test]
fn the_key_of_a_repository_is_a_file_and_no_part_of_a_script() {
    // Text in its own lines, as the inventory has it.
    let overlay = include_str!("../../../golden/runbook/offline/overlay.yaml");
    let outcome = outcome(overlay);
    let placed = file(&outcome, "nodes/cp1/rootfs/etc/apt/keyrings/hagen-distribution.asc");
    assert!(placed.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----\n"), "{placed}");
    assert!(placed.ends_with("-----END PGP PUBLIC KEY BLOCK-----\n"), "{placed}");
    let line = placed.lines().nth(2).unwrap();
    for (path, artifact) in outcome.tree.as_ref().unwrap().iter() {
        let text = String::from_utf8_lossy(&artifact.bytes);
        assert!(!path.ends_with(".sh") || !text.contains(line), "{path}");
    }
}

#[test]
fn archives_of_programs_come_from_the_mirror_and_are_known_by_their_digests() {
    let words = words(
        "{etcd: {mode: external, version: 3.6.8}, packages: {archives: 'http://10.0.0.1/etcd/'}}",
        "cp1",
    );
    let sources = rows(&words, "archive_sources");
    let machine = "etcd x86_64 http://10.0.0.1/etcd/v3.6.8/etcd-v3.6.8-linux-amd64.tar.gz \
                   cf9cfe91a4856cb90eed9c99e6aee4b708db2c7888b88a6f116281f04b0ea693 ";
    assert!(sources[0].starts_with(machine), "{sources:?}");
    assert!(!words.contains("github.com"));
}

#[test]
fn images_are_imported_where_containers_run() {
    let outcome = outcome(
        "{etcd: {mode: external}, images: {pullPolicy: Never, archives: [/srv/images.tar]}, nodes: [{name: cp1, address: 192.168.1.11, roles: [control-plane]}, {name: e1, address: 192.168.1.31, roles: [etcd]}]}",
    );
    let words = file(&outcome, "nodes/cp1/node.sh");
    assert!(words.contains("\nimage_archives=(/srv/images.tar)\n"), "{words}");
    assert!(words.contains("\nimages_needed=yes\n"), "{words}");
    for image in ["registry.k8s.io/kube-apiserver:v1.37.1", "registry.k8s.io/pause:3.10.2"] {
        assert!(words.contains(image), "{image} in {words}");
    }
    assert!(!file(&outcome, "nodes/e1/node.sh").contains("/srv/images.tar"));
}

#[test]
fn each_node_knows_its_own_steps_and_parts() {
    let outcome = outcome(
        "{etcd: {mode: external}, nodes: [{name: cp1, address: 192.168.1.11, roles: [control-plane]}, {name: e1, address: 192.168.1.31, roles: [etcd]}, {name: w1, address: 192.168.1.21, roles: [worker]}]}",
    );
    let of_pods = "cni dns kubeadm kubelet kubeproxy pods settings";
    for (node, steps, parts) in [
        (
            "cp1",
            "10-prepare 20-install 30-balancer 50-init 60-verify 90-reset",
            format!("apt host firewall runtime etcd {of_pods}"),
        ),
        (
            "e1",
            "10-prepare 20-install 40-etcd 60-verify 90-reset",
            "apt host firewall etcd".to_owned(),
        ),
        (
            "w1",
            "10-prepare 20-install 50-join 60-verify 90-reset",
            format!("apt host firewall runtime etcd {of_pods}"),
        ),
    ] {
        let words = file(&outcome, &format!("nodes/{node}/node.sh"));
        for list in [format!("\nsteps=({steps})\n"), format!("\nparts=({parts})\n")] {
            assert!(words.contains(&list), "{words}");
        }
    }
}

/// A unit of a step that its node does not have would never be started.
#[test]
fn every_unit_is_started_by_a_step_of_its_node() {
    let external = json!({"etcd": {"mode": "external", "backup": {}}});
    let [local, balancers] = [node_local(), load_balancers()];
    for overlay in
        [json!({}), external, json!({"loadBalancer": {"kind": "nginx"}}), local, balancers]
    {
        let (site, claims) = claimed(&overlay);
        for host in &site.hosts {
            let node = claims.of(host.index);
            for unit in &node.units {
                let number = format!("{}-", unit.phase.step);
                let here = node.steps().any(|step| step.starts_with(&number));
                assert!(here, "{} starts {} in {number}", host.name, unit.name);
            }
        }
    }
}

fn node_local() -> serde_json::Value {
    json!({"endpoint": {"holder": "nodeLocal", "vip": null, "port": 8443, "interface": null}})
}

/// Two machines of their own lead to the only control plane.
fn load_balancers() -> serde_json::Value {
    let node = |name: &str, place: u8, role: &str| json!({"name": name, "address": format!("192.168.1.{place}"), "roles": [role]});
    let nodes = [
        node("cp1", 11, "control-plane"),
        node("lb1", 12, "load-balancer"),
        node("lb2", 13, "load-balancer"),
    ];
    json!({"endpoint": {"port": 6443}, "nodes": nodes})
}

#[test]
fn whoever_leads_to_the_api_starts_and_waits_for_what_does() {
    let list = |overlay: &serde_json::Value, node: &str, name: &str| {
        let words = words(&overlay.to_string(), node);
        let (_, rest) = words.split_once(&format!("\n{name}=(")).unwrap();
        let (list, _) = rest.split_once(")\n").unwrap();
        list.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
    };
    let usual = json!({});
    let vip = "haproxy.service 127.0.0.1 8443, keepalived.service 192.168.1.33 8443";
    assert_eq!(list(&usual, "cp1", "listeners"), vip);
    assert_eq!(list(&usual, "cp1", "leaders"), "cp1 cp2 cp3");
    assert_eq!(list(&usual, "w1", "listeners"), "");

    let local = node_local();
    for node in ["cp1", "w1"] {
        assert_eq!(list(&local, node, "listeners"), "haproxy.service 127.0.0.1 8443");
    }
    assert_eq!(list(&local, "cp1", "leaders"), "cp1");

    let apart = load_balancers();
    assert_eq!(list(&apart, "cp1", "leaders"), "lb1 lb2");
    assert_eq!(list(&apart, "cp1", "listeners"), "");
    assert_eq!(list(&apart, "lb1", "listeners"), vip.replace("8443", "6443"));

    // Somebody else's may accept nothing before there is a server.
    let external = json!({
        "endpoint": {"vip": null, "interface": null, "address": "192.168.1.9", "port": 6443},
    });
    assert_eq!(list(&external, "cp1", "leaders"), "");
    assert_eq!(
        list(&external, "cp1", "steps"),
        "10-prepare 20-install 50-init 50-join 60-verify 90-reset"
    );
}

#[test]
fn the_steps_are_the_same_for_all_and_only_those_that_somebody_runs() {
    let outcome = outcome("{}");
    let tree = outcome.tree.as_ref().unwrap();
    let steps: Vec<&str> = tree
        .iter()
        .filter_map(|(path, _)| path.strip_prefix("steps/"))
        .filter(|path| !path.starts_with("shared/"))
        .collect();
    assert_eq!(
        steps,
        [
            "10-prepare.sh",
            "20-install.sh",
            "30-balancer.sh",
            "50-init.sh",
            "50-join.sh",
            "60-verify.sh",
            "90-reset.sh",
            "apt.sh",
            "cni.sh",
            "dns.sh",
            "etcd.sh",
            "firewall.sh",
            "host.sh",
            "kubeadm.sh",
            "kubelet.sh",
            "kubeproxy.sh",
            "lib.sh",
            "pods.sh",
            "runtime.sh",
            "settings.sh"
        ]
    );
    for (path, _) in tree.iter().filter(|(path, _)| path.ends_with(".sh")) {
        let of_host = path.starts_with("nodes/") && !path.contains("/rootfs/");
        assert!(!of_host || path.ends_with("/node.sh"), "{path}");
    }
}

#[test]
fn selinux_is_left_alone_unless_asked() {
    let selinux = |overlay: &str, node: &str| {
        let words = words(overlay, node);
        words.lines().find(|line| line.starts_with("selinux=")).unwrap().to_owned()
    };
    let rocky = "os: {distribution: rocky, release: '9'}";
    assert_eq!(selinux(&format!("{{{rocky}}}"), "w1"), "selinux=leave");
    let asked = format!("{{{rocky}, host: {{selinux: permissive}}}}");
    assert_eq!(selinux(&asked, "w1"), "selinux=permissive");
    let member = format!(
        "{{{rocky}, host: {{selinux: permissive}}, etcd: {{mode: external}}, nodes: [{{name: cp1, address: 192.168.1.11, roles: [control-plane]}}, {{name: e1, address: 192.168.1.31, roles: [etcd]}}]}}"
    );
    assert_eq!(selinux(&member, "e1"), "selinux=leave", "no kubelet, no reason");
}

#[test]
fn pod_networks_are_trusted_where_pods_run() {
    let overlay = "{host: {firewall: open}, os: {distribution: rocky, release: '9'}, etcd: {mode: external}, nodes: [{name: cp1, address: 192.168.1.11, roles: [control-plane]}, {name: e1, address: 192.168.1.31, roles: [etcd]}]}";
    let outcome = outcome(overlay);
    let rules = |node: &str| file(&outcome, &format!("nodes/{node}/node.sh"));
    assert!(rows(&rules("cp1"), "firewall").contains(&"trusted source=10.244.0.0/16"));
    assert!(!rules("e1").contains("trusted"));
}

/// A member of etcd answers API servers and members; a control plane hears VRRP from its peers.
#[test]
fn the_firewall_opens_to_those_whom_the_claims_name() {
    let outcome = outcome(
        "{host: {firewall: open}, os: {distribution: rocky, release: '9'}, etcd: {mode: external}, nodes: [{name: cp1, address: 192.168.1.11, roles: [control-plane]}, {name: cp2, address: 192.168.1.12, roles: [control-plane]}, {name: cp3, address: 192.168.1.13, roles: [control-plane]}, {name: w1, address: 192.168.1.21, roles: [worker]}, {name: e1, address: 192.168.1.31, roles: [etcd]}]}",
    );
    let said = |node: &str| file(&outcome, &format!("nodes/{node}/node.sh"));
    let rule = |source: &str, element: &str| {
        let rule =
            format!("rich-rule=rule family=\"ipv4\" source address=\"{source}\" {element} accept");
        format!("\n  - '{rule}'\n")
    };
    let clients = r#"port port="2379" protocol="tcp""#;
    let member = said("e1");
    assert!(member.contains(&rule("192.168.1.11/32", clients)), "{member}");
    assert!(!member.contains("service="), "nobody's clients come here: {member}");
    assert!(!member.contains(&rule("192.168.1.21/32", clients)), "a worker: {member}");
    assert!(!member.contains(&rule("192.168.1.0/24", clients)), "everybody: {member}");
    let vrrp = r#"protocol value="vrrp""#;
    let first = said("cp1");
    assert!(first.contains(&rule("192.168.1.12/32", vrrp)), "{first}");
    assert!(!first.contains(&rule("192.168.1.11/32", vrrp)), "itself: {first}");
    let kubelet = r#"port port="10250" protocol="tcp""#;
    assert!(said("w1").contains(&rule("192.168.1.0/24", kubelet)));
}

#[test]
fn what_is_replaced_is_owed_a_restart() {
    let outcome = outcome("{etcd: {mode: external, version: 3.6.8}}");
    let words = file(&outcome, "nodes/cp1/node.sh");
    let restarts = rows(&words, "restarts");
    for owed in
        ["etcd etcd.service", "containerd.io containerd.service", "keepalived keepalived.service"]
    {
        assert!(restarts.contains(&owed), "{owed} in {restarts:?}");
    }
    // The host's tools are no part of its clock.
    assert!(!restarts.iter().any(|row| row.contains("chrony")), "{restarts:?}");
}

#[test]
fn the_runbook_says_when_the_pod_network_of_ones_own_comes() {
    let readme = |overlay: &str| file(&outcome(overlay), "README.md");
    let own = readme("cni: {plugin: none}");
    assert!(own.contains("\n4. Apply the pod network of your own now"), "{own}");
    assert!(own.contains("\n5. On the other control planes"), "{own}");
    assert!(!readme("{}").contains("pod network of your own"));
}

#[test]
fn folders_are_copied_to_where_ssh_reaches_the_node() {
    let overlay = "nodes: [{name: cp1, address: 192.168.1.11, ssh: 'fd00::1', roles: [control-plane]}, {name: w1, address: 192.168.1.21, roles: [worker]}]";
    let readme = file(&outcome(overlay), "README.md");
    for to in ["'root@[fd00::1]:/root/hagen/'", "root@192.168.1.21:/root/hagen/"] {
        assert!(readme.contains(to), "{to} in {readme}");
    }
}
