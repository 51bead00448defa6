use crate::rooms::overlaid::{codes, outcome};
use crate::secrets::NO_FILE;
use crate::site::codes::{FILE_CLASH, NODE_SELECTION};

fn clash(path: &str) -> bool {
    codes(&format!("files: [{{path: {path}, content: x}}]")).contains(&"cluster/file-clash")
}

#[test]
fn a_file_arrives_as_it_is_where_it_is_wanted() {
    let outcome = outcome(
        "files: [{path: /etc/motd, content: \"{{ not ours }}\", mode: '0600', owner: nobody, nodes: {names: [w1]}}]",
    );
    let tree = outcome.tree.unwrap();
    let file = tree.on("w1", "/etc/motd").unwrap();
    assert_eq!(file.bytes, b"{{ not ours }}");
    assert_eq!((file.mode, &*file.owner, &*file.group), (0o600, "nobody", "root"));
    assert!(tree.on("cp1", "/etc/motd").is_none());
}

#[test]
fn what_a_group_may_write_on_a_node_it_may_not_in_the_tree() {
    let said = |mode: &str| format!("files: [{{path: /etc/site, content: x, mode: '{mode}'}}]");
    let tree = outcome(&said("0664")).tree.unwrap();
    let file = tree.on("w1", "/etc/site").unwrap();
    assert_eq!((file.mode, file.stored_mode()), (0o664, 0o644));
    assert_eq!(codes(&said("0666")), ["inventory/type"]);
}

#[test]
fn a_private_file_needs_contents_and_is_nobody_elses_business() {
    let said = |more: &str| format!("privateFiles: [{{path: /etc/site, secret: site{more}}}]");
    assert_eq!(codes(&said("")), [NO_FILE.id], "once, not for each node");
    assert_eq!(codes(&said(", mode: '0644'")), ["inventory/type"]);
    assert!(codes("privateFiles: [{path: /etc/hosts, secret: site}]").contains(&FILE_CLASH.id));
}

#[test]
fn a_generated_a_shared_and_an_owned_path_are_refused() {
    assert!(clash("/etc/containerd/config.toml"));
    assert!(clash("/etc/hosts"));
    assert!(clash("/var/lib/kubelet/config.yaml"));
    assert!(!clash("/etc/containerd/certs.d/registry.example.com/hosts.toml"));
}

#[test]
fn the_finding_names_both_places() {
    let outcome = outcome("files: [{path: /etc/crictl.yaml, content: x}]");
    let finding =
        outcome.report.findings().iter().find(|finding| finding.code == &FILE_CLASH).unwrap();
    assert_eq!(finding.at.to_string(), "files[0].path");
    assert!(finding.message.contains("`runtime`"), "{}", finding.message);
}

#[test]
fn a_selection_means_nodes_of_the_inventory() {
    for (overlay, place, message, help) in [
        (
            "files: [{path: /etc/motd, content: x, nodes: {names: [cp1, wl]}}]",
            "files[0].nodes.names[1]",
            "no node is called `wl`",
            "did you mean `w1`?",
        ),
        (
            "patches: [{document: kubeadm/JoinConfiguration, nodes: {names: [db]}, patch: {}}]",
            "patches[0].nodes.names[0]",
            "no node is called `db`",
            "write the `name` of one of `nodes`",
        ),
        (
            "units: [{unit: kubelet.service, dropIn: {}, nodes: {names: [w1, w9]}}]",
            "units[0].nodes.names[1]",
            "no node is called `w9`",
            "did you mean `w1`?",
        ),
        (
            "files: [{path: /etc/motd, content: x, nodes: {}}]",
            "files[0].nodes",
            "neither names nor roles: this means no node",
            "without `nodes`, all are meant",
        ),
        (
            "units: [{unit: kubelet.service, dropIn: {}, nodes: {roles: [etcd]}}]",
            "units[0].nodes",
            "no node has one of these roles",
            "without `nodes`, all are meant",
        ),
    ] {
        let outcome = outcome(overlay);
        let [finding] = outcome.report.findings() else {
            panic!("{overlay}: {:?}", outcome.report.findings())
        };
        assert_eq!(finding.code, &NODE_SELECTION);
        assert_eq!(finding.at.to_string(), place);
        assert_eq!(finding.message, message);
        assert_eq!(finding.help.as_deref(), Some(help));
    }
}

#[test]
fn who_reads_a_file_reads_it_again() {
    let outcome = outcome(
        "{extraArgs: {apiServer: {audit-policy-file: /srv/audit/policy.yaml, oidc-ca-file: /srv/both.crt}, \
          controllerManager: {tls-cert-file: /srv/both.crt}, \
          kubelet: {image-credential-provider-config: /srv/providers.yaml}}, \
          files: [{path: /srv/audit/policy.yaml, content: x}, {path: /srv/both.crt, content: x}, \
          {path: /srv/providers.yaml, content: x}, {path: /srv/other, content: x}]}",
    );
    let tree = outcome.tree.unwrap();
    let reader = |path: &str| {
        let artifact = tree.on("cp1", &format!("/srv/{path}")).unwrap();
        let unit = artifact.destination.as_ref().unwrap().unit.clone();
        unit.map(|(unit, apply)| format!("{} {unit}", apply.as_str()))
    };
    assert_eq!(reader("audit/policy.yaml").as_deref(), Some("pod kube-apiserver"));
    assert_eq!(reader("both.crt").as_deref(), Some("pod kube-apiserver,kube-controller-manager"));
    assert_eq!(reader("providers.yaml").as_deref(), Some("restart kubelet.service"));
    assert_eq!(reader("other"), None);
}
