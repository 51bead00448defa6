use crate::cluster::layout;
use crate::rooms::trial::{file, outcome};

const SITE: &str = "url: 'http://10.0.0.1/apt', keyring: /etc/apt/keyrings/site.gpg";

fn prepare(overlay: &str, node: &str) -> String {
    file(&outcome(overlay), &format!("nodes/{node}/10-prepare.sh"))
}

fn lines<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(start)).collect()
}

#[test]
fn one_repository_for_everything_is_configured_once() {
    let script = prepare(
        &format!(
            "packages: {{repositories: {{distribution: {{{SITE}}}, runtime: {{{SITE}}}, kubernetes: {{{SITE}}}}}}}"
        ),
        "w1",
    );
    assert_eq!(
        lines(&script, "deb "),
        ["deb [signed-by=/etc/apt/keyrings/site.gpg] http://10.0.0.1/apt /"]
    );
    // No other source is asked, not even those that the host has.
    assert!(script.contains("-o Dir::Etc::SourceParts=/dev/null"));
    for upstream in ["pkgs.k8s.io", "download.docker.com", "https://"] {
        assert!(!script.contains(upstream), "{upstream} in {script}");
    }
}

#[test]
fn the_hosts_own_repositories_serve_where_no_other_is_named() {
    let script = prepare(&format!("packages: {{repositories: {{kubernetes: {{{SITE}}}}}}}"), "w1");
    assert!(!script.contains("Dir::Etc"));
    assert_eq!(lines(&script, "deb ").len(), 2, "the mirror, and docker's for containerd");
}

#[test]
fn components_of_one_suite_are_one_source() {
    let of = |component: &str| format!("{{{SITE}, suite: stable, components: [{component}]}}");
    let script = prepare(
        &format!(
            "packages: {{repositories: {{runtime: {}, kubernetes: {}}}}}",
            of("runtime"),
            of("kubernetes")
        ),
        "w1",
    );
    let [source] = lines(&script, "deb ")[..] else { panic!("{script}") };
    assert!(source.ends_with(" stable kubernetes runtime"), "{source}");
}

#[test]
fn what_the_inventory_pins_comes_before_what_a_component_asks_for() {
    let script = prepare("packages: {versions: {kubeadm: 1.37.1-2.1, haproxy: '2.6.*'}}", "cp1");
    let [wanted] = lines(&script, "wanted=(")[..] else { panic!("{script}") };
    assert!(wanted.contains(" 'haproxy=2.6.*' "), "{wanted}");
    assert!(wanted.contains(" kubeadm=1.37.1-2.1 kubectl=1.37.1-1.1 "), "{wanted}");
}

#[test]
fn archives_of_programs_come_from_the_mirror_and_are_known_by_their_digests() {
    let script = prepare(
        "{etcd: {mode: external, version: 3.6.8}, packages: {archives: 'http://10.0.0.1/etcd/'}}",
        "cp1",
    );
    assert!(script.contains("url=http://10.0.0.1/etcd/v3.6.8/etcd-v3.6.8-linux-amd64.tar.gz "));
    assert!(script.contains("cf9cfe91a4856cb90eed9c99e6aee4b708db2c7888b88a6f116281f04b0ea693"));
    assert!(!script.contains("SHA256SUMS"));
    assert!(!script.contains("github.com"));
}

#[test]
fn images_are_imported_where_containers_run() {
    let outcome = outcome(
        "{etcd: {mode: external}, images: {pullPolicy: Never, archives: [/srv/images.tar]}, nodes: [{name: cp1, address: 192.168.1.11, roles: [control-plane]}, {name: e1, address: 192.168.1.31, roles: [etcd]}]}",
    );
    let script = file(&outcome, "nodes/cp1/20-install.sh");
    assert!(script.contains("\nbring /srv/images.tar\n"));
    let [needed] = lines(&script, "readonly images=(")[..] else { panic!("{script}") };
    for image in ["registry.k8s.io/kube-apiserver:v1.37.1", "registry.k8s.io/pause:3.10.2"] {
        assert!(needed.contains(image), "{image} in {needed}");
    }
    assert!(!file(&outcome, "nodes/e1/20-install.sh").contains("/srv/images.tar"));
}

#[test]
fn a_reset_leaves_every_file_of_the_member_where_it_leaves_the_member() {
    let outcome = outcome(
        "{etcd: {mode: external}, units: [{unit: etcd.service, dropIn: {Service: {Nice: '-5'}}}]}",
    );
    let tree = outcome.tree.as_ref().unwrap();
    let stays = |path: &str| {
        layout::ETCD_FILES.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == *pattern,
        })
    };
    for (_, artifact) in tree.iter() {
        let Some(to) = &artifact.destination else { continue };
        let reads = to.unit.as_ref().is_some_and(|(unit, _)| unit.starts_with("etcd"));
        let of_member = artifact.origin.room == "etcd" || reads;
        assert_eq!(stays(&to.path), of_member, "{}", to.path);
    }
}

#[test]
fn a_machine_that_is_nothing_but_a_member_is_reset_with_it() {
    let outcome = outcome(
        "{etcd: {mode: external}, nodes: [{name: cp1, address: 192.168.1.11, roles: [control-plane]}, {name: e1, address: 192.168.1.31, roles: [etcd]}]}",
    );
    let member = file(&outcome, "nodes/e1/90-reset.sh");
    assert!(member.contains(": run it with --yes --etcd'"), "{member}");
    assert!(!member.contains("etcd=kept"), "{member}");
    let other = file(&outcome, "nodes/cp1/90-reset.sh");
    assert!(!other.contains("etcd"), "{other}");
}

#[test]
fn what_is_replaced_is_owed_a_restart() {
    let script = prepare("{etcd: {mode: external, version: 3.6.8}}", "cp1");
    assert!(script.contains("\n  owe etcd.service\n"), "{script}");
    for owed in [") owe containerd.service ;;", ") owe keepalived.service ;;"] {
        assert!(script.contains(owed), "{owed} in {script}");
    }
    // The host's tools are no part of its clock.
    assert!(!script.contains("owe chrony"), "{script}");
    assert!(!prepare("packages: {source: preinstalled}", "w1").contains("owe"));
}

#[test]
fn the_list_of_repositories_comes_after_their_keys() {
    let script = prepare("{}", "w1");
    let at = |text: &str| script.find(text).unwrap_or_else(|| panic!("{text} in {script}"));
    assert!(at("\nkeys /etc/apt/keyrings/hagen-kubernetes.asc ") < at("\nwrite \"$list\""));
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
